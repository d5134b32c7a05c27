// SPDX-License-Identifier: Apache-2.0

// The node's own replies: byte for byte, and read back by the node's own parser.

#include "l7/http1_reply.h"

#include <stdlib.h>

#include "tests/unit/http1_feed.h"

struct reply {
	uint16_t status;
	const char *body;
	enum http1_method method;
	enum http1_reply_connection connection;
	const char *date;
	const char *location;
};

static int run(const struct reply *reply, uint8_t *out, uint32_t len)
{
	const struct http1_reply whole = {.status = reply->status,
		.body_len = (uint32_t)strlen(reply->body),
		.body = reply->body,
		.date = reply->date,
		.location_len = reply->location == NULL ? 0 : (uint32_t)strlen(reply->location),
		.location = (const uint8_t *)reply->location,
		.method = reply->method,
		.connection = reply->connection};

	return http1_reply_write(&whole, out, len);
}

static void expect_reply(const struct reply *reply, const char *wanted)
{
	const uint32_t want = (uint32_t)strlen(wanted);

	for (uint32_t len = 0; len <= want; len++) {
		uint8_t *out = malloc(len);

		assert_int_equal(run(reply, out, len), len == want ? (int)want : -E2BIG);
		if (len == want)
			assert_memory_equal(out, wanted, want);
		free(out);
	}
}

static void http1_reply_with_body_says_its_length_and_type(void **state)
{
	(void)state;
	expect_reply(&(struct reply){503, "no healthy upstream", HTTP1_GET, HTTP1_REPLY_KEEP, NULL,
			     NULL},
		"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 19\r\n"
		"content-type: text/plain\r\n\r\nno healthy upstream");
}

static void http1_reply_without_body_says_length_zero(void **state)
{
	(void)state;
	expect_reply(&(struct reply){404, "", HTTP1_POST, HTTP1_REPLY_KEEP, NULL, NULL},
		"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
}

static void http1_reply_to_head_has_the_length_only(void **state)
{
	(void)state;
	expect_reply(&(struct reply){200, "hello", HTTP1_HEAD, HTTP1_REPLY_KEEP, NULL, NULL},
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: text/plain\r\n\r\n");
}

static void http1_reply_redirect_stays_on_the_host(void **state)
{
	(void)state;
	expect_reply(&(struct reply){307, "", HTTP1_GET, HTTP1_REPLY_KEEP, NULL, "/a?b"},
		"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: /a?b\r\n\r\n");
	expect_reply(&(struct reply){307, "", HTTP1_GET, HTTP1_REPLY_KEEP, NULL, "//evil/a"},
		"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: "
		"/.//evil/a\r\n\r\n");
	expect_reply(&(struct reply){307, "", HTTP1_GET, HTTP1_REPLY_KEEP, NULL, "/\\evil"},
		"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: "
		"/./\\evil\r\n\r\n");
	expect_reply(&(struct reply){307, "", HTTP1_GET, HTTP1_REPLY_KEEP, NULL, "/"},
		"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: /\r\n\r\n");
}

static void http1_reply_closing_says_so(void **state)
{
	(void)state;
	expect_reply(&(struct reply){400, "", HTTP1_OTHER, HTTP1_REPLY_CLOSE, NULL, NULL},
		"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

static void http1_reply_without_content_has_no_length(void **state)
{
	(void)state;
	expect_reply(&(struct reply){204, "x", HTTP1_GET, HTTP1_REPLY_KEEP, NULL, NULL},
		"HTTP/1.1 204 No Content\r\n\r\n");
	expect_reply(&(struct reply){304, "x", HTTP1_GET, HTTP1_REPLY_CLOSE, NULL, NULL},
		"HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n");
}

static void http1_reply_says_when_it_was_made(void **state)
{
	(void)state;
	expect_reply(&(struct reply){404, "", HTTP1_GET, HTTP1_REPLY_KEEP,
			     "Sun, 06 Nov 1994 08:49:37 GMT", NULL},
		"HTTP/1.1 404 Not Found\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"content-length: 0\r\n\r\n");
}

// RFC 9110 §15.5.6.
static void http1_reply_method_not_allowed_says_which_are(void **state)
{
	(void)state;
	expect_reply(&(struct reply){405, "", HTTP1_CONNECT, HTTP1_REPLY_CLOSE, NULL, NULL},
		"HTTP/1.1 405 Method Not Allowed\r\n"
		"allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH\r\n"
		"content-length: 0\r\nconnection: close\r\n\r\n");
	expect_reply(&(struct reply){405, "no", HTTP1_DELETE, HTTP1_REPLY_KEEP, NULL, NULL},
		"HTTP/1.1 405 Method Not Allowed\r\nallow:\r\ncontent-length: 2\r\n"
		"content-type: text/plain\r\n\r\nno");
}

static void http1_reply_of_every_status_parses(void **state)
{
	(void)state;
	for (uint16_t status = 200; status < 600; status++) {
		const struct reply reply = {status, "body", HTTP1_GET, HTTP1_REPLY_CLOSE,
			"Sun, 06 Nov 1994 08:49:37 GMT", NULL};
		const bool has_body = status != 204 && status != 304;
		char text[512];
		int len = run(&reply, (uint8_t *)text, sizeof(text));
		struct http1_outcome outcome;
		struct http1_feed feed;

		assert_true(len > 0);
		len -= has_body ? 4 : 0;
		text[len] = 0;
		feed = http1_feed_of(text);
		feed.is_response = true;
		http1_feed(&feed, &outcome);
		assert_int_equal(outcome.rc, len);
		assert_int_equal(outcome.head.status, status);
		assert_false(outcome.head.keep_alive);
		assert_int_equal(outcome.head.body, has_body ? HTTP1_BODY_LENGTH : HTTP1_BODY_NONE);
		assert_int_equal(outcome.head.content_length, has_body ? 4 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_reply_with_body_says_its_length_and_type),
		cmocka_unit_test(http1_reply_without_body_says_length_zero),
		cmocka_unit_test(http1_reply_to_head_has_the_length_only),
		cmocka_unit_test(http1_reply_redirect_stays_on_the_host),
		cmocka_unit_test(http1_reply_closing_says_so),
		cmocka_unit_test(http1_reply_without_content_has_no_length),
		cmocka_unit_test(http1_reply_says_when_it_was_made),
		cmocka_unit_test(http1_reply_method_not_allowed_says_which_are),
		cmocka_unit_test(http1_reply_of_every_status_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
