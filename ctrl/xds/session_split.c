// SPDX-License-Identifier: Apache-2.0

// Takes a response apart without copying what is in it. The first walk finds type, version and nonce, which come
// after the resources; resources are then looked into one by one, so that the loop goes on meanwhile.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ctrl/xds/session_priv.h"

// Fields of both variants of a response.
enum {
	RESPONSE_VERSION = 1,
	RESPONSE_RESOURCES = 2,
	RESPONSE_TYPE = 4,
	RESPONSE_NONCE = 5,
};

enum {
	RESOURCE_VERSION = 1,
	RESOURCE_BODY = 2,
	RESOURCE_NAME = 3,
	RESOURCE_TTL = 6,
	RESOURCE_RESOURCE_NAME = 8,
	ANY_TYPE = 1,
	ANY_VALUE = 2,
	ERROR_NAME = 1,
	ERROR_DETAIL = 2,
	DURATION_SECONDS = 1,
	DURATION_NANOS = 2,
	NAME_FIELD = 1, // of every resource type, and of ResourceName
	MAX_TTL_S = 1 << 30,
};

static const char wrapper_type[] = "envoy.service.discovery.v3.Resource";

// What the first walk finds.
struct outline {
	struct wire version;
	struct wire type;
	struct wire nonce;
	struct wire control_plane;
	uint32_t n_items;
};

static bool is_item(const struct session_protocol *protocol, uint32_t number)
{
	return number == RESPONSE_RESOURCES || number == protocol->errors_field ||
	       number == protocol->removed_field || number == protocol->removed_names_field;
}

static void note_field(const struct session_protocol *protocol, const struct wire_field *field,
	struct outline *outline)
{
	if (field->number == RESPONSE_VERSION)
		outline->version = field->bytes;
	else if (field->number == RESPONSE_TYPE)
		outline->type = field->bytes;
	else if (field->number == RESPONSE_NONCE)
		outline->nonce = field->bytes;
	else if (field->number == protocol->control_plane_field)
		outline->control_plane = field->bytes;
}

// The one walk that is not sliced: the number of fields is bounded, not only that of bytes.
static int read_outline(const struct session_protocol *protocol, struct wire wire,
	struct outline *outline, const char **why)
{
	struct wire_field field;
	uint32_t n_others = 0;
	int ret;

	while ((ret = wire_next(&wire, &field)) > 0) {
		if (field.has_bytes && is_item(protocol, field.number))
			outline->n_items++;
		else
			n_others++;
		if (field.has_bytes)
			note_field(protocol, &field, outline);
		if (outline->n_items > SESSION_MAX_ITEMS || n_others > SESSION_MAX_OTHERS) {
			*why = outline->n_items > SESSION_MAX_ITEMS
				       ? "a response with too many resources"
				       : "a response with too many fields";
			return -EBADMSG;
		}
	}
	*why = "a response that is not protobuf";
	return ret;
}

static bool is_token(const struct wire *text)
{
	return text->n_bytes <= SESSION_MAX_TOKEN_LEN && wire_is_text(text);
}

static char *copy_text(const struct wire *text)
{
	return strndup(text->n_bytes == 0 ? "" : (const char *)text->bytes, text->n_bytes);
}

static enum xds_type type_of(const struct wire *url)
{
	char text[128];

	if (url->n_bytes == 0 || url->n_bytes >= sizeof(text) || !wire_is_text(url))
		return XDS_NO_TYPE;
	memcpy(text, url->bytes, url->n_bytes);
	text[url->n_bytes] = '\0';
	return xds_type_of(text);
}

static void take_control_plane(struct session *session, struct wire message)
{
	struct wire text;

	if (wire_find(message, NAME_FIELD, &text) == 0 && wire_is_text(&text))
		snprintf(session->status.control_plane, sizeof(session->status.control_plane),
			"%.*s", (int)text.n_bytes, (const char *)text.bytes);
}

static enum session_item_kind kind_of(const struct session_protocol *protocol, uint32_t number)
{
	if (number == RESPONSE_RESOURCES)
		return ITEM_RESOURCE;
	return number == protocol->errors_field ? ITEM_ERROR : ITEM_REMOVED;
}

// removed_resource_names are messages with the name in them.
bool session_fill(struct session *session, struct session_response *response)
{
	const struct session_protocol *protocol = session->protocol;
	struct session_item *item = &response->items[response->n_filled];
	struct wire_field field;

	if (wire_next(&response->unread, &field) <= 0)
		return false;
	if (!field.has_bytes || !is_item(protocol, field.number))
		return true;
	item->kind = kind_of(protocol, field.number);
	item->raw = field.bytes;
	item->name = field.bytes;
	if (field.number == protocol->removed_names_field &&
		wire_find(field.bytes, NAME_FIELD, &item->name) != 0)
		item->kind = ITEM_UNREADABLE;
	response->n_filled++;
	return true;
}

static struct session_response *create_response(const uint8_t *bytes, size_t n_bytes,
	const struct outline *outline, enum xds_type type, uint64_t now_ms)
{
	struct session_response *response = calloc(1, sizeof(*response));

	if (response == NULL)
		return NULL;
	response->type = type;
	response->received_ms = now_ms;
	response->n_items = outline->n_items;
	response->bytes = malloc(n_bytes + 1);
	response->version = store_version_create(
		(const char *)outline->version.bytes, outline->version.n_bytes);
	response->nonce = copy_text(&outline->nonce);
	response->items = calloc(outline->n_items + 1, sizeof(*response->items));
	// At most half full.
	for (response->n_seen = 16; response->n_seen < 2 * outline->n_items;)
		response->n_seen *= 2;
	response->seen = calloc(response->n_seen, sizeof(*response->seen));
	if (response->bytes == NULL || response->version == NULL || response->nonce == NULL ||
		response->items == NULL || response->seen == NULL) {
		session_response_destroy(response);
		return NULL;
	}
	if (n_bytes > 0)
		memcpy(response->bytes, bytes, n_bytes);
	response->unread = (struct wire){response->bytes, n_bytes};
	return response;
}

int session_split(struct session *session, const uint8_t *bytes, size_t n_bytes, uint64_t now_ms,
	struct session_response **response, char *why, size_t why_size)
{
	struct outline outline = {0};
	const char *reason;
	enum xds_type type;
	int ret = read_outline(session->protocol, (struct wire){bytes, n_bytes}, &outline, &reason);

	if (ret == 0 && (!is_token(&outline.version) || !is_token(&outline.nonce) ||
				!is_token(&outline.type))) {
		reason = "a response whose version, nonce or type is no text";
		ret = -EBADMSG;
	}
	if (ret != 0) {
		snprintf(why, why_size, "%s", reason);
		return ret;
	}
	type = type_of(&outline.type);
	if (type == XDS_NO_TYPE || !session->types[type].asked) {
		snprintf(why, why_size, "%.*s", (int)outline.type.n_bytes,
			outline.type.n_bytes == 0 ? "" : (const char *)outline.type.bytes);
		return -ENOENT;
	}
	*response = create_response(bytes, n_bytes, &outline, type, now_ms);
	if (*response == NULL)
		return -ENOMEM;
	take_control_plane(session, outline.control_plane);
	return 0;
}

void session_response_destroy(struct session_response *response)
{
	if (response == NULL)
		return;
	store_version_release(response->version);
	free(response->bytes);
	free(response->nonce);
	free(response->items);
	free(response->seen);
	free(response);
}

static void refuse_whole(struct session_response *response, const char *why)
{
	session_nack_add(&response->nack, 0, why);
	response->refused_whole = true;
}

// The body of an Any of the response's type.
static int open_any(
	struct session_response *response, struct wire any, struct wire *type, struct wire *value)
{
	char why[512];

	if (wire_find(any, ANY_TYPE, type) != 0 || wire_find(any, ANY_VALUE, value) != 0)
		return -EBADMSG;
	if (type_of(type) == response->type)
		return 0;
	snprintf(why, sizeof(why), "resources[%u] is a \"%.*s\" in a response of \"%s\"",
		response->next, wire_is_text(type) && type->n_bytes < 200 ? (int)type->n_bytes : 0,
		type->n_bytes == 0 ? "" : (const char *)type->bytes, xds_type_url(response->type));
	refuse_whole(response, why);
	return 0;
}

static int read_ttl(struct wire duration, struct session_item *item)
{
	struct wire_field field;
	uint64_t s = 0;
	uint64_t ns = 0;
	int ret;

	while ((ret = wire_next(&duration, &field)) > 0) {
		if (field.number == DURATION_SECONDS)
			s = field.value;
		else if (field.number == DURATION_NANOS)
			ns = field.value;
	}
	// Negative ones are huge here.
	if (ret != 0 || s > MAX_TTL_S || ns >= 1000000000)
		return -EBADMSG;
	item->has_ttl = true;
	item->ttl_ms = s * 1000 + ns / 1000000;
	return 0;
}

// A Resource: of the incremental protocol, or around a resource of the other.
static int open_resource(struct session_response *response, struct wire wire,
	struct session_item *item, struct wire *type)
{
	struct wire fields[RESOURCE_RESOURCE_NAME + 1] = {0};
	struct wire_field field;
	int ret;

	while ((ret = wire_next(&wire, &field)) > 0)
		if (field.has_bytes && field.number <= RESOURCE_RESOURCE_NAME)
			fields[field.number] = field.bytes;
	item->version = fields[RESOURCE_VERSION];
	item->name = fields[RESOURCE_NAME];
	if (ret != 0 || !is_token(&item->version))
		return -EBADMSG;
	if (item->name.n_bytes == 0 &&
		wire_find(fields[RESOURCE_RESOURCE_NAME], NAME_FIELD, &item->name) != 0)
		return -EBADMSG;
	if (fields[RESOURCE_TTL].bytes != NULL && read_ttl(fields[RESOURCE_TTL], item) != 0)
		return -EBADMSG;
	if (fields[RESOURCE_BODY].bytes != NULL)
		return open_any(response, fields[RESOURCE_BODY], type, &item->body);
	item->kind = ITEM_HEARTBEAT;
	return 0;
}

static bool same_text(const struct wire *a, const struct wire *b)
{
	return a->n_bytes == b->n_bytes &&
	       (a->n_bytes == 0 || memcmp(a->bytes, b->bytes, a->n_bytes) == 0);
}

// What is in it; the name that it has inside is the one that counts, and the only one when it is not wrapped.
static int open_item(const struct session_protocol *protocol, struct session_response *response,
	struct session_item *item)
{
	struct wire type = {0};
	struct wire inner;
	struct wire wrapped = item->raw;
	int ret;

	item->name = (struct wire){0};
	if (!protocol->is_wrapped && !wire_is_any_of(&item->raw, wrapper_type))
		ret = open_any(response, item->raw, &type, &item->body);
	else if (protocol->is_wrapped || wire_find(item->raw, ANY_VALUE, &wrapped) == 0)
		ret = open_resource(response, wrapped, item, &type);
	else
		ret = -EBADMSG;
	if (ret != 0 || response->refused_whole || item->kind == ITEM_HEARTBEAT)
		return ret;
	if (wire_find(item->body, NAME_FIELD, &inner) != 0)
		return -EBADMSG;
	if (item->name.n_bytes > 0 && !same_text(&inner, &item->name))
		return -EINVAL;
	item->name = inner;
	return 0;
}

static int open_error(struct session_item *item)
{
	struct wire name;

	if (wire_find(item->raw, ERROR_NAME, &name) != 0 ||
		wire_find(name, NAME_FIELD, &item->name) != 0)
		return -EBADMSG;
	return wire_find(item->raw, ERROR_DETAIL, &item->body);
}

// Whether an earlier item has the name; it is remembered.
static bool is_seen(struct session_response *response, const struct session_item *item)
{
	uint32_t mask = response->n_seen - 1;
	uint32_t at = (uint32_t)XXH3_64bits(item->name.bytes, item->name.n_bytes) & mask;

	for (; response->seen[at] != 0; at = (at + 1) & mask)
		if (same_text(&response->items[response->seen[at] - 1].name, &item->name))
			return true;
	response->seen[at] = response->next + 1;
	return false;
}

static bool is_name(const struct wire *name)
{
	return name->n_bytes > 0 && name->n_bytes <= STORE_MAX_NAME_LEN && wire_is_text(name);
}

// Refuses a resource that cannot be told by its name, so that nothing is known to be left out, either.
static void refuse_nameless(
	struct session_response *response, struct session_item *item, const char *reason)
{
	char why[128];

	snprintf(why, sizeof(why), "resources[%u]: %s", response->next, reason);
	session_nack_add(&response->nack, XXH3_64bits(item->raw.bytes, item->raw.n_bytes), why);
	item->kind = ITEM_UNREADABLE;
	response->keeps_absent = true;
}

void session_index(struct session *session, struct session_response *response)
{
	struct session_item *item = &response->items[response->next];
	char why[STORE_MAX_NAME_LEN + 64];
	int ret = 0;

	if (item->kind == ITEM_RESOURCE)
		ret = open_item(session->protocol, response, item);
	else if (item->kind == ITEM_ERROR)
		ret = open_error(item);
	else if (item->kind == ITEM_UNREADABLE)
		ret = -EBADMSG;
	if (response->refused_whole)
		return;
	if (ret == -EINVAL)
		refuse_nameless(response, item, "another name inside than outside");
	else if (ret != 0)
		refuse_nameless(response, item, "is not protobuf");
	else if (!is_name(&item->name))
		refuse_nameless(response, item,
			"its name is empty, longer than 1023 bytes, or no printable UTF-8");
	else if (is_seen(response, item)) {
		snprintf(why, sizeof(why), "%s \"%.*s\" is there twice",
			xds_type_word(response->type), (int)item->name.n_bytes,
			(const char *)item->name.bytes);
		refuse_whole(response, why);
	}
}
