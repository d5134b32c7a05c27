// SPDX-License-Identifier: Apache-2.0

// A destination on a connected link (packet.dest: the interface) is its own neighbour: finds its
// adjacency, or lets the control core resolve it while the packet waits.

#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(OUTPUT, "ip6_output")                                                                    \
	X(PUNT, "punt")

NODE_DECLARE_EDGES(EDGES)

static inline rte_edge_t ip6_glean_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	struct adj_key key = {.iface = (uint16_t)dest_index(p->dest), .addr.family = 6};
	uint32_t slot;

	memcpy(&key.addr.addr, &ip->dst_addr, sizeof(ip->dst_addr));
	slot = adj_table_find(w->adj_table, &key);
	if (likely(slot != ADJ_NONE)) {
		p->dest = dest_make(DEST_FORWARD, slot);
		return EDGE_OUTPUT;
	}
	p->punt = PUNT_NEIGHBOR;
	p->adj = ADJ_NONE;
	p->out_iface = key.iface;
	return EDGE_PUNT;
}

static uint16_t ip6_glean_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, ip6_glean_packet);
}

NODE_REGISTER(ip6_glean, EDGES);
