// SPDX-License-Identifier: Apache-2.0

// What http1_scan.h finds with vectors, if it is built with them, is what its plain C finds, and what
// the RFCs' lists of characters say.

#include "l7/http1_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"

enum {
	N_ROUNDS = 20000,
	MAX_LEN = 200,
};

static bool is_tchar(int c)
{
	return c != 0 && strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
				 c) != NULL;
}

static void http1_scan_token_is_the_rfcs_list(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const uint8_t byte = (uint8_t)c;

		assert_int_equal(
			http1_scan_span_plain(&HTTP1_SCAN_TOKEN, &byte, 0, 1), is_tchar(c));
	}
}

static void http1_scan_target_is_visible_ascii_but_hash(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const uint8_t byte = (uint8_t)c;

		assert_int_equal(http1_scan_span_plain(&HTTP1_SCAN_TARGET, &byte, 0, 1),
			c > ' ' && c < 0x7f && c != '#');
	}
}

static void http1_scan_controls_are_found_at_each_place(void **state)
{
	uint8_t block[HTTP1_SCAN_BLOCK];

	(void)state;
	for (int c = 0; c < 256; c++) {
		const uint32_t found = (c < ' ' && c != '\t') || c == 0x7f;

		for (uint32_t i = 0; i < sizeof(block); i++) {
			memset(block, 0xff, sizeof(block));
			block[i] = (uint8_t)c;
			assert_int_equal(
				http1_scan_controls_plain(block, 0, sizeof(block)), found << i);
			assert_int_equal(http1_scan_controls(block, 0, sizeof(block)), found << i);
		}
	}
}

static void expect_equal(const uint8_t *data, uint32_t off, uint32_t len)
{
	assert_int_equal(
		http1_scan_controls(data, off, len), http1_scan_controls_plain(data, off, len));
	assert_int_equal(http1_scan_span(&HTTP1_SCAN_TOKEN, data, off, len),
		http1_scan_span_plain(&HTTP1_SCAN_TOKEN, data, off, len));
	assert_int_equal(http1_scan_span(&HTTP1_SCAN_TARGET, data, off, len),
		http1_scan_span_plain(&HTTP1_SCAN_TARGET, data, off, len));
}

// Mostly bytes of the classes, so that spans get long; whatever lies in front of off must not matter.
static void http1_scan_vectors_and_plain_code_agree(void **state)
{
	struct guard_page page = guard_page_map();
	uint8_t bytes[MAX_LEN];

	(void)state;
	srandom(1);
	for (int round = 0; round < N_ROUNDS; round++) {
		const uint32_t len = 1 + (uint32_t)random() % MAX_LEN;
		const uint32_t off = (uint32_t)random() % len;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(random() % 32 == 0 ? random() : 'a' + random() % 26);
		expect_equal(guard_page_place(&page, bytes, len), off, len);
	}
	guard_page_unmap(&page);
}

static void http1_scan_every_byte_at_every_place_agrees(void **state)
{
	struct guard_page page = guard_page_map();
	uint8_t bytes[70];

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (uint32_t i = 0; i < sizeof(bytes); i++) {
			const uint8_t *data;

			memset(bytes, 'a', sizeof(bytes));
			bytes[i] = (uint8_t)c;
			data = guard_page_place(&page, bytes, sizeof(bytes));
			for (uint32_t off = 0; off <= i; off += 7)
				expect_equal(data, off, sizeof(bytes));
		}
	}
	guard_page_unmap(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_scan_token_is_the_rfcs_list),
		cmocka_unit_test(http1_scan_target_is_visible_ascii_but_hash),
		cmocka_unit_test(http1_scan_controls_are_found_at_each_place),
		cmocka_unit_test(http1_scan_vectors_and_plain_code_agree),
		cmocka_unit_test(http1_scan_every_byte_at_every_place_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
