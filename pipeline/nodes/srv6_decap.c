// SPDX-License-Identifier: Apache-2.0

// End.DT4, End.DT6 and End.DT46 (RFC 8986 §4.6-4.8): takes the outer headers off, checks the inner
// packet and looks it up in the tenant's VRF. One lookup call serves both families: an IPv4 address is
// the top of an IPv6-sized key.

#include "pipeline/dispatch.h"
#include "pipeline/node.h"
#include "pipeline/output.h"
#include "pipeline/srv6_apply.h"

// The IPv6 edges first, then IPv4's; only a VRF's own SIDs are out of reach of its tenants.
#define EDGES(X)                                                                                   \
	X(NO_ROUTE, "drop_ip6_no_route")                                                           \
	X(FORWARD, "ip6_output")                                                                   \
	X(CONNECTED, "ip6_glean")                                                                  \
	X(LOCAL, "ip6_local")                                                                      \
	X(BLACKHOLE, "drop_blackhole")                                                             \
	X(UNREACHABLE, "drop_ip6_unreachable")                                                     \
	X(LOCATOR, "drop_srv6_untrusted")                                                          \
	X(SID_END, "drop_srv6_untrusted")                                                          \
	X(SID_DECAP, "drop_srv6_untrusted")                                                        \
	X(SID_CROSS, "drop_srv6_untrusted")                                                        \
	X(SID_B6, "drop_srv6_untrusted")                                                           \
	X(POLICY, "srv6_encap")                                                                    \
	X(L7, "l7_input")                                                                          \
	X(L7_SOURCE, "l7_input")                                                                   \
	X(IP4_NO_ROUTE, "drop_ip4_no_route")                                                       \
	X(IP4_FORWARD, "ip4_output")                                                               \
	X(IP4_CONNECTED, "ip4_glean")                                                              \
	X(IP4_LOCAL, "ip4_local")                                                                  \
	X(IP4_BLACKHOLE, "drop_blackhole")                                                         \
	X(IP4_UNREACHABLE, "drop_ip4_unreachable")                                                 \
	X(IP4_LOCATOR, "drop_bad_dest")                                                            \
	X(IP4_SID_END, "drop_bad_dest")                                                            \
	X(IP4_SID_DECAP, "drop_bad_dest")                                                          \
	X(IP4_SID_CROSS, "drop_bad_dest")                                                          \
	X(IP4_SID_B6, "drop_bad_dest")                                                             \
	X(IP4_POLICY, "srv6_encap")                                                                \
	X(IP4_L7, "l7_input")                                                                      \
	X(IP4_L7_SOURCE, "l7_input")                                                               \
	X(PORT_TX, "port_tx")                                                                      \
	X(DISPATCH, "dispatch")                                                                    \
	SRV6_ERROR_EDGES(X)

NODE_DECLARE_EDGES(EDGES)
NODE_ASSERT_ROUTE_EDGES();

_Static_assert((int)EDGE_IP4_L7_SOURCE == (int)DEST_N_KINDS + (int)DEST_L7_SOURCE,
	"the edges of IPv4 stand as far behind those of IPv6 as there are kinds");

static inline rte_edge_t prepare_ip4(struct worker *w, struct rte_mbuf *m, struct packet *p,
	uint8_t outer_tc, struct walk_key *key)
{
	if (unlikely(ip4_check(m) != IP4_OK))
		return EDGE_INNER;
	if (unlikely(!srv6_take_ecn4(m, outer_tc)))
		return EDGE_ECN;
	if (unlikely(dispatch_wanted(w, p)) && !dispatch_is_mine(w, m, p)) {
		p->entry = PACKET_ENTRY_IP4_LOOKUP;
		return EDGE_DISPATCH;
	}
	key->lpm = w->snapshot->vrfs[p->vrf].ip4;
	key->hi = ip4_key(&rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *)->dst_addr);
	return WALK_LOOKUP;
}

static inline rte_edge_t prepare_ip6(struct worker *w, struct rte_mbuf *m, struct packet *p,
	uint8_t outer_tc, struct walk_key *key)
{
	const struct rte_ipv6_hdr *ip;

	if (unlikely(ip6_check(m) != IP6_OK))
		return EDGE_INNER;
	ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	if (unlikely(ip6_is_link_bound(ip)))
		return EDGE_INNER;
	if (unlikely(!srv6_take_ecn6(m, outer_tc)))
		return EDGE_ECN;
	if (unlikely(dispatch_wanted(w, p)) && !dispatch_is_mine(w, m, p)) {
		p->entry = PACKET_ENTRY_IP6_LOOKUP;
		return EDGE_DISPATCH;
	}
	key->lpm = w->snapshot->vrfs[p->vrf].ip6;
	key->hi = ip6_addr_hi(ip6_dst(ip));
	key->lo = ip6_addr_lo(ip6_dst(ip));
	return WALK_LOOKUP;
}

static inline rte_edge_t enter(struct worker *w, struct rte_mbuf *m, struct packet *p,
	const struct sid *sid, struct walk_key *key)
{
	struct srv6_decision d = {0};
	enum srv6_verdict verdict;

	verdict = srv6_decap_plain(sid, rte_pktmbuf_mtod(m, const uint8_t *), &d);
	if (unlikely(verdict == SRV6_MORE))
		verdict = srv6_apply(w, m, sid, &d);
	if (unlikely(verdict != SRV6_DECAP_IP4 && verdict != SRV6_DECAP_IP6))
		return SRV6_ERROR_EDGE(verdict, m, p, &d);
	srv6_uncover(m, p, sid, &d);
	p->flags &= (uint16_t)~PACKET_SR_TRUSTED;
	return verdict == SRV6_DECAP_IP4 ? prepare_ip4(w, m, p, d.outer_tc, key)
					 : prepare_ip6(w, m, p, d.outer_tc, key);
}

static inline rte_edge_t prepare(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key)
{
	const struct sid *sid = &w->snapshot->sids[dest_index(p->dest)];
	uint32_t len = m->pkt_len;
	rte_edge_t edge, refused = SRV6_ADMIT(p);

	if (unlikely(refused != N_EDGES))
		return refused;
	edge = enter(w, m, p, sid, key);
	SRV6_COUNT(w, sid, len, edge);
	return edge;
}

static inline rte_edge_t decide(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t dest)
{
	rte_edge_t edge = walk_route(w, m, p, dest);
	bool is_ip4 = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4;

	if (edge == EDGE_FORWARD &&
		(is_ip4 ? output_ip4_plain(w, m, p) : output_ip6_plain(w, m, p)))
		return EDGE_PORT_TX;
	return is_ip4 ? edge + DEST_N_KINDS : edge;
}

static uint16_t srv6_decap_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_lookup(graph, node, objs, n_objs, WALK_IP6, prepare, decide);
}

NODE_REGISTER(srv6_decap, EDGES);
