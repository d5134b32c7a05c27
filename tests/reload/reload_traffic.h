// SPDX-License-Identifier: Apache-2.0
#pragma once

// Traffic through a rig in which every packet is accounted for: what is on its way is in a ledger by sequence
// number, a packet that comes out must be in there and must be right for a configuration that was live
// meanwhile.

#include <stdatomic.h>

#include "perf/rig.h"
#include "tests/reload/reload_config.h"

enum {
	TRAFFIC_MAX_CONFIGS = 4096,
	TRAFFIC_WINDOW = 1024, // packets on their way at most
	TRAFFIC_LEDGER_SIZE = 1 << 16,
};

// One packet on its way.
struct traffic_entry {
	bool sent;
	uint8_t flow;
	uint16_t first_config; // in use when it was sent
};

struct traffic {
	struct rig *rig;
	// By number of the configuration. The thread that swaps raises n_started before a swap, and n_alone when
	// the grace period is over: until then a walk may go on with the configuration before.
	uint8_t variants[TRAFFIC_MAX_CONFIGS];
	_Atomic uint32_t n_started;
	_Atomic uint32_t n_alone;
	_Atomic uint64_t n_received;
	uint64_t n_sent;
	uint64_t n_lost;
	uint64_t sent_by_flow[RELOAD_N_FLOWS];
	uint64_t lost_by_flow[RELOAD_N_FLOWS];
	struct traffic_entry ledger[TRAFFIC_LEDGER_SIZE];
	char error[256]; // the first thing that was wrong
};

// Sends a burst when the window allows, takes what came out. Returns whether anything moved.
bool traffic_turn(struct traffic *traffic, bool send);

// Packets sent that neither came out nor are in a drop counter.
uint64_t traffic_on_the_way(const struct traffic *traffic);

// Counts what is still in the ledger as lost.
void traffic_close(struct traffic *traffic);

// Packets in the node of this name over all workers; a prefix of names when it ends in '_'.
uint64_t traffic_node_packets(const struct rig *rig, const char *name);
