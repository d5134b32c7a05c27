// SPDX-License-Identifier: Apache-2.0
#include "ctrl/wall_clock.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "ctrl/ctrl.h"

struct wall_clock {
	struct ctrl *ctrl;
	struct event *timer;
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct ctrl *ctrl = ((struct wall_clock *)arg)->ctrl;
	uint64_t now_s = (uint64_t)time(NULL);

	(void)fd;
	(void)what;
	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		atomic_store_explicit(&ctrl->workers[i]->wall_s, now_s, memory_order_relaxed);
}

struct wall_clock *wall_clock_create(struct ctrl *ctrl)
{
	const struct timeval period = {.tv_usec = WALL_CLOCK_PERIOD_MS * 1000};
	struct wall_clock *wall_clock = calloc(1, sizeof(*wall_clock));

	if (wall_clock == NULL)
		return NULL;
	wall_clock->ctrl = ctrl;
	wall_clock->timer = event_new(ctrl->base, -1, EV_PERSIST, on_timer, wall_clock);
	if (wall_clock->timer != NULL && event_add(wall_clock->timer, &period) == 0) {
		on_timer(-1, 0, wall_clock);
		return wall_clock;
	}
	wall_clock_destroy(wall_clock);
	errno = ENOMEM;
	return NULL;
}

void wall_clock_destroy(struct wall_clock *wall_clock)
{
	if (wall_clock == NULL)
		return;
	if (wall_clock->timer != NULL)
		event_free(wall_clock->timer);
	free(wall_clock);
}
