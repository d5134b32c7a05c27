// SPDX-License-Identifier: Apache-2.0

// Known answers, and a scan over all routes as the oracle for small tables in which prefixes nest densely.

#include "tests/unit/lpm_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void lpm_empty_table_has_no_route(void **state)
{
	size_t n = 0;
	struct lpm *lpm = rig_build(NULL, &n);

	(void)state;
	assert_int_equal(lpm->n_slots, 0);
	assert_int_equal(lpm_lookup(lpm, 0, 0), LPM_NO_ROUTE);
	assert_int_equal(lpm_lookup(lpm, UINT64_MAX, UINT64_MAX), LPM_NO_ROUTE);
	lpm_destroy(lpm);
	lpm_destroy(NULL);
}

static void lpm_default_route_matches_all(void **state)
{
	struct lpm_route routes[] = {rig_make_route(0, 0, 0, 7)};
	size_t n = 1;
	struct lpm *lpm = rig_build(routes, &n);

	(void)state;
	assert_int_equal(lpm->n_slots, 0);
	assert_int_equal(lpm_lookup(lpm, 0, 0), 7);
	assert_int_equal(lpm_lookup(lpm, UINT64_MAX, 1), 7);
	lpm_destroy(lpm);
}

static void lpm_default_and_host_route_are_told_apart(void **state)
{
	struct lpm_route routes[] = {rig_make_route(0, 0, 0, 7), rig_make_route(5, 9, 128, 8)};
	size_t n = 2;
	struct lpm *lpm = rig_build(routes, &n);

	(void)state;
	assert_int_equal(lpm_lookup(lpm, 5, 9), 8);
	assert_int_equal(lpm_lookup(lpm, 5, 8), 7);
	assert_int_equal(lpm_lookup(lpm, 4, 9), 7);
	lpm_destroy(lpm);
}

static void lpm_host_routes_match_exactly(void **state)
{
	struct lpm_route routes[512];
	size_t n = 512;
	struct lpm *lpm;

	(void)state;
	for (uint32_t i = 0; i < 512; i++)
		routes[i] = rig_make_route(1, i, 128, i + 1);
	lpm = rig_build(routes, &n);
	for (uint32_t i = 0; i < 512; i++)
		assert_int_equal(lpm_lookup(lpm, 1, i), i + 1);
	assert_int_equal(lpm_lookup(lpm, 1, 512), LPM_NO_ROUTE);
	assert_int_equal(lpm_lookup(lpm, 1, 1ull << 63), LPM_NO_ROUTE);
	assert_int_equal(lpm_lookup(lpm, 0, 5), LPM_NO_ROUTE);
	lpm_destroy(lpm);
}

// /0, /1, ... /128 of one address: an address that parts from it at bit d is route /d's.
static void lpm_nested_chain_finds_every_length(void **state)
{
	uint64_t hi = rig_random64(), lo = rig_random64();
	struct lpm_route routes[129];
	size_t n = 129;
	struct lpm *lpm;

	(void)state;
	for (uint32_t len = 0; len <= 128; len++)
		routes[len] = rig_make_route(hi, lo, len, len + 1);
	lpm = rig_build(routes, &n);
	assert_int_equal(lpm_lookup(lpm, hi, lo), 129);
	for (uint32_t d = 0; d < 128; d++) {
		uint64_t hi_flip = d < 64 ? 1ull << (63 - d) : 0;
		uint64_t lo_flip = d < 64 ? 0 : 1ull << (127 - d);

		assert_int_equal(lpm_lookup(lpm, hi ^ hi_flip, lo ^ lo_flip), d + 1);
	}
	lpm_destroy(lpm);
}

static void lpm_refuses_what_is_not_a_sorted_set_of_prefixes(void **state)
{
	struct lpm_route twice[] = {
		rig_make_route(1ull << 40, 0, 32, 1), rig_make_route(1ull << 40, 0, 32, 2)};
	struct lpm_route unsorted[] = {rig_make_route(2, 0, 64, 1), rig_make_route(1, 0, 64, 2)};
	struct lpm_route bad[] = {
		{.hi = 1, .len = 63, .dest = 1},
		{.hi = 1ull << 63, .len = 0, .dest = 1},
		{.lo = 1ull << 63, .len = 64, .dest = 1},
		{.lo = 1, .len = 127, .dest = 1},
		{.len = 129, .dest = 1},
	};

	(void)state;
	assert_null(lpm_build(twice, 2));
	assert_int_equal(errno, EEXIST);
	assert_null(lpm_build(unsorted, 2));
	assert_int_equal(errno, EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		assert_null(lpm_build(&bad[i], 1));
		assert_int_equal(errno, EINVAL);
	}
	assert_null(lpm_build(bad, (1u << 26) + 1));
	assert_int_equal(errno, E2BIG);
}

// Addresses of few bits, spread over the 128: many prefixes share and nest.
struct bit_picks {
	unsigned int n_bits;
	uint8_t bits[10];
};

static void spread(const struct bit_picks *picks, uint32_t value, uint64_t *hi, uint64_t *lo)
{
	*hi = 0;
	*lo = 0;
	for (unsigned int i = 0; i < picks->n_bits; i++) {
		uint64_t *word = picks->bits[i] < 64 ? hi : lo;

		if (value & 1u << i)
			*word |= 1ull << (63 - picks->bits[i] % 64);
	}
}

static void check_small_table(unsigned int n_key_bits)
{
	struct bit_picks picks = {.n_bits = 1 + rig_random_below(10)};
	struct lpm_route routes[300];
	size_t n = rig_random_below(2 + rig_random_below(299));
	const struct lpm *lpms[RIG_BULK];
	uint64_t hi[RIG_BULK], lo[RIG_BULK];
	uint32_t dest[RIG_BULK];
	struct lpm *lpm;

	for (unsigned int i = 0; i < sizeof(picks.bits); i++)
		picks.bits[i] = (uint8_t)rig_random_below(n_key_bits);
	for (size_t i = 0; i < n; i++) {
		spread(&picks, rig_random_below(1024), &hi[0], &lo[0]);
		routes[i] = rig_make_route(
			hi[0], lo[0], rig_random_below(n_key_bits + 1), (uint32_t)i + 1);
	}
	lpm = rig_build(routes, &n);
	for (unsigned int i = 0; i < RIG_BULK; i++) {
		unsigned int flip = rig_random_below(n_key_bits);

		spread(&picks, rig_random_below(1024), &hi[i], &lo[i]);
		if (i % 4 == 0) // part from the prefixes where no route tells
			*(flip < 64 ? &hi[i] : &lo[i]) ^= 1ull << (63 - flip % 64);
		lpms[i] = lpm;
	}
	lpm6_lookup_bulk(lpms, hi, lo, dest, RIG_BULK);
	for (unsigned int i = 0; i < RIG_BULK; i++) {
		assert_int_equal(dest[i], rig_scan(routes, n, hi[i], lo[i]));
		assert_int_equal(dest[i], lpm_lookup(lpm, hi[i], lo[i]));
	}
	if (n_key_bits <= 32) {
		memset(lo, 0x5a, sizeof(lo)); // IPv4 does not look at it
		memset(dest, 0xff, sizeof(dest));
		lpm4_lookup_bulk(lpms, hi, dest, RIG_BULK);
		for (unsigned int i = 0; i < RIG_BULK; i++)
			assert_int_equal(dest[i], rig_scan(routes, n, hi[i], 0));
	}
	lpm_destroy(lpm);
}

static void lpm_small_dense_tables_agree_with_a_scan(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 1500; i++) {
		check_small_table(128);
		check_small_table(8);
		check_small_table(32);
		check_small_table(70);
	}
}

static void lpm_bulk_of_mixed_tables_uses_each_ones_own(void **state)
{
	enum {
		N_TABLES = 40
	};
	struct lpm *tables[N_TABLES];
	const struct lpm *lpms[RIG_BULK];
	struct lpm_route routes[64];
	uint64_t hi[RIG_BULK], lo[RIG_BULK];
	uint32_t dest[RIG_BULK + 1], expected;

	(void)state;
	for (uint32_t t = 0; t < N_TABLES; t++) {
		size_t n = t; // table t: hosts 0..t-1, table 0 is empty

		for (uint32_t i = 0; i < t; i++)
			routes[i] = rig_make_route((uint64_t)i << 32, 0, 32, t * 1000 + i);
		tables[t] = rig_build(routes, &n);
	}
	for (unsigned int n = 0; n <= RIG_BULK; n++) {
		for (unsigned int i = 0; i < n; i++) {
			lpms[i] = tables[rig_random_below(N_TABLES)];
			hi[i] = (uint64_t)rig_random_below(N_TABLES) << 32;
			lo[i] = rig_random64();
		}
		for (int family = 4; family <= 6; family += 2) {
			memset(dest, 0xee, sizeof(dest));
			if (family == 4)
				lpm4_lookup_bulk(lpms, hi, dest, n);
			else
				lpm6_lookup_bulk(lpms, hi, lo, dest, n);
			for (unsigned int i = 0; i < n; i++) {
				uint32_t t = lpms[i]->n_leaves - 1, host = (uint32_t)(hi[i] >> 32);

				expected = host < t ? t * 1000 + host : LPM_NO_ROUTE;
				assert_int_equal(dest[i], expected);
			}
			assert_int_equal(dest[n], 0xeeeeeeee); // wrote no further
		}
	}
	for (uint32_t t = 0; t < N_TABLES; t++)
		lpm_destroy(tables[t]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lpm_empty_table_has_no_route),
		cmocka_unit_test(lpm_default_route_matches_all),
		cmocka_unit_test(lpm_default_and_host_route_are_told_apart),
		cmocka_unit_test(lpm_host_routes_match_exactly),
		cmocka_unit_test(lpm_nested_chain_finds_every_length),
		cmocka_unit_test(lpm_refuses_what_is_not_a_sorted_set_of_prefixes),
		cmocka_unit_test(lpm_small_dense_tables_agree_with_a_scan),
		cmocka_unit_test(lpm_bulk_of_mixed_tables_uses_each_ones_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
