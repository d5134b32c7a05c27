// SPDX-License-Identifier: Apache-2.0

#include "ctrl/publish_job.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

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
	node_spec_release(job->spec);
	job->snapshot = NULL;
	job->spec = NULL;
}

static int put_layer_on(struct publish_job *job, struct node_spec *base)
{
	job->spec = node_spec_with_layer(base, job->layer);
	return job->spec == NULL ? -ENOMEM : 0;
}

static int reload(struct publish_job *job)
{
	struct node_spec *base = NULL;
	int ret = conf_load_file(job->config_path, &base, &job->refusal);

	// Before it is compiled: tables of other ports than the running ones make no sense.
	if (ret == 0)
		ret = restart_check_ports(job->live_spec, base, &job->refusal);
	if (ret == 0) {
		restart_note(job->restart, base, job->note, sizeof(job->note));
		ret = put_layer_on(job, base);
	}
	node_spec_release(base);
	return ret;
}

static int make_spec(struct publish_job *job)
{
	struct node_spec *live = job->live_spec;

	switch (job->kind) {
	case PUBLISH_JOB_RELOAD:
		return reload(job);
	case PUBLISH_JOB_LAYER:
		return put_layer_on(job, live->base == NULL ? live : live->base);
	default:
		job->spec = node_spec_acquire(live);
		return 0;
	}
}

// Every worker has seen the live snapshot: of endpoints that it does not offer any more, the numbers only fall.
static uint32_t count_endpoint_flows(const void *context, uint32_t slot)
{
	const struct publish_job *job = context;
	uint64_t n = 0;

	for (uint16_t w = 0; w < job->n_workers; w++)
		n += l7_stats_of(job->workers[w]->l7->stats, L7_ENDPOINT, slot)->n_active;
	return (uint32_t)n;
}

static void compile(struct publish_job *job)
{
	double start_ms = now_ms();

	job->ret = make_spec(job);
	job->load_ms = now_ms() - start_ms;
	start_ms = now_ms();
	job->input.spec = job->spec;
	job->input.endpoint_flows = count_endpoint_flows;
	job->input.flows_context = job;
	if (job->ret == 0)
		job->ret = compile_snapshot(&job->input, &job->snapshot, &job->refusal);
	if (job->ret == 0 && job->input.live != NULL)
		workers_clear_counters(
			job->workers, job->n_workers, job->snapshot, job->input.live);
	job->compile_ms = now_ms() - start_ms;
}

void publish_job_run(struct publish_job *job)
{
	if (job->kind != PUBLISH_JOB_FREE) {
		compile(job);
		return;
	}
	snapshot_destroy(job->old);
	node_spec_release(job->old_spec);
}

void publish_job_destroy(struct publish_job *job)
{
	if (job == NULL)
		return;
	free_results(job);
	spec_layer_release(job->layer);
	free(job);
}
