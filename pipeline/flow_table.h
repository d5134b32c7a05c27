// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which connection a TCP segment belongs to: from (VRF, addresses, ports) to the number of a flow or a leg
// of the worker's splice, and back, since what is to be sent to a side needs its addresses. One table per
// worker, which alone uses it; all memory is taken at creation: an entry of 48 bytes for each number, and
// 8 to 16 bytes of index.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_prefetch.h>

enum {
	FLOW_TABLE_MAX = (1 << 22) - 1, // entries that the index can name
	FLOW_TABLE_SLOTS = 15,		// of a bucket
};

#define FLOW_TABLE_NONE UINT32_MAX

// A connection as seen from the node. IPv4 addresses stand in the first four bytes, zeros behind.
struct flow_tuple {
	uint8_t local[16];
	uint8_t remote[16];
	rte_be16_t local_port_be;
	rte_be16_t remote_port_be;
	uint16_t vrf;	// slot
	uint8_t family; // 4 or 6
	uint8_t pad;	// 0
};

struct flow_entry {
	struct flow_tuple tuple; // family 0: the number is not in use
	uint32_t generation;	 // of the snapshot whose VRF slot it is
	uint32_t endpoint;	 // slot, of legs
};

_Static_assert(sizeof(struct flow_tuple) == 40, "compared by words");
_Static_assert(sizeof(struct flow_entry) == 48, "with 16 bytes of index 64 in all");

// A cache line of the index.
struct flow_bucket {
	uint32_t slots[FLOW_TABLE_SLOTS]; // 0: empty; else number + 1, and a tag above it
	uint32_t n_passed;		  // tuples that found it full and stand further on
};

struct flow_table {
	struct flow_entry *entries; // by number
	struct flow_bucket *buckets;
	uint32_t bucket_mask;
	uint32_t n_entries;
	uint64_t key[2];
};

// A table for numbers below n_entries (at most FLOW_TABLE_MAX), hashed with key. NULL with errno ENOMEM.
struct flow_table *flow_table_create(uint32_t n_entries, const uint64_t key[2]);
void flow_table_destroy(struct flow_table *table);

// Gives number a tuple. Returns 0, or -EEXIST when another number has it. The number must be free.
int flow_table_insert(struct flow_table *table, uint32_t number, const struct flow_tuple *tuple,
	uint32_t generation, uint32_t endpoint);

// Nobody finds the number by its tuple any more; its entry stays. Does nothing when that is so already.
void flow_table_hide(struct flow_table *table, uint32_t number);

// Hides the number and frees its entry. Does nothing when it is free.
void flow_table_remove(struct flow_table *table, uint32_t number);

// Keyed, so that nobody outside can fill one bucket.
static inline uint64_t flow_table_hash(
	const struct flow_table *table, const struct flow_tuple *tuple)
{
	const uint64_t k0 = table->key[0], k1 = table->key[1];
	uint64_t w[5];
	__uint128_t a, b, c;

	memcpy(w, tuple, sizeof(w));
	a = (__uint128_t)(w[0] ^ k0) * (w[1] ^ k1);
	b = (__uint128_t)(w[2] ^ k1) * (w[3] ^ k0 ^ w[4]);
	c = (__uint128_t)((uint64_t)a ^ (uint64_t)(b >> 64) ^ k0) *
	    ((uint64_t)b ^ (uint64_t)(a >> 64) ^ w[4] ^ k1);
	return (uint64_t)c ^ (uint64_t)(c >> 64);
}

// The three steps of a lookup in a burst: fetch the bucket; find what may be the entry, and fetch it; see
// whether it is. Between the first and the last the table may change: then the last says no, and
// flow_table_find() looks again.
static inline void flow_table_prefetch(const struct flow_table *table, uint64_t hash)
{
	rte_prefetch0(&table->buckets[(uint32_t)hash & table->bucket_mask]);
}

// The first number of the bucket whose tag fits, or FLOW_TABLE_NONE.
uint32_t flow_table_guess(const struct flow_table *table, uint64_t hash);

static inline void flow_table_prefetch_entry(const struct flow_table *table, uint32_t number)
{
	const struct flow_entry *entry = &table->entries[number];

	rte_prefetch0(entry);
	rte_prefetch0((const uint8_t *)(entry + 1) - 1);
}

static inline bool flow_tuple_equal(const struct flow_tuple *a, const struct flow_tuple *b)
{
	uint64_t x[5], y[5];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4])) == 0;
}

// The number that has the tuple, or FLOW_TABLE_NONE.
uint32_t flow_table_find(
	const struct flow_table *table, uint64_t hash, const struct flow_tuple *tuple);
