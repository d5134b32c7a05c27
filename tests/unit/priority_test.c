// SPDX-License-Identifier: Apache-2.0

// How priorities share requests: the tables of Envoy's documentation (load_balancing/priority, degraded and
// panic_threshold), but for shares that these round otherwise than its code, which gives the rest to the first.

#include "l7/priority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
	MAX_LEVELS = 3,
	N_ENDPOINTS = 100, // of a level, so that they are percent
};

struct level {
	uint32_t healthy;
	uint32_t degraded;
	uint32_t n_endpoints;
};

// What a level gets, by source.
struct got {
	uint32_t percent[PRIORITY_ALL + 1];
};

static void share(const struct level *levels, uint32_t n, uint32_t panic_percent, struct got *got)
{
	static struct endpoint_spec endpoints[MAX_LEVELS][N_ENDPOINTS];
	struct locality_spec localities[MAX_LEVELS] = {0};
	struct cluster_spec spec = {.overprovisioning_percent = 140,
		.panic_percent = panic_percent,
		.n_localities = n,
		.localities = localities};
	struct priority_share shares[PRIORITY_MAX_SHARES];
	uint32_t n_shares;

	for (uint32_t i = 0; i < n; i++) {
		localities[i].priority = i;
		localities[i].n_endpoints = levels[i].n_endpoints;
		localities[i].endpoints = endpoints[i];
		for (uint32_t k = 0; k < levels[i].n_endpoints; k++)
			endpoints[i][k].health = k < levels[i].healthy ? ENDPOINT_HEALTHY
						 : k < levels[i].healthy + levels[i].degraded
							 ? ENDPOINT_DEGRADED
							 : ENDPOINT_UNHEALTHY;
	}
	memset(got, 0, n * sizeof(*got));
	n_shares = priority_share(&spec, shares);
	for (uint32_t i = 0; i < n_shares; i++) {
		assert_in_range(shares[i].priority, 0, n - 1);
		assert_in_range(shares[i].percent, 1, 100);
		got[shares[i].priority].percent[shares[i].source] += shares[i].percent;
	}
}

static void priority_health_decides_what_each_takes(void **state)
{
	static const struct {
		uint32_t n;
		uint32_t healthy[MAX_LEVELS];
		uint32_t percent[MAX_LEVELS];
		bool in_panic[MAX_LEVELS];
	} cases[] = {
		{2, {100, 100}, {100, 0}, {0}},
		{2, {72, 100}, {100, 0}, {0}},
		{2, {71, 100}, {99, 1}, {0}},
		{2, {50, 100}, {70, 30}, {0}},
		{2, {25, 100}, {35, 65}, {0}},
		{2, {0, 100}, {0, 100}, {0}},
		{2, {72, 72}, {100, 0}, {0}},
		{2, {71, 71}, {99, 1}, {0}},
		{2, {50, 50}, {70, 30}, {0}},
		{2, {50, 60}, {70, 30}, {0}},
		{2, {25, 25}, {50, 50}, {true, true}},
		{2, {5, 65}, {8, 92}, {true, false}}, // documented as 7 and 93
		{2, {0, 0}, {50, 50}, {true, true}},
		{3, {100, 100, 100}, {100, 0, 0}, {0}},
		{3, {72, 72, 100}, {100, 0, 0}, {0}},
		{3, {71, 71, 100}, {99, 1, 0}, {0}},
		{3, {50, 50, 100}, {70, 30, 0}, {0}},
		{3, {25, 100, 100}, {35, 65, 0}, {0}},
		{3, {25, 25, 100}, {35, 35, 30}, {0}},
		// In panic all of them, and so the sizes count.
		{3, {25, 25, 20}, {34, 33, 33}, {true, true, true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct level levels[MAX_LEVELS] = {0};
		struct got got[MAX_LEVELS];

		for (uint32_t k = 0; k < cases[i].n; k++)
			levels[k] = (struct level){cases[i].healthy[k], 0, N_ENDPOINTS};
		share(levels, cases[i].n, 50, got);
		for (uint32_t k = 0; k < cases[i].n; k++) {
			int source = cases[i].in_panic[k] ? PRIORITY_ALL : PRIORITY_HEALTHY;

			assert_int_equal(got[k].percent[source], cases[i].percent[k]);
			assert_int_equal(
				got[k].percent[PRIORITY_HEALTHY] + got[k].percent[PRIORITY_ALL],
				cases[i].percent[k]);
		}
	}
}

// The table's last row, and the healths that the text scales to 40 and 60 percent.
static void priority_without_panic_is_scaled_to_all(void **state)
{
	struct got got[MAX_LEVELS];

	(void)state;
	share((const struct level[]){{25, 0, 100}, {25, 0, 100}, {20, 0, 100}}, 3, 0, got);
	assert_int_equal(got[0].percent[PRIORITY_HEALTHY], 37); // documented as 36
	assert_int_equal(got[1].percent[PRIORITY_HEALTHY], 35); // likewise
	assert_int_equal(got[2].percent[PRIORITY_HEALTHY], 28);
	share((const struct level[]){{1, 0, 7}, {3, 0, 14}}, 2, 0, got);
	assert_int_equal(got[0].percent[PRIORITY_HEALTHY], 40);
	assert_int_equal(got[1].percent[PRIORITY_HEALTHY], 60);
}

static void priority_degraded_take_what_healthy_cannot(void **state)
{
	static const struct {
		uint32_t healthy, degraded;
		uint32_t percent[PRIORITY_ALL + 1];
	} cases[] = {
		{100, 0, {100, 0, 0}},
		{71, 0, {100, 0, 0}}, // alone there is nobody else to take the rest
		{71, 29, {99, 1, 0}}, {25, 65, {35, 65, 0}}, {0, 100, {0, 100, 0}},
		{5, 0, {0, 0, 100}}, // and in panic
	};
	struct got got[MAX_LEVELS];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		share(&(struct level){cases[i].healthy, cases[i].degraded, N_ENDPOINTS}, 1, 50,
			got);
		assert_memory_equal(got[0].percent, cases[i].percent, sizeof(got[0].percent));
	}
	// The next priority's healthy ones come first.
	share((const struct level[]){{50, 50, 100}, {20, 0, 100}}, 2, 50, got);
	assert_int_equal(got[0].percent[PRIORITY_HEALTHY], 70);
	assert_int_equal(got[1].percent[PRIORITY_HEALTHY], 28);
	assert_int_equal(got[0].percent[PRIORITY_DEGRADED], 2);
	// As a comment in Envoy's code has it: 10, 20 and 10 percent healthy, 20, 10 and 0 degraded.
	share((const struct level[]){{1, 2, 14}, {2, 1, 14}, {1, 0, 14}}, 3, 0, got);
	assert_int_equal(got[0].percent[PRIORITY_HEALTHY], 16);
	assert_int_equal(got[1].percent[PRIORITY_HEALTHY], 28);
	assert_int_equal(got[2].percent[PRIORITY_HEALTHY], 14);
	assert_int_equal(got[0].percent[PRIORITY_DEGRADED], 28);
	assert_int_equal(got[1].percent[PRIORITY_DEGRADED], 14);
}

static void priority_panic_begins_below_its_threshold(void **state)
{
	struct got got[MAX_LEVELS];

	(void)state;
	share((const struct level[]){{3, 2, 10}}, 1, 50, got); // 50 of 100: not below
	assert_int_equal(got[0].percent[PRIORITY_ALL], 0);
	share((const struct level[]){{3, 2, 10}}, 1, 51, got);
	assert_int_equal(got[0].percent[PRIORITY_ALL], 100);
	share((const struct level[]){{9, 0, 10}}, 1, 100, got); // full all the same
	assert_int_equal(got[0].percent[PRIORITY_ALL], 0);
}

static void priority_nobody_available_without_panic_has_no_shares(void **state)
{
	struct priority_share shares[PRIORITY_MAX_SHARES];
	const struct cluster_spec none = {.overprovisioning_percent = 140, .panic_percent = 50};
	struct got got[MAX_LEVELS];

	(void)state;
	share((const struct level[]){{0, 0, 10}, {0, 0, 10}}, 2, 0, got);
	for (int i = 0; i < 2; i++)
		for (int k = 0; k <= PRIORITY_ALL; k++)
			assert_int_equal(got[i].percent[k], 0);
	assert_int_equal(priority_share(&none, shares), 0);
}

static void priority_total_panic_shares_by_size(void **state)
{
	struct got got[3];

	(void)state;
	share((const struct level[]){{0, 0, 0}, {1, 0, 10}, {0, 0, 20}}, 3, 50, got);
	assert_int_equal(got[0].percent[PRIORITY_ALL], 0);
	assert_int_equal(got[1].percent[PRIORITY_ALL], 34);
	assert_int_equal(got[2].percent[PRIORITY_ALL], 66);
	// An empty first priority is passed over.
	share((const struct level[]){{0, 0, 0}, {10, 0, 10}}, 2, 50, got);
	assert_int_equal(got[1].percent[PRIORITY_HEALTHY], 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priority_health_decides_what_each_takes),
		cmocka_unit_test(priority_without_panic_is_scaled_to_all),
		cmocka_unit_test(priority_degraded_take_what_healthy_cannot),
		cmocka_unit_test(priority_panic_begins_below_its_threshold),
		cmocka_unit_test(priority_nobody_available_without_panic_has_no_shares),
		cmocka_unit_test(priority_total_panic_shares_by_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
