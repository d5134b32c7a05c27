// SPDX-License-Identifier: Apache-2.0

// http1_request_parse() and http1_response_parse() against arbitrary bytes. An input is a struct
// fuzz_head, then what a peer sends. Checked beyond what the sanitizers see: any way of cutting gives one
// verdict; vectors and plain C find the same; an accepted head's framing is said once; an edited head
// parses again, to the same meaning; so does one in its normal form, which is final.

#include "l7/http1_head.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "l7/http1_edit.h"
#include "l7/http1_fields.h"
#include "l7/http1_normal.h"
#include "l7/http1_path.h"
#include "l7/http1_scan.h"

enum {
	MAX_LEN = 4096,
	GROWTH = 1024, // by edits, among them the host of a target
};

struct fuzz_head {
	uint8_t request_method; // of responses; the high bit says that it is one
	uint8_t edits;		// and rules
	uint8_t cut;
};

static const struct http1_limits LIMITS = {.request_line_bytes = 512, .fields_bytes = 1024};

struct outcome {
	int rc;
	enum http1_reason reason;
	struct http1_head head;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void parse(const struct fuzz_head *fuzz, const uint8_t *data, uint32_t len, uint32_t seen,
	const struct http1_limits *limits, struct outcome *out)
{
	const enum http1_method method = (fuzz->request_method & 0x7f) % (HTTP1_PATCH + 1);

	memset(out, 0, sizeof(*out));
	out->rc = fuzz->request_method & 0x80
			  ? http1_response_parse(
				    data, len, seen, method, limits, &out->head, &out->reason)
			  : http1_request_parse(data, len, seen, limits, &out->head, &out->reason);
	require(out->rc > 0 || out->rc == -EAGAIN || out->rc == -EBADMSG || out->rc == -E2BIG);
	require((out->reason == HTTP1_OK) == (out->rc > 0 || out->rc == -EAGAIN));
}

// In memory of its own, so that a byte too many is seen.
static void parse_copy(const struct fuzz_head *fuzz, const uint8_t *data, uint32_t len,
	uint32_t seen, struct outcome *out)
{
	uint8_t *copy = malloc(len);

	require(copy != NULL);
	memcpy(copy, data, len);
	parse(fuzz, copy, len, seen, &LIMITS, out);
	free(copy);
}

static void require_same(const struct outcome *a, const struct outcome *b)
{
	require(a->rc == b->rc && a->reason == b->reason);
	if (a->rc < 0)
		return;
	require(memcmp(&a->head, &b->head, offsetof(struct http1_head, kinds)) == 0);
	require(memcmp(a->head.fields, b->head.fields,
			a->head.n_fields * sizeof(a->head.fields[0])) == 0);
}

// A later piece may show what only several fields together make malformed as late as the head's end.
static void require_cuts_agree(const struct fuzz_head *fuzz, const uint8_t *data, uint32_t len,
	const struct outcome *whole)
{
	const uint32_t cut = fuzz->cut * len / UINT8_MAX;
	struct outcome part;

	parse_copy(fuzz, data, cut, 0, &part);
	if (part.rc != -EAGAIN) {
		require_same(&part, whole);
		return;
	}
	parse_copy(fuzz, data, len, cut, &part);
	if (part.rc != -EAGAIN || whole->rc > 0)
		require_same(&part, whole);
}

static void require_scans_agree(const uint8_t *data, uint32_t len, uint32_t cut)
{
	for (uint32_t off = cut % 32; off < len; off += 32)
		require(http1_scan_controls(data, off, len) ==
			http1_scan_controls_plain(data, off, len));
	for (uint32_t off = 0; off < len; off += 7) {
		require(http1_scan_span(&HTTP1_SCAN_TOKEN, data, off, len) ==
			http1_scan_span_plain(&HTTP1_SCAN_TOKEN, data, off, len));
		require(http1_scan_span(&HTTP1_SCAN_TARGET, data, off, len) ==
			http1_scan_span_plain(&HTTP1_SCAN_TARGET, data, off, len));
	}
}

static uint32_t count(const struct http1_head *head, enum http1_field_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < head->n_fields; i++)
		n += head->kinds[i] == kind;
	return n;
}

static void require_text(const struct http1_head *head, struct http1_text text)
{
	require(text.off + text.len <= head->len);
}

static void require_unambiguous(const uint8_t *data, const struct http1_head *head, bool is_request)
{
	const uint32_t n_lengths = count(head, HTTP1_FIELD_CONTENT_LENGTH);
	const uint32_t n_encodings = count(head, HTTP1_FIELD_TRANSFER_ENCODING);

	require(n_lengths + n_encodings <= 1);
	require(n_encodings == 1 || head->body != HTTP1_BODY_CHUNKED);
	require(n_lengths == 1 || head->body != HTTP1_BODY_LENGTH);
	require(count(head, HTTP1_FIELD_LOOK_ALIKE) == 0);
	if (is_request)
		require(count(head, HTTP1_FIELD_HOST) == 1 ||
			(head->minor == 0 && count(head, HTTP1_FIELD_HOST) == 0));
	require(memchr(data, 0, head->len) == NULL);
	require(memcmp(data + head->len - 4, "\r\n\r\n", 4) == 0);
	require_text(head, head->target);
	require_text(head, head->authority);
	require_text(head, head->path);
	for (uint32_t i = 0; i < head->n_fields; i++)
		require_text(head, head->fields[i].value);
}

static bool is_same_text(
	const uint8_t *a, struct http1_text a_text, const uint8_t *b, struct http1_text b_text)
{
	return a_text.len == b_text.len && memcmp(a + a_text.off, b + b_text.off, a_text.len) == 0;
}

static void require_edited(
	const struct fuzz_head *fuzz, const uint8_t *data, const struct http1_head *head)
{
	const struct http1_limits limits = {UINT32_MAX, UINT32_MAX};
	const struct http1_edits edits = {.forwarded_for = fuzz->edits & 1 ? "192.0.2.1" : NULL,
		.forwarded_proto = fuzz->edits & 2 ? "https" : NULL,
		.forwarded_port = fuzz->edits & 4 ? "443" : NULL,
		.request_id = fuzz->edits & 8 ? "id" : NULL,
		.close = fuzz->edits & 16};
	const bool is_response = fuzz->request_method & 0x80;
	uint8_t out[MAX_LEN + GROWTH];
	struct outcome again;
	const int len = is_response ? http1_edit_response(data, head, &edits, out, sizeof(out))
				    : http1_edit_request(data, head, &edits, out, sizeof(out));

	require(len > 0 && (uint32_t)len <= head->len + GROWTH);
	parse(fuzz, out, (uint32_t)len, 0, &limits, &again);
	if (again.reason == HTTP1_TOO_MANY_FIELDS)
		return;
	require(again.rc == len && again.head.start == 0);
	require(again.head.method == head->method && again.head.status == head->status);
	require(again.head.body == head->body && again.head.content_length == head->content_length);
	require(again.head.minor == head->minor && again.head.te_trailers == head->te_trailers);
	require(again.head.expect_continue == head->expect_continue);
	require(again.head.keep_alive == (head->keep_alive && !edits.close));
	require(again.head.upgrade == (head->upgrade && !edits.close));
	require(is_same_text(out, again.head.target, data, head->target));
	require(is_same_text(out, again.head.authority, data, head->authority));
	require(is_same_text(out, again.head.path, data, head->path));
}

static void require_normal(
	const struct fuzz_head *fuzz, const uint8_t *data, const struct http1_head *head)
{
	const struct http1_limits limits = {UINT32_MAX, UINT32_MAX};
	uint8_t out[MAX_LEN * HTTP1_PATH_GROWTH], twice[sizeof(out) * HTTP1_PATH_GROWTH];
	struct http1_normal normal;
	struct outcome again;
	const int len = http1_normal_write(data, head, fuzz->edits, out, &normal);

	require((len < 0) == (normal.reason != HTTP1_OK));
	if (len < 0)
		return;
	require((uint32_t)len <= http1_normal_room(head) - head->start);
	parse(fuzz, out, (uint32_t)len, 0, &limits, &again);
	require(again.rc == len && again.head.method == head->method);
	require(again.head.body == head->body && again.head.content_length == head->content_length);
	require(again.head.keep_alive == head->keep_alive && again.head.upgrade == head->upgrade);
	require(is_same_text(out, again.head.authority, data, head->authority));
	if (http1_is_normal(data, head, fuzz->edits))
		require(memcmp(out, data + head->start, (uint32_t)len) == 0);
	require(http1_normal_write(out, &again.head, fuzz->edits, twice, &normal) == len);
	require(memcmp(out, twice, (uint32_t)len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole;
	struct fuzz_head fuzz;
	uint32_t len;

	if (size <= sizeof(fuzz) || size > sizeof(fuzz) + MAX_LEN)
		return 0;
	memcpy(&fuzz, data, sizeof(fuzz));
	data += sizeof(fuzz);
	len = (uint32_t)(size - sizeof(fuzz));
	parse_copy(&fuzz, data, len, 0, &whole);
	require_cuts_agree(&fuzz, data, len, &whole);
	require_scans_agree(data, len, fuzz.cut);
	if (whole.rc > 0) {
		require_unambiguous(data, &whole.head, !(fuzz.request_method & 0x80));
		require_edited(&fuzz, data, &whole.head);
		if (!(fuzz.request_method & 0x80))
			require_normal(&fuzz, data, &whole.head);
	}
	return 0;
}
