// SPDX-License-Identifier: Apache-2.0

// A request whose client left stays ours, without a connection, until it is answered: libevent frees it
// then.

#include "ctrl/admin/reply.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reply *reply_create(struct ctrl *ctrl, struct evhttp_request *req, struct reply_list *list)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *query = evhttp_uri_get_query(uri);
	struct reply *reply = calloc(1, sizeof(*reply));

	if (reply == NULL) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return NULL;
	}
	reply->ctrl = ctrl;
	reply->req = req;
	TAILQ_INIT(&reply->params);
	LIST_INSERT_HEAD(list, reply, link);
	if (query != NULL && evhttp_parse_query_str(query, &reply->params) != 0) {
		reply_error(reply, HTTP_BADREQUEST, "the query after \"?\" is malformed");
		return NULL;
	}
	return reply;
}

static void destroy(struct reply *reply)
{
	LIST_REMOVE(reply, link);
	evhttp_clear_headers(&reply->params);
	free(reply);
}

const char *reply_param(const struct reply *reply, const char *name)
{
	return evhttp_find_header(&reply->params, name);
}

bool reply_read_number(
	struct reply *reply, const char *name, uint32_t min, uint32_t max, uint32_t *value)
{
	const char *text = reply_param(reply, name);
	unsigned long number;
	char *end;

	if (text == NULL)
		return true;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < min ||
		number > max) {
		reply_error(reply, HTTP_BADREQUEST, "%s must be a number from %u to %u", name, min,
			max);
		return false;
	}
	*value = (uint32_t)number;
	return true;
}

void reply_defer(struct reply *reply, void (*cancel_fn)(void *arg), void *arg)
{
	reply->cancel_fn = cancel_fn;
	reply->cancel_arg = arg;
}

static struct bufferevent *connection_of(const struct reply *reply)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(reply->req);

	return connection == NULL ? NULL : evhttp_connection_get_bufferevent(connection);
}

bool reply_is_abandoned(const struct reply *reply)
{
	struct bufferevent *connection = connection_of(reply);
	struct pollfd pollfd = {.events = 0};

	if (connection == NULL)
		return true;
	// libevent does not read, and so does not notice, while a request is being answered.
	pollfd.fd = bufferevent_getfd(connection);
	return poll(&pollfd, 1, 0) == 1 && (pollfd.revents & (POLLHUP | POLLERR)) != 0;
}

static int append_bytes(const char *bytes, size_t n_bytes, void *out)
{
	return evbuffer_add(out, bytes, n_bytes);
}

int reply_append_json(struct evbuffer *out, const json_t *value)
{
	return json_dump_callback(value, append_bytes, out, JSON_COMPACT) == 0 ? 0 : -ENOMEM;
}

json_t *reply_string(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string != NULL)
		return string;
	copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

static const char json_content[] = "application/json";

static void set_headers(struct reply *reply, const char *content_type)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(reply->req);

	evhttp_add_header(headers, "Content-Type", content_type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
}

static void send_json(struct reply *reply, int status, json_t *body)
{
	struct evbuffer *out = evbuffer_new();

	if (body == NULL || out == NULL || reply_append_json(out, body) != 0 ||
		evbuffer_add(out, "\n", 1) != 0) {
		evhttp_send_error(reply->req, HTTP_INTERNAL, NULL);
	} else {
		set_headers(reply, json_content);
		evhttp_send_reply(reply->req, status, NULL, out);
	}
	if (out != NULL)
		evbuffer_free(out);
	json_decref(body);
	destroy(reply);
}

void reply_json(struct reply *reply, json_t *body)
{
	send_json(reply, HTTP_OK, body);
}

void reply_error(struct reply *reply, int status, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	send_json(reply, status, json_pack("{s:o}", "error", reply_string(text)));
}

void reply_begin(struct reply *reply)
{
	set_headers(reply, json_content);
	evhttp_send_reply_start(reply->req, HTTP_OK, NULL);
}

void reply_begin_text(struct reply *reply)
{
	set_headers(reply, "text/plain; version=0.0.4; charset=utf-8");
	evhttp_send_reply_start(reply->req, HTTP_OK, NULL);
}

void reply_chunk(struct reply *reply, struct evbuffer *chunk)
{
	evhttp_send_reply_chunk(reply->req, chunk);
	evbuffer_drain(chunk, evbuffer_get_length(chunk));
}

size_t reply_n_unsent(const struct reply *reply)
{
	struct bufferevent *connection = connection_of(reply);

	return connection == NULL ? 0 : evbuffer_get_length(bufferevent_get_output(connection));
}

void reply_end(struct reply *reply)
{
	evhttp_send_reply_end(reply->req);
	destroy(reply);
}

void reply_cancel_all(struct reply_list *list)
{
	while (!LIST_EMPTY(list)) {
		struct reply *reply = LIST_FIRST(list);

		if (reply->cancel_fn != NULL)
			reply->cancel_fn(reply->cancel_arg);
		if (evhttp_request_get_connection(reply->req) == NULL)
			evhttp_request_free(reply->req);
		destroy(reply);
	}
}
