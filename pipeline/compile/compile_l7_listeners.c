// SPDX-License-Identifier: Apache-2.0

// Listeners, and the virtual addresses that lead to them in the VRFs of their service network.

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

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
	uint32_t idx = name_index_find(l->network_index, spec->service_network), vrf_slot;
	const struct service_network_spec *network;
	int ret = 0;

	if (idx == COMPILE_NO_NAME)
		return refusal_set(l->c->refusal, spec->origin,
			"service_network: there is no service network \"%s\"",
			spec->service_network);
	network = &l->spec->service_networks[idx];
	for (uint32_t i = 0; i < network->n_vrfs && ret == 0; i++) {
		ret = compile_find_vrf(l->c, network->origin, "vrfs", network->vrfs[i], &vrf_slot);
		if (ret == 0)
			ret = bind_in_vrf(l, spec, slot, vrf_slot, list);
	}
	return ret;
}

static int check_number(struct compile_l7 *l, const struct listener_spec *spec, const char *key,
	uint32_t value, uint32_t min, uint32_t max)
{
	if (value >= min && value <= max)
		return 0;
	return refusal_set(l->c->refusal, spec->origin, "%s: %u is out of range; %u to %u", key,
		value, min, max);
}

static int check_listener(struct compile_l7 *l, const struct listener_spec *spec)
{
	int ret = check_number(l, spec, "port", spec->port, 1, UINT16_MAX);

	if (ret == 0)
		ret = check_number(
			l, spec, "window_scale", spec->window_scale, 0, L7_MAX_WINDOW_SCALE);
	if (ret == 0)
		ret = check_number(l, spec, "request_line_bytes", spec->request_line_bytes,
			L7_MIN_HEAD_LIMIT, L7_MAX_REQUEST_LINE_BYTES);
	if (ret == 0)
		ret = check_number(l, spec, "request_headers_bytes", spec->request_headers_bytes,
			L7_MIN_HEAD_LIMIT, L7_MAX_REQUEST_HEADERS_BYTES);
	if (ret == 0 && spec->n_addresses == 0)
		ret = refusal_set(
			l->c->refusal, spec->origin, "addresses: a listener needs at least one");
	for (uint32_t i = 0; i < spec->n_addresses && ret == 0; i++) {
		struct ip_addr addr = l7_ip_addr(&spec->addresses[i]);

		ret = compile_check_global(l->c, spec->origin, "addresses", &addr);
	}
	return ret;
}

// Which configuration an HTTP listener routes by.
static int find_table(struct compile_l7 *l, const struct listener_spec *spec, uint32_t *slot)
{
	uint32_t idx;

	if (spec->routes != NULL) {
		for (idx = l->spec->n_route_configurations; l->configurations[idx] != spec->routes;)
			idx++;
	} else {
		idx = name_index_find(l->configuration_index, spec->route_configuration);
	}
	if (idx == COMPILE_NO_NAME)
		return refusal_set(l->c->refusal, spec->origin,
			"route_configuration: there is no route configuration \"%s\"",
			spec->route_configuration);
	*slot = l->tables.slots[idx];
	return 0;
}

static int add_choices(
	struct compile_l7 *l, const struct listener_spec *spec, struct listener *listener)
{
	int ret = l7_check_choices(l, spec->origin, spec->clusters, spec->n_clusters);
	uint32_t end = 0;

	if (ret != 0)
		return ret;
	listener->first_choice = l->t->n_choices;
	listener->n_choices = (uint16_t)spec->n_clusters;
	for (uint32_t i = 0; i < spec->n_clusters; i++) {
		uint32_t idx = name_index_find(l->cluster_index, spec->clusters[i].cluster);

		end += spec->clusters[i].weight;
		l->t->choices[l->t->n_choices++] =
			(struct cluster_choice){.end = end, .cluster = l->clusters.slots[idx]};
	}
	return 0;
}

static int fill_listener(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot)
{
	struct listener *listener = &l->t->listeners[slot];
	bool kept =
		slot < l->live->n_listeners && l->live->listeners[slot].in_use &&
		strcmp(l->t->listener_names[slot].text, l->live->listener_names[slot].text) == 0;

	listener->in_use = 1;
	listener->protocol = (uint8_t)spec->protocol;
	listener->headers = spec->headers;
	listener->window_scale = spec->window_scale;
	listener->port = spec->port;
	listener->since = kept ? l->live->listeners[slot].since : l->c->s->generation;
	listener->limits.request_line_bytes = spec->request_line_bytes;
	listener->limits.fields_bytes = spec->request_headers_bytes;
	listener->request_headers_timeout_ms = spec->request_headers_timeout_ms;
	listener->idle_timeout_ms = spec->idle_timeout_ms;
	listener->stream_idle_timeout_ms = spec->stream_idle_timeout_ms;
	listener->drain_timeout_ms = spec->drain_timeout_ms;
	if (spec->protocol == LISTENER_TCP)
		return add_choices(l, spec, listener);
	return find_table(l, spec, &listener->route_table);
}

static int fill_listeners(struct compile_l7 *l, struct bound_list *list)
{
	uint32_t n_choices = 0;
	int ret = 0;

	for (uint32_t i = 0; i < l->spec->n_listeners; i++)
		n_choices += l->spec->listeners[i].n_clusters;
	l->t->listeners = calloc(l->t->n_listeners + 1, sizeof(*l->t->listeners));
	l->t->choices = calloc(n_choices + 1, sizeof(*l->t->choices));
	if (l->t->listeners == NULL || l->t->choices == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < l->spec->n_listeners && ret == 0; i++) {
		const struct listener_spec *spec = &l->spec->listeners[i];
		uint32_t slot = l->listeners.slots[i];

		ret = check_listener(l, spec);
		if (ret == 0)
			ret = fill_listener(l, spec, slot);
		if (ret == 0)
			ret = bind_listener(l, spec, slot, list);
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

static int refuse_shared_ports(struct compile_l7 *l, const struct bound_list *list)
{
	char text[COMPILE_TEXT_LEN];

	for (uint32_t i = 1; i < list->n; i++) {
		const struct bound *x = &list->bounds[i - 1], *y = &list->bounds[i];
		struct ip_addr addr = l7_ip_addr(&y->key.address);

		if (memcmp(&x->key, &y->key, sizeof(x->key)) != 0 || x->port.port != y->port.port)
			continue;
		return refusal_set(l->c->refusal, y->origin,
			"addresses: %s in VRF \"%s\" has listener \"%s\" at port %u already",
			compile_addr_text(addr.family, &addr.addr, text),
			l->c->s->vrf_names[y->key.vrf].text,
			l->t->listener_names[x->port.listener].text, y->port.port);
	}
	return 0;
}

// The different keys of the sorted list.
static uint32_t unique_keys(const struct bound_list *list, struct l7_vip_key *keys)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < list->n; i++)
		if (n == 0 || memcmp(&keys[n - 1], &list->bounds[i].key, sizeof(*keys)) != 0)
			keys[n++] = list->bounds[i].key;
	return n;
}

static int add_vip(struct compile_l7 *l, const struct bound *first, uint32_t slot)
{
	struct ip_addr addr = l7_ip_addr(&first->key.address);

	return compile_add_route(l->c, first->key.vrf, addr.family, &addr.addr,
		addr.family == 4 ? 32 : 128, dest_make(DEST_L7, slot), RANK_VIRTUAL, first->origin);
}

static int fill_vips(struct compile_l7 *l, const struct bound_list *list, const uint32_t *slots)
{
	struct l7_tables *t = l->t;
	uint32_t n_vips = 0;
	int ret = 0;

	t->vips = calloc(t->n_vips + 1, sizeof(*t->vips));
	t->ports = calloc(list->n + 1, sizeof(*t->ports));
	if (t->vips == NULL || t->ports == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < list->n && ret == 0; i++) {
		const struct bound *bound = &list->bounds[i];

		if (i == 0 || memcmp(&bound[-1].key, &bound->key, sizeof(bound->key)) != 0) {
			t->vips[slots[n_vips]].first_port = i;
			ret = add_vip(l, bound, slots[n_vips++]);
		}
		t->vips[slots[n_vips - 1]].n_ports++;
		t->ports[t->n_ports++] = bound->port;
	}
	return ret;
}

static int place_vips(struct compile_l7 *l, const struct bound_list *list)
{
	struct l7_vip_key *keys = calloc(list->n + 1, sizeof(*keys));
	uint32_t *slots = calloc(list->n + 1, sizeof(*slots));
	int ret = keys == NULL || slots == NULL ? compile_no_memory(l->c) : 0;

	if (ret == 0)
		ret = l7_keys_carry(l, "listeners: virtual addresses", l->live->vip_keys,
			l->live->n_vips, keys, unique_keys(list, keys), sizeof(*keys),
			DEST_INDEX_MASK, slots, (void **)&l->t->vip_keys, &l->t->n_vips);
	if (ret == 0)
		ret = fill_vips(l, list, slots);
	free(keys);
	free(slots);
	return ret;
}

int compile_l7_listeners(struct compile_l7 *l)
{
	struct bound_list list = {0};
	int ret = fill_listeners(l, &list);

	if (ret == 0 && list.n > 0)
		qsort(list.bounds, list.n, sizeof(*list.bounds), compare_bounds);
	if (ret == 0)
		ret = refuse_shared_ports(l, &list);
	if (ret == 0)
		ret = place_vips(l, &list);
	free(list.bounds);
	return ret;
}
