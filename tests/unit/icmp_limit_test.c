// SPDX-License-Identifier: Apache-2.0

#include "pipeline/icmp_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "tests/unit/eal.h"

enum {
	RATE = 1000,
	BURST = 10,
	N_VRFS = 2,
};

struct fixture {
	struct worker worker;
	struct snapshot snapshot;
	struct icmp_bucket buckets[N_VRFS];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->snapshot.icmp_errors_per_s = RATE;
	f->snapshot.icmp_errors_burst = BURST;
	f->worker.snapshot = &f->snapshot;
	f->worker.icmp_buckets = f->buckets;
	f->worker.now_tsc = rte_get_tsc_hz(); // the machine has been up for a second
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static unsigned int take_all(struct fixture *f, uint16_t vrf)
{
	unsigned int n = 0;

	while (n < 100000 && icmp_limit_take(&f->worker, vrf))
		n++;
	return n;
}

static void icmp_limit_burst_then_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_all(f, 0), BURST);
	assert_false(icmp_limit_take(&f->worker, 0));
}

static void icmp_limit_vrfs_do_not_share(void **state)
{
	struct fixture *f = *state;

	take_all(f, 0);
	assert_int_equal(take_all(f, 1), BURST);
}

static void icmp_limit_rate_is_kept(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	take_all(f, 0);
	for (unsigned int ms = 0; ms < 1000; ms++) {
		f->worker.now_tsc += rte_get_tsc_hz() / 1000;
		n += take_all(f, 0);
	}
	assert_in_range(n, RATE - 1, RATE + 1);
}

static void icmp_limit_saves_no_more_than_a_burst(void **state)
{
	struct fixture *f = *state;

	take_all(f, 0);
	f->worker.now_tsc += 3600 * rte_get_tsc_hz();
	assert_int_equal(take_all(f, 0), BURST);
}

// Turns that are shorter than an error costs add up.
static void icmp_limit_short_turns_add_up(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	take_all(f, 0);
	for (unsigned int i = 0; i < 100000; i++) {
		f->worker.now_tsc += rte_get_tsc_hz() / 100000;
		n += icmp_limit_take(&f->worker, 0);
	}
	assert_in_range(n, RATE - 2, RATE + 1);
}

static void icmp_limit_new_rate_starts_full(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_all(f, 0), BURST);
	f->snapshot.icmp_errors_per_s = 1;
	assert_int_equal(take_all(f, 0), BURST);
	assert_int_equal(take_all(f, 0), 0);
	f->snapshot.icmp_errors_per_s = RATE;
	assert_int_equal(take_all(f, 0), BURST);
}

static void icmp_limit_highest_rate_works(void **state)
{
	struct fixture *f = *state;

	f->snapshot.icmp_errors_per_s = 10000000;
	f->snapshot.icmp_errors_burst = 1000;
	assert_int_equal(take_all(f, 0), 1000);
	f->worker.now_tsc += rte_get_tsc_hz() / 10000;
	assert_in_range(take_all(f, 0), 999, 1010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(icmp_limit_burst_then_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(icmp_limit_vrfs_do_not_share, setup, teardown),
		cmocka_unit_test_setup_teardown(icmp_limit_rate_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			icmp_limit_saves_no_more_than_a_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(icmp_limit_short_turns_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(icmp_limit_new_rate_starts_full, setup, teardown),
		cmocka_unit_test_setup_teardown(icmp_limit_highest_rate_works, setup, teardown),
	};

	return cmocka_run_group_tests(tests, eal_start, NULL);
}
