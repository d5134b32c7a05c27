// SPDX-License-Identifier: Apache-2.0
#pragma once

// What travels between hosts and node, and the way it takes: with delay, loss, doubles, reordering and
// an MTU, for each host and direction.

#include "l7/tcp_segment.h"
#include "tests/sim/sim.h"

enum {
	SIM_VIP = 1,	   // the node's virtual address; its port says which listener
	SIM_NODE_HOST = 2, // and following: the node's addresses towards endpoints
	SIM_N_NODE_HOSTS = 4,
	SIM_CLIENT_HOST = 100,
	SIM_SERVER_HOST = 200,
	SIM_HEADERS_LEN = 40,
};

struct sim_addr {
	uint16_t host;
	uint16_t port;
};

struct sim_seg {
	struct sim_addr src;
	struct sim_addr dst;
	struct tcp_out tcp;
	uint32_t len;
	uint8_t data[];
};

// One direction between a host and the rest of the world.
struct sim_path {
	uint16_t loss; // these in permille
	uint16_t duplicate;
	uint16_t reorder;
	uint16_t mtu;
	uint32_t min_delay_us;
	uint32_t max_delay_us;
	uint64_t last_us; // when the last one in order arrives
};

struct sim_seg *sim_seg_new(struct sim_addr src, struct sim_addr dst, const struct tcp_out *tcp,
	const uint8_t *data, uint32_t len);
struct sim_seg *sim_seg_copy(const struct sim_seg *seg);

static inline bool sim_addr_equal(struct sim_addr a, struct sim_addr b)
{
	return a.host == b.host && a.port == b.port;
}

// Sends a segment on its way; it is freed where it ends. The path is that of the one of its ends that is
// a host.
void sim_net_send(struct sim *sim, struct sim_seg *seg);
// Lets a segment arrive now, past the network. It is freed.
void sim_net_arrive(struct sim *sim, struct sim_seg *seg);
// Lets a segment arrive at a time, past the network's chances.
void sim_net_inject(struct sim *sim, struct sim_seg *seg, uint64_t at_us);
// Frees what is under way, at the world's end.
void sim_net_forget(struct sim *sim);
// Prints a segment as tcpdump would, numbers relative to what the host's connection began with.
void sim_net_print(struct sim *sim, const struct sim_seg *seg, const char *note);
