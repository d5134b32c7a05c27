// SPDX-License-Identifier: Apache-2.0

// Edited heads, byte for byte; room of every size, so that what does not fit is seen to be refused.

#include "l7/http1_edit.h"

#include <stdlib.h>

#include "tests/unit/http1_feed.h"

struct edit {
	const char *before;
	struct http1_edits edits;
	const char *after;
	bool is_response;
};

static int run(const struct edit *edit, const struct http1_head *head, uint8_t *out, uint32_t len)
{
	const uint8_t *raw = (const uint8_t *)edit->before;

	return edit->is_response ? http1_edit_response(raw, head, &edit->edits, out, len)
				 : http1_edit_request(raw, head, &edit->edits, out, len);
}

static void expect_edit(const struct edit *edit)
{
	struct http1_feed feed = http1_feed_of(edit->before);
	const uint32_t want = (uint32_t)strlen(edit->after);
	uint8_t *out = malloc(want);
	struct http1_outcome outcome;

	feed.is_response = edit->is_response;
	http1_feed(&feed, &outcome);
	assert_string_equal(http1_reason_name(outcome.reason), "ok");
	assert_int_equal(run(edit, &outcome.head, out, want), want);
	assert_memory_equal(out, edit->after, want);
	for (uint32_t len = 0; len < want; len++) {
		uint8_t *small = malloc(len);

		assert_int_equal(run(edit, &outcome.head, small, len), -E2BIG);
		free(small);
	}
	free(out);
}

static void http1_edit_nothing_keeps_every_byte(void **state)
{
	static const char head[] =
		"POST /a?b HTTP/1.1\r\nhOST:  h \r\nX-Forwarded-For:a\r\nX-Forwarded-Proto: b\r\n"
		"X-Forwarded-Port: 1\r\nConnection: close\r\nX-Request-Id: c\r\nContent-Length: "
		"1\r\n\r\n";

	(void)state;
	expect_edit(&(struct edit){.before = head, .after = head});
}

static void http1_edit_empty_line_in_front_goes(void **state)
{
	(void)state;
	expect_edit(&(struct edit){
		.before = "\r\nGET / HTTP/1.0\r\n\r\n", .after = "GET / HTTP/1.0\r\n\r\n"});
}

static void http1_edit_forwarded_for_is_added(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		.edits = {.forwarded_for = "192.0.2.1"},
		.after = "GET / HTTP/1.1\r\nHost: h\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"});
}

static void http1_edit_forwarded_for_is_appended_to_the_last(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "GET / HTTP/1.1\r\nX-Forwarded-For: a\r\nHost: h\r\n"
					     "x-forwarded-for:b, c \t\r\nX: y\r\n\r\n",
		.edits = {.forwarded_for = "2001:db8::1"},
		.after = "GET / HTTP/1.1\r\nX-Forwarded-For: a\r\nHost: h\r\n"
			 "x-forwarded-for:b, c, 2001:db8::1 \t\r\nX: y\r\n\r\n"});
}

static void http1_edit_empty_forwarded_for_is_filled(void **state)
{
	(void)state;
	expect_edit(&(struct edit){
		.before = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: \r\n\r\n",
		.edits = {.forwarded_for = "192.0.2.1"},
		.after = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"});
}

static void http1_edit_forwarded_proto_and_port_are_replaced(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "GET / HTTP/1.1\r\nX-Forwarded-Proto: a\r\nHost: h\r\n"
					     "x-forwarded-port: 1\r\nx-forwarded-proto: b\r\n\r\n",
		.edits = {.forwarded_proto = "https", .forwarded_port = "443"},
		.after = "GET / HTTP/1.1\r\nHost: h\r\nx-forwarded-proto: https\r\n"
			 "x-forwarded-port: 443\r\n\r\n"});
}

static void http1_edit_request_id_is_set_when_there_is_none(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		.edits = {.request_id = "i"},
		.after = "GET / HTTP/1.1\r\nHost: h\r\nx-request-id: i\r\n\r\n"});
	expect_edit(&(struct edit){.before = "GET / HTTP/1.1\r\nX-REQUEST-ID: j\r\nHost: h\r\n\r\n",
		.edits = {.request_id = "i"},
		.after = "GET / HTTP/1.1\r\nX-REQUEST-ID: j\r\nHost: h\r\n\r\n"});
}

static void http1_edit_absolute_form_sets_host(void **state)
{
	(void)state;
	expect_edit(
		&(struct edit){.before = "GET http://b:81/a HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n",
			.after = "GET http://b:81/a HTTP/1.1\r\nX: y\r\nhost: b:81\r\n\r\n"});
	expect_edit(&(struct edit){.before = "GET http://b HTTP/1.0\r\n\r\n",
		.after = "GET http://b HTTP/1.0\r\nhost: b\r\n\r\n"});
}

static void http1_edit_connect_sets_host(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "CONNECT b:443 HTTP/1.1\r\nHost: h\r\n\r\n",
		.after = "CONNECT b:443 HTTP/1.1\r\nhost: b:443\r\n\r\n"});
}

static void http1_edit_host_replaces_the_field(void **state)
{
	(void)state;
	expect_edit(&(struct edit){
		.before = "GET /a?b HTTP/1.1\r\nA: b\r\nhOST: \t old:80 \r\nX-Host: old\r\n\r\n",
		.edits = {.host = "new:81"},
		.after = "GET /a?b HTTP/1.1\r\nA: b\r\nX-Host: old\r\nhost: new:81\r\n\r\n"});
	expect_edit(&(struct edit){.before = "GET / HTTP/1.0\r\n\r\n",
		.edits = {.host = "new"},
		.after = "GET / HTTP/1.0\r\nhost: new\r\n\r\n"});
	expect_edit(&(struct edit){.before = "\r\nOPTIONS * HTTP/1.1\r\nHost: old\r\n\r\n",
		.edits = {.host = "new", .forwarded_for = "192.0.2.1"},
		.after = "OPTIONS * HTTP/1.1\r\nhost: new\r\nx-forwarded-for: "
			 "192.0.2.1\r\n\r\n"});
}

// RFC 9112 §3.2.2: an endpoint goes by the target and not by Host.
static void http1_edit_host_replaces_the_targets_authority(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "\r\nGET http://old:81/a?b HTTP/1.1\r\nHost: "
					     "h\r\nX-Forwarded-For: c\r\n\r\n",
		.edits = {.host = "[2001:db8::1]", .forwarded_for = "192.0.2.1"},
		.after = "GET http://[2001:db8::1]/a?b HTTP/1.1\r\nX-Forwarded-For: c, "
			 "192.0.2.1\r\nhost: [2001:db8::1]\r\n\r\n"});
	expect_edit(&(struct edit){.before = "GET HTTPS://old?b HTTP/1.1\r\nHost: h\r\n\r\n",
		.edits = {.host = "new"},
		.after = "GET HTTPS://new?b HTTP/1.1\r\nhost: new\r\n\r\n"});
	expect_edit(&(struct edit){.before = "GET http://old HTTP/1.0\r\n\r\n",
		.edits = {.host = "new"},
		.after = "GET http://new HTTP/1.0\r\nhost: new\r\n\r\n"});
	expect_edit(&(struct edit){.before = "CONNECT old:443 HTTP/1.1\r\nHost: old:443\r\n\r\n",
		.edits = {.host = "new:444"},
		.after = "CONNECT new:444 HTTP/1.1\r\nhost: new:444\r\n\r\n"});
}

static void http1_edit_close_replaces_persistence_and_upgrade(void **state)
{
	(void)state;
	expect_edit(&(struct edit){
		.before = "GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nHost: h\r\n"
			  "Upgrade: websocket\r\n\r\n",
		.edits = {.close = true},
		.after = "GET / HTTP/1.1\r\nHost: h\r\nconnection: close\r\n\r\n"});
}

static void http1_edit_close_keeps_other_options(void **state)
{
	(void)state;
	expect_edit(&(struct edit){
		.before = "GET / HTTP/1.1\r\nConnection: Close ,TE\r\nHost: h\r\nTE: trailers\r\n"
			  "X-Hop: 1\r\nconnection: x-hop,\r\n\r\n",
		.edits = {.close = true},
		.after = "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nX-Hop: 1\r\n"
			 "connection: close, TE, x-hop\r\n\r\n"});
}

static void http1_edit_response_leaves_forwarded_fields(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nX-Forwarded-For: a\r\nHost: x y\r\n"
				   "X-Forwarded-Proto: b\r\nContent-Length: 0\r\n\r\n";

	(void)state;
	expect_edit(&(struct edit){.before = head,
		.edits = {.host = "h",
			.forwarded_for = "c",
			.forwarded_proto = "d",
			.forwarded_port = "e"},
		.after = head,
		.is_response = true});
}

static void http1_edit_response_gets_request_id_and_close(void **state)
{
	(void)state;
	expect_edit(&(struct edit){.before = "HTTP/1.1 200 OK\r\nX-Request-Id: a\r\nConnection: "
					     "keep-alive\r\nContent-Length: 0\r\n\r\n",
		.edits = {.request_id = "b", .close = true},
		.after = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-request-id: b\r\n"
			 "connection: close\r\n\r\n",
		.is_response = true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_edit_nothing_keeps_every_byte),
		cmocka_unit_test(http1_edit_empty_line_in_front_goes),
		cmocka_unit_test(http1_edit_forwarded_for_is_added),
		cmocka_unit_test(http1_edit_forwarded_for_is_appended_to_the_last),
		cmocka_unit_test(http1_edit_empty_forwarded_for_is_filled),
		cmocka_unit_test(http1_edit_forwarded_proto_and_port_are_replaced),
		cmocka_unit_test(http1_edit_request_id_is_set_when_there_is_none),
		cmocka_unit_test(http1_edit_absolute_form_sets_host),
		cmocka_unit_test(http1_edit_connect_sets_host),
		cmocka_unit_test(http1_edit_host_replaces_the_field),
		cmocka_unit_test(http1_edit_host_replaces_the_targets_authority),
		cmocka_unit_test(http1_edit_close_replaces_persistence_and_upgrade),
		cmocka_unit_test(http1_edit_close_keeps_other_options),
		cmocka_unit_test(http1_edit_response_leaves_forwarded_fields),
		cmocka_unit_test(http1_edit_response_gets_request_id_and_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
