// SPDX-License-Identifier: Apache-2.0

// Clusters and endpoints. An endpoint that is removed drains: it keeps its slot in the next snapshot, since a
// flow may have taken it until the moment that the snapshot before was replaced, and as long as flows refer to
// it after that.

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

enum {
	// VRF of the key of an endpoint that is gone: no new one gets its slot, whatever VRF has the old number.
	VRF_GONE = 0xfffffffe,
};

static int find_policy(struct compile_l7 *l, const struct endpoint_spec *spec, uint32_t *slot)
{
	const struct srv6_policy_spec *policy;
	uint32_t policy_idx;
	int ret;

	*slot = ENDPOINT_NO_POLICY;
	if (spec->policy == NULL)
		return 0;
	ret = compile_find_policy(l->c, spec->origin, "policy", spec->policy, &policy_idx);
	if (ret != 0)
		return ret;
	policy = &l->c->spec->policies[policy_idx];
	if (policy->headend != SRV6_H_ENCAPS && policy->headend != SRV6_H_ENCAPS_RED)
		return refusal_set(l->c->refusal, spec->origin,
			"policy: \"%s\" is an %s policy; an endpoint needs H.Encaps or "
			"H.Encaps.Red",
			policy->name, srv6_headend_name(policy->headend));
	*slot = l->c->policy_slots[policy_idx];
	return 0;
}

static int fill_endpoint(struct compile_l7 *l, const struct endpoint_spec *spec,
	struct endpoint *endpoint, struct l7_endpoint_key *key)
{
	struct ip_addr addr = l7_ip_addr(&spec->address);
	int ret;

	endpoint->state = ENDPOINT_LIVE;
	endpoint->address = spec->address;
	endpoint->port = spec->port;
	endpoint->weight = spec->weight;
	endpoint->vrf = ENDPOINT_VRF_OF_CLIENT;
	if (spec->port == 0)
		return refusal_set(l->c->refusal, spec->origin, "port: 0 is no port");
	if (spec->weight == 0)
		return refusal_set(
			l->c->refusal, spec->origin, "weight: 0 is none; leave the endpoint out");
	ret = compile_check_global(l->c, spec->origin, "address", &addr);
	if (ret == 0)
		ret = find_policy(l, spec, &endpoint->policy);
	if (ret == 0 && spec->vrf != NULL)
		ret = compile_find_vrf(l->c, spec->origin, "vrf", spec->vrf, &endpoint->vrf);
	key->cluster = endpoint->cluster;
	key->vrf = endpoint->vrf;
	key->address = spec->address;
	key->port = spec->port;
	return ret;
}

static int check_cluster(struct compile_l7 *l, const struct cluster_spec *spec)
{
	uint64_t sum = 0;

	if (spec->n_endpoints > L7_MAX_ENDPOINTS)
		return refusal_set(l->c->refusal, spec->origin, "endpoints: %u of them; at most %d",
			spec->n_endpoints, L7_MAX_ENDPOINTS);
	for (uint32_t i = 0; i < spec->n_endpoints; i++)
		sum += spec->endpoints[i].weight;
	if (sum <= UINT32_MAX)
		return 0;
	return refusal_set(l->c->refusal, spec->origin,
		"endpoints: the weights' sum is %llu; at most %u", (unsigned long long)sum,
		UINT32_MAX);
}

// One cluster's endpoints as the spec has them, with their keys.
static int fill_cluster(struct compile_l7 *l, const struct cluster_spec *spec, uint32_t slot,
	struct endpoint *endpoints, struct l7_endpoint_key *keys)
{
	uint32_t twice = 0;
	int ret = check_cluster(l, spec);

	for (uint32_t i = 0; i < spec->n_endpoints && ret == 0; i++) {
		endpoints[i].cluster = slot;
		ret = fill_endpoint(l, &spec->endpoints[i], &endpoints[i], &keys[i]);
	}
	if (ret == 0)
		ret = l7_keys_find_twice(l, keys, spec->n_endpoints, sizeof(*keys), &twice);
	if (ret != 0 || twice == spec->n_endpoints)
		return ret;
	return refusal_set(l->c->refusal, spec->endpoints[twice].origin,
		"endpoints: cluster \"%s\" has this one already; keep one", spec->name);
}

static int fill_endpoints(
	struct compile_l7 *l, struct endpoint *endpoints, struct l7_endpoint_key *keys)
{
	uint32_t n = 0;
	int ret = 0;

	for (uint32_t i = 0; i < l->spec->n_clusters && ret == 0; i++) {
		const struct cluster_spec *spec = &l->spec->clusters[i];

		ret = fill_cluster(l, spec, l->clusters.slots[i], &endpoints[n], &keys[n]);
		n += spec->n_endpoints;
	}
	return ret;
}

static bool keeps_slot(const struct slot_name *live, uint32_t n_live, const struct slot_name *new,
	uint32_t n_new, uint32_t slot)
{
	return slot < n_live && slot < n_new && strcmp(live[slot].text, new[slot].text) == 0;
}

// Whether what leads to a removed endpoint is still there.
static bool is_reachable(const struct compile_l7 *l, const struct endpoint *endpoint)
{
	const struct snapshot *live = l->c->input->live, *s = l->c->s;

	if (endpoint->state == ENDPOINT_GONE)
		return false;
	if (endpoint->policy != ENDPOINT_NO_POLICY &&
		!keeps_slot(live->policy_names, live->n_policies, s->policy_names, s->n_policies,
			endpoint->policy))
		return false;
	return endpoint->vrf == ENDPOINT_VRF_OF_CLIENT ||
	       keeps_slot(live->vrf_names, live->n_vrfs, s->vrf_names, s->n_vrfs, endpoint->vrf);
}

static bool has_flows(const struct compile_l7 *l, uint32_t slot)
{
	const struct compile_input *input = l->c->input;

	return slot < input->n_endpoint_flows && input->endpoint_flows[slot] > 0;
}

// The endpoint that had a slot until now.
static void drain_endpoint(struct compile_l7 *l, uint32_t slot)
{
	const struct endpoint *live = &l->live->endpoints[slot];
	struct endpoint *endpoint = &l->t->endpoints[slot];
	struct l7_endpoint_key *key = &l->t->endpoint_keys[slot];

	if (live->state == ENDPOINT_FREE || (live->state != ENDPOINT_LIVE && !has_flows(l, slot)))
		return;
	*endpoint = *live;
	*key = l->live->endpoint_keys[slot];
	endpoint->state = ENDPOINT_DRAINING;
	if (!is_reachable(l, live)) {
		endpoint->state = ENDPOINT_GONE;
		key->vrf = VRF_GONE;
	}
}

static int place_endpoints(struct compile_l7 *l, const struct endpoint *endpoints,
	const struct l7_endpoint_key *keys, uint32_t n)
{
	struct l7_tables *t = l->t;
	struct l7_endpoint_key *by_slot = NULL;
	uint32_t n_slots = 0;
	int ret = l7_keys_carry(l, "endpoints", l->live->endpoint_keys, l->live->n_endpoints, keys,
		n, sizeof(*keys), L7_MAX_ENDPOINT_SLOTS, l->endpoint_slots, (void **)&by_slot,
		&n_slots);

	t->n_endpoints = n_slots > l->live->n_endpoints ? n_slots : l->live->n_endpoints;
	t->endpoints = calloc(t->n_endpoints + 1, sizeof(*t->endpoints));
	t->endpoint_keys = calloc(t->n_endpoints + 1, sizeof(*t->endpoint_keys));
	if (ret == 0 && (t->endpoints == NULL || t->endpoint_keys == NULL))
		ret = compile_no_memory(l->c);
	for (uint32_t i = 0; i < n && ret == 0; i++) {
		t->endpoints[l->endpoint_slots[i]] = endpoints[i];
		t->endpoint_keys[l->endpoint_slots[i]] = keys[i];
	}
	for (uint32_t slot = 0; slot < l->live->n_endpoints && ret == 0; slot++)
		if (t->endpoints[slot].state == ENDPOINT_FREE)
			drain_endpoint(l, slot);
	while (ret == 0 && t->n_endpoints > 0 &&
		t->endpoints[t->n_endpoints - 1].state == ENDPOINT_FREE)
		t->n_endpoints--;
	free(by_slot);
	return ret;
}

static int build_clusters(struct compile_l7 *l)
{
	uint32_t n = 0;

	l->t->clusters = calloc(l->t->n_clusters + 1, sizeof(struct cluster *));
	if (l->t->clusters == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < l->spec->n_clusters; i++) {
		const struct cluster_spec *spec = &l->spec->clusters[i];
		uint32_t slot = l->clusters.slots[i];
		struct cluster *live = slot < l->live->n_clusters ? l->live->clusters[slot] : NULL;
		struct cluster *cluster = cluster_build(spec, &l->endpoint_slots[n]);

		if (cluster == NULL)
			return compile_no_memory(l->c);
		l->t->clusters[slot] =
			l7_share_block(l, &cluster->block, live == NULL ? NULL : &live->block);
		n += spec->n_endpoints;
	}
	return 0;
}

int compile_l7_clusters(struct compile_l7 *l)
{
	struct l7_endpoint_key *keys;
	struct endpoint *endpoints;
	uint32_t n = 0;
	int ret;

	for (uint32_t i = 0; i < l->spec->n_clusters; i++)
		n += l->spec->clusters[i].n_endpoints;
	keys = calloc(n + 1, sizeof(*keys));
	endpoints = calloc(n + 1, sizeof(*endpoints));
	l->endpoint_slots = calloc(n + 1, sizeof(*l->endpoint_slots));
	ret = keys == NULL || endpoints == NULL || l->endpoint_slots == NULL
		      ? compile_no_memory(l->c)
		      : fill_endpoints(l, endpoints, keys);
	if (ret == 0)
		ret = place_endpoints(l, endpoints, keys, n);
	if (ret == 0)
		ret = build_clusters(l);
	free(keys);
	free(endpoints);
	return ret;
}
