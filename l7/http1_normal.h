// SPDX-License-Identifier: Apache-2.0
#pragma once

// Request heads as a listener wants them before anybody routes by them: written anew without what could be read in two
// ways, or refused.

#include <stdbool.h>
#include <stdint.h>

#include "l7/http1_head.h"
#include "l7/http1_rule.h"

// Whether the head stays as it is. Sometimes says false for nothing. raw is what head was parsed from.
bool http1_is_normal(const uint8_t *raw, const struct http1_head *head, uint8_t rules);

struct http1_normal {
	enum http1_reason reason;   // why the head is refused
	bool redirect;		    // do not serve it: the client is to ask for location
	struct http1_text location; // in what was written: path and query
};

// Bytes that the head may have afterwards: escapes make a path longer.
uint32_t http1_normal_room(const struct http1_head *head);

// Writes the head as the rules want it to out, which has room for http1_normal_room(). Returns its length, or
// -EBADMSG with a reason. Body and fields that are left mean what they meant.
int http1_normal_write(const uint8_t *raw, const struct http1_head *head, uint8_t rules,
	uint8_t *out, struct http1_normal *normal);
