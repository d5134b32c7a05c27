// SPDX-License-Identifier: Apache-2.0
#pragma once

// Watches the workers: one whose heartbeat stands still is reported once, and again when it goes on.
// Measures how busy they are, too.

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct watchdog;

enum {
	WATCHDOG_PERIOD_MS = 500,
	// Periods without a heartbeat. Counted rather than timed: a machine that was suspended wakes up with one
	// period gone.
	WATCHDOG_MAX_SILENT = 4,
};

// Watches ctrl->workers from when the loop runs, and is ctrl->watchdog. NULL with errno.
struct watchdog *watchdog_create(struct ctrl *ctrl);
// Before the workers are stopped. NULL is fine.
void watchdog_destroy(struct watchdog *watchdog);

// One period has passed. Called by a timer; tests call it themselves.
void watchdog_check(struct watchdog *watchdog);

bool watchdog_is_stalled(const struct watchdog *watchdog, uint16_t worker_idx);
// Share of the last period's time in walks that found packets; 0 before the first period is over.
double watchdog_busy_percent(const struct watchdog *watchdog, uint16_t worker_idx);
