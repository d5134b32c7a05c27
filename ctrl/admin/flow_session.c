// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/flow_session.h"

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/flow_filter.h"
#include "ctrl/admin/l7_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/ctrl.h"
#include "pipeline/l7_worker.h"

#include <event2/event.h>
#include <event2/http.h>

#include <stdlib.h>

enum {
	POLL_US = 5000,	   // a worker fills its ring in 8 ms
	SLICE_ROWS = 1024, // of the loop's time, at once
	MAX_POLLS = 6000,  // 30 s: two million flows take a worker 8 s, and longer when it sleeps
};

struct flow_session {
	struct ctrl *ctrl;
	struct reply *reply;
	struct event *timer;
	struct flow_filter filter;
	uint32_t n_polls; // so far
	uint32_t request;
	uint32_t limit;
	bool cut;
	json_t *rows;
};

static void ask_workers(struct ctrl *ctrl, uint32_t request)
{
	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		atomic_store_explicit(
			&ctrl->workers[i]->l7->report->asked, request, memory_order_relaxed);
}

static void destroy(void *arg)
{
	struct flow_session *session = arg;

	ask_workers(session->ctrl, 0);
	session->ctrl->flow_session = NULL;
	if (session->timer != NULL)
		event_free(session->timer);
	json_decref(session->rows);
	free(session);
}

// ---- rows

static json_t *local_end(const struct flow_tuple *tuple)
{
	return tuple->family == 0 ? json_null()
				  : l7_view_address(tuple->family, tuple->local,
					    rte_be_to_cpu_16(tuple->local_port_be));
}

static json_t *remote_end(const struct flow_tuple *tuple)
{
	return tuple->family == 0 ? json_null()
				  : l7_view_address(tuple->family, tuple->remote,
					    rte_be_to_cpu_16(tuple->remote_port_be));
}

// Also when the flow has no leg now: where its last request went.
static json_t *endpoint_of(const struct l7_tables *t, uint32_t slot)
{
	const struct endpoint *endpoint;

	if (slot >= t->n_endpoints)
		return json_null();
	endpoint = l7_tables_endpoint(t, slot);
	if (endpoint->state == ENDPOINT_FREE)
		return json_null();
	return l7_view_address(endpoint->address.family, endpoint->address.b, endpoint->port);
}

static json_t *server_vrf(const struct ctrl *ctrl, const struct flow_tuple *server)
{
	return server->family == 0 ? json_null()
				   : json_string(dest_view_vrf_name(ctrl, server->vrf));
}

static json_t *flow_row(const struct ctrl *ctrl, uint16_t worker_idx, const struct flow_row *row)
{
	const struct l7_tables *t = ctrl_snapshot(ctrl)->l7;

	return json_pack("{s:i, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, "
			 "s:I}",
		"worker", worker_idx, "flow", (json_int_t)row->flow, "client",
		remote_end(&row->client), "address", local_end(&row->client), "vrf",
		dest_view_vrf_name(ctrl, row->client.vrf), "listener",
		l7_view_string(l7_view_name(t->listener_names, row->listener)), "virtual_host",
		l7_view_host_name(ctrl, row->virtual_host), "route",
		l7_view_string(l7_view_name(t->route_names, row->route)), "cluster",
		l7_view_string(l7_view_name(t->cluster_names, row->cluster)), "endpoint",
		endpoint_of(t, row->endpoint), "endpoint_vrf", server_vrf(ctrl, &row->server),
		"source", local_end(&row->server), "phase", row->phase, "requests",
		(json_int_t)row->n_requests, "idle_ms", (json_int_t)row->idle_ms);
}

// Takes what a worker told, a slice at most.
static void take_rows(struct flow_session *session, uint16_t worker_idx)
{
	const struct ctrl *ctrl = session->ctrl;
	struct flow_report *report = ctrl->workers[worker_idx]->l7->report;
	uint32_t head = atomic_load_explicit(&report->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&report->tail, memory_order_relaxed);

	for (uint32_t i = 0; i < SLICE_ROWS && tail != head && !session->cut; i++, tail++) {
		const struct flow_row *row = &report->rows[tail % FLOW_REPORT_ROWS];

		if (row->request != session->request ||
			!flow_filter_test(&session->filter, ctrl, row))
			continue;
		if (json_array_size(session->rows) < session->limit)
			json_array_append_new(session->rows, flow_row(ctrl, worker_idx, row));
		else
			session->cut = true;
	}
	atomic_store_explicit(&report->tail, tail, memory_order_release);
}

// Whether a worker told all and all was taken.
static bool is_done(const struct flow_session *session, uint16_t worker_idx)
{
	struct flow_report *report = session->ctrl->workers[worker_idx]->l7->report;

	return atomic_load_explicit(&report->answered, memory_order_acquire) == session->request &&
	       atomic_load_explicit(&report->head, memory_order_relaxed) ==
		       atomic_load_explicit(&report->tail, memory_order_relaxed);
}

static bool all_done(const struct flow_session *session)
{
	for (uint16_t i = 0; i < session->ctrl->n_workers; i++)
		if (!is_done(session, i))
			return false;
	return true;
}

// ---- the session

static uint64_t n_flows(const struct ctrl *ctrl)
{
	struct splice_usage usage;
	uint64_t n = 0;

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		splice_usage(ctrl->workers[i]->l7->splice, &usage);
		n += usage.n_flows;
	}
	return n;
}

static void finish(struct flow_session *session)
{
	struct reply *reply = session->reply;
	json_t *body = json_pack("{s:O, s:I, s:b, s:b}", "flows", session->rows, "in_use",
		(json_int_t)n_flows(session->ctrl), "cut", session->cut, "complete",
		session->cut || all_done(session));

	destroy(session);
	reply_json(reply, body);
}

static void poll_reports(evutil_socket_t fd, short what, void *arg)
{
	struct flow_session *session = arg;

	(void)fd;
	(void)what;
	for (uint16_t i = 0; i < session->ctrl->n_workers; i++)
		take_rows(session, i);
	if (session->cut || all_done(session) || ++session->n_polls == MAX_POLLS ||
		reply_is_abandoned(session->reply))
		finish(session);
}

static struct flow_session *create(struct reply *reply)
{
	const struct timeval period = {.tv_usec = POLL_US};
	struct flow_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->ctrl = reply->ctrl;
	session->reply = reply;
	session->rows = json_array();
	session->timer = event_new(reply->ctrl->base, -1, EV_PERSIST, poll_reports, session);
	if (session->rows != NULL && session->timer != NULL &&
		event_add(session->timer, &period) == 0)
		return session;
	destroy(session);
	return NULL;
}

void flow_session_start(struct reply *reply, const struct flow_filter *filter, uint32_t limit)
{
	struct ctrl *ctrl = reply->ctrl;
	struct flow_session *session;

	if (ctrl->flow_session != NULL) {
		reply_error(reply, 409, "flows are being listed for somebody else; try again");
		return;
	}
	session = create(reply);
	if (session == NULL) {
		reply_error(reply, HTTP_INTERNAL, "out of memory");
		return;
	}
	session->filter = *filter;
	session->limit = limit;
	// Never 0, which asks for nothing.
	ctrl->flow_request = ctrl->flow_request == UINT32_MAX ? 1 : ctrl->flow_request + 1;
	session->request = ctrl->flow_request;
	ctrl->flow_session = session;
	reply_defer(reply, destroy, session);
	ask_workers(ctrl, session->request);
}
