// SPDX-License-Identifier: Apache-2.0

#include "pipeline/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Each bucket begins right behind the one before, up to the largest value.
static void histogram_buckets_are_gapless(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t bound = histogram_bound(i);

		assert_int_equal(histogram_bucket(bound), i);
		if (i + 1 < HISTOGRAM_BUCKETS)
			assert_int_equal(histogram_bucket(bound + 1), i + 1);
	}
	assert_int_equal(histogram_bound(HISTOGRAM_BUCKETS - 1), UINT32_MAX);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

// Against the sorted values: never less than the true one, and at most 1/32 more.
static void histogram_quantiles_are_near(void **state)
{
	enum {
		N = 10000
	};
	static const uint32_t quantiles[] = {1, 250000, 500000, 900000, 990000, 999000, 1000000};
	static struct histogram sum;
	static uint64_t values[N];

	(void)state;
	srandom(7);
	for (uint32_t i = 0; i < N; i++) {
		values[i] = (uint64_t)random() >> (random() % 30);
		sum.counts[histogram_bucket(values[i])]++;
	}
	qsort(values, N, sizeof(values[0]), compare);
	assert_int_equal(histogram_total(&sum), N);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t rank = ((uint64_t)N * quantiles[i] + 999999) / 1000000;
		uint64_t exact = values[rank - 1];

		assert_in_range(histogram_quantile(&sum, quantiles[i]), exact, exact + exact / 32);
	}
}

static void histogram_empty_has_no_quantile(void **state)
{
	static const struct histogram empty;

	(void)state;
	assert_int_equal(histogram_quantile(&empty, 500000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histogram_buckets_are_gapless),
		cmocka_unit_test(histogram_quantiles_are_near),
		cmocka_unit_test(histogram_empty_has_no_quantile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
