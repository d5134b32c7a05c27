// SPDX-License-Identifier: Apache-2.0

// Gives packets to the control core: ARP, neighbour discovery, and packets that wait for a neighbour.

#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X) X(FULL, "drop_punt_full")

NODE_DECLARE_EDGES(EDGES)

static uint16_t punt_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	uint16_t n_sent;

	if (unlikely(w->trace->active))
		trace_record(w, node, objs, NULL, n_objs);
	n_sent = rte_ring_enqueue_burst(w->punt_ring, objs, n_objs, NULL);
	if (unlikely(n_sent < n_objs))
		rte_node_enqueue(graph, node, EDGE_FULL, objs + n_sent, n_objs - n_sent);
	return n_objs;
}

NODE_REGISTER(punt, EDGES);
