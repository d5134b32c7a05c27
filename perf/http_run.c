// SPDX-License-Identifier: Apache-2.0

// A step: the load's frames are put into the ports' rings, each worker walks once, and what came out goes back
// to the load. Only the walks are clocked. The hosts' time is the time of walks, so that putting ACKs off
// means what it would if the hosts took no time; the node's own clock is the real one.

#include "perf/http_run.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_graph_worker.h>
#include <rte_launch.h>
#include <rte_pause.h>

#include "perf/http_churn.h"
#include "perf/rig.h"
#include "pipeline/l7_worker.h"

enum {
	QUOTA = 128,	     // frames of a side in a step: a full burst with both
	ROUNDS_PER_S = 2000, // of walks
	MAX_OPEN_STEPS_PER_FLOW = 64,
	MIN_OPEN_STEPS = 100000,
	DRAIN_STEPS = 2000000,
};

// A worker of its own thread, which walks when it is told to.
struct peer {
	struct worker *w;
	atomic_uint n_wanted;
	atomic_uint n_done;
	atomic_bool stop;
	uint64_t walk_tsc;
};

struct http_run {
	struct rig rig;
	struct http_load *load;
	struct http_churn *churn; // NULL: services are as they are
	const struct http_scenario *scenario;
	struct http_scenario_size size;
	struct peer peers[RIG_MAX_QUEUES];
	uint64_t walk_tsc; // of all workers
	uint64_t time_tsc; // of the slower worker, step by step
	uint64_t tsc_hz;
};

static char node_names[HTTP_RUN_MAX_NODES][RTE_NODE_NAMESIZE];

const char *http_run_node_name(unsigned int id)
{
	return node_names[id][0] == '\0' ? NULL : node_names[id];
}

// ---- frames

// The queue of a port whose packets a worker takes: see assign_rx() in pipeline/worker.c.
static uint16_t queue_of(const struct http_run *run, uint16_t port, uint32_t worker_idx)
{
	uint16_t n = run->size.n_workers;

	return (uint16_t)((worker_idx % n + n - port % n) % n);
}

static bool put_frame(struct http_run *run, enum http_load_side side)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(run->rig.ctrl.pools.small);
	uint32_t len, spread;
	uint16_t queue;

	if (m == NULL)
		return false;
	len = http_load_next(run->load, side, rte_pktmbuf_mtod(m, uint8_t *), &spread);
	if (len == 0) {
		rte_pktmbuf_free(m);
		return false;
	}
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	queue = queue_of(run, (uint16_t)side, spread);
	if (rte_ring_enqueue(run->rig.ports[side].in[queue], m) == 0)
		return true;
	fprintf(stderr, "http_bench: a ring is full\n");
	exit(EXIT_FAILURE);
}

static void take_frames(struct http_run *run, enum http_load_side side)
{
	struct rte_mbuf *pkts[QUOTA];
	unsigned int n;

	for (uint16_t q = 0; q < run->size.n_workers; q++)
		while ((n = rte_ring_dequeue_burst(
				run->rig.ports[side].out[q], (void **)pkts, QUOTA, NULL)) > 0) {
			for (unsigned int i = 0; i < n; i++) {
				if (rte_pktmbuf_linearize(pkts[i]) == 0)
					http_load_take(run->load, side,
						rte_pktmbuf_mtod(pkts[i], const uint8_t *),
						pkts[i]->data_len);
			}
			rte_pktmbuf_free_bulk(pkts, n);
		}
}

// ---- walks

static uint64_t walk(struct worker *w)
{
	uint64_t start = rte_rdtsc_precise();

	worker_walk(w);
	return rte_rdtsc_precise() - start;
}

static int run_peer(void *arg)
{
	struct peer *peer = arg;
	unsigned int n = 0;

	while (!atomic_load_explicit(&peer->stop, memory_order_acquire)) {
		if (atomic_load_explicit(&peer->n_wanted, memory_order_acquire) == n) {
			rte_pause();
			continue;
		}
		peer->walk_tsc = walk(peer->w);
		atomic_store_explicit(&peer->n_done, ++n, memory_order_release);
	}
	return 0;
}

static void walk_all(struct http_run *run)
{
	uint64_t longest, own;

	for (uint16_t i = 1; i < run->size.n_workers; i++)
		atomic_fetch_add_explicit(&run->peers[i].n_wanted, 1, memory_order_release);
	longest = own = walk(run->rig.ctrl.workers[0]);
	run->walk_tsc += own;
	for (uint16_t i = 1; i < run->size.n_workers; i++) {
		struct peer *peer = &run->peers[i];

		while (atomic_load_explicit(&peer->n_done, memory_order_acquire) !=
			atomic_load_explicit(&peer->n_wanted, memory_order_relaxed))
			rte_pause();
		run->walk_tsc += peer->walk_tsc;
		longest = RTE_MAX(longest, peer->walk_tsc);
	}
	run->time_tsc += longest;
}

static void step(struct http_run *run)
{
	http_load_set_time(
		run->load, (uint64_t)((double)run->time_tsc * 1e6 / (double)run->tsc_hz));
	if (run->churn != NULL)
		http_load_set_epoch(run->load, http_churn_n_live(run->churn));
	for (int side = 0; side < HTTP_LOAD_N_SIDES; side++)
		for (unsigned int i = 0; i < QUOTA; i++)
			if (!put_frame(run, (enum http_load_side)side))
				break;
	walk_all(run);
	for (int side = 0; side < HTTP_LOAD_N_SIDES; side++)
		take_frames(run, (enum http_load_side)side);
}

// ---- what is seen

static void print_counts(const struct http_run *run)
{
	const struct http_load_counts *n = http_load_counts(run->load);

	fprintf(stderr,
		"  clients: %lu opened, %lu requests, %lu responses, %lu reset\n"
		"  servers: %lu legs, %lu of them gone, %lu requests\n"
		"  packets: clients sent %lu, took %lu; servers sent %lu, took %lu\n"
		"  %lu malformed, %lu out of order, %lu wrong heads or bodies, %lu repeated\n",
		n->n_opened, n->n_requests, n->n_responses, n->n_reset, n->n_legs, n->n_legs_gone,
		n->n_served, n->n_sent[0], n->n_taken[0], n->n_sent[1], n->n_taken[1],
		n->n_malformed, n->n_disorder, n->n_wrong, n->n_repeated);
}

static void print_drops(const struct http_run *run)
{
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	for (uint16_t i = 0; i < run->size.n_workers; i++)
		rte_graph_foreach_node(count, off, run->rig.ctrl.workers[i]->graph, node)
		{
			if (strncmp(node->name, "drop_", 5) == 0 && node->total_objs > 0)
				fprintf(stderr, "  worker %u: %s %lu\n", i, node->name,
					node->total_objs);
		}
}

static void fail(const struct http_run *run, const char *why)
{
	fprintf(stderr, "http_bench: %s, %u flows, %u services: %s\n", run->scenario->name,
		run->size.n_flows, run->size.n_services, why);
	print_counts(run);
	print_drops(run);
	exit(EXIT_FAILURE);
}

// A node that was kept from its core repeats what it thinks lost: repetitions are no fault of its.
static bool is_odd(const struct http_load_counts *n)
{
	return n->n_malformed + n->n_disorder + n->n_wrong + n->n_reset > 0;
}

static void check(const struct http_run *run)
{
	if (is_odd(http_load_counts(run->load)))
		fail(run, "not every packet is what it should be");
}

// Steps until the load is at rest.
static void settle(struct http_run *run, enum http_load_phase phase, uint64_t max_steps)
{
	http_load_set_phase(run->load, phase);
	for (uint64_t i = 0; !http_load_is_settled(run->load); i++) {
		step(run);
		check(run);
		if (i == max_steps)
			fail(run, phase == HTTP_LOAD_OPEN ? "connections do not open"
							  : "requests remain unanswered");
	}
}

// Every connection has had two requests, and every endpoint a few; of bulk, as many have begun as may.
static bool is_warm(const struct http_run *run, uint64_t n_steps)
{
	const struct http_load_counts *n = http_load_counts(run->load);
	uint64_t wanted = 2000ul + 2ul * run->size.n_flows + run->size.n_flows / 4 +
			  16ul * run->size.n_services * HTTP_LOAD_ENDPOINTS;

	if (run->scenario->kind == HTTP_LOAD_BULK)
		return n->n_served >= RTE_MIN(run->size.n_flows, (uint32_t)HTTP_LOAD_MAX_STREAMS) &&
		       n_steps > 2000;
	return n->n_responses >= wanted;
}

static void warm_up(struct http_run *run)
{
	uint64_t n_steps = 0, n_before = 0;

	http_load_set_phase(run->load, HTTP_LOAD_RUN);
	while (!is_warm(run, n_steps)) {
		step(run);
		if (++n_steps % 100000 != 0)
			continue;
		check(run);
		if (http_load_counts(run->load)->n_bytes == n_before)
			fail(run, "nothing moves");
		n_before = http_load_counts(run->load)->n_bytes;
	}
}

// ---- life

static void start_peers(struct http_run *run)
{
	for (uint16_t i = 1; i < run->size.n_workers; i++) {
		run->peers[i].w = run->rig.ctrl.workers[i];
		rte_eal_remote_launch(run_peer, &run->peers[i], i + 1u);
	}
}

static void stop_peers(struct http_run *run)
{
	for (uint16_t i = 1; i < run->size.n_workers; i++) {
		atomic_store_explicit(&run->peers[i].stop, true, memory_order_release);
		rte_eal_wait_lcore(i + 1u);
	}
}

// The first services, of which there are none before.
static void start_churn(struct http_run *run, struct http_load_config *load)
{
	long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
	int core = run->size.n_workers < n_cores ? run->size.n_workers : HTTP_CHURN_ANY_CORE;

	run->churn = http_churn_create(&run->rig.ctrl, run->size.n_services, core);
	if (run->churn == NULL)
		exit(EXIT_FAILURE);
	load->may_serve_fn = http_churn_may_serve;
	load->ctx = run->churn;
	while (http_churn_n_live(run->churn) == 0)
		for (uint16_t i = 0; i < run->size.n_workers; i++)
			worker_walk(run->rig.ctrl.workers[i]);
}

// The last grace period needs workers that walk.
static void stop_churn(struct http_run *run)
{
	http_churn_stop(run->churn);
	while (!http_churn_is_stopped(run->churn))
		step(run);
}

static void clear_nodes(struct http_run *run)
{
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, run->rig.ctrl.workers[0]->graph, node)
	{
		if (strncmp(node->name, "drop_", 5) != 0) // checked at the end
			node->total_cycles = node->total_calls = node->total_objs = 0;
	}
}

struct http_run *http_run_create(
	const struct http_scenario *scenario, const struct http_scenario_size *size)
{
	struct http_run *run = calloc(1, sizeof(*run));
	struct http_load_config load = http_scenario_load(scenario, size);
	char *config = http_scenario_config(scenario, size);

	if (run == NULL || config == NULL)
		exit(EXIT_FAILURE);
	run->scenario = scenario;
	run->size = *size;
	run->tsc_hz = rte_get_tsc_hz();
	rig_create(&run->rig, config, 2, size->n_workers);
	free(config);
	if (size->changing)
		start_churn(run, &load);
	run->load = http_load_create(&load);
	if (run->load == NULL)
		exit(EXIT_FAILURE);
	start_peers(run);
	settle(run, HTTP_LOAD_OPEN, MIN_OPEN_STEPS + (uint64_t)size->n_flows / 8);
	warm_up(run);
	check(run);
	return run;
}

// What the nodes of worker 0 counted.
static void take_nodes(struct http_run *run, struct http_run_round *round)
{
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, run->rig.ctrl.workers[0]->graph, node)
	{
		if (node->id >= HTTP_RUN_MAX_NODES)
			continue;
		round->node_cycles[node->id] = (double)node->total_cycles;
		round->node_packets[node->id] = (double)node->total_objs;
		snprintf(node_names[node->id], RTE_NODE_NAMESIZE, "%s", node->name);
	}
}

void http_run_round(struct http_run *run, struct http_run_round *round)
{
	const struct http_load_counts *n = http_load_counts(run->load);
	struct http_load_counts before = *n;
	uint64_t walk_tsc = run->walk_tsc, time_tsc = run->time_tsc;

	memset(round, 0, sizeof(*round));
	clear_nodes(run);
	while (run->time_tsc - time_tsc < run->tsc_hz / ROUNDS_PER_S)
		step(run);
	round->cycles = (double)(run->walk_tsc - walk_tsc);
	round->bytes = (double)(n->n_bytes - before.n_bytes);
	round->requests = run->scenario->kind == HTTP_LOAD_BULK
				  ? round->bytes / HTTP_LOAD_BULK_BYTES
				  : (double)(n->n_responses - before.n_responses);
	round->n_packets =
		(double)(n->n_sent[0] + n->n_sent[1] - before.n_sent[0] - before.n_sent[1]);
	take_nodes(run, round);
}

void http_run_until_live(struct http_run *run, uint64_t n_live)
{
	http_churn_set_goal(run->churn, n_live);
	while (http_churn_n_live(run->churn) < n_live) {
		step(run);
		check(run);
	}
}

void http_run_set_changing(struct http_run *run, bool changing)
{
	http_churn_set_goal(run->churn, changing ? UINT64_MAX : 0);
}

uint64_t http_run_n_live(const struct http_run *run)
{
	return http_churn_n_live(run->churn);
}

// Packets that ended in the node. A repetition's acknowledgement may come when its connection is no more.
static bool has_lost_some(const struct http_run *run)
{
	uint64_t n_late = 0, n_dropped = 0;
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	for (uint16_t i = 0; i < run->size.n_workers; i++)
		rte_graph_foreach_node(count, off, run->rig.ctrl.workers[i]->graph, node)
		{
			if (strcmp(node->name, "drop_l7_no_flow") == 0)
				n_late += node->total_objs;
			else if (strncmp(node->name, "drop_", 5) == 0)
				n_dropped += node->total_objs;
		}
	return n_dropped > 0 || n_late > http_load_counts(run->load)->n_repeated;
}

static bool has_all_mbufs(const struct http_run *run)
{
	const struct rte_mempool *pool = run->rig.ctrl.pools.small;

	return rte_mempool_avail_count(pool) == pool->size;
}

// Nothing is left in a ring, in the splice's hands, or nowhere.
static void check_accounts(struct http_run *run)
{
	const struct http_load_counts *n = http_load_counts(run->load);

	if (n->n_requests != n->n_responses || n->n_served < n->n_requests)
		fail(run, "not every request was answered");
	if (has_lost_some(run))
		fail(run, "packets were dropped");
	for (unsigned int i = 0; !has_all_mbufs(run); i++) {
		step(run);
		if (i == DRAIN_STEPS)
			fail(run, "packet buffers are missing");
	}
}

void http_run_finish(struct http_run *run)
{
	const struct http_load_counts *n = http_load_counts(run->load);

	check(run);
	if (run->churn != NULL)
		stop_churn(run);
	settle(run, HTTP_LOAD_DRAIN, DRAIN_STEPS);
	check_accounts(run);
	if (n->n_repeated > 0)
		fprintf(stderr, "\nhttp_bench: %s: %lu segments were repeated\n",
			run->scenario->name, n->n_repeated);
	stop_peers(run);
	http_churn_destroy(run->churn);
	rig_destroy(&run->rig);
	http_load_destroy(run->load);
	free(run);
}

double http_run_bytes_per_flow(const struct http_run *run)
{
	const struct l7_worker *l7 = run->rig.ctrl.workers[0]->l7;
	double index_bytes = (double)(l7->table->bucket_mask + 1ul) * sizeof(struct flow_bucket);
	struct splice_usage usage;

	splice_usage(l7->splice, &usage);
	return (double)usage.bytes_per_flow + 2 * sizeof(struct flow_entry) +
	       2 * index_bytes / l7->table->n_entries + sizeof(struct l7_flow) +
	       sizeof(struct source_lease);
}
