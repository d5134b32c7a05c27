// SPDX-License-Identifier: Apache-2.0

// Source: once a millisecond the splice does what is due: retransmissions, time-outs, acknowledgements that
// were put off. Then the flows that the control core asks for are told.

#include "pipeline/l7_send.h"
#include "pipeline/node.h"

#define EDGES(X) L7_OUT_EDGES(X)

NODE_DECLARE_EDGES(EDGES)

_Static_assert((int)EDGE_POLICY == (int)L7_OUT_POLICY, "the first edges are enum l7_out");

// Once, when the control core asks for it.
static void drain(struct worker *w)
{
	if (likely(!atomic_load_explicit(&w->drain, memory_order_relaxed)) || w->l7->draining)
		return;
	w->l7->draining = true;
	splice_drain(w->l7->splice);
}

static uint16_t l7_timer_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	struct l7_worker *l7 = w->l7;
	uint64_t n_before = l7->stats->n_sent;

	(void)objs;
	(void)n_objs;
	l7_worker_set_time(l7);
	if (l7->now_us < l7->timers_us)
		return 0;
	l7->timers_us = l7->now_us + L7_TIMER_US;
	l7_send_begin(l7, graph, node);
	drain(w);
	splice_run_timers(l7->splice);
	l7_send_end(l7);
	w->n_from_timers = (uint32_t)(l7->stats->n_sent - n_before);
	flow_report_step(l7);
	return 0;
}

NODE_REGISTER_SOURCE(l7_timer, EDGES);
