// SPDX-License-Identifier: Apache-2.0
#pragma once

// The order in which things with weights take turns: one period of weighted earliest-deadline-first, as Envoy's
// round robin has it, computed ahead.

#include <stdint.h>

enum {
	EDF_MAX_TURNS = 16384, // of a period; weights that need more are rounded to 1/16384
};

// By turn, the index of whose it is. Weights are 1 or more, their sum below 2^63, n from 1 to EDF_MAX_TURNS. The
// caller frees the array. Returns NULL with errno ENOMEM.
uint32_t *edf_order(const uint64_t *weights, uint32_t n, uint32_t *n_turns);
