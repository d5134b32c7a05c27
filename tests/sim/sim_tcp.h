// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between the files of the hosts' TCP: input, output, timers.

#include "tests/sim/sim_host.h"

static inline bool sim_seq_lt(uint32_t a, uint32_t b)
{
	return a != b && b - a < UINT32_C(0x80000000);
}

static inline bool sim_seq_le(uint32_t a, uint32_t b)
{
	return a == b || sim_seq_lt(a, b);
}

// A set of ranges: adds, forgets what lies below a number, tells whether all of a range is in it.
void sim_ranges_add(struct sim_ranges *ranges, uint32_t left, uint32_t right);
void sim_ranges_forget(struct sim_ranges *ranges, uint32_t below);
bool sim_ranges_cover(const struct sim_ranges *ranges, uint32_t left, uint32_t right);

// sim_tcp_out.c
void sim_tcp_ack(struct sim_tcp *tcp); // sends one now
void sim_tcp_push(struct sim_tcp *tcp);
void sim_tcp_send_syn(struct sim_tcp *tcp);
void sim_tcp_send_reset(struct sim_host *host, const struct sim_seg *to);
void sim_tcp_probe(struct sim_tcp *tcp);
void sim_tcp_keepalive(struct sim_tcp *tcp);
uint32_t sim_tcp_end(const struct sim_tcp *tcp); // one past the last byte to send

// sim_tcp_timer.c
void sim_tcp_arm(struct sim_tcp *tcp); // after any change of its times
void sim_tcp_arm_rto(struct sim_tcp *tcp);
void sim_tcp_measured(struct sim_tcp *tcp, uint64_t rtt_us);

// sim_tcp_in.c
void sim_tcp_input(struct sim_tcp *tcp, const struct sim_seg *seg);

// sim_host.c
struct sim_tcp *sim_tcp_new(struct sim_host *host, struct sim_addr local, struct sim_addr remote);
// The connection is no more: tells the program, unless it has gone.
void sim_tcp_end_it(struct sim_tcp *tcp, bool reset);
