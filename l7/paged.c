// SPDX-License-Identifier: Apache-2.0

// A draft takes over the pages of its base with its first change, and copies a page before it writes into one
// that others have, too.

#include "l7/paged.h"

#include <stdlib.h>
#include <string.h>

#include "l7/block.h"

enum {
	FIRST_ROOM = 8, // pages
};

static struct block *block_at(const struct paged_page *page, uint32_t i)
{
	return ((struct block *const *)(const void *)page->items)[i];
}

static size_t page_bytes(const struct paged *paged)
{
	size_t n_bytes = sizeof(struct paged_page) + PAGED_ITEMS * paged->item_bytes;

	return (n_bytes + alignof(struct paged_page) - 1) & ~(alignof(struct paged_page) - 1);
}

size_t paged_bytes(const struct paged *paged)
{
	return sizeof(*paged) + paged->n_room * sizeof(paged->pages[0]) +
	       paged->n_pages * page_bytes(paged);
}

static void release_page(const struct paged *paged, struct paged_page *page)
{
	if (--page->n_refs > 0)
		return;
	for (uint32_t i = 0; paged->items == PAGED_BLOCKS && i < PAGED_ITEMS; i++)
		block_release(block_at(page, i));
	free(page);
}

struct paged *paged_acquire(struct paged *paged)
{
	paged->n_refs++;
	return paged;
}

void paged_release(struct paged *paged)
{
	if (paged == NULL || --paged->n_refs > 0)
		return;
	for (uint32_t i = 0; i < paged->n_pages; i++)
		release_page(paged, paged->pages[i]);
	free(paged);
}

static struct paged *create(enum paged_items items, uint32_t item_bytes, uint32_t n_room)
{
	struct paged *paged = malloc(sizeof(*paged) + n_room * sizeof(paged->pages[0]));

	if (paged != NULL)
		*paged = (struct paged){
			.n_refs = 1, .n_room = n_room, .item_bytes = item_bytes, .items = items};
	return paged;
}

void paged_start(
	struct paged_draft *draft, struct paged *base, enum paged_items items, uint32_t item_bytes)
{
	*draft = (struct paged_draft){.base = base};
	if (base == NULL)
		draft->own = create(items, item_bytes, FIRST_ROOM);
	draft->failed = base == NULL && draft->own == NULL;
}

static const struct paged *current(const struct paged_draft *draft)
{
	return draft->own != NULL ? draft->own : draft->base;
}

uint32_t paged_draft_n(const struct paged_draft *draft)
{
	return current(draft) == NULL ? 0 : current(draft)->n;
}

const void *paged_draft_at(const struct paged_draft *draft, uint32_t slot)
{
	const struct paged *paged = current(draft);

	return slot < paged_draft_n(draft) ? paged_at(paged, slot, paged->item_bytes) : NULL;
}

static bool make_own(struct paged_draft *draft)
{
	struct paged *base = draft->base;

	if (draft->own != NULL)
		return true;
	draft->own = create(base->items, base->item_bytes, base->n_pages + FIRST_ROOM);
	if (draft->own == NULL)
		return false;
	draft->own->n = base->n;
	draft->own->n_pages = base->n_pages;
	memcpy(draft->own->pages, base->pages, base->n_pages * sizeof(base->pages[0]));
	for (uint32_t i = 0; i < base->n_pages; i++)
		base->pages[i]->n_refs++;
	return true;
}

static struct paged_page *create_page(const struct paged *paged)
{
	struct paged_page *page = aligned_alloc(alignof(struct paged_page), page_bytes(paged));

	if (page != NULL) {
		memset(page, 0, page_bytes(paged));
		page->n_refs = 1;
	}
	return page;
}

// Appends empty pages until there is one for the slot.
static bool add_pages(struct paged_draft *draft, uint32_t slot)
{
	while (slot / PAGED_ITEMS >= draft->own->n_pages) {
		struct paged *own = draft->own;

		if (own->n_pages == own->n_room) {
			uint32_t n_room = 2 * own->n_room;

			own = realloc(own, sizeof(*own) + n_room * sizeof(own->pages[0]));
			if (own == NULL)
				return false;
			draft->own = own;
			own->n_room = n_room;
		}
		own->pages[own->n_pages] = create_page(own);
		if (own->pages[own->n_pages] == NULL)
			return false;
		own->n_pages++;
	}
	if (slot >= draft->own->n)
		draft->own->n = slot + 1;
	return true;
}

static bool make_page_own(struct paged *own, uint32_t page_idx)
{
	struct paged_page *page = own->pages[page_idx], *copy;

	if (page->n_refs == 1)
		return true;
	copy = create_page(own);
	if (copy == NULL)
		return false;
	memcpy(copy->items, page->items, PAGED_ITEMS * own->item_bytes);
	for (uint32_t i = 0; own->items == PAGED_BLOCKS && i < PAGED_ITEMS; i++)
		if (block_at(copy, i) != NULL)
			block_acquire(block_at(copy, i));
	page->n_refs--;
	own->pages[page_idx] = copy;
	return true;
}

static void put(struct paged *own, uint32_t slot, const void *item)
{
	struct paged_page *page = own->pages[slot / PAGED_ITEMS];
	uint32_t i = slot % PAGED_ITEMS;

	if (own->items == PAGED_BLOCKS)
		block_release(block_at(page, i));
	memcpy(page->items + i * own->item_bytes, item, own->item_bytes);
}

static void release_item(const struct paged_draft *draft, const void *item)
{
	if (current(draft) != NULL && current(draft)->items == PAGED_BLOCKS)
		block_release(*(struct block *const *)item);
}

bool paged_set(struct paged_draft *draft, uint32_t slot, const void *item)
{
	const void *old = paged_draft_at(draft, slot);

	if (old != NULL && memcmp(old, item, current(draft)->item_bytes) == 0) {
		release_item(draft, item);
		return false;
	}
	if (draft->failed || !make_own(draft) || !add_pages(draft, slot) ||
		!make_page_own(draft->own, slot / PAGED_ITEMS)) {
		draft->failed = true;
		release_item(draft, item);
		return false;
	}
	put(draft->own, slot, item);
	return true;
}

// What stays of the last page is zero behind n, as add_pages() has it.
void paged_resize(struct paged_draft *draft, uint32_t n)
{
	static const uint8_t zeros[256];
	uint32_t n_pages = (n + PAGED_ITEMS - 1) / PAGED_ITEMS;

	if (n == paged_draft_n(draft))
		return;
	if (draft->failed || !make_own(draft) || (n > draft->own->n && !add_pages(draft, n - 1))) {
		draft->failed = true;
		return;
	}
	while (draft->own->n_pages > n_pages) {
		draft->own->n_pages--;
		release_page(draft->own, draft->own->pages[draft->own->n_pages]);
	}
	if (draft->own->n > n_pages * PAGED_ITEMS)
		draft->own->n = n_pages * PAGED_ITEMS;
	while (draft->own->n > n && !draft->failed) {
		paged_set(draft, draft->own->n - 1, zeros);
		draft->own->n--;
	}
}

struct paged *paged_finish(struct paged_draft *draft)
{
	struct paged *paged = draft->own;

	if (draft->failed) {
		paged_drop(draft);
		return NULL;
	}
	if (paged == NULL)
		paged = paged_acquire(draft->base);
	*draft = (struct paged_draft){0};
	return paged;
}

void paged_drop(struct paged_draft *draft)
{
	paged_release(draft->own);
	*draft = (struct paged_draft){0};
}
