// SPDX-License-Identifier: Apache-2.0

#include "pipeline/reclaim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_common.h>
#include <rte_rcu_qsbr.h>

enum {
	N_READERS = 2,
};

struct fixture {
	struct rte_rcu_qsbr *qsbr;
	struct reclaim *reclaim;
};

// An object that counts when it is freed, and may give up another one then.
struct object {
	unsigned int *n_freed;
	struct reclaim *reclaim;
	struct object *owned;
};

static void free_object(void *arg)
{
	struct object *object = arg;

	++*object->n_freed;
	if (object->owned != NULL)
		reclaim_later(object->reclaim, object->owned, free_object);
}

static int setup(void **state)
{
	size_t len = RTE_ALIGN(rte_rcu_qsbr_get_memsize(N_READERS), RTE_CACHE_LINE_SIZE);
	struct fixture *f = calloc(1, sizeof(*f));

	f->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, len);
	rte_rcu_qsbr_init(f->qsbr, N_READERS);
	f->reclaim = reclaim_create(f->qsbr);
	for (unsigned int i = 0; i < N_READERS; i++) {
		rte_rcu_qsbr_thread_register(f->qsbr, i);
		rte_rcu_qsbr_thread_online(f->qsbr, i);
	}
	*state = f;
	return f->reclaim == NULL;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reclaim_destroy(f->reclaim);
	free(f->qsbr);
	free(f);
	return 0;
}

static void pass_grace_period(struct fixture *f)
{
	for (unsigned int i = 0; i < N_READERS; i++)
		rte_rcu_qsbr_quiescent(f->qsbr, i);
	assert_int_equal(reclaim_poll(f->reclaim), 0);
}

static void reclaim_waits_for_every_reader(void **state)
{
	struct fixture *f = *state;
	unsigned int n_freed = 0;
	struct object object = {.n_freed = &n_freed};

	reclaim_later(f->reclaim, &object, free_object);
	assert_int_equal(reclaim_poll(f->reclaim), 1);
	rte_rcu_qsbr_quiescent(f->qsbr, 0);
	assert_int_equal(reclaim_poll(f->reclaim), 1);
	assert_int_equal(n_freed, 0);
	rte_rcu_qsbr_quiescent(f->qsbr, 1);
	assert_int_equal(reclaim_poll(f->reclaim), 0);
	assert_int_equal(n_freed, 1);
	assert_int_equal(reclaim_poll(f->reclaim), 0);
	assert_int_equal(n_freed, 1);
}

static void reclaim_quiescence_before_does_not_count(void **state)
{
	struct fixture *f = *state;
	unsigned int n_freed = 0;
	struct object object = {.n_freed = &n_freed};

	rte_rcu_qsbr_quiescent(f->qsbr, 0);
	rte_rcu_qsbr_quiescent(f->qsbr, 1);
	reclaim_later(f->reclaim, &object, free_object);
	assert_int_equal(reclaim_poll(f->reclaim), 1);
	assert_int_equal(n_freed, 0);
	pass_grace_period(f);
	assert_int_equal(n_freed, 1);
}

static void reclaim_offline_reader_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	unsigned int n_freed = 0;
	struct object object = {.n_freed = &n_freed};

	rte_rcu_qsbr_thread_offline(f->qsbr, 1);
	reclaim_later(f->reclaim, &object, free_object);
	rte_rcu_qsbr_quiescent(f->qsbr, 0);
	assert_int_equal(reclaim_poll(f->reclaim), 0);
	assert_int_equal(n_freed, 1);
}

static void reclaim_frees_in_order(void **state)
{
	struct fixture *f = *state;
	unsigned int n_first = 0, n_second = 0;
	struct object first = {.n_freed = &n_first}, second = {.n_freed = &n_second};

	reclaim_later(f->reclaim, &first, free_object);
	for (unsigned int i = 0; i < N_READERS; i++)
		rte_rcu_qsbr_quiescent(f->qsbr, i);
	reclaim_later(f->reclaim, &second, free_object);
	assert_int_equal(reclaim_poll(f->reclaim), 1);
	assert_int_equal(n_first, 1);
	assert_int_equal(n_second, 0);
	pass_grace_period(f);
	assert_int_equal(n_second, 1);
}

// As a snapshot gives up adjacencies.
static void reclaim_object_may_give_up_another(void **state)
{
	struct fixture *f = *state;
	unsigned int n_freed = 0;
	struct object inner = {.n_freed = &n_freed};
	struct object outer = {.n_freed = &n_freed, .reclaim = f->reclaim, .owned = &inner};

	reclaim_later(f->reclaim, &outer, free_object);
	for (unsigned int turn = 0; turn < 2; turn++) {
		assert_int_equal(n_freed, turn);
		for (unsigned int i = 0; i < N_READERS; i++)
			rte_rcu_qsbr_quiescent(f->qsbr, i);
		assert_int_equal(reclaim_poll(f->reclaim), 1 - turn);
	}
	assert_int_equal(n_freed, 2);
}

static void reclaim_destroy_frees_all(void **state)
{
	struct fixture *f = *state;
	unsigned int n_freed = 0;
	struct object inner = {.n_freed = &n_freed};
	struct object outer = {.n_freed = &n_freed, .reclaim = f->reclaim, .owned = &inner};

	reclaim_later(f->reclaim, &outer, free_object);
	reclaim_destroy(f->reclaim);
	f->reclaim = NULL;
	assert_int_equal(n_freed, 2);
}

static void reclaim_without_readers_frees_at_once(void **state)
{
	struct reclaim *reclaim = reclaim_create(NULL);
	unsigned int n_freed = 0;
	struct object object = {.n_freed = &n_freed};

	(void)state;
	reclaim_later(reclaim, &object, free_object);
	reclaim_later(reclaim, NULL, free_object);
	assert_int_equal(n_freed, 1);
	assert_int_equal(reclaim_poll(reclaim), 0);
	reclaim_destroy(reclaim);
	reclaim_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reclaim_waits_for_every_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(
			reclaim_quiescence_before_does_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(
			reclaim_offline_reader_is_not_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(reclaim_frees_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			reclaim_object_may_give_up_another, setup, teardown),
		cmocka_unit_test_setup_teardown(reclaim_destroy_frees_all, setup, teardown),
		cmocka_unit_test(reclaim_without_readers_frees_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
