// SPDX-License-Identifier: Apache-2.0
#include "conf/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_address_forms_are_told_apart(void **state)
{
	static const char *const bad[] = {"", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ",
		"10.0.0.1/24", "2001:db8::1::2", "fe80::1%eth0", "localhost", ":", "12345::"};
	struct ip_addr addr;

	(void)state;
	assert_int_equal(text_read_ip("10.0.0.7", &addr), 0);
	assert_int_equal(addr.family, 4);
	assert_memory_equal(addr.addr.b, "\x0a\x00\x00\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(text_read_ip("2001:db8::7", &addr), 0);
	assert_int_equal(addr.family, 6);
	assert_memory_equal(addr.addr.b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_read_ip(bad[i], &addr), -EINVAL);
	assert_int_equal(addr.family, 6); // a refused text writes nothing
	assert_int_equal(text_read_ip6("10.0.0.7", &addr.addr), -EINVAL);
}

static void text_prefix_lengths_are_bounded(void **state)
{
	static const char *const bad[] = {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "::/-1",
		"::/+1", "::/ 1", "::/01", "::/1x", "::/99999999999", "/8",
		"2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0/8"};
	struct ip_prefix prefix;

	(void)state;
	assert_int_equal(text_read_prefix("0.0.0.0/0", &prefix), 0);
	assert_int_equal(prefix.family, 4);
	assert_int_equal(prefix.len, 0);
	assert_int_equal(text_read_prefix("2001:db8::5/128", &prefix), 0);
	assert_int_equal(prefix.family, 6);
	assert_int_equal(prefix.len, 128);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_read_prefix(bad[i], &prefix), -EINVAL);
}

static void check_mask(const char *text, const char *masked)
{
	char formatted[TEXT_PREFIX_BYTES];
	struct ip_prefix prefix;

	assert_int_equal(text_read_prefix(text, &prefix), 0);
	assert_int_equal(text_mask_prefix(&prefix), strcmp(text, masked) != 0);
	text_format_prefix(&prefix, formatted);
	assert_string_equal(formatted, masked);
	assert_false(text_mask_prefix(&prefix));
}

static void text_mask_clears_what_is_past_the_length(void **state)
{
	(void)state;
	check_mask("10.0.0.5/24", "10.0.0.0/24");
	check_mask("10.0.0.5/32", "10.0.0.5/32");
	check_mask("10.255.0.0/9", "10.128.0.0/9");
	check_mask("255.255.255.255/0", "0.0.0.0/0");
	check_mask("2001:db8::1/127", "2001:db8::/127");
	check_mask("2001:db8::1/128", "2001:db8::1/128");
	check_mask("ffff::/1", "8000::/1");
	check_mask("::1/0", "::/0");
}

static void text_mac_takes_six_octets(void **state)
{
	static const char *const bad[] = {"", "02:00:00:00:00", "02:00:00:00:00:9",
		"2:0:0:0:0:99:0:0", "02-00-00-00-00-99", "02:00:00:00:00:9g",
		"02:00:00:00:00:99:", " 2:00:00:00:00:99"};
	uint8_t mac[6];

	(void)state;
	assert_int_equal(text_read_mac("02:00:aB:Cd:00:99", mac), 0);
	assert_memory_equal(mac, "\x02\x00\xab\xcd\x00\x99", 6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_read_mac(bad[i], mac), -EINVAL);
}

static void text_hex_takes_pairs(void **state)
{
	uint8_t bytes[4];

	(void)state;
	assert_int_equal(text_read_hex("00fFa5", bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "\x00\xff\xa5", 3);
	assert_int_equal(text_read_hex("", bytes, sizeof(bytes)), 0);
	assert_int_equal(text_read_hex("0011223344", bytes, sizeof(bytes)), -E2BIG);
	assert_int_equal(text_read_hex("001", bytes, sizeof(bytes)), -EINVAL);
	assert_int_equal(text_read_hex("0x00", bytes, sizeof(bytes)), -EINVAL);
	assert_int_equal(text_read_hex("00 1", bytes, sizeof(bytes)), -EINVAL);
}

static void text_names_have_few_letters(void **state)
{
	char longest[TEXT_MAX_NAME_LEN + 2];

	(void)state;
	assert_true(text_is_name("core0.100", TEXT_MAX_NAME_LEN));
	assert_true(text_is_name("To-Blue_2", TEXT_MAX_NAME_LEN));
	assert_false(text_is_name("", TEXT_MAX_NAME_LEN));
	assert_false(text_is_name("a b", TEXT_MAX_NAME_LEN));
	assert_false(text_is_name("a/b", TEXT_MAX_NAME_LEN));
	assert_false(text_is_name("\xc3\xa4", TEXT_MAX_NAME_LEN));
	memset(longest, 'x', sizeof(longest));
	longest[TEXT_MAX_NAME_LEN + 1] = '\0';
	assert_false(text_is_name(longest, TEXT_MAX_NAME_LEN));
	longest[TEXT_MAX_NAME_LEN] = '\0';
	assert_true(text_is_name(longest, TEXT_MAX_NAME_LEN));
}

static void text_quote_is_one_short_line(void **state)
{
	char quoted[TEXT_QUOTED_BYTES];
	char value[300];

	(void)state;
	text_quote("a\nb\x1b[0m\xff", quoted);
	assert_string_equal(quoted, "\"a?b?[0m?\"");
	for (size_t len = 0; len < sizeof(value); len++) {
		memset(value, 'x', len);
		value[len] = '\0';
		text_quote(value, quoted);
		assert_true(strlen(quoted) < TEXT_QUOTED_BYTES);
		assert_int_equal(quoted[strlen(quoted) - 1], '"');
		assert_int_equal(strstr(quoted, "...") != NULL, len > TEXT_QUOTED_BYTES - 6);
	}
}

static void text_append_cuts_what_does_not_fit(void **state)
{
	char text[8] = "abc";

	(void)state;
	text_append(text, sizeof(text), "%d", 12);
	assert_string_equal(text, "abc12");
	text_append(text, sizeof(text), "%s", "345678");
	assert_string_equal(text, "abc1234");
	text_append(text, sizeof(text), "%s", "5");
	assert_string_equal(text, "abc1234");
}

static void text_join_path_keeps_names_in_the_working_directory(void **state)
{
	char path[8];

	(void)state;
	assert_true(text_join_path("a/b", "c", path, sizeof(path)));
	assert_string_equal(path, "a/b/c");
	assert_true(text_join_path(".", "c/d", path, sizeof(path)));
	assert_string_equal(path, "c/d");
	assert_true(text_join_path("abc", "def", path, sizeof(path)));
	assert_false(text_join_path("abc", "defg", path, sizeof(path)));
}

static void text_nearest_finds_slips_and_nothing_else(void **state)
{
	static const char *const names[] = {"id", "vlans", "addresses", "sr_trusted", "rx_queues"};
	const size_t n = sizeof(names) / sizeof(names[0]);

	(void)state;
	assert_string_equal(text_nearest("vlan", names, n), "vlans");
	assert_string_equal(text_nearest("adresses", names, n), "addresses");
	assert_string_equal(text_nearest("sr-trusted", names, n), "sr_trusted");
	assert_string_equal(text_nearest("rxqueues", names, n), "rx_queues");
	assert_null(text_nearest("foo", names, n));
	assert_null(text_nearest("x", names, n));
	assert_null(text_nearest("", names, n));
	assert_null(text_nearest("addressesaddressesaddressesaddresses", names, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_address_forms_are_told_apart),
		cmocka_unit_test(text_prefix_lengths_are_bounded),
		cmocka_unit_test(text_mask_clears_what_is_past_the_length),
		cmocka_unit_test(text_mac_takes_six_octets),
		cmocka_unit_test(text_hex_takes_pairs),
		cmocka_unit_test(text_names_have_few_letters),
		cmocka_unit_test(text_quote_is_one_short_line),
		cmocka_unit_test(text_append_cuts_what_does_not_fit),
		cmocka_unit_test(text_join_path_keeps_names_in_the_working_directory),
		cmocka_unit_test(text_nearest_finds_slips_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
