// SPDX-License-Identifier: Apache-2.0

#include "l7/pages.h"

#include <stdint.h>
#include <sys/mman.h>

enum {
	HUGE_PAGE = 2 << 20,
};

// Huge pages begin at multiples of their size: what is mapped in excess before the first one goes back.
static void *map_aligned(size_t n_bytes, int flags)
{
	uint8_t *mem = mmap(NULL, n_bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	size_t before;

	if (mem == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)mem % HUGE_PAGE;
	if (before > 0)
		munmap(mem, before);
	munmap(mem + before + n_bytes, HUGE_PAGE - before);
	return mem + before;
}

static size_t whole_pages(size_t n_bytes)
{
	const size_t page = 4096;

	return (n_bytes + page - 1) / page * page;
}

void *pages_map(size_t n_bytes, enum pages_use use)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (use == PAGES_SOME ? MAP_NORESERVE : 0);
	void *mem;

	if (n_bytes < HUGE_PAGE) {
		mem = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
		return mem == MAP_FAILED ? NULL : mem;
	}
	mem = map_aligned(whole_pages(n_bytes), flags);
	if (mem != NULL)
		madvise(mem, n_bytes, MADV_HUGEPAGE);
	return mem;
}

void pages_unmap(void *memory, size_t n_bytes)
{
	if (memory != NULL)
		munmap(memory, whole_pages(n_bytes));
}
