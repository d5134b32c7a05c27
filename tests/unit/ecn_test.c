// SPDX-License-Identifier: Apache-2.0
#include "srv6/ecn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void ecn_every_pair_follows_figure_4_of_rfc6040(void **state)
{
	// Rows: inner; columns: outer Not-ECT, ECT(1), ECT(0), CE.
	static const int wanted[4][4] = {
		[ECN_NOT_ECT] = {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, ECN_DROP},
		[ECN_ECT1] = {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
		[ECN_ECT0] = {ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE},
		[ECN_CE] = {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
	};

	(void)state;
	for (int inner = 0; inner < 4; inner++)
		for (int outer = 0; outer < 4; outer++)
			assert_int_equal(ecn_decapsulate(outer, inner), wanted[inner][outer]);
}

static void ecn_dscp_bits_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(ecn_decapsulate(0xb8 | ECN_CE, 0x28 | ECN_ECT0), ECN_CE);
	assert_int_equal(ecn_decapsulate(0xb8, 0x28 | ECN_ECT1), ECN_ECT1);
	assert_int_equal(ecn_decapsulate(0xfc | ECN_CE, 0xfc), ECN_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecn_every_pair_follows_figure_4_of_rfc6040),
		cmocka_unit_test(ecn_dscp_bits_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
