// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rate limit of ICMP errors (RFC 4443 §2.4 f, RFC 1812 §4.3.2.8): a token bucket per worker and VRF.

#include <stdbool.h>

#include "pipeline/worker.h"

// Takes a token of the VRF; false when there is none.
bool icmp_limit_take(struct worker *w, uint16_t vrf);
