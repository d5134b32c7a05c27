// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cluster, compiled: its time-outs and the order in which its endpoints take turns. Immutable, one
// block (l7/block.h); l7/balance.h picks from it. The schedule is one period of weighted
// earliest-deadline-first, as Envoy's round robin has it, computed ahead, so that a pick is one load.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/block.h"
#include "l7/spec.h"

enum {
	CLUSTER_MAX_TURNS = 16384, // of a period; weights that need more are rounded to 1/16384
	ENDPOINT_NO_POLICY = UINT32_MAX,
	ENDPOINT_VRF_OF_CLIENT = UINT32_MAX,
};

enum endpoint_state {
	ENDPOINT_FREE, // nobody has the slot
	ENDPOINT_LIVE,
	ENDPOINT_DRAINING, // removed; flows that have it may go on
	ENDPOINT_GONE, // removed together with its policy or VRF: flows that have it cannot go on
};

// By slot in l7_tables.
struct endpoint {
	struct l7_address address;
	uint8_t state;	  // enum endpoint_state
	uint16_t port;	  // host order
	uint32_t cluster; // slot
	uint32_t
		policy; // slot of the SRv6 policy that leads there, or ENDPOINT_NO_POLICY: routes do
	uint32_t vrf;	// slot of the VRF that it is in and answers from, or ENDPOINT_VRF_OF_CLIENT
	uint32_t weight;
};

struct cluster {
	struct block block;
	uint32_t connect_timeout_ms; // 0: none
	uint32_t pool_timeout_ms;
	uint32_t n_endpoints;
	uint32_t n_turns; // 0: there are no endpoints
};

// A share of requests: it gets those whose random % sum is below end, and not below the share before. The last
// one's end is the sum.
struct cluster_choice {
	uint32_t end;
	uint32_t cluster; // slot
};

// endpoint_slots: by index in the spec. Returns NULL with errno ENOMEM. The block holds one reference.
struct cluster *cluster_build(const struct cluster_spec *spec, const uint32_t *endpoint_slots);

// By turn, the slots of the endpoints.
const uint32_t *cluster_turns(const struct cluster *cluster);

// The cluster that a request falls to. n is 1 or more.
uint32_t cluster_choose(const struct cluster_choice *choices, uint32_t n, uint32_t random);
