// SPDX-License-Identifier: Apache-2.0

// Metrics of ports, drops and services. Counters of services begin again when what they are of was removed and came
// back, as after a restart.

#include "ctrl/admin/metrics.h"

#include <rte_ethdev.h>

#include <string.h>

#include "ctrl/admin/drop_help.h"
#include "ctrl/admin/l7_view.h"
#include "ctrl/ctrl.h"
#include "pipeline/l7_worker.h"

static uint64_t at(const void *counters, size_t offset)
{
	return *(const uint64_t *)((const char *)counters + offset);
}

static bool write_port(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	struct rte_eth_stats stats = {0};

	if (item >= ctrl->n_ports)
		return false;
	if (rte_eth_stats_get(ctrl->ports[item].dpdk_port, &stats) == 0)
		metrics_write(
			out, family, "port", ctrl->ports[item].name, at(&stats, family->offset));
	return true;
}

static const struct rte_node *nth_node(const struct rte_graph *graph, uint32_t n)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, graph, node)
	{
		if (count == n)
			return node;
	}
	return NULL;
}

static uint64_t n_packets_of(const struct worker *worker, const char *name)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, worker->graph, node)
	{
		if (strcmp(node->name, name) == 0)
			return node->total_objs;
	}
	return 0;
}

// Every worker has the same nodes.
static bool write_drop(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	const size_t prefix_len = strlen(DROP_HELP_PREFIX);
	const struct rte_node *node =
		ctrl->n_workers == 0 ? NULL : nth_node(ctrl->workers[0]->graph, item);
	uint64_t sum = 0;

	if (node == NULL)
		return false;
	if (strncmp(node->name, DROP_HELP_PREFIX, prefix_len) != 0)
		return true;
	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		sum += n_packets_of(ctrl->workers[i], node->name);
	metrics_write(out, family, "reason", node->name + prefix_len, sum);
	return true;
}

static bool write_slot(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t slot)
{
	const struct l7_tables *t = ctrl_snapshot(ctrl)->l7;
	const bool is_listener = family->kind == L7_LISTENER;
	const char *name = l7_view_name(is_listener ? t->listener_names : t->cluster_names, slot);
	struct l7_counters sum;

	if (slot >= (is_listener ? t->n_listeners : t->n_clusters))
		return false;
	if (name[0] == '\0')
		return true;
	l7_view_sum(ctrl, family->kind, slot, &sum);
	metrics_write(
		out, family, is_listener ? "listener" : "cluster", name, at(&sum, family->offset));
	return true;
}

#define PORT(name, member, help)                                                                   \
	{                                                                                          \
		"port_" name "_total", "counter", help, write_port,                                \
			offsetof(struct rte_eth_stats, member), 0                                  \
	}
#define SLOT(name, type, slot_kind, member, help)                                                  \
	{                                                                                          \
		name, type, help, write_slot, offsetof(struct l7_counters, member), slot_kind      \
	}
#define SLOTS(prefix, kind)                                                                        \
	SLOT(prefix "_requests_total", "counter", kind, n_requests,                                \
		"requests, and connections of TCP listeners"),                                     \
		SLOT(prefix "_active", "gauge", kind, n_active, "under way"),                      \
		SLOT(prefix "_responses_2xx_total", "counter", kind, n_statuses[1], "by class"),   \
		SLOT(prefix "_responses_3xx_total", "counter", kind, n_statuses[2], "by class"),   \
		SLOT(prefix "_responses_4xx_total", "counter", kind, n_statuses[3], "by class"),   \
		SLOT(prefix "_responses_5xx_total", "counter", kind, n_statuses[4], "by class"),   \
		SLOT(prefix "_bytes_up_total", "counter", kind, n_bytes_up, "of requests"),        \
		SLOT(prefix "_bytes_down_total", "counter", kind, n_bytes_down, "of responses"),   \
		SLOT(prefix "_retries_total", "counter", kind, n_retries, "requests sent again"),  \
		SLOT(prefix "_connect_failures_total", "counter", kind, n_connect_failures,        \
			"endpoints that refused, or did not answer")

static const struct metrics_family families[] = {
	PORT("rx_packets", ipackets, "packets received"),
	PORT("rx_bytes", ibytes, "bytes received"),
	PORT("rx_missed", imissed, "packets that no queue had room for"),
	PORT("rx_errors", ierrors, "packets received with errors"),
	PORT("rx_no_mbuf", rx_nombuf, "packets that no buffer was free for"),
	PORT("tx_packets", opackets, "packets sent"),
	PORT("tx_bytes", obytes, "bytes sent"),
	PORT("tx_errors", oerrors, "packets that could not be sent"),
	{"dropped_packets_total", "counter", "packets dropped, by reason", write_drop, 0, 0},
	SLOTS("listener", L7_LISTENER),
	SLOTS("cluster", L7_CLUSTER),
};

const struct metrics_families metrics_node = {families, sizeof(families) / sizeof(families[0])};
