// SPDX-License-Identifier: Apache-2.0

// Where IPv4 packets come back to the lookup: from other workers, from the control core, after an ICMP
// error. Their headers were checked or written by the node.

#include "pipeline/ip4.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X) NODE_ROUTE_EDGES_IP4(X)

NODE_DECLARE_EDGES(EDGES)
NODE_ASSERT_ROUTE_EDGES();

static inline rte_edge_t prepare(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key)
{
	key->lpm = w->snapshot->vrfs[p->vrf].ip4;
	key->hi = ip4_key(&rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *)->dst_addr);
	return WALK_LOOKUP;
}

static uint16_t ip4_lookup_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_lookup(graph, node, objs, n_objs, WALK_IP4, prepare, walk_route);
}

NODE_REGISTER(ip4_lookup, EDGES);
