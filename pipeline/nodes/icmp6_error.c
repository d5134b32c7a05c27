// SPDX-License-Identifier: Apache-2.0

// Drops of IPv6 packets that may be answered by an ICMPv6 error (RFC 4443): one node for each reason,
// so that its count is the drop counter. The packet becomes the error in place and goes back to the
// lookup in the VRF it was in.

#include <netinet/icmp6.h>

#include <rte_ip.h>

#include "pipeline/icmp.h"
#include "pipeline/icmp_limit.h"
#include "pipeline/icmp_source.h"
#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"
#include "srv6/srh.h"

#define EDGES(X)                                                                                   \
	X(LOOKUP, "ip6_lookup")                                                                    \
	X(LIMITED, "drop_icmp_limited")                                                            \
	X(UNSUITABLE, "drop_icmp_unsuitable")                                                      \
	X(NO_SOURCE, "drop_icmp_no_source")                                                        \
	X(NO_MBUF, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

enum {
	ICMP6_LEN = 8,
	IP6_LEN = 40,
	// RFC 4443 §2.4 c: the error must not exceed the minimum IPv6 MTU.
	QUOTE_MAX_LEN = 1280 - IP6_LEN - ICMP6_LEN,
	ICMP6_HOP_LIMIT = 64,
};

// RFC 4443 §2.4 e: no error about an error, a redirect, a multicast packet, or to no single node.
static bool may_answer(struct rte_mbuf *m, const struct packet *p, const struct rte_ipv6_hdr *ip)
{
	struct srh_cursor cursor = {.off = IP6_LEN, .proto_off = 6, .proto = ip->proto};
	const uint8_t *bytes = (const uint8_t *)ip;
	uint32_t avail_len = rte_pktmbuf_data_len(m);
	enum srh_walk_result result;

	if (p->flags & (PACKET_ICMP_ERROR | PACKET_ORIGINATED | PACKET_L2_MULTICAST))
		return false;
	if (ip6_addr_is_unspecified(ip6_src(ip)) || ip6_addr_is_multicast(ip6_src(ip)) ||
		ip6_addr_is_multicast(ip6_dst(ip)))
		return false;
	// An SRH is stepped over: the error may be behind it.
	while ((result = srh_walk(bytes, avail_len, avail_len, &cursor)) == SRH_WALK_SRH) {
		cursor.proto = bytes[cursor.off];
		cursor.off += srh_len((const struct srh *)(bytes + cursor.off));
	}
	if (result != SRH_WALK_UPPER || cursor.proto != IPPROTO_ICMPV6)
		return true;
	return cursor.off < avail_len && bytes[cursor.off] >= ICMP6_ECHO_REQUEST &&
	       bytes[cursor.off] != ND_REDIRECT;
}

// Writes the IPv6 and ICMPv6 headers before the quoted packet.
static void write_error(struct rte_mbuf *m, struct rte_ipv6_hdr *ip, const struct ip6_addr *src,
	const struct ip6_addr *dst, uint8_t type, uint8_t code, uint32_t value)
{
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);
	uint32_t icmp_len = rte_pktmbuf_pkt_len(m) - IP6_LEN;

	ip->vtc_flow = rte_cpu_to_be_32(0x60000000);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)icmp_len);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = ICMP6_HOP_LIMIT;
	memcpy(ip->src_addr, src, sizeof(*src));
	memcpy(ip->dst_addr, dst, sizeof(*dst));
	icmp->type = type;
	icmp->code = code;
	icmp->checksum = 0;
	icmp->value_be = rte_cpu_to_be_32(value);
	icmp->checksum = (uint16_t)~ip6_upper_sum(m);
}

static rte_edge_t answer(struct worker *w, struct rte_mbuf *m, struct packet *p, uint8_t type,
	uint8_t code, uint32_t value)
{
	// As much as will be quoted: what says whether to answer lies within.
	const struct rte_ipv6_hdr *ip =
		packet_pull(m, RTE_MIN(m->pkt_len, (uint32_t)QUOTE_MAX_LEN));
	struct rte_ipv6_hdr *outer;
	struct ip6_addr src, dst;

	if (ip == NULL || !may_answer(m, p, ip))
		return EDGE_UNSUITABLE;
	dst = *ip6_src(ip);
	if (!icmp_source_ip6(w->snapshot, w->adj_table, p, &dst, &src))
		return EDGE_NO_SOURCE;
	if (!icmp_limit_take(w, p->vrf))
		return EDGE_LIMITED;
	if (rte_pktmbuf_pkt_len(m) > QUOTE_MAX_LEN)
		packet_trim(m, QUOTE_MAX_LEN);
	outer = packet_push(m, IP6_LEN + ICMP6_LEN);
	if (outer == NULL)
		return EDGE_NO_MBUF;
	write_error(m, outer, &src, &dst, type, code, value);
	p->flags = (p->flags & PACKET_TRACED) | PACKET_ORIGINATED | PACKET_HOP_TAKEN |
		   PACKET_ICMP_ERROR;
	p->flow_hash = 0;
	p->pushed_len = 0;
	return EDGE_LOOKUP;
}

#define ICMP6_ERROR_NODE(reason, type, code, value)                                                \
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

ICMP6_ERROR_NODE(ip6_no_route, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, 0);
ICMP6_ERROR_NODE(ip6_unreachable, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, 0);
ICMP6_ERROR_NODE(ip6_scope, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE, 0);
ICMP6_ERROR_NODE(ip6_neighbor, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, 0);
ICMP6_ERROR_NODE(ip6_no_port, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0);
ICMP6_ERROR_NODE(ip6_too_big, ICMP6_PACKET_TOO_BIG, 0, p->icmp_value);
ICMP6_ERROR_NODE(ip6_hop_limit, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, 0);
ICMP6_ERROR_NODE(ip6_next_header, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, p->icmp_value);
// RFC 8754 §4.3.2: an SRH with segments left at an address that is no SID.
ICMP6_ERROR_NODE(ip6_routing_header, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, p->icmp_value);
// RFC 8986 §4.1: LE or SL out of range, or segments left at a decapsulating SID.
ICMP6_ERROR_NODE(srv6_bad_srh, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, p->icmp_value);
// RFC 8986 §4.1.1: code 4 is "SR upper-layer header error", RFC 8754 §10.
ICMP6_ERROR_NODE(srv6_bad_upper, ICMP6_PARAM_PROB, 4, p->icmp_value);
