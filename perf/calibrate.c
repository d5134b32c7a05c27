// SPDX-License-Identifier: Apache-2.0

#include "perf/calibrate.h"

#include <stdlib.h>

#include <rte_cycles.h>

enum {
	TURN_STEPS = 10000, // dependent multiplications, about 4 core clocks each
	QUIET_PER_MILLE = 30,
};

static uint64_t fastest_tsc = UINT64_MAX;

uint64_t calibrate_turn(void)
{
	uint64_t start = rte_rdtsc_precise(), x = start;
	uint64_t took;

	for (unsigned int i = 0; i < TURN_STEPS; i++) {
		x = x * 0x9e3779b97f4a7c15 + 1;
		__asm__ volatile("" : "+r"(x));
	}
	took = rte_rdtsc_precise() - start;
	if (took < fastest_tsc)
		fastest_tsc = took;
	return took;
}

bool calibrate_is_quiet(uint64_t tsc)
{
	return tsc * 1000 <= fastest_tsc * (1000 + QUIET_PER_MILLE);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double calibrate_median(double *values, unsigned int n)
{
	if (n == 0)
		return 0;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}
