// SPDX-License-Identifier: Apache-2.0

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/sim_world.h"

enum {
	N_SEEDS = 40, // of each scenario; splice_sim runs more
	MAX_TESTS = 64,
};

static void run_seeds(const struct sim_scenario *scenario, enum sim_between_hosts between)
{
	struct sim_result result;

	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		sim_world_run(scenario, seed, between, 0, &result);
		if (result.failed)
			fail_msg("--scenario %s --seed %" PRIu64 "%s: %s", scenario->name, seed,
				between == SIM_WITHOUT_SPLICE ? " --no-splice" : "",
				result.failure);
	}
}

static void sim_scenario_all_seeds_hold(void **state)
{
	run_seeds(*state, SIM_WITH_SPLICE);
}

// The model must be right by itself: what it says about a splice is worth no more than that.
static void sim_hosts_without_splice_hold(void **state)
{
	static const char *const names[] = {"clean", "very_lossy", "uploads", "downloads",
		"small_pieces", "expects", "half_closed", "upgrades", "mtu"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		run_seeds(sim_scenario_find(names[i]), SIM_WITHOUT_SPLICE);
}

// A seed is a world: played again it is the same to the last step.
static void sim_seed_again_same_world(void **state)
{
	const struct sim_scenario *scenario = sim_scenario_find("all");
	struct sim_result first, second;

	(void)state;
	sim_world_run(scenario, 42, SIM_WITH_SPLICE, 0, &first);
	sim_world_run(scenario, 42, SIM_WITH_SPLICE, 0, &second);
	assert_int_equal(first.n_steps, second.n_steps);
	assert_int_equal(first.n_segments, second.n_segments);
	assert_int_equal(first.virtual_us, second.virtual_us);
}

int main(void)
{
	struct CMUnitTest tests[MAX_TESTS] = {
		cmocka_unit_test(sim_hosts_without_splice_hold),
		cmocka_unit_test(sim_seed_again_same_world),
	};
	size_t n = 2;

	for (uint32_t i = 0; i < sim_n_scenarios; i++)
		tests[n++] = (struct CMUnitTest){.name = sim_scenarios[i].name,
			.test_func = sim_scenario_all_seeds_hold,
			.initial_state = (void *)&sim_scenarios[i]};
	return _cmocka_run_group_tests("splice_sim", tests, n, NULL, NULL);
}
