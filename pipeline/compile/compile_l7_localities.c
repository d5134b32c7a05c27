// SPDX-License-Identifier: Apache-2.0

// What a cluster's localities must be: priorities without a gap, each locality once in each, and sums of weights
// that are numbers of 32 bits, as xDS has it.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

static int compare_localities(const void *a, const void *b)
{
	const struct locality_spec *x = *(const struct locality_spec *const *)a,
				   *y = *(const struct locality_spec *const *)b;
	int order;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	order = strcmp(x->region, y->region);
	if (order == 0)
		order = strcmp(x->zone, y->zone);
	return order != 0 ? order : strcmp(x->sub_zone, y->sub_zone);
}

static int check_order(
	struct refusal *refusal, const struct locality_spec *const *sorted, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t next = i == 0 ? 0 : sorted[i - 1]->priority + 1;
		const struct locality_spec *twice;

		if (sorted[i]->priority > next)
			return refusal_set(refusal, sorted[i]->origin,
				"priority: %u leaves a gap: nothing has priority %u",
				sorted[i]->priority, next);
		if (i == 0 || compare_localities(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		twice = sorted[i - 1] > sorted[i] ? sorted[i - 1] : sorted[i];
		return refusal_set(refusal, twice->origin,
			"localities: \"%s/%s/%s\" is given twice at priority %u", twice->region,
			twice->zone, twice->sub_zone, twice->priority);
	}
	return 0;
}

static int check_twice_and_gaps(struct refusal *refusal, const struct cluster_spec *spec)
{
	const struct locality_spec **sorted =
		calloc(spec->n_localities + 1ul, sizeof(struct locality_spec *));
	int ret;

	if (sorted == NULL) {
		refusal_set(refusal, NULL, "out of memory while checking localities");
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < spec->n_localities; i++)
		sorted[i] = &spec->localities[i];
	qsort(sorted, spec->n_localities, sizeof(*sorted), compare_localities);
	ret = check_order(refusal, sorted, spec->n_localities);
	free(sorted);
	return ret;
}

static int check_endpoint_weights(struct refusal *refusal, const struct locality_spec *locality)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < locality->n_endpoints; i++)
		sum += locality->endpoints[i].weight;
	if (sum <= UINT32_MAX)
		return 0;
	return refusal_set(refusal, locality->origin,
		"endpoints: the weights' sum is %llu; at most %u", (unsigned long long)sum,
		UINT32_MAX);
}

static int check_weights(struct refusal *refusal, const struct cluster_spec *spec)
{
	uint64_t sums[L7_MAX_PRIORITY + 1] = {0};
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_localities && ret == 0; i++) {
		const struct locality_spec *locality = &spec->localities[i];

		sums[locality->priority] += locality->weight;
		if (sums[locality->priority] > UINT32_MAX)
			return refusal_set(refusal, locality->origin,
				"weight: the sum at priority %u is %llu; at most %u",
				locality->priority, (unsigned long long)sums[locality->priority],
				UINT32_MAX);
		ret = check_endpoint_weights(refusal, locality);
	}
	return ret;
}

static int check_least_request(struct refusal *refusal, const struct cluster_spec *spec)
{
	if (spec->policy != CLUSTER_LEAST_REQUEST)
		return 0;
	if (spec->choice_count < 2)
		return refusal_set(refusal, spec->origin,
			"choice_count: %u is out of range; 2 or more", spec->choice_count);
	if (!(spec->active_request_bias >= 0 && isfinite(spec->active_request_bias)))
		return refusal_set(refusal, spec->origin,
			"active_request_bias: %g is out of range; 0 or more",
			spec->active_request_bias);
	return 0;
}

int l7_check_localities(struct refusal *refusal, const struct cluster_spec *spec)
{
	uint32_t n_endpoints = cluster_count_endpoints(spec);
	int ret;

	if (n_endpoints > L7_MAX_ENDPOINTS)
		return refusal_set(refusal, spec->origin, "endpoints: %u of them; at most %d",
			n_endpoints, L7_MAX_ENDPOINTS);
	if (spec->n_localities > L7_MAX_LOCALITIES)
		return refusal_set(refusal, spec->origin, "localities: %u of them; at most %d",
			spec->n_localities, L7_MAX_LOCALITIES);
	if (spec->overprovisioning_percent == 0)
		return refusal_set(refusal, spec->origin,
			"overprovisioning_factor: 0 is out of range; 1 or more");
	if (spec->panic_percent > 100)
		return refusal_set(refusal, spec->origin,
			"healthy_panic_threshold: %u is out of range; 0 to 100",
			spec->panic_percent);
	for (uint32_t i = 0; i < spec->n_localities; i++)
		if (spec->localities[i].priority > L7_MAX_PRIORITY)
			return refusal_set(refusal, spec->localities[i].origin,
				"priority: %u is out of range; 0 to %d",
				spec->localities[i].priority, L7_MAX_PRIORITY);
	ret = check_twice_and_gaps(refusal, spec);
	if (ret == 0)
		ret = check_least_request(refusal, spec);
	return ret != 0 ? ret : check_weights(refusal, spec);
}
