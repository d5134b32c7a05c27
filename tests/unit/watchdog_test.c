// SPDX-License-Identifier: Apache-2.0
#include "ctrl/watchdog.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ctrl/ctrl.h"

struct fixture {
	struct ctrl ctrl;
	struct worker worker;
	struct worker *workers[1];
	struct watchdog *watchdog;
	int saved_fd;
	int read_fd;
	char output[4096];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	if (f == NULL || pipe2(fds, O_NONBLOCK) != 0)
		return -1;
	f->saved_fd = dup(STDERR_FILENO);
	f->read_fd = fds[0];
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	f->workers[0] = &f->worker;
	f->worker.lcore = 1;
	f->ctrl.workers = f->workers;
	f->ctrl.n_workers = 1;
	f->ctrl.base = event_base_new();
	f->watchdog = watchdog_create(&f->ctrl);
	*state = f;
	return f->watchdog == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	watchdog_destroy(f->watchdog);
	event_base_free(f->ctrl.base);
	dup2(f->saved_fd, STDERR_FILENO);
	close(f->saved_fd);
	close(f->read_fd);
	free(f);
	return 0;
}

// What was logged since the last call.
static const char *take(struct fixture *f)
{
	ssize_t n = read(f->read_fd, f->output, sizeof(f->output) - 1);

	f->output[n < 0 ? 0 : n] = '\0';
	return f->output;
}

static void watchdog_stalled_worker_is_reported_once_and_again_when_it_goes_on(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < WATCHDOG_MAX_SILENT - 1; i++)
		watchdog_check(f->watchdog);
	assert_false(watchdog_is_stalled(f->watchdog, 0));
	assert_string_equal(take(f), "");
	for (int i = 0; i < 10; i++)
		watchdog_check(f->watchdog);
	assert_true(watchdog_is_stalled(f->watchdog, 0));
	assert_string_equal(take(f), "<3>watchdog: worker makes no progress worker=0 lcore=1 "
				     "silent_ms=2000\n");
	f->worker.heartbeat++;
	watchdog_check(f->watchdog);
	assert_false(watchdog_is_stalled(f->watchdog, 0));
	assert_string_equal(take(f), "<3>watchdog: worker goes on worker=0 silent_ms=6500\n");
}

static void watchdog_beating_worker_is_silent(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		f->worker.heartbeat += (uint64_t)(i % 3 == 0);
		watchdog_check(f->watchdog);
	}
	assert_string_equal(take(f), "");
}

static void watchdog_stopping_worker_is_not_reported(void **state)
{
	struct fixture *f = *state;

	f->worker.stop = true;
	for (int i = 0; i < 20; i++)
		watchdog_check(f->watchdog);
	assert_false(watchdog_is_stalled(f->watchdog, 0));
	assert_string_equal(take(f), "");
}

static void watchdog_busy_share_is_of_the_last_period(void **state)
{
	struct fixture *f = *state;

	// More clocks than the period had: all of it.
	f->worker.n_busy_tsc = UINT64_MAX / 2;
	watchdog_check(f->watchdog);
	assert_true(watchdog_busy_percent(f->watchdog, 0) > 99.9);
	watchdog_check(f->watchdog);
	assert_true(watchdog_busy_percent(f->watchdog, 0) < 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			watchdog_stalled_worker_is_reported_once_and_again_when_it_goes_on, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			watchdog_beating_worker_is_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			watchdog_stopping_worker_is_not_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			watchdog_busy_share_is_of_the_last_period, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
