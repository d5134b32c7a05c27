// SPDX-License-Identifier: Apache-2.0
#pragma once

// A gRPC call that streams both ways, as a client: HTTP/2 by nghttp2 on one connection of its own. Memory is
// bounded whatever the server sends: one message (max_message_bytes) plus one flow-control window. On the
// control core's loop; events come from the loop, never from inside a call.

#include <stddef.h>
#include <stdint.h>

#include "ctrl/xds/grpc_status.h"

struct bufferevent;

struct grpc_events {
	// The request is on its way: the server speaks HTTP/2 and allows the stream.
	void (*opened_fn)(void *ctx);
	// A whole message; bytes are valid until the function returns.
	void (*message_fn)(void *ctx, const uint8_t *bytes, size_t n_bytes);
	// The end, once, after every whole message was given out. The owner still calls grpc_destroy().
	void (*closed_fn)(void *ctx, const struct grpc_status *status);
};

struct grpc_target {
	const char *authority; // "xds.example:18000"
	const char *path;      // "/package.Service/Method"
	const char *scheme;    // "http" or "https"
	// 0: the default.
	uint32_t max_message_bytes;    // of a message from the server; 64 MiB
	uint32_t max_queued_bytes;     // of messages to the server; 16 MiB
	uint32_t keepalive_ms;	       // 300 s, as gRPC's own xDS clients have it
	uint32_t keepalive_timeout_ms; // 20 s
};

struct grpc_counts {
	uint64_t rx_messages;
	uint64_t tx_messages;
	uint64_t rx_bytes; // of messages
	uint64_t tx_bytes;
	uint64_t too_big; // messages refused for their length
	uint64_t pings;
};

struct grpc;

// Takes the bufferevent, which is connected; on failure, too. Strings of target are copied. NULL with errno.
struct grpc *grpc_create(struct bufferevent *bev, const struct grpc_target *target,
	const struct grpc_events *events, void *ctx);

// Queues a message. -ENOTCONN: closed. -ENOBUFS: the server does not read what it is sent; the call ends with
// RESOURCE_EXHAUSTED. -ENOMEM.
int grpc_send(struct grpc *grpc, const uint8_t *bytes, size_t n_bytes);

// No messages from here on, not even those that are here already; the server may send one window more.
void grpc_pause(struct grpc *grpc);
void grpc_resume(struct grpc *grpc);

const struct grpc_counts *grpc_counts(const struct grpc *grpc);
// Of the message that is being told: when its last byte was read, in microseconds of CLOCK_MONOTONIC. One behind which
// others wait may be older than that, never younger.
uint64_t grpc_message_us(const struct grpc *grpc);

// Cancels the stream if it is open. Also from an event. NULL is fine.
void grpc_destroy(struct grpc *grpc);
