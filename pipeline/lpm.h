// SPDX-License-Identifier: Apache-2.0
#pragma once

// Longest-prefix match, immutable, built in one pass over sorted routes: a level- and path-compressed
// trie (Nilsson and Karlsson, "IP-address lookup using LC-tries", 1999) with 8-byte slots. A slot is a
// leaf or tells which bits pick its child and where its children stand; skipped bits are checked once,
// at the leaf, and a mismatch climbs the chain of covering prefixes. A table is one block of at most
// 64 bytes a route plus 544. IPv4 addresses stand in the top 32 bits of hi.

#include <stddef.h>
#include <stdint.h>

enum {
	LPM_NO_ROUTE = 0, // dest of an address that no route covers
};

struct lpm_route {
	uint64_t hi; // host order; bits past len are zero
	uint64_t lo;
	uint32_t dest; // opaque to the table; not LPM_NO_ROUTE
	uint8_t len;   // bits
};

// A route as the trie keeps it.
struct lpm_leaf {
	uint64_t hi;
	uint64_t lo;
	uint32_t dest;
	uint32_t cover; // index of the longest shorter prefix that covers this one; 0: none
	uint8_t hi_len; // how many bits of hi count
	uint8_t lo_len; // and of lo: 0 unless hi_len is 64
	uint8_t pad[6];
};

// The head of the block: leaves and slots follow, and slots count from here in words of 8 bytes.
struct lpm {
	uint64_t root;	   // a slot
	uint32_t n_leaves; // with [0]
	uint32_t n_slots;
	uint32_t n_refs; // snapshots that share the table, kept by them
	uint32_t pad[3];
	struct lpm_leaf leaves[]; // [0] is "no route": it covers all and its dest is LPM_NO_ROUTE
};

// Sorts routes by (hi, lo, len) in place. Two routes with one prefix: the caller refuses them first, or
// lpm_build() does.
void lpm_sort(struct lpm_route *routes, size_t n_routes);

// Builds a table over sorted routes. Returns NULL with errno ENOMEM, EEXIST (a prefix twice), EINVAL
// (bits past len, not sorted) or E2BIG (2^26 routes). Free with lpm_destroy().
struct lpm *lpm_build(const struct lpm_route *routes, size_t n_routes);
// NULL is fine.
void lpm_destroy(struct lpm *lpm);

// Bytes that the table occupies, itself included.
size_t lpm_bytes(const struct lpm *lpm);

// One lookup; the bulk forms below are what packets use.
uint32_t lpm_lookup(const struct lpm *lpm, uint64_t hi, uint64_t lo);

// Looks n addresses up, each in its own table: dest[i] = longest match of (hi[i], lo[i]) in *lpm[i].
// Interleaved with prefetch, so that tables larger than the caches cost bandwidth rather than latency.
// n is at most 256.
void lpm6_lookup_bulk(const struct lpm *const *lpm, const uint64_t *hi, const uint64_t *lo,
	uint32_t *dest, unsigned int n);

// The same for IPv4: hi[i] carries the address in its top 32 bits.
void lpm4_lookup_bulk(
	const struct lpm *const *lpm, const uint64_t *hi, uint32_t *dest, unsigned int n);
