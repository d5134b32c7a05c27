// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last step before a port: the link-layer header of an adjacency in front of an IP packet.

#include <string.h>

#include "pipeline/adj.h"
#include "pipeline/ip4.h"
#include "pipeline/ip6.h"
#include "pipeline/packet.h"
#include "pipeline/worker.h"

enum {
	// What is written for an untagged header: 2 stray bytes, then the 14 that count.
	OUTPUT_COPY_LEN = 16,
	OUTPUT_INNER_LEN = 128, // of an unwrapped packet, contiguous: IP headers and the ports
};

// Writes adj's Ethernet header into the headroom, which has ADJ_REWRITE_LEN bytes, and sets the output
// port. Whole words, right-aligned: what they overwrite in front is headroom.
static inline void output_write_link(struct rte_mbuf *m, struct packet *p, struct adj *adj)
{
	uint8_t *l3 = rte_pktmbuf_mtod(m, uint8_t *);

	if (unlikely(adj->rewrite_len > OUTPUT_COPY_LEN))
		memcpy(l3 - ADJ_REWRITE_LEN, adj->rewrite, ADJ_REWRITE_LEN - OUTPUT_COPY_LEN);
	memcpy(l3 - OUTPUT_COPY_LEN, adj->rewrite + ADJ_REWRITE_LEN - OUTPUT_COPY_LEN,
		OUTPUT_COPY_LEN);
	m->data_off -= adj->rewrite_len;
	m->data_len += adj->rewrite_len;
	m->pkt_len += adj->rewrite_len;
	p->port = adj->port;
	adj_touch(adj);
}

// The same wherever the header finds room. False: no mbuf for it.
static inline bool output_push_link(struct rte_mbuf *m, struct packet *p, struct adj *adj)
{
	uint8_t *eth;

	if (likely(rte_pktmbuf_headroom(m) >= ADJ_REWRITE_LEN)) {
		output_write_link(m, p, adj);
		return true;
	}
	eth = packet_push(m, adj->rewrite_len);
	if (eth == NULL)
		return false;
	memcpy(eth, adj->rewrite + ADJ_REWRITE_LEN - adj->rewrite_len, adj->rewrite_len);
	p->port = adj->port;
	adj_touch(adj);
	return true;
}

// The short way of lookup nodes past ip4_output: true when the frame is ready for port_tx; false when
// ip4_output must look closer, and the packet is as it was. Traced packets take the long way, to be seen.
static inline bool output_ip4_plain(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	struct adj *adj = adj_table_get(w->adj_table, dest_index(p->dest));

	if (unlikely(adj == NULL || (p->flags & (PACKET_HOP_TAKEN | PACKET_TRACED)) ||
		     ip->time_to_live <= 1 || m->pkt_len > adj->mtu ||
		     rte_pktmbuf_headroom(m) < ADJ_REWRITE_LEN))
		return false;
	ip4_decrement_ttl(ip);
	output_write_link(m, p, adj);
	return true;
}

// The same past ip6_output; also for packets whose hop limit was taken already.
static inline bool output_ip6_plain(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	struct adj *adj = adj_table_get(w->adj_table, dest_index(p->dest));
	uint8_t taken = (p->flags & PACKET_HOP_TAKEN) == 0;

	if (unlikely(adj == NULL || (p->flags & PACKET_TRACED) || ip->hop_limits <= taken ||
		     m->pkt_len > adj->mtu || rte_pktmbuf_headroom(m) < ADJ_REWRITE_LEN))
		return false;
	ip->hop_limits -= taken;
	output_write_link(m, p, adj);
	return true;
}

// Takes back an encapsulation that turned out too long, so that the error goes to the inner source in
// its own VRF (RFC 2473 §7.1). The MTU that fits is less by what was pushed.
static inline void output_unwrap(struct rte_mbuf *m, struct packet *p)
{
	packet_cut(m, p->pushed_len);
	// A header mbuf of its own is empty now.
	packet_pull(m, RTE_MIN(m->pkt_len, (uint32_t)OUTPUT_INNER_LEN));
	p->icmp_value = p->icmp_value > p->pushed_len ? p->icmp_value - p->pushed_len : 0;
	p->vrf = p->inner_vrf;
	p->dest = dest_make(DEST_NO_ROUTE, 0); // that of the outer header means nothing any more
	p->flags &= (uint16_t)~PACKET_ORIGINATED;
	p->pushed_len = 0;
}
