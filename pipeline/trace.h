// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tracing: the control core asks a worker to mark its next N packets; from then on each node that a
// marked packet passes leaves an event in the worker's ring, which the control core reads.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_graph.h>

struct worker;

enum {
	TRACE_RING_SIZE = 4096, // events; more are lost and counted
	TRACE_BYTES = 64,	// of the packet, kept with each event
	// Of a packet's id, the low bits count the packets that one worker marked; above them is the worker.
	TRACE_COUNT_BITS = 24,
	TRACE_COUNT_MASK = (1 << TRACE_COUNT_BITS) - 1,
	TRACE_LINGER_S =
		5, // marked packets are looked for this long after a request: they may wait
};

struct trace_event {
	uint64_t tsc;
	uint32_t packet_id;
	uint16_t worker_idx; // that recorded it; packets are handed on
	rte_edge_t next;     // edge taken out of node; UINT16_MAX: the packet's way ends here
	rte_node_t node;
	uint16_t data_len; // of the packet, in all
	uint16_t iface;
	uint16_t vrf;
	uint8_t bytes[TRACE_BYTES]; // from where the packet's data began after the node
};

// Single producer (the worker), single consumer (the control core).
struct trace_ring {
	bool active; // some marked packet may be in the graph
	uint64_t active_until_tsc;
	_Atomic uint32_t head;
	_Atomic uint32_t tail;
	uint32_t next_id;
	struct trace_event events[TRACE_RING_SIZE];
};

// The control core's request: mark the next n packets, whatever was asked for before. 0: none any more.
void trace_ask(struct worker *w, uint32_t n_packets);

// Records what became of the marked ones among n packets. next may be NULL at the end of the way.
void trace_record(
	struct worker *w, struct rte_node *node, void **objs, const rte_edge_t *next, uint16_t n);

// Takes up a request and clears the active mark when nothing is left to trace. Called by the worker
// when a request stands or the mark is set.
void trace_poll(struct worker *w);

// Marks packets that enter the graph, while marks are left.
void trace_mark(struct worker *w, void **objs, uint16_t n);
