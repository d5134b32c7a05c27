// SPDX-License-Identifier: Apache-2.0
#pragma once

// The endpoint behaviors of RFC 8986 §4 as decisions over bytes: given a packet whose destination
// address is a local SID, say what happens next and rewrite the headers in place where the packet
// goes on. Knows neither mbufs nor tables; pipeline/ applies the verdict.

#include <stdint.h>

#include "srv6/hmac.h"
#include "srv6/sid.h"
#include "srv6/srh.h"

enum srv6_verdict {
	SRV6_FORWARD,	// headers rewritten: look the new DA up, or send it on the SID's adjacency
	SRV6_INSERT_B6, // End.B6.Encaps: SL and DA advanced, hop limit decremented; now encapsulate
	SRV6_DECAP_IP4, // the inner packet starts at front; outer traffic class in outer_tc
	SRV6_DECAP_IP6,
	SRV6_DECAP_ETH, // front is the inner Ethernet header
	SRV6_LOCAL,	// an upper layer the node itself answers (ICMPv6); it starts at upper_off
	SRV6_MORE,	// headers reach past avail_len: make need bytes contiguous and ask again
	// From here on the packet is untouched: an ICMP error can quote it.
	SRV6_TIME_EXCEEDED,    // hop limit <= 1; ICMPv6 type 3 code 0
	SRV6_BAD_SRH,	       // ICMPv6 type 4 code 0 at pointer (Segments Left)
	SRV6_BAD_UPPER,	       // RFC 8986 §4.1.1: type 4 code 4 at pointer
	SRV6_BAD_ROUTING_TYPE, // unknown routing header with SL != 0: type 4 code 0 at pointer
	SRV6_TRUNCATED,	       // a header ends past the packet's own length: drop
	SRV6_TOO_MANY_HEADERS, // more than SRH_MAX_EXT_HEADERS: drop
	SRV6_FRAGMENT,	       // outer packet to a decapsulating SID is a fragment: drop
	SRV6_HMAC_MISSING,     // required, but there is none: drop
	SRV6_HMAC_BAD,	       // wrong digest or unknown key id: drop
	SRV6_N_VERDICTS,
};

struct srv6_decision {
	uint32_t front;	  // bytes to cut from the packet's front (PSP, USP: the headers were moved)
	uint32_t need;	  // SRV6_MORE: contiguous bytes wanted
	uint32_t pointer; // of the ICMPv6 Parameter Problem, from the outer IPv6 header
	uint32_t upper_off; // SRV6_LOCAL: offset of the upper-layer header, after any front cut
	uint8_t upper_proto;
	uint8_t outer_tc; // SRV6_DECAP_*: the outer header's traffic class (RFC 6040 §4.2)
};

// Applies sid to the IPv6 packet at pkt. avail_len contiguous bytes are there (at least 40); the
// packet's own length 40 + payload_len was checked against the mbuf. keys may be NULL when no SID
// asks for an HMAC. Runs on workers: no allocation, no locks, no globals. On SRV6_MORE and on every
// error verdict the bytes are unchanged.
enum srv6_verdict srv6_endpoint(const struct sid *sid, const struct hmac_keys *keys, uint8_t *pkt,
	uint32_t avail_len, struct srv6_decision *decision);

enum {
	SRV6_PROTO_IP4 = 4,
	SRV6_PROTO_IP6 = 41,
};

// The short way of End.DT* for a packet without extension headers: SRV6_DECAP_IP4, SRV6_DECAP_IP6, or
// SRV6_MORE when srv6_endpoint() must look closer. The IPv6 header is there.
static inline enum srv6_verdict srv6_decap_plain(
	const struct sid *sid, const uint8_t *pkt, struct srv6_decision *decision)
{
	uint8_t proto = pkt[6];

	decision->front = 40;
	decision->outer_tc = (uint8_t)(pkt[0] << 4 | pkt[1] >> 4);
	if (proto == SRV6_PROTO_IP4 && (sid->flags & SID_PLAIN_IP4))
		return SRV6_DECAP_IP4;
	if (proto == SRV6_PROTO_IP6 && (sid->flags & SID_PLAIN_IP6))
		return SRV6_DECAP_IP6;
	return SRV6_MORE;
}

// The short way of End, End.X and End.T for a packet whose SRH follows the IPv6 header directly and is not to
// be removed: SRV6_FORWARD, or SRV6_MORE when srv6_endpoint() must look closer (nothing was changed then).
static inline enum srv6_verdict srv6_end_plain(
	const struct sid *sid, uint8_t *pkt, uint32_t avail_len)
{
	struct srh *srh = (struct srh *)(pkt + 40);
	uint32_t end_off = 40 + ((uint32_t)pkt[4] << 8 | pkt[5]);
	uint32_t keep_from =
		(sid->flavors & SRV6_PSP) ? 2 : 1; // segments left below this: look closer

	if (pkt[6] != 43 || !(sid->flags & SID_PLAIN_END) || avail_len < 40 + SRH_FIXED_LEN ||
		srh->routing_type != SRH_ROUTING_TYPE || srh->segments_left < keep_from ||
		pkt[7] <= 1)
		return SRV6_MORE;
	// The list must lie in the header, the header in the packet: then no check of RFC 8986 can fail.
	if (srh->segments_left > srh->last_entry + 1 ||
		2 * srh->last_entry + 2 > srh->hdr_ext_len || 40 + srh_len(srh) > end_off ||
		40 + srh_len(srh) > avail_len)
		return SRV6_MORE;
	pkt[7]--;
	srh->segments_left--;
	memcpy(pkt + 24, &srh->segments[srh->segments_left], sizeof(srh->segments[0]));
	return SRV6_FORWARD;
}
