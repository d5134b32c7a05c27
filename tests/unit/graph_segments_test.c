// SPDX-License-Identifier: Apache-2.0

// No node may assume that all headers lie in one segment: every frame here goes through the real graph whole,
// then cut in two at every byte, then in three at every pair of bytes. What comes out, and which drop
// counters move, must be the same each time, and no buffer may get lost.

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#include <rte_graph_worker.h>
#include <rte_ip.h>

#include "perf/rig.h"
#include "tests/unit/srv6_packet.h"

enum {
	ETH_LEN = 14,
	VLAN_LEN = 4,
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	N_PORTS = 2,
	N_WALKS =
		3, // a packet passes the lookup again by way of no ring, but sources look only once a walk
	MAX_DROPS = 128,
	MAX_FRAMES = 4,
	MAX_LEN = 2000,
	MAX_CUT_TWICE_LEN = 260,
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

static const char config[] =
	"eal = { huge_pages = false; };\n"
	"workers = { count = 1; mbufs = 4095; };\n"
	"icmp = { errors_per_s = 10000000; burst = 10000000; };\n"
	"ports = (\n"
	" { name = \"in\"; device = \"net_ring_rig0\"; sr_trusted = true;\n"
	"   addresses = [ \"2001:db8:e::1/64\" ]; vlans = (\n"
	"   { id = 10; vrf = \"red\"; addresses = [ \"10.10.0.1/24\", \"fd00:10::1/64\" ]; },\n"
	"   { id = 44; l2_policy = \"wire\"; } ); },\n"
	" { name = \"out\"; device = \"net_ring_rig1\"; addresses = [ \"2001:db8:f::1/64\" ];\n"
	"   vlans = ( { id = 21; vrf = \"red\"; addresses = [ \"10.1.0.1/24\", \"fd00:21::1/64\" "
	"]; } ); } );\n"
	"vrfs = ( { name = \"default\"; icmp_source6 = \"2001:db8:e::1\"; routes = (\n"
	"  { prefix = \"::/0\"; via = \"2001:db8:f::2\"; } ); },\n"
	" { name = \"red\"; icmp_source4 = \"10.10.0.1\"; icmp_source6 = \"fd00:10::1\"; routes = "
	"(\n"
	"  { prefix = \"0.0.0.0/0\"; via = \"10.1.0.2\"; }, { prefix = \"::/0\"; via = "
	"\"fd00:21::2\"; },\n"
	"  { prefix = \"10.60.0.0/16\"; policy = \"one\"; }, { prefix = \"fd00:60::/32\"; policy = "
	"\"one\"; },\n"
	"  { prefix = \"10.61.0.0/16\"; policy = \"long\"; }, { prefix = \"fd00:61::/32\"; policy "
	"= \"long\"; },\n"
	"  { prefix = \"10.62.0.0/16\"; policy = \"signed\"; },\n"
	"  { prefix = \"10.63.0.0/16\"; unreachable = true; } ); } );\n"
	"srv6 = { source = \"2001:db8:e::1\"; locators = [ \"fc00:0:f00::/40\" ];\n"
	" sids = (\n"
	"  { sid = \"fc00:0:f00::\"; behavior = \"End\"; },\n"
	"  { sid = \"fc00:0:f01::\"; behavior = \"End\"; flavors = [ \"PSP\" ]; },\n"
	"  { sid = \"fc00:0:f02::\"; behavior = \"End\"; flavors = [ \"USD\" ]; },\n"
	"  { sid = \"fc00:0:f03::\"; behavior = \"End\"; flavors = [ \"USP\" ]; },\n"
	"  { sid = \"fc00:0:f04::\"; behavior = \"End.X\"; nexthop = \"2001:db8:f::3\"; },\n"
	"  { sid = \"fc00:0:f05::\"; behavior = \"End.T\"; vrf = \"red\"; },\n"
	"  { sid = \"fc00:0:f06::\"; behavior = \"End.DT46\"; vrf = \"red\"; },\n"
	"  { sid = \"fc00:0:f07::\"; behavior = \"End.DX2\"; port = \"in.44\"; },\n"
	"  { sid = \"fc00:0:f08::\"; behavior = \"End.DX4\"; nexthop = \"10.1.0.7\"; port = "
	"\"out.21\"; },\n"
	"  { sid = \"fc00:0:f09::\"; behavior = \"End.DX6\"; nexthop = \"fd00:21::7\"; port = "
	"\"out.21\"; },\n"
	"  { sid = \"fc00:0:f0a::\"; behavior = \"End.B6.Encaps\"; policy = \"two\"; },\n"
	"  { sid = \"fc00:0:f0b::\"; behavior = \"End\"; require_hmac = true; },\n"
	"  { sid = \"fc00:0:f0c::\"; behavior = \"End.DT46\"; vrf = \"red\"; require_hmac = true; "
	"},\n"
	"  { sid = \"fc00:0:f0d::\"; behavior = \"End.X\"; flavors = [ \"PSP\", \"USD\" ];\n"
	"    nexthop = \"2001:db8:f::3\"; },\n"
	"  { sid = \"2001:db8:c::/48\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\", \"PSP\" "
	"];\n"
	"    block_bits = 32; csid_bits = 16; } );\n"
	" policies = (\n"
	"  { name = \"one\"; segments = [ \"2001:db8:a::1\" ]; },\n"
	"  { name = \"two\"; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\" ]; },\n"
	"  { name = \"long\"; headend = \"H.Encaps.Red\"; segments = [ \"2001:db8:a::1\", "
	"\"2001:db8:a::2\",\n"
	"    \"2001:db8:a::3\", \"2001:db8:a::4\", \"2001:db8:a::5\", \"2001:db8:a::6\", "
	"\"2001:db8:a::7\",\n"
	"    \"2001:db8:a::8\", \"2001:db8:a::9\", \"2001:db8:a::a\" ]; },\n"
	"  { name = \"signed\"; hmac_key_id = 7; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\" "
	"]; },\n"
	"  { name = \"wire\"; headend = \"H.Encaps.L2\"; segments = [ \"2001:db8:a::1\" ]; } );\n"
	" hmac_keys = ( { id = 7; secret = \"segments\"; } ); };\n";

static struct rig rig;

// What became of a frame.
struct fate {
	uint32_t n_frames;
	uint32_t n_punted;
	struct {
		uint16_t port;
		uint32_t len;
		uint8_t bytes[MAX_LEN];
	} frames[MAX_FRAMES];
	uint64_t drops[MAX_DROPS]; // by place in the graph
};

// A frame: an IPv6 packet, with or without a VLAN tag.
struct given {
	uint32_t len;
	uint8_t bytes[ETH_LEN + VLAN_LEN + SRV6_PACKET_MAX_LEN];
};

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
	assert_true(hmac_insert(ctrl_snapshot(&rig.ctrl)->hmac_keys, &src, srh,
		SRH_FIXED_LEN + 2 * sizeof(struct ip6_addr)));
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
} shapes[] = {
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

static void put_eth(struct given *given, uint16_t vlan, uint16_t type)
{
	const struct iface *iface = &ctrl_snapshot(&rig.ctrl)->ifaces[0];
	uint8_t *at = given->bytes;

	memcpy(at, iface->mac, 6);
	memcpy(at + 6, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	at += 12;
	if (vlan != 0) {
		memcpy(at, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, VLAN_LEN);
		at += VLAN_LEN;
	}
	at[0] = (uint8_t)(type >> 8);
	at[1] = (uint8_t)type;
	given->len = (uint32_t)(at + 2 - given->bytes);
}

static void put_packet(struct given *given, const void *bytes, uint32_t len)
{
	memcpy(given->bytes + given->len, bytes, len);
	given->len += len;
}

static struct rte_mbuf *make_segment(const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig.ctrl.pools.small);

	assert_non_null(m);
	// What a node reads past the segment shows in what comes out.
	memset(m->buf_addr, 0xee, m->buf_len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	memcpy(rte_pktmbuf_mtod(m, void *), bytes, len);
	return m;
}

// The frame in segments that end at first, at second and at its end.
static struct rte_mbuf *make_chain(const struct given *given, uint32_t first, uint32_t second)
{
	const uint32_t ends[] = {first, second, given->len};
	struct rte_mbuf *head = make_segment(given->bytes, first);
	uint32_t off = first;

	for (unsigned int i = 1; i < RTE_DIM(ends); i++) {
		if (ends[i] == off)
			continue;
		assert_int_equal(
			rte_pktmbuf_chain(head, make_segment(given->bytes + off, ends[i] - off)),
			0);
		off = ends[i];
	}
	return head;
}

static void count_drops(uint64_t *drops)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t i;

	rte_graph_foreach_node(i, off, rig.ctrl.workers[0]->graph, node)
	{
		assert_true(i < MAX_DROPS);
		drops[i] = strncmp(node->name, "drop_", 5) == 0 ? node->total_objs : 0;
	}
}

static void take_frames(struct fate *fate)
{
	void *obj;

	for (uint16_t port = 0; port < N_PORTS; port++)
		while (rte_ring_dequeue(rig.ports[port].out[0], &obj) == 0) {
			struct rte_mbuf *m = obj;
			uint8_t *bytes = fate->frames[fate->n_frames].bytes;
			const void *read;

			assert_true(fate->n_frames < MAX_FRAMES && m->pkt_len <= MAX_LEN);
			rte_mbuf_sanity_check(m, 1);
			fate->frames[fate->n_frames].port = port;
			fate->frames[fate->n_frames].len = m->pkt_len;
			read = rte_pktmbuf_read(m, 0, m->pkt_len, bytes);
			if (read != bytes)
				memcpy(bytes, read, m->pkt_len);
			fate->n_frames++;
			rte_pktmbuf_free(m);
		}
	while (rte_ring_dequeue(rig.ctrl.punt_ring, &obj) == 0) {
		fate->n_punted++;
		rte_pktmbuf_free(obj);
	}
}

static void walk(struct rte_mbuf *m, struct fate *fate)
{
	uint64_t before[MAX_DROPS] = {0};

	memset(fate, 0, offsetof(struct fate, frames));
	memset(fate->drops, 0, sizeof(fate->drops));
	count_drops(before);
	assert_int_equal(rte_ring_enqueue(rig.ports[0].in[0], m), 0);
	for (unsigned int i = 0; i < N_WALKS; i++)
		worker_walk(rig.ctrl.workers[0]);
	take_frames(fate);
	count_drops(fate->drops);
	for (unsigned int i = 0; i < MAX_DROPS; i++)
		fate->drops[i] -= before[i];
}

// The first byte that differs, or -1 when the frames are the same.
static int find_difference(const struct fate *whole, const struct fate *cut)
{
	for (uint32_t i = 0; i < whole->n_frames; i++) {
		if (whole->frames[i].port != cut->frames[i].port ||
			whole->frames[i].len != cut->frames[i].len)
			return 0;
		for (uint32_t at = 0; at < whole->frames[i].len; at++)
			if (whole->frames[i].bytes[at] != cut->frames[i].bytes[at])
				return (int)at;
	}
	return -1;
}

static void expect_same(const char *name, uint32_t first, uint32_t second, const struct fate *whole,
	const struct fate *cut)
{
	int at = -1;

	if (whole->n_frames == cut->n_frames)
		at = find_difference(whole, cut);
	if (whole->n_frames == cut->n_frames && at < 0 && whole->n_punted == cut->n_punted &&
		memcmp(whole->drops, cut->drops, sizeof(whole->drops)) == 0)
		return;
	fail_msg("%s, cut at %u and %u: %u frames instead of %u, first difference at byte %d%s",
		name, first, second, cut->n_frames, whole->n_frames, at,
		memcmp(whole->drops, cut->drops, sizeof(whole->drops)) == 0 ? "" : ", other drops");
}

// Something must become of the frame at all.
static void expect_fate(const char *name, const struct fate *fate)
{
	uint64_t n = fate->n_frames + fate->n_punted;

	for (unsigned int i = 0; i < MAX_DROPS; i++)
		n += fate->drops[i];
	if (n == 0)
		fail_msg("%s: nothing became of the frame", name);
}

static void cut_everywhere(const char *name, const struct given *given)
{
	const unsigned int n_free = rte_mempool_avail_count(rig.ctrl.pools.small);
	static struct fate whole, cut;

	walk(make_chain(given, given->len, given->len), &whole);
	expect_fate(name, &whole);
	for (uint32_t first = 1; first < given->len; first++) {
		walk(make_chain(given, first, given->len), &cut);
		expect_same(name, first, given->len, &whole, &cut);
	}
	for (uint32_t first = 1; given->len <= MAX_CUT_TWICE_LEN && first < given->len; first++)
		for (uint32_t second = first + 1; second < given->len; second++) {
			walk(make_chain(given, first, second), &cut);
			expect_same(name, first, second, &whole, &cut);
		}
	assert_int_equal(rte_mempool_avail_count(rig.ctrl.pools.small), n_free);
}

static void graph_segments_srv6_frames_cut_anywhere_fare_alike(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(shapes); i++) {
		struct srv6_packet pkt = shapes[i].make(shapes[i].number);
		struct given given;

		put_eth(&given, 0, 0x86dd);
		put_packet(&given, pkt.b, pkt.len);
		cut_everywhere(shapes[i].name, &given);
	}
}

static void graph_segments_junk_behind_the_packet_is_trimmed(void **state)
{
	const uint8_t junk[30] = {1, 2, 3};

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(shapes); i++) {
		struct srv6_packet pkt = shapes[i].make(shapes[i].number);
		struct given given;

		put_eth(&given, 0, 0x86dd);
		put_packet(&given, pkt.b, pkt.len);
		put_packet(&given, junk, sizeof(junk));
		cut_everywhere(shapes[i].name, &given);
	}
}

static void graph_segments_tenant_packets_cut_anywhere_fare_alike(void **state)
{
	(void)state;
	for (uint8_t third = 60; third < 65; third++) {
		struct srv6_packet pkt = to_sid(SID_END);
		struct given given;

		add_inner4(&pkt, third, 64, third == 64 ? IP4_LEN + 40 : IP4_LEN);
		put_eth(&given, 10, 0x0800);
		put_packet(&given, pkt.b + IP6_LEN, pkt.len - IP6_LEN);
		cut_everywhere("tenant, 4", &given);
	}
	for (uint16_t second = 0x60; second < 0x63; second++) {
		struct srv6_packet pkt = to_sid(SID_END);
		struct given given;

		add_inner6(&pkt, second, second == 0x62 ? 1 : 64);
		put_eth(&given, 10, 0x86dd);
		put_packet(&given, pkt.b + IP6_LEN, pkt.len - IP6_LEN);
		cut_everywhere("tenant, 6", &given);
	}
}

static void graph_segments_layer2_frames_cut_anywhere_fare_alike(void **state)
{
	struct srv6_packet pkt = to_sid(SID_END);
	struct given given;

	(void)state;
	add_inner4(&pkt, 9, 64, IP4_LEN);
	put_eth(&given, 44, 0x0800);
	put_packet(&given, pkt.b + IP6_LEN, pkt.len - IP6_LEN);
	cut_everywhere("layer 2, 4", &given);
	put_eth(&given, 44, 0x1234);
	put_packet(&given, pkt.b, pkt.len);
	cut_everywhere("layer 2, other", &given);
}

static int start(void **state)
{
	char *args[] = {"unit", "--lcores", "0@0", "--no-telemetry", "--no-pci", "--no-shconf",
		"--no-huge", "--log-level=3", "-m", "256", NULL};

	(void)state;
	if (rte_eal_init((int)RTE_DIM(args) - 1, args) < 0)
		return -1;
	rig_create(&rig, config, N_PORTS, 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_destroy(&rig);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graph_segments_srv6_frames_cut_anywhere_fare_alike),
		cmocka_unit_test(graph_segments_junk_behind_the_packet_is_trimmed),
		cmocka_unit_test(graph_segments_tenant_packets_cut_anywhere_fare_alike),
		cmocka_unit_test(graph_segments_layer2_frames_cut_anywhere_fare_alike),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
