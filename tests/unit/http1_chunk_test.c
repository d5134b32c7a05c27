// SPDX-License-Identifier: Apache-2.0

// Chunked bodies, each fed whole, cut at each byte and byte by byte.

#include "l7/http1_chunk.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"

#define BYTES(literal) .text = (literal), .len = sizeof(literal) - 1

struct refusal {
	const char *situation;
	const char *text;
	uint32_t len;
	enum http1_reason reason;
};

static const struct refusal REFUSALS[] = {
	{"size_empty", BYTES("\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_signed", BYTES("+5\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_prefixed", BYTES("0x5\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_behind_space", BYTES(" 5\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_letter", BYTES("5g\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_2_63", BYTES("8000000000000000\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_2_64_plus_5", BYTES("10000000000000005\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_17_digits", BYTES("00000000000000005\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"size_lf", BYTES("5\nhello\r\n"), HTTP1_BARE_LF},
	{"size_cr", BYTES("5\rhello\r\n"), HTTP1_BARE_CR},
	{"size_two_cr", BYTES("5\r\r\nhello\r\n"), HTTP1_BARE_CR},
	{"size_nul", BYTES("5\0\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"space_behind_size", BYTES("5 \r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"tab_before_extension", BYTES("5\t;a\r\n"), HTTP1_BAD_CHUNK_SIZE},
	{"extension_lf", BYTES("5;a\nhello\r\n"), HTTP1_BARE_LF},
	{"extension_cr", BYTES("5;a\rb\r\nhello\r\n"), HTTP1_BARE_CR},
	{"extension_nul", BYTES("5;a\0\r\n"), HTTP1_BAD_CHUNK_EXTENSION},
	{"extension_not_ascii", BYTES("5;\xc3\xa9\r\n"), HTTP1_BAD_CHUNK_EXTENSION},
	{"data_too_long", BYTES("5\r\nhello!\r\n"), HTTP1_BAD_CHUNK_END},
	{"data_too_short", BYTES("5\r\nhell\r\n0\r\n"), HTTP1_BAD_CHUNK_END},
	{"data_ends_in_lf", BYTES("5\r\nhello\n0\r\n"), HTTP1_BAD_CHUNK_END},
	{"data_ends_in_cr", BYTES("5\r\nhello\r0\r\n"), HTTP1_BAD_CHUNK_END},
	{"last_chunk_lf", BYTES("0\n\n"), HTTP1_BARE_LF},
	{"end_lf", BYTES("0\r\n\n"), HTTP1_BAD_TRAILER},
	{"end_cr", BYTES("0\r\n\ra"), HTTP1_BARE_CR},
	{"trailer_fold", BYTES("0\r\nA: b\r\n c\r\n\r\n"), HTTP1_BAD_TRAILER},
	{"trailer_space_before_colon", BYTES("0\r\nA : b\r\n\r\n"), HTTP1_BAD_TRAILER},
	{"trailer_without_name", BYTES("0\r\n: b\r\n\r\n"), HTTP1_BAD_TRAILER},
	{"trailer_without_colon", BYTES("0\r\nAb\r\n\r\n"), HTTP1_BAD_TRAILER},
	{"trailer_nul", BYTES("0\r\nA: \0\r\n\r\n"), HTTP1_BAD_TRAILER},
	{"trailer_lf", BYTES("0\r\nA: b\n\r\n"), HTTP1_BARE_LF},
	{"trailer_cr", BYTES("0\r\nA: b\rc\r\n\r\n"), HTTP1_BARE_CR},
	{"trailer_content_length", BYTES("0\r\nA: b\r\nContent-Length: 5\r\n\r\n"),
		HTTP1_FORBIDDEN_TRAILER},
	{"trailer_transfer_encoding", BYTES("0\r\ntransfer-encoding: chunked\r\n\r\n"),
		HTTP1_FORBIDDEN_TRAILER},
	{"trailer_look_alike", BYTES("0\r\nTransfer_Encoding: chunked\r\n\r\n"),
		HTTP1_FORBIDDEN_TRAILER},
	{"trailer_host", BYTES("0\r\nHOST:a\r\n\r\n"), HTTP1_FORBIDDEN_TRAILER},
};

// What a body came to: its parts as letters, one a byte, and how it ended.
struct outcome {
	char parts[512];
	uint32_t n;
	bool ended;
	enum http1_reason reason; // of the refusal
};

static struct guard_page page;

static int map_page(void **state)
{
	(void)state;
	page = guard_page_map();
	return 0;
}

static int unmap_page(void **state)
{
	(void)state;
	guard_page_unmap(&page);
	return 0;
}

// Feeds text[from..to) until it is eaten, the body ends or is refused.
static void feed(struct http1_chunk *chunk, const char *text, uint32_t from, uint32_t to,
	struct outcome *out)
{
	const uint8_t *data = guard_page_place(&page, text + from, to - from);
	uint32_t off = 0, len = to - from;
	enum http1_chunk_part part;

	while (off < len && !out->ended && out->reason == HTTP1_OK) {
		const uint64_t room = http1_chunk_room(chunk);
		const int n = http1_chunk_feed(chunk, data + off, len - off, &part, &out->reason);

		if (n < 0) {
			assert_int_equal(n, out->reason == HTTP1_CHUNK_LINE_TOO_LONG ||
							    out->reason == HTTP1_TRAILERS_TOO_LARGE
						    ? -E2BIG
						    : -EBADMSG);
			return;
		}
		assert_int_equal(part == HTTP1_CHUNK_DATA, room > 0);
		assert_int_equal(part == HTTP1_CHUNK_END, n == 0);
		if (part == HTTP1_CHUNK_DATA)
			assert_int_equal(n, room < len - off ? room : len - off);
		out->ended = part == HTTP1_CHUNK_END;
		memset(out->parts + out->n, part == HTTP1_CHUNK_DATA ? 'd' : 'f', (size_t)n);
		out->n += (uint32_t)n;
		off += (uint32_t)n;
	}
	if (http1_chunk_feed(chunk, data, 0, &part, &out->reason) == 0 && part == HTTP1_CHUNK_END)
		out->ended = true;
}

static void expect_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->reason, b->reason);
	if (a->reason != HTTP1_OK)
		return;
	assert_int_equal(a->ended, b->ended);
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->parts, b->parts, a->n);
}

static void feed_all_ways(const char *text, uint32_t len, struct outcome *whole)
{
	struct http1_chunk chunk = {0};

	*whole = (struct outcome){0};
	feed(&chunk, text, 0, len, whole);
	for (uint32_t cut = 1; cut < len; cut++) {
		struct outcome out = {0};

		chunk = (struct http1_chunk){0};
		feed(&chunk, text, 0, cut, &out);
		feed(&chunk, text, cut, len, &out);
		expect_same(&out, whole);
	}
}

// parts: d for each byte of data, f for each of framing; what comes behind it is not the body's.
static void expect_parts(const char *text, const char *parts)
{
	struct http1_chunk chunk = {0};
	struct outcome whole, bytewise = {0};

	feed_all_ways(text, (uint32_t)strlen(text), &whole);
	assert_true(whole.ended);
	assert_int_equal(whole.n, strlen(parts));
	assert_memory_equal(whole.parts, parts, whole.n);
	for (uint32_t i = 0; i < strlen(text); i++)
		feed(&chunk, text, i, i + 1, &bytewise);
	expect_same(&bytewise, &whole);
}

static void http1_chunk_body_is_taken_apart(void **state)
{
	(void)state;
	expect_parts("5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET /",
		"fffdddddfffffddddddddddfffffff");
}

static void http1_chunk_empty_body_is_framing_only(void **state)
{
	(void)state;
	expect_parts("0\r\n\r\n0\r\n", "fffff");
}

static void http1_chunk_zeros_and_cases_are_digits(void **state)
{
	(void)state;
	expect_parts("000a\r\n0123456789\r\n0000\r\n\r\n", "ffffffddddddddddffffffffff");
}

static void http1_chunk_extensions_are_passed_over(void **state)
{
	(void)state;
	expect_parts("1;a\r\nx\r\n1;\t a = \"b;c\" ;d\r\ny\r\n0;e\r\n\r\n",
		"fffffdffffffffffffffffffffdfffffffff");
}

static void http1_chunk_data_may_look_like_framing(void **state)
{
	(void)state;
	expect_parts("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "fffdddddddfffffff");
}

static void http1_chunk_trailers_are_framing(void **state)
{
	(void)state;
	expect_parts("0\r\nA: b\r\nContent-Lengt: 1\r\nHosts:\r\n\r\n",
		"fffffffffffffffffffffffffffffffffffff");
}

static void http1_chunk_largest_size_leaves_room(void **state)
{
	const char *text = "7fffffffffffffff\r\n";
	struct http1_chunk chunk = {0};
	struct outcome out = {0};

	(void)state;
	feed(&chunk, text, 0, (uint32_t)strlen(text), &out);
	assert_int_equal(out.reason, HTTP1_OK);
	assert_true(http1_chunk_room(&chunk) == INT64_MAX);
}

static void http1_chunk_data_within_the_room_is_not_read(void **state)
{
	struct http1_chunk chunk = {0};
	struct outcome out = {0};
	enum http1_chunk_part part;
	enum http1_reason reason;

	(void)state;
	feed(&chunk, "5\r\n", 0, 3, &out);
	assert_int_equal(http1_chunk_feed(&chunk, page.end, 5, &part, &reason), 5);
	assert_int_equal(part, HTTP1_CHUNK_DATA);
	feed(&chunk, "\r\n0\r\n\r\n", 0, 7, &out);
	assert_true(out.ended);
}

// One byte of a section that must not end too late, until it is refused. Returns how many were fine.
static uint32_t feed_until_refused(
	struct http1_chunk *chunk, uint8_t byte, enum http1_reason wanted)
{
	enum http1_chunk_part part;
	enum http1_reason reason;
	uint32_t n = 0;

	while (http1_chunk_feed(chunk, &byte, 1, &part, &reason) == 1)
		n++;
	assert_int_equal(reason, wanted);
	return n;
}

static void http1_chunk_long_extension_is_refused(void **state)
{
	struct http1_chunk chunk = {0};
	struct outcome out = {0};

	(void)state;
	feed(&chunk, "1;\r\nx\r\n1;", 0, 9, &out);
	assert_int_equal(feed_until_refused(&chunk, 'a', HTTP1_CHUNK_LINE_TOO_LONG),
		HTTP1_CHUNK_MAX_LINE - 2);
}

static void http1_chunk_long_trailers_are_refused(void **state)
{
	struct http1_chunk chunk = {0};
	struct outcome out = {0};

	(void)state;
	feed(&chunk, "0;ext\r\na:\r\nb:", 0, 13, &out);
	assert_int_equal(feed_until_refused(&chunk, ' ', HTTP1_TRAILERS_TOO_LARGE),
		HTTP1_CHUNK_MAX_TRAILERS - 6);
}

static void refuse(void **state)
{
	const struct refusal *refusal = *state;
	struct outcome whole;

	feed_all_ways(refusal->text, refusal->len, &whole);
	assert_string_equal(http1_reason_name(whole.reason), http1_reason_name(refusal->reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_chunk_body_is_taken_apart),
		cmocka_unit_test(http1_chunk_empty_body_is_framing_only),
		cmocka_unit_test(http1_chunk_zeros_and_cases_are_digits),
		cmocka_unit_test(http1_chunk_extensions_are_passed_over),
		cmocka_unit_test(http1_chunk_data_may_look_like_framing),
		cmocka_unit_test(http1_chunk_trailers_are_framing),
		cmocka_unit_test(http1_chunk_largest_size_leaves_room),
		cmocka_unit_test(http1_chunk_data_within_the_room_is_not_read),
		cmocka_unit_test(http1_chunk_long_extension_is_refused),
		cmocka_unit_test(http1_chunk_long_trailers_are_refused),
	};
	enum {
		N_REFUSALS = sizeof(REFUSALS) / sizeof(REFUSALS[0]),
		N_TESTS = sizeof(tests) / sizeof(tests[0]),
	};
	struct CMUnitTest all[N_TESTS + N_REFUSALS];
	int rc;

	memcpy(all, tests, sizeof(tests));
	for (size_t i = 0; i < N_REFUSALS; i++) {
		char *name;

		if (asprintf(&name, "http1_chunk_%s_is_refused", REFUSALS[i].situation) < 0)
			abort();
		all[N_TESTS + i] = (struct CMUnitTest){
			.name = name, .test_func = refuse, .initial_state = (void *)&REFUSALS[i]};
	}
	rc = cmocka_run_group_tests(all, map_page, unmap_page);
	for (size_t i = 0; i < N_REFUSALS; i++)
		free((void *)all[N_TESTS + i].name);
	return rc;
}
