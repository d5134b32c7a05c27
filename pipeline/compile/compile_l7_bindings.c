// SPDX-License-Identifier: Apache-2.0

// Virtual addresses, which lead to listeners in the VRFs of their service network. When one of them changes, all
// bindings are written anew, as one table; the routes to those that stay are the same.

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

enum {
	PART_VIPS,
	PART_PORTS,
};

// A port of a virtual address in one VRF.
struct bound {
	struct l7_vip_key key;
	struct l7_port port;
	const struct spec_origin *origin;
};

struct bound_list {
	struct bound *bounds;
	uint32_t n;
	uint32_t n_room;
};

static int add_bound(struct compile_l7 *l, struct bound_list *list, const struct bound *bound)
{
	if (list->n == list->n_room) {
		uint32_t n_room = list->n_room == 0 ? 16 : 2 * list->n_room;
		struct bound *bounds = realloc(list->bounds, n_room * sizeof(*bounds));

		if (bounds == NULL)
			return compile_no_memory(l->c);
		list->bounds = bounds;
		list->n_room = n_room;
	}
	list->bounds[list->n++] = *bound;
	return 0;
}

static int bind_in_vrf(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot,
	uint32_t vrf_slot, struct bound_list *list)
{
	struct bound bound = {.key = {.vrf = vrf_slot},
		.port = {.port = spec->port, .listener = slot},
		.origin = spec->origin};
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_addresses && ret == 0; i++) {
		bound.key.address = spec->addresses[i];
		ret = add_bound(l, list, &bound);
	}
	return ret;
}

static int bind_listener(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot,
	struct bound_list *list)
{
	uint32_t idx = name_index_find(l->c->names.network_index, spec->service_network), vrf_slot;
	const struct service_network_spec *network = &l->spec->service_networks[idx];
	int ret = 0;

	for (uint32_t i = 0; i < network->n_vrfs && ret == 0; i++) {
		ret = compile_find_vrf(l->c, network->origin, "vrfs", network->vrfs[i], &vrf_slot);
		if (ret == 0)
			ret = bind_in_vrf(l, spec, slot, vrf_slot, list);
	}
	return ret;
}

static int compare_bounds(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	if (order != 0)
		return order;
	if (x->port.port != y->port.port)
		return x->port.port < y->port.port ? -1 : 1;
	return (x->port.listener > y->port.listener) - (x->port.listener < y->port.listener);
}

static const char *listener_name(const struct compile_l7 *l, uint32_t slot)
{
	return ((const struct l7_name *)slot_map_at(&l->m->listeners, slot))->text;
}

static int refuse_shared_port(struct compile_l7 *l, const struct bound *x, const struct bound *y)
{
	const struct spec_origin *blamed = compile_blame(x->origin, y->origin);
	struct ip_addr addr = l7_ip_addr(&y->key.address);
	char text[COMPILE_TEXT_LEN];

	return refusal_set(l->c->refusal, blamed,
		"addresses: %s in VRF \"%s\" has listener \"%s\" at port %u already",
		compile_addr_text(addr.family, &addr.addr, text),
		l->c->s->vrf_names[y->key.vrf].text,
		listener_name(l, blamed == y->origin ? x->port.listener : y->port.listener),
		y->port.port);
}

static int refuse_shared_ports(struct compile_l7 *l, const struct bound_list *list)
{
	for (uint32_t i = 1; i < list->n; i++) {
		const struct bound *x = &list->bounds[i - 1], *y = &list->bounds[i];

		if (memcmp(&x->key, &y->key, sizeof(x->key)) == 0 && x->port.port == y->port.port)
			return refuse_shared_port(l, x, y);
	}
	return 0;
}

static int mark_vrf(struct compile_l7 *l, struct slot_list *list, uint32_t vrf)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (list->slots[i] == vrf)
			return 0;
	return slot_list_add(list, vrf) ? 0 : compile_no_memory(l->c);
}

static int take_vip(struct compile_l7 *l, const struct bound *bound, uint32_t *slot)
{
	struct slot_map *map = &l->m->vips;
	uint32_t n_fresh = map->fresh.n;
	int ret = mark_vrf(l, &l->m->vip_vrfs, bound->key.vrf);

	if (ret != 0)
		return ret;
	*slot = slot_map_take(map, &bound->key);
	if (*slot == SLOT_NONE)
		return compile_no_memory(l->c);
	if (*slot > DEST_INDEX_MASK)
		return refusal_set(l->c->refusal, NULL,
			"listeners: virtual addresses: more than %u, those just removed included",
			DEST_INDEX_MASK);
	map->notes[*slot].stamp = l->m->stamp;
	map->notes[*slot].count = bound->port.listener;
	return map->fresh.n == n_fresh ? 0 : mark_vrf(l, &l->m->changed_vrfs, bound->key.vrf);
}

// The sorted list as a table.
static int fill(struct compile_l7 *l, const struct bound_list *list, struct l7_vip *vips,
	struct l7_port *ports)
{
	uint32_t slot = 0;
	int ret = 0;

	for (uint32_t i = 0; i < list->n && ret == 0; i++) {
		const struct bound *bound = &list->bounds[i];

		if (i == 0 || memcmp(&bound[-1].key, &bound->key, sizeof(bound->key)) != 0) {
			ret = take_vip(l, bound, &slot);
			if (ret == 0)
				vips[slot] = (struct l7_vip){.first_port = i};
		}
		if (ret == 0)
			vips[slot].n_ports++;
		ports[i] = bound->port;
	}
	return ret;
}

// Virtual addresses that nobody has any more.
static int drop_vips(struct compile_l7 *l)
{
	struct slot_map *map = &l->m->vips;
	int ret = 0;

	for (uint32_t slot = 0; slot < map->n && ret == 0; slot++) {
		const struct l7_vip_key *key = slot_map_at(map, slot);

		if (key->address.family == 0 || map->notes[slot].stamp == l->m->stamp)
			continue;
		ret = mark_vrf(l, &l->m->changed_vrfs, key->vrf);
		slot_map_drop(map, slot);
	}
	return ret;
}

static int finish(struct compile_l7 *l, const struct bound_list *list, const struct l7_vip *vips,
	const struct l7_port *ports)
{
	struct block_builder builder = {0};
	struct block head = {0}, *block, *live = l->live->bindings;

	block_add(&builder, PART_VIPS, vips, l->m->vips.n * sizeof(*vips));
	block_add(&builder, PART_PORTS, ports, list->n * sizeof(*ports));
	block = block_finish(&builder, &head, sizeof(head));
	if (block == NULL)
		return compile_no_memory(l->c);
	if (live != NULL && block_equal(block, live)) {
		block_release(block);
		block_acquire(live);
		block = live;
	}
	l->t->bindings = block;
	l->t->n_ports = list->n;
	return 0;
}

static int write_bindings(struct compile_l7 *l, const struct bound_list *list)
{
	uint32_t n_room = l->m->vips.n + list->n + 1;
	struct l7_vip *vips = calloc(n_room, sizeof(*vips));
	struct l7_port *ports = calloc(list->n + 1, sizeof(*ports));
	int ret = vips == NULL || ports == NULL ? compile_no_memory(l->c) : 0;

	l->m->vip_vrfs.n = 0;
	if (ret == 0)
		ret = fill(l, list, vips, ports);
	if (ret == 0)
		ret = drop_vips(l);
	if (ret == 0)
		ret = finish(l, list, vips, ports);
	free(vips);
	free(ports);
	return ret;
}

int compile_l7_bindings(struct compile_l7 *l)
{
	const struct slot_map *listeners = &l->m->listeners;
	struct bound_list list = {0};
	int ret = 0;

	l->m->changed_vrfs.n = 0;
	if (!l->rebinds) {
		block_acquire(l->live->bindings);
		l->t->bindings = l->live->bindings;
		l->t->n_ports = l->live->n_ports;
		return 0;
	}
	for (uint32_t slot = 0; slot < listeners->n && ret == 0; slot++)
		if (listeners->notes[slot].spec != NULL)
			ret = bind_listener(l, listeners->notes[slot].spec, slot, &list);
	if (ret == 0 && list.n > 0)
		qsort(list.bounds, list.n, sizeof(*list.bounds), compare_bounds);
	if (ret == 0)
		ret = refuse_shared_ports(l, &list);
	if (ret == 0)
		ret = write_bindings(l, &list);
	free(list.bounds);
	return ret;
}
