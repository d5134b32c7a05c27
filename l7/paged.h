// SPDX-License-Identifier: Apache-2.0
#pragma once

// An array by slot of which several versions live at once: versions share the pages in which they agree, so that
// the next one costs what changes in it. A version is immutable; it is made as a draft of its own. Items are
// plain bytes, or pointers to blocks (l7/block.h), which a page holds references to. All references are of the
// control side.

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PAGED_ITEMS = 256, // of a page
};

struct paged_page {
	uint32_t n_refs; // versions that share it
	alignas(64) uint8_t items[];
};

enum paged_items {
	PAGED_BYTES,
	PAGED_BLOCKS, // struct block *, or NULL
};

struct paged {
	uint32_t n_refs;
	uint32_t n;	  // items
	uint32_t n_pages; // there is no NULL among them
	uint32_t n_room;
	uint32_t item_bytes;
	enum paged_items items;
	struct paged_page *pages[];
};

// The item of a slot below n. item_bytes is a constant where it is called: workers come here for each request.
static inline const void *paged_at(const struct paged *paged, uint32_t slot, size_t item_bytes)
{
	return paged->pages[slot / PAGED_ITEMS]->items + slot % PAGED_ITEMS * item_bytes;
}

// Memory, without that of blocks.
size_t paged_bytes(const struct paged *paged);

struct paged *paged_acquire(struct paged *paged);
// NULL is fine.
void paged_release(struct paged *paged);

// A version on its way. A failed allocation is remembered, and paged_finish() tells.
struct paged_draft {
	struct paged *base; // the version that it follows
	struct paged *own;  // NULL: nothing has changed yet
	bool failed;
};

// base NULL: an empty array.
void paged_start(
	struct paged_draft *draft, struct paged *base, enum paged_items items, uint32_t item_bytes);
// The item as the draft has it, or NULL: there is none of that slot.
const void *paged_draft_at(const struct paged_draft *draft, uint32_t slot);
uint32_t paged_draft_n(const struct paged_draft *draft);
// Items in between are zeroed. Bytes are copied; of a block, the reference is handed over. Returns whether the
// item is another than before.
bool paged_set(struct paged_draft *draft, uint32_t slot, const void *item);
// Forgets the items from n on, or adds zeros up to there.
void paged_resize(struct paged_draft *draft, uint32_t n);
// The version, with one reference: base itself when nothing has changed. NULL: out of memory.
struct paged *paged_finish(struct paged_draft *draft);
// Instead of finishing.
void paged_drop(struct paged_draft *draft);
