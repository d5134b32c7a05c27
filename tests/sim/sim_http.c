// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void sim_text_add(struct sim_text *text, const void *data, uint32_t len)
{
	if (text->len + len > text->size) {
		text->size = (text->len + len) * 2;
		text->data = sim_realloc(text->data, text->size);
	}
	if (len)
		memcpy(text->data + text->len, data, len);
	text->len += len;
}

void sim_text_print(struct sim_text *text, const char *format, ...)
{
	char line[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	sim_text_add(text, line, (uint32_t)len);
}

void sim_text_free(struct sim_text *text)
{
	free(text->data);
	*text = (struct sim_text){0};
}

// Some bodies look like requests: who loses its place in them shows.
uint8_t sim_body_byte(uint32_t id, uint32_t direction, uint32_t offset)
{
	static const char request[] = "GET /b/0 HTTP/1.1\r\nHost: sim\r\n\r\n";
	static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	uint32_t z = (id * 2 + direction) * 0x9e3779b9u + offset * 0x85ebca6bu;

	if (id % 4 == 1)
		return direction ? (uint8_t)response[offset % (sizeof(response) - 1)]
				 : (uint8_t)request[offset % (sizeof(request) - 1)];
	return (uint8_t)((z ^ (z >> 15)) * 0xc2b2ae35u >> 24);
}

struct sim_request *sim_request_new(struct sim *sim)
{
	struct sim_request *request = sim_alloc(sizeof(*request));

	if (sim->n_requests == sim->max_requests) {
		sim->max_requests = sim->max_requests * 2 + 64;
		sim->requests = sim_realloc(
			sim->requests, sim->max_requests * sizeof(struct sim_request *));
	}
	sim->requests[sim->n_requests] = request;
	request->id = sim->n_requests++;
	sim->n_open_requests++;
	return request;
}

struct sim_request *sim_request_again(struct sim *sim, const struct sim_request *old)
{
	struct sim_request *again = sim_request_new(sim);
	uint32_t id = again->id;

	memcpy(again, old, offsetof(struct sim_request, client));
	again->id = id;
	return again;
}

static void write_body(
	struct sim_text *out, uint32_t id, uint32_t direction, uint32_t from, uint32_t len)
{
	uint8_t piece[1024];

	while (len) {
		uint32_t n = len < sizeof(piece) ? len : sizeof(piece);

		for (uint32_t i = 0; i < n; i++)
			piece[i] = sim_body_byte(id, direction, from + i);
		sim_text_add(out, piece, n);
		from += n;
		len -= n;
	}
}

static void write_chunks(struct sim *sim, struct sim_text *out, uint32_t id, uint32_t direction,
	uint32_t len, bool trailers)
{
	uint32_t at = 0, most = sim_chance(sim, 500) ? 64 : 8000;

	while (at < len) {
		uint32_t n = sim_between(sim, 1, most);

		if (n > len - at)
			n = len - at;
		sim_text_print(out, sim_chance(sim, 100) ? "%X;a=\"b\"\r\n" : "%x\r\n", n);
		write_body(out, id, direction, at, n);
		sim_text_print(out, "\r\n");
		at += n;
	}
	sim_text_print(out, "0\r\n%s\r\n", trailers ? "x-sim-sum: 1\r\nx-sim-more: two\r\n" : "");
}

static void write_framed(struct sim *sim, struct sim_text *out, enum sim_framing framing,
	uint32_t id, uint32_t direction, uint32_t len, bool trailers)
{
	if (framing == SIM_CHUNKED)
		write_chunks(sim, out, id, direction, len, trailers);
	else if (framing == SIM_LENGTH || framing == SIM_UNTIL_CLOSE)
		write_body(out, id, direction, 0, len);
}

static void write_padding(struct sim_text *out, uint32_t len)
{
	char line[201];

	while (len) {
		uint32_t n = len < sizeof(line) - 1 ? len : sizeof(line) - 1;

		memset(line, 'p', n);
		line[n] = 0;
		sim_text_print(out, "x-padding: %s\r\n", line);
		len -= n;
	}
}

void sim_http_write_request(
	struct sim *sim, const struct sim_request *request, struct sim_text *out, uint32_t *body_at)
{
	sim_text_print(out, "%s%s /%c/%u HTTP/1.%u\r\nHost: sim\r\nx-sim-id: %u\r\n",
		request->empty_line ? "\r\n" : "", request->method, request->set, request->id,
		request->minor, request->id);
	if (request->framing == SIM_LENGTH)
		sim_text_print(out, "Content-Length: %u\r\n", request->body_len);
	else if (request->framing == SIM_CHUNKED)
		sim_text_print(out, "Transfer-Encoding: chunked\r\n");
	if (request->expects)
		sim_text_print(out, "Expect: 100-continue\r\n");
	if (request->upgrades)
		sim_text_print(out, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
	else if (request->says_close)
		sim_text_print(out, "Connection: close\r\n");
	else if (request->keep_old)
		sim_text_print(out, "Connection: keep-alive\r\n");
	if (request->id % 3 == 0)
		sim_text_print(out, "X-Forwarded-For: 192.0.2.7\r\n");
	write_padding(out, request->head_padding);
	sim_text_print(out, "\r\n");
	*body_at = out->len;
	write_framed(
		sim, out, request->framing, request->id, 0, request->body_len, request->trailers);
}

static bool has_body(const struct sim_request *request)
{
	return strcmp(request->method, "HEAD") != 0 && request->status != 204 &&
	       request->status != 304 && request->status != 101;
}

void sim_http_write_response(struct sim *sim, struct sim_request *request, uint32_t endpoint,
	struct sim_text *out, uint32_t *head_at, uint32_t *body_at)
{
	for (uint32_t i = 0; i < request->n_info; i++)
		sim_text_print(out, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	*head_at = out->len;
	if (request->garbage) {
		sim_text_print(out, "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello");
		*body_at = out->len;
		return;
	}
	sim_text_print(out, "HTTP/1.1 %u Sim\r\nx-sim-id: %u\r\nx-sim-endpoint: %u\r\n",
		request->status, request->id, endpoint);
	if (request->status == 101)
		sim_text_print(out, "Connection: upgrade\r\nUpgrade: websocket\r\n");
	else if (request->response_framing == SIM_LENGTH && request->status != 204)
		sim_text_print(out, "Content-Length: %u\r\n", request->response_len);
	else if (request->response_framing == SIM_CHUNKED && request->status != 204)
		sim_text_print(out, "Transfer-Encoding: chunked\r\n");
	if (request->closing == SIM_SAYS_CLOSE)
		sim_text_print(out, "Connection: close\r\n");
	else if (request->keep_old)
		sim_text_print(out, "Connection: keep-alive\r\n");
	sim_text_print(out, "\r\n");
	*body_at = out->len;
	if (has_body(request))
		write_framed(sim, out, request->response_framing, request->id, 1,
			request->response_len, request->response_trailers);
}

int sim_http_field(const uint8_t *head, uint32_t len, const char *name, const uint8_t **value)
{
	uint32_t name_len = (uint32_t)strlen(name);

	for (uint32_t i = 0; i + name_len + 3 < len; i++) {
		const uint8_t *end;

		if (head[i] != '\n' || head[i + 1 + name_len] != ':' ||
			strncasecmp((const char *)head + i + 1, name, name_len) != 0)
			continue;
		*value = head + i + name_len + 2;
		while (**value == ' ')
			(*value)++;
		end = memchr(*value, '\r', len - (size_t)(*value - head));
		return end ? (int)(end - *value) : -1;
	}
	return -1;
}

uint32_t sim_http_number(const uint8_t *head, uint32_t len, const char *name, uint32_t fallback)
{
	const uint8_t *value;

	return sim_http_field(head, len, name, &value) < 0 ? fallback
							   : (uint32_t)atol((const char *)value);
}

bool sim_http_has(const uint8_t *head, uint32_t len, const char *name, const char *value)
{
	const uint8_t *found;
	int found_len = sim_http_field(head, len, name, &found);

	return found_len == (int)strlen(value) &&
	       strncasecmp((const char *)found, value, (size_t)found_len) == 0;
}
