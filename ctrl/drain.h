// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stop in good order: workers take no new connections of clients and close the idle ones, requests under way
// end, then the loop is left.

struct ctrl;
struct drain;

enum {
	DRAIN_LIMIT_MS = 10 * 1000, // who is not done by then is cut off
};

// For ctrl's loop and workers. NULL with errno ENOMEM.
struct drain *drain_create(struct ctrl *ctrl);
// NULL is fine.
void drain_destroy(struct drain *drain);

// Begins, and breaks ctrl->base's loop when it is done: at once when there are no connections, or at the second
// call.
void drain_begin(struct drain *drain);
