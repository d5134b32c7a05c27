// SPDX-License-Identifier: Apache-2.0

#include "pipeline/packet.h"

#include <string.h>

#include <rte_common.h>
#include <rte_ip.h>

enum {
	// Left free before pushed headers for the Ethernet header and a VLAN tag still to come.
	LINK_HEADROOM = 64,
};

// Moves the first segment's bytes to the front of its buffer, so that the tail has room.
static void slide_to_front(struct rte_mbuf *m)
{
	void *data = rte_pktmbuf_mtod(m, void *);
	uint16_t data_off = RTE_MIN((uint16_t)LINK_HEADROOM, m->data_off);

	memmove((uint8_t *)m->buf_addr + data_off, data, m->data_len);
	m->data_off = data_off;
}

void *packet_pull_segments(struct rte_mbuf *m, uint32_t len)
{
	uint32_t missing_len = len - m->data_len;

	if (len > m->pkt_len || !RTE_MBUF_DIRECT(m))
		return NULL;
	if (missing_len > rte_pktmbuf_tailroom(m))
		slide_to_front(m);
	if (missing_len > rte_pktmbuf_tailroom(m))
		return NULL;

	while (missing_len > 0) {
		struct rte_mbuf *next = m->next;
		uint16_t take_len = (uint16_t)RTE_MIN((uint32_t)next->data_len, missing_len);

		memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len),
			rte_pktmbuf_mtod(next, uint8_t *), take_len);
		m->data_len += take_len;
		missing_len -= take_len;
		next->data_off += take_len;
		next->data_len -= take_len;
		if (next->data_len == 0) {
			m->next = next->next;
			m->nb_segs--;
			next->next = NULL;
			next->nb_segs = 1;
			rte_pktmbuf_free_seg(next);
		}
	}
	return rte_pktmbuf_mtod(m, void *);
}

void *packet_push_segment(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *body;

	if (!RTE_MBUF_DIRECT(m) || len + LINK_HEADROOM > m->buf_len)
		return NULL;
	body = rte_pktmbuf_alloc(m->pool);
	if (body == NULL)
		return NULL;
	// The same pool: what fits one buffer fits the other.
	body->data_off = RTE_MIN(body->data_off, (uint16_t)(body->buf_len - m->data_len));
	memcpy(rte_pktmbuf_mtod(body, void *), rte_pktmbuf_mtod(m, void *), m->data_len);
	body->data_len = m->data_len;
	body->next = m->next;
	m->next = body;
	m->nb_segs++;
	m->data_off = LINK_HEADROOM;
	m->data_len = (uint16_t)len;
	m->pkt_len += len;
	return rte_pktmbuf_mtod(m, void *);
}

// Unlinks segments that hold nothing, the first excepted.
static void drop_empty_segments(struct rte_mbuf *m)
{
	while (m->next != NULL && m->data_len == 0 && m->next->data_len == 0) {
		struct rte_mbuf *empty = m->next;

		m->next = empty->next;
		m->nb_segs--;
		empty->next = NULL;
		rte_pktmbuf_free_seg(empty);
	}
}

void packet_cut_segments(struct rte_mbuf *m, uint32_t len)
{
	m->pkt_len -= len;
	for (struct rte_mbuf *seg = m; seg != NULL && len > 0; seg = seg->next) {
		uint16_t take_len = (uint16_t)RTE_MIN((uint32_t)seg->data_len, len);

		seg->data_off += take_len;
		seg->data_len -= take_len;
		len -= take_len;
	}
	drop_empty_segments(m);
}

void packet_trim_segments(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *seg = m;
	uint32_t left_len = len;

	m->pkt_len = len;
	while (left_len > seg->data_len) {
		left_len -= seg->data_len;
		seg = seg->next;
	}
	seg->data_len = (uint16_t)left_len;
	while (seg->next != NULL) {
		struct rte_mbuf *extra = seg->next;

		seg->next = extra->next;
		m->nb_segs--;
		extra->next = NULL;
		rte_pktmbuf_free_seg(extra);
	}
}

uint16_t packet_sum(const struct rte_mbuf *m, uint32_t off)
{
	uint32_t sum = 0, done_len = 0;

	for (; m != NULL; m = m->next) {
		uint32_t skip_len = RTE_MIN(off, (uint32_t)m->data_len);
		uint32_t len = m->data_len - skip_len;
		uint16_t part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, void *, skip_len), len);

		sum += (done_len & 1) != 0 ? rte_bswap16(part) : part;
		done_len += len;
		off -= skip_len;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}
