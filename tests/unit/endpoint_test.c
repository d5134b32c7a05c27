// SPDX-License-Identifier: Apache-2.0
#include "srv6/endpoint.h"

#include "tests/unit/endpoint_expect.h"

static bool is_b6(enum srv6_behavior behavior)
{
	return behavior == SRV6_END_B6_ENCAPS || behavior == SRV6_END_B6_ENCAPS_RED;
}

static const enum srv6_behavior moving[] = {
	SRV6_END, SRV6_END_X, SRV6_END_T, SRV6_END_B6_ENCAPS, SRV6_END_B6_ENCAPS_RED};

enum {
	N_MOVING = sizeof(moving) / sizeof(moving[0]),
	N_FLAVOR_SETS = SRV6_PSP + SRV6_USP + SRV6_USD + 1, // NEXT-C-SID has its own cases
};

static void expect_segments(const struct sid *sid, uint8_t sl, uint8_t le, uint8_t ext_len)
{
	const struct srv6_packet before = routed(HOPS, sl, le, ext_len, IPPROTO_IPV6);
	struct srv6_packet after = routed(HOPS - 1, sl - 1, le, ext_len, IPPROTO_IPV6);

	if (le > ext_len / 2 - 1 || sl > le + 1) {
		expect_refusal(sid, &before, SRV6_BAD_SRH, SL_OFF);
	} else if (is_b6(sid->behavior)) {
		expect(sid, &before, (struct wanted){.verdict = SRV6_INSERT_B6}, &after);
	} else {
		if (sl == 1 && (sid->flavors & SRV6_PSP))
			after = unrouted(HOPS - 1, IPPROTO_IPV6);
		expect_forward(sid, &before, &after);
	}
}

// Includes SL = LE + 1 (reduced), hdr_ext_len 0, and odd ones.
static void endpoint_every_sl_le_length_follows_rfc8986(void **state)
{
	(void)state;
	for (int i = 0; i < N_MOVING * N_FLAVOR_SETS; i++) {
		const struct sid sid = sid_of(moving[i / N_FLAVOR_SETS], i % N_FLAVOR_SETS);

		for (int combination = 0; combination < 5 * 5 * 8; combination++)
			expect_segments(
				&sid, 1 + combination % 5, combination / 5 % 5, combination / 25);
	}
}

static void endpoint_largest_list_is_followed(void **state)
{
	const struct sid sid = sid_of(SRV6_END, 0);

	(void)state;
	expect_segments(&sid, 32, 31, 64);
	expect_segments(&sid, 255, 31, 64);
	expect_segments(&sid, 255, 255, 64);
	expect_segments(&sid, 1, 255, 64);
}

// The shorter length differs in both bytes of the field.
static void endpoint_psp_of_a_long_packet_carries_in_the_length(void **state)
{
	const struct sid sid = sid_of(SRV6_END, SRV6_PSP);
	struct srv6_packet before = srv6_packet_start(HOPS, srv6_packet_segment(1));
	struct srv6_packet after = srv6_packet_start(HOPS - 1, srv6_packet_segment(0));

	(void)state;
	srv6_packet_add_srh(&before, 1, 1, 4);
	srv6_packet_add(&before, IPPROTO_IPV6, 1000);
	srv6_packet_add(&after, IPPROTO_IPV6, 1000);
	expect_forward(&sid, &before, &after);
}

static void endpoint_hop_limit_runs_out_before_anything_else(void **state)
{
	(void)state;
	for (int i = 0; i < N_MOVING * N_FLAVOR_SETS; i++) {
		const struct sid sid = sid_of(moving[i / N_FLAVOR_SETS], i % N_FLAVOR_SETS);

		for (int hop_limit = 0; hop_limit <= 1; hop_limit++) {
			struct srv6_packet good = routed(hop_limit, 1, 0, 2, IPPROTO_IPV6);
			struct srv6_packet bad = routed(hop_limit, 3, 0, 2, IPPROTO_IPV6);

			expect_refusal(&sid, &good, SRV6_TIME_EXCEEDED, 0);
			expect_refusal(&sid, &bad, SRV6_TIME_EXCEEDED, 0);
		}
	}
}

static void endpoint_hop_limit_two_goes_on(void **state)
{
	const struct sid sid = sid_of(SRV6_END_X, 0);
	const struct srv6_packet before = routed(2, 2, 1, 4, IPPROTO_IPIP);
	const struct srv6_packet after = routed(1, 1, 1, 4, IPPROTO_IPIP);

	(void)state;
	expect_forward(&sid, &before, &after);
}

// SL = 0 is no error: the hop limit is the upper layer's business.
static void endpoint_ping_is_answered_with_and_without_srh(void **state)
{
	(void)state;
	for (int i = 0; i < SRV6_N_BEHAVIORS * N_FLAVOR_SETS; i++) {
		const struct sid sid = sid_of(i / N_FLAVOR_SETS, i % N_FLAVOR_SETS);
		const bool usp = (sid.flavors & SRV6_USP) && sid.behavior <= SRV6_END_T;
		const struct srv6_packet bare = unrouted(1, IPPROTO_ICMPV6);
		const struct srv6_packet with_srh = routed(1, 0, 1, 5, IPPROTO_ICMPV6);
		const struct srv6_packet empty_srh = routed(1, 0, 0, 0, IPPROTO_ICMPV6);

		expect_local(&sid, &bare, &bare, 40);
		expect_local(&sid, &with_srh, usp ? &bare : &with_srh, usp ? 40 : 88);
		expect_local(&sid, &empty_srh, usp ? &bare : &empty_srh, usp ? 40 : 48);
	}
}

static enum srv6_verdict verdict_for(const struct sid *sid, uint8_t proto)
{
	static const uint8_t decap[SRV6_N_BEHAVIORS][2] = {
		[SRV6_END_DX2] = {IPPROTO_ETHERNET},
		[SRV6_END_DX4] = {IPPROTO_IPIP},
		[SRV6_END_DX6] = {IPPROTO_IPV6},
		[SRV6_END_DT4] = {IPPROTO_IPIP},
		[SRV6_END_DT6] = {IPPROTO_IPV6},
		[SRV6_END_DT46] = {IPPROTO_IPIP, IPPROTO_IPV6},
	};
	const uint8_t *accepted = decap[sid->behavior];
	const bool usd = (sid->flavors & SRV6_USD) && sid->behavior <= SRV6_END_T &&
			 (proto == IPPROTO_IPIP || proto == IPPROTO_IPV6);

	if (!usd && proto != accepted[0] && proto != accepted[1])
		return proto == IPPROTO_ICMPV6 ? SRV6_LOCAL : SRV6_BAD_UPPER;
	if (proto == IPPROTO_ETHERNET)
		return SRV6_DECAP_ETH;
	return proto == IPPROTO_IPIP ? SRV6_DECAP_IP4 : SRV6_DECAP_IP6;
}

static void expect_upper(const struct sid *sid, const struct srv6_packet *pkt, uint8_t proto)
{
	const uint32_t off = pkt->len - INNER_LEN;
	const enum srv6_verdict verdict = verdict_for(sid, proto);

	if (verdict == SRV6_BAD_UPPER)
		expect_refusal(sid, pkt, verdict, off);
	else
		expect_decap(sid, pkt, verdict, off);
}

// No SRH, SRH with SL = 0, and options around it. Decapsulation looks at no hop limit.
static void endpoint_every_upper_layer_follows_the_behavior(void **state)
{
	(void)state;
	for (int i = 0; i < SRV6_N_BEHAVIORS * N_FLAVOR_SETS; i++) {
		const struct sid sid = sid_of(i / N_FLAVOR_SETS, i % N_FLAVOR_SETS);

		for (int proto = 1; proto < 256; proto++) {
			struct srv6_packet pkt = unrouted(1, proto);

			if (proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
				proto == IPPROTO_DSTOPTS || proto == IPPROTO_ICMPV6)
				continue;
			expect_upper(&sid, &pkt, proto);
			pkt = routed(1, 0, 0, 2, proto);
			expect_upper(&sid, &pkt, proto);
			pkt = start();
			srv6_packet_add_options(&pkt, IPPROTO_HOPOPTS, 0);
			srv6_packet_add_srh(&pkt, 0, 0, 3);
			srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 1);
			srv6_packet_add(&pkt, proto, INNER_LEN);
			expect_upper(&sid, &pkt, proto);
		}
	}
}

static void endpoint_decap_with_segments_left_is_a_bad_srh(void **state)
{
	(void)state;
	for (int behavior = SRV6_END_DX2; behavior <= SRV6_END_DT46; behavior++) {
		const struct sid sid = sid_of(behavior, 0);
		// Hop limit 1: the segments are looked at, the hop limit is not.
		const struct srv6_packet direct = routed(1, 1, 0, 2, IPPROTO_IPV6);
		struct srv6_packet behind = start();

		expect_refusal(&sid, &direct, SRV6_BAD_SRH, SL_OFF);
		srv6_packet_add_options(&behind, IPPROTO_DSTOPTS, 1);
		srv6_packet_add_srh(&behind, 1, 1, 4);
		srv6_packet_add(&behind, IPPROTO_IPIP, INNER_LEN);
		expect_refusal(&sid, &behind, SRV6_BAD_SRH, SL_OFF + 16);
	}
}

static struct srv6_packet between_options(uint8_t hop_limit, uint8_t segments_left, bool srh)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, srv6_packet_segment(segments_left));

	srv6_packet_add_options(&pkt, IPPROTO_HOPOPTS, 0);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 3);
	if (srh)
		srv6_packet_add_srh(&pkt, segments_left, 1, 4);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 1);
	srv6_packet_add(&pkt, IPPROTO_ICMPV6, INNER_LEN);
	return pkt;
}

static void endpoint_srh_between_options_is_followed_and_removed(void **state)
{
	const struct sid end = sid_of(SRV6_END, 0);
	const struct sid psp = sid_of(SRV6_END, SRV6_PSP);
	const struct sid usp = sid_of(SRV6_END, SRV6_USP);
	const struct srv6_packet at_two = between_options(HOPS, 2, true);
	const struct srv6_packet at_one = between_options(HOPS - 1, 1, true);
	const struct srv6_packet at_zero = between_options(HOPS - 2, 0, true);
	const struct srv6_packet popped = between_options(HOPS - 2, 0, false);

	(void)state;
	expect_forward(&end, &at_two, &at_one);
	expect_forward(&psp, &at_two, &at_one);
	expect_forward(&end, &at_one, &at_zero);
	expect_forward(&psp, &at_one, &popped);
	expect_local(&end, &at_zero, &at_zero, 40 + 8 + 32 + 40 + 16);
	expect_local(&usp, &at_zero, &popped, 40 + 8 + 32 + 16);
}

static void endpoint_bad_srh_behind_options_is_pointed_at(void **state)
{
	const struct sid sid = sid_of(SRV6_END, SRV6_PSP);
	struct srv6_packet pkt = between_options(HOPS, 2, true);

	(void)state;
	pkt.b[80 + 3] = 3;
	expect_refusal(&sid, &pkt, SRV6_BAD_SRH, 83);
}

static void endpoint_two_srhs_are_taken_in_turn(void **state)
{
	const struct sid usp = sid_of(SRV6_END, SRV6_USP);
	const struct sid dt6 = sid_of(SRV6_END_DT6, 0);
	struct srv6_packet done = start();
	struct srv6_packet pending = start();
	struct srv6_packet after = srv6_packet_start(HOPS - 1, srv6_packet_segment(0));
	const struct srv6_packet bare = plain(IPPROTO_ICMPV6);

	(void)state;
	srv6_packet_add_srh(&done, 0, 0, 2);
	srv6_packet_add_srh(&done, 0, 1, 4);
	srv6_packet_add(&done, IPPROTO_ICMPV6, INNER_LEN);
	expect_local(&usp, &done, &bare, 40);

	srv6_packet_add_srh(&pending, 0, 0, 2);
	srv6_packet_add_srh(&pending, 1, 0, 2);
	srv6_packet_add(&pending, IPPROTO_IPV6, INNER_LEN);
	srv6_packet_add_srh(&after, 0, 0, 2);
	srv6_packet_add_srh(&after, 0, 0, 2);
	srv6_packet_add(&after, IPPROTO_IPV6, INNER_LEN);
	expect_forward(&usp, &pending, &after);
	expect_refusal(&dt6, &pending, SRV6_BAD_SRH, SL_OFF + 24);
}

static void endpoint_fragment_is_dropped_unless_behind_the_srh(void **state)
{
	(void)state;
	for (int behavior = 0; behavior < SRV6_N_BEHAVIORS; behavior++) {
		const struct sid sid = sid_of(behavior, SRV6_USD);
		struct srv6_packet bare = start(), before_srh = start(), behind_srh = start();

		srv6_packet_add_fragment(&bare, 1);
		srv6_packet_add(&bare, IPPROTO_IPV6, INNER_LEN);
		expect_refusal(&sid, &bare, SRV6_FRAGMENT, 0);
		srv6_packet_add_fragment(&before_srh, 1 << 3);
		srv6_packet_add_srh(&before_srh, 1, 0, 2);
		expect_refusal(&sid, &before_srh, SRV6_FRAGMENT, 0);
		srv6_packet_add_srh(&behind_srh, 0, 0, 2);
		srv6_packet_add_fragment(&behind_srh, 1);
		srv6_packet_add(&behind_srh, IPPROTO_ICMPV6, INNER_LEN);
		expect_refusal(&sid, &behind_srh, SRV6_FRAGMENT, 0);
	}
}

static void endpoint_fragments_pass_on_along_their_segments(void **state)
{
	const struct sid psp = sid_of(SRV6_END, SRV6_PSP);
	struct srv6_packet before = start();
	struct srv6_packet after = srv6_packet_start(HOPS - 1, srv6_packet_segment(0));

	(void)state;
	srv6_packet_add_srh(&before, 1, 1, 4);
	srv6_packet_add_fragment(&before, 1);
	srv6_packet_add(&before, IPPROTO_IPV6, INNER_LEN);
	srv6_packet_add_fragment(&after, 1);
	srv6_packet_add(&after, IPPROTO_IPV6, INNER_LEN);
	expect_forward(&psp, &before, &after);
}

static void endpoint_atomic_fragment_is_skipped(void **state)
{
	const struct sid sid = sid_of(SRV6_END_DT46, 0);
	struct srv6_packet pkt = start();

	(void)state;
	srv6_packet_add_fragment(&pkt, 0);
	srv6_packet_add(&pkt, IPPROTO_IPIP, INNER_LEN);
	expect_decap(&sid, &pkt, SRV6_DECAP_IP4, 48);
}

static void endpoint_other_routing_header_is_skipped_or_refused(void **state)
{
	(void)state;
	for (int behavior = 0; behavior < SRV6_N_BEHAVIORS; behavior++) {
		const struct sid sid = sid_of(behavior, SRV6_USD);
		struct srv6_packet done = start(), pending = start();

		srv6_packet_add_routing(&done, 3, 0, 1);
		srv6_packet_add(&done, IPPROTO_IPV6, INNER_LEN);
		expect_upper(&sid, &done, IPPROTO_IPV6);
		srv6_packet_add_options(&pending, IPPROTO_DSTOPTS, 0);
		srv6_packet_add_routing(&pending, 0, 1, 2);
		srv6_packet_add(&pending, IPPROTO_IPV6, INNER_LEN);
		expect_refusal(&sid, &pending, SRV6_BAD_ROUTING_TYPE, 50);
	}
}

static void endpoint_headers_past_the_payload_are_truncated(void **state)
{
	(void)state;
	for (int behavior = 0; behavior < SRV6_N_BEHAVIORS; behavior++) {
		const struct sid sid = sid_of(behavior, SRV6_PSP | SRV6_USP | SRV6_USD);

		// The bytes are there, as padding, but the packet ends within the SRH.
		for (uint8_t payload_len = 0; payload_len < 40; payload_len++) {
			struct srv6_packet pkt = routed(HOPS, 1, 1, 4, IPPROTO_IPV6);

			pkt.b[5] = payload_len;
			expect_refusal(&sid, &pkt, SRV6_TRUNCATED, 0);
		}
	}
}

static void endpoint_too_many_headers_are_refused(void **state)
{
	const struct sid sid = sid_of(SRV6_END_DT6, 0);
	struct srv6_packet most = start();
	struct srv6_packet too_many = start();

	(void)state;
	srv6_packet_add_srh(&most, 0, 0, 2);
	srv6_packet_add_options(&too_many, IPPROTO_DSTOPTS, 0);
	srv6_packet_add_srh(&too_many, 0, 0, 2);
	for (int i = 1; i < SRH_MAX_EXT_HEADERS; i++) {
		srv6_packet_add_options(&most, IPPROTO_DSTOPTS, 0);
		srv6_packet_add_options(&too_many, IPPROTO_DSTOPTS, 0);
	}
	srv6_packet_add(&most, IPPROTO_IPV6, INNER_LEN);
	srv6_packet_add(&too_many, IPPROTO_IPV6, INNER_LEN);
	expect_decap(&sid, &most, SRV6_DECAP_IP6, 64 + 8 * (SRH_MAX_EXT_HEADERS - 1));
	expect_refusal(&sid, &too_many, SRV6_TOO_MANY_HEADERS, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoint_every_sl_le_length_follows_rfc8986),
		cmocka_unit_test(endpoint_largest_list_is_followed),
		cmocka_unit_test(endpoint_psp_of_a_long_packet_carries_in_the_length),
		cmocka_unit_test(endpoint_hop_limit_runs_out_before_anything_else),
		cmocka_unit_test(endpoint_hop_limit_two_goes_on),
		cmocka_unit_test(endpoint_ping_is_answered_with_and_without_srh),
		cmocka_unit_test(endpoint_every_upper_layer_follows_the_behavior),
		cmocka_unit_test(endpoint_decap_with_segments_left_is_a_bad_srh),
		cmocka_unit_test(endpoint_srh_between_options_is_followed_and_removed),
		cmocka_unit_test(endpoint_bad_srh_behind_options_is_pointed_at),
		cmocka_unit_test(endpoint_two_srhs_are_taken_in_turn),
		cmocka_unit_test(endpoint_fragment_is_dropped_unless_behind_the_srh),
		cmocka_unit_test(endpoint_fragments_pass_on_along_their_segments),
		cmocka_unit_test(endpoint_atomic_fragment_is_skipped),
		cmocka_unit_test(endpoint_other_routing_header_is_skipped_or_refused),
		cmocka_unit_test(endpoint_headers_past_the_payload_are_truncated),
		cmocka_unit_test(endpoint_too_many_headers_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
