// SPDX-License-Identifier: Apache-2.0
#pragma once

// Protobuf's wire format, field by field and without a copy: for messages that carry many others, which come apart
// one at a time.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is still to be read. {bytes, n_bytes} to begin with.
struct wire {
	const uint8_t *bytes;
	size_t n_bytes;
};

struct wire_field {
	uint32_t number;
	bool has_bytes; // a string, bytes or a message; else a number
	struct wire bytes;
	uint64_t value; // of a varint; others are skipped as 0
};

// 1: a field; 0: the end; -EBADMSG.
int wire_next(struct wire *wire, struct wire_field *field);

// The last string or message with this number; empty when there is none. 0 or -EBADMSG.
int wire_find(struct wire wire, uint32_t number, struct wire *found);

// Whether it may be a string: UTF-8 (RFC 3629) without control characters.
bool wire_is_text(const struct wire *text);
bool wire_equals(const struct wire *text, const char *other);
// Makes such a string of any: each byte that keeps it from being one becomes '?'.
void wire_clean(char *text);
// Whether an Any holds a message of this type: what follows the last '/' of its URL.
bool wire_is_any_of(const struct wire *any, const char *type);
