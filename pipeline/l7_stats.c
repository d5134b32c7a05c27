// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_stats.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "l7/pages.h"

static const uint32_t n_slots[L7_N_KINDS] = {
	[L7_LISTENER] = L7_MAX_LISTENER_SLOTS,
	[L7_VIRTUAL_HOST] = L7_MAX_VIRTUAL_HOST_SLOTS,
	[L7_ROUTE] = L7_MAX_ROUTE_SLOTS,
	[L7_CLUSTER] = L7_MAX_CLUSTER_SLOTS,
	[L7_ENDPOINT] = L7_MAX_ENDPOINT_SLOTS,
};

// Of so many buckets of a histogram, as a power of two, latencies have one: 3.5 KB a slot instead of 14.
static const uint8_t bucket_bits[L7_N_KINDS] = {
	[L7_ROUTE] = 2,
	[L7_ENDPOINT] = 2,
};

static uint32_t n_buckets(int kind)
{
	return HISTOGRAM_BUCKETS >> bucket_bits[kind];
}

static size_t latency_bytes(int kind)
{
	return n_buckets(kind) * sizeof(uint64_t[L7_N_LATENCIES]);
}

// One more for what has no slot.
static size_t n_bytes(int kind, size_t slot_bytes)
{
	return (n_slots[kind] + 1ull) * slot_bytes;
}

static void *map(int kind, size_t slot_bytes)
{
	return pages_map(n_bytes(kind, slot_bytes), PAGES_SOME);
}

static void unmap(void *mem, int kind, size_t slot_bytes)
{
	pages_unmap(mem, n_bytes(kind, slot_bytes));
}

// The first services' counters have their pages, perhaps huge ones, before there are services: the kernel zeroes
// them now, not while a configuration goes live or a worker counts the first request.
static void touch(struct l7_stats *stats, int kind)
{
	stats->slots[kind][0] = (struct l7_counters){0};
	memset(stats->latencies[kind], 0, latency_bytes(kind));
}

struct l7_stats *l7_stats_create(void)
{
	struct l7_stats *stats = calloc(1, sizeof(*stats));

	for (int kind = 0; stats != NULL && kind < L7_N_KINDS; kind++) {
		stats->slots[kind] = map(kind, sizeof(*stats->slots[kind]));
		stats->latencies[kind] = map(kind, latency_bytes(kind));
		if (stats->slots[kind] == NULL || stats->latencies[kind] == NULL) {
			l7_stats_destroy(stats);
			errno = ENOMEM;
			return NULL;
		}
		touch(stats, kind);
	}
	return stats;
}

void l7_stats_destroy(struct l7_stats *stats)
{
	if (stats == NULL)
		return;
	for (int kind = 0; kind < L7_N_KINDS; kind++) {
		unmap(stats->slots[kind], kind, sizeof(*stats->slots[kind]));
		unmap(stats->latencies[kind], kind, latency_bytes(kind));
	}
	free(stats);
}

static uint32_t place_of(enum l7_kind kind, uint32_t slot)
{
	return slot < n_slots[kind] ? slot : n_slots[kind];
}

struct l7_counters *l7_stats_of(struct l7_stats *stats, enum l7_kind kind, uint32_t slot)
{
	return &stats->slots[kind][place_of(kind, slot)];
}

uint64_t *l7_stats_latency_of(struct l7_stats *stats, enum l7_kind kind, uint32_t slot,
	enum l7_latency latency, uint32_t bucket)
{
	size_t first = (size_t)place_of(kind, slot) * n_buckets(kind);

	return &stats->latencies[kind][first + (bucket >> bucket_bits[kind])][latency];
}

// What is in several buckets of the histogram counts in their last one, as quantiles are rounded up.
void l7_stats_add_latency(struct histogram *sum, const struct l7_stats *stats, enum l7_kind kind,
	uint32_t slot, enum l7_latency latency)
{
	size_t first = (size_t)place_of(kind, slot) * n_buckets(kind);
	uint32_t last = (1u << bucket_bits[kind]) - 1;

	for (uint32_t i = 0; i < n_buckets(kind); i++)
		sum->counts[(i << bucket_bits[kind]) + last] +=
			stats->latencies[kind][first + i][latency];
}

// What is still active of the one before ends some day, and counts down. Histograms of a slot that had no
// requests stay untouched, so that they take no memory.
static void clear(struct l7_stats *stats, enum l7_kind kind, uint32_t slot)
{
	struct l7_counters *counters = &stats->slots[kind][slot];
	uint64_t n_active = counters->n_active;

	if (counters->n_requests > 0)
		memset(&stats->latencies[kind][(size_t)slot * n_buckets(kind)], 0,
			latency_bytes(kind));
	*counters = (struct l7_counters){.n_active = n_active};
}

void l7_stats_clear(struct l7_stats *stats, const struct l7_slot *slots, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		clear(stats, slots[i].kind, slots[i].slot);
}

// All members are counters, and so may be what fills the last cache line.
void l7_stats_add(struct l7_counters *sum, const struct l7_counters *counters)
{
	const uint64_t *from = (const uint64_t *)counters;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}
