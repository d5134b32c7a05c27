// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP routing on one worker: its splice, the table that finds flows and legs, its sources, counters and
// clock, and the packets that the splice sends in the current node call. All memory is taken at creation.

#include <stdbool.h>
#include <stdint.h>

#include <rte_graph.h>

#include "l7/balance.h"
#include "l7/http1_date.h"
#include "l7/splice.h"
#include "pipeline/flow_report.h"
#include "pipeline/flow_table.h"
#include "pipeline/l7_stats.h"
#include "pipeline/source_pool.h"
#include "pipeline/worker.h"

enum {
	L7_DEFAULT_FLOWS = 65536,
	L7_REQUEST_ID_LEN = 36, // a UUID as text
	L7_ADDR_TEXT_LEN = 46,
	L7_NO_TIMEOUT_MS = 1 << 30,
	L7_MAX_IDLE_LEGS = 1024, // of a worker, per endpoint
	L7_TIMER_US = 1000,	 // how often the splice's timers run
	L7_NO_BUCKET = UINT16_MAX,
};

// The first edges of the nodes in which the splice speaks.
#define L7_OUT_EDGES(X)                                                                            \
	X(IP4_LOOKUP, "ip4_lookup")                                                                \
	X(IP6_LOOKUP, "ip6_lookup")                                                                \
	X(POLICY, "srv6_encap")

enum l7_out {
	L7_OUT_IP4,
	L7_OUT_IP6,
	L7_OUT_POLICY,
	L7_N_OUTS,
};

// What the splice does not keep of a flow: where its requests are counted.
struct l7_flow {
	uint32_t listener; // slots
	uint32_t virtual_host;
	uint32_t route;
	uint32_t cluster;
	uint32_t endpoint;
	uint32_t generation;	    // that the flow began under
	uint16_t first_byte_bucket; // of the request's histograms; L7_NO_BUCKET: not yet
	bool in_request;	    // counted as active
	char request_id[L7_REQUEST_ID_LEN +
			1]; // of the request under way; "": not for the response
};

struct l7_outbox {
	void *pkts[WORKER_BURST];
	uint16_t n_pkts;
};

struct l7_worker {
	struct worker *w;
	struct splice *splice;
	struct flow_table *table; // flows first, then legs
	struct source_pool *sources;
	struct l7_stats *stats;
	struct flow_report *report;
	struct balance_state *balance; // by cluster slot
	struct l7_flow *flows;
	uint32_t *places;	     // by route slot: where the last request found it in its table
	struct source_lease *leases; // by leg
	uint32_t n_flows;
	uint32_t flows_end; // numbers from here on never had a flow
	uint32_t n_legs;
	uint16_t max_payload; // that fits a packet buffer behind the longest headers
	uint64_t key[2];      // of hashes that the world may not foresee
	uint64_t random[2];

	uint64_t us_per_tsc; // in 1 / 2^32
	uint64_t start_tsc;
	uint64_t now_us;
	uint64_t timers_us; // when the splice's timers are due
	bool draining;

	// Of the current node call.
	struct rte_graph *graph;
	struct rte_node *node;
	struct l7_outbox outs[L7_N_OUTS];

	// Answers to the splice, until its next question.
	struct splice_listener listener;
	char client[L7_ADDR_TEXT_LEN];
	char port[6];
	uint64_t date_s; // what date says
	char date[HTTP1_DATE_LEN + 1];
};

// For worker w, which has its index, pools and peers already. max_payload: l7_worker.max_payload. NULL with errno
// ENOMEM.
struct l7_worker *l7_worker_create(
	struct worker *w, const struct l7_memory_spec *memory, uint16_t max_payload);
void l7_worker_destroy(struct l7_worker *l7);

// Brings the splice's clock to the walk's. Before segments are given in.
void l7_worker_set_time(struct l7_worker *l7);

// Whether there are flows or legs, whose timers a sleeping worker must not miss.
bool l7_worker_has_timers(const struct l7_worker *l7);

// Clients' connections that are not over yet. Any thread, roughly.
uint32_t l7_worker_n_open(const struct l7_worker *l7);

// Pseudo-random, not for secrets.
uint64_t l7_worker_random(struct l7_worker *l7);

// Whether a VRF's slot is still whose it was in the snapshot of that generation.
static inline bool l7_vrf_is_same(const struct snapshot *s, uint16_t vrf, uint32_t generation)
{
	return vrf < s->n_vrfs && s->vrfs[vrf].ip6 != NULL && s->vrfs[vrf].since <= generation;
}

// The splice's questions (l7_io.c).
extern const struct splice_io l7_io;
