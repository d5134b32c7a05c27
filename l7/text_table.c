// SPDX-License-Identifier: Apache-2.0

#include "l7/text_table.h"

#include <stdlib.h>

static uint64_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15;
	return x ^ x >> 32;
}

static uint64_t load(const uint8_t *text, uint32_t n)
{
	uint64_t word = 0;

	memcpy(&word, text, n);
	return word;
}

// Eight bytes at a time; the last eight overlap the ones before.
static uint32_t hash_text(uint32_t scope, const uint8_t *text, uint32_t len)
{
	uint64_t h = mix((uint64_t)scope << 32 | len);

	if (len < sizeof(uint64_t)) {
		for (uint32_t i = 0; i < len; i++)
			h = h << 8 ^ h >> 56 ^ text[i];
		return (uint32_t)mix(h);
	}
	for (uint32_t i = 0; i + sizeof(uint64_t) < len; i += sizeof(uint64_t))
		h = mix(h ^ load(text + i, sizeof(uint64_t)));
	return (uint32_t)mix(h ^ load(text + len - sizeof(uint64_t), sizeof(uint64_t)));
}

static void insert(
	struct text_entry *entries, uint32_t mask, const struct text_key *key, uint32_t text_off)
{
	uint32_t tag = hash_text(key->scope, (const uint8_t *)key->text, key->text_len);
	uint32_t at = tag & mask;

	while (entries[at].value != TEXT_TABLE_NONE)
		at = (at + 1) & mask;
	entries[at] = (struct text_entry){.tag = tag,
		.scope = key->scope,
		.text_off = text_off,
		.text_len = key->text_len,
		.value = key->value};
}

void text_table_build(struct text_table *table, struct block_builder *builder,
	const struct text_key *keys, uint32_t n_keys)
{
	struct text_entry *entries;
	uint32_t n_entries = 2;

	while (n_entries < 2 * n_keys)
		n_entries *= 2;
	table->mask = n_entries - 1;
	entries = malloc(n_entries * sizeof(*entries));
	if (entries == NULL) {
		builder->failed = true;
		return;
	}
	memset(entries, 0xff, n_entries * sizeof(*entries));
	for (uint32_t i = 0; i < n_keys; i++)
		insert(entries, table->mask, &keys[i],
			block_add(builder, table->text_part, keys[i].text, keys[i].text_len));
	block_add(builder, table->part, entries, n_entries * sizeof(*entries));
	free(entries);
}

uint32_t text_table_find(const struct text_table *table, const struct block *block, uint32_t scope,
	const uint8_t *text, uint32_t text_len)
{
	const struct text_entry *entries = block_part(block, table->part);
	const uint8_t *texts = block_part(block, table->text_part);
	uint32_t tag = hash_text(scope, text, text_len);

	for (uint32_t at = tag & table->mask;; at = (at + 1) & table->mask) {
		const struct text_entry *entry = &entries[at];

		if (entry->value == TEXT_TABLE_NONE)
			return TEXT_TABLE_NONE;
		if (entry->tag == tag && entry->scope == scope && entry->text_len == text_len &&
			memcmp(texts + entry->text_off, text, text_len) == 0)
			return entry->value;
	}
}
