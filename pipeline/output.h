// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last step before a port: the link-layer header of an adjacency in front of an IP packet.

#include <string.h>

#include "pipeline/adj.h"
#include "pipeline/packet.h"

enum {
	OUTPUT_COPY_LEN =
		16, // written for an untagged header: 2 stray bytes, then the 14 that count
};

// Puts adj's Ethernet header in front and sets the output port. False: no mbuf for it.
static inline bool output_push_link(struct rte_mbuf *m, struct packet *p, struct adj *adj)
{
	uint8_t *l3 = rte_pktmbuf_mtod(m, uint8_t *);

	p->port = adj->port;
	adj_touch(adj);
	if (likely(rte_pktmbuf_headroom(m) >= ADJ_REWRITE_LEN)) {
		// Whole words, right-aligned: what they overwrite in front is headroom.
		if (unlikely(adj->rewrite_len > OUTPUT_COPY_LEN))
			memcpy(l3 - ADJ_REWRITE_LEN, adj->rewrite,
				ADJ_REWRITE_LEN - OUTPUT_COPY_LEN);
		memcpy(l3 - OUTPUT_COPY_LEN, adj->rewrite + ADJ_REWRITE_LEN - OUTPUT_COPY_LEN,
			OUTPUT_COPY_LEN);
		m->data_off -= adj->rewrite_len;
		m->data_len += adj->rewrite_len;
		m->pkt_len += adj->rewrite_len;
		return true;
	}
	l3 = packet_push(m, adj->rewrite_len);
	if (l3 == NULL)
		return false;
	memcpy(l3, adj->rewrite + ADJ_REWRITE_LEN - adj->rewrite_len, adj->rewrite_len);
	return true;
}

// Takes back an encapsulation that turned out too long, so that the error goes to the inner source in
// its own VRF (RFC 2473 §7.1). The MTU that fits is less by what was pushed.
static inline void output_unwrap(struct rte_mbuf *m, struct packet *p)
{
	packet_cut(m, p->pushed_len);
	p->icmp_value = p->icmp_value > p->pushed_len ? p->icmp_value - p->pushed_len : 0;
	p->vrf = p->inner_vrf;
	p->flags &= (uint16_t)~PACKET_ORIGINATED;
	p->pushed_len = 0;
}
