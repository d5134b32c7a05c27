// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells quiet moments of a shared machine from busy ones: a fixed loop that takes the same number of
// clocks whenever nobody else has the core.

#include <stdbool.h>
#include <stdint.h>

// Clocks of one turn of the loop (about 20 us).
uint64_t calibrate_turn(void);

// Whether a turn that took tsc clocks was quiet: within 3 % of the fastest seen so far.
bool calibrate_is_quiet(uint64_t tsc);

// Median of n values; sorts them.
double calibrate_median(double *values, unsigned int n);
