// SPDX-License-Identifier: Apache-2.0
#pragma once

// Route tables of the tests: built from specs, and asked with requests put together by hand.

#include "l7/route_table.h"
#include "tests/unit/route_request.h"

enum {
	RIG_MAX_HOSTS = 6,
	RIG_MAX_ROUTES = 24,	// of all virtual hosts
	RIG_FIRST_HOST = 500,	// slot of the first virtual host
	RIG_FIRST_ROUTE = 1000, // slot of the first route
};

// Clusters are called "0", "1" and so on; these are the shares of a route that leads to the first.
extern const struct weighted_cluster_spec rig_to_zero[1];

#define TO_ZERO .action = ROUTE_ACTION_CLUSTER, .n_clusters = 1, .clusters = rig_to_zero

struct route_table *rig_build(const struct route_configuration_spec *spec);
// A configuration of one virtual host for everything.
struct route_table *rig_build_routes(const struct l7_route_spec *routes, uint32_t n);

struct route_verdict rig_match(
	const struct route_table *table, const struct request_text *rq, uint32_t random);
// The place of the route that a request takes; ROUTE_NO_SLOT: none.
uint32_t rig_route(const struct route_table *table, const struct request_text *rq);
