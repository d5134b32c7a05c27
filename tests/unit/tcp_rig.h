// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets of exact bytes, and the connection that they belong to: a client in IPv4, an endpoint in IPv6.

#include <rte_mbuf.h>

#include "pipeline/flow_table.h"

enum {
	RIG_N_MBUFS = 63,
	RIG_ROOM_LEN = 512,
	RIG_IP4_LEN = 20,
	RIG_IP6_LEN = 40,
};

extern const struct flow_tuple rig_client4;
extern const struct flow_tuple rig_endpoint6;

// The pool of all packets here; there from rig_start() on, which is a group's set-up.
extern struct rte_mempool *rig_pool;

int rig_start(void **state);
// A test's tear-down: it has given back what it took.
int rig_check_pool(void **state);

struct rte_mbuf *rig_make(const uint8_t *bytes, uint32_t len);
