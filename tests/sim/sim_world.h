// SPDX-License-Identifier: Apache-2.0
#pragma once

// A whole world, from a scenario and a seed to its end.

#include "tests/sim/sim_scenario.h"

enum sim_between_hosts {
	SIM_WITH_SPLICE,
	SIM_WITHOUT_SPLICE, // clients talk to servers: a test of the model itself
};

struct sim_result {
	bool failed;
	char failure[SIM_FAILURE_LEN];
	uint64_t n_steps;
	uint64_t n_segments;
	uint64_t virtual_us;
	uint64_t slowest_us; // from a request to the end of its answer
	uint32_t n_requests;
	uint32_t n_outcomes[4]; // by enum sim_outcome
	uint64_t n_retries;
	uint64_t n_rebinds;
	uint64_t n_own_replies;
};

enum {
	SIM_TRACE = 1 << 0, // options of sim_world_run()
};

void sim_world_run(const struct sim_scenario *scenario, uint64_t seed,
	enum sim_between_hosts between, uint32_t options, struct sim_result *result);
