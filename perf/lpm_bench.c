// SPDX-License-Identifier: Apache-2.0

// TSC clocks per lookup of lpm4_lookup_bulk() and lpm6_lookup_bulk(), bytes a route and build time.
// Destinations are uniformly random and hit a route; they are computed from the route's number, so that
// making them up does not pull the routes through the caches. What is shown is the least, over many
// short rounds, of the median of a round's bursts: shared machines slow down for seconds at a time.

#include "pipeline/lpm.h"

#include <rte_common.h>
#include <rte_cycles.h>

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BURST = 256,
	SMALL_BURST = 32,
	BURSTS_PER_ROUND = 256,
	N_ROUNDS = 200,
	MAX_TABLES = 1000,
};

struct kind {
	const char *name;
	uint8_t family;
	uint8_t skip; // bits that all routes share
	uint8_t n_lens;
	uint8_t lens[9]; // a route takes one of them
};

static const struct kind KINDS[] = {
	{"ip4 /24../32", 4, 0, 9, {24, 25, 26, 27, 28, 29, 30, 31, 32}},
	{"ip6 /64", 6, 32, 1, {64}},
	{"ip6 /128", 6, 32, 1, {128}},
	{"ip6 /40../128", 6, 32, 8, {40, 44, 48, 48, 56, 64, 64, 128}},
};

struct size {
	uint32_t n_tables;
	uint32_t n_routes; // of each
};

static const struct size SIZES[] = {
	{1, 10}, {1, 1000}, {1, 100000}, {1, 1000000}, {1000, 10}, {1000, 100}, {1000, 1000}};

struct bench {
	const struct kind *kind;
	struct size size;
	struct lpm *tables[MAX_TABLES];
	double build_ms; // of one table
};

struct burst {
	const struct lpm *lpm[BURST];
	uint64_t hi[BURST];
	uint64_t lo[BURST];
	uint32_t dest[BURST];
};

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

// An address below route route_idx of table table_idx.
static void make_address(
	const struct kind *kind, uint32_t table_idx, uint32_t route_idx, uint64_t *hi, uint64_t *lo)
{
	uint64_t seed = mix((uint64_t)table_idx << 32 | route_idx);

	*hi = seed >> kind->skip | (kind->skip == 0 ? 0 : 0x20010db8ull << 32);
	*lo = kind->family == 4 ? 0 : mix(seed);
	if (kind->family == 4)
		*hi &= UINT64_MAX << 32;
}

static void make_route(
	const struct kind *kind, uint32_t table_idx, uint32_t route_idx, struct lpm_route *route)
{
	uint8_t len = kind->lens[route_idx % kind->n_lens];

	make_address(kind, table_idx, route_idx, &route->hi, &route->lo);
	if (len < 64)
		route->hi &= ~(UINT64_MAX >> len);
	if (len <= 64)
		route->lo = 0;
	route->len = len;
	route->dest = route_idx + 1;
}

static size_t drop_duplicates(struct lpm_route *routes, size_t n_routes)
{
	size_t n = 0;

	for (size_t i = 0; i < n_routes; i++) {
		const struct lpm_route *last = n == 0 ? NULL : &routes[n - 1];

		if (last == NULL || last->hi != routes[i].hi || last->lo != routes[i].lo ||
			last->len != routes[i].len)
			routes[n++] = routes[i];
	}
	return n;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int build_tables(struct bench *bench)
{
	struct lpm_route *routes = calloc(bench->size.n_routes, sizeof(*routes));
	uint64_t start, best_ns = UINT64_MAX;
	size_t n;

	if (routes == NULL)
		return -ENOMEM;
	for (uint32_t t = 0; t < bench->size.n_tables; t++) {
		for (uint32_t i = 0; i < bench->size.n_routes; i++)
			make_route(bench->kind, t, i, &routes[i]);
		start = now_ns();
		lpm_sort(routes, bench->size.n_routes);
		n = drop_duplicates(routes, bench->size.n_routes);
		bench->tables[t] = lpm_build(routes, n);
		best_ns = RTE_MIN(best_ns, now_ns() - start);
		if (bench->tables[t] == NULL)
			break;
	}
	free(routes);
	bench->build_ms = (double)best_ns / 1e6;
	return bench->tables[bench->size.n_tables - 1] == NULL ? -errno : 0;
}

static void fill_burst(const struct bench *bench, struct burst *burst, uint64_t *seed)
{
	for (unsigned int i = 0; i < BURST; i++) {
		uint64_t r = *seed = mix(*seed);
		uint32_t t = (uint32_t)(r >> 32) % bench->size.n_tables;

		burst->lpm[i] = bench->tables[t];
		make_address(bench->kind, t, (uint32_t)r % bench->size.n_routes, &burst->hi[i],
			&burst->lo[i]);
	}
}

static uint64_t time_burst(const struct bench *bench, struct burst *b, unsigned int n)
{
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BURST; i += n) {
		if (bench->kind->family == 4)
			lpm4_lookup_bulk(&b->lpm[i], &b->hi[i], &b->dest[i], n);
		else
			lpm6_lookup_bulk(&b->lpm[i], &b->hi[i], &b->lo[i], &b->dest[i], n);
	}
	return rte_rdtsc_precise() - start;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// Clocks per lookup in bursts of n.
static double measure(const struct bench *bench, unsigned int n)
{
	static struct burst burst;
	static uint64_t clocks[BURSTS_PER_ROUND];
	uint64_t seed = n, best = UINT64_MAX;

	for (unsigned int round = 0; round < N_ROUNDS; round++) {
		for (unsigned int i = 0; i < BURSTS_PER_ROUND; i++) {
			fill_burst(bench, &burst, &seed);
			clocks[i] = time_burst(bench, &burst, n);
		}
		qsort(clocks, BURSTS_PER_ROUND, sizeof(clocks[0]), compare_u64);
		best = RTE_MIN(best, clocks[BURSTS_PER_ROUND / 2]);
	}
	for (unsigned int i = 0; i < BURST; i++)
		if (burst.dest[i] == LPM_NO_ROUTE)
			fprintf(stderr, "lpm_bench: a destination has no route\n");
	return (double)best / BURST;
}

static int run(struct bench *bench)
{
	size_t n_bytes = 0, n_routes = 0;
	int rc = build_tables(bench);

	if (rc < 0)
		goto out;
	for (uint32_t t = 0; t < bench->size.n_tables; t++) {
		n_bytes += lpm_bytes(bench->tables[t]);
		n_routes += bench->tables[t]->n_leaves - 1;
	}
	printf("%-14s %7u %8u %8.1f %9.3f %8.1f %8.1f\n", bench->kind->name, bench->size.n_tables,
		bench->size.n_routes, (double)n_bytes / (double)n_routes, bench->build_ms,
		measure(bench, BURST), measure(bench, SMALL_BURST));
out:
	for (uint32_t t = 0; t < bench->size.n_tables; t++)
		lpm_destroy(bench->tables[t]);
	return rc;
}

static void pin_to_last_core(void)
{
	cpu_set_t cores, last;

	CPU_ZERO(&last);
	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return;
	for (size_t core = CPU_SETSIZE; core-- > 0;) {
		if (CPU_ISSET(core, &cores)) {
			CPU_SET(core, &last);
			break;
		}
	}
	sched_setaffinity(0, sizeof(last), &last);
}

int main(void)
{
	pin_to_last_core();
	printf("%-14s %7s %8s %8s %9s %8s %8s\n", "", "", "routes", "bytes", "build", "clocks",
		"clocks");
	printf("%-14s %7s %8s %8s %9s %8s %8s\n", "routes", "tables", "a table", "a route",
		"ms a tbl", "at 256", "at 32");
	for (size_t k = 0; k < RTE_DIM(KINDS); k++) {
		for (size_t s = 0; s < RTE_DIM(SIZES); s++) {
			struct bench bench = {.kind = &KINDS[k], .size = SIZES[s]};
			int rc = run(&bench);

			if (rc < 0) {
				fprintf(stderr, "lpm_bench: %s\n", strerror(-rc));
				return 1;
			}
		}
	}
	return 0;
}
