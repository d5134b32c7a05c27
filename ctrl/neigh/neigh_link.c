// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/neigh_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>

static int compare_names(const void *a, const void *b)
{
	const struct neigh_name *x = a, *y = b;

	return strcmp(x->spec->name, y->spec->name);
}

static struct neigh_name *find_name(const struct neigh *neigh, const char *name)
{
	const struct iface_spec spec = {.name = name};
	const struct neigh_name wanted = {.spec = &spec};

	if (neigh->n_names == 0)
		return NULL;
	return bsearch(&wanted, neigh->names, neigh->n_names, sizeof(wanted), compare_names);
}

static void clear_names(struct neigh *neigh)
{
	free(neigh->names);
	neigh->names = NULL;
	neigh->n_names = 0;
}

static int read_names(struct neigh *neigh, const struct node_spec *spec)
{
	clear_names(neigh);
	neigh->names = calloc(spec->n_ifaces, sizeof(*neigh->names));
	if (neigh->names == NULL)
		return spec->n_ifaces == 0 ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < spec->n_ifaces; i++)
		neigh->names[i] = (struct neigh_name){&spec->ifaces[i], SNAPSHOT_NO_IFACE};
	neigh->n_names = spec->n_ifaces;
	qsort(neigh->names, neigh->n_names, sizeof(*neigh->names), compare_names);
	return 0;
}

static int grow_links(struct neigh *neigh, uint32_t n_links)
{
	struct neigh_link *links;

	if (n_links <= neigh->n_links)
		return 0;
	links = realloc(neigh->links, n_links * sizeof(*links));
	if (links == NULL)
		return -ENOMEM;
	memset(links + neigh->n_links, 0, (n_links - neigh->n_links) * sizeof(*links));
	neigh->links = links;
	neigh->n_links = n_links;
	return 0;
}

static bool accepts_ra(const struct neigh_link *link)
{
	return link->spec != NULL && link->spec->accept_ra;
}

// Whether adjacencies written from a differ from those written from b.
static bool differs(const struct iface *a, const struct iface *b)
{
	return a->dpdk_port != b->dpdk_port || a->vlan != b->vlan || a->mtu != b->mtu ||
	       memcmp(a->mac, b->mac, sizeof(a->mac)) != 0;
}

// iface is NULL where the slot is free.
static void update_link(struct neigh *neigh, struct neigh_link *link, const struct iface *iface,
	const char *name, const struct iface_spec *spec)
{
	bool is_new = strcmp(link->name, name) != 0;
	bool accepted_ra = !is_new && accepts_ra(link);

	if (iface == NULL) {
		*link = (struct neigh_link){0};
		return;
	}
	if (is_new) {
		*link = (struct neigh_link){.created_epoch = neigh->epoch};
		strncpy(link->name, name, sizeof(link->name) - 1);
	}
	if (is_new || differs(&link->iface, iface))
		link->changed_epoch = neigh->epoch;
	link->iface = *iface;
	link->spec = spec;
	if (accepts_ra(link) && !accepted_ra) {
		link->n_solicits_left = NEIGH_MAX_ROUTER_SOLICITS;
		link->solicit_ms = neigh->now_ms;
	}
}

int neigh_link_update(struct neigh *neigh)
{
	const struct snapshot *s = ctrl_snapshot(neigh->ctrl);
	int ret = read_names(neigh, neigh->ctrl->spec);

	if (ret == 0)
		ret = grow_links(neigh, s->n_ifaces);
	for (uint32_t i = 0; i < neigh->n_links; i++) {
		bool used = i < s->n_ifaces && s->iface_names[i].text[0] != '\0';
		struct neigh_name *name = used ? find_name(neigh, s->iface_names[i].text) : NULL;

		if (name == NULL) {
			update_link(neigh, &neigh->links[i], NULL, "", NULL);
			continue;
		}
		name->iface = (uint16_t)i;
		update_link(neigh, &neigh->links[i], &s->ifaces[i], name->spec->name, name->spec);
	}
	return ret;
}

void neigh_link_free(struct neigh *neigh)
{
	clear_names(neigh);
	free(neigh->links);
}

struct neigh_link *neigh_link_get(const struct neigh *neigh, uint16_t iface)
{
	if (iface >= neigh->n_links || neigh->links[iface].name[0] == '\0')
		return NULL;
	return &neigh->links[iface];
}

uint16_t neigh_link_by_name(const struct neigh *neigh, const char *name)
{
	const struct neigh_name *found = find_name(neigh, name);

	return found == NULL ? SNAPSHOT_NO_IFACE : found->iface;
}

static bool is_link_local(const struct ip_addr *addr)
{
	return addr->family == 6 && ip6_addr_is_link_local(&addr->addr);
}

static bool in_prefix(const struct address_spec *prefix, const struct ip_addr *addr)
{
	const uint8_t *a = prefix->addr.addr.b, *b = addr->addr.b;
	uint8_t n_bytes = prefix->len / 8;
	uint8_t rest_mask = (uint8_t)(0xff00 >> prefix->len % 8);

	if (prefix->addr.family != addr->family || memcmp(a, b, n_bytes) != 0)
		return false;
	return rest_mask == 0 || ((a[n_bytes] ^ b[n_bytes]) & rest_mask) == 0;
}

bool neigh_link_owns(const struct neigh_link *link, const struct ip_addr *addr)
{
	if (is_link_local(addr) && ip6_addr_equal(&addr->addr, &link->iface.link_local))
		return true;
	for (uint32_t i = 0; i < link->spec->n_addresses; i++) {
		const struct ip_addr *own = &link->spec->addresses[i].addr;

		if (own->family == addr->family && ip6_addr_equal(&own->addr, &addr->addr))
			return true;
	}
	return false;
}

// Virtual addresses and sources are in the VRF's table only.
static bool is_of_splice(const struct snapshot *s, uint16_t vrf, const struct ip_addr *addr)
{
	uint64_t hi = ip6_addr_hi(&addr->addr), lo = ip6_addr_lo(&addr->addr);
	uint32_t dest = addr->family == 4 ? lpm_lookup(s->vrfs[vrf].ip4, hi & 0xffffffff00000000, 0)
					  : lpm_lookup(s->vrfs[vrf].ip6, hi, lo);

	return dest_kind(dest) == DEST_L7 || dest_kind(dest) == DEST_L7_SOURCE;
}

bool neigh_link_answers(
	const struct neigh *neigh, const struct neigh_link *link, const struct ip_addr *addr)
{
	return neigh_link_owns(link, addr) ||
	       (neigh_link_covers(link, addr) &&
		       is_of_splice(ctrl_snapshot(neigh->ctrl), link->iface.vrf, addr));
}

bool neigh_link_covers(const struct neigh_link *link, const struct ip_addr *addr)
{
	if (is_link_local(addr))
		return true;
	for (uint32_t i = 0; i < link->spec->n_addresses; i++)
		if (in_prefix(&link->spec->addresses[i], addr))
			return true;
	return false;
}

struct ip6_addr neigh_link_source(const struct neigh_link *link, const struct ip_addr *target)
{
	if (is_link_local(target))
		return link->iface.link_local;
	for (uint32_t i = 0; i < link->spec->n_addresses; i++)
		if (in_prefix(&link->spec->addresses[i], target))
			return link->spec->addresses[i].addr.addr;
	return target->family == 6 ? link->iface.link_local : link->iface.ip4_source;
}

uint8_t neigh_link_write_header(
	const struct neigh_link *link, const uint8_t dst_mac[6], uint16_t ether_type, uint8_t *end)
{
	uint8_t len = RTE_ETHER_HDR_LEN + (link->iface.vlan != 0 ? RTE_VLAN_HLEN : 0);
	uint8_t *header = end - len;

	memcpy(header, dst_mac, RTE_ETHER_ADDR_LEN);
	memcpy(header + RTE_ETHER_ADDR_LEN, link->iface.mac, RTE_ETHER_ADDR_LEN);
	if (link->iface.vlan != 0) {
		header[12] = RTE_ETHER_TYPE_VLAN >> 8;
		header[13] = RTE_ETHER_TYPE_VLAN & 0xff;
		header[14] = (uint8_t)(link->iface.vlan >> 8);
		header[15] = (uint8_t)link->iface.vlan;
	}
	end[-2] = (uint8_t)(ether_type >> 8);
	end[-1] = (uint8_t)ether_type;
	return len;
}

struct ip_addr neigh_link_ip4(const uint8_t bytes[4])
{
	struct ip_addr addr = {.family = 4};

	memcpy(addr.addr.b, bytes, 4);
	return addr;
}

struct ip_addr neigh_link_ip6(const struct ip6_addr *addr)
{
	return (struct ip_addr){.family = 6, .addr = *addr};
}
