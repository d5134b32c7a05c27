// SPDX-License-Identifier: Apache-2.0

// Policies that choose by load or chance: against counts that a naive model gives.

#include "l7/balance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	MAX_ENDPOINTS = 64,
	FIRST_SLOT = 100,
	N_PICKS = 120000,
};

static uint64_t next_random(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return state;
}

struct world {
	struct cluster_spec spec;
	struct locality_spec locality;
	struct endpoint_spec endpoints[MAX_ENDPOINTS];
	struct cluster *cluster;
	struct balance_state state;
	uint32_t n_active[FIRST_SLOT + MAX_ENDPOINTS]; // by slot
	uint32_t n_had[MAX_ENDPOINTS];
};

// Endpoint i has slot FIRST_SLOT + i.
static void build(struct world *w, enum cluster_policy policy, const uint32_t *weights, uint32_t n)
{
	uint32_t slots[MAX_ENDPOINTS] = {0};

	w->locality = (struct locality_spec){.region = "",
		.zone = "",
		.sub_zone = "",
		.n_endpoints = n,
		.endpoints = w->endpoints};
	w->spec.policy = policy;
	w->spec.overprovisioning_percent = 140;
	w->spec.n_localities = 1;
	w->spec.localities = &w->locality;
	if (w->spec.choice_count == 0)
		w->spec.choice_count = 2;
	for (uint32_t i = 0; i < n; i++) {
		w->endpoints[i].weight = weights[i];
		slots[i] = FIRST_SLOT + i;
	}
	w->cluster = cluster_build(&w->spec, slots);
	assert_non_null(w->cluster);
}

static uint32_t pick(struct world *w, const uint32_t *tried, uint32_t n_tried)
{
	struct balance_load load = {w->n_active, next_random()};

	return balance_pick_by_load(w->cluster, &w->state, &load, tried, n_tried);
}

static void pick_many(struct world *w, uint32_t n)
{
	memset(w->n_had, 0, sizeof(w->n_had));
	for (uint32_t i = 0; i < n; i++)
		w->n_had[pick(w, NULL, 0) - FIRST_SLOT]++;
}

// Within five standard deviations of what N_PICKS draws give.
static void expect_share(const struct world *w, uint32_t endpoint, double share)
{
	double expected = N_PICKS * share;

	assert_true(fabs(w->n_had[endpoint] - expected) <= 5 * sqrt(expected * (1 - share)) + 1);
}

static void balance_load_random_is_even_whatever_weights_say(void **state)
{
	struct world w = {0};

	(void)state;
	build(&w, CLUSTER_RANDOM, (const uint32_t[]){1, 9, 90, 1}, 4);
	w.n_active[FIRST_SLOT] = 1000;
	pick_many(&w, N_PICKS);
	for (uint32_t i = 0; i < 4; i++)
		expect_share(&w, i, 0.25);
	block_release(&w.cluster->block);
}

// Endpoint i has i requests. Of c draws with repetition, the least is i unless all are above i - 1 and not all are
// above i.
static void expect_best_of(uint32_t n_choices)
{
	static const uint32_t weights[] = {7, 7, 7, 7, 7};
	struct world w = {.spec.choice_count = n_choices};

	build(&w, CLUSTER_LEAST_REQUEST, weights, 5);
	for (uint32_t i = 0; i < 5; i++)
		w.n_active[FIRST_SLOT + i] = i;
	pick_many(&w, N_PICKS);
	for (uint32_t i = 0; i < 5; i++)
		expect_share(&w, i, pow((5 - i) / 5.0, n_choices) - pow((4 - i) / 5.0, n_choices));
	block_release(&w.cluster->block);
}

static void balance_load_equal_weights_take_the_best_of_some(void **state)
{
	(void)state;
	expect_best_of(2);
	expect_best_of(3);
	expect_best_of(8);
}

// By the formula, for weights and loads of every kind. Shares of turns, not of chance: no pick is far off.
static void expect_weighed(struct world *w, uint32_t n, double bias)
{
	double sum = 0, counts[MAX_ENDPOINTS];

	for (uint32_t i = 0; i < n; i++) {
		counts[i] = w->endpoints[i].weight / pow(w->n_active[FIRST_SLOT + i] + 1.0, bias);
		sum += counts[i];
	}
	pick_many(w, N_PICKS);
	for (uint32_t i = 0; i < n; i++)
		assert_true(fabs(w->n_had[i] - N_PICKS * counts[i] / sum) < 40);
}

static void balance_load_other_weights_fall_with_requests(void **state)
{
	static const double biases[] = {0, 0.5, 1, 2};

	(void)state;
	for (uint32_t round = 0; round < 40; round++) {
		struct world w = {.spec.active_request_bias = biases[round % 4]};
		uint32_t n = 2 + (uint32_t)(next_random() >> 33) % (MAX_ENDPOINTS - 2);
		uint32_t weights[MAX_ENDPOINTS];

		for (uint32_t i = 0; i < n; i++) {
			weights[i] = 1 + (uint32_t)(next_random() >> 33) % 100 + (i == 0 ? 100 : 0);
			w.n_active[FIRST_SLOT + i] = (uint32_t)(next_random() >> 33) % 6;
		}
		build(&w, CLUSTER_LEAST_REQUEST, weights, n);
		expect_weighed(&w, n, w.spec.active_request_bias);
		block_release(&w.cluster->block);
	}
}

// Few picks come out as by turns: of any 40 in sequence 3/4 are the first one's, give or take two.
static void balance_load_other_weights_come_out_evenly_at_once(void **state)
{
	struct world w = {.spec.active_request_bias = 1};

	(void)state;
	build(&w, CLUSTER_LEAST_REQUEST, (const uint32_t[]){3, 1}, 2);
	for (uint32_t round = 0; round < 1000; round++) {
		pick_many(&w, 40);
		assert_in_range(w.n_had[0], 28, 32);
	}
	block_release(&w.cluster->block);
}

static void balance_load_weights_that_vanish_leave_turns(void **state)
{
	struct world w = {.spec.active_request_bias = 5000};

	(void)state;
	build(&w, CLUSTER_LEAST_REQUEST, (const uint32_t[]){3, 1, 2}, 3);
	for (uint32_t i = 0; i < 3; i++)
		w.n_active[FIRST_SLOT + i] = 1;
	pick_many(&w, 300);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(w.n_had[i], 100);
	block_release(&w.cluster->block);
}

static void balance_load_tried_endpoints_are_passed_over(void **state)
{
	static const uint32_t equal[] = {1, 1, 1}, other[] = {100, 1, 1};
	const uint32_t all[] = {FIRST_SLOT, FIRST_SLOT + 1, FIRST_SLOT + 2};

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		struct world w = {.spec.active_request_bias = 1};

		build(&w, round == 2 ? CLUSTER_RANDOM : CLUSTER_LEAST_REQUEST,
			round == 1 ? other : equal, 3);
		for (uint32_t i = 0; i < 100; i++) {
			assert_int_not_equal(pick(&w, all, 1), FIRST_SLOT);
			assert_int_equal(pick(&w, all, 2), FIRST_SLOT + 2);
			assert_in_range(pick(&w, all, 3), FIRST_SLOT, FIRST_SLOT + 2);
		}
		block_release(&w.cluster->block);
	}
}

static void balance_load_empty_cluster_has_nobody(void **state)
{
	struct world w = {0};

	(void)state;
	build(&w, CLUSTER_LEAST_REQUEST, NULL, 0);
	assert_int_equal(pick(&w, NULL, 0), BALANCE_NONE);
	block_release(&w.cluster->block);
}

// Two priorities share by turns, 70 to 30, and load decides within each.
static void balance_load_priorities_share_before_load_counts(void **state)
{
	static const uint32_t slots[] = {
		FIRST_SLOT, FIRST_SLOT + 1, FIRST_SLOT + 2, FIRST_SLOT + 3};
	struct endpoint_spec endpoints[4] = {{.weight = 1},
		{.weight = 1, .health = ENDPOINT_UNHEALTHY}, {.weight = 1}, {.weight = 1}};
	struct locality_spec places[2] = {{.region = "",
						  .zone = "",
						  .sub_zone = "",
						  .n_endpoints = 2,
						  .endpoints = endpoints},
		{.region = "",
			.zone = "",
			.sub_zone = "",
			.priority = 1,
			.n_endpoints = 2,
			.endpoints = endpoints + 2}};
	struct world w = {.spec = {.policy = CLUSTER_LEAST_REQUEST,
				  .choice_count = 8,
				  .overprovisioning_percent = 140,
				  .n_localities = 2,
				  .localities = places}};

	(void)state;
	w.cluster = cluster_build(&w.spec, slots);
	assert_non_null(w.cluster);
	w.n_active[FIRST_SLOT] = 50;
	w.n_active[FIRST_SLOT + 3] = 10;
	pick_many(&w, N_PICKS);
	assert_int_equal(w.n_had[0], N_PICKS * 7 / 10);
	assert_int_equal(w.n_had[1], 0);
	// Only when all eight draws are the busy one, it is taken.
	assert_int_equal(w.n_had[2] + w.n_had[3], N_PICKS * 3 / 10);
	assert_in_range(w.n_had[3], 80, 210);
	block_release(&w.cluster->block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balance_load_random_is_even_whatever_weights_say),
		cmocka_unit_test(balance_load_equal_weights_take_the_best_of_some),
		cmocka_unit_test(balance_load_other_weights_fall_with_requests),
		cmocka_unit_test(balance_load_other_weights_come_out_evenly_at_once),
		cmocka_unit_test(balance_load_weights_that_vanish_leave_turns),
		cmocka_unit_test(balance_load_tried_endpoints_are_passed_over),
		cmocka_unit_test(balance_load_empty_cluster_has_nobody),
		cmocka_unit_test(balance_load_priorities_share_before_load_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
