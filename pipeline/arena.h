// SPDX-License-Identifier: Apache-2.0
#pragma once

// A bump allocator: specs are many small things that live and die together.

#include <stddef.h>

struct arena;

// NULL with errno ENOMEM.
struct arena *arena_create(void);
// Likewise; begins with room for n_bytes and no more, where there are many small arenas.
struct arena *arena_create_for(size_t n_bytes);
// Frees the arena and everything taken from it. NULL is fine.
void arena_destroy(struct arena *arena);

// Zeroed bytes, aligned for any type; NULL with errno ENOMEM.
void *arena_alloc(struct arena *arena, size_t n_bytes);
// A copy of text; NULL with errno ENOMEM.
char *arena_strdup(struct arena *arena, const char *text);
