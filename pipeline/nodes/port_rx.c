// SPDX-License-Identifier: Apache-2.0

// Source: polls the worker's RX queues in turn, as far as the walk's budget goes, and starts each
// packet's metadata. What most frames are, untagged IP to the port's own address, loses its Ethernet header
// right here, while the burst's interface is at hand; eth_input takes all others.

#include <rte_ethdev.h>

#include "pipeline/capture.h"
#include "pipeline/eth.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(ETH_INPUT, "eth_input")                                                                  \
	X(IP4, "ip4_input")                                                                        \
	X(IP6, "ip6_input")

NODE_DECLARE_EDGES(EDGES)

enum {
	RX_FAR_PREFETCH = 8,  // frames ahead of the loop whose mbufs are fetched
	RX_NEAR_PREFETCH = 4, // and whose headers are
};

// What is the same for all frames of a burst.
struct rx_burst {
	struct packet fresh; // metadata to start with
	uint64_t mac; // of the interface, as eth_mac() reads one; ETH_NO_MAC: take no short way
};

static struct rx_burst start_burst(const struct worker *w, uint16_t port)
{
	const struct snapshot *s = w->snapshot;
	struct rx_burst burst = {
		.fresh = {.port = port, .generation = s->generation}, .mac = ETH_NO_MAC};
	const struct iface *iface;

	if (port >= SNAPSHOT_MAX_DPDK_PORTS || s->port_iface[port] == SNAPSHOT_NO_IFACE)
		return burst;
	iface = &s->ifaces[s->port_iface[port]];
	burst.fresh.iface = s->port_iface[port];
	burst.fresh.vrf = iface->vrf;
	burst.fresh.flags = iface->packet_flags;
	if (iface->l2_policy == SNAPSHOT_NO_POLICY)
		burst.mac = eth_mac(iface->mac);
	return burst;
}

static inline rte_edge_t receive(const struct rx_burst *burst, struct rte_mbuf *m)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);
	rte_be16_t type_be;

	*packet_of(m) = burst->fresh;
	if (unlikely(m->data_len < RTE_ETHER_HDR_LEN || eth_mac(eth) != burst->mac ||
		     (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)))
		return EDGE_ETH_INPUT;
	type_be = ((const struct rte_ether_hdr *)eth)->ether_type;
	if (unlikely(type_be != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
		     type_be != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)))
		return EDGE_ETH_INPUT;
	rte_pktmbuf_adj(m, RTE_ETHER_HDR_LEN);
	return type_be == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) ? EDGE_IP6 : EDGE_IP4;
}

// Frames that a tracer asks for are marked before anything looks at them.
static void receive_burst(struct rte_graph *graph, struct rte_node *node, struct worker *w,
	void **pkts, uint16_t n, uint16_t port)
{
	const struct rx_burst burst = start_burst(w, port);
	rte_edge_t next[WORKER_BURST];

	for (uint16_t i = 0; i < n; i++) {
		if (likely(i + RX_FAR_PREFETCH < n)) {
			rte_prefetch0(pkts[i + RX_FAR_PREFETCH]);
			rte_prefetch0(packet_of(pkts[i + RX_FAR_PREFETCH]));
		}
		if (likely(i + RX_NEAR_PREFETCH < n))
			rte_prefetch0(rte_pktmbuf_mtod(
				(struct rte_mbuf *)pkts[i + RX_NEAR_PREFETCH], void *));
		next[i] = receive(&burst, pkts[i]);
	}
	if (unlikely(w->trace->active))
		trace_mark(w, pkts, n);
	walk_enqueue(graph, node, pkts, next, n, false);
}

static uint16_t port_rx_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	uint16_t n_total = 0;

	(void)n_objs;
	for (uint16_t polled = 0; polled < w->n_rxq && w->budget > 0; polled++) {
		const struct rx_queue *q = &w->rxq[w->next_rxq];
		uint16_t n =
			rte_eth_rx_burst(q->port, q->queue, (struct rte_mbuf **)objs, w->budget);

		if (++w->next_rxq == w->n_rxq)
			w->next_rxq = 0;
		if (n == 0)
			continue;
		if (unlikely(capture_wanted(w, q->port)))
			capture_packets(w, (struct rte_mbuf **)objs, n, q->port, CAPTURE_IN);
		receive_burst(graph, node, w, objs, n, q->port);
		w->budget -= n;
		n_total += n;
	}
	return n_total;
}

NODE_REGISTER_SOURCE(port_rx, EDGES);
