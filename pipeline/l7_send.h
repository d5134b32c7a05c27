// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the splice sends becomes packets, collected while a node runs and passed on at its end: to the
// lookup in the side's VRF, or to the policy that leads to the endpoint.

#include "pipeline/l7_worker.h"

// Around everything in a node that may make the splice send.
void l7_send_begin(struct l7_worker *l7, struct rte_graph *graph, struct rte_node *node);
void l7_send_end(struct l7_worker *l7);

// splice_io.send and drop; ctx is the worker.
void l7_send_segment(void *ctx, enum splice_side side, uint32_t idx, const struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier);
void l7_send_drop(void *ctx, struct tcp_segment *segment);

// A segment without payload that belongs to no connection: a cookie, a RST.
void l7_send_bare(struct l7_worker *l7, const struct flow_tuple *tuple, const struct tcp_out *out);

// A packet of the node's own to the remote end of a flow or leg, by its number in the table; m's data begins at
// the IP header. Takes m; NULL counts as not sent.
void l7_send_packet(struct l7_worker *l7, struct rte_mbuf *m, uint32_t number);
