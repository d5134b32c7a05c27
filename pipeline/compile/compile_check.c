// SPDX-License-Identifier: Apache-2.0

#include "pipeline/compile/compile_check.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

struct compile_check {
	struct compile c;
	struct name_index *listener_index;
	struct name_index *configuration_index;
};

static void index_services(struct compile_check *check, const struct l7_spec *l7)
{
	for (uint32_t i = 0; i < l7->n_listeners; i++)
		name_index_add(check->listener_index, l7->listeners[i]->name, i);
	for (uint32_t i = 0; i < l7->n_route_configurations; i++)
		name_index_add(check->configuration_index, l7->route_configurations[i]->name, i);
	name_index_finish(check->listener_index);
	name_index_finish(check->configuration_index);
}

struct compile_check *compile_check_create(struct node_spec *base, struct refusal *refusal)
{
	struct compile_check *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return NULL;
	check->c.spec = base;
	check->listener_index = name_index_create(base->l7.n_listeners);
	check->configuration_index = name_index_create(base->l7.n_route_configurations);
	if (check->listener_index != NULL && check->configuration_index != NULL &&
		compile_names_create(&check->c.names, base, refusal) == 0) {
		index_services(check, &base->l7);
		return check;
	}
	compile_check_destroy(check);
	return NULL;
}

void compile_check_destroy(struct compile_check *check)
{
	if (check == NULL)
		return;
	compile_names_destroy(&check->c.names);
	name_index_destroy(check->listener_index);
	name_index_destroy(check->configuration_index);
	free(check);
}

// What all three kinds begin with.
struct named {
	const struct spec_origin *origin;
	const char *name;
};

// index and all: what the file has of the kind.
static int check_name(struct compile_check *check, const char *kind, const void *spec,
	const struct name_index *index, const void *all)
{
	const struct named *named = spec, *const *others = all, *first;
	int ret = l7_check_name(&check->c, kind, named->origin, named->name);
	uint32_t idx = name_index_find(index, named->name);

	if (ret != 0 || idx == COMPILE_NO_NAME)
		return ret;
	first = others[idx];
	return l7_refuse_twice(check->c.refusal, kind, named->name, named->origin, first->origin);
}

int compile_check_listener(struct compile_check *check, const struct listener_spec *spec,
	const struct service_network_spec *network, struct refusal *refusal)
{
	struct compile *c = &check->c;
	uint32_t vrf_slot;
	int ret;

	c->refusal = refusal;
	ret = check_name(check, "listeners", spec, check->listener_index, c->spec->l7.listeners);
	if (ret == 0)
		ret = l7_check_listener(c, spec);
	if (ret == 0 && network == NULL)
		ret = l7_check_network(c, spec);
	for (uint32_t i = 0; network != NULL && i < network->n_vrfs && ret == 0; i++)
		ret = compile_find_vrf(c, network->origin, "vrfs", network->vrfs[i], &vrf_slot);
	return ret == 0 && spec->routes != NULL ? l7_check_routes(c, spec->routes) : ret;
}

int compile_check_routes(struct compile_check *check, const struct route_configuration_spec *spec,
	struct refusal *refusal)
{
	struct compile *c = &check->c;
	int ret;

	c->refusal = refusal;
	ret = check_name(check, "route_configurations", spec, check->configuration_index,
		c->spec->l7.route_configurations);
	return ret == 0 ? l7_check_routes(c, spec) : ret;
}

static int compare_policy(const void *name, const void *policy)
{
	return strcmp(name, ((const struct srv6_policy_spec *)policy)->name);
}

// Policies that come along are checked as such.
static int check_endpoint(struct compile *c, const struct endpoint_spec *spec,
	const struct srv6_policy_spec *policies, uint32_t n_policies)
{
	struct endpoint_spec checked = *spec;
	struct endpoint endpoint = {0};
	int ret;

	if (spec->policy != NULL && n_policies > 0 &&
		bsearch(spec->policy, policies, n_policies, sizeof(*policies), compare_policy) !=
			NULL)
		checked.policy = NULL;
	if (spec->address.family == 0)
		checked.address = (struct l7_address){.family = 4, .b = {192, 0, 2, 1}};
	if (spec->address.family == 0 && spec->port == 0)
		checked.port = 1;
	ret = l7_fill_endpoint(c, &checked, &endpoint);
	return ret == 0 ? l7_check_sources(c, spec) : ret;
}

int compile_check_cluster(struct compile_check *check, const struct cluster_spec *spec,
	const struct srv6_policy_spec *policies, uint32_t n_policies, struct refusal *refusal)
{
	struct compile *c = &check->c;
	int ret;

	c->refusal = refusal;
	ret = spec->name == NULL ? 0
				 : check_name(check, "clusters", spec, c->names.cluster_index,
					   c->spec->l7.clusters);
	if (ret == 0)
		ret = l7_check_localities(refusal, spec);
	for (uint32_t i = 0; i < n_policies && ret == 0; i++)
		ret = compile_check_policy(c, &policies[i]);
	for (uint32_t i = 0; i < spec->n_localities && ret == 0; i++)
		for (uint32_t k = 0; k < spec->localities[i].n_endpoints && ret == 0; k++)
			ret = check_endpoint(
				c, &spec->localities[i].endpoints[k], policies, n_policies);
	return ret;
}
