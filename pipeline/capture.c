// SPDX-License-Identifier: Apache-2.0

#include "pipeline/capture.h"

#include <rte_cycles.h>
#include <rte_pcapng.h>

void capture_packets(struct worker *w, struct rte_mbuf **pkts, uint16_t n, uint16_t port,
	enum capture_direction direction)
{
	enum rte_pcapng_direction way =
		direction == CAPTURE_IN ? RTE_PCAPNG_DIRECTION_IN : RTE_PCAPNG_DIRECTION_OUT;

	// The control core made ring and mbufs before it set the port's bit.
	atomic_thread_fence(memory_order_acquire);
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *copy =
			rte_pcapng_copy(port, 0, pkts[i], w->capture_mbufs, UINT32_MAX, 0, way);

		// DPDK 22.11 turns clocks into time with state that all workers would write, and that
		// jumps by centuries when a frame is older than the one before it.
		if (copy != NULL)
			capture_set_time(copy, rte_rdtsc());
		if (copy != NULL && rte_ring_enqueue(w->capture_ring, copy) == 0)
			continue;
		rte_pktmbuf_free(copy);
		w->n_capture_lost++;
	}
}
