// SPDX-License-Identifier: Apache-2.0

// Services: names, slots, and the order in which their tables are compiled.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"
#include "pipeline/compile/slots.h"

struct ip_addr l7_ip_addr(const struct l7_address *address)
{
	struct ip_addr addr = {.family = address->family};

	memcpy(addr.addr.b, address->b, sizeof(addr.addr.b));
	return addr;
}

static int names_create(struct compile_l7 *l, struct l7_names *names, const char *kind, uint32_t n)
{
	names->kind = kind;
	names->names = calloc(n + 1, sizeof(*names->names));
	names->origins = calloc(n + 1, sizeof(*names->origins));
	names->slots = calloc(n + 1, sizeof(*names->slots));
	return names->names == NULL || names->origins == NULL || names->slots == NULL
		       ? compile_no_memory(l->c)
		       : 0;
}

static void names_destroy(struct l7_names *names)
{
	free(names->names);
	free(names->origins);
	free(names->slots);
}

// A name that is too long stays empty, and is refused as such.
static void names_add(
	struct l7_names *names, const struct spec_origin *origin, uint32_t parent, const char *text)
{
	struct l7_name *name = &names->names[names->n];

	name->parent = parent;
	if (strlen(text) < sizeof(name->text))
		strcpy(name->text, text);
	names->origins[names->n++] = origin;
}

static int compare_keys(const void *a, const void *b, void *key_len)
{
	return memcmp(*(const void *const *)a, *(const void *const *)b, *(const size_t *)key_len);
}

int l7_keys_find_twice(
	struct compile_l7 *l, const void *keys, uint32_t n, size_t key_len, uint32_t *twice)
{
	const uint8_t **sorted = malloc((n + 1) * sizeof(*sorted));

	*twice = n;
	if (sorted == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = (const uint8_t *)keys + i * key_len;
	qsort_r(sorted, n, sizeof(*sorted), compare_keys, &key_len);
	for (uint32_t i = 1; i < n; i++) {
		const uint8_t *later = sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1];
		uint32_t idx = (uint32_t)((size_t)(later - (const uint8_t *)keys) / key_len);

		if (memcmp(sorted[i], sorted[i - 1], key_len) == 0 && idx < *twice)
			*twice = idx;
	}
	free(sorted);
	return 0;
}

int l7_keys_carry(struct compile_l7 *l, const char *kind, const void *live, uint32_t n_live,
	const void *keys, uint32_t n, size_t key_len, uint32_t max, uint32_t *slots, void **by_slot,
	uint32_t *n_slots)
{
	*n_slots = slots_carry(live, n_live, keys, n, key_len, slots);
	*by_slot = calloc(*n_slots + 1, key_len);
	if (*by_slot == NULL || (n > 0 && *n_slots == 0))
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < n; i++)
		memcpy((uint8_t *)*by_slot + slots[i] * key_len,
			(const uint8_t *)keys + i * key_len, key_len);
	if (*n_slots <= max)
		return 0;
	return refusal_set(
		l->c->refusal, NULL, "%s: more than %u, those just removed included", kind, max);
}

int l7_names_carry(struct compile_l7 *l, struct l7_names *names, const struct l7_name *live,
	uint32_t n_live, uint32_t max, struct l7_name **by_slot, uint32_t *n_slots)
{
	uint32_t twice = 0;
	int ret;

	for (uint32_t i = 0; i < names->n; i++)
		if (names->names[i].text[0] == '\0')
			return refusal_set(l->c->refusal, names->origins[i],
				"%s: a name has 1 to %d characters", names->kind, L7_MAX_NAME_LEN);
	ret = l7_keys_find_twice(l, names->names, names->n, sizeof(*names->names), &twice);
	if (ret != 0)
		return ret;
	if (twice < names->n)
		return refusal_set(l->c->refusal, names->origins[twice],
			"%s: the name \"%s\" is given twice", names->kind,
			names->names[twice].text);
	return l7_keys_carry(l, names->kind, live, n_live, names->names, names->n,
		sizeof(*names->names), max, names->slots, (void **)by_slot, n_slots);
}

void *l7_share_block(struct compile_l7 *l, struct block *block, struct block *live)
{
	struct block *kept = block;

	if (block == NULL)
		return NULL;
	if (live != NULL && block_equal(block, live)) {
		block_release(block);
		block_acquire(live);
		l->c->s->n_shared_tables++;
		kept = live;
	}
	l->t->n_bytes += kept->n_bytes;
	return kept;
}

int l7_check_choices(struct compile_l7 *l, const struct spec_origin *origin,
	const struct weighted_cluster_spec *choices, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (name_index_find(l->cluster_index, choices[i].cluster) == COMPILE_NO_NAME)
			return refusal_set(l->c->refusal, choices[i].origin,
				"cluster: there is no cluster \"%s\"", choices[i].cluster);
		sum += choices[i].weight;
	}
	if (n > 0 && sum > 0 && sum <= UINT32_MAX)
		return 0;
	return refusal_set(l->c->refusal, origin,
		"weighted_clusters: the weights' sum is %llu; 1 to %u", (unsigned long long)sum,
		UINT32_MAX);
}

static int index_names(struct compile_l7 *l)
{
	const struct l7_spec *spec = l->spec;
	const char *twice;

	l->network_index = name_index_create(spec->n_service_networks);
	l->cluster_index = name_index_create(spec->n_clusters);
	l->configuration_index = name_index_create(spec->n_route_configurations);
	if (l->network_index == NULL || l->cluster_index == NULL || l->configuration_index == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < spec->n_service_networks; i++)
		name_index_add(l->network_index, spec->service_networks[i].name, i);
	for (uint32_t i = 0; i < spec->n_clusters; i++)
		name_index_add(l->cluster_index, spec->clusters[i].name, i);
	for (uint32_t i = 0; i < spec->n_route_configurations; i++)
		name_index_add(l->configuration_index, spec->route_configurations[i].name, i);
	// Those that are carried to slots are refused there, with the line of the second one.
	name_index_finish(l->cluster_index);
	name_index_finish(l->configuration_index);
	twice = name_index_finish(l->network_index);
	if (twice == NULL)
		return 0;
	return refusal_set(
		l->c->refusal, NULL, "service_networks: the name \"%s\" is given twice", twice);
}

static int name_clusters_and_listeners(struct compile_l7 *l)
{
	const struct l7_spec *spec = l->spec;
	int ret = names_create(l, &l->clusters, "clusters", spec->n_clusters);

	if (ret == 0)
		ret = names_create(l, &l->listeners, "listeners", spec->n_listeners);
	if (ret != 0)
		return ret;
	for (uint32_t i = 0; i < spec->n_clusters; i++)
		names_add(&l->clusters, spec->clusters[i].origin, 0, spec->clusters[i].name);
	for (uint32_t i = 0; i < spec->n_listeners; i++)
		names_add(&l->listeners, spec->listeners[i].origin, 0, spec->listeners[i].name);
	ret = l7_names_carry(l, &l->clusters, l->live->cluster_names, l->live->n_clusters,
		L7_MAX_CLUSTER_SLOTS, &l->t->cluster_names, &l->t->n_clusters);
	if (ret == 0)
		ret = l7_names_carry(l, &l->listeners, l->live->listener_names,
			l->live->n_listeners, L7_MAX_LISTENER_SLOTS, &l->t->listener_names,
			&l->t->n_listeners);
	return ret;
}

static int name_configurations(struct compile_l7 *l)
{
	const struct l7_spec *spec = l->spec;
	uint32_t n = spec->n_route_configurations;
	int ret = names_create(l, &l->tables, "route_configurations", n + spec->n_listeners);

	l->configurations = calloc(n + spec->n_listeners + 1, sizeof(void *));
	if (ret != 0 || l->configurations == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < n; i++) {
		l->configurations[i] = &spec->route_configurations[i];
		names_add(&l->tables, l->configurations[i]->origin, 0, l->configurations[i]->name);
	}
	for (uint32_t i = 0; i < spec->n_listeners; i++) {
		const struct listener_spec *listener = &spec->listeners[i];

		if (listener->routes == NULL)
			continue;
		l->configurations[n++] = listener->routes;
		names_add(&l->tables, listener->routes->origin, l->listeners.slots[i] + 1,
			listener->name);
	}
	l->n_configurations = n;
	return l7_names_carry(l, &l->tables, l->live->route_table_names, l->live->n_route_tables,
		2 * L7_MAX_LISTENER_SLOTS, &l->t->route_table_names, &l->t->n_route_tables);
}

static int name_hosts(struct compile_l7 *l)
{
	uint32_t n = 0;
	int ret;

	for (uint32_t i = 0; i < l->n_configurations; i++)
		n += l->configurations[i]->n_virtual_hosts;
	ret = names_create(l, &l->hosts, "virtual_hosts", n);
	for (uint32_t i = 0; i < l->n_configurations && ret == 0; i++) {
		const struct route_configuration_spec *spec = l->configurations[i];

		for (uint32_t k = 0; k < spec->n_virtual_hosts; k++)
			names_add(&l->hosts, spec->virtual_hosts[k].origin, l->tables.slots[i],
				spec->virtual_hosts[k].name);
	}
	if (ret != 0)
		return ret;
	return l7_names_carry(l, &l->hosts, l->live->virtual_host_names, l->live->n_virtual_hosts,
		L7_MAX_VIRTUAL_HOST_SLOTS, &l->t->virtual_host_names, &l->t->n_virtual_hosts);
}

static void name_routes_of(
	struct compile_l7 *l, const struct virtual_host_spec *host, uint32_t host_idx)
{
	for (uint32_t i = 0; i < host->n_routes; i++) {
		const char *name = host->routes[i].name;
		char number[16];

		snprintf(number, sizeof(number), "#%u", i);
		names_add(&l->routes, host->routes[i].origin, l->hosts.slots[host_idx],
			name != NULL ? name : number);
	}
}

static int name_routes(struct compile_l7 *l)
{
	uint32_t n = 0, host_idx = 0;
	int ret;

	for (uint32_t i = 0; i < l->n_configurations; i++)
		for (uint32_t k = 0; k < l->configurations[i]->n_virtual_hosts; k++)
			n += l->configurations[i]->virtual_hosts[k].n_routes;
	ret = names_create(l, &l->routes, "routes", n);
	for (uint32_t i = 0; i < l->n_configurations && ret == 0; i++)
		for (uint32_t k = 0; k < l->configurations[i]->n_virtual_hosts; k++)
			name_routes_of(l, &l->configurations[i]->virtual_hosts[k], host_idx++);
	if (ret != 0)
		return ret;
	return l7_names_carry(l, &l->routes, l->live->route_names, l->live->n_routes,
		L7_MAX_ROUTE_SLOTS, &l->t->route_names, &l->t->n_routes);
}

static bool same(const void *a, uint32_t n_a, const void *b, uint32_t n_b, size_t item_bytes)
{
	return n_a == n_b && memcmp(a, b, n_a * item_bytes) == 0;
}

// Shared blocks are the same pointers.
static bool is_live(const struct l7_tables *t, const struct l7_tables *live)
{
#define SAME(member, n) same(t->member, t->n, live->member, live->n, sizeof(*t->member))
	return SAME(listeners, n_listeners) && SAME(vips, n_vips) && SAME(ports, n_ports) &&
	       SAME(route_tables, n_route_tables) && SAME(clusters, n_clusters) &&
	       SAME(endpoints, n_endpoints) && SAME(choices, n_choices) &&
	       SAME(listener_names, n_listeners) && SAME(route_table_names, n_route_tables) &&
	       SAME(virtual_host_names, n_virtual_hosts) && SAME(route_names, n_routes) &&
	       SAME(cluster_names, n_clusters) && SAME(vip_keys, n_vips) &&
	       SAME(endpoint_keys, n_endpoints);
#undef SAME
}

static void count_bytes(struct l7_tables *t)
{
	t->n_bytes += sizeof(*t) +
		      t->n_listeners * (sizeof(*t->listeners) + sizeof(struct l7_name)) +
		      t->n_vips * (sizeof(*t->vips) + sizeof(*t->vip_keys)) +
		      t->n_ports * sizeof(*t->ports) +
		      t->n_route_tables * (sizeof(void *) + sizeof(struct l7_name)) +
		      t->n_clusters * (sizeof(void *) + sizeof(struct l7_name)) +
		      t->n_endpoints * (sizeof(*t->endpoints) + sizeof(*t->endpoint_keys)) +
		      (t->n_virtual_hosts + t->n_routes) * sizeof(struct l7_name);
}

static void finish(struct compile_l7 *l)
{
	struct compile *c = l->c;

	count_bytes(l->t);
	if (c->input->live != NULL && is_live(l->t, l->live)) {
		c->s->l7 = c->input->live->l7;
		c->s->l7->n_refs++;
		l7_tables_release(l->t);
		l->t = c->s->l7;
	}
	c->s->n_table_bytes += l->t->n_bytes;
}

static void free_working_memory(struct compile_l7 *l)
{
	name_index_destroy(l->network_index);
	name_index_destroy(l->cluster_index);
	name_index_destroy(l->configuration_index);
	names_destroy(&l->clusters);
	names_destroy(&l->listeners);
	names_destroy(&l->tables);
	names_destroy(&l->hosts);
	names_destroy(&l->routes);
	free(l->configurations);
	free(l->endpoint_slots);
}

int compile_l7(struct compile *c)
{
	static const struct l7_tables none;
	struct compile_l7 l = {.c = c, .spec = &c->spec->l7, .live = &none};
	int ret;

	l.t = c->s->l7 = calloc(1, sizeof(*c->s->l7));
	if (l.t == NULL)
		return compile_no_memory(c);
	l.t->n_refs = 1;
	if (c->input->live != NULL)
		l.live = c->input->live->l7;
	ret = index_names(&l);
	if (ret == 0)
		ret = name_clusters_and_listeners(&l);
	if (ret == 0)
		ret = name_configurations(&l);
	if (ret == 0)
		ret = name_hosts(&l);
	if (ret == 0)
		ret = name_routes(&l);
	if (ret == 0)
		ret = compile_l7_clusters(&l);
	if (ret == 0)
		ret = compile_l7_routes(&l);
	if (ret == 0)
		ret = compile_l7_listeners(&l);
	if (ret == 0)
		finish(&l);
	free_working_memory(&l);
	return ret;
}
