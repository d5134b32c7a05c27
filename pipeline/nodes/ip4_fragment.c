// SPDX-License-Identifier: Apache-2.0

// Fragments IPv4 packets that exceed the MTU they met (packet.icmp_value) and may be fragmented (RFC 791
// §3.2). The pieces of a packet that was on its way to a neighbour go on to it, which need not be by the
// table (End.DX4, End.X). Those of an unwrapped one go back to the lookup in their VRF: the policy
// encapsulates each by itself, so that what leaves a tunnel needs no reassembly at its end.

#include <errno.h>

#include <rte_ip_frag.h>

#include "pipeline/ip4.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(LOOKUP, "ip4_lookup")                                                                    \
	X(OUTPUT, "ip4_output")                                                                    \
	X(FAILED, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

enum {
	// 64 KiB in pieces for the smallest MTU that an interface may have, 68: 48 bytes of payload each.
	MAX_FRAGMENTS = 1366,
	// Of one burst. A stream of rte_graph holds 65535 packets and ends the process at the next one.
	MAX_BURST_FRAGMENTS = 16384,
};

// Returns the number of fragments, or a negative errno.
static int32_t fragment(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct rte_mbuf **out)
{
	if (!(p->flags & PACKET_HOP_TAKEN)) {
		ip4_decrement_ttl(rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *));
		p->flags |= PACKET_HOP_TAKEN;
	}
	return rte_ipv4_fragment_packet(
		m, out, MAX_FRAGMENTS, (uint16_t)p->icmp_value, w->mbufs, w->mbufs);
}

static void finish(struct rte_mbuf *m, const struct packet *p)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);

	*packet_of(m) = *p;
	packet_of(m)->flow_hash = 0; // fragments hash on addresses only
	ip->hdr_checksum = 0;
	ip->hdr_checksum =
		(uint16_t)~ip4_options_sum((const uint8_t *)ip, (ip->version_ihl & 0x0f) * 4u);
}

static uint16_t ip4_fragment_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	struct rte_mbuf *out[MAX_FRAGMENTS];
	uint32_t n_total = 0;

	for (uint16_t i = 0; i < n_objs; i++) {
		struct rte_mbuf *m = objs[i];
		rte_edge_t edge =
			dest_kind(packet_of(m)->dest) == DEST_FORWARD ? EDGE_OUTPUT : EDGE_LOOKUP;
		int32_t n = -ENOBUFS;

		if (likely(n_total <= MAX_BURST_FRAGMENTS - MAX_FRAGMENTS))
			n = fragment(w, m, packet_of(m), out);
		if (n < 0) {
			rte_node_enqueue_x1(graph, node, EDGE_FAILED, m);
			continue;
		}
		n_total += (uint32_t)n;
		for (int32_t k = 0; k < n; k++) {
			finish(out[k], packet_of(m));
			rte_node_enqueue_x1(graph, node, edge, out[k]);
		}
		// The pieces refer to its buffer, which stays until the last of them is gone.
		rte_pktmbuf_free(m);
	}
	return n_objs;
}

NODE_REGISTER(ip4_fragment, EDGES);
