// SPDX-License-Identifier: Apache-2.0

// Two oracles: a scan over all routes for small tables in which prefixes nest densely, and DPDK's
// rte_rib and rte_rib6 for large ones. The latter take their memory from EAL, which is started for this
// test without huge pages or devices.
#include "pipeline/lpm.h"

#include <rte_byteorder.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_rib.h>
#include <rte_rib6.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	BULK = 256,
};

static uint64_t seed;

static uint64_t random64(void)
{
	uint64_t x = seed += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint32_t random_below(uint32_t n)
{
	return (uint32_t)(random64() >> 32) % n;
}

static uint64_t top_bits(unsigned int n)
{
	return n == 0 ? 0 : UINT64_MAX << (64 - n);
}

static struct lpm_route make_route(uint64_t hi, uint64_t lo, unsigned int len, uint32_t dest)
{
	return (struct lpm_route){
		.hi = hi & top_bits(len < 64 ? len : 64),
		.lo = lo & top_bits(len < 64 ? 0 : len - 64),
		.len = (uint8_t)len,
		.dest = dest,
	};
}

static bool route_covers(const struct lpm_route *route, uint64_t hi, uint64_t lo)
{
	struct lpm_route key = make_route(hi, lo, route->len, 0);

	return key.hi == route->hi && key.lo == route->lo;
}

static uint32_t scan(const struct lpm_route *routes, size_t n_routes, uint64_t hi, uint64_t lo)
{
	const struct lpm_route *best = NULL;

	for (size_t i = 0; i < n_routes; i++)
		if (route_covers(&routes[i], hi, lo) && (best == NULL || routes[i].len > best->len))
			best = &routes[i];
	return best == NULL ? LPM_NO_ROUTE : best->dest;
}

static size_t sort_unique(struct lpm_route *routes, size_t n_routes)
{
	size_t n = 0;

	lpm_sort(routes, n_routes);
	for (size_t i = 0; i < n_routes; i++) {
		if (n > 0 && routes[n - 1].hi == routes[i].hi && routes[n - 1].lo == routes[i].lo &&
			routes[n - 1].len == routes[i].len)
			continue;
		routes[n++] = routes[i];
	}
	return n;
}

// Sorts, drops duplicates and builds; the memory bound is checked for every table of this file.
static struct lpm *build(struct lpm_route *routes, size_t *n_routes)
{
	struct lpm *lpm;

	*n_routes = sort_unique(routes, *n_routes);
	lpm = lpm_build(routes, *n_routes);
	assert_non_null(lpm);
	assert_true(lpm_bytes(lpm) <= 64 * *n_routes + 544);
	assert_int_equal(lpm->n_leaves, *n_routes + 1);
	return lpm;
}

static void lpm_empty_table_has_no_route(void **state)
{
	size_t n = 0;
	struct lpm *lpm = build(NULL, &n);

	(void)state;
	assert_int_equal(lpm->n_slots, 0);
	assert_int_equal(lpm_lookup(lpm, 0, 0), LPM_NO_ROUTE);
	assert_int_equal(lpm_lookup(lpm, UINT64_MAX, UINT64_MAX), LPM_NO_ROUTE);
	lpm_destroy(lpm);
	lpm_destroy(NULL);
}

static void lpm_default_route_matches_all(void **state)
{
	struct lpm_route routes[] = {make_route(0, 0, 0, 7)};
	size_t n = 1;
	struct lpm *lpm = build(routes, &n);

	(void)state;
	assert_int_equal(lpm->n_slots, 0);
	assert_int_equal(lpm_lookup(lpm, 0, 0), 7);
	assert_int_equal(lpm_lookup(lpm, UINT64_MAX, 1), 7);
	lpm_destroy(lpm);
}

static void lpm_default_and_host_route_are_told_apart(void **state)
{
	struct lpm_route routes[] = {make_route(0, 0, 0, 7), make_route(5, 9, 128, 8)};
	size_t n = 2;
	struct lpm *lpm = build(routes, &n);

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
		routes[i] = make_route(1, i, 128, i + 1);
	lpm = build(routes, &n);
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
	uint64_t hi = random64(), lo = random64();
	struct lpm_route routes[129];
	size_t n = 129;
	struct lpm *lpm;

	(void)state;
	for (uint32_t len = 0; len <= 128; len++)
		routes[len] = make_route(hi, lo, len, len + 1);
	lpm = build(routes, &n);
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
		make_route(1ull << 40, 0, 32, 1), make_route(1ull << 40, 0, 32, 2)};
	struct lpm_route unsorted[] = {make_route(2, 0, 64, 1), make_route(1, 0, 64, 2)};
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
	struct bit_picks picks = {.n_bits = 1 + random_below(10)};
	struct lpm_route routes[300];
	size_t n = random_below(2 + random_below(299));
	const struct lpm *lpms[BULK];
	uint64_t hi[BULK], lo[BULK];
	uint32_t dest[BULK];
	struct lpm *lpm;

	for (unsigned int i = 0; i < picks.n_bits; i++)
		picks.bits[i] = (uint8_t)random_below(n_key_bits);
	for (size_t i = 0; i < n; i++) {
		spread(&picks, random_below(1024), &hi[0], &lo[0]);
		routes[i] = make_route(hi[0], lo[0], random_below(n_key_bits + 1), (uint32_t)i + 1);
	}
	lpm = build(routes, &n);
	for (unsigned int i = 0; i < BULK; i++) {
		unsigned int flip = random_below(n_key_bits);

		spread(&picks, random_below(1024), &hi[i], &lo[i]);
		if (i % 4 == 0) // part from the prefixes where no route tells
			*(flip < 64 ? &hi[i] : &lo[i]) ^= 1ull << (63 - flip % 64);
		lpms[i] = lpm;
	}
	lpm6_lookup_bulk(lpms, hi, lo, dest, BULK);
	for (unsigned int i = 0; i < BULK; i++) {
		assert_int_equal(dest[i], scan(routes, n, hi[i], lo[i]));
		assert_int_equal(dest[i], lpm_lookup(lpm, hi[i], lo[i]));
	}
	if (n_key_bits <= 32) {
		memset(lo, 0x5a, sizeof(lo)); // IPv4 does not look at it
		memset(dest, 0xff, sizeof(dest));
		lpm4_lookup_bulk(lpms, hi, dest, BULK);
		for (unsigned int i = 0; i < BULK; i++)
			assert_int_equal(dest[i], scan(routes, n, hi[i], 0));
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
	const struct lpm *lpms[BULK];
	struct lpm_route routes[64];
	uint64_t hi[BULK], lo[BULK];
	uint32_t dest[BULK + 1], expected;

	(void)state;
	for (uint32_t t = 0; t < N_TABLES; t++) {
		size_t n = t; // table t: hosts 0..t-1, table 0 is empty

		for (uint32_t i = 0; i < t; i++)
			routes[i] = make_route((uint64_t)i << 32, 0, 32, t * 1000 + i);
		tables[t] = build(routes, &n);
	}
	for (unsigned int n = 0; n <= BULK; n++) {
		for (unsigned int i = 0; i < n; i++) {
			lpms[i] = tables[random_below(N_TABLES)];
			hi[i] = (uint64_t)random_below(N_TABLES) << 32;
			lo[i] = random64();
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

// Fills n routes of a shape that a trie may handle badly.
struct shape {
	const char *name;
	struct lpm_route (*route)(uint32_t i);
};

static struct lpm_route random_host(uint32_t i)
{
	return make_route(random64(), random64(), 128, i + 1);
}

static struct lpm_route consecutive_host(uint32_t i)
{
	return make_route(0x20010db8ull << 32, i, 128, i + 1);
}

// Every second, third, ... address: slots that are half, a third, ... full.
static struct lpm_route strided_host(uint32_t i)
{
	return make_route(0, (uint64_t)i * (1 + i % 7) << 3, 128, i + 1);
}

// 0/1, 10/2, 110/3, ...: one sibling on each level; below the last, all over again.
static struct lpm_route comb(uint32_t i)
{
	uint64_t hi = top_bits(i % 64) | (uint64_t)(i / 64) << 8;

	return make_route(hi, top_bits(i % 61), 1 + i % 128, i + 1);
}

// A chain of covers below each of many siblings.
static struct lpm_route chains(uint32_t i)
{
	return make_route((uint64_t)(i / 100) << 44, UINT64_MAX, 20 + i % 100, i + 1);
}

// One chain of 100 above all others.
static struct lpm_route deep(uint32_t i)
{
	return i < 100 ? make_route(0, 0, i, i + 1) : make_route(0, (uint64_t)i << 3, 125, i + 1);
}

// Powers of two apart: the first bits say nearly nothing, each level strips one route.
static struct lpm_route sparse(uint32_t i)
{
	return make_route(1ull << i % 64, (1ull << i / 64 % 64) | i / 4096, 128, i + 1);
}

// One bit that tells, two that do not, and so on: as many slots as the bound allows.
static struct lpm_route spaced(uint32_t i)
{
	uint64_t hi = 0;

	for (unsigned int k = 0; k < 16; k++)
		hi |= (uint64_t)(i >> k & 1) << (61 - 3 * k);
	return make_route(hi, 0, 64, i + 1);
}

// Pairs that differ in the last bit only.
static struct lpm_route twins(uint32_t i)
{
	return make_route((uint64_t)(i / 2) * 0x9e3779b97f4a7c15, i & 1, 128, i + 1);
}

// All the prefixes of 16 bits: no base prefix is longer than what the root could index.
static struct lpm_route full_binary(uint32_t i)
{
	unsigned int len = 31 - (unsigned int)__builtin_clz(i + 1);

	return make_route((uint64_t)(i + 1) << (63 - len) << 1, 0, len, i + 1);
}

static void lpm_adversarial_shapes_stay_in_the_memory_bound_and_match(void **state)
{
	static const struct shape shapes[] = {
		{"random_host", random_host},
		{"consecutive_host", consecutive_host},
		{"strided_host", strided_host},
		{"comb", comb},
		{"chains", chains},
		{"deep", deep},
		{"sparse", sparse},
		{"spaced", spaced},
		{"twins", twins},
		{"full_binary", full_binary},
	};
	static const size_t sizes[] = {2, 3, 5, 17, 100, 1000, 65535};
	struct lpm_route *routes = calloc(65535, sizeof(*routes));

	(void)state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			size_t n = sizes[k];
			struct lpm *lpm;

			for (uint32_t i = 0; i < n; i++)
				routes[i] = shapes[s].route(i);
			lpm = build(routes, &n);
			for (unsigned int i = 0; i < 50; i++) {
				const struct lpm_route *r = &routes[random_below((uint32_t)n)];
				uint64_t flip = i % 2 == 0 ? 0 : 1ull << random_below(64);

				assert_int_equal(lpm_lookup(lpm, r->hi, r->lo ^ flip),
					scan(routes, n, r->hi, r->lo ^ flip));
				assert_int_equal(lpm_lookup(lpm, r->hi ^ flip, r->lo),
					scan(routes, n, r->hi ^ flip, r->lo));
			}
			lpm_destroy(lpm);
		}
	}
	free(routes);
}

static void lpm_large_ip4_table_agrees_with_rib(void **state)
{
	enum {
		N = 100000,
		N_BULKS = 2000
	};
	struct rte_rib_conf conf = {.max_nodes = 2 * N + 2};
	struct lpm_route *routes = calloc(N, sizeof(*routes));
	const struct lpm *lpms[BULK];
	uint64_t hi[BULK], rib_dest;
	uint32_t dest[BULK];
	size_t n = N;
	struct rte_rib *rib = rte_rib_create("rib", SOCKET_ID_ANY, &conf);
	struct lpm *lpm;

	(void)state;
	assert_non_null(rib);
	for (uint32_t i = 0; i < N; i++)
		routes[i] =
			make_route(random64() >> 6 & ~(1ull << 50), 0, 6 + random_below(27), i + 1);
	lpm = build(routes, &n);
	for (size_t i = 0; i < n; i++) {
		struct rte_rib_node *node =
			rte_rib_insert(rib, (uint32_t)(routes[i].hi >> 32), routes[i].len);

		assert_non_null(node);
		rte_rib_set_nh(node, routes[i].dest);
	}
	for (unsigned int k = 0; k < N_BULKS; k++) {
		for (unsigned int i = 0; i < BULK; i++) {
			hi[i] = i % 2 == 0 ? random64() >> 6 : routes[random_below((uint32_t)n)].hi;
			hi[i] = (hi[i] ^ random64() >> 55 << 32) & top_bits(32);
			lpms[i] = lpm;
		}
		lpm4_lookup_bulk(lpms, hi, dest, BULK);
		for (unsigned int i = 0; i < BULK; i++) {
			struct rte_rib_node *node = rte_rib_lookup(rib, (uint32_t)(hi[i] >> 32));

			rib_dest = LPM_NO_ROUTE;
			if (node != NULL)
				rte_rib_get_nh(node, &rib_dest);
			assert_int_equal(dest[i], rib_dest);
		}
	}
	lpm_destroy(lpm);
	rte_rib_free(rib);
	free(routes);
}

static void to_bytes(uint64_t hi, uint64_t lo, uint8_t bytes[16])
{
	rte_be64_t words[2] = {rte_cpu_to_be_64(hi), rte_cpu_to_be_64(lo)};

	memcpy(bytes, words, sizeof(words));
}

// Lengths around the usual ones and around the middle, addresses below one /32.
static struct lpm_route random_ip6_route(uint32_t i)
{
	static const uint8_t lens[] = {
		33, 36, 40, 44, 46, 48, 48, 56, 63, 64, 64, 65, 70, 96, 127, 128};
	uint64_t hi = 0x20010db8ull << 32 | (random64() & 0x0000003fffff00ff);

	return make_route(hi, random64(), lens[random_below(sizeof(lens))], i + 1);
}

static void lpm_large_ip6_table_agrees_with_rib6(void **state)
{
	enum {
		N = 100000,
		N_BULKS = 2000
	};
	struct rte_rib6_conf conf = {.max_nodes = 2 * N + 2};
	struct lpm_route *routes = calloc(N, sizeof(*routes));
	const struct lpm *lpms[BULK];
	uint64_t hi[BULK], lo[BULK], rib_dest;
	uint32_t dest[BULK];
	uint8_t bytes[16];
	size_t n = N;
	struct rte_rib6 *rib = rte_rib6_create("rib6", SOCKET_ID_ANY, &conf);
	struct lpm *lpm;

	(void)state;
	assert_non_null(rib);
	for (uint32_t i = 0; i < N; i++)
		routes[i] = random_ip6_route(i);
	lpm = build(routes, &n);
	for (size_t i = 0; i < n; i++) {
		struct rte_rib6_node *node;

		to_bytes(routes[i].hi, routes[i].lo, bytes);
		node = rte_rib6_insert(rib, bytes, routes[i].len);
		assert_non_null(node);
		rte_rib6_set_nh(node, routes[i].dest);
	}
	for (unsigned int k = 0; k < N_BULKS; k++) {
		for (unsigned int i = 0; i < BULK; i++) {
			const struct lpm_route *r = &routes[random_below((uint32_t)n)];

			hi[i] = r->hi ^ (i % 3 == 1 ? 1ull << random_below(34) : 0);
			lo[i] = r->lo ^ (i % 3 == 2 ? 1ull << random_below(64) : 0);
			lpms[i] = lpm;
		}
		lpm6_lookup_bulk(lpms, hi, lo, dest, BULK);
		for (unsigned int i = 0; i < BULK; i++) {
			struct rte_rib6_node *node;

			to_bytes(hi[i], lo[i], bytes);
			node = rte_rib6_lookup(rib, bytes);
			rib_dest = LPM_NO_ROUTE;
			if (node != NULL)
				rte_rib6_get_nh(node, &rib_dest);
			assert_int_equal(dest[i], rib_dest);
		}
	}
	lpm_destroy(lpm);
	rte_rib6_free(rib);
	free(routes);
}

static int start_eal(void **state)
{
	static char *args[] = {"lpm_test", "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf",
		"-m", "256", "--log-level", "error"};

	(void)state;
	return rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0 ? -1 : 0;
}

static int stop_eal(void **state)
{
	(void)state;
	return rte_eal_cleanup();
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
		cmocka_unit_test(lpm_adversarial_shapes_stay_in_the_memory_bound_and_match),
		cmocka_unit_test(lpm_large_ip4_table_agrees_with_rib),
		cmocka_unit_test(lpm_large_ip6_table_agrees_with_rib6),
	};

	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
