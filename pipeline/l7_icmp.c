// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_icmp.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rte_ip.h>

#include "pipeline/icmp.h"
#include "pipeline/ip4.h"
#include "pipeline/ip6.h"
#include "pipeline/tcp.h"

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	ICMP_LEN = 8,
	QUOTE_TCP_LEN = 8, // ports and sequence number: all that IPv4 promises
	MIN_MTU4 =
		552, // lower ones are taken for this, as Linux does: nobody should cut us to crumbs
	MIN_MTU6 = 1280,
	HOP_LIMIT = 64,
};

bool l7_icmp_is_error(uint8_t family, uint8_t type)
{
	if (family == 6)
		return type < ICMP6_ECHO_REQUEST;
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

static enum l7_icmp_kind kind_of(uint8_t family, const struct icmp_header *icmp)
{
	if (family == 6)
		return icmp->type == ICMP6_PACKET_TOO_BIG ? L7_ICMP_TOO_BIG
		       : icmp->type == ICMP6_DST_UNREACH  ? L7_ICMP_UNREACHABLE
							  : L7_ICMP_OTHER;
	if (icmp->type != ICMP_DEST_UNREACH)
		return L7_ICMP_OTHER;
	return icmp->code == ICMP_FRAG_NEEDED ? L7_ICMP_TOO_BIG : L7_ICMP_UNREACHABLE;
}

// RFC 1191 §3: in the low half for IPv4; routers older than that say 0.
static uint16_t mtu_of(uint8_t family, const struct icmp_header *icmp)
{
	uint32_t mtu = rte_be_to_cpu_32(icmp->value_be);

	if (family == 4)
		mtu = RTE_MAX(mtu & UINT16_MAX, (uint32_t)MIN_MTU4);
	else
		mtu = RTE_MAX(mtu, (uint32_t)MIN_MTU6);
	return (uint16_t)RTE_MIN(mtu, (uint32_t)UINT16_MAX);
}

// The length of the quoted IP header, or 0: no TCP header follows it.
static uint32_t quoted_len(uint8_t family, const uint8_t *quote, uint32_t avail_len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)quote;
	uint32_t len = IP6_LEN;

	if (avail_len < IP4_LEN || quote[0] >> 4 != family)
		return 0;
	if (family == 4) {
		len = (quote[0] & 0x0f) * 4u;
		if (len < IP4_LEN || ip->next_proto_id != IPPROTO_TCP ||
			(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)))
			return 0;
	} else if (avail_len < IP6_LEN ||
		   ((const struct rte_ipv6_hdr *)quote)->proto != IPPROTO_TCP) {
		return 0;
	}
	return len + QUOTE_TCP_LEN <= avail_len ? len : 0;
}

// The quote is what the node sent: local and remote change places.
static void read_quote(const uint8_t *quote, uint32_t len, struct l7_icmp_error *error)
{
	struct flow_tuple sent;
	rte_be32_t seq_be;

	tcp_read_tuple(quote, quote + len, &sent);
	error->tuple = sent;
	memcpy(error->tuple.local, sent.remote, sizeof(sent.remote));
	memcpy(error->tuple.remote, sent.local, sizeof(sent.local));
	error->tuple.local_port_be = sent.remote_port_be;
	error->tuple.remote_port_be = sent.local_port_be;
	memcpy(&seq_be, quote + len + 4, sizeof(seq_be));
	error->seq = rte_be_to_cpu_32(seq_be);
}

bool l7_icmp_read(struct rte_mbuf *m, uint32_t off, struct l7_icmp_error *error)
{
	uint32_t len = RTE_MIN(m->pkt_len, off + ICMP_LEN + 60 + QUOTE_TCP_LEN), quote_len;
	const uint8_t *ip = packet_pull(m, len);
	const struct icmp_header *icmp;
	uint8_t family;

	if (ip == NULL || len < off + ICMP_LEN)
		return false;
	family = ip[0] >> 4;
	if ((family == 4 ? packet_sum(m, off) : ip6_upper_sum(m)) != 0xffff)
		return false;
	icmp = (const struct icmp_header *)(ip + off);
	quote_len = quoted_len(family, ip + off + ICMP_LEN, len - off - ICMP_LEN);
	if (quote_len == 0)
		return false;
	error->kind = kind_of(family, icmp);
	error->mtu = mtu_of(family, icmp);
	read_quote(ip + off + ICMP_LEN, quote_len, error);
	return true;
}

// What the remote end sent: an IP header, then the beginning of its TCP header.
static void write_quote(uint8_t *quote, const struct flow_tuple *tuple, uint32_t seq, uint16_t mtu)
{
	uint32_t ip_len = tuple->family == 4 ? IP4_LEN : IP6_LEN;
	rte_be32_t seq_be = rte_cpu_to_be_32(seq);
	uint8_t *tcp = quote + ip_len;

	memset(quote, 0, ip_len + QUOTE_TCP_LEN);
	if (tuple->family == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)quote;

		ip->version_ihl = 0x45;
		ip->total_length = rte_cpu_to_be_16((uint16_t)(mtu + 1));
		ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
		ip->time_to_live = HOP_LIMIT;
		ip->next_proto_id = IPPROTO_TCP;
		memcpy(&ip->src_addr, tuple->remote, sizeof(ip->src_addr));
		memcpy(&ip->dst_addr, tuple->local, sizeof(ip->dst_addr));
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	} else {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)quote;

		ip->vtc_flow = rte_cpu_to_be_32(0x60000000);
		ip->payload_len = rte_cpu_to_be_16((uint16_t)(mtu + 1 - IP6_LEN));
		ip->proto = IPPROTO_TCP;
		ip->hop_limits = HOP_LIMIT;
		memcpy(ip->src_addr, tuple->remote, sizeof(ip->src_addr));
		memcpy(ip->dst_addr, tuple->local, sizeof(ip->dst_addr));
	}
	memcpy(tcp, &tuple->remote_port_be, 2);
	memcpy(tcp + 2, &tuple->local_port_be, 2);
	memcpy(tcp + 4, &seq_be, sizeof(seq_be));
}

static void write_headers4(
	struct rte_mbuf *m, const struct flow_tuple *tuple, uint16_t mtu, uint32_t icmp_len)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.type_of_service = 0xc0, // RFC 1812 §4.3.2.5
		.total_length = rte_cpu_to_be_16((uint16_t)(IP4_LEN + icmp_len)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = HOP_LIMIT,
		.next_proto_id = IPPROTO_ICMP,
	};
	memcpy(&ip->src_addr, tuple->local, sizeof(ip->src_addr));
	memcpy(&ip->dst_addr, tuple->remote, sizeof(ip->dst_addr));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*icmp = (struct icmp_header){.type = ICMP_DEST_UNREACH,
		.code = ICMP_FRAG_NEEDED,
		.value_be = rte_cpu_to_be_32(mtu)};
	icmp->checksum = (uint16_t)~packet_sum(m, IP4_LEN);
}

static void write_headers6(
	struct rte_mbuf *m, const struct flow_tuple *tuple, uint16_t mtu, uint32_t icmp_len)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);

	ip->vtc_flow = rte_cpu_to_be_32(0x60000000);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)icmp_len);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = HOP_LIMIT;
	memcpy(ip->src_addr, tuple->local, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, tuple->remote, sizeof(ip->dst_addr));
	*icmp = (struct icmp_header){
		.type = ICMP6_PACKET_TOO_BIG, .value_be = rte_cpu_to_be_32(mtu)};
	icmp->checksum = (uint16_t)~ip6_upper_sum(m);
}

struct rte_mbuf *l7_icmp_make_too_big(
	struct rte_mempool *pool, const struct flow_tuple *tuple, uint32_t seq, uint16_t mtu)
{
	uint32_t ip_len = tuple->family == 4 ? IP4_LEN : IP6_LEN;
	uint32_t icmp_len = ICMP_LEN + ip_len + QUOTE_TCP_LEN;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m == NULL)
		return NULL;
	*packet_of(m) = (struct packet){0};
	rte_pktmbuf_append(m, (uint16_t)(ip_len + icmp_len));
	write_quote(rte_pktmbuf_mtod_offset(m, uint8_t *, ip_len + ICMP_LEN), tuple, seq, mtu);
	if (tuple->family == 4)
		write_headers4(m, tuple, mtu, icmp_len);
	else
		write_headers6(m, tuple, RTE_MAX(mtu, (uint16_t)MIN_MTU6), icmp_len);
	return m;
}
