// SPDX-License-Identifier: Apache-2.0

// Services change all the time while http_load's requests go through the real graph: each is answered, by an
// endpoint that was its service's when it was routed; no packet is dropped and no buffer is missing. http_run ends the
// process with a message where that is not so. PERGOLA_SWAPS changes, the first tenth to warm up; memory is the same
// after them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jemalloc/jemalloc.h>

#include "perf/http_run.h"
#include "perf/rig.h"

enum {
	DEFAULT_SWAPS = 1000,
	N_WORKERS = 2,
	N_FLOWS = 200,
	N_SERVICES = 8,
	N_LOOKS = 10,
	MAX_GROWTH = 256 * 1024, // bytes: how much more there is now and then
};

#pragma weak mallctl

static uint64_t n_swaps = DEFAULT_SWAPS;

// Bytes that the allocator counts; 0: it is a sanitizer's, which looks for leaks itself.
static size_t read_jemalloc(const char *name)
{
	size_t value = 0, len = sizeof(value);
	uint64_t epoch = 1;

	if (mallctl == NULL)
		return 0;
	assert_int_equal(mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)), 0);
	assert_int_equal(mallctl(name, &value, &len, NULL, 0), 0);
	return value;
}

static void swap_under_load(const char *scenario, uint16_t n_workers)
{
	const struct http_scenario_size size = {.n_flows = N_FLOWS,
		.n_services = N_SERVICES,
		.n_workers = n_workers,
		.changing = true};
	struct http_run *run = http_run_create(http_scenario_find(scenario), &size);
	size_t first = 0, allocated = 0;

	for (uint64_t look = 1; look <= N_LOOKS; look++) {
		http_run_until_live(run, n_swaps * look / N_LOOKS);
		allocated = read_jemalloc("stats.allocated");
		first = look == 1 ? allocated : first;
		print_message("# %s, %u workers, %lu swaps: %zu KiB allocated, %zu resident\n",
			scenario, n_workers, http_run_n_live(run), allocated / 1024,
			read_jemalloc("stats.resident") / 1024);
	}
	http_run_finish(run);
	assert_true(allocated < first + MAX_GROWTH);
}

static void swap_one_worker_loses_nothing(void **state)
{
	(void)state;
	swap_under_load("keepalive", 1);
}

static void swap_two_workers_lose_nothing(void **state)
{
	(void)state;
	swap_under_load("keepalive", 2);
}

static void swap_new_connections_lose_nothing(void **state)
{
	(void)state;
	swap_under_load("connect", 2);
}

static int start(void **state)
{
	const char *text = getenv("PERGOLA_SWAPS");

	(void)state;
	if (text != NULL)
		n_swaps = strtoul(text, NULL, 10);
	rig_start_eal(N_WORKERS, 0, false);
	return n_swaps < N_LOOKS;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_one_worker_loses_nothing),
		cmocka_unit_test(swap_two_workers_lose_nothing),
		cmocka_unit_test(swap_new_connections_lose_nothing),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
