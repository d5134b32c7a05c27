// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packet capture: workers copy frames of chosen ports into a ring, the control core writes them to a
// pcapng file. Costs one test per burst while it is off.

#include <stdbool.h>

#include "pipeline/worker.h"

enum capture_direction {
	CAPTURE_IN,
	CAPTURE_OUT,
};

static inline bool capture_wanted(struct worker *w, uint16_t port)
{
	uint64_t ports = atomic_load_explicit(&w->capture_ports, memory_order_relaxed);

	return port < 64 && (ports >> port & 1) != 0;
}

// Copies n frames into the capture ring; what does not fit is counted in n_capture_lost.
void capture_packets(struct worker *w, struct rte_mbuf **pkts, uint16_t n, uint16_t port,
	enum capture_direction direction);
