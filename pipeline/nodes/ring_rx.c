// SPDX-License-Identifier: Apache-2.0

// Source: takes packets from the worker's ring, handed off by other workers or injected by the control
// core. They carry only port and VRF slot and re-enter at the lookup.

#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(IP4_LOOKUP, "ip4_lookup")                                                                \
	X(IP6_LOOKUP, "ip6_lookup")                                                                \
	X(PORT_TX, "port_tx")                                                                      \
	X(IP4_NEIGHBOR, "drop_ip4_neighbor")                                                       \
	X(IP6_NEIGHBOR, "drop_ip6_neighbor")                                                       \
	X(NO_VRF, "drop_no_vrf")

NODE_DECLARE_EDGES(EDGES)

_Static_assert((int)EDGE_PORT_TX == (int)PACKET_ENTRY_PORT_TX &&
		       (int)EDGE_IP6_NEIGHBOR == (int)PACKET_ENTRY_IP6_NEIGHBOR,
	"the first edges are the entries");

static uint16_t ring_rx_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	void *pkts[WORKER_BURST];
	uint16_t n = rte_ring_dequeue_burst(w->ring, pkts, w->budget, NULL);

	(void)objs;
	(void)n_objs;
	for (uint16_t i = 0; i < n; i++) {
		struct packet *p = packet_of(pkts[i]);
		rte_edge_t edge = p->entry;

		// The snapshot may have changed meanwhile, and the VRF be gone.
		if (p->entry != PACKET_ENTRY_PORT_TX &&
			(p->vrf >= w->snapshot->n_vrfs || w->snapshot->vrfs[p->vrf].ip6 == NULL))
			edge = EDGE_NO_VRF;
		rte_node_enqueue_x1(graph, node, edge, pkts[i]);
	}
	w->budget -= n;
	return n;
}

NODE_REGISTER_SOURCE(ring_rx, EDGES);
