// SPDX-License-Identifier: Apache-2.0
#pragma once

// A gRPC call's state, shared by grpc.c (bytes, time, events) and grpc_http2.c (what nghttp2 tells).

#include <stdbool.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#include "ctrl/xds/grpc.h"
#include "ctrl/xds/grpc_inbox.h"

struct bufferevent;
struct evbuffer;
struct event;

// A block of response header fields: of the response, or its trailers.
struct grpc_head {
	int http_status; // 0: trailers
	bool is_grpc;	 // by content-type
	bool has_code;
	enum grpc_code code;
	char message[sizeof(((struct grpc_status *)0)->text)];
};

struct grpc {
	struct bufferevent *bev;
	nghttp2_session *session;
	const struct grpc_events *events;
	void *ctx;
	struct event *turn;	   // events are due
	struct event *alive;	   // a ping is, or its answer was
	struct grpc_target target; // its strings in target_text
	char *target_text;
	int32_t stream_id; // 0: the server's settings have not come
	struct grpc_head head;
	struct grpc_inbox inbox;
	struct evbuffer *outbox; // messages with their prefixes
	bool outbox_waits;	 // nghttp2 was told that it is empty
	bool is_open;		 // the request has been sent
	bool told_open;
	bool is_paused;
	bool is_pinged;
	bool has_ended; // status says how
	bool told_closed;
	bool in_events;
	bool is_doomed; // destroyed from an event
	struct grpc_status status;
	char protocol_error[128]; // the last that nghttp2 told; "": none
	char goaway[128];	  // "": none came
	struct grpc_counts counts;
};

// 0 or -ENOMEM.
int grpc_http2_start(struct grpc *grpc);
// The end of the call, unless it has one already; the event follows from the loop.
void grpc_fail(struct grpc *grpc, enum grpc_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
