// SPDX-License-Identifier: Apache-2.0
#pragma once

// A worker's ports towards endpoints: which source address and port a new connection gets, and which
// initial sequence number. Ports of an address are used again oldest first, and each remembers the last
// number that was used towards its last endpoint, so that one in TIME_WAIT there takes the next connection
// for what it is (RFC 6528, RFC 6191). Addresses come from the snapshot; the memory for every port of every
// address is mapped at creation, and the kernel gives pages as they are touched.

#include <stdint.h>

#include "pipeline/flow_table.h"
#include "pipeline/snapshot.h"

struct source_pool;

enum {
	SOURCE_FIRST_PORT = 1024,
	SOURCE_N_PORTS = 65536 - SOURCE_FIRST_PORT,
};

// What a connection holds until it is given back.
struct source_lease {
	uint32_t source; // slot
	uint32_t since;	 // of the source: it may be gone since, and another have its slot
	uint32_t peer;	 // which endpoint it was for, hashed
	uint16_t port;
};

// For worker worker_idx of n_workers. NULL with errno ENOMEM.
struct source_pool *source_pool_create(
	const uint64_t key[2], uint16_t worker_idx, uint16_t n_workers);
void source_pool_destroy(struct source_pool *pool);

// Finds a source for tuple, whose VRF, family, remote address and port are set; fills in the local ones, the lease
// and the initial sequence number. Returns 0, or -EADDRNOTAVAIL: the VRF has no address for this worker and
// family, or no port is free.
int source_pool_take(struct source_pool *pool, const struct snapshot *snapshot, uint64_t now_us,
	struct flow_tuple *tuple, struct source_lease *lease, uint32_t *isn);

// last_seq: one past the highest sequence number that was used.
void source_pool_give(
	struct source_pool *pool, const struct source_lease *lease, uint32_t last_seq);
