// SPDX-License-Identifier: Apache-2.0

// Sorts frames by port and sends each port's share in one burst. A worker without a TX queue of its own
// passes its frames to the worker that owns one (tx_share.c sends them).

#include <rte_ethdev.h>

#include "pipeline/capture.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(FULL, "drop_tx_full")                                                                    \
	X(NO_PORT, "drop_tx_no_port")                                                              \
	X(SEGMENTS, "drop_tx_segments")

NODE_DECLARE_EDGES(EDGES)

static void flush(struct rte_graph *graph, struct rte_node *node, struct worker *w, uint16_t port)
{
	struct tx_port *tx = &w->tx[port];
	uint16_t n_sent;

	if (unlikely(capture_wanted(w, port)))
		capture_packets(w, tx->pkts, tx->n_pkts, port, CAPTURE_OUT);
	if (unlikely(tx->owner != NULL))
		n_sent = rte_ring_enqueue_burst(
			tx->owner, (void **)tx->pkts, tx->n_pkts, NULL);
	else
		n_sent = rte_eth_tx_burst(port, tx->queue, tx->pkts, tx->n_pkts);
	if (unlikely(n_sent < tx->n_pkts))
		rte_node_enqueue(graph, node, EDGE_FULL, (void **)tx->pkts + n_sent,
			tx->n_pkts - n_sent);
	tx->n_pkts = 0;
}

static uint16_t port_tx_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);

	if (unlikely(w->trace->active))
		trace_record(w, node, objs, NULL, n_objs);
	for (uint16_t i = 0; i < n_objs; i++) {
		struct rte_mbuf *m = objs[i];
		uint16_t port = packet_of(m)->port;
		struct tx_port *tx = &w->tx[port];

		if (likely(i + WALK_PREFETCH < n_objs))
			rte_prefetch0(packet_of(objs[i + WALK_PREFETCH]));
		if (unlikely(port >= w->n_tx_ports || !tx->present)) {
			rte_node_enqueue_x1(graph, node, EDGE_NO_PORT, m);
			continue;
		}
		if (unlikely(tx->linearize && m->nb_segs > 1) && rte_pktmbuf_linearize(m) != 0) {
			rte_node_enqueue_x1(graph, node, EDGE_SEGMENTS, m);
			continue;
		}
		tx->pkts[tx->n_pkts++] = m;
		if (unlikely(tx->n_pkts == WORKER_BURST))
			flush(graph, node, w, port);
	}
	for (uint16_t port = 0; port < w->n_tx_ports; port++)
		if (w->tx[port].n_pkts > 0)
			flush(graph, node, w, port);
	return n_objs;
}

NODE_REGISTER(port_tx, EDGES);
