// SPDX-License-Identifier: Apache-2.0

// HTTP through the real graph: requests a second and TSC clocks a request, in all and by node, at so many
// connections and services. Clients and servers are http_load's, in this process, and cost nothing: only the
// workers' walks are clocked. Passes over all scenarios are interleaved, and a round counts only when a fixed
// calibration loop before and after it ran at full speed.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <rte_common.h>
#include <rte_cycles.h>

#include "perf/calibrate.h"
#include "perf/http_run.h"
#include "perf/rig.h"

enum {
	N_PASSES = 3,	   // over all scenarios
	MAX_ROUNDS = 1500, // of a scenario, in all passes
	MIN_ROUNDS = 5,	   // that count, however disturbed
	MAX_JOBS = 64,
	BYTES_PER_FLOW = 3 * 1024, // the node's records and buffers, and the load's
	BASE_MIB = 512,
};

struct options {
	const char *json_path;
	const char *only;
	unsigned int rounds; // quiet ones, in each pass
	unsigned int core;
	bool nodes;
	bool quick;
	bool huge_pages;
	struct http_scenario_size size; // 0: as planned
};

struct sample {
	struct http_run_round round;
	uint64_t
		calibrator_tsc; // the slower of the turns before and after; UINT64_MAX: descheduled
};

// One scenario at one size, and what was seen of it so far.
struct job {
	const struct http_scenario *scenario;
	struct http_scenario_size size;
	struct sample *samples;
	unsigned int n_samples;
	unsigned int n_quiet;
	unsigned int n_counted; // the first ones, once they are sorted
	double bytes_per_flow;
};

// The default set.
static const struct {
	uint32_t n_flows;
	uint32_t n_services;
	uint16_t n_workers;
	bool quick;
} plan[] = {
	{1, 1, 1, false},
	{100, 1, 1, true},
	{10000, 1, 1, true},
	{1000000, 1, 1, false},
	{10000, 5000, 1, true},
	{10000, 1, 2, false},
};

// ---- running

static uint64_t available_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	uint64_t kib = 0;
	char line[128];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib / 1024;
}

static bool fits_memory(const struct job *job)
{
	uint64_t wanted = BASE_MIB + ((uint64_t)job->size.n_flows * BYTES_PER_FLOW >> 20);

	if (wanted <= available_mib())
		return true;
	fprintf(stderr, "\nhttp_bench: %s: %u flows left out: %lu MiB wanted, %lu available\n",
		job->scenario->name, job->size.n_flows, wanted, available_mib());
	return false;
}

static void run_rounds(const struct options *options, struct job *job, struct http_run *run)
{
	unsigned int wanted = job->n_quiet + options->rounds;
	unsigned int end = job->n_samples + MAX_ROUNDS / N_PASSES;
	uint64_t before = calibrate_turn();

	while (job->n_samples < end && job->n_quiet < wanted) {
		struct sample *sample = &job->samples[job->n_samples++];
		long n_switches = calibrate_switches();
		uint64_t after;

		http_run_round(run, &sample->round);
		after = calibrate_switches() == n_switches ? calibrate_turn() : UINT64_MAX;
		sample->calibrator_tsc = RTE_MAX(before, after);
		before = after == UINT64_MAX ? calibrate_turn() : after;
		if (calibrate_is_quiet(sample->calibrator_tsc))
			job->n_quiet++;
	}
}

static void run_job(const struct options *options, struct job *job)
{
	struct http_run *run;

	if (!fits_memory(job))
		return;
	run = http_run_create(job->scenario, &job->size);
	job->bytes_per_flow = http_run_bytes_per_flow(run);
	run_rounds(options, job, run);
	http_run_finish(run);
}

// ---- reporting

static int compare_samples(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return x->calibrator_tsc < y->calibrator_tsc ? -1 : x->calibrator_tsc > y->calibrator_tsc;
}

// The quiet rounds count; on a machine that is never quiet, the few that were least disturbed do.
static void count_samples(struct job *job)
{
	qsort(job->samples, job->n_samples, sizeof(job->samples[0]), compare_samples);
	job->n_counted = RTE_MAX(job->n_quiet, (unsigned int)MIN_ROUNDS);
	job->n_counted = RTE_MIN(job->n_counted, job->n_samples);
}

static double cycles_of(const struct http_run_round *round)
{
	return round->requests > 0 ? round->cycles / round->requests : 0;
}

static double bytes_of(const struct http_run_round *round)
{
	return round->requests > 0 ? round->bytes / round->requests : 0;
}

static double packets_of(const struct http_run_round *round)
{
	return round->requests > 0 ? round->n_packets / round->requests : 0;
}

static double median_of(const struct job *job, double (*value_of)(const struct http_run_round *),
	unsigned int percentile)
{
	static double values[MAX_ROUNDS];

	for (unsigned int i = 0; i < job->n_counted; i++)
		values[i] = value_of(&job->samples[i].round);
	calibrate_median(values, job->n_counted); // sorts
	return values[job->n_counted * percentile / 100];
}

// Clocks of each node for a request, over all rounds that count. Sources are called in vain, too.
static void print_nodes(const struct job *job)
{
	for (unsigned int id = 0; id < HTTP_RUN_MAX_NODES; id++) {
		double cycles = 0, packets = 0, requests = 0;

		for (unsigned int i = 0; i < job->n_counted; i++) {
			cycles += job->samples[i].round.node_cycles[id];
			packets += job->samples[i].round.node_packets[id];
			requests += job->samples[i].round.requests;
		}
		if (cycles > 0 && requests > 0)
			printf("    %-18s %9.1f clocks/request %7.2f packets/request\n",
				http_run_node_name(id), cycles / requests, packets / requests);
	}
}

static void print_title(const struct options *options)
{
	printf("TSC %.0f MHz, %s; TSC clocks a request: median and quartiles of quiet rounds\n",
		(double)rte_get_tsc_hz() / 1e6, options->size.plain ? "plain IPv4" : "SRv6");
	printf("%-15s %8s %8s %4s %9s %9s %9s %9s %7s %7s %8s %s\n", "scenario", "flows",
		"services", "wrk", "clocks", "low", "high", "req/s", "Gbit/s", "pkts in", "B/flow",
		"quiet");
}

static void report(const struct job *job, json_t *out)
{
	double cycles = median_of(job, cycles_of, 50);
	double rate = (double)rte_get_tsc_hz() / cycles * job->size.n_workers;
	double gbit = rate * median_of(job, bytes_of, 50) * 8 / 1e9;

	printf("%-15s %8u %8u %4u %9.0f %9.0f %9.0f %9.0f %7.2f %7.2f %8.0f %u/%u%s\n",
		job->scenario->name, job->size.n_flows, job->size.n_services, job->size.n_workers,
		cycles, median_of(job, cycles_of, 25), median_of(job, cycles_of, 75), rate, gbit,
		median_of(job, packets_of, 50), job->bytes_per_flow, job->n_quiet, job->n_samples,
		job->n_quiet < MIN_ROUNDS ? "  disturbed" : "");
	fflush(stdout);
	json_array_append_new(out,
		json_pack("{s:s, s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:i}",
			"scenario", job->scenario->name, "flows", job->size.n_flows, "services",
			job->size.n_services, "workers", job->size.n_workers, "encapsulation",
			job->size.plain ? "none" : "srv6", "requests_per_s", rate, "gbit_per_s",
			gbit, "cycles_per_request", cycles, "cycles_low",
			median_of(job, cycles_of, 25), "cycles_high", median_of(job, cycles_of, 75),
			"bytes_per_flow", job->bytes_per_flow, "quiet_rounds", job->n_quiet));
}

// ---- which

static void add_job(struct job *jobs, size_t *n_jobs, const struct http_scenario *scenario,
	const struct http_scenario_size *size)
{
	struct sample *samples = calloc(MAX_ROUNDS, sizeof(*samples));

	if (samples == NULL)
		exit(EXIT_FAILURE);
	jobs[(*n_jobs)++] = (struct job){.scenario = scenario, .size = *size, .samples = samples};
}

static bool is_custom(const struct options *options)
{
	return options->size.n_flows > 0 || options->size.n_services > 0 ||
	       options->size.n_workers > 0;
}

static void add_scenario(const struct options *options, const struct http_scenario *scenario,
	struct job *jobs, size_t *n_jobs)
{
	struct http_scenario_size size = options->size;

	if (is_custom(options)) {
		size.n_flows = RTE_MAX(size.n_flows, 1u);
		size.n_services = RTE_MAX(size.n_services, 1u);
		size.n_workers = RTE_MAX(size.n_workers, 1u);
		add_job(jobs, n_jobs, scenario, &size);
		return;
	}
	for (size_t i = 0; i < RTE_DIM(plan); i++) {
		if (options->quick && !plan[i].quick)
			continue;
		size.n_flows = plan[i].n_flows;
		size.n_services = plan[i].n_services;
		size.n_workers = plan[i].n_workers;
		add_job(jobs, n_jobs, scenario, &size);
	}
}

static void run_jobs(const struct options *options, struct job *jobs, size_t n_jobs, json_t *out)
{
	for (unsigned int pass = 0; pass < N_PASSES; pass++)
		for (size_t i = 0; i < n_jobs; i++) {
			fprintf(stderr, "\rpass %u of %d: %-15s %8u flows", pass + 1, N_PASSES,
				jobs[i].scenario->name, jobs[i].size.n_flows);
			run_job(options, &jobs[i]);
		}
	fprintf(stderr, "\n");
	print_title(options);
	for (size_t i = 0; i < n_jobs; i++) {
		count_samples(&jobs[i]);
		if (jobs[i].n_counted == 0) // left out
			continue;
		report(&jobs[i], out);
		if (options->nodes)
			print_nodes(&jobs[i]);
	}
}

static void print_help(void)
{
	printf("Usage: http_bench [--json FILE] [--scenario NAME] [--nodes] [--quick] [--plain]\n"
	       "                  [--flows N] [--services N] [--workers N]\n"
	       "                  [--rounds N] [--core N] [--no-huge]\n"
	       "\n"
	       "HTTP through the real graph, in SRv6 on either side, or with --plain without.\n"
	       "Scenarios:\n");
	for (size_t i = 0; i < RTE_DIM(http_scenarios); i++)
		printf("  %-15s %s\n", http_scenarios[i].name, http_scenarios[i].what);
}

static uint32_t parse_count(const char *text, uint32_t max)
{
	unsigned long n = strtoul(text, NULL, 10);

	if (n >= 1 && n <= max)
		return (uint32_t)n;
	fprintf(stderr, "http_bench: %s: 1 to %u\n", text, max);
	exit(2);
}

static struct options parse_options(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"json", required_argument, NULL, 'j'},
		{"scenario", required_argument, NULL, 's'},
		{"nodes", no_argument, NULL, 'n'},
		{"quick", no_argument, NULL, 'q'},
		{"plain", no_argument, NULL, 'p'},
		{"flows", required_argument, NULL, 'f'},
		{"services", required_argument, NULL, 'S'},
		{"workers", required_argument, NULL, 'w'},
		{"rounds", required_argument, NULL, 'r'},
		{"core", required_argument, NULL, 'c'},
		{"no-huge", no_argument, NULL, 'H'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options options = {.rounds = 51, .huge_pages = true};
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'j':
			options.json_path = optarg;
			break;
		case 's':
			options.only = optarg;
			break;
		case 'n':
			options.nodes = true;
			break;
		case 'q':
			options.quick = true;
			break;
		case 'p':
			options.size.plain = true;
			break;
		case 'f':
			options.size.n_flows = parse_count(optarg, HTTP_LOAD_MAX_TUPLES / 2);
			break;
		case 'S':
			options.size.n_services = parse_count(optarg, 99999);
			break;
		case 'w':
			options.size.n_workers = (uint16_t)parse_count(optarg, RIG_MAX_QUEUES);
			break;
		case 'r':
			options.rounds = parse_count(optarg, MAX_ROUNDS / N_PASSES);
			break;
		case 'c':
			options.core = (unsigned int)atoi(optarg);
			break;
		case 'H':
			options.huge_pages = false;
			break;
		case 'h':
			print_help();
			exit(EXIT_SUCCESS);
		default:
			print_help();
			exit(2);
		}
	}
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct job jobs[MAX_JOBS];
	json_t *out = json_array();
	size_t n_jobs = 0;

	if (options.only != NULL && http_scenario_find(options.only) == NULL) {
		fprintf(stderr, "http_bench: no scenario \"%s\"\n", options.only);
		return 2;
	}
	rig_start_eal(2, options.core, options.huge_pages);
	for (unsigned int i = 0; i < 200; i++)
		calibrate_turn();
	for (size_t i = 0; i < RTE_DIM(http_scenarios); i++)
		if (options.only == NULL || strcmp(options.only, http_scenarios[i].name) == 0)
			add_scenario(&options, &http_scenarios[i], jobs, &n_jobs);
	run_jobs(&options, jobs, n_jobs, out);
	for (size_t i = 0; i < n_jobs; i++)
		free(jobs[i].samples);
	if (options.json_path != NULL &&
		json_dump_file(out, options.json_path, JSON_INDENT(1)) != 0) {
		fprintf(stderr, "http_bench: cannot write %s\n", options.json_path);
		return EXIT_FAILURE;
	}
	json_decref(out);
	return EXIT_SUCCESS;
}
