// SPDX-License-Identifier: Apache-2.0

// The index is an array of cache lines of 15 slots, about half full at most. A tuple hashes to a line;
// when that is full, it goes to the next one that is not, and each line that it passed counts it. So a search
// ends at the first line that nobody passed, and nothing is left behind by what was removed.

#include "pipeline/flow_table.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#include "l7/pages.h"

enum {
	NUMBER_BITS = 22,
	NUMBER_MASK = (1 << NUMBER_BITS) - 1,
};

// From bits that the bucket's number does not take.
static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~(uint32_t)NUMBER_MASK;
}

static size_t entries_bytes(const struct flow_table *table)
{
	return table->n_entries * sizeof(*table->entries);
}

static size_t buckets_bytes(const struct flow_table *table)
{
	return (table->bucket_mask + 1ull) * sizeof(*table->buckets);
}

struct flow_table *flow_table_create(uint32_t n_entries, const uint64_t key[2])
{
	struct flow_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->n_entries = n_entries;
	table->bucket_mask = rte_align32pow2((n_entries + 7) / 8) - 1;
	memcpy(table->key, key, sizeof(table->key));
	table->entries = pages_map(entries_bytes(table), PAGES_ALL);
	table->buckets = pages_map(buckets_bytes(table), PAGES_ALL);
	if (table->entries != NULL && table->buckets != NULL)
		return table;
	flow_table_destroy(table);
	errno = ENOMEM;
	return NULL;
}

void flow_table_destroy(struct flow_table *table)
{
	if (table == NULL)
		return;
	pages_unmap(table->entries, entries_bytes(table));
	pages_unmap(table->buckets, buckets_bytes(table));
	free(table);
}

static struct flow_bucket *bucket_at(const struct flow_table *table, uint64_t hash, uint32_t n)
{
	return &table->buckets[((uint32_t)hash + n) & table->bucket_mask];
}

uint32_t flow_table_guess(const struct flow_table *table, uint64_t hash)
{
	const struct flow_bucket *bucket = bucket_at(table, hash, 0);
	uint32_t tag = tag_of(hash);

	for (uint32_t i = 0; i < FLOW_TABLE_SLOTS; i++)
		if (bucket->slots[i] != 0 && (bucket->slots[i] & ~(uint32_t)NUMBER_MASK) == tag)
			return (bucket->slots[i] & NUMBER_MASK) - 1;
	return FLOW_TABLE_NONE;
}

static uint32_t find_in(const struct flow_table *table, const struct flow_bucket *bucket,
	uint32_t tag, const struct flow_tuple *tuple)
{
	for (uint32_t i = 0; i < FLOW_TABLE_SLOTS; i++) {
		uint32_t slot = bucket->slots[i], number = (slot & NUMBER_MASK) - 1;

		if (slot != 0 && (slot & ~(uint32_t)NUMBER_MASK) == tag &&
			flow_tuple_equal(&table->entries[number].tuple, tuple))
			return number;
	}
	return FLOW_TABLE_NONE;
}

uint32_t flow_table_find(
	const struct flow_table *table, uint64_t hash, const struct flow_tuple *tuple)
{
	for (uint32_t n = 0;; n++) {
		const struct flow_bucket *bucket = bucket_at(table, hash, n);
		uint32_t number = find_in(table, bucket, tag_of(hash), tuple);

		if (number != FLOW_TABLE_NONE || bucket->n_passed == 0 || n == table->bucket_mask)
			return number;
	}
}

// The place of a slot value, or NULL.
static uint32_t *slot_in(struct flow_bucket *bucket, uint32_t value)
{
	for (uint32_t i = 0; i < FLOW_TABLE_SLOTS; i++)
		if (bucket->slots[i] == value)
			return &bucket->slots[i];
	return NULL;
}

int flow_table_insert(struct flow_table *table, uint32_t number, const struct flow_tuple *tuple,
	uint32_t generation, uint32_t endpoint)
{
	uint64_t hash = flow_table_hash(table, tuple);
	uint32_t *slot;

	if (flow_table_find(table, hash, tuple) != FLOW_TABLE_NONE)
		return -EEXIST;
	// There are 15 slots for every 8 numbers, so one is free.
	for (uint32_t n = 0;; n++) {
		struct flow_bucket *bucket = bucket_at(table, hash, n);

		slot = slot_in(bucket, 0);
		if (slot != NULL)
			break;
		bucket->n_passed++;
	}
	*slot = tag_of(hash) | (number + 1);
	table->entries[number] = (struct flow_entry){*tuple, generation, endpoint};
	return 0;
}

// How far from its bucket the number stands; FLOW_TABLE_NONE: it is hidden.
static uint32_t distance(const struct flow_table *table, uint64_t hash, uint32_t value)
{
	for (uint32_t n = 0;; n++) {
		struct flow_bucket *bucket = bucket_at(table, hash, n);

		if (slot_in(bucket, value) != NULL)
			return n;
		if (bucket->n_passed == 0 || n == table->bucket_mask)
			return FLOW_TABLE_NONE;
	}
}

void flow_table_hide(struct flow_table *table, uint32_t number)
{
	uint64_t hash = flow_table_hash(table, &table->entries[number].tuple);
	uint32_t value = tag_of(hash) | (number + 1);
	uint32_t n_passed = distance(table, hash, value);

	if (n_passed == FLOW_TABLE_NONE)
		return;
	for (uint32_t n = 0; n < n_passed; n++)
		bucket_at(table, hash, n)->n_passed--;
	*slot_in(bucket_at(table, hash, n_passed), value) = 0;
}

void flow_table_remove(struct flow_table *table, uint32_t number)
{
	if (table->entries[number].tuple.family == 0)
		return;
	flow_table_hide(table, number);
	table->entries[number].tuple = (struct flow_tuple){0};
}
