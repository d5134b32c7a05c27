// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a cluster's priorities share its requests, by the health of their endpoints: Envoy's rules
// (load_balancer_impl.cc, recalculatePerPriorityState and recalculatePerPriorityPanic).

#include <stdbool.h>
#include <stdint.h>

#include "l7/spec.h"

// Which of a priority's endpoints a share goes to.
enum priority_source {
	PRIORITY_HEALTHY,
	PRIORITY_DEGRADED,
	PRIORITY_ALL, // in panic, health does not count
};

struct priority_share {
	uint32_t priority;
	enum priority_source source;
	uint32_t percent; // 1 to 100; all shares together 100
};

enum {
	PRIORITY_MAX_SHARES = 100, // none is below one percent
};

// The shares, in the order in which Envoy goes through them. Returns their number; 0 stands for a cluster that has
// nobody who may be chosen.
uint32_t priority_share(
	const struct cluster_spec *spec, struct priority_share shares[PRIORITY_MAX_SHARES]);

bool priority_takes(enum priority_source source, enum endpoint_health health);
