// SPDX-License-Identifier: Apache-2.0

// A block of rounds with updates has one without beside it, and each pair gives a ratio: their median is told, so that
// what else happens on the machine meets both. In a block, all clocks of its quiet rounds count, since a swap is felt
// in a few walks after it; where there are none, those of the least disturbed.

#include "perf/update_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "perf/calibrate.h"
#include "perf/http_run.h"
#include "perf/rig.h"

enum {
	N_PAIRS = 200,
	BLOCK_ROUNDS = 20, // quiet ones
	MAX_ROUNDS = 60,   // of a block, quiet or not
	MIN_ROUNDS = 10,   // that count, however disturbed
	N_FLOWS = 1000,
	N_SERVICES = 100,
	WARM_UP_SWAPS = 200,
	WARM_UP_TURNS = 200, // of the calibrator
};

struct sample {
	struct http_run_round round;
	uint64_t calibrator_tsc; // the slower of the turns before and after
};

struct load_block {
	double cycles;
	double requests;
	unsigned int n_quiet;
	uint64_t n_swaps;
	double s;
};

struct result {
	double ratios[N_PAIRS];
	double without[N_PAIRS]; // clocks a request
	double with[N_PAIRS];
	unsigned int n;
	unsigned int n_quiet;
	uint64_t n_swaps;
	double s;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int compare_samples(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return x->calibrator_tsc < y->calibrator_tsc ? -1 : x->calibrator_tsc > y->calibrator_tsc;
}

static void count_samples(struct load_block *block, struct sample *samples, unsigned int n)
{
	unsigned int n_counted = RTE_MAX(block->n_quiet, (unsigned int)MIN_ROUNDS);

	qsort(samples, n, sizeof(*samples), compare_samples);
	for (unsigned int i = 0; i < RTE_MIN(n, n_counted); i++) {
		block->cycles += samples[i].round.cycles;
		block->requests += samples[i].round.requests;
	}
}

static void run_block(struct http_run *run, bool changing, struct load_block *block)
{
	static struct sample samples[MAX_ROUNDS];
	uint64_t n_live = http_run_n_live(run), before;
	unsigned int n = 0;

	*block = (struct load_block){.s = now_s()};
	http_run_set_changing(run, changing);
	before = calibrate_turn();
	while (n < MAX_ROUNDS && block->n_quiet < BLOCK_ROUNDS) {
		struct sample *sample = &samples[n++];
		long n_switches = calibrate_switches();
		uint64_t after;

		http_run_round(run, &sample->round);
		after = calibrate_switches() == n_switches ? calibrate_turn() : UINT64_MAX;
		sample->calibrator_tsc = RTE_MAX(before, after);
		before = after == UINT64_MAX ? calibrate_turn() : after;
		block->n_quiet += calibrate_is_quiet(sample->calibrator_tsc);
	}
	count_samples(block, samples, n);
	block->n_swaps = http_run_n_live(run) - n_live;
	block->s = now_s() - block->s;
}

static void add_pair(struct result *result, const struct load_block blocks[2])
{
	double without = blocks[0].cycles / blocks[0].requests;
	double with = blocks[1].cycles / blocks[1].requests;

	result->n_swaps += blocks[1].n_swaps;
	result->s += blocks[1].s;
	result->n_quiet += blocks[0].n_quiet >= MIN_ROUNDS && blocks[1].n_quiet >= MIN_ROUNDS;
	result->ratios[result->n] = without / with;
	result->without[result->n] = without;
	result->with[result->n] = with;
	result->n++;
}

static void tell(json_t *rows, struct result *result)
{
	double hz = (double)rte_get_tsc_hz(), ratio = calibrate_median(result->ratios, result->n);
	double low = result->ratios[result->n / 4];
	double high = result->ratios[result->n * 3 / 4];
	double without = calibrate_median(result->without, result->n);
	double with = calibrate_median(result->with, result->n);
	double swaps = (double)result->n_swaps / result->s;

	printf("%-10s %8s %12s %12s %8s %8s %8s %9s %s\n", "scenario", "services", "clocks",
		"updating", "ratio", "low", "high", "updates/s", "quiet");
	printf("%-10s %8d %12.0f %12.0f %8.4f %8.4f %8.4f %9.0f %u/%d\n", "load", N_SERVICES,
		without, with, ratio, low, high, swaps, result->n_quiet, N_PAIRS);
	json_array_append_new(
		rows, json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:i}", "scenario", "load",
			      "services", N_SERVICES, "requests_per_s", hz / without,
			      "requests_per_s_updating", hz / with, "ratio", ratio, "ratio_low",
			      low, "ratio_high", high, "updates_per_s", swaps, "quiet_pairs",
			      (int)result->n_quiet));
}

void update_load_run(json_t *rows, bool huge_pages)
{
	static const struct http_scenario_size size = {
		.n_flows = N_FLOWS, .n_services = N_SERVICES, .n_workers = 1, .changing = true};
	static struct result result;
	struct http_run *run;

	rig_start_eal(1, 0, huge_pages);
	for (unsigned int i = 0; i < WARM_UP_TURNS; i++)
		calibrate_turn();
	run = http_run_create(http_scenario_find("keepalive"), &size);
	http_run_until_live(run, WARM_UP_SWAPS);
	for (unsigned int i = 0; i < N_PAIRS; i++) {
		struct load_block blocks[2];

		// Which one comes first changes, too.
		for (unsigned int k = 0; k < 2; k++)
			run_block(run, (i + k) % 2 == 1, &blocks[(i + k) % 2]);
		add_pair(&result, blocks);
	}
	http_run_finish(run);
	tell(rows, &result);
}
