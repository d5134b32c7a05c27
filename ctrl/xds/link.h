// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one stream to an xDS server, kept up: servers in order of preference, each with a deadline for connecting, and
// jittered exponential back-off when none of them answers. On the control core's loop; events come from the
// loop, never from inside a call.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl/xds/grpc.h"

struct dns;
struct event_base;
struct xds_secret;
struct xds_transport_spec;

struct link_events {
	// A stream is open: nothing was sent on it yet. server: "host:port".
	void (*up_fn)(void *ctx, const char *server);
	void (*message_fn)(void *ctx, const uint8_t *bytes, size_t n_bytes);
	// The stream that was up is gone. Attempts that never come up are told by link_status() and the log only.
	void (*down_fn)(void *ctx, const char *why);
};

enum link_state {
	LINK_CONNECTING, // name, TCP, TLS, HTTP/2
	LINK_UP,
	LINK_WAITING, // back-off
};

// For views and metrics.
struct link_status {
	enum link_state state;
	const char *server; // the one of now, or the last one tried; "": none yet
	bool answered;	    // at least one message on this stream
	uint64_t n_attempts;
	uint64_t n_streams;	   // that came up
	uint32_t n_failed_rounds;  // in a row, since the last stream that answered
	uint32_t wait_ms;	   // LINK_WAITING: until the next attempt
	uint64_t up_ms;		   // LINK_UP: since
	char why[512];		   // the last failure; "": none
	int64_t own_not_after;	   // when our certificate expires, in seconds since 1970; 0: none
	struct grpc_counts counts; // of all streams
};

struct link;

// The longest wait after so many rounds without an answer.
uint32_t link_backoff_bound_ms(uint32_t n_failed_rounds);

// spec and dns outlive the link. path: the gRPC method. Connects from the loop. NULL with errno.
struct link *link_create(struct event_base *base, struct dns *dns,
	const struct xds_transport_spec *spec, const char *path, const struct link_events *events,
	void *ctx);

// -ENOTCONN: no stream is up. -ENOBUFS: the server does not read; down_fn follows from the loop. -ENOMEM.
int link_send(struct link *link, const uint8_t *bytes, size_t n_bytes);

// Stops and goes on giving out messages of this stream; a new stream starts without a pause.
void link_pause(struct link *link);
void link_resume(struct link *link);

// From inside message_fn: when the message came (grpc_message_us()).
uint64_t link_message_us(const struct link *link);

// What came on the stream makes no sense: ends it; down_fn follows from the loop with why, and another attempt as
// after any failure.
void link_reset(struct link *link, const char *why);

// The secret of a name in spec (sds_certificate, sds_ca), or NULL when it is gone: the files again. Holds from the
// next connection on; copies what it needs. 0, or -EINVAL with why the secret cannot be used: nothing changes.
int link_set_secret(
	struct link *link, const char *name, const struct xds_secret *secret, char *why);

void link_status(const struct link *link, struct link_status *status);
// Not from an event. NULL is fine.
void link_destroy(struct link *link);
