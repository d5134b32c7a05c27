// SPDX-License-Identifier: Apache-2.0
#pragma once

// Adjacencies: the neighbours that packets can be sent to. The table lives outside the snapshots. A
// slot is given to a pair (interface, address) and keeps its number as long as anybody names it; what
// a slot points to is an immutable struct adj, replaced by pointer when the neighbour's state changes
// and freed after a grace period. Workers read; everything else is the control core's, under one lock
// (compiling runs on a helper thread).

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/spec.h"

struct reclaim;

enum {
	ADJ_MAX_SLOTS = 1 << 16,
	ADJ_REWRITE_LEN = 24, // bytes kept; the header stands at their end
};

#define ADJ_NONE UINT32_MAX

// A resolved neighbour, as a worker sees it.
struct adj {
	uint8_t rewrite[ADJ_REWRITE_LEN]; // Ethernet header, right-aligned: it ends where IP begins
	uint8_t rewrite_len;		  // 14, or 18 with a VLAN tag
	_Atomic uint8_t used;		  // a worker sent to it since the control core last looked
	uint16_t port;			  // DPDK port
	uint16_t iface;			  // interface index
	uint16_t mtu;			  // bytes of IP packet
};

// Which neighbour a slot stands for.
struct adj_key {
	uint16_t iface;
	struct ip_addr addr;
};

struct adj_table {
	_Atomic(struct adj *) slots[ADJ_MAX_SLOTS];	    // NULL: not resolved
	_Atomic(struct adj_entry *) buckets[ADJ_MAX_SLOTS]; // (interface, address) to slot
	struct adj_control *control;
};

// NULL with errno ENOMEM. What is replaced or given up goes to reclaim, and its slot comes back from there:
// reclaim is destroyed, or empty, before the table is.
struct adj_table *adj_table_create(struct reclaim *reclaim);
void adj_table_destroy(struct adj_table *table);

// The slot of a neighbour, made when there is none. Returns ADJ_NONE when the table is full or out of
// memory. The reference is dropped with adj_table_release(). Control core or compile thread.
uint32_t adj_table_acquire(struct adj_table *table, const struct adj_key *key);
void adj_table_release(struct adj_table *table, uint32_t slot);

// True and the key when slot is in use.
bool adj_table_key(struct adj_table *table, uint32_t slot, struct adj_key *key);

// Publishes what workers send with (copied), or with NULL makes the slot unresolved. 0 or -ENOMEM.
int adj_table_set(struct adj_table *table, uint32_t slot, const struct adj *adj);

// The slot of a neighbour, or ADJ_NONE. Any thread; workers inside their RCU section.
uint32_t adj_table_find(struct adj_table *table, const struct adj_key *key);

// The resolved neighbour of a slot, or NULL. Workers.
static inline struct adj *adj_table_get(const struct adj_table *table, uint32_t slot)
{
	return atomic_load_explicit(&table->slots[slot], memory_order_acquire);
}

// Notes that a packet went to the neighbour; writes the shared line only once per re-probing period.
static inline void adj_touch(struct adj *adj)
{
	if (atomic_load_explicit(&adj->used, memory_order_relaxed) == 0)
		atomic_store_explicit(&adj->used, 1, memory_order_relaxed);
}
