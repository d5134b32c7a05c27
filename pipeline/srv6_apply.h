// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the nodes of the endpoint behaviors share: admission of a packet to a SID, the behavior itself
// (srv6/endpoint.h) over as many contiguous bytes as it asks for, and the drop node of each error.

#include "pipeline/ip4.h"
#include "pipeline/ip6.h"
#include "pipeline/walker.h"
#include "srv6/ecn.h"
#include "srv6/endpoint.h"

#define SRV6_ERROR_EDGES(X)                                                                        \
	X(UPPER, "ip6_local")                                                                      \
	X(UNTRUSTED, "drop_srv6_untrusted")                                                        \
	X(LOOP, "drop_srv6_loop")                                                                  \
	X(HOP_LIMIT, "drop_ip6_hop_limit")                                                         \
	X(BAD_SRH, "drop_srv6_bad_srh")                                                            \
	X(BAD_UPPER, "drop_srv6_bad_upper")                                                        \
	X(BAD_ROUTING, "drop_ip6_routing_header")                                                  \
	X(TRUNCATED, "drop_srv6_truncated")                                                        \
	X(EXT_HEADERS, "drop_srv6_ext_headers")                                                    \
	X(FRAGMENT, "drop_srv6_fragment")                                                          \
	X(HMAC_MISSING, "drop_srv6_hmac_missing")                                                  \
	X(HMAC_BAD, "drop_srv6_hmac_bad")                                                          \
	X(PULL, "drop_srv6_pull")                                                                  \
	X(INNER, "drop_srv6_inner")                                                                \
	X(ECN, "drop_srv6_ecn")

// RFC 8754 §5 and the bound on SIDs of this node in a row. Returns the edge of the refusal, or N_EDGES.
// A macro over the caller's enum edge, since each node numbers its edges itself.
#define SRV6_ADMIT(p)                                                                              \
	(unlikely(!((p)->flags & PACKET_SR_TRUSTED))		      ? EDGE_UNTRUSTED             \
		: unlikely(++(p)->sid_passes > PACKET_MAX_SID_PASSES) ? EDGE_LOOP                  \
								      : N_EDGES)

// RFC 8986 §6: packets that are dropped at a SID or answered by an ICMP error do not count. The errors
// stand behind UPPER in every list of edges.
#define SRV6_COUNT(w, sid, len, edge)                                                              \
	do {                                                                                       \
		if (likely((edge) <= EDGE_UPPER || (edge) == WALK_LOOKUP))                         \
			worker_count(&(w)->sid_counters[(sid)->slot], len);                        \
	} while (0)

// Runs the behavior; SRV6_N_VERDICTS when headers lie over more segments than one buffer holds.
static inline enum srv6_verdict srv6_apply(
	struct worker *w, struct rte_mbuf *m, const struct sid *sid, struct srv6_decision *d)
{
	enum srv6_verdict verdict = srv6_endpoint(sid, w->snapshot->hmac_keys,
		rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m), d);

	while (unlikely(verdict == SRV6_MORE)) {
		if (packet_pull(m, d->need) == NULL)
			return SRV6_N_VERDICTS;
		verdict = srv6_endpoint(sid, w->snapshot->hmac_keys, rte_pktmbuf_mtod(m, uint8_t *),
			rte_pktmbuf_data_len(m), d);
	}
	return verdict;
}

// The edge of a verdict that ends the packet's SRv6 processing here.
#define SRV6_ERROR_EDGE(verdict, m, p, d)                                                          \
	srv6_error_edge(verdict, m, p, d,                                                          \
		(const rte_edge_t[]){                                                              \
			[SRV6_LOCAL] = EDGE_UPPER,                                                 \
			[SRV6_TIME_EXCEEDED] = EDGE_HOP_LIMIT,                                     \
			[SRV6_BAD_SRH] = EDGE_BAD_SRH,                                             \
			[SRV6_BAD_UPPER] = EDGE_BAD_UPPER,                                         \
			[SRV6_BAD_ROUTING_TYPE] = EDGE_BAD_ROUTING,                                \
			[SRV6_TRUNCATED] = EDGE_TRUNCATED,                                         \
			[SRV6_TOO_MANY_HEADERS] = EDGE_EXT_HEADERS,                                \
			[SRV6_FRAGMENT] = EDGE_FRAGMENT,                                           \
			[SRV6_HMAC_MISSING] = EDGE_HMAC_MISSING,                                   \
			[SRV6_HMAC_BAD] = EDGE_HMAC_BAD,                                           \
			[SRV6_N_VERDICTS] = EDGE_PULL,                                             \
		})

static inline rte_edge_t srv6_error_edge(enum srv6_verdict verdict, struct rte_mbuf *m,
	struct packet *p, const struct srv6_decision *d, const rte_edge_t *edges)
{
	p->icmp_value = d->pointer;
	if (verdict == SRV6_LOCAL) {
		packet_cut(m, d->front);
		p->dest = dest_make(DEST_LOCAL, p->iface);
	}
	return edges[verdict];
}

// Uncovers the inner packet in the VRF of the SID. What was known of the outer one is forgotten.
static inline void srv6_uncover(
	struct rte_mbuf *m, struct packet *p, const struct sid *sid, const struct srv6_decision *d)
{
	packet_cut(m, d->front);
	p->vrf = sid->vrf;
	p->flags &= (uint16_t) ~(PACKET_ORIGINATED | PACKET_HOP_TAKEN | PACKET_LINK_SCOPE);
	p->flow_hash = 0;
	p->pushed_len = 0;
}

// RFC 6040 §4.2 for a checked inner packet. False: it must be dropped.
static inline bool srv6_take_ecn4(struct rte_mbuf *m, uint8_t outer_tc)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	int ecn;

	if (likely((outer_tc & ECN_MASK) == ECN_NOT_ECT))
		return true;
	ecn = ecn_decapsulate(outer_tc, ip->type_of_service);
	if (ecn == ECN_DROP)
		return false;
	ip4_set_tos(ip, (uint8_t)((ip->type_of_service & ~ECN_MASK) | ecn));
	return true;
}

static inline bool srv6_take_ecn6(struct rte_mbuf *m, uint8_t outer_tc)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	int ecn;

	if (likely((outer_tc & ECN_MASK) == ECN_NOT_ECT))
		return true;
	ecn = ecn_decapsulate(outer_tc, ip6_traffic_class(ip));
	if (ecn == ECN_DROP)
		return false;
	ip6_set_traffic_class(ip, (uint8_t)((ip6_traffic_class(ip) & ~ECN_MASK) | ecn));
	return true;
}
