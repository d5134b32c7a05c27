// SPDX-License-Identifier: Apache-2.0

// End, End.X and End.T (RFC 8986 §4.1-4.3) with their flavors, NEXT-C-SID included: the next segment
// becomes the destination, which is looked up in the SID's VRF or, for End.X, sent on its adjacency.

#include "pipeline/node.h"
#include "pipeline/output.h"
#include "pipeline/srv6_apply.h"

// Another End SID of this node re-enters through ip6_lookup: a graph has no self-edges.
#define EDGES(X)                                                                                   \
	NODE_ROUTE_EDGES_IP6(X, "ip6_lookup")                                                      \
	X(PORT_TX, "port_tx")                                                                      \
	X(FORWARD4, "ip4_output")                                                                  \
	X(EXPOSED4, "ip4_input")                                                                   \
	X(EXPOSED6, "ip6_input")                                                                   \
	X(PUNT, "punt")                                                                            \
	SRV6_ERROR_EDGES(X)

NODE_DECLARE_EDGES(EDGES)
NODE_ASSERT_ROUTE_EDGES();

// USD (RFC 8986 §4.16.3): the inner packet goes by the table, or on End.X's adjacency.
static rte_edge_t expose4(
	struct rte_mbuf *m, struct packet *p, const struct sid *sid, const struct srv6_decision *d)
{
	srv6_uncover(m, p, sid, d);
	if (ip4_check(m) != IP4_OK)
		return EDGE_INNER;
	if (!srv6_take_ecn4(m, d->outer_tc))
		return EDGE_ECN;
	if (sid->behavior != SRV6_END_X)
		return EDGE_EXPOSED4;
	p->dest = dest_make(DEST_FORWARD, sid->adj);
	return EDGE_FORWARD4;
}

static rte_edge_t expose6(
	struct rte_mbuf *m, struct packet *p, const struct sid *sid, const struct srv6_decision *d)
{
	srv6_uncover(m, p, sid, d);
	if (ip6_check(m) != IP6_OK ||
		ip6_is_link_bound(rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *)))
		return EDGE_INNER;
	if (!srv6_take_ecn6(m, d->outer_tc))
		return EDGE_ECN;
	if (sid->behavior != SRV6_END_X)
		return EDGE_EXPOSED6;
	p->dest = dest_make(DEST_FORWARD, sid->adj);
	return EDGE_FORWARD;
}

static inline rte_edge_t forward(struct worker *w, struct rte_mbuf *m, struct packet *p,
	const struct sid *sid, uint32_t front, struct walk_key *key)
{
	const struct rte_ipv6_hdr *ip;

	if (unlikely(front > 0))
		packet_cut(m, front);
	// The behavior has decremented the hop limit.
	p->flags |= PACKET_HOP_TAKEN;
	// What this node pushed and is now too long still comes off whole.
	if (unlikely(p->pushed_len != 0))
		p->pushed_len -= (uint16_t)front;
	if (sid->behavior == SRV6_END_X) {
		p->dest = dest_make(DEST_FORWARD, sid->adj);
		return output_ip6_plain(w, m, p) ? EDGE_PORT_TX : EDGE_FORWARD;
	}
	p->vrf = sid->vrf;
	ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	key->lpm = w->snapshot->vrfs[sid->vrf].ip6;
	key->hi = ip6_addr_hi(ip6_dst(ip));
	key->lo = ip6_addr_lo(ip6_dst(ip));
	return WALK_LOOKUP;
}

static inline rte_edge_t enter(struct worker *w, struct rte_mbuf *m, struct packet *p,
	const struct sid *sid, struct walk_key *key)
{
	struct srv6_decision d = {0};
	enum srv6_verdict verdict =
		srv6_end_plain(sid, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m));

	if (unlikely(verdict == SRV6_MORE))
		verdict = srv6_apply(w, m, sid, &d);
	if (likely(verdict == SRV6_FORWARD))
		return forward(w, m, p, sid, d.front, key);
	if (verdict == SRV6_DECAP_IP4)
		return expose4(m, p, sid, &d);
	if (verdict == SRV6_DECAP_IP6)
		return expose6(m, p, sid, &d);
	return SRV6_ERROR_EDGE(verdict, m, p, &d);
}

static inline rte_edge_t prepare(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key)
{
	const struct sid *sid = &w->snapshot->sids[dest_index(p->dest)];
	uint32_t len = m->pkt_len;
	rte_edge_t edge, refused = SRV6_ADMIT(p);

	if (unlikely(refused != N_EDGES))
		return refused;
	// A packet that waits for its neighbour waits as it came, to meet the SID again.
	if (sid->behavior == SRV6_END_X &&
		unlikely(adj_table_get(w->adj_table, sid->adj) == NULL)) {
		p->punt = PUNT_NEIGHBOR;
		p->adj = sid->adj;
		return EDGE_PUNT;
	}
	edge = enter(w, m, p, sid, key);
	SRV6_COUNT(w, sid, len, edge);
	return edge;
}

static inline rte_edge_t decide(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t dest)
{
	rte_edge_t edge = walk_route(w, m, p, dest);

	return edge == EDGE_FORWARD && output_ip6_plain(w, m, p) ? EDGE_PORT_TX : edge;
}

static uint16_t srv6_end_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_lookup(graph, node, objs, n_objs, WALK_IP6, prepare, decide);
}

NODE_REGISTER(srv6_end, EDGES);
