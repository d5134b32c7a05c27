// SPDX-License-Identifier: Apache-2.0

// What the file says for services that another source will bring: told when the file is read, not with the first of
// them.

#include "pipeline/compile/compile_priv.h"

static int check_network(struct compile *c, const struct xds_spec *spec)
{
	if (spec->service_network == NULL ||
		name_index_find(c->names.network_index, spec->service_network) != COMPILE_NO_NAME)
		return 0;
	return refusal_set(c->refusal, &spec->service_network_origin,
		"xds.service_network: there is no service network \"%s\"", spec->service_network);
}

static int check_endpoint_address(struct compile *c, const struct xds_endpoint_address_spec *spec)
{
	uint32_t found;
	int ret = 0;

	if (spec->vrf != NULL)
		ret = compile_find_vrf(
			c, &spec->origin, "xds.endpoint_addresses: vrf", spec->vrf, &found);
	if (ret == 0 && spec->policy != NULL)
		ret = compile_find_policy(
			c, &spec->origin, "xds.endpoint_addresses: policy", spec->policy, &found);
	return ret;
}

int compile_xds(struct compile *c)
{
	const struct xds_spec *spec = node_spec_base(c->spec)->xds;
	int ret = spec == NULL ? 0 : check_network(c, spec);

	for (uint32_t i = 0; ret == 0 && spec != NULL && i < spec->n_endpoint_addresses; i++)
		ret = check_endpoint_address(c, &spec->endpoint_addresses[i]);
	return ret;
}
