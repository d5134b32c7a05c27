// SPDX-License-Identifier: Apache-2.0
#pragma once

// The node's own replies.

#include <stdint.h>

#include "l7/http1_head.h"

enum http1_reply_connection {
	HTTP1_REPLY_KEEP,
	HTTP1_REPLY_CLOSE, // says connection: close
};

struct http1_reply {
	uint16_t status; // 200 to 599
	uint32_t body_len;
	const char *body;
	const char *date; // l7/http1_date.h; NULL: nobody knows the time
	uint32_t location_len;
	const uint8_t *location;  // a path and query on the same host; NULL: none
	enum http1_method method; // the request's
	enum http1_reply_connection connection;
};

// Writes a whole HTTP/1.1 reply: content-length where the status may have one, content-type text/plain when there is
// a body, and the body unless the method is HEAD. A 405 says which methods are allowed: to CONNECT all others, since
// it is what the node refuses by itself; else none, since the route that answers so has no other answer.
// A location that begins with "//" gets "/." in front, or clients would take what follows for a host.
// Returns the length written to out, or -E2BIG.
int http1_reply_write(const struct http1_reply *reply, uint8_t *out, uint32_t out_len);
