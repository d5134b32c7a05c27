// SPDX-License-Identifier: Apache-2.0

// End.B6.Encaps and End.B6.Encaps.Red (RFC 8986 §4.13, §4.14): the packet advances in its own segment
// list and is then encapsulated by the SID's policy.

#include "pipeline/encap.h"
#include "pipeline/node.h"
#include "pipeline/srv6_apply.h"

#define EDGES(X)                                                                                   \
	ENCAP_EDGES(X)                                                                             \
	SRV6_ERROR_EDGES(X)

NODE_DECLARE_EDGES(EDGES)

static rte_edge_t enter(
	struct worker *w, struct rte_mbuf *m, struct packet *p, const struct sid *sid)
{
	struct srv6_decision d = {0};
	enum srv6_verdict verdict = srv6_apply(w, m, sid, &d);
	uint8_t tc;

	if (unlikely(verdict != SRV6_INSERT_B6))
		return SRV6_ERROR_EDGE(verdict, m, p, &d);
	tc = ip6_traffic_class(rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *));
	return (rte_edge_t)encap_push(w, m, p, &w->snapshot->policies[sid->policy],
		HEADEND_INNER_IP6, tc, flow_hash_of(m, p));
}

static rte_edge_t srv6_b6_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct sid *sid = &w->snapshot->sids[dest_index(p->dest)];
	uint32_t len = m->pkt_len;
	rte_edge_t edge, refused = SRV6_ADMIT(p);

	if (unlikely(refused != N_EDGES))
		return refused;
	edge = enter(w, m, p, sid);
	SRV6_COUNT(w, sid, len, edge);
	return edge;
}

static uint16_t srv6_b6_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, srv6_b6_packet);
}

NODE_REGISTER(srv6_b6, EDGES);
