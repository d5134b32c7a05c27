// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts by hash, as a part of a block (l7/block.h): which number belongs to a text within a scope. Open
// addressing, at most half full; the texts come from the configuration, so that nobody can make them collide.

#include <stdint.h>
#include <string.h>

#include "l7/block.h"

enum {
	TEXT_TABLE_NONE = UINT32_MAX,
};

struct text_entry {
	uint32_t tag; // of the text's hash
	uint32_t scope;
	uint32_t text_off; // in the part of texts
	uint32_t text_len;
	uint32_t value; // TEXT_TABLE_NONE: the entry is free
};

struct text_table {
	uint32_t mask; // entries minus one
	uint32_t part; // of entries
	uint32_t text_part;
};

struct text_key {
	const char *text;
	uint32_t text_len;
	uint32_t scope;
	uint32_t value;
};

// Writes the table of n different keys and their texts into the parts that table names.
void text_table_build(struct text_table *table, struct block_builder *builder,
	const struct text_key *keys, uint32_t n_keys);

// The value of a text, or TEXT_TABLE_NONE.
uint32_t text_table_find(const struct text_table *table, const struct block *block, uint32_t scope,
	const uint8_t *text, uint32_t text_len);
