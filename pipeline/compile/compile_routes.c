// SPDX-License-Identifier: Apache-2.0

// Routes of all kinds to one FIB per VRF and family. A table whose routes are those of the live
// snapshot is shared with it instead of built.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_priv.h"

static struct route_list *list_of(struct compile *c, uint32_t vrf_slot, uint8_t family)
{
	return family == 4 ? &c->routes4[vrf_slot] : &c->routes6[vrf_slot];
}

int compile_add_route(struct compile *c, uint32_t vrf_slot, uint8_t family,
	const struct ip6_addr *addr, uint8_t len, uint32_t dest, enum route_rank rank,
	const struct spec_origin *origin)
{
	struct route_list *list = list_of(c, vrf_slot, family);
	struct wanted_route *route;

	if (list->n_routes == list->n_room) {
		size_t n_room = list->n_room == 0 ? 16 : 2 * list->n_room;

		route = realloc(list->routes, n_room * sizeof(*route));
		if (route == NULL)
			return compile_no_memory(c);
		list->routes = route;
		list->n_room = n_room;
	}
	route = &list->routes[list->n_routes++];
	*route = (struct wanted_route){
		.route = {.hi = ip6_addr_hi(addr),
			.lo = ip6_addr_lo(addr),
			.dest = dest,
			.len = len},
		.rank = (uint8_t)rank,
		.origin = origin,
	};
	if (family == 4) {
		route->route.hi &= 0xffffffff00000000;
		route->route.lo = 0;
	}
	return 0;
}

static int policy_dest(
	struct compile *c, const struct spec_origin *origin, const char *name, uint32_t *dest)
{
	const struct srv6_policy_spec *policy;
	uint32_t policy_idx;
	int ret = compile_find_policy(c, origin, "policy", name, &policy_idx);

	if (ret != 0)
		return ret;
	policy = &c->spec->policies[policy_idx];
	if (policy->headend != SRV6_H_ENCAPS && policy->headend != SRV6_H_ENCAPS_RED)
		return refusal_set(c->refusal, origin,
			"policy: \"%s\" is an %s policy; a route needs H.Encaps or H.Encaps.Red",
			policy->name, srv6_headend_name(policy->headend));
	*dest = dest_make(DEST_POLICY, c->names.policy_slots[policy_idx]);
	return 0;
}

// One path of a route as a dest.
static int path_dest(struct compile *c, uint32_t vrf_slot, const struct route_path_spec *path,
	uint8_t family, uint32_t *dest)
{
	uint32_t slot;
	int ret;

	if (path->policy != NULL)
		return policy_dest(c, &path->origin, path->policy, dest);
	if (path->via.family == 0) {
		ret = compile_find_iface(c, &path->origin, "port", path->iface, &slot);
		if (ret == 0 && c->s->ifaces[slot].vrf != vrf_slot)
			return refusal_set(c->refusal, &path->origin,
				"port: \"%s\" is in VRF \"%s\", the route in \"%s\"", path->iface,
				c->s->vrf_names[c->s->ifaces[slot].vrf].text,
				c->s->vrf_names[vrf_slot].text);
		if (ret == 0)
			ret = compile_check_routed(c, &path->origin, slot);
		*dest = ret == 0 ? dest_make(DEST_CONNECTED, slot) : 0;
		return ret;
	}
	if (path->via.family != family)
		return refusal_set(c->refusal, &path->origin,
			"via: the gateway is not of the prefix's family, IPv%u", family);
	ret = compile_gateway(
		c, &path->origin, "via", vrf_slot, path->iface, &path->via, dest, &slot);
	*dest = dest_make(DEST_FORWARD, *dest);
	return ret;
}

static int new_group(struct compile *c, uint32_t *group_idx)
{
	if (c->s->n_groups == c->n_groups_room) {
		uint32_t n_room = c->n_groups_room == 0 ? 16 : 2 * c->n_groups_room;
		struct group *groups = realloc(c->s->groups, n_room * sizeof(*groups));

		if (groups == NULL)
			return compile_no_memory(c);
		c->s->groups = groups;
		c->n_groups_room = n_room;
	}
	*group_idx = c->s->n_groups++;
	return 0;
}

// Shares the buckets of a group among the paths by weight: path i gets those between the rounded sums.
static int group_dest(
	struct compile *c, uint32_t vrf_slot, const struct route_spec *spec, uint32_t *dest)
{
	uint32_t weight_sum = 0, weight = 0, group_idx = 0, bucket = 0;
	int ret = new_group(c, &group_idx);

	for (uint32_t i = 0; i < spec->n_paths; i++)
		weight_sum += spec->paths[i].weight;
	for (uint32_t i = 0; i < spec->n_paths && ret == 0; i++) {
		uint32_t member;

		ret = path_dest(c, vrf_slot, &spec->paths[i], spec->prefix.family, &member);
		weight += spec->paths[i].weight;
		while (bucket < (uint64_t)GROUP_BUCKETS * weight / weight_sum)
			c->s->groups[group_idx].dest[bucket++] = member;
	}
	*dest = dest_make(DEST_GROUP, group_idx);
	return ret;
}

static int route_dest(
	struct compile *c, uint32_t vrf_slot, const struct route_spec *spec, uint32_t *dest)
{
	switch (spec->type) {
	case ROUTE_BLACKHOLE:
		*dest = dest_make(DEST_BLACKHOLE, 0);
		return 0;
	case ROUTE_UNREACHABLE:
		*dest = dest_make(DEST_UNREACHABLE, 0);
		return 0;
	case ROUTE_POLICY:
		return policy_dest(c, &spec->origin, spec->policy, dest);
	case ROUTE_VIA:
		break;
	}
	if (spec->n_paths == 1)
		return path_dest(c, vrf_slot, &spec->paths[0], spec->prefix.family, dest);
	if (spec->n_paths == 0 || spec->n_paths > SPEC_MAX_PATHS)
		return refusal_set(c->refusal, &spec->origin,
			"paths: a route has 1 to %d of them, not %u", SPEC_MAX_PATHS,
			spec->n_paths);
	return group_dest(c, vrf_slot, spec, dest);
}

// RFC 4291 §2.5.6: nothing in fe80::/10 may be forwarded.
static int check_prefix(struct compile *c, const struct route_spec *spec)
{
	const struct ip_prefix *prefix = &spec->prefix;
	char text[COMPILE_TEXT_LEN];

	if (prefix->family == 4 || prefix->len < 10 || !ip6_addr_is_link_local(&prefix->addr))
		return 0;
	return refusal_set(c->refusal, &spec->origin,
		"prefix: %s is link-local; such addresses are not routed",
		compile_prefix_text(6, &prefix->addr, prefix->len, text));
}

static int add_static_routes(struct compile *c)
{
	int ret = 0;

	for (uint32_t v = 0; v < c->spec->n_vrfs; v++) {
		const struct vrf_spec *vrf = &c->spec->vrfs[v];
		uint32_t slot = c->names.vrf_slots[v];

		for (uint32_t i = 0; i < vrf->n_routes && ret == 0; i++) {
			const struct route_spec *spec = &vrf->routes[i];
			uint32_t dest = 0;

			ret = check_prefix(c, spec);
			if (ret == 0)
				ret = route_dest(c, slot, spec, &dest);
			if (ret == 0)
				ret = compile_add_route(c, slot, spec->prefix.family,
					&spec->prefix.addr, spec->prefix.len, dest, RANK_STATIC,
					&spec->origin);
		}
	}
	return ret;
}

// Default routes by router advertisement; an interface that is gone, or listens no more, takes its routers
// along.
static int add_learned_routers(struct compile *c)
{
	const struct ip6_addr any = {{0}};
	int ret = 0;

	for (uint32_t i = 0; i < c->input->n_routers && ret == 0; i++) {
		const struct learned_router *router = &c->input->routers[i];
		struct ip_addr addr = {.family = 6, .addr = router->addr};
		uint32_t spec_idx = name_index_find(c->names.iface_index, router->iface);
		uint32_t vrf_slot, adj_slot, iface_slot;

		if (spec_idx == COMPILE_NO_NAME || !c->spec->ifaces[spec_idx].accept_ra)
			continue;
		vrf_slot = c->s->ifaces[c->names.iface_slots[spec_idx]].vrf;
		ret = compile_gateway(c, &c->spec->ifaces[spec_idx].origin, "accept_ra", vrf_slot,
			router->iface, &addr, &adj_slot, &iface_slot);
		if (ret == 0)
			ret = compile_add_route(c, vrf_slot, 6, &any, 0,
				dest_make(DEST_FORWARD, adj_slot), RANK_LEARNED,
				&c->spec->ifaces[spec_idx].origin);
	}
	return ret;
}

static int compare_routes(const void *a, const void *b)
{
	const struct wanted_route *x = a, *y = b;

	if (x->route.hi != y->route.hi)
		return x->route.hi < y->route.hi ? -1 : 1;
	if (x->route.lo != y->route.lo)
		return x->route.lo < y->route.lo ? -1 : 1;
	if (x->route.len != y->route.len)
		return x->route.len < y->route.len ? -1 : 1;
	return (int)x->rank - (int)y->rank;
}

static const char *rank_name(uint8_t rank)
{
	static const char *const names[] = {
		[RANK_SID] = "a SID",
		[RANK_LOCAL] = "an address of the node",
		[RANK_VIRTUAL] = "a virtual address",
		[RANK_SOURCE] = "a source",
		[RANK_STATIC] = "a route",
		[RANK_LOCATOR] = "a locator",
		[RANK_CONNECTED] = "the link of an interface",
		[RANK_LEARNED] = "a learned default router",
	};

	return names[rank];
}

// Of two routes to one prefix: a connected or learned one yields to any other kind, a locator to a SID;
// two learned routers are one default route (the first), two addresses of an interface may share its link.
// All else is a contradiction.
static bool may_shadow(const struct wanted_route *kept, const struct wanted_route *other)
{
	if (other->rank == RANK_LEARNED)
		return true;
	if (other->rank == RANK_CONNECTED)
		return kept->rank != RANK_CONNECTED || kept->route.dest == other->route.dest;
	return other->rank == RANK_LOCATOR && kept->rank == RANK_SID;
}

// Sorts the list and leaves one route per prefix.
static int unify(struct compile *c, uint8_t family, uint32_t vrf_slot)
{
	struct route_list *list = list_of(c, vrf_slot, family);
	char text[COMPILE_TEXT_LEN];
	size_t n = 0;

	if (list->n_routes > 0)
		qsort(list->routes, list->n_routes, sizeof(*list->routes), compare_routes);
	for (size_t i = 0; i < list->n_routes; i++) {
		const struct wanted_route *route = &list->routes[i];
		const struct wanted_route *kept = n > 0 ? &list->routes[n - 1] : NULL;
		struct ip6_addr addr = ip6_addr_from(route->route.hi, route->route.lo);

		if (kept == NULL || kept->route.hi != route->route.hi ||
			kept->route.lo != route->route.lo || kept->route.len != route->route.len) {
			list->routes[n++] = *route;
			continue;
		}
		if (may_shadow(kept, route))
			continue;
		return refusal_set(c->refusal, compile_blame(kept->origin, route->origin),
			"%s in VRF \"%s\" is %s and also %s%s; keep one of them",
			compile_prefix_text(family, &addr, route->route.len, text),
			c->s->vrf_names[vrf_slot].text, rank_name(kept->rank),
			kept->rank == route->rank ? "once more " : "", rank_name(route->rank));
	}
	list->n_routes = n;
	return 0;
}

static bool is_same_table(const struct lpm *table, const struct lpm_route *routes, size_t n_routes)
{
	if (table == NULL || table->n_leaves != n_routes + 1)
		return false;
	for (size_t i = 0; i < n_routes; i++) {
		const struct lpm_leaf *leaf = &table->leaves[i + 1];

		if (leaf->hi != routes[i].hi || leaf->lo != routes[i].lo ||
			leaf->hi_len + leaf->lo_len != routes[i].len ||
			leaf->dest != routes[i].dest)
			return false;
	}
	return true;
}

// The table of a unified list: the live one when it says the same.
static struct lpm *make_table(struct compile *c, const struct route_list *list, struct lpm *live)
{
	struct lpm_route *routes = malloc((list->n_routes + 1) * sizeof(*routes));
	struct lpm *table;

	if (routes == NULL)
		return NULL;
	for (size_t i = 0; i < list->n_routes; i++)
		routes[i] = list->routes[i].route;
	if (is_same_table(live, routes, list->n_routes)) {
		table = live;
		table->n_refs++;
		c->s->n_shared_tables++;
	} else {
		table = lpm_build(routes, list->n_routes);
		if (table != NULL)
			table->n_refs = 1;
	}
	free(routes);
	if (table != NULL)
		c->s->n_table_bytes += lpm_bytes(table);
	return table;
}

static int make_tables(struct compile *c, uint32_t vrf_slot)
{
	const struct snapshot *live = c->input->live;
	const struct vrf *old =
		live != NULL && vrf_slot < live->n_vrfs ? &live->vrfs[vrf_slot] : NULL;
	struct vrf *vrf = &c->s->vrfs[vrf_slot];
	int ret = unify(c, 4, vrf_slot);

	if (ret == 0)
		ret = unify(c, 6, vrf_slot);
	if (ret != 0)
		return ret;
	vrf->ip4 = make_table(c, &c->routes4[vrf_slot], old != NULL ? old->ip4 : NULL);
	vrf->ip6 = make_table(c, &c->routes6[vrf_slot], old != NULL ? old->ip6 : NULL);
	return vrf->ip4 == NULL || vrf->ip6 == NULL ? compile_no_memory(c) : 0;
}

int compile_routes(struct compile *c)
{
	int ret = add_static_routes(c);

	if (ret == 0)
		ret = add_learned_routers(c);
	for (uint32_t v = 0; v < c->spec->n_vrfs && ret == 0; v++)
		ret = make_tables(c, c->names.vrf_slots[v]);
	return ret;
}
