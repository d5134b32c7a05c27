// SPDX-License-Identifier: Apache-2.0

#include "pipeline/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/packet.h"
#include "pipeline/worker.h"

enum {
	N_PACKETS = 8,
};

struct fixture {
	struct worker worker;
	struct trace_ring ring;
	struct {
		struct rte_mbuf mbuf;
		struct packet packet; // behind it, as in a pool
	} packets[N_PACKETS];
};

static int setup(void **state)
{
	struct fixture *f = aligned_alloc(
		RTE_CACHE_LINE_SIZE, RTE_ALIGN(sizeof(*f), (size_t)RTE_CACHE_LINE_SIZE));

	if (f == NULL)
		return -1;
	memset(f, 0, sizeof(*f));
	f->worker.trace = &f->ring;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

// How many of a burst are marked.
static unsigned int mark(struct fixture *f)
{
	void *pkts[N_PACKETS];
	unsigned int n_marked = 0;

	for (unsigned int i = 0; i < N_PACKETS; i++) {
		pkts[i] = &f->packets[i].mbuf;
		packet_of(pkts[i])->flags = 0;
	}
	trace_mark(&f->worker, pkts, N_PACKETS);
	for (unsigned int i = 0; i < N_PACKETS; i++)
		n_marked += (packet_of(pkts[i])->flags & PACKET_TRACED) != 0;
	return n_marked;
}

static void trace_marks_as_many_as_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mark(f), 0);
	trace_ask(&f->worker, N_PACKETS + 3);
	trace_poll(&f->worker);
	assert_true(f->ring.active);
	assert_int_equal(mark(f), N_PACKETS);
	assert_int_equal(mark(f), 3);
	assert_int_equal(mark(f), 0);
}

static void trace_forgets_what_is_no_longer_asked_for(void **state)
{
	struct fixture *f = *state;

	trace_ask(&f->worker, 5);
	trace_poll(&f->worker);
	trace_ask(&f->worker, 0);
	trace_poll(&f->worker);
	assert_int_equal(mark(f), 0);
	trace_ask(&f->worker, 5);
	trace_ask(&f->worker, 2);
	trace_poll(&f->worker);
	trace_poll(&f->worker);
	assert_int_equal(mark(f), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trace_marks_as_many_as_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			trace_forgets_what_is_no_longer_asked_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
