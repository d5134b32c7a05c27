// SPDX-License-Identifier: Apache-2.0

// A gRPC call against arbitrary bytes from the server. An input is one byte, how it is fed, then what the server sends:
// before its settings or after them, in pieces, to a call that is paused after its first message or not. However
// that goes, no message is longer than allowed or came from nowhere, and the call ends once.

#include "ctrl/xds/grpc.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MAX_LEN = 8192,
	MAX_MESSAGE = 1024,
	TURNS = 4,
	HAS_SETTINGS = 0x80,
	PAUSES = 0x40,
	PIECE_MASK = 0x3f,
};

struct call {
	struct event_base *base;
	struct grpc *grpc;
	bool pauses;
	size_t n_bytes; // of messages, with their prefixes
	unsigned int n_opened;
	unsigned int n_closed;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void on_opened(void *ctx)
{
	struct call *call = ctx;

	require(call->n_opened++ == 0);
	require(grpc_send(call->grpc, (const uint8_t *)"hello", 5) != -ENOBUFS);
}

static void on_message(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct call *call = ctx;
	uint8_t copy[MAX_MESSAGE];

	require(call->n_opened == 1 && call->n_closed == 0 && n_bytes <= MAX_MESSAGE);
	memcpy(copy, bytes, n_bytes);
	call->n_bytes += 5 + n_bytes;
	if (call->pauses)
		grpc_pause(call->grpc);
}

static void on_closed(void *ctx, const struct grpc_status *status)
{
	struct call *call = ctx;

	require(call->n_closed++ == 0 && strlen(status->text) < sizeof(status->text));
}

static const struct grpc_events events = {
	.opened_fn = on_opened,
	.message_fn = on_message,
	.closed_fn = on_closed,
};

static void turn(struct call *call)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(call->base, EVLOOP_NONBLOCK);
}

static void send_piece(struct call *call, int fd, const void *bytes, size_t n)
{
	// To a client that has gone.
	if (send(fd, bytes, n, MSG_NOSIGNAL) < 0)
		return;
	turn(call);
}

static void start(struct call *call, int fd)
{
	static const struct grpc_target target = {.authority = "fuzz",
		.path = "/fuzz",
		.scheme = "http",
		.max_message_bytes = MAX_MESSAGE};
	struct bufferevent *bev;

	call->base = event_base_new();
	require(call->base != NULL);
	bev = bufferevent_socket_new(
		call->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	require(bev != NULL);
	call->grpc = grpc_create(bev, &target, &events, call);
	require(call->grpc != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t settings[18] = {[3] = 4, [12] = 4, [13] = 1};
	struct call call = {.n_closed = 0};
	size_t piece;
	int fds[2];

	if (size < 2 || size > MAX_LEN)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	start(&call, fds[0]);
	call.pauses = (data[0] & PAUSES) != 0;
	piece = data[0] & PIECE_MASK ? data[0] & PIECE_MASK : size;
	if (data[0] & HAS_SETTINGS)
		send_piece(&call, fds[1], settings, sizeof(settings));
	for (size_t off = 1; off < size; off += piece)
		send_piece(&call, fds[1], data + off, size - off < piece ? size - off : piece);
	shutdown(fds[1], SHUT_RDWR);
	// One message at most for each five bytes, one a turn when paused.
	call.pauses = false;
	for (size_t i = 0; i < size && call.n_closed == 0; i++) {
		grpc_resume(call.grpc);
		turn(&call);
	}
	require(call.n_closed == 1 && call.n_bytes < size);
	grpc_destroy(call.grpc);
	turn(&call);
	event_base_free(call.base);
	close(fds[1]);
	return 0;
}
