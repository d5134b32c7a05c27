// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Segment Routing Header of RFC 8754 §2 and the bounded walk over IPv6 extension headers that
// finds it. Works on bytes and lengths.

#include <stdint.h>

#include "srv6/ip6_addr.h"

enum {
	SRH_ROUTING_TYPE = 4,	 // RFC 8754 §8.1
	SRH_FIXED_LEN = 8,	 // bytes before the segment list
	SRH_MAX_EXT_HEADERS = 8, // walked in one packet; RFC 8504 §5.3 allows such a bound
	SRH_TLV_PAD1 = 0,
	SRH_TLV_PADN = 4,
	SRH_TLV_HMAC = 5, // RFC 8754 §2.1.2
};

struct srh {
	uint8_t next_header;
	uint8_t hdr_ext_len; // 8-byte units, without the first 8 bytes
	uint8_t routing_type;
	uint8_t segments_left;
	uint8_t last_entry;
	uint8_t flags;
	uint8_t tag[2];
	struct ip6_addr segments[]; // [0] is the last of the path
};

_Static_assert(sizeof(struct srh) == SRH_FIXED_LEN, "RFC 8754 §2");

static inline uint32_t srh_len(const struct srh *srh)
{
	return SRH_FIXED_LEN + 8u * srh->hdr_ext_len;
}

enum srh_walk_result {
	SRH_WALK_SRH,	   // stopped at a segment routing header
	SRH_WALK_UPPER,	   // reached the upper layer, or "no next header"
	SRH_WALK_FRAGMENT, // reached a fragment header that is not an atomic fragment (RFC 6946)
	SRH_WALK_ROUTING,  // a routing header of another type with SL != 0; off is its routing type
	SRH_WALK_MORE,	   // need more contiguous bytes: off says how many
	SRH_WALK_TRUNCATED, // a header ends after end_off
	SRH_WALK_TOO_MANY,
};

// A cursor over extension headers. Start with proto = the next-header field's value, proto_off = the
// offset of that field, off = the offset of the header it names, n_headers = 0.
struct srh_cursor {
	uint32_t off;
	uint32_t proto_off;
	uint8_t proto;
	uint8_t n_headers;
};

// Walks from cursor until an SRH or the upper layer. pkt has avail_len contiguous bytes; the packet
// ends at end_off (>= avail_len, when it lies in several segments). Reads nothing past avail_len. To
// go on past an SRH, set the cursor to its end yourself.
enum srh_walk_result srh_walk(
	const uint8_t *pkt, uint32_t avail_len, uint32_t end_off, struct srh_cursor *cursor);
