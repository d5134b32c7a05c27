// SPDX-License-Identifier: Apache-2.0

#include "pipeline/compile/slots.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// An open-addressing index over keys that stay where they are; entries are slot + 1, 0 is empty.
struct index {
	const uint8_t *keys;
	size_t key_len;
	uint32_t mask;
	uint32_t *entries;
};

static const uint8_t *key_at(const void *keys, size_t key_len, uint32_t i)
{
	return (const uint8_t *)keys + (size_t)i * key_len;
}

static bool is_free(const uint8_t *key, size_t key_len)
{
	for (size_t i = 0; i < key_len; i++)
		if (key[i] != 0)
			return false;
	return true;
}

static uint32_t hash_key(const uint8_t *key, size_t key_len)
{
	uint64_t h = 0xcbf29ce484222325; // FNV-1a

	for (size_t i = 0; i < key_len; i++)
		h = (h ^ key[i]) * 0x100000001b3;
	return (uint32_t)(h ^ h >> 32);
}

static int index_build(struct index *index, uint32_t n_keys)
{
	uint32_t size = 8;

	while (size < 2 * n_keys)
		size *= 2;
	index->mask = size - 1;
	index->entries = calloc(size, sizeof(*index->entries));
	if (index->entries == NULL)
		return -1;
	for (uint32_t i = 0; i < n_keys; i++) {
		const uint8_t *key = key_at(index->keys, index->key_len, i);
		uint32_t at = hash_key(key, index->key_len);

		if (is_free(key, index->key_len))
			continue;
		while (index->entries[at & index->mask] != 0)
			at++;
		index->entries[at & index->mask] = i + 1;
	}
	return 0;
}

static uint32_t index_find(const struct index *index, const uint8_t *key)
{
	for (uint32_t at = hash_key(key, index->key_len);; at++) {
		uint32_t entry = index->entries[at & index->mask];

		if (entry == 0 || memcmp(key_at(index->keys, index->key_len, entry - 1), key,
					  index->key_len) == 0)
			return entry;
	}
}

uint32_t slots_carry(const void *old_keys, uint32_t n_old, const void *new_keys, uint32_t n_new,
	size_t key_len, uint32_t *slots)
{
	struct index index = {.keys = old_keys, .key_len = key_len};
	uint32_t n_slots = 0, next_free = 0;

	if (n_new == 0 || index_build(&index, n_old) != 0)
		return 0;
	for (uint32_t i = 0; i < n_new; i++) {
		uint32_t entry = index_find(&index, key_at(new_keys, key_len, i));

		if (entry != 0) {
			slots[i] = entry - 1;
		} else {
			while (next_free < n_old &&
				!is_free(key_at(old_keys, key_len, next_free), key_len))
				next_free++;
			slots[i] = next_free++;
		}
		if (slots[i] >= n_slots)
			n_slots = slots[i] + 1;
	}
	free(index.entries);
	return n_slots;
}
