// SPDX-License-Identifier: Apache-2.0

#include "l7/balance.h"

#include <math.h>

enum {
	GOLDEN = 0x9e3779b9, // 2^32 divided by the golden ratio
};

void balance_start(struct balance_state *states, uint32_t n, uint16_t worker_idx)
{
	for (uint32_t i = 0; i < n; i++)
		states[i].turn = worker_idx;
}

static bool is_among(uint32_t slot, const uint32_t *slots, uint32_t n_slots)
{
	for (uint32_t i = 0; i < n_slots; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

// The turn, from *at on, of somebody who is not among tried; *at is the one after it. BALANCE_NONE: all are.
static uint32_t find_turn(const uint32_t *turns, uint32_t n_turns, uint32_t *at,
	const uint32_t *tried, uint32_t n_tried)
{
	uint32_t first = *at;

	do {
		uint32_t slot = turns[*at];

		*at = *at + 1 == n_turns ? 0 : *at + 1;
		if (!is_among(slot, tried, n_tried))
			return slot;
	} while (*at != first);
	return BALANCE_NONE;
}

// The ring of endpoints that a turn falls to; *turn is then how many it had before.
//
// A ring's turn is found from the number of turns that it had before: those of whole periods of the ring that it
// is in, and those of the current one. So one number does for all rings.
static const struct cluster_ring *find_ring(const struct cluster *cluster, uint32_t *turn)
{
	const struct cluster_ring *rings = cluster_rings(cluster), *ring = rings;

	while (ring->of_rings) {
		const struct cluster_ring_turn *next =
			&cluster_ring_turns(cluster)[ring->first + *turn % ring->n_turns];
		uint32_t n_periods = *turn / ring->n_turns;

		ring = &rings[next->ring];
		*turn = n_periods * ring->n_in_parent + next->nth;
	}
	return ring;
}

// Somebody who is not among tried: in the ring from turn at on, or else in any other. BALANCE_NONE: all are.
static uint32_t find_other(const struct cluster *cluster, const struct cluster_ring *ring,
	uint32_t at, const uint32_t *tried, uint32_t n_tried)
{
	const struct cluster_ring *rings = cluster_rings(cluster);
	uint32_t slot =
		find_turn(cluster_turns(cluster) + ring->first, ring->n_turns, &at, tried, n_tried);

	for (uint32_t i = 0; slot == BALANCE_NONE && i < cluster->n_rings; i++) {
		at = 0;
		if (!rings[i].of_rings)
			slot = find_turn(cluster_turns(cluster) + rings[i].first, rings[i].n_turns,
				&at, tried, n_tried);
	}
	return slot;
}

static uint32_t pick_from_rings(
	const struct cluster *cluster, uint32_t turn, const uint32_t *tried, uint32_t n_tried)
{
	const struct cluster_ring *ring = find_ring(cluster, &turn);
	uint32_t at = turn % ring->n_turns;
	uint32_t slot = find_other(cluster, ring, at, tried, n_tried);

	return slot == BALANCE_NONE ? cluster_turns(cluster)[ring->first + at] : slot;
}

uint32_t balance_pick(const struct cluster *cluster, struct balance_state *state,
	const uint32_t *tried, uint32_t n_tried)
{
	const uint32_t *turns = cluster_turns(cluster);
	uint32_t first, slot;

	if (cluster->n_turns == 0)
		return BALANCE_NONE;
	if (cluster->n_rings > 1)
		return pick_from_rings(cluster, state->turn++, tried, n_tried);
	// Past the end for a start, and after a reload that made the period shorter.
	first = state->turn < cluster->n_turns ? state->turn : state->turn % cluster->n_turns;
	state->turn = first;
	slot = find_turn(turns, cluster->n_turns, &state->turn, tried, n_tried);
	if (slot != BALANCE_NONE)
		return slot;
	state->turn = first + 1;
	return turns[first];
}

// ---- policies other than turns

// The next of a series of pseudo-random numbers (splitmix64); the upper 32 bits.
static uint32_t draw(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 32);
}

// Below n, without a division, as good as evenly.
static uint32_t draw_below(uint64_t *random, uint32_t n)
{
	return (uint32_t)((uint64_t)draw(random) * n >> 32);
}

// Of n_choices that are drawn (the same one may be drawn again), the turn of the one with the fewest requests.
static uint32_t choose_least(const uint32_t *turns, uint32_t n_turns,
	const struct balance_load *load, uint32_t n_choices)
{
	uint64_t random = load->random;
	uint32_t best = draw_below(&random, n_turns);

	for (uint32_t i = 1; i < n_choices; i++) {
		uint32_t at = draw_below(&random, n_turns);

		if (load->n_active[turns[at]] < load->n_active[turns[best]])
			best = at;
	}
	return best;
}

static double weigh(uint32_t weight, uint32_t n_active, double bias)
{
	if (bias == 1)
		return weight / (n_active + 1.0);
	return bias == 0 ? weight : weight / pow(n_active + 1.0, bias);
}

// Shares by what weights count at this moment. Where in their sum turn number n points is n times the golden ratio,
// modulo 1: such points lie evenly however many there are, so that shares come out as with deadlines, but with
// nothing to keep per endpoint and nothing to build anew when the table changes.
static uint32_t choose_by_weight(const struct cluster *cluster, const struct cluster_ring *ring,
	const uint32_t *n_active, uint32_t turn)
{
	const uint32_t *turns = cluster_turns(cluster) + ring->first;
	const uint32_t *weights = cluster_weights(cluster) + ring->first;
	double bias = cluster->active_request_bias, sum = 0, point;
	uint32_t at = 0;

	for (uint32_t i = 0; i < ring->n_turns; i++)
		sum += weigh(weights[i], n_active[turns[i]], bias);
	if (sum == 0) // a bias so high that every weight vanished
		return turn % ring->n_turns;
	point = (turn * GOLDEN) * 0x1p-32 * sum;
	for (; at + 1 < ring->n_turns; at++) {
		point -= weigh(weights[at], n_active[turns[at]], bias);
		if (point < 0)
			break;
	}
	return at;
}

uint32_t balance_pick_by_load(const struct cluster *cluster, struct balance_state *state,
	const struct balance_load *load, const uint32_t *tried, uint32_t n_tried)
{
	uint32_t turn = state->turn++, n_choices, at, slot;
	const struct cluster_ring *ring;
	const uint32_t *turns;

	if (cluster->n_turns == 0)
		return BALANCE_NONE;
	ring = find_ring(cluster, &turn);
	turns = cluster_turns(cluster) + ring->first;
	n_choices = cluster->policy == CLUSTER_LEAST_REQUEST ? cluster->choice_count : 1;
	at = ring->by_weight ? choose_by_weight(cluster, ring, load->n_active, turn)
			     : choose_least(turns, ring->n_turns, load, n_choices);
	slot = find_other(cluster, ring, at, tried, n_tried);
	return slot == BALANCE_NONE ? turns[at] : slot;
}
