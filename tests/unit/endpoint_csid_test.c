// SPDX-License-Identifier: Apache-2.0

// srv6_endpoint() with C-SIDs (RFC 9800) and with required HMACs; the rest is in endpoint_test.c.

#include "srv6/endpoint.h"

#include "tests/unit/endpoint_expect.h"

// fc00:0000 as the block, 16-bit C-SIDs behind it, unless a case says otherwise.
static struct sid csid_of(enum srv6_behavior behavior, uint8_t flavors)
{
	return (struct sid){.behavior = behavior,
		.flavors = flavors | SRV6_NEXT_CSID,
		.csid_block_len = 4,
		.csid_len = 2};
}

static struct srv6_packet to(uint8_t hop_limit, uint64_t hi, uint64_t lo, uint8_t proto)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, ip6_addr_from(hi, lo));

	srv6_packet_add(&pkt, proto, INNER_LEN);
	return pkt;
}

// As to(), with an SRH whatever its SL.
static struct srv6_packet to_with_srh(
	uint8_t hop_limit, uint64_t hi, uint64_t lo, uint8_t segments_left)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, ip6_addr_from(hi, lo));

	srv6_packet_add_srh(&pkt, segments_left, 1, 4);
	srv6_packet_add(&pkt, IPPROTO_IPV6, INNER_LEN);
	return pkt;
}

static void endpoint_csid_argument_moves_up_without_srh(void **state)
{
	const struct srv6_packet before =
		to(HOPS, 0xfc00000000010002, 0x0003000400050006, IPPROTO_IPV6);
	const struct srv6_packet after =
		to(HOPS - 1, 0xfc00000000020003, 0x0004000500060000, IPPROTO_IPV6);

	(void)state;
	for (int behavior = SRV6_END; behavior <= SRV6_END_T; behavior++) {
		for (int flavors = 0; flavors < SRV6_NEXT_CSID; flavors++) {
			const struct sid sid = csid_of(behavior, flavors);

			expect_forward(&sid, &before, &after);
		}
	}
}

static void endpoint_csid_argument_moves_up_whatever_the_srh(void **state)
{
	const struct sid sid = csid_of(SRV6_END_X, SRV6_PSP);

	(void)state;
	// SL 9 is out of bounds, but it is not this node's to look at.
	for (uint8_t sl = 0; sl <= 9; sl++) {
		const struct srv6_packet before = to_with_srh(HOPS, 0xfc00000000010002, 0, sl);
		const struct srv6_packet after = to_with_srh(HOPS - 1, 0xfc00000000020000, 0, sl);

		expect_forward(&sid, &before, &after);
	}
}

static void endpoint_csid_last_bit_of_the_argument_counts(void **state)
{
	const struct sid sid = csid_of(SRV6_END, 0);

	(void)state;
	for (int bit = 0; bit < 80; bit++) {
		const uint64_t hi = bit < 64 ? 0 : 1ull << (bit - 64);
		const uint64_t lo = bit < 64 ? 1ull << bit : 0;
		const uint64_t moved = bit < 48 ? 0 : 1ull << (bit - 48);
		const struct srv6_packet before =
			to(HOPS, 0xfc00000000010000 | hi, lo, IPPROTO_IPIP);
		const struct srv6_packet after =
			to(HOPS - 1, 0xfc00000000000000 | moved, lo << 16, IPPROTO_IPIP);

		expect_forward(&sid, &before, &after);
	}
}

static void endpoint_csid_lengths_are_the_sids(void **state)
{
	static const struct {
		uint8_t block_len, csid_len;
		uint64_t hi, lo;
	} cases[] = {
		{6, 2, 0x0011223344558899, 0xaabbccddeeff0000},
		{4, 4, 0x001122338899aabb, 0xccddeeff00000000},
		{8, 4, 0x0011223344556677, 0xccddeeff00000000},
		{2, 1, 0x0011334455667788, 0x99aabbccddeeff00},
		{4, 11, 0x00112233ff000000, 0},
		{14, 1, 0x0011223344556677, 0x8899aabbccddff00},
		{0, 2, 0x2233445566778899, 0xaabbccddeeff0000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct srv6_packet before =
			to(HOPS, 0x0011223344556677, 0x8899aabbccddeeff, IPPROTO_IPV6);
		const struct srv6_packet after =
			to(HOPS - 1, cases[i].hi, cases[i].lo, IPPROTO_IPV6);
		struct sid sid = csid_of(SRV6_END, 0);

		sid.csid_block_len = cases[i].block_len;
		sid.csid_len = cases[i].csid_len;
		expect_forward(&sid, &before, &after);
	}
}

static void endpoint_csid_hop_limit_runs_out_first(void **state)
{
	const struct sid sid = csid_of(SRV6_END, 0);

	(void)state;
	for (uint8_t hop_limit = 0; hop_limit <= 1; hop_limit++) {
		const struct srv6_packet bare = to(hop_limit, 0xfc00000000010002, 0, IPPROTO_IPV6);
		const struct srv6_packet srh = to_with_srh(hop_limit, 0xfc00000000010002, 0, 1);

		expect_refusal(&sid, &bare, SRV6_TIME_EXCEEDED, 0);
		expect_refusal(&sid, &srh, SRV6_TIME_EXCEEDED, 0);
	}
}

static void endpoint_csid_without_argument_is_the_plain_behavior(void **state)
{
	const struct sid end = csid_of(SRV6_END, 0);
	const struct sid psp_usd = csid_of(SRV6_END_X, SRV6_PSP | SRV6_USD);
	const struct srv6_packet two = routed(HOPS, 2, 1, 4, IPPROTO_IPV6);
	const struct srv6_packet one = routed(HOPS - 1, 1, 1, 4, IPPROTO_IPV6);
	const struct srv6_packet popped = unrouted(HOPS - 2, IPPROTO_IPV6);
	const struct srv6_packet bad = routed(HOPS, 3, 1, 4, IPPROTO_IPV6);
	const struct srv6_packet bare = unrouted(HOPS, IPPROTO_IPV6);
	const struct srv6_packet ping = unrouted(HOPS, IPPROTO_ICMPV6);

	(void)state;
	expect_forward(&end, &two, &one);
	expect_forward(&psp_usd, &one, &popped);
	expect_refusal(&end, &bad, SRV6_BAD_SRH, SL_OFF);
	expect_refusal(&end, &bare, SRV6_BAD_UPPER, 40);
	expect_decap(&psp_usd, &bare, SRV6_DECAP_IP6, 40);
	expect_local(&end, &ping, &ping, 40);
}

static void endpoint_csid_flavor_is_not_for_decapsulation(void **state)
{
	const struct sid sid = csid_of(SRV6_END_DT46, 0);
	const struct srv6_packet pkt = to(HOPS, 0xfc00000000010002, 0, IPPROTO_IPV6);

	(void)state;
	expect_decap(&sid, &pkt, SRV6_DECAP_IP6, 40);
}

// An SRH of two entries and an HMAC TLV, signed; options behind it when wanted.
static struct srv6_packet signed_packet(
	struct ip6_addr dst, uint8_t hop_limit, uint8_t segments_left, uint8_t proto)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, dst);
	const struct ip6_addr source = srv6_packet_source();
	struct srh *srh = srv6_packet_add_srh(&pkt, segments_left, 1, 4 + HMAC_TLV_LEN / 8);
	uint8_t *tlv = (uint8_t *)&srh->segments[2];

	memcpy(tlv, (uint8_t[]){SRH_TLV_HMAC, HMAC_TLV_LEN - 2, 0, 0, 0, 0, 0, KEY_ID}, 8);
	if (!hmac_insert(keys, &source, srh, SRH_FIXED_LEN + 2 * IP6_ADDR_LEN))
		fail();
	srv6_packet_add(&pkt, proto, INNER_LEN);
	return pkt;
}

static struct srv6_packet signed_at(uint8_t hop_limit, uint8_t segments_left, uint8_t proto)
{
	return signed_packet(srv6_packet_segment(segments_left), hop_limit, segments_left, proto);
}

static struct sid strict(struct sid sid)
{
	sid.flags = SID_REQUIRE_HMAC;
	return sid;
}

static void endpoint_hmac_good_is_acted_on(void **state)
{
	const struct sid end = strict(sid_of(SRV6_END, 0));
	const struct sid psp = strict(sid_of(SRV6_END, SRV6_PSP));
	const struct sid usp = strict(sid_of(SRV6_END, SRV6_USP));
	const struct sid b6 = strict(sid_of(SRV6_END_B6_ENCAPS, 0));
	const struct sid dt6 = strict(sid_of(SRV6_END_DT6, 0));
	const struct srv6_packet two = signed_at(HOPS, 2, IPPROTO_IPV6);
	const struct srv6_packet one = signed_at(HOPS - 1, 1, IPPROTO_IPV6);
	const struct srv6_packet zero = signed_at(HOPS - 2, 0, IPPROTO_IPV6);
	const struct srv6_packet popped = unrouted(HOPS - 2, IPPROTO_IPV6);
	const struct srv6_packet ping = signed_at(HOPS, 0, IPPROTO_ICMPV6);
	const struct srv6_packet bare_ping = unrouted(HOPS, IPPROTO_ICMPV6);

	(void)state;
	expect_forward(&end, &two, &one);
	expect_forward(&end, &one, &zero);
	expect_forward(&psp, &one, &popped);
	expect(&b6, &two, (struct wanted){.verdict = SRV6_INSERT_B6}, &one);
	expect_decap(&dt6, &zero, SRV6_DECAP_IP6, 40 + 8 + 32 + 40);
	expect_local(&usp, &ping, &bare_ping, 40);
}

static void endpoint_hmac_wrong_is_dropped_by_every_behavior(void **state)
{
	(void)state;
	for (int behavior = 0; behavior < SRV6_N_BEHAVIORS; behavior++) {
		const struct sid sid = strict(sid_of(behavior, SRV6_USD));
		const bool decap = behavior >= SRV6_END_DX2 && behavior <= SRV6_END_DT46;
		struct srv6_packet pkt = signed_at(HOPS, decap ? 0 : 1, IPPROTO_IPV6);

		pkt.b[15] ^= 1; // the source
		expect_refusal(&sid, &pkt, SRV6_HMAC_BAD, 0);
		pkt.b[15] ^= 1;
		pkt.b[40 + 8 + 32 + 39] ^= 1; // the digest
		expect_refusal(&sid, &pkt, SRV6_HMAC_BAD, 0);
	}
}

static void endpoint_hmac_absent_is_dropped_by_every_behavior(void **state)
{
	(void)state;
	for (int behavior = 0; behavior < SRV6_N_BEHAVIORS; behavior++) {
		const struct sid sid = strict(sid_of(behavior, SRV6_USD));
		const bool decap = behavior >= SRV6_END_DX2 && behavior <= SRV6_END_DT46;
		const struct srv6_packet bare = plain(IPPROTO_IPV6);
		const struct srv6_packet ping = plain(IPPROTO_ICMPV6);
		const struct srv6_packet srh = routed(HOPS, decap ? 0 : 1, 1, 4, IPPROTO_IPV6);

		expect_refusal(&sid, &bare, SRV6_HMAC_MISSING, 0);
		expect_refusal(&sid, &ping, SRV6_HMAC_MISSING, 0);
		expect_refusal(&sid, &srh, SRV6_HMAC_MISSING, 0);
	}
}

static void endpoint_hmac_is_looked_at_after_lengths_and_hop_limit(void **state)
{
	const struct sid end = strict(sid_of(SRV6_END, 0));
	const struct sid dt6 = strict(sid_of(SRV6_END_DT6, 0));
	const struct srv6_packet expired = routed(1, 1, 1, 4, IPPROTO_IPV6);
	const struct srv6_packet bad = routed(HOPS, 3, 1, 4, IPPROTO_IPV6);
	const struct srv6_packet left = routed(HOPS, 1, 1, 4, IPPROTO_IPV6);

	(void)state;
	expect_refusal(&end, &expired, SRV6_TIME_EXCEEDED, 0);
	expect_refusal(&end, &bad, SRV6_BAD_SRH, SL_OFF);
	expect_refusal(&dt6, &left, SRV6_BAD_SRH, SL_OFF);
}

// RFC 8754 §2.1.2.1: else a signed list would open every SID that asks for a signature.
static void endpoint_hmac_of_another_destination_is_bad(void **state)
{
	const struct sid end = strict(sid_of(SRV6_END, 0));
	const struct sid dt6 = strict(sid_of(SRV6_END_DT6, 0));
	const struct ip6_addr other = srv6_packet_segment(77);
	const struct srv6_packet moving = signed_packet(other, HOPS, 1, IPPROTO_IPV6);
	const struct srv6_packet last = signed_packet(other, HOPS, 0, IPPROTO_IPV6);

	(void)state;
	expect_refusal(&end, &moving, SRV6_HMAC_BAD, 0);
	expect_refusal(&dt6, &last, SRV6_HMAC_BAD, 0);
}

static void endpoint_hmac_is_verified_before_a_csid_shift(void **state)
{
	const struct sid sid = strict(csid_of(SRV6_END, 0));
	const struct ip6_addr dst = ip6_addr_from(0xfc00000000010002, 0);
	const struct ip6_addr next = ip6_addr_from(0xfc00000000020000, 0);
	const struct srv6_packet before = signed_packet(dst, HOPS, 1, IPPROTO_IPV6);
	const struct srv6_packet after = signed_packet(next, HOPS - 1, 1, IPPROTO_IPV6);
	const struct srv6_packet bare = to(HOPS, 0xfc00000000010002, 0, IPPROTO_IPV6);
	struct srv6_packet fragment = srv6_packet_start(HOPS, dst);
	struct srv6_packet forged = before;
	struct srv6_packet other_block = before;

	(void)state;
	expect_forward(&sid, &before, &after);
	forged.b[40 + 8] ^= 1;
	expect_refusal(&sid, &forged, SRV6_HMAC_BAD, 0);
	other_block.b[24] ^= 1;
	expect_refusal(&sid, &other_block, SRV6_HMAC_BAD, 0);
	expect_refusal(&sid, &bare, SRV6_HMAC_MISSING, 0);
	srv6_packet_add_fragment(&fragment, 1);
	expect_refusal(&sid, &fragment, SRV6_FRAGMENT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoint_csid_argument_moves_up_without_srh),
		cmocka_unit_test(endpoint_csid_argument_moves_up_whatever_the_srh),
		cmocka_unit_test(endpoint_csid_last_bit_of_the_argument_counts),
		cmocka_unit_test(endpoint_csid_lengths_are_the_sids),
		cmocka_unit_test(endpoint_csid_hop_limit_runs_out_first),
		cmocka_unit_test(endpoint_csid_without_argument_is_the_plain_behavior),
		cmocka_unit_test(endpoint_csid_flavor_is_not_for_decapsulation),
		cmocka_unit_test(endpoint_hmac_good_is_acted_on),
		cmocka_unit_test(endpoint_hmac_wrong_is_dropped_by_every_behavior),
		cmocka_unit_test(endpoint_hmac_absent_is_dropped_by_every_behavior),
		cmocka_unit_test(endpoint_hmac_is_looked_at_after_lengths_and_hop_limit),
		cmocka_unit_test(endpoint_hmac_of_another_destination_is_bad),
		cmocka_unit_test(endpoint_hmac_is_verified_before_a_csid_shift),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
