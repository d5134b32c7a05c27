// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>

#include <cmocka.h>

static bool is_resident(const void *mem)
{
	uintptr_t page = (uintptr_t)mem / 4096 * 4096;
	unsigned char there = 0;

	assert_int_equal(mincore((void *)page, 4096, &there), 0);
	return (there & 1) != 0;
}

// A page that only clearing a new slot's counters touched would be zeroed while a configuration goes live; it may be
// a huge one.
static void l7_stats_new_ones_have_memory_for_the_first_slots(void **state)
{
	struct l7_stats *stats = l7_stats_create();

	(void)state;
	assert_non_null(stats);
	for (int kind = 0; kind < L7_N_KINDS; kind++) {
		assert_true(is_resident(stats->slots[kind]));
		assert_true(is_resident(stats->latencies[kind]));
	}
	l7_stats_destroy(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(l7_stats_new_ones_have_memory_for_the_first_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
