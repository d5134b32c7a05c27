// SPDX-License-Identifier: Apache-2.0
#include "ctrl/watchdog.h"

#include "ctrl/ctrl.h"
#include "ctrl/log.h"

#include <event2/event.h>

#include <rte_cycles.h>

#include <errno.h>
#include <stdlib.h>

struct watched {
	uint64_t heartbeat;
	uint64_t busy_tsc;
	unsigned int n_silent; // periods
	double busy_percent;
};

struct watchdog {
	struct ctrl *ctrl;
	struct event *timer;
	uint64_t last_tsc;
	struct watched watched[]; // by worker
};

static bool is_stalled(const struct watched *watched)
{
	return watched->n_silent >= WATCHDOG_MAX_SILENT;
}

static void check_heartbeat(struct watched *watched, const struct worker *w)
{
	uint64_t heartbeat = atomic_load_explicit(&w->heartbeat, memory_order_relaxed);

	if (heartbeat != watched->heartbeat) {
		if (is_stalled(watched))
			log_error("watchdog: worker goes on worker=%u silent_ms=%u", w->worker_idx,
				watched->n_silent * WATCHDOG_PERIOD_MS);
		watched->n_silent = 0;
		watched->heartbeat = heartbeat;
	} else if (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		if (++watched->n_silent == WATCHDOG_MAX_SILENT)
			log_error("watchdog: worker makes no progress worker=%u lcore=%u "
				  "silent_ms=%u",
				w->worker_idx, w->lcore, watched->n_silent * WATCHDOG_PERIOD_MS);
	}
}

static void measure(struct watched *watched, const struct worker *w, uint64_t elapsed_tsc)
{
	uint64_t busy_tsc = w->n_busy_tsc;
	double percent = 100.0 * (double)(busy_tsc - watched->busy_tsc) / (double)elapsed_tsc;

	watched->busy_tsc = busy_tsc;
	// A walk is counted when it ends, be it longer than the period.
	watched->busy_percent = percent > 100 ? 100 : percent;
}

void watchdog_check(struct watchdog *watchdog)
{
	struct ctrl *ctrl = watchdog->ctrl;
	uint64_t now_tsc = rte_rdtsc();

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		check_heartbeat(&watchdog->watched[i], ctrl->workers[i]);
		measure(&watchdog->watched[i], ctrl->workers[i], now_tsc - watchdog->last_tsc);
	}
	watchdog->last_tsc = now_tsc;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	watchdog_check(arg);
}

struct watchdog *watchdog_create(struct ctrl *ctrl)
{
	const struct timeval period = {.tv_usec = WATCHDOG_PERIOD_MS * 1000};
	struct watchdog *watchdog =
		calloc(1, sizeof(*watchdog) + ctrl->n_workers * sizeof(watchdog->watched[0]));

	if (watchdog == NULL)
		return NULL;
	watchdog->ctrl = ctrl;
	ctrl->watchdog = watchdog;
	watchdog->last_tsc = rte_rdtsc();
	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		watchdog->watched[i].heartbeat = atomic_load(&ctrl->workers[i]->heartbeat);
		watchdog->watched[i].busy_tsc = ctrl->workers[i]->n_busy_tsc;
	}
	watchdog->timer = event_new(ctrl->base, -1, EV_PERSIST, on_timer, watchdog);
	if (watchdog->timer != NULL && event_add(watchdog->timer, &period) == 0)
		return watchdog;
	watchdog_destroy(watchdog);
	errno = ENOMEM;
	return NULL;
}

void watchdog_destroy(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	watchdog->ctrl->watchdog = NULL;
	if (watchdog->timer != NULL)
		event_free(watchdog->timer);
	free(watchdog);
}

bool watchdog_is_stalled(const struct watchdog *watchdog, uint16_t worker_idx)
{
	return is_stalled(&watchdog->watched[worker_idx]);
}

double watchdog_busy_percent(const struct watchdog *watchdog, uint16_t worker_idx)
{
	return watchdog->watched[worker_idx].busy_percent;
}
