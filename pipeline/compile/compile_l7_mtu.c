// SPDX-License-Identifier: Apache-2.0

// What listeners promise clients before an endpoint is known must hold for each: the MTU of the narrowest
// path to any of them.

#include <stdlib.h>

#include "pipeline/compile/compile_priv.h"
#include "pipeline/l7_path.h"

static void take_path(struct compile *c, const struct endpoint *endpoint, uint16_t vrf)
{
	uint16_t mtu = l7_path_mtu(c->s, c->input->adj_table, vrf, endpoint->address.family,
		endpoint->address.b, endpoint->policy);

	c->s->l7_mtu = RTE_MIN(c->s->l7_mtu, mtu);
}

// An endpoint in its client's VRF is in each that has a virtual address.
static void take_all_vrfs(struct compile *c, const struct endpoint *endpoint)
{
	const struct l7_tables *t = c->s->l7;

	for (uint32_t i = 0; i < t->n_vips; i++)
		if (t->vips[i].n_ports > 0 &&
			(i == 0 || t->vip_keys[i].vrf != t->vip_keys[i - 1].vrf))
			take_path(c, endpoint, (uint16_t)t->vip_keys[i].vrf);
}

void compile_l7_mtu(struct compile *c)
{
	const struct l7_tables *t = c->s->l7;

	c->s->l7_mtu = UINT16_MAX;
	for (uint32_t i = 0; i < t->n_endpoints; i++) {
		const struct endpoint *endpoint = &t->endpoints[i];

		if (endpoint->state == ENDPOINT_LIVE && endpoint->vrf != ENDPOINT_VRF_OF_CLIENT)
			take_path(c, endpoint, (uint16_t)endpoint->vrf);
		else if (endpoint->state == ENDPOINT_LIVE)
			take_all_vrfs(c, endpoint);
	}
}
