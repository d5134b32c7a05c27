// SPDX-License-Identifier: Apache-2.0

// The checksum arithmetic of IPv4 headers against the plainest implementation, and the header checks.

#include "pipeline/ip4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	MAX_HEADER_LEN = 60,
	N_HEADERS = 20000,
	BUFFER_LEN = 256,
};

// RFC 1071, word by word.
static uint16_t naive_sum(const uint8_t *ip, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i += 2) {
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static void set_checksum(uint8_t *ip, uint32_t len)
{
	uint16_t sum;

	ip[10] = ip[11] = 0;
	sum = (uint16_t)~naive_sum(ip, len);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

// Bytes that make carries likely.
static void fill_random(uint8_t *bytes, uint32_t len, unsigned int *random)
{
	for (uint32_t i = 0; i < len; i++) {
		unsigned int r = (unsigned int)rand_r(random);

		bytes[i] = r % 4 == 0 ? 0xff : r % 4 == 1 ? 0 : (uint8_t)(r >> 8);
	}
}

static void ip4_sums_match_the_naive_one(void **state)
{
	uint8_t ip[MAX_HEADER_LEN];
	unsigned int random = 1;

	(void)state;
	for (unsigned int i = 0; i < N_HEADERS; i++) {
		uint32_t len = 20 + 4 * (i % 11);

		fill_random(ip, len, &random);
		assert_int_equal(rte_be_to_cpu_16(ip4_options_sum(ip, len)), naive_sum(ip, len));
		assert_int_equal(rte_be_to_cpu_16(ip4_header_sum(ip)), naive_sum(ip, 20));
		set_checksum(ip, len);
		assert_int_equal(ip4_options_sum(ip, len), 0xffff);
	}
}

static void ip4_decrement_ttl_keeps_the_sum(void **state)
{
	uint8_t ip[20];
	unsigned int random = 2;

	(void)state;
	for (unsigned int i = 0; i < N_HEADERS; i++) {
		fill_random(ip, sizeof(ip), &random);
		ip[0] = 0x45;
		ip[8] = (uint8_t)(1 + i % 255);
		set_checksum(ip, sizeof(ip));
		ip4_decrement_ttl((struct rte_ipv4_hdr *)ip);
		assert_int_equal(ip[8], i % 255);
		assert_int_equal(naive_sum(ip, sizeof(ip)), 0xffff);
	}
}

static void ip4_set_tos_keeps_the_sum(void **state)
{
	uint8_t ip[20];
	unsigned int random = 3;

	(void)state;
	for (unsigned int i = 0; i < N_HEADERS; i++) {
		uint8_t tos = (uint8_t)i;

		fill_random(ip, sizeof(ip), &random);
		ip[0] = 0x45;
		set_checksum(ip, sizeof(ip));
		ip4_set_tos((struct rte_ipv4_hdr *)ip, tos);
		assert_int_equal(ip[1], tos);
		assert_int_equal(naive_sum(ip, sizeof(ip)), 0xffff);
	}
}

// A buffer without a pool: what is checked here frees nothing.
struct one_packet {
	struct rte_mbuf m;
	uint8_t bytes[BUFFER_LEN];
};

static uint8_t *make_packet(struct one_packet *one, uint32_t ihl_len, uint32_t total_len)
{
	static const uint8_t addrs[8] = {10, 0, 0, 1, 10, 0, 0, 2};

	memset(one, 0, sizeof(*one));
	one->m.buf_addr = one->bytes;
	one->m.buf_len = BUFFER_LEN;
	one->m.nb_segs = 1;
	one->m.data_len = (uint16_t)total_len;
	one->m.pkt_len = total_len;
	one->bytes[0] = (uint8_t)(0x40 | ihl_len / 4);
	one->bytes[2] = (uint8_t)(total_len >> 8);
	one->bytes[3] = (uint8_t)total_len;
	one->bytes[8] = 64;
	memcpy(one->bytes + 12, addrs, sizeof(addrs));
	set_checksum(one->bytes, ihl_len);
	return one->bytes;
}

static void ip4_check_accepts_and_trims(void **state)
{
	struct one_packet one;

	(void)state;
	for (uint32_t ihl_len = 20; ihl_len <= MAX_HEADER_LEN; ihl_len += 4) {
		make_packet(&one, ihl_len, 100);
		one.m.data_len += 6; // Ethernet's padding
		one.m.pkt_len += 6;
		assert_int_equal(ip4_check(&one.m), IP4_OK);
		assert_int_equal(one.m.pkt_len, 100);
		assert_int_equal(one.m.data_len, 100);
	}
}

static void ip4_check_refuses_lengths(void **state)
{
	struct one_packet one;
	uint8_t *ip;

	(void)state;
	for (uint32_t len = 0; len < 20; len++) {
		make_packet(&one, 20, 100);
		one.m.data_len = (uint16_t)len;
		one.m.pkt_len = len;
		assert_int_equal(ip4_check(&one.m), IP4_MALFORMED);
	}
	for (uint32_t ihl_len = 20; ihl_len <= MAX_HEADER_LEN; ihl_len += 4) {
		ip = make_packet(&one, ihl_len, 100);
		one.m.data_len = 99;
		one.m.pkt_len = 99;
		assert_int_equal(ip4_check(&one.m), IP4_MALFORMED);
		ip = make_packet(&one, ihl_len, 100);
		ip[3] = (uint8_t)(ihl_len - 1);
		set_checksum(ip, ihl_len);
		assert_int_equal(ip4_check(&one.m), IP4_MALFORMED);
	}
	for (uint8_t ihl = 0; ihl < 5; ihl++) {
		ip = make_packet(&one, 20, 100);
		ip[0] = 0x40 | ihl;
		assert_int_equal(ip4_check(&one.m), IP4_MALFORMED);
	}
	ip = make_packet(&one, 20, 100);
	ip[0] = 0x65;
	assert_int_equal(ip4_check(&one.m), IP4_MALFORMED);
}

static void ip4_check_refuses_checksums(void **state)
{
	struct one_packet one;

	(void)state;
	for (uint32_t ihl_len = 20; ihl_len <= MAX_HEADER_LEN; ihl_len += 40)
		for (uint32_t off = 1; off < ihl_len; off++) {
			uint8_t *ip = make_packet(&one, ihl_len, 100);

			if (off == 2 || off == 3)
				continue; // lengths are looked at first
			ip[off] ^= 0x10;
			assert_int_equal(ip4_check(&one.m), IP4_CHECKSUM);
		}
}

static void ip4_check_refuses_martians(void **state)
{
	static const struct {
		uint8_t off; // 12: source, 16: destination
		uint8_t net;
		enum ip4_verdict verdict;
	} cases[] = {
		{12, 0, IP4_MARTIAN},
		{12, 1, IP4_OK},
		{12, 126, IP4_OK},
		{12, 127, IP4_MARTIAN},
		{12, 128, IP4_OK},
		{12, 223, IP4_OK},
		{12, 224, IP4_MARTIAN},
		{12, 255, IP4_MARTIAN},
		{16, 0, IP4_MARTIAN},
		{16, 1, IP4_OK},
		{16, 127, IP4_MARTIAN},
		{16, 223, IP4_OK},
		{16, 224, IP4_MARTIAN},
		{16, 255, IP4_MARTIAN},
	};
	struct one_packet one;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++)
		for (uint32_t ihl_len = 20; ihl_len <= 24; ihl_len += 4) {
			uint8_t *ip = make_packet(&one, ihl_len, 100);

			ip[cases[i].off] = cases[i].net;
			set_checksum(ip, ihl_len);
			assert_int_equal(ip4_check(&one.m), cases[i].verdict);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4_sums_match_the_naive_one),
		cmocka_unit_test(ip4_decrement_ttl_keeps_the_sum),
		cmocka_unit_test(ip4_set_tos_keeps_the_sum),
		cmocka_unit_test(ip4_check_accepts_and_trims),
		cmocka_unit_test(ip4_check_refuses_lengths),
		cmocka_unit_test(ip4_check_refuses_checksums),
		cmocka_unit_test(ip4_check_refuses_martians),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
