// SPDX-License-Identifier: Apache-2.0
#pragma once

// One scenario of http_bench at one size, on a node of its own: its connections are opened, it is brought to
// a steady state, and rounds of it are clocked.

#include <stdint.h>

#include "perf/http_scenario.h"

enum {
	HTTP_RUN_MAX_NODES = 160, // of the graph
};

struct http_run;

struct http_run_round {
	double cycles;	  // TSC clocks of all workers' walks
	double requests;  // that were answered; of bulk, as many as the bytes are
	double bytes;	  // of IPv4 packets with responses
	double n_packets; // that the node took
	double node_cycles[HTTP_RUN_MAX_NODES]; // of worker 0, by node id
	double node_packets[HTTP_RUN_MAX_NODES];
};

// Exits the process with a message when the scenario does not run as it should.
struct http_run *http_run_create(
	const struct http_scenario *scenario, const struct http_scenario_size *size);
void http_run_round(struct http_run *run, struct http_run_round *round);

// Steps until so many changes of the services have gone live.
void http_run_until_live(struct http_run *run, uint64_t n_live);
// With changes one after the other from now on, or no more of them.
void http_run_set_changing(struct http_run *run, bool changing);
uint64_t http_run_n_live(const struct http_run *run);

// Lets all requests be answered, and exits with a message unless each was, by the right server, and nothing
// odd was seen. Frees the run.
void http_run_finish(struct http_run *run);

// Bytes of fixed memory that the node has for a connection of a client and one to an endpoint: their records
// and the tables that find them, without the pool of buffers.
double http_run_bytes_per_flow(const struct http_run *run);

// NULL: no such node.
const char *http_run_node_name(unsigned int id);
