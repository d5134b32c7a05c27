// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/wire.h"

#include <errno.h>
#include <string.h>

enum {
	WIRE_VARINT,
	WIRE_FIXED64,
	WIRE_BYTES,
	WIRE_FIXED32 = 5,
	MAX_FIELD_NUMBER = (1 << 29) - 1,
	VARINT_MAX_BYTES = 10,
	ANY_TYPE = 1, // of google.protobuf.Any
};

static int take_varint(struct wire *wire, uint64_t *value)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < wire->n_bytes && i < VARINT_MAX_BYTES; i++) {
		sum |= (uint64_t)(wire->bytes[i] & 0x7f) << (7 * i);
		if (wire->bytes[i] < 0x80) {
			wire->bytes += i + 1;
			wire->n_bytes -= i + 1;
			*value = sum;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_bytes(struct wire *wire, uint64_t n_bytes, struct wire *taken)
{
	if (n_bytes > wire->n_bytes)
		return -EBADMSG;
	*taken = (struct wire){wire->bytes, (size_t)n_bytes};
	wire->bytes += n_bytes;
	wire->n_bytes -= (size_t)n_bytes;
	return 0;
}

int wire_next(struct wire *wire, struct wire_field *field)
{
	struct wire skipped;
	uint64_t tag;
	uint64_t n_bytes;

	if (wire->n_bytes == 0)
		return 0;
	if (take_varint(wire, &tag) != 0 || tag >> 3 == 0 || tag >> 3 > MAX_FIELD_NUMBER)
		return -EBADMSG;
	*field = (struct wire_field){.number = (uint32_t)(tag >> 3)};
	switch (tag & 7) {
	case WIRE_VARINT:
		return take_varint(wire, &field->value) == 0 ? 1 : -EBADMSG;
	case WIRE_FIXED64:
		return take_bytes(wire, sizeof(uint64_t), &skipped) == 0 ? 1 : -EBADMSG;
	case WIRE_FIXED32:
		return take_bytes(wire, sizeof(uint32_t), &skipped) == 0 ? 1 : -EBADMSG;
	case WIRE_BYTES:
		field->has_bytes = true;
		if (take_varint(wire, &n_bytes) != 0)
			return -EBADMSG;
		return take_bytes(wire, n_bytes, &field->bytes) == 0 ? 1 : -EBADMSG;
	default: // groups, which proto3 does not have
		return -EBADMSG;
	}
}

int wire_find(struct wire wire, uint32_t number, struct wire *found)
{
	struct wire_field field;
	int ret;

	*found = (struct wire){0};
	while ((ret = wire_next(&wire, &field)) > 0)
		if (field.number == number && field.has_bytes)
			*found = field.bytes;
	return ret;
}

// How many bytes of 10xxxxxx follow; -1: not the start of a character. min is the least code point of that length.
static int count_following(uint8_t first, uint32_t *code, uint32_t *min)
{
	if (first < 0x80) {
		*code = first;
		*min = 0;
		return 0;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*code = first & 0x1f;
		*min = 0x80;
		return 1;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*code = first & 0x0f;
		*min = 0x800;
		return 2;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*code = first & 0x07;
		*min = 0x10000;
		return 3;
	}
	return -1;
}

static bool is_printable(uint32_t code)
{
	return code >= 0x20 && (code < 0x7f || code > 0x9f) && (code < 0xd800 || code > 0xdfff) &&
	       code <= 0x10ffff;
}

// Bytes of the character that text begins with; 0: none that a string may have.
static size_t character_len(const struct wire *text)
{
	uint32_t code;
	uint32_t min;
	int n = text->n_bytes == 0 ? -1 : count_following(text->bytes[0], &code, &min);

	if (n < 0 || text->n_bytes <= (size_t)n)
		return 0;
	for (int i = 1; i <= n; i++) {
		if ((text->bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text->bytes[i] & 0x3f);
	}
	return code < min || !is_printable(code) ? 0 : (size_t)n + 1;
}

bool wire_is_text(const struct wire *text)
{
	struct wire left = *text;
	size_t len;

	for (; left.n_bytes > 0; left.bytes += len, left.n_bytes -= len) {
		len = character_len(&left);
		if (len == 0)
			return false;
	}
	return true;
}

void wire_clean(char *text)
{
	struct wire left = {(const uint8_t *)text, strlen(text)};

	for (size_t i = 0; left.n_bytes > 0;) {
		size_t len = character_len(&left);

		if (len == 0) {
			text[i] = '?';
			len = 1;
		}
		i += len;
		left.bytes += len;
		left.n_bytes -= len;
	}
}

bool wire_equals(const struct wire *text, const char *other)
{
	return strlen(other) == text->n_bytes &&
	       (text->n_bytes == 0 || memcmp(text->bytes, other, text->n_bytes) == 0);
}

bool wire_is_any_of(const struct wire *any, const char *type)
{
	struct wire url;
	const uint8_t *slash;

	if (wire_find(*any, ANY_TYPE, &url) != 0 || url.n_bytes == 0)
		return false;
	slash = memrchr(url.bytes, '/', url.n_bytes);
	if (slash != NULL) {
		url.n_bytes -= (size_t)(slash + 1 - url.bytes);
		url.bytes = slash + 1;
	}
	return wire_equals(&url, type);
}
