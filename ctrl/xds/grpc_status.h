// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a gRPC call ended, in gRPC's codes: from its trailers, or from what HTTP/2 says when there are none.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// gRPC's codes (grpc/doc/statuscodes.md).
enum grpc_code {
	GRPC_OK = 0,
	GRPC_CANCELLED = 1,
	GRPC_UNKNOWN = 2,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_UNAUTHENTICATED = 16,
};

struct grpc_status {
	enum grpc_code code; // the server's, or what fits best when it gave none
	bool too_many_pings; // the server wants fewer
	char text[384];	     // what the server said, or what went wrong; printable
};

// "UNAVAILABLE"; "UNKNOWN" for a number that gRPC does not have.
const char *grpc_status_name(enum grpc_code code);

void grpc_status_set(struct grpc_status *status, enum grpc_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// The value of grpc-status. Another number, or none: GRPC_UNKNOWN.
enum grpc_code grpc_status_parse(const uint8_t *value, size_t len);
// An HTTP status instead of gRPC (grpc/doc/http-grpc-status-mapping.md).
enum grpc_code grpc_status_from_http(int http_status);
// The error code of a RST_STREAM (grpc/doc/PROTOCOL-HTTP2.md).
enum grpc_code grpc_status_from_reset(uint32_t error_code);

// The value of grpc-message: percent-decoded as far as it can be, bytes that do not print replaced, cut to size.
void grpc_status_decode(char *text, size_t size, const uint8_t *value, size_t len);
