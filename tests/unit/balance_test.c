// SPDX-License-Identifier: Apache-2.0

// Whose turn it is: known orders, shares, and a naive earliest-deadline-first queue over random weights.

#include "l7/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l7/edf.h"

enum {
	MAX_ENDPOINTS = 4096,
};

// Endpoint i has slot 100 + i.
static struct cluster *build(const uint32_t *weights, uint32_t n)
{
	static struct endpoint_spec endpoints[MAX_ENDPOINTS];
	static uint32_t slots[MAX_ENDPOINTS];
	struct locality_spec locality = {
		.region = "", .zone = "", .sub_zone = "", .n_endpoints = n, .endpoints = endpoints};
	struct cluster_spec spec = {
		.overprovisioning_percent = 140, .n_localities = 1, .localities = &locality};
	struct cluster *cluster;

	for (uint32_t i = 0; i < n; i++) {
		endpoints[i].weight = weights[i];
		slots[i] = 100 + i;
	}
	cluster = cluster_build(&spec, slots);
	assert_non_null(cluster);
	return cluster;
}

static void expect_order(const uint32_t *weights, uint32_t n, const char *order)
{
	struct cluster *cluster = build(weights, n);
	struct balance_state state = {0};

	for (const char *c = order; *c != '\0'; c++)
		assert_int_equal(
			balance_pick(cluster, &state, NULL, 0), 100 + (uint32_t)(*c - 'a'));
	block_release(&cluster->block);
}

static void balance_known_weights_take_turns_in_deadline_order(void **state)
{
	(void)state;
	expect_order((const uint32_t[]){1}, 1, "aaa");
	expect_order((const uint32_t[]){1, 1, 1}, 3, "abcabc");
	expect_order((const uint32_t[]){5, 5}, 2, "abab");
	// Due at 1/3, 2/3, 1 and at 1: the one that has waited longer goes first.
	expect_order((const uint32_t[]){3, 1}, 2, "aabaaaba");
	expect_order((const uint32_t[]){1, 3}, 2, "bbabbbab");
	expect_order((const uint32_t[]){1, 2, 3}, 3, "cbcabccbcabc");
	expect_order((const uint32_t[]){200, 100}, 2, "abaaba");
}

// A list kept by hand instead of a heap, and fractions instead of scaled weights.
static void balance_random_weights_agree_with_naive_queue(void **state)
{
	(void)state;
	srand(11);
	for (int round = 0; round < 300; round++) {
		uint32_t n = 1 + (uint32_t)rand() % 12, weights[12], n_had[12] = {0}, sum = 0;
		uint32_t queue[12];
		struct balance_state turn = {0};
		struct cluster *cluster;

		for (uint32_t i = 0; i < n; i++) {
			weights[i] = 1 + (uint32_t)rand() % 40;
			sum += weights[i];
			queue[i] = i;
		}
		cluster = build(weights, n);
		for (uint32_t pick = 0; pick < sum; pick++) {
			uint32_t best = 0, endpoint;

			for (uint32_t i = 1; i < n; i++) {
				uint32_t x = queue[i], y = queue[best];

				if ((n_had[x] + 1) * weights[y] < (n_had[y] + 1) * weights[x])
					best = i;
			}
			endpoint = queue[best];
			memmove(&queue[best], &queue[best + 1], (n - best - 1) * sizeof(*queue));
			queue[n - 1] = endpoint;
			n_had[endpoint]++;
			// The period may be shorter: by then everything is as at the start but for the
			// order of those due together.
			if (pick < cluster->n_turns)
				assert_int_equal(
					balance_pick(cluster, &turn, NULL, 0), 100 + endpoint);
		}
		block_release(&cluster->block);
	}
}

static void expect_shares(const uint32_t *weights, uint32_t n, double tolerance)
{
	struct cluster *cluster = build(weights, n);
	struct balance_state state = {0};
	uint32_t *n_had = calloc(n, sizeof(*n_had));
	double sum = 0;

	assert_in_range(cluster->n_turns, n, EDF_MAX_TURNS);
	for (uint32_t i = 0; i < n; i++)
		sum += weights[i];
	for (uint32_t i = 0; i < cluster->n_turns; i++)
		n_had[balance_pick(cluster, &state, NULL, 0) - 100]++;
	for (uint32_t i = 0; i < n; i++) {
		double off = n_had[i] / (double)cluster->n_turns - weights[i] / sum;

		assert_true(n_had[i] > 0);
		assert_true(off <= tolerance && off >= -tolerance);
	}
	free(n_had);
	block_release(&cluster->block);
}

static void balance_weights_past_the_period_keep_their_shares(void **state)
{
	uint32_t *many = malloc(MAX_ENDPOINTS * sizeof(*many));

	(void)state;
	expect_shares((const uint32_t[]){999, 1}, 2, 0);
	expect_shares((const uint32_t[]){4000000, 2000000, 2000000}, 3, 0);
	expect_shares((const uint32_t[]){UINT32_MAX, 1}, 2, 1e-4);
	expect_shares((const uint32_t[]){1000003, 500009, 250007, 7}, 4, 3e-4);
	for (uint32_t i = 0; i < MAX_ENDPOINTS; i++)
		many[i] = 1 + i * 7919 % 100003;
	expect_shares(many, MAX_ENDPOINTS, 3e-4);
	free(many);
}

static void balance_tried_endpoints_are_passed_over_when_others_exist(void **state)
{
	const uint32_t weights[] = {1, 8, 1};
	struct cluster *cluster = build(weights, 3);
	struct balance_state turn = {0};

	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_not_equal(balance_pick(cluster, &turn, (const uint32_t[]){101}, 1), 101);
	for (int i = 0; i < 30; i++)
		assert_int_equal(
			balance_pick(cluster, &turn, (const uint32_t[]){101, 100}, 2), 102);
	for (int i = 0; i < 30; i++)
		assert_in_range(balance_pick(cluster, &turn, (const uint32_t[]){101, 100, 102}, 3),
			100, 102);
	block_release(&cluster->block);
}

static void balance_empty_cluster_has_nobody(void **state)
{
	struct cluster *cluster = build(NULL, 0);
	struct balance_state turn = {.turn = 5};

	(void)state;
	assert_int_equal(balance_pick(cluster, &turn, NULL, 0), BALANCE_NONE);
	block_release(&cluster->block);
}

// Each worker makes one request: no endpoint gets two of them before all have one.
static void balance_workers_start_at_different_endpoints(void **state)
{
	const uint32_t weights[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	(void)state;
	for (uint32_t n = 1; n <= 16; n++) {
		struct cluster *cluster = build(weights, n);
		uint32_t seen = 0;

		for (uint32_t w = 0; w < n; w++) {
			struct balance_state states[2];

			balance_start(states, 2, (uint16_t)w);
			seen |= 1u << (balance_pick(cluster, &states[1], NULL, 0) - 100);
		}
		assert_int_equal(seen, (1u << n) - 1);
		block_release(&cluster->block);
	}
}

static void balance_shorter_period_goes_on_inside(void **state)
{
	const uint32_t weights[] = {1, 1, 1, 1, 1};
	struct cluster *five = build(weights, 5);
	struct balance_state turn = {0};
	struct cluster *two;

	(void)state;
	for (int i = 0; i < 4; i++)
		balance_pick(five, &turn, NULL, 0);
	block_release(&five->block);
	two = build(weights, 2);
	assert_int_equal(balance_pick(two, &turn, NULL, 0), 100);
	assert_int_equal(balance_pick(two, &turn, NULL, 0), 101);
	block_release(&two->block);
}

static void cluster_choose_draws_fall_into_shares(void **state)
{
	// A share of weight 0 in the middle and at the end.
	const struct cluster_choice choices[] = {{90, 7}, {90, 8}, {100, 9}, {100, 10}};

	(void)state;
	assert_int_equal(cluster_choose(choices, 4, 0), 7);
	assert_int_equal(cluster_choose(choices, 4, 89), 7);
	assert_int_equal(cluster_choose(choices, 4, 90), 9);
	assert_int_equal(cluster_choose(choices, 4, 99), 9);
	assert_int_equal(cluster_choose(choices, 4, 100), 7);
	assert_int_equal(cluster_choose(choices, 4, 4294967295u), 9);
	assert_int_equal(cluster_choose(choices, 1, 4294967295u), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balance_known_weights_take_turns_in_deadline_order),
		cmocka_unit_test(balance_random_weights_agree_with_naive_queue),
		cmocka_unit_test(balance_weights_past_the_period_keep_their_shares),
		cmocka_unit_test(balance_tried_endpoints_are_passed_over_when_others_exist),
		cmocka_unit_test(balance_empty_cluster_has_nobody),
		cmocka_unit_test(balance_workers_start_at_different_endpoints),
		cmocka_unit_test(balance_shorter_period_goes_on_inside),
		cmocka_unit_test(cluster_choose_draws_fall_into_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
