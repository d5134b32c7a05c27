// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_cycles.h>
#include <rte_mempool.h>

#include "l7/pages.h"
#include "pipeline/flow_hash.h"

enum {
	HELD_SHARE = 4, // of the worker's packet buffers, one in so many may wait in the splice
	N_LARGE_BUFFERS = 256,
	MIN_SMALL_BUFFERS = 1024,
	HALF_OPEN_SHARE = 8, // of the flows, one in so many may be a handshake
	MIN_HALF_OPEN = 64,
};

static uint32_t at_least(uint32_t n, uint32_t min)
{
	return n < min ? min : n;
}

static struct splice *create_splice(struct l7_worker *l7)
{
	struct splice_config config = {
		.n_flows = l7->n_flows,
		.n_legs = l7->n_legs,
		.n_endpoints = L7_MAX_ENDPOINT_SLOTS,
		.n_half_open = at_least(l7->n_flows / HALF_OPEN_SHARE, MIN_HALF_OPEN),
		.n_small_buffers = at_least(l7->n_flows / 2, MIN_SMALL_BUFFERS),
		.n_large_buffers = N_LARGE_BUFFERS,
		.n_held = l7->w->mbufs->size / l7->w->n_workers / HELD_SHARE,
		.max_idle_legs = L7_MAX_IDLE_LEGS,
		.io = &l7_io,
		.ctx = l7->w,
	};

	if (getrandom(config.cookie_key, sizeof(config.cookie_key), 0) !=
		(ssize_t)sizeof(config.cookie_key))
		return NULL;
	return splice_create(&config);
}

static int create_parts(struct l7_worker *l7)
{
	uint64_t table_key[2];

	if (getrandom(l7->key, sizeof(l7->key), 0) != (ssize_t)sizeof(l7->key) ||
		getrandom(l7->random, sizeof(l7->random), 0) != (ssize_t)sizeof(l7->random) ||
		getrandom(table_key, sizeof(table_key), 0) != (ssize_t)sizeof(table_key))
		return -errno;
	l7->table = flow_table_create(l7->n_flows + l7->n_legs, table_key);
	l7->sources = source_pool_create(l7->key, l7->w->worker_idx, l7->w->n_workers);
	l7->stats = l7_stats_create();
	l7->report = calloc(1, sizeof(*l7->report));
	l7->balance = calloc(L7_MAX_CLUSTER_SLOTS, sizeof(*l7->balance));
	l7->flows = pages_map(l7->n_flows * sizeof(*l7->flows), PAGES_ALL);
	l7->places = pages_map(L7_MAX_ROUTE_SLOTS * sizeof(*l7->places), PAGES_SOME);
	l7->leases = pages_map(l7->n_legs * sizeof(*l7->leases), PAGES_ALL);
	if (l7->table == NULL || l7->sources == NULL || l7->stats == NULL || l7->report == NULL ||
		l7->balance == NULL || l7->flows == NULL || l7->places == NULL ||
		l7->leases == NULL)
		return -ENOMEM;
	balance_start(l7->balance, L7_MAX_CLUSTER_SLOTS, l7->w->worker_idx);
	l7->splice = create_splice(l7);
	return l7->splice == NULL ? -ENOMEM : 0;
}

struct l7_worker *l7_worker_create(
	struct worker *w, const struct l7_memory_spec *memory, uint16_t max_payload)
{
	struct l7_worker *l7 = calloc(1, sizeof(*l7));

	if (l7 == NULL)
		return NULL;
	l7->w = w;
	l7->n_flows = memory->n_flows == 0 ? L7_DEFAULT_FLOWS : memory->n_flows;
	l7->n_legs = memory->n_legs == 0 ? l7->n_flows : memory->n_legs;
	l7->max_payload = max_payload;
	l7->us_per_tsc = (1000000ull << 32) / rte_get_tsc_hz();
	l7->start_tsc = rte_rdtsc();
	if (create_parts(l7) == 0)
		return l7;
	l7_worker_destroy(l7);
	errno = ENOMEM;
	return NULL;
}

void l7_worker_destroy(struct l7_worker *l7)
{
	if (l7 == NULL)
		return;
	splice_destroy(l7->splice);
	flow_table_destroy(l7->table);
	source_pool_destroy(l7->sources);
	l7_stats_destroy(l7->stats);
	free(l7->report);
	free(l7->balance);
	pages_unmap(l7->flows, l7->n_flows * sizeof(*l7->flows));
	pages_unmap(l7->places, L7_MAX_ROUTE_SLOTS * sizeof(*l7->places));
	pages_unmap(l7->leases, l7->n_legs * sizeof(*l7->leases));
	free(l7);
}

void l7_worker_set_time(struct l7_worker *l7)
{
	uint64_t tsc = l7->w->now_tsc - l7->start_tsc;
	uint64_t now_us = (uint64_t)((__uint128_t)tsc * l7->us_per_tsc >> 32);

	if (now_us <= l7->now_us)
		return;
	l7->now_us = now_us;
	splice_set_time(l7->splice, now_us);
}

bool l7_worker_has_timers(const struct l7_worker *l7)
{
	struct splice_usage usage;

	splice_usage(l7->splice, &usage);
	return usage.n_flows > 0 || usage.n_legs > 0;
}

uint32_t l7_worker_n_open(const struct l7_worker *l7)
{
	struct splice_usage usage;

	splice_usage(l7->splice, &usage);
	return usage.n_flows - RTE_MIN(usage.n_flows, usage.n_lingering);
}

uint64_t l7_worker_random(struct l7_worker *l7)
{
	l7->random[0] += FLOW_HASH_K0;
	return flow_hash_fold(l7->random[0], l7->random[0] ^ l7->random[1] ^ FLOW_HASH_K1);
}
