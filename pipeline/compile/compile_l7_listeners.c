// SPDX-License-Identifier: Apache-2.0

// Listeners: what they must be, and their tables.

#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

int l7_check_weights(struct compile *c, const struct spec_origin *origin,
	const struct weighted_cluster_spec *choices, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += choices[i].weight;
	if (n > 0 && sum > 0 && sum <= UINT32_MAX)
		return 0;
	return refusal_set(c->refusal, origin,
		"weighted_clusters: the weights' sum is %llu; 1 to %u", (unsigned long long)sum,
		UINT32_MAX);
}

static int check_number(struct compile *c, const struct listener_spec *spec, const char *key,
	uint32_t value, uint32_t min, uint32_t max)
{
	if (value >= min && value <= max)
		return 0;
	return refusal_set(
		c->refusal, spec->origin, "%s: %u is out of range; %u to %u", key, value, min, max);
}

int l7_check_network(struct compile *c, const struct listener_spec *spec)
{
	uint32_t idx = name_index_find(c->names.network_index, spec->service_network), vrf_slot;
	const struct service_network_spec *network;
	int ret = 0;

	if (idx == COMPILE_NO_NAME)
		return refusal_set(c->refusal, spec->origin,
			"service_network: there is no service network \"%s\"",
			spec->service_network);
	network = &c->spec->l7.service_networks[idx];
	for (uint32_t i = 0; i < network->n_vrfs && ret == 0; i++)
		ret = compile_find_vrf(c, network->origin, "vrfs", network->vrfs[i], &vrf_slot);
	return ret;
}

int l7_check_listener(struct compile *c, const struct listener_spec *spec)
{
	int ret = check_number(c, spec, "port", spec->port, 1, UINT16_MAX);

	if (ret == 0)
		ret = check_number(
			c, spec, "window_scale", spec->window_scale, 0, L7_MAX_WINDOW_SCALE);
	if (ret == 0)
		ret = check_number(c, spec, "request_line_bytes", spec->request_line_bytes,
			L7_MIN_HEAD_LIMIT, L7_MAX_REQUEST_LINE_BYTES);
	if (ret == 0)
		ret = check_number(c, spec, "request_headers_bytes", spec->request_headers_bytes,
			L7_MIN_HEAD_LIMIT, L7_MAX_REQUEST_HEADERS_BYTES);
	if (ret == 0 && spec->n_addresses == 0)
		ret = refusal_set(
			c->refusal, spec->origin, "addresses: a listener needs at least one");
	for (uint32_t i = 0; i < spec->n_addresses && ret == 0; i++) {
		struct ip_addr addr = l7_ip_addr(&spec->addresses[i]);

		ret = compile_check_global(c, spec->origin, "addresses", &addr);
	}
	if (ret == 0 && spec->protocol == LISTENER_TCP)
		ret = l7_check_weights(c, spec->origin, spec->clusters, spec->n_clusters);
	return ret;
}

static uint32_t table_of(
	const struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot)
{
	if (spec->routes != NULL)
		return l7_find_name(&l->m->tables, slot + 1, spec->name);
	return strlen(spec->route_configuration) > L7_MAX_NAME_LEN
		       ? SLOT_NONE
		       : l7_find_name(&l->m->tables, 0, spec->route_configuration);
}

static int refuse_lost_table(struct compile_l7 *l, const struct listener_spec *spec)
{
	return refusal_set(l->c->refusal, spec->origin,
		"route_configuration: there is no route configuration \"%s\"",
		spec->route_configuration);
}

// Which configuration an HTTP listener routes by.
static int find_table(
	struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot, uint32_t *table_slot)
{
	struct slot_note *notes = l->m->tables.notes;

	*table_slot = table_of(l, spec, slot);
	if (*table_slot == SLOT_NONE || notes[*table_slot].spec == NULL)
		return refuse_lost_table(l, spec);
	notes[*table_slot].count++;
	return 0;
}

void l7_leave_listener(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot)
{
	if (spec->protocol == LISTENER_TCP)
		l7_leave_choices(l, spec->clusters, spec->n_clusters);
	else
		l->m->tables.notes[table_of(l, spec, slot)].count--;
}

int l7_check_lost_table(struct compile_l7 *l, uint32_t table_slot)
{
	const struct slot_map *listeners = &l->m->listeners;

	for (uint32_t slot = 0; l->m->tables.notes[table_slot].count > 0 && slot < listeners->n;
		slot++) {
		const struct listener_spec *spec = listeners->notes[slot].spec;

		if (spec != NULL && spec->protocol == LISTENER_HTTP &&
			table_of(l, spec, slot) == table_slot)
			return refuse_lost_table(l, spec);
	}
	return 0;
}

static int add_choices(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot)
{
	enum l7_missing missing = spec->clusters_may_be_missing ? L7_MAY_BE_MISSING : L7_MUST_EXIST;
	struct l7_choices head = {.n = spec->n_clusters}, *choices;
	struct cluster_choice choice = {0};
	struct block_builder builder = {0};
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_clusters && ret == 0; i++) {
		ret = l7_take_choice(l, &spec->clusters[i], missing, &choice.cluster);
		choice.end += spec->clusters[i].weight;
		block_add(&builder, 0, &choice, sizeof(choice));
	}
	choices = block_finish(&builder, &head, sizeof(head));
	if (choices == NULL)
		return compile_no_memory(l->c);
	l7_set_block(l, &l->choices, slot, &choices->block);
	return ret;
}

static int fill_listener(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot,
	struct listener *listener)
{
	listener->in_use = 1;
	listener->protocol = (uint8_t)spec->protocol;
	listener->headers = spec->headers;
	listener->rules = spec->rules;
	listener->window_scale = spec->window_scale;
	listener->port = spec->port;
	listener->limits.request_line_bytes = spec->request_line_bytes;
	listener->limits.fields_bytes = spec->request_headers_bytes;
	listener->request_headers_timeout_ms = spec->request_headers_timeout_ms;
	listener->idle_timeout_ms = spec->idle_timeout_ms;
	listener->stream_idle_timeout_ms = spec->stream_idle_timeout_ms;
	listener->drain_timeout_ms = spec->drain_timeout_ms;
	if (spec->protocol == LISTENER_TCP)
		return add_choices(l, spec, slot);
	l7_set_block(l, &l->choices, slot, NULL);
	return find_table(l, spec, slot, &listener->route_table);
}

static int compile_listener(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot)
{
	const struct listener *live = paged_draft_at(&l->listeners, slot);
	struct listener listener = {
		.since = live != NULL && live->in_use ? live->since : l->c->s->generation};
	int ret = l7_check_listener(l->c, spec);

	if (ret == 0)
		ret = l7_check_network(l->c, spec);
	if (ret == 0)
		ret = fill_listener(l, spec, slot, &listener);
	if (ret == 0)
		paged_set(&l->listeners, slot, &listener);
	return ret;
}

static bool binds_alike(const struct listener_spec *a, const struct listener_spec *b)
{
	return a->n_addresses == b->n_addresses && a->port == b->port &&
	       memcmp(a->addresses, b->addresses, a->n_addresses * sizeof(*a->addresses)) == 0 &&
	       strcmp(a->service_network, b->service_network) == 0;
}

// Whether virtual addresses lead where they led.
static bool bindings_change(struct compile_l7 *l)
{
	const struct l7_change_list *added = &l->changed_listeners.added;
	const struct l7_change_list *removed = &l->changed_listeners.removed;
	struct slot_note *notes = l->m->listeners.notes;

	if (added->n != removed->n)
		return true;
	for (uint32_t i = 0; i < removed->n; i++)
		notes[removed->items[i].slot].count = i;
	for (uint32_t i = 0; i < added->n; i++) {
		const struct l7_change *other;
		uint32_t idx = notes[added->items[i].slot].count;

		other = idx < removed->n ? &removed->items[idx] : NULL;
		if (other == NULL || other->slot != added->items[i].slot ||
			!binds_alike(other->spec, added->items[i].spec))
			return true;
	}
	return false;
}

int compile_l7_listeners(struct compile_l7 *l)
{
	const struct l7_change_list *added = &l->changed_listeners.added;
	int ret = 0;

	for (uint32_t i = 0; i < added->n && ret == 0; i++)
		ret = compile_listener(l, added->items[i].spec, added->items[i].slot);
	l->rebinds = !l->c->is_follow_up || bindings_change(l);
	return ret;
}
