// SPDX-License-Identifier: Apache-2.0

#include "pipeline/icmp_limit.h"

#include <rte_common.h>
#include <rte_cycles.h>

// The bucket counts time instead of tokens: it saves up to burst * cost clocks, an error costs
// hz / rate of them. So there is nothing to refill and no division per clock tick. A new rate begins with a full
// bucket: what the old one saved may be less than one error of the new one.
bool icmp_limit_take(struct worker *w, uint16_t vrf)
{
	struct icmp_bucket *bucket = &w->icmp_buckets[vrf];
	uint64_t cost_tsc = rte_get_tsc_hz() / w->snapshot->icmp_errors_per_s;
	uint64_t full_tsc = cost_tsc * w->snapshot->icmp_errors_burst;

	bucket->tokens_tsc += w->now_tsc - bucket->last_tsc;
	if (bucket->tokens_tsc > full_tsc || bucket->cost_tsc != cost_tsc)
		bucket->tokens_tsc = full_tsc;
	bucket->cost_tsc = cost_tsc;
	bucket->last_tsc = w->now_tsc;
	if (bucket->tokens_tsc < cost_tsc)
		return false;
	bucket->tokens_tsc -= cost_tsc;
	return true;
}
