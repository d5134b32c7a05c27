// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control core's state: one libevent loop owns everything here, no other thread touches it (a
// compile in flight works on frozen specs, ctrl/publish.c). Workers see only the published snapshot, the
// adjacency table and the rings.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline/adj.h"
#include "pipeline/compile/compile.h"
#include "pipeline/port.h"
#include "pipeline/reclaim.h"
#include "pipeline/snapshot.h"
#include "pipeline/spec.h"
#include "pipeline/worker.h"

struct event_base;
struct rte_rcu_qsbr;
struct rte_mempool;
struct rte_ring;
struct neigh;
struct admin;
struct publish;
struct capture_session;
struct flow_session;
struct trace_session;
struct wall_clock;
struct watchdog;
struct xds;

struct ctrl {
	struct event_base *base;
	const char *config_path;

	// Started once, gone at exit.
	struct port_runtime *ports; // by index of the first spec's ports
	uint32_t n_ports;
	struct port_pools pools;
	struct worker **workers;
	uint16_t n_workers;
	struct rte_rcu_qsbr *qsbr;
	struct reclaim *reclaim;
	struct adj_table *adj_table;
	struct rte_ring *punt_ring;    // from the workers
	struct rte_ring *capture_ring; // from the workers
	struct rte_mempool *capture_mbufs;

	// What is live. Replaced together by ctrl/publish.c.
	struct node_spec *spec;
	_Atomic(const struct snapshot *) published;
	uint64_t start_tsc;

	// Parts, each owned by the file of its name.
	struct neigh *neigh;
	struct admin *admin;
	struct publish *publish;
	struct capture_session *capture;   // NULL: none is running
	struct flow_session *flow_session; // likewise
	uint32_t flow_request;		   // number of the last one
	struct trace_session *trace;	   // likewise
	struct wall_clock *wall_clock;
	struct watchdog *watchdog;
	struct xds *xds; // NULL: the file has no servers
};

// The live snapshot, for the control core's own reading.
static inline const struct snapshot *ctrl_snapshot(const struct ctrl *ctrl)
{
	return atomic_load_explicit(&ctrl->published, memory_order_relaxed);
}
