// SPDX-License-Identifier: Apache-2.0

// splice_sim [--seed N] [--seeds N] [--steps N] [--scenario NAME] [--no-splice] [--trace] [--list]
//
// Runs worlds, one for each seed from --seed on, until --seeds of each scenario have been run or, with
// --steps, until so many steps were made. Prints each failure with what it takes to play it again. Exits
// with 1 if there was one.

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_http.h"
#include "tests/sim/sim_world.h"

struct run {
	uint64_t first_seed;
	uint64_t n_seeds;
	uint64_t n_steps;
	const struct sim_scenario *only;
	enum sim_between_hosts between;
	uint32_t options;
};

struct total {
	uint64_t n_worlds, n_failed, n_steps, n_segments, n_requests, n_retries, n_rebinds, n_own;
	uint64_t n_outcomes[4];
	uint64_t slowest_us;
};

static void add(struct total *total, const struct sim_result *result)
{
	total->n_worlds++;
	total->n_failed += result->failed;
	total->n_steps += result->n_steps;
	total->n_segments += result->n_segments;
	total->n_requests += result->n_requests;
	total->n_retries += result->n_retries;
	total->n_rebinds += result->n_rebinds;
	total->n_own += result->n_own_replies;
	if (result->slowest_us > total->slowest_us)
		total->slowest_us = result->slowest_us;
	for (uint32_t i = 0; i < 4; i++)
		total->n_outcomes[i] += result->n_outcomes[i];
}

static void run_scenario(
	const struct run *run, const struct sim_scenario *scenario, struct total *all)
{
	struct total total = {0};
	struct sim_result result;

	for (uint64_t i = 0; run->n_steps ? total.n_steps < run->n_steps : i < run->n_seeds; i++) {
		sim_world_run(scenario, run->first_seed + i, run->between, run->options, &result);
		add(&total, &result);
		add(all, &result);
		if (result.failed)
			printf("--scenario %s --seed %" PRIu64 ": %s\n", scenario->name,
				run->first_seed + i, result.failure);
	}
	printf("%-16s %6" PRIu64 " worlds %4" PRIu64 " failed %10" PRIu64 " steps %9" PRIu64
	       " segments %8" PRIu64 " requests: %" PRIu64 " answered %" PRIu64 " refused %" PRIu64
	       " lost; %" PRIu64 " rebinds %" PRIu64 " retries; slowest %.1f s\n",
		scenario->name, total.n_worlds, total.n_failed, total.n_steps, total.n_segments,
		total.n_requests, total.n_outcomes[SIM_ANSWERED], total.n_outcomes[SIM_REFUSED],
		total.n_outcomes[SIM_LOST], total.n_rebinds, total.n_retries,
		(double)total.slowest_us / 1e6);
	fflush(stdout);
}

static void list(void)
{
	for (uint32_t i = 0; i < sim_n_scenarios; i++)
		puts(sim_scenarios[i].name);
	exit(0);
}

static const struct sim_scenario *find(const char *name)
{
	const struct sim_scenario *scenario = sim_scenario_find(name);

	if (!scenario) {
		fprintf(stderr, "no scenario %s\n", name);
		exit(2);
	}
	return scenario;
}

static void parse(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 'n'},
		{"steps", required_argument, NULL, 'm'},
		{"scenario", required_argument, NULL, 'c'},
		{"no-splice", no_argument, NULL, 'd'},
		{"trace", no_argument, NULL, 't'},
		{"list", no_argument, NULL, 'l'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			run->first_seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			run->n_seeds = strtoull(optarg, NULL, 10);
		else if (option == 'm')
			run->n_steps = strtoull(optarg, NULL, 10);
		else if (option == 'c')
			run->only = find(optarg);
		else if (option == 'd')
			run->between = SIM_WITHOUT_SPLICE;
		else if (option == 't')
			run->options |= SIM_TRACE;
		else if (option == 'l')
			list();
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct run run = {.first_seed = 1, .n_seeds = 1, .between = SIM_WITH_SPLICE};
	struct total all = {0};

	parse(argc, argv, &run);
	if (run.only)
		run_scenario(&run, run.only, &all);
	for (uint32_t i = 0; !run.only && i < sim_n_scenarios; i++)
		run_scenario(&run, &sim_scenarios[i], &all);
	printf("%" PRIu64 " worlds, %" PRIu64 " failed, %" PRIu64 " steps\n", all.n_worlds,
		all.n_failed, all.n_steps);
	return all.n_failed != 0;
}
