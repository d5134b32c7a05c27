// SPDX-License-Identifier: Apache-2.0
#include "ctrl/neigh/neigh_arp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"

static const uint8_t request[NEIGH_ARP_LEN] = {0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01, //
	0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 192, 0, 2, 10,				 // sender
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 1};				 // target

static const struct neigh_arp request_fields = {.op = NEIGH_ARP_REQUEST,
	.sender_mac = {0x02, 0, 0, 0, 0, 0x0a},
	.sender_ip = {192, 0, 2, 10},
	.target_ip = {192, 0, 2, 1}};

static void neigh_arp_request_is_read(void **state)
{
	struct neigh_arp arp;

	(void)state;
	assert_int_equal(neigh_arp_parse(request, sizeof(request), &arp), NEIGH_ARP_LEN);
	assert_memory_equal(&arp, &request_fields, sizeof(arp));
}

static void neigh_arp_written_bytes_are_exact(void **state)
{
	static const uint8_t wanted[NEIGH_ARP_LEN] = {0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x02, //
		0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 192, 0, 2, 1,				//
		0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 192, 0, 2, 10};
	const struct neigh_arp reply = {.op = NEIGH_ARP_REPLY,
		.sender_mac = {0x02, 0, 0, 0, 0, 0x01},
		.sender_ip = {192, 0, 2, 1},
		.target_mac = {0x02, 0, 0, 0, 0, 0x0a},
		.target_ip = {192, 0, 2, 10}};
	uint8_t bytes[NEIGH_ARP_LEN];
	struct neigh_arp back;

	(void)state;
	neigh_arp_write(&reply, bytes);
	assert_memory_equal(bytes, wanted, sizeof(wanted));
	assert_int_equal(neigh_arp_parse(bytes, sizeof(bytes), &back), NEIGH_ARP_LEN);
	assert_memory_equal(&back, &reply, sizeof(back));
}

static void neigh_arp_padding_is_no_part_of_it(void **state)
{
	uint8_t padded[46] = {0};
	struct neigh_arp arp;

	(void)state;
	memcpy(padded, request, sizeof(request));
	assert_int_equal(neigh_arp_parse(padded, sizeof(padded), &arp), NEIGH_ARP_LEN);
}

static void neigh_arp_truncated_is_refused(void **state)
{
	struct guard_page page = guard_page_map();
	struct neigh_arp arp;

	(void)state;
	for (uint32_t len = 0; len < NEIGH_ARP_LEN; len++)
		assert_int_equal(neigh_arp_parse(guard_page_place(&page, request, len), len, &arp),
			-EBADMSG);
	assert_int_equal(neigh_arp_parse(guard_page_place(&page, request, NEIGH_ARP_LEN),
				 NEIGH_ARP_LEN, &arp),
		NEIGH_ARP_LEN);
	guard_page_unmap(&page);
}

// Changes one byte of the request.
static int parse_changed(uint32_t off, uint8_t value)
{
	uint8_t bytes[NEIGH_ARP_LEN];
	struct neigh_arp arp;

	memcpy(bytes, request, sizeof(bytes));
	bytes[off] = value;
	return neigh_arp_parse(bytes, sizeof(bytes), &arp);
}

static void neigh_arp_other_formats_are_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_changed(1, 6), -EBADMSG);    // IEEE 802 hardware
	assert_int_equal(parse_changed(2, 0x86), -EBADMSG); // another protocol
	assert_int_equal(parse_changed(4, 8), -EBADMSG);    // address lengths
	assert_int_equal(parse_changed(5, 16), -EBADMSG);
	assert_int_equal(parse_changed(7, 0), -EBADMSG); // operations: none, RARP, high byte
	assert_int_equal(parse_changed(7, 3), -EBADMSG);
	assert_int_equal(parse_changed(6, 1), -EBADMSG);
	assert_int_equal(parse_changed(7, 2), NEIGH_ARP_LEN);
}

static void neigh_arp_sender_that_no_host_has_is_refused(void **state)
{
	uint8_t bytes[NEIGH_ARP_LEN];
	struct neigh_arp arp;

	(void)state;
	assert_int_equal(parse_changed(8, 0x03), -EBADMSG); // a group
	memcpy(bytes, request, sizeof(bytes));
	memset(bytes + 8, 0, 6);
	assert_int_equal(neigh_arp_parse(bytes, sizeof(bytes), &arp), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neigh_arp_request_is_read),
		cmocka_unit_test(neigh_arp_written_bytes_are_exact),
		cmocka_unit_test(neigh_arp_padding_is_no_part_of_it),
		cmocka_unit_test(neigh_arp_truncated_is_refused),
		cmocka_unit_test(neigh_arp_other_formats_are_refused),
		cmocka_unit_test(neigh_arp_sender_that_no_host_has_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
