// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds bytes of a kind in HTTP/1 heads: where a token or a request target ends, and all control
// characters of a block at once. With AVX2, 32 bytes take a few instructions; elsewhere, and where fewer
// than 32 bytes can be read, plain C says the same. A vector that would end behind the input is loaded
// from further in front instead, so only short inputs take the plain way. Byte classes are split by
// nibbles: byte b is in the class when lo[b & 15] and hi[b >> 4] have a bit in common.

#include <endian.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

enum {
	HTTP1_SCAN_BLOCK = 32,
};

struct http1_scan_class {
	uint8_t lo[16];
	uint8_t hi[16];
};

// tchar of RFC 9110 §5.6.2.
static const struct http1_scan_class HTTP1_SCAN_TOKEN = {
	.lo = {0x3a, 0x3f, 0x3e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3e, 0x3e, 0x3d, 0x15, 0x34, 0x15,
		0x3d, 0x1c},
	.hi = {[2] = 0x01, [3] = 0x02, [4] = 0x04, [5] = 0x08, [6] = 0x10, [7] = 0x20},
};

// Visible ASCII without '#': a request target has no fragment.
static const struct http1_scan_class HTTP1_SCAN_TARGET = {
	.lo = {0x06, 0x07, 0x07, 0x06, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07,
		0x07, 0x03},
	.hi = {[2] = 0x01, [3] = 0x02, [4] = 0x02, [5] = 0x02, [6] = 0x02, [7] = 0x04},
};

// All bytes of x that a field value may not have (controls but HTAB, DEL), as their 0x80 bits.
static inline uint64_t http1_scan_word(uint64_t x)
{
	const uint64_t ones = UINT64_MAX / 255, high = 0x80 * ones, low7 = 0x7f * ones;
	const uint64_t not_below_space = ((x & low7) + 0x60 * ones) | x;
	const uint64_t tab = x ^ 0x09 * ones, del = x ^ 0x7f * ones;
	const uint64_t not_tab = ((tab & low7) + low7) | tab;
	const uint64_t not_del = ((del & low7) + low7) | del;

	return ((~not_below_space & not_tab) | ~not_del) & high;
}

static inline uint32_t http1_scan_controls_plain(const uint8_t *data, uint32_t off, uint32_t len)
{
	const uint64_t gather = 0x0102040810204080; // bit 8i of a word to bit 56 + i
	uint8_t block[HTTP1_SCAN_BLOCK];
	uint32_t mask = 0;
	uint64_t word;

	memset(block, ' ', sizeof(block));
	memcpy(block, data + off, len - off < sizeof(block) ? len - off : sizeof(block));
	for (uint32_t i = 0; i < sizeof(block); i += sizeof(word)) {
		memcpy(&word, block + i, sizeof(word));
		word = http1_scan_word(le64toh(word)) >> 7;
		mask |= (uint32_t)(word * gather >> 56) << i;
	}
	return mask;
}

static inline uint32_t http1_scan_span_plain(
	const struct http1_scan_class *class, const uint8_t *data, uint32_t off, uint32_t len)
{
	while (off < len && (class->lo[data[off] & 15] & class->hi[data[off] >> 4]) != 0)
		off++;
	return off;
}

#ifdef __AVX2__

// Where to load the block at off from, and how many of its bytes then lie in front of off.
static inline const uint8_t *http1_scan_load_at(
	const uint8_t *data, uint32_t off, uint32_t len, uint32_t *n_before)
{
	const uint32_t last = len - HTTP1_SCAN_BLOCK;

	*n_before = off > last ? off - last : 0;
	return data + off - *n_before;
}

static inline uint32_t http1_scan_controls_block(const uint8_t *block)
{
	const __m256i x = _mm256_loadu_si256((const __m256i *)block);
	const __m256i below_space =
		_mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(0x1f)), x);
	const __m256i tab = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('\t'));
	const __m256i del = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x7f));

	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(_mm256_andnot_si256(tab, below_space), del));
}

static inline uint32_t http1_scan_class_block(
	const struct http1_scan_class *class, const uint8_t *block)
{
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	const __m256i lo = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)class->lo));
	const __m256i hi = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)class->hi));
	const __m256i x = _mm256_loadu_si256((const __m256i *)block);
	const __m256i by_lo = _mm256_shuffle_epi8(lo, _mm256_and_si256(x, nibble));
	const __m256i by_hi =
		_mm256_shuffle_epi8(hi, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
	const __m256i none =
		_mm256_cmpeq_epi8(_mm256_and_si256(by_lo, by_hi), _mm256_setzero_si256());

	return (uint32_t)_mm256_movemask_epi8(none);
}

#endif

// The control characters among the bytes at off, at most 32 and none at or past len, as bits. HTAB is
// none of them.
static inline uint32_t http1_scan_controls(const uint8_t *data, uint32_t off, uint32_t len)
{
#ifdef __AVX2__
	uint32_t n_before;

	if (len >= HTTP1_SCAN_BLOCK) {
		const uint8_t *block = http1_scan_load_at(data, off, len, &n_before);

		return http1_scan_controls_block(block) >> n_before;
	}
#endif
	return http1_scan_controls_plain(data, off, len);
}

// The offset of the first byte at or after off that is not in the class, or len.
static inline uint32_t http1_scan_span(
	const struct http1_scan_class *class, const uint8_t *data, uint32_t off, uint32_t len)
{
#ifdef __AVX2__
	uint32_t n_before, others;

	for (; len >= HTTP1_SCAN_BLOCK && off < len; off += HTTP1_SCAN_BLOCK - n_before) {
		const uint8_t *block = http1_scan_load_at(data, off, len, &n_before);

		others = http1_scan_class_block(class, block) >> n_before;
		if (others != 0)
			return off + (uint32_t)__builtin_ctz(others);
	}
#endif
	return http1_scan_span_plain(class, data, off, len);
}
