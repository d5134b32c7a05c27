// SPDX-License-Identifier: Apache-2.0

// /nodes and /drops: what rte_graph counts of each node. A drop reason is a node, its count the counter.

#include "ctrl/admin/drop_help.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

#include <event2/http.h>

#include <stdlib.h>
#include <string.h>

struct sum {
	char name[RTE_NODE_NAMESIZE];
	uint64_t n_calls;
	uint64_t n_packets;
	uint64_t n_cycles;
};

struct sums {
	uint32_t n_sums;
	struct sum sums[];
};

static struct sum *find_sum(struct sums *sums, const char *name)
{
	for (uint32_t i = 0; i < sums->n_sums; i++)
		if (strcmp(sums->sums[i].name, name) == 0)
			return &sums->sums[i];
	snprintf(sums->sums[sums->n_sums].name, RTE_NODE_NAMESIZE, "%s", name);
	return &sums->sums[sums->n_sums++];
}

static void add_worker(struct sums *sums, const struct worker *w)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, w->graph, node)
	{
		struct sum *sum = find_sum(sums, node->name);

		sum->n_calls += node->total_calls;
		sum->n_packets += node->total_objs;
		sum->n_cycles += node->total_cycles;
	}
}

// Of all workers' nodes, or one's. NULL: out of memory.
static struct sums *sum_nodes(const struct ctrl *ctrl, uint32_t first, uint32_t end)
{
	// Every graph has every registered node once.
	struct sums *sums = calloc(1, sizeof(*sums) + rte_node_max_count() * sizeof(sums->sums[0]));

	for (uint32_t i = first; sums != NULL && i < end; i++)
		add_worker(sums, ctrl->workers[i]);
	return sums;
}

static double ratio(uint64_t n, uint64_t d)
{
	return d == 0 ? 0 : (double)n / (double)d;
}

static json_t *node_row(const struct sum *sum)
{
	return json_pack("{s:s, s:I, s:I, s:f, s:f}", "node", sum->name, "calls",
		(json_int_t)sum->n_calls, "packets", (json_int_t)sum->n_packets,
		"cycles_per_packet", ratio(sum->n_cycles, sum->n_packets), "packets_per_call",
		ratio(sum->n_packets, sum->n_calls));
}

void views_nodes_get(struct reply *reply)
{
	const struct ctrl *ctrl = reply->ctrl;
	uint32_t worker_idx = UINT32_MAX;
	struct sums *sums;
	json_t *rows;

	if (!reply_read_number(reply, "worker", 0, ctrl->n_workers - 1u, &worker_idx))
		return;
	if (worker_idx == UINT32_MAX)
		sums = sum_nodes(ctrl, 0, ctrl->n_workers);
	else
		sums = sum_nodes(ctrl, worker_idx, worker_idx + 1);
	rows = json_array();
	for (uint32_t i = 0; sums != NULL && i < sums->n_sums; i++)
		json_array_append_new(rows, node_row(&sums->sums[i]));
	reply_json(reply, sums == NULL ? NULL : json_pack("{s:O}", "nodes", rows));
	json_decref(rows);
	free(sums);
}

static json_t *drop_row(const struct sum *sum)
{
	const char *reason = sum->name + strlen(DROP_HELP_PREFIX);
	const char *help = drop_help_find(reason);

	return json_pack("{s:s, s:I, s:s}", "reason", reason, "packets", (json_int_t)sum->n_packets,
		"help", help == NULL ? "" : help);
}

void views_drops_get(struct reply *reply)
{
	const struct ctrl *ctrl = reply->ctrl;
	uint32_t all = 0;
	struct sums *sums;
	json_t *rows;

	if (!reply_read_number(reply, "all", 0, 1, &all))
		return;
	sums = sum_nodes(ctrl, 0, ctrl->n_workers);
	rows = json_array();
	for (uint32_t i = 0; sums != NULL && i < sums->n_sums; i++) {
		const struct sum *sum = &sums->sums[i];

		if (strncmp(sum->name, DROP_HELP_PREFIX, strlen(DROP_HELP_PREFIX)) == 0 &&
			(all || sum->n_packets > 0))
			json_array_append_new(rows, drop_row(sum));
	}
	reply_json(reply, sums == NULL ? NULL : json_pack("{s:O}", "drops", rows));
	json_decref(rows);
	free(sums);
}
