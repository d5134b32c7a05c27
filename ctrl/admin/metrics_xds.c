// SPDX-License-Identifier: Apache-2.0

// Metrics of the xDS client; none of them is there when the file has no servers.

#include "ctrl/admin/metrics.h"

#include <event2/buffer.h>

#include "ctrl/ctrl.h"
#include "ctrl/xds/xds.h"

static uint64_t at(const void *counters, size_t offset)
{
	return *(const uint64_t *)((const char *)counters + offset);
}

static bool write_up(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	struct link_status status;

	if (item > 0 || ctrl->xds == NULL)
		return false;
	link_status(xds_link(ctrl->xds), &status);
	metrics_write(out, family, "server", status.server, status.state == LINK_UP);
	return true;
}

static bool write_link(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	struct link_status status;

	if (item > 0 || ctrl->xds == NULL)
		return false;
	link_status(xds_link(ctrl->xds), &status);
	metrics_write(out, family, NULL, NULL, at(&status, family->offset));
	return true;
}

static bool write_type(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	struct session_type_status status;

	if (item >= XDS_N_TYPES || ctrl->xds == NULL)
		return false;
	session_type_status(xds_session(ctrl->xds), item, &status);
	metrics_write(out, family, "type", xds_type_word(item), at(&status, family->offset));
	return true;
}

static bool write_type_gauge(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	struct session_type_status status;

	if (item >= XDS_N_TYPES || ctrl->xds == NULL)
		return false;
	session_type_status(xds_session(ctrl->xds), item, &status);
	metrics_write(out, family, "type", xds_type_word(item),
		*(const uint32_t *)((const char *)&status + family->offset));
	return true;
}

static bool write_waiting(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	struct assembly_status status;

	if (item > 0 || ctrl->xds == NULL)
		return false;
	assembly_status(xds_assembly(ctrl->xds), &status);
	metrics_write(out, family, NULL, NULL, status.n_waiting);
	return true;
}

// Buckets of the format count what is in those before, too.
static bool write_latency(struct evbuffer *out, const struct metrics_family *family,
	const struct ctrl *ctrl, uint32_t item)
{
	const struct xds_latency *latency = ctrl->xds == NULL ? NULL : xds_latency(ctrl->xds);
	uint64_t sum = 0;

	if (item > 0 || latency == NULL)
		return false;
	for (unsigned int i = 0; i + 1 < XDS_N_LATENCIES; i++) {
		sum += latency->counts[i];
		evbuffer_add_printf(out, "pergola_%s_bucket{le=\"%.6f\"} %ju\n", family->name,
			(double)((uint64_t)XDS_LATENCY_UNIT_US << i) / 1e6, (uintmax_t)sum);
	}
	evbuffer_add_printf(
		out, "pergola_%s_bucket{le=\"+Inf\"} %ju\n", family->name, (uintmax_t)latency->n);
	evbuffer_add_printf(
		out, "pergola_%s_sum %.6f\n", family->name, (double)latency->sum_us / 1e6);
	evbuffer_add_printf(out, "pergola_%s_count %ju\n", family->name, (uintmax_t)latency->n);
	return true;
}

#define LINK(name, member, help)                                                                   \
	{                                                                                          \
		"xds_" name "_total", "counter", help, write_link,                                 \
			offsetof(struct link_status, member), 0                                    \
	}
#define TYPE(name, member, help)                                                                   \
	{                                                                                          \
		"xds_" name "_total", "counter", help, write_type,                                 \
			offsetof(struct session_type_status, member), 0                            \
	}
#define TYPE_GAUGE(name, member, help)                                                             \
	{                                                                                          \
		"xds_" name, "gauge", help, write_type_gauge,                                      \
			offsetof(struct session_type_status, member), 0                            \
	}

static const struct metrics_family families[] = {
	{"xds_up", "gauge", "1: the stream to the server is open", write_up, 0, 0},
	LINK("connection_attempts", n_attempts, "connections that were tried"),
	LINK("streams", n_streams, "streams that came up"),
	LINK("received_messages", counts.rx_messages, "responses, over all streams"),
	LINK("received_bytes", counts.rx_bytes, "of messages"),
	LINK("sent_messages", counts.tx_messages, "requests, over all streams"),
	TYPE("responses", n_responses, "responses by type"),
	TYPE("acks", n_acks, "responses that were accepted"),
	TYPE("nacks", n_nacks, "responses of which something was refused"),
	TYPE("resources", n_resources, "resources in all responses"),
	TYPE("decoded", n_decoded, "resources whose bytes had changed"),
	TYPE_GAUGE("held", n_held, "resources that were accepted and are in use"),
	TYPE_GAUGE("wanted", n_wanted, "resources that others refer to"),
	TYPE_GAUGE("refused", n_refused, "resources whose last version was refused"),
	TYPE_GAUGE("absent", n_absent, "resources that the server does not have"),
	{"xds_waiting", "gauge", "clusters and listeners that wait for what they refer to",
		write_waiting, 0, 0},
	{"xds_push_to_live_seconds", "histogram",
		"from a response's last byte until what it changed was live", write_latency, 0, 0},
};

const struct metrics_families metrics_xds = {families, sizeof(families) / sizeof(families[0])};
