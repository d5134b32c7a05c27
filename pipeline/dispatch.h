// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inner-flow dispatch: which worker a tenant's flow belongs to. NICs hash SRv6 on the outer addresses
// only, so ports with `dispatch` spread what comes out of the tunnels by the inner flow.

#include "pipeline/flow_hash.h"
#include "pipeline/worker.h"

// Whether the question arises: the port asks for it, and the packet was not handed off before.
static inline bool dispatch_wanted(const struct worker *w, const struct packet *p)
{
	return (p->flags & (PACKET_DISPATCH | PACKET_DISPATCHED)) == PACKET_DISPATCH &&
	       w->n_workers > 1;
}

// The worker is the hash scaled to their number: its high bits, while ECMP takes low ones. The VRF counts, so
// that equal tuples of different tenants spread.
static inline uint16_t dispatch_worker(const struct worker *w, uint32_t flow_hash, uint16_t vrf)
{
	uint32_t hash = flow_hash ^ vrf * 0x9e3779b1u; // 2^32 over the golden ratio

	return (uint16_t)((uint64_t)hash * w->n_workers >> 32);
}

// Where it is not, packet.worker says whose it is.
static inline bool dispatch_is_mine(const struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	p->worker = dispatch_worker(w, flow_hash_of(m, p), p->vrf);
	return p->worker == w->worker_idx;
}
