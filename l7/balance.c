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

uint32_t balance_pick(const struct cluster *cluster, struct balance_state *state,
	const uint32_t *tried, uint32_t n_tried)
{
	const uint32_t *turns = cluster_turns(cluster);
	uint32_t first, at;

	if (cluster->n_turns == 0)
		return BALANCE_NONE;
	// Past the end for a start, and after a reload that made the period shorter.
	first = at = state->turn < cluster->n_turns ? state->turn : state->turn % cluster->n_turns;
	do {
		uint32_t slot = turns[at];

		at = at + 1 == cluster->n_turns ? 0 : at + 1;
		state->turn = at;
		if (!is_among(slot, tried, n_tried))
			return slot;
	} while (at != first);
	state->turn = first + 1;
	return turns[first];
}
