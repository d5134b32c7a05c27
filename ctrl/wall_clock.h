// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells the workers what time it is: they make no system calls, and what they count from their processor's clock is
// nobody's calendar.

struct ctrl;
struct wall_clock;

enum {
	WALL_CLOCK_PERIOD_MS = 250, // how late a worker may be
};

// Tells ctrl->workers now, and again while the loop runs. NULL with errno.
struct wall_clock *wall_clock_create(struct ctrl *ctrl);
// Before the workers go. NULL is fine.
void wall_clock_destroy(struct wall_clock *wall_clock);
