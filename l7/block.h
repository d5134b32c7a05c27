// SPDX-License-Identifier: Apache-2.0
#pragma once

// A compiled table as one block of memory without pointers: a head and arrays, its parts, found by their
// offsets. So a table is freed at once, and two tables that say the same are equal bytes. A builder collects
// the parts first.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BLOCK_MAX_PARTS = 8,
};

// Begins a table's own head.
struct block {
	uint32_t n_refs; // snapshots that share the table; the control side counts them
	uint32_t n_bytes;
	uint32_t part_offs[BLOCK_MAX_PARTS];
};

// All zero at the start. An allocation that fails is remembered, and block_finish() tells.
struct block_builder {
	struct {
		uint8_t *bytes;
		size_t n_bytes;
		size_t n_room;
	} parts[BLOCK_MAX_PARTS];
	bool failed;
};

// Appends n_bytes to a part and returns where in the part they begin, in bytes. bytes NULL: zeros.
uint32_t block_add(struct block_builder *builder, uint32_t part, const void *bytes, size_t n_bytes);

// The table: a copy of head, which begins with a struct block, and the parts behind it. Empties the builder.
// Returns NULL with errno ENOMEM, or E2BIG when the table would pass 4 GB. Starts with one reference.
void *block_finish(struct block_builder *builder, const void *head, size_t head_bytes);

// The start of a part. Inline, since workers come here for each request.
static inline const void *block_part(const struct block *block, uint32_t part)
{
	return (const uint8_t *)block + block->part_offs[part];
}

// References are of the control side. NULL is fine for release.
void block_acquire(struct block *block);
void block_release(struct block *block);

bool block_equal(const struct block *a, const struct block *b);
