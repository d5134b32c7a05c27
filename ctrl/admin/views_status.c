// SPDX-License-Identifier: Apache-2.0

// /status: what runs, since when, how busy; the outcome of the last reload.

#include "ctrl/admin/l7_status.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "ctrl/publish.h"
#include "ctrl/watchdog.h"

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_version.h>

#include <limits.h>
#include <string.h>
#include <unistd.h>

// Packets that ports brought in.
static uint64_t n_received(const struct worker *w)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, w->graph, node)
	{
		if (strcmp(node->name, "port_rx") == 0)
			return node->total_objs;
	}
	return 0;
}

static json_t *worker_row(const struct ctrl *ctrl, const struct worker *w)
{
	return json_pack("{s:i, s:i, s:s, s:f, s:I, s:I, s:b}", "worker", w->worker_idx, "cpu",
		rte_lcore_to_cpu_id((int)w->lcore), "idle",
		w->idle == IDLE_POLL ? "poll" : "backoff", "busy_percent",
		watchdog_busy_percent(ctrl->watchdog, w->worker_idx), "packets",
		(json_int_t)n_received(w), "chained_headers", (json_int_t)w->n_chained_headers,
		"stalled", watchdog_is_stalled(ctrl->watchdog, w->worker_idx));
}

static json_t *worker_rows(const struct ctrl *ctrl)
{
	json_t *rows = json_array();

	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		json_array_append_new(rows, worker_row(ctrl, ctrl->workers[i]));
	return rows;
}

static void add_pool(json_t *rows, const char *name, const struct rte_mempool *pool)
{
	if (pool == NULL)
		return;
	json_array_append_new(rows, json_pack("{s:s, s:I, s:I}", "pool", name, "in_use",
					    (json_int_t)rte_mempool_in_use_count(pool), "total",
					    (json_int_t)pool->size));
}

static json_t *pool_rows(const struct ctrl *ctrl)
{
	json_t *rows = json_array();

	add_pool(rows, "small", ctrl->pools.small);
	add_pool(rows, "large", ctrl->pools.large);
	add_pool(rows, "capture", ctrl->capture_mbufs);
	return rows;
}

static json_t *reload_row(const struct ctrl *ctrl)
{
	const struct publish_result *last = publish_last_result(ctrl->publish);

	return json_pack("{s:b, s:f, s:f, s:o}", "ok", last->ret == 0, "load_ms", last->load_ms,
		"compile_ms", last->compile_ms, "text", reply_string(last->text));
}

static json_t *hostname(const struct node_spec *spec)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (spec->hostname != NULL)
		return json_string(spec->hostname);
	gethostname(name, sizeof(name) - 1);
	return reply_string(name);
}

void views_status_get(struct reply *reply)
{
	const struct ctrl *ctrl = reply->ctrl;
	const struct snapshot *s = ctrl_snapshot(ctrl);
	double uptime_s = (double)(rte_rdtsc() - ctrl->start_tsc) / (double)rte_get_tsc_hz();

	reply_json(reply,
		json_pack("{s:o, s:s, s:s, s:f, s:o, s:I, s:{s:I, s:I}, s:o, s:o, s:o, s:I, s:o, "
			  "s:o}",
			"hostname", hostname(ctrl->spec), "version", PERGOLA_VERSION, "dpdk",
			rte_version(), "uptime_s", uptime_s, "config",
			reply_string(ctrl->config_path), "generation", (json_int_t)s->generation,
			"tables", "bytes", (json_int_t)s->n_table_bytes, "shared",
			(json_int_t)s->n_shared_tables, "reload", reload_row(ctrl), "workers",
			worker_rows(ctrl), "mbufs", pool_rows(ctrl), "listeners",
			(json_int_t)ctrl->spec->l7.n_listeners, "l7", l7_status_rows(ctrl),
			"warnings", l7_status_warnings(ctrl)));
}
