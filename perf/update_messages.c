// SPDX-License-Identifier: Apache-2.0

// Protobuf by hand: a message inside another one is written behind room for its length.

#include "perf/update_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LEN_BYTES = 5, // of a length, as a varint with leading bytes kept
};

static void add(struct update_message *m, const void *bytes, size_t n)
{
	while (m->n_room - m->n_bytes < n) {
		m->n_room = m->n_room == 0 ? 4096 : 2 * m->n_room;
		m->bytes = realloc(m->bytes, m->n_room);
		if (m->bytes == NULL)
			abort();
	}
	memcpy(m->bytes + m->n_bytes, bytes, n);
	m->n_bytes += n;
}

static void add_varint(struct update_message *m, uint64_t value)
{
	do {
		uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);

		add(m, &byte, 1);
		value >>= 7;
	} while (value > 0);
}

static void add_number(struct update_message *m, uint32_t field, uint64_t value)
{
	add_varint(m, field << 3);
	add_varint(m, value);
}

static void add_text(struct update_message *m, uint32_t field, const char *text)
{
	add_varint(m, field << 3 | 2);
	add_varint(m, strlen(text));
	add(m, text, strlen(text));
}

// Returns what end() needs.
static size_t begin(struct update_message *m, uint32_t field)
{
	static const uint8_t room[LEN_BYTES];

	add_varint(m, field << 3 | 2);
	add(m, room, sizeof(room));
	return m->n_bytes;
}

static void end(struct update_message *m, size_t start)
{
	size_t n = m->n_bytes - start;

	for (int i = 0; i < LEN_BYTES; i++, n >>= 7)
		m->bytes[start - LEN_BYTES + (size_t)i] =
			(uint8_t)((n & 0x7f) | (i < LEN_BYTES - 1 ? 0x80 : 0));
}

// An Any in a field; the message is ended twice.
struct any {
	size_t outer;
	size_t inner;
};

static struct any begin_any(struct update_message *m, uint32_t field, const char *url)
{
	struct any any = {.outer = begin(m, field)};

	add_text(m, 1, url);
	any.inner = begin(m, 2);
	return any;
}

static void end_any(struct update_message *m, struct any any)
{
	end(m, any.inner);
	end(m, any.outer);
}

static void add_address(struct update_message *m, uint32_t field, const char *ip, uint32_t port)
{
	size_t address = begin(m, field), socket = begin(m, 1);

	add_text(m, 2, ip);
	add_number(m, 3, port);
	end(m, socket);
	end(m, address);
}

static void add_ads(struct update_message *m, uint32_t field)
{
	size_t source = begin(m, field), ads = begin(m, 3);

	end(m, ads);
	end(m, source);
}

static void name_of(char text[32], const char *word, uint32_t service)
{
	snprintf(text, 32, "%s-%05u", word, service);
}

static void add_cluster(struct update_message *m, uint32_t service)
{
	size_t part;
	char name[32];

	name_of(name, "cluster", service);
	add_text(m, 1, name);
	add_number(m, 2, 3); // EDS
	part = begin(m, 3);
	add_ads(m, 1);
	end(m, part);
	part = begin(m, 4);
	add_number(m, 1, 5);
	end(m, part);
}

static void add_endpoint(struct update_message *m, uint32_t service, uint32_t i, uint32_t turn)
{
	size_t lb_endpoint = begin(m, 2), endpoint = begin(m, 1);
	char ip[32];

	snprintf(ip, sizeof(ip), "10.%u.%u.%u", 16 + service / 256, service % 256,
		1 + i + (i == UPDATE_ENDPOINTS - 1 ? turn : 0));
	add_address(m, 1, ip, 8080);
	end(m, endpoint);
	end(m, lb_endpoint);
}

static void add_endpoints(struct update_message *m, uint32_t service, uint32_t turn)
{
	char name[32];
	size_t locality;

	name_of(name, "cluster", service);
	add_text(m, 1, name);
	locality = begin(m, 2);
	for (uint32_t i = 0; i < UPDATE_ENDPOINTS; i++)
		add_endpoint(m, service, i, turn);
	end(m, locality);
}

static void add_route(struct update_message *m, uint32_t service, uint32_t i)
{
	static const char *const prefixes[UPDATE_ROUTES] = {
		"/api/v1/orders", "/api/v1/users", "/static/", "/"};
	size_t route = begin(m, 3), part;
	char name[32];

	part = begin(m, 1);
	add_text(m, 1, prefixes[i]);
	end(m, part);
	part = begin(m, 2);
	name_of(name, "cluster", service);
	add_text(m, 1, name);
	end(m, part);
	end(m, route);
}

static void add_host(struct update_message *m, uint32_t service)
{
	size_t host = begin(m, 2);
	char text[64];

	name_of(text, "host", service);
	add_text(m, 1, text);
	snprintf(text, sizeof(text), "service-%05u.lattice.local", service);
	add_text(m, 2, text);
	for (uint32_t i = 0; i < UPDATE_ROUTES; i++)
		add_route(m, service, i);
	end(m, host);
}

static void add_listener(struct update_message *m, uint32_t service)
{
	static const char manager_url[] =
		"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpConnectionManager";
	size_t chain, filter, part;
	struct any any;
	char text[32];

	name_of(text, "listener", service);
	add_text(m, 1, text);
	snprintf(text, sizeof(text), "10.200.%u.%u", service / 250, 1 + service % 250);
	add_address(m, 2, text, 80);
	chain = begin(m, 3);
	filter = begin(m, 3);
	add_text(m, 1, "http");
	any = begin_any(m, 4, manager_url);
	part = begin(m, 3);
	add_ads(m, 1);
	name_of(text, "routes", service);
	add_text(m, 2, text);
	end(m, part);
	part = begin(m, 5);
	add_text(m, 1, "envoy.filters.http.router");
	end(m, part);
	end_any(m, any);
	end(m, filter);
	end(m, chain);
}

static void begin_response(struct update_message *m, enum xds_type type)
{
	static uint32_t nonce;
	char text[32];

	m->n_bytes = 0;
	snprintf(text, sizeof(text), "%u", ++nonce);
	add_text(m, 1, text);
	add_text(m, 4, xds_type_url(type));
	add_text(m, 5, text);
}

static void add_resource(struct update_message *m, enum xds_type type, enum update_shape shape,
	uint32_t service, uint32_t n_services)
{
	struct any any = begin_any(m, 2, xds_type_url(type));
	char name[32];

	if (type == XDS_CLUSTER) {
		add_cluster(m, service);
	} else if (type == XDS_ENDPOINTS) {
		add_endpoints(m, service, 0);
	} else if (type == XDS_LISTENER) {
		add_listener(m, service);
	} else {
		name_of(name, "routes", service);
		add_text(m, 1, name);
		for (uint32_t i = 0; i < (shape == UPDATE_ALL_IN_ONE ? n_services : 1); i++)
			add_host(m, service + i);
	}
	end_any(m, any);
}

void update_message_full(struct update_message *message, enum xds_type type,
	enum update_shape shape, uint32_t n_services)
{
	bool is_one = shape == UPDATE_ALL_IN_ONE && (type == XDS_LISTENER || type == XDS_ROUTES);

	begin_response(message, type);
	for (uint32_t i = 0; i < (is_one ? 1 : n_services); i++)
		add_resource(message, type, shape, i, n_services);
}

void update_message_endpoint(struct update_message *message, uint32_t service, uint32_t turn)
{
	struct any any;

	begin_response(message, XDS_ENDPOINTS);
	any = begin_any(message, 2, xds_type_url(XDS_ENDPOINTS));
	add_endpoints(message, service, turn);
	end_any(message, any);
}

void update_message_free(struct update_message *message)
{
	free(message->bytes);
	*message = (struct update_message){0};
}
