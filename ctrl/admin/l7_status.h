// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much of its memory for HTTP routing each worker uses.

#include <jansson.h>

struct ctrl;

// A row for each worker: "worker", for each kind of memory {"in_use", "limit"}; "lingering" and "idle_legs" are
// not in use.
json_t *l7_status_rows(const struct ctrl *ctrl);

// A line of words for each kind of memory that is nearly used up: who, how much, what helps.
json_t *l7_status_warnings(const struct ctrl *ctrl);
