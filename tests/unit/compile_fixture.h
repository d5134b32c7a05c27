// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the compiler share: a configuration text becomes a snapshot that follows the last one.

#include "pipeline/compile/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_common.h>

#include "conf/conf.h"
#include "l7/tables.h"
#include "pipeline/reclaim.h"

#define PORTS                                                                                      \
	"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ \"2001:db8:f::1/64\" ];\n"       \
	"  vlans = ( { id = 7; vrf = \"red\"; addresses = [ \"10.0.0.1/24\", \"fd00::1/64\" ]; "   \
	"},\n"                                                                                     \
	"            { id = 8; vrf = \"red\"; } ); } );\n"
#define RED "vrfs = ( { name = \"red\"; routes = ( "
#define DEFAULT "vrfs = ( { name = \"red\"; }, { name = \"default\"; routes = ( "
#define END_VRFS " ); } );\n"
#define SRV6 "srv6 = { source = \"2001:db8:f::1\";\n"

struct fixture {
	struct reclaim *reclaim;
	struct adj_table *adj_table;
	struct node_spec *spec;
	struct snapshot *snapshot;
	struct refusal refusal;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->reclaim = reclaim_create(NULL);
	f->adj_table = adj_table_create(f->reclaim);
	*state = f;
	return f->adj_table == NULL;
}

// No adjacency may be left when the snapshots are gone, however a compile ended.
static inline int teardown(void **state)
{
	struct fixture *f = *state;
	struct adj_key key;
	int n_left = 0;

	snapshot_destroy(f->snapshot);
	node_spec_release(f->spec);
	for (uint32_t slot = 0; slot < ADJ_MAX_SLOTS; slot++)
		n_left += adj_table_key(f->adj_table, slot, &key);
	adj_table_destroy(f->adj_table);
	reclaim_destroy(f->reclaim);
	free(f);
	return n_left;
}

static inline void load(struct fixture *f, const char *text)
{
	node_spec_release(f->spec);
	f->spec = NULL;
	if (conf_load_text(text, strlen(text), "f", &f->spec, &f->refusal) != 0)
		fail_msg("the reader refuses: %s", f->refusal.text);
}

// Compiles f->spec after f->snapshot, which goes when that succeeds.
static inline int compile(struct fixture *f)
{
	struct compile_input input = {
		.spec = f->spec, .live = f->snapshot, .adj_table = f->adj_table};
	struct snapshot *snapshot = NULL;
	int ret = compile_snapshot(&input, &snapshot, &f->refusal);

	if (ret == 0) {
		snapshot_destroy(f->snapshot);
		f->snapshot = snapshot;
	}
	return ret;
}

static inline void must_compile(struct fixture *f, const char *text)
{
	load(f, text);
	if (compile(f) != 0)
		fail_msg("refused: %s", f->refusal.text);
}

// The slot of a name; L7_NO_SLOT: there is none.
static inline uint32_t find_name(const struct paged *names, const char *text)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (strcmp(l7_tables_name(names, i)->text, text) == 0)
			return i;
	return L7_NO_SLOT;
}

#define COMPILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
