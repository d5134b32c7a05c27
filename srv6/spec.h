// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is wanted of SRv6: SIDs, locators, headend policies and HMAC keys as plain structs. A
// configuration file or an xDS server fills them; pipeline/compile/compile.c validates them and builds
// the tables. Strings and arrays belong to the arena of the node_spec they hang from.

#include <stddef.h>
#include <stdint.h>

#include "srv6/ip6_addr.h"

enum {
	SRV6_MAX_SEGMENTS = 16,	   // of one segment list: 8 + 16 * 16 bytes of SRH
	SRV6_MAX_LISTS = 16,	   // segment lists of one policy
	SRV6_MAX_HMAC_KEY_LEN = 64 // bytes: RFC 2104 hashes longer keys, we refuse them
};

// RFC 8986 §4. The order is that of the RFC; SRV6_BEHAVIOR_NAMES follows it.
enum srv6_behavior {
	SRV6_END,
	SRV6_END_X,
	SRV6_END_T,
	SRV6_END_DX2,
	SRV6_END_DX4,
	SRV6_END_DX6,
	SRV6_END_DT4,
	SRV6_END_DT6,
	SRV6_END_DT46,
	SRV6_END_B6_ENCAPS,
	SRV6_END_B6_ENCAPS_RED,
	SRV6_N_BEHAVIORS,
};

// RFC 8986 §4.16 and RFC 9800 §4.1: bits of srv6_sid_spec.flavors.
enum srv6_flavor {
	SRV6_PSP = 1 << 0,
	SRV6_USP = 1 << 1,
	SRV6_USD = 1 << 2,
	SRV6_NEXT_CSID = 1 << 3,
};

// RFC 8986 §5.
enum srv6_headend {
	SRV6_H_ENCAPS,
	SRV6_H_ENCAPS_RED,
	SRV6_H_ENCAPS_L2,
	SRV6_H_ENCAPS_L2_RED,
	SRV6_N_HEADENDS,
};

enum srv6_hmac_algorithm {
	SRV6_HMAC_SHA1 = 1, // the numbers are Linux's SEG6_HMAC_ALGO_*
	SRV6_HMAC_SHA256 = 2,
};

// Where a spec was written, for refusals. line 0: not from a file.
struct spec_origin {
	const char *source; // file name or xDS resource
	uint32_t line;
};

// An address of either family. IPv4 stands in the first four bytes of addr.
struct ip_addr {
	uint8_t family; // 4 or 6; 0: not given
	struct ip6_addr addr;
};

struct srv6_prefix {
	struct ip6_addr addr; // bits past len are zero
	uint8_t len;	      // 0..128
};

struct srv6_locator_spec {
	struct spec_origin origin;
	struct srv6_prefix prefix;
};

struct srv6_sid_spec {
	struct spec_origin origin;
	struct srv6_prefix prefix;
	enum srv6_behavior behavior;
	uint8_t flavors;	 // enum srv6_flavor bits
	uint8_t csid_block_bits; // NEXT-C-SID: length of the locator block
	uint8_t csid_bits;	 // NEXT-C-SID: length of one C-SID
	uint8_t require_hmac;	 // 1: a packet without a valid HMAC TLV is dropped
	const char *vrf;	 // End.T, End.DT*: table to look up in; NULL: not given
	const char *iface; // End.X, End.DX*: port or sub-interface; NULL: by the connected route
	struct ip_addr nexthop; // End.X, End.DX4, End.DX6; family 0: not given
	const char *policy;	// End.B6.*
};

struct srv6_segment_list_spec {
	struct spec_origin origin;
	uint32_t weight; // 1..65535
	uint32_t n_segments;
	const struct ip6_addr *segments; // in travel order: the first is visited first
};

struct srv6_policy_spec {
	struct spec_origin origin;
	const char *name;
	enum srv6_headend headend;
	struct ip6_addr source; // of the outer header; unspecified: node_spec.encap_source
	uint8_t hop_limit;	// of the outer header; 0: the default of 64
	int16_t dscp;		// 0..63, or -1: copied from the inner packet
	uint8_t force_srh;	// 1: write an SRH even for one segment
	uint32_t hmac_key_id;	// 0: no HMAC TLV
	uint32_t n_lists;
	const struct srv6_segment_list_spec *lists;
};

struct srv6_hmac_key_spec {
	struct spec_origin origin;
	uint32_t key_id; // 1..2^32-1
	enum srv6_hmac_algorithm algorithm;
	uint8_t secret_len; // bytes
	uint8_t secret[SRV6_MAX_HMAC_KEY_LEN];
};

// "End", "End.DT46", ...: the RFC's spelling. NULL past the end.
const char *srv6_behavior_name(enum srv6_behavior behavior);

// "H.Encaps", "H.Encaps.Red", "H.Encaps.L2", "H.Encaps.L2.Red".
const char *srv6_headend_name(enum srv6_headend headend);

// "PSP", "USP", "USD", "NEXT-C-SID": one bit at a time. NULL when unknown.
const char *srv6_flavor_name(enum srv6_flavor flavor);
