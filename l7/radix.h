// SPDX-License-Identifier: Apache-2.0
#pragma once

// Radix trees over texts, any number of them in two parts of a block (l7/block.h): which of a tree's texts
// are prefixes of a given one. A node holds the bytes that all texts below it go on with, and its children
// stand side by side, told apart by their first bytes.

#include <stdbool.h>
#include <stdint.h>

#include "l7/block.h"

enum {
	RADIX_NONE = UINT32_MAX, // no tree, no value
};

struct radix_key {
	const uint8_t *text;
	uint32_t text_len;
	uint32_t value; // not RADIX_NONE
};

// Which parts hold nodes and bytes.
struct radix_parts {
	uint32_t nodes;
	uint32_t texts;
};

// Where a walk stands. Starts as {.node = root}.
struct radix_walk {
	uint32_t node;
	uint32_t pos; // bytes of the text that led here: the length of the prefix found last
};

// Writes a tree of n different texts in the order of their bytes and returns its root; RADIX_NONE when n is 0.
uint32_t radix_build(struct block_builder *builder, const struct radix_parts *parts,
	const struct radix_key *keys, uint32_t n_keys);

// Compares texts for the order above.
int radix_compare(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len);

// Fetch a tree's root into the cache; and, once that is there, its text. For callers with many texts at hand.
void radix_fetch_root(const struct block *block, const struct radix_parts *parts, uint32_t root);
void radix_fetch_text(const struct block *block, const struct radix_parts *parts, uint32_t root);

// The value of the next longer prefix of text, or RADIX_NONE: there are no more.
uint32_t radix_next(const struct block *block, const struct radix_parts *parts,
	struct radix_walk *walk, const uint8_t *text, uint32_t text_len);
