// SPDX-License-Identifier: Apache-2.0

// Buffers for what the node holds of messages: two sizes, all taken at the start. A buffer's number is never
// 0, which stands for "none".

#include "l7/pages.h"
#include "l7/splice/splice_priv.h"

enum {
	SMALL_BUFFER =
		2048 + 64, // not a power of two: their first lines spread over the cache's sets
	LARGE_BUFFER = 64 * 1024,
};

static const uint32_t LARGE_FLAG = 1u << 31; // in a buffer's number

static struct buffer *pool_at(const struct buffer_pool *pool, uint32_t idx)
{
	return (struct buffer *)(pool->memory + (size_t)idx * pool->size);
}

static int pool_create(struct buffer_pool *pool, uint32_t size, uint32_t n)
{
	*pool = (struct buffer_pool){.size = size, .n = n, .free = SPLICE_NONE};
	pool->memory = pages_map((size_t)n * size, PAGES_ALL);
	if (pool->memory == NULL)
		return -ENOMEM;
	for (uint32_t i = n; i-- > 0;) {
		pool_at(pool, i)->next_free = pool->free;
		pool->free = i;
	}
	return 0;
}

static struct buffer_pool *pool_of(struct splice *sp, uint32_t buf)
{
	return buf & LARGE_FLAG ? &sp->large : &sp->small;
}

struct buffer *buffer_at(const struct splice *sp, uint32_t buf)
{
	return pool_at(buf & LARGE_FLAG ? &sp->large : &sp->small, (buf & ~LARGE_FLAG) - 1);
}

uint32_t buffer_room(const struct splice *sp, uint32_t buf)
{
	return (buf & LARGE_FLAG ? sp->large.size : sp->small.size) - sizeof(struct buffer);
}

uint32_t buffer_take(struct splice *sp, uint32_t len)
{
	bool large = len > SMALL_BUFFER - sizeof(struct buffer);
	struct buffer_pool *pool = large ? &sp->large : &sp->small;
	struct buffer *b;
	uint32_t idx;

	if (len > LARGE_BUFFER - sizeof(struct buffer))
		return 0;
	if (pool->free == SPLICE_NONE && !large) {
		pool = &sp->large;
		large = true;
	}
	if (pool->free == SPLICE_NONE)
		return 0;
	idx = pool->free;
	b = pool_at(pool, idx);
	pool->free = b->next_free;
	pool->n_used++;
	memset(b, 0, sizeof(*b));
	return (idx + 1) | (large ? LARGE_FLAG : 0);
}

void buffer_give(struct splice *sp, uint32_t *buf)
{
	struct buffer_pool *pool = pool_of(sp, *buf);

	if (*buf == 0)
		return;
	buffer_at(sp, *buf)->next_free = pool->free;
	pool->free = (*buf & ~LARGE_FLAG) - 1;
	pool->n_used--;
	*buf = 0;
}

bool buffer_append(struct splice *sp, uint32_t *buf, const uint8_t *data, uint32_t len)
{
	struct buffer *b = *buf == 0 ? NULL : buffer_at(sp, *buf);
	uint32_t have = b == NULL ? 0 : b->len;

	if (b == NULL || have + len > buffer_room(sp, *buf)) {
		uint32_t larger = buffer_take(sp, have + len);

		if (larger == 0)
			return false;
		if (b != NULL)
			memcpy(buffer_at(sp, larger), b, sizeof(*b) + have);
		buffer_give(sp, buf);
		*buf = larger;
		b = buffer_at(sp, larger);
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return true;
}

int buffer_create(struct splice *sp, const struct splice_config *config)
{
	if (pool_create(&sp->small, SMALL_BUFFER, config->n_small_buffers) != 0 ||
		pool_create(&sp->large, LARGE_BUFFER, config->n_large_buffers) != 0)
		return -ENOMEM;
	return 0;
}

void buffer_destroy(struct splice *sp)
{
	pages_unmap(sp->small.memory, (size_t)sp->small.n * sp->small.size);
	pages_unmap(sp->large.memory, (size_t)sp->large.n * sp->large.size);
}
