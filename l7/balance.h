// SPDX-License-Identifier: Apache-2.0
#pragma once

// Picks an endpoint of a cluster: whose turn it is, or whom the cluster's policy prefers. A worker keeps one state
// per cluster slot, which outlives the cluster's tables.

#include <stdint.h>

#include "l7/cluster.h"

enum {
	BALANCE_NONE = UINT32_MAX,
};

struct balance_state {
	uint32_t
		turn; // next one; of a single ring taken modulo its period, else of all rings together
};

// Starts n states of a worker, each worker elsewhere in the period, so that several workers with few
// requests do not all begin with one endpoint.
void balance_start(struct balance_state *states, uint32_t n, uint16_t worker_idx);

// The slot of the endpoint whose turn it is, or BALANCE_NONE: the cluster has nobody who may be chosen. Endpoints in
// tried (slots) are passed over when others may be chosen, of the same locality and priority first.
uint32_t balance_pick(const struct cluster *cluster, struct balance_state *state,
	const uint32_t *tried, uint32_t n_tried);

// What a choice is made by.
struct balance_load {
	const uint32_t *n_active; // requests under way, by endpoint slot
	uint64_t random;
};

// The same for clusters with another policy than CLUSTER_ROUND_ROBIN, whose priorities and localities take turns, but
// not the endpoints.
uint32_t balance_pick_by_load(const struct cluster *cluster, struct balance_state *state,
	const struct balance_load *load, const uint32_t *tried, uint32_t n_tried);
