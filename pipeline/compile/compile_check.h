// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether one spec would compile on top of a file, by itself: the compile's own checks and words, but for what
// only shows among all of them. For the source of a layer, to refuse a resource before it is part of one.

#include "pipeline/spec.h"

struct compile_check;

// The file's spec outlives it. NULL with the refusal: out of memory, or the file itself would not compile.
struct compile_check *compile_check_create(struct node_spec *base, struct refusal *refusal);
// NULL is fine.
void compile_check_destroy(struct compile_check *check);

// Each returns 0, or -EINVAL or -ENOMEM with the refusal. They take microseconds. network: of VRFs that the listener
// lists itself; NULL: one of the file's. policies, by rising name: what endpoints may name beside the file's. An
// endpoint whose address is not known yet (family 0) is checked but for that; a cluster without a name (NULL) stands
// for any that has these endpoints.
int compile_check_listener(struct compile_check *check, const struct listener_spec *spec,
	const struct service_network_spec *network, struct refusal *refusal);
int compile_check_routes(struct compile_check *check, const struct route_configuration_spec *spec,
	struct refusal *refusal);
int compile_check_cluster(struct compile_check *check, const struct cluster_spec *spec,
	const struct srv6_policy_spec *policies, uint32_t n_policies, struct refusal *refusal);
