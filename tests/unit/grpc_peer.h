// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the gRPC client share: the server's end of its connection, written frame by frame, and what came of
// it at the client. Client and server take turns in one thread.

#include "ctrl/xds/grpc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <nghttp2/nghttp2.h>

enum {
	PEER_STREAM = 1,
	PEER_MESSAGES = 64,
	PEER_WAIT_S = 20, // for what must come
	PEER_FRAME_HEADER_LEN = 9,
};

struct peer_frame {
	uint32_t len;
	uint8_t type;
	uint8_t flags;
	uint32_t stream;
	const uint8_t *payload;
};

struct peer {
	struct event_base *base;
	struct grpc *grpc;
	int fd; // the server's end
	nghttp2_hd_deflater *deflater;
	struct evbuffer *script;   // to be sent to the client
	struct evbuffer *received; // from the client, not taken yet
	uint8_t taken[1 << 17];	   // the frame that peer_take() gave
	// What the client told.
	uint32_t n_opened;
	uint32_t n_messages;
	uint32_t pause_after; // messages; 0: never
	uint32_t destroy_at;  // the how manieth event; 0: none
	uint32_t n_events;
	size_t lens[PEER_MESSAGES];
	struct evbuffer *messages;
	uint32_t n_closed;
	struct grpc_status status;
};

static inline void peer_event(struct peer *peer)
{
	if (++peer->n_events != peer->destroy_at)
		return;
	grpc_destroy(peer->grpc);
	peer->grpc = NULL;
}

static inline void peer_opened(void *ctx)
{
	struct peer *peer = ctx;

	assert_int_equal(peer->n_opened++, 0);
	peer_event(peer);
}

static inline void peer_message(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct peer *peer = ctx;

	assert_int_equal(peer->n_opened, 1);
	assert_int_equal(peer->n_closed, 0);
	peer->lens[peer->n_messages++ % PEER_MESSAGES] = n_bytes;
	evbuffer_add(peer->messages, bytes, n_bytes);
	if (peer->pause_after == peer->n_messages)
		grpc_pause(peer->grpc);
	peer_event(peer);
}

static inline void peer_closed(void *ctx, const struct grpc_status *status)
{
	struct peer *peer = ctx;

	assert_int_equal(peer->n_closed++, 0);
	peer->status = *status;
	peer_event(peer);
}

static const struct grpc_events peer_events = {
	.opened_fn = peer_opened,
	.message_fn = peer_message,
	.closed_fn = peer_closed,
};

static const struct grpc_target peer_target = {
	.authority = "xds.example:18000",
	.path = "/test.Service/Stream",
	.scheme = "http",
	.max_message_bytes = 1 << 22,
	.max_queued_bytes = 1 << 22,
};

static inline struct peer *peer_create(const struct grpc_target *target)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct bufferevent *bev;
	int fds[2];

	assert_non_null(peer);
	// The client may close while we write.
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	peer->base = event_base_new();
	peer->fd = fds[1];
	peer->script = evbuffer_new();
	peer->received = evbuffer_new();
	peer->messages = evbuffer_new();
	assert_int_equal(nghttp2_hd_deflate_new(&peer->deflater, 4096), 0);
	bev = bufferevent_socket_new(
		peer->base, fds[0], BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	peer->grpc = grpc_create(bev, target, &peer_events, peer);
	assert_non_null(peer->grpc);
	return peer;
}

static inline void peer_destroy(struct peer *peer)
{
	grpc_destroy(peer->grpc);
	// bufferevent_free() leaves the rest to the loop.
	event_base_loop(peer->base, EVLOOP_NONBLOCK);
	close(peer->fd);
	evbuffer_free(peer->script);
	evbuffer_free(peer->received);
	evbuffer_free(peer->messages);
	nghttp2_hd_deflate_del(peer->deflater);
	event_base_free(peer->base);
	free(peer);
}

// Everything that is due without waiting for time.
static inline void peer_turn(struct peer *peer)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(peer->base, EVLOOP_NONBLOCK);
}

// Waits for *count to reach n.
static inline void peer_wait(struct peer *peer, const uint32_t *count, uint32_t n)
{
	const time_t until = time(NULL) + PEER_WAIT_S;

	while (*count < n && time(NULL) < until) {
		const struct timeval tick = {.tv_usec = 10000};

		event_base_loopexit(peer->base, &tick);
		event_base_loop(peer->base, EVLOOP_ONCE);
	}
	assert_true(*count >= n);
}

static inline void peer_frame(struct peer *peer, uint8_t type, uint8_t flags, uint32_t stream,
	const void *payload, size_t len)
{
	const uint8_t head[PEER_FRAME_HEADER_LEN] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8),
		(uint8_t)len, type, flags, (uint8_t)(stream >> 24), (uint8_t)(stream >> 16),
		(uint8_t)(stream >> 8), (uint8_t)stream};

	evbuffer_add(peer->script, head, sizeof(head));
	evbuffer_add(peer->script, payload, len);
}

// n bytes of the script to the client, who reads them.
static inline void peer_flush_n(struct peer *peer, size_t n)
{
	const time_t until = time(NULL) + PEER_WAIT_S;

	while (n > 0) {
		const int sent = evbuffer_write_atmost(peer->script, peer->fd, (ev_ssize_t)n);

		if (sent > 0)
			n -= (size_t)sent;
		else if (errno != EAGAIN)
			break; // the client has gone
		peer_turn(peer);
		assert_true(time(NULL) < until);
	}
	peer_turn(peer);
}

static inline void peer_flush(struct peer *peer)
{
	peer_flush_n(peer, evbuffer_get_length(peer->script));
}

// Whose server's settings have come, so that the call was made.
static inline struct peer *peer_create_called(const struct grpc_target *target)
{
	struct peer *peer = peer_create(target);

	peer_frame(peer, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	peer_frame(peer, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
	peer_flush(peer);
	assert_int_equal(peer->n_opened, 1);
	return peer;
}

static inline void put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void peer_setting(struct peer *peer, uint16_t id, uint32_t value)
{
	uint8_t payload[6] = {(uint8_t)(id >> 8), (uint8_t)id};

	put32(payload + 2, value);
	peer_frame(peer, NGHTTP2_SETTINGS, 0, 0, payload, sizeof(payload));
}

// fields: name, value, ..., NULL.
static inline void peer_headers(struct peer *peer, uint8_t flags, const char *const *fields)
{
	nghttp2_nv nv[16] = {0};
	uint8_t block[4096];
	size_t n = 0;
	ssize_t len;

	for (; fields[2 * n] != NULL; n++)
		nv[n] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)fields[2 * n],
			.namelen = strlen(fields[2 * n]),
			.value = (uint8_t *)(uintptr_t)fields[2 * n + 1],
			.valuelen = strlen(fields[2 * n + 1])};
	len = nghttp2_hd_deflate_hd(peer->deflater, block, sizeof(block), nv, n);
	assert_true(len > 0);
	peer_frame(peer, NGHTTP2_HEADERS, flags | NGHTTP2_FLAG_END_HEADERS, PEER_STREAM, block,
		(size_t)len);
}

#define PEER_HEADERS(peer, flags, ...)                                                             \
	peer_headers(peer, flags, (const char *const[]){__VA_ARGS__, NULL})

// The usual beginning of a response.
static inline void peer_respond(struct peer *peer)
{
	PEER_HEADERS(peer, 0, ":status", "200", "content-type", "application/grpc");
}

static inline void peer_data(struct peer *peer, uint8_t flags, const void *bytes, size_t len)
{
	peer_frame(peer, NGHTTP2_DATA, flags, PEER_STREAM, bytes, len);
}

// A gRPC message behind what is in to already; its bytes count up from first.
static inline size_t peer_put_message(uint8_t *to, size_t n, uint8_t first, size_t len)
{
	to[n] = 0;
	put32(to + n + 1, (uint32_t)len);
	for (size_t i = 0; i < len; i++)
		to[n + 5 + i] = (uint8_t)(first + i);
	return n + 5 + len;
}

static inline void peer_message_frame(struct peer *peer, uint8_t first, size_t len)
{
	uint8_t *bytes = malloc(len + 5);

	assert_non_null(bytes);
	peer_data(peer, 0, bytes, peer_put_message(bytes, 0, first, len));
	free(bytes);
}

// The next frame from the client, without its preface. False: none has come.
static inline bool peer_take(struct peer *peer, struct peer_frame *frame)
{
	uint8_t head[PEER_FRAME_HEADER_LEN];

	peer_turn(peer);
	while (evbuffer_read(peer->received, peer->fd, -1) > 0)
		peer_turn(peer);
	if (evbuffer_copyout(peer->received, head, 4) == 4 && memcmp(head, "PRI ", 4) == 0)
		evbuffer_drain(peer->received, NGHTTP2_CLIENT_MAGIC_LEN);
	if (evbuffer_copyout(peer->received, head, sizeof(head)) != sizeof(head))
		return false;
	*frame = (struct peer_frame){.len = (uint32_t)head[0] << 16 | head[1] << 8 | head[2],
		.type = head[3],
		.flags = head[4],
		.stream = (uint32_t)head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8],
		.payload = peer->taken + sizeof(head)};
	assert_true(frame->len + sizeof(head) <= sizeof(peer->taken));
	if (evbuffer_get_length(peer->received) < frame->len + sizeof(head))
		return false;
	evbuffer_remove(peer->received, peer->taken, frame->len + sizeof(head));
	return true;
}

// The next one of a type, others aside.
static inline bool peer_take_type(struct peer *peer, uint8_t type, struct peer_frame *frame)
{
	while (peer_take(peer, frame))
		if (frame->type == type && (type != NGHTTP2_SETTINGS || frame->flags == 0))
			return true;
	return false;
}

static inline void peer_expect_status(struct peer *peer, enum grpc_code code, const char *text)
{
	assert_int_equal(peer->n_closed, 1);
	assert_string_equal(peer->status.text, text);
	assert_int_equal(peer->status.code, code);
}
