// SPDX-License-Identifier: Apache-2.0
#pragma once

// Neighbour discovery messages (RFC 4861) as whole IPv6 packets on bytes: reading with the validation
// of §6.1 and §7.1, and writing. No policy.

#include <stdbool.h>
#include <stdint.h>

#include "srv6/ip6_addr.h"

enum {
	NEIGH_ND_MAX_WRITTEN = 40 + 24 + 8, // IPv6 header, message, one link-layer option
};

enum neigh_nd_type { // ICMPv6 types
	NEIGH_ND_ROUTER_SOLICIT = 133,
	NEIGH_ND_ROUTER_ADVERT = 134,
	NEIGH_ND_SOLICIT = 135,
	NEIGH_ND_ADVERT = 136,
};

enum neigh_nd_flag { // of a neighbour advertisement, first byte
	NEIGH_ND_ROUTER = 0x80,
	NEIGH_ND_SOLICITED = 0x40,
	NEIGH_ND_OVERRIDE = 0x20,
};

struct neigh_nd {
	enum neigh_nd_type type;
	struct ip6_addr src;
	struct ip6_addr dst;
	struct ip6_addr target;	    // SOLICIT, ADVERT
	uint8_t flags;		    // ADVERT: enum neigh_nd_flag
	uint16_t router_lifetime_s; // ROUTER_ADVERT
	bool has_mac;
	uint8_t mac[6]; // source link-layer address; of an ADVERT the target's
};

// Reads a packet that begins at the IPv6 header and has no extension headers; its checksum has been
// verified. Returns the bytes consumed, or -EBADMSG: truncated or against a rule of the RFC.
int neigh_nd_parse(const uint8_t *pkt, uint32_t len, struct neigh_nd *nd);

// Writes a solicitation, neighbour or router, or a neighbour advertisement with its checksum; the
// link-layer option is written when has_mac. pkt has room for NEIGH_ND_MAX_WRITTEN. Returns the bytes
// written.
uint32_t neigh_nd_write(const struct neigh_nd *nd, uint8_t *pkt);

// The solicited-node group of target, ff02::1:ffXX:XXXX.
struct ip6_addr neigh_nd_solicited_node(const struct ip6_addr *target);
