// SPDX-License-Identifier: Apache-2.0

#include "l7/tables.h"

#include <stdlib.h>

uint32_t l7_tables_find_listener(const struct l7_tables *tables, uint32_t vip, uint16_t port)
{
	const struct l7_vip *v = &tables->vips[vip];
	const struct l7_port *ports = &tables->ports[v->first_port];
	uint32_t low = 0, high = v->n_ports;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (ports[mid].port < port)
			low = mid + 1;
		else
			high = mid;
	}
	return low == v->n_ports || ports[low].port != port ? L7_NO_SLOT : ports[low].listener;
}

uint32_t l7_tables_choose(const struct l7_tables *tables, uint32_t listener, uint32_t random)
{
	const struct l7_choices *choices = *(const struct l7_choices *const *)paged_at(
		tables->choices, listener, sizeof(void *));

	return cluster_choose(block_part(&choices->block, 0), choices->n, random);
}

size_t l7_tables_bytes(const struct l7_tables *tables)
{
	return sizeof(*tables) + tables->n_block_bytes +
	       (tables->bindings == NULL ? 0 : tables->bindings->n_bytes) +
	       paged_bytes(tables->listeners) + paged_bytes(tables->route_tables) +
	       paged_bytes(tables->clusters) + paged_bytes(tables->endpoints) +
	       paged_bytes(tables->choices) + paged_bytes(tables->listener_names) +
	       paged_bytes(tables->route_table_names) + paged_bytes(tables->virtual_host_names) +
	       paged_bytes(tables->route_names) + paged_bytes(tables->cluster_names) +
	       paged_bytes(tables->vip_keys);
}

void l7_tables_release(struct l7_tables *tables)
{
	if (tables == NULL || --tables->n_refs > 0)
		return;
	paged_release(tables->listeners);
	paged_release(tables->route_tables);
	paged_release(tables->clusters);
	paged_release(tables->endpoints);
	paged_release(tables->choices);
	block_release(tables->bindings);
	paged_release(tables->listener_names);
	paged_release(tables->route_table_names);
	paged_release(tables->virtual_host_names);
	paged_release(tables->route_names);
	paged_release(tables->cluster_names);
	paged_release(tables->vip_keys);
	free(tables);
}
