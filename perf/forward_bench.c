// SPDX-License-Identifier: Apache-2.0

// Drives the real graph with prepared packets over in-process rings: packets a second and TSC clocks a
// packet, in all and by node. Making packets and taking them back is not timed; rx and tx over the rings
// are. Rounds of all scenarios are interleaved, and a round counts only when a fixed calibration loop
// before and after it ran at full speed.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_graph_worker.h>
#include <rte_launch.h>
#include <rte_random.h>

#include "perf/calibrate.h"
#include "perf/forward_scenario.h"
#include "perf/rig.h"

enum {
	N_TEMPLATES = 1 << 14, // different packets; random over SIDs, routes, VRFs, flows
	VECTOR = 256,
	VECTORS_PER_ROUND = 16, // about 0.2 ms: short enough to fall between disturbances
	WARM_UP_ROUNDS = 4,
	N_PASSES = 3,	   // over all scenarios
	MAX_ROUNDS = 3000, // of a scenario, in all passes
	MAX_JOBS = 64,
	MIN_ROUNDS = 5, // that count, however disturbed
};

struct options {
	const char *json_path;
	const char *only;
	unsigned int rounds;
	unsigned int core;
	bool nodes;
	bool quick;
	bool huge_pages;
	unsigned int exact_rounds; // not 0: so many rounds, quiet or not: for instruction counts
	long sids;
	long vrfs;
	long bytes;
	long workers;
};

// What one worker's thread does in a round, and what it saw.
struct lane {
	struct rig *rig;
	uint16_t worker_idx;
	const struct template *templates;
	uint32_t next_template;
	uint64_t walk_tsc;
	uint64_t n_sent;
	uint64_t n_received;
};

enum {
	MAX_NODES = 128, // of the graph
};

struct round {
	float node_cycles[MAX_NODES]; // of worker 0, a packet, by node id; 0: the node saw none
	uint64_t
		calibrator_tsc; // the slower of the turns before and after; UINT64_MAX: descheduled
	double cycles;		// a packet
};

struct result {
	struct round rounds[MAX_ROUNDS];
	unsigned int n_rounds;
	double cycles[MAX_ROUNDS]; // of the rounds that count, sorted
	unsigned int n_counted;
	unsigned int n_quiet;
};

static void fill(struct rte_mbuf *m, const struct template *t)
{
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = t->frame_len;
	m->pkt_len = t->frame_len;
	memcpy(rte_pktmbuf_mtod(m, void *), t->bytes, SCENARIO_MAX_HEADERS);
}

static unsigned int put_vector(struct lane *lane)
{
	struct rte_mbuf *pkts[VECTOR];

	if (rte_pktmbuf_alloc_bulk(lane->rig->ctrl.pools.small, pkts, VECTOR) != 0)
		return 0;
	for (unsigned int i = 0; i < VECTOR; i++)
		fill(pkts[i], &lane->templates[lane->next_template++ % N_TEMPLATES]);
	return rte_ring_enqueue_bulk(
		lane->rig->ports[0].in[lane->worker_idx], (void **)pkts, VECTOR, NULL);
}

static unsigned int take_all(struct lane *lane)
{
	void *pkts[VECTOR];
	unsigned int n, total = 0;

	for (uint16_t p = 0; p < lane->rig->n_ports; p++)
		while ((n = rte_ring_dequeue_burst(lane->rig->ports[p].out[lane->worker_idx], pkts,
				VECTOR, NULL)) > 0) {
			rte_pktmbuf_free_bulk((struct rte_mbuf **)pkts, n);
			total += n;
		}
	return total;
}

static int run_lane(void *arg)
{
	struct lane *lane = arg;
	struct worker *w = lane->rig->ctrl.workers[lane->worker_idx];

	lane->walk_tsc = 0;
	lane->n_sent = 0;
	lane->n_received = 0;
	for (unsigned int v = 0; v < VECTORS_PER_ROUND; v++) {
		uint64_t start;

		lane->n_sent += put_vector(lane);
		start = rte_rdtsc_precise();
		worker_walk(w);
		lane->walk_tsc += rte_rdtsc_precise() - start;
		lane->n_received += take_all(lane);
	}
	// What other workers handed over after our last walk.
	for (unsigned int v = 0; v < 8; v++) {
		worker_walk(w);
		lane->n_received += take_all(lane);
	}
	return 0;
}

static double run_round(struct lane *lanes, uint16_t n_workers)
{
	uint64_t walk_tsc = 0, n_sent = 0;

	for (uint16_t i = 1; i < n_workers; i++)
		rte_eal_remote_launch(run_lane, &lanes[i], i + 1u);
	run_lane(&lanes[0]);
	for (uint16_t i = 1; i < n_workers; i++)
		rte_eal_wait_lcore(i + 1u);
	for (uint16_t i = 0; i < n_workers; i++) {
		walk_tsc += lanes[i].walk_tsc;
		n_sent += lanes[i].n_sent;
	}
	return (double)walk_tsc / (double)n_sent;
}

static void check_delivery(const char *name, const struct lane *lanes, uint16_t n_workers)
{
	uint64_t n_sent = 0, n_received = 0;

	for (uint16_t i = 0; i < n_workers; i++) {
		n_sent += lanes[i].n_sent;
		n_received += lanes[i].n_received;
	}
	// A peer may still hold some of a round's last vector.
	if (n_received + (n_workers > 1 ? 16 * VECTOR : 0) >= n_sent)
		return;
	fprintf(stderr, "forward_bench: %s: %lu packets in, %lu out: the scenario is broken\n",
		name, n_sent, n_received);
	exit(EXIT_FAILURE);
}

static struct template *make_templates(
	const struct scenario *scenario, const struct scenario_size *size)
{
	struct template *templates = calloc(N_TEMPLATES, sizeof(*templates));

	rte_srand(1);
	for (unsigned int i = 0; templates != NULL && i < N_TEMPLATES; i++)
		scenario->make(size, (uint32_t)rte_rand(), &templates[i]);
	return templates;
}

// Names by node id, which are the same in every graph.
static char node_names[MAX_NODES][RTE_NODE_NAMESIZE];

// Takes what the nodes of worker 0 counted since the last call.
static void take_nodes(struct rig *rig, float *node_cycles)
{
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, rig->ctrl.workers[0]->graph, node)
	{
		if (node->id < MAX_NODES) {
			node_cycles[node->id] =
				node->total_objs == 0
					? 0
					: (float)node->total_cycles / (float)node->total_objs;
			snprintf(node_names[node->id], RTE_NODE_NAMESIZE, "%s", node->name);
		}
		node->total_cycles = node->total_calls = node->total_objs = 0;
	}
}

// Medians over the rounds that count. Sources are called in vain, too: their empty polls are in it.
static void print_nodes(const struct result *result)
{
	static double cycles[MAX_ROUNDS];

	for (unsigned int id = 0; id < MAX_NODES; id++) {
		for (unsigned int i = 0; i < result->n_counted; i++)
			cycles[i] = (double)result->rounds[i].node_cycles[id];
		if (result->n_counted > 0 && cycles[0] > 0)
			printf("    %-18s %7.1f clocks/packet\n", node_names[id],
				calibrate_median(cycles, result->n_counted));
	}
}

static void run_exact_rounds(const struct options *options, const struct scenario_size *size,
	struct lane *lanes, struct result *result)
{
	for (unsigned int i = 0; i < options->exact_rounds; i++)
		result->cycles[0] = run_round(lanes, size->n_workers);
	result->n_counted = result->n_rounds = 1;
	printf("packets=%lu\n", lanes[0].n_sent * options->exact_rounds);
}

static void run_rounds(const struct options *options, const struct scenario *scenario,
	const struct scenario_size *size, struct lane *lanes, struct result *result)
{
	unsigned int wanted = result->n_quiet + options->rounds;
	unsigned int end = result->n_rounds + MAX_ROUNDS / N_PASSES;
	uint64_t before;

	for (unsigned int i = 0; i < WARM_UP_ROUNDS; i++)
		run_round(lanes, size->n_workers);
	check_delivery(scenario->name, lanes, size->n_workers);
	take_nodes(lanes[0].rig, result->rounds[result->n_rounds].node_cycles);
	before = calibrate_turn();
	while (result->n_rounds < end && result->n_quiet < wanted) {
		struct round *round = &result->rounds[result->n_rounds++];
		long n_switches = calibrate_switches();
		uint64_t after;

		round->cycles = run_round(lanes, size->n_workers);
		take_nodes(lanes[0].rig, round->node_cycles);
		after = calibrate_switches() == n_switches ? calibrate_turn() : UINT64_MAX;
		round->calibrator_tsc = RTE_MAX(before, after);
		before = after == UINT64_MAX ? calibrate_turn() : after;
		if (calibrate_is_quiet(round->calibrator_tsc))
			result->n_quiet++;
	}
}

static int compare_rounds(const void *a, const void *b)
{
	const struct round *x = a, *y = b;

	return x->calibrator_tsc < y->calibrator_tsc ? -1 : x->calibrator_tsc > y->calibrator_tsc;
}

// The quiet rounds count; on a machine that is never quiet, the few that were least disturbed do, and
// quiet_rounds in the result says so.
static void count_rounds(struct result *result)
{
	unsigned int n = result->n_quiet < MIN_ROUNDS ? MIN_ROUNDS : result->n_quiet;

	qsort(result->rounds, result->n_rounds, sizeof(result->rounds[0]), compare_rounds);
	result->n_counted = RTE_MIN(n, result->n_rounds);
	for (unsigned int i = 0; i < result->n_counted; i++)
		result->cycles[i] = result->rounds[i].cycles;
}

static void print_title(void)
{
	printf("TSC %.0f MHz, vectors of %d; TSC clocks per packet: median and quartiles of quiet "
	       "rounds\n",
		(double)rte_get_tsc_hz() / 1e6, VECTOR);
	printf("%-12s %7s %5s %5s %4s %8s %8s %8s %8s %s\n", "scenario", "sids", "vrfs", "bytes",
		"wrk", "clocks", "low", "high", "Mpps", "quiet");
}

static void report(const struct scenario *scenario, const struct scenario_size *size,
	struct result *result, json_t *out)
{
	double cycles = calibrate_median(result->cycles, result->n_counted);
	double low = result->cycles[result->n_counted / 4];
	double high = result->cycles[result->n_counted * 3 / 4];
	double pps = (double)rte_get_tsc_hz() / cycles * size->n_workers;

	printf("%-12s %7u %5u %5u %3u%s %8.1f %8.1f %8.1f %8.2f %5u/%u%s\n", scenario->name,
		size->n_sids, size->n_vrfs, size->bytes, size->n_workers,
		size->dispatch ? "d" : " ", cycles, low, high, pps / 1e6, result->n_quiet,
		result->n_rounds, result->n_quiet < MIN_ROUNDS ? "  disturbed" : "");
	fflush(stdout);
	json_array_append_new(out,
		json_pack("{s:s, s:i, s:i, s:i, s:i, s:b, s:f, s:f, s:f, s:f, s:i}", "scenario",
			scenario->name, "sids", size->n_sids, "vrfs", size->n_vrfs, "bytes",
			size->bytes, "workers", size->n_workers, "dispatch", size->dispatch,
			"packets_per_s", pps, "cycles_per_packet", cycles, "cycles_low", low,
			"cycles_high", high, "quiet_rounds", result->n_quiet));
}

// One scenario at one size, and what was seen of it so far.
struct job {
	const struct scenario *scenario;
	struct scenario_size size;
	struct result *result;
};

static void run_job(const struct options *options, const struct job *job)
{
	static struct rig rig;
	const struct scenario_size *size = &job->size;
	struct template *templates = make_templates(job->scenario, size);
	struct lane lanes[SPEC_MAX_WORKERS] = {0};
	char *config = job->scenario->config(size);

	rig_create(&rig, config, 2, size->n_workers);
	for (uint16_t i = 0; i < size->n_workers; i++)
		lanes[i] = (struct lane){.rig = &rig,
			.worker_idx = i,
			.templates = templates,
			.next_template = i * (N_TEMPLATES / 2u)};
	if (options->exact_rounds > 0)
		run_exact_rounds(options, size, lanes, job->result);
	else
		run_rounds(options, job->scenario, size, lanes, job->result);
	rig_destroy(&rig);
	free(config);
	free(templates);
}

// Each job is set up anew in each pass, so that where its tables happen to lie in memory, and what the machine
// is doing at the moment, does not decide its figure.
static void run_jobs(const struct options *options, struct job *jobs, size_t n_jobs, json_t *out)
{
	unsigned int n_passes = options->exact_rounds > 0 ? 1 : N_PASSES;

	for (unsigned int pass = 0; pass < n_passes; pass++)
		for (size_t i = 0; i < n_jobs; i++) {
			fprintf(stderr, "\rpass %u of %u: %-12s", pass + 1, n_passes,
				jobs[i].scenario->name);
			run_job(options, &jobs[i]);
		}
	fprintf(stderr, "\n");
	print_title();
	for (size_t i = 0; i < n_jobs; i++) {
		if (options->exact_rounds == 0)
			count_rounds(jobs[i].result);
		report(jobs[i].scenario, &jobs[i].size, jobs[i].result, out);
		if (options->nodes)
			print_nodes(jobs[i].result);
	}
}

// The default set: each dimension varied on the scenarios where it matters.
static const struct {
	const char *scenario;
	struct scenario_size size;
	bool quick;
} plan[] = {
	{"ip6", {1, 1, 64, 1, 0}, true},
	{"ip4", {1, 1, 64, 1, 0}, true},
	{"encaps1", {1, 1, 64, 1, 0}, true},
	{"encaps3", {1, 1, 64, 1, 0}, true},
	{"encaps1_ip6", {1, 1, 64, 1, 0}, true},
	{"encaps3_ip6", {1, 1, 64, 1, 0}, true},
	{"end", {1, 1, 64, 1, 0}, true},
	{"end_x", {1, 1, 64, 1, 0}, true},
	{"dt4", {1, 1, 64, 1, 0}, true},
	{"dt6", {1, 1, 64, 1, 0}, true},
	{"dt46", {1, 1, 64, 1, 0}, true},
	{"main", {1, 1, 64, 1, 0}, true},
	{"ip6", {1000, 1, 64, 1, 0}, false},
	{"ip6", {100000, 1, 64, 1, 0}, true},
	{"end", {1000, 1, 64, 1, 0}, false},
	{"end", {100000, 1, 64, 1, 0}, true},
	{"encaps1", {1000, 1, 64, 1, 0}, false},
	{"encaps1", {100000, 1, 64, 1, 0}, true},
	{"dt46", {1000, 1, 64, 1, 0}, false},
	{"dt46", {100000, 1, 64, 1, 0}, true},
	{"main", {1000, 1, 64, 1, 0}, false},
	{"main", {100000, 1, 64, 1, 0}, true},
	{"main", {1000, 100, 64, 1, 0}, false},
	{"main", {1000, 1000, 64, 1, 0}, true},
	{"main", {100000, 1000, 64, 1, 0}, false},
	{"main", {1, 1, 512, 1, 0}, false},
	{"main", {1, 1, 1500, 1, 0}, true},
	{"encaps1", {1, 1, 1500, 1, 0}, false},
	{"ip6", {1, 1, 64, 2, 0}, false},
	{"main", {1, 1, 64, 2, 0}, true},
	{"main", {1, 1, 64, 2, 1}, true},
};

static bool is_custom(const struct options *options)
{
	return options->sids > 0 || options->vrfs > 0 || options->bytes > 0 || options->workers > 0;
}

static void add_job(struct job *jobs, size_t *n_jobs, const struct scenario *scenario,
	const struct scenario_size *size)
{
	struct result *result = calloc(1, sizeof(*result));

	if (result == NULL)
		exit(EXIT_FAILURE);
	jobs[(*n_jobs)++] = (struct job){scenario, *size, result};
}

static size_t add_custom(const struct options *options, struct job *jobs)
{
	struct scenario_size size = {
		.n_sids = options->sids > 0 ? (uint32_t)options->sids : 1,
		.n_vrfs = options->vrfs > 0 ? (uint32_t)options->vrfs : 1,
		.bytes = options->bytes > 0 ? (uint32_t)options->bytes : 64,
		.n_workers = options->workers > 0 ? (uint16_t)options->workers : 1,
	};
	size_t n_jobs = 0;

	for (size_t i = 0; i < n_scenarios; i++)
		if (options->only == NULL || strcmp(options->only, scenarios[i].name) == 0)
			add_job(jobs, &n_jobs, &scenarios[i], &size);
	return n_jobs;
}

static size_t add_plan(const struct options *options, struct job *jobs)
{
	size_t n_jobs = 0;

	for (size_t i = 0; i < RTE_DIM(plan); i++) {
		if (options->only != NULL && strcmp(options->only, plan[i].scenario) != 0)
			continue;
		if (options->quick && !plan[i].quick)
			continue;
		add_job(jobs, &n_jobs, scenario_find(plan[i].scenario), &plan[i].size);
	}
	return n_jobs;
}

static void print_help(void)
{
	printf("Usage: forward_bench [--json FILE] [--scenario NAME] [--nodes] [--quick]\n"
	       "                     [--rounds N | --exact-rounds N] [--core N] [--no-huge]\n"
	       "                     [--sids N] [--vrfs N] [--bytes N] [--workers N]\n"
	       "\n"
	       "Clocks a packet through the real graph, no NIC. Scenarios:\n");
	for (size_t i = 0; i < n_scenarios; i++)
		printf("  %-12s %s\n", scenarios[i].name, scenarios[i].what);
}

static struct options parse_options(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"json", required_argument, NULL, 'j'},
		{"scenario", required_argument, NULL, 's'},
		{"nodes", no_argument, NULL, 'n'},
		{"quick", no_argument, NULL, 'q'},
		{"rounds", required_argument, NULL, 'r'},
		{"core", required_argument, NULL, 'c'},
		{"no-huge", no_argument, NULL, 'H'},
		{"exact-rounds", required_argument, NULL, 'x'},
		{"sids", required_argument, NULL, 'S'},
		{"vrfs", required_argument, NULL, 'v'},
		{"bytes", required_argument, NULL, 'b'},
		{"workers", required_argument, NULL, 'w'},
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
		case 'r':
			options.rounds = (unsigned int)atoi(optarg);
			break;
		case 'c':
			options.core = (unsigned int)atoi(optarg);
			break;
		case 'H':
			options.huge_pages = false;
			break;
		case 'x':
			options.exact_rounds = (unsigned int)atoi(optarg);
			break;
		case 'S':
			options.sids = atol(optarg);
			break;
		case 'v':
			options.vrfs = atol(optarg);
			break;
		case 'b':
			options.bytes = atol(optarg);
			break;
		case 'w':
			options.workers = atol(optarg);
			break;
		case 'h':
			print_help();
			exit(EXIT_SUCCESS);
		default:
			print_help();
			exit(2);
		}
	}
	options.rounds = RTE_MIN(options.rounds, (unsigned int)MAX_ROUNDS);
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct job jobs[MAX_JOBS];
	json_t *out = json_array();
	size_t n_jobs;

	rig_start_eal(2, options.core, options.huge_pages);
	for (unsigned int i = 0; i < 200; i++)
		calibrate_turn();
	n_jobs = is_custom(&options) ? add_custom(&options, jobs) : add_plan(&options, jobs);
	run_jobs(&options, jobs, n_jobs, out);
	for (size_t i = 0; i < n_jobs; i++)
		free(jobs[i].result);
	if (options.json_path != NULL &&
		json_dump_file(out, options.json_path, JSON_INDENT(1)) != 0) {
		fprintf(stderr, "forward_bench: cannot write %s\n", options.json_path);
		return EXIT_FAILURE;
	}
	json_decref(out);
	return EXIT_SUCCESS;
}
