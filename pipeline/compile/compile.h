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

struct compile_input {
	const struct node_spec *spec;
	const struct compile_port
		*ports;		     // NULL: `--check`, no devices; numbers and MACs are made up
	const struct snapshot *live; // NULL: the first one
	struct adj_table *adj_table;
	const struct learned_router *routers;
	uint32_t n_routers;
	// By endpoint slot of the live snapshot: flows that have it, summed over the workers after all of them
	// have seen that snapshot. A removed endpoint keeps its slot while there are any.
	const uint32_t *endpoint_flows;
	uint32_t n_endpoint_flows;
};

// Builds a snapshot from input. Returns 0, or -EINVAL with the reason, or -ENOMEM (refusal says so).
// Takes as long as the tables are large; no worker is disturbed. One at a time: slots that the live
// snapshot does not name are free to be given out.
int compile_snapshot(
	const struct compile_input *input, struct snapshot **snapshot, struct refusal *refusal);
