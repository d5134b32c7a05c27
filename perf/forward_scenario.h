// SPDX-License-Identifier: Apache-2.0
#pragma once

// The scenarios of forward_bench: which configuration, which packets.

#include <stddef.h>
#include <stdint.h>

enum {
	SCENARIO_MAX_HEADERS = 192, // bytes of a packet that a template holds
};

struct scenario_size {
	uint32_t n_sids; // SIDs, or routes where the scenario has no SIDs
	uint32_t n_vrfs;
	uint32_t bytes; // of the inner IP packet
	uint16_t n_workers;
	int dispatch; // 1: the input port hands flows to the worker they hash to
};

// The headers of one packet; what follows them does not matter.
struct template
{
	uint8_t bytes[SCENARIO_MAX_HEADERS];
	uint16_t headers_len;
	uint16_t frame_len;
};

struct scenario {
	const char *name;
	const char *what;
	// Fills one template; i counts packets, spread evenly over SIDs, routes and VRFs by the caller's
	// random number r.
	void (*make)(const struct scenario_size *size, uint32_t r, struct template *t);
	// The configuration as text; malloced.
	char *(*config)(const struct scenario_size *size);
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

const struct scenario *scenario_find(const char *name);
