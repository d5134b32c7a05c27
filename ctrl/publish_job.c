// SPDX-License-Identifier: Apache-2.0

// Threads are detached: joining one would wait until malloc has tidied up after it, which takes
// longer than the loop may stand still.

#include "ctrl/publish_job.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/restart.h"
#include "pipeline/l7_worker.h"

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void free_results(struct publish_job *job)
{
	snapshot_destroy(job->snapshot);
	node_spec_destroy(job->spec);
	job->snapshot = NULL;
	job->spec = NULL;
}

static int load(struct publish_job *job)
{
	int ret = conf_load_file(job->config_path, &job->spec, &job->refusal);

	// Before it is compiled: tables of other ports than the running ones make no sense.
	if (ret == 0)
		ret = restart_check_ports(job->input.spec, job->spec, &job->refusal);
	if (ret != 0)
		return ret;
	job->note = restart_note(job->restart, job->spec);
	job->input.spec = job->spec;
	return 0;
}

// Every worker has seen the live snapshot: of endpoints that it does not offer any more, the numbers only fall.
static int count_endpoint_flows(struct publish_job *job)
{
	uint32_t n = job->input.live == NULL ? 0 : job->input.live->l7->n_endpoints;

	job->endpoint_flows = calloc(n + 1, sizeof(*job->endpoint_flows));
	if (job->endpoint_flows == NULL)
		return -ENOMEM;
	for (uint16_t w = 0; w < job->n_workers; w++)
		for (uint32_t slot = 0; slot < n; slot++)
			job->endpoint_flows[slot] +=
				(uint32_t)l7_stats_of(job->workers[w]->l7->stats, L7_ENDPOINT, slot)
					->n_active;
	job->input.endpoint_flows = job->endpoint_flows;
	job->input.n_endpoint_flows = n;
	return 0;
}

static void compile(struct publish_job *job)
{
	double start_ms = now_ms();

	if (job->kind == PUBLISH_JOB_RELOAD)
		job->ret = load(job);
	job->load_ms = now_ms() - start_ms;
	start_ms = now_ms();
	if (job->ret == 0)
		job->ret = count_endpoint_flows(job);
	if (job->ret == 0)
		job->ret = compile_snapshot(&job->input, &job->snapshot, &job->refusal);
	if (job->ret == 0 && job->input.live != NULL)
		workers_clear_counters(
			job->workers, job->n_workers, job->snapshot, job->input.live);
	job->compile_ms = now_ms() - start_ms;
	if (job->ret != 0)
		free_results(job);
}

void publish_job_run(struct publish_job *job)
{
	if (job->kind != PUBLISH_JOB_FREE) {
		compile(job);
		return;
	}
	snapshot_destroy(job->old);
	node_spec_destroy(job->old_spec);
}

static void *run(void *arg)
{
	struct publish_job *job = arg;
	ssize_t n;

	publish_job_run(job);
	do
		n = write(job->done_fd, "", 1);
	while (n < 0 && errno == EINTR);
	return NULL;
}

int publish_job_start(struct publish_job *job)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret = pthread_attr_init(&attr);

	if (ret != 0)
		return -ret;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, run, job);
	pthread_attr_destroy(&attr);
	return -ret;
}

void publish_job_destroy(struct publish_job *job)
{
	if (job == NULL)
		return;
	free_results(job);
	free(job->endpoint_flows);
	free(job);
}
