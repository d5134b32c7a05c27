// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fetches into the cache what TCP segments will touch, for many of them before the first one is acted upon.
// Guesses only: nothing but time depends on them.

#include <stdint.h>

#include <rte_mbuf.h>

#include "pipeline/l7_worker.h"

// The records of the flow or leg that a segment is probably of.
void l7_fetch_own(const struct l7_worker *l7, uint32_t number);

// Once those are there, the rest: the other side's records; and, where there is so much of everything that the cache
// does not hold it anyway, what counts the flow's request and what its next one will ask for, which is most often
// what the last one asked for. pkts have been taken apart; numbers: of flows and legs, or FLOW_TABLE_NONE; n is at
// most L7_FETCH_MAX.
enum {
	L7_FETCH_MAX = 32,
};

void l7_fetch_rest(const struct l7_worker *l7, struct rte_mbuf *const *pkts,
	const uint32_t *numbers, uint16_t n);
