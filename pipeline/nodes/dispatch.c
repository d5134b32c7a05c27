// SPDX-License-Identifier: Apache-2.0

// Hands packets to the workers their flows belong to (packet.worker). They keep port and VRF slot and re-enter at
// the lookup there (packet.entry).

#include "pipeline/dispatch.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X) X(FULL, "drop_dispatch_full")

NODE_DECLARE_EDGES(EDGES)

// A ring is entered once per burst.
static void flush(
	struct rte_graph *graph, struct rte_node *node, struct rte_ring *ring, struct outbox *box)
{
	uint16_t n_sent = rte_ring_enqueue_burst(ring, box->pkts, box->n_pkts, NULL);

	if (unlikely(n_sent < box->n_pkts))
		rte_node_enqueue(graph, node, EDGE_FULL, box->pkts + n_sent, box->n_pkts - n_sent);
	box->n_pkts = 0;
}

static uint16_t dispatch_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	struct outbox *boxes = w->outboxes;

	if (unlikely(w->trace->active))
		trace_record(w, node, objs, NULL, n_objs);
	for (uint16_t i = 0; i < n_objs; i++) {
		struct packet *p = packet_of(objs[i]);
		struct outbox *box = &boxes[p->worker];

		p->flags |= PACKET_DISPATCHED;
		box->pkts[box->n_pkts++] = objs[i];
		if (unlikely(box->n_pkts == WORKER_BURST))
			flush(graph, node, w->peer_rings[p->worker], box);
	}
	for (uint16_t target = 0; target < w->n_workers; target++)
		if (boxes[target].n_pkts > 0)
			flush(graph, node, w->peer_rings[target], &boxes[target]);
	return n_objs;
}

NODE_REGISTER(dispatch, EDGES);
