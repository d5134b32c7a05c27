// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/grpc_status.h"

#include <nghttp2/nghttp2.h>

#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};

enum {
	N_CODES = sizeof(names) / sizeof(names[0]),
};

const char *grpc_status_name(enum grpc_code code)
{
	return (unsigned int)code < N_CODES ? names[code] : names[GRPC_UNKNOWN];
}

void grpc_status_set(struct grpc_status *status, enum grpc_code code, const char *fmt, ...)
{
	va_list args;

	status->code = code;
	va_start(args, fmt);
	vsnprintf(status->text, sizeof(status->text), fmt, args);
	va_end(args);
}

enum grpc_code grpc_status_parse(const uint8_t *value, size_t len)
{
	unsigned int code = 0;

	if (len == 0 || len > 2)
		return GRPC_UNKNOWN;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return GRPC_UNKNOWN;
		code = code * 10 + (unsigned int)(value[i] - '0');
	}
	return code < N_CODES ? (enum grpc_code)code : GRPC_UNKNOWN;
}

enum grpc_code grpc_status_from_http(int http_status)
{
	switch (http_status) {
	case 400:
		return GRPC_INTERNAL;
	case 401:
		return GRPC_UNAUTHENTICATED;
	case 403:
		return GRPC_PERMISSION_DENIED;
	case 404:
		return GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return GRPC_UNAVAILABLE;
	default:
		return GRPC_UNKNOWN;
	}
}

enum grpc_code grpc_status_from_reset(uint32_t error_code)
{
	switch (error_code) {
	case NGHTTP2_REFUSED_STREAM:
		return GRPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return GRPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return GRPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return GRPC_PERMISSION_DENIED;
	default:
		return GRPC_INTERNAL;
	}
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void grpc_status_decode(char *text, size_t size, const uint8_t *value, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		uint8_t c = value[i];

		if (c == '%' && len - i > 2 && hex_digit(value[i + 1]) >= 0 &&
			hex_digit(value[i + 2]) >= 0) {
			c = (uint8_t)(hex_digit(value[i + 1]) << 4 | hex_digit(value[i + 2]));
			i += 2;
		}
		text[n++] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	text[n] = '\0';
}
