// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packet capture: workers copy frames of chosen ports into a ring, the control core writes them to a
// pcapng file. Costs one test per burst while it is off.

#include <stdbool.h>
#include <string.h>

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

// Where a copy's pcapng block (draft-ietf-opsawg-pcapng, Enhanced Packet Block) has its time stamp: the high
// word, then the low one.
enum {
	CAPTURE_TIME_OFF = 12,
};

// Between worker and control core the time stamp is in TSC clocks.
static inline void capture_set_time(struct rte_mbuf *m, uint64_t time)
{
	uint32_t words[2] = {(uint32_t)(time >> 32), (uint32_t)time};

	memcpy(rte_pktmbuf_mtod_offset(m, void *, CAPTURE_TIME_OFF), words, sizeof(words));
}

static inline uint64_t capture_time(const struct rte_mbuf *m)
{
	uint32_t words[2];

	memcpy(words, rte_pktmbuf_mtod_offset(m, const void *, CAPTURE_TIME_OFF), sizeof(words));
	return (uint64_t)words[0] << 32 | words[1];
}

// Copies n frames into the capture ring; what does not fit is counted in n_capture_lost.
void capture_packets(struct worker *w, struct rte_mbuf **pkts, uint16_t n, uint16_t port,
	enum capture_direction direction);
