// SPDX-License-Identifier: Apache-2.0

#include "pipeline/flow_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	ETH_LEN = 14,
	TCP = 6,
	UDP = 17,
	FRAGMENT = 44,
	DSTOPTS = 60,
	N_FLOWS = 1 << 16,
	N_BUCKETS = 64,
};

static void put_ports(uint8_t *at, uint16_t src, uint16_t dst)
{
	const uint8_t ports[4] = {
		(uint8_t)(src >> 8), (uint8_t)src, (uint8_t)(dst >> 8), (uint8_t)dst};

	memcpy(at, ports, sizeof(ports));
}

// A packet of a flow that i numbers, with TTL, id and length that say nothing about it.
static uint32_t make_ip4(uint8_t *ip, uint32_t i, uint8_t proto)
{
	memset(ip, 0, IP4_LEN + 8);
	ip[0] = 0x45;
	ip[9] = proto;
	memcpy(ip + 12, (const uint8_t[8]){10, 0, 0, 1, 10, 0, (uint8_t)(i >> 8), (uint8_t)i}, 8);
	put_ports(ip + IP4_LEN, 1000, 80);
	return IP4_LEN + 8;
}

static uint32_t make_ip6(uint8_t *ip, uint32_t i, uint8_t proto)
{
	memset(ip, 0, IP6_LEN + 8);
	ip[0] = 0x60;
	ip[6] = proto;
	ip[8] = 0xfd;
	ip[24] = 0xfd;
	ip[38] = (uint8_t)(i >> 8);
	ip[39] = (uint8_t)i;
	put_ports(ip + IP6_LEN, 1000, 80);
	return IP6_LEN + 8;
}

static void flow_hash_ip4_depends_on_the_flow_alone(void **state)
{
	uint8_t a[64], b[64];
	uint32_t len = make_ip4(a, 1, UDP), hash = flow_hash_ip4(a, len);
	static const uint8_t own[] = {9, 12, 15, 16, 19, 20, 21, 22, 23};
	static const uint8_t others[] = {1, 2, 3, 4, 5, 8, 10, 11, 24};

	(void)state;
	for (size_t i = 0; i < sizeof(own); i++) {
		memcpy(b, a, len);
		b[own[i]] ^= own[i] == 9 ? UDP ^ TCP : 1;
		assert_int_not_equal(flow_hash_ip4(b, len), hash);
	}
	for (size_t i = 0; i < sizeof(others); i++) {
		memcpy(b, a, len);
		b[others[i]] ^= 0xff;
		assert_int_equal(flow_hash_ip4(b, len), hash);
	}
	a[6] = 0x40; // do not fragment
	assert_int_equal(flow_hash_ip4(a, len), hash);
}

static void flow_hash_ip4_options_are_stepped_over(void **state)
{
	uint8_t a[64], b[64];
	uint32_t len = make_ip4(a, 1, TCP);

	(void)state;
	make_ip4(b, 1, TCP);
	b[0] = 0x46;
	memset(b + IP4_LEN, 1, 4);
	put_ports(b + IP4_LEN + 4, 1000, 80);
	assert_int_equal(flow_hash_ip4(b, len + 4), flow_hash_ip4(a, len));
}

static void flow_hash_ip4_fragments_agree(void **state)
{
	uint8_t first[64], later[64];
	uint32_t len = make_ip4(first, 1, UDP);

	(void)state;
	make_ip4(later, 1, UDP);
	first[6] = 0x20;
	later[7] = 0x10;
	put_ports(later + IP4_LEN, 0xdead, 0xbeef);
	assert_int_equal(flow_hash_ip4(first, len), flow_hash_ip4(later, len));
	later[6] = 0x20;
	assert_int_equal(flow_hash_ip4(first, len), flow_hash_ip4(later, len));
	make_ip4(later, 2, UDP);
	later[7] = 0x10;
	assert_int_not_equal(flow_hash_ip4(first, len), flow_hash_ip4(later, len));
}

static void flow_hash_truncated_ports_are_not_read(void **state)
{
	uint8_t *ip4 = malloc(IP4_LEN + 3), *ip6 = malloc(IP6_LEN + 3), whole[64];
	uint32_t len;

	(void)state;
	len = make_ip4(whole, 1, UDP);
	memcpy(ip4, whole, IP4_LEN + 3);
	assert_int_not_equal(flow_hash_ip4(ip4, IP4_LEN + 3), flow_hash_ip4(whole, len));
	len = make_ip6(whole, 1, UDP);
	memcpy(ip6, whole, IP6_LEN + 3);
	assert_int_not_equal(flow_hash_ip6(ip6, IP6_LEN + 3), flow_hash_ip6(whole, len));
	free(ip4);
	free(ip6);
}

static void flow_hash_ip6_depends_on_the_flow_alone(void **state)
{
	uint8_t a[64], b[64];
	uint32_t len = make_ip6(a, 1, UDP), hash = flow_hash_ip6(a, len);

	(void)state;
	for (uint32_t off = 0; off < IP6_LEN + 6; off++) {
		bool own = (off >= 8 && off < IP6_LEN + 4) || off == 6;

		memcpy(b, a, len);
		b[off] ^= off == 6 ? UDP ^ TCP : off == 0 ? 0x01 : 0xff;
		if (own)
			assert_int_not_equal(flow_hash_ip6(b, len), hash);
		else
			assert_int_equal(flow_hash_ip6(b, len), hash);
	}
}

// src and dst are not to be swapped without notice, nor is one half of an address to cancel the other.
static void flow_hash_ip6_addresses_do_not_cancel(void **state)
{
	uint8_t a[64], b[64];
	uint32_t len = make_ip6(a, 1, UDP);

	(void)state;
	memcpy(b, a, len);
	memcpy(b + 8, a + 24, 16);
	memcpy(b + 24, a + 8, 16);
	assert_int_not_equal(flow_hash_ip6(a, len), flow_hash_ip6(b, len));
	memset(a + 8, 0xff, 32);
	memset(b + 8, 0xfe, 32);
	assert_int_not_equal(flow_hash_ip6(a, len), flow_hash_ip6(b, len));
}

// Another network of the destination, and ports that differ by as much.
static void flow_hash_ip6_ports_do_not_cancel_destination(void **state)
{
	uint8_t a[64], b[64];
	uint32_t len = make_ip6(a, 1, UDP);

	(void)state;
	for (uint32_t i = 1; i <= 0xffff; i++) {
		memcpy(b, a, len);
		b[28] ^= (uint8_t)(i >> 8);
		b[29] ^= (uint8_t)i;
		b[IP6_LEN] ^= (uint8_t)(i >> 8);
		b[IP6_LEN + 1] ^= (uint8_t)i;
		assert_int_not_equal(flow_hash_ip6(b, len), flow_hash_ip6(a, len));
	}
}

static void flow_hash_ip6_extension_headers_hide_nothing(void **state)
{
	uint8_t a[64], b[64] = {0};
	uint32_t len = make_ip6(a, 1, UDP);

	(void)state;
	make_ip6(b, 1, DSTOPTS);
	memset(b + IP6_LEN, 0, 8);
	b[IP6_LEN] = UDP;
	put_ports(b + IP6_LEN + 8, 1000, 80);
	assert_int_equal(flow_hash_ip6(b, len + 8), flow_hash_ip6(a, len));
}

static void flow_hash_ip6_fragments_agree(void **state)
{
	uint8_t first[64], later[64];
	uint32_t len = make_ip6(first, 1, FRAGMENT) + 8;

	(void)state;
	make_ip6(later, 1, FRAGMENT);
	memset(first + IP6_LEN, 0, 16);
	memset(later + IP6_LEN, 0, 16);
	first[IP6_LEN] = later[IP6_LEN] = UDP;
	first[IP6_LEN + 3] = 1; // more to come
	later[IP6_LEN + 2] = 1; // offset
	put_ports(first + IP6_LEN + 8, 1000, 80);
	put_ports(later + IP6_LEN + 8, 0xdead, 0xbeef);
	assert_int_equal(flow_hash_ip6(first, len), flow_hash_ip6(later, len));
}

static void flow_hash_eth_finds_the_packet(void **state)
{
	uint8_t plain[128] = {0}, tagged[128] = {0}, ip[64];
	uint32_t len = make_ip4(ip, 1, UDP);

	(void)state;
	plain[12] = 0x08;
	memcpy(plain + ETH_LEN, ip, len);
	assert_int_equal(flow_hash_eth(plain, ETH_LEN + len), flow_hash_ip4(ip, len));
	tagged[12] = 0x81;
	tagged[16] = 0x08;
	memcpy(tagged + ETH_LEN + 4, ip, len);
	assert_int_equal(flow_hash_eth(tagged, ETH_LEN + 4 + len), flow_hash_ip4(ip, len));
	len = make_ip6(ip, 1, UDP);
	plain[12] = 0x86;
	plain[13] = 0xdd;
	memcpy(plain + ETH_LEN, ip, len);
	assert_int_equal(flow_hash_eth(plain, ETH_LEN + len), flow_hash_ip6(ip, len));
}

static void flow_hash_eth_other_frames_by_address(void **state)
{
	uint8_t a[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xcc}, b[64];
	uint32_t hash = flow_hash_eth(a, sizeof(a));

	(void)state;
	for (uint32_t off = 0; off < 12; off++) {
		memcpy(b, a, sizeof(b));
		b[off] ^= 0x40;
		assert_int_not_equal(flow_hash_eth(b, sizeof(b)), hash);
	}
	memcpy(b, a, sizeof(b));
	b[20] ^= 0xff;
	assert_int_equal(flow_hash_eth(b, sizeof(b)), hash);
	assert_int_equal(flow_hash_eth(a, 13), 1);
}

// How evenly flows fall into buckets by the low bits (ECMP) and by the high ones (workers): the chi-squared statistic of 63 degrees of freedom is above 120 once in 100,000 fair trials.
static void check_spread(uint32_t (*hash_of)(uint32_t i))
{
	uint32_t low[N_BUCKETS] = {0}, high[N_BUCKETS] = {0};
	double expected = (double)N_FLOWS / N_BUCKETS, chi_low = 0, chi_high = 0;

	for (uint32_t i = 0; i < N_FLOWS; i++) {
		uint32_t hash = hash_of(i);

		assert_int_not_equal(hash, 0);
		low[hash % N_BUCKETS]++;
		high[(uint64_t)hash * N_BUCKETS >> 32]++;
	}
	for (uint32_t b = 0; b < N_BUCKETS; b++) {
		chi_low += (low[b] - expected) * (low[b] - expected) / expected;
		chi_high += (high[b] - expected) * (high[b] - expected) / expected;
	}
	assert_true(chi_low < 120 && chi_high < 120);
}

static uint32_t by_ip4_address(uint32_t i)
{
	uint8_t ip[64];

	return flow_hash_ip4(ip, make_ip4(ip, i, UDP));
}

static uint32_t by_ip4_port(uint32_t i)
{
	uint8_t ip[64];
	uint32_t len = make_ip4(ip, 1, TCP);

	put_ports(ip + IP4_LEN, (uint16_t)i, 80);
	return flow_hash_ip4(ip, len);
}

static uint32_t by_ip6_address(uint32_t i)
{
	uint8_t ip[64];

	return flow_hash_ip6(ip, make_ip6(ip, i, UDP));
}

static uint32_t by_ip6_port(uint32_t i)
{
	uint8_t ip[64];
	uint32_t len = make_ip6(ip, 1, TCP);

	put_ports(ip + IP6_LEN, 1000, (uint16_t)i);
	return flow_hash_ip6(ip, len);
}

static void flow_hash_spreads_neighbouring_flows(void **state)
{
	(void)state;
	check_spread(by_ip4_address);
	check_spread(by_ip4_port);
	check_spread(by_ip6_address);
	check_spread(by_ip6_port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_hash_ip4_depends_on_the_flow_alone),
		cmocka_unit_test(flow_hash_ip4_options_are_stepped_over),
		cmocka_unit_test(flow_hash_ip4_fragments_agree),
		cmocka_unit_test(flow_hash_truncated_ports_are_not_read),
		cmocka_unit_test(flow_hash_ip6_depends_on_the_flow_alone),
		cmocka_unit_test(flow_hash_ip6_addresses_do_not_cancel),
		cmocka_unit_test(flow_hash_ip6_ports_do_not_cancel_destination),
		cmocka_unit_test(flow_hash_ip6_extension_headers_hide_nothing),
		cmocka_unit_test(flow_hash_ip6_fragments_agree),
		cmocka_unit_test(flow_hash_eth_finds_the_packet),
		cmocka_unit_test(flow_hash_eth_other_frames_by_address),
		cmocka_unit_test(flow_hash_spreads_neighbouring_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
