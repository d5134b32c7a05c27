// SPDX-License-Identifier: Apache-2.0

#include "pipeline/memif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLIENT "net_memif0,role=client,socket=/run/m"
#define SERVER "net_memif0,role=server,socket=/run/m"

static void assert_args(const char *device, uint32_t frame_len, const char *wanted)
{
	char args[256];

	memif_args(device, frame_len, args, sizeof(args));
	assert_string_equal(args, wanted);
}

static void memif_role_is_client_unless_it_says_server(void **state)
{
	(void)state;
	assert_true(memif_is_client(CLIENT));
	assert_true(memif_is_client("net_memif0"));
	assert_false(memif_is_client(SERVER));
	assert_false(memif_is_client("net_tap0,iface=net_memif0"));
}

static void memif_scatters_unless_zero_copy(void **state)
{
	(void)state;
	assert_true(memif_scatters(SERVER));
	assert_false(memif_scatters(CLIENT ",zero-copy=yes"));
	assert_false(memif_scatters("net_ring0"));
}

static void memif_slots_grow_with_the_frame(void **state)
{
	(void)state;
	assert_args(CLIENT, 2048, CLIENT);
	assert_args(CLIENT, 2049, CLIENT ",bsize=2112");
	assert_args(CLIENT, 9022, CLIENT ",bsize=9024");
	assert_args(CLIENT, 65557, CLIENT ",bsize=65472");
}

static void memif_slots_are_left_to_who_names_them(void **state)
{
	(void)state;
	assert_args(CLIENT ",bsize=4096", 9022, CLIENT ",bsize=4096");
	assert_args(SERVER, 9022, SERVER);
	assert_args("net_tap0", 9022, "net_tap0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memif_role_is_client_unless_it_says_server),
		cmocka_unit_test(memif_scatters_unless_zero_copy),
		cmocka_unit_test(memif_slots_grow_with_the_frame),
		cmocka_unit_test(memif_slots_are_left_to_who_names_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
