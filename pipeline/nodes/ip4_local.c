// SPDX-License-Identifier: Apache-2.0

// IPv4 packets to an address of the node. Answers echo requests (RFC 792), refuses the rest.

#include <netinet/ip_icmp.h>

#include "pipeline/icmp.h"
#include "pipeline/ip4.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(LOOKUP, "ip4_lookup")                                                                    \
	X(NO_PORT, "drop_ip4_no_port")                                                             \
	X(PROTOCOL, "drop_ip4_protocol")                                                           \
	X(FRAGMENT, "drop_local_fragment")                                                         \
	X(ICMP, "drop_local_icmp")                                                                 \
	X(CHECKSUM, "drop_local_checksum")

NODE_DECLARE_EDGES(EDGES)

enum {
	IP4_LEN = 20,
	REPLY_TTL = 64,
};

// Options are not copied into the answer: they were for the request's way.
static void cut_options(struct rte_mbuf *m, uint32_t ihl_len)
{
	uint8_t *bytes = rte_pktmbuf_mtod(m, uint8_t *);

	if (ihl_len == IP4_LEN)
		return;
	memmove(bytes + ihl_len - IP4_LEN, bytes, IP4_LEN);
	rte_pktmbuf_adj(m, (uint16_t)(ihl_len - IP4_LEN));
}

static rte_edge_t enter_icmp(struct rte_mbuf *m, struct packet *p, uint32_t ihl_len)
{
	struct rte_ipv4_hdr *ip = packet_pull(m, ihl_len + sizeof(struct icmp_header));
	struct icmp_header *icmp;
	rte_be32_t src;

	if (ip == NULL)
		return EDGE_ICMP;
	icmp = (struct icmp_header *)((uint8_t *)ip + ihl_len);
	if (icmp->type != ICMP_ECHO)
		return EDGE_ICMP;
	if (packet_sum(m, ihl_len) != 0xffff)
		return EDGE_CHECKSUM;
	cut_options(m, ihl_len);
	ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	icmp = (struct icmp_header *)(ip + 1);
	icmp->type = ICMP_ECHOREPLY;
	icmp->checksum = 0;
	icmp->checksum = (uint16_t)~packet_sum(m, IP4_LEN);
	src = ip->dst_addr;
	ip->dst_addr = ip->src_addr;
	ip->src_addr = src;
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len);
	ip->time_to_live = REPLY_TTL;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	p->flags = (p->flags & PACKET_TRACED) | PACKET_ORIGINATED | PACKET_HOP_TAKEN;
	p->flow_hash = 0;
	return EDGE_LOOKUP;
}

static rte_edge_t ip4_local_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);

	(void)w;
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return EDGE_FRAGMENT;
	switch (ip->next_proto_id) {
	case IPPROTO_ICMP:
		return enter_icmp(m, p, (ip->version_ihl & 0x0f) * 4u);
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return EDGE_NO_PORT;
	default:
		return EDGE_PROTOCOL;
	}
}

static uint16_t ip4_local_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, ip4_local_packet);
}

NODE_REGISTER(ip4_local, EDGES);
