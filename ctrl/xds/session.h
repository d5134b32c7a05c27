// SPDX-License-Identifier: Apache-2.0
#pragma once

// The discovery protocol over one stream of all types (ADS), state-of-the-world or incremental: what is asked for,
// what is answered, and what of a response goes into the store. A state machine without a clock or a socket: time
// and the stream's events come as arguments, requests go out through session_ops. On the control core's loop.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl/xds/refers.h"
#include "ctrl/xds/resource.h"

struct session;
struct store;

// What a session needs of the world. ctx comes first everywhere.
struct session_ops {
	// A request for the stream; it is up. Failures are the stream's end, which session_down() will tell.
	void (*send_fn)(void *ctx, const uint8_t *bytes, size_t n_bytes);
	// The server speaks nonsense: end the stream. session_down() follows.
	void (*reset_fn)(void *ctx, const char *why);
	// Decodes and checks a resource: 0 and one reference, or -errno with why.
	int (*accept_fn)(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
		struct xds_resource **resource, struct refusal *refusal);
	// Tells the names that a resource refers to which accept_fn has refused (ctrl/xds/refers.h).
	void (*refer_fn)(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
		refers_fn found_fn, void *arg);
	// The node's own secret is gone: its time is over, or the server took it back.
	void (*lost_secret_fn)(void *ctx, const char *name);
	// The store has changed: once for a response, or for what time has brought.
	void (*changed_fn)(void *ctx);
	// Whether session_work() should return to the loop; asked between two resources.
	bool (*is_due_fn)(void *ctx);
};

// Of one type. Times are those that were passed in; 0: never.
struct session_type_status {
	bool asked;	     // on this stream
	const char *version; // last accepted; "": none
	const char *nonce;   // of the last response on this stream; ""
	uint64_t n_responses;
	uint64_t n_acks;
	uint64_t n_nacks;
	uint64_t n_resources; // in all responses
	uint64_t n_decoded;   // of them: their bytes had changed
	uint64_t response_ms;
	uint64_t ack_ms;
	uint64_t nack_ms;
	const char *nack; // what the last one said; ""
	uint32_t n_held;
	uint32_t n_wanted;
	uint32_t n_refused;
	uint32_t n_absent;
};

struct session_status {
	bool is_up;
	uint64_t up_ms; // since; or down since
	uint64_t n_requests;
	uint64_t n_unasked; // responses for types that were never asked for, dropped
	uint64_t n_resets;  // streams that were ended for nonsense
	char control_plane[128];
};

// spec and store outlive it. NULL with errno ENOMEM.
struct session *session_create(
	const struct xds_spec *spec, struct store *store, const struct session_ops *ops, void *ctx);
// NULL is fine.
void session_destroy(struct session *session);

// The gRPC method that the session is spoken over.
const char *session_path(const struct xds_spec *spec);

// A secret is wanted by name for the node's own use, for ever.
int session_want_secret(struct session *session, const char *name, uint64_t now_ms);

// The stream: up, a message, down. A message is copied; no other may come until session_work() has returned false.
void session_up(struct session *session, uint64_t now_ms);
void session_message(
	struct session *session, const uint8_t *bytes, size_t n_bytes, uint64_t now_ms);
void session_down(struct session *session, uint64_t now_ms);

// Goes on with the message. Returns true while there is more to do: call again, from the loop.
bool session_work(struct session *session, uint64_t now_ms);

// What time has brought. Call at session_deadline_ms(); UINT64_MAX: at no time.
void session_tick(struct session *session, uint64_t now_ms);
uint64_t session_deadline_ms(const struct session *session);

void session_status(const struct session *session, struct session_status *status);
void session_type_status(
	const struct session *session, enum xds_type type, struct session_type_status *status);
