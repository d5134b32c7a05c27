// SPDX-License-Identifier: Apache-2.0

// Which header matches of a route take a request: values, presence, inversion, repeated and pseudo-headers.

#include "tests/unit/route_table_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// A route with one header match, and what it makes of a request.
static bool takes(struct header_match_spec header, const struct request_text *rq)
{
	const struct l7_route_spec route = {
		.path_type = PATH_PREFIX, .path = "", .n_headers = 1, .headers = &header, TO_ZERO};
	struct route_table *table = rig_build_routes(&route, 1);
	bool taken = rig_route(table, rq) == 0;

	block_release(&table->block);
	return taken;
}

#define EXACT(n, v) ((struct header_match_spec){.name = (n), .type = HEADER_EXACT, .value = (v)})
#define PREFIX(n, v) ((struct header_match_spec){.name = (n), .type = HEADER_PREFIX, .value = (v)})
#define SUFFIX(n, v) ((struct header_match_spec){.name = (n), .type = HEADER_SUFFIX, .value = (v)})
#define CONTAINS(n, v)                                                                             \
	((struct header_match_spec){.name = (n), .type = HEADER_CONTAINS, .value = (v)})
#define RANGE(n, from, to)                                                                         \
	((struct header_match_spec){                                                               \
		.name = (n), .type = HEADER_RANGE, .range_start = (from), .range_end = (to)})
#define PRESENT(n) ((struct header_match_spec){.name = (n), .type = HEADER_PRESENT})

static struct header_match_spec inverted(struct header_match_spec header)
{
	header.invert = true;
	return header;
}

static struct header_match_spec any_case(struct header_match_spec header)
{
	header.ignore_case = true;
	return header;
}

static struct header_match_spec or_missing(struct header_match_spec header)
{
	header.missing_as_empty = true;
	return header;
}

static void route_table_headers_match_by_value(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h", "/");
	request_field(&rq, "X-Team", "blue");
	request_field(&rq, "empty", "");
	assert_true(takes(EXACT("x-team", "blue"), &rq));
	assert_true(takes(EXACT("X-TEAM", "blue"), &rq));
	assert_false(takes(EXACT("x-team", "Blue"), &rq));
	assert_false(takes(EXACT("x-team", "blu"), &rq));
	assert_false(takes(EXACT("x-team", "blue2"), &rq));
	assert_false(takes(EXACT("x-tea", "blue"), &rq));
	assert_true(takes(PREFIX("x-team", "bl"), &rq));
	assert_true(takes(PREFIX("x-team", "blue"), &rq));
	assert_false(takes(PREFIX("x-team", "blue2"), &rq));
	assert_false(takes(PREFIX("x-team", "lue"), &rq));
	assert_true(takes(EXACT("empty", ""), &rq));
	assert_false(takes(EXACT("empty", "a"), &rq));
	assert_true(takes(PRESENT("empty"), &rq));
	assert_false(takes(PRESENT("none"), &rq));
	assert_false(takes(inverted(EXACT("x-team", "blue")), &rq));
	assert_true(takes(inverted(EXACT("x-team", "red")), &rq));
	assert_true(takes(inverted(PREFIX("x-team", "r")), &rq));
	assert_false(takes(inverted(PREFIX("x-team", "b")), &rq));
}

static void route_table_headers_match_by_their_end_or_a_part(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h.Local", "/");
	request_field(&rq, "a", "abcabcabd");
	request_field(&rq, "b", "aaaaab");
	request_field(&rq, "c", "abacbac");
	request_field(&rq, "empty", "");
	assert_false(takes(SUFFIX("c", "abac"), &rq));
	assert_true(takes(CONTAINS("c", "abac"), &rq));
	assert_true(takes(SUFFIX("a", "d"), &rq));
	assert_true(takes(SUFFIX("a", "abcabd"), &rq));
	assert_true(takes(SUFFIX("a", "abcabcabd"), &rq));
	assert_false(takes(SUFFIX("a", "abc"), &rq));
	assert_false(takes(SUFFIX("a", "babcabcabd"), &rq));
	assert_false(takes(SUFFIX("a", "D"), &rq));
	assert_true(takes(CONTAINS("a", "abcabd"), &rq));
	assert_true(takes(CONTAINS("a", "cab"), &rq));
	assert_true(takes(CONTAINS("a", "abcabcabd"), &rq));
	assert_true(takes(CONTAINS("a", "a"), &rq));
	assert_false(takes(CONTAINS("a", "abd2"), &rq));
	assert_false(takes(CONTAINS("a", "acb"), &rq));
	assert_false(takes(CONTAINS("a", "CAB"), &rq));
	assert_true(takes(SUFFIX("b", "aab"), &rq));
	assert_true(takes(CONTAINS("b", "aaaa"), &rq));
	assert_false(takes(CONTAINS("b", "aaaaaa"), &rq));
	assert_true(takes(SUFFIX("empty", ""), &rq));
	assert_true(takes(CONTAINS("empty", ""), &rq));
	assert_true(takes(CONTAINS("a", ""), &rq));
	assert_false(takes(SUFFIX("empty", "a"), &rq));
	assert_false(takes(CONTAINS("none", ""), &rq));
	assert_true(takes(inverted(SUFFIX("a", "c")), &rq));
	assert_false(takes(inverted(CONTAINS("a", "c")), &rq));
	assert_true(takes(SUFFIX(":authority", ".Local"), &rq));
}

static void route_table_headers_match_in_any_case(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "Shop.Local", "/");
	request_field(&rq, "a", "BlueGreen[z");
	assert_true(takes(any_case(EXACT("a", "bLUEgREEN[Z")), &rq));
	assert_false(takes(any_case(EXACT("a", "bluegreen{z")), &rq)); // '[' and '{' are no letters
	assert_false(takes(any_case(EXACT("a", "bluegreen[z2")), &rq));
	assert_false(takes(any_case(EXACT("a", "bluegreen[")), &rq));
	assert_true(takes(any_case(PREFIX("a", "BLUE")), &rq));
	assert_false(takes(any_case(PREFIX("a", "GREEN")), &rq));
	assert_true(takes(any_case(SUFFIX("a", "EEN[Z")), &rq));
	assert_true(takes(any_case(CONTAINS("a", "egr")), &rq));
	assert_false(takes(any_case(CONTAINS("a", "gre[")), &rq));
	assert_false(takes(inverted(any_case(PREFIX("a", "blue"))), &rq));
	assert_true(takes(any_case(EXACT(":authority", "shop.local")), &rq));
}

static bool number_takes(const char *value, int64_t from, int64_t to)
{
	struct request_text rq;

	request_start(&rq, "GET", "h", "/");
	request_field(&rq, "n", value);
	return takes(RANGE("n", from, to), &rq);
}

static void route_table_headers_match_by_number(void **state)
{
	struct request_text rq;

	(void)state;
	assert_true(number_takes("1", 1, 2));
	assert_false(number_takes("2", 1, 2));
	assert_false(number_takes("0", 1, 2));
	assert_true(number_takes("-10", -10, -9));
	assert_true(number_takes("-0", 0, 1));
	assert_true(number_takes("+7", 7, 8));
	assert_true(number_takes("00012", 12, 13));
	assert_true(number_takes("9223372036854775806", INT64_MAX - 1, INT64_MAX));
	assert_true(number_takes("-9223372036854775808", INT64_MIN, 0));
	assert_false(number_takes("9223372036854775808", INT64_MIN, INT64_MAX));
	assert_false(number_takes("-9223372036854775809", INT64_MIN, INT64_MAX));
	assert_false(number_takes("92233720368547758070", INT64_MIN, INT64_MAX));
	for (const char *const *text = (const char *const[]){"", "+", "-", "1a", "a1", "1.0", "1 2",
		     "--1", "+-1", "0x1", "1,", "1-", NULL};
		*text != NULL; text++)
		assert_false(number_takes(*text, INT64_MIN, INT64_MAX));
	assert_false(number_takes("5", 6, 5));
	request_start(&rq, "GET", "12", "/");
	request_field(&rq, "n", "1");
	request_field(&rq, "n", "2");
	assert_false(takes(RANGE("n", INT64_MIN, INT64_MAX), &rq));
	assert_true(takes(inverted(RANGE("n", 0, 10)), &rq));
	assert_false(takes(inverted(RANGE("none", 0, 10)), &rq));
	assert_true(takes(RANGE(":authority", 12, 13), &rq));
}

static void route_table_missing_header_may_count_as_empty(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "", "/");
	request_field(&rq, "a", "1");
	assert_true(takes(or_missing(EXACT("none", "")), &rq));
	assert_true(takes(or_missing(PREFIX("none", "")), &rq));
	assert_false(takes(or_missing(EXACT("none", "x")), &rq));
	assert_true(takes(inverted(or_missing(EXACT("none", "x"))), &rq));
	assert_true(takes(inverted(or_missing(SUFFIX("none", "x"))), &rq));
	assert_true(takes(inverted(or_missing(CONTAINS("none", "x"))), &rq));
	assert_false(takes(inverted(or_missing(CONTAINS("none", ""))), &rq));
	assert_false(takes(or_missing(RANGE("none", INT64_MIN, INT64_MAX)), &rq));
	assert_true(takes(inverted(or_missing(RANGE("none", 0, 1))), &rq));
	assert_true(takes(or_missing(EXACT("a", "1")), &rq));
	assert_false(takes(or_missing(EXACT("a", "")), &rq));
	assert_true(takes(or_missing(EXACT(":authority", "")), &rq));
	assert_true(takes(or_missing(PRESENT("none")), &rq));
	assert_false(takes(inverted(or_missing(PRESENT("none"))), &rq));
}

static void route_table_missing_header_never_matches_but_by_presence(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "", "/");
	request_field(&rq, "a", "1");
	assert_false(takes(inverted(EXACT("none", "x")), &rq));
	assert_false(takes(inverted(PREFIX("none", "x")), &rq));
	assert_false(takes(EXACT("none", ""), &rq));
	assert_true(takes(inverted(PRESENT("none")), &rq));
	assert_false(takes(inverted(PRESENT("a")), &rq));
	assert_true(takes(inverted(PRESENT(":authority")), &rq));
	assert_false(takes(inverted(EXACT(":authority", "x")), &rq));
}

static void route_table_repeated_headers_are_joined_by_commas(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h", "/");
	request_field(&rq, "a", "1");
	request_field(&rq, "b", "x");
	request_field(&rq, "A", "2");
	request_field(&rq, "a", "");
	assert_true(takes(EXACT("a", "1,2,"), &rq));
	assert_false(takes(EXACT("a", "1,2"), &rq));
	assert_false(takes(EXACT("a", "1"), &rq));
	assert_false(takes(EXACT("a", "2"), &rq));
	assert_false(takes(EXACT("a", "1, 2,"), &rq));
	assert_true(takes(PREFIX("a", "1,"), &rq));
	assert_true(takes(PREFIX("a", "1,2"), &rq));
	assert_false(takes(PREFIX("a", "1,3"), &rq));
	assert_false(takes(PREFIX("a", "2"), &rq));
	assert_true(takes(SUFFIX("a", ",2,"), &rq));
	assert_true(takes(SUFFIX("a", "1,2,"), &rq));
	assert_false(takes(SUFFIX("a", "2"), &rq));
	assert_true(takes(CONTAINS("a", "1,2"), &rq));
	assert_true(takes(CONTAINS("a", ",2,"), &rq));
	assert_false(takes(CONTAINS("a", "12"), &rq));
	assert_false(takes(CONTAINS("a", "x"), &rq));
}

static void route_table_pseudo_headers_are_ordinary_names(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "Pay.Local:80", "/a?b=c");
	// What an absolute-form target overrides is no host.
	request_field(&rq, "Host", "other");
	assert_true(takes(EXACT(":method", "GET"), &rq));
	assert_false(takes(EXACT(":method", "get"), &rq));
	assert_true(takes(inverted(EXACT(":method", "POST")), &rq));
	assert_true(takes(EXACT(":path", "/a?b=c"), &rq));
	assert_false(takes(EXACT(":path", "/a"), &rq));
	assert_true(takes(PREFIX(":path", "/a?b"), &rq));
	assert_true(takes(EXACT(":authority", "Pay.Local:80"), &rq));
	assert_true(takes(EXACT("Host", "Pay.Local:80"), &rq));
	assert_false(takes(EXACT("host", "other"), &rq));
	request_start(&rq, "GET", "h", "?q");
	assert_true(takes(EXACT(":path", "/?q"), &rq));
	request_start(&rq, "GET", "h", "");
	assert_true(takes(EXACT(":path", "/"), &rq));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_table_headers_match_by_value),
		cmocka_unit_test(route_table_headers_match_by_their_end_or_a_part),
		cmocka_unit_test(route_table_headers_match_in_any_case),
		cmocka_unit_test(route_table_headers_match_by_number),
		cmocka_unit_test(route_table_missing_header_may_count_as_empty),
		cmocka_unit_test(route_table_missing_header_never_matches_but_by_presence),
		cmocka_unit_test(route_table_repeated_headers_are_joined_by_commas),
		cmocka_unit_test(route_table_pseudo_headers_are_ordinary_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
