// SPDX-License-Identifier: Apache-2.0
#pragma once

// One attempt to reach a server: its name, then its addresses in turn, TCP and TLS, until one of them gives a
// connection. On the control core's loop; the answer comes from the loop, never from inside a call.

#include <stdint.h>

struct bufferevent;
struct dial;
struct dns;
struct event_base;
struct tls;
struct xds_server_spec;

// bev: connected, with its callbacks free, the callee's. NULL: why there is none.
typedef void (*dial_fn)(void *ctx, struct bufferevent *bev, const char *why);

// tls: NULL for plain text. timeout_ms: the caller's deadline for all of it, shared by the addresses. All outlive the
// attempt. NULL with errno.
struct dial *dial_start(struct event_base *base, struct dns *dns, struct tls *tls,
	const struct xds_server_spec *server, uint32_t timeout_ms, dial_fn fn, void *ctx);
// What the attempt is at, for the reason of a deadline: "looking up its name".
const char *dial_stage(const struct dial *dial);
// Ends it without an answer; after the answer it is gone by itself. NULL is fine.
void dial_cancel(struct dial *dial);
