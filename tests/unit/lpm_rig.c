// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lpm_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t seed;

uint64_t rig_random64(void)
{
	uint64_t x = seed += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint32_t rig_random_below(uint32_t n)
{
	return (uint32_t)(rig_random64() >> 32) % n;
}

uint64_t rig_top_bits(unsigned int n)
{
	return n == 0 ? 0 : UINT64_MAX << (64 - n);
}

struct lpm_route rig_make_route(uint64_t hi, uint64_t lo, unsigned int len, uint32_t dest)
{
	return (struct lpm_route){
		.hi = hi & rig_top_bits(len < 64 ? len : 64),
		.lo = lo & rig_top_bits(len < 64 ? 0 : len - 64),
		.len = (uint8_t)len,
		.dest = dest,
	};
}

static bool route_covers(const struct lpm_route *route, uint64_t hi, uint64_t lo)
{
	struct lpm_route key = rig_make_route(hi, lo, route->len, 0);

	return key.hi == route->hi && key.lo == route->lo;
}

uint32_t rig_scan(const struct lpm_route *routes, size_t n_routes, uint64_t hi, uint64_t lo)
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

struct lpm *rig_build(struct lpm_route *routes, size_t *n_routes)
{
	struct lpm *lpm;

	*n_routes = sort_unique(routes, *n_routes);
	lpm = lpm_build(routes, *n_routes);
	assert_non_null(lpm);
	assert_true(lpm_bytes(lpm) <= 64 * *n_routes + 544);
	assert_int_equal(lpm->n_leaves, *n_routes + 1);
	return lpm;
}
