// SPDX-License-Identifier: Apache-2.0
#pragma once

// Feeds a head to the parser in every way it may arrive: whole, cut at each byte, byte by byte, with
// bytes of a body behind it. All ways must come to one outcome, and none may read past its bytes.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l7/http1_head.h"
#include "tests/unit/guard_page.h"

enum {
	HTTP1_FEED_CUT_ALL = 1024, // longer heads are cut at some bytes only
};

static const struct http1_limits HTTP1_FEED_LIMITS = {
	.request_line_bytes = 8192, .fields_bytes = 8192};

struct http1_feed {
	const char *text;
	uint32_t len;
	struct http1_limits limits;
	bool is_response;
	enum http1_method request_method; // of responses
};

struct http1_outcome {
	int rc;
	enum http1_reason reason;
	struct http1_head head;
};

static inline struct http1_feed http1_feed_of(const char *text)
{
	return (struct http1_feed){
		.text = text, .len = (uint32_t)strlen(text), .limits = HTTP1_FEED_LIMITS};
}

static inline void http1_feed_once(const struct http1_feed *feed, const uint8_t *bytes,
	uint32_t len, uint32_t seen, struct http1_outcome *out)
{
	memset(out, 0, sizeof(*out));
	out->rc = feed->is_response ? http1_response_parse(bytes, len, seen, feed->request_method,
					      &feed->limits, &out->head, &out->reason)
				    : http1_request_parse(bytes, len, seen, &feed->limits,
					      &out->head, &out->reason);
}

static inline void http1_feed_expect_same(
	const struct http1_outcome *a, const struct http1_outcome *b)
{
	assert_int_equal(a->rc, b->rc);
	if (a->rc < 0) {
		assert_int_equal(a->reason, b->reason);
		return;
	}
	assert_memory_equal(&a->head, &b->head, offsetof(struct http1_head, kinds));
	assert_memory_equal(a->head.kinds, b->head.kinds, a->head.n_fields);
	assert_memory_equal(
		a->head.fields, b->head.fields, a->head.n_fields * sizeof(a->head.fields[0]));
}

// The first cut bytes, then all.
static inline void http1_feed_cut(const struct http1_feed *feed, const struct guard_page *page,
	uint32_t cut, const struct http1_outcome *whole)
{
	struct http1_outcome part;

	http1_feed_once(feed, guard_page_place(page, feed->text, cut), cut, 0, &part);
	if (part.rc == -EAGAIN)
		http1_feed_once(
			feed, guard_page_place(page, feed->text, feed->len), feed->len, cut, &part);
	http1_feed_expect_same(&part, whole);
}

static inline void http1_feed_bytewise(const struct http1_feed *feed, const struct guard_page *page,
	const struct http1_outcome *whole)
{
	struct http1_outcome part = {.rc = -EAGAIN};

	for (uint32_t len = 1; len <= feed->len && part.rc == -EAGAIN; len++)
		http1_feed_once(feed, guard_page_place(page, feed->text, len), len, len - 1, &part);
	http1_feed_expect_same(&part, whole);
}

static inline void http1_feed_with_body(const struct http1_feed *feed,
	const struct guard_page *page, const struct http1_outcome *whole)
{
	static const char body[] = "\r\n\tbody: \n\x7f";
	char bytes[GUARD_PAGE_MAX_INPUT];
	const uint32_t len = feed->len + sizeof(body);
	struct http1_outcome all;

	memcpy(bytes, feed->text, feed->len);
	memcpy(bytes + feed->len, body, sizeof(body));
	http1_feed_once(feed, guard_page_place(page, bytes, len), len, 0, &all);
	http1_feed_expect_same(&all, whole);
}

// text is a whole head, or is refused. The outcome's offsets are into text.
static inline void http1_feed(const struct http1_feed *feed, struct http1_outcome *whole)
{
	const uint32_t step = feed->len <= HTTP1_FEED_CUT_ALL ? 1 : 61;
	struct guard_page page = guard_page_map();

	http1_feed_once(feed, guard_page_place(&page, feed->text, feed->len), feed->len, 0, whole);
	assert_int_not_equal(whole->rc, -EAGAIN);
	for (uint32_t cut = 0; cut < feed->len; cut += step)
		http1_feed_cut(feed, &page, cut, whole);
	http1_feed_bytewise(feed, &page, whole);
	http1_feed_with_body(feed, &page, whole);
	guard_page_unmap(&page);
}
