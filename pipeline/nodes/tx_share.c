// SPDX-License-Identifier: Apache-2.0

// Source: sends what workers without a TX queue of their own have put into this worker's rings.

#include <rte_ethdev.h>

#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X) X(FULL, "drop_tx_full")

NODE_DECLARE_EDGES(EDGES)

static uint16_t tx_share_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	void *pkts[WORKER_BURST];
	uint16_t n_total = 0;

	(void)objs;
	(void)n_objs;
	for (uint16_t port = 0; port < w->n_tx_ports; port++) {
		struct tx_port *tx = &w->tx[port];
		uint16_t n, n_sent;

		if (likely(tx->shared == NULL))
			continue;
		n = rte_ring_dequeue_burst(tx->shared, pkts, WORKER_BURST, NULL);
		n_sent = rte_eth_tx_burst(port, tx->queue, (struct rte_mbuf **)pkts, n);
		if (unlikely(n_sent < n))
			rte_node_enqueue(graph, node, EDGE_FULL, pkts + n_sent, n - n_sent);
		n_total += n;
	}
	w->n_from_rings += n_total;
	return n_total;
}

NODE_REGISTER_SOURCE(tx_share, EDGES);
