// SPDX-License-Identifier: Apache-2.0

// http1_chunk_feed() against arbitrary bytes. An input is one byte, how long the pieces are, then what a
// peer sends. Whole or in pieces, parts and verdict must be the same, and a body that is accepted must be
// what RFC 9112 §7.1.3 makes of it, read in the simplest way.

#include "l7/http1_chunk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_LEN = 4096,
};

struct outcome {
	uint8_t data[MAX_LEN];
	uint32_t data_len;
	uint32_t n; // bytes of the body so far
	bool ended;
	int rc;
	enum http1_reason reason;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void feed_piece(
	struct http1_chunk *chunk, const uint8_t *data, uint32_t len, struct outcome *out)
{
	enum http1_chunk_part part;
	uint32_t off = 0;

	do {
		const uint64_t room = http1_chunk_room(chunk);

		out->rc = http1_chunk_feed(chunk, data + off, len - off, &part, &out->reason);
		if (out->rc < 0) {
			require(out->rc == -EBADMSG || out->rc == -E2BIG);
			return;
		}
		require(out->rc > 0 || off == len || part == HTTP1_CHUNK_END);
		require((part == HTTP1_CHUNK_DATA) == (room > 0));
		if (part == HTTP1_CHUNK_DATA) {
			memcpy(out->data + out->data_len, data + off, (size_t)out->rc);
			out->data_len += (uint32_t)out->rc;
		}
		out->ended = part == HTTP1_CHUNK_END;
		off += (uint32_t)out->rc;
		out->n += (uint32_t)out->rc;
	} while (out->rc > 0);
}

static void feed(const uint8_t *data, uint32_t len, uint32_t piece_len, struct outcome *out)
{
	struct http1_chunk chunk = {0};

	memset(out, 0, sizeof(*out));
	for (uint32_t off = 0; off < len && out->rc == 0 && !out->ended; off += piece_len) {
		const uint32_t n = len - off < piece_len ? len - off : piece_len;
		uint8_t *copy = malloc(n);

		require(copy != NULL);
		memcpy(copy, data + off, n);
		feed_piece(&chunk, copy, n, out);
		free(copy);
	}
}

// The end of a body known to be well-formed; its data goes to out.
static uint32_t read_simply(const uint8_t *body, uint8_t *out, uint32_t *out_len)
{
	const uint8_t *p = body;
	unsigned long size;

	*out_len = 0;
	while ((size = strtoul((const char *)p, NULL, 16)) > 0) {
		p = (const uint8_t *)strstr((const char *)p, "\r\n") + 2;
		memcpy(out + *out_len, p, size);
		*out_len += (uint32_t)size;
		p += size + 2;
	}
	return (uint32_t)((const uint8_t *)strstr((const char *)p, "\r\n\r\n") + 4 - body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole, pieces;
	static uint8_t body[MAX_LEN + 1], simple[MAX_LEN];
	uint32_t len, simple_len;

	if (size < 2 || size > MAX_LEN)
		return 0;
	len = (uint32_t)size - 1;
	feed(data + 1, len, len, &whole);
	feed(data + 1, len, 1 + data[0] % 16u, &pieces);
	require(whole.reason == pieces.reason && whole.ended == pieces.ended);
	if (whole.rc < 0)
		return 0;
	require(whole.n == pieces.n && whole.data_len == pieces.data_len);
	require(memcmp(whole.data, pieces.data, whole.data_len) == 0);
	if (!whole.ended)
		return 0;
	memcpy(body, data + 1, len);
	body[len] = 0;
	require(read_simply(body, simple, &simple_len) == whole.n);
	require(simple_len == whole.data_len && memcmp(simple, whole.data, simple_len) == 0);
	return 0;
}
