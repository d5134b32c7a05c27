// SPDX-License-Identifier: Apache-2.0
#pragma once

// DPDK's environment from the configuration: cores, memory, huge pages.

#include "app/options.h"
#include "pipeline/spec.h"

// Number of workers that the spec asks for.
uint16_t eal_n_workers(const struct node_spec *spec);

// Calls rte_eal_init(). lcore 0 is the control core's, lcore 1 + i that of worker i, wherever they run.
// Returns 0, or -errno with the reason in refusal.
int eal_start(const struct node_spec *spec, const struct options *options, struct refusal *refusal);
