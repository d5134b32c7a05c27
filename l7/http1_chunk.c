// SPDX-License-Identifier: Apache-2.0

// Framing is read byte by byte, data in runs. A trailer's name is compared while it comes with those
// that no trailer may have; a bit of suspects stands for a name that still fits.

#include "l7/http1_chunk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "l7/http1_scan.h"

enum state {
	SIZE, // all zero is a start
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	END,
};

enum {
	MAX_DIGITS = 16,
};

// Framing and routing are settled before a trailer comes (RFC 9110 §6.5.1). Only letters and digits of a
// name are compared, as for the look-alikes in a head.
static const char *const FORBIDDEN[] = {"contentlength", "transferencoding", "host"};

enum {
	N_FORBIDDEN = sizeof(FORBIDDEN) / sizeof(FORBIDDEN[0]),
	ALL_SUSPECTS = (1 << N_FORBIDDEN) - 1,
};

static enum http1_reason go(struct http1_chunk *chunk, enum state state)
{
	chunk->state = (uint8_t)state;
	return HTTP1_OK;
}

static bool is_control(uint8_t c)
{
	return (c < ' ' && c != '\t') || c == 0x7f;
}

static bool is_token(uint8_t c)
{
	return http1_scan_span_plain(&HTTP1_SCAN_TOKEN, &c, 0, 1) == 1;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http1_reason want_lf(struct http1_chunk *chunk, uint8_t c, enum state next)
{
	return c == '\n' ? go(chunk, next) : HTTP1_BARE_CR;
}

static enum http1_reason read_size(struct http1_chunk *chunk, uint8_t c)
{
	const int digit = hex_digit(c);

	if (digit >= 0) {
		chunk->n_digits++;
		if (chunk->n_digits > MAX_DIGITS || chunk->left > INT64_MAX >> 4)
			return HTTP1_BAD_CHUNK_SIZE;
		chunk->left = chunk->left << 4 | (unsigned int)digit;
		return HTTP1_OK;
	}
	if (chunk->n_digits == 0)
		return HTTP1_BAD_CHUNK_SIZE;
	if (c == '\r')
		return go(chunk, SIZE_LF);
	if (c == ';')
		return go(chunk, EXTENSION);
	return c == '\n' ? HTTP1_BARE_LF : HTTP1_BAD_CHUNK_SIZE;
}

static enum http1_reason read_extension(struct http1_chunk *chunk, uint8_t c)
{
	if (c == '\r')
		return go(chunk, SIZE_LF);
	if (c == '\n')
		return HTTP1_BARE_LF;
	return is_control(c) || c >= 0x80 ? HTTP1_BAD_CHUNK_EXTENSION : HTTP1_OK;
}

static enum http1_reason end_size(struct http1_chunk *chunk, uint8_t c)
{
	chunk->n_section = 0;
	chunk->n_digits = 0;
	return want_lf(chunk, c, chunk->left > 0 ? DATA : TRAILER_START);
}

static void compare_letter(struct http1_chunk *chunk, uint8_t c)
{
	for (uint32_t k = 0; k < N_FORBIDDEN; k++)
		if (chunk->n_letters >= strlen(FORBIDDEN[k]) ||
			(uint8_t)FORBIDDEN[k][chunk->n_letters] != c)
			chunk->suspects &= (uint8_t) ~(1u << k);
	chunk->n_letters += chunk->n_letters < UINT8_MAX;
}

static bool is_forbidden(const struct http1_chunk *chunk)
{
	for (uint32_t k = 0; k < N_FORBIDDEN; k++)
		if (chunk->suspects & 1u << k && chunk->n_letters == strlen(FORBIDDEN[k]))
			return true;
	return false;
}

static enum http1_reason read_name(struct http1_chunk *chunk, uint8_t c)
{
	const uint8_t lower = c | 0x20;

	if (c == ':')
		return is_forbidden(chunk) ? HTTP1_FORBIDDEN_TRAILER : go(chunk, TRAILER_VALUE);
	if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9'))
		compare_letter(chunk, lower);
	return is_token(c) ? HTTP1_OK : HTTP1_BAD_TRAILER;
}

static enum http1_reason begin_trailer(struct http1_chunk *chunk, uint8_t c)
{
	if (c == '\r')
		return go(chunk, LAST_LF);
	if (c == ':')
		return HTTP1_BAD_TRAILER;
	chunk->n_letters = 0;
	chunk->suspects = ALL_SUSPECTS;
	go(chunk, TRAILER_NAME);
	return read_name(chunk, c);
}

static enum http1_reason read_value(struct http1_chunk *chunk, uint8_t c)
{
	if (c == '\r')
		return go(chunk, TRAILER_LF);
	if (c == '\n')
		return HTTP1_BARE_LF;
	return is_control(c) ? HTTP1_BAD_TRAILER : HTTP1_OK;
}

static enum http1_reason read_framing(struct http1_chunk *chunk, uint8_t c)
{
	switch ((enum state)chunk->state) {
	case SIZE:
		return read_size(chunk, c);
	case EXTENSION:
		return read_extension(chunk, c);
	case SIZE_LF:
		return end_size(chunk, c);
	case DATA_CR:
		return c == '\r' ? go(chunk, DATA_LF) : HTTP1_BAD_CHUNK_END;
	case DATA_LF:
		chunk->n_section = 0;
		return c == '\n' ? go(chunk, SIZE) : HTTP1_BAD_CHUNK_END;
	case TRAILER_START:
		return begin_trailer(chunk, c);
	case TRAILER_NAME:
		return read_name(chunk, c);
	case TRAILER_VALUE:
		return read_value(chunk, c);
	case TRAILER_LF:
		return want_lf(chunk, c, TRAILER_START);
	case LAST_LF:
		return want_lf(chunk, c, END);
	case DATA:
	case END:
		break;
	}
	return HTTP1_OK;
}

// Counts a byte of framing against the limit of its section.
static enum http1_reason check_limit(struct http1_chunk *chunk)
{
	chunk->n_section++;
	if (chunk->state >= TRAILER_START)
		return chunk->n_section > HTTP1_CHUNK_MAX_TRAILERS ? HTTP1_TRAILERS_TOO_LARGE
								   : HTTP1_OK;
	return chunk->n_section > HTTP1_CHUNK_MAX_LINE ? HTTP1_CHUNK_LINE_TOO_LONG : HTTP1_OK;
}

static int feed_data(struct http1_chunk *chunk, uint32_t len)
{
	uint32_t n = len < INT32_MAX ? len : INT32_MAX;

	if (chunk->left < n)
		n = (uint32_t)chunk->left;
	chunk->left -= n;
	if (chunk->left == 0)
		chunk->state = DATA_CR;
	return (int)n;
}

int http1_chunk_feed(struct http1_chunk *chunk, const uint8_t *data, uint32_t len,
	enum http1_chunk_part *part, enum http1_reason *reason)
{
	uint32_t i;

	*part = HTTP1_CHUNK_FRAMING;
	if (chunk->state == END)
		*part = HTTP1_CHUNK_END;
	if (chunk->state == DATA) {
		*part = HTTP1_CHUNK_DATA;
		return feed_data(chunk, len);
	}
	for (i = 0; i < len && chunk->state != DATA && chunk->state != END; i++) {
		*reason = check_limit(chunk);
		if (*reason != HTTP1_OK)
			return -E2BIG;
		*reason = read_framing(chunk, data[i]);
		if (*reason != HTTP1_OK)
			return -EBADMSG;
	}
	return (int)i;
}

uint64_t http1_chunk_room(const struct http1_chunk *chunk)
{
	return chunk->state == DATA ? chunk->left : 0;
}
