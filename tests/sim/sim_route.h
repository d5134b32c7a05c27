// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of struct splice_io that decides: where a request goes, what is changed in heads, which
// endpoint is next. ctx is the struct sim_node.

#include "tests/sim/sim_node.h"

void sim_route_request(void *ctx, uint32_t flow, const uint8_t *raw, const struct http1_head *head,
	struct splice_decision *decision);
void sim_route_edit_response(void *ctx, uint32_t flow, struct http1_edits *edits);
uint32_t sim_route_pick(
	void *ctx, uint32_t flow, uint32_t cluster, const uint32_t *tried, uint32_t n_tried);
bool sim_route_lives(void *ctx, uint32_t endpoint);
// Whether a head was routed to a set, in a world where requests cannot be told by their numbers.
bool sim_route_was_routed(const struct sim_node *node, char set, const uint8_t *head, uint32_t len);
