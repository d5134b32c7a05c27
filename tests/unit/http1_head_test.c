// SPDX-License-Identifier: Apache-2.0

// Heads that are accepted, and what they mean. Each is fed in every way (http1_feed.h).

#include "l7/http1_head.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/http1_feed.h"

enum {
	KEEP = 1 << 0,
	UPGRADE = 1 << 1,
	EXPECT = 1 << 2,
	TRAILERS = 1 << 3,
	ABSOLUTE = 1 << 4,
};

struct meaning {
	const char *situation;
	const char *text;
	enum http1_method method; // of responses, their request's
	uint16_t status;	  // of responses
	const char *target;
	const char *authority;
	const char *path;
	uint32_t path_len;
	uint32_t flags;
	enum http1_body body;
	uint64_t content_length;
};

#define GET_AND(fields) "GET /a HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define OF_GET .method = HTTP1_GET, .target = "/a", .authority = "h", .path = "/a", .path_len = 2

static const struct meaning REQUESTS[] = {
	{"get", GET_AND(""), OF_GET, .flags = KEEP},
	{"query", "GET /a?b=/c?d HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_GET, 0, "/a?b=/c?d", "h",
		"/a?b=/c?d", 2, KEEP, HTTP1_BODY_NONE, 0},
	{"empty_line_in_front", "\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", OF_GET, .flags = KEEP},
	{"http_1_0", "GET /a HTTP/1.0\r\n\r\n", HTTP1_GET, 0, "/a", "", "/a", 2, 0, HTTP1_BODY_NONE,
		0},
	{"http_1_0_keep_alive", "GET /a HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n",
		OF_GET, .flags = KEEP},
	{"http_1_0_upgrade",
		"GET /a HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", OF_GET},
	{"http_1_0_expect",
		"POST /a HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
		HTTP1_POST, 0, "/a", "h", "/a", 2, 0, HTTP1_BODY_LENGTH, 1},
	{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_OPTIONS, 0, "*", "h", "*", 1,
		KEEP, HTTP1_BODY_NONE, 0},
	{"options_origin_form", "OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_OPTIONS, 0, "/a",
		"h", "/a", 2, KEEP, HTTP1_BODY_NONE, 0},
	{"connect", "CONNECT b.example:443 HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_CONNECT, 0,
		"b.example:443", "b.example:443", "", 0, KEEP, HTTP1_BODY_NONE, 0},
	{"connect_ip6", "CONNECT [::1]:443 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
		HTTP1_CONNECT, 0, "[::1]:443", "[::1]:443", "", 0, KEEP, HTTP1_BODY_NONE, 0},
	{"absolute_form", "GET http://b:81/a?c HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_GET, 0,
		"http://b:81/a?c", "b:81", "/a?c", 2, KEEP | ABSOLUTE, HTTP1_BODY_NONE, 0},
	{"absolute_form_without_path", "GET HTTPS://b HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_GET, 0,
		"HTTPS://b", "b", "", 0, KEEP | ABSOLUTE, HTTP1_BODY_NONE, 0},
	{"absolute_form_query_only", "GET http://b?c/d HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_GET, 0,
		"http://b?c/d", "b", "?c/d", 0, KEEP | ABSOLUTE, HTTP1_BODY_NONE, 0},
	{"absolute_form_http_1_0", "GET http://b/ HTTP/1.0\r\n\r\n", HTTP1_GET, 0, "http://b/", "b",
		"/", 1, ABSOLUTE, HTTP1_BODY_NONE, 0},
	{"odd_target_characters", "GET /\"<>\\^`{|}!*'();:@&=+$,[]% HTTP/1.1\r\nHost: h\r\n\r\n",
		HTTP1_GET, 0, "/\"<>\\^`{|}!*'();:@&=+$,[]%", "h", "/\"<>\\^`{|}!*'();:@&=+$,[]%",
		26, KEEP, HTTP1_BODY_NONE, 0},
	{"method_unknown", "M-SEARCH! / HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_OTHER, 0, "/", "h", "/",
		1, KEEP, HTTP1_BODY_NONE, 0},
	{"method_lower_case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_OTHER, 0, "/", "h", "/", 1,
		KEEP, HTTP1_BODY_NONE, 0},
	{"length", "PUT / HTTP/1.1\r\nHost: h\r\nCONTENT-LENGTH:  0042  \r\n\r\n", HTTP1_PUT, 0,
		"/", "h", "/", 1, KEEP, HTTP1_BODY_LENGTH, 42},
	{"length_largest",
		"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length:9223372036854775807\r\n\r\n",
		HTTP1_PUT, 0, "/", "h", "/", 1, KEEP, HTTP1_BODY_LENGTH, INT64_MAX},
	{"length_zero", "PATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", HTTP1_PATCH, 0,
		"/", "h", "/", 1, KEEP, HTTP1_BODY_NONE, 0},
	{"chunked", "DELETE / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n",
		HTTP1_DELETE, 0, "/", "h", "/", 1, KEEP, HTTP1_BODY_CHUNKED, 0},
	{"trace", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_TRACE, 0, "/", "h", "/", 1, KEEP,
		HTTP1_BODY_NONE, 0},
	{"head", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", HTTP1_HEAD, 0, "/", "h", "/", 1, KEEP,
		HTTP1_BODY_NONE, 0},
	{"close", GET_AND("Connection: CLOSE\r\n"), OF_GET},
	{"close_wins", GET_AND("Connection: keep-alive\r\nConnection: , ,close ,\r\n"), OF_GET},
	{"close_is_a_whole_word", GET_AND("Connection: closed, unclose\r\n"), OF_GET,
		.flags = KEEP},
	{"connection_empty", GET_AND("Connection:\r\n"), OF_GET, .flags = KEEP},
	{"upgrade", GET_AND("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"), OF_GET,
		.flags = KEEP | UPGRADE},
	{"upgrade_without_option", GET_AND("Upgrade: websocket\r\n"), OF_GET, .flags = KEEP},
	{"upgrade_without_field", GET_AND("Connection: upgrade\r\n"), OF_GET, .flags = KEEP},
	{"expect",
		"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
		HTTP1_POST, 0, "/", "h", "/", 1, KEEP | EXPECT, HTTP1_BODY_LENGTH, 1},
	{"expect_without_body", GET_AND("Expect: 100-continue\r\n"), OF_GET, .flags = KEEP},
	{"expect_something_else",
		"POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n",
		HTTP1_POST, 0, "/", "h", "/", 1, KEEP, HTTP1_BODY_LENGTH, 1},
	{"te_trailers", GET_AND("TE: deflate;q=0.5 ,\tTrailers\r\n"), OF_GET,
		.flags = KEEP | TRAILERS},
	{"te_something_else", GET_AND("TE: deflate, trailers;q=1\r\n"), OF_GET, .flags = KEEP},
	{"value_not_ascii", GET_AND("X: \xc3\xa9\t\x80\xff\r\n"), OF_GET, .flags = KEEP},
	{"value_empty", GET_AND("X:\r\nY: \t \r\n"), OF_GET, .flags = KEEP},
	{"name_of_every_token_character", GET_AND("!#$%&'*+-.^_`|~09azAZ: 1\r\n"), OF_GET,
		.flags = KEEP},
	{"name_like_framing_but_longer",
		GET_AND("X-Transfer_Encoding: 1\r\nContent-Lengths: 1\r\n"), OF_GET, .flags = KEEP},
	{"host_with_port", "GET / HTTP/1.1\r\nHost: a.example:65535\r\n\r\n", HTTP1_GET, 0, "/",
		"a.example:65535", "/", 1, KEEP, HTTP1_BODY_NONE, 0},
	{"host_ip4", "GET / HTTP/1.1\r\nHost:192.0.2.1:80\r\n\r\n", HTTP1_GET, 0, "/",
		"192.0.2.1:80", "/", 1, KEEP, HTTP1_BODY_NONE, 0},
	{"host_ip6", "GET / HTTP/1.1\r\nHost: [2001:DB8::192.0.2.1]\r\n\r\n", HTTP1_GET, 0, "/",
		"[2001:DB8::192.0.2.1]", "/", 1, KEEP, HTTP1_BODY_NONE, 0},
	{"host_ip6_with_port", "GET / HTTP/1.1\r\nHost: [::]:8080\r\n\r\n", HTTP1_GET, 0, "/",
		"[::]:8080", "/", 1, KEEP, HTTP1_BODY_NONE, 0},
	{"host_of_every_character", "GET / HTTP/1.1\r\nHost: azAZ09-._~!$&'()*+,;=%aF%09\r\n\r\n",
		HTTP1_GET, 0, "/", "azAZ09-._~!$&'()*+,;=%aF%09", "/", 1, KEEP, HTTP1_BODY_NONE, 0},
};

#define OK_AND(fields) "HTTP/1.1 200 OK\r\n" fields "\r\n"

static const struct meaning RESPONSES[] = {
	{"length", OK_AND("Content-Length: 5\r\n"), HTTP1_GET, 200, .flags = KEEP,
		.body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"length_zero", OK_AND("Content-Length: 0\r\n"), HTTP1_GET, 200, .flags = KEEP},
	{"chunked", OK_AND("transfer-encoding:chunked\r\n"), HTTP1_POST, 200, .flags = KEEP,
		.body = HTTP1_BODY_CHUNKED},
	{"until_close", OK_AND(""), HTTP1_GET, 200, .body = HTTP1_BODY_UNTIL_CLOSE},
	{"until_close_says_keep_alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
		HTTP1_GET, 200, .body = HTTP1_BODY_UNTIL_CLOSE},
	{"http_1_0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP1_GET, 200,
		.body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"http_1_0_keep_alive",
		"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", HTTP1_GET,
		200, .flags = KEEP, .body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"close", OK_AND("Connection: close\r\nContent-Length: 5\r\n"), HTTP1_GET, 200,
		.body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"of_head", OK_AND("Content-Length: 5\r\n"), HTTP1_HEAD, 200, .flags = KEEP,
		.content_length = 5},
	{"of_head_chunked", OK_AND("Transfer-Encoding: chunked\r\n"), HTTP1_HEAD, 200,
		.flags = KEEP},
	{"of_head_without_length", OK_AND(""), HTTP1_HEAD, 200, .flags = KEEP},
	{"of_connect", OK_AND("Transfer-Encoding: chunked\r\n"), HTTP1_CONNECT, 200, .flags = KEEP},
	{"of_connect_refused", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n", HTTP1_CONNECT, 403,
		.flags = KEEP, .body = HTTP1_BODY_LENGTH, .content_length = 2},
	{"100", "HTTP/1.1 100 Continue\r\n\r\n", HTTP1_POST, 100, .flags = KEEP},
	{"101",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
		"websocket\r\n\r\n",
		HTTP1_GET, 101, .flags = KEEP | UPGRADE},
	{"204", "HTTP/1.1 204 No Content\r\n\r\n", HTTP1_GET, 204, .flags = KEEP},
	{"204_length_zero", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", HTTP1_GET, 204,
		.flags = KEEP},
	{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP1_GET, 304,
		.flags = KEEP, .content_length = 5},
	{"304_without_length", "HTTP/1.1 304 Not Modified\r\n\r\n", HTTP1_GET, 304, .flags = KEEP},
	{"phrase_empty", "HTTP/1.1 599 \r\nContent-Length: 5\r\n\r\n", HTTP1_GET, 599,
		.flags = KEEP, .body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"phrase_missing", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", HTTP1_GET, 200,
		.flags = KEEP, .body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"phrase_odd", "HTTP/1.1 200 \t\xc3\xa9 : \r\nContent-Length: 5\r\n\r\n", HTTP1_GET, 200,
		.flags = KEEP, .body = HTTP1_BODY_LENGTH, .content_length = 5},
	{"host_is_nothing", OK_AND("Host: a b\r\nHost: c\r\nContent-Length: 0\r\n"), HTTP1_GET, 200,
		.flags = KEEP},
};

static void expect_text(const struct http1_feed *feed, struct http1_text text, const char *wanted)
{
	assert_int_equal(text.len, strlen(wanted));
	assert_memory_equal(feed->text + text.off, wanted, text.len);
}

static void expect_meaning(const struct http1_head *head, const struct meaning *wanted)
{
	assert_int_equal(head->keep_alive, (wanted->flags & KEEP) != 0);
	assert_int_equal(head->upgrade, (wanted->flags & UPGRADE) != 0);
	assert_int_equal(head->expect_continue, (wanted->flags & EXPECT) != 0);
	assert_int_equal(head->te_trailers, (wanted->flags & TRAILERS) != 0);
	assert_int_equal(head->absolute_form, (wanted->flags & ABSOLUTE) != 0);
	assert_int_equal(head->body, wanted->body);
	assert_int_equal(head->content_length, wanted->content_length);
	assert_int_equal(head->status, wanted->status);
}

static void accept_request(void **state)
{
	const struct meaning *wanted = *state;
	const struct http1_feed feed = http1_feed_of(wanted->text);
	struct http1_outcome outcome;

	http1_feed(&feed, &outcome);
	assert_string_equal(http1_reason_name(outcome.reason), "ok");
	assert_int_equal(outcome.rc, feed.len);
	assert_int_equal(outcome.head.len, feed.len);
	assert_int_equal(outcome.head.start, strspn(wanted->text, "\r\n"));
	assert_int_equal(outcome.head.method, wanted->method);
	expect_text(&feed, outcome.head.target, wanted->target);
	expect_text(&feed, outcome.head.authority, wanted->authority);
	expect_text(&feed, outcome.head.path, wanted->path);
	assert_int_equal(outcome.head.path_len, wanted->path_len);
	expect_meaning(&outcome.head, wanted);
}

static void accept_response(void **state)
{
	const struct meaning *wanted = *state;
	struct http1_feed feed = http1_feed_of(wanted->text);
	struct http1_outcome outcome;

	feed.is_response = true;
	feed.request_method = wanted->method;
	http1_feed(&feed, &outcome);
	assert_string_equal(http1_reason_name(outcome.reason), "ok");
	assert_int_equal(outcome.rc, feed.len);
	expect_meaning(&outcome.head, wanted);
}

static void http1_head_fields_are_found_without_white_space(void **state)
{
	const struct http1_feed feed = http1_feed_of(
		"GET / HTTP/1.1\r\nHost:h\r\nX-A:  a b\t \r\nx-request-id:\r\nTE: x\r\n\r\n");
	static const char *const wanted[][2] = {
		{"Host", "h"}, {"X-A", "a b"}, {"x-request-id", ""}, {"TE", "x"}};
	static const enum http1_field_kind kinds[] = {
		HTTP1_FIELD_HOST, HTTP1_FIELD_OTHER, HTTP1_FIELD_REQUEST_ID, HTTP1_FIELD_TE};
	struct http1_outcome outcome;

	(void)state;
	http1_feed(&feed, &outcome);
	expect_text(&feed, outcome.head.method_text, "GET");
	assert_int_equal(outcome.head.n_fields, 4);
	for (size_t i = 0; i < 4; i++) {
		expect_text(&feed, outcome.head.fields[i].name, wanted[i][0]);
		expect_text(&feed, outcome.head.fields[i].value, wanted[i][1]);
		assert_int_equal(outcome.head.kinds[i], kinds[i]);
	}
}

// A request whose target, n_fields fields and one long value are as large as asked.
static struct http1_feed make_request(char *text, uint32_t target_len, int n_fields, int value_len)
{
	char *end = text;

	end += sprintf(end, "GET /");
	memset(end, 'a', target_len - 1);
	end += target_len - 1;
	end += sprintf(end, " HTTP/1.1\r\nHost: h\r\nX: %0*d\r\n", value_len, 0);
	for (int i = 2; i < n_fields; i++)
		end += sprintf(end, "X-%d: 1\r\n", i);
	sprintf(end, "\r\n");
	return http1_feed_of(text);
}

static void expect_outcome(const struct http1_feed *feed, int rc, enum http1_reason reason)
{
	struct http1_outcome outcome;

	http1_feed(feed, &outcome);
	assert_int_equal(outcome.rc, rc);
	assert_int_equal(outcome.reason, reason);
}

static void http1_head_target_of_8000_bytes_is_accepted(void **state)
{
	char text[GUARD_PAGE_MAX_INPUT];
	const struct http1_feed feed = make_request(text, 8000, 2, 1);

	(void)state;
	expect_outcome(&feed, (int)feed.len, HTTP1_OK);
}

static void http1_head_request_line_over_its_limit_is_refused(void **state)
{
	char text[GUARD_PAGE_MAX_INPUT];
	struct http1_feed feed = make_request(text, 100, 2, 1);

	(void)state;
	feed.limits.request_line_bytes = sizeof("GET  HTTP/1.1\r\n") - 1 + 100;
	expect_outcome(&feed, (int)feed.len, HTTP1_OK);
	while (--feed.limits.request_line_bytes > 0)
		expect_outcome(&feed, -E2BIG, HTTP1_LINE_TOO_LONG);
	assert_int_equal(http1_reason_status(HTTP1_LINE_TOO_LONG), 414);
}

static void http1_head_fields_over_their_limit_are_refused(void **state)
{
	char text[GUARD_PAGE_MAX_INPUT];
	struct http1_feed feed = make_request(text, 10, 4, 20);

	(void)state;
	feed.limits.fields_bytes = feed.len - (sizeof("GET  HTTP/1.1\r\n") - 1 + 10);
	expect_outcome(&feed, (int)feed.len, HTTP1_OK);
	while (--feed.limits.fields_bytes > 0)
		expect_outcome(&feed, -E2BIG, HTTP1_FIELDS_TOO_LARGE);
	assert_int_equal(http1_reason_status(HTTP1_FIELDS_TOO_LARGE), 431);
}

static void http1_head_limits_apply_to_the_empty_line_in_front(void **state)
{
	struct http1_feed feed = http1_feed_of("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");

	(void)state;
	feed.limits.request_line_bytes = sizeof("GET / HTTP/1.1\r\n") - 1;
	expect_outcome(&feed, (int)feed.len, HTTP1_OK);
}

static void http1_head_more_than_100_fields_are_refused(void **state)
{
	char text[GUARD_PAGE_MAX_INPUT];
	struct http1_feed feed = make_request(text, 1, HTTP1_MAX_FIELDS, 1);

	(void)state;
	expect_outcome(&feed, (int)feed.len, HTTP1_OK);
	feed = make_request(text, 1, HTTP1_MAX_FIELDS + 1, 1);
	expect_outcome(&feed, -E2BIG, HTTP1_TOO_MANY_FIELDS);
}

static void http1_head_reasons_have_names_and_statuses(void **state)
{
	(void)state;
	for (unsigned int i = HTTP1_OK + 1; i < HTTP1_N_REASONS; i++) {
		assert_true(strlen(http1_reason_name(i)) > 0);
		assert_in_range(http1_reason_status(i), 400, 505);
	}
	assert_int_equal(http1_reason_status(HTTP1_BAD_VERSION), 400);
	assert_int_equal(http1_reason_status(HTTP1_OTHER_VERSION), 505);
}

static struct CMUnitTest name_test(
	const char *what, const struct meaning *meaning, CMUnitTestFunction run)
{
	char *name;

	if (asprintf(&name, "http1_head_%s_%s_is_accepted", what, meaning->situation) < 0)
		abort();
	return (struct CMUnitTest){
		.name = name, .test_func = run, .initial_state = (void *)meaning};
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_head_fields_are_found_without_white_space),
		cmocka_unit_test(http1_head_target_of_8000_bytes_is_accepted),
		cmocka_unit_test(http1_head_request_line_over_its_limit_is_refused),
		cmocka_unit_test(http1_head_fields_over_their_limit_are_refused),
		cmocka_unit_test(http1_head_limits_apply_to_the_empty_line_in_front),
		cmocka_unit_test(http1_head_more_than_100_fields_are_refused),
		cmocka_unit_test(http1_head_reasons_have_names_and_statuses),
	};
	enum {
		N_REQUESTS = sizeof(REQUESTS) / sizeof(REQUESTS[0]),
		N_RESPONSES = sizeof(RESPONSES) / sizeof(RESPONSES[0]),
		N_TESTS = sizeof(tests) / sizeof(tests[0]),
	};
	struct CMUnitTest all[N_REQUESTS + N_RESPONSES + N_TESTS];
	int rc;

	for (size_t i = 0; i < N_REQUESTS; i++)
		all[i] = name_test("request", &REQUESTS[i], accept_request);
	for (size_t i = 0; i < N_RESPONSES; i++)
		all[N_REQUESTS + i] = name_test("response", &RESPONSES[i], accept_response);
	memcpy(all + N_REQUESTS + N_RESPONSES, tests, sizeof(tests));
	rc = cmocka_run_group_tests(all, NULL, NULL);
	for (size_t i = 0; i < N_REQUESTS + N_RESPONSES; i++)
		free((void *)all[i].name);
	return rc;
}
