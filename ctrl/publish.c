// SPDX-License-Identifier: Apache-2.0

// One compile at a time: it takes frozen inputs to a helper thread and comes back through a pipe to the loop.
// The next one starts only after the grace period of the swap, when neighbours have taken up the last snapshot,
// too: so slots which the live snapshot does not name are free. What a swap replaced is freed by a job then.

#include "ctrl/publish.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "ctrl/neigh/neigh.h"
#include "ctrl/publish_job.h"
#include "ctrl/restart.h"

enum {
	MAX_WAITERS = 64, // callers of one reload
	RETRY_MS = 10,	  // when a job cannot start yet
	GRACE_MS = 1,	  // when it waits for a grace period
};

struct waiter {
	publish_done_fn done_fn;
	void *arg;
};

// A layer on its way.
struct layer_wish {
	struct spec_layer *layer;
	struct waiter waiter;
	bool is_there;
};

struct publish {
	struct ctrl *ctrl;
	struct restart *restart;
	struct compile_port *ports;
	struct learned_router routers[PUBLISH_JOB_MAX_ROUTERS];
	uint32_t n_routers;
	struct compile_memory *memory;
	struct publish_thread *thread;
	struct publish_job *job;     // compile in flight, or NULL
	struct publish_job *freeing; // what the workers may still see, to be posted; NULL: nothing
	struct layer_wish layer;     // in flight
	struct layer_wish next_layer;
	bool stopping;
	bool wants_reload;
	bool wants_recompile;
	struct waiter waiters[MAX_WAITERS]; // of the reload in flight
	uint32_t n_waiters;
	struct waiter next_waiters[MAX_WAITERS]; // of the one after it
	uint32_t n_next_waiters;
	int pipe_fds[2];
	struct event *done_event;
	struct event *retry_event;
	struct publish_result last; // its text is last_text
	char last_text[sizeof(((struct refusal *)0)->text)];
};

static void keep_result(struct publish *publish, const struct publish_result *result)
{
	publish->last = *result;
	snprintf(publish->last_text, sizeof(publish->last_text), "%s", result->text);
	publish->last.text = publish->last_text;
}

static void answer(struct publish *publish, const struct publish_result *result)
{
	struct waiter waiters[MAX_WAITERS];
	uint32_t n = publish->n_waiters;

	memcpy(waiters, publish->waiters, n * sizeof(*waiters));
	publish->n_waiters = 0;
	for (uint32_t i = 0; i < n; i++)
		waiters[i].done_fn(result, waiters[i].arg);
}

static void start_next(struct publish *publish);

// Queued behind what the swap gave up besides.
static void end_grace(void *arg)
{
	struct publish *publish = arg;

	publish_thread_post(publish->thread, publish->freeing);
	publish->freeing = NULL;
	start_next(publish);
}

// The one store. What the workers may still read goes after a grace period, with the job.
static void go_live(struct publish *publish, struct publish_job *job)
{
	struct ctrl *ctrl = publish->ctrl;
	struct snapshot *old = (struct snapshot *)(uintptr_t)ctrl_snapshot(ctrl);
	bool same_net = old != NULL && old->ifaces == job->snapshot->ifaces;

	atomic_store_explicit(&ctrl->published, job->snapshot, memory_order_release);
	job->snapshot = NULL;
	job->old = old;
	job->old_spec = ctrl->spec;
	ctrl->spec = job->spec;
	job->spec = NULL;
	log_set_level_name(ctrl->spec->log_level);
	if (ctrl->neigh != NULL && !same_net)
		neigh_snapshot_changed(ctrl->neigh);
	job->kind = PUBLISH_JOB_FREE;
	if (old == NULL) {
		publish_job_run(job);
		publish_job_destroy(job);
		return;
	}
	publish->freeing = job;
	reclaim_later(ctrl->reclaim, publish, end_grace);
}

static const char *const kind_names[] = {
	[PUBLISH_JOB_RELOAD] = "reload",
	[PUBLISH_JOB_LAYER] = "layer",
	[PUBLISH_JOB_RECOMPILE] = "routers",
};

static void log_live(const struct publish_job *job)
{
	const struct snapshot *s = job->snapshot;
	bool restart = job->note[0] != '\0';

	if (job->kind == PUBLISH_JOB_LAYER)
		log_debug("layer: live generation=%u compile_ms=%.3f shared_tables=%u",
			s->generation, job->compile_ms, s->n_shared_tables);
	else
		log_notice("%s: live generation=%u load_ms=%.1f compile_ms=%.1f "
			   "shared_tables=%u%s%s",
			kind_names[job->kind], s->generation, job->load_ms, job->compile_ms,
			s->n_shared_tables, restart ? " restart: " : "", job->note);
}

// Whoever waits for the job hears of it.
static void tell(struct publish *publish, enum publish_job_kind kind, struct publish_result *result)
{
	struct layer_wish wish = publish->layer;

	result->generation = ctrl_snapshot(publish->ctrl)->generation;
	if (kind == PUBLISH_JOB_RELOAD) {
		keep_result(publish, result);
		answer(publish, result);
	} else if (kind == PUBLISH_JOB_LAYER) {
		publish->layer = (struct layer_wish){0};
		wish.waiter.done_fn(result, wish.waiter.arg);
	}
}

static void finish_compile(struct publish *publish, struct publish_job *job)
{
	const char *why = job->refusal.text[0] != '\0' ? job->refusal.text : "out of memory";
	enum publish_job_kind kind = job->kind;
	struct publish_result result = {.ret = job->ret,
		.load_ms = job->load_ms,
		.compile_ms = job->compile_ms,
		.text = job->note,
		.origin = job->refusal.origin};

	if (job->ret == 0) {
		log_live(job);
		go_live(publish, job);
		tell(publish, kind, &result);
		return;
	}
	log_error("%s: refused, nothing changed: %s", kind_names[kind], why);
	result.text = why;
	tell(publish, kind, &result);
	publish_job_destroy(job);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct publish *publish = arg;
	struct publish_job *job;
	char byte;

	(void)what;
	if (read(fd, &byte, 1) != 1)
		return;
	job = publish_thread_take(publish->thread);
	if (job->kind == PUBLISH_JOB_FREE) {
		publish_job_destroy(job);
		return;
	}
	// Nothing starts before everybody has heard of this one, even if the grace period is over at once.
	finish_compile(publish, job);
	publish->job = NULL;
	start_next(publish);
}

static struct publish_job *create_job(struct publish *publish, enum publish_job_kind kind)
{
	struct ctrl *ctrl = publish->ctrl;
	struct publish_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->kind = kind;
	job->config_path = ctrl->config_path;
	job->restart = publish->restart;
	job->workers = ctrl->workers;
	job->n_workers = ctrl->n_workers;
	job->live_spec = ctrl->spec;
	job->layer = ctrl->spec->layer == NULL ? NULL : spec_layer_acquire(ctrl->spec->layer);
	memcpy(job->routers, publish->routers, sizeof(job->routers));
	job->input = (struct compile_input){
		.ports = publish->ports,
		.live = ctrl_snapshot(ctrl),
		.adj_table = ctrl->adj_table,
		.routers = job->routers,
		.n_routers = publish->n_routers,
		.memory = publish->memory,
	};
	return job;
}

static void retry_in(struct publish *publish, long ms)
{
	const struct timeval soon = {.tv_usec = ms * 1000};

	event_add(publish->retry_event, &soon);
}

// Every compile takes learned routers along.
static void take_wishes(struct publish *publish, struct publish_job *job)
{
	publish->wants_recompile = false;
	if (job->kind == PUBLISH_JOB_LAYER) {
		publish->layer = publish->next_layer;
		publish->next_layer = (struct layer_wish){0};
		spec_layer_release(job->layer);
		job->layer = publish->layer.layer;
	}
	if (job->kind != PUBLISH_JOB_RELOAD)
		return;
	publish->wants_reload = false;
	memcpy(publish->waiters, publish->next_waiters, sizeof(publish->waiters));
	publish->n_waiters = publish->n_next_waiters;
	publish->n_next_waiters = 0;
}

static void start_job(struct publish *publish, enum publish_job_kind kind)
{
	struct publish_job *job = create_job(publish, kind);

	if (job == NULL) {
		log_error("reload: no memory for it; trying again");
		retry_in(publish, RETRY_MS);
		return;
	}
	take_wishes(publish, job);
	publish->job = job;
	publish_thread_post(publish->thread, job);
}

static bool wants_something(const struct publish *publish)
{
	return publish->wants_reload || publish->wants_recompile || publish->next_layer.is_there;
}

// Begins what is due, when no compile is in flight.
static void start_next(struct publish *publish)
{
	if (publish->stopping || publish->job != NULL || !wants_something(publish))
		return;
	if (publish->freeing != NULL)
		retry_in(publish, GRACE_MS);
	else if (publish->ctrl->neigh != NULL && neigh_is_catching_up(publish->ctrl->neigh))
		retry_in(publish, RETRY_MS);
	else if (publish->wants_reload)
		start_job(publish, PUBLISH_JOB_RELOAD);
	else
		start_job(publish,
			publish->next_layer.is_there ? PUBLISH_JOB_LAYER : PUBLISH_JOB_RECOMPILE);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct publish *publish = arg;

	(void)fd;
	(void)what;
	reclaim_poll(publish->ctrl->reclaim);
	start_next(publish);
}

static int create_events(struct publish *publish)
{
	if (pipe2(publish->pipe_fds, O_CLOEXEC) != 0)
		return -errno;
	publish->done_event = event_new(
		publish->ctrl->base, publish->pipe_fds[0], EV_READ | EV_PERSIST, on_done, publish);
	publish->retry_event = evtimer_new(publish->ctrl->base, on_retry, publish);
	if (publish->done_event == NULL || publish->retry_event == NULL)
		return -ENOMEM;
	publish->thread = publish_thread_create(publish->pipe_fds[1]);
	if (publish->thread == NULL)
		return -errno;
	return event_add(publish->done_event, NULL) == 0 ? 0 : -ENOMEM;
}

static int describe_ports(struct publish *publish)
{
	struct ctrl *ctrl = publish->ctrl;

	publish->ports = calloc(ctrl->n_ports + 1, sizeof(*publish->ports));
	if (publish->ports == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < ctrl->n_ports; i++) {
		publish->ports[i].dpdk_port = ctrl->ports[i].dpdk_port;
		publish->ports[i].mtu = ctrl->ports[i].mtu;
		memcpy(publish->ports[i].mac, ctrl->ports[i].mac, 6);
	}
	return 0;
}

// The first snapshot.
static int compile_first(struct publish *publish, struct refusal *refusal)
{
	struct publish_job *job = create_job(publish, PUBLISH_JOB_RECOMPILE);
	int ret;

	if (job == NULL)
		return refusal_set(refusal, NULL, "out of memory");
	publish_job_run(job);
	ret = job->ret;
	if (ret == 0) {
		go_live(publish, job);
		return 0;
	}
	*refusal = job->refusal;
	publish_job_destroy(job);
	return ret;
}

struct publish *publish_create(struct ctrl *ctrl, struct refusal *refusal)
{
	struct publish *publish = calloc(1, sizeof(*publish));

	if (publish == NULL) {
		refusal_set(refusal, NULL, "out of memory");
		return NULL;
	}
	publish->ctrl = ctrl;
	publish->pipe_fds[0] = publish->pipe_fds[1] = -1;
	publish->last.text = publish->last_text;
	publish->restart = restart_create(ctrl->spec);
	publish->memory = compile_memory_create();
	if (publish->restart == NULL || publish->memory == NULL || describe_ports(publish) != 0 ||
		create_events(publish) != 0) {
		refusal_set(refusal, NULL, "no memory or file descriptors for the compiler");
		publish_destroy(publish);
		return NULL;
	}
	if (compile_first(publish, refusal) == 0)
		return publish;
	publish_destroy(publish);
	return NULL;
}

// Whoever still waits for a reload hears that there will be none.
static void answer_stopped(struct publish *publish)
{
	const struct publish_result stopped = {.ret = -ECANCELED, .text = "the node stops"};

	answer(publish, &stopped);
	for (uint32_t i = 0; i < publish->n_next_waiters; i++)
		publish->next_waiters[i].done_fn(&stopped, publish->next_waiters[i].arg);
	publish->n_next_waiters = 0;
	if (publish->layer.is_there)
		publish->layer.waiter.done_fn(&stopped, publish->layer.waiter.arg);
	if (publish->next_layer.is_there)
		publish->next_layer.waiter.done_fn(&stopped, publish->next_layer.waiter.arg);
	spec_layer_release(publish->next_layer.layer);
	publish->next_layer = (struct layer_wish){0};
}

static void close_events(struct publish *publish)
{
	if (publish->done_event != NULL)
		event_free(publish->done_event);
	if (publish->retry_event != NULL)
		event_free(publish->retry_event);
	if (publish->pipe_fds[0] < 0)
		return;
	close(publish->pipe_fds[0]);
	close(publish->pipe_fds[1]);
}

void publish_destroy(struct publish *publish)
{
	if (publish == NULL)
		return;
	publish->stopping = true;
	answer_stopped(publish);
	// No worker runs: whatever waits is due, end_grace() among it.
	reclaim_poll(publish->ctrl->reclaim);
	publish_thread_destroy(publish->thread);
	snapshot_destroy((struct snapshot *)(uintptr_t)ctrl_snapshot(publish->ctrl));
	atomic_store(&publish->ctrl->published, NULL);
	close_events(publish);
	compile_memory_destroy(publish->memory);
	restart_destroy(publish->restart);
	free(publish->ports);
	free(publish);
}

const struct publish_result *publish_last_result(const struct publish *publish)
{
	return &publish->last;
}

void publish_reload(struct publish *publish, publish_done_fn done_fn, void *arg)
{
	const struct publish_result busy = {
		.ret = -EBUSY, .text = "too many callers wait for the reload already"};

	if (done_fn != NULL && publish->n_next_waiters == MAX_WAITERS) {
		done_fn(&busy, arg);
		return;
	}
	if (done_fn != NULL)
		publish->next_waiters[publish->n_next_waiters++] = (struct waiter){done_fn, arg};
	publish->wants_reload = true;
	start_next(publish);
}

void publish_set_routers(
	struct publish *publish, const struct learned_router *routers, uint32_t n_routers)
{
	publish->n_routers =
		n_routers < PUBLISH_JOB_MAX_ROUTERS ? n_routers : PUBLISH_JOB_MAX_ROUTERS;
	memcpy(publish->routers, routers, publish->n_routers * sizeof(*routers));
	publish->wants_recompile = true;
	start_next(publish);
}

void publish_set_layer(
	struct publish *publish, struct spec_layer *layer, publish_done_fn done_fn, void *arg)
{
	const struct publish_result overtaken = {
		.ret = -ECANCELED, .text = "a later one came before it began"};
	struct layer_wish before = publish->next_layer;

	publish->next_layer = (struct layer_wish){layer, {done_fn, arg}, true};
	if (before.is_there) {
		spec_layer_release(before.layer);
		before.waiter.done_fn(&overtaken, before.waiter.arg);
	}
	// Most often the grace period of the swap before is over.
	reclaim_poll(publish->ctrl->reclaim);
	start_next(publish);
}
