// SPDX-License-Identifier: Apache-2.0

// Source: takes packets from the worker's ring, handed off by other workers or injected by the control
// core. They carry only port and VRF slot and re-enter at the lookup. A burst of them comes in beside that of
// the ports, so that neither starves the other, whichever node runs first.

#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(IP4_LOOKUP, "ip4_lookup")                                                                \
	X(IP6_LOOKUP, "ip6_lookup")                                                                \
	X(PORT_TX, "port_tx")                                                                      \
	X(IP4_NEIGHBOR, "drop_ip4_neighbor")                                                       \
	X(IP6_NEIGHBOR, "drop_ip6_neighbor")                                                       \
	X(NEIGHBOR_FULL, "drop_neighbor_full")                                                     \
	X(NO_VRF, "drop_no_vrf")

NODE_DECLARE_EDGES(EDGES)

_Static_assert((int)EDGE_PORT_TX == (int)PACKET_ENTRY_PORT_TX &&
		       (int)EDGE_NEIGHBOR_FULL == (int)PACKET_ENTRY_NEIGHBOR_FULL,
	"the first edges are the entries");

// Whether a slot still is the VRF's that it was when the packet left the graph.
static bool is_same_vrf(const struct snapshot *s, const struct packet *p, uint16_t slot)
{
	return slot < s->n_vrfs && s->vrfs[slot].ip6 != NULL &&
	       s->vrfs[slot].since <= p->generation;
}

// The snapshot may have changed while the packet waited: its tenant may be gone, another have the slot.
static bool is_current(const struct snapshot *s, const struct packet *p)
{
	return p->generation == s->generation ||
	       (p->iface < s->n_ifaces && is_same_vrf(s, p, p->vrf) &&
		       (p->pushed_len == 0 || is_same_vrf(s, p, p->inner_vrf)));
}

static uint16_t ring_rx_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	void *pkts[WORKER_BURST];
	uint16_t n = rte_ring_dequeue_burst(w->ring, pkts, WORKER_BURST, NULL);

	(void)objs;
	(void)n_objs;
	for (uint16_t i = 0; i < n; i++) {
		struct packet *p = packet_of(pkts[i]);
		rte_edge_t edge = p->entry;

		if (p->entry != PACKET_ENTRY_PORT_TX && unlikely(!is_current(w->snapshot, p)))
			edge = EDGE_NO_VRF;
		p->generation = w->snapshot->generation;
		rte_node_enqueue_x1(graph, node, edge, pkts[i]);
	}
	w->n_from_rings += n;
	return n;
}

NODE_REGISTER_SOURCE(ring_rx, EDGES);
