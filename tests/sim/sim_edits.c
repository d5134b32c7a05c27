// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool starts_with(const uint8_t *line, uint32_t len, const char *name)
{
	return len > strlen(name) && strncasecmp((const char *)line, name, strlen(name)) == 0;
}

static bool is_editable(const uint8_t *line, uint32_t len)
{
	return starts_with(line, len, "x-forwarded-for:") ||
	       starts_with(line, len, "x-forwarded-proto:") ||
	       starts_with(line, len, "x-forwarded-port:") ||
	       starts_with(line, len, "x-request-id:") || starts_with(line, len, "connection:");
}

// The head without the lines that edits may change, and without an empty line before it.
static void strip(const uint8_t *head, uint32_t len, struct sim_text *out)
{
	uint32_t at = 0;

	while (at < len) {
		const uint8_t *line = head + at, *end = memchr(line, '\n', len - at);
		uint32_t n = end ? (uint32_t)(end - line) + 1 : len - at;

		if (!is_editable(line, n) && !(at == 0 && n == 2))
			sim_text_add(out, line, n);
		at += n;
	}
}

static bool equal_when_stripped(const struct sim_text *sent, const uint8_t *head, uint32_t len)
{
	struct sim_text a = {0}, b = {0};
	bool equal;

	strip(sent->data, sent->len, &a);
	strip(head, len, &b);
	equal = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
	sim_text_free(&a);
	sim_text_free(&b);
	return equal;
}

static bool equal_as_is(const struct sim_text *sent, const uint8_t *head, uint32_t len)
{
	uint32_t skip = sent->len > 2 && sent->data[0] == '\r' ? 2 : 0;

	return sent->len - skip == len && memcmp(sent->data + skip, head, len) == 0;
}

bool sim_edits_match_request(
	const struct sim_text *sent, bool edited, const uint8_t *head, uint32_t len)
{
	const uint8_t *old;
	char expected[128];
	int old_len;

	if (!edited)
		return equal_as_is(sent, head, len);
	old_len = sim_http_field(sent->data, sent->len, "x-forwarded-for", &old);
	snprintf(expected, sizeof(expected), "%.*s%s10.0.0.1", old_len > 0 ? old_len : 0,
		old_len > 0 ? (const char *)old : "", old_len > 0 ? ", " : "");
	return equal_when_stripped(sent, head, len) &&
	       sim_http_has(head, len, "x-forwarded-for", expected) &&
	       sim_http_has(head, len, "x-forwarded-proto", "http") &&
	       sim_http_has(head, len, "x-forwarded-port", "80") &&
	       sim_http_has(head, len, "x-request-id", "sim-request");
}

bool sim_edits_match_response(const struct sim_request *request, const uint8_t *head, uint32_t len)
{
	// A node that will close says so.
	if (!request->edits_response && !sim_http_has(head, len, "connection", "close"))
		return equal_as_is(&request->response_head, head, len);
	if (!request->edits_response)
		return equal_when_stripped(&request->response_head, head, len);
	return equal_when_stripped(&request->response_head, head, len) &&
	       sim_http_has(head, len, "x-request-id", "sim-answer");
}
