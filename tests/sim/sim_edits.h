// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a head that arrived is the one that was sent, but for the changes that the node was told to
// make. Decided without the node's own code.

#include "tests/sim/sim_http.h"

bool sim_edits_match_request(
	const struct sim_text *sent, bool edited, const uint8_t *head, uint32_t len);
bool sim_edits_match_response(const struct sim_request *request, const uint8_t *head, uint32_t len);
