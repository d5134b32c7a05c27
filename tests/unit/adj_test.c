// SPDX-License-Identifier: Apache-2.0

#include "pipeline/adj.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_common.h>
#include <rte_rcu_qsbr.h>

#include "pipeline/reclaim.h"

enum {
	N_READERS = 2,
	N_KEYS = 512,
	N_TURNS = 20000,
};

static struct adj_key key_of(uint32_t i)
{
	struct adj_key key = {.iface = (uint16_t)(i % 3), .addr.family = i % 2 == 0 ? 6 : 4};

	memcpy(key.addr.addr.b, &i, sizeof(i));
	return key;
}

static struct adj adj_of(uint32_t i)
{
	struct adj adj = {.rewrite_len = 14, .iface = (uint16_t)(i % 3), .mtu = 1500};

	memcpy(adj.rewrite, &i, sizeof(i));
	return adj;
}

static uint32_t number_of(const struct adj *adj)
{
	uint32_t i;

	memcpy(&i, adj->rewrite, sizeof(i));
	return i;
}

// Without readers it keeps nothing.
static struct reclaim *no_readers;

static int setup(void **state)
{
	no_readers = reclaim_create(NULL);
	*state = adj_table_create(no_readers);
	return *state == NULL;
}

static int teardown(void **state)
{
	adj_table_destroy(*state);
	reclaim_destroy(no_readers);
	return 0;
}

static void adj_same_key_same_slot(void **state)
{
	struct adj_key a = key_of(1), b = key_of(2);
	uint32_t slot = adj_table_acquire(*state, &a), other = adj_table_acquire(*state, &b);

	assert_int_not_equal(slot, other);
	assert_int_equal(adj_table_acquire(*state, &a), slot);
	assert_int_equal(adj_table_find(*state, &a), slot);
	assert_int_equal(adj_table_find(*state, &b), other);
}

static void adj_keys_differ_by_interface_family_and_address(void **state)
{
	struct adj_key keys[4] = {key_of(4), key_of(4), key_of(4), key_of(4)};

	keys[1].iface++;
	keys[2].addr.family = 4;
	keys[3].addr.addr.b[15] = 1;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(adj_table_find(*state, &keys[i]), ADJ_NONE);
		assert_int_equal(adj_table_acquire(*state, &keys[i]), i);
	}
}

static void adj_last_reference_frees_the_slot(void **state)
{
	struct adj_key key = key_of(1), found;
	struct adj adj = adj_of(1);
	uint32_t slot = adj_table_acquire(*state, &key);

	adj_table_acquire(*state, &key);
	assert_int_equal(adj_table_set(*state, slot, &adj), 0);
	adj_table_release(*state, slot);
	assert_int_equal(adj_table_find(*state, &key), slot);
	assert_non_null(adj_table_get(*state, slot));
	adj_table_release(*state, slot);
	assert_int_equal(adj_table_find(*state, &key), ADJ_NONE);
	assert_null(adj_table_get(*state, slot));
	assert_false(adj_table_key(*state, slot, &found));
	key = key_of(2);
	assert_int_equal(adj_table_acquire(*state, &key), slot);
	assert_null(adj_table_get(*state, slot));
}

static void adj_set_replaces_and_clears(void **state)
{
	struct adj_key key = key_of(1), found;
	struct adj first = adj_of(10), second = adj_of(11);
	uint32_t slot = adj_table_acquire(*state, &key);

	assert_null(adj_table_get(*state, slot));
	assert_int_equal(adj_table_set(*state, slot, &first), 0);
	assert_int_equal(number_of(adj_table_get(*state, slot)), 10);
	assert_int_equal(adj_table_set(*state, slot, &second), 0);
	assert_int_equal(number_of(adj_table_get(*state, slot)), 11);
	assert_int_equal(adj_table_set(*state, slot, NULL), 0);
	assert_null(adj_table_get(*state, slot));
	assert_true(adj_table_key(*state, slot, &found));
	assert_memory_equal(&found.addr.addr, &key.addr.addr, sizeof(key.addr.addr));
	assert_false(adj_table_key(*state, ADJ_NONE, &found));
}

static void adj_touch_marks_once(void **state)
{
	struct adj adj = adj_of(1);

	(void)state;
	adj_touch(&adj);
	adj_touch(&adj);
	assert_int_equal(adj.used, 1);
}

static void adj_full_table_refuses(void **state)
{
	struct adj_key key;

	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i++) {
		key = key_of(i);
		assert_int_equal(adj_table_acquire(*state, &key), i);
	}
	key = key_of(ADJ_MAX_SLOTS);
	assert_int_equal(adj_table_acquire(*state, &key), ADJ_NONE);
	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i += 4097) {
		key = key_of(i);
		assert_int_equal(adj_table_find(*state, &key), i);
	}
	adj_table_release(*state, 77);
	key = key_of(ADJ_MAX_SLOTS);
	assert_int_equal(adj_table_acquire(*state, &key), 77);
}

// What a reader may hold, the entry of the index and what the slot points to, goes only when it has moved on.
static void adj_readers_keep_what_they_hold(void **state)
{
	size_t len = RTE_ALIGN(rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	struct rte_rcu_qsbr *qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, len);
	struct adj_key key = key_of(1);
	struct adj first = adj_of(1), second = adj_of(2);
	struct reclaim *reclaim;
	struct adj_table *table;
	uint32_t slot;

	(void)state;
	rte_rcu_qsbr_init(qsbr, 1);
	rte_rcu_qsbr_thread_register(qsbr, 0);
	rte_rcu_qsbr_thread_online(qsbr, 0);
	reclaim = reclaim_create(qsbr);
	table = adj_table_create(reclaim);
	slot = adj_table_acquire(table, &key);
	adj_table_set(table, slot, &first);
	assert_int_equal(reclaim_poll(reclaim), 0);
	adj_table_set(table, slot, &second);
	assert_int_equal(reclaim_poll(reclaim), 1);
	adj_table_release(table, slot);
	assert_int_equal(reclaim_poll(reclaim), 3);
	// Nor does another neighbour move into the slot before.
	key = key_of(2);
	assert_int_not_equal(adj_table_acquire(table, &key), slot);
	rte_rcu_qsbr_quiescent(qsbr, 0);
	assert_int_equal(reclaim_poll(reclaim), 0);
	key = key_of(3);
	assert_int_equal(adj_table_acquire(table, &key), slot);
	reclaim_destroy(reclaim);
	adj_table_destroy(table);
	free(qsbr);
}

// Readers look entries up while they come and go: keys that stay are always found, and whatever a slot points
// to is whole.
struct churn {
	struct adj_table *table;
	struct rte_rcu_qsbr *qsbr;
	_Atomic bool stop;
	_Atomic uint32_t next_reader;
	_Atomic uint64_t n_found;
	_Atomic uint64_t n_wrong;
};

static void read_one(struct churn *churn, uint32_t i)
{
	struct adj_key key = key_of(i);
	uint32_t slot = adj_table_find(churn->table, &key);
	const struct adj *adj = slot == ADJ_NONE ? NULL : adj_table_get(churn->table, slot);

	// Even keys stay; a slot of an odd one may be another's by the time it is read.
	if (i % 2 == 0 && (adj == NULL || number_of(adj) != i))
		churn->n_wrong++;
	if (adj != NULL && (adj->mtu != 1500 || adj->rewrite_len != 14 || number_of(adj) >= N_KEYS))
		churn->n_wrong++;
	if (adj != NULL)
		churn->n_found++;
}

static void *read_all(void *arg)
{
	struct churn *churn = arg;
	uint32_t reader = churn->next_reader++;

	rte_rcu_qsbr_thread_register(churn->qsbr, reader);
	rte_rcu_qsbr_thread_online(churn->qsbr, reader);
	while (!churn->stop) {
		for (uint32_t i = 0; i < N_KEYS; i++)
			read_one(churn, i);
		rte_rcu_qsbr_quiescent(churn->qsbr, reader);
	}
	rte_rcu_qsbr_thread_offline(churn->qsbr, reader);
	rte_rcu_qsbr_thread_unregister(churn->qsbr, reader);
	return NULL;
}

static uint32_t add_key(struct adj_table *table, uint32_t i)
{
	struct adj_key key = key_of(i);
	struct adj adj = adj_of(i);
	uint32_t slot = adj_table_acquire(table, &key);

	assert_int_not_equal(slot, ADJ_NONE);
	assert_int_equal(adj_table_set(table, slot, &adj), 0);
	return slot;
}

static void adj_readers_see_whole_entries(void **state)
{
	size_t len = RTE_ALIGN(rte_rcu_qsbr_get_memsize(N_READERS), RTE_CACHE_LINE_SIZE);
	struct churn churn = {.qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, len)};
	struct reclaim *reclaim;
	uint32_t slots[N_KEYS];
	pthread_t threads[N_READERS];
	unsigned int random = 3;

	(void)state;
	rte_rcu_qsbr_init(churn.qsbr, N_READERS);
	reclaim = reclaim_create(churn.qsbr);
	churn.table = adj_table_create(reclaim);
	for (uint32_t i = 0; i < N_KEYS; i++)
		slots[i] = add_key(churn.table, i);
	for (uint32_t i = 0; i < N_READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &churn), 0);
	for (uint32_t turn = 0; turn < N_TURNS || churn.n_found < N_TURNS; turn++) {
		uint32_t i = (uint32_t)rand_r(&random) % N_KEYS;
		struct adj adj = adj_of(i);

		if (i % 2 == 0) {
			adj_table_set(churn.table, slots[i], &adj);
		} else if (slots[i] == ADJ_NONE) {
			slots[i] = add_key(churn.table, i);
		} else {
			adj_table_release(churn.table, slots[i]);
			slots[i] = ADJ_NONE;
		}
		reclaim_poll(reclaim);
	}
	churn.stop = true;
	for (uint32_t i = 0; i < N_READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(churn.n_wrong, 0);
	assert_int_equal(reclaim_poll(reclaim), 0);
	reclaim_destroy(reclaim);
	adj_table_destroy(churn.table);
	free(churn.qsbr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adj_same_key_same_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(
			adj_keys_differ_by_interface_family_and_address, setup, teardown),
		cmocka_unit_test_setup_teardown(adj_last_reference_frees_the_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(adj_set_replaces_and_clears, setup, teardown),
		cmocka_unit_test(adj_touch_marks_once),
		cmocka_unit_test_setup_teardown(adj_full_table_refuses, setup, teardown),
		cmocka_unit_test(adj_readers_keep_what_they_hold),
		cmocka_unit_test(adj_readers_see_whole_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
