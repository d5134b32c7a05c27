// SPDX-License-Identifier: Apache-2.0
#pragma once

// Encapsulation by a policy (RFC 8986 §5): picks a segment list by the inner flow, pushes its outer
// header, and says where the result goes. Shared by srv6_encap, srv6_encap_l2 and srv6_b6.

#include "pipeline/output.h"
#include "pipeline/walker.h"
#include "srv6/headend.h"

#define ENCAP_EDGES(X)                                                                             \
	X(PORT_TX, "port_tx")                                                                      \
	X(OUTPUT, "ip6_output")                                                                    \
	X(LOOKUP, "ip6_lookup")                                                                    \
	X(NO_MBUF, "drop_no_mbuf")

enum encap_next {
	ENCAP_PORT_TX,
	ENCAP_OUTPUT,
	ENCAP_LOOKUP,
	ENCAP_NO_MBUF,
};

enum {
	ENCAP_PICK_SHIFT = 8,
};

// Where a list's first segment leads for this flow.
static inline uint32_t encap_first_hop(
	const struct worker *w, const struct policy_list *list, uint32_t flow_hash)
{
	if (likely(dest_kind(list->next) != DEST_GROUP))
		return list->next;
	return w->snapshot->groups[dest_index(list->next)].dest[flow_hash % GROUP_BUCKETS];
}

// Whether a packet can go there now.
static inline bool encap_is_resolved(const struct worker *w, uint32_t first_hop)
{
	switch (dest_kind(first_hop)) {
	case DEST_FORWARD:
		return adj_table_get(w->adj_table, dest_index(first_hop)) != NULL;
	case DEST_NO_ROUTE:
	case DEST_BLACKHOLE:
	case DEST_UNREACHABLE:
	case DEST_LOCATOR:
		return false;
	default:
		return true;
	}
}

// The list that the flow hashes to by weight, or the next one whose first hop is resolved. By the bits of the hash
// that dispatch (the high ones) and ECMP (the low eight) leave, or each worker would know only some lists.
static inline const struct policy_list *encap_pick(
	const struct worker *w, const struct policy *policy, uint32_t flow_hash)
{
	uint32_t point, picked = 0;

	if (likely(policy->n_lists == 1))
		return &policy->lists[0];
	point = (uint32_t)((uint64_t)(flow_hash << ENCAP_PICK_SHIFT) * policy->weight_sum >> 32);
	while (point >= policy->lists[picked].weight_end)
		picked++;
	for (uint32_t tried = 0; tried < policy->n_lists; tried++) {
		const struct policy_list *list = &policy->lists[(picked + tried) % policy->n_lists];

		if (likely(encap_is_resolved(w, encap_first_hop(w, list, flow_hash))))
			return list;
	}
	return &policy->lists[picked];
}

// Encapsulates the packet, whose data begins at what becomes the inner header. inner_tc: its traffic
// class. The outer hash of the packet stays that of the inner flow.
static inline enum encap_next encap_push(struct worker *w, struct rte_mbuf *m, struct packet *p,
	const struct policy *policy, enum headend_inner inner, uint8_t inner_tc, uint32_t flow_hash)
{
	const struct policy_list *list = encap_pick(w, policy, flow_hash);
	const struct headend_list *headend = &list->headend;
	uint32_t inner_len = m->pkt_len;
	uint8_t *outer;

	if (unlikely(headend->hdr_len > rte_pktmbuf_headroom(m)))
		w->n_chained_headers++;
	outer = packet_push(m, headend->hdr_len);
	if (unlikely(outer == NULL))
		return ENCAP_NO_MBUF;
	headend_push(headend, w->snapshot->hmac_keys, outer, inner, inner_tc, inner_len,
		flow_hash & 0xfffff);
	worker_count(&w->policy_counters[policy->slot], inner_len);
	p->inner_vrf = p->vrf;
	p->vrf = SNAPSHOT_UNDERLAY_VRF;
	p->pushed_len = headend->hdr_len;
	p->flags |= PACKET_ORIGINATED | PACKET_HOP_TAKEN | PACKET_SR_TRUSTED;
	p->dest = encap_first_hop(w, list, flow_hash);
	if (unlikely(dest_kind(p->dest) != DEST_FORWARD))
		return ENCAP_LOOKUP;
	return likely(output_ip6_plain(w, m, p)) ? ENCAP_PORT_TX : ENCAP_OUTPUT;
}
