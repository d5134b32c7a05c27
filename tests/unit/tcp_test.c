// SPDX-License-Identifier: Apache-2.0

// Exact bytes, made by scapy once: what the node reads, and what it writes for it on the other side.

#include "pipeline/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ip.h>

#include "tests/unit/tcp_rig.h"

// A SYN with everything that Linux offers.
static const uint8_t syn4[] = {0x45, 0x00, 0x00, 0x3c, 0x12, 0x34, 0x00, 0x00, 0x3c, 0x06, 0x4e,
	0x75, 0x0a, 0x00, 0x01, 0x02, 0x0a, 0x09, 0x09, 0x09, 0x9c, 0x40, 0x00, 0x50, 0x11, 0x22,
	0x33, 0x44, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0x4e, 0x04, 0x00, 0x00, 0x02,
	0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x03, 0x03, 0x07};

// Out of order of everything: PSH, ACK, URG and ECN flags, two SACK blocks, TOS, a payload of odd length.
static const uint8_t data4[] = {0x45, 0xb9, 0x00, 0x58, 0x00, 0x07, 0x00, 0x00, 0x03, 0x06, 0x98,
	0xcd, 0x0a, 0x00, 0x01, 0x02, 0x0a, 0x09, 0x09, 0x09, 0x9c, 0x40, 0x00, 0x50, 0x11, 0x22,
	0x33, 0x45, 0x55, 0x66, 0x77, 0x88, 0xa0, 0xf8, 0x01, 0xf5, 0x06, 0x45, 0x00, 0x04, 0x01,
	0x01, 0x05, 0x12, 0x55, 0x66, 0x78, 0x00, 0x55, 0x66, 0x79, 0x00, 0x55, 0x66, 0x80, 0x00,
	0x55, 0x66, 0x81, 0x00, 0x47, 0x45, 0x54, 0x20, 0x2f, 0x20, 0x48, 0x54, 0x54, 0x50, 0x2f,
	0x31, 0x2e, 0x31, 0x0d, 0x0a, 0x48, 0x6f, 0x73, 0x74, 0x3a, 0x20, 0x61, 0x0d, 0x0a, 0x0d,
	0x0a, 0x21};

// The same, sent on to an IPv6 endpoint with other numbers.
static const uint8_t data4_as_ip6[] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x44, 0x06, 0x40, 0xfd, 0x00,
	0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfd,
	0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x75, 0x30, 0x1f, 0x90, 0x01, 0x02, 0x03, 0x04, 0xa1, 0xa2, 0xa3, 0xa4, 0xa0, 0x18, 0x03,
	0xea, 0x10, 0x1f, 0x00, 0x00, 0x01, 0x01, 0x05, 0x12, 0xa1, 0xa2, 0xa4, 0x00, 0xa1, 0xa2,
	0xa5, 0x00, 0xa1, 0xa2, 0xb0, 0x00, 0xa1, 0xa2, 0xb1, 0x00, 0x47, 0x45, 0x54, 0x20, 0x2f,
	0x20, 0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e, 0x31, 0x0d, 0x0a, 0x48, 0x6f, 0x73, 0x74,
	0x3a, 0x20, 0x61, 0x0d, 0x0a, 0x0d, 0x0a, 0x21};

static const uint8_t data6[] = {0x62, 0x01, 0x23, 0x45, 0x00, 0x17, 0x06, 0x3d, 0xfd, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xfd, 0x00,
	0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x1f,
	0x90, 0x75, 0x30, 0xa1, 0xa2, 0xa3, 0xa4, 0x01, 0x02, 0x03, 0x21, 0x50, 0x10, 0x00, 0x09,
	0x04, 0x2a, 0x00, 0x00, 0x6f, 0x64, 0x64};

static const uint8_t data6_as_ip4[] = {0x45, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06,
	0x1c, 0xba, 0x0a, 0x09, 0x09, 0x09, 0x0a, 0x00, 0x01, 0x02, 0x00, 0x50, 0x9c, 0x40, 0x55,
	0x66, 0x77, 0x89, 0x11, 0x22, 0x33, 0x60, 0x50, 0x11, 0x00, 0x04, 0x10, 0x52, 0x00, 0x00,
	0x6f, 0x64, 0x64};

// Without its first byte.
static const uint8_t data6_cut_as_ip4[] = {0x45, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x40, 0x00, 0x40,
	0x06, 0x1c, 0xbb, 0x0a, 0x09, 0x09, 0x09, 0x0a, 0x00, 0x01, 0x02, 0x00, 0x50, 0x9c, 0x40,
	0x55, 0x66, 0x77, 0x89, 0x11, 0x22, 0x33, 0x60, 0x50, 0x11, 0x00, 0x04, 0x7f, 0x53, 0x00,
	0x00, 0x64, 0x64};

static const uint8_t synack6[] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x06, 0x40, 0xfd, 0x00, 0x00,
	0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfd, 0x00,
	0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x75,
	0x30, 0x1f, 0x90, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x80, 0x12, 0xff, 0xff,
	0xe1, 0x1c, 0x00, 0x00, 0x02, 0x04, 0x04, 0xc4, 0x01, 0x03, 0x03, 0x09, 0x01, 0x01, 0x04,
	0x02};

static const uint8_t reset4[] = {0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x1c,
	0xbd, 0x0a, 0x09, 0x09, 0x09, 0x0a, 0x00, 0x01, 0x02, 0x00, 0x50, 0x9c, 0x40, 0x00, 0x00,
	0x00, 0x00, 0x11, 0x22, 0x33, 0x45, 0x50, 0x14, 0x00, 0x00, 0xb0, 0xc5, 0x00, 0x00};

// In two buffers, cut at off.
static struct rte_mbuf *make_chain(const uint8_t *bytes, uint32_t len, uint32_t off)
{
	struct rte_mbuf *m = rig_make(bytes, off);

	m->next = rig_make(bytes + off, len - off);
	m->nb_segs = 2;
	m->pkt_len = len;
	return m;
}

static void check_bytes(struct rte_mbuf *m, const uint8_t *bytes, uint32_t len)
{
	uint8_t got[RIG_ROOM_LEN];

	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_read(m, 0, len, got), bytes, len);
}

// What m is refused for, or TCP_OK.
static enum tcp_verdict parse_and_free(struct rte_mbuf *m, uint32_t tcp_off)
{
	struct flow_tuple tuple;
	enum tcp_verdict verdict = tcp_parse(m, tcp_off, &tuple);

	rte_pktmbuf_free(m);
	return verdict;
}

static void tcp_parse_syn_options_are_read(void **state)
{
	struct rte_mbuf *m = rig_make(syn4, sizeof(syn4));
	const struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
	assert_true(flow_tuple_equal(&tuple, &rig_client4));
	assert_int_equal(seg->flags, TCP_SYN);
	assert_int_equal(seg->seq, 0x11223344);
	assert_int_equal(seg->window, 64240);
	assert_int_equal(seg->mss, 1460);
	assert_int_equal(seg->scale, 7);
	assert_true(seg->sack_offered);
	assert_int_equal(seg->n_sacks, 0);
	assert_int_equal(seg->len, 0);
	assert_ptr_equal(tcp_mbuf_of(&tcp_packet_of(m)->segment), m);
	rte_pktmbuf_free(m);
}

static void tcp_parse_data_is_read(void **state)
{
	struct rte_mbuf *m = rig_make(data4, sizeof(data4));
	const struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
	assert_true(flow_tuple_equal(&tuple, &rig_client4));
	assert_int_equal(seg->flags, TCP_PSH | TCP_ACK | TCP_URG);
	assert_int_equal(seg->seq, 0x11223345);
	assert_int_equal(seg->ack, 0x55667788);
	assert_int_equal(seg->window, 501);
	assert_int_equal(seg->mss, 0);
	assert_int_equal(seg->scale, TCP_NO_WINDOW_SCALE);
	assert_false(seg->sack_offered);
	assert_int_equal(seg->n_sacks, 2);
	assert_int_equal(seg->sacks[0].left, 0x55667800);
	assert_int_equal(seg->sacks[1].right, 0x55668100);
	assert_int_equal(seg->len, 28);
	assert_memory_equal(seg->data, "GET / HTTP/1.1\r\nHost: a\r\n\r\n!", 28);
	rte_pktmbuf_free(m);
}

static void tcp_parse_ip6_is_read(void **state)
{
	struct rte_mbuf *m = rig_make(data6, sizeof(data6));
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP6_LEN, &tuple), TCP_OK);
	assert_true(flow_tuple_equal(&tuple, &rig_endpoint6));
	assert_int_equal(tcp_packet_of(m)->segment.len, 3);
	rte_pktmbuf_free(m);
}

// Each bit of header and payload is under the checksum, or is the wrong length.
static void tcp_parse_flipped_bit_is_refused(void **state)
{
	(void)state;
	for (uint32_t bit = RIG_IP4_LEN * 8; bit < sizeof(data4) * 8; bit++) {
		struct rte_mbuf *m = rig_make(data4, sizeof(data4));

		rte_pktmbuf_mtod(m, uint8_t *)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(parse_and_free(m, RIG_IP4_LEN), TCP_OK);
	}
}

static void tcp_parse_wherever_it_is_cut(void **state)
{
	(void)state;
	for (uint32_t off = RIG_IP4_LEN; off < sizeof(data4); off++) {
		struct rte_mbuf *m = make_chain(data4, sizeof(data4), off);
		const struct tcp_segment *seg = &tcp_packet_of(m)->segment;
		struct flow_tuple tuple;

		assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
		assert_int_equal(seg->len, 28);
		assert_memory_equal(seg->data, data4 + sizeof(data4) - 28, 28);
		rte_pktmbuf_free(m);
	}
}

// Longer than one buffer of the pool.
static void tcp_parse_scattered_is_refused(void **state)
{
	uint8_t bytes[2 * RIG_ROOM_LEN] = {0};
	struct rte_mbuf *m;

	(void)state;
	memcpy(bytes, data4, sizeof(data4));
	m = make_chain(bytes, 2 * RIG_ROOM_LEN, RIG_ROOM_LEN);
	assert_int_equal(parse_and_free(m, RIG_IP4_LEN), TCP_SCATTERED);
}

static void tcp_parse_short_is_refused(void **state)
{
	(void)state;
	for (uint32_t len = RIG_IP4_LEN; len < RIG_IP4_LEN + 20; len++)
		assert_int_equal(parse_and_free(rig_make(data4, len), RIG_IP4_LEN), TCP_MALFORMED);
}

// Sets the checksum right whatever the bytes are, so that only their meaning is judged.
static enum tcp_verdict judge(uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *m;
	uint32_t sum;

	memset(bytes + RIG_IP4_LEN + 16, 0, 2);
	sum = rte_cpu_to_be_16(6) + rte_cpu_to_be_16((uint16_t)(len - RIG_IP4_LEN)) +
	      rte_raw_cksum(bytes + 12, 8) + rte_raw_cksum(bytes + RIG_IP4_LEN, len - RIG_IP4_LEN);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	memcpy(bytes + RIG_IP4_LEN + 16, &sum, 2);
	m = rig_make(bytes, len);
	return parse_and_free(m, RIG_IP4_LEN);
}

static void tcp_parse_header_lengths_are_checked(void **state)
{
	uint8_t bytes[sizeof(syn4)];

	(void)state;
	memcpy(bytes, syn4, sizeof(syn4));
	for (uint8_t words = 0; words < 16; words++) {
		bytes[RIG_IP4_LEN + 12] = (uint8_t)(words << 4);
		// 5 to 10 words fit; between them options are cut in pieces, which may not fit.
		if (words < 5 || words > 10)
			assert_int_equal(judge(bytes, sizeof(bytes)), TCP_MALFORMED);
		if (words == 5 || words == 6 || words == 10)
			assert_int_equal(judge(bytes, sizeof(bytes)), TCP_OK);
	}
}

static void tcp_parse_bad_options_are_refused(void **state)
{
	static const struct {
		uint8_t options[4];
		enum tcp_verdict verdict;
	} cases[] = {
		{{0, 2, 0, 0}, TCP_OK}, // what follows the end is padding
		{{1, 1, 1, 1}, TCP_OK},
		{{1, 1, 1, 2}, TCP_MALFORMED}, // no length
		{{200, 4, 9, 9}, TCP_OK},      // unknown
		{{200, 0, 9, 9}, TCP_MALFORMED},
		{{200, 1, 9, 9}, TCP_MALFORMED},
		{{200, 5, 9, 9}, TCP_MALFORMED},
		{{2, 3, 5, 0}, TCP_MALFORMED},
		{{3, 4, 5, 0}, TCP_MALFORMED},
		{{4, 3, 5, 0}, TCP_MALFORMED},
		{{5, 4, 5, 0}, TCP_MALFORMED},
		{{5, 2, 0, 0}, TCP_OK},
	};
	uint8_t bytes[RIG_IP4_LEN + 24];

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		memcpy(bytes, data4, sizeof(bytes));
		bytes[RIG_IP4_LEN + 12] = 6 << 4;
		memcpy(bytes + RIG_IP4_LEN + 20, cases[i].options, 4);
		assert_int_equal(judge(bytes, sizeof(bytes)), cases[i].verdict);
	}
}

// RFC 7323 §2.3: a shift above 14 is taken as 14.
static void tcp_parse_large_scale_is_fourteen(void **state)
{
	struct rte_mbuf *m;
	struct flow_tuple tuple;
	uint8_t bytes[sizeof(syn4)];

	(void)state;
	memcpy(bytes, syn4, sizeof(syn4));
	bytes[sizeof(bytes) - 1] = 200;
	assert_int_equal(judge(bytes, sizeof(bytes)), TCP_OK);
	m = rig_make(bytes, sizeof(bytes));
	assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
	assert_int_equal(tcp_packet_of(m)->segment.scale, 14);
	rte_pktmbuf_free(m);
}

// The checksum comes from the sum of the way in.
static void tcp_write_ip4_becomes_ip6(void **state)
{
	const struct tcp_out out = {.seq = 0x01020304,
		.ack = 0xa1a2a3a4,
		.window = 1002,
		.flags = TCP_PSH | TCP_ACK | TCP_URG,
		.n_sacks = 2,
		.sacks = {{0xa1a2a400, 0xa1a2a500}, {0xa1a2b000, 0xa1a2b100}},
		.scale = TCP_NO_WINDOW_SCALE};
	struct rte_mbuf *m = rig_make(data4, sizeof(data4));
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
	assert_true(tcp_write(m, seg->data, seg->len, &out, &rig_endpoint6));
	check_bytes(m, data4_as_ip6, sizeof(data4_as_ip6));
	rte_pktmbuf_free(m);
}

static const struct tcp_out out4 = {.seq = 0x55667789,
	.ack = 0x11223360,
	.window = 4,
	.flags = TCP_FIN | TCP_ACK,
	.scale = TCP_NO_WINDOW_SCALE};

static void tcp_write_ip6_becomes_ip4(void **state)
{
	struct rte_mbuf *m = rig_make(data6, sizeof(data6));
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP6_LEN, &tuple), TCP_OK);
	assert_true(tcp_write(m, seg->data, seg->len, &out4, &rig_client4));
	check_bytes(m, data6_as_ip4, sizeof(data6_as_ip4));
	rte_pktmbuf_free(m);
}

static void tcp_write_part_of_the_payload(void **state)
{
	struct rte_mbuf *m = rig_make(data6, sizeof(data6));
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP6_LEN, &tuple), TCP_OK);
	tcp_segment_cut(seg, 1);
	assert_true(tcp_write(m, seg->data, seg->len, &out4, &rig_client4));
	check_bytes(m, data6_cut_as_ip4, sizeof(data6_cut_as_ip4));
	rte_pktmbuf_free(m);
}

// What the splice rewrote is summed again.
static void tcp_write_rewritten_payload(void **state)
{
	struct rte_mbuf *m = rig_make(data6, sizeof(data6));
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	assert_int_equal(tcp_parse(m, RIG_IP6_LEN, &tuple), TCP_OK);
	memcpy(seg->data, "new", 3);
	seg->rewritten = true;
	assert_true(tcp_write(m, seg->data, seg->len, &out4, &rig_client4));
	assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
	assert_memory_equal(tcp_packet_of(m)->segment.data, "new", 3);
	rte_pktmbuf_free(m);
}

// Where the packet stands right at its buffer's beginning, the headers find room elsewhere.
static void tcp_write_without_headroom(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool);
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct flow_tuple tuple;

	(void)state;
	m->data_off = 0;
	memcpy(rte_pktmbuf_append(m, sizeof(data4)), data4, sizeof(data4));
	assert_int_equal(tcp_parse(m, RIG_IP4_LEN, &tuple), TCP_OK);
	assert_true(tcp_write(m, seg->data, seg->len,
		&(struct tcp_out){.seq = 0x01020304,
			.ack = 0xa1a2a3a4,
			.window = 1002,
			.flags = TCP_PSH | TCP_ACK,
			.n_sacks = 2,
			.sacks = {{0xa1a2a400, 0xa1a2a500}, {0xa1a2b000, 0xa1a2b100}},
			.scale = TCP_NO_WINDOW_SCALE},
		&rig_endpoint6));
	check_bytes(m, data4_as_ip6, sizeof(data4_as_ip6));
	rte_pktmbuf_free(m);
}

static void tcp_make_syn_has_its_options(void **state)
{
	const struct tcp_out out = {.seq = 1,
		.ack = 2,
		.window = 65535,
		.flags = TCP_SYN | TCP_ACK,
		.mss = 1220,
		.scale = 9,
		.sack_offered = true};
	struct rte_mbuf *m = tcp_make(rig_pool, NULL, 0, &out, &rig_endpoint6);

	(void)state;
	assert_non_null(m);
	check_bytes(m, synack6, sizeof(synack6));
	rte_pktmbuf_free(m);
}

static void tcp_make_copies(void **state)
{
	struct rte_mbuf *m = tcp_make(rig_pool, (const uint8_t *)"odd", 3, &out4, &rig_client4);

	(void)state;
	assert_non_null(m);
	check_bytes(m, data6_as_ip4, sizeof(data6_as_ip4));
	rte_pktmbuf_free(m);
}

static void tcp_make_too_long_is_nothing(void **state)
{
	static const uint8_t bytes[RIG_ROOM_LEN];

	(void)state;
	assert_null(tcp_make(rig_pool, bytes, sizeof(bytes), &out4, &rig_client4));
}

static void tcp_reset_answers_a_syn(void **state)
{
	const struct tcp_segment syn = {.flags = TCP_SYN, .seq = 0x11223344};
	struct tcp_out out;
	struct rte_mbuf *m;

	(void)state;
	assert_true(tcp_reset_for(&syn, &out));
	m = tcp_make(rig_pool, NULL, 0, &out, &rig_client4);
	assert_non_null(m);
	check_bytes(m, reset4, sizeof(reset4));
	rte_pktmbuf_free(m);
}

static void tcp_reset_takes_its_number_from_the_ack(void **state)
{
	const struct tcp_segment ack = {.flags = TCP_ACK, .seq = 5, .ack = 77, .len = 3};
	const struct tcp_segment fin = {.flags = TCP_FIN, .seq = 5, .len = 3};
	const struct tcp_segment rst = {.flags = TCP_RST | TCP_ACK, .seq = 5, .ack = 77};
	struct tcp_out out;

	(void)state;
	assert_true(tcp_reset_for(&ack, &out));
	assert_int_equal(out.flags, TCP_RST);
	assert_int_equal(out.seq, 77);
	assert_true(tcp_reset_for(&fin, &out));
	assert_int_equal(out.flags, TCP_RST | TCP_ACK);
	assert_int_equal(out.ack, 9);
	assert_false(tcp_reset_for(&rst, &out));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, NULL, rig_check_pool)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tcp_parse_syn_options_are_read),
		CASE(tcp_parse_data_is_read),
		CASE(tcp_parse_ip6_is_read),
		CASE(tcp_parse_flipped_bit_is_refused),
		CASE(tcp_parse_wherever_it_is_cut),
		CASE(tcp_parse_scattered_is_refused),
		CASE(tcp_parse_short_is_refused),
		CASE(tcp_parse_header_lengths_are_checked),
		CASE(tcp_parse_bad_options_are_refused),
		CASE(tcp_parse_large_scale_is_fourteen),
		CASE(tcp_write_ip4_becomes_ip6),
		CASE(tcp_write_ip6_becomes_ip4),
		CASE(tcp_write_part_of_the_payload),
		CASE(tcp_write_rewritten_payload),
		CASE(tcp_write_without_headroom),
		CASE(tcp_make_syn_has_its_options),
		CASE(tcp_make_copies),
		CASE(tcp_make_too_long_is_nothing),
		CASE(tcp_reset_answers_a_syn),
		CASE(tcp_reset_takes_its_number_from_the_ack),
	};

	return cmocka_run_group_tests(tests, rig_start, NULL);
}
