// SPDX-License-Identifier: Apache-2.0

// A change follows as soon as the one before is live. Who may answer under each of the last changes is in a ring of
// rows, written before its change is published and read by the thread that walks.

#include "perf/http_churn.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "ctrl/ctrl.h"
#include "ctrl/publish.h"
#include "perf/http_churn_priv.h"

enum {
	N_ROWS = 1024,	// of changes that a request may have been under way for
	LOOK_US = 1000, // for a new goal
};

struct http_churn {
	struct ctrl *ctrl;
	struct churn_world world;
	uint8_t *rows;
	int core;
	pthread_t thread;
	struct event *look_event;
	_Atomic uint64_t n_begun;
	_Atomic uint64_t n_live;
	_Atomic uint64_t goal;
	_Atomic bool stop;
	_Atomic bool stopped;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "http_churn: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static uint8_t *row_of(const struct http_churn *churn, uint64_t change)
{
	return churn->rows + change % N_ROWS * churn->world.n_services;
}

// ---- the control core

static void on_live(const struct publish_result *result, void *arg)
{
	struct http_churn *churn = arg;

	if (result->ret != 0)
		die("refused", result->text);
	atomic_fetch_add(&churn->n_live, 1);
}

static void publish_world(struct http_churn *churn)
{
	uint64_t change = atomic_load(&churn->n_begun) + 1;
	struct spec_layer *layer = layers_make(churn->world.layers);

	if (layer == NULL)
		die("layer", "out of memory");
	for (uint32_t s = 0; s < churn->world.n_services; s++)
		row_of(churn, change)[s] = churn_world_allowed(&churn->world, s);
	atomic_store(&churn->n_begun, change);
	publish_set_layer(churn->ctrl->publish, layer, on_live, churn);
}

static bool is_due(const struct http_churn *churn)
{
	uint64_t n_live = atomic_load(&churn->n_live);

	return n_live == atomic_load(&churn->n_begun) && n_live < atomic_load(&churn->goal);
}

// EAL pinned the thread that created this one, which in turn creates the one that compiles.
static void choose_core(int core)
{
	cpu_set_t cpus;

	memset(&cpus, core == HTTP_CHURN_ANY_CORE ? 0xff : 0, sizeof(cpus));
	if (core != HTTP_CHURN_ANY_CORE)
		CPU_SET((size_t)core, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

static void start_publish(struct http_churn *churn)
{
	const struct timeval look = {.tv_usec = LOOK_US};
	struct ctrl *ctrl = churn->ctrl;
	struct refusal refusal = {0};

	ctrl->publish = publish_create(ctrl, &refusal);
	if (ctrl->publish == NULL)
		die("publisher", refusal.text);
	if (event_add(churn->look_event, &look) != 0)
		die("timer", "out of memory");
}

static void *run(void *arg)
{
	struct http_churn *churn = arg;

	choose_core(churn->core);
	start_publish(churn);
	publish_world(churn);
	while (!atomic_load(&churn->stop) ||
		atomic_load(&churn->n_live) < atomic_load(&churn->n_begun)) {
		event_base_loop(churn->ctrl->base, EVLOOP_ONCE);
		if (!is_due(churn) || atomic_load(&churn->stop))
			continue;
		churn_world_change(&churn->world);
		publish_world(churn);
	}
	while (reclaim_poll(churn->ctrl->reclaim) > 0)
		sched_yield();
	atomic_store(&churn->stopped, true);
	return NULL;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

// ---- life

static void release(struct http_churn *churn)
{
	if (churn->look_event != NULL)
		event_free(churn->look_event);
	if (churn->ctrl->base != NULL)
		event_base_free(churn->ctrl->base);
	churn->ctrl->base = NULL;
	churn_world_destroy(&churn->world);
	free(churn->rows);
	free(churn);
}

static int create(struct http_churn *churn, uint32_t n_services)
{
	int ret = churn_world_create(&churn->world, n_services);

	if (ret != 0)
		return ret;
	evthread_use_pthreads();
	churn->ctrl->base = event_base_new();
	churn->rows = calloc(N_ROWS, n_services);
	if (churn->ctrl->base == NULL || churn->rows == NULL)
		return -ENOMEM;
	churn->look_event = event_new(churn->ctrl->base, -1, EV_PERSIST, on_look, NULL);
	return churn->look_event == NULL ? -ENOMEM
					 : -pthread_create(&churn->thread, NULL, run, churn);
}

struct http_churn *http_churn_create(struct ctrl *ctrl, uint32_t n_services, int core)
{
	struct http_churn *churn = calloc(1, sizeof(*churn));
	int ret;

	if (churn == NULL)
		return NULL;
	churn->ctrl = ctrl;
	churn->core = core;
	ret = create(churn, n_services);
	if (ret == 0)
		return churn;
	release(churn);
	errno = -ret;
	return NULL;
}

void http_churn_destroy(struct http_churn *churn)
{
	if (churn == NULL)
		return;
	pthread_join(churn->thread, NULL);
	publish_destroy(churn->ctrl->publish);
	churn->ctrl->publish = NULL;
	release(churn);
}

uint64_t http_churn_n_live(const struct http_churn *churn)
{
	return atomic_load(&churn->n_live);
}

void http_churn_set_goal(struct http_churn *churn, uint64_t n_live)
{
	atomic_store(&churn->goal, n_live);
}

void http_churn_stop(struct http_churn *churn)
{
	atomic_store(&churn->stop, true);
}

bool http_churn_is_stopped(const struct http_churn *churn)
{
	return atomic_load(&churn->stopped);
}

bool http_churn_may_serve(void *churn_ptr, uint32_t service, uint32_t endpoint, uint64_t n_live)
{
	const struct http_churn *churn = churn_ptr;
	uint64_t last = atomic_load(&churn->n_begun);

	if (last - n_live >= N_ROWS - 1)
		return false;
	for (uint64_t change = n_live; change <= last; change++)
		if (row_of(churn, change)[service] >> endpoint & 1)
			return true;
	return false;
}
