// SPDX-License-Identifier: Apache-2.0

// Large tables: shapes that a trie may handle badly, and DPDK's rte_rib and rte_rib6 as oracles. These take their memory
// from EAL, which is started for this test without huge pages or devices.

#include "tests/unit/lpm_rig.h"

#include <rte_byteorder.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_rib.h>
#include <rte_rib6.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Fills n routes of a shape that a trie may handle badly.
struct shape {
	const char *name;
	struct lpm_route (*route)(uint32_t i);
};

static struct lpm_route random_host(uint32_t i)
{
	return rig_make_route(rig_random64(), rig_random64(), 128, i + 1);
}

static struct lpm_route consecutive_host(uint32_t i)
{
	return rig_make_route(0x20010db8ull << 32, i, 128, i + 1);
}

// Every second, third, ... address: slots that are half, a third, ... full.
static struct lpm_route strided_host(uint32_t i)
{
	return rig_make_route(0, (uint64_t)i * (1 + i % 7) << 3, 128, i + 1);
}

// 0/1, 10/2, 110/3, ...: one sibling on each level; below the last, all over again.
static struct lpm_route comb(uint32_t i)
{
	uint64_t hi = rig_top_bits(i % 64) | (uint64_t)(i / 64) << 8;

	return rig_make_route(hi, rig_top_bits(i % 61), 1 + i % 128, i + 1);
}

// A chain of covers below each of many siblings.
static struct lpm_route chains(uint32_t i)
{
	return rig_make_route((uint64_t)(i / 100) << 44, UINT64_MAX, 20 + i % 100, i + 1);
}

// One chain of 100 above all others.
static struct lpm_route deep(uint32_t i)
{
	return i < 100 ? rig_make_route(0, 0, i, i + 1)
		       : rig_make_route(0, (uint64_t)i << 3, 125, i + 1);
}

// Powers of two apart: the first bits say nearly nothing, each level strips one route.
static struct lpm_route sparse(uint32_t i)
{
	return rig_make_route(1ull << i % 64, (1ull << i / 64 % 64) | i / 4096, 128, i + 1);
}

// One bit that tells, two that do not, and so on: as many slots as the bound allows.
static struct lpm_route spaced(uint32_t i)
{
	uint64_t hi = 0;

	for (unsigned int k = 0; k < 16; k++)
		hi |= (uint64_t)(i >> k & 1) << (61 - 3 * k);
	return rig_make_route(hi, 0, 64, i + 1);
}

// Pairs that differ in the last bit only.
static struct lpm_route twins(uint32_t i)
{
	return rig_make_route((uint64_t)(i / 2) * 0x9e3779b97f4a7c15, i & 1, 128, i + 1);
}

// All the prefixes of 16 bits: no base prefix is longer than what the root could index.
static struct lpm_route full_binary(uint32_t i)
{
	unsigned int len = 31 - (unsigned int)__builtin_clz(i + 1);

	return rig_make_route((uint64_t)(i + 1) << (63 - len) << 1, 0, len, i + 1);
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
			lpm = rig_build(routes, &n);
			for (unsigned int i = 0; i < 50; i++) {
				const struct lpm_route *r = &routes[rig_random_below((uint32_t)n)];
				uint64_t flip = i % 2 == 0 ? 0 : 1ull << rig_random_below(64);

				assert_int_equal(lpm_lookup(lpm, r->hi, r->lo ^ flip),
					rig_scan(routes, n, r->hi, r->lo ^ flip));
				assert_int_equal(lpm_lookup(lpm, r->hi ^ flip, r->lo),
					rig_scan(routes, n, r->hi ^ flip, r->lo));
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
	const struct lpm *lpms[RIG_BULK];
	uint64_t hi[RIG_BULK], rib_dest;
	uint32_t dest[RIG_BULK];
	size_t n = N;
	struct rte_rib *rib = rte_rib_create("rib", SOCKET_ID_ANY, &conf);
	struct lpm *lpm;

	(void)state;
	assert_non_null(rib);
	for (uint32_t i = 0; i < N; i++)
		routes[i] = rig_make_route(
			rig_random64() >> 6 & ~(1ull << 50), 0, 6 + rig_random_below(27), i + 1);
	lpm = rig_build(routes, &n);
	for (size_t i = 0; i < n; i++) {
		struct rte_rib_node *node =
			rte_rib_insert(rib, (uint32_t)(routes[i].hi >> 32), routes[i].len);

		assert_non_null(node);
		rte_rib_set_nh(node, routes[i].dest);
	}
	for (unsigned int k = 0; k < N_BULKS; k++) {
		for (unsigned int i = 0; i < RIG_BULK; i++) {
			hi[i] = i % 2 == 0 ? rig_random64() >> 6
					   : routes[rig_random_below((uint32_t)n)].hi;
			hi[i] = (hi[i] ^ rig_random64() >> 55 << 32) & rig_top_bits(32);
			lpms[i] = lpm;
		}
		lpm4_lookup_bulk(lpms, hi, dest, RIG_BULK);
		for (unsigned int i = 0; i < RIG_BULK; i++) {
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
	uint64_t hi = 0x20010db8ull << 32 | (rig_random64() & 0x0000003fffff00ff);

	return rig_make_route(hi, rig_random64(), lens[rig_random_below(sizeof(lens))], i + 1);
}

static void lpm_large_ip6_table_agrees_with_rib6(void **state)
{
	enum {
		N = 100000,
		N_BULKS = 2000
	};
	struct rte_rib6_conf conf = {.max_nodes = 2 * N + 2};
	struct lpm_route *routes = calloc(N, sizeof(*routes));
	const struct lpm *lpms[RIG_BULK];
	uint64_t hi[RIG_BULK], lo[RIG_BULK], rib_dest;
	uint32_t dest[RIG_BULK];
	uint8_t bytes[16];
	size_t n = N;
	struct rte_rib6 *rib = rte_rib6_create("rib6", SOCKET_ID_ANY, &conf);
	struct lpm *lpm;

	(void)state;
	assert_non_null(rib);
	for (uint32_t i = 0; i < N; i++)
		routes[i] = random_ip6_route(i);
	lpm = rig_build(routes, &n);
	for (size_t i = 0; i < n; i++) {
		struct rte_rib6_node *node;

		to_bytes(routes[i].hi, routes[i].lo, bytes);
		node = rte_rib6_insert(rib, bytes, routes[i].len);
		assert_non_null(node);
		rte_rib6_set_nh(node, routes[i].dest);
	}
	for (unsigned int k = 0; k < N_BULKS; k++) {
		for (unsigned int i = 0; i < RIG_BULK; i++) {
			const struct lpm_route *r = &routes[rig_random_below((uint32_t)n)];

			hi[i] = r->hi ^ (i % 3 == 1 ? 1ull << rig_random_below(34) : 0);
			lo[i] = r->lo ^ (i % 3 == 2 ? 1ull << rig_random_below(64) : 0);
			lpms[i] = lpm;
		}
		lpm6_lookup_bulk(lpms, hi, lo, dest, RIG_BULK);
		for (unsigned int i = 0; i < RIG_BULK; i++) {
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
	static char *args[] = {"lpm_large_test", "--no-huge", "--no-pci", "--no-telemetry",
		"--no-shconf", "-m", "256", "--log-level", "error"};

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
		cmocka_unit_test(lpm_adversarial_shapes_stay_in_the_memory_bound_and_match),
		cmocka_unit_test(lpm_large_ip4_table_agrees_with_rib),
		cmocka_unit_test(lpm_large_ip6_table_agrees_with_rib6),
	};

	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
