// SPDX-License-Identifier: Apache-2.0
#include "srv6/headend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"
#include "tests/unit/srv6_packet.h"

enum {
	INNER_LEN = 0x0123,
	INNER_TC = 0xb9,
	FLOW_LABEL = 0x54321,
	FLAG_LINUX_HMAC = 0x08,
	D_BIT = 0x80,
	KEY_ID = 0x0a0b0c0d,
};

static struct guard_page page;

static int map_page(void **state)
{
	(void)state;
	page = guard_page_map();
	return 0;
}

static int unmap_page(void **state)
{
	(void)state;
	guard_page_unmap(&page);
	return 0;
}

static struct srv6_policy_spec plain_policy(enum srv6_headend headend)
{
	return (struct srv6_policy_spec){.headend = headend, .dscp = -1};
}

// In travel order, so that the SRH's entry i is srv6_packet_segment(i).
static int build(struct headend_list *list, const struct srv6_policy_spec *policy, uint32_t n)
{
	const struct ip6_addr source = srv6_packet_source();
	struct ip6_addr segments[SRV6_MAX_SEGMENTS + 1];
	const struct srv6_segment_list_spec spec = {
		.weight = 1, .n_segments = n, .segments = segments};

	for (uint32_t i = 0; i < n && i <= SRV6_MAX_SEGMENTS; i++)
		segments[i] = srv6_packet_segment(n - 1 - i);
	memset(list, 0xee, sizeof(*list));
	return headend_list_build(list, policy, &spec, &source);
}

// The header that INNER_TC, FLOW_LABEL and INNER_LEN must give.
static struct srv6_packet outer(uint8_t tc, uint8_t hop_limit, uint32_t n_segments)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, srv6_packet_segment(n_segments - 1));

	pkt.b[0] = 0x60 | tc >> 4;
	pkt.b[1] = (tc & 0x0f) << 4 | FLOW_LABEL >> 16;
	pkt.b[2] = FLOW_LABEL >> 8 & 0xff;
	pkt.b[3] = FLOW_LABEL & 0xff;
	return pkt;
}

static void add_list(struct srv6_packet *pkt, uint8_t segments_left, uint8_t n_entries)
{
	struct srh *srh = srv6_packet_add_srh(pkt, segments_left, n_entries - 1, 2 * n_entries);

	memset(srh->tag, 0, sizeof(srh->tag));
}

// wanted: the outer header. It must end exactly where the inner packet begins, here the guard page,
// and nothing before it is written.
static void expect_push(const struct headend_list *list, const struct hmac_keys *keys,
	enum headend_inner inner, uint8_t inner_tc, struct srv6_packet *wanted)
{
	uint8_t canvas[HEADEND_MAX_LEN + 8];
	uint8_t *placed;

	wanted->b[wanted->proto_off] = inner;
	wanted->b[4] = (wanted->len - 40 + INNER_LEN) >> 8;
	wanted->b[5] = (wanted->len - 40 + INNER_LEN) & 0xff;
	assert_int_equal(list->hdr_len, wanted->len);
	memset(canvas, 0xcc, sizeof(canvas));
	placed = guard_page_place(&page, canvas, wanted->len + 8);
	headend_push(list, keys, placed + 8, inner, inner_tc, INNER_LEN, 0xfff00000 | FLOW_LABEL);
	assert_memory_equal(placed, canvas, 8);
	assert_memory_equal(placed + 8, wanted->b, wanted->len);
}

static void headend_one_segment_writes_no_srh(void **state)
{
	static const enum headend_inner inners[] = {
		HEADEND_INNER_IP4, HEADEND_INNER_IP6, HEADEND_INNER_ETH};

	(void)state;
	for (int headend = 0; headend < SRV6_N_HEADENDS; headend++) {
		struct srv6_policy_spec policy = plain_policy(headend);
		struct srv6_packet wanted = outer(INNER_TC, 64, 1);
		struct headend_list list;

		assert_int_equal(build(&list, &policy, 1), 0);
		for (size_t i = 0; i < sizeof(inners) / sizeof(inners[0]); i++)
			expect_push(&list, NULL, inners[i], INNER_TC, &wanted);
	}
}

static void headend_encaps_lists_every_segment(void **state)
{
	(void)state;
	for (uint32_t n = 2; n <= SRV6_MAX_SEGMENTS; n++) {
		struct srv6_policy_spec policy =
			plain_policy(n % 2 ? SRV6_H_ENCAPS : SRV6_H_ENCAPS_L2);
		struct srv6_packet wanted = outer(INNER_TC, 64, n);
		const struct ip6_addr first = srv6_packet_segment(n - 1);
		struct headend_list list;

		add_list(&wanted, n - 1, n);
		assert_int_equal(build(&list, &policy, n), 0);
		assert_true(ip6_addr_equal(&list.first_segment, &first));
		expect_push(&list, NULL, HEADEND_INNER_IP6, INNER_TC, &wanted);
	}
}

static void headend_reduced_list_leaves_the_first_segment_out(void **state)
{
	(void)state;
	for (uint32_t n = 2; n <= SRV6_MAX_SEGMENTS; n++) {
		struct srv6_policy_spec policy =
			plain_policy(n % 2 ? SRV6_H_ENCAPS_RED : SRV6_H_ENCAPS_L2_RED);
		struct srv6_packet wanted = outer(INNER_TC, 64, n);
		struct headend_list list;

		add_list(&wanted, n - 1, n - 1);
		assert_int_equal(build(&list, &policy, n), 0);
		expect_push(&list, NULL, HEADEND_INNER_ETH, INNER_TC, &wanted);
	}
}

static void headend_forced_srh_lists_the_one_segment(void **state)
{
	(void)state;
	for (int headend = 0; headend < SRV6_N_HEADENDS; headend++) {
		struct srv6_policy_spec policy = plain_policy(headend);
		struct srv6_packet wanted = outer(INNER_TC, 64, 1);
		struct headend_list list;

		policy.force_srh = 1;
		add_list(&wanted, 0, 1);
		assert_int_equal(build(&list, &policy, 1), 0);
		expect_push(&list, NULL, HEADEND_INNER_IP4, INNER_TC, &wanted);
	}
}

static void headend_hop_limit_is_the_policys(void **state)
{
	struct srv6_policy_spec policy = plain_policy(SRV6_H_ENCAPS);
	struct srv6_packet wanted = outer(INNER_TC, 255, 1);
	struct headend_list list;

	(void)state;
	policy.hop_limit = 255;
	build(&list, &policy, 1);
	expect_push(&list, NULL, HEADEND_INNER_IP4, INNER_TC, &wanted);
}

static void headend_set_dscp_keeps_the_inner_ecn(void **state)
{
	struct srv6_policy_spec policy = plain_policy(SRV6_H_ENCAPS);
	struct headend_list list;

	(void)state;
	for (int dscp = 0; dscp < 64; dscp++) {
		policy.dscp = dscp;
		build(&list, &policy, 1);
		for (int ecn = 0; ecn < 4; ecn++) {
			struct srv6_packet wanted = outer(dscp << 2 | ecn, 64, 1);

			expect_push(&list, NULL, HEADEND_INNER_IP4, 0xb8 | ecn, &wanted);
		}
	}
}

static void headend_copied_dscp_is_the_whole_inner_tc(void **state)
{
	struct srv6_policy_spec policy = plain_policy(SRV6_H_ENCAPS);
	struct headend_list list;

	(void)state;
	build(&list, &policy, 1);
	for (int tc = 0; tc < 256; tc++) {
		struct srv6_packet wanted = outer(tc, 64, 1);

		expect_push(&list, NULL, HEADEND_INNER_IP6, tc, &wanted);
	}
}

static struct hmac_keys *create_keys(void)
{
	const struct srv6_hmac_key_spec spec = {.key_id = KEY_ID,
		.algorithm = SRV6_HMAC_SHA256,
		.secret_len = 3,
		.secret = {1, 2, 3}};

	return hmac_keys_create(&spec, 1);
}

// Adds to wanted's SRH a TLV whose digest is hmac.c's; hmac_test.c knows what that must be.
static void add_hmac_tlv(struct srv6_packet *wanted, const struct hmac_keys *keys, uint8_t d_bit)
{
	const struct ip6_addr source = srv6_packet_source();
	const uint8_t head[8] = {SRH_TLV_HMAC, 38, d_bit, 0, 0x0a, 0x0b, 0x0c, 0x0d};
	struct srh *srh = (struct srh *)(wanted->b + 40);

	memcpy(wanted->b + wanted->len, head, sizeof(head));
	srh->flags = FLAG_LINUX_HMAC;
	srh->hdr_ext_len += HMAC_TLV_LEN / 8;
	assert_true(hmac_insert(keys, &source, srh, wanted->len - 40));
	wanted->len += HMAC_TLV_LEN;
}

static void headend_hmac_tlv_follows_the_list(void **state)
{
	struct hmac_keys *keys = create_keys();

	(void)state;
	for (uint32_t n = 1; n <= SRV6_MAX_SEGMENTS; n++) {
		struct srv6_policy_spec policy = plain_policy(SRV6_H_ENCAPS);
		struct srv6_packet wanted = outer(INNER_TC, 64, n);
		const struct ip6_addr source = srv6_packet_source();
		struct headend_list list;
		struct srh *srh = (struct srh *)(wanted.b + 40);

		policy.hmac_key_id = KEY_ID;
		add_list(&wanted, n - 1, n);
		add_hmac_tlv(&wanted, keys, 0);
		assert_int_equal(build(&list, &policy, n), 0);
		expect_push(&list, keys, HEADEND_INNER_IP6, INNER_TC, &wanted);
		assert_int_equal(hmac_verify(keys, &source, srh), HMAC_OK);
	}
	hmac_keys_destroy(keys);
}

static void headend_hmac_of_a_reduced_list_sets_the_d_bit(void **state)
{
	struct hmac_keys *keys = create_keys();

	(void)state;
	for (uint32_t n = 1; n <= SRV6_MAX_SEGMENTS; n++) {
		struct srv6_policy_spec policy = plain_policy(SRV6_H_ENCAPS_RED);
		struct srv6_packet wanted = outer(INNER_TC, 64, n);
		struct headend_list list;

		policy.hmac_key_id = KEY_ID;
		add_list(&wanted, n - 1, n == 1 ? 1 : n - 1);
		add_hmac_tlv(&wanted, keys, n == 1 ? 0 : D_BIT);
		assert_int_equal(build(&list, &policy, n), 0);
		expect_push(&list, keys, HEADEND_INNER_IP6, INNER_TC, &wanted);
	}
	hmac_keys_destroy(keys);
}

static void headend_impossible_lists_are_refused(void **state)
{
	struct srv6_policy_spec policy = plain_policy(SRV6_H_ENCAPS);
	struct headend_list list;

	(void)state;
	assert_int_equal(build(&list, &policy, 0), -EINVAL);
	assert_int_equal(build(&list, &policy, SRV6_MAX_SEGMENTS + 1), -EINVAL);
	assert_int_equal(build(&list, &policy, SRV6_MAX_SEGMENTS), 0);
}

static const char *behavior_choice(int i)
{
	return srv6_behavior_name((enum srv6_behavior)i);
}

static const char *headend_choice(int i)
{
	return srv6_headend_name((enum srv6_headend)i);
}

static const char *flavor_choice(int i)
{
	return srv6_flavor_name((enum srv6_flavor)(1 << i));
}

// As a reader of names finds one: the first that is equal, up to the one that is none.
static int find_name(const char *(*choice)(int i), const char *text)
{
	for (int i = 0; choice(i) != NULL; i++)
		if (strcmp(choice(i), text) == 0)
			return i;
	return -1;
}

static void headend_names_go_both_ways(void **state)
{
	(void)state;
	for (int i = 0; i < SRV6_N_BEHAVIORS; i++)
		assert_int_equal(find_name(behavior_choice, srv6_behavior_name(i)), i);
	for (int i = 0; i < SRV6_N_HEADENDS; i++)
		assert_int_equal(find_name(headend_choice, srv6_headend_name(i)), i);
	for (int i = 0; 1 << i <= SRV6_NEXT_CSID; i++)
		assert_int_equal(find_name(flavor_choice, srv6_flavor_name(1 << i)), i);
	assert_string_equal(srv6_behavior_name(SRV6_END_B6_ENCAPS_RED), "End.B6.Encaps.Red");
	assert_string_equal(srv6_headend_name(SRV6_H_ENCAPS_L2_RED), "H.Encaps.L2.Red");
	assert_string_equal(srv6_flavor_name(SRV6_NEXT_CSID), "NEXT-C-SID");
}

static void headend_unknown_names_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(find_name(behavior_choice, "end"), -1);
	assert_int_equal(find_name(behavior_choice, ""), -1);
	assert_int_equal(find_name(headend_choice, "H.Encaps."), -1);
	assert_int_equal(find_name(flavor_choice, "psp"), -1);
	assert_null(srv6_behavior_name(SRV6_N_BEHAVIORS));
	assert_null(srv6_headend_name(SRV6_N_HEADENDS));
	assert_null(srv6_flavor_name(0));
	assert_null(srv6_flavor_name(SRV6_PSP | SRV6_USP));
	assert_null(srv6_flavor_name(1 << 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headend_one_segment_writes_no_srh),
		cmocka_unit_test(headend_encaps_lists_every_segment),
		cmocka_unit_test(headend_reduced_list_leaves_the_first_segment_out),
		cmocka_unit_test(headend_forced_srh_lists_the_one_segment),
		cmocka_unit_test(headend_hop_limit_is_the_policys),
		cmocka_unit_test(headend_set_dscp_keeps_the_inner_ecn),
		cmocka_unit_test(headend_copied_dscp_is_the_whole_inner_tc),
		cmocka_unit_test(headend_hmac_tlv_follows_the_list),
		cmocka_unit_test(headend_hmac_of_a_reduced_list_sets_the_d_bit),
		cmocka_unit_test(headend_impossible_lists_are_refused),
		cmocka_unit_test(headend_names_go_both_ways),
		cmocka_unit_test(headend_unknown_names_are_told_apart),
	};

	return cmocka_run_group_tests(tests, map_page, unmap_page);
}
