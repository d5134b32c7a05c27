// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes a parsed head anew with the changes that a proxy makes. Start line and fields keep their order
// and bytes; replaced fields go, new ones come last; an empty line before the start line goes. When the
// target names the authority (absolute-form, CONNECT), Host is replaced by it (RFC 9112 §3.2.2), unless another
// host is given, which then stands in both.

#include <stdbool.h>
#include <stdint.h>

#include "l7/http1_head.h"

// The texts are the caller's and must be fit for a field value. NULL: leave that field alone.
struct http1_edits {
	const char *host;	     // replaces Host, and the authority of a target that has one
	const char *forwarded_for;   // client address to append to x-forwarded-for
	const char *forwarded_proto; // replaces x-forwarded-proto
	const char *forwarded_port;  // replaces x-forwarded-port
	const char *request_id; // x-request-id: of requests that have none, replaced in responses
	bool close; // Connection says close; its other options stay except keep-alive and upgrade
};

// raw is what head was parsed from. Returns the length written to out, or -E2BIG.
int http1_edit_request(const uint8_t *raw, const struct http1_head *head,
	const struct http1_edits *edits, uint8_t *out, uint32_t out_len);

// Likewise; of edits only request_id and close apply.
int http1_edit_response(const uint8_t *raw, const struct http1_head *head,
	const struct http1_edits *edits, uint8_t *out, uint32_t out_len);
