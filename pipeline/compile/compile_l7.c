// SPDX-License-Identifier: Apache-2.0

// Services: the order in which their tables are compiled, and what becomes of them.

#include "pipeline/compile/compile_l7_priv.h"

#include <stdlib.h>

void l7_set_block(
	struct compile_l7 *l, struct paged_draft *draft, uint32_t slot, struct block *block)
{
	struct block *const *at = paged_draft_at(draft, slot);
	struct block *old = at == NULL ? NULL : *at;

	if (block == NULL && old == NULL)
		return;
	if (block != NULL && old != NULL && block_equal(block, old)) {
		block_release(block);
		return;
	}
	l->n_built += block != NULL;
	l->t->n_blocks += (block != NULL) - (old != NULL);
	l->t->n_block_bytes += block == NULL ? 0 : block->n_bytes;
	l->t->n_block_bytes -= old == NULL ? 0 : old->n_bytes;
	paged_set(draft, slot, &block);
}

// With their live versions.
struct live_map {
	struct slot_map *map;
	struct paged *live;
};

enum {
	N_MAPS = 7,
};

static void list_maps(struct compile_l7 *l, struct live_map maps[N_MAPS])
{
	struct compile_memory *m = l->m;
	const struct l7_tables *live = l->live;
	const struct live_map all[N_MAPS] = {
		{&m->listeners, live->listener_names},
		{&m->tables, live->route_table_names},
		{&m->hosts, live->virtual_host_names},
		{&m->routes, live->route_names},
		{&m->clusters, live->cluster_names},
		{&m->vips, live->vip_keys},
		{&m->endpoints, live->endpoints},
	};

	for (int i = 0; i < N_MAPS; i++)
		maps[i] = all[i];
}

static int start(struct compile_l7 *l)
{
	struct live_map maps[N_MAPS];
	bool failed = false;

	l->t = calloc(1, sizeof(*l->t));
	if (l->t == NULL)
		return compile_no_memory(l->c);
	l->c->s->l7 = l->t;
	l->t->n_refs = 1;
	l->t->n_blocks = l->live->n_blocks;
	l->t->n_block_bytes = l->live->n_block_bytes;
	l->m->stamp++;
	l->m->moved.n = 0;
	list_maps(l, maps);
	for (int i = 0; i < N_MAPS; i++) {
		if (l->c->is_follow_up)
			slot_map_start(maps[i].map, maps[i].live);
		else
			slot_map_restart(maps[i].map, maps[i].live);
		failed |= maps[i].map->failed;
	}
	paged_start(&l->listeners, l->live->listeners, PAGED_BYTES, sizeof(struct listener));
	paged_start(&l->route_tables, l->live->route_tables, PAGED_BLOCKS, sizeof(void *));
	paged_start(&l->clusters, l->live->clusters, PAGED_BLOCKS, sizeof(void *));
	paged_start(&l->choices, l->live->choices, PAGED_BLOCKS, sizeof(void *));
	return failed ? compile_no_memory(l->c) : 0;
}

static void stop(struct compile_l7 *l)
{
	struct live_map maps[N_MAPS];

	list_maps(l, maps);
	for (int i = 0; i < N_MAPS; i++)
		slot_map_stop(maps[i].map);
	paged_drop(&l->listeners);
	paged_drop(&l->route_tables);
	paged_drop(&l->clusters);
	paged_drop(&l->choices);
}

// Arrays that have their slots from a map end with it.
static struct paged *finish_draft(struct paged_draft *draft, const struct paged *names)
{
	if (names != NULL)
		paged_resize(draft, names->n);
	return paged_finish(draft);
}

static bool finish_arrays(struct compile_l7 *l)
{
	struct compile_memory *m = l->m;
	struct l7_tables *t = l->t;

	t->listener_names = slot_map_finish(&m->listeners);
	t->route_table_names = slot_map_finish(&m->tables);
	t->virtual_host_names = slot_map_finish(&m->hosts);
	t->route_names = slot_map_finish(&m->routes);
	t->cluster_names = slot_map_finish(&m->clusters);
	t->vip_keys = slot_map_finish(&m->vips);
	t->endpoints = slot_map_finish(&m->endpoints);
	t->listeners = finish_draft(&l->listeners, t->listener_names);
	t->choices = finish_draft(&l->choices, t->listener_names);
	t->route_tables = finish_draft(&l->route_tables, t->route_table_names);
	t->clusters = finish_draft(&l->clusters, t->cluster_names);
	return t->listener_names != NULL && t->route_table_names != NULL &&
	       t->virtual_host_names != NULL && t->route_names != NULL &&
	       t->cluster_names != NULL && t->vip_keys != NULL && t->endpoints != NULL &&
	       t->listeners != NULL && t->choices != NULL && t->route_tables != NULL &&
	       t->clusters != NULL;
}

static void count(struct l7_tables *t)
{
	t->vips = block_part(t->bindings, 0);
	t->ports = block_part(t->bindings, 1);
	t->n_listeners = t->listener_names->n;
	t->n_vips = t->vip_keys->n;
	t->n_route_tables = t->route_table_names->n;
	t->n_virtual_hosts = t->virtual_host_names->n;
	t->n_routes = t->route_names->n;
	t->n_clusters = t->cluster_names->n;
	t->n_endpoints = t->endpoints->n;
}

// What did not change is the same version.
static bool is_live(const struct l7_tables *t, const struct l7_tables *live)
{
	return t->listeners == live->listeners && t->route_tables == live->route_tables &&
	       t->clusters == live->clusters && t->endpoints == live->endpoints &&
	       t->choices == live->choices && t->bindings == live->bindings &&
	       t->listener_names == live->listener_names &&
	       t->route_table_names == live->route_table_names &&
	       t->virtual_host_names == live->virtual_host_names &&
	       t->route_names == live->route_names && t->cluster_names == live->cluster_names &&
	       t->vip_keys == live->vip_keys;
}

static int list_fresh(struct compile_l7 *l)
{
	const struct slot_map *maps[L7_N_KINDS] = {
		[L7_LISTENER] = &l->m->listeners,
		[L7_VIRTUAL_HOST] = &l->m->hosts,
		[L7_ROUTE] = &l->m->routes,
		[L7_CLUSTER] = &l->m->clusters,
		[L7_ENDPOINT] = &l->m->endpoints,
	};
	struct snapshot *s = l->c->s;
	uint32_t n = 0;

	for (int kind = 0; kind < L7_N_KINDS; kind++)
		n += maps[kind]->fresh.n;
	s->fresh = malloc((n + 1) * sizeof(*s->fresh));
	if (s->fresh == NULL)
		return compile_no_memory(l->c);
	for (int kind = 0; kind < L7_N_KINDS; kind++)
		for (uint32_t i = 0; i < maps[kind]->fresh.n; i++)
			s->fresh[s->n_fresh++] =
				(struct l7_slot){(enum l7_kind)kind, maps[kind]->fresh.slots[i]};
	return 0;
}

static int finish(struct compile_l7 *l)
{
	struct snapshot *s = l->c->s;

	if (l->failed || !finish_arrays(l))
		return compile_no_memory(l->c);
	count(l->t);
	s->n_shared_tables += l->t->n_blocks - l->n_built;
	if (l->c->input->live != NULL && is_live(l->t, l->live)) {
		s->l7 = l->c->input->live->l7;
		s->l7->n_refs++;
		l7_tables_release(l->t);
	}
	s->n_table_bytes += l7_tables_bytes(s->l7);
	return list_fresh(l);
}

int compile_l7(struct compile *c)
{
	static const struct l7_tables none;
	struct compile_l7 l = {.c = c, .m = c->memory, .spec = &c->spec->l7, .live = &none};
	int ret;

	if (c->input->live != NULL)
		l.live = c->input->live->l7;
	ret = start(&l);
	if (ret == 0)
		ret = l7_find_changes(&l);
	if (ret == 0)
		ret = l7_place_names(&l);
	if (ret == 0)
		ret = compile_l7_clusters(&l);
	if (ret == 0)
		ret = compile_l7_routes(&l);
	if (ret == 0)
		ret = compile_l7_listeners(&l);
	if (ret == 0)
		ret = compile_l7_bindings(&l);
	if (ret == 0)
		ret = compile_l7_sweep(&l);
	if (ret == 0)
		ret = finish(&l);
	stop(&l);
	l7_forget_changes(&l);
	return ret;
}
