// SPDX-License-Identifier: Apache-2.0
#pragma once

// An answer to one admin request, sent at once or later. A reply is finished exactly once, by
// reply_json(), reply_error() or reply_end(), which free it. The client may leave, and the server may
// go down, before that: the first makes reply_is_abandoned() true and finishing still frees; the second
// calls the cancel function of a deferred reply, and the reply is gone after it.

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/keyvalq_struct.h>
#include <jansson.h>

struct ctrl;
struct evbuffer;
struct evhttp_request;

LIST_HEAD(reply_list, reply);

struct reply {
	LIST_ENTRY(reply) link;
	struct ctrl *ctrl;
	struct evhttp_request *req;
	struct evkeyvalq params;
	void (*cancel_fn)(void *arg);
	void *cancel_arg;
};

// NULL when out of memory or the query cannot be read; then the request has been answered.
struct reply *reply_create(struct ctrl *ctrl, struct evhttp_request *req, struct reply_list *list);

// The query parameter, or NULL when it is not given.
const char *reply_param(const struct reply *reply, const char *name);
// Reads it as a number from min to max; absent: value stays. False after answering 400: the reply is gone.
bool reply_read_number(
	struct reply *reply, const char *name, uint32_t min, uint32_t max, uint32_t *value);

// From now on the reply is answered by a later event; cancel_fn(arg) is called when the server goes down
// before, and must not finish the reply.
void reply_defer(struct reply *reply, void (*cancel_fn)(void *arg), void *arg);
// The client has left; costs a system call.
bool reply_is_abandoned(const struct reply *reply);

// Answers with body, which it takes over; NULL (out of memory) becomes an error.
void reply_json(struct reply *reply, json_t *body);
// {"error": "..."}
void reply_error(struct reply *reply, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// An answer in pieces: begin, chunks (emptied), end.
void reply_begin(struct reply *reply);
// Likewise, of Prometheus's text.
void reply_begin_text(struct reply *reply);
void reply_chunk(struct reply *reply, struct evbuffer *chunk);
// Bytes that the client has not taken yet.
size_t reply_n_unsent(const struct reply *reply);
void reply_end(struct reply *reply);

// Cancels what is still being answered. Requests that have a connection go with the server.
void reply_cancel_all(struct reply_list *list);

// Appends value as compact JSON; 0 or -ENOMEM.
int reply_append_json(struct evbuffer *out, const json_t *value);
// Text of unknown origin: what is no UTF-8 is replaced.
json_t *reply_string(const char *text);
