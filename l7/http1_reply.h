// SPDX-License-Identifier: Apache-2.0
#pragma once

// The node's own replies.

#include <stdint.h>

#include "l7/http1_head.h"

enum http1_reply_connection {
	HTTP1_REPLY_KEEP,
	HTTP1_REPLY_CLOSE, // says connection: close
};

// Writes a whole HTTP/1.1 reply: content-length where the status may have one, content-type text/plain
// when there is a body, and the body unless method, the request's, is HEAD. status is 200 to 599.
// Returns the length written to out, or -E2BIG.
int http1_reply_write(uint16_t status, const char *body, uint32_t body_len,
	enum http1_method method, enum http1_reply_connection connection, uint8_t *out,
	uint32_t out_len);
