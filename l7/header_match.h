// SPDX-License-Identifier: Apache-2.0
#pragma once

// A header that a route asks for, compiled into a part of the route table's block.

#include <stdbool.h>
#include <stdint.h>

#include "l7/block.h"
#include "l7/spec.h"

struct http1_head;

struct header_match {
	uint32_t name_off; // in lower case; in the part of texts
	uint32_t name_len;
	uint32_t value_off; // HEADER_RANGE: of both ends
	uint32_t value_len;
	uint8_t subject; // what of the head it looks at
	uint8_t type;	 // enum header_match_type
	uint8_t invert;
	uint8_t options; // enum header_match_option
};

void header_match_add(struct block_builder *builder, uint32_t part, uint32_t text_part,
	const struct header_match_spec *spec);

// Whether a request has such a header. A header that is not there does not match, inverted or not, unless it counts as
// an empty one; only its presence can be asked for. Values of fields with one name are joined by ",".
bool header_match_test(const struct header_match *match, const uint8_t *texts, const uint8_t *raw,
	const struct http1_head *head);
