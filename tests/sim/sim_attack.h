// SPDX-License-Identifier: Apache-2.0
#pragma once

// Those who mean harm: on the path, beside it, or as a client.

#include "tests/sim/sim_net.h"

void sim_attack_start(struct sim *sim);
void sim_attack_end(struct sim *sim);
// An attacker on the path sees a segment leave.
void sim_attack_see(struct sim *sim, const struct sim_seg *seg);
