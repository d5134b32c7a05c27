// SPDX-License-Identifier: Apache-2.0

// The walk goes over the bytes, not over unpacked messages: so it meets fields that the proto files leave out,
// sees the length of texts, and refuses before memory is taken. An item's index is counted only when a refusal
// names it.

#include "ctrl/xds/support.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5,
	MAX_VARINT_BYTES = 10,
};

struct support_at {
	const struct support_at *up; // NULL: the message that the walk began with
	const struct support_field *field;
	const uint8_t *bytes; // of the message that has the field
	size_t n_before;      // bytes of it in front of the field
};

// A field as it stands on the wire.
struct wire_field {
	uint32_t number;
	uint32_t type;
	uint64_t value;	      // of a number
	const uint8_t *bytes; // WIRE_BYTES
	size_t n_bytes;
};

static bool read_varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned int i = 0; i < MAX_VARINT_BYTES && *p < end; i++) {
		const uint8_t byte = *(*p)++;

		*value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool read_fixed(const uint8_t **p, const uint8_t *end, size_t n_bytes, uint64_t *value)
{
	*value = 0;
	if ((size_t)(end - *p) < n_bytes)
		return false;
	memcpy(value, *p, n_bytes);
	*p += n_bytes;
	return true;
}

static bool read_bytes(const uint8_t **p, const uint8_t *end, struct wire_field *field)
{
	uint64_t n_bytes;

	if (!read_varint(p, end, &n_bytes) || n_bytes > (size_t)(end - *p))
		return false;
	field->bytes = *p;
	field->n_bytes = (size_t)n_bytes;
	*p += n_bytes;
	return true;
}

static bool read_field(const uint8_t **p, const uint8_t *end, struct wire_field *field)
{
	uint64_t tag;

	if (!read_varint(p, end, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
		return false;
	field->number = (uint32_t)(tag >> 3);
	field->type = (uint32_t)(tag & 7);
	if (field->type == WIRE_VARINT)
		return read_varint(p, end, &field->value);
	if (field->type == WIRE_BYTES)
		return read_bytes(p, end, field);
	if (field->type == WIRE_FIXED64)
		return read_fixed(p, end, sizeof(uint64_t), &field->value);
	return field->type == WIRE_FIXED32 && read_fixed(p, end, sizeof(uint32_t), &field->value);
}

// Numbers of the table rise, most from 1 without gaps.
static const struct support_field *find_field(
	const struct support_message *message, uint32_t number)
{
	uint32_t i = number < message->n_fields ? number : message->n_fields;

	while (i > 0 && message->fields[i - 1].number > number)
		i--;
	if (i == 0 || message->fields[i - 1].number != number)
		return NULL;
	return &message->fields[i - 1];
}

// How many bytes of a character follow its first one; -1: it begins none (RFC 3629 §3).
static int n_continuing(uint8_t first)
{
	if (first < 0x80)
		return first == 0 ? -1 : 0;
	if (first < 0xc2 || first > 0xf4)
		return -1;
	return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

// Over-long forms, surrogates and what lies past U+10FFFF show in the second byte.
static bool second_fits(uint8_t first, uint8_t second)
{
	if (first == 0xe0)
		return second >= 0xa0;
	if (first == 0xed)
		return second < 0xa0;
	if (first == 0xf0)
		return second >= 0x90;
	return first != 0xf4 || second < 0x90;
}

static bool is_text(const uint8_t *bytes, size_t n_bytes)
{
	size_t i = 0;

	while (i < n_bytes) {
		const uint8_t first = bytes[i++];
		const int n = n_continuing(first);

		if (n < 0 || (size_t)n > n_bytes - i)
			return false;
		if (n > 0 && !second_fits(first, bytes[i]))
			return false;
		for (int k = 0; k < n; k++)
			if ((bytes[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool is_set(const struct wire_field *field)
{
	return field->type == WIRE_BYTES || field->value != 0;
}

static int walk_message(struct support_walk *walk, const struct support_message *message,
	const uint8_t *bytes, size_t n_bytes, const struct support_at *up);

static int look_at(
	struct support_walk *walk, const struct wire_field *wire, const struct support_at *at)
{
	const struct support_field *field = at->field;

	if (field->how != SUPPORT_HONOURED)
		return is_set(wire) ? walk->found(walk, field, at) : 0;
	if (wire->type != WIRE_BYTES || field->message == &support_opaque)
		return 0;
	if (field->message != NULL)
		return walk_message(walk, field->message, wire->bytes, wire->n_bytes, at);
	return is_text(wire->bytes, wire->n_bytes) ? 0 : walk->garbled(walk, at);
}

static int walk_message(struct support_walk *walk, const struct support_message *message,
	const uint8_t *bytes, size_t n_bytes, const struct support_at *up)
{
	const uint8_t *p = bytes, *end = bytes + n_bytes;
	struct support_at at = {.up = up, .bytes = bytes};
	struct wire_field wire;
	int rc = 0;

	while (p < end && rc == 0) {
		at.n_before = (size_t)(p - bytes);
		if (!read_field(&p, end, &wire))
			return -EBADMSG;
		if (++walk->n_fields > SUPPORT_MAX_FIELDS)
			return -E2BIG;
		at.field = find_field(message, wire.number);
		if (at.field != NULL)
			rc = look_at(walk, &wire, &at);
	}
	return rc;
}

int support_walk(struct support_walk *walk, const struct support_message *message,
	const uint8_t *bytes, size_t n_bytes)
{
	// An empty message may have no bytes at all.
	return n_bytes == 0 ? 0 : walk_message(walk, message, bytes, n_bytes, NULL);
}

bool support_find_text(const uint8_t *bytes, size_t n_bytes, uint32_t number, const uint8_t **text,
	size_t *text_len)
{
	const uint8_t *p = bytes, *end = bytes + n_bytes;
	struct wire_field wire;
	bool found = false;

	while (p < end && read_field(&p, end, &wire)) {
		if (wire.number != number || wire.type != WIRE_BYTES)
			continue;
		*text = wire.bytes;
		*text_len = wire.n_bytes;
		found = true;
	}
	return found && is_text(*text, *text_len);
}

// The how manieth of its name the field is.
static uint32_t idx_of(const struct support_at *at)
{
	const uint8_t *p = at->bytes, *end = at->bytes + at->n_before;
	struct wire_field wire;
	uint32_t idx = 0;

	while (p < end && read_field(&p, end, &wire))
		idx += wire.number == at->field->number;
	return idx;
}

static void append_field(const struct support_at *at, bool with_index, char *path)
{
	const char *name = at->field->name, *bracket = strchr(name, '[');
	size_t n;

	if (at->up != NULL)
		append_field(at->up, with_index, path);
	n = strlen(path);
	snprintf(path + n, SUPPORT_PATH_BYTES - n, "%s%.*s", n == 0 ? "" : ".",
		(int)(bracket == NULL ? strlen(name) : (size_t)(bracket - name)), name);
	n = strlen(path);
	if (bracket != NULL && with_index)
		snprintf(path + n, SUPPORT_PATH_BYTES - n, "[%u]", idx_of(at));
}

void support_at_field(const struct support_at *at, char path[SUPPORT_PATH_BYTES])
{
	path[0] = '\0';
	append_field(at, false, path);
}

void support_at_item(const struct support_at *at, char path[SUPPORT_PATH_BYTES])
{
	path[0] = '\0';
	append_field(at, true, path);
}
