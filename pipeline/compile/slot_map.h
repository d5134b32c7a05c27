// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys of one kind and their slots, from one snapshot to the next: a key that was there keeps its slot, a new one
// gets one that the live snapshot does not name. The items of all slots are an array of which each snapshot has
// a version (l7/paged.h); the map is what finds a key in it, and what is free. It costs what changes. A map that
// has been started is finished, or else begun anew from the live items.

#include "l7/paged.h"

enum {
	SLOT_NONE = UINT32_MAX,
};

enum slot_use {
	SLOT_FREE,
	SLOT_HIDDEN, // in use, but no key finds it
	SLOT_USED,
};

// How a kind of items is told apart.
struct slot_kind {
	uint32_t item_bytes;
	uint32_t (*hash)(const void *item);
	bool (*same)(const void *a, const void *b); // whether their keys are
	enum slot_use (*use)(const void *item);
};

// What the compiler remembers of a slot.
struct slot_note {
	const void *spec; // that the slot stands for; NULL: none
	uint32_t stamp;	  // of the last compile that wanted it
	uint32_t count;	  // of the kind's own
};

struct slot_list {
	uint32_t n;
	uint32_t n_room;
	uint32_t *slots;
};

// All zero at the start, but for the kind.
struct slot_map {
	const struct slot_kind *kind;
	struct paged_draft items;
	struct slot_note *notes;
	uint32_t n_notes;
	uint32_t n;	   // slots that were ever given out, up to the highest in use
	uint32_t *entries; // an open-addressing index: slot + 1; 0 is empty
	uint32_t mask;
	uint32_t n_entries;
	struct slot_list free;
	struct slot_list dropped; // by this compile; the live snapshot names them still
	struct slot_list fresh;	  // given out by this compile
	bool failed;		  // out of memory
};

// Begins a compile after the live items. The map is true of them already, or is made so.
void slot_map_start(struct slot_map *map, struct paged *live);
void slot_map_restart(struct slot_map *map, struct paged *live);

uint32_t slot_map_find(const struct slot_map *map, const void *item);
// The slot of the item's key, a new one if need be. SLOT_NONE: no memory, which the map remembers.
uint32_t slot_map_take(struct slot_map *map, const void *item);
// Writes a used slot's item; its key stays.
void slot_map_put(struct slot_map *map, uint32_t slot, const void *item);
// Writes an item that no key finds any more.
void slot_map_hide(struct slot_map *map, uint32_t slot, const void *item);
// Frees the slot for the next compile.
void slot_map_drop(struct slot_map *map, uint32_t slot);
// The item as this compile has it; NULL: there is none.
const void *slot_map_at(const struct slot_map *map, uint32_t slot);

bool slot_list_add(struct slot_list *list, uint32_t slot);

// The new version of the items; NULL: out of memory. Then, or when the compile is given up, the map is of no
// use until it is restarted.
struct paged *slot_map_finish(struct slot_map *map);
void slot_map_stop(struct slot_map *map);
void slot_map_clear(struct slot_map *map);
