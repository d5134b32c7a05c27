// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/xds_session_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctrl/xds/proto/discovery.pb-c.h"
#include "pipeline/arena.h"

// A resource of these tests is a Locality message, which begins with a name as real ones do: region is the name, zone
// what it refers to, sub_zone "TIMEOUT!WHY:TEXT".

static void append(char *line, const char *fmt, ...)
{
	size_t len = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + len, RIG_LINE_BYTES - len, fmt, args);
	va_end(args);
}

static void append_names(char *line, char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		append(line, "%s%s", i == 0 ? "" : " ", names[i]);
}

static void append_end(char *line, const Xds__Status *nack, const Xds__Node *node)
{
	if (nack != NULL)
		append(line, " NACK %d: %s", nack->code, nack->message);
	if (node != NULL)
		append(line, " node");
}

static void tell_sotw(char *line, const uint8_t *bytes, size_t n_bytes)
{
	Xds__DiscoveryRequest *request = xds__discovery_request__unpack(NULL, n_bytes, bytes);

	assert_non_null(request);
	append(line, "%s v=%s n=%s [", xds_type_word(xds_type_of(request->type_url)),
		request->version_info, request->response_nonce);
	append_names(line, request->resource_names, request->n_resource_names);
	append(line, "]");
	append_end(line, request->error_detail, request->node);
	xds__discovery_request__free_unpacked(request, NULL);
}

static void tell_delta(char *line, const uint8_t *bytes, size_t n_bytes)
{
	Xds__DeltaDiscoveryRequest *request =
		xds__delta_discovery_request__unpack(NULL, n_bytes, bytes);

	assert_non_null(request);
	append(line, "%s +[", xds_type_word(xds_type_of(request->type_url)));
	append_names(line, request->resource_names_subscribe, request->n_resource_names_subscribe);
	append(line, "] -[");
	append_names(
		line, request->resource_names_unsubscribe, request->n_resource_names_unsubscribe);
	append(line, "] have[");
	for (size_t i = 0; i < request->n_initial_resource_versions; i++)
		append(line, "%s%s=%s", i == 0 ? "" : " ",
			request->initial_resource_versions[i]->key,
			request->initial_resource_versions[i]->value);
	append(line, "] n=%s", request->response_nonce);
	append_end(line, request->error_detail, request->node);
	xds__delta_discovery_request__free_unpacked(request, NULL);
}

static void on_send(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct rig *rig = ctx;
	char *line = rig->sent[rig->n_sent++];

	assert_true(rig->n_sent <= RIG_MAX_SENT);
	line[0] = '\0';
	if (rig->spec.protocol == XDS_DELTA)
		tell_delta(line, bytes, n_bytes);
	else
		tell_sotw(line, bytes, n_bytes);
}

static void on_reset(void *ctx, const char *why)
{
	struct rig *rig = ctx;

	snprintf(rig->reset, sizeof(rig->reset), "%s", why);
}

static void fill_resource(struct xds_resource *resource, const Xds__Locality *body)
{
	struct arena *arena = resource->arena;
	struct xds_listener *listener;
	struct xds_cluster *cluster;
	const char *child = body->zone[0] == '\0' ? NULL : arena_strdup(arena, body->zone);
	uint32_t timeout_ms = (uint32_t)strtoul(body->sub_zone, NULL, 10);

	resource->name = arena_strdup(arena, body->region);
	if (resource->type == XDS_LISTENER) {
		listener = arena_alloc(arena, sizeof(*listener));
		listener->spec.route_configuration = child;
		listener->fetch_timeout_ms = timeout_ms;
		resource->listener = listener;
	} else if (resource->type == XDS_CLUSTER) {
		cluster = arena_alloc(arena, sizeof(*cluster));
		cluster->discovery = child == NULL ? XDS_STATIC : XDS_EDS;
		cluster->eds_name = child;
		cluster->fetch_timeout_ms = timeout_ms;
		resource->cluster = cluster;
	}
	// The rest of it, for rig_held().
	resource->n_ignored = 1;
	resource->ignored = arena_alloc(arena, sizeof(struct xds_ignored));
	((struct xds_ignored *)resource->ignored)->path =
		arena_strdup(arena, strchr(body->sub_zone, ':') + 1);
}

static int on_accept(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	struct xds_resource **resource, struct refusal *refusal)
{
	struct rig *rig = ctx;
	Xds__Locality *body = xds__locality__unpack(NULL, n_bytes, bytes);
	const char *why = body == NULL ? NULL : strchr(body->sub_zone, '!');
	struct arena *arena;

	rig->n_decoded++;
	if (body == NULL || strchr(body->sub_zone, ':') == NULL || why == NULL || why[1] != ':') {
		snprintf(refusal->text, sizeof(refusal->text), "%s %s: %.*s", xds_type_word(type),
			body == NULL ? "?" : body->region,
			why == NULL ? 0 : (int)strcspn(why + 1, ":"), why == NULL ? "" : why + 1);
		xds__locality__free_unpacked(body, NULL);
		return -EINVAL;
	}
	arena = arena_create();
	*resource = arena_alloc(arena, sizeof(**resource));
	(*resource)->n_refs = 1;
	(*resource)->type = type;
	(*resource)->arena = arena;
	fill_resource(*resource, body);
	xds__locality__free_unpacked(body, NULL);
	return 0;
}

// "a,b": a refused resource of these tests may refer to several.
static void on_refer(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	refers_fn found_fn, void *arg)
{
	Xds__Locality *body = xds__locality__unpack(NULL, n_bytes, bytes);
	enum xds_type child = type == XDS_CLUSTER ? XDS_ENDPOINTS : XDS_ROUTES;

	(void)ctx;
	for (const char *at = body == NULL ? "" : body->zone; *at != '\0'; at += *at == ',') {
		size_t len = strcspn(at, ",");

		found_fn(arg, child, at, len);
		at += len;
	}
	xds__locality__free_unpacked(body, NULL);
}

static void on_lost_secret(void *ctx, const char *name)
{
	struct rig *rig = ctx;

	snprintf(rig->lost_secret, sizeof(rig->lost_secret), "%s", name);
}

static void on_changed(void *ctx)
{
	struct rig *rig = ctx;
	const struct xds_entry *entry;

	rig->n_changed++;
	while ((entry = store_take_changed(rig->store)) != NULL)
		append(rig->changes, "%s%s %s", rig->changes[0] == '\0' ? "" : ", ",
			xds_type_word(entry->type), entry->name);
}

static bool on_due(void *ctx)
{
	struct rig *rig = ctx;

	if (rig->slice == 0 || --rig->n_until_due > 0)
		return false;
	rig->n_until_due = rig->slice;
	return true;
}

struct rig *rig_create(enum xds_protocol protocol)
{
	static const struct session_ops ops = {.send_fn = on_send,
		.reset_fn = on_reset,
		.accept_fn = on_accept,
		.refer_fn = on_refer,
		.lost_secret_fn = on_lost_secret,
		.changed_fn = on_changed,
		.is_due_fn = on_due};
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->now_ms = RIG_START_MS;
	rig->spec = (struct xds_spec){.protocol = protocol,
		.node_id = "node-1",
		.node_cluster = "",
		.region = "",
		.zone = "",
		.sub_zone = "",
		.max_resources = 1000};
	rig->store = store_create();
	assert_non_null(rig->store);
	rig->session = session_create(&rig->spec, rig->store, &ops, rig);
	assert_non_null(rig->session);
	return rig;
}

void rig_destroy(struct rig *rig)
{
	session_destroy(rig->session);
	store_destroy(rig->store);
	free(rig);
}

int rig_setup_sotw(void **state)
{
	*state = rig_create(XDS_SOTW);
	return 0;
}

int rig_setup_delta(void **state)
{
	*state = rig_create(XDS_DELTA);
	return 0;
}

int rig_teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

void rig_up(struct rig *rig)
{
	rig->reset[0] = '\0';
	session_up(rig->session, rig->now_ms);
}

void rig_down(struct rig *rig)
{
	session_down(rig->session, rig->now_ms);
}

// One word of a response, in its parts.
struct word {
	char name[128];
	char child[128];
	char why[128];
	char text[128];
	char version[128];
	char timeout[16];
	char ttl[16];
	bool is_heartbeat;
};

static void take_part(const char **at, char *part, size_t size)
{
	size_t len = strcspn(*at, ">@!:~=^ ");

	assert_true(len < size);
	memcpy(part, *at, len);
	part[len] = '\0';
	*at += len;
}

static void take_word(const char **at, struct word *word)
{
	*word = (struct word){.timeout = "15000"};
	take_part(at, word->name, sizeof(word->name));
	while (**at != ' ' && **at != '\0') {
		switch (*(*at)++) {
		case '>':
			take_part(at, word->child, sizeof(word->child));
			break;
		case '@':
			take_part(at, word->timeout, sizeof(word->timeout));
			break;
		case '!':
			take_part(at, word->why, sizeof(word->why));
			break;
		case ':':
			take_part(at, word->text, sizeof(word->text));
			break;
		case '~':
			take_part(at, word->ttl, sizeof(word->ttl));
			break;
		case '^':
			take_part(at, word->version, sizeof(word->version));
			break;
		case '=':
			word->is_heartbeat = true;
			break;
		}
	}
}

// Fields one after the other.
struct writer {
	uint8_t *bytes;
	size_t n_bytes;
};

static void put_varint(struct writer *writer, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		writer->bytes[writer->n_bytes++] = (uint8_t)(value | 0x80);
	writer->bytes[writer->n_bytes++] = (uint8_t)value;
}

static void put_bytes(struct writer *writer, uint32_t number, const void *bytes, size_t n_bytes)
{
	assert_true(writer->n_bytes + n_bytes + 16 < RIG_MAX_MESSAGE);
	put_varint(writer, number << 3 | 2);
	put_varint(writer, n_bytes);
	memcpy(writer->bytes + writer->n_bytes, bytes, n_bytes);
	writer->n_bytes += n_bytes;
}

static void put_message(struct writer *writer, uint32_t number, const ProtobufCMessage *message)
{
	uint8_t bytes[4096];

	assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(bytes));
	put_bytes(writer, number, bytes, protobuf_c_message_pack(message, bytes));
}

static void fill_any(Xds__Any *any, uint8_t *bytes, enum xds_type type, const struct word *word)
{
	Xds__Locality body = XDS__LOCALITY__INIT;
	char rest[300];

	snprintf(rest, sizeof(rest), "%s!%s:%s", word->timeout, word->why, word->text);
	body.region = (char *)word->name;
	body.zone = (char *)word->child;
	body.sub_zone = rest;
	xds__any__init(any);
	any->type_url = (char *)xds_type_url(type);
	any->value.data = bytes;
	any->value.len = xds__locality__pack(&body, bytes);
}

static void fill_wrapper(
	Xds__Resource *wrapper, Xds__Duration *ttl, Xds__Any *any, const struct word *word)
{
	xds__resource__init(wrapper);
	wrapper->name = (char *)word->name;
	wrapper->version = (char *)word->version;
	wrapper->resource = word->is_heartbeat ? NULL : any;
	xds__duration__init(ttl);
	ttl->seconds = strtol(word->ttl, NULL, 10) / 1000;
	ttl->nanos = (int32_t)(strtol(word->ttl, NULL, 10) % 1000 * 1000000);
	if (word->ttl[0] != '\0')
		wrapper->ttl = ttl;
}

static void put_resource(
	struct rig *rig, struct writer *writer, enum xds_type type, const struct word *word)
{
	uint8_t bytes[1024];
	uint8_t wrapped[2048];
	Xds__Any any;
	Xds__Any outer = XDS__ANY__INIT;
	Xds__Resource wrapper;
	Xds__Duration ttl;

	fill_any(&any, bytes, type, word);
	fill_wrapper(&wrapper, &ttl, &any, word);
	if (rig->spec.protocol == XDS_DELTA) {
		put_message(writer, 2, &wrapper.base);
	} else if (word->ttl[0] == '\0' && !word->is_heartbeat && word->version[0] == '\0') {
		put_message(writer, 2, &any.base);
	} else {
		outer.type_url = (char *)"type.googleapis.com/envoy.service.discovery.v3.Resource";
		outer.value.data = wrapped;
		outer.value.len = xds__resource__pack(&wrapper, wrapped);
		put_message(writer, 2, &outer.base);
	}
}

static void put_error(struct rig *rig, struct writer *writer, const char *name)
{
	Xds__ResourceName resource_name = XDS__RESOURCE_NAME__INIT;
	Xds__Status status = XDS__STATUS__INIT;
	Xds__ResourceError error = XDS__RESOURCE_ERROR__INIT;

	resource_name.name = (char *)name;
	status.code = 5;
	status.message = (char *)"broken";
	error.resource_name = &resource_name;
	error.error_detail = &status;
	put_message(writer, rig->spec.protocol == XDS_DELTA ? 9 : 7, &error.base);
}

size_t rig_pack(struct rig *rig, enum xds_type type, const char *version, const char *nonce,
	const char *resources, uint8_t *bytes)
{
	struct writer writer = {bytes, 0};
	struct word word;

	put_bytes(&writer, 1, version, strlen(version));
	for (const char *at = resources; *at != '\0'; at += *at == ' ') {
		take_word(&at, &word);
		if (word.name[0] == '-')
			put_bytes(&writer, 6, word.name + 1, strlen(word.name + 1));
		else if (word.name[0] == '?')
			put_error(rig, &writer, word.name + 1);
		else
			put_resource(rig, &writer, type, &word);
	}
	put_bytes(&writer, 4, xds_type_url(type), strlen(xds_type_url(type)));
	put_bytes(&writer, 5, nonce, strlen(nonce));
	return writer.n_bytes;
}

void rig_receive(struct rig *rig, const uint8_t *bytes, size_t n_bytes)
{
	rig->n_until_due = rig->slice;
	session_message(rig->session, bytes, n_bytes, rig->now_ms);
	while (session_work(rig->session, rig->now_ms))
		;
}

void rig_answer(struct rig *rig, enum xds_type type, const char *version, const char *nonce,
	const char *resources)
{
	static uint8_t bytes[RIG_MAX_MESSAGE];

	rig_receive(rig, bytes, rig_pack(rig, type, version, nonce, resources, bytes));
}

void rig_wait(struct rig *rig, uint64_t ms)
{
	uint64_t end_ms = rig->now_ms + ms;

	while (session_deadline_ms(rig->session) <= end_ms) {
		if (rig->now_ms < session_deadline_ms(rig->session))
			rig->now_ms = session_deadline_ms(rig->session);
		session_tick(rig->session, rig->now_ms);
	}
	rig->now_ms = end_ms;
}

void rig_expect(struct rig *rig, const char *line)
{
	if (rig->n_sent == 0)
		fail_msg("nothing was sent instead of \"%s\"", line);
	assert_string_equal(rig->sent[0], line);
	rig->n_sent--;
	memmove(rig->sent[0], rig->sent[1], rig->n_sent * sizeof(rig->sent[0]));
}

void rig_expect_silence(struct rig *rig)
{
	if (rig->n_sent > 0)
		fail_msg("also sent: \"%s\"", rig->sent[0]);
}

void rig_expect_changes(struct rig *rig, const char *changes)
{
	assert_string_equal(rig->changes, changes);
	rig->changes[0] = '\0';
}

const struct xds_entry *rig_entry(struct rig *rig, enum xds_type type, const char *name)
{
	return store_find(rig->store, type, name);
}

const char *rig_held(struct rig *rig, enum xds_type type, const char *name)
{
	const struct xds_entry *entry = rig_entry(rig, type, name);

	return entry == NULL || entry->resource == NULL ? NULL : entry->resource->ignored[0].path;
}
