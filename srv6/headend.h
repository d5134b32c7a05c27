// SPDX-License-Identifier: Apache-2.0
#pragma once

// Headend policies of RFC 8986 §5, compiled: each segment list is the finished outer header, ready to
// be copied before an inner packet and patched (length, flow label, traffic class, hop limit).

#include <stdint.h>

#include "srv6/hmac.h"
#include "srv6/spec.h"
#include "srv6/srh.h"

enum {
	HEADEND_MAX_LEN = 40 + SRH_FIXED_LEN + 16 * SRV6_MAX_SEGMENTS + HMAC_TLV_LEN,
	HEADEND_DEFAULT_HOP_LIMIT = 64, // RFC 8986 leaves it open; Linux and VPP use 64
};

// What is being wrapped: it sets the protocol number that names the inner packet.
enum headend_inner {
	HEADEND_INNER_IP4 = 4,
	HEADEND_INNER_IP6 = 41,
	HEADEND_INNER_ETH = 143, // RFC 8986 §10.1
};

// One outer header. The SRH, if any, follows the 40 bytes of IPv6.
struct headend_list {
	uint16_t hdr_len;	       // bytes to push: 40 + SRH
	uint16_t proto_off;	       // offset of the byte that names the inner protocol
	uint16_t hmac_off;	       // offset of the HMAC TLV within the SRH; 0: none
	int16_t dscp;		       // -1: copied from the inner packet
	struct ip6_addr first_segment; // the outer destination
	uint8_t hdr[HEADEND_MAX_LEN];
};

// Builds list from spec. source is the outer source address. red: reduced SRH (H.Encaps.Red).
// Returns 0 or -EINVAL (no segments, too many).
int headend_list_build(struct headend_list *list, const struct srv6_policy_spec *policy,
	const struct srv6_segment_list_spec *spec, const struct ip6_addr *source);

// Writes list's header at outer (hdr_len bytes, contiguous, directly before an inner packet of
// inner_len bytes). inner_tc: the inner traffic class byte (TOS), 0 for Ethernet: DSCP is copied or set,
// ECN is RFC 6040 §4.1 "normal mode". flow_label: 20 bits (RFC 6437). The inner packet's hop limit is
// the caller's business. keys may be NULL when hmac_off is 0.
void headend_push(const struct headend_list *list, const struct hmac_keys *keys, uint8_t *outer,
	enum headend_inner inner, uint8_t inner_tc, uint32_t inner_len, uint32_t flow_label);
