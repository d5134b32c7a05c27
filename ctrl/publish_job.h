// SPDX-License-Identifier: Apache-2.0
#pragma once

// What takes too long for the control core's loop, on a thread of its own, one after the other: reading and
// compiling, freeing what was replaced. A job touches its frozen inputs, and what only that thread touches:
// reference counts of shared tables, the compiler's memory, counters of slots that nobody uses.

#include <sys/queue.h>

#include "conf/conf.h"
#include "pipeline/compile/compile.h"

struct restart;
struct worker;

enum {
	PUBLISH_JOB_MAX_ROUTERS = 64,
};

enum publish_job_kind {
	PUBLISH_JOB_RELOAD,    // read the file and compile it, with the layer
	PUBLISH_JOB_LAYER,     // the live file with another layer
	PUBLISH_JOB_RECOMPILE, // the live spec
	PUBLISH_JOB_FREE,      // old and old_spec
};

struct publish_job {
	enum publish_job_kind kind;
	STAILQ_ENTRY(publish_job) next;

	// Inputs.
	const char *config_path;
	const struct restart *restart;
	struct worker **workers;
	uint16_t n_workers;
	struct node_spec *live_spec;
	struct spec_layer *layer;   // a reference; NULL: none
	struct compile_input input; // but for the spec
	struct learned_router routers[PUBLISH_JOB_MAX_ROUTERS];
	struct snapshot *old;
	struct node_spec *old_spec;

	// Outputs of all but free. Whoever takes snapshot and spec sets them to NULL.
	int ret;
	struct refusal refusal;
	char note[128]; // what waits for a restart
	struct node_spec *spec;
	struct snapshot *snapshot;
	double load_ms;
	double compile_ms;
};

// Does the job here and now.
void publish_job_run(struct publish_job *job);
// Frees a job that is done, with what nobody took. NULL is fine.
void publish_job_destroy(struct publish_job *job);

// The thread. done_fd gets a byte for each job that is done. NULL with errno.
struct publish_thread *publish_thread_create(int done_fd);
// Does first what was posted. NULL is fine.
void publish_thread_destroy(struct publish_thread *thread);
// Until it is taken back, nobody else touches the job.
void publish_thread_post(struct publish_thread *thread, struct publish_job *job);
// The job that was done first, or NULL.
struct publish_job *publish_thread_take(struct publish_thread *thread);
