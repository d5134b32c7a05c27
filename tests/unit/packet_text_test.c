// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/packet_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"

enum {
	TEXT_BYTES = 512,
};

// An IPv6 packet with an SRH (two segments, one left) around an ICMP echo request.
static const uint8_t srv6_packet[] = {
	0x60,
	0,
	0,
	0,
	0,
	68,
	43,
	62, // length 68, routing, hops 62
	0x20,
	0x01,
	0x0d,
	0xb8,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	1, // 2001:db8::1
	0x20,
	0x01,
	0x0d,
	0xb8,
	0,
	0x0a,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	2, // 2001:db8:a::2
	4,
	4,
	4,
	1,
	1,
	0,
	0,
	0, // SRH: IPv4, 40 bytes, left 1
	0x20,
	0x01,
	0x0d,
	0xb8,
	0,
	0x0b,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	3, //
	0x20,
	0x01,
	0x0d,
	0xb8,
	0,
	0x0a,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	2, //
	0x45,
	0,
	0,
	28,
	0,
	0,
	0,
	0,
	63,
	1,
	0,
	0,
	10,
	1,
	0,
	1,
	10,
	2,
	0,
	9, // 10.1.0.1 > 10.2.0.9
	8,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
};

static const uint8_t eth_header[] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8};

static void check(const uint8_t *bytes, size_t n_bytes, size_t pkt_len, const char *expected)
{
	char text[TEXT_BYTES];

	packet_text_format(bytes, n_bytes, pkt_len, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void packet_text_srv6_shows_all_layers(void **state)
{
	(void)state;
	check(srv6_packet, sizeof(srv6_packet), sizeof(srv6_packet),
		"2001:db8::1 > 2001:db8:a::2 hop limit 62 length 108; SRH left 1 of 2; "
		"10.1.0.1 > 10.2.0.9 ttl 63 length 28; ICMP type 8 code 0");
}

static void packet_text_srh_beyond_the_bytes_names_what_follows(void **state)
{
	(void)state;
	check(srv6_packet, 64, sizeof(srv6_packet),
		"2001:db8::1 > 2001:db8:a::2 hop limit 62 length 108; SRH left 1 of 2; protocol 4");
}

static void packet_text_ethernet_with_vlan_shows_both(void **state)
{
	uint8_t frame[18 + sizeof(srv6_packet)];

	(void)state;
	memcpy(frame, eth_header, 12);
	memcpy(frame + 12, (uint8_t[]){0x81, 0, 0x20, 100, 0x86, 0xdd}, 6);
	memcpy(frame + 18, srv6_packet, sizeof(srv6_packet));
	check(frame, 64, sizeof(frame),
		"02:00:00:00:00:08 > 02:00:00:00:00:09 vlan 100; "
		"2001:db8::1 > 2001:db8:a::2 hop limit 62 length 108; routing header");
}

static void packet_text_mac_that_looks_like_ip_is_ethernet(void **state)
{
	uint8_t frame[60] = {0x60, 0, 0, 0, 0xff, 0xff, 0x45, 0, 0, 0, 0, 1, 0x88, 0xcc};

	(void)state;
	check(frame, sizeof(frame), sizeof(frame),
		"45:00:00:00:00:01 > 60:00:00:00:ff:ff; type 0x88cc");
}

static void packet_text_arp_with_and_without_ethernet(void **state)
{
	static const uint8_t arp[28] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 8, 10, 0, 0, 2, 0, 0,
		0, 0, 0, 0, 10, 0, 0, 1};
	uint8_t frame[14 + sizeof(arp)];

	(void)state;
	check(arp, sizeof(arp), sizeof(arp), "ARP request 10.0.0.2 > 10.0.0.1");
	memcpy(frame, eth_header, 12);
	memcpy(frame + 12, (uint8_t[]){8, 6}, 2);
	memcpy(frame + 14, arp, sizeof(arp));
	check(frame, sizeof(frame), sizeof(frame),
		"02:00:00:00:00:08 > 02:00:00:00:00:09; ARP request 10.0.0.2 > 10.0.0.1");
}

static void packet_text_later_fragment_has_no_ports(void **state)
{
	uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 9, 63, 17, 0, 0, 10, 1, 0, 1, 10, 2, 0, 9};

	(void)state;
	check(packet, sizeof(packet), sizeof(packet),
		"10.1.0.1 > 10.2.0.9 ttl 63 length 28 later fragment");
	packet[7] = 0;
	check(packet, sizeof(packet), sizeof(packet),
		"10.1.0.1 > 10.2.0.9 ttl 63 length 28; UDP port 0 > 0");
}

// Whatever the bytes are: nothing is read beyond them, and the text ends in its buffer.
static void packet_text_any_bytes_stay_in_bounds(void **state)
{
	struct guard_page page = guard_page_map();
	uint8_t bytes[64];
	char text[TEXT_BYTES];

	(void)state;
	srandom(1);
	for (unsigned int i = 0; i < 200000; i++) {
		size_t n = (size_t)random() % (sizeof(bytes) + 1);
		size_t text_bytes = 1 + (size_t)random() % sizeof(text);

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)random();
		if (i % 2 == 0)
			memcpy(bytes, srv6_packet, (size_t)random() % sizeof(bytes));
		else
			// IPv4 with options, longer than what is at hand.
			memcpy(bytes,
				(uint8_t[]){(uint8_t)(0x40 | (i >> 1 & 15)), 0, 0, 60, 0, 0, 0, 0},
				8);
		text[text_bytes - 1] = 'x';
		packet_text_format(guard_page_place(&page, bytes, n), n, (size_t)random() % 2000,
			text, text_bytes);
		assert_non_null(memchr(text, '\0', text_bytes));
	}
	guard_page_unmap(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_text_srv6_shows_all_layers),
		cmocka_unit_test(packet_text_srh_beyond_the_bytes_names_what_follows),
		cmocka_unit_test(packet_text_ethernet_with_vlan_shows_both),
		cmocka_unit_test(packet_text_mac_that_looks_like_ip_is_ethernet),
		cmocka_unit_test(packet_text_arp_with_and_without_ethernet),
		cmocka_unit_test(packet_text_later_fragment_has_no_ports),
		cmocka_unit_test(packet_text_any_bytes_stay_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
