// SPDX-License-Identifier: Apache-2.0

// Drops of IPv4 packets that may be answered by an ICMP error (RFC 792, RFC 1812 §4.3): one node for
// each reason, so that its count is the drop counter. The packet becomes the error in place and goes
// back to the lookup in the VRF it was in.

#include <netinet/ip_icmp.h>

#include <rte_ip.h>

#include "pipeline/icmp.h"
#include "pipeline/icmp_limit.h"
#include "pipeline/icmp_source.h"
#include "pipeline/ip4.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(LOOKUP, "ip4_lookup")                                                                    \
	X(LIMITED, "drop_icmp_limited")                                                            \
	X(UNSUITABLE, "drop_icmp_unsuitable")                                                      \
	X(NO_SOURCE, "drop_icmp_no_source")                                                        \
	X(NO_MBUF, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

enum {
	IP4_LEN = 20,
	ICMP_LEN = 8,
	// RFC 1812 §4.3.2.3: as much as fits without exceeding 576 bytes.
	QUOTE_MAX_LEN = 576 - IP4_LEN - ICMP_LEN,
	ICMP_TTL = 64,
	ICMP_TOS = 0xc0, // RFC 1812 §4.3.2.5: precedence "internetwork control"
};

static bool is_error(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

// RFC 1812 §4.3.2.7: no error about an error, a broadcast, a later fragment, or to no single host.
static bool may_answer(struct rte_mbuf *m, const struct packet *p, const struct rte_ipv4_hdr *ip)
{
	const uint8_t *src = (const uint8_t *)&ip->src_addr;
	uint32_t ihl_len = (ip->version_ihl & 0x0f) * 4u;

	if (p->flags & (PACKET_ICMP_ERROR | PACKET_ORIGINATED))
		return false;
	if (src[0] == 0 || src[0] == 127 || src[0] >= 224)
		return false;
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	if (ip->next_proto_id != IPPROTO_ICMP)
		return true;
	return ihl_len < rte_pktmbuf_data_len(m) &&
	       !is_error(*rte_pktmbuf_mtod_offset(m, const uint8_t *, ihl_len));
}

static void write_error(struct rte_mbuf *m, struct rte_ipv4_hdr *ip, rte_be32_t src, rte_be32_t dst,
	uint8_t type, uint8_t code, uint32_t value)
{
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);
	uint32_t total_len = rte_pktmbuf_pkt_len(m);

	memset(ip, 0, IP4_LEN + ICMP_LEN);
	ip->version_ihl = 0x45;
	ip->type_of_service = ICMP_TOS;
	ip->total_length = rte_cpu_to_be_16((uint16_t)total_len);
	ip->fragment_offset =
		rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG); // so that id 0 is fine, RFC 6864
	ip->time_to_live = ICMP_TTL;
	ip->next_proto_id = IPPROTO_ICMP;
	ip->src_addr = src;
	ip->dst_addr = dst;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	icmp->type = type;
	icmp->code = code;
	icmp->value_be = rte_cpu_to_be_32(value);
	icmp->checksum = (uint16_t)~packet_sum(m, IP4_LEN);
}

static rte_edge_t answer(struct worker *w, struct rte_mbuf *m, struct packet *p, uint8_t type,
	uint8_t code, uint32_t value)
{
	// As much as will be quoted: what says whether to answer lies within.
	const struct rte_ipv4_hdr *ip =
		packet_pull(m, RTE_MIN(m->pkt_len, (uint32_t)QUOTE_MAX_LEN));
	struct rte_ipv4_hdr *outer;
	rte_be32_t src, dst;

	if (ip == NULL || !may_answer(m, p, ip))
		return EDGE_UNSUITABLE;
	dst = ip->src_addr;
	if (!icmp_source_ip4(w->snapshot, w->adj_table, p, dst, &src))
		return EDGE_NO_SOURCE;
	if (!icmp_limit_take(w, p->vrf))
		return EDGE_LIMITED;
	if (rte_pktmbuf_pkt_len(m) > QUOTE_MAX_LEN)
		packet_trim(m, QUOTE_MAX_LEN);
	outer = packet_push(m, IP4_LEN + ICMP_LEN);
	if (outer == NULL)
		return EDGE_NO_MBUF;
	write_error(m, outer, src, dst, type, code, value);
	p->flags = (p->flags & PACKET_TRACED) | PACKET_ORIGINATED | PACKET_HOP_TAKEN |
		   PACKET_ICMP_ERROR;
	p->flow_hash = 0;
	p->pushed_len = 0;
	return EDGE_LOOKUP;
}

#define ICMP4_ERROR_NODE(reason, type, code, value)                                                \
	static rte_edge_t reason##_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)  \
	{                                                                                          \
		return answer(w, m, p, type, code, value);                                         \
	}                                                                                          \
	static uint16_t drop_##reason##_process(                                                   \
		struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)      \
	{                                                                                          \
		return walk_packets(graph, node, objs, n_objs, reason##_packet);                   \
	}                                                                                          \
	NODE_REGISTER(drop_##reason, EDGES)

ICMP4_ERROR_NODE(ip4_no_route, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, 0);
ICMP4_ERROR_NODE(ip4_unreachable, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
ICMP4_ERROR_NODE(ip4_neighbor, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
ICMP4_ERROR_NODE(ip4_protocol, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
ICMP4_ERROR_NODE(ip4_no_port, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
// RFC 1191 §4: the next hop's MTU in the low 16 bits.
ICMP4_ERROR_NODE(ip4_too_big, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, p->icmp_value);
ICMP4_ERROR_NODE(ip4_ttl, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
