// SPDX-License-Identifier: Apache-2.0
#pragma once

// What services' views share: counters and latencies by slot, summed over the workers, and names, as JSON.

#include <stdint.h>

#include <jansson.h>

#include "pipeline/l7_stats.h"

struct ctrl;

// The sum of all workers' counters.
void l7_view_sum(
	const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot, struct l7_counters *sum);

// Adds "requests", "status" ("1xx" to "5xx"), "active", "bytes_up", "bytes_down", "retries", "rebinds",
// "connect_failures", "own_replies" and "resets", the last two also with "_by_reason" where there are any.
void l7_view_add_counters(json_t *row, const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot);

// Adds "first_byte_us" and "response_us": "count", "p50", "p90", "p99", "max".
void l7_view_add_latency(json_t *row, const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot);

// "10.0.0.1:80", "[fd00::1]:80".
json_t *l7_view_address(uint8_t family, const uint8_t bytes[16], uint16_t port);

// The name that a slot has in one of the tables' arrays of names, or "" for slots that are free, or are none.
const char *l7_view_name(const struct paged *names, uint32_t slot);
// "route configuration/virtual host", or null.
json_t *l7_view_host_name(const struct ctrl *ctrl, uint32_t slot);
// NULL for "".
json_t *l7_view_string(const char *text);

// The slot that has a name, or L7_NO_SLOT. Looks from *hint on, and leaves there what comes behind: most often
// the next name in the order of the configuration.
uint32_t l7_view_find_slot(
	const struct paged *names, uint32_t parent, const char *text, uint32_t *hint);
