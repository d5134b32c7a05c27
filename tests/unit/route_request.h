// SPDX-License-Identifier: Apache-2.0
#pragma once

// A request head for tests of routing, put together by hand, so that they need no parser.

#include <stdint.h>
#include <string.h>

#include "l7/http1_head.h"

enum {
	REQUEST_BYTES = 4096,
};

struct request_text {
	uint8_t raw[REQUEST_BYTES];
	uint32_t len;
	struct http1_head head;
};

static inline struct http1_text request_add(struct request_text *rq, const char *text)
{
	struct http1_text at = {.off = rq->len, .len = (uint32_t)strlen(text)};

	memcpy(rq->raw + rq->len, text, at.len);
	rq->len += at.len + 1;
	return at;
}

static inline void request_start(
	struct request_text *rq, const char *method, const char *host, const char *path)
{
	memset(rq, 0, sizeof(*rq));
	rq->head.method = strcmp(method, "CONNECT") == 0 ? HTTP1_CONNECT : HTTP1_OTHER;
	rq->head.method_text = request_add(rq, method);
	rq->head.authority = request_add(rq, host);
	rq->head.path = request_add(rq, path);
	rq->head.path_len = (uint32_t)strcspn(path, "?");
}

static inline void request_field(struct request_text *rq, const char *name, const char *value)
{
	struct http1_field *field = &rq->head.fields[rq->head.n_fields++];

	field->name = request_add(rq, name);
	field->value = request_add(rq, value);
}
