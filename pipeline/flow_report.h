// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a worker tells of its flows when it is asked. Flows are the worker's alone, so the control core asks
// with a number, and the worker walks through its flows, a few at a time, and leaves a row for each in a ring.
// All memory is taken at creation.

#include <stdatomic.h>
#include <stdint.h>

#include "pipeline/flow_table.h"

struct l7_worker;

enum {
	FLOW_REPORT_ROWS =
		2048, // that wait for the control core, which looks every few milliseconds
	FLOW_REPORT_STEP = 256, // flows looked at in one go: some 50 us
};

struct flow_row {
	uint32_t request; // that it answers
	uint32_t flow;
	struct flow_tuple client;
	struct flow_tuple server; // family 0: no leg
	const char *phase;
	uint32_t listener; // slots, L7_NO_SLOT where there is none
	uint32_t virtual_host;
	uint32_t route;
	uint32_t cluster;
	uint32_t endpoint;
	uint32_t idle_ms;
	uint64_t n_requests;
};

// Single producer (the worker), single consumer (the control core).
struct flow_report {
	_Atomic uint32_t
		asked; // number of a request, 0: nothing is asked. Written by the control core
	_Atomic uint32_t answered; // number of the last request that was answered to its end
	_Atomic uint32_t head;
	_Atomic uint32_t tail;
	uint32_t request; // under way
	uint32_t next;	  // flow
	struct flow_row rows[FLOW_REPORT_ROWS];
};

// The worker, every millisecond: goes on with what is asked.
void flow_report_step(struct l7_worker *l7);
