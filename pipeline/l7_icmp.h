// SPDX-License-Identifier: Apache-2.0
#pragma once

// ICMP errors (RFC 792, RFC 4443) about segments that the node sent: read, and written for the host on the
// other side of the splice.

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/flow_table.h"
#include "pipeline/packet.h"

enum l7_icmp_kind {
	L7_ICMP_TOO_BIG,
	L7_ICMP_UNREACHABLE, // by net, host, port, or an administrator
	L7_ICMP_OTHER,	     // an error that means nothing to a connection
};

// What an error says. tuple is the quoted segment's, seen from the node, without VRF.
struct l7_icmp_error {
	enum l7_icmp_kind kind;
	uint16_t mtu; // L7_ICMP_TOO_BIG
	uint32_t seq;
	struct flow_tuple tuple;
};

// Whether an ICMP message of a packet is an error: the rest is questions and answers.
bool l7_icmp_is_error(uint8_t family, uint8_t type);

// Reads an error whose ICMP header begins at off. False: its checksum is wrong, or it quotes no whole TCP header
// up to the sequence number, or a fragment.
bool l7_icmp_read(struct rte_mbuf *m, uint32_t off, struct l7_icmp_error *error);

// Packet Too Big, or fragmentation needed, to the remote end of tuple, which sent the segment seq to the local
// one. mtu: that the end's family lets pass. NULL: no mbuf.
struct rte_mbuf *l7_icmp_make_too_big(
	struct rte_mempool *pool, const struct flow_tuple *tuple, uint32_t seq, uint16_t mtu);
