// SPDX-License-Identifier: Apache-2.0

// Parts out of resources.

#include <stdlib.h>
#include <string.h>

#include "ctrl/log.h"
#include "ctrl/xds/assembly_priv.h"
#include "pipeline/arena.h"

static const enum layers_shelf shelves[XDS_N_TYPES] = {
	[XDS_LISTENER] = LAYERS_LISTENERS,
	[XDS_ROUTES] = LAYERS_ROUTES,
	[XDS_CLUSTER] = LAYERS_CLUSTERS,
};

static struct unit *routes_of(struct assembly *a, const struct part *part)
{
	const struct listener_spec *spec = part->spec;

	return spec->route_configuration == NULL
		       ? NULL
		       : assembly_find_unit(a, XDS_ROUTES, spec->route_configuration);
}

void assembly_retire(struct assembly *a, struct unit *unit, struct part *part)
{
	struct unit *routes;

	if (part == NULL || part == unit->place.part || part == unit->sent || part == unit->good)
		return;
	routes = unit->type == XDS_LISTENER ? routes_of(a, part) : NULL;
	layers_retire(a->layers, part);
	if (routes == NULL)
		return;
	routes->n_users--;
	assembly_join(a, routes);
	assembly_tidy(a, routes);
}

void assembly_place(struct assembly *a, struct unit *unit, struct part *part)
{
	struct part *before = unit->place.part;

	if (!layers_put(a->layers, shelves[unit->type], &unit->place, part)) {
		log_error(
			"xds: out of memory for %s \"%s\"", xds_type_word(unit->type), unit->name);
		part_destroy(part);
		return;
	}
	if (!unit->is_new) {
		unit->is_new = true;
		TAILQ_INSERT_TAIL(&a->new_units, unit, changed);
	}
	if (a->changed_us == 0)
		a->changed_us = a->noted_us != 0 ? a->noted_us : assembly_now_us();
	assembly_retire(a, unit, before);
}

// ---- clusters

static bool needs_defaults(const struct xds_cluster *cluster)
{
	return cluster->discovery == XDS_EDS && (cluster->policy != NULL || cluster->vrf != NULL);
}

// Endpoints that name no policy or VRF get the cluster's.
static bool copy_with_defaults(
	const struct xds_cluster *cluster, struct part *part, struct cluster_spec *spec)
{
	struct locality_spec *localities;

	part->arena = arena_create();
	if (part->arena == NULL)
		return false;
	localities = arena_alloc(part->arena, (spec->n_localities + 1) * sizeof(*localities));
	for (uint32_t i = 0; localities != NULL && i < spec->n_localities; i++) {
		uint32_t n = spec->localities[i].n_endpoints;
		struct endpoint_spec *endpoints =
			arena_alloc(part->arena, (n + 1) * sizeof(*endpoints));

		if (endpoints == NULL)
			return false;
		localities[i] = spec->localities[i];
		localities[i].endpoints = endpoints;
		for (uint32_t k = 0; k < n; k++) {
			endpoints[k] = spec->localities[i].endpoints[k];
			if (endpoints[k].policy == NULL)
				endpoints[k].policy = cluster->policy;
			if (endpoints[k].vrf == NULL)
				endpoints[k].vrf = cluster->vrf;
		}
	}
	spec->localities = localities;
	return localities != NULL;
}

static void take_assignment(struct cluster_spec *spec, const struct xds_assignment *assignment)
{
	spec->n_localities = assignment->n_localities;
	spec->localities = assignment->localities;
	spec->overprovisioning_percent = assignment->overprovisioning_percent;
}

static bool fill_cluster(const struct unit *unit, struct part *part, struct cluster_spec *spec)
{
	const struct xds_cluster *cluster = unit->resource->cluster;
	struct xds_resource *endpoints = unit->child == NULL ? NULL : unit->child->resource;

	*spec = cluster->spec;
	part_use(part, unit->resource);
	if (cluster->assignment.n_policies > 0)
		part->policies[0] = &cluster->assignment;
	if (cluster->discovery != XDS_EDS) {
		take_assignment(spec, &cluster->assignment);
		return unit->dns == NULL || assembly_resolve(unit, part, spec);
	}
	spec->overprovisioning_percent = L7_DEFAULT_OVERPROVISIONING_PERCENT;
	if (endpoints == NULL)
		return true;
	part_use(part, endpoints);
	take_assignment(spec, endpoints->endpoints);
	if (endpoints->endpoints->n_policies > 0)
		part->policies[1] = endpoints->endpoints;
	return !needs_defaults(cluster) || copy_with_defaults(cluster, part, spec);
}

static struct part *make_cluster(const struct unit *unit)
{
	struct part *part = part_create(sizeof(struct cluster_spec));

	if (part != NULL && fill_cluster(unit, part, (struct cluster_spec *)(part + 1)))
		return part;
	part_destroy(part);
	return NULL;
}

// ---- routes

// Until its time-out a listener waits for its routes; then it answers 404.
static struct part *make_routes(const struct unit *unit)
{
	struct route_configuration_spec *spec;
	struct part *part;

	if (unit->resource != NULL) {
		part = part_create(0);
		if (part == NULL)
			return NULL;
		part_use(part, unit->resource);
		part->spec = unit->resource->routes;
		return part;
	}
	part = part_create(sizeof(*spec) + strlen(unit->name) + 1);
	if (part == NULL)
		return NULL;
	spec = (struct route_configuration_spec *)(part + 1);
	spec->name = strcpy((char *)(spec + 1), unit->name);
	return part;
}

// ---- listeners

static struct part *make_listener(const struct unit *unit)
{
	struct part *part = part_create(0);

	if (part == NULL)
		return NULL;
	part_use(part, unit->resource);
	part->spec = &unit->resource->listener->spec;
	part->network = unit->resource->listener->network;
	if (unit->child != NULL)
		unit->child->n_users++;
	return part;
}

// ---- joining

static const char *child_name(const struct unit *unit)
{
	if (unit->resource == NULL)
		return NULL;
	if (unit->type == XDS_LISTENER)
		return unit->resource->listener->spec.route_configuration;
	return unit->type == XDS_CLUSTER && unit->resource->cluster->discovery == XDS_EDS
		       ? unit->resource->cluster->eds_name
		       : NULL;
}

static bool find_child(struct assembly *a, struct unit *unit)
{
	enum xds_type type = unit->type == XDS_LISTENER ? XDS_ROUTES : XDS_ENDPOINTS;
	struct unit *before = unit->child, *child = NULL;
	const char *name = child_name(unit);

	if (name != NULL) {
		child = assembly_unit(a, type, name);
		if (child == NULL)
			return false;
	}
	assembly_set_child(unit, child);
	if (before != NULL && before != child) {
		if (before->type == XDS_ROUTES)
			assembly_join(a, before);
		assembly_tidy(a, before);
	}
	if (child != NULL && child->type == XDS_ROUTES && child->place.part == NULL)
		assembly_join(a, child);
	return true;
}

static bool has_to_wait(const struct unit *unit)
{
	if (unit->dns != NULL)
		return !assembly_has_answers(unit);
	if (unit->child == NULL)
		return false;
	return unit->type == XDS_LISTENER ? unit->child->place.part == NULL
					  : unit->child->resource == NULL && !unit->child->settled;
}

// Whether the part in place is what would be made. Names that were looked up may have other addresses by now.
static bool is_in_place(const struct unit *unit)
{
	const struct part *part = unit->place.part;
	const struct xds_resource *endpoints =
		unit->type == XDS_CLUSTER && unit->child != NULL ? unit->child->resource : NULL;

	return part != NULL && unit->dns == NULL && part->resources[0] == unit->resource &&
	       part->resources[1] == endpoints;
}

static void set_waiting(struct assembly *a, struct unit *unit, bool is_waiting)
{
	a->status.n_waiting += (uint32_t)is_waiting - (uint32_t)unit->is_waiting;
	unit->is_waiting = is_waiting;
}

static void join_routes(struct assembly *a, struct unit *unit)
{
	bool is_wanted = unit->n_users > 0 || !LIST_EMPTY(&unit->parents);
	struct part *part;

	if (!is_wanted) {
		if (unit->place.part != NULL)
			assembly_place(a, unit, NULL);
		return;
	}
	// One that the store has given up serves on while listeners use it.
	if ((unit->resource == NULL && (!unit->settled || unit->place.part != NULL)) ||
		is_in_place(unit))
		return;
	part = make_routes(unit);
	if (part != NULL)
		assembly_place(a, unit, part);
}

void assembly_join(struct assembly *a, struct unit *unit)
{
	struct part *part;

	if (unit->type == XDS_ROUTES) {
		join_routes(a, unit);
		return;
	}
	if (!find_child(a, unit))
		return;
	if (unit->resource == NULL) {
		set_waiting(a, unit, false);
		if (unit->place.part != NULL)
			assembly_place(a, unit, NULL);
		return;
	}
	set_waiting(a, unit, has_to_wait(unit));
	if (unit->is_waiting || is_in_place(unit))
		return;
	part = unit->type == XDS_LISTENER ? make_listener(unit) : make_cluster(unit);
	if (part == NULL)
		log_error(
			"xds: out of memory for %s \"%s\"", xds_type_word(unit->type), unit->name);
	else
		assembly_place(a, unit, part);
}
