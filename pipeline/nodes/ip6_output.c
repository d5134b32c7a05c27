// SPDX-License-Identifier: Apache-2.0

// Sends an IPv6 packet to an adjacency (packet.dest): hop limit, MTU, link-layer header. A neighbour
// that is not resolved yet gets the packet untouched, by way of the control core.

#include "pipeline/ip4.h"
#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/output.h"
#include "pipeline/walker.h"
#include "srv6/headend.h"

#define EDGES(X)                                                                                   \
	X(PORT_TX, "port_tx")                                                                      \
	X(PUNT, "punt")                                                                            \
	X(HOP_LIMIT, "drop_ip6_hop_limit")                                                         \
	X(TOO_BIG, "drop_ip6_too_big")                                                             \
	X(INNER4_TOO_BIG, "drop_ip4_too_big")                                                      \
	X(INNER4_FRAGMENT, "ip4_fragment")                                                         \
	X(L2_TOO_LONG, "drop_l2_too_long")                                                         \
	X(NO_MBUF, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

// What the last encapsulation wrapped.
static uint8_t inner_proto(struct rte_mbuf *m)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);

	return ip->proto == IPPROTO_ROUTING ? *(const uint8_t *)(ip + 1) : ip->proto;
}

static rte_edge_t too_big(struct rte_mbuf *m, struct packet *p, uint16_t mtu)
{
	const struct rte_ipv4_hdr *inner;

	p->icmp_value = mtu;
	if (p->pushed_len == 0)
		return EDGE_TOO_BIG;
	// Nobody behind a frame could be told.
	if (inner_proto(m) == HEADEND_INNER_ETH)
		return EDGE_L2_TOO_LONG;
	output_unwrap(m, p);
	inner = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	if (inner->version_ihl >> 4 != 4)
		return EDGE_TOO_BIG;
	return ip4_may_fragment(inner, p->icmp_value) ? EDGE_INNER4_FRAGMENT : EDGE_INNER4_TOO_BIG;
}

static inline rte_edge_t ip6_output_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	struct adj *adj = adj_table_get(w->adj_table, dest_index(p->dest));

	if (unlikely(adj == NULL)) {
		p->punt = PUNT_NEIGHBOR;
		p->adj = dest_index(p->dest);
		return EDGE_PUNT;
	}
	if (!(p->flags & PACKET_HOP_TAKEN)) {
		if (unlikely(ip->hop_limits <= 1))
			return EDGE_HOP_LIMIT;
		if (unlikely(m->pkt_len > adj->mtu))
			return too_big(m, p, adj->mtu);
		ip->hop_limits--;
	} else if (unlikely(m->pkt_len > adj->mtu)) {
		return too_big(m, p, adj->mtu);
	}
	return likely(output_push_link(m, p, adj)) ? EDGE_PORT_TX : EDGE_NO_MBUF;
}

static uint16_t ip6_output_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, ip6_output_packet);
}

NODE_REGISTER(ip6_output, EDGES);
