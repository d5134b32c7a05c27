// SPDX-License-Identifier: Apache-2.0

#include "ctrl/xds/check.h"

// One cluster may have the endpoints of another's name: what they have in common with any cluster is checked.
static int check_endpoints(struct compile_check *check, const struct xds_assignment *assignment,
	struct cluster_spec *spec, struct refusal *refusal)
{
	spec->n_localities = assignment->n_localities;
	spec->localities = assignment->localities;
	if (assignment->overprovisioning_percent != 0)
		spec->overprovisioning_percent = assignment->overprovisioning_percent;
	return compile_check_cluster(
		check, spec, assignment->policies, assignment->n_policies, refusal);
}

// What a cluster says for endpoints that it will get stands for one of them.
static int check_cluster(
	struct compile_check *check, const struct xds_cluster *cluster, struct refusal *refusal)
{
	const struct endpoint_spec endpoint = {.origin = cluster->spec.origin,
		.weight = 1,
		.policy = cluster->policy,
		.vrf = cluster->vrf};
	const struct locality_spec locality = {.origin = cluster->spec.origin,
		.region = "",
		.zone = "",
		.sub_zone = "",
		.n_endpoints = 1,
		.endpoints = &endpoint};
	struct xds_assignment assignment = cluster->assignment;
	struct cluster_spec spec = cluster->spec;

	if (cluster->discovery == XDS_EDS) {
		assignment.n_localities = 1;
		assignment.localities = &locality;
	}
	spec.overprovisioning_percent = L7_DEFAULT_OVERPROVISIONING_PERCENT;
	return check_endpoints(check, &assignment, &spec, refusal);
}

int check_resource(
	struct compile_check *check, const struct xds_resource *resource, struct refusal *refusal)
{
	struct cluster_spec spec = {0};

	switch (resource->type) {
	case XDS_LISTENER:
		return compile_check_listener(
			check, &resource->listener->spec, resource->listener->network, refusal);
	case XDS_ROUTES:
		return compile_check_routes(check, resource->routes, refusal);
	case XDS_CLUSTER:
		return check_cluster(check, resource->cluster, refusal);
	case XDS_ENDPOINTS:
		spec.overprovisioning_percent = L7_DEFAULT_OVERPROVISIONING_PERCENT;
		return check_endpoints(check, resource->endpoints, &spec, refusal);
	default:
		return 0;
	}
}
