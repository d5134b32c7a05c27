// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells quiet moments of a shared machine from busy ones: a fixed loop that takes the same number of
// clocks whenever nobody else has the core.

#include <stdbool.h>
#include <stdint.h>

// Clocks of one turn of the loop (about 25 us). One thread at a time.
uint64_t calibrate_turn(void);

// Whether a turn that took tsc clocks was quiet: within 3 % of the fastest seen so far.
bool calibrate_is_quiet(uint64_t tsc);

// How often this thread was descheduled against its will so far.
long calibrate_switches(void);

// Median of n values; sorts them.
double calibrate_median(double *values, unsigned int n);
