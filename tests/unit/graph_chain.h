// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames in chains of segments, for tests of the graph.

#include <string.h>

#include <rte_mbuf.h>

static struct rte_mbuf *graph_chain_segment(
	struct rte_mempool *pool, const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	// What a node reads past the segment shows in what comes out.
	memset(m->buf_addr, 0xee, m->buf_len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	memcpy(rte_pktmbuf_mtod(m, void *), bytes, len);
	return m;
}

// The frame in segments that end at first, at second and at its end.
static struct rte_mbuf *graph_chain_make(struct rte_mempool *pool, const uint8_t *bytes,
	uint32_t len, uint32_t first, uint32_t second)
{
	const uint32_t ends[] = {first, second, len};
	struct rte_mbuf *head = graph_chain_segment(pool, bytes, first);
	uint32_t off = first;

	for (unsigned int i = 1; i < RTE_DIM(ends); i++) {
		if (ends[i] == off)
			continue;
		assert_int_equal(rte_pktmbuf_chain(head,
					 graph_chain_segment(pool, bytes + off, ends[i] - off)),
			0);
		off = ends[i];
	}
	return head;
}
