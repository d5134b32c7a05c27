// SPDX-License-Identifier: Apache-2.0
#include "ctrl/neigh/neigh_nd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"

enum {
	OFF_PAYLOAD_LEN = 5, // low byte
	OFF_PROTO = 6,
	OFF_HOP_LIMIT = 7,
	OFF_SRC = 8,
	OFF_DST = 24,
	OFF_TYPE = 40,
	OFF_CODE = 41,
	OFF_FLAGS = 44,
	OFF_TARGET = 48,
	OFF_OPTION = 64, // after the fixed part of NS and NA
	OFF_OPTION_LEN = 65,
	OFF_OPTION_MAC = 66,
};

// fe80::a asks for 2001:db8::1. Made with scapy, like the others.
static const uint8_t solicit[72] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,	       //
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x0a,    //
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0x01, 0xff, 0x00, 0x00, 0x01, //
	0x87, 0x00, 0x4b, 0x4f, 0x00, 0x00, 0x00, 0x00,					       //
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x01,    //
	0x01, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a};

// The answer to it: router, solicited, override.
static const uint8_t advert[72] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,	    //
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x01, //
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x0a, //
	0x88, 0x00, 0x39, 0xa3, 0xe0, 0x00, 0x00, 0x00,					    //
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x01, //
	0x02, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01};

static const uint8_t router_solicit[56] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x10, 0x3a, 0xff,  //
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x01, //
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x02, //
	0x85, 0x00, 0x7a, 0x2c, 0x00, 0x00, 0x00, 0x00,					    //
	0x01, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01};

// Lifetime 1800 s; options: MTU, source link-layer address, prefix.
static const uint8_t router_advert[104] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x40, 0x3a, 0xff,  //
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x0b, //
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x01, //
	0x86, 0x00, 0xf5, 0x7d, 0x00, 0x08, 0x07, 0x08, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x00, //
	0x05, 0x01, 0x00, 0x00, 0x00, 0x00, 0x05, 0xdc,					    //
	0x01, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0b,					    //
	0x03, 0x04, 0x40, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, //
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x01, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x00};

static const uint8_t all_nodes[IP6_ADDR_LEN] = {0xff, 0x02, [15] = 1};
static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 0x01};

struct message {
	uint8_t bytes[128];
	uint32_t len;
};

static struct message copy(const uint8_t *bytes, uint32_t len)
{
	struct message message = {.len = len};

	memcpy(message.bytes, bytes, len);
	return message;
}

static int parse(const struct message *message, struct neigh_nd *nd)
{
	return neigh_nd_parse(message->bytes, message->len, nd);
}

static int parse_changed(const uint8_t *bytes, uint32_t len, uint32_t off, uint8_t value)
{
	struct message message = copy(bytes, len);
	struct neigh_nd nd;

	message.bytes[off] = value;
	return parse(&message, &nd);
}

static struct message solicit_of_duplicate_detection(void)
{
	struct message message = copy(solicit, OFF_OPTION);

	memset(message.bytes + OFF_SRC, 0, IP6_ADDR_LEN);
	message.bytes[OFF_PAYLOAD_LEN] = 24;
	return message;
}

static void neigh_nd_solicit_is_read(void **state)
{
	struct neigh_nd nd;

	(void)state;
	assert_int_equal(neigh_nd_parse(solicit, sizeof(solicit), &nd), sizeof(solicit));
	assert_int_equal(nd.type, NEIGH_ND_SOLICIT);
	assert_memory_equal(&nd.src, solicit + OFF_SRC, IP6_ADDR_LEN);
	assert_memory_equal(&nd.dst, solicit + OFF_DST, IP6_ADDR_LEN);
	assert_memory_equal(&nd.target, solicit + OFF_TARGET, IP6_ADDR_LEN);
	assert_true(nd.has_mac);
	assert_memory_equal(nd.mac, solicit + OFF_OPTION_MAC, sizeof(nd.mac));
}

static void neigh_nd_advert_is_read(void **state)
{
	struct neigh_nd nd;

	(void)state;
	assert_int_equal(neigh_nd_parse(advert, sizeof(advert), &nd), sizeof(advert));
	assert_int_equal(nd.type, NEIGH_ND_ADVERT);
	assert_int_equal(nd.flags, NEIGH_ND_ROUTER | NEIGH_ND_SOLICITED | NEIGH_ND_OVERRIDE);
	assert_memory_equal(&nd.target, advert + OFF_TARGET, IP6_ADDR_LEN);
	assert_true(nd.has_mac);
	assert_memory_equal(nd.mac, our_mac, sizeof(nd.mac));
}

static void neigh_nd_router_advert_is_read(void **state)
{
	static const uint8_t router_mac[6] = {0x02, 0, 0, 0, 0, 0x0b};
	struct neigh_nd nd;

	(void)state;
	assert_int_equal(
		neigh_nd_parse(router_advert, sizeof(router_advert), &nd), sizeof(router_advert));
	assert_int_equal(nd.type, NEIGH_ND_ROUTER_ADVERT);
	assert_int_equal(nd.router_lifetime_s, 1800);
	assert_memory_equal(&nd.src, router_advert + OFF_SRC, IP6_ADDR_LEN);
	assert_true(nd.has_mac);
	assert_memory_equal(nd.mac, router_mac, sizeof(nd.mac));
}

static void neigh_nd_written_solicit_is_exact(void **state)
{
	struct neigh_nd nd = {.type = NEIGH_ND_SOLICIT, .has_mac = true};
	uint8_t bytes[NEIGH_ND_MAX_WRITTEN];

	(void)state;
	memcpy(&nd.src, solicit + OFF_SRC, IP6_ADDR_LEN);
	memcpy(&nd.target, solicit + OFF_TARGET, IP6_ADDR_LEN);
	memcpy(nd.mac, solicit + OFF_OPTION_MAC, sizeof(nd.mac));
	nd.dst = neigh_nd_solicited_node(&nd.target);
	assert_int_equal(neigh_nd_write(&nd, bytes), sizeof(solicit));
	assert_memory_equal(bytes, solicit, sizeof(solicit));
}

static void neigh_nd_written_advert_is_exact(void **state)
{
	struct neigh_nd nd = {.type = NEIGH_ND_ADVERT,
		.flags = NEIGH_ND_ROUTER | NEIGH_ND_SOLICITED | NEIGH_ND_OVERRIDE,
		.has_mac = true};
	uint8_t bytes[NEIGH_ND_MAX_WRITTEN];

	(void)state;
	memcpy(&nd.src, advert + OFF_SRC, IP6_ADDR_LEN);
	memcpy(&nd.dst, advert + OFF_DST, IP6_ADDR_LEN);
	memcpy(&nd.target, advert + OFF_TARGET, IP6_ADDR_LEN);
	memcpy(nd.mac, our_mac, sizeof(nd.mac));
	assert_int_equal(neigh_nd_write(&nd, bytes), sizeof(advert));
	assert_memory_equal(bytes, advert, sizeof(advert));
}

static void neigh_nd_written_router_solicit_is_exact(void **state)
{
	struct neigh_nd nd = {.type = NEIGH_ND_ROUTER_SOLICIT, .has_mac = true};
	uint8_t bytes[NEIGH_ND_MAX_WRITTEN];

	(void)state;
	memcpy(&nd.src, router_solicit + OFF_SRC, IP6_ADDR_LEN);
	memcpy(&nd.dst, router_solicit + OFF_DST, IP6_ADDR_LEN);
	memcpy(nd.mac, our_mac, sizeof(nd.mac));
	assert_int_equal(neigh_nd_write(&nd, bytes), sizeof(router_solicit));
	assert_memory_equal(bytes, router_solicit, sizeof(router_solicit));
}

static void check_prefixes(const struct guard_page *page, const uint8_t *bytes, uint32_t full_len)
{
	struct neigh_nd nd;

	for (uint32_t len = 0; len < full_len; len++)
		assert_int_equal(
			neigh_nd_parse(guard_page_place(page, bytes, len), len, &nd), -EBADMSG);
	assert_int_equal(
		neigh_nd_parse(guard_page_place(page, bytes, full_len), full_len, &nd), full_len);
}

static void neigh_nd_truncated_is_refused(void **state)
{
	struct guard_page page = guard_page_map();

	(void)state;
	check_prefixes(&page, solicit, sizeof(solicit));
	check_prefixes(&page, advert, sizeof(advert));
	check_prefixes(&page, router_solicit, sizeof(router_solicit));
	check_prefixes(&page, router_advert, sizeof(router_advert));
	guard_page_unmap(&page);
}

// The packet's own length says less than the buffer holds: options may not lie beyond it.
static void neigh_nd_options_end_with_the_payload(void **state)
{
	struct guard_page page = guard_page_map();
	struct neigh_nd nd;

	(void)state;
	for (uint32_t payload_len = 0; payload_len < 32; payload_len++) {
		struct message message = copy(solicit, sizeof(solicit));
		int wanted = payload_len == 24 ? 64 : -EBADMSG;

		message.bytes[OFF_PAYLOAD_LEN] = (uint8_t)payload_len;
		assert_int_equal(
			neigh_nd_parse(guard_page_place(&page, message.bytes, 40 + payload_len),
				40 + payload_len, &nd),
			wanted);
		assert_int_equal(parse(&message, &nd), wanted);
		if (wanted > 0)
			assert_false(nd.has_mac);
	}
	guard_page_unmap(&page);
}

static void neigh_nd_header_rules_hold(void **state)
{
	(void)state;
	assert_int_equal(parse_changed(solicit, 72, OFF_HOP_LIMIT, 254), -EBADMSG);
	assert_int_equal(parse_changed(solicit, 72, OFF_PROTO, 17), -EBADMSG);
	assert_int_equal(parse_changed(solicit, 72, OFF_CODE, 1), -EBADMSG);
	assert_int_equal(parse_changed(solicit, 72, OFF_TYPE, 137), -EBADMSG); // Redirect
	assert_int_equal(parse_changed(solicit, 72, OFF_TYPE, 128), -EBADMSG); // echo
	assert_int_equal(parse_changed(solicit, 72, OFF_OPTION_LEN, 0), -EBADMSG);
	assert_int_equal(parse_changed(solicit, 72, OFF_OPTION_LEN, 2), -EBADMSG);
	assert_int_equal(parse_changed(solicit, 72, OFF_TARGET, 0xff), -EBADMSG);
	assert_int_equal(parse_changed(advert, 72, OFF_TARGET, 0xff), -EBADMSG);
	// The same bytes with nothing changed are fine.
	assert_int_equal(parse_changed(solicit, 72, OFF_HOP_LIMIT, 255), 72);
}

static void neigh_nd_options_of_other_kinds_are_skipped(void **state)
{
	struct message message = copy(solicit, sizeof(solicit));
	struct neigh_nd nd;

	(void)state;
	message.bytes[OFF_OPTION] = 2; // a target address in a solicitation
	assert_int_equal(parse(&message, &nd), 72);
	assert_false(nd.has_mac);
	message.bytes[OFF_OPTION] = 14; // nonce
	assert_int_equal(parse(&message, &nd), 72);
	assert_false(nd.has_mac);
	// An address of 14 bytes is not Ethernet's.
	message.bytes[OFF_OPTION] = 1;
	message.bytes[OFF_OPTION_LEN] = 2;
	message.bytes[OFF_PAYLOAD_LEN] = 40;
	message.len = 80;
	assert_int_equal(parse(&message, &nd), 80);
	assert_false(nd.has_mac);
}

static void neigh_nd_group_as_link_layer_address_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_changed(solicit, 72, OFF_OPTION_MAC, 0x33), -EBADMSG);
	assert_int_equal(parse_changed(advert, 72, OFF_OPTION_MAC, 0x33), -EBADMSG);
}

static void neigh_nd_solicit_of_duplicate_detection_has_its_own_rules(void **state)
{
	struct message message = solicit_of_duplicate_detection();
	struct neigh_nd nd;

	(void)state;
	assert_int_equal(parse(&message, &nd), 64);
	assert_true(ip6_addr_is_unspecified(&nd.src));
	// Not to a solicited-node group.
	memcpy(message.bytes + OFF_DST, all_nodes, IP6_ADDR_LEN);
	assert_int_equal(parse(&message, &nd), -EBADMSG);
	// With a source link-layer address.
	message = copy(solicit, sizeof(solicit));
	memset(message.bytes + OFF_SRC, 0, IP6_ADDR_LEN);
	assert_int_equal(parse(&message, &nd), -EBADMSG);
}

static void neigh_nd_solicited_advert_to_a_group_is_refused(void **state)
{
	struct message message = copy(advert, sizeof(advert));
	struct neigh_nd nd;

	(void)state;
	memcpy(message.bytes + OFF_DST, all_nodes, IP6_ADDR_LEN);
	assert_int_equal(parse(&message, &nd), -EBADMSG);
	message.bytes[OFF_FLAGS] = NEIGH_ND_OVERRIDE;
	assert_int_equal(parse(&message, &nd), 72);
}

static void neigh_nd_router_advert_from_afar_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_changed(router_advert, 104, OFF_SRC, 0x20), -EBADMSG);
}

static void neigh_nd_anonymous_router_solicit_with_address_is_refused(void **state)
{
	struct message message = copy(router_solicit, sizeof(router_solicit));
	struct neigh_nd nd;

	(void)state;
	memset(message.bytes + OFF_SRC, 0, IP6_ADDR_LEN);
	assert_int_equal(parse(&message, &nd), -EBADMSG);
}

static void neigh_nd_solicited_node_keeps_24_bits(void **state)
{
	const struct ip6_addr target = {
		{0x20, 0x01, 0x0d, 0xb8, [11] = 0xee, [12] = 0xdd, [13] = 0xa1, 0xb2, 0xc3}};
	const struct ip6_addr wanted = {
		{0xff, 0x02, [11] = 0x01, [12] = 0xff, [13] = 0xa1, 0xb2, 0xc3}};
	struct ip6_addr group = neigh_nd_solicited_node(&target);

	(void)state;
	assert_memory_equal(&group, &wanted, sizeof(group));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neigh_nd_solicit_is_read),
		cmocka_unit_test(neigh_nd_advert_is_read),
		cmocka_unit_test(neigh_nd_router_advert_is_read),
		cmocka_unit_test(neigh_nd_written_solicit_is_exact),
		cmocka_unit_test(neigh_nd_written_advert_is_exact),
		cmocka_unit_test(neigh_nd_written_router_solicit_is_exact),
		cmocka_unit_test(neigh_nd_truncated_is_refused),
		cmocka_unit_test(neigh_nd_options_end_with_the_payload),
		cmocka_unit_test(neigh_nd_header_rules_hold),
		cmocka_unit_test(neigh_nd_options_of_other_kinds_are_skipped),
		cmocka_unit_test(neigh_nd_group_as_link_layer_address_is_refused),
		cmocka_unit_test(neigh_nd_solicit_of_duplicate_detection_has_its_own_rules),
		cmocka_unit_test(neigh_nd_solicited_advert_to_a_group_is_refused),
		cmocka_unit_test(neigh_nd_router_advert_from_afar_is_refused),
		cmocka_unit_test(neigh_nd_anonymous_router_solicit_with_address_is_refused),
		cmocka_unit_test(neigh_nd_solicited_node_keeps_24_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
