// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum {
	DAY_S = 24 * 60 * 60,
};

static void expect_date(uint64_t unix_s, const char *wanted)
{
	char text[HTTP1_DATE_LEN + 1];

	http1_date_write(unix_s, text);
	assert_string_equal(text, wanted);
}

static void http1_date_of_the_rfc_is_exact(void **state)
{
	(void)state;
	expect_date(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"); // RFC 9110 §5.6.7
	expect_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
	expect_date(951868799, "Tue, 29 Feb 2000 23:59:59 GMT");
	expect_date(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT");
}

// Every day of 500 years, at changing times of the day.
static void http1_date_every_day_is_as_libc_says(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 500 * 366; day++) {
		time_t unix_s = (time_t)(day * DAY_S + day * 7919 % DAY_S);
		char wanted[HTTP1_DATE_LEN + 1];
		struct tm tm;

		assert_non_null(gmtime_r(&unix_s, &tm));
		assert_int_equal(strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &tm),
			HTTP1_DATE_LEN);
		expect_date((uint64_t)unix_s, wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_date_of_the_rfc_is_exact),
		cmocka_unit_test(http1_date_every_day_is_as_libc_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
