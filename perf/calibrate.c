// SPDX-License-Identifier: Apache-2.0

#include "perf/calibrate.h"

#include <stdlib.h>
#include <sys/resource.h>

#include <rte_cycles.h>

enum {
	// Four independent chains over a buffer of the size that a vector of packets touches: as wide and as
	// hungry for the second-level cache as the graph is, so that a neighbour on the same physical core is
	// felt, not only one on the same processor.
	WORDS = 16 * 1024,
	PASSES = 4,
	QUIET_PER_MILLE = 30,
};

static uint64_t buffer[WORDS];
static uint64_t fastest_tsc = UINT64_MAX;

uint64_t calibrate_turn(void)
{
	uint64_t start = rte_rdtsc_precise();
	uint64_t a = start, b = 1, c = 2, d = 3, took;

	for (unsigned int pass = 0; pass < PASSES; pass++)
		for (unsigned int i = 0; i < WORDS; i += 4) {
			a = (a + buffer[i]) * 0x9e3779b97f4a7c15;
			b = (b ^ buffer[i + 1]) + (b << 7);
			c = (c + buffer[i + 2]) ^ (c >> 9);
			d = (d ^ buffer[i + 3]) + (d << 11);
			__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
		}
	buffer[a % WORDS] = b + c + d;
	took = rte_rdtsc_precise() - start;
	if (took < fastest_tsc)
		fastest_tsc = took;
	return took;
}

bool calibrate_is_quiet(uint64_t tsc)
{
	return tsc * 1000 <= fastest_tsc * (1000 + QUIET_PER_MILLE);
}

long calibrate_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
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
