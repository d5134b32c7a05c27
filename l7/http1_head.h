// SPDX-License-Identifier: Apache-2.0
#pragma once

// A strict parser of HTTP/1 request and response heads (RFC 9110, 9112). What could be read in two ways
// is refused, so that the endpoint sees the same message as the node. Nothing is copied: a parsed head
// is offsets into the raw bytes. Where the RFCs leave a choice, this is taken:
// - a Content-Length that is repeated or a list is refused, equal values or not;
// - so is a framing value with a tab around it, which some receivers read as part of it;
// - a name whose letters are a framing field's but which is not that name is refused, too;
// - HTTP/1.2 and above are refused; an empty port and a fragment in the target are, too;
// - Connection must be a list of tokens, and may not name Host, a framing or an x-forwarded-* field;
// - a status line without reason phrase may lack the space before it; statuses are 100 to 599;
// - 1xx and 204 may say "Content-Length: 0", a CONNECT request likewise, nothing else about a body.

#include <stdbool.h>
#include <stdint.h>

#include "l7/http1_reason.h"

enum http1_method {
	HTTP1_OTHER,
	HTTP1_GET,
	HTTP1_HEAD,
	HTTP1_POST,
	HTTP1_PUT,
	HTTP1_DELETE,
	HTTP1_CONNECT,
	HTTP1_OPTIONS,
	HTTP1_TRACE,
	HTTP1_PATCH,
};

enum http1_body {
	HTTP1_BODY_NONE,
	HTTP1_BODY_LENGTH,
	HTTP1_BODY_CHUNKED,
	HTTP1_BODY_UNTIL_CLOSE, // of responses
};

// Fields with a meaning to the node.
enum http1_field_kind {
	HTTP1_FIELD_OTHER,
	HTTP1_FIELD_HOST,
	HTTP1_FIELD_CONNECTION,
	HTTP1_FIELD_CONTENT_LENGTH,
	HTTP1_FIELD_TRANSFER_ENCODING,
	HTTP1_FIELD_UPGRADE,
	HTTP1_FIELD_EXPECT,
	HTTP1_FIELD_TE,
	HTTP1_FIELD_FORWARDED_FOR, // x-forwarded-for and so on
	HTTP1_FIELD_FORWARDED_PROTO,
	HTTP1_FIELD_FORWARDED_PORT,
	HTTP1_FIELD_REQUEST_ID, // x-request-id
	HTTP1_FIELD_LOOK_ALIKE, // never in a parsed head
};

enum {
	HTTP1_MAX_FIELDS = 100,
};

// A piece of the raw head.
struct http1_text {
	uint32_t off;
	uint32_t len;
};

struct http1_field {
	struct http1_text name;
	struct http1_text value; // without the white space around it
};

struct http1_limits {
	uint32_t request_line_bytes; // or status line; its CRLF included
	uint32_t fields_bytes;	     // all field lines and the empty line behind them
};

struct http1_head {
	uint32_t
		start; // of the start line: 2 when an empty line came before it (RFC 9112 §2.2), else 0
	uint32_t len; // from offset 0, the empty line that ends the head included
	enum http1_method method;
	struct http1_text method_text;
	struct http1_text target; // as written
	struct http1_text
		authority;	// of an absolute-form or CONNECT target, else Host's value; port
				// included; len 0: none
	struct http1_text path; // and query; "*" as written; len 0: an absolute-form target without
				// either, which means "/", or CONNECT
	uint32_t path_len;	// without query; 0 also for "http://host?query"
	uint16_t status;
	uint8_t minor; // HTTP/1.minor
	bool absolute_form;
	bool keep_alive;
	bool expect_continue; // the client may wait for a 100 before it sends the body
	bool upgrade;	      // an Upgrade that Connection announces, in HTTP/1.1
	bool te_trailers;
	enum http1_body body;
	uint64_t content_length; // at most INT64_MAX; also when there is no body (HEAD, 304)
	uint16_t n_fields;
	uint8_t kinds[HTTP1_MAX_FIELDS]; // enum http1_field_kind, one for each field
	struct http1_field fields[HTTP1_MAX_FIELDS];
};

// data: the bytes so far, from the head's first one. seen: how many of them an earlier call answered
// -EAGAIN for, 0 at first; they are not looked at in full again. Returns the head's length, or -EAGAIN,
// -EBADMSG, -E2BIG; the last two with *reason. A malformed head is refused as soon as it shows; what
// takes several fields to see may show at the head's end only. *head is valid after success.
int http1_request_parse(const uint8_t *data, uint32_t len, uint32_t seen,
	const struct http1_limits *limits, struct http1_head *head, enum http1_reason *reason);

// Likewise. request_method tells with the status whether there is a body.
int http1_response_parse(const uint8_t *data, uint32_t len, uint32_t seen,
	enum http1_method request_method, const struct http1_limits *limits,
	struct http1_head *head, enum http1_reason *reason);
