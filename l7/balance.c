// SPDX-License-Identifier: Apache-2.0

#include "l7/balance.h"

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

// A ring's turn is found from the number of turns that it had before: those of whole periods of the ring that it
// is in, and those of the current one. So one number does for all rings.
static uint32_t pick_from_rings(
	const struct cluster *cluster, uint32_t turn, const uint32_t *tried, uint32_t n_tried)
{
	const struct cluster_ring *rings = cluster_rings(cluster), *ring = rings;
	uint32_t at, slot, first;

	while (ring->of_rings) {
		const struct cluster_ring_turn *next =
			&cluster_ring_turns(cluster)[ring->first + turn % ring->n_turns];
		uint32_t n_periods = turn / ring->n_turns;

		ring = &rings[next->ring];
		turn = n_periods * ring->n_in_parent + next->nth;
	}
	at = turn % ring->n_turns;
	first = cluster_turns(cluster)[ring->first + at];
	slot = find_turn(cluster_turns(cluster) + ring->first, ring->n_turns, &at, tried, n_tried);
	for (uint32_t i = 0; slot == BALANCE_NONE && i < cluster->n_rings; i++) {
		at = 0;
		if (!rings[i].of_rings)
			slot = find_turn(cluster_turns(cluster) + rings[i].first, rings[i].n_turns,
				&at, tried, n_tried);
	}
	return slot == BALANCE_NONE ? first : slot;
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
