// SPDX-License-Identifier: Apache-2.0

#include "pipeline/compile/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	KEY_LEN = 16,
	MAX_KEYS = 600,
};

struct key {
	char text[KEY_LEN];
};

static struct key key(const char *text)
{
	struct key k = {""};

	snprintf(k.text, sizeof(k.text), "%s", text);
	return k;
}

static uint32_t carry(const struct key *old, uint32_t n_old, const struct key *new, uint32_t n_new,
	uint32_t *slots)
{
	return slots_carry(old, n_old, new, n_new, KEY_LEN, slots);
}

static void slots_first_keys_count_up(void **state)
{
	const struct key new[] = {key("c"), key("a"), key("b")};
	uint32_t slots[3];

	(void)state;
	assert_int_equal(carry(NULL, 0, new, 3, slots), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(slots[i], i);
}

static void slots_kept_keys_keep_their_slots(void **state)
{
	const struct key old[] = {key("a"), key("b"), key("c")};
	const struct key new[] = {key("c"), key("b"), key("a")};
	uint32_t slots[3];

	(void)state;
	assert_int_equal(carry(old, 3, new, 3, slots), 3);
	assert_int_equal(slots[0], 2);
	assert_int_equal(slots[1], 1);
	assert_int_equal(slots[2], 0);
}

// The old snapshot may be in use: a slot that it names is nobody else's.
static void slots_new_key_avoids_old_names(void **state)
{
	const struct key old[] = {key("a"), key("b")};
	const struct key new[] = {key("x"), key("b")};
	uint32_t slots[2];

	(void)state;
	assert_int_equal(carry(old, 2, new, 2, slots), 3);
	assert_int_equal(slots[0], 2);
	assert_int_equal(slots[1], 1);
}

static void slots_new_key_takes_free_slot(void **state)
{
	const struct key old[] = {key("a"), key(""), key("c"), key("")};
	const struct key new[] = {key("x"), key("y"), key("z"), key("c")};
	uint32_t slots[4];

	(void)state;
	assert_int_equal(carry(old, 4, new, 4, slots), 5);
	assert_int_equal(slots[0], 1);
	assert_int_equal(slots[1], 3);
	assert_int_equal(slots[2], 4);
	assert_int_equal(slots[3], 2);
}

static void slots_removed_tail_needs_fewer(void **state)
{
	const struct key old[] = {key("a"), key("b"), key("c")};
	const struct key new[] = {key("a")};
	uint32_t slots[1];

	(void)state;
	assert_int_equal(carry(old, 3, new, 1, slots), 1);
	assert_int_equal(slots[0], 0);
	assert_int_equal(carry(old, 3, NULL, 0, NULL), 0);
}

// Against the rules themselves, over a long life of random sets.
static void slots_random_sets_follow_the_rules(void **state)
{
	static struct key old[2 * MAX_KEYS], new[MAX_KEYS], next[2 * MAX_KEYS];
	uint32_t n_old = 0, slots[MAX_KEYS];
	unsigned int random = 7;

	(void)state;
	for (unsigned int round = 0; round < 200; round++) {
		uint32_t n_new = 0, n_slots;

		for (unsigned int i = 0; i < MAX_KEYS; i++) {
			char text[KEY_LEN];

			if (rand_r(&random) % 3 == 0)
				continue;
			snprintf(text, sizeof(text), "k%u", i);
			new[n_new++] = key(text);
		}
		n_slots = carry(old, n_old, new, n_new, slots);
		assert_in_range(n_slots, n_new, n_old + n_new);
		memset(next, 0, sizeof(next));
		for (uint32_t i = 0; i < n_new; i++) {
			assert_true(slots[i] < n_slots);
			assert_string_equal(next[slots[i]].text, "");
			next[slots[i]] = new[i];
			// The slot was free, or this key's.
			if (slots[i] < n_old && old[slots[i]].text[0] != '\0')
				assert_string_equal(old[slots[i]].text, new[i].text);
		}
		for (uint32_t i = 0; i < n_old; i++)
			for (uint32_t k = 0; k < n_new && old[i].text[0] != '\0'; k++)
				if (memcmp(&old[i], &new[k], KEY_LEN) == 0)
					assert_int_equal(slots[k], i);
		memcpy(old, next, sizeof(old));
		n_old = n_slots;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_first_keys_count_up),
		cmocka_unit_test(slots_kept_keys_keep_their_slots),
		cmocka_unit_test(slots_new_key_avoids_old_names),
		cmocka_unit_test(slots_new_key_takes_free_slot),
		cmocka_unit_test(slots_removed_tail_needs_fewer),
		cmocka_unit_test(slots_random_sets_follow_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
