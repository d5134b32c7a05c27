// SPDX-License-Identifier: Apache-2.0

// What graph_segments_test.c shows of headers, for HTTP: clients and servers that talk through the real graph, SRv6 and
// TCP headers, heads and bodies cut into chains of segments at every byte. The hosts check every byte that they get.

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

#include <rte_graph_worker.h>

#include "perf/http_scenario.h"
#include "perf/rig.h"
#include "tests/unit/graph_chain.h"

enum {
	N_PORTS = 2,
	N_FLOWS = 4,
	N_SERVICES = 20, // so many endpoints that l7_fetch looks ahead
	MAX_STEPS = 200000,
	STEP_US = 500,
};

struct talk {
	struct rig rig;
	struct http_load *load;
	uint64_t now_us;
	uint32_t n_turns[HTTP_LOAD_N_SIDES]; // steps in which a side had something to say
	uint32_t longest[HTTP_LOAD_N_SIDES]; // bytes of a frame so far
};

// What goes in a step is cut alike, as by a network card: other cuts take other ways through the graph, and come out in
// another order. The first cut goes over all bytes, the second over those behind it.
static void put_frame(
	struct talk *talk, enum http_load_side side, const uint8_t *frame, uint32_t len)
{
	uint32_t n = talk->n_turns[side];
	uint32_t first = 1 + n % HTTP_LOAD_MAX_FRAME;
	uint32_t second = first + 1 + n * 7 % HTTP_LOAD_MAX_FRAME;

	assert_int_equal(rte_ring_enqueue(talk->rig.ports[side].in[0],
				 graph_chain_make(talk->rig.ctrl.pools.small, frame, len,
					 RTE_MIN(first, len), RTE_MIN(second, len))),
		0);
}

// All that a side has to say now.
static void put_frames(struct talk *talk, enum http_load_side side)
{
	uint8_t frame[HTTP_LOAD_MAX_FRAME];
	uint32_t len, spread, n = 0;

	while ((len = http_load_next(talk->load, side, frame, &spread)) > 0) {
		put_frame(talk, side, frame, len);
		talk->longest[side] = RTE_MAX(talk->longest[side], len);
		n++;
	}
	talk->n_turns[side] += n > 0;
}

static void take_frames(struct talk *talk, enum http_load_side side)
{
	void *obj;

	while (rte_ring_dequeue(talk->rig.ports[side].out[0], &obj) == 0) {
		struct rte_mbuf *m = obj;

		rte_mbuf_sanity_check(m, 1);
		assert_int_equal(rte_pktmbuf_linearize(m), 0);
		http_load_take(talk->load, side, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
		rte_pktmbuf_free(m);
	}
}

static void check(const struct talk *talk)
{
	const struct http_load_counts *n = http_load_counts(talk->load);

	assert_int_equal(n->n_malformed, 0);
	assert_int_equal(n->n_disorder, 0);
	assert_int_equal(n->n_wrong, 0);
	assert_int_equal(n->n_reset, 0);
}

static void step(struct talk *talk)
{
	talk->now_us += STEP_US;
	http_load_set_time(talk->load, talk->now_us);
	for (int side = 0; side < HTTP_LOAD_N_SIDES; side++)
		put_frames(talk, (enum http_load_side)side);
	do
		worker_walk(talk->rig.ctrl.workers[0]);
	while (rte_ring_count(talk->rig.ports[HTTP_LOAD_CLIENTS].in[0]) +
			rte_ring_count(talk->rig.ports[HTTP_LOAD_SERVERS].in[0]) >
		0);
	for (int side = 0; side < HTTP_LOAD_N_SIDES; side++)
		take_frames(talk, (enum http_load_side)side);
	check(talk);
}

static void settle(struct talk *talk, enum http_load_phase phase)
{
	http_load_set_phase(talk->load, phase);
	for (uint32_t i = 0; !http_load_is_settled(talk->load); i++) {
		assert_true(i < MAX_STEPS);
		step(talk);
	}
}

// Until the longest frames of either side were cut at every byte.
static void run(struct talk *talk)
{
	http_load_set_phase(talk->load, HTTP_LOAD_RUN);
	for (uint32_t i = 0; talk->n_turns[HTTP_LOAD_CLIENTS] < talk->longest[HTTP_LOAD_CLIENTS] ||
			     talk->n_turns[HTTP_LOAD_SERVERS] < talk->longest[HTTP_LOAD_SERVERS];
		i++) {
		assert_true(i < MAX_STEPS);
		step(talk);
	}
	assert_true(http_load_counts(talk->load)->n_responses > 0);
}

static void expect_no_drops(const struct talk *talk)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t i;

	rte_graph_foreach_node(i, off, talk->rig.ctrl.workers[0]->graph, node)
	{
		if (strncmp(node->name, "drop_", 5) == 0 && node->total_objs > 0)
			fail_msg("%s: %lu", node->name, node->total_objs);
	}
}

static void graph_l7_segments_hosts_cut_anywhere_understand_each_other(void **state)
{
	const struct http_scenario_size size = {
		.n_flows = N_FLOWS, .n_services = N_SERVICES, .n_workers = 1};

	(void)state;
	for (int kind = 0; kind < HTTP_LOAD_N_KINDS; kind++) {
		struct talk *talk = calloc(1, sizeof(*talk));
		struct http_load_config load = http_scenario_load(&http_scenarios[kind], &size);
		char *config = http_scenario_config(&http_scenarios[kind], &size);

		assert_non_null(talk);
		talk->load = http_load_create(&load);
		rig_create(&talk->rig, config, N_PORTS, 1);
		settle(talk, HTTP_LOAD_OPEN);
		run(talk);
		settle(talk, HTTP_LOAD_DRAIN);
		expect_no_drops(talk);
		http_load_destroy(talk->load);
		rig_destroy(&talk->rig);
		free(config);
		free(talk);
	}
}

static int start(void **state)
{
	char *args[] = {"unit", "--lcores", "0@0", "--no-telemetry", "--no-pci", "--no-shconf",
		"--no-huge", "--log-level=3", "-m", "1024", NULL};

	(void)state;
	return rte_eal_init((int)RTE_DIM(args) - 1, args) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graph_l7_segments_hosts_cut_anywhere_understand_each_other),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
