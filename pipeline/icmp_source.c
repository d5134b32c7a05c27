// SPDX-License-Identifier: Apache-2.0

#include "pipeline/icmp_source.h"

#include "pipeline/ip4.h"

// The interface that a dest leaves through, or NULL: a policy, nothing, or a neighbour not yet known, in
// which case the interface the packet came in on is as good a guess.
static const struct iface *dest_iface(const struct snapshot *snapshot, struct adj_table *adj_table,
	const struct packet *p, uint32_t dest)
{
	const struct adj *adj;

	if (dest_kind(dest) == DEST_GROUP)
		dest = snapshot->groups[dest_index(dest)].dest[0];
	switch (dest_kind(dest)) {
	case DEST_CONNECTED:
	case DEST_LOCAL:
		return &snapshot->ifaces[dest_index(dest)];
	case DEST_FORWARD:
		adj = adj_table_get(adj_table, dest_index(dest));
		if (adj != NULL && adj->iface < snapshot->n_ifaces)
			return &snapshot->ifaces[adj->iface];
		if (p->iface < snapshot->n_ifaces && snapshot->ifaces[p->iface].vrf == p->vrf)
			return &snapshot->ifaces[p->iface];
		return NULL;
	default:
		return NULL;
	}
}

// What the node sends from a virtual address or a source comes back there as an error, from that address.
static bool is_splice(uint32_t dest)
{
	return dest_kind(dest) == DEST_L7 || dest_kind(dest) == DEST_L7_SOURCE;
}

bool icmp_source_ip4(const struct snapshot *snapshot, struct adj_table *adj_table,
	const struct packet *p, rte_be32_t to, rte_be32_t *source)
{
	const struct vrf *vrf = &snapshot->vrfs[p->vrf];
	uint32_t dest = lpm_lookup(vrf->ip4, ip4_key(&to), 0);
	const struct iface *iface = dest_iface(snapshot, adj_table, p, dest);

	if (is_splice(dest)) {
		*source = to;
		return true;
	}
	if (iface != NULL && iface->vrf == p->vrf && iface->has_ip4) {
		memcpy(source, &iface->ip4_source, sizeof(*source));
		return true;
	}
	memcpy(source, &vrf->icmp4_source, sizeof(*source));
	return vrf->has_icmp4;
}

bool icmp_source_ip6(const struct snapshot *snapshot, struct adj_table *adj_table,
	const struct packet *p, const struct ip6_addr *to, struct ip6_addr *source)
{
	const struct vrf *vrf = &snapshot->vrfs[p->vrf];
	uint32_t dest = lpm_lookup(vrf->ip6, ip6_addr_hi(to), ip6_addr_lo(to));
	const struct iface *iface = dest_iface(snapshot, adj_table, p, dest);

	if (ip6_addr_is_link_local(to) && p->iface < snapshot->n_ifaces) {
		*source = snapshot->ifaces[p->iface].link_local;
		return true;
	}
	if (is_splice(dest)) {
		*source = *to;
		return true;
	}
	if (iface != NULL && iface->vrf == p->vrf && iface->has_ip6) {
		*source = iface->ip6_source;
		return true;
	}
	*source = vrf->icmp6_source;
	return vrf->has_icmp6;
}
