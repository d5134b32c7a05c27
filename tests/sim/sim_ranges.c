// SPDX-License-Identifier: Apache-2.0

#include <string.h>

#include "tests/sim/sim_tcp.h"

static void remove_at(struct sim_ranges *ranges, uint32_t i)
{
	ranges->n--;
	memmove(&ranges->at[i], &ranges->at[i + 1], (ranges->n - i) * sizeof(ranges->at[0]));
}

void sim_ranges_add(struct sim_ranges *ranges, uint32_t left, uint32_t right)
{
	uint32_t i = 0;

	while (i < ranges->n && sim_seq_lt(ranges->at[i].right, left))
		i++;
	while (i < ranges->n && sim_seq_le(ranges->at[i].left, right)) {
		if (sim_seq_lt(ranges->at[i].left, left))
			left = ranges->at[i].left;
		if (sim_seq_lt(right, ranges->at[i].right))
			right = ranges->at[i].right;
		remove_at(ranges, i);
	}
	if (ranges->n == SIM_TCP_MAX_RANGES)
		return; // forgotten: as if it had been lost
	memmove(&ranges->at[i + 1], &ranges->at[i], (ranges->n - i) * sizeof(ranges->at[0]));
	ranges->at[i] = (struct sim_range){.left = left, .right = right};
	ranges->n++;
}

void sim_ranges_forget(struct sim_ranges *ranges, uint32_t below)
{
	while (ranges->n && sim_seq_le(ranges->at[0].right, below))
		remove_at(ranges, 0);
	if (ranges->n && sim_seq_lt(ranges->at[0].left, below))
		ranges->at[0].left = below;
}

bool sim_ranges_cover(const struct sim_ranges *ranges, uint32_t left, uint32_t right)
{
	for (uint32_t i = 0; i < ranges->n; i++)
		if (sim_seq_le(ranges->at[i].left, left) && sim_seq_le(right, ranges->at[i].right))
			return true;
	return false;
}
