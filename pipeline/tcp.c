// SPDX-License-Identifier: Apache-2.0

#include "pipeline/tcp.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>

enum {
	OPTION_END = 0, // RFC 9293 §3.2, RFC 2018, RFC 7323
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_SCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_SACK = 5,
	MSS_LEN = 4,
	SCALE_LEN = 3,
	SACK_OK_LEN = 2,
	SACK_LEN = 2, // without its blocks
	SACK_BLOCK_LEN = 8,
	IP4_LEN = 20,
	IP6_LEN = 40,
	IP4_ADDRS = 12, // offset of source and destination
	IP6_ADDRS = 8,
	FLAGS_MASK = 0x3f, // ECN's are nobody's business: it is not negotiated
};

_Static_assert((int)TCP_FIN == (int)RTE_TCP_FIN_FLAG && (int)TCP_URG == (int)RTE_TCP_URG_FLAG,
	"flags are as on the wire");

// Of words as they lie in memory, of 16 or 32 bits.
static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

static uint32_t get32(const uint8_t *bytes)
{
	rte_be32_t value_be;

	memcpy(&value_be, bytes, sizeof(value_be));
	return rte_be_to_cpu_32(value_be);
}

// Returns what it adds to a sum: reading again what was just written, in other pieces, makes the processor wait.
static uint64_t put32(uint8_t *bytes, uint32_t value)
{
	rte_be32_t value_be = rte_cpu_to_be_32(value);

	memcpy(bytes, &value_be, sizeof(value_be));
	return value_be;
}

// What the checksum covers before the TCP header: addresses, and this, protocol and length.
static uint32_t pseudo_rest(uint32_t tcp_len)
{
	return rte_cpu_to_be_16(IPPROTO_TCP) + (uint32_t)rte_cpu_to_be_16((uint16_t)tcp_len);
}

static uint32_t pseudo_sum(const uint8_t *ip, uint32_t tcp_len)
{
	return pseudo_rest(tcp_len) + (ip[0] >> 4 == 4 ? rte_raw_cksum(ip + IP4_ADDRS, 8)
						       : rte_raw_cksum(ip + IP6_ADDRS, 32));
}

void tcp_read_tuple(const uint8_t *ip, const uint8_t *ports, struct flow_tuple *tuple)
{
	bool is_ip4 = ip[0] >> 4 == 4;
	uint32_t addr_len = is_ip4 ? 4 : 16;
	const uint8_t *src = ip + (is_ip4 ? IP4_ADDRS : IP6_ADDRS);

	*tuple = (struct flow_tuple){.family = is_ip4 ? 4 : 6};
	memcpy(tuple->remote, src, addr_len);
	memcpy(tuple->local, src + addr_len, addr_len);
	memcpy(&tuple->remote_port_be, ports, 2);
	memcpy(&tuple->local_port_be, ports + 2, 2);
}

static bool take_sacks(struct tcp_segment *seg, const uint8_t *blocks, uint32_t len)
{
	if (len % SACK_BLOCK_LEN != 0 || len > TCP_MAX_SACKS * SACK_BLOCK_LEN)
		return false;
	seg->n_sacks = (uint8_t)(len / SACK_BLOCK_LEN);
	for (uint32_t i = 0; i < seg->n_sacks; i++)
		seg->sacks[i] = (struct tcp_sack){
			get32(blocks + SACK_BLOCK_LEN * i), get32(blocks + SACK_BLOCK_LEN * i + 4)};
	return true;
}

// One option. Those of a SYN mean nothing elsewhere; unknown ones are passed over.
static bool take_option(struct tcp_segment *seg, const uint8_t *option, uint32_t len)
{
	bool is_syn = (seg->flags & TCP_SYN) != 0;

	switch (option[0]) {
	case OPTION_MSS:
		if (len == MSS_LEN && is_syn)
			seg->mss = (uint16_t)(option[2] << 8 | option[3]);
		return len == MSS_LEN;
	case OPTION_SCALE: // RFC 7323 §2.3: larger ones mean 14
		if (len == SCALE_LEN && is_syn)
			seg->scale = RTE_MIN(option[2], (uint8_t)TCP_MAX_WINDOW_SCALE);
		return len == SCALE_LEN;
	case OPTION_SACK_OK:
		seg->sack_offered = is_syn;
		return len == SACK_OK_LEN;
	case OPTION_SACK:
		return is_syn || take_sacks(seg, option + SACK_LEN, len - SACK_LEN);
	default:
		return true;
	}
}

static bool take_options(struct tcp_segment *seg, const uint8_t *options, uint32_t len)
{
	uint32_t off = 0;

	while (off < len && options[off] != OPTION_END) {
		uint32_t option_len;

		if (options[off] == OPTION_NOP) {
			off++;
			continue;
		}
		if (len - off < 2)
			return false;
		option_len = options[off + 1];
		if (option_len < 2 || option_len > len - off ||
			!take_option(seg, options + off, option_len))
			return false;
		off += option_len;
	}
	return true;
}

static bool take_header(struct tcp_segment *seg, uint8_t *bytes, uint32_t len, uint32_t hdr_len)
{
	*seg = (struct tcp_segment){
		.data = bytes + hdr_len,
		.len = len - hdr_len,
		.seq = get32(bytes + 4),
		.ack = get32(bytes + 8),
		.window = (uint16_t)(bytes[14] << 8 | bytes[15]),
		.flags = bytes[13] & FLAGS_MASK,
		.scale = TCP_NO_WINDOW_SCALE,
	};
	return take_options(seg, bytes + TCP_HEADER_LEN, hdr_len - TCP_HEADER_LEN);
}

enum tcp_verdict tcp_parse(struct rte_mbuf *m, uint32_t tcp_off, struct flow_tuple *tuple)
{
	struct tcp_packet *tp = tcp_packet_of(m);
	uint32_t len = m->pkt_len - tcp_off, hdr_len, before;
	uint8_t *ip, *tcp;

	if (m->pkt_len < tcp_off + TCP_HEADER_LEN)
		return TCP_MALFORMED;
	ip = packet_pull(m, m->pkt_len);
	if (ip == NULL)
		return TCP_SCATTERED;
	tcp = ip + tcp_off;
	hdr_len = (tcp[12] >> 4) * 4u;
	if (hdr_len < TCP_HEADER_LEN || hdr_len > len)
		return TCP_MALFORMED;
	before = pseudo_sum(ip, len);
	if (fold(before + packet_sum(m, tcp_off)) != 0xffff)
		return TCP_CHECKSUM;
	if (!take_header(&tp->segment, tcp, len, hdr_len))
		return TCP_MALFORMED;
	tcp_read_tuple(ip, tcp, tuple);
	tp->data = tp->segment.data;
	tp->len = tp->segment.len;
	// What the whole adds up to 0xffff with.
	tp->sum = (uint16_t)~fold(before + rte_raw_cksum(tcp, hdr_len));
	return TCP_OK;
}

static uint32_t options_len(const struct tcp_out *out)
{
	uint32_t len = 0;

	if (out->mss != 0)
		len += MSS_LEN;
	if (out->scale != TCP_NO_WINDOW_SCALE && (out->flags & TCP_SYN))
		len += 1 + SCALE_LEN;
	if (out->sack_offered)
		len += 2 + SACK_OK_LEN;
	return len + tcp_sacks_len(out->n_sacks);
}

// No-operations align each option's numbers to four bytes, as everybody sends them. Returns their sum.
static uint64_t write_options(uint8_t *at, const struct tcp_out *out)
{
	uint64_t sum = 0;

	if (out->mss != 0) {
		sum += put32(at, OPTION_MSS << 24 | MSS_LEN << 16 | out->mss);
		at += 4;
	}
	if (out->scale != TCP_NO_WINDOW_SCALE && (out->flags & TCP_SYN)) {
		sum += put32(
			at, OPTION_NOP << 24 | OPTION_SCALE << 16 | SCALE_LEN << 8 | out->scale);
		at += 4;
	}
	if (out->sack_offered) {
		sum += put32(at,
			OPTION_NOP << 24 | OPTION_NOP << 16 | OPTION_SACK_OK << 8 | SACK_OK_LEN);
		at += 4;
	}
	if (out->n_sacks == 0)
		return sum;
	sum += put32(at, OPTION_NOP << 24 | OPTION_NOP << 16 | OPTION_SACK << 8 |
				 (uint32_t)(SACK_LEN + SACK_BLOCK_LEN * out->n_sacks));
	for (uint32_t i = 0; i < out->n_sacks; i++) {
		sum += put32(at + 4 + SACK_BLOCK_LEN * i, out->sacks[i].left);
		sum += put32(at + 8 + SACK_BLOCK_LEN * i, out->sacks[i].right);
	}
	return sum;
}

// Of both addresses; those of IPv4 are followed by zeros.
static uint64_t addrs_sum(const struct flow_tuple *tuple)
{
	uint32_t words[8];
	uint64_t sum = 0;

	memcpy(words, tuple->local, 16);
	memcpy(words + 4, tuple->remote, 16);
	for (uint32_t i = 0; i < RTE_DIM(words); i++)
		sum += words[i];
	return sum;
}

static void write_ip4(
	uint8_t *at, const struct flow_tuple *tuple, uint32_t tcp_len, uint64_t sum_of_addrs)
{
	static const uint8_t ttl_and_proto[] = {TCP_HOP_LIMIT, IPPROTO_TCP};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
	uint16_t word_be;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(IP4_LEN + tcp_len)),
		// So that id 0 is fine (RFC 6864), and the hosts learn the path's MTU.
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = TCP_HOP_LIMIT,
		.next_proto_id = IPPROTO_TCP,
	};
	memcpy(&ip->src_addr, tuple->local, sizeof(ip->src_addr));
	memcpy(&ip->dst_addr, tuple->remote, sizeof(ip->dst_addr));
	memcpy(&word_be, ttl_and_proto, sizeof(word_be));
	ip->hdr_checksum = (uint16_t)~fold(sum_of_addrs + word_be + rte_cpu_to_be_16(0x4500) +
					   rte_cpu_to_be_16((uint16_t)(IP4_LEN + tcp_len)) +
					   rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG));
}

static void write_ip6(uint8_t *at, const struct flow_tuple *tuple, uint32_t tcp_len)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;

	ip->vtc_flow = rte_cpu_to_be_32(0x60000000);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)tcp_len);
	ip->proto = IPPROTO_TCP;
	ip->hop_limits = TCP_HOP_LIMIT;
	memcpy(ip->src_addr, tuple->local, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, tuple->remote, sizeof(ip->dst_addr));
}

// Returns the sum over it, with a checksum of zero.
static uint64_t write_tcp(
	uint8_t *tcp, const struct tcp_out *out, const struct flow_tuple *tuple, uint32_t hdr_len)
{
	uint64_t sum = (uint64_t)tuple->local_port_be + tuple->remote_port_be;

	memcpy(tcp, &tuple->local_port_be, 2);
	memcpy(tcp + 2, &tuple->remote_port_be, 2);
	sum += put32(tcp + 4, out->seq);
	sum += put32(tcp + 8, out->ack);
	sum += put32(tcp + 12,
		hdr_len / 4 << 28 | (uint32_t)(out->flags & ~TCP_URG) << 16 | out->window);
	put32(tcp + 16, 0); // checksum, urgent pointer
	return sum + write_options(tcp + TCP_HEADER_LEN, out);
}

static uint32_t headers_len(const struct tcp_out *out, const struct flow_tuple *tuple)
{
	return (tuple->family == 4 ? IP4_LEN : IP6_LEN) + TCP_HEADER_LEN + options_len(out);
}

// Both headers, hdrs_len bytes from ip on, before len bytes of payload that add up to payload_sum.
static void write_headers(uint8_t *ip, uint32_t hdrs_len, const struct tcp_out *out,
	const struct flow_tuple *tuple, uint32_t len, uint16_t payload_sum)
{
	uint32_t ip_len = tuple->family == 4 ? IP4_LEN : IP6_LEN, hdr_len = hdrs_len - ip_len;
	uint8_t *tcp = ip + ip_len;
	uint64_t sum = addrs_sum(tuple);
	uint16_t checksum;

	if (tuple->family == 4)
		write_ip4(ip, tuple, hdr_len + len, sum);
	else
		write_ip6(ip, tuple, hdr_len + len);
	sum += write_tcp(tcp, out, tuple, hdr_len);
	checksum = (uint16_t)~fold(sum + pseudo_rest(hdr_len + len) + payload_sum);
	memcpy(tcp + 16, &checksum, sizeof(checksum));
}

bool tcp_write(struct rte_mbuf *m, const uint8_t *data, uint32_t len, const struct tcp_out *out,
	const struct flow_tuple *tuple)
{
	const struct tcp_packet *tp = tcp_packet_of(m);
	bool is_whole = data == tp->data && len == tp->len && !tp->segment.rewritten;
	uint16_t sum = is_whole ? tp->sum : rte_raw_cksum(data, len);
	uint32_t hdrs_len = headers_len(out, tuple);
	uint8_t *ip;

	m->data_off = (uint16_t)(data - (const uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	ip = packet_push(m, hdrs_len);
	if (ip == NULL)
		return false;
	write_headers(ip, hdrs_len, out, tuple, len, sum);
	return true;
}

// The packet that the pool gives next: what of it will be written, outer headers included.
static void fetch_next(struct rte_mempool *pool)
{
	const struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());
	struct rte_mbuf *m;

	if (cache == NULL || cache->len == 0)
		return;
	m = cache->objs[cache->len - 1];
	rte_prefetch0_write(m);
	rte_prefetch0_write((uint8_t *)m + RTE_CACHE_LINE_SIZE);
	rte_prefetch0_write(packet_of(m));
	for (int i = 1; i < 4; i++)
		rte_prefetch0_write((uint8_t *)(m + 1) + PACKET_META_LEN + i * RTE_CACHE_LINE_SIZE);
}

struct rte_mbuf *tcp_make(struct rte_mempool *pool, const uint8_t *data, uint32_t len,
	const struct tcp_out *out, const struct flow_tuple *tuple)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint32_t hdrs_len = headers_len(out, tuple);
	uint8_t *ip;

	if (m == NULL)
		return NULL;
	if (hdrs_len + len > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	fetch_next(pool);
	*packet_of(m) = (struct packet){0};
	ip = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(hdrs_len + len));
	if (len > 0)
		memcpy(ip + hdrs_len, data, len);
	write_headers(ip, hdrs_len, out, tuple, len, rte_raw_cksum(ip + hdrs_len, len));
	return m;
}

bool tcp_reset_for(const struct tcp_segment *seg, struct tcp_out *out)
{
	*out = (struct tcp_out){.scale = TCP_NO_WINDOW_SCALE};
	if (seg->flags & TCP_RST)
		return false;
	if (seg->flags & TCP_ACK) {
		out->flags = TCP_RST;
		out->seq = seg->ack;
		return true;
	}
	out->flags = TCP_RST | TCP_ACK;
	out->ack = tcp_segment_end(seg) + ((seg->flags & TCP_SYN) != 0) +
		   ((seg->flags & TCP_FIN) != 0);
	return true;
}
