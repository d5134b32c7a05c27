// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "ctrl/xds/xds.h"

static json_t *age_s(uint64_t then_ms)
{
	return then_ms == 0 ? json_null() : json_real((double)(xds_now_ms() - then_ms) / 1000);
}

static json_t *text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : reply_string(text);
}

static json_t *type_row(const struct session *session, enum xds_type type)
{
	struct session_type_status status;

	session_type_status(session, type, &status);
	return json_pack("{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, "
			 "s:o, s:o, s:o}",
		"type", xds_type_word(type), "asked", status.asked, "version",
		text_or_null(status.version), "nonce", text_or_null(status.nonce), "responses",
		(json_int_t)status.n_responses, "acks", (json_int_t)status.n_acks, "nacks",
		(json_int_t)status.n_nacks, "resources", (json_int_t)status.n_resources, "decoded",
		(json_int_t)status.n_decoded, "held", (json_int_t)status.n_held, "wanted",
		(json_int_t)status.n_wanted, "refused", (json_int_t)status.n_refused, "absent",
		(json_int_t)status.n_absent, "response_age_s", age_s(status.response_ms),
		"ack_age_s", age_s(status.ack_ms), "nack_age_s", age_s(status.nack_ms), "last_nack",
		text_or_null(status.nack));
}

static json_t *type_rows(const struct session *session)
{
	json_t *rows = json_array();

	for (enum xds_type type = 0; type < XDS_N_TYPES; type++)
		json_array_append_new(rows, type_row(session, type));
	return rows;
}

static const char *state_name(enum link_state state)
{
	switch (state) {
	case LINK_CONNECTING:
		return "connecting";
	case LINK_UP:
		return "up";
	case LINK_WAITING:
		return "waiting";
	}
	return "unknown";
}

static void add_link(json_t *answer, const struct link *link)
{
	struct link_status status;
	json_t *more;

	link_status(link, &status);
	more = json_pack("{s:s, s:o, s:b, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I}", "state",
		state_name(status.state), "server", text_or_null(status.server), "answered",
		status.answered, "attempts", (json_int_t)status.n_attempts, "streams",
		(json_int_t)status.n_streams, "retry_ms", (json_int_t)status.wait_ms,
		"last_failure", text_or_null(status.why), "rx_messages",
		(json_int_t)status.counts.rx_messages, "tx_messages",
		(json_int_t)status.counts.tx_messages, "rx_bytes",
		(json_int_t)status.counts.rx_bytes, "tx_bytes", (json_int_t)status.counts.tx_bytes);
	json_object_update_new(answer, more);
}

static void add_session(json_t *answer, const struct session *session)
{
	struct session_status status;
	json_t *more;

	session_status(session, &status);
	more = json_pack("{s:o, s:o, s:I, s:I, s:I, s:o}", "since_s", age_s(status.up_ms),
		"control_plane", text_or_null(status.control_plane), "requests",
		(json_int_t)status.n_requests, "unasked_responses", (json_int_t)status.n_unasked,
		"resets", (json_int_t)status.n_resets, "types", type_rows(session));
	json_object_update_new(answer, more);
}

static void add_live(json_t *answer, const struct xds *xds)
{
	const struct xds_latency *latency = xds_latency(xds);
	struct assembly_status status;
	json_t *counts = json_array();
	json_t *more;

	assembly_status(xds_assembly(xds), &status);
	for (unsigned int i = 0; i < XDS_N_LATENCIES; i++)
		json_array_append_new(counts, json_integer((json_int_t)latency->counts[i]));
	more = json_pack("{s:I, s:I, s:I, s:o, s:f, s:I, s:f, s:o}", "layers",
		(json_int_t)status.n_layers, "waiting", (json_int_t)status.n_waiting, "refused",
		(json_int_t)status.n_refused, "push_to_live_ms",
		latency->n == 0 ? json_null() : json_real((double)latency->last_us / 1000),
		"push_to_live_max_ms", (double)latency->max_us / 1000, "push_to_live_count",
		(json_int_t)latency->n, "push_to_live_sum_ms", (double)latency->sum_us / 1000,
		"push_to_live_counts", counts);
	json_object_update_new(answer, more);
}

void views_xds_get(struct reply *reply)
{
	const struct xds *xds = reply->ctrl->xds;
	json_t *answer;

	if (xds == NULL) {
		reply_json(reply, json_pack("{s:b}", "configured", 0));
		return;
	}
	answer = json_pack("{s:b, s:s, s:s}", "configured", 1, "protocol",
		xds_spec(xds)->protocol == XDS_DELTA ? "delta" : "sotw", "node_id",
		xds_spec(xds)->node_id);
	add_link(answer, xds_link(xds));
	add_session(answer, xds_session(xds));
	add_live(answer, xds);
	reply_json(reply, answer);
}
