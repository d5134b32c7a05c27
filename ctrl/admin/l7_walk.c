// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/l7_walk.h"

#include "ctrl/admin/l7_view.h"
#include "ctrl/ctrl.h"

void l7_walk_start(struct l7_walk *walk, const struct ctrl *ctrl, uint32_t only_table)
{
	*walk = (struct l7_walk){.ctrl = ctrl, .only_table = only_table};
}

// Finds configuration_idx in the spec, and its table. False: there is none of that number.
static bool find_configuration(struct l7_walk *walk)
{
	const struct l7_spec *spec = &walk->ctrl->spec->l7;
	const struct l7_tables *t = ctrl_snapshot(walk->ctrl)->l7;
	uint32_t idx = walk->configuration_idx, parent = 0;

	walk->configuration = NULL;
	if (idx < spec->n_route_configurations) {
		walk->configuration = spec->route_configurations[idx];
		walk->name = walk->configuration->name;
	} else if (idx - spec->n_route_configurations < spec->n_listeners) {
		const struct listener_spec *listener =
			spec->listeners[idx - spec->n_route_configurations];
		uint32_t hint = idx - spec->n_route_configurations;

		walk->configuration = listener->routes;
		walk->name = listener->name;
		if (listener->routes != NULL)
			parent = 1 + l7_view_find_slot(t->listener_names, 0, listener->name, &hint);
	} else {
		return false;
	}
	walk->table = walk->configuration == NULL ? L7_NO_SLOT
						  : l7_view_find_slot(t->route_table_names, parent,
							    walk->name, &walk->hint);
	return true;
}

static bool is_wanted(const struct l7_walk *walk)
{
	return walk->table != L7_NO_SLOT &&
	       (walk->only_table == L7_NO_SLOT || walk->only_table == walk->table);
}

// To the next configuration that is wanted. False: there is none.
static bool next_configuration(struct l7_walk *walk)
{
	walk->host_idx = 0;
	walk->route_idx = 0;
	walk->n_before = 0;
	do {
		if (!find_configuration(walk))
			return false;
		walk->configuration_idx++;
	} while (!is_wanted(walk));
	return true;
}

static const struct route_table *table_of(const struct l7_walk *walk)
{
	return l7_tables_route_table(ctrl_snapshot(walk->ctrl)->l7, walk->table);
}

const struct virtual_host_spec *l7_walk_next_host(struct l7_walk *walk, uint32_t *slot)
{
	while (walk->configuration == NULL ||
		walk->host_idx == walk->configuration->n_virtual_hosts)
		if (!next_configuration(walk))
			return NULL;
	*slot = route_table_host_slot(table_of(walk), walk->host_idx);
	return &walk->configuration->virtual_hosts[walk->host_idx++];
}

// The virtual host that has the next route, or NULL.
static const struct virtual_host_spec *host_with_route(struct l7_walk *walk)
{
	for (;;) {
		const struct virtual_host_spec *host;

		if (walk->configuration == NULL ||
			walk->host_idx == walk->configuration->n_virtual_hosts) {
			if (!next_configuration(walk))
				return NULL;
			continue;
		}
		host = &walk->configuration->virtual_hosts[walk->host_idx];
		if (walk->route_idx < host->n_routes)
			return host;
		walk->n_before += host->n_routes;
		walk->route_idx = 0;
		walk->host_idx++;
	}
}

const struct l7_route_spec *l7_walk_next_route(
	struct l7_walk *walk, const struct virtual_host_spec **host, uint32_t *slot)
{
	*host = host_with_route(walk);
	if (*host == NULL)
		return NULL;
	*slot = route_table_route_slot(table_of(walk), walk->n_before + walk->route_idx);
	return &(*host)->routes[walk->route_idx++];
}
