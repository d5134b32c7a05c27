// SPDX-License-Identifier: Apache-2.0
#include "pipeline/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/spec.h"

static void arena_many_pieces_are_zeroed_aligned_and_apart(void **state)
{
	enum {
		N = 5000
	};
	struct arena *arena = arena_create();
	static uint8_t *pieces[N];
	static size_t sizes[N];

	(void)state;
	assert_non_null(arena);
	srandom(1);
	for (size_t i = 0; i < N; i++) {
		sizes[i] = (size_t)random() % (i % 100 == 0 ? 300000 : 200);
		pieces[i] = arena_alloc(arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i & 0xff), sizes[i]);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	arena_destroy(arena);
}

static void arena_piece_larger_than_a_chunk_is_given(void **state)
{
	struct arena *arena = arena_create();
	uint8_t *small, *large, *next;

	(void)state;
	small = arena_alloc(arena, 16);
	large = arena_alloc(arena, 5 << 20);
	next = arena_alloc(arena, 16);
	assert_non_null(large);
	memset(large, 0xff, 5 << 20);
	// The large piece does not end the chunk that small things come from.
	assert_ptr_equal(next, small + 16);
	assert_int_equal(next[0], 0);
	arena_destroy(arena);
}

static void arena_impossible_size_is_enomem(void **state)
{
	struct arena *arena = arena_create();

	(void)state;
	errno = 0;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(arena_alloc(arena, SIZE_MAX - 31));
	assert_int_equal(errno, ENOMEM);
	arena_destroy(arena);
	arena_destroy(NULL);
}

static void arena_strdup_copies(void **state)
{
	struct arena *arena = arena_create();
	char text[] = "p0.100";
	char *copy = arena_strdup(arena, text);

	(void)state;
	text[0] = 'x';
	assert_string_equal(copy, "p0.100");
	assert_string_equal(arena_strdup(arena, ""), "");
	arena_destroy(arena);
}

static void spec_refusal_tells_its_origin(void **state)
{
	struct spec_origin origin = {.source = "pergola.cfg", .line = 7};
	struct refusal refusal;

	(void)state;
	assert_int_equal(refusal_set(&refusal, &origin, "mtu %d", 5), -EINVAL);
	assert_string_equal(refusal.text, "pergola.cfg:7: mtu 5");
	origin.line = 0;
	assert_int_equal(refusal_set(&refusal, &origin, "mtu %d", 5), -EINVAL);
	assert_string_equal(refusal.text, "pergola.cfg: mtu 5");
	origin.source = NULL;
	refusal_set(&refusal, &origin, "mtu %d", 5);
	assert_string_equal(refusal.text, "mtu 5");
	refusal_set(&refusal, NULL, "mtu %d", 6);
	assert_string_equal(refusal.text, "mtu 6");
}

static void spec_refusal_too_long_is_cut_not_overrun(void **state)
{
	static char name[2000];
	struct spec_origin origin = {.source = name, .line = 7};
	struct {
		struct refusal refusal;
		uint8_t after[64];
	} r;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	memset(&r, 0x55, sizeof(r));
	refusal_set(&r.refusal, &origin, "reason %s", name);
	assert_int_equal(strlen(r.refusal.text), sizeof(r.refusal.text) - 1);
	assert_non_null(strstr(r.refusal.text, "reason "));
	assert_int_equal(r.after[0], 0x55);
}

static void spec_destroy_frees_what_hangs_from_it(void **state)
{
	struct arena *arena = arena_create();
	struct node_spec *spec = arena_alloc(arena, sizeof(*spec));

	(void)state;
	spec->arena = arena;
	spec->hostname = arena_strdup(arena, "node");
	node_spec_release(spec); // a leak is for the leak sanitizer to tell
	node_spec_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_many_pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(arena_piece_larger_than_a_chunk_is_given),
		cmocka_unit_test(arena_impossible_size_is_enomem),
		cmocka_unit_test(arena_strdup_copies),
		cmocka_unit_test(spec_refusal_tells_its_origin),
		cmocka_unit_test(spec_refusal_too_long_is_cut_not_overrun),
		cmocka_unit_test(spec_destroy_frees_what_hangs_from_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
