// SPDX-License-Identifier: Apache-2.0

#include "pipeline/inject.h"

struct rte_mbuf *inject_alloc(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m != NULL)
		*packet_of(m) = (struct packet){0};
	return m;
}

static bool enqueue(struct worker *w, struct rte_mbuf *m)
{
	if (rte_ring_enqueue(w->ring, m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

bool inject_frame(struct worker *w, struct rte_mbuf *m, uint16_t dpdk_port)
{
	packet_of(m)->port = dpdk_port;
	packet_of(m)->entry = PACKET_ENTRY_PORT_TX;
	return enqueue(w, m);
}

static bool is_ip4(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4;
}

bool inject_lookup(struct worker *w, struct rte_mbuf *m)
{
	packet_of(m)->entry = is_ip4(m) ? PACKET_ENTRY_IP4_LOOKUP : PACKET_ENTRY_IP6_LOOKUP;
	return enqueue(w, m);
}

bool inject_overflow(struct worker *w, struct rte_mbuf *m)
{
	packet_of(m)->entry = PACKET_ENTRY_NEIGHBOR_FULL;
	return enqueue(w, m);
}

bool inject_unreachable(struct worker *w, struct rte_mbuf *m)
{
	packet_of(m)->entry = is_ip4(m) ? PACKET_ENTRY_IP4_NEIGHBOR : PACKET_ENTRY_IP6_NEIGHBOR;
	return enqueue(w, m);
}
