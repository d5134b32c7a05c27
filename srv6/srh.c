// SPDX-License-Identifier: Apache-2.0

#include "srv6/srh.h"

#include <netinet/in.h>

enum {
	EXT_HEADER_MIN_LEN = 8, // of every extension header that is walked
	ROUTING_TYPE_OFF = 2,	// in a routing header of any type, RFC 8200 §4.4
	SEGMENTS_LEFT_OFF = 3,
	FRAGMENT_MASK = 0xf9, // second byte of offset and M flag, without the two reserved bits
};

static enum srh_walk_result ask_for(struct srh_cursor *cursor, uint32_t need)
{
	cursor->off = need;
	return SRH_WALK_MORE;
}

static void step_over(struct srh_cursor *cursor, uint8_t next_proto, uint32_t len)
{
	cursor->proto_off = cursor->off;
	cursor->proto = next_proto;
	cursor->off += len;
}

static bool is_walked(uint8_t proto)
{
	return proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS || proto == IPPROTO_HOPOPTS ||
	       proto == IPPROTO_FRAGMENT;
}

enum srh_walk_result srh_walk(
	const uint8_t *pkt, uint32_t avail_len, uint32_t end_off, struct srh_cursor *cursor)
{
	for (; is_walked(cursor->proto); cursor->n_headers++) {
		const uint32_t off = cursor->off;
		const uint8_t *hdr = pkt + off;
		uint32_t len = EXT_HEADER_MIN_LEN;

		if (cursor->n_headers >= SRH_MAX_EXT_HEADERS)
			return SRH_WALK_TOO_MANY;
		if (off + len > end_off)
			return SRH_WALK_TRUNCATED;
		if (off + len > avail_len)
			return ask_for(cursor, off + len);

		if (cursor->proto == IPPROTO_FRAGMENT) {
			if ((hdr[2] | (hdr[3] & FRAGMENT_MASK)) != 0)
				return SRH_WALK_FRAGMENT;
			step_over(cursor, hdr[0], len);
			continue;
		}
		len += 8u * hdr[1];
		if (off + len > end_off)
			return SRH_WALK_TRUNCATED;
		if (cursor->proto == IPPROTO_ROUTING && hdr[ROUTING_TYPE_OFF] == SRH_ROUTING_TYPE)
			return off + len > avail_len ? ask_for(cursor, off + len) : SRH_WALK_SRH;
		if (cursor->proto == IPPROTO_ROUTING && hdr[SEGMENTS_LEFT_OFF] != 0) {
			cursor->off = off + ROUTING_TYPE_OFF;
			return SRH_WALK_ROUTING;
		}
		step_over(cursor, hdr[0], len);
	}
	return SRH_WALK_UPPER;
}
