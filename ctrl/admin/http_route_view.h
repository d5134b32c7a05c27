// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP routes as JSON: what they match, where they lead, what was counted.

#include <jansson.h>

#include "ctrl/admin/l7_walk.h"

// A row for the next route of a walk: {"route", "match", "to", ..., counters}. False: there is none. *row: a new
// reference, or NULL: out of memory.
bool http_route_view_next(struct l7_walk *walk, json_t **row);
