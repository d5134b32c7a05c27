// SPDX-License-Identifier: Apache-2.0

// Bytes go from the bufferevent through nghttp2 (grpc_http2.c) into the inbox, and messages from there to the
// owner, a few at a time: turn() tells everything that is due, always from the loop. The server's window opens by
// what was taken out of the inbox, so a paused call holds one window and no more. What is to be sent waits in the
// outbox until nghttp2 and the bufferevent have room.

#include "ctrl/xds/grpc.h"

#include "ctrl/xds/grpc_priv.h"
#include "ctrl/xds/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_MAX_MESSAGE_BYTES = 64 << 20,
	DEFAULT_MAX_QUEUED_BYTES = 16 << 20,
	DEFAULT_KEEPALIVE_MS = 300000,
	DEFAULT_KEEPALIVE_TIMEOUT_MS = 20000,
	MAX_UNSENT_BYTES = 65536, // in the bufferevent
	MESSAGES_PER_TURN = 32,
};

static void schedule(struct grpc *grpc)
{
	const struct timeval now = {0};

	event_add(grpc->turn, &now);
}

void grpc_fail(struct grpc *grpc, enum grpc_code code, const char *fmt, ...)
{
	char text[sizeof(grpc->status.text)];
	va_list args;

	if (grpc->has_ended)
		return;
	grpc->has_ended = true;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	grpc_status_set(&grpc->status, code, "%s", text);
	bufferevent_disable(grpc->bev, EV_READ);
	event_del(grpc->alive);
	schedule(grpc);
}

static void arm_alive(struct grpc *grpc)
{
	const uint32_t ms =
		grpc->is_pinged ? grpc->target.keepalive_timeout_ms : grpc->target.keepalive_ms;
	const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(grpc->alive, &wait);
}

// nghttp2's frames to the bufferevent, no more than the server reads soon.
static void pump(struct grpc *grpc)
{
	struct evbuffer *out = bufferevent_get_output(grpc->bev);
	const uint8_t *bytes;
	ssize_t n = 1;

	while (n > 0 && !grpc->has_ended && evbuffer_get_length(out) < MAX_UNSENT_BYTES) {
		n = nghttp2_session_mem_send(grpc->session, &bytes);
		if (n < 0 || (n > 0 && evbuffer_add(out, bytes, (size_t)n) != 0))
			grpc_fail(grpc, GRPC_INTERNAL, "HTTP/2: %s",
				n < 0 ? nghttp2_strerror((int)n) : strerror(ENOMEM));
	}
	if (!nghttp2_session_want_read(grpc->session) && !nghttp2_session_want_write(grpc->session))
		grpc_fail(grpc, GRPC_INTERNAL, "the server breaks HTTP/2: %s%s",
			grpc->protocol_error, grpc->goaway);
}

static void refuse_message(struct grpc *grpc, int error)
{
	const struct grpc_inbox *inbox = &grpc->inbox;

	if (grpc->has_ended)
		return;
	if (error == -E2BIG)
		grpc->counts.too_big++;
	if (error == -E2BIG)
		grpc_fail(grpc, GRPC_RESOURCE_EXHAUSTED, "a message of %u bytes; the limit is %u",
			inbox->message_len, inbox->max_message_bytes);
	else if (error == -EBADMSG)
		grpc_fail(grpc, GRPC_INTERNAL, "a compressed message (flag %u): not asked for",
			inbox->prefix[0]);
	else
		grpc_fail(grpc, GRPC_RESOURCE_EXHAUSTED, "no memory for a message of %u bytes",
			inbox->message_len);
}

// The next message to the owner. False: there is none to be had.
static bool give_message(struct grpc *grpc)
{
	struct grpc_inbox *inbox = &grpc->inbox;
	size_t n_taken;
	const int rc = grpc_inbox_next(inbox, &n_taken);

	if (n_taken > 0)
		nghttp2_session_consume(grpc->session, grpc->stream_id, n_taken);
	if (rc < 0)
		refuse_message(grpc, rc);
	if (rc != 1)
		return false;
	grpc->counts.rx_messages++;
	grpc->counts.rx_bytes += inbox->message_len;
	grpc->events->message_fn(grpc->ctx, inbox->message, inbox->message_len);
	grpc_inbox_drop(inbox);
	return true;
}

static void tell_closed(struct grpc *grpc)
{
	if (grpc->status.code == GRPC_OK && !grpc_inbox_is_empty(&grpc->inbox))
		grpc_status_set(&grpc->status, GRPC_INTERNAL, "the stream ended inside a message");
	grpc->told_closed = true;
	grpc->events->closed_fn(grpc->ctx, &grpc->status);
}

// Everything that is due, in order: opened, messages, closed.
static void tell(struct grpc *grpc)
{
	uint32_t n = 0;
	bool more = true;

	if (grpc->is_open && !grpc->told_open) {
		grpc->told_open = true;
		grpc->events->opened_fn(grpc->ctx);
	}
	while (more && !grpc->is_paused && !grpc->is_doomed && n++ < MESSAGES_PER_TURN)
		more = give_message(grpc);
	if (grpc->is_paused || grpc->is_doomed)
		return;
	if (more)
		schedule(grpc);
	else if (grpc->has_ended && !grpc->told_closed)
		tell_closed(grpc);
}

static void release(struct grpc *grpc)
{
	bufferevent_free(grpc->bev);
	if (grpc->turn != NULL)
		event_free(grpc->turn);
	if (grpc->alive != NULL)
		event_free(grpc->alive);
	if (grpc->outbox != NULL)
		evbuffer_free(grpc->outbox);
	nghttp2_session_del(grpc->session);
	grpc_inbox_fini(&grpc->inbox);
	free(grpc->target_text);
	free(grpc);
}

static void turn(struct grpc *grpc)
{
	grpc->in_events = true;
	tell(grpc);
	grpc->in_events = false;
	if (grpc->is_doomed)
		release(grpc);
	else
		pump(grpc);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	turn(ctx);
}

static void feed(struct grpc *grpc, struct evbuffer *in)
{
	size_t len;

	while (!grpc->has_ended && (len = evbuffer_get_contiguous_space(in)) > 0) {
		const ssize_t n = nghttp2_session_mem_recv(
			grpc->session, evbuffer_pullup(in, (ev_ssize_t)len), len);

		if (n < 0)
			grpc_fail(grpc, GRPC_INTERNAL, "the server breaks HTTP/2: %s",
				grpc->protocol_error[0] != '\0' ? grpc->protocol_error
								: nghttp2_strerror((int)n));
		evbuffer_drain(in, len);
	}
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct grpc *grpc = ctx;

	if (grpc->has_ended)
		return;
	grpc->is_pinged = false;
	arm_alive(grpc);
	feed(grpc, bufferevent_get_input(bev));
	pump(grpc);
	turn(grpc);
}

static void on_write(struct bufferevent *bev, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)bev;
	pump(grpc);
	if (grpc->is_open && !grpc->told_open)
		schedule(grpc);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct grpc *grpc = ctx;
	char why[TLS_WHY_LEN];

	tls_error_text(bev, what, why, sizeof(why));
	grpc_fail(grpc, GRPC_UNAVAILABLE, "%s%s", why, grpc->goaway);
}

static void on_alive(evutil_socket_t fd, short what, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)fd;
	(void)what;
	if (grpc->is_pinged) {
		grpc_fail(grpc, GRPC_UNAVAILABLE, "no sign of life in %u ms after a ping",
			grpc->target.keepalive_timeout_ms);
		return;
	}
	grpc->is_pinged = true;
	grpc->counts.pings++;
	if (nghttp2_submit_ping(grpc->session, NGHTTP2_FLAG_NONE, NULL) != 0)
		grpc_fail(grpc, GRPC_RESOURCE_EXHAUSTED, "no memory for a ping");
	else
		arm_alive(grpc);
	pump(grpc);
}

// The copies live in one block.
static int copy_target(struct grpc *grpc, const struct grpc_target *target)
{
	struct grpc_target *copy = &grpc->target;
	const size_t authority_size = strlen(target->authority) + 1;
	const size_t path_size = strlen(target->path) + 1;

	*copy = *target;
	copy->max_message_bytes = copy->max_message_bytes ?: DEFAULT_MAX_MESSAGE_BYTES;
	copy->max_queued_bytes = copy->max_queued_bytes ?: DEFAULT_MAX_QUEUED_BYTES;
	copy->keepalive_ms = copy->keepalive_ms ?: DEFAULT_KEEPALIVE_MS;
	copy->keepalive_timeout_ms = copy->keepalive_timeout_ms ?: DEFAULT_KEEPALIVE_TIMEOUT_MS;
	grpc->target_text = malloc(authority_size + path_size);
	if (grpc->target_text == NULL)
		return -ENOMEM;
	copy->authority = memcpy(grpc->target_text, target->authority, authority_size);
	copy->path = memcpy(grpc->target_text + authority_size, target->path, path_size);
	return 0;
}

static int set_up(struct grpc *grpc, const struct grpc_target *target)
{
	struct event_base *base = bufferevent_get_base(grpc->bev);

	if (copy_target(grpc, target) != 0)
		return -ENOMEM;
	grpc->turn = evtimer_new(base, on_turn, grpc);
	grpc->alive = evtimer_new(base, on_alive, grpc);
	grpc->outbox = evbuffer_new();
	if (grpc->turn == NULL || grpc->alive == NULL || grpc->outbox == NULL ||
		grpc_inbox_init(&grpc->inbox, grpc->target.max_message_bytes) != 0)
		return -ENOMEM;
	return grpc_http2_start(grpc);
}

struct grpc *grpc_create(struct bufferevent *bev, const struct grpc_target *target,
	const struct grpc_events *events, void *ctx)
{
	struct grpc *grpc = calloc(1, sizeof(*grpc));

	if (grpc == NULL) {
		bufferevent_free(bev);
		return NULL;
	}
	grpc->bev = bev;
	grpc->events = events;
	grpc->ctx = ctx;
	if (set_up(grpc, target) != 0) {
		release(grpc);
		errno = ENOMEM;
		return NULL;
	}
	bufferevent_setcb(bev, on_read, on_write, on_event, grpc);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	arm_alive(grpc);
	pump(grpc);
	return grpc;
}

int grpc_send(struct grpc *grpc, const uint8_t *bytes, size_t n_bytes)
{
	const uint8_t prefix[GRPC_PREFIX_LEN] = {0, (uint8_t)(n_bytes >> 24),
		(uint8_t)(n_bytes >> 16), (uint8_t)(n_bytes >> 8), (uint8_t)n_bytes};

	if (grpc->has_ended)
		return -ENOTCONN;
	if (evbuffer_get_length(grpc->outbox) + n_bytes > grpc->target.max_queued_bytes) {
		grpc_fail(
			grpc, GRPC_RESOURCE_EXHAUSTED, "the server does not read what it is sent");
		return -ENOBUFS;
	}
	if (evbuffer_expand(grpc->outbox, sizeof(prefix) + n_bytes) != 0)
		return -ENOMEM;
	evbuffer_add(grpc->outbox, prefix, sizeof(prefix));
	evbuffer_add(grpc->outbox, bytes, n_bytes);
	grpc->counts.tx_messages++;
	grpc->counts.tx_bytes += n_bytes;
	if (grpc->outbox_waits)
		nghttp2_session_resume_data(grpc->session, grpc->stream_id);
	pump(grpc);
	return 0;
}

void grpc_pause(struct grpc *grpc)
{
	grpc->is_paused = true;
}

void grpc_resume(struct grpc *grpc)
{
	grpc->is_paused = false;
	schedule(grpc);
}

const struct grpc_counts *grpc_counts(const struct grpc *grpc)
{
	return &grpc->counts;
}

uint64_t grpc_message_us(const struct grpc *grpc)
{
	return grpc->inbox.message_us;
}

void grpc_destroy(struct grpc *grpc)
{
	if (grpc == NULL)
		return;
	grpc->is_doomed = true;
	if (!grpc->in_events)
		release(grpc);
}
