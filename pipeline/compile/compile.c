// SPDX-License-Identifier: Apache-2.0

#include "pipeline/compile/compile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_memory.h"

enum {
	DEFAULT_ICMP_ERRORS_PER_S = 1000,
	DEFAULT_ICMP_BURST = 100,
};

int compile_no_memory(struct compile *c)
{
	refusal_set(c->refusal, NULL, "out of memory while compiling the tables");
	return -ENOMEM;
}

const char *compile_addr_text(uint8_t family, const struct ip6_addr *addr, char *out)
{
	return inet_ntop(family == 4 ? AF_INET : AF_INET6, addr->b, out, COMPILE_TEXT_LEN);
}

const char *compile_prefix_text(uint8_t family, const struct ip6_addr *addr, uint8_t len, char *out)
{
	compile_addr_text(family, addr, out);
	snprintf(out + strlen(out), COMPILE_TEXT_LEN - strlen(out), "/%u", len);
	return out;
}

int compile_find_iface(struct compile *c, const struct spec_origin *origin, const char *key,
	const char *name, uint32_t *slot)
{
	uint32_t spec_idx = name_index_find(c->names.iface_index, name);

	if (spec_idx == COMPILE_NO_NAME)
		return refusal_set(c->refusal, origin,
			"%s: there is no port or sub-interface \"%s\"", key, name);
	*slot = c->names.iface_slots[spec_idx];
	return 0;
}

int compile_find_vrf(struct compile *c, const struct spec_origin *origin, const char *key,
	const char *name, uint32_t *slot)
{
	uint32_t spec_idx = name_index_find(c->names.vrf_index, name);

	if (spec_idx == COMPILE_NO_NAME)
		return refusal_set(c->refusal, origin, "%s: there is no VRF \"%s\"", key, name);
	*slot = c->names.vrf_slots[spec_idx];
	return 0;
}

int compile_find_policy(struct compile *c, const struct spec_origin *origin, const char *key,
	const char *name, uint32_t *spec_idx)
{
	*spec_idx = name_index_find(c->names.policy_index, name);
	if (*spec_idx == COMPILE_NO_NAME)
		return refusal_set(c->refusal, origin, "%s: there is no policy \"%s\"", key, name);
	return 0;
}

// Holds one reference to each slot that the snapshot names, however often.
static int keep_adj(struct compile *c, uint32_t slot)
{
	struct snapshot *s = c->s;

	if (c->adj_seen[slot / 8] & 1u << slot % 8) {
		adj_table_release(c->input->adj_table, slot);
		return 0;
	}
	if (s->n_adj_slots == c->n_adj_room) {
		uint32_t n_room = c->n_adj_room == 0 ? 64 : 2 * c->n_adj_room;
		uint32_t *slots = realloc(s->adj_slots, n_room * sizeof(*slots));

		if (slots == NULL) {
			adj_table_release(c->input->adj_table, slot);
			return compile_no_memory(c);
		}
		s->adj_slots = slots;
		c->n_adj_room = n_room;
	}
	c->adj_seen[slot / 8] |= (uint8_t)(1u << slot % 8);
	s->adj_slots[s->n_adj_slots++] = slot;
	return 0;
}

// An address on two interfaces is refused later; two addresses of one link are one route.
static size_t copy_links(const struct route_list *list, uint8_t host_len, struct lpm_route *links)
{
	size_t n_links = 0, n = 0;

	for (size_t i = 0; i < list->n_routes; i++) {
		const struct wanted_route *route = &list->routes[i];

		if (route->rank == RANK_CONNECTED ||
			(route->rank == RANK_LOCAL && route->route.len == host_len))
			links[n_links++] = route->route;
	}
	lpm_sort(links, n_links);
	for (size_t i = 0; i < n_links; i++) {
		const struct lpm_route *kept = n > 0 ? &links[n - 1] : NULL;

		if (kept == NULL || kept->hi != links[i].hi || kept->lo != links[i].lo ||
			kept->len != links[i].len || kept->dest != links[i].dest)
			links[n++] = links[i];
	}
	return n;
}

// The table of a VRF's links, built when first asked for. Stays NULL when two interfaces have one link.
static int build_links(struct compile *c, uint32_t vrf_slot, uint8_t family, struct lpm **table)
{
	const struct route_list *list = family == 4 ? &c->routes4[vrf_slot] : &c->routes6[vrf_slot];
	struct lpm_route *links;

	if (*table != NULL)
		return 0;
	links = malloc((list->n_routes + 1) * sizeof(*links));
	if (links != NULL)
		*table = lpm_build(links, copy_links(list, family == 4 ? 32 : 128, links));
	free(links);
	return *table == NULL && errno != EEXIST ? compile_no_memory(c) : 0;
}

static uint32_t find_link(const struct lpm *table, const struct ip_addr *addr)
{
	uint64_t hi = ip6_addr_hi(&addr->addr), lo = ip6_addr_lo(&addr->addr);

	return addr->family == 4 ? lpm_lookup(table, hi & 0xffffffff00000000, 0)
				 : lpm_lookup(table, hi, lo);
}

// The interface whose link a gateway is on.
static int gateway_iface(struct compile *c, const struct spec_origin *origin, const char *key,
	uint32_t vrf_slot, const struct lpm *links, const struct ip_addr *addr,
	uint32_t *iface_slot)
{
	char text[COMPILE_TEXT_LEN];
	uint32_t dest;

	if (links == NULL)
		return refusal_set(c->refusal, origin,
			"two interfaces of VRF \"%s\" have the same link; keep one",
			c->s->vrf_names[vrf_slot].text);
	dest = find_link(links, addr);
	if (dest_kind(dest) != DEST_CONNECTED && dest_kind(dest) != DEST_LOCAL)
		return refusal_set(c->refusal, origin,
			"%s: %s is on no link of VRF \"%s\"; name the port, or give one an address "
			"there",
			key, compile_addr_text(addr->family, &addr->addr, text),
			c->s->vrf_names[vrf_slot].text);
	*iface_slot = dest_index(dest);
	return 0;
}

int compile_check_routed(struct compile *c, const struct spec_origin *origin, uint32_t slot)
{
	if (c->s->ifaces[slot].l2_policy == SNAPSHOT_NO_POLICY)
		return 0;
	return refusal_set(c->refusal, origin,
		"port: \"%s\" has an l2_policy, and so no IP neighbours",
		c->s->iface_names[slot].text);
}

int compile_neighbor(struct compile *c, const struct spec_origin *origin, const char *key,
	uint32_t iface_slot, const struct ip_addr *addr, uint32_t *adj_slot)
{
	const struct adj_key adj_key = {.iface = (uint16_t)iface_slot, .addr = *addr};

	*adj_slot = adj_table_acquire(c->input->adj_table, &adj_key);
	if (*adj_slot == ADJ_NONE)
		return refusal_set(
			c->refusal, origin, "%s: more than %d neighbours", key, ADJ_MAX_SLOTS);
	return keep_adj(c, *adj_slot);
}

int compile_gateway(struct compile *c, const struct spec_origin *origin, const char *key,
	uint32_t vrf_slot, const char *iface, const struct ip_addr *addr, uint32_t *adj_slot,
	uint32_t *iface_slot)
{
	struct lpm **links = addr->family == 4 ? &c->links4[vrf_slot] : &c->links6[vrf_slot];
	char text[COMPILE_TEXT_LEN];
	int ret = compile_check_unicast(c, origin, key, addr);

	if (ret == 0)
		ret = build_links(c, vrf_slot, addr->family, links);
	if (ret == 0)
		ret = iface != NULL
			      ? compile_find_iface(c, origin, "port", iface, iface_slot)
			      : gateway_iface(c, origin, key, vrf_slot, *links, addr, iface_slot);
	if (ret != 0)
		return ret;
	if (c->s->ifaces[*iface_slot].vrf != vrf_slot)
		return refusal_set(c->refusal, origin,
			"port: \"%s\" is in VRF \"%s\", not in \"%s\"", iface,
			c->s->vrf_names[c->s->ifaces[*iface_slot].vrf].text,
			c->s->vrf_names[vrf_slot].text);
	if (*links != NULL && dest_kind(find_link(*links, addr)) == DEST_LOCAL)
		return refusal_set(c->refusal, origin, "%s: %s is the node itself", key,
			compile_addr_text(addr->family, &addr->addr, text));
	ret = compile_check_routed(c, origin, *iface_slot);
	return ret != 0 ? ret : compile_neighbor(c, origin, key, *iface_slot, addr, adj_slot);
}

// ---- the net

static int start_net(struct compile *c)
{
	const struct node_spec *spec = c->spec;
	struct snapshot *s = calloc(1, sizeof(*s));

	c->names = (struct compile_names){0};
	if (s == NULL)
		return compile_no_memory(c);
	c->s = s;
	memset(s->port_iface, 0xff, sizeof(s->port_iface));
	s->generation = c->input->live == NULL ? 1 : c->input->live->generation + 1;
	s->adj_table = c->input->adj_table;
	s->icmp_errors_per_s =
		spec->icmp_errors_per_s == 0 ? DEFAULT_ICMP_ERRORS_PER_S : spec->icmp_errors_per_s;
	s->icmp_errors_burst =
		spec->icmp_errors_burst == 0 ? DEFAULT_ICMP_BURST : spec->icmp_errors_burst;
	s->no_routes = lpm_build(NULL, 0);
	c->adj_seen = calloc(ADJ_MAX_SLOTS / 8, 1);
	if (s->no_routes == NULL || c->adj_seen == NULL)
		return compile_no_memory(c);
	s->no_routes->n_refs = 1;
	return compile_names_create(&c->names, spec, c->refusal);
}

// What refers to an interface but is applied by the control core.
static int check_neighbors(struct compile *c)
{
	for (uint32_t i = 0; i < c->spec->n_neighbors; i++) {
		const struct neighbor_spec *spec = &c->spec->neighbors[i];
		uint32_t slot;
		int ret = compile_find_iface(c, &spec->origin, "port", spec->iface, &slot);

		if (ret == 0)
			ret = compile_check_unicast(c, &spec->origin, "address", &spec->addr);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static int build_net(struct compile *c)
{
	int ret = start_net(c);

	if (ret == 0)
		ret = compile_ifaces(c);
	if (ret == 0)
		ret = check_neighbors(c);
	if (ret == 0)
		ret = compile_sids(c);
	if (ret == 0)
		ret = compile_policies(c);
	return ret == 0 ? compile_sources(c) : ret;
}

static int share_net(struct compile *c)
{
	c->names = c->memory->names;
	c->s = snapshot_share_net((struct snapshot *)(uintptr_t)c->input->live);
	return c->s == NULL ? compile_no_memory(c) : 0;
}

int compile_unshare_net(struct compile *c)
{
	struct snapshot *shared = c->s;
	int ret;

	c->s = NULL;
	c->shares_net = false;
	ret = build_net(c);
	if (c->s != NULL)
		snapshot_move_services(c->s, shared);
	snapshot_destroy(shared);
	return ret;
}

static void free_routes(struct compile *c)
{
	for (uint32_t i = 0; c->s != NULL && i < c->s->n_vrfs; i++) {
		if (c->routes4 != NULL)
			free(c->routes4[i].routes);
		if (c->routes6 != NULL)
			free(c->routes6[i].routes);
		if (c->links4 != NULL)
			lpm_destroy(c->links4[i]);
		if (c->links6 != NULL)
			lpm_destroy(c->links6[i]);
	}
	free(c->routes4);
	free(c->routes6);
	free(c->links4);
	free(c->links6);
	free(c->adj_seen);
}

// ---- the whole

static int compile_all(struct compile *c)
{
	int ret = c->shares_net ? share_net(c) : build_net(c);

	if (ret == 0 && !c->shares_net)
		ret = compile_xds(c);
	if (ret == 0)
		ret = compile_l7(c);
	if (ret == 0)
		ret = compile_virtual(c);
	if (ret == 0 && !c->shares_net)
		ret = compile_routes(c);
	if (ret == 0 && !c->shares_net)
		ret = compile_first_hops(c);
	if (ret == 0 && !c->shares_net)
		ret = compile_circles(c);
	return ret == 0 ? compile_l7_mtu(c) : ret;
}

static int run(struct compile *c, struct snapshot **snapshot)
{
	int ret;

	compile_memory_open(c);
	ret = compile_all(c);
	free_routes(c);
	if (ret == 0)
		ret = compile_memory_keep(c);
	if (ret != 0) {
		if (!c->shares_net)
			compile_names_destroy(&c->names);
		snapshot_destroy(c->s);
		return ret;
	}
	if (!c->shares_net)
		c->s->n_table_bytes += c->s->n_sids * sizeof(struct sid) +
				       c->s->n_groups * sizeof(struct group) + sizeof(*c->s);
	*snapshot = c->s;
	return 0;
}

int compile_snapshot(
	const struct compile_input *input, struct snapshot **snapshot, struct refusal *refusal)
{
	struct compile c = {
		.input = input, .spec = input->spec, .refusal = refusal, .memory = input->memory};
	int ret;

	if (input->memory != NULL)
		return run(&c, snapshot);
	c.memory = compile_memory_create();
	ret = c.memory == NULL ? compile_no_memory(&c) : run(&c, snapshot);
	compile_memory_destroy(c.memory);
	return ret;
}
