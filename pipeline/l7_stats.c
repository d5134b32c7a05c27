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

// Of routes and endpoints the memory, and the cache lines of each request, would be more than they are worth.
static const bool has_latency[L7_N_KINDS] = {
	[L7_LISTENER] = true,
	[L7_VIRTUAL_HOST] = true,
	[L7_CLUSTER] = true,
};

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

struct l7_stats *l7_stats_create(void)
{
	struct l7_stats *stats = calloc(1, sizeof(*stats));

	for (int kind = 0; stats != NULL && kind < L7_N_KINDS; kind++) {
		stats->slots[kind] = map(kind, sizeof(*stats->slots[kind]));
		if (has_latency[kind])
			stats->latencies[kind] = map(kind, sizeof(*stats->latencies[kind]));
		if (stats->slots[kind] == NULL ||
			(has_latency[kind] && stats->latencies[kind] == NULL)) {
			l7_stats_destroy(stats);
			errno = ENOMEM;
			return NULL;
		}
	}
	return stats;
}

void l7_stats_destroy(struct l7_stats *stats)
{
	if (stats == NULL)
		return;
	for (int kind = 0; kind < L7_N_KINDS; kind++) {
		unmap(stats->slots[kind], kind, sizeof(*stats->slots[kind]));
		unmap(stats->latencies[kind], kind, sizeof(*stats->latencies[kind]));
	}
	free(stats);
}

struct l7_counters *l7_stats_of(struct l7_stats *stats, enum l7_kind kind, uint32_t slot)
{
	return &stats->slots[kind][slot < n_slots[kind] ? slot : n_slots[kind]];
}

struct l7_latency *l7_stats_latency_of(struct l7_stats *stats, enum l7_kind kind, uint32_t slot)
{
	if (stats->latencies[kind] == NULL)
		return NULL;
	return &stats->latencies[kind][slot < n_slots[kind] ? slot : n_slots[kind]];
}

// What is still active of the one before ends some day, and counts down. Histograms of a slot that had no
// requests stay untouched, so that they take no memory.
static void clear(struct l7_stats *stats, enum l7_kind kind, uint32_t slot)
{
	struct l7_counters *counters = &stats->slots[kind][slot];
	uint64_t n_active = counters->n_active;

	if (counters->n_requests > 0 && stats->latencies[kind] != NULL)
		memset(&stats->latencies[kind][slot], 0, sizeof(struct l7_latency));
	*counters = (struct l7_counters){.n_active = n_active};
}

static void clear_names(struct l7_stats *stats, enum l7_kind kind, uint32_t n,
	const struct l7_name *old, uint32_t n_old)
{
	for (uint32_t slot = 0; slot < n; slot++)
		if (slot >= n_old || old[slot].text[0] == '\0')
			clear(stats, kind, slot);
}

void l7_stats_clear_new(
	struct l7_stats *stats, const struct l7_tables *tables, const struct l7_tables *old)
{
	clear_names(stats, L7_LISTENER, tables->n_listeners, old->listener_names, old->n_listeners);
	clear_names(stats, L7_VIRTUAL_HOST, tables->n_virtual_hosts, old->virtual_host_names,
		old->n_virtual_hosts);
	clear_names(stats, L7_ROUTE, tables->n_routes, old->route_names, old->n_routes);
	clear_names(stats, L7_CLUSTER, tables->n_clusters, old->cluster_names, old->n_clusters);
	for (uint32_t slot = 0; slot < tables->n_endpoints; slot++)
		if (slot >= old->n_endpoints || old->endpoints[slot].state == ENDPOINT_FREE)
			clear(stats, L7_ENDPOINT, slot);
}

// All members are counters.
void l7_stats_add(struct l7_counters *sum, const struct l7_counters *counters)
{
	const uint64_t *from = (const uint64_t *)counters;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}
