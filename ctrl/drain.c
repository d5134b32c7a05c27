// SPDX-License-Identifier: Apache-2.0
#include "ctrl/drain.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "pipeline/l7_worker.h"

enum {
	LOOK_MS = 20,
};

struct drain {
	struct ctrl *ctrl;
	struct event *timer;
	unsigned int n_looks;
	bool begun;
};

static uint32_t count_open(const struct ctrl *ctrl)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		n += l7_worker_n_open(ctrl->workers[i]->l7);
	return n;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct drain *drain = arg;
	uint32_t n_open = count_open(drain->ctrl);

	(void)fd;
	(void)what;
	if (n_open > 0 && ++drain->n_looks < DRAIN_LIMIT_MS / LOOK_MS)
		return;
	log_notice("stop: drained connections_left=%u", n_open);
	event_base_loopbreak(drain->ctrl->base);
}

struct drain *drain_create(struct ctrl *ctrl)
{
	struct drain *drain = calloc(1, sizeof(*drain));

	if (drain == NULL)
		return NULL;
	drain->ctrl = ctrl;
	drain->timer = event_new(ctrl->base, -1, EV_PERSIST, on_timer, drain);
	if (drain->timer != NULL)
		return drain;
	free(drain);
	errno = ENOMEM;
	return NULL;
}

void drain_destroy(struct drain *drain)
{
	if (drain == NULL)
		return;
	event_free(drain->timer);
	free(drain);
}

void drain_begin(struct drain *drain)
{
	const struct timeval period = {.tv_usec = LOOK_MS * 1000};
	struct ctrl *ctrl = drain->ctrl;

	if (drain->begun || count_open(ctrl) == 0) {
		event_base_loopbreak(ctrl->base);
		return;
	}
	drain->begun = true;
	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		atomic_store(&ctrl->workers[i]->drain, true);
	event_add(drain->timer, &period);
}
