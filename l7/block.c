// SPDX-License-Identifier: Apache-2.0

#include "l7/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PART_ALIGN = 8,
	FIRST_ROOM = 256,
};

static bool make_room(struct block_builder *builder, uint32_t part, size_t n_bytes)
{
	size_t n_room = builder->parts[part].n_room;
	uint8_t *bytes;

	if (n_room - builder->parts[part].n_bytes >= n_bytes)
		return true;
	while (n_room - builder->parts[part].n_bytes < n_bytes)
		n_room = n_room == 0 ? FIRST_ROOM : 2 * n_room;
	bytes = realloc(builder->parts[part].bytes, n_room);
	if (bytes == NULL)
		return false;
	builder->parts[part].bytes = bytes;
	builder->parts[part].n_room = n_room;
	return true;
}

uint32_t block_add(struct block_builder *builder, uint32_t part, const void *bytes, size_t n_bytes)
{
	size_t off = builder->parts[part].n_bytes;

	if (builder->failed || !make_room(builder, part, n_bytes)) {
		builder->failed = true;
		return 0;
	}
	if (n_bytes == 0)
		return (uint32_t)off;
	if (bytes == NULL)
		memset(builder->parts[part].bytes + off, 0, n_bytes);
	else
		memcpy(builder->parts[part].bytes + off, bytes, n_bytes);
	builder->parts[part].n_bytes += n_bytes;
	return (uint32_t)off;
}

static size_t aligned(size_t n_bytes)
{
	return (n_bytes + PART_ALIGN - 1) & ~(size_t)(PART_ALIGN - 1);
}

static void *copy_parts(struct block_builder *builder, const void *head, size_t head_bytes)
{
	size_t n_bytes = aligned(head_bytes);
	struct block *block;

	for (uint32_t i = 0; i < BLOCK_MAX_PARTS; i++)
		n_bytes += aligned(builder->parts[i].n_bytes);
	errno = n_bytes > UINT32_MAX ? E2BIG : ENOMEM;
	block = n_bytes > UINT32_MAX || builder->failed ? NULL : calloc(1, n_bytes);
	if (block == NULL)
		return NULL;
	memcpy(block, head, head_bytes);
	block->n_refs = 1;
	block->n_bytes = (uint32_t)n_bytes;
	n_bytes = aligned(head_bytes);
	for (uint32_t i = 0; i < BLOCK_MAX_PARTS; i++) {
		block->part_offs[i] = (uint32_t)n_bytes;
		if (builder->parts[i].n_bytes > 0)
			memcpy((uint8_t *)block + n_bytes, builder->parts[i].bytes,
				builder->parts[i].n_bytes);
		n_bytes += aligned(builder->parts[i].n_bytes);
	}
	return block;
}

void *block_finish(struct block_builder *builder, const void *head, size_t head_bytes)
{
	void *block = copy_parts(builder, head, head_bytes);
	int error = errno;

	for (uint32_t i = 0; i < BLOCK_MAX_PARTS; i++)
		free(builder->parts[i].bytes);
	*builder = (struct block_builder){0};
	errno = error;
	return block;
}

void block_acquire(struct block *block)
{
	block->n_refs++;
}

void block_release(struct block *block)
{
	if (block != NULL && --block->n_refs == 0)
		free(block);
}

bool block_equal(const struct block *a, const struct block *b)
{
	size_t skipped = offsetof(struct block, n_bytes);

	return a->n_bytes == b->n_bytes &&
	       memcmp((const uint8_t *)a + skipped, (const uint8_t *)b + skipped,
		       a->n_bytes - skipped) == 0;
}
