// SPDX-License-Identifier: Apache-2.0
#pragma once

// Polls the punt ring from the control core's loop: every millisecond while packets come, every few
// when none do, and only so many packets at a time that the loop stays free.

struct event_base;
struct punt;
struct rte_mbuf;
struct rte_ring;

// Gets one packet, which it takes.
typedef void (*punt_packet_fn)(struct rte_mbuf *m, void *arg);
// Called before the packets of one poll.
typedef void (*punt_begin_fn)(void *arg);

struct punt_handler {
	punt_begin_fn begin_fn;
	punt_packet_fn packet_fn;
	void *arg;
};

// Starts to poll. NULL with errno ENOMEM.
struct punt *punt_create(
	struct event_base *base, struct rte_ring *ring, const struct punt_handler *handler);
// Stops, and frees what is left in the ring. NULL is fine.
void punt_destroy(struct punt *punt);
