// SPDX-License-Identifier: Apache-2.0
#pragma once

// The world that http_churn changes: what there is, and the layer that says so.

#include <stdint.h>

#include "ctrl/xds/layers.h"
#include "perf/http_load.h"

enum {
	CHURN_CLUSTERS = 2, // of each service
	CHURN_EXTRAS = 5,   // services that nobody asks for
	CHURN_LISTENER = 0, // places of listeners and route configurations: the first is asked
};

// What clusters say of their endpoints, and routes of clusters.
struct churn_service {
	uint8_t healthy[CHURN_CLUSTERS]; // endpoints, as bits
	uint8_t routed;			 // clusters, as bits
};

struct churn_world {
	struct layers *layers;
	uint32_t n_services;
	uint64_t random;
	struct churn_service *services;
	struct layers_place *clusters; // of services, then of extras
	struct layers_place listeners[1 + CHURN_EXTRAS];
	struct layers_place routes[1 + CHURN_EXTRAS];
};

// Everything that is there to begin with. Returns 0 or -errno.
int churn_world_create(struct churn_world *world, uint32_t n_services);
void churn_world_destroy(struct churn_world *world);

// One change at random.
void churn_world_change(struct churn_world *world);

// Which endpoints may answer for a service, as bits.
uint8_t churn_world_allowed(const struct churn_world *world, uint32_t service);
