// SPDX-License-Identifier: Apache-2.0

// An IPv4 packet from a link: header checks (RFC 1812 §5.2.2), then the lookup in its interface's VRF.

#include "pipeline/dispatch.h"
#include "pipeline/ip4.h"
#include "pipeline/node.h"
#include "pipeline/output.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	NODE_ROUTE_EDGES_IP4(X)                                                                    \
	X(PORT_TX, "port_tx")                                                                      \
	X(DISPATCH, "dispatch")                                                                    \
	X(MALFORMED, "drop_ip4_malformed")                                                         \
	X(CHECKSUM, "drop_ip4_checksum")                                                           \
	X(MARTIAN, "drop_ip4_martian")

NODE_DECLARE_EDGES(EDGES)
NODE_ASSERT_ROUTE_EDGES();

static inline rte_edge_t prepare(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key)
{
	enum ip4_verdict verdict = ip4_check(m);

	if (unlikely(verdict != IP4_OK))
		return verdict == IP4_CHECKSUM	? EDGE_CHECKSUM
		       : verdict == IP4_MARTIAN ? EDGE_MARTIAN
						: EDGE_MALFORMED;
	if (unlikely(dispatch_wanted(w, p)) && !dispatch_is_mine(w, m, p)) {
		p->entry = PACKET_ENTRY_IP4_LOOKUP;
		return EDGE_DISPATCH;
	}
	key->lpm = w->snapshot->vrfs[p->vrf].ip4;
	key->hi = ip4_key(&rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *)->dst_addr);
	return WALK_LOOKUP;
}

static inline rte_edge_t decide(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t dest)
{
	rte_edge_t edge = walk_route(w, m, p, dest);

	return edge == EDGE_FORWARD && output_ip4_plain(w, m, p) ? EDGE_PORT_TX : edge;
}

static uint16_t ip4_input_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_lookup(graph, node, objs, n_objs, WALK_IP4, prepare, decide);
}

NODE_REGISTER(ip4_input, EDGES);
