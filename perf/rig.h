// SPDX-License-Identifier: Apache-2.0
#pragma once

// The real graph without devices: ports are pairs of in-process rings (net_ring), workers are walked by
// the caller. Benchmarks and tests that account for every packet use it.

#include <stdint.h>

#include "ctrl/ctrl.h"

enum {
	RIG_MAX_PORTS = 8,
	RIG_RING_SIZE = 4096,
	RIG_MAX_QUEUES = 2,
};

// One net_ring device: what is put into in is received, what is sent comes out of out; by queue.
struct rig_port {
	struct rte_ring *in[RIG_MAX_QUEUES];
	struct rte_ring *out[RIG_MAX_QUEUES];
};

struct rig {
	struct ctrl ctrl;
	struct rig_port ports[RIG_MAX_PORTS];
	uint16_t n_ports;
};

// Starts EAL with n_workers + 1 lcores, pinned from core first_core on. Exits the process with a
// message on failure: benchmarks have nothing else to do.
void rig_start_eal(uint16_t n_workers, unsigned int first_core, bool huge_pages);

// Makes n_ports devices net_ring_rig0, net_ring_rig1, ... with one queue per worker, loads the
// configuration, compiles it and creates workers. Neighbours that routes name are resolved before workers
// see them: an address that ends in xx is at 02:00:00:00:00:xx.
// Exits on failure.
void rig_create(struct rig *rig, const char *config, uint16_t n_ports, uint16_t n_workers);
void rig_destroy(struct rig *rig);

// Compiles config and swaps it in. Returns 0, or -errno with the reason in refusal. The caller lets workers
// walk and calls reclaim_poll(rig->ctrl.reclaim).
int rig_swap(struct rig *rig, const char *config, struct refusal *refusal);
