// SPDX-License-Identifier: Apache-2.0

// A resource's way: it is looked through on the wire (support.c), unpacked into memory that lives as long as the
// decoding, then decoded into the resource's own arena.

#include "ctrl/xds/decode.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/arena.h"

enum {
	PATH_BYTES = 256,
	NAME_FIELD = 1, // of all types
};

// Finds what walks find.
struct walk {
	struct support_walk walk;
	struct decode *d;
	const struct decode_at *at;
};

static int decode_message_of(struct decode *d, const void *message)
{
	switch (d->resource->type) {
	case XDS_LISTENER:
		return decode_listener(d, message);
	case XDS_ROUTES:
		return decode_routes(d, message);
	case XDS_CLUSTER:
		return decode_cluster(d, message);
	case XDS_ENDPOINTS:
		return decode_endpoints(d, message);
	default:
		return decode_secret(d, message);
	}
}

static const struct {
	const struct support_message *support;
	const ProtobufCMessageDescriptor *descriptor;
} messages[XDS_N_TYPES] = {
	[XDS_LISTENER] = {&support_listener, &xds__listener__descriptor},
	[XDS_ROUTES] = {&support_routes, &xds__route_configuration__descriptor},
	[XDS_CLUSTER] = {&support_cluster, &xds__cluster__descriptor},
	[XDS_ENDPOINTS] = {&support_assignment, &xds__cluster_load_assignment__descriptor},
	[XDS_SECRET] = {&support_secret, &xds__secret__descriptor},
};

static size_t append_path(const struct decode_at *at, char *path, size_t n_room)
{
	size_t n = at->up == NULL ? 0 : append_path(at->up, path, n_room);
	size_t len = strlen(at->field);

	if (n + len + sizeof(".[4294967295]") > n_room)
		return n;
	if (n > 0)
		path[n++] = '.';
	memcpy(path + n, at->field, len + 1);
	n += len;
	if (at->idx != DECODE_ALONE)
		n += (size_t)sprintf(path + n, "[%u]", at->idx);
	return n;
}

static size_t format_place(
	const struct decode *d, const struct decode_at *at, char *text, size_t n_room)
{
	size_t n = strlen(d->what);

	memcpy(text, d->what, n + 1);
	if (at == NULL)
		return n;
	memcpy(text + n, ": ", sizeof(": "));
	return n + 2 + append_path(at, text + n + 2, n_room - n - 2);
}

int decode_refuse(struct decode *d, const struct decode_at *at, const char *fmt, ...)
{
	char place[DECODE_WHAT_BYTES + PATH_BYTES], reason[sizeof(d->refusal->text)];
	va_list args;

	format_place(d, at, place, sizeof(place));
	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	return refusal_set(d->refusal, NULL, "%s: %s", place, reason);
}

const char *decode_quote(const char *text, char quoted[DECODE_TEXT_BYTES])
{
	static const char cut[] = "...\"";
	size_t n = 0;

	quoted[n++] = '"';
	for (; *text != '\0' && n < DECODE_TEXT_BYTES - sizeof(cut); text++)
		quoted[n++] = isprint((unsigned char)*text) ? *text : '?';
	strcpy(quoted + n, *text == '\0' ? "\"" : cut);
	return quoted;
}

void *decode_alloc(struct decode *d, uint32_t n_items, size_t item_bytes)
{
	return arena_alloc(d->arena, n_items * item_bytes);
}

const struct spec_origin *decode_origin(struct decode *d, const struct decode_at *at)
{
	char place[DECODE_WHAT_BYTES + PATH_BYTES];
	const size_t n_bytes = format_place(d, at, place, sizeof(place)) + 1;
	struct spec_origin *origin = arena_alloc(d->arena, sizeof(*origin) + n_bytes);

	if (origin == NULL)
		return NULL;
	origin->source = memcpy(origin + 1, place, n_bytes);
	return origin;
}

int decode_text(struct decode *d, const char *text, const char **copy)
{
	*copy = arena_strdup(d->arena, text);
	return *copy == NULL ? -ENOMEM : 0;
}

int decode_name(struct decode *d, const struct decode_at *at, const char *text, const char **copy)
{
	const size_t len = strlen(text);

	if (len == 0)
		return decode_refuse(d, at, "must not be empty");
	if (len > L7_MAX_NAME_LEN)
		return decode_refuse(d, at, "%zu characters; at most %d", len, L7_MAX_NAME_LEN);
	return decode_text(d, text, copy);
}

static int count_ignored(struct decode *d, const struct support_field *field, const char *path)
{
	struct decode_ignored *ignored;

	for (ignored = d->ignored; ignored != NULL; ignored = ignored->next)
		if (ignored->field == field && strcmp(ignored->ignored.path, path) == 0)
			break;
	if (ignored == NULL) {
		ignored = arena_alloc(d->scratch, sizeof(*ignored));
		if (ignored == NULL || decode_text(d, path, &ignored->ignored.path) < 0)
			return -ENOMEM;
		ignored->field = field;
		ignored->next = d->ignored;
		d->ignored = ignored;
		d->resource->n_ignored++;
	}
	ignored->ignored.n_times++;
	return 0;
}

// Without indexes.
static void name_fields(const struct decode_at *at, char path[PATH_BYTES])
{
	path[0] = '\0';
	if (at == NULL)
		return;
	name_fields(at->up, path);
	snprintf(path + strlen(path), PATH_BYTES - strlen(path), "%s%s", at->up == NULL ? "" : ".",
		at->field);
}

int decode_count(struct decode *d, const struct decode_at *at)
{
	char path[PATH_BYTES];

	name_fields(at, path);
	return count_ignored(d, NULL, path);
}

static int on_found(struct support_walk *base, const struct support_field *field,
	const struct support_at *found)
{
	struct walk *walk = (struct walk *)base;
	char path[PATH_BYTES], all[PATH_BYTES + SUPPORT_PATH_BYTES], tail[SUPPORT_PATH_BYTES];

	if (field->how == SUPPORT_REFUSED) {
		support_at_item(found, tail);
		return decode_refuse(walk->d, DECODE_IN(walk->at, tail), "is not supported yet");
	}
	name_fields(walk->at, path);
	support_at_field(found, tail);
	snprintf(all, sizeof(all), "%s%s%s", path, walk->at == NULL ? "" : ".", tail);
	return count_ignored(walk->d, field, all);
}

static int on_garbled(struct support_walk *base, const struct support_at *found)
{
	struct walk *walk = (struct walk *)base;
	char tail[SUPPORT_PATH_BYTES];

	support_at_item(found, tail);
	return decode_refuse(
		walk->d, DECODE_IN(walk->at, tail), "is no text; it must be UTF-8 and have no NUL");
}

static int look_through(struct decode *d, const struct decode_at *at,
	const struct support_message *support, const uint8_t *bytes, size_t n_bytes)
{
	struct walk walk = {
		.walk = {.found = on_found, .garbled = on_garbled, .n_fields = d->n_fields},
		.d = d,
		.at = at};
	int rc = support_walk(&walk.walk, support, bytes, n_bytes);

	d->n_fields = walk.walk.n_fields;
	if (rc == -EBADMSG)
		return decode_refuse(d, at, "is no %s", support->name);
	if (rc == -E2BIG)
		return decode_refuse(
			d, at, "more than %d fields in one resource", SUPPORT_MAX_FIELDS);
	return rc;
}

int decode_message(struct decode *d, const struct decode_at *at,
	const struct support_message *support, const ProtobufCMessageDescriptor *descriptor,
	const uint8_t *bytes, size_t n_bytes, const void **message)
{
	int rc = look_through(d, at, support, bytes, n_bytes);

	if (rc < 0)
		return rc;
	*message = protobuf_c_message_unpack(descriptor, &d->allocator, n_bytes, bytes);
	if (*message != NULL)
		return 0;
	return d->no_memory ? -ENOMEM : decode_refuse(d, at, "is no %s", support->name);
}

const char *decode_type(const Xds__Any *any)
{
	const char *slash = any == NULL ? NULL : strrchr(any->type_url, '/');

	if (any == NULL)
		return "";
	return slash == NULL ? any->type_url : slash + 1;
}

int decode_any(struct decode *d, const struct decode_at *at, const struct support_message *support,
	const ProtobufCMessageDescriptor *descriptor, const Xds__Any *any, const void **message)
{
	return decode_message(d, at, support, descriptor, any->value.data, any->value.len, message);
}

static void *take_scratch(void *context, size_t n_bytes)
{
	struct decode *d = context;
	void *p = arena_alloc(d->scratch, n_bytes);

	d->no_memory |= p == NULL;
	return p;
}

// The arena goes as a whole.
static void leave_scratch(void *context, void *p)
{
	(void)context;
	(void)p;
}

// Refusals need the name before anything else is known to be sound.
static int name_resource(struct decode *d, const uint8_t *bytes, size_t n_bytes)
{
	char quoted[DECODE_TEXT_BYTES];
	const uint8_t *text;
	size_t len;
	char *name;

	snprintf(d->what, sizeof(d->what), "%s", xds_type_word(d->resource->type));
	if (!support_find_text(bytes, n_bytes, NAME_FIELD, &text, &len) || len == 0)
		return decode_refuse(d, NULL, "has no name");
	name = arena_alloc(d->arena, len + 1);
	if (name == NULL)
		return -ENOMEM;
	memcpy(name, text, len);
	d->resource->name = name;
	decode_quote(name, quoted);
	snprintf(d->what + strlen(d->what), sizeof(d->what) - strlen(d->what), " %.*s",
		(int)strlen(quoted) - 2, quoted + 1);
	return 0;
}

static int list_ignored(struct decode *d)
{
	uint32_t n = d->resource->n_ignored;
	struct xds_ignored *ignored = decode_alloc(d, n, sizeof(*ignored));

	if (ignored == NULL)
		return -ENOMEM;
	d->resource->ignored = ignored;
	// Found last, listed first.
	for (const struct decode_ignored *i = d->ignored; i != NULL; i = i->next)
		ignored[--n] = i->ignored;
	return 0;
}

static int decode_resource(struct decode *d, const uint8_t *bytes, size_t n_bytes)
{
	const enum xds_type type = d->resource->type;
	const void *message;
	int rc = name_resource(d, bytes, n_bytes);

	if (rc == 0)
		rc = decode_message(d, NULL, messages[type].support, messages[type].descriptor,
			bytes, n_bytes, &message);
	if (rc == 0)
		rc = decode_message_of(d, message);
	return rc < 0 ? rc : list_ignored(d);
}

static int start(struct decode *d, enum xds_type type, size_t n_bytes)
{
	d->allocator = (ProtobufCAllocator){take_scratch, leave_scratch, d};
	// Names come once more, origins beside them: about as much as the message.
	d->arena = arena_create_for(n_bytes + sizeof(*d->resource));
	d->scratch = arena_create();
	if (d->arena == NULL || d->scratch == NULL)
		return -ENOMEM;
	d->resource = arena_alloc(d->arena, sizeof(*d->resource));
	if (d->resource == NULL)
		return -ENOMEM;
	d->resource->n_refs = 1;
	d->resource->type = type;
	d->resource->arena = d->arena;
	return 0;
}

int xds_decode(enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	const struct xds_spec *spec, struct xds_resource **resource, struct refusal *refusal)
{
	struct decode d = {.spec = spec, .refusal = refusal};
	int rc = start(&d, type, n_bytes);

	if (rc == 0)
		rc = decode_resource(&d, bytes, n_bytes);
	arena_destroy(d.scratch);
	if (rc < 0) {
		arena_destroy(d.arena);
		return rc;
	}
	*resource = d.resource;
	return 0;
}
