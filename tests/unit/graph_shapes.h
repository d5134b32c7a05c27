// SPDX-License-Identifier: Apache-2.0
#pragma once

// SRv6 packets of every kind that the graph meets, for graph_segments_test.c: to its SIDs, with and without
// options and segment lists, good and bad.

#include <netinet/in.h>

#include <rte_ip.h>

#include "srv6/hmac.h"
#include "tests/unit/srv6_packet.h"

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	SIGNED_KEY = 7,
};

// The SIDs: fc00:0:f0N::, N from this list.
enum sid_number {
	SID_END = 0xf00,
	SID_PSP,
	SID_USD,
	SID_USP,
	SID_X,
	SID_T,
	SID_DT46,
	SID_DX2,
	SID_DX4,
	SID_DX6,
	SID_B6,
	SID_SIGNED,
	SID_SIGNED_DT46,
	SID_X_USD,
};

// What signed packets are signed with: the configuration's keys.
static const struct hmac_keys *graph_shapes_keys;

static struct srv6_packet to_sid(enum sid_number number)
{
	return srv6_packet_start(64, srv6_packet_segment(number));
}

static void add_udp(struct srv6_packet *pkt)
{
	uint8_t *udp = srv6_packet_add(pkt, IPPROTO_UDP, UDP_LEN + 9);

	udp[0] = 0x12;
	udp[1] = 0x34;
}

// Names what follows an SRH or other header whose next header was set by the next add.
static void add_inner4(struct srv6_packet *pkt, uint8_t third, uint8_t ttl, uint32_t ihl_len)
{
	uint32_t len = ihl_len + UDP_LEN + 5;
	uint8_t *bytes = srv6_packet_add(pkt, IPPROTO_IPIP, len);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)bytes;

	memset(bytes, 1, ihl_len); // options: no operation
	*ip = (struct rte_ipv4_hdr){.version_ihl = (uint8_t)(0x40 | ihl_len / 4),
		.total_length = rte_cpu_to_be_16((uint16_t)len),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = ttl,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 10, 0, 9)),
		.dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, third, 3, 4))};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void add_inner6(struct srv6_packet *pkt, uint16_t second, uint8_t hop_limit)
{
	uint8_t *ip = srv6_packet_add(pkt, IPPROTO_IPV6, IP6_LEN + UDP_LEN + 5);
	struct ip6_addr src = ip6_addr_from(0xfd00001000000000, 9);
	struct ip6_addr dst = ip6_addr_from(0xfd00ull << 48 | (uint64_t)second << 32, 4);

	memcpy(ip, (uint8_t[]){0x60, 0, 0, 0, 0, UDP_LEN + 5, IPPROTO_UDP, hop_limit}, 8);
	memcpy(ip + 8, &src, sizeof(src));
	memcpy(ip + 24, &dst, sizeof(dst));
}

// ICMPv6 of that type to dst, with the right checksum.
static void add_icmp6(struct srv6_packet *pkt, uint8_t type, struct ip6_addr dst)
{
	uint8_t *icmp = srv6_packet_add(pkt, IPPROTO_ICMPV6, 8 + 23);
	struct rte_ipv6_hdr pseudo = {
		.payload_len = rte_cpu_to_be_16(8 + 23), .proto = IPPROTO_ICMPV6};
	struct ip6_addr src = srv6_packet_source();
	uint16_t sum;

	memcpy(pseudo.src_addr, &src, sizeof(src));
	memcpy(pseudo.dst_addr, &dst, sizeof(dst));
	memcpy(icmp, (uint8_t[]){type, 0, 0, 0}, 4);
	sum = rte_ipv6_udptcp_cksum(&pseudo, icmp);
	memcpy(icmp + 2, &sum, sizeof(sum));
}

static struct srh *add_srh(struct srv6_packet *pkt, uint8_t segments_left)
{
	return srv6_packet_add_srh(pkt, segments_left, 1, 4);
}

static struct srv6_packet end_srh(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 1);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet end_options_srh(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_HOPOPTS, 1);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 3);
	add_srh(&pkt, 1);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet inner4(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner4(&pkt, 9, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet inner4_deep(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_HOPOPTS, 0);
	add_srh(&pkt, 0);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 2);
	add_inner4(&pkt, 9, 64, IP4_LEN + 12);
	return pkt;
}

static struct srv6_packet inner6(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner6(&pkt, 0x99, 64);
	return pkt;
}

static struct srv6_packet inner6_deep(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 2);
	add_inner6(&pkt, 0x99, 64);
	return pkt;
}

// End.DX2: a frame.
static struct srv6_packet inner_eth(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	srv6_packet_add(&pkt, 143, 60);
	return pkt;
}

// The main path: out of a SID, into a policy.
static struct srv6_packet main_one4(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	add_inner4(&pkt, 60, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet main_one6(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner6(&pkt, 0x60, 64);
	return pkt;
}

static struct srv6_packet main_long4(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner4(&pkt, 61, 64, IP4_LEN + 4);
	return pkt;
}

static struct srv6_packet main_long6(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	add_inner6(&pkt, 0x61, 64);
	return pkt;
}

static struct srv6_packet main_signed(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner4(&pkt, 62, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet expired4(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	add_inner4(&pkt, 9, 1, IP4_LEN);
	return pkt;
}

static struct srv6_packet expired6(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner6(&pkt, 0x60, 1);
	return pkt;
}

static struct srv6_packet unreachable4(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_inner4(&pkt, 63, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet ecn_drop(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	pkt.b[1] |= 0x30;
	add_inner4(&pkt, 9, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet signed_srh(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);
	const struct ip6_addr src = srv6_packet_source();
	const uint8_t segments_left = number == SID_SIGNED ? 1 : 0;
	struct srh *srh = srv6_packet_add_srh(&pkt, segments_left, 1, 4 + HMAC_TLV_LEN / 8);
	uint8_t *tlv = (uint8_t *)&srh->segments[2];

	srh->segments[segments_left] = srv6_packet_segment(number);
	memset(tlv, 0, HMAC_TLV_LEN);
	tlv[0] = SRH_TLV_HMAC;
	tlv[1] = HMAC_TLV_LEN - 2;
	tlv[7] = SIGNED_KEY;
	assert_true(hmac_insert(
		graph_shapes_keys, &src, srh, SRH_FIXED_LEN + 2 * sizeof(struct ip6_addr)));
	if (number == SID_SIGNED)
		add_udp(&pkt);
	else
		add_inner6(&pkt, 0x60, 64);
	return pkt;
}

static struct srv6_packet unsigned_srh(enum sid_number number)
{
	return end_srh(number);
}

static struct srv6_packet csid(enum sid_number number)
{
	struct srv6_packet pkt =
		srv6_packet_start(64, ip6_addr_from(0x20010db8000c000a, 0x0b00000000000000));

	(void)number;
	add_srh(&pkt, 0);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet csid_exhausted(enum sid_number number)
{
	struct srv6_packet pkt = srv6_packet_start(64, ip6_addr_from(0x20010db8000c0000, 0));

	(void)number;
	add_srh(&pkt, 1);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet ping(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_HOPOPTS, 1);
	add_srh(&pkt, 0);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 4);
	add_icmp6(&pkt, 128, srv6_packet_segment(number));
	return pkt;
}

// Headers that are stepped over, not read, and longer than a first segment may be.
static struct srv6_packet ping_long_options(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 100);
	add_icmp6(&pkt, 128, srv6_packet_segment(number));
	return pkt;
}

static struct srv6_packet inner_long_options(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 100);
	add_inner4(&pkt, 60, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet expired_echo(enum sid_number number)
{
	struct srv6_packet pkt = srv6_packet_start(1, srv6_packet_segment(number));

	add_srh(&pkt, 1);
	add_icmp6(&pkt, 128, srv6_packet_segment(0));
	return pkt;
}

static struct srv6_packet expired_error(enum sid_number number)
{
	struct srv6_packet pkt = srv6_packet_start(1, srv6_packet_segment(number));

	add_srh(&pkt, 1);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 1);
	add_icmp6(&pkt, 1, srv6_packet_segment(0));
	return pkt;
}

static struct srv6_packet bad_srh(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 1);
	add_srh(&pkt, 3);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet bad_upper(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet other_routing(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 1);
	srv6_packet_add_routing(&pkt, 3, 1, 2);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet outer_fragment(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	add_srh(&pkt, 0);
	srv6_packet_add_fragment(&pkt, 1);
	add_inner4(&pkt, 9, 64, IP4_LEN);
	return pkt;
}

static struct srv6_packet too_many(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);

	for (unsigned int i = 0; i < SRH_MAX_EXT_HEADERS + 1; i++)
		srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 0);
	add_udp(&pkt);
	return pkt;
}

static struct srv6_packet truncated(enum sid_number number)
{
	struct srv6_packet pkt = to_sid(number);
	struct srh *srh = add_srh(&pkt, 1);

	srh->hdr_ext_len = 9;
	return pkt;
}

static struct srv6_packet to_address(enum sid_number number)
{
	const struct ip6_addr own = ip6_addr_from(0x20010db8000e0000, 1);
	struct srv6_packet pkt = srv6_packet_start(64, own);

	(void)number;
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 4);
	add_srh(&pkt, 0);
	add_icmp6(&pkt, 128, own);
	return pkt;
}

static struct srv6_packet transit(enum sid_number number)
{
	struct srv6_packet pkt = srv6_packet_start(64, srv6_packet_segment(3));

	(void)number;
	add_srh(&pkt, 1);
	add_udp(&pkt);
	return pkt;
}

static const struct {
	const char *name;
	struct srv6_packet (*make)(enum sid_number number);
	enum sid_number number;
} graph_shapes[] = {
	{"End", end_srh, SID_END},
	{"End behind options", end_options_srh, SID_END},
	{"PSP", end_srh, SID_PSP},
	{"PSP behind options", end_options_srh, SID_PSP},
	{"USD, 6", inner6_deep, SID_USD},
	{"End.X", end_srh, SID_X},
	{"End.X PSP behind options", end_options_srh, SID_X_USD},
	{"End.X USD, 4", inner4_deep, SID_X_USD},
	{"End.X USD, 6", inner6_deep, SID_X_USD},
	{"End.T", end_srh, SID_T},
	{"End.DT46, 4", inner4, SID_DT46},
	{"End.DT46, 4, deep", inner4_deep, SID_DT46},
	{"End.DT46, 6", inner6, SID_DT46},
	{"End.DT46, 6, deep", inner6_deep, SID_DT46},
	{"End.DX2", inner_eth, SID_DX2},
	{"End.DX4", inner4_deep, SID_DX4},
	{"End.DX6", inner6_deep, SID_DX6},
	{"End.B6", end_srh, SID_B6},
	{"End.B6 behind options", end_options_srh, SID_B6},
	{"main path, one segment, 4", main_one4, SID_DT46},
	{"main path, one segment, 6", main_one6, SID_DT46},
	{"main path, ten segments, 4", main_long4, SID_DT46},
	{"main path, ten segments, 6", main_long6, SID_DT46},
	{"main path, signed", main_signed, SID_DT46},
	{"inner TTL 1", expired4, SID_DT46},
	{"inner hop limit 1", expired6, SID_DT46},
	{"unreachable", unreachable4, SID_DT46},
	{"CE over Not-ECT", ecn_drop, SID_DT46},
	{"signed", signed_srh, SID_SIGNED},
	{"signed, last segment", signed_srh, SID_SIGNED_DT46},
	{"unsigned", unsigned_srh, SID_SIGNED},
	{"C-SID", csid, SID_END},
	{"C-SID exhausted", csid_exhausted, SID_END},
	{"ping", ping, SID_END},
	{"ping, USP", ping, SID_USP},
	{"ping behind long options", ping_long_options, SID_END},
	{"inner packet behind long options", inner_long_options, SID_DT46},
	{"expired with an echo request", expired_echo, SID_END},
	{"expired with an ICMP error", expired_error, SID_END},
	{"bad SRH", bad_srh, SID_END},
	{"segments left at the end", end_options_srh, SID_DT46},
	{"bad upper layer", bad_upper, SID_DT46},
	{"other routing header", other_routing, SID_END},
	{"fragment", outer_fragment, SID_DT46},
	{"too many headers", too_many, SID_END},
	{"truncated", truncated, SID_END},
	{"ping to an address", to_address, SID_END},
	{"transit", transit, SID_END},
};
