// SPDX-License-Identifier: Apache-2.0
#pragma once

// The scenarios of http_bench: what the load does, and the node's configuration for it.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/http_load.h"

struct http_scenario {
	const char *name;
	enum http_load_kind kind;
	const char *what;
};

struct http_scenario_size {
	uint32_t n_flows;
	uint32_t n_services;
	uint16_t n_workers;
	bool plain;    // no SRv6: clients and servers are next to the ports
	bool changing; // services come by http_churn
};

extern const struct http_scenario http_scenarios[HTTP_LOAD_N_KINDS];

// NULL: there is none of that name.
const struct http_scenario *http_scenario_find(const char *name);

// How many connections of clients the node is given room for.
uint32_t http_scenario_room(
	const struct http_scenario *scenario, const struct http_scenario_size *size);

// The configuration as text; malloced.
char *http_scenario_config(
	const struct http_scenario *scenario, const struct http_scenario_size *size);

struct http_load_config http_scenario_load(
	const struct http_scenario *scenario, const struct http_scenario_size *size);
