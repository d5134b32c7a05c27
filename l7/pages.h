// SPDX-License-Identifier: Apache-2.0
#pragma once

// Large tables that are jumped about in: memory of its own, zeroed, in huge pages where the kernel has some.
// With small ones most accesses would miss the processor's page table cache, which in a virtual machine costs
// more than the miss itself.

#include <stddef.h>

enum pages_use {
	PAGES_ALL,  // there must be memory for all of it
	PAGES_SOME, // most of it is never touched
};

// NULL: no memory.
void *pages_map(size_t n_bytes, enum pages_use use);
// NULL is fine.
void pages_unmap(void *memory, size_t n_bytes);
