// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_path.h"

#include <string.h>

#include <rte_common.h>

#include "l7/cluster.h"

enum {
	DEFAULT_MTU = 1280, // RFC 8200 §5: where no link is known
	MIN_MTU = 576,	    // RFC 791: what every host takes
};

// Of an interface of the VRF that has the smallest.
static uint16_t vrf_mtu(const struct snapshot *s, uint16_t vrf)
{
	uint16_t mtu = UINT16_MAX;

	for (uint32_t i = 0; i < s->n_ifaces; i++)
		if (s->ifaces[i].dpdk_port != UINT16_MAX && s->ifaces[i].vrf == vrf)
			mtu = RTE_MIN(mtu, s->ifaces[i].mtu);
	return mtu;
}

// Of what is no policy and no group.
static uint16_t link_mtu(
	const struct snapshot *s, const struct adj_table *adj_table, uint16_t vrf, uint32_t dest)
{
	const struct adj *adj;

	switch (dest_kind(dest)) {
	case DEST_CONNECTED:
		return s->ifaces[dest_index(dest)].mtu;
	case DEST_FORWARD:
		adj = adj_table_get(adj_table, dest_index(dest));
		// A neighbour that is not known yet is on one of the VRF's links.
		return adj == NULL ? vrf_mtu(s, vrf) : adj->mtu;
	default:
		return vrf_mtu(s, vrf);
	}
}

static uint16_t dest_mtu(
	const struct snapshot *s, const struct adj_table *adj_table, uint16_t vrf, uint32_t dest);

// Policies do not reach themselves: the compiler sees to that.
static uint16_t policy_mtu(
	const struct snapshot *s, const struct adj_table *adj_table, const struct policy *policy)
{
	uint16_t mtu = UINT16_MAX;

	for (uint32_t i = 0; i < policy->n_lists; i++) {
		const struct policy_list *list = &policy->lists[i];
		uint16_t outer = dest_mtu(s, adj_table, SNAPSHOT_UNDERLAY_VRF, list->next);

		outer = outer > list->headend.hdr_len ? outer - list->headend.hdr_len : 0;
		mtu = RTE_MIN(mtu, outer);
	}
	return mtu;
}

// The buckets of a group repeat its few members.
static uint16_t group_mtu(const struct snapshot *s, const struct adj_table *adj_table, uint16_t vrf,
	const struct group *group)
{
	uint16_t mtu = UINT16_MAX;

	for (uint32_t i = 0; i < GROUP_BUCKETS; i++)
		if (i == 0 || group->dest[i] != group->dest[i - 1])
			mtu = RTE_MIN(mtu, dest_mtu(s, adj_table, vrf, group->dest[i]));
	return mtu;
}

static uint16_t dest_mtu(
	const struct snapshot *s, const struct adj_table *adj_table, uint16_t vrf, uint32_t dest)
{
	switch ((int)dest_kind(dest)) {
	case DEST_POLICY:
		return policy_mtu(s, adj_table, &s->policies[dest_index(dest)]);
	case DEST_GROUP:
		return group_mtu(s, adj_table, vrf, &s->groups[dest_index(dest)]);
	default:
		return link_mtu(s, adj_table, vrf, dest);
	}
}

uint16_t l7_path_mtu(const struct snapshot *s, const struct adj_table *adj_table, uint16_t vrf,
	uint8_t family, const uint8_t addr[16], uint32_t policy)
{
	struct ip6_addr key = {{0}};
	uint32_t dest;
	uint16_t mtu;

	memcpy(key.b, addr, sizeof(key.b));
	if (policy != ENDPOINT_NO_POLICY)
		dest = dest_make(DEST_POLICY, policy);
	else if (family == 4)
		dest = lpm_lookup(s->vrfs[vrf].ip4, ip6_addr_hi(&key) & 0xffffffff00000000, 0);
	else
		dest = lpm_lookup(s->vrfs[vrf].ip6, ip6_addr_hi(&key), ip6_addr_lo(&key));
	mtu = dest_mtu(s, adj_table, vrf, dest);
	if (mtu == UINT16_MAX) // of a VRF without interfaces, towards nowhere
		mtu = DEFAULT_MTU;
	return RTE_MAX(mtu, (uint16_t)MIN_MTU);
}
