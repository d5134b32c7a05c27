// SPDX-License-Identifier: Apache-2.0

// Clusters and endpoints: what they must be, and their tables.

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

struct ip_addr l7_ip_addr(const struct l7_address *address)
{
	struct ip_addr addr = {.family = address->family};

	memcpy(addr.addr.b, address->b, sizeof(addr.addr.b));
	return addr;
}

static int find_policy(struct compile *c, const struct endpoint_spec *spec, uint32_t *slot)
{
	const struct srv6_policy_spec *policy;
	uint32_t policy_idx;
	int ret;

	*slot = ENDPOINT_NO_POLICY;
	if (spec->policy == NULL)
		return 0;
	ret = compile_find_policy(c, spec->origin, "policy", spec->policy, &policy_idx);
	if (ret != 0)
		return ret;
	policy = &c->spec->policies[policy_idx];
	if (policy->headend != SRV6_H_ENCAPS && policy->headend != SRV6_H_ENCAPS_RED)
		return refusal_set(c->refusal, spec->origin,
			"policy: \"%s\" is an %s policy; an endpoint needs H.Encaps or "
			"H.Encaps.Red",
			policy->name, srv6_headend_name(policy->headend));
	*slot = c->names.policy_slots[policy_idx];
	return 0;
}

int l7_fill_endpoint(struct compile *c, const struct endpoint_spec *spec, struct endpoint *endpoint)
{
	struct ip_addr addr = l7_ip_addr(&spec->address);
	int ret;

	endpoint->state = ENDPOINT_LIVE;
	endpoint->address = spec->address;
	endpoint->port = spec->port;
	endpoint->weight = spec->weight;
	endpoint->health = (uint8_t)spec->health;
	endpoint->vrf = ENDPOINT_VRF_OF_CLIENT;
	if (spec->port == 0)
		return refusal_set(c->refusal, spec->origin, "port: 0 is no port");
	if (spec->weight == 0)
		return refusal_set(
			c->refusal, spec->origin, "weight: 0 is none; leave the endpoint out");
	ret = compile_check_global(c, spec->origin, "address", &addr);
	if (ret == 0)
		ret = find_policy(c, spec, &endpoint->policy);
	if (ret == 0 && spec->vrf != NULL)
		ret = compile_find_vrf(c, spec->origin, "vrf", spec->vrf, &endpoint->vrf);
	return ret;
}

// An endpoint in its client's VRF is asked for wherever its cluster is served, which may be on purpose in some VRFs only:
// requests that find no source there are answered 503.
int l7_check_sources(struct compile *c, const struct endpoint_spec *spec)
{
	const uint8_t family = spec->address.family;
	const struct vrf_spec *vrf;

	if (spec->vrf == NULL)
		return 0;
	vrf = &c->spec->vrfs[name_index_find(c->names.vrf_index, spec->vrf)];
	for (uint32_t i = 0; i < vrf->n_sources; i++)
		if (family == 0 || vrf->sources[i].prefix.family == family)
			return 0;
	return refusal_set(c->refusal, spec->origin,
		"vrf: \"%s\" has no %ssources; give it addresses that the node speaks to endpoints "
		"from",
		vrf->name,
		family == 0   ? ""
		: family == 4 ? "IPv4 "
			      : "IPv6 ");
}

// Where an endpoint stands in its cluster.
struct place {
	const struct cluster_spec *cluster;
	uint32_t cluster_slot;
	uint32_t locality;
};

static int place_endpoint(struct compile_l7 *l, const struct place *place,
	const struct endpoint_spec *spec, uint32_t *slot)
{
	struct slot_map *map = &l->m->endpoints;
	struct endpoint endpoint = {
		.cluster = place->cluster_slot, .locality = (uint16_t)place->locality};
	int ret = l7_fill_endpoint(l->c, spec, &endpoint);

	if (ret == 0)
		ret = l7_check_sources(l->c, spec);
	if (ret != 0)
		return ret;
	*slot = slot_map_take(map, &endpoint);
	if (*slot == SLOT_NONE || !slot_list_add(&l->m->moved, *slot))
		return compile_no_memory(l->c);
	if (*slot >= L7_MAX_ENDPOINT_SLOTS)
		return refusal_set(l->c->refusal, NULL,
			"endpoints: more than %u, those just removed included",
			L7_MAX_ENDPOINT_SLOTS);
	if (map->notes[*slot].stamp == l->m->stamp)
		return refusal_set(l->c->refusal, spec->origin,
			"endpoints: cluster \"%s\" has this one already; keep one",
			place->cluster->name);
	map->notes[*slot].stamp = l->m->stamp;
	slot_map_put(map, *slot, &endpoint);
	return 0;
}

static int build_cluster(
	struct compile_l7 *l, const struct cluster_spec *spec, uint32_t slot, uint32_t *slots)
{
	struct place place = {.cluster = spec, .cluster_slot = slot};
	struct cluster *cluster;
	uint32_t n = 0;
	int ret = l7_check_localities(l->c->refusal, spec);

	for (uint32_t i = 0; i < spec->n_localities && ret == 0; i++) {
		const struct locality_spec *locality = &spec->localities[i];

		place.locality = i;
		for (uint32_t k = 0; k < locality->n_endpoints && ret == 0; k++)
			ret = place_endpoint(l, &place, &locality->endpoints[k], &slots[n++]);
	}
	if (ret != 0)
		return ret;
	cluster = cluster_build(spec, slots);
	if (cluster == NULL)
		return compile_no_memory(l->c);
	l7_set_block(l, &l->clusters, slot, &cluster->block);
	return 0;
}

int compile_l7_clusters(struct compile_l7 *l)
{
	const struct l7_change_list *added = &l->changed_clusters.added;
	uint32_t *slots = malloc(L7_MAX_ENDPOINTS * sizeof(*slots));
	int ret = slots == NULL ? compile_no_memory(l->c) : 0;

	for (uint32_t i = 0; i < added->n && ret == 0; i++)
		ret = build_cluster(l, added->items[i].spec, added->items[i].slot, slots);
	free(slots);
	return ret;
}
