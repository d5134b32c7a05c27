// SPDX-License-Identifier: Apache-2.0
#pragma once

// A compiled SID: what a worker needs to act on a packet whose destination matched it. Half a
// cache line, immutable, kept in one array per snapshot; the FIB of the underlay VRF finds it.

#include <stdint.h>

#include "srv6/spec.h"

enum sid_flag {
	SID_REQUIRE_HMAC = 1 << 0,
	// End.DT* whose packets without extension headers need no more than the next-header field checked.
	SID_PLAIN_IP4 = 1 << 1,
	SID_PLAIN_IP6 = 1 << 2,
	// End, End.X, End.T that follow an SRH without looking at the argument or an HMAC.
	SID_PLAIN_END = 1 << 3,
};

struct sid {
	uint8_t behavior;	// enum srv6_behavior
	uint8_t flavors;	// enum srv6_flavor bits
	uint8_t flags;		// enum sid_flag bits
	uint8_t csid_block_len; // bytes; NEXT-C-SID only
	uint8_t csid_len;	// bytes; NEXT-C-SID only
	uint8_t pad;
	uint16_t vrf;	// slot: table for End, End.T, End.DT*, and for what USD exposes
	uint16_t iface; // End.DX2, End.X, End.DX4/6: index of the outgoing interface
	uint16_t pad2;
	uint32_t adj;	 // End.X, End.DX4, End.DX6: adjacency slot
	uint32_t policy; // End.B6.*: index of the policy
	uint32_t slot;	 // of the per-worker counters
	uint32_t pad3[2];
};

_Static_assert(sizeof(struct sid) == 32, "two SIDs to a cache line");
