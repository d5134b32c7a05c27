// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the graph knows of a packet besides its bytes: one cache line in the mbuf's private area.
// Between nodes the mbuf's data starts at the layer-3 header (at the Ethernet header before eth_input,
// after *_output, and for layer-2 policies). No node assumes that all headers lie in one segment:
// packet_pull() makes them contiguous, packet_push() makes room in front.

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

enum packet_flag {
	PACKET_ORIGINATED = 1 << 0, // the node wrote the IP header: no ICMP error answers it
	PACKET_SR_TRUSTED = 1 << 1, // came in on a port whose packets may reach SIDs
	PACKET_TRACED = 1 << 2,
	PACKET_DISPATCH = 1 << 3,   // its port spreads inner flows over the workers
	PACKET_DISPATCHED = 1 << 4, // is on the worker its flow hashes to
	PACKET_ICMP_ERROR = 1 << 5, // a generated ICMP error: never answered by another
	PACKET_L2_MULTICAST =
		1 << 6, // came to a link-layer group: no ICMP error answers it (RFC 1122)
	PACKET_LINK_SCOPE = 1 << 7, // link-local source: goes no further than this node (RFC 4291)
	PACKET_HOP_TAKEN = 1 << 8,  // the hop limit was decremented, or set, by this node
};

// Where a packet from a ring enters the graph.
enum packet_entry {
	PACKET_ENTRY_IP4_LOOKUP,
	PACKET_ENTRY_IP6_LOOKUP,
	PACKET_ENTRY_PORT_TX,	   // a finished frame for packet.port
	PACKET_ENTRY_IP4_NEIGHBOR, // its neighbour did not answer: Destination Unreachable
	PACKET_ENTRY_IP6_NEIGHBOR,
	PACKET_ENTRY_NEIGHBOR_FULL, // too many packets wait for neighbours
};

// Why the control core gets a packet.
enum punt_reason {
	PUNT_ARP,
	PUNT_ND,       // neighbour discovery: NS, NA, RS, RA
	PUNT_MLD,      // a multicast listener query
	PUNT_NEIGHBOR, // waits for the neighbour packet.adj, or packet.iface and the destination
};

enum {
	PACKET_MAX_SID_PASSES = 16, // through SIDs of this node, then the packet is dropped
	// Bytes of private area that a mempool must have: struct packet, and behind it what is kept of a TCP
	// segment (pipeline/tcp.h).
	PACKET_META_LEN = 192,
};

struct packet {
	uint16_t port;	     // DPDK port: of input, later of output
	uint16_t iface;	     // index of the input interface
	uint16_t vrf;	     // slot of the VRF in whose table it is looked up next
	uint16_t flags;	     // enum packet_flag
	uint32_t dest;	     // what the last lookup said (pipeline/dest.h)
	uint32_t flow_hash;  // of the inner flow, once computed; 0: not yet
	uint32_t icmp_value; // pointer or MTU for the ICMP error that is being asked for
	uint32_t adj;	     // PUNT_NEIGHBOR: adjacency slot, or ADJ_NONE
	uint16_t pushed_len; // bytes of headers that the last encapsulation wrote
	uint16_t inner_vrf;  // slot of the VRF that the last encapsulated packet came from
	uint16_t out_iface;  // PUNT_NEIGHBOR without adj: interface of the connected link
	uint8_t entry;	     // enum packet_entry
	uint8_t punt;	     // enum punt_reason
	uint32_t trace_id;
	uint32_t generation; // of the snapshot whose slots vrf and inner_vrf are
	uint16_t worker;     // on the way to another worker: which
	uint8_t sid_passes;  // SIDs of this node that it went through
	uint8_t pad[21];
};

_Static_assert(sizeof(struct packet) == 64, "one cache line");

static inline struct packet *packet_of(struct rte_mbuf *m)
{
	return (struct packet *)rte_mbuf_to_priv(m);
}

// The slow half of packet_pull(). Not for direct use.
void *packet_pull_segments(struct rte_mbuf *m, uint32_t len);

// The slow half of packet_push(). Not for direct use.
void *packet_push_segment(struct rte_mbuf *m, uint32_t len);

// Makes the first len bytes contiguous and returns them, or NULL when the packet is shorter or its
// first segment has no room for them.
static inline void *packet_pull(struct rte_mbuf *m, uint32_t len)
{
	if (likely(len <= rte_pktmbuf_data_len(m)))
		return rte_pktmbuf_mtod(m, void *);
	return packet_pull_segments(m, len);
}

// Puts len bytes in front and returns them, contiguous. Without headroom the first segment's bytes move
// to a new mbuf from the same pool, and m keeps the headers alone: slow, and the caller counts it. NULL: no
// mbuf, or len is more than a buffer holds.
static inline void *packet_push(struct rte_mbuf *m, uint32_t len)
{
	if (likely(len <= rte_pktmbuf_headroom(m)))
		return rte_pktmbuf_prepend(m, (uint16_t)len);
	return packet_push_segment(m, len);
}

// Cuts len bytes (at most pkt_len) from the front, over segments.
void packet_cut_segments(struct rte_mbuf *m, uint32_t len);

static inline void packet_cut(struct rte_mbuf *m, uint32_t len)
{
	if (likely(len <= rte_pktmbuf_data_len(m)))
		rte_pktmbuf_adj(m, (uint16_t)len);
	else
		packet_cut_segments(m, len);
}

// Shortens the packet to len bytes: the IP packet's own length, without padding and trailing junk.
void packet_trim_segments(struct rte_mbuf *m, uint32_t len);

static inline void packet_trim(struct rte_mbuf *m, uint32_t len)
{
	if (likely(m->pkt_len == len))
		return;
	if (likely(m->nb_segs == 1)) {
		m->pkt_len = len;
		m->data_len = (uint16_t)len;
		return;
	}
	packet_trim_segments(m, len);
}

// The Internet checksum's sum (RFC 1071) from off to the end, over segments of any length: DPDK 22.11's
// rte_raw_cksum_mbuf() loses carries behind a segment of odd length.
uint16_t packet_sum(const struct rte_mbuf *m, uint32_t off);
