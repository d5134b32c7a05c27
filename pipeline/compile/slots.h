// SPDX-License-Identifier: Apache-2.0
#pragma once

// Slots that keep their meaning from one snapshot to the next: a key that was there keeps its slot, a new
// one gets a slot that the old snapshot does not name.

#include <stddef.h>
#include <stdint.h>

// old_keys: n_old keys of key_len bytes by slot; all zero: the slot is free. new_keys: n_new different
// keys. Writes each new key's slot into slots and returns the number of slots that are needed (highest + 1),
// or 0 with errno ENOMEM when n_new is not 0.
uint32_t slots_carry(const void *old_keys, uint32_t n_old, const void *new_keys, uint32_t n_new,
	size_t key_len, uint32_t *slots);
