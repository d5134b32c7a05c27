// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes what a scenario leaves to chance: hosts, their paths, requests.

#include "tests/sim/sim_host.h"
#include "tests/sim/sim_http.h"

struct sim_request *sim_plan_request(struct sim *sim);
struct sim_host *sim_plan_host(struct sim *sim, uint16_t number);
