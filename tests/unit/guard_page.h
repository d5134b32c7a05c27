// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes that end where an unmapped page begins: a decoder that reads one byte too many crashes
// instead of passing. Feed every prefix of an input through guard_page_place().

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sys/mman.h>

enum {
	GUARD_PAGE_LEN = 4096,
	GUARD_PAGE_MAX_INPUT = 4 * GUARD_PAGE_LEN,
};

struct guard_page {
	uint8_t *end; // the first byte that cannot be read
};

static inline struct guard_page guard_page_map(void)
{
	uint8_t *base = mmap(NULL, GUARD_PAGE_MAX_INPUT + GUARD_PAGE_LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct guard_page page = {.end = base + GUARD_PAGE_MAX_INPUT};

	if (base == MAP_FAILED || mprotect(page.end, GUARD_PAGE_LEN, PROT_NONE) != 0)
		__builtin_trap();
	return page;
}

// Returns the copy of bytes, valid until the next call.
static inline uint8_t *guard_page_place(
	const struct guard_page *page, const void *bytes, size_t len)
{
	if (len > GUARD_PAGE_MAX_INPUT)
		__builtin_trap();
	return memcpy(page->end - len, bytes, len);
}

static inline void guard_page_unmap(struct guard_page *page)
{
	munmap(page->end - GUARD_PAGE_MAX_INPUT, GUARD_PAGE_MAX_INPUT + GUARD_PAGE_LEN);
	page->end = NULL;
}
