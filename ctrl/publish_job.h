// SPDX-License-Identifier: Apache-2.0
#pragma once

// What takes too long for the control core's loop, on a thread of its own: reading and compiling a
// file, freeing what was replaced. A job touches its frozen inputs, and what only one job at a time
// touches: reference counts of shared tables, counters of slots that nobody uses.

#include "conf/conf.h"
#include "pipeline/compile/compile.h"

struct restart;
struct worker;

enum {
	PUBLISH_JOB_MAX_ROUTERS = 64,
};

enum publish_job_kind {
	PUBLISH_JOB_RELOAD,    // read the file and compile it
	PUBLISH_JOB_RECOMPILE, // the live spec
	PUBLISH_JOB_FREE,      // old and old_spec
};

struct publish_job {
	enum publish_job_kind kind;
	int done_fd; // one byte is written when all is done

	// Inputs.
	const char *config_path;
	const struct restart *restart;
	struct worker **workers;
	uint16_t n_workers;
	struct compile_input input; // .spec is the live one
	struct learned_router routers[PUBLISH_JOB_MAX_ROUTERS];
	uint32_t *endpoint_flows; // of input; counted by the job itself
	struct snapshot *old;
	struct node_spec *old_spec;

	// Outputs of reload and recompile. Whoever takes snapshot and spec sets them to NULL.
	int ret;
	struct refusal refusal;
	const char *note; // what waits for a restart
	struct node_spec *spec;
	struct snapshot *snapshot;
	double load_ms;
	double compile_ms;
};

// Does the job here and now.
void publish_job_run(struct publish_job *job);
// Does it on a thread; until the byte has come, nobody else touches the job. 0 or -errno.
int publish_job_start(struct publish_job *job);

// Frees a job that is done, with what nobody took. NULL is fine.
void publish_job_destroy(struct publish_job *job);
