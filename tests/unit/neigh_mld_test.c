// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/neigh_mld.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"

// From fe80::1 to ff02::1, all groups; the checksum is none of the parser's business.
static const uint8_t query[] = {0x60, 0, 0, 0, 0, 28, 58, 1, 0xfe, 0x80, [23] = 1, 0xff,
	2, [39] = 1, 130, 0, 0, 0, 3, 0xe8, 0, 0, [64] = 2, 125, 0, 0};

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

static void assert_refused(const uint8_t *pkt, uint32_t len)
{
	struct ip6_addr group;

	assert_int_equal(neigh_mld_parse_query(pkt, len, &group), -EBADMSG);
}

static void neigh_mld_query_names_its_group(void **state)
{
	uint8_t *pkt = guard_page_place(&page, query, sizeof(query));
	struct ip6_addr group = {{1}};

	(void)state;
	assert_int_equal(neigh_mld_parse_query(pkt, sizeof(query), &group), sizeof(query));
	assert_true(ip6_addr_is_unspecified(&group));
	pkt[48] = 0xff;
	pkt[63] = 9;
	assert_int_equal(neigh_mld_parse_query(pkt, sizeof(query), &group), sizeof(query));
	assert_int_equal(group.b[0], 0xff);
	assert_int_equal(group.b[15], 9);
}

static void neigh_mld_cut_query_is_refused(void **state)
{
	(void)state;
	for (uint32_t len = 0; len < sizeof(query); len++)
		assert_refused(guard_page_place(&page, query, len), len);
}

static void neigh_mld_other_messages_are_refused(void **state)
{
	static const struct {
		size_t off;
		uint8_t value;
	} wrong[] = {{6, 17}, {7, 2}, {8, 0x20}, {40, 131}, {5, 23}, {5, 29}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t *pkt = guard_page_place(&page, query, sizeof(query));

		pkt[wrong[i].off] = wrong[i].value;
		assert_refused(pkt, sizeof(query));
	}
}

static void neigh_mld_largest_report_has_a_right_checksum(void **state)
{
	static uint8_t pkt[NEIGH_MLD_MAX_WRITTEN];
	struct ip6_addr groups[NEIGH_MLD_MAX_GROUPS], src = ip6_addr_from(0xfe80ull << 48, 7);
	uint32_t sum = 58, len;

	(void)state;
	for (uint32_t i = 0; i < NEIGH_MLD_MAX_GROUPS; i++)
		groups[i] = ip6_addr_from(0xff02ull << 48, 0x1ff000000ull | i);
	len = neigh_mld_write_report(&src, groups, NEIGH_MLD_MAX_GROUPS, pkt);
	assert_int_equal(len, sizeof(pkt));
	assert_int_equal(pkt[4] << 8 | pkt[5], sizeof(pkt) - 40);
	assert_int_equal(pkt[54] << 8 | pkt[55], NEIGH_MLD_MAX_GROUPS);
	// RFC 8200 §8.1, by hand: addresses, length, next header, message.
	sum += len - 48;
	for (uint32_t i = 8; i < len; i += 2)
		if (i < 40 || i >= 48)
			sum += (uint32_t)(pkt[i] << 8 | pkt[i + 1]);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neigh_mld_query_names_its_group),
		cmocka_unit_test(neigh_mld_cut_query_is_refused),
		cmocka_unit_test(neigh_mld_other_messages_are_refused),
		cmocka_unit_test(neigh_mld_largest_report_has_a_right_checksum),
	};

	return cmocka_run_group_tests(tests, map_page, unmap_page);
}
