// SPDX-License-Identifier: Apache-2.0
#include "ctrl/wall_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ctrl/ctrl.h"

enum {
	N_WORKERS = 2,
};

static void expect_time_since(const struct worker *workers, time_t since)
{
	time_t now = time(NULL);

	for (unsigned int i = 0; i < N_WORKERS; i++) {
		assert_true((time_t)workers[i].wall_s >= since);
		assert_true((time_t)workers[i].wall_s <= now);
	}
}

static void wall_clock_tells_all_workers_at_once_and_again(void **state)
{
	static struct worker workers[N_WORKERS];
	static struct ctrl ctrl;
	struct worker *by_idx[N_WORKERS] = {&workers[0], &workers[1]};
	struct wall_clock *wall_clock;
	time_t start = time(NULL);

	(void)state;
	ctrl.workers = by_idx;
	ctrl.n_workers = N_WORKERS;
	ctrl.base = event_base_new();
	wall_clock = wall_clock_create(&ctrl);
	assert_non_null(wall_clock);
	expect_time_since(workers, start);
	for (unsigned int i = 0; i < N_WORKERS; i++)
		workers[i].wall_s = 0;
	assert_int_equal(event_base_loop(ctrl.base, EVLOOP_ONCE), 0);
	expect_time_since(workers, start);
	wall_clock_destroy(wall_clock);
	event_base_free(ctrl.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_clock_tells_all_workers_at_once_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
