// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a route leads to, in 32 bits: a kind, which is at once the number of the graph edge that the
// packet takes, and an index whose meaning the kind gives. FIBs store it, lookups return it.

#include <stdint.h>

enum dest_kind {
	DEST_NO_ROUTE,	// LPM_NO_ROUTE is (DEST_NO_ROUTE, 0)
	DEST_FORWARD,	// adjacency slot
	DEST_CONNECTED, // interface: the destination itself is the neighbour
	DEST_LOCAL,	// interface: an address of the node
	DEST_BLACKHOLE,
	DEST_UNREACHABLE,
	DEST_LOCATOR,	// in the node's locator, but no SID
	DEST_SID_END,	// SID: End, End.X, End.T
	DEST_SID_DECAP, // SID: End.DT4, End.DT6, End.DT46
	DEST_SID_CROSS, // SID: End.DX2, End.DX4, End.DX6
	DEST_SID_B6,	// SID: End.B6.Encaps, End.B6.Encaps.Red
	DEST_POLICY,	// policy: H.Encaps
	DEST_L7,	// virtual address (l7_tables.vips): requests are routed
	DEST_L7_SOURCE, // source (snapshot.sources): an address that the node speaks to endpoints from
	DEST_N_KINDS,
	DEST_GROUP = DEST_N_KINDS, // ECMP group: resolved by the lookup itself, never an edge
};

enum {
	DEST_INDEX_BITS = 26,
	DEST_INDEX_MASK = (1 << DEST_INDEX_BITS) - 1,
};

static inline uint32_t dest_make(enum dest_kind kind, uint32_t index)
{
	return ((uint32_t)kind << DEST_INDEX_BITS) | index;
}

static inline enum dest_kind dest_kind(uint32_t dest)
{
	return (enum dest_kind)(dest >> DEST_INDEX_BITS);
}

static inline uint32_t dest_index(uint32_t dest)
{
	return dest & DEST_INDEX_MASK;
}
