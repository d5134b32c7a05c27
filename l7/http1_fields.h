// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the fields of a head mean to the node: framing, persistence, Host. Fed field by field by the
// parser in http1_head.c, so that a contradiction is seen with the field that makes it.

#include <stdbool.h>
#include <stdint.h>

#include "l7/http1_head.h"

// All zero before the first field.
struct http1_fields {
	uint32_t seen; // bits by enum http1_field_kind
	bool is_response;
	bool close; // options of Connection
	bool keep_alive;
	bool upgrade;
	bool expect_continue;
	struct http1_text host;
};

// The kind of a field name, whatever its case. name is a token.
enum http1_field_kind http1_fields_kind(const uint8_t *name, uint32_t len);

// Notes a field of a kind that is not OTHER. head->minor is known.
enum http1_reason http1_fields_note(struct http1_fields *fields, const uint8_t *raw,
	enum http1_field_kind kind, struct http1_text value, struct http1_head *head);

// With all fields noted: body, persistence and the like, into head.
enum http1_reason http1_fields_finish_request(
	const struct http1_fields *fields, struct http1_head *head);
enum http1_reason http1_fields_finish_response(const struct http1_fields *fields,
	enum http1_method request_method, struct http1_head *head);

// Takes the next element off a comma-separated list, without the white space around it; empty ones are
// passed over. False at the end.
bool http1_fields_next_element(
	const uint8_t *raw, struct http1_text *list, struct http1_text *element);

// text in raw, free of control characters, is the word lower, whatever its case.
bool http1_fields_is_word(const uint8_t *raw, struct http1_text text, const char *lower);
