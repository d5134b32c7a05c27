// SPDX-License-Identifier: Apache-2.0

// A priority's availability is the part of its endpoints that is available times the overprovisioning, at most
// 100. Higher priorities take what they can first, healthy endpoints of all priorities before degraded ones. When
// all of it together is below 100, it is scaled up to 100, and priorities with fewer available endpoints than the
// panic threshold take all of their endpoints; when every one does, they share by their sizes.

#include "l7/priority.h"

enum {
	ALL = 100, // percent
	MAX_LEVELS = L7_MAX_PRIORITY + 1,
};

// One priority.
struct level {
	uint32_t n_endpoints;
	uint32_t n[2]; // by PRIORITY_HEALTHY and PRIORITY_DEGRADED
	uint32_t availability[2];
	uint32_t load[2];
	bool in_panic;
};

bool priority_takes(enum priority_source source, enum endpoint_health health)
{
	switch (source) {
	case PRIORITY_HEALTHY:
		return health == ENDPOINT_HEALTHY;
	case PRIORITY_DEGRADED:
		return health == ENDPOINT_DEGRADED;
	case PRIORITY_ALL:
		break;
	}
	return true;
}

static uint32_t count_endpoints(const struct cluster_spec *spec, struct level *levels)
{
	uint32_t n_levels = 0;

	for (uint32_t i = 0; i < spec->n_localities; i++) {
		const struct locality_spec *locality = &spec->localities[i];
		struct level *level = &levels[locality->priority];

		if (locality->priority >= n_levels)
			n_levels = locality->priority + 1;
		level->n_endpoints += locality->n_endpoints;
		for (uint32_t k = 0; k < locality->n_endpoints; k++) {
			enum endpoint_health health = locality->endpoints[k].health;

			level->n[PRIORITY_HEALTHY] += health == ENDPOINT_HEALTHY;
			level->n[PRIORITY_DEGRADED] += health == ENDPOINT_DEGRADED;
		}
	}
	return n_levels;
}

static uint32_t at_most_all(uint64_t percent)
{
	return percent < ALL ? (uint32_t)percent : ALL;
}

// Returns the availability of all levels together.
static uint32_t measure(struct level *levels, uint32_t n_levels, uint32_t overprovisioning)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n_levels; i++) {
		struct level *level = &levels[i];

		for (int of = PRIORITY_HEALTHY; of <= PRIORITY_DEGRADED; of++) {
			if (level->n_endpoints > 0)
				level->availability[of] =
					at_most_all((uint64_t)overprovisioning * level->n[of] /
						    level->n_endpoints);
			sum += level->availability[of];
		}
	}
	return at_most_all(sum);
}

// Returns what is left to give.
static uint32_t distribute(struct level *levels, uint32_t n_levels, enum priority_source of,
	uint32_t total, uint32_t left)
{
	for (uint32_t i = 0; i < n_levels; i++) {
		uint32_t wanted = levels[i].availability[of] * ALL / total;

		levels[i].load[of] = wanted < left ? wanted : left;
		left -= levels[i].load[of];
	}
	return left;
}

// What rounding left over is for the first who has something available, a healthy one if there is any.
static void give_rest(struct level *levels, uint32_t n_levels, uint32_t rest)
{
	for (int of = PRIORITY_HEALTHY; of <= PRIORITY_DEGRADED; of++)
		for (uint32_t i = 0; i < n_levels; i++)
			if (levels[i].availability[of] > 0) {
				levels[i].load[of] += rest;
				return;
			}
}

// Returns whether every level is in panic.
static bool find_panic(struct level *levels, uint32_t n_levels, uint32_t total, uint32_t threshold)
{
	bool everywhere = true;

	for (uint32_t i = 0; i < n_levels; i++) {
		struct level *level = &levels[i];
		uint64_t n = level->n[PRIORITY_HEALTHY] + level->n[PRIORITY_DEGRADED];

		// A level without endpoints has nothing available.
		level->in_panic = total < ALL &&
				  (level->n_endpoints == 0 ? threshold > 0
							   : n * ALL < (uint64_t)threshold *
									       level->n_endpoints);
		everywhere = everywhere && level->in_panic;
	}
	return everywhere;
}

static void share_by_size(struct level *levels, uint32_t n_levels)
{
	uint32_t n_endpoints = 0, left = ALL, first = n_levels;

	for (uint32_t i = 0; i < n_levels; i++)
		n_endpoints += levels[i].n_endpoints;
	for (uint32_t i = 0; i < n_levels; i++) {
		levels[i].load[PRIORITY_HEALTHY] = 0;
		levels[i].load[PRIORITY_DEGRADED] = 0;
		if (levels[i].n_endpoints == 0)
			continue;
		if (first == n_levels)
			first = i;
		levels[i].load[PRIORITY_HEALTHY] = ALL * levels[i].n_endpoints / n_endpoints;
		left -= levels[i].load[PRIORITY_HEALTHY];
	}
	if (first < n_levels)
		levels[first].load[PRIORITY_HEALTHY] += left;
}

// Too few are available to make a percent, and yet not every level is in panic: all falls to the first one.
static void share_nothing(struct level *first)
{
	uint32_t n = first->in_panic ? first->n_endpoints : first->n[PRIORITY_HEALTHY];

	first->load[PRIORITY_HEALTHY] = n > 0 ? ALL : 0;
}

static uint32_t list_shares(struct level *levels, uint32_t n_levels, struct priority_share *shares)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_levels; i++)
		if (levels[i].in_panic) {
			levels[i].load[PRIORITY_HEALTHY] += levels[i].load[PRIORITY_DEGRADED];
			levels[i].load[PRIORITY_DEGRADED] = 0;
		}
	for (int of = PRIORITY_HEALTHY; of <= PRIORITY_DEGRADED; of++)
		for (uint32_t i = 0; i < n_levels; i++)
			if (levels[i].load[of] > 0)
				shares[n++] = (struct priority_share){.priority = i,
					.source = levels[i].in_panic ? PRIORITY_ALL : of,
					.percent = levels[i].load[of]};
	return n;
}

uint32_t priority_share(
	const struct cluster_spec *spec, struct priority_share shares[PRIORITY_MAX_SHARES])
{
	struct level levels[MAX_LEVELS] = {0};
	uint32_t n_levels = count_endpoints(spec, levels);
	uint32_t total = measure(levels, n_levels, spec->overprovisioning_percent);
	uint32_t threshold = at_most_all(spec->panic_percent);

	if (total > 0) {
		uint32_t left = distribute(levels, n_levels, PRIORITY_HEALTHY, total, ALL);

		left = distribute(levels, n_levels, PRIORITY_DEGRADED, total, left);
		give_rest(levels, n_levels, left);
	}
	if (find_panic(levels, n_levels, total, threshold))
		share_by_size(levels, n_levels);
	else if (total == 0)
		share_nothing(&levels[0]);
	return list_shares(levels, n_levels, shares);
}
