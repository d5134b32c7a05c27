// SPDX-License-Identifier: Apache-2.0

// What differs between the spec that the live snapshot was made from and the wanted one. A spec is told by its
// address: the memory holds on to what was compiled, so no other spec can have got it.

#include <stdlib.h>

#include "pipeline/compile/compile_l7_priv.h"

bool l7_change_list_add(struct l7_change_list *list, const struct l7_change *change)
{
	if (list->n == list->n_room) {
		uint32_t n_room = list->n_room == 0 ? 16 : 2 * list->n_room;
		struct l7_change *items = realloc(list->items, n_room * sizeof(*items));

		if (items == NULL)
			return false;
		list->items = items;
		list->n_room = n_room;
	}
	list->items[list->n++] = *change;
	return true;
}

// What all three kinds begin with.
struct named {
	const struct spec_origin *origin;
	const char *name;
};

static bool add(struct l7_change_list *list, const void *spec)
{
	const struct named *named = spec;

	return l7_change_list_add(list, &(struct l7_change){.spec = spec, .name = named->name});
}

// Arrays of pointers.
static int compare_arrays(struct compile_l7 *l, struct l7_changes *changes, const void *old_array,
	uint32_t n_old, const void *new_array, uint32_t n_new)
{
	const void *const *old = old_array, *const *new = new_array;
	bool fits = true;

	for (uint32_t i = 0; i < n_old || i < n_new; i++) {
		if (i < n_old && i < n_new && old[i] == new[i])
			continue;
		if (i < n_old)
			fits &= add(&changes->removed, old[i]);
		if (i < n_new)
			fits &= add(&changes->added, new[i]);
	}
	return fits ? 0 : compile_no_memory(l->c);
}

int l7_find_changes(struct compile_l7 *l)
{
	static const struct l7_spec none;
	const struct l7_spec *old = l->c->is_follow_up ? &l->m->spec->l7 : &none, *new = l->spec;
	int ret = compare_arrays(l, &l->changed_clusters, old->clusters, old->n_clusters,
		new->clusters, new->n_clusters);

	if (ret == 0)
		ret = compare_arrays(l, &l->changed_listeners, old->listeners, old->n_listeners,
			new->listeners, new->n_listeners);
	if (ret == 0)
		ret = compare_arrays(l, &l->changed_tables, old->route_configurations,
			old->n_route_configurations, new->route_configurations,
			new->n_route_configurations);
	return ret;
}

static void forget(struct l7_changes *changes)
{
	free(changes->added.items);
	free(changes->removed.items);
}

void l7_forget_changes(struct compile_l7 *l)
{
	forget(&l->changed_clusters);
	forget(&l->changed_listeners);
	forget(&l->changed_tables);
	free(l->left_clusters.slots);
}
