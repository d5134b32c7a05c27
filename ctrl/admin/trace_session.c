// SPDX-License-Identifier: Apache-2.0

// Each worker is asked for all n packets, as nobody knows where they will come in; the first n count. What a
// worker has not marked when the session ends, it marks no more.

#include "ctrl/admin/trace_session.h"

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/packet_text.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/ctrl.h"
#include "pipeline/trace.h"

#include <event2/event.h>
#include <event2/http.h>

#include <rte_cycles.h>

#include <stdlib.h>
#include <string.h>

enum {
	POLL_US = 20000,
	MAX_EVENTS = TRACE_SESSION_MAX_PACKETS * 64,
	MAX_EDGES = 64,
};

struct trace_session {
	struct ctrl *ctrl;
	struct reply *reply;
	struct event *timer;
	uint32_t n_packets;
	uint64_t end_tsc;
	uint32_t first_ids[SPEC_MAX_WORKERS]; // by worker: what was marked before is not ours
	size_t n_events;
	struct trace_event events[MAX_EVENTS];
};

// Rows are made from here when the session is over. Sorted by packet, then by time; each packet's first
// event is named by starts, in the order of their times.
struct cursor {
	const struct ctrl *ctrl;
	size_t n_starts;
	size_t next_start;
	size_t n_events;
	size_t starts[TRACE_SESSION_MAX_PACKETS];
	struct trace_event events[];
};

static void destroy(void *arg)
{
	struct trace_session *session = arg;

	session->ctrl->trace = NULL;
	for (uint16_t i = 0; i < session->ctrl->n_workers; i++)
		trace_ask(session->ctrl->workers[i], 0);
	if (session->timer != NULL)
		event_free(session->timer);
	free(session);
}

static bool is_ours(const struct trace_session *session, uint32_t packet_id)
{
	uint32_t worker_idx = packet_id >> TRACE_COUNT_BITS;
	uint32_t ahead;

	if (worker_idx >= session->ctrl->n_workers)
		return false;
	ahead = (packet_id - session->first_ids[worker_idx]) & TRACE_COUNT_MASK;
	return ahead <= TRACE_COUNT_MASK / 2;
}

// Takes what is in a worker's ring; returns how many events that was.
static size_t take_events(struct trace_session *session, struct trace_ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t n = head - tail;

	for (; tail != head; tail++) {
		const struct trace_event *event = &ring->events[tail % TRACE_RING_SIZE];

		if (session->n_events < MAX_EVENTS && is_ours(session, event->packet_id))
			session->events[session->n_events++] = *event;
	}
	atomic_store_explicit(&ring->tail, tail, memory_order_release);
	return n;
}

static int compare_events(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	if (x->packet_id != y->packet_id)
		return x->packet_id < y->packet_id ? -1 : 1;
	return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

// Past the last event of the packet whose first is at start.
static size_t packet_end(const struct trace_event *events, size_t n_events, size_t start)
{
	size_t end = start + 1;

	while (end < n_events && events[end].packet_id == events[start].packet_id)
		end++;
	return end;
}

static bool has_ended(const struct trace_event *last)
{
	return last->next == UINT16_MAX;
}

// As many packets as were asked for have been all the way.
static bool is_complete(struct trace_session *session)
{
	size_t n_ended = 0;
	size_t end;

	qsort(session->events, session->n_events, sizeof(session->events[0]), compare_events);
	for (size_t start = 0; start < session->n_events; start = end) {
		end = packet_end(session->events, session->n_events, start);
		n_ended += has_ended(&session->events[end - 1]);
	}
	return n_ended >= session->n_packets;
}

static const char *edge_name(rte_node_t node, rte_edge_t edge)
{
	char *names[MAX_EDGES];
	rte_edge_t n_edges = rte_node_edge_count(node);

	if (edge >= n_edges || n_edges > MAX_EDGES)
		return NULL;
	rte_node_edge_get(node, names);
	return names[edge];
}

static json_t *hex(const uint8_t *bytes, size_t n_bytes)
{
	char text[2 * TRACE_BYTES + 1] = "";

	for (size_t i = 0; i < n_bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

static json_t *event_row(
	const struct ctrl *ctrl, const struct trace_event *event, uint64_t start_tsc)
{
	double offset_ns = (double)(event->tsc - start_tsc) * 1e9 / (double)rte_get_tsc_hz();
	size_t n_bytes = RTE_MIN((size_t)event->data_len, (size_t)TRACE_BYTES);
	char text[512];

	packet_text_format(event->bytes, n_bytes, event->data_len, text, sizeof(text));
	return json_pack("{s:s, s:s?, s:I, s:i, s:s, s:s, s:i, s:s, s:o}", "node",
		rte_node_id_to_name(event->node), "next", edge_name(event->node, event->next),
		"offset_ns", (json_int_t)offset_ns, "worker", event->worker_idx, "port",
		dest_view_iface_name(ctrl, event->iface), "vrf",
		dest_view_vrf_name(ctrl, event->vrf), "length", event->data_len, "packet", text,
		"bytes", hex(event->bytes, n_bytes));
}

static enum stream_step next_packet(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	json_t *events;
	size_t start, end;

	if (cursor->next_start == cursor->n_starts)
		return STREAM_END;
	start = cursor->starts[cursor->next_start++];
	end = packet_end(cursor->events, cursor->n_events, start);
	events = json_array();
	for (size_t i = start; i < end; i++)
		json_array_append_new(events,
			event_row(cursor->ctrl, &cursor->events[i], cursor->events[start].tsc));
	*row = json_pack(
		"{s:b, s:o}", "complete", has_ended(&cursor->events[end - 1]), "events", events);
	return STREAM_ROW;
}

// Inserts a packet among the earliest ones.
static void insert_start(struct cursor *cursor, size_t start, size_t max_starts)
{
	size_t i = cursor->n_starts;

	while (i > 0 && cursor->events[cursor->starts[i - 1]].tsc > cursor->events[start].tsc)
		i--;
	if (i == max_starts)
		return;
	if (cursor->n_starts < max_starts)
		cursor->n_starts++;
	memmove(&cursor->starts[i + 1], &cursor->starts[i],
		(cursor->n_starts - 1 - i) * sizeof(cursor->starts[0]));
	cursor->starts[i] = start;
}

static struct cursor *create_cursor(const struct trace_session *session)
{
	struct cursor *cursor =
		calloc(1, sizeof(*cursor) + session->n_events * sizeof(cursor->events[0]));
	size_t start = 0;

	if (cursor == NULL)
		return NULL;
	cursor->ctrl = session->ctrl;
	cursor->n_events = session->n_events;
	memcpy(cursor->events, session->events, session->n_events * sizeof(cursor->events[0]));
	qsort(cursor->events, cursor->n_events, sizeof(cursor->events[0]), compare_events);
	while (start < cursor->n_events) {
		insert_start(cursor, start, session->n_packets);
		start = packet_end(cursor->events, cursor->n_events, start);
	}
	return cursor;
}

static void finish(struct trace_session *session)
{
	static const struct stream_list list = {"packets", next_packet};
	struct cursor *cursor = create_cursor(session);
	struct reply *reply = session->reply;

	destroy(session);
	stream_send(reply, &list, 1, cursor);
}

static void poll_rings(evutil_socket_t fd, short what, void *arg)
{
	struct trace_session *session = arg;
	size_t n = 0;

	(void)fd;
	(void)what;
	for (uint16_t i = 0; i < session->ctrl->n_workers; i++)
		n += take_events(session, session->ctrl->workers[i]->trace);
	// A packet on its way to another worker looks as if it had ended: only what has come to rest counts.
	if (rte_rdtsc() >= session->end_tsc || reply_is_abandoned(session->reply) ||
		(n == 0 && is_complete(session)))
		finish(session);
}

static void ask_workers(struct trace_session *session)
{
	for (uint16_t i = 0; i < session->ctrl->n_workers; i++) {
		struct worker *w = session->ctrl->workers[i];
		uint32_t head = atomic_load_explicit(&w->trace->head, memory_order_acquire);

		atomic_store_explicit(&w->trace->tail, head, memory_order_release);
		session->first_ids[i] = w->trace->next_id & TRACE_COUNT_MASK;
		trace_ask(w, session->n_packets);
	}
}

void trace_session_start(struct reply *reply, uint32_t n_packets, uint32_t timeout_s)
{
	const struct timeval period = {.tv_usec = POLL_US};
	struct trace_session *session;

	if (reply->ctrl->trace != NULL) {
		reply_error(reply, 409, "another trace is running; try again when it has ended");
		return;
	}
	session = calloc(1, sizeof(*session));
	if (session != NULL) {
		session->ctrl = reply->ctrl;
		session->timer = event_new(reply->ctrl->base, -1, EV_PERSIST, poll_rings, session);
	}
	if (session == NULL || session->timer == NULL || event_add(session->timer, &period) != 0) {
		if (session != NULL)
			destroy(session);
		reply_error(reply, HTTP_INTERNAL, "out of memory");
		return;
	}
	session->reply = reply;
	session->n_packets = n_packets;
	session->end_tsc = rte_rdtsc() + timeout_s * rte_get_tsc_hz();
	reply->ctrl->trace = session;
	reply_defer(reply, destroy, session);
	ask_workers(session);
}
