// SPDX-License-Identifier: Apache-2.0
#pragma once

// Walks through the live route configurations in the order of the file, virtual host by virtual host or route by
// route, and tells the slots that count for each.

#include <stdbool.h>
#include <stdint.h>

#include "l7/tables.h"

struct ctrl;

struct l7_walk {
	const struct ctrl *ctrl;
	uint32_t only_table; // slot of the one route table to walk through; L7_NO_SLOT: all
	// Where it is.
	uint32_t configuration_idx; // those with a name come first, then those of listeners
	uint32_t host_idx;
	uint32_t route_idx; // in the virtual host
	uint32_t n_before;  // routes of virtual hosts before
	uint32_t hint;
	uint32_t table;					      // slot
	const struct route_configuration_spec *configuration; // NULL: before the first one
	const char *name;				      // of the configuration
};

void l7_walk_start(struct l7_walk *walk, const struct ctrl *ctrl, uint32_t only_table);

// The next virtual host and its slot, or NULL. Of one walk, either this or the next function is called.
const struct virtual_host_spec *l7_walk_next_host(struct l7_walk *walk, uint32_t *slot);
// The next route, its virtual host, and its slot, or NULL.
const struct l7_route_spec *l7_walk_next_route(
	struct l7_walk *walk, const struct virtual_host_spec **host, uint32_t *slot);
