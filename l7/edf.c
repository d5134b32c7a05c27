// SPDX-License-Identifier: Apache-2.0

// What has weight w is due at 1/w, 2/w, 3/w and so on; whoever is due next has the turn, and of two that are due
// together the one that has waited longer. After as many turns as the weights' sum, divided by what all of them
// can be divided by, everything begins anew: that is the period.

#include "l7/edf.h"

#include <stdbool.h>
#include <stdlib.h>

// One in the heap of those that wait.
struct waiting {
	uint64_t n_turns; // that it will have had with the next one
	uint64_t since;	  // turn after which it began to wait
	uint32_t weight;
	uint32_t idx;
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

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

// Gives the heap weights whose sum, which is returned, is at most EDF_MAX_TURNS: divided by their common divisor,
// or else rounded, none of them to zero.
static uint32_t scale(struct waiting *heap, const uint64_t *weights, uint32_t n)
{
	uint64_t sum = 0, divisor = 0;
	uint32_t scaled_sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		divisor = common_divisor(weights[i], divisor);
		sum += weights[i];
	}
	for (uint32_t i = 0; i < n; i++) {
		if (sum / divisor <= EDF_MAX_TURNS)
			heap[i].weight = (uint32_t)(weights[i] / divisor);
		else
			heap[i].weight =
				(uint32_t)((double)weights[i] * (EDF_MAX_TURNS - n) / (double)sum) +
				1;
		scaled_sum += heap[i].weight;
	}
	return scaled_sum;
}

static int compare_waiting(const void *a, const void *b)
{
	return is_sooner(a, b) ? -1 : 1;
}

uint32_t *edf_order(const uint64_t *weights, uint32_t n, uint32_t *n_turns)
{
	struct waiting *heap = calloc(n, sizeof(*heap));
	uint32_t *order;

	if (heap == NULL)
		return NULL;
	*n_turns = scale(heap, weights, n);
	order = malloc(*n_turns * sizeof(*order));
	for (uint32_t i = 0; i < n; i++) {
		heap[i].n_turns = 1;
		heap[i].since = i;
		heap[i].idx = i;
	}
	qsort(heap, n, sizeof(*heap), compare_waiting);
	for (uint32_t turn = 0; order != NULL && turn < *n_turns; turn++) {
		order[turn] = heap[0].idx;
		heap[0].n_turns++;
		heap[0].since = n + turn;
		sift_down(heap, n);
	}
	free(heap);
	return order;
}
