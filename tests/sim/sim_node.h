// SPDX-License-Identifier: Apache-2.0
#pragma once

// The splice's owner in the model: finds the flow or leg of a segment, gives legs their ports, routes by
// the first letter of the path, and watches over what goes in and out (sim_law.h).

#include "l7/splice.h"
#include "tests/sim/sim_http.h"
#include "tests/sim/sim_net.h"

enum {
	SIM_N_FLOWS = 128,
	SIM_N_LEGS = 128,
	SIM_LEG_IDLE_MS = 20000, // idle legs are kept so long
	SIM_FIRST_PORT = 1024,
	SIM_N_PORTS = 24, // of each of the node's addresses
	SIM_N_SOURCES = SIM_N_NODE_HOSTS * SIM_N_PORTS,
};

struct sim_pair {
	bool used;
	struct sim_addr host; // client or endpoint
	struct sim_addr node; // virtual address or source
};

struct sim_routed {
	struct sim_text head;
	char set;
	bool edited;
};

struct sim_node {
	struct sim *sim;
	struct splice *splice;
	struct splice_listener listener;
	struct sim_pair flows[SIM_N_FLOWS];
	struct sim_pair legs[SIM_N_LEGS];
	uint16_t leg_source[SIM_N_LEGS];
	uint32_t leg_endpoint[SIM_N_LEGS];

	uint16_t free_sources[SIM_N_SOURCES]; // a ring, oldest first
	uint32_t first_free, n_free;
	uint32_t last_seq[SIM_N_SOURCES][SIM_MAX_ENDPOINTS];

	bool removed[SIM_MAX_ENDPOINTS];
	struct sim_routed *routed;
	uint32_t n_routed, max_routed;
	uint32_t next_pick;
	char request_id[16];

	uint64_t n_live; // segments given in and neither dropped nor sent
	uint64_t n_events[SPLICE_N_EVENTS];
	uint64_t n_whys[SPLICE_N_WHYS];
};

struct sim_node *sim_node_create(struct sim *sim);
void sim_node_destroy(struct sim_node *node);
void sim_node_input(struct sim_node *node, const struct sim_seg *seg);
void sim_node_too_big(struct sim_node *node, const struct sim_seg *quoted, uint16_t mss);
// Nothing is open any more and nothing was kept. Otherwise the world fails.
void sim_node_check_empty(struct sim_node *node);
