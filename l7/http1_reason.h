// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why an HTTP/1 message was refused. Every rule has a reason of its own, so that counters and logs tell
// what a peer does wrong; the name is for them, the status for the reply.

#include <stdint.h>

// LINE is the request or status line. BAD_PATH, ESCAPED_SLASH, UNDERSCORE: a listener's rules forbid it
// (l7/http1_normal.h). OTHER_VERSION: the major version is not 1. LOOK_ALIKE: a field
// that is nearly a framing field, Transfer_Encoding. CONNECTION_OPTION: Connection names a field that is
// not a single hop's. OLD_TRANSFER_ENCODING: in HTTP/1.0. TWO_FRAMINGS: Content-Length and
// Transfer-Encoding. BODY_FORBIDDEN: a body's framing where none may be: CONNECT, 1xx, 204.
#define HTTP1_REASONS(X)                                                                           \
	X(HTTP1_OK, "ok", 200)                                                                     \
	X(HTTP1_BARE_CR, "bare_cr", 400)                                                           \
	X(HTTP1_BARE_LF, "bare_lf", 400)                                                           \
	X(HTTP1_LINE_TOO_LONG, "line_too_long", 414)                                               \
	X(HTTP1_BAD_METHOD, "bad_method", 400)                                                     \
	X(HTTP1_BAD_TARGET, "bad_target", 400)                                                     \
	X(HTTP1_BAD_PATH, "bad_path", 400)                                                         \
	X(HTTP1_ESCAPED_SLASH, "escaped_slash", 400)                                               \
	X(HTTP1_BAD_VERSION, "bad_version", 400)                                                   \
	X(HTTP1_OTHER_VERSION, "other_version", 505)                                               \
	X(HTTP1_BAD_STATUS, "bad_status", 400)                                                     \
	X(HTTP1_FIELDS_TOO_LARGE, "fields_too_large", 431)                                         \
	X(HTTP1_TOO_MANY_FIELDS, "too_many_fields", 431)                                           \
	X(HTTP1_BAD_FIELD_NAME, "bad_field_name", 400)                                             \
	X(HTTP1_UNDERSCORE, "underscore", 400)                                                     \
	X(HTTP1_SPACE_BEFORE_COLON, "space_before_colon", 400)                                     \
	X(HTTP1_OBS_FOLD, "obs_fold", 400)                                                         \
	X(HTTP1_BAD_FIELD_VALUE, "bad_field_value", 400)                                           \
	X(HTTP1_LOOK_ALIKE, "look_alike", 400)                                                     \
	X(HTTP1_NO_HOST, "no_host", 400)                                                           \
	X(HTTP1_REPEATED_HOST, "repeated_host", 400)                                               \
	X(HTTP1_BAD_HOST, "bad_host", 400)                                                         \
	X(HTTP1_BAD_CONNECTION, "bad_connection", 400)                                             \
	X(HTTP1_CONNECTION_OPTION, "connection_option", 400)                                       \
	X(HTTP1_BAD_CONTENT_LENGTH, "bad_content_length", 400)                                     \
	X(HTTP1_REPEATED_CONTENT_LENGTH, "repeated_content_length", 400)                           \
	X(HTTP1_BAD_TRANSFER_ENCODING, "bad_transfer_encoding", 400)                               \
	X(HTTP1_OLD_TRANSFER_ENCODING, "old_transfer_encoding", 400)                               \
	X(HTTP1_TWO_FRAMINGS, "two_framings", 400)                                                 \
	X(HTTP1_BODY_FORBIDDEN, "body_forbidden", 400)                                             \
	X(HTTP1_BAD_CHUNK_SIZE, "bad_chunk_size", 400)                                             \
	X(HTTP1_BAD_CHUNK_EXTENSION, "bad_chunk_extension", 400)                                   \
	X(HTTP1_CHUNK_LINE_TOO_LONG, "chunk_line_too_long", 400)                                   \
	X(HTTP1_BAD_CHUNK_END, "bad_chunk_end", 400)                                               \
	X(HTTP1_BAD_TRAILER, "bad_trailer", 400)                                                   \
	X(HTTP1_FORBIDDEN_TRAILER, "forbidden_trailer", 400)                                       \
	X(HTTP1_TRAILERS_TOO_LARGE, "trailers_too_large", 431)

enum http1_reason {
#define ENUMERATOR(reason, name, status) reason,
	HTTP1_REASONS(ENUMERATOR)
#undef ENUMERATOR
	HTTP1_N_REASONS,
};

// Lower case with underscores.
const char *http1_reason_name(enum http1_reason reason);

// The status that answers a request refused for this reason. A refused response is always a 502.
uint16_t http1_reason_status(enum http1_reason reason);
