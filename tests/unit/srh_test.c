// SPDX-License-Identifier: Apache-2.0
#include "srv6/srh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"
#include "tests/unit/srv6_packet.h"

enum {
	FRAGMENT_RESERVED = 0x0006,
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

static struct srv6_packet start(void)
{
	return srv6_packet_start(64, srv6_packet_segment(0));
}

static enum srh_walk_result walk(
	const struct srv6_packet *pkt, uint32_t avail_len, struct srh_cursor *cursor)
{
	const uint8_t *bytes = guard_page_place(&page, pkt->b, avail_len);

	*cursor = (struct srh_cursor){.off = 40, .proto_off = 6, .proto = pkt->b[6]};
	return srh_walk(bytes, avail_len, 40u + pkt->b[4] * 256u + pkt->b[5], cursor);
}

// At every split the walk either gives the wanted answer or asks for bytes that bring it on.
static void expect(const struct srv6_packet *pkt, enum srh_walk_result wanted, uint32_t off,
	uint32_t proto_off)
{
	struct srh_cursor cursor;

	for (uint32_t avail_len = 40; avail_len <= pkt->len; avail_len++) {
		enum srh_walk_result result = walk(pkt, avail_len, &cursor);

		if (result == SRH_WALK_MORE) {
			assert_in_range(cursor.off, avail_len + 1, pkt->len);
			continue;
		}
		assert_int_equal(result, wanted);
		if (wanted == SRH_WALK_FRAGMENT || wanted == SRH_WALK_SRH ||
			wanted == SRH_WALK_UPPER || wanted == SRH_WALK_ROUTING)
			assert_int_equal(cursor.off, off);
		if (wanted == SRH_WALK_SRH || wanted == SRH_WALK_UPPER)
			assert_int_equal(cursor.proto_off, proto_off);
	}
	assert_int_equal(walk(pkt, pkt->len, &cursor), wanted);
}

static void srh_upper_layer_directly_behind_is_found(void **state)
{
	struct srv6_packet pkt = start();

	(void)state;
	srv6_packet_add(&pkt, IPPROTO_UDP, 8);
	expect(&pkt, SRH_WALK_UPPER, 40, 6);
}

static void srh_no_next_header_is_upper_layer(void **state)
{
	struct srv6_packet pkt = start();

	(void)state;
	expect(&pkt, SRH_WALK_UPPER, 40, 6);
}

static void srh_behind_options_is_found(void **state)
{
	struct srv6_packet pkt = start();

	(void)state;
	srv6_packet_add_options(&pkt, IPPROTO_HOPOPTS, 0);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 2);
	srv6_packet_add_srh(&pkt, 1, 1, 4);
	srv6_packet_add(&pkt, IPPROTO_IPV6, 40);
	expect(&pkt, SRH_WALK_SRH, 72, 48);
}

static void srh_whole_header_is_asked_for(void **state)
{
	struct srv6_packet pkt = start();
	struct srh_cursor cursor;

	(void)state;
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 0);
	srv6_packet_add_srh(&pkt, 1, 1, 4);
	srv6_packet_add(&pkt, IPPROTO_IPV6, 40);
	assert_int_equal(walk(&pkt, 40, &cursor), SRH_WALK_MORE);
	assert_int_equal(cursor.off, 48);
	assert_int_equal(walk(&pkt, 55, &cursor), SRH_WALK_MORE);
	assert_int_equal(cursor.off, 56);
	assert_int_equal(walk(&pkt, 87, &cursor), SRH_WALK_MORE);
	assert_int_equal(cursor.off, 88);
	assert_int_equal(walk(&pkt, 88, &cursor), SRH_WALK_SRH);
}

static void srh_walk_past_one_goes_on_behind_it(void **state)
{
	struct srv6_packet pkt = start();
	struct srh_cursor cursor;
	const struct srh *srh;

	(void)state;
	srh = srv6_packet_add_srh(&pkt, 0, 0, 2);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 1);
	srv6_packet_add(&pkt, IPPROTO_ICMPV6, 8);
	assert_int_equal(walk(&pkt, pkt.len, &cursor), SRH_WALK_SRH);
	cursor = (struct srh_cursor){.off = cursor.off + srh_len(srh),
		.proto_off = cursor.off,
		.proto = IPPROTO_DSTOPTS};
	assert_int_equal(srh_walk(pkt.b, pkt.len, pkt.len, &cursor), SRH_WALK_UPPER);
	assert_int_equal(cursor.off, 80);
	assert_int_equal(cursor.proto_off, 64);
	assert_int_equal(cursor.proto, IPPROTO_ICMPV6);
}

static void srh_fragment_stops_the_walk(void **state)
{
	(void)state;
	for (int bit = 0; bit < 16; bit++) {
		struct srv6_packet pkt = start();

		if (FRAGMENT_RESERVED & 1 << bit)
			continue;
		srv6_packet_add_fragment(&pkt, 1 << bit);
		srv6_packet_add_srh(&pkt, 1, 0, 2);
		expect(&pkt, SRH_WALK_FRAGMENT, 40, 6);
	}
}

static void srh_atomic_fragment_is_skipped(void **state)
{
	struct srv6_packet pkt = start();

	(void)state;
	srv6_packet_add_fragment(&pkt, FRAGMENT_RESERVED);
	srv6_packet_add(&pkt, IPPROTO_IPIP, 20);
	expect(&pkt, SRH_WALK_UPPER, 48, 40);
}

static void srh_other_routing_header_counts_by_its_segments_left(void **state)
{
	struct srv6_packet done = start();
	struct srv6_packet pending = start();

	(void)state;
	srv6_packet_add_routing(&done, 3, 0, 1);
	srv6_packet_add(&done, IPPROTO_IPV6, 40);
	expect(&done, SRH_WALK_UPPER, 56, 40);
	srv6_packet_add_options(&pending, IPPROTO_DSTOPTS, 0);
	srv6_packet_add_routing(&pending, 0, 1, 2);
	expect(&pending, SRH_WALK_ROUTING, 50, 40);
}

static void srh_header_past_the_packets_end_is_truncated(void **state)
{
	static const uint8_t protos[] = {
		IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT};

	(void)state;
	for (size_t i = 0; i < sizeof(protos); i++) {
		// Less than the eight bytes that every header has, then a length that lies.
		for (uint32_t len = 0; len < 16; len++) {
			struct srv6_packet pkt = start();
			uint8_t *hdr = srv6_packet_add(&pkt, protos[i], len);

			if (protos[i] == IPPROTO_FRAGMENT && len >= 8)
				break;
			memcpy(hdr, (uint8_t[]){IPPROTO_UDP, 1, SRH_ROUTING_TYPE, 0}, 4);
			expect(&pkt, SRH_WALK_TRUNCATED, 0, 0);
		}
	}
}

static void srh_bytes_behind_the_packets_end_do_not_count(void **state)
{
	struct srv6_packet pkt = start();

	(void)state;
	srv6_packet_add_srh(&pkt, 1, 0, 2);
	pkt.b[5] -= 8; // as if the last 8 bytes were Ethernet padding
	expect(&pkt, SRH_WALK_TRUNCATED, 0, 0);
}

static void srh_number_of_headers_is_bounded(void **state)
{
	struct srv6_packet pkt = start();

	(void)state;
	for (int i = 0; i < SRH_MAX_EXT_HEADERS; i++)
		srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 0);
	expect(&pkt, SRH_WALK_UPPER, 104, 96);
	srv6_packet_add_options(&pkt, IPPROTO_DSTOPTS, 0);
	expect(&pkt, SRH_WALK_TOO_MANY, 0, 0);
}

static void srh_len_covers_the_whole_range(void **state)
{
	(void)state;
	assert_int_equal(srh_len(&(struct srh){.hdr_ext_len = 0}), 8);
	assert_int_equal(srh_len(&(struct srh){.hdr_ext_len = 255}), 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srh_upper_layer_directly_behind_is_found),
		cmocka_unit_test(srh_no_next_header_is_upper_layer),
		cmocka_unit_test(srh_behind_options_is_found),
		cmocka_unit_test(srh_whole_header_is_asked_for),
		cmocka_unit_test(srh_walk_past_one_goes_on_behind_it),
		cmocka_unit_test(srh_fragment_stops_the_walk),
		cmocka_unit_test(srh_atomic_fragment_is_skipped),
		cmocka_unit_test(srh_other_routing_header_counts_by_its_segments_left),
		cmocka_unit_test(srh_header_past_the_packets_end_is_truncated),
		cmocka_unit_test(srh_bytes_behind_the_packets_end_do_not_count),
		cmocka_unit_test(srh_number_of_headers_is_bounded),
		cmocka_unit_test(srh_len_covers_the_whole_range),
	};

	return cmocka_run_group_tests(tests, map_page, unmap_page);
}
