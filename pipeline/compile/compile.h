// SPDX-License-Identifier: Apache-2.0
#pragma once

// Specs in, snapshot out: the one place that validates what a configuration means, whoever wrote it.

#include "pipeline/snapshot.h"
#include "pipeline/spec.h"

// A default router learned from router advertisements (RFC 4861 §6.3.4).
struct learned_router {
	char iface[64]; // name
	struct ip6_addr addr;
};

// What of a running port a snapshot needs to know; by index of node_spec.ports.
struct compile_port {
	uint16_t dpdk_port;
	uint8_t mac[6];
	uint16_t mtu;
};

struct compile_memory;

struct compile_input {
	struct node_spec *spec;
	const struct compile_port
		*ports;		     // NULL: `--check`, no devices; numbers and MACs are made up
	const struct snapshot *live; // NULL: the first one
	struct adj_table *adj_table;
	const struct learned_router *routers;
	uint32_t n_routers;
	// Flows that have an endpoint slot of the live snapshot, summed over the workers, all of which have seen
	// that snapshot. A removed endpoint keeps its slot while there are any. NULL: there are none.
	uint32_t (*endpoint_flows)(const void *context, uint32_t slot);
	const void *flows_context;
	// What the compiler remembers of the live snapshot, so that only what differs from the spec behind it costs
	// anything. NULL: nothing; everything is compiled, and what comes out equal is shared.
	struct compile_memory *memory;
};

// One for all snapshots that follow each other. It holds on to the last spec. NULL: out of memory.
struct compile_memory *compile_memory_create(void);
// NULL is fine.
void compile_memory_destroy(struct compile_memory *memory);

// Builds a snapshot from input. Returns 0, or -EINVAL with the reason, or -ENOMEM (refusal says so).
// Takes as long as the tables are large; no worker is disturbed. One at a time: slots that the live
// snapshot does not name are free to be given out.
int compile_snapshot(
	const struct compile_input *input, struct snapshot **snapshot, struct refusal *refusal);
