// SPDX-License-Identifier: Apache-2.0

#include "perf/http_packet.h"

#include <string.h>

#include <rte_ip.h>

#include "l7/tcp_segment.h"

enum {
	ETH_LEN = 14,
	IP6_LEN = 40,
	IP4_LEN = 20,
	TCP_LEN = 20,
	SYN_OPTIONS_LEN = 8, // MSS, no-operation, window scale
	PROTO_IP4 = 4,
	PROTO_TCP = 6,
	PROTO_ROUTING = 43,
	HOP_LIMIT = 64,
};

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint32_t tcp_len(const struct http_packet *p)
{
	return TCP_LEN + ((p->flags & TCP_SYN) ? SYN_OPTIONS_LEN : 0);
}

uint32_t http_packet_headers_len(const struct http_packet_link *link, const struct http_packet *p)
{
	return ETH_LEN + (link->srv6 ? IP6_LEN : 0) + IP4_LEN + tcp_len(p);
}

// What the pseudo header and the segment add up to: 0xffff when the checksum is right.
static uint16_t tcp_sum(const uint8_t *ip, uint32_t len)
{
	uint32_t sum = rte_raw_cksum(ip + 12, 8);

	sum += rte_raw_cksum(ip + IP4_LEN, len);
	sum += rte_cpu_to_be_16(PROTO_TCP) + (uint32_t)rte_cpu_to_be_16((uint16_t)len);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

static void write_tcp(uint8_t *ip, const struct http_packet *p)
{
	uint8_t *tcp = ip + IP4_LEN;
	uint16_t sum;

	put16(tcp, p->src_port);
	put16(tcp + 2, p->dst_port);
	put32(tcp + 4, p->seq);
	put32(tcp + 8, p->ack);
	put16(tcp + 12, tcp_len(p) / 4 << 12 | p->flags);
	put16(tcp + 14, p->window);
	put32(tcp + 16, 0);
	if (p->flags & TCP_SYN) {
		put32(tcp + TCP_LEN, 0x02040000u | p->mss);
		put32(tcp + TCP_LEN + 4, 0x01030300u | p->scale);
	}
	sum = (uint16_t)~tcp_sum(ip, tcp_len(p) + p->len);
	memcpy(tcp + 16, &sum, sizeof(sum));
}

static void write_ip4(uint8_t *ip, const struct http_packet *p)
{
	uint16_t sum;

	put32(ip, 0x45000000u | (IP4_LEN + tcp_len(p) + p->len));
	put32(ip + 4, 0x00004000u); // don't fragment
	put32(ip + 8, HOP_LIMIT << 24 | PROTO_TCP << 16);
	put32(ip + 12, p->src);
	put32(ip + 16, p->dst);
	sum = (uint16_t)~rte_raw_cksum(ip, IP4_LEN);
	memcpy(ip + 10, &sum, sizeof(sum));
}

uint32_t http_packet_write(uint8_t *frame, const struct http_packet_link *link,
	const struct http_packet *p, uint32_t flow_label)
{
	uint32_t ip_len = IP4_LEN + tcp_len(p) + p->len;
	uint8_t *ip = frame + ETH_LEN;

	memset(frame, 0, ETH_LEN);
	put16(frame + 12, link->srv6 ? 0x86dd : 0x0800);
	if (link->srv6) {
		put32(ip, 0x60000000u | (flow_label & 0xfffff));
		put32(ip + 4, ip_len << 16 | PROTO_IP4 << 8 | HOP_LIMIT);
		memcpy(ip + 8, link->outer_src, 16);
		memcpy(ip + 24, link->outer_dst, 16);
		ip += IP6_LEN;
	}
	write_ip4(ip, p);
	write_tcp(ip, p);
	return (uint32_t)(ip - frame) + ip_len;
}

// The IPv4 header behind the link's, with at least 40 bytes, or NULL.
static const uint8_t *find_ip4(const uint8_t *frame, uint32_t len)
{
	uint32_t off = ETH_LEN;

	if (len >= ETH_LEN + IP6_LEN && get16(frame + 12) == 0x86dd) {
		uint8_t proto = frame[off + 6];

		off += IP6_LEN;
		if (proto == PROTO_ROUTING && len >= off + 8) {
			proto = frame[off];
			off += 8 + 8u * frame[off + 1];
		}
		if (proto != PROTO_IP4)
			return NULL;
	} else if (len < ETH_LEN || get16(frame + 12) != 0x0800) {
		return NULL;
	}
	return len >= off + IP4_LEN + TCP_LEN ? frame + off : NULL;
}

static void read_syn(const uint8_t *tcp, uint32_t hdr_len, struct http_packet *p)
{
	for (uint32_t off = TCP_LEN; off + 2 <= hdr_len && tcp[off] != 0;) {
		if (tcp[off] == 1) {
			off++;
			continue;
		}
		if (tcp[off] == 2 && off + 4 <= hdr_len)
			p->mss = get16(tcp + off + 2);
		if (tcp[off] == 3 && off + 3 <= hdr_len)
			p->scale = tcp[off + 2];
		off += tcp[off + 1] < 2 ? 2 : tcp[off + 1];
	}
}

bool http_packet_read(const uint8_t *frame, uint32_t len, struct http_packet *p)
{
	const uint8_t *ip = find_ip4(frame, len);
	const uint8_t *tcp;
	uint32_t ip_len, hdr_len;

	if (ip == NULL || ip[0] != 0x45 || ip[9] != PROTO_TCP)
		return false;
	tcp = ip + IP4_LEN;
	ip_len = get16(ip + 2);
	hdr_len = (tcp[12] >> 4) * 4u;
	if (ip + ip_len > frame + len || hdr_len < TCP_LEN || IP4_LEN + hdr_len > ip_len)
		return false;
	if (rte_raw_cksum(ip, IP4_LEN) != 0xffff || tcp_sum(ip, ip_len - IP4_LEN) != 0xffff)
		return false;
	*p = (struct http_packet){
		.src = get32(ip + 12),
		.dst = get32(ip + 16),
		.src_port = get16(tcp),
		.dst_port = get16(tcp + 2),
		.seq = get32(tcp + 4),
		.ack = get32(tcp + 8),
		.window = get16(tcp + 14),
		.flags = tcp[13] & 0x3f,
		.data = tcp + hdr_len,
		.len = ip_len - IP4_LEN - hdr_len,
		.ip_len = ip_len,
	};
	if (p->flags & TCP_SYN)
		read_syn(tcp, hdr_len, p);
	return true;
}
