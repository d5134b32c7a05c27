// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a segment of the splice may never say, looked at as it leaves:
// - it acknowledges a byte of a body that the other host has not got (law 1);
// - it promises a window that the other host does not have, or a SACK of what it does not hold;
// - it is longer than the MSS that its host announced.

#include "tests/sim/sim_node.h"

void sim_law_to_client(struct sim *sim, const struct sim_seg *seg);
void sim_law_to_server(struct sim *sim, const struct sim_seg *seg);
