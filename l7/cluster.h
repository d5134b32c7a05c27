// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cluster, compiled: its time-outs and the order in which its endpoints take turns, or the endpoints to choose
// from where its policy is another one. Immutable, one block (l7/block.h); l7/balance.h picks from it. Rings say
// whose turn it is (l7/edf.h). With one priority and one locality in play there is one ring, of endpoints, and a
// pick is one load. Else a ring of rings comes before: the priorities by their shares (l7/priority.h), in each its
// localities by weight, in each of these the endpoints.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/block.h"
#include "l7/spec.h"

enum {
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
	uint8_t state;	   // enum endpoint_state
	uint16_t port;	   // host order
	uint16_t locality; // of its cluster; of a removed endpoint, what it was
	uint8_t health;	   // enum endpoint_health
	uint8_t pad;
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
	uint32_t n_turns; // of the first ring; 0: nobody may be chosen
	uint32_t n_rings;
	uint32_t n_localities;
	enum cluster_policy policy;
	uint32_t choice_count;
	double active_request_bias;
};

// Who takes turns: endpoints, or rings. The first ring is the one that a pick starts with. Where endpoints do not take
// turns, each stands once in its ring.
struct cluster_ring {
	uint32_t first; // in the ring's turns, of endpoints or of rings
	uint32_t n_turns;
	uint32_t n_in_parent; // turns that it has in one period of the ring that it is in
	uint32_t of_rings;    // bool
	uint32_t by_weight;   // bool; of LEAST_REQUEST: its endpoints' weights differ
};

struct cluster_ring_turn {
	uint32_t ring;
	uint32_t nth; // of this ring's turns in the period, from 0
};

struct cluster_locality {
	const char *region; // in the cluster's block; likewise the next two
	const char *zone;
	const char *sub_zone;
	uint32_t priority;
	uint32_t weight; // 0: not given
};

// A share of requests: it gets those whose random % sum is below end, and not below the share before. The last
// one's end is the sum.
struct cluster_choice {
	uint32_t end;
	uint32_t cluster; // slot
};

// Of all localities.
uint32_t cluster_count_endpoints(const struct cluster_spec *spec);

// endpoint_slots: by index in the spec, counted through its localities. Returns NULL with errno ENOMEM. The block
// holds one reference.
struct cluster *cluster_build(const struct cluster_spec *spec, const uint32_t *endpoint_slots);

struct cluster_locality cluster_locality(const struct cluster *cluster, uint32_t idx);

enum cluster_part {
	CLUSTER_TURNS, // slots of endpoints
	CLUSTER_RING_TURNS,
	CLUSTER_RINGS,
	CLUSTER_LOCALITIES,
	CLUSTER_TEXTS,
	CLUSTER_WEIGHTS, // of LEAST_REQUEST, by turn
};

// The slots of the endpoints by turn, ring after ring. Inline like the next two, since workers come here for each
// request.
static inline const uint32_t *cluster_turns(const struct cluster *cluster)
{
	return block_part(&cluster->block, CLUSTER_TURNS);
}

static inline const struct cluster_ring_turn *cluster_ring_turns(const struct cluster *cluster)
{
	return block_part(&cluster->block, CLUSTER_RING_TURNS);
}

static inline const struct cluster_ring *cluster_rings(const struct cluster *cluster)
{
	return block_part(&cluster->block, CLUSTER_RINGS);
}

static inline const uint32_t *cluster_weights(const struct cluster *cluster)
{
	return block_part(&cluster->block, CLUSTER_WEIGHTS);
}

// The cluster that a request falls to. n is 1 or more.
uint32_t cluster_choose(const struct cluster_choice *choices, uint32_t n, uint32_t random);
