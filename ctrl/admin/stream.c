// SPDX-License-Identifier: Apache-2.0

#include "ctrl/admin/stream.h"

#include "ctrl/admin/reply.h"
#include "ctrl/ctrl.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <stdlib.h>
#include <time.h>

enum {
	SLICE_NS = 2000000, // of the loop's time, at once
	MAX_UNSENT_BYTES = 1 << 20,
	WAIT_US = 10000, // for a client that does not read
	ROWS_PER_CLOCK_READ = 32,
};

static const char changed_error[] = "the configuration changed meanwhile; ask again";

struct stream {
	struct reply *reply;
	struct event *event;
	struct evbuffer *chunk;
	const struct stream_list *lists;
	unsigned int n_lists;
	unsigned int list_idx;
	bool in_list; // its "[" has been written
	bool has_rows;
	bool failed; // out of memory
	bool changed;
	uint64_t generation;
	void *cursor;
};

static void destroy(void *arg)
{
	struct stream *stream = arg;

	if (stream->event != NULL)
		event_free(stream->event);
	if (stream->chunk != NULL)
		evbuffer_free(stream->chunk);
	free(stream->cursor);
	free(stream);
}

// Ends the answer, as a whole or with what kept it from being one.
static void finish(struct stream *stream, const char *error)
{
	struct reply *reply = stream->reply;

	if (error != NULL)
		evbuffer_add_printf(
			stream->chunk, "%s,\"error\":\"%s\"", stream->in_list ? "]" : "", error);
	evbuffer_add_printf(stream->chunk, "}\n");
	reply_chunk(reply, stream->chunk);
	reply_end(reply);
	destroy(stream);
}

static void append_row(struct stream *stream, json_t *row)
{
	evbuffer_add(stream->chunk, ",\n", stream->has_rows ? 2 : 0);
	if (row == NULL || reply_append_json(stream->chunk, row) != 0) {
		stream->failed = true;
		evbuffer_add_printf(stream->chunk, "null");
	}
	stream->has_rows = true;
	json_decref(row);
}

// Writes one row or one end of a list.
static void step(struct stream *stream)
{
	const struct stream_list *list = &stream->lists[stream->list_idx];
	json_t *row = NULL;

	if (!stream->in_list) {
		evbuffer_add_printf(stream->chunk, ",\"%s\":[", list->key);
		stream->in_list = true;
		stream->has_rows = false;
	}
	switch (list->next_fn(stream->cursor, &row)) {
	case STREAM_ROW:
		append_row(stream, row);
		break;
	case STREAM_NOTHING:
		break;
	case STREAM_END:
		evbuffer_add(stream->chunk, "]", 1);
		stream->in_list = false;
		stream->list_idx++;
		break;
	case STREAM_CHANGED:
		stream->changed = true;
		break;
	}
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool is_over(const struct stream *stream)
{
	return stream->list_idx == stream->n_lists || stream->failed || stream->changed;
}

static void write_slice(struct stream *stream)
{
	uint64_t end_ns = now_ns() + SLICE_NS;

	for (unsigned int i = 0; !is_over(stream); i++) {
		if (i % ROWS_PER_CLOCK_READ == 0 && now_ns() >= end_ns)
			return;
		step(stream);
	}
}

// Why the answer must end here, or NULL.
static const char *find_error(const struct stream *stream)
{
	if (reply_is_abandoned(stream->reply))
		return "the client has left";
	if (ctrl_snapshot(stream->reply->ctrl)->generation != stream->generation)
		return changed_error;
	return NULL;
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
	struct stream *stream = arg;
	const char *error = find_error(stream);
	struct timeval delay = {0};

	(void)fd;
	(void)what;
	if (error != NULL) {
		finish(stream, error);
		return;
	}
	if (reply_n_unsent(stream->reply) < MAX_UNSENT_BYTES)
		write_slice(stream);
	else
		delay.tv_usec = WAIT_US;
	if (is_over(stream)) {
		finish(stream, stream->failed	 ? "out of memory"
			       : stream->changed ? changed_error
						 : NULL);
		return;
	}
	reply_chunk(stream->reply, stream->chunk);
	event_add(stream->event, &delay);
}

static struct stream *create(struct reply *reply, void *cursor)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL) {
		free(cursor);
		return NULL;
	}
	stream->cursor = cursor;
	stream->reply = reply;
	stream->event = evtimer_new(reply->ctrl->base, wake, stream);
	stream->chunk = evbuffer_new();
	if (cursor != NULL && stream->event != NULL && stream->chunk != NULL)
		return stream;
	destroy(stream);
	return NULL;
}

void stream_send(
	struct reply *reply, const struct stream_list *lists, unsigned int n_lists, void *cursor)
{
	struct stream *stream = create(reply, cursor);

	if (stream == NULL) {
		reply_error(reply, HTTP_INTERNAL, "out of memory");
		return;
	}
	stream->lists = lists;
	stream->n_lists = n_lists;
	stream->generation = ctrl_snapshot(reply->ctrl)->generation;
	reply_begin(reply);
	evbuffer_add_printf(stream->chunk, "{\"generation\":%ju", (uintmax_t)stream->generation);
	reply_defer(reply, destroy, stream);
	wake(-1, 0, stream);
}
