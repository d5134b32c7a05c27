// SPDX-License-Identifier: Apache-2.0

#include "pipeline/flow_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_common.h>

enum {
	N_ENTRIES = 3000,
	N_TUPLES = 4 * N_ENTRIES, // that the random test draws from
	N_STEPS = 400000,
	GENERATION = 7,
};

static const uint64_t key[2] = {0x0123456789abcdef, 0xfedcba9876543210};

static int setup(void **state)
{
	*state = flow_table_create(N_ENTRIES, key);
	return *state == NULL;
}

static int teardown(void **state)
{
	flow_table_destroy(*state);
	return 0;
}

static struct flow_tuple tuple_of(uint32_t i)
{
	struct flow_tuple tuple = {
		.local = {10, 0, 0, 1},
		.remote = {192, 168, (uint8_t)(i >> 8), (uint8_t)i},
		.local_port_be = 0x5000,
		.remote_port_be = (uint16_t)(i >> 3),
		.vrf = (uint16_t)(i % 3),
		.family = 4,
	};

	if (i % 5 == 0) {
		tuple.family = 6;
		memcpy(tuple.remote + 12, &i, sizeof(i));
	}
	return tuple;
}

static uint32_t look_up(const struct flow_table *table, const struct flow_tuple *tuple)
{
	return flow_table_find(table, flow_table_hash(table, tuple), tuple);
}

static void flow_table_inserted_is_found(void **state)
{
	struct flow_table *table = *state;
	struct flow_tuple tuple = tuple_of(1);

	assert_int_equal(look_up(table, &tuple), FLOW_TABLE_NONE);
	assert_int_equal(flow_table_insert(table, 17, &tuple, GENERATION, 99), 0);
	assert_int_equal(look_up(table, &tuple), 17);
	assert_int_equal(flow_table_guess(table, flow_table_hash(table, &tuple)), 17);
	assert_int_equal(table->entries[17].generation, GENERATION);
	assert_int_equal(table->entries[17].endpoint, 99);
}

// Each part of a tuple counts.
static void flow_table_other_tuples_are_not_found(void **state)
{
	struct flow_table *table = *state;
	struct flow_tuple tuple = tuple_of(1);

	assert_int_equal(flow_table_insert(table, 0, &tuple, GENERATION, 0), 0);
	for (size_t i = 0; i < sizeof(tuple); i++) {
		struct flow_tuple other = tuple;

		((uint8_t *)&other)[i] ^= 1;
		assert_int_equal(look_up(table, &other), FLOW_TABLE_NONE);
	}
	assert_int_equal(look_up(table, &tuple), 0);
}

static void flow_table_taken_tuple_is_refused(void **state)
{
	struct flow_table *table = *state;
	struct flow_tuple tuple = tuple_of(1);

	assert_int_equal(flow_table_insert(table, 1, &tuple, GENERATION, 0), 0);
	assert_int_equal(flow_table_insert(table, 2, &tuple, GENERATION, 0), -EEXIST);
	assert_int_equal(look_up(table, &tuple), 1);
	assert_int_equal(table->entries[2].tuple.family, 0);
}

static void flow_table_hidden_keeps_its_entry(void **state)
{
	struct flow_table *table = *state;
	struct flow_tuple tuple = tuple_of(1);

	assert_int_equal(flow_table_insert(table, 1, &tuple, GENERATION, 0), 0);
	flow_table_hide(table, 1);
	assert_int_equal(look_up(table, &tuple), FLOW_TABLE_NONE);
	assert_true(flow_tuple_equal(&table->entries[1].tuple, &tuple));
	// Another number may have the tuple now, and keeps it.
	assert_int_equal(flow_table_insert(table, 2, &tuple, GENERATION, 0), 0);
	flow_table_hide(table, 1);
	flow_table_remove(table, 1);
	assert_int_equal(table->entries[1].tuple.family, 0);
	assert_int_equal(look_up(table, &tuple), 2);
}

static void flow_table_removed_twice_is_removed_once(void **state)
{
	struct flow_table *table = *state;
	struct flow_tuple tuple = tuple_of(1);

	assert_int_equal(flow_table_insert(table, 1, &tuple, GENERATION, 0), 0);
	flow_table_remove(table, 1);
	flow_table_remove(table, 1);
	assert_int_equal(look_up(table, &tuple), FLOW_TABLE_NONE);
}

static void flow_table_takes_as_many_as_promised(void **state)
{
	struct flow_table *table = *state;

	for (uint32_t i = 0; i < N_ENTRIES; i++) {
		struct flow_tuple tuple = tuple_of(i);

		assert_int_equal(flow_table_insert(table, i, &tuple, GENERATION, 0), 0);
	}
	for (uint32_t i = 0; i < N_ENTRIES; i++) {
		struct flow_tuple tuple = tuple_of(i);

		assert_int_equal(look_up(table, &tuple), i);
	}
}

static uint32_t n_passed(const struct flow_table *table)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= table->bucket_mask; i++)
		n += table->buckets[i].n_passed;
	return n;
}

// Tuples that hash to one bucket overflow into the next ones, and leave no trace when they go.
static void flow_table_full_bucket_overflows(void **state)
{
	struct flow_table *table = *state;
	struct flow_tuple tuples[3 * FLOW_TABLE_SLOTS];
	uint32_t n = 0;

	for (uint32_t i = 0; n < RTE_DIM(tuples); i++) {
		tuples[n] = tuple_of(i);
		// The last bucket: what it cannot hold goes on at the first.
		if (((uint32_t)flow_table_hash(table, &tuples[n]) & table->bucket_mask) ==
			table->bucket_mask)
			n++;
	}
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(flow_table_insert(table, i, &tuples[i], GENERATION, 0), 0);
	assert_int_not_equal(n_passed(table), 0);
	// The first ones go, the others stay reachable over the hole.
	for (uint32_t i = 0; i < n; i++) {
		flow_table_remove(table, i);
		for (uint32_t k = 0; k < n; k++)
			assert_int_equal(look_up(table, &tuples[k]), k <= i ? FLOW_TABLE_NONE : k);
	}
	assert_int_equal(n_passed(table), 0);
}

// Against an array that says who has which tuple.
static void flow_table_random_steps_agree_with_oracle(void **state)
{
	static uint32_t number_of[N_TUPLES], tuple_at[N_ENTRIES];
	struct flow_table *table = *state;

	memset(number_of, 0xff, sizeof(number_of));
	memset(tuple_at, 0xff, sizeof(tuple_at));
	srandom(20261123);
	for (uint32_t step = 0; step < N_STEPS; step++) {
		uint32_t number = (uint32_t)random() % N_ENTRIES;
		uint32_t t = (uint32_t)random() % N_TUPLES;
		struct flow_tuple tuple = tuple_of(t);

		assert_int_equal(look_up(table, &tuple), number_of[t]);
		if (tuple_at[number] != FLOW_TABLE_NONE) {
			flow_table_remove(table, number);
			number_of[tuple_at[number]] = FLOW_TABLE_NONE;
			tuple_at[number] = FLOW_TABLE_NONE;
		} else if (number_of[t] != FLOW_TABLE_NONE) {
			assert_int_equal(
				flow_table_insert(table, number, &tuple, step, t), -EEXIST);
		} else {
			assert_int_equal(flow_table_insert(table, number, &tuple, step, t), 0);
			number_of[t] = number;
			tuple_at[number] = t;
		}
	}
	for (uint32_t number = 0; number < N_ENTRIES; number++)
		flow_table_remove(table, number);
	assert_int_equal(n_passed(table), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(flow_table_inserted_is_found),
		CASE(flow_table_other_tuples_are_not_found),
		CASE(flow_table_taken_tuple_is_refused),
		CASE(flow_table_hidden_keeps_its_entry),
		CASE(flow_table_removed_twice_is_removed_once),
		CASE(flow_table_takes_as_many_as_promised),
		CASE(flow_table_full_bucket_overflows),
		CASE(flow_table_random_steps_agree_with_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
