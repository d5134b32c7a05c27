// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/punt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#include <event2/event.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

enum {
	BURST = 64,
	MAX_BURSTS = 16, // of one poll: about half a millisecond
	BUSY_INTERVAL_US = 1000,
	IDLE_INTERVAL_US = 3000,
	IDLE_AFTER_POLLS = 200, // empty ones
};

struct punt {
	struct event *timer;
	struct rte_ring *ring;
	struct punt_handler handler;
	uint32_t n_empty_polls;
};

static uint32_t poll_burst(struct punt *punt)
{
	void *pkts[BURST];
	uint32_t n = rte_ring_dequeue_burst(punt->ring, pkts, BURST, NULL);

	for (uint32_t i = 0; i < n; i++)
		punt->handler.packet_fn(pkts[i], punt->handler.arg);
	return n;
}

static void schedule(struct punt *punt)
{
	bool idle = punt->n_empty_polls >= IDLE_AFTER_POLLS;
	struct timeval interval = {.tv_usec = idle ? IDLE_INTERVAL_US : BUSY_INTERVAL_US};

	// A poll that cannot be scheduled would be the last: libevent only lacks memory at the first add.
	evtimer_add(punt->timer, &interval);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct punt *punt = arg;
	uint32_t n_bursts = 0;

	(void)fd;
	(void)what;
	if (rte_ring_empty(punt->ring)) {
		punt->n_empty_polls++;
		schedule(punt);
		return;
	}
	punt->n_empty_polls = 0;
	punt->handler.begin_fn(punt->handler.arg);
	while (n_bursts < MAX_BURSTS && poll_burst(punt) == BURST)
		n_bursts++;
	schedule(punt);
}

struct punt *punt_create(
	struct event_base *base, struct rte_ring *ring, const struct punt_handler *handler)
{
	struct punt *punt = calloc(1, sizeof(*punt));

	if (punt == NULL)
		return NULL;
	punt->ring = ring;
	punt->handler = *handler;
	punt->timer = evtimer_new(base, on_timer, punt);
	if (punt->timer == NULL) {
		free(punt);
		errno = ENOMEM;
		return NULL;
	}
	schedule(punt);
	return punt;
}

void punt_destroy(struct punt *punt)
{
	void *m;

	if (punt == NULL)
		return;
	event_free(punt->timer);
	while (rte_ring_dequeue(punt->ring, &m) == 0)
		rte_pktmbuf_free(m);
	free(punt);
}
