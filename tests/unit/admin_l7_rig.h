// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of services share: a configuration of three listeners, and a worker with a splice whose segments go
// nowhere.

#include "tests/unit/admin_fixture.h"
#include "tests/unit/eal.h"

enum {
	RIG_N_FLOWS = 4096,
	RIG_N_LEGS = 64,
	RIG_N_HALF_OPEN = 4096,
};

extern const char rig_config[];

int rig_set_up(void **state);
int rig_tear_down(void **state);

#define L7_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

// The worker's turn; the fixture's turn_fn.
void rig_run_worker(struct fixture *f);

// A handshake from 10.1.x.y, port 1000, to 10.100.0.1:80. As requests leave it, when cluster is not L7_NO_SLOT.
uint32_t rig_open_flow(struct fixture *f, uint16_t host, uint32_t virtual_host, uint32_t cluster,
	uint32_t endpoint);

struct l7_counters *rig_counters(struct fixture *f, enum l7_kind kind, uint32_t slot);
uint64_t *rig_latency_at(
	struct fixture *f, enum l7_kind kind, uint32_t slot, enum l7_latency latency, uint64_t us);
// Counts one latency.
void rig_measure(
	struct fixture *f, enum l7_kind kind, uint32_t slot, enum l7_latency latency, uint64_t us);
