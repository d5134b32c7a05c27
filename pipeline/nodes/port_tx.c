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

static void send_burst(struct rte_graph *graph, struct rte_node *node, struct worker *w,
	uint16_t port, void **pkts, uint16_t n)
{
	const struct tx_port *tx = &w->tx[port];
	uint16_t n_sent;

	if (unlikely(capture_wanted(w, port)))
		capture_packets(w, (struct rte_mbuf **)pkts, n, port, CAPTURE_OUT);
	if (unlikely(tx->owner != NULL))
		n_sent = rte_ring_enqueue_burst(tx->owner, pkts, n, NULL);
	else
		n_sent = rte_eth_tx_burst(port, tx->queue, (struct rte_mbuf **)pkts, n);
	if (unlikely(n_sent < n))
		rte_node_enqueue(graph, node, EDGE_FULL, pkts + n_sent, n - n_sent);
}

// Whether all frames leave by the port of the first, which takes chains as they are: then the burst goes out
// as it stands.
static bool is_one_port(const struct worker *w, void **objs, uint16_t n)
{
	uint16_t port = packet_of(objs[0])->port, differences = 0;

	for (uint16_t i = 1; i < n; i++)
		differences |= packet_of(objs[i])->port ^ port;
	return differences == 0 && port < w->n_tx_ports && w->tx[port].present &&
	       !w->tx[port].linearize;
}

static void flush(struct rte_graph *graph, struct rte_node *node, struct worker *w, uint16_t port)
{
	struct tx_port *tx = &w->tx[port];

	send_burst(graph, node, w, port, (void **)tx->pkts, tx->n_pkts);
	tx->n_pkts = 0;
}

static void sort_frame(
	struct rte_graph *graph, struct rte_node *node, struct worker *w, struct rte_mbuf *m)
{
	uint16_t port = packet_of(m)->port;
	struct tx_port *tx = &w->tx[port];

	if (unlikely(port >= w->n_tx_ports || !tx->present)) {
		rte_node_enqueue_x1(graph, node, EDGE_NO_PORT, m);
		return;
	}
	if (unlikely(tx->linearize && m->nb_segs > 1) && rte_pktmbuf_linearize(m) != 0) {
		rte_node_enqueue_x1(graph, node, EDGE_SEGMENTS, m);
		return;
	}
	tx->pkts[tx->n_pkts++] = m;
	if (unlikely(tx->n_pkts == WORKER_BURST))
		flush(graph, node, w, port);
}

static uint16_t port_tx_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);

	if (unlikely(w->trace->active))
		trace_record(w, node, objs, NULL, n_objs);
	if (likely(is_one_port(w, objs, n_objs))) {
		send_burst(graph, node, w, packet_of(objs[0])->port, objs, n_objs);
		return n_objs;
	}
	for (uint16_t i = 0; i < n_objs; i++)
		sort_frame(graph, node, w, objs[i]);
	for (uint16_t port = 0; port < w->n_tx_ports; port++)
		if (w->tx[port].n_pkts > 0)
			flush(graph, node, w, port);
	return n_objs;
}

NODE_REGISTER(port_tx, EDGES);
