// SPDX-License-Identifier: Apache-2.0

// Where IPv6 packets come back to the lookup: from other workers, from the control core, behind an
// encapsulation, after an ICMP error. Their headers were checked or written by the node.

#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X) NODE_ROUTE_EDGES_IP6(X, "srv6_end")

NODE_DECLARE_EDGES(EDGES)
NODE_ASSERT_ROUTE_EDGES();

static inline rte_edge_t prepare(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);

	key->lpm = w->snapshot->vrfs[p->vrf].ip6;
	key->hi = ip6_addr_hi(ip6_dst(ip));
	key->lo = ip6_addr_lo(ip6_dst(ip));
	return WALK_LOOKUP;
}

static uint16_t ip6_lookup_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_lookup(graph, node, objs, n_objs, WALK_IP6, prepare, walk_route);
}

NODE_REGISTER(ip6_lookup, EDGES);
