// SPDX-License-Identifier: Apache-2.0

// Sends an IPv4 packet to an adjacency (packet.dest): TTL, MTU, link-layer header. A neighbour that is
// not resolved yet gets the packet untouched, by way of the control core.

#include <rte_ether.h>

#include "pipeline/ip4.h"
#include "pipeline/node.h"
#include "pipeline/output.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(PORT_TX, "port_tx")                                                                      \
	X(PUNT, "punt")                                                                            \
	X(TTL, "drop_ip4_ttl")                                                                     \
	X(TOO_BIG, "drop_ip4_too_big")                                                             \
	X(FRAGMENT, "ip4_fragment")                                                                \
	X(NO_MBUF, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

// End.X with USD sends IPv4 packets to IPv6 neighbours, too (RFC 8986 §4.16.3).
static inline void name_ip4(struct rte_mbuf *m, const struct adj *adj)
{
	const rte_be16_t type_be = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);

	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, adj->rewrite_len - sizeof(type_be)), &type_be,
		sizeof(type_be));
}

static inline rte_edge_t ip4_output_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	struct adj *adj = adj_table_get(w->adj_table, dest_index(p->dest));

	if (unlikely(adj == NULL)) {
		p->punt = PUNT_NEIGHBOR;
		p->adj = dest_index(p->dest);
		return EDGE_PUNT;
	}
	if (unlikely(!(p->flags & PACKET_HOP_TAKEN) && ip->time_to_live <= 1))
		return EDGE_TTL;
	if (unlikely(m->pkt_len > adj->mtu)) {
		p->icmp_value = adj->mtu;
		return ip4_may_fragment(ip, adj->mtu) ? EDGE_FRAGMENT : EDGE_TOO_BIG;
	}
	if (likely(!(p->flags & PACKET_HOP_TAKEN)))
		ip4_decrement_ttl(ip);
	if (unlikely(!output_push_link(m, p, adj)))
		return EDGE_NO_MBUF;
	name_ip4(m, adj);
	return EDGE_PORT_TX;
}

static uint16_t ip4_output_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, ip4_output_packet);
}

NODE_REGISTER(ip4_output, EDGES);
