// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the control core puts packets into the graph: through a worker's ring.

#include "pipeline/worker.h"

// A fresh mbuf with clean metadata, or NULL. Control core.
struct rte_mbuf *inject_alloc(struct rte_mempool *pool);

// Sends a finished frame out of a DPDK port. Takes m; false (and m is freed) when the ring is full.
bool inject_frame(struct worker *w, struct rte_mbuf *m, uint16_t dpdk_port);

// Lets a packet that waited for its neighbour re-enter at the lookup of its family (its data begins at the
// IP header, packet.vrf and flags are as they were). Takes m; false (freed) when the ring is full.
bool inject_lookup(struct worker *w, struct rte_mbuf *m);

// Too many packets wait for neighbours: this one ends at the drop node that counts them. Takes m.
bool inject_overflow(struct worker *w, struct rte_mbuf *m);

// The neighbour did not answer: the packet goes where Destination Unreachable is sent. Takes m.
bool inject_unreachable(struct worker *w, struct rte_mbuf *m);
