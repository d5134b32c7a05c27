// SPDX-License-Identifier: Apache-2.0

#include "pipeline/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/eal.h"

enum {
	N_MBUFS = 63,
	ROOM_LEN = 512,
	PACKET_LEN = 60, // of the packets that are taken apart at every byte
};

static struct rte_mempool *pool;

static int start(void **state)
{
	if (eal_start(state) != 0)
		return -1;
	pool = rte_pktmbuf_pool_create("packet_test", N_MBUFS, 0, PACKET_META_LEN,
		ROOM_LEN + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	return pool == NULL;
}

// Every test gives back what it took.
static int check_pool(void **state)
{
	(void)state;
	return rte_mempool_avail_count(pool) != N_MBUFS;
}

static uint8_t byte_at(uint32_t off)
{
	return (uint8_t)(off * 37 + 11);
}

static struct rte_mbuf *make_segment(uint32_t off, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	m->data_len = len;
	m->pkt_len = len;
	for (uint16_t i = 0; i < len; i++)
		*rte_pktmbuf_mtod_offset(m, uint8_t *, i) = byte_at(off + i);
	return m;
}

// PACKET_LEN bytes in three segments; each may be empty but the first.
static struct rte_mbuf *make_chain(uint16_t first_len, uint16_t second_len)
{
	struct rte_mbuf *m = make_segment(0, first_len);

	m->next = make_segment(first_len, second_len);
	m->next->next = make_segment(first_len + second_len, PACKET_LEN - first_len - second_len);
	m->nb_segs = 3;
	m->pkt_len = PACKET_LEN;
	return m;
}

// The packet is well formed and holds the bytes [from, to) of the sequence.
static void check_bytes(const struct rte_mbuf *m, uint32_t from, uint32_t to)
{
	uint32_t off = from;
	uint16_t n_segs = 0;

	assert_int_equal(m->pkt_len, to - from);
	for (const struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		for (uint16_t i = 0; i < seg->data_len; i++, off++)
			assert_int_equal(*rte_pktmbuf_mtod_offset(seg, uint8_t *, i), byte_at(off));
		assert_true(seg->data_off + seg->data_len <= seg->buf_len);
		n_segs++;
	}
	assert_int_equal(off, to);
	assert_int_equal(n_segs, m->nb_segs);
}

// Calls a function for every way to cut the packet into three, and every length.
static void for_every_chain(void (*check)(struct rte_mbuf *m, uint32_t len))
{
	for (uint16_t first = 1; first <= PACKET_LEN; first++)
		for (uint16_t second = 0; first + second <= PACKET_LEN; second++)
			for (uint32_t len = 0; len <= PACKET_LEN; len += 1 + len % 3) {
				struct rte_mbuf *m = make_chain(first, second);

				check(m, len);
				rte_pktmbuf_free(m);
			}
}

static void check_pull(struct rte_mbuf *m, uint32_t len)
{
	const void *bytes = packet_pull(m, len);

	assert_ptr_equal(bytes, rte_pktmbuf_mtod(m, void *));
	assert_true(m->data_len >= len);
	check_bytes(m, 0, PACKET_LEN);
}

static void packet_pull_every_split_is_contiguous(void **state)
{
	(void)state;
	for_every_chain(check_pull);
}

static void check_cut(struct rte_mbuf *m, uint32_t len)
{
	packet_cut(m, len);
	check_bytes(m, len, PACKET_LEN);
	// What is left can be read.
	assert_non_null(packet_pull(m, PACKET_LEN - len));
	check_bytes(m, len, PACKET_LEN);
}

static void packet_cut_every_split_keeps_the_rest(void **state)
{
	(void)state;
	for_every_chain(check_cut);
}

static void check_trim(struct rte_mbuf *m, uint32_t len)
{
	packet_trim(m, len);
	check_bytes(m, 0, len);
}

static void packet_trim_every_split_keeps_the_front(void **state)
{
	(void)state;
	for_every_chain(check_trim);
}

// Headers in front of any chain, and off again.
static void check_push(struct rte_mbuf *m, uint32_t len)
{
	uint32_t room_len;
	uint8_t *front;

	m->data_off -= (uint16_t)len;
	memmove(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_mtod_offset(m, void *, len), m->data_len);
	room_len = m->data_off + len / 2; // fits when len is 0 or 1
	front = packet_push(m, room_len);
	assert_ptr_equal(front, rte_pktmbuf_mtod(m, void *));
	assert_true(m->data_len >= room_len);
	assert_int_equal(m->pkt_len, PACKET_LEN + room_len);
	memset(front, 0xee, room_len);
	packet_cut(m, room_len);
	check_bytes(m, 0, PACKET_LEN);
}

static void packet_push_every_headroom_keeps_the_packet(void **state)
{
	(void)state;
	for_every_chain(check_push);
}

static void packet_push_leaves_room_for_the_link(void **state)
{
	struct rte_mbuf *m = make_segment(0, PACKET_LEN);

	(void)state;
	assert_non_null(packet_push(m, RTE_PKTMBUF_HEADROOM + 1));
	assert_int_equal(m->nb_segs, 2);
	assert_int_equal(m->data_len, RTE_PKTMBUF_HEADROOM + 1);
	assert_true(rte_pktmbuf_headroom(m) >= 18);
	packet_cut(m, RTE_PKTMBUF_HEADROOM + 1);
	check_bytes(m, 0, PACKET_LEN);
	rte_pktmbuf_free(m);
}

// A full buffer moves whole: the body keeps as much headroom as is left.
static void packet_push_full_buffer_moves_whole(void **state)
{
	struct rte_mbuf *m = make_segment(0, ROOM_LEN);
	const uint16_t len = ROOM_LEN + RTE_PKTMBUF_HEADROOM;

	(void)state;
	m->data_off = 0;
	m->data_len = len;
	m->pkt_len = len;
	for (uint16_t i = 0; i < len; i++)
		*rte_pktmbuf_mtod_offset(m, uint8_t *, i) = byte_at(i);
	assert_non_null(packet_push(m, 40));
	packet_cut(m, 40);
	check_bytes(m, 0, len);
	rte_pktmbuf_free(m);
}

static void packet_push_too_long_is_refused(void **state)
{
	struct rte_mbuf *m = make_segment(0, PACKET_LEN);

	(void)state;
	assert_null(packet_push(m, m->buf_len));
	check_bytes(m, 0, PACKET_LEN);
	rte_pktmbuf_free(m);
}

static void packet_push_without_mbufs_is_refused(void **state)
{
	struct rte_mbuf *all[N_MBUFS];

	(void)state;
	for (unsigned int i = 0; i < N_MBUFS; i++)
		all[i] = make_segment(0, PACKET_LEN);
	assert_null(packet_push(all[0], RTE_PKTMBUF_HEADROOM + 1));
	check_bytes(all[0], 0, PACKET_LEN);
	rte_pktmbuf_free_bulk(all, N_MBUFS);
}

static void packet_pull_past_the_end_is_refused(void **state)
{
	struct rte_mbuf *m = make_chain(20, 20);

	(void)state;
	assert_null(packet_pull(m, PACKET_LEN + 1));
	check_bytes(m, 0, PACKET_LEN);
	rte_pktmbuf_free(m);
}

// No tailroom: the bytes slide to the front of the buffer.
static void packet_pull_without_tailroom_slides(void **state)
{
	struct rte_mbuf *m = make_chain(30, 20);
	uint16_t off = (uint16_t)(m->buf_len - m->data_len);

	(void)state;
	memmove((uint8_t *)m->buf_addr + off, rte_pktmbuf_mtod(m, void *), m->data_len);
	m->data_off = off;
	assert_non_null(packet_pull(m, PACKET_LEN));
	assert_int_equal(m->nb_segs, 1);
	assert_true(rte_pktmbuf_headroom(m) >= 18);
	check_bytes(m, 0, PACKET_LEN);
	rte_pktmbuf_free(m);
}

static void packet_pull_more_than_a_buffer_is_refused(void **state)
{
	struct rte_mbuf *m = make_segment(0, ROOM_LEN);

	(void)state;
	m->next = make_segment(ROOM_LEN, ROOM_LEN);
	m->nb_segs = 2;
	m->pkt_len = 2 * ROOM_LEN;
	assert_null(packet_pull(m, m->buf_len + 1u));
	check_bytes(m, 0, 2 * ROOM_LEN);
	rte_pktmbuf_free(m);
}

// A buffer that others see may not be written.
static void packet_shared_buffer_is_left_alone(void **state)
{
	struct rte_mbuf *m = make_chain(20, 20), *clone = rte_pktmbuf_clone(m, pool);

	(void)state;
	assert_non_null(clone);
	assert_null(packet_pull(clone, 30));
	assert_null(packet_push(clone, RTE_PKTMBUF_HEADROOM + 1));
	check_bytes(clone, 0, PACKET_LEN);
	rte_pktmbuf_free(clone);
	check_bytes(m, 0, PACKET_LEN);
	rte_pktmbuf_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(packet_pull_every_split_is_contiguous, check_pool),
		cmocka_unit_test_teardown(packet_cut_every_split_keeps_the_rest, check_pool),
		cmocka_unit_test_teardown(packet_trim_every_split_keeps_the_front, check_pool),
		cmocka_unit_test_teardown(packet_push_every_headroom_keeps_the_packet, check_pool),
		cmocka_unit_test_teardown(packet_push_leaves_room_for_the_link, check_pool),
		cmocka_unit_test_teardown(packet_push_full_buffer_moves_whole, check_pool),
		cmocka_unit_test_teardown(packet_push_too_long_is_refused, check_pool),
		cmocka_unit_test_teardown(packet_push_without_mbufs_is_refused, check_pool),
		cmocka_unit_test_teardown(packet_pull_past_the_end_is_refused, check_pool),
		cmocka_unit_test_teardown(packet_pull_without_tailroom_slides, check_pool),
		cmocka_unit_test_teardown(packet_pull_more_than_a_buffer_is_refused, check_pool),
		cmocka_unit_test_teardown(packet_shared_buffer_is_left_alone, check_pool),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
