// SPDX-License-Identifier: Apache-2.0
#pragma once

// The xDS client: link, session, store and assembly put together, as the file's "xds" wants them. On the control
// core's loop.

#include <stdint.h>

#include "ctrl/xds/assembly.h"
#include "ctrl/xds/link.h"
#include "ctrl/xds/session.h"
#include "ctrl/xds/store.h"

struct ctrl;
struct xds;

enum {
	XDS_N_LATENCIES = 24,
	XDS_LATENCY_UNIT_US = 64,
};

// From a response's last byte until what it changed was live: [i] counts those of less than 2^i * 64 us.
struct xds_latency {
	uint64_t n;
	uint64_t sum_us;
	uint64_t last_us;
	uint64_t max_us;
	uint64_t counts[XDS_N_LATENCIES];
};

// Connects from the loop. ctrl->publish is there. NULL with the refusal.
struct xds *xds_create(struct ctrl *ctrl, struct refusal *refusal);
// After publish_destroy(), which still tells of layers. NULL is fine.
void xds_destroy(struct xds *xds);

// For views. What they return belongs to xds.
const struct xds_spec *xds_spec(const struct xds *xds);
const struct store *xds_store(const struct xds *xds);
const struct session *xds_session(const struct xds *xds);
const struct link *xds_link(const struct xds *xds);
const struct assembly *xds_assembly(const struct xds *xds);
const struct xds_latency *xds_latency(const struct xds *xds);
uint64_t xds_now_ms(void);
