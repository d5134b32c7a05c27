// SPDX-License-Identifier: Apache-2.0
#pragma once

// A TCP segment as the splice sees it: what came in, taken apart (tcp_segment), and what is to go out
// (tcp_out). Numbers are in host byte order; windows are as on the wire, unscaled. RFC 9293, RFC 2018,
// RFC 7323.

#include <stdbool.h>
#include <stdint.h>

enum tcp_flag {
	TCP_FIN = 1 << 0,
	TCP_SYN = 1 << 1,
	TCP_RST = 1 << 2,
	TCP_PSH = 1 << 3,
	TCP_ACK = 1 << 4,
	TCP_URG = 1 << 5,
};

enum {
	TCP_MAX_SACKS = 4,	    // what 40 bytes of options hold without timestamps
	TCP_DEFAULT_MSS = 536,	    // of a host that announces none (RFC 9293 §3.7.1)
	TCP_NO_WINDOW_SCALE = 0xff, // the SYN had no such option
	TCP_MAX_WINDOW_SCALE = 14,
};

// A range of sequence numbers: [left, right).
struct tcp_sack {
	uint32_t left;
	uint32_t right;
};

// A segment that came in, its checksum verified. It belongs to whoever holds it; data lies in the packet
// that carries it and may be changed in place.
struct tcp_segment {
	struct tcp_segment *next; // while it is held
	uint8_t *data;
	uint32_t len; // bytes of payload
	uint32_t seq; // of the first byte of payload, or of SYN, or of FIN
	uint32_t ack;
	uint16_t window;
	uint8_t flags; // enum tcp_flag
	uint8_t n_sacks;
	bool rewritten; // bytes of data were changed: their checksum must be taken anew
	struct tcp_sack sacks[TCP_MAX_SACKS];
	uint16_t mss;	   // of a SYN; 0: not announced
	uint8_t scale;	   // of a SYN; TCP_NO_WINDOW_SCALE: not offered
	bool sack_offered; // of a SYN
};

// A segment's header on its way out. The payload travels beside it.
struct tcp_out {
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint8_t flags;
	uint8_t n_sacks;
	struct tcp_sack sacks[TCP_MAX_SACKS];
	uint16_t mss;	   // of a SYN; 0: no option
	uint8_t scale;	   // of a SYN; TCP_NO_WINDOW_SCALE: no option
	bool sack_offered; // of a SYN
};

// Bytes of header that n SACK blocks take, with what aligns them.
static inline uint32_t tcp_sacks_len(uint32_t n)
{
	return n == 0 ? 0 : 4 + 8 * n;
}

// Sequence numbers wrap (RFC 9293 §3.4): "before" within half the circle.
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
	return seq_before(b, a);
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? b : a;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

// Where the segment's payload ends.
static inline uint32_t tcp_segment_end(const struct tcp_segment *seg)
{
	return seg->seq + seg->len;
}

// Cuts n bytes (at most len) from the front.
static inline void tcp_segment_cut(struct tcp_segment *seg, uint32_t n)
{
	seg->data += n;
	seg->seq += n;
	seg->len -= n;
}
