// SPDX-License-Identifier: Apache-2.0

// One job at a time: it takes frozen inputs to a helper thread and comes back through a pipe to the
// loop. What a swap replaced is freed by a job, too, once the grace period is over. The next
// compile starts only then, and only when neighbours have taken up the last snapshot: so slots
// which the live snapshot does not name are free.

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
};

struct waiter {
	publish_done_fn done_fn;
	void *arg;
};

struct publish {
	struct ctrl *ctrl;
	struct restart *restart;
	struct compile_port *ports;
	struct learned_router routers[PUBLISH_JOB_MAX_ROUTERS];
	uint32_t n_routers;
	struct publish_job *job;    // in flight, or NULL
	struct snapshot *old;	    // before the live one; NULL when it has been freed
	struct node_spec *old_spec; // likewise; NULL if it is live still
	bool in_grace;		    // workers may still see old
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

	publish->in_grace = false;
	start_next(publish);
}

// The one store. What the workers may still read goes after a grace period.
static void go_live(struct publish *publish, struct publish_job *job)
{
	struct ctrl *ctrl = publish->ctrl;
	struct snapshot *old = (struct snapshot *)(uintptr_t)ctrl_snapshot(ctrl);

	atomic_store_explicit(&ctrl->published, job->snapshot, memory_order_release);
	job->snapshot = NULL;
	if (job->spec != NULL) {
		publish->old_spec = ctrl->spec;
		ctrl->spec = job->spec;
		job->spec = NULL;
		log_set_level_name(ctrl->spec->log_level);
	}
	if (ctrl->neigh != NULL)
		neigh_snapshot_changed(ctrl->neigh);
	if (old != NULL) {
		publish->old = old;
		publish->in_grace = true;
		reclaim_later(ctrl->reclaim, publish, end_grace);
	}
}

static void log_live(const struct publish_job *job, const struct snapshot *s)
{
	bool restart = job->note[0] != '\0';

	log_notice("%s: live generation=%u load_ms=%.1f compile_ms=%.1f shared_tables=%u%s%s",
		job->kind == PUBLISH_JOB_RELOAD ? "reload" : "routers", s->generation, job->load_ms,
		job->compile_ms, s->n_shared_tables, restart ? " restart: " : "", job->note);
}

static void finish_compile(struct publish *publish, struct publish_job *job)
{
	struct ctrl *ctrl = publish->ctrl;
	const char *why = job->refusal.text[0] != '\0' ? job->refusal.text : "out of memory";
	struct publish_result result = {
		.ret = job->ret, .load_ms = job->load_ms, .compile_ms = job->compile_ms};

	if (job->ret == 0) {
		go_live(publish, job);
		log_live(job, ctrl_snapshot(ctrl));
	} else {
		log_error("%s: refused, nothing changed: %s",
			job->kind == PUBLISH_JOB_RELOAD ? "reload" : "routers", why);
	}
	result.generation = ctrl_snapshot(ctrl)->generation;
	result.text = job->ret == 0 ? job->note : why;
	if (job->kind == PUBLISH_JOB_RELOAD) {
		keep_result(publish, &result);
		answer(publish, &result);
	}
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct publish *publish = arg;
	struct publish_job *job = publish->job;
	char byte;

	(void)what;
	if (job == NULL || read(fd, &byte, 1) != 1)
		return;
	publish->job = NULL;
	if (job->kind == PUBLISH_JOB_FREE) {
		publish->old = NULL;
		publish->old_spec = NULL;
	} else {
		finish_compile(publish, job);
	}
	publish_job_destroy(job);
	start_next(publish);
}

static struct publish_job *create_job(struct publish *publish, enum publish_job_kind kind)
{
	struct ctrl *ctrl = publish->ctrl;
	struct publish_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->kind = kind;
	job->note = "";
	job->done_fd = publish->pipe_fds[1];
	job->config_path = ctrl->config_path;
	job->restart = publish->restart;
	job->workers = ctrl->workers;
	job->n_workers = ctrl->n_workers;
	job->old = publish->old;
	job->old_spec = publish->old_spec;
	memcpy(job->routers, publish->routers, sizeof(job->routers));
	job->input = (struct compile_input){
		.spec = ctrl->spec,
		.ports = publish->ports,
		.live = ctrl_snapshot(ctrl),
		.adj_table = ctrl->adj_table,
		.routers = job->routers,
		.n_routers = publish->n_routers,
	};
	return job;
}

static void retry_soon(struct publish *publish)
{
	const struct timeval soon = {.tv_usec = RETRY_MS * 1000};

	event_add(publish->retry_event, &soon);
}

// A reload takes learned routers along, too.
static void take_wishes(struct publish *publish, enum publish_job_kind kind)
{
	publish->wants_recompile = false;
	if (kind != PUBLISH_JOB_RELOAD)
		return;
	publish->wants_reload = false;
	memcpy(publish->waiters, publish->next_waiters, sizeof(publish->waiters));
	publish->n_waiters = publish->n_next_waiters;
	publish->n_next_waiters = 0;
}

static void start_job(struct publish *publish, enum publish_job_kind kind)
{
	struct publish_job *job = create_job(publish, kind);

	if (job == NULL || publish_job_start(job) != 0) {
		log_error("reload: no memory or thread for it; trying again");
		publish_job_destroy(job);
		retry_soon(publish);
		return;
	}
	publish->job = job;
	if (kind != PUBLISH_JOB_FREE)
		take_wishes(publish, kind);
}

// Begins what is due, when nothing is in flight.
static void start_next(struct publish *publish)
{
	if (publish->stopping || publish->job != NULL || publish->in_grace)
		return;
	if (publish->old != NULL)
		start_job(publish, PUBLISH_JOB_FREE);
	else if (!publish->wants_reload && !publish->wants_recompile)
		return;
	else if (publish->ctrl->neigh != NULL && neigh_is_catching_up(publish->ctrl->neigh))
		retry_soon(publish);
	else
		start_job(publish,
			publish->wants_reload ? PUBLISH_JOB_RELOAD : PUBLISH_JOB_RECOMPILE);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_next(arg);
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
	if (ret == 0)
		go_live(publish, job);
	else
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
	if (publish->restart == NULL || describe_ports(publish) != 0 ||
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
}

static void await_job(struct publish *publish)
{
	struct publish_job *job = publish->job;
	char byte;

	if (job == NULL)
		return;
	while (read(publish->pipe_fds[0], &byte, 1) < 0 && errno == EINTR)
		;
	if (job->kind == PUBLISH_JOB_FREE) {
		publish->old = NULL;
		publish->old_spec = NULL;
	}
	publish_job_destroy(job);
	publish->job = NULL;
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
	await_job(publish);
	// No worker runs: whatever waits is due, end_grace() among it.
	reclaim_poll(publish->ctrl->reclaim);
	snapshot_destroy(publish->old);
	node_spec_destroy(publish->old_spec);
	snapshot_destroy((struct snapshot *)(uintptr_t)ctrl_snapshot(publish->ctrl));
	atomic_store(&publish->ctrl->published, NULL);
	close_events(publish);
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
