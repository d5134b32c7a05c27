// SPDX-License-Identifier: Apache-2.0

// Slots that nobody wants any more. Of a follow-up only what was removed or replaced can have left some; else all
// that this compile did not want go.

#include "pipeline/compile/compile_l7_priv.h"

static bool is_used(const struct slot_map *map, uint32_t slot)
{
	return map->kind->use(slot_map_at(map, slot)) == SLOT_USED;
}

static void drop_unwanted(struct compile_l7 *l, struct slot_map *map)
{
	for (uint32_t slot = 0; slot < map->n; slot++)
		if (is_used(map, slot) && map->notes[slot].stamp != l->m->stamp)
			slot_map_drop(map, slot);
}

static int drop_table(struct compile_l7 *l, uint32_t slot)
{
	struct slot_map *map = &l->m->tables;
	int ret;

	if (!is_used(map, slot) || map->notes[slot].spec != NULL)
		return 0;
	ret = l7_check_lost_table(l, slot);
	if (ret != 0)
		return ret;
	l7_set_block(l, &l->route_tables, slot, NULL);
	slot_map_drop(map, slot);
	return 0;
}

static void drop_listener(struct compile_l7 *l, uint32_t slot)
{
	static const struct listener none;
	struct slot_map *map = &l->m->listeners;

	if (!is_used(map, slot) || map->notes[slot].spec != NULL)
		return;
	paged_set(&l->listeners, slot, &none);
	l7_set_block(l, &l->choices, slot, NULL);
	slot_map_drop(map, slot);
}

static void drop_cluster(struct compile_l7 *l, uint32_t slot)
{
	struct slot_map *map = &l->m->clusters;

	if (!is_used(map, slot) || map->notes[slot].spec != NULL)
		return;
	l7_set_block(l, &l->clusters, slot, NULL);
	if (map->notes[slot].count == 0)
		slot_map_drop(map, slot);
}

static int sweep_all(struct compile_l7 *l)
{
	int ret = 0;

	drop_unwanted(l, &l->m->routes);
	drop_unwanted(l, &l->m->hosts);
	for (uint32_t slot = 0; slot < l->m->tables.n && ret == 0; slot++)
		ret = drop_table(l, slot);
	for (uint32_t slot = 0; slot < l->m->listeners.n; slot++)
		drop_listener(l, slot);
	for (uint32_t slot = 0; slot < l->m->clusters.n; slot++)
		drop_cluster(l, slot);
	return ret;
}

static int sweep_removed(struct compile_l7 *l)
{
	const struct l7_change_list *listeners = &l->changed_listeners.removed;
	const struct l7_change_list *tables = &l->changed_tables.removed;
	const struct l7_change_list *clusters = &l->changed_clusters.removed;
	int ret = 0;

	for (uint32_t i = 0; i < listeners->n; i++)
		l7_leave_listener(l, listeners->items[i].spec, listeners->items[i].slot);
	for (uint32_t i = 0; i < tables->n; i++)
		l7_leave_routes(l, tables->items[i].spec, tables->items[i].slot);
	for (uint32_t i = 0; i < tables->n && ret == 0; i++)
		ret = drop_table(l, tables->items[i].slot);
	for (uint32_t i = 0; i < listeners->n; i++)
		drop_listener(l, listeners->items[i].slot);
	for (uint32_t i = 0; i < clusters->n; i++)
		drop_cluster(l, clusters->items[i].slot);
	for (uint32_t i = 0; i < l->left_clusters.n; i++)
		drop_cluster(l, l->left_clusters.slots[i]);
	return ret;
}

int compile_l7_sweep(struct compile_l7 *l)
{
	int ret = l->c->is_follow_up ? sweep_removed(l) : sweep_all(l);

	return ret != 0 ? ret : l7_drain_endpoints(l);
}
