// SPDX-License-Identifier: Apache-2.0

// Heads as a listener's rules want them, byte for byte.

#include "l7/http1_normal.h"

#include <stdlib.h>

#include "tests/unit/http1_feed.h"

enum {
	PATHS = HTTP1_RULE_NORMALIZE_PATH | HTTP1_RULE_MERGE_SLASHES,
};

// What becomes of it; reason as it was refused.
static enum http1_reason run(
	const char *before, uint8_t rules, char *after, struct http1_normal *normal)
{
	struct http1_feed feed = http1_feed_of(before);
	struct http1_outcome outcome;
	uint8_t *out;
	int n;

	http1_feed(&feed, &outcome);
	assert_string_equal(http1_reason_name(outcome.reason), "ok");
	out = malloc(http1_normal_room(&outcome.head));
	n = http1_normal_write((const uint8_t *)before, &outcome.head, rules, out, normal);
	assert_int_equal(n < 0, normal->reason != HTTP1_OK);
	if (n >= 0) {
		memcpy(after, out, (uint32_t)n);
		after[n] = '\0';
		if (http1_is_normal((const uint8_t *)before, &outcome.head, rules))
			assert_string_equal(after, before + outcome.head.start);
	}
	free(out);
	return normal->reason;
}

static void expect(const char *before, uint8_t rules, const char *wanted)
{
	struct http1_normal normal;
	char after[512];

	assert_string_equal(http1_reason_name(run(before, rules, after, &normal)), "ok");
	assert_string_equal(after, wanted);
}

static void expect_refused(const char *before, uint8_t rules, enum http1_reason reason)
{
	struct http1_normal normal;
	char after[512];

	assert_string_equal(
		http1_reason_name(run(before, rules, after, &normal)), http1_reason_name(reason));
}

static void http1_normal_path_alone_changes(void **state)
{
	(void)state;
	expect("\r\nPOST /a/.//../b?/../%62 HTTP/1.0\r\nA: /../\r\nContent-Length: 1\r\n\r\n",
		PATHS, "POST /a/b?/../%62 HTTP/1.0\r\nA: /../\r\nContent-Length: 1\r\n\r\n");
	expect("GET http://h/../b HTTP/1.1\r\nHost: h\r\n\r\n", PATHS,
		"GET http://h/b HTTP/1.1\r\nHost: h\r\n\r\n");
	expect("GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_RULE_MERGE_SLASHES,
		"GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n");
	expect("GET //b/.. HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_RULE_NORMALIZE_PATH,
		"GET // HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void http1_normal_targets_without_path_stay(void **state)
{
	static const char *const HEADS[] = {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET http://h?/../ HTTP/1.1\r\nHost: h\r\n\r\n",
		"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++)
		expect(HEADS[i], PATHS | HTTP1_RULE_UNESCAPE_SLASHES | HTTP1_RULE_DROP_UNDERSCORES,
			HEADS[i]);
}

static void http1_normal_escaped_slashes(void **state)
{
	static const char HEAD[] = "GET /a%2F..%2fb?%2F HTTP/1.1\r\nHost: h\r\n\r\n";
	struct http1_normal normal;
	char after[512];

	(void)state;
	expect(HEAD, HTTP1_RULE_UNESCAPE_SLASHES, "GET /a/../b?%2F HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(HEAD, HTTP1_RULE_UNESCAPE_SLASHES | PATHS, "GET /b?%2F HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(HEAD, PATHS, HEAD);
	expect_refused(HEAD, HTTP1_RULE_REJECT_ESCAPED_SLASHES | PATHS, HTTP1_ESCAPED_SLASH);
	run(HEAD, HTTP1_RULE_REDIRECT_ESCAPED_SLASHES | PATHS, after, &normal);
	assert_true(normal.redirect);
	assert_int_equal(normal.location.len, 6);
	assert_memory_equal(after + normal.location.off, "/b?%2F", 6);
	run("GET /../b HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_RULE_REDIRECT_ESCAPED_SLASHES | PATHS,
		after, &normal);
	assert_false(normal.redirect);
}

static void http1_normal_zero_is_refused(void **state)
{
	(void)state;
	expect_refused("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", PATHS, HTTP1_BAD_PATH);
}

static void http1_normal_underscores(void **state)
{
	static const char HEAD[] =
		"GET / HTTP/1.1\r\na_b: 1\r\nHost: h\r\n_: 2\r\nX-A:  a_b\r\nc_: \r\n\r\n";

	(void)state;
	expect(HEAD, PATHS, HEAD);
	expect(HEAD, HTTP1_RULE_DROP_UNDERSCORES, "GET / HTTP/1.1\r\nHost: h\r\nX-A:  a_b\r\n\r\n");
	expect_refused(HEAD, HTTP1_RULE_REJECT_UNDERSCORES, HTTP1_UNDERSCORE);
	expect("GET /a_b HTTP/1.1\r\nHost: h\r\nX: a_b\r\n\r\n", HTTP1_RULE_REJECT_UNDERSCORES,
		"GET /a_b HTTP/1.1\r\nHost: h\r\nX: a_b\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_normal_path_alone_changes),
		cmocka_unit_test(http1_normal_targets_without_path_stay),
		cmocka_unit_test(http1_normal_escaped_slashes),
		cmocka_unit_test(http1_normal_zero_is_refused),
		cmocka_unit_test(http1_normal_underscores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
