// SPDX-License-Identifier: Apache-2.0

#include "pipeline/histogram.h"

uint64_t histogram_bound(uint32_t bucket)
{
	uint32_t power = bucket / HISTOGRAM_SUBS, sub = bucket % HISTOGRAM_SUBS;

	if (power == 0)
		return sub;
	return ((uint64_t)(HISTOGRAM_SUBS + sub + 1) << (power - 1)) - 1;
}

uint64_t histogram_total(const struct histogram *histogram)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += histogram->counts[i];
	return n;
}

uint64_t histogram_quantile(const struct histogram *histogram, uint32_t per_million)
{
	uint64_t total = histogram_total(histogram), n = 0;
	// The rank, rounded up, of at least the first.
	uint64_t rank = (uint64_t)(((__uint128_t)total * per_million + 999999) / 1000000);

	if (rank == 0)
		rank = 1;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		n += histogram->counts[i];
		if (n >= rank)
			return histogram_bound(i);
	}
	return 0;
}
