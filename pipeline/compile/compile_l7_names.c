// SPDX-License-Identifier: Apache-2.0

// Names to slots. A cluster that a route names has a slot whether it is there or not: so routes need not be
// compiled again when it comes or goes.

#include <stdio.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

static uint32_t hash_bytes(uint64_t h, const void *bytes, size_t n_bytes)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n_bytes; i++)
		h = (h ^ b[i]) * 0x100000001b3; // FNV-1a
	h ^= h >> 32;
	return (uint32_t)(h ^ h >> 15);
}

enum {
	FNV_START = 0x811c9dc5,
};

static uint32_t hash_name(const void *item)
{
	const struct l7_name *name = item;

	return hash_bytes(
		FNV_START + name->parent * 0x9e3779b97f4a7c15, name->text, strlen(name->text));
}

static bool same_name(const void *a, const void *b)
{
	const struct l7_name *x = a, *y = b;

	return x->parent == y->parent && strcmp(x->text, y->text) == 0;
}

static enum slot_use use_of_name(const void *item)
{
	return ((const struct l7_name *)item)->text[0] == '\0' ? SLOT_FREE : SLOT_USED;
}

const struct slot_kind l7_name_kind = {sizeof(struct l7_name), hash_name, same_name, use_of_name};

static uint32_t hash_vip(const void *item)
{
	return hash_bytes(FNV_START, item, sizeof(struct l7_vip_key));
}

static bool same_vip(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct l7_vip_key)) == 0;
}

static enum slot_use use_of_vip(const void *item)
{
	return ((const struct l7_vip_key *)item)->address.family == 0 ? SLOT_FREE : SLOT_USED;
}

const struct slot_kind l7_vip_kind = {sizeof(struct l7_vip_key), hash_vip, same_vip, use_of_vip};

// Cluster, VRF, address and port.
static uint32_t hash_endpoint(const void *item)
{
	const struct endpoint *e = item;
	uint64_t start =
		FNV_START + (((uint64_t)e->cluster << 32 | e->vrf) + e->port) * 0x9e3779b97f4a7c15;

	return hash_bytes(start, &e->address, sizeof(e->address));
}

static bool same_endpoint(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;

	return x->cluster == y->cluster && x->vrf == y->vrf && x->port == y->port &&
	       memcmp(&x->address, &y->address, sizeof(x->address)) == 0;
}

// No new endpoint gets the slot of one that is gone, whatever VRF has the old number.
static enum slot_use use_of_endpoint(const void *item)
{
	switch (((const struct endpoint *)item)->state) {
	case ENDPOINT_FREE:
		return SLOT_FREE;
	case ENDPOINT_GONE:
		return SLOT_HIDDEN;
	default:
		return SLOT_USED;
	}
}

const struct slot_kind l7_endpoint_kind = {
	sizeof(struct endpoint), hash_endpoint, same_endpoint, use_of_endpoint};

int l7_check_name(
	struct compile *c, const char *kind, const struct spec_origin *origin, const char *text)
{
	size_t len = strlen(text);

	if (len > 0 && len <= L7_MAX_NAME_LEN)
		return 0;
	return refusal_set(
		c->refusal, origin, "%s: a name has 1 to %d characters", kind, L7_MAX_NAME_LEN);
}

static struct l7_name name_of(uint32_t parent, const char *text)
{
	struct l7_name name = {.parent = parent};

	strcpy(name.text, text);
	return name;
}

int l7_take_name(struct compile_l7 *l, struct slot_map *map, const char *kind, uint32_t max,
	const struct spec_origin *origin, uint32_t parent, const char *text, uint32_t *slot)
{
	struct l7_name name;
	int ret = l7_check_name(l->c, kind, origin, text);

	if (ret != 0)
		return ret;
	name = name_of(parent, text);
	*slot = slot_map_take(map, &name);
	if (*slot == SLOT_NONE)
		return compile_no_memory(l->c);
	if (*slot < max)
		return 0;
	return refusal_set(
		l->c->refusal, NULL, "%s: more than %u, those just removed included", kind, max);
}

uint32_t l7_find_name(const struct slot_map *map, uint32_t parent, const char *text)
{
	struct l7_name name = name_of(parent, text);

	return slot_map_find(map, &name);
}

int l7_take_choice(struct compile_l7 *l, const struct weighted_cluster_spec *choice,
	enum l7_missing missing, uint32_t *slot)
{
	int ret;

	if (missing == L7_MUST_EXIST &&
		name_index_find(l->c->names.cluster_index, choice->cluster) == COMPILE_NO_NAME)
		return refusal_set(l->c->refusal, choice->origin,
			"cluster: there is no cluster \"%s\"", choice->cluster);
	ret = l7_take_name(l, &l->m->clusters, "cluster", L7_MAX_CLUSTER_SLOTS, choice->origin, 0,
		choice->cluster, slot);
	if (ret == 0)
		l->m->clusters.notes[*slot].count++;
	return ret;
}

void l7_leave_choices(struct compile_l7 *l, const struct weighted_cluster_spec *choices, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = l7_find_name(&l->m->clusters, 0, choices[i].cluster);

		l->m->clusters.notes[slot].count--;
		l->failed |= !slot_list_add(&l->left_clusters, slot);
	}
}

// What all three kinds begin with.
struct named {
	const struct spec_origin *origin;
};

int l7_refuse_twice(struct refusal *refusal, const char *kind, const char *name,
	const struct spec_origin *origin, const struct spec_origin *first)
{
	if (first == origin || first == NULL)
		return refusal_set(
			refusal, origin, "%s: the name \"%s\" is given twice", kind, name);
	if (first->line == 0)
		return refusal_set(refusal, origin,
			"%s: the name \"%s\" is given twice, first by %s; keep one", kind, name,
			first->source);
	return refusal_set(refusal, origin,
		"%s: the name \"%s\" is given twice, first at %s:%u; keep one", kind, name,
		first->source, first->line);
}

static int place(struct compile_l7 *l, struct slot_map *map, const char *kind, uint32_t max,
	struct l7_changes *changes)
{
	int ret = 0;

	for (uint32_t i = 0; i < changes->removed.n; i++) {
		struct l7_change *change = &changes->removed.items[i];

		change->slot = l7_find_name(map, change->parent, change->name);
		map->notes[change->slot].spec = NULL;
	}
	for (uint32_t i = 0; i < changes->added.n && ret == 0; i++) {
		struct l7_change *change = &changes->added.items[i];

		ret = l7_take_name(l, map, kind, max, ((const struct named *)change->spec)->origin,
			change->parent, change->name, &change->slot);
		if (ret == 0 && map->notes[change->slot].spec != NULL)
			ret = l7_refuse_twice(l->c->refusal, kind, change->name,
				((const struct named *)change->spec)->origin,
				((const struct named *)map->notes[change->slot].spec)->origin);
		if (ret == 0)
			map->notes[change->slot].spec = change->spec;
	}
	return ret;
}

// Listeners' own configurations, which are called as they are.
static int add_own_tables(
	struct compile_l7 *l, const struct l7_change_list *listeners, struct l7_change_list *tables)
{
	for (uint32_t i = 0; i < listeners->n; i++) {
		const struct listener_spec *spec = listeners->items[i].spec;
		struct l7_change change = {
			spec->routes, spec->name, listeners->items[i].slot + 1, 0};

		if (spec->routes != NULL && !l7_change_list_add(tables, &change))
			return compile_no_memory(l->c);
	}
	return 0;
}

int l7_place_names(struct compile_l7 *l)
{
	int ret = place(l, &l->m->clusters, "clusters", L7_MAX_CLUSTER_SLOTS, &l->changed_clusters);

	if (ret == 0)
		ret = place(l, &l->m->listeners, "listeners", L7_MAX_LISTENER_SLOTS,
			&l->changed_listeners);
	if (ret == 0)
		ret = add_own_tables(l, &l->changed_listeners.removed, &l->changed_tables.removed);
	if (ret == 0)
		ret = add_own_tables(l, &l->changed_listeners.added, &l->changed_tables.added);
	if (ret == 0)
		ret = place(l, &l->m->tables, "route_configurations", 2 * L7_MAX_LISTENER_SLOTS,
			&l->changed_tables);
	return ret;
}
