// SPDX-License-Identifier: Apache-2.0
#pragma once

// Longest-prefix-match tables of the tests: random routes, and tables whose memory bound is checked as they are built.

#include "pipeline/lpm.h"

enum {
	RIG_BULK = 256, // addresses of one lookup
};

// The same numbers in every run.
uint64_t rig_random64(void);
uint32_t rig_random_below(uint32_t n);

// The first n bits.
uint64_t rig_top_bits(unsigned int n);
struct lpm_route rig_make_route(uint64_t hi, uint64_t lo, unsigned int len, uint32_t dest);

// Sorts, drops duplicates and builds; the memory bound is checked for every table.
struct lpm *rig_build(struct lpm_route *routes, size_t *n_routes);

// What the longest of the routes that cover an address leads to: the oracle for small tables.
uint32_t rig_scan(const struct lpm_route *routes, size_t n_routes, uint64_t hi, uint64_t lo);
