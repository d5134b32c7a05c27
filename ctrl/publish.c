// SPDX-License-Identifier: Apache-2.0

// One compile at a time: a job takes frozen inputs to a helper thread and comes back through a pipe to
// the loop. The next job starts only when the grace period of the last swap is over, so that slots which
// the live snapshot does not name are free.

#include "ctrl/publish.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "ctrl/neigh/neigh.h"

enum {
	MAX_ROUTERS = 64,
	MAX_WAITERS = 64, // callers of one reload
	RETRY_MS = 10,	  // when there is no memory or thread for a job
};

struct waiter {
	publish_done_fn done_fn;
	void *arg;
};

struct job {
	pthread_t thread;
	bool reload; // read the file; else recompile the live spec
	const char *config_path;
	struct compile_input input;
	struct learned_router routers[MAX_ROUTERS];
	struct node_spec *spec; // read by this job
	struct snapshot *snapshot;
	struct refusal refusal;
	int ret;
	double load_ms;
	double compile_ms;
	int done_fd; // written when finished
};

struct publish {
	struct ctrl *ctrl;
	struct compile_port *ports;
	struct learned_router routers[MAX_ROUTERS];
	uint32_t n_routers;
	struct job *job; // in flight, or NULL
	bool in_grace;	 // workers may still see the snapshot before the live one
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

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

// On the helper thread: touches nothing but the job.
static void run_job(struct job *job)
{
	double start_ms = now_ms();

	if (job->reload) {
		job->ret = conf_load_file(job->config_path, &job->spec, &job->refusal);
		job->input.spec = job->spec;
	}
	job->load_ms = now_ms() - start_ms;
	start_ms = now_ms();
	if (job->ret == 0)
		job->ret = compile_snapshot(&job->input, &job->snapshot, &job->refusal);
	job->compile_ms = now_ms() - start_ms;
}

static void *job_thread(void *arg)
{
	struct job *job = arg;
	ssize_t n;

	run_job(job);
	do
		n = write(job->done_fd, "", 1);
	while (n < 0 && errno == EINTR);
	return NULL;
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_port(const struct port_spec *a, const struct port_spec *b)
{
	return text_equal(a->name, b->name) && text_equal(a->device, b->device) &&
	       a->mtu == b->mtu && a->n_rxq == b->n_rxq && a->n_txq == b->n_txq &&
	       a->n_rx_desc == b->n_rx_desc && a->n_tx_desc == b->n_tx_desc &&
	       a->promiscuous == b->promiscuous;
}

static bool same_ports(const struct node_spec *a, const struct node_spec *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (uint32_t i = 0; i < a->n_ports; i++)
		if (!same_port(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

static bool same_workers(const struct worker_spec *a, const struct worker_spec *b)
{
	return a->n_workers == b->n_workers && a->n_cores == b->n_cores &&
	       (a->n_cores == 0 ||
		       memcmp(a->cores, b->cores, a->n_cores * sizeof(*a->cores)) == 0) &&
	       a->idle == b->idle && a->idle_sleep_us == b->idle_sleep_us &&
	       a->n_mbufs == b->n_mbufs;
}

static bool same_eal(const struct node_spec *a, const struct node_spec *b)
{
	if (!text_equal(a->eal.main_core, b->eal.main_core) ||
		a->eal.huge_pages != b->eal.huge_pages || a->eal.memory_mb != b->eal.memory_mb ||
		a->eal.n_args != b->eal.n_args || !text_equal(a->control_socket, b->control_socket))
		return false;
	for (uint32_t i = 0; i < a->eal.n_args; i++)
		if (!text_equal(a->eal.args[i], b->eal.args[i]))
			return false;
	return true;
}

// What of a new file waits for a restart. Different ports cannot be compiled for the running devices:
// that file is refused; worker and EAL settings just stay as they were.
static int check_restart(struct job *job, const struct node_spec *live, const char **note)
{
	*note = "";
	if (!same_ports(live, job->spec))
		return refusal_set(&job->refusal,
			job->spec->n_ports > 0 ? &job->spec->ports[0].origin : NULL,
			"ports: their number, names, devices, queues and MTU change only by a "
			"restart; "
			"nothing of this file is live");
	if (!same_workers(&live->workers, &job->spec->workers))
		*note = "workers: takes effect at the next start";
	else if (!same_eal(live, job->spec))
		*note = "eal and control_socket: take effect at the next start";
	return 0;
}

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

static void free_snapshot(void *snapshot)
{
	snapshot_destroy(snapshot);
}

static void free_spec(void *spec)
{
	node_spec_destroy(spec);
}

static void start_next(struct publish *publish);

// Queued behind the old snapshot: what was freed before it is gone.
static void end_grace(void *arg)
{
	struct publish *publish = arg;

	publish->in_grace = false;
	start_next(publish);
}

// The one store. What the workers may still read goes after a grace period.
static void go_live(struct publish *publish, struct snapshot *snapshot, struct node_spec *spec)
{
	struct ctrl *ctrl = publish->ctrl;
	const struct snapshot *old = ctrl_snapshot(ctrl);

	if (old != NULL)
		workers_clear_counters(ctrl->workers, ctrl->n_workers, snapshot, old);
	atomic_store_explicit(&ctrl->published, snapshot, memory_order_release);
	if (spec != NULL) {
		reclaim_later(ctrl->reclaim, ctrl->spec, free_spec);
		ctrl->spec = spec;
		if (spec->log_level != NULL)
			log_set_level((enum log_level)log_level_from_name(spec->log_level));
	}
	if (ctrl->neigh != NULL)
		neigh_snapshot_changed(ctrl->neigh);
	if (old != NULL) {
		publish->in_grace = true;
		reclaim_later(ctrl->reclaim, (void *)(uintptr_t)old, free_snapshot);
		reclaim_later(ctrl->reclaim, publish, end_grace);
	}
}

static void finish_job(struct publish *publish)
{
	struct ctrl *ctrl = publish->ctrl;
	struct job *job = publish->job;
	const char *note = "";
	struct publish_result result;

	if (job->ret == 0 && job->reload)
		job->ret = check_restart(job, ctrl->spec, &note);
	if (job->ret == 0) {
		go_live(publish, job->snapshot, job->spec);
		log_notice("reload: live generation=%u load_ms=%.1f compile_ms=%.1f "
			   "shared_tables=%u%s%s",
			job->snapshot->generation, job->load_ms, job->compile_ms,
			job->snapshot->n_shared_tables, note[0] != '\0' ? " restart: " : "", note);
	} else {
		log_error("reload: refused, nothing changed: %s", job->refusal.text);
		snapshot_destroy(job->snapshot);
		node_spec_destroy(job->spec);
	}
	result = (struct publish_result){
		.ret = job->ret,
		.generation = ctrl_snapshot(ctrl)->generation,
		.load_ms = job->load_ms,
		.compile_ms = job->compile_ms,
		.text = job->ret == 0 ? note : job->refusal.text,
	};
	publish->job = NULL;
	if (job->reload) {
		keep_result(publish, &result);
		answer(publish, &result);
	}
	free(job);
	start_next(publish);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct publish *publish = arg;
	char byte;

	(void)what;
	if (read(fd, &byte, 1) != 1 || publish->job == NULL)
		return;
	pthread_join(publish->job->thread, NULL);
	finish_job(publish);
}

static struct job *new_job(struct publish *publish, bool reload)
{
	struct ctrl *ctrl = publish->ctrl;
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->reload = reload;
	job->config_path = ctrl->config_path;
	memcpy(job->routers, publish->routers, sizeof(job->routers));
	job->input = (struct compile_input){
		.spec = ctrl->spec,
		.ports = publish->ports,
		.live = ctrl_snapshot(ctrl),
		.adj_table = ctrl->adj_table,
		.routers = job->routers,
		.n_routers = publish->n_routers,
	};
	job->done_fd = publish->pipe_fds[1];
	return job;
}

// Begins what is wanted, when nothing is in flight and the last swap's grace period is over.
static void start_next(struct publish *publish)
{
	const struct timeval soon = {.tv_usec = RETRY_MS * 1000};
	struct job *job;

	if (publish->job != NULL || publish->in_grace ||
		(!publish->wants_reload && !publish->wants_recompile))
		return;
	job = new_job(publish, publish->wants_reload);
	if (job == NULL || pthread_create(&job->thread, NULL, job_thread, job) != 0) {
		log_error("reload: no memory or thread for a compile; trying again");
		free(job);
		event_add(publish->retry_event, &soon);
		return;
	}
	publish->job = job;
	if (job->reload) {
		memcpy(publish->waiters, publish->next_waiters, sizeof(publish->waiters));
		publish->n_waiters = publish->n_next_waiters;
		publish->n_next_waiters = 0;
		publish->wants_reload = false;
	}
	// A reload takes learned routers along, too.
	publish->wants_recompile = false;
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

struct publish *publish_create(struct ctrl *ctrl, struct refusal *refusal)
{
	struct publish *publish = calloc(1, sizeof(*publish));
	struct job *job = NULL;
	int ret;

	if (publish == NULL) {
		refusal_set(refusal, NULL, "out of memory");
		return NULL;
	}
	publish->ctrl = ctrl;
	publish->pipe_fds[0] = publish->pipe_fds[1] = -1;
	publish->last.text = publish->last_text;
	if (describe_ports(publish) != 0 || create_events(publish) != 0 ||
		(job = new_job(publish, false)) == NULL) {
		refusal_set(refusal, NULL, "no memory or file descriptors for the compiler");
		goto fail;
	}
	run_job(job);
	ret = job->ret;
	if (ret == 0)
		go_live(publish, job->snapshot, NULL);
	else
		*refusal = job->refusal;
	free(job);
	if (ret == 0)
		return publish;
fail:
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

void publish_destroy(struct publish *publish)
{
	if (publish == NULL)
		return;
	answer_stopped(publish);
	if (publish->job != NULL) {
		pthread_join(publish->job->thread, NULL);
		snapshot_destroy(publish->job->snapshot);
		node_spec_destroy(publish->job->spec);
		free(publish->job);
		publish->job = NULL;
	}
	// No worker runs: whatever waits is due, end_grace() among it.
	publish->wants_reload = publish->wants_recompile = false;
	reclaim_poll(publish->ctrl->reclaim);
	snapshot_destroy((struct snapshot *)(uintptr_t)ctrl_snapshot(publish->ctrl));
	atomic_store(&publish->ctrl->published, NULL);
	if (publish->done_event != NULL)
		event_free(publish->done_event);
	if (publish->retry_event != NULL)
		event_free(publish->retry_event);
	if (publish->pipe_fds[0] >= 0) {
		close(publish->pipe_fds[0]);
		close(publish->pipe_fds[1]);
	}
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
	publish->n_routers = n_routers < MAX_ROUTERS ? n_routers : MAX_ROUTERS;
	memcpy(publish->routers, routers, publish->n_routers * sizeof(*routers));
	publish->wants_recompile = true;
	start_next(publish);
}
