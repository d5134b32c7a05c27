// SPDX-License-Identifier: Apache-2.0

// Per address a queue of ports that were given back, and a mark below which ports were never used: those go
// first. The queue is a list through the ports' own records, so that nothing is written for a port that
// nobody used.

#include "pipeline/source_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "l7/siphash.h"

enum {
	NO_PORT = UINT16_MAX, // of indexes: there are fewer
	ISN_TICK_US = 4,      // RFC 6528 §3
};

_Static_assert((int)SOURCE_N_PORTS < (int)NO_PORT, "an index is never NO_PORT");

// By port.
struct source_port {
	uint32_t last_seq;
	uint32_t peer;
	uint16_t next; // in the queue
};

// By source slot.
struct source_state {
	uint32_t since;	  // whose ports these are
	uint16_t n_fresh; // ports below were used at least once
	uint16_t
		offset; // where this address begins, so that a restart does not repeat the last run's
	uint16_t head; // oldest
	uint16_t tail;
};

struct source_pool {
	struct source_state states[SPEC_MAX_SOURCES];
	struct source_port *ports; // SOURCE_N_PORTS of each slot
	uint64_t key[2];
	uint32_t turn;
	uint16_t worker_idx;
	uint16_t n_workers;
};

static const size_t ports_bytes =
	(size_t)SPEC_MAX_SOURCES * SOURCE_N_PORTS * sizeof(struct source_port);

struct source_pool *source_pool_create(
	const uint64_t key[2], uint16_t worker_idx, uint16_t n_workers)
{
	struct source_pool *pool = calloc(1, sizeof(*pool));
	void *ports;

	if (pool == NULL)
		return NULL;
	ports = mmap(NULL, ports_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ports == MAP_FAILED) {
		free(pool);
		errno = ENOMEM;
		return NULL;
	}
	pool->ports = ports;
	memcpy(pool->key, key, sizeof(pool->key));
	pool->worker_idx = worker_idx;
	pool->n_workers = n_workers;
	return pool;
}

void source_pool_destroy(struct source_pool *pool)
{
	if (pool == NULL)
		return;
	munmap(pool->ports, ports_bytes);
	free(pool);
}

static struct source_port *port_at(struct source_pool *pool, uint32_t slot, uint16_t idx)
{
	return &pool->ports[(size_t)slot * SOURCE_N_PORTS + idx];
}

// The slot is another source's than it was: its ports begin anew.
static void start_state(
	struct source_pool *pool, struct source_state *state, const struct source *source)
{
	const uint64_t words[] = {
		ip6_addr_hi(&source->addr), ip6_addr_lo(&source->addr), source->vrf};

	*state = (struct source_state){
		.since = source->since,
		.offset = (uint16_t)(siphash(pool->key, words, RTE_DIM(words)) % SOURCE_N_PORTS),
		.head = NO_PORT,
		.tail = NO_PORT,
	};
}

// An index, or NO_PORT.
static uint16_t take_port(struct source_pool *pool, uint32_t slot, const struct source *source)
{
	struct source_state *state = &pool->states[slot];
	uint16_t idx;

	if (state->since != source->since)
		start_state(pool, state, source);
	if (state->n_fresh < SOURCE_N_PORTS) {
		idx = (uint16_t)(((uint32_t)state->offset + state->n_fresh++) % SOURCE_N_PORTS);
		*port_at(pool, slot, idx) = (struct source_port){0};
		return idx;
	}
	idx = state->head;
	if (idx == NO_PORT)
		return NO_PORT;
	state->head = port_at(pool, slot, idx)->next;
	if (state->head == NO_PORT)
		state->tail = NO_PORT;
	return idx;
}

// RFC 6528: a clock, and a secret function of the tuple.
static uint32_t clock_isn(
	const struct source_pool *pool, const struct flow_tuple *tuple, uint64_t now_us)
{
	uint64_t words[sizeof(*tuple) / sizeof(uint64_t)];

	memcpy(words, tuple, sizeof(*tuple));
	return (uint32_t)(now_us / ISN_TICK_US) +
	       (uint32_t)siphash(pool->key, words, RTE_DIM(words));
}

static uint32_t hash_peer(const struct source_pool *pool, const struct flow_tuple *tuple)
{
	uint64_t words[3] = {0, 0, tuple->remote_port_be};
	uint32_t hash;

	memcpy(words, tuple->remote, sizeof(tuple->remote));
	hash = (uint32_t)siphash(pool->key, words, RTE_DIM(words));
	return hash == 0 ? 1 : hash; // 0 is nobody's
}

static void lend(struct source_pool *pool, const struct snapshot *snapshot, uint32_t slot,
	uint16_t idx, uint64_t now_us, struct flow_tuple *tuple, struct source_lease *lease,
	uint32_t *isn)
{
	const struct source_port *port = port_at(pool, slot, idx);
	const struct source *source = &snapshot->sources[slot];

	memcpy(tuple->local, &source->addr, sizeof(tuple->local));
	*lease = (struct source_lease){.source = slot,
		.since = source->since,
		.peer = hash_peer(pool, tuple),
		.port = (uint16_t)(SOURCE_FIRST_PORT + idx)};
	tuple->local_port_be = rte_cpu_to_be_16(lease->port);
	*isn = clock_isn(pool, tuple, now_us);
	if (port->peer == lease->peer && (int32_t)(*isn - port->last_seq) <= 0)
		*isn = port->last_seq + 1;
}

int source_pool_take(struct source_pool *pool, const struct snapshot *snapshot, uint64_t now_us,
	struct flow_tuple *tuple, struct source_lease *lease, uint32_t *isn)
{
	const struct vrf *vrf = &snapshot->vrfs[tuple->vrf];
	const struct source_range *range = tuple->family == 4 ? &vrf->sources4 : &vrf->sources6;
	uint32_t start = pool->turn++;

	for (uint32_t i = 0; i < range->n; i++) {
		uint32_t slot = snapshot->source_order[range->first + (start + i) % range->n];
		const struct source *source = &snapshot->sources[slot];
		uint16_t idx;

		if (source->turn % pool->n_workers != pool->worker_idx)
			continue;
		idx = take_port(pool, slot, source);
		if (idx == NO_PORT)
			continue;
		lend(pool, snapshot, slot, idx, now_us, tuple, lease, isn);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

void source_pool_give(struct source_pool *pool, const struct source_lease *lease, uint32_t last_seq)
{
	struct source_state *state = &pool->states[lease->source];
	uint16_t idx = (uint16_t)(lease->port - SOURCE_FIRST_PORT);

	if (state->since != lease->since)
		return;
	*port_at(pool, lease->source, idx) =
		(struct source_port){.last_seq = last_seq, .peer = lease->peer, .next = NO_PORT};
	if (state->tail == NO_PORT)
		state->head = idx;
	else
		port_at(pool, lease->source, state->tail)->next = idx;
	state->tail = idx;
}
