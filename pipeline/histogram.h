// SPDX-License-Identifier: Apache-2.0
#pragma once

// A log-linear histogram, as HdrHistogram has it: below 32 each value has a bucket, above that every power of
// two has 32 of them, so that a value is known to 1/32. Fixed memory. What workers
// count by bucket (l7_stats.h), readers add up in one of these.

#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 5,
	HISTOGRAM_SUBS = 1 << HISTOGRAM_SUB_BITS,
	HISTOGRAM_VALUE_BITS = 32, // larger values count as the largest
	HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUBS,
};

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
};

static inline uint32_t histogram_bucket(uint64_t value)
{
	uint32_t v = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
	uint32_t shift;

	if (v < HISTOGRAM_SUBS)
		return v;
	shift = 31 - HISTOGRAM_SUB_BITS -
		(uint32_t)__builtin_clz(v); // leaves one bit above SUB_BITS
	return (shift + 1) * HISTOGRAM_SUBS + (v >> shift) - HISTOGRAM_SUBS;
}

// The largest value that falls into a bucket.
uint64_t histogram_bound(uint32_t bucket);

uint64_t histogram_total(const struct histogram *histogram);

// The value that per_million of all values do not exceed, rounded up to its bucket's bound; 0: there are none.
uint64_t histogram_quantile(const struct histogram *histogram, uint32_t per_million);
