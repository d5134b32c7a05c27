// SPDX-License-Identifier: Apache-2.0

// Earliest deadline first: an endpoint of weight w is due at 1/w, 2/w, 3/w and so on; whoever is due next
// has the turn, and of two that are due together the one that has waited longer. After as many turns as the
// weights' sum, divided by what all of them can be divided by, everything begins anew: that is the period.

#include "l7/cluster.h"

#include <stdlib.h>

enum {
	PART_TURNS,
};

// An endpoint in the heap of those that wait.
struct waiting {
	uint64_t n_turns; // that it will have had with the next one
	uint64_t since;	  // turn after which it began to wait
	uint32_t weight;
	uint32_t slot;
};

// Whether a's turn comes before b's: compares the deadlines n_turns / weight without dividing.
static bool is_sooner(const struct waiting *a, const struct waiting *b)
{
	uint64_t x = a->n_turns * b->weight, y = b->n_turns * a->weight;

	return x != y ? x < y : a->since < b->since;
}

// Lets the first one sink to its place.
static void sift_down(struct waiting *heap, uint32_t n)
{
	struct waiting moved = heap[0];
	uint32_t at = 0;

	for (uint32_t child = 1; child < n; child = 2 * at + 1) {
		if (child + 1 < n && is_sooner(&heap[child + 1], &heap[child]))
			child++;
		if (!is_sooner(&heap[child], &moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

// Weights whose sum is at most CLUSTER_MAX_TURNS: divided by their common divisor, or else rounded, none of them
// to zero.
static uint32_t scale(struct waiting *heap, const struct cluster_spec *spec)
{
	uint64_t sum = 0, scaled_sum = 0;
	uint32_t divisor = 0;

	for (uint32_t i = 0; i < spec->n_endpoints; i++) {
		divisor = common_divisor(spec->endpoints[i].weight, divisor);
		sum += spec->endpoints[i].weight;
	}
	for (uint32_t i = 0; i < spec->n_endpoints; i++) {
		uint64_t weight = spec->endpoints[i].weight;

		if (sum / divisor <= CLUSTER_MAX_TURNS)
			weight /= divisor;
		else
			weight = weight * (CLUSTER_MAX_TURNS - spec->n_endpoints) / sum + 1;
		heap[i].weight = (uint32_t)weight;
		scaled_sum += weight;
	}
	return (uint32_t)scaled_sum;
}

static int compare_waiting(const void *a, const void *b)
{
	return is_sooner(a, b) ? -1 : 1;
}

static uint32_t add_turns(struct block_builder *builder, const struct cluster_spec *spec,
	const uint32_t *endpoint_slots)
{
	struct waiting *heap = calloc(spec->n_endpoints + 1, sizeof(*heap));
	uint32_t n_turns;

	if (heap == NULL || spec->n_endpoints == 0) {
		builder->failed |= heap == NULL;
		free(heap);
		return 0;
	}
	n_turns = scale(heap, spec);
	for (uint32_t i = 0; i < spec->n_endpoints; i++) {
		heap[i].n_turns = 1;
		heap[i].since = i;
		heap[i].slot = endpoint_slots[i];
	}
	qsort(heap, spec->n_endpoints, sizeof(*heap), compare_waiting);
	for (uint32_t turn = 0; turn < n_turns; turn++) {
		block_add(builder, PART_TURNS, &heap[0].slot, sizeof(heap[0].slot));
		heap[0].n_turns++;
		heap[0].since = spec->n_endpoints + turn;
		sift_down(heap, spec->n_endpoints);
	}
	free(heap);
	return n_turns;
}

struct cluster *cluster_build(const struct cluster_spec *spec, const uint32_t *endpoint_slots)
{
	struct block_builder builder = {0};
	struct cluster head = {
		.connect_timeout_ms = spec->connect_timeout_ms,
		.pool_timeout_ms = spec->pool_timeout_ms,
		.n_endpoints = spec->n_endpoints,
		.n_turns = add_turns(&builder, spec, endpoint_slots),
	};

	return block_finish(&builder, &head, sizeof(head));
}

const uint32_t *cluster_turns(const struct cluster *cluster)
{
	return block_part(&cluster->block, PART_TURNS);
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
