// SPDX-License-Identifier: Apache-2.0
#pragma once

// TCP packets to and from segments (l7/tcp_segment.h): headers and options checked and taken apart, written
// anew right before the payload. What the splice keeps of a packet stands in the mbuf's private area, behind
// struct packet: a held segment may wait long, and neither its own headroom, where the next headers are
// written, nor memory of the node call would outlive that. The sum over the payload is known from the check
// on the way in, so that the way out does not read the payload again.

#include <rte_mbuf.h>

#include "l7/tcp_segment.h"
#include "pipeline/flow_table.h"
#include "pipeline/packet.h"

struct tcp_packet {
	struct tcp_segment segment;
	const uint8_t *data; // the payload that sum is over
	uint32_t len;
	uint16_t sum;
};

_Static_assert(sizeof(struct packet) + sizeof(struct tcp_packet) <= PACKET_META_LEN,
	"both stand in the private area");

enum tcp_verdict {
	TCP_OK,
	TCP_MALFORMED, // header or options do not fit
	TCP_CHECKSUM,
	TCP_SCATTERED, // longer than one buffer
};

enum {
	TCP_HEADER_LEN = 20,
	TCP_MAX_HEADERS_LEN = 40 + 20 + 40, // IPv6, TCP, options
	TCP_HOP_LIMIT = 64,
};

static inline struct tcp_packet *tcp_packet_of(struct rte_mbuf *m)
{
	return (struct tcp_packet *)(packet_of(m) + 1);
}

// The packet that carries a segment taken by tcp_parse().
static inline struct rte_mbuf *tcp_mbuf_of(struct tcp_segment *segment)
{
	struct tcp_packet *tp = (struct tcp_packet *)segment;

	return (struct rte_mbuf *)((struct packet *)tp - 1) - 1;
}

// Takes a packet apart whose IP header was checked and whose TCP header begins at tcp_off; it is no
// fragment. Fills tcp_packet_of(m) and *tuple but for the VRF. Makes the packet contiguous.
enum tcp_verdict tcp_parse(struct rte_mbuf *m, uint32_t tcp_off, struct flow_tuple *tuple);

// The tuple of an IP packet whose ports, when they are there, stand at ports_off, seen from its receiver.
void tcp_read_tuple(const uint8_t *ip, const uint8_t *ports, struct flow_tuple *tuple);

// Makes m, which a segment came in, a packet with out's header before len bytes at data, which lie in it, from
// tuple's local end to its remote one. False: no mbuf for the headers.
bool tcp_write(struct rte_mbuf *m, const uint8_t *data, uint32_t len, const struct tcp_out *out,
	const struct flow_tuple *tuple);

// The same around a copy of the bytes, in a new packet with fresh metadata. NULL: no mbuf, or len is more than
// a buffer holds.
struct rte_mbuf *tcp_make(struct rte_mempool *pool, const uint8_t *data, uint32_t len,
	const struct tcp_out *out, const struct flow_tuple *tuple);

// The RST that answers a segment nobody is there for (RFC 9293 §3.10.7.1). False: it is one itself.
bool tcp_reset_for(const struct tcp_segment *segment, struct tcp_out *out);
