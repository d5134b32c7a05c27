// SPDX-License-Identifier: Apache-2.0
#pragma once

// What kind of world it is to be. Chances are in permille of the cases where the thing can happen.

#include "tests/sim/sim.h"

enum sim_attack {
	SIM_ATTACK_OVERLAP = 1 << 0,	     // clients retransmit other bytes than they sent before
	SIM_ATTACK_OVERLAP_ANSWERS = 1 << 1, // endpoints do
	SIM_ATTACK_FORGE =
		1 << 2, // segments in and out of window from anybody: RST, ACK, SYN, data
	SIM_ATTACK_FLOOD = 1 << 3, // SYNs that nobody follows up
	SIM_ATTACK_HALF_HEADS = 1 << 4,
	SIM_ATTACK_OLD = 1 << 5, // segments that were seen before come again
};

struct sim_scenario {
	const char *name;

	// Network.
	uint16_t loss, duplicate, reorder;
	uint32_t min_delay_us, max_delay_us;
	uint16_t small_mtu;   // that a path has one, from the beginning
	uint16_t mtu_shrinks; // that it becomes small later

	// World.
	uint8_t n_clients;
	uint8_t n_requests;	     // of each client
	uint8_t n_sets, n_endpoints; // endpoints: in each set

	// Requests.
	uint16_t post, chunked, trailers, expect, old_version, keep_old, head_method, big_head;
	uint16_t upgrade, half_close, client_close, abort, split, lazy_client, empty_line;
	uint8_t pipeline; // most that are open at once
	uint32_t think_us;
	uint32_t max_request_len;

	// Responses.
	uint16_t response_chunked, until_close, no_content, info, early, paced, lazy_server;
	uint16_t says_close, closes_silently, crashes, garbage, unasked;
	uint32_t max_response_len;
	uint32_t slow_us;

	// Node.
	uint16_t edit_request, edit_response, direct, no_route, no_endpoint;
	uint16_t pick_fails, port_fails;
	uint32_t restart_us; // a server crashes and comes back about as often; 0: never
	uint32_t remove_us;  // an endpoint is removed or put back about as often
	uint8_t n_ports;     // that legs share; 0: plenty
	bool tight;	     // little memory
	bool tcp;	     // a listener without HTTP
	bool stop;	     // the node drains in the middle
	bool cut;	     // the world ends in the middle: nothing may be lost track of

	bool mixed;	      // the rest is left to chance, in each world anew
	uint32_t attacks;     // enum sim_attack
	bool may_fail;	      // requests may end with the node's 5xx or a reset
	bool unsafe_may_fail; // those may that cannot be sent twice
};

extern const struct sim_scenario sim_scenarios[];
extern const uint32_t sim_n_scenarios;

// Fills in what is left to chance.
void sim_scenario_mix(struct sim *sim, struct sim_scenario *scenario);
const struct sim_scenario *sim_scenario_find(const char *name);
