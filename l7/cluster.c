// SPDX-License-Identifier: Apache-2.0

// Rings are numbered from the first one, which a pick starts with, downwards: a ring's own rings stand together.
// One that would have a single turn is left out.

#include "l7/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "l7/edf.h"
#include "l7/priority.h"

enum {
	EVERY_LOCALITY = UINT32_MAX,
	// Of effective weights: a denominator that the localities' sizes divide, or at least one that is fine
	// enough. Weights, whose sum has 32 bits, times 100 times this stay below 2^63.
	MAX_DENOMINATOR = 1 << 23,
};

struct build {
	struct block_builder builder;
	const struct cluster_spec *spec;
	const uint32_t *slots;
	struct cluster_ring *rings;
	uint32_t n_rings;
	uint32_t n_turns; // of endpoints, and of rings: so far
	uint32_t n_ring_turns;
	uint64_t *weights; // of those that a ring gets
	uint32_t *items;   // likewise
};

uint32_t cluster_count_endpoints(const struct cluster_spec *spec)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < spec->n_localities; i++)
		n += spec->localities[i].n_endpoints;
	return n;
}

static bool takes_locality(const struct build *b, const struct priority_share *share, uint32_t idx)
{
	return b->spec->localities[idx].priority == share->priority;
}

// ---- rings

// Each endpoint once, for policies that choose without turns.
static void fill_plain_ring(struct build *b, struct cluster_ring *ring, uint32_t n)
{
	ring->n_turns = n;
	ring->first = b->n_turns;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t weight = (uint32_t)b->weights[i];

		block_add(&b->builder, CLUSTER_TURNS, &b->items[i], sizeof(*b->items));
		if (b->spec->policy != CLUSTER_LEAST_REQUEST)
			continue;
		block_add(&b->builder, CLUSTER_WEIGHTS, &weight, sizeof(weight));
		ring->by_weight |= b->weights[i] != b->weights[0];
	}
	b->n_turns += n;
}

// A ring of n endpoints, whose slots and weights are in b.
static void fill_ring(struct build *b, uint32_t ring_idx, uint32_t n)
{
	struct cluster_ring *ring = &b->rings[ring_idx];
	uint32_t *order;

	if (b->spec->policy != CLUSTER_ROUND_ROBIN) {
		fill_plain_ring(b, ring, n);
		return;
	}
	order = edf_order(b->weights, n, &ring->n_turns);
	b->builder.failed |= order == NULL;
	if (b->builder.failed) {
		free(order);
		return;
	}
	ring->first = b->n_turns;
	for (uint32_t i = 0; i < ring->n_turns; i++)
		block_add(&b->builder, CLUSTER_TURNS, &b->items[order[i]], sizeof(*b->items));
	b->n_turns += ring->n_turns;
	free(order);
}

// A ring of n new rings, whose weights are in b. Returns the first of the new ones.
static uint32_t fill_ring_of_rings(struct build *b, uint32_t ring_idx, uint32_t n)
{
	struct cluster_ring *ring = &b->rings[ring_idx];
	uint32_t *order = edf_order(b->weights, n, &ring->n_turns);
	uint32_t first = b->n_rings;

	b->n_rings += n;
	b->builder.failed |= order == NULL;
	if (b->builder.failed) {
		free(order);
		return first;
	}
	ring->of_rings = true;
	ring->first = b->n_ring_turns;
	for (uint32_t i = 0; i < ring->n_turns; i++) {
		uint32_t idx = first + order[i];
		struct cluster_ring_turn turn = {idx, b->rings[idx].n_in_parent++};

		block_add(&b->builder, CLUSTER_RING_TURNS, &turn, sizeof(turn));
	}
	b->n_ring_turns += ring->n_turns;
	free(order);
	return first;
}

// ---- localities

// The endpoints of one or every locality that a share goes to.
static void fill_with_endpoints(struct build *b, uint32_t ring_idx,
	const struct priority_share *share, uint32_t locality_idx)
{
	uint32_t n = 0, idx = 0;

	for (uint32_t i = 0; i < b->spec->n_localities; i++) {
		const struct locality_spec *locality = &b->spec->localities[i];
		bool is_taken = takes_locality(b, share, i) &&
				(locality_idx == EVERY_LOCALITY || locality_idx == i);

		for (uint32_t k = 0; k < locality->n_endpoints; k++, idx++)
			if (is_taken &&
				priority_takes(share->source, locality->endpoints[k].health)) {
				b->weights[n] = locality->endpoints[k].weight;
				b->items[n++] = b->slots[idx];
			}
	}
	fill_ring(b, ring_idx, n);
}

static uint64_t common_multiple(uint64_t a, uint64_t b)
{
	uint64_t x = a, y = b;

	while (y != 0) {
		uint64_t rest = x % y;

		x = y;
		y = rest;
	}
	return a / x * b;
}

// A number that the sizes of the share's localities divide, as far as there is one that is small enough.
static uint64_t find_denominator(const struct build *b, const struct priority_share *share)
{
	uint64_t found = 1;

	for (uint32_t i = 0; i < b->spec->n_localities && found < MAX_DENOMINATOR; i++)
		if (takes_locality(b, share, i) && b->spec->localities[i].n_endpoints > 0)
			found = common_multiple(found, b->spec->localities[i].n_endpoints);
	return found < MAX_DENOMINATOR ? found : MAX_DENOMINATOR;
}

// A locality's weight times what is available of it, with overprovisioning and at most all of it.
static uint64_t effective_weight(const struct build *b, const struct priority_share *share,
	const struct locality_spec *locality, uint64_t denominator)
{
	uint64_t n = 0, percent;

	for (uint32_t i = 0; i < locality->n_endpoints; i++)
		n += priority_takes(share->source, locality->endpoints[i].health);
	if (n == 0)
		return 0;
	percent = n * b->spec->overprovisioning_percent;
	if (percent > 100ull * locality->n_endpoints)
		percent = 100ull * locality->n_endpoints;
	return locality->weight * (percent * denominator / locality->n_endpoints);
}

// By weight of localities when these are wanted and there are some with weight; but in panic nothing counts.
static void fill_with_share(struct build *b, uint32_t ring_idx, const struct priority_share *share,
	uint32_t *localities)
{
	uint64_t denominator = find_denominator(b, share);
	uint32_t n = 0, first;

	if (b->spec->locality_weighted && share->source != PRIORITY_ALL)
		for (uint32_t i = 0; i < b->spec->n_localities; i++) {
			if (!takes_locality(b, share, i))
				continue;
			b->weights[n] =
				effective_weight(b, share, &b->spec->localities[i], denominator);
			localities[n] = i;
			n += b->weights[n] > 0;
		}
	if (n < 2) {
		fill_with_endpoints(b, ring_idx, share, n == 0 ? EVERY_LOCALITY : localities[0]);
		return;
	}
	first = fill_ring_of_rings(b, ring_idx, n);
	for (uint32_t i = 0; i < n; i++)
		fill_with_endpoints(b, first + i, share, localities[i]);
}

static void fill_with_shares(struct build *b, uint32_t *localities)
{
	struct priority_share shares[PRIORITY_MAX_SHARES];
	uint32_t n = priority_share(b->spec, shares), first = 0;

	if (n == 0)
		return;
	b->n_rings = 1;
	if (n > 1) {
		for (uint32_t i = 0; i < n; i++)
			b->weights[i] = shares[i].percent;
		first = fill_ring_of_rings(b, 0, n);
	}
	for (uint32_t i = 0; i < n; i++)
		fill_with_share(b, first + i, &shares[i], localities);
}

// ---- what is shown

// By locality, in the block.
struct locality_record {
	uint32_t region_off;
	uint32_t zone_off;
	uint32_t sub_zone_off;
	uint32_t priority;
	uint32_t weight;
};

static uint32_t add_text(struct build *b, const char *text)
{
	return block_add(&b->builder, CLUSTER_TEXTS, text, strlen(text) + 1);
}

static void add_localities(struct build *b)
{
	for (uint32_t i = 0; i < b->spec->n_localities; i++) {
		const struct locality_spec *locality = &b->spec->localities[i];
		struct locality_record record = {
			.region_off = add_text(b, locality->region),
			.zone_off = add_text(b, locality->zone),
			.sub_zone_off = add_text(b, locality->sub_zone),
			.priority = locality->priority,
			.weight = locality->weight,
		};

		block_add(&b->builder, CLUSTER_LOCALITIES, &record, sizeof(record));
	}
}

struct cluster_locality cluster_locality(const struct cluster *cluster, uint32_t idx)
{
	const struct locality_record *record =
		(const struct locality_record *)block_part(&cluster->block, CLUSTER_LOCALITIES) +
		idx;
	const char *texts = block_part(&cluster->block, CLUSTER_TEXTS);

	return (struct cluster_locality){
		.region = texts + record->region_off,
		.zone = texts + record->zone_off,
		.sub_zone = texts + record->sub_zone_off,
		.priority = record->priority,
		.weight = record->weight,
	};
}

// ---- clusters

struct cluster *cluster_build(const struct cluster_spec *spec, const uint32_t *endpoint_slots)
{
	uint32_t n_endpoints = cluster_count_endpoints(spec);
	uint32_t n_items = n_endpoints + spec->n_localities + PRIORITY_MAX_SHARES;
	struct build b = {.spec = spec, .slots = endpoint_slots};
	struct cluster head = {
		.connect_timeout_ms = spec->connect_timeout_ms,
		.pool_timeout_ms = spec->pool_timeout_ms,
		.n_endpoints = n_endpoints,
		.n_localities = spec->n_localities,
		.policy = spec->policy,
		.choice_count = spec->choice_count,
		.active_request_bias = spec->active_request_bias,
	};
	uint32_t *localities = calloc(spec->n_localities + 1, sizeof(*localities));

	// A locality is in at most two rings: with its healthy and with its degraded endpoints.
	b.rings = calloc(
		1 + PRIORITY_MAX_SHARES + 2ul * spec->n_localities, sizeof(struct cluster_ring));
	b.weights = calloc(n_items, sizeof(*b.weights));
	b.items = calloc(n_items, sizeof(*b.items));
	b.builder.failed =
		localities == NULL || b.rings == NULL || b.weights == NULL || b.items == NULL;
	if (!b.builder.failed) {
		fill_with_shares(&b, localities);
		block_add(&b.builder, CLUSTER_RINGS, b.rings, b.n_rings * sizeof(*b.rings));
		add_localities(&b);
		head.n_turns = b.rings[0].n_turns;
		head.n_rings = b.n_rings;
	}
	free(localities);
	free(b.rings);
	free(b.weights);
	free(b.items);
	return block_finish(&b.builder, &head, sizeof(head));
}

uint32_t cluster_choose(const struct cluster_choice *choices, uint32_t n, uint32_t random)
{
	uint32_t draw, i = 0;

	if (n == 1)
		return choices[0].cluster;
	draw = random % choices[n - 1].end;
	while (draw >= choices[i].end)
		i++;
	return choices[i].cluster;
}
