// SPDX-License-Identifier: Apache-2.0

// Heads that are refused, by rule; a case's name is its situation. Each is fed in every way (http1_feed.h).

#include "l7/http1_head.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/http1_feed.h"

#define BYTES(literal) .text = (literal), .len = sizeof(literal) - 1

struct refusal {
	const char *situation;
	const char *text;
	uint32_t len;
	enum http1_reason reason;
};

// Behind each: a Host field and the head's end.
static const struct refusal REQUEST_LINES[] = {
	{"method_empty", BYTES(" / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"method_with_colon", BYTES("GET: / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"method_with_slash", BYTES("GET/ / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"method_with_nul", BYTES("GE\0T / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"method_not_ascii", BYTES("G\xc3\x89T / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"method_before_tab", BYTES("GET\t/ HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"method_alone", BYTES("GET\r\n"), HTTP1_BAD_METHOD},
	{"tls_hello", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), HTTP1_BAD_METHOD},
	{"white_space_in_front", BYTES(" GET / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"two_empty_lines_in_front", BYTES("\r\n\r\nGET / HTTP/1.1\r\n"), HTTP1_BAD_METHOD},
	{"bare_lf_in_front", BYTES("\nGET / HTTP/1.1\r\n"), HTTP1_BARE_LF},
	{"bare_cr_in_front", BYTES("\rGET / HTTP/1.1\r\n"), HTTP1_BARE_CR},
	{"target_empty", BYTES("GET  HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_behind_two_spaces", BYTES("GET  / HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_with_tab", BYTES("GET /a\tb HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_with_nul", BYTES("GET /a\0b HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_with_escape", BYTES("GET /\x1b HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_with_delete", BYTES("GET /\x7f HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_not_ascii", BYTES("GET /\xc3\xa9 HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_with_fragment", BYTES("GET /a#b HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_with_space", BYTES("GET /a b HTTP/1.1\r\n"), HTTP1_BAD_VERSION},
	{"target_with_cr", BYTES("GET /a\rb HTTP/1.1\r\n"), HTTP1_BARE_CR},
	{"target_without_slash", BYTES("GET a HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"target_query_alone", BYTES("GET ?a HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"asterisk_with_get", BYTES("GET * HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"asterisk_with_more", BYTES("OPTIONS *a HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"authority_with_get", BYTES("GET a.example:80 HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"connect_origin_form", BYTES("CONNECT / HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"connect_absolute_form", BYTES("CONNECT http://a:80/ HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"connect_without_port", BYTES("CONNECT a.example HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"connect_empty_port", BYTES("CONNECT a.example: HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"connect_user_information", BYTES("CONNECT u@a:80 HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"scheme_unknown", BYTES("GET ftp://a/ HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"scheme_alone", BYTES("GET http:/a HTTP/1.1\r\n"), HTTP1_BAD_TARGET},
	{"absolute_without_host", BYTES("GET http:///a HTTP/1.1\r\n"), HTTP1_BAD_HOST},
	{"absolute_port_alone", BYTES("GET http://:80/a HTTP/1.1\r\n"), HTTP1_BAD_HOST},
	{"absolute_user_information", BYTES("GET http://u:p@a/ HTTP/1.1\r\n"), HTTP1_BAD_HOST},
	{"absolute_backslash", BYTES("GET http://a\\b/ HTTP/1.1\r\n"), HTTP1_BAD_HOST},
	{"version_missing", BYTES("GET /\r\n"), HTTP1_BAD_VERSION},
	{"version_missing_behind_space", BYTES("GET / \r\n"), HTTP1_BAD_VERSION},
	{"version_lower_case", BYTES("GET / http/1.1\r\n"), HTTP1_BAD_VERSION},
	{"version_short", BYTES("GET / HTTP/1\r\n"), HTTP1_BAD_VERSION},
	{"version_without_minor", BYTES("GET / HTTP/1.\r\n"), HTTP1_BAD_VERSION},
	{"version_letter", BYTES("GET / HTTP/a.1\r\n"), HTTP1_BAD_VERSION},
	{"version_two_digits", BYTES("GET / HTTP/1.10\r\n"), HTTP1_BAD_VERSION},
	{"version_major_two_digits", BYTES("GET / HTTP/11.1\r\n"), HTTP1_BAD_VERSION},
	{"version_minor_2", BYTES("GET / HTTP/1.2\r\n"), HTTP1_BAD_VERSION},
	{"version_minor_control", BYTES("GET / HTTP/1.\x01\r\n"), HTTP1_BAD_VERSION},
	{"version_0_9", BYTES("GET / HTTP/0.9\r\n"), HTTP1_OTHER_VERSION},
	{"version_2_0", BYTES("GET / HTTP/2.0\r\n"), HTTP1_OTHER_VERSION},
	{"version_3", BYTES("GET / HTTP/3\r\n"), HTTP1_OTHER_VERSION},
	{"http2_preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP1_OTHER_VERSION},
	{"space_behind_version", BYTES("GET / HTTP/1.1 \r\n"), HTTP1_BAD_VERSION},
	{"word_behind_version", BYTES("GET / HTTP/1.1 x\r\n"), HTTP1_BAD_VERSION},
	{"line_ends_in_lf", BYTES("GET / HTTP/1.1\n"), HTTP1_BARE_LF},
	{"line_ends_in_cr", BYTES("GET / HTTP/1.1\r"), HTTP1_BARE_CR},
	{"line_ends_in_two_cr", BYTES("GET / HTTP/1.1\r\r\n"), HTTP1_BARE_CR},
};

// Behind a request line, in front of the head's end; each brings its own Host, or leaves it out.
static const struct refusal FIELDS[] = {
	{"host_missing", BYTES("Accept: */*\r\n"), HTTP1_NO_HOST},
	{"host_repeated", BYTES("Host: a\r\nhost: b\r\n"), HTTP1_REPEATED_HOST},
	{"host_repeated_alike", BYTES("Host: a\r\nHost: a\r\n"), HTTP1_REPEATED_HOST},
	{"host_empty", BYTES("Host:\r\n"), HTTP1_BAD_HOST},
	{"host_blank", BYTES("Host: \t \r\n"), HTTP1_BAD_HOST},
	{"host_user_information", BYTES("Host: u@a\r\n"), HTTP1_BAD_HOST},
	{"host_password", BYTES("Host: u:p@a\r\n"), HTTP1_BAD_HOST},
	{"host_with_path", BYTES("Host: a/b\r\n"), HTTP1_BAD_HOST},
	{"host_with_query", BYTES("Host: a?b\r\n"), HTTP1_BAD_HOST},
	{"host_with_space", BYTES("Host: a b\r\n"), HTTP1_BAD_HOST},
	{"host_with_tab", BYTES("Host: a\tb\r\n"), HTTP1_BAD_HOST},
	{"host_with_backslash", BYTES("Host: a\\b\r\n"), HTTP1_BAD_HOST},
	{"host_not_ascii", BYTES("Host: \xc3\xa9\r\n"), HTTP1_BAD_HOST},
	{"host_with_scheme", BYTES("Host: http://a\r\n"), HTTP1_BAD_HOST},
	{"host_port_alone", BYTES("Host: :80\r\n"), HTTP1_BAD_HOST},
	{"host_port_empty", BYTES("Host: a:\r\n"), HTTP1_BAD_HOST},
	{"host_port_letters", BYTES("Host: a:b\r\n"), HTTP1_BAD_HOST},
	{"host_port_signed", BYTES("Host: a:+80\r\n"), HTTP1_BAD_HOST},
	{"host_port_65536", BYTES("Host: a:65536\r\n"), HTTP1_BAD_HOST},
	{"host_port_overflow", BYTES("Host: a:4294967376\r\n"), HTTP1_BAD_HOST},
	{"host_two_ports", BYTES("Host: a:80:80\r\n"), HTTP1_BAD_HOST},
	{"host_percent_alone", BYTES("Host: a%\r\n"), HTTP1_BAD_HOST},
	{"host_percent_cut", BYTES("Host: a%4\r\n"), HTTP1_BAD_HOST},
	{"host_percent_no_hex", BYTES("Host: a%4g\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_without_brackets", BYTES("Host: 2001:db8::1\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_open", BYTES("Host: [2001:db8::1\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_empty", BYTES("Host: []\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_is_a_name", BYTES("Host: [a.example]\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_two_gaps", BYTES("Host: [1::2::3]\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_zone", BYTES("Host: [fe80::1%25eth0]\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_future", BYTES("Host: [v1.a]\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_then_letters", BYTES("Host: [::1]a\r\n"), HTTP1_BAD_HOST},
	{"host_ip6_too_long",
		BYTES("Host: [00000000000000000000000000000000000000000000000000::1]\r\n"),
		HTTP1_BAD_HOST},
	{"length_and_encoding",
		BYTES("Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
		HTTP1_TWO_FRAMINGS},
	{"encoding_and_length",
		BYTES("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
		HTTP1_TWO_FRAMINGS},
	{"length_zero_and_encoding",
		BYTES("Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
		HTTP1_TWO_FRAMINGS},
	{"length_differing", BYTES("Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n"),
		HTTP1_REPEATED_CONTENT_LENGTH},
	{"length_repeated", BYTES("Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n"),
		HTTP1_REPEATED_CONTENT_LENGTH},
	{"length_list", BYTES("Host: a\r\nContent-Length: 5, 5\r\n"), HTTP1_BAD_CONTENT_LENGTH},
	{"length_plus", BYTES("Host: a\r\nContent-Length: +5\r\n"), HTTP1_BAD_CONTENT_LENGTH},
	{"length_minus", BYTES("Host: a\r\nContent-Length: -5\r\n"), HTTP1_BAD_CONTENT_LENGTH},
	{"length_empty", BYTES("Host: a\r\nContent-Length:\r\n"), HTTP1_BAD_CONTENT_LENGTH},
	{"length_hexadecimal", BYTES("Host: a\r\nContent-Length: 0x5\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"length_with_space", BYTES("Host: a\r\nContent-Length: 1 2\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"length_fraction", BYTES("Host: a\r\nContent-Length: 5.0\r\n"), HTTP1_BAD_CONTENT_LENGTH},
	{"length_quoted", BYTES("Host: a\r\nContent-Length: \"5\"\r\n"), HTTP1_BAD_CONTENT_LENGTH},
	{"length_behind_tab", BYTES("Host: a\r\nContent-Length: \t 5\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"length_before_tab", BYTES("Host: a\r\nContent-Length: 5 \t\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"encoding_behind_tab", BYTES("Host: a\r\nTransfer-Encoding:\tchunked\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_before_tab", BYTES("Host: a\r\nTransfer-Encoding: chunked\t\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"length_2_63", BYTES("Host: a\r\nContent-Length: 9223372036854775808\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"length_2_64_plus_5", BYTES("Host: a\r\nContent-Length: 18446744073709551621\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"length_30_digits", BYTES("Host: a\r\nContent-Length: 999999999999999999999999999999\r\n"),
		HTTP1_BAD_CONTENT_LENGTH},
	{"encoding_gzip", BYTES("Host: a\r\nTransfer-Encoding: gzip\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_gzip_chunked", BYTES("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_chunked_identity", BYTES("Host: a\r\nTransfer-Encoding: chunked, identity\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_chunked_twice", BYTES("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_repeated",
		BYTES("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_empty", BYTES("Host: a\r\nTransfer-Encoding:\r\n"), HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_comma", BYTES("Host: a\r\nTransfer-Encoding: ,chunked\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_parameter", BYTES("Host: a\r\nTransfer-Encoding: chunked;a=b\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_quoted", BYTES("Host: a\r\nTransfer-Encoding: \"chunked\"\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_vertical_tab",
		BYTES("Host: a\r\nTransfer-Encoding: \x0b"
		      "chunked\r\n"),
		HTTP1_BAD_FIELD_VALUE},
	{"encoding_almost", BYTES("Host: a\r\nTransfer-Encoding: xchunked\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"encoding_space_in_name", BYTES("Host: a\r\nTransfer-Encoding : chunked\r\n"),
		HTTP1_SPACE_BEFORE_COLON},
	{"encoding_underscore", BYTES("Host: a\r\nTransfer_Encoding: chunked\r\n"),
		HTTP1_LOOK_ALIKE},
	{"encoding_dot", BYTES("Host: a\r\ntransfer.encoding: chunked\r\n"), HTTP1_LOOK_ALIKE},
	{"length_underscore", BYTES("Host: a\r\nCONTENT_LENGTH: 5\r\n"), HTTP1_LOOK_ALIKE},
	{"encoding_without_hyphen", BYTES("Host: a\r\nTransferEncoding: 1\r\n"), HTTP1_LOOK_ALIKE},
	{"encoding_two_hyphens", BYTES("Host: a\r\nTransfer--Encoding: 1\r\n"), HTTP1_LOOK_ALIKE},
	{"encoding_hash_behind", BYTES("Host: a\r\nTransfer-Encoding#: chunked\r\n"),
		HTTP1_LOOK_ALIKE},
	{"length_hyphen_in_front", BYTES("Host: a\r\n-content-length: 5\r\n"), HTTP1_LOOK_ALIKE},
	{"length_tilde", BYTES("Host: a\r\nContent~Length: 5\r\n"), HTTP1_LOOK_ALIKE},
	{"space_before_colon", BYTES("Host : a\r\n"), HTTP1_SPACE_BEFORE_COLON},
	{"tab_before_colon", BYTES("Host\t: a\r\n"), HTTP1_SPACE_BEFORE_COLON},
	{"fold_with_space", BYTES("Host: a\r\nX: 1\r\n 2\r\n"), HTTP1_OBS_FOLD},
	{"fold_with_tab", BYTES("Host: a\r\nX: 1\r\n\t2\r\n"), HTTP1_OBS_FOLD},
	{"white_space_before_first_field", BYTES(" Host: a\r\n"), HTTP1_OBS_FOLD},
	{"blank_line", BYTES("Host: a\r\n \r\n"), HTTP1_OBS_FOLD},
	{"field_bare_lf", BYTES("Host: a\nX: 1\r\n"), HTTP1_BARE_LF},
	{"field_bare_lf_in_value", BYTES("Host: a\r\nX: 1\nY: 2\r\n"), HTTP1_BARE_LF},
	{"field_bare_cr", BYTES("Host: a\r\nX: 1\rY: 2\r\n"), HTTP1_BARE_CR},
	{"field_two_cr", BYTES("Host: a\r\r\n"), HTTP1_BARE_CR},
	{"field_bare_cr_line", BYTES("Host: a\r\n\rX: 1\r\n"), HTTP1_BARE_CR},
	{"field_bare_lf_line", BYTES("Host: a\r\n\nX: 1\r\n"), HTTP1_BARE_LF},
	{"field_without_colon", BYTES("Host: a\r\nX\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_without_name", BYTES("Host: a\r\n: 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_with_nul", BYTES("Host: a\r\nX\0: 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_begins_with_nul", BYTES("Host: a\r\n\0X: 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_with_parenthesis", BYTES("Host: a\r\nX(: 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_with_at", BYTES("Host: a\r\nX@: 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_quoted", BYTES("Host: a\r\n\"X\": 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_not_ascii", BYTES("Host: a\r\n\xc3\xa9: 1\r\n"), HTTP1_BAD_FIELD_NAME},
	{"field_name_with_cr", BYTES("Host: a\r\nX\r: 1\r\n"), HTTP1_BARE_CR},
	{"field_value_with_nul", BYTES("Host: a\r\nX: a\0b\r\n"), HTTP1_BAD_FIELD_VALUE},
	{"field_value_with_escape", BYTES("Host: a\r\nX: \x1b[0m\r\n"), HTTP1_BAD_FIELD_VALUE},
	{"field_value_with_delete", BYTES("Host: a\r\nX: \x7f\r\n"), HTTP1_BAD_FIELD_VALUE},
	{"field_value_with_form_feed", BYTES("Host: a\r\nX: a\x0c\r\n"), HTTP1_BAD_FIELD_VALUE},
	{"connection_not_a_token", BYTES("Host: a\r\nConnection: keep alive\r\n"),
		HTTP1_BAD_CONNECTION},
	{"connection_quoted", BYTES("Host: a\r\nConnection: \"close\"\r\n"), HTTP1_BAD_CONNECTION},
	{"connection_parameter", BYTES("Host: a\r\nConnection: close;q=1\r\n"),
		HTTP1_BAD_CONNECTION},
	{"connection_names_length", BYTES("Host: a\r\nConnection: Content-Length\r\n"),
		HTTP1_CONNECTION_OPTION},
	{"connection_names_encoding", BYTES("Host: a\r\nConnection: close, transfer-encoding\r\n"),
		HTTP1_CONNECTION_OPTION},
	{"connection_names_host", BYTES("Host: a\r\nConnection: ,host,\r\n"),
		HTTP1_CONNECTION_OPTION},
	{"connection_names_forwarded_for", BYTES("Host: a\r\nConnection: X-Forwarded-For\r\n"),
		HTTP1_CONNECTION_OPTION},
};

static const struct refusal REQUESTS[] = {
	{"encoding_in_http_1_0", BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HTTP1_OLD_TRANSFER_ENCODING},
	{"host_malformed_in_http_1_0", BYTES("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
		HTTP1_BAD_HOST},
	{"absolute_form_without_host", BYTES("GET http://a/ HTTP/1.1\r\n\r\n"), HTTP1_NO_HOST},
	{"absolute_form_with_bad_host", BYTES("GET http://a/ HTTP/1.1\r\nHost: b b\r\n\r\n"),
		HTTP1_BAD_HOST},
	{"connect_with_length",
		BYTES("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\n"),
		HTTP1_BODY_FORBIDDEN},
	{"connect_with_encoding",
		BYTES("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HTTP1_BODY_FORBIDDEN},
};

static const struct refusal RESPONSES[] = {
	{"status_line_empty", BYTES("\r\nHTTP/1.1 200 OK\r\n\r\n"), HTTP1_BAD_VERSION},
	{"status_line_request", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP1_BAD_VERSION},
	{"status_missing", BYTES("HTTP/1.1\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_missing_behind_space", BYTES("HTTP/1.1 \r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_two_digits", BYTES("HTTP/1.1 20\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_two_digits_then_space", BYTES("HTTP/1.1 20 OK\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_four_digits", BYTES("HTTP/1.1 2000 OK\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_behind_two_spaces", BYTES("HTTP/1.1  200 OK\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_behind_tab", BYTES("HTTP/1.1\t200 OK\r\n\r\n"), HTTP1_BAD_VERSION},
	{"status_099", BYTES("HTTP/1.1 099 A\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_600", BYTES("HTTP/1.1 600 A\r\n\r\n"), HTTP1_BAD_STATUS},
	{"status_letters", BYTES("HTTP/1.1 2a0 A\r\n\r\n"), HTTP1_BAD_STATUS},
	{"phrase_with_control", BYTES("HTTP/1.1 200 O\x01K\r\n\r\n"), HTTP1_BAD_STATUS},
	{"phrase_ends_in_lf", BYTES("HTTP/1.1 200 OK\n\r\n"), HTTP1_BARE_LF},
	{"response_version_2", BYTES("HTTP/2.0 200 OK\r\n\r\n"), HTTP1_OTHER_VERSION},
	{"response_version_icy", BYTES("ICY 200 OK\r\n\r\n"), HTTP1_BAD_VERSION},
	{"response_length_and_encoding",
		BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HTTP1_TWO_FRAMINGS},
	{"response_length_repeated",
		BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
		HTTP1_REPEATED_CONTENT_LENGTH},
	{"response_encoding_gzip", BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
		HTTP1_BAD_TRANSFER_ENCODING},
	{"response_encoding_in_http_1_0",
		BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HTTP1_OLD_TRANSFER_ENCODING},
	{"response_fold", BYTES("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), HTTP1_OBS_FOLD},
	{"response_space_before_colon", BYTES("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
		HTTP1_SPACE_BEFORE_COLON},
	{"response_100_with_length", BYTES("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"),
		HTTP1_BODY_FORBIDDEN},
	{"response_204_with_length", BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
		HTTP1_BODY_FORBIDDEN},
	{"response_204_with_encoding",
		BYTES("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HTTP1_BODY_FORBIDDEN},
};

static void expect_refusal(const struct http1_feed *feed, enum http1_reason reason)
{
	struct http1_outcome outcome;

	http1_feed(feed, &outcome);
	assert_string_equal(http1_reason_name(outcome.reason), http1_reason_name(reason));
	assert_int_equal(outcome.rc, -EBADMSG);
}

static void refuse_framed(const char *before, const struct refusal *refusal, const char *after)
{
	char text[1024];
	const size_t before_len = strlen(before), after_len = strlen(after);
	struct http1_feed feed = {.text = text, .limits = HTTP1_FEED_LIMITS};

	memcpy(text, before, before_len + 1);
	memcpy(text + before_len, refusal->text, refusal->len);
	memcpy(text + before_len + refusal->len, after, after_len + 1);
	feed.len = (uint32_t)(before_len + refusal->len + after_len);
	expect_refusal(&feed, refusal->reason);
}

static void refuse_request_line(void **state)
{
	refuse_framed("", *state, "Host: a.example\r\n\r\n");
}

static void refuse_fields(void **state)
{
	refuse_framed("POST / HTTP/1.1\r\n", *state, "\r\n");
}

static void refuse_request(void **state)
{
	refuse_framed("", *state, "");
}

static void refuse_response(void **state)
{
	const struct refusal *refusal = *state;
	const struct http1_feed feed = {.text = refusal->text,
		.len = refusal->len,
		.limits = HTTP1_FEED_LIMITS,
		.is_response = true,
		.request_method = HTTP1_GET};

	expect_refusal(&feed, refusal->reason);
}

struct table {
	const struct refusal *refusals;
	size_t n;
	CMUnitTestFunction run;
};

#define TABLE(table, run)                                                                          \
	{                                                                                          \
		table, sizeof(table) / sizeof((table)[0]), run                                     \
	}

static size_t add_tests(const struct table *table, struct CMUnitTest *tests)
{
	for (size_t i = 0; i < table->n; i++) {
		char *name;

		if (asprintf(&name, "http1_head_%s_is_refused", table->refusals[i].situation) < 0)
			abort();
		tests[i] = (struct CMUnitTest){.name = name,
			.test_func = table->run,
			.initial_state = (void *)&table->refusals[i]};
	}
	return table->n;
}

int main(void)
{
	static const struct table tables[] = {TABLE(REQUEST_LINES, refuse_request_line),
		TABLE(FIELDS, refuse_fields), TABLE(REQUESTS, refuse_request),
		TABLE(RESPONSES, refuse_response)};
	static struct CMUnitTest tests[sizeof(REQUEST_LINES) / sizeof(REQUEST_LINES[0]) +
				       sizeof(FIELDS) / sizeof(FIELDS[0]) +
				       sizeof(REQUESTS) / sizeof(REQUESTS[0]) +
				       sizeof(RESPONSES) / sizeof(RESPONSES[0])];
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		n += add_tests(&tables[i], tests + n);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free((void *)tests[i].name);
	return rc;
}
