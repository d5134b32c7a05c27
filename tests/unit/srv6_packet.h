// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets for the srv6 tests, put together header by header. Every add function links its header
// to the one before it and keeps the payload length right; a test that wants a lie writes it over
// afterwards. The bytes of bodies depend only on their place in the header, so that the same
// header makes the same bytes wherever it stands.

#include <netinet/in.h>

#include "srv6/srh.h"

enum {
	SRV6_PACKET_MAX_LEN = 1500,
};

struct srv6_packet {
	uint32_t len;
	uint32_t proto_off; // of the byte that the next header sets
	uint8_t b[SRV6_PACKET_MAX_LEN];
};

// The address of segment n in every test: a SID fc00:0:n::.
static inline struct ip6_addr srv6_packet_segment(uint32_t n)
{
	return ip6_addr_from(0xfc00000000000000 | (uint64_t)n << 16, 0);
}

static inline struct ip6_addr srv6_packet_source(void)
{
	return ip6_addr_from(0x20010db800000000, 1);
}

static inline struct srv6_packet srv6_packet_start(uint8_t hop_limit, struct ip6_addr dst)
{
	struct srv6_packet pkt = {.len = 40, .proto_off = 6};
	struct ip6_addr src = srv6_packet_source();

	// Traffic class 0xb9, flow label 0x12345.
	memcpy(pkt.b, (uint8_t[]){0x6b, 0x91, 0x23, 0x45, 0, 0, IPPROTO_NONE, hop_limit}, 8);
	memcpy(pkt.b + 8, &src, sizeof(src));
	memcpy(pkt.b + 24, &dst, sizeof(dst));
	return pkt;
}

// Returns the new header, len bytes.
static inline uint8_t *srv6_packet_add(struct srv6_packet *pkt, uint8_t proto, uint32_t len)
{
	uint8_t *hdr = pkt->b + pkt->len;
	uint32_t payload_len;

	for (uint32_t i = 0; i < len; i++)
		hdr[i] = 0xa0 + i;
	pkt->b[pkt->proto_off] = proto;
	pkt->proto_off = pkt->len;
	pkt->len += len;
	payload_len = pkt->len - 40;
	pkt->b[4] = payload_len >> 8;
	pkt->b[5] = payload_len & 0xff;
	return hdr;
}

// Hop-by-hop or destination options.
static inline void srv6_packet_add_options(struct srv6_packet *pkt, uint8_t proto, uint8_t ext_len)
{
	uint8_t *hdr = srv6_packet_add(pkt, proto, 8 + 8 * ext_len);

	hdr[0] = IPPROTO_NONE;
	hdr[1] = ext_len;
}

static inline void srv6_packet_add_fragment(struct srv6_packet *pkt, uint16_t offset_and_flags)
{
	uint8_t *hdr = srv6_packet_add(pkt, IPPROTO_FRAGMENT, 8);

	hdr[0] = IPPROTO_NONE;
	hdr[2] = offset_and_flags >> 8;
	hdr[3] = offset_and_flags & 0xff;
}

static inline uint8_t *srv6_packet_add_routing(
	struct srv6_packet *pkt, uint8_t type, uint8_t segments_left, uint8_t ext_len)
{
	uint8_t *hdr = srv6_packet_add(pkt, IPPROTO_ROUTING, 8 + 8 * ext_len);

	hdr[0] = IPPROTO_NONE;
	hdr[1] = ext_len;
	hdr[2] = type;
	hdr[3] = segments_left;
	return hdr;
}

// An SRH whose entry i is srv6_packet_segment(i), as many as there is room for.
static inline struct srh *srv6_packet_add_srh(
	struct srv6_packet *pkt, uint8_t segments_left, uint8_t last_entry, uint8_t ext_len)
{
	struct srh *srh = (struct srh *)srv6_packet_add_routing(
		pkt, SRH_ROUTING_TYPE, segments_left, ext_len);

	srh->last_entry = last_entry;
	srh->flags = 0;
	for (uint32_t i = 0; i < ext_len / 2; i++)
		srh->segments[i] = srv6_packet_segment(i);
	return srh;
}
