// SPDX-License-Identifier: Apache-2.0

#include "l7/tables.h"

#include <stdlib.h>

const struct listener *l7_tables_listener(
	const struct l7_tables *tables, uint32_t vip, uint16_t port)
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
	if (low == v->n_ports || ports[low].port != port)
		return NULL;
	return &tables->listeners[ports[low].listener];
}

uint32_t l7_tables_choose(
	const struct l7_tables *tables, const struct listener *listener, uint32_t random)
{
	return cluster_choose(
		&tables->choices[listener->first_choice], listener->n_choices, random);
}

static void release_blocks(struct l7_tables *tables)
{
	for (uint32_t i = 0; tables->route_tables != NULL && i < tables->n_route_tables; i++)
		if (tables->route_tables[i] != NULL)
			block_release(&tables->route_tables[i]->block);
	for (uint32_t i = 0; tables->clusters != NULL && i < tables->n_clusters; i++)
		if (tables->clusters[i] != NULL)
			block_release(&tables->clusters[i]->block);
}

void l7_tables_release(struct l7_tables *tables)
{
	if (tables == NULL || --tables->n_refs > 0)
		return;
	release_blocks(tables);
	free(tables->listeners);
	free(tables->vips);
	free(tables->ports);
	free(tables->route_tables);
	free(tables->clusters);
	free(tables->endpoints);
	free(tables->choices);
	free(tables->listener_names);
	free(tables->route_table_names);
	free(tables->virtual_host_names);
	free(tables->route_names);
	free(tables->cluster_names);
	free(tables->vip_keys);
	free(tables->endpoint_keys);
	free(tables);
}
