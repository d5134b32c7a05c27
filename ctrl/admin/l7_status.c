// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/l7_status.h"

#include "ctrl/ctrl.h"
#include "pipeline/l7_worker.h"

#include <stddef.h>

enum {
	NEAR_PERCENT = 80, // of a limit
};

static const struct {
	const char *key;
	const char *words;
	size_t offset; // in struct splice_usage
	const char *advice;
} memories[] = {
	{"flows", "flows", offsetof(struct splice_usage, n_flows),
		"new connections are refused at the limit; raise l7.flows"},
	{"half_open", "half-open connections", offsetof(struct splice_usage, n_half_open),
		"beyond them clients get SYN cookies: a flood of SYNs? If not, raise l7.flows"},
	{"legs", "connections with endpoints", offsetof(struct splice_usage, n_legs),
		"requests are answered with 503 at the limit; raise l7.legs"},
	{"small_buffers", "buffers of 2 KiB", offsetof(struct splice_usage, n_small_buffers),
		"requests are answered with 503 at the limit; raise l7.flows"},
	{"large_buffers", "buffers of 64 KiB", offsetof(struct splice_usage, n_large_buffers),
		"long heads are refused at the limit: lower the listeners' request_headers_bytes"},
	{"held", "waiting segments", offsetof(struct splice_usage, n_held),
		"they are dropped at the limit, and sent again; raise workers.mbufs"},
};

enum {
	N_MEMORIES = sizeof(memories) / sizeof(memories[0]),
};

static uint32_t member(const struct splice_usage *usage, size_t i)
{
	return *(const uint32_t *)((const char *)usage + memories[i].offset);
}

// Flows that linger and legs that are idle are given up when others need their memory.
static void read_usage(
	const struct worker *w, struct splice_usage *usage, struct splice_usage *limits)
{
	splice_usage(w->l7->splice, usage);
	splice_limits(w->l7->splice, limits);
	usage->n_flows -= usage->n_lingering < usage->n_flows ? usage->n_lingering : usage->n_flows;
	usage->n_legs -= usage->n_idle_legs < usage->n_legs ? usage->n_idle_legs : usage->n_legs;
}

json_t *l7_status_rows(const struct ctrl *ctrl)
{
	struct splice_usage usage, limits;
	json_t *rows = json_array();

	for (uint16_t w = 0; w < ctrl->n_workers; w++) {
		json_t *row = json_pack("{s:i}", "worker", w);

		read_usage(ctrl->workers[w], &usage, &limits);
		for (size_t i = 0; i < N_MEMORIES; i++)
			json_object_set_new(row, memories[i].key,
				json_pack("{s:I, s:I}", "in_use", (json_int_t)member(&usage, i),
					"limit", (json_int_t)member(&limits, i)));
		json_object_set_new(row, "lingering", json_integer(usage.n_lingering));
		json_object_set_new(row, "idle_legs", json_integer(usage.n_idle_legs));
		json_object_set_new(
			row, "bytes_per_flow", json_integer((json_int_t)usage.bytes_per_flow));
		json_array_append_new(rows, row);
	}
	return rows;
}

json_t *l7_status_warnings(const struct ctrl *ctrl)
{
	struct splice_usage usage, limits;
	json_t *lines = json_array();

	for (uint16_t w = 0; w < ctrl->n_workers; w++) {
		read_usage(ctrl->workers[w], &usage, &limits);
		for (size_t i = 0; i < N_MEMORIES; i++) {
			uint64_t n = member(&usage, i), limit = member(&limits, i);

			if (n * 100 >= limit * NEAR_PERCENT && limit > 0)
				json_array_append_new(
					lines, json_sprintf("worker %u: %u of %u %s in use: %s", w,
						       (unsigned int)n, (unsigned int)limit,
						       memories[i].words, memories[i].advice));
		}
	}
	return lines;
}
