// SPDX-License-Identifier: Apache-2.0

// The index is a chained hash table with RCU lists: a new entry is published at the head of its
// bucket, a removed one is unlinked and reclaimed, so that a reader in the middle of it can go on.

#include "pipeline/adj.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/reclaim.h"

struct adj_entry {
	_Atomic(struct adj_entry *) next;
	struct adj_key key;
	uint32_t slot;
	struct adj_control *control;
	uint32_t n_refs; // control side only
};

struct adj_control {
	pthread_mutex_t lock;
	struct reclaim *reclaim;
	struct adj_entry *entries[ADJ_MAX_SLOTS]; // by slot; NULL: free
	uint32_t first_free;			  // no free slot below
};

static bool key_equal(const struct adj_key *a, const struct adj_key *b)
{
	return a->iface == b->iface && a->addr.family == b->addr.family &&
	       ip6_addr_equal(&a->addr.addr, &b->addr.addr);
}

static uint32_t key_bucket(const struct adj_key *key)
{
	uint64_t h = ip6_addr_hi(&key->addr.addr) * 0x9e3779b97f4a7c15; // golden ratio

	h = (h ^ ip6_addr_lo(&key->addr.addr) ^ key->iface) * 0xd6e8feb86659fd93;
	return (uint32_t)(h >> 48) % ADJ_MAX_SLOTS;
}

struct adj_table *adj_table_create(struct reclaim *reclaim)
{
	struct adj_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->control = calloc(1, sizeof(*table->control));
	if (table->control == NULL) {
		free(table);
		return NULL;
	}
	table->control->reclaim = reclaim;
	pthread_mutex_init(&table->control->lock, NULL);
	return table;
}

void adj_table_destroy(struct adj_table *table)
{
	if (table == NULL)
		return;
	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i++) {
		free(atomic_load(&table->slots[i]));
		free(table->control->entries[i]);
	}
	pthread_mutex_destroy(&table->control->lock);
	free(table->control);
	free(table);
}

static struct adj_entry *find_entry(struct adj_table *table, const struct adj_key *key)
{
	struct adj_entry *entry =
		atomic_load_explicit(&table->buckets[key_bucket(key)], memory_order_acquire);

	while (entry != NULL && !key_equal(&entry->key, key))
		entry = atomic_load_explicit(&entry->next, memory_order_acquire);
	return entry;
}

static struct adj_entry *add_entry(struct adj_table *table, const struct adj_key *key)
{
	struct adj_control *control = table->control;
	_Atomic(struct adj_entry *) *bucket = &table->buckets[key_bucket(key)];
	uint32_t slot = control->first_free;
	struct adj_entry *entry;

	while (slot < ADJ_MAX_SLOTS && control->entries[slot] != NULL)
		slot++;
	if (slot == ADJ_MAX_SLOTS)
		return NULL;
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->key = *key;
	entry->slot = slot;
	entry->control = control;
	control->entries[slot] = entry;
	control->first_free = slot + 1;
	atomic_init(&entry->next, atomic_load_explicit(bucket, memory_order_relaxed));
	atomic_store_explicit(bucket, entry, memory_order_release);
	return entry;
}

uint32_t adj_table_acquire(struct adj_table *table, const struct adj_key *key)
{
	struct adj_entry *entry;
	uint32_t slot = ADJ_NONE;

	pthread_mutex_lock(&table->control->lock);
	entry = find_entry(table, key);
	if (entry == NULL)
		entry = add_entry(table, key);
	if (entry != NULL) {
		entry->n_refs++;
		slot = entry->slot;
	}
	pthread_mutex_unlock(&table->control->lock);
	return slot;
}

// Takes entry out of the index. Its slot is given out again only by free_slot(), so that no worker that found
// it meets another neighbour there.
static void unlink_entry(struct adj_table *table, struct adj_entry *entry)
{
	_Atomic(struct adj_entry *) *link = &table->buckets[key_bucket(&entry->key)];

	while (atomic_load_explicit(link, memory_order_relaxed) != entry)
		link = &atomic_load_explicit(link, memory_order_relaxed)->next;
	atomic_store_explicit(link, atomic_load(&entry->next), memory_order_release);
}

// After the grace period.
static void free_slot(void *object)
{
	struct adj_entry *entry = object;
	struct adj_control *control = entry->control;

	pthread_mutex_lock(&control->lock);
	control->entries[entry->slot] = NULL;
	if (entry->slot < control->first_free)
		control->first_free = entry->slot;
	pthread_mutex_unlock(&control->lock);
	free(entry);
}

void adj_table_release(struct adj_table *table, uint32_t slot)
{
	struct adj_control *control = table->control;
	struct adj_entry *entry;
	bool is_last;

	pthread_mutex_lock(&control->lock);
	entry = control->entries[slot];
	is_last = --entry->n_refs == 0;
	if (is_last)
		unlink_entry(table, entry);
	pthread_mutex_unlock(&control->lock);
	if (!is_last)
		return;
	reclaim_later(control->reclaim, atomic_exchange(&table->slots[slot], NULL), free);
	reclaim_later(control->reclaim, entry, free_slot);
}

bool adj_table_key(struct adj_table *table, uint32_t slot, struct adj_key *key)
{
	bool found = false;

	pthread_mutex_lock(&table->control->lock);
	if (slot < ADJ_MAX_SLOTS && table->control->entries[slot] != NULL &&
		table->control->entries[slot]->n_refs > 0) {
		*key = table->control->entries[slot]->key;
		found = true;
	}
	pthread_mutex_unlock(&table->control->lock);
	return found;
}

int adj_table_set(struct adj_table *table, uint32_t slot, const struct adj *adj)
{
	struct adj *copy = NULL;

	if (adj != NULL) {
		copy = malloc(sizeof(*copy));
		if (copy == NULL)
			return -ENOMEM;
		memcpy(copy, adj, sizeof(*copy));
	}
	pthread_mutex_lock(&table->control->lock);
	reclaim_later(table->control->reclaim, atomic_exchange(&table->slots[slot], copy), free);
	pthread_mutex_unlock(&table->control->lock);
	return 0;
}

uint32_t adj_table_find(struct adj_table *table, const struct adj_key *key)
{
	const struct adj_entry *entry = find_entry(table, key);

	return entry == NULL ? ADJ_NONE : entry->slot;
}
