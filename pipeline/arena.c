// SPDX-License-Identifier: Apache-2.0
#include "pipeline/arena.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARENA_ALIGN = 16,
	ARENA_MIN_CHUNK_BYTES = 256,
	ARENA_FIRST_CHUNK_BYTES = 4 << 10,
	ARENA_MAX_CHUNK_BYTES = 1 << 20,
};

struct chunk {
	struct chunk *next;
	alignas(ARENA_ALIGN) uint8_t bytes[];
};

struct arena {
	struct chunk *chunks;
	uint8_t *free;
	size_t n_free_bytes;
	size_t next_chunk_bytes;
};

static_assert(ARENA_ALIGN >= alignof(max_align_t), "arena_alloc() promises any type");

static struct chunk *add_chunk(struct arena *arena, size_t n_bytes)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + n_bytes);

	if (chunk == NULL)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

static int start_chunk(struct arena *arena)
{
	struct chunk *chunk = add_chunk(arena, arena->next_chunk_bytes);

	if (chunk == NULL)
		return -ENOMEM;
	arena->free = chunk->bytes;
	arena->n_free_bytes = arena->next_chunk_bytes;
	if (arena->next_chunk_bytes < ARENA_MAX_CHUNK_BYTES)
		arena->next_chunk_bytes *= 2;
	return 0;
}

struct arena *arena_create_for(size_t n_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena == NULL)
		return NULL;
	if (n_bytes > ARENA_MAX_CHUNK_BYTES)
		n_bytes = ARENA_MAX_CHUNK_BYTES;
	arena->next_chunk_bytes = n_bytes < ARENA_MIN_CHUNK_BYTES ? ARENA_MIN_CHUNK_BYTES : n_bytes;
	return arena;
}

struct arena *arena_create(void)
{
	return arena_create_for(ARENA_FIRST_CHUNK_BYTES);
}

void arena_destroy(struct arena *arena)
{
	struct chunk *chunk, *next;

	if (arena == NULL)
		return;
	for (chunk = arena->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t n_bytes)
{
	size_t rounded = (n_bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	struct chunk *chunk;
	void *p;

	if (n_bytes > PTRDIFF_MAX - ARENA_ALIGN - sizeof(*chunk)) {
		errno = ENOMEM;
		return NULL;
	}
	// A large piece gets a chunk of its own, so that it does not strand the rest of the current one.
	if (rounded > arena->n_free_bytes && rounded > arena->next_chunk_bytes / 4) {
		chunk = add_chunk(arena, rounded);
		return chunk == NULL ? NULL : chunk->bytes;
	}
	if (rounded > arena->n_free_bytes && start_chunk(arena) < 0)
		return NULL;
	p = arena->free;
	arena->free += rounded;
	arena->n_free_bytes -= rounded;
	return p;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t n_bytes = strlen(text) + 1;
	char *copy = arena_alloc(arena, n_bytes);

	return copy == NULL ? NULL : memcpy(copy, text, n_bytes);
}
