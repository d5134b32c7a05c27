// SPDX-License-Identifier: Apache-2.0

// Paths in their normal form: those that RFC 3986 names, those that hide something, and all short ones of the bytes
// that matter.

#include "l7/http1_path.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	ALL = HTTP1_PATH_NORMALIZE | HTTP1_PATH_MERGE_SLASHES | HTTP1_PATH_UNESCAPE_SLASHES,
};

struct path_case {
	const char *before;
	const char *after;
};

// Out of memory of its own, so that a byte too many is seen.
static int run(const char *path, uint8_t rules, char *out, bool *unescaped)
{
	const uint32_t len = (uint32_t)strlen(path);
	uint8_t *in = malloc(len), *written = malloc((size_t)len * HTTP1_PATH_GROWTH);
	int n;

	memcpy(in, path, len); // NOLINT(bugprone-not-null-terminated-result): it is none
	n = http1_path_normalize(in, len, rules, written, unescaped);
	if (n >= 0) {
		memcpy(out, written, (uint32_t)n);
		out[n] = '\0';
	}
	free(in);
	free(written);
	return n;
}

static void expect(const struct path_case *cases, size_t n, uint8_t rules)
{
	char out[256];
	bool unescaped;

	for (size_t i = 0; i < n; i++) {
		assert_true(run(cases[i].before, rules, out, &unescaped) > 0);
		assert_string_equal(out, cases[i].after);
	}
}

#define EXPECT(cases, rules) expect(cases, sizeof(cases) / sizeof((cases)[0]), rules)

static void http1_path_dot_segments_go(void **state)
{
	static const struct path_case CASES[] = {
		{"/a/b/c/./../../g", "/a/g"}, // RFC 3986 §5.2.4
		{"/b/c/./g/.", "/b/c/g/"},    // these of §5.4
		{"/b/c/d;p/../..", "/b/"}, {"/b/c/../../../g", "/g"}, {"/b/c/g..", "/b/c/g.."},
		{"/b/c/..g", "/b/c/..g"}, {"/b/c/...", "/b/c/..."}, {"/b/c/g;x=1/../y", "/b/c/y"},
		{"/", "/"}, {"/.", "/"}, {"/..", "/"}, {"/../", "/"}, {"/..a/.b", "/..a/.b"},
		{"/a/..", "/"}, {"/a/../", "/"}, {"//a//../b", "//a/b"}, {"//..", "/"},
		{"/a//..", "/a/"}, {"/a/%2e%2E/b", "/b"}, {"/a/.%2e/b", "/b"}, {"/a\\..\\b", "/b"},
		{"/a/%2e%2e%5cb", "/a/..%5cb"}, // not a slash unless it is told to be
	};

	(void)state;
	EXPECT(CASES, HTTP1_PATH_NORMALIZE);
}

static void http1_path_needless_escapes_go(void **state)
{
	static const struct path_case CASES[] = {
		{"/%61%7A%41%5a%30%39%2d%2e%5f%7e", "/azAZ09-._~"},
		{"/%2f%2F%20%25%ff%c3%A9", "/%2f%2F%20%25%ff%c3%A9"},
		{"/%252e%252e/a", "/%252e%252e/a"}, // once only
		{"/!$&'()*+,-.;=:@[]_~", "/!$&'()*+,-.;=:@[]_~"},
	};

	(void)state;
	EXPECT(CASES, HTTP1_PATH_NORMALIZE);
}

static void http1_path_missing_escapes_come(void **state)
{
	static const struct path_case CASES[] = {
		{"/\"<>^`{|}", "/%22%3C%3E%5E%60%7B%7C%7D"},
		{"/%", "/%25"},
		{"/%a", "/%25a"},
		{"/%zz%6", "/%25zz%256"},
		{"/%2%65%2%65/a", "/%252e%252e/a"}, // would have become %2e
		{"/%%32e", "/%252e"},
		{"/%/..", "/"},
	};

	(void)state;
	EXPECT(CASES, HTTP1_PATH_NORMALIZE);
}

static void http1_path_slashes_are_merged(void **state)
{
	static const struct path_case CASES[] = {
		{"//", "/"}, {"///a//b///", "/a/b/"}, {"/a/./b", "/a/./b"}, {"/%2f/", "/%2f/"}};

	(void)state;
	EXPECT(CASES, HTTP1_PATH_MERGE_SLASHES);
}

static void http1_path_escaped_slashes_are_unescaped(void **state)
{
	static const struct path_case CASES[] = {
		{"/a%2fb%2Fc%5cd%5Ce", "/a/b/c\\d\\e"}, {"/%252f%2", "/%252f%2"}, {"/%61", "/%61"}};
	char out[256];
	bool unescaped;

	(void)state;
	EXPECT(CASES, HTTP1_PATH_UNESCAPE_SLASHES);
	run("/a%2fb", HTTP1_PATH_UNESCAPE_SLASHES, out, &unescaped);
	assert_true(unescaped);
	run("/a/../b", ALL, out, &unescaped);
	assert_false(unescaped);
}

static void http1_path_rules_see_what_others_uncover(void **state)
{
	static const struct path_case CASES[] = {{"/a%2f..%2fb", "/b"}, {"/a%5c%2e%2e%5cb", "/b"},
		{"/a/%2f/../b", "/a/b"}, {"/a//../b", "/a/b"}, {"/%2F%5C", "/"}};

	(void)state;
	EXPECT(CASES, ALL);
}

static void http1_path_zero_is_refused(void **state)
{
	char out[16];
	bool unescaped;

	(void)state;
	assert_int_equal(run("/a%00", HTTP1_PATH_NORMALIZE, out, &unescaped), -EBADMSG);
	assert_int_equal(run("/a%00", HTTP1_PATH_MERGE_SLASHES, out, &unescaped), 5);
}

static void check_normal(const char *path, uint8_t rules)
{
	char once[32], twice[32];
	bool unescaped;
	int n = run(path, rules, once, &unescaped);

	if (n < 0)
		return;
	assert_int_equal(once[0], '/');
	if (!http1_path_may_change((const uint8_t *)path, (uint32_t)strlen(path)))
		assert_string_equal(once, path);
	run(once, rules, twice, &unescaped);
	assert_string_equal(twice, once);
	if (!(rules & HTTP1_PATH_NORMALIZE))
		return;
	assert_null(strstr(once, "/./"));
	assert_null(strstr(once, "/../"));
	assert_null(strchr(once, '\\'));
}

// All of up to eight bytes.
static void http1_path_normal_form_is_final(void **state)
{
	static const char BYTES[] = "/.%2eF5\\";
	enum {
		N = sizeof(BYTES) - 1,
		MOST = 2097152
	}; // N to the seventh

	(void)state;
	for (uint32_t number = 0; number < MOST; number++) {
		char path[9] = "/";
		uint32_t left = number;

		for (uint32_t i = 1; i < 8; i++, left /= N)
			path[i] = BYTES[left % N];
		check_normal(path, ALL);
		check_normal(path, HTTP1_PATH_NORMALIZE);
		path[1 + number % 7] = '\0';
		check_normal(path, (uint8_t)(number % (ALL + 1)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_path_dot_segments_go),
		cmocka_unit_test(http1_path_needless_escapes_go),
		cmocka_unit_test(http1_path_missing_escapes_come),
		cmocka_unit_test(http1_path_slashes_are_merged),
		cmocka_unit_test(http1_path_escaped_slashes_are_unescaped),
		cmocka_unit_test(http1_path_rules_see_what_others_uncover),
		cmocka_unit_test(http1_path_zero_is_refused),
		cmocka_unit_test(http1_path_normal_form_is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
