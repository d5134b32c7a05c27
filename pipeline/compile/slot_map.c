// SPDX-License-Identifier: Apache-2.0

#include "pipeline/compile/slot_map.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIRST_ENTRIES = 16,
};

bool slot_list_add(struct slot_list *list, uint32_t slot)
{
	if (list->n == list->n_room) {
		uint32_t n_room = list->n_room == 0 ? 16 : 2 * list->n_room;
		uint32_t *slots = realloc(list->slots, n_room * sizeof(*slots));

		if (slots == NULL)
			return false;
		list->slots = slots;
		list->n_room = n_room;
	}
	list->slots[list->n++] = slot;
	return true;
}

const void *slot_map_at(const struct slot_map *map, uint32_t slot)
{
	return paged_draft_at(&map->items, slot);
}

static uint32_t hash_of(const struct slot_map *map, uint32_t slot)
{
	return map->kind->hash(slot_map_at(map, slot));
}

static void insert_entry(struct slot_map *map, uint32_t slot)
{
	uint32_t at = hash_of(map, slot);

	while (map->entries[at & map->mask] != 0)
		at++;
	map->entries[at & map->mask] = slot + 1;
	map->n_entries++;
}

// At most half of the entries are taken.
static bool make_room(struct slot_map *map)
{
	uint32_t *old = map->entries, n_old = old == NULL ? 0 : map->mask + 1;
	uint32_t size = n_old == 0 ? FIRST_ENTRIES : 2 * n_old;

	if (2 * (map->n_entries + 1) <= n_old)
		return true;
	map->entries = calloc(size, sizeof(*map->entries));
	if (map->entries == NULL) {
		map->entries = old;
		return false;
	}
	map->mask = size - 1;
	map->n_entries = 0;
	for (uint32_t i = 0; i < n_old; i++)
		if (old[i] != 0)
			insert_entry(map, old[i] - 1);
	free(old);
	return true;
}

static void add_entry(struct slot_map *map, uint32_t slot)
{
	if (make_room(map))
		insert_entry(map, slot);
	else
		map->failed = true;
}

// Where in the index a slot stands.
static uint32_t entry_of(const struct slot_map *map, uint32_t slot)
{
	uint32_t at = hash_of(map, slot);

	while (map->entries[at & map->mask] != slot + 1)
		at++;
	return at & map->mask;
}

// Closes the gap: whoever stands behind it and hashes to it, or before it, moves up.
static void remove_entry(struct slot_map *map, uint32_t slot)
{
	uint32_t gap = entry_of(map, slot);

	for (uint32_t at = (gap + 1) & map->mask; map->entries[at] != 0;
		at = (at + 1) & map->mask) {
		uint32_t home = hash_of(map, map->entries[at] - 1) & map->mask;

		if (((at - home) & map->mask) < ((at - gap) & map->mask))
			continue;
		map->entries[gap] = map->entries[at];
		gap = at;
	}
	map->entries[gap] = 0;
	map->n_entries--;
}

static bool grow_notes(struct slot_map *map, uint32_t n)
{
	uint32_t n_notes = map->n_notes == 0 ? 64 : map->n_notes;
	struct slot_note *notes;

	if (n <= map->n_notes)
		return true;
	while (n_notes < n)
		n_notes *= 2;
	notes = realloc(map->notes, n_notes * sizeof(*notes));
	if (notes == NULL)
		return false;
	memset(notes + map->n_notes, 0, (n_notes - map->n_notes) * sizeof(*notes));
	map->notes = notes;
	map->n_notes = n_notes;
	return true;
}

void slot_map_start(struct slot_map *map, struct paged *live)
{
	paged_start(&map->items, live, PAGED_BYTES, map->kind->item_bytes);
	map->dropped.n = 0;
	map->fresh.n = 0;
	map->failed = false;
}

void slot_map_restart(struct slot_map *map, struct paged *live)
{
	slot_map_start(map, live);
	map->n = paged_draft_n(&map->items);
	map->n_entries = 0;
	map->free.n = 0;
	if (map->entries != NULL)
		memset(map->entries, 0, (map->mask + 1) * sizeof(*map->entries));
	if (map->notes != NULL)
		memset(map->notes, 0, map->n_notes * sizeof(*map->notes));
	if (!grow_notes(map, map->n)) {
		map->failed = true;
		return;
	}
	// Backwards, so that low slots are given out first.
	for (uint32_t slot = map->n; slot-- > 0 && !map->failed;) {
		enum slot_use use = map->kind->use(slot_map_at(map, slot));

		if (use == SLOT_USED)
			add_entry(map, slot);
		else if (use == SLOT_FREE)
			map->failed = !slot_list_add(&map->free, slot);
	}
}

uint32_t slot_map_find(const struct slot_map *map, const void *item)
{
	if (map->entries == NULL)
		return SLOT_NONE;
	for (uint32_t at = map->kind->hash(item);; at++) {
		uint32_t entry = map->entries[at & map->mask];

		if (entry == 0)
			return SLOT_NONE;
		if (map->kind->same(slot_map_at(map, entry - 1), item))
			return entry - 1;
	}
}

static uint32_t give_out(struct slot_map *map)
{
	if (map->free.n > 0)
		return map->free.slots[--map->free.n];
	return grow_notes(map, map->n + 1) ? map->n++ : SLOT_NONE;
}

uint32_t slot_map_take(struct slot_map *map, const void *item)
{
	uint32_t slot = slot_map_find(map, item);

	if (slot != SLOT_NONE || map->failed)
		return map->failed ? SLOT_NONE : slot;
	slot = give_out(map);
	if (slot == SLOT_NONE || !make_room(map) || !slot_list_add(&map->fresh, slot)) {
		map->failed = true;
		return SLOT_NONE;
	}
	map->notes[slot] = (struct slot_note){0};
	paged_set(&map->items, slot, item);
	if (map->items.failed) {
		map->failed = true;
		return SLOT_NONE;
	}
	insert_entry(map, slot);
	return slot;
}

void slot_map_put(struct slot_map *map, uint32_t slot, const void *item)
{
	paged_set(&map->items, slot, item);
	map->failed |= map->items.failed;
}

void slot_map_hide(struct slot_map *map, uint32_t slot, const void *item)
{
	if (map->kind->use(slot_map_at(map, slot)) == SLOT_USED)
		remove_entry(map, slot);
	slot_map_put(map, slot, item);
}

void slot_map_drop(struct slot_map *map, uint32_t slot)
{
	static const uint8_t zeros[256];

	slot_map_hide(map, slot, zeros);
	map->notes[slot] = (struct slot_note){0};
	map->failed |= !slot_list_add(&map->dropped, slot);
}

// Cuts off the free slots at the end.
static void cut(struct slot_map *map)
{
	uint32_t n = map->n, n_free = 0;

	while (n > 0 && map->kind->use(slot_map_at(map, n - 1)) == SLOT_FREE)
		n--;
	if (n == map->n)
		return;
	paged_resize(&map->items, n);
	map->n = n;
	for (uint32_t i = 0; i < map->free.n; i++)
		if (map->free.slots[i] < n)
			map->free.slots[n_free++] = map->free.slots[i];
	map->free.n = n_free;
}

// From the next compile on, nobody names the dropped ones.
struct paged *slot_map_finish(struct slot_map *map)
{
	for (uint32_t i = map->dropped.n; i-- > 0 && !map->failed;)
		map->failed = !slot_list_add(&map->free, map->dropped.slots[i]);
	cut(map);
	map->failed |= map->items.failed;
	if (!map->failed)
		return paged_finish(&map->items);
	slot_map_stop(map);
	return NULL;
}

void slot_map_stop(struct slot_map *map)
{
	paged_drop(&map->items);
}

void slot_map_clear(struct slot_map *map)
{
	slot_map_stop(map);
	free(map->notes);
	free(map->entries);
	free(map->free.slots);
	free(map->dropped.slots);
	free(map->fresh.slots);
	*map = (struct slot_map){.kind = map->kind};
}
