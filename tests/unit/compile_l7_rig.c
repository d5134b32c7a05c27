// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compile_l7_rig.h"

uint32_t rig_vrf_slot(const struct fixture *f, const char *name)
{
	for (uint32_t i = 0; i < f->snapshot->n_vrfs; i++)
		if (strcmp(f->snapshot->vrf_names[i].text, name) == 0)
			return i;
	return UINT32_MAX;
}

uint32_t rig_look_up4(const struct fixture *f, const char *vrf, uint32_t addr)
{
	return lpm_lookup(f->snapshot->vrfs[rig_vrf_slot(f, vrf)].ip4, (uint64_t)addr << 32, 0);
}

uint32_t rig_cluster_slot(const struct fixture *f, const char *name)
{
	return find_name(f->snapshot->l7->cluster_names, name);
}

uint32_t rig_listener_slot(const struct fixture *f, const char *name)
{
	return find_name(f->snapshot->l7->listener_names, name);
}

uint32_t rig_endpoint_slot(const struct fixture *f, uint8_t x)
{
	const struct l7_tables *t = f->snapshot->l7;
	const uint8_t addr[4] = {10, 2, 0, x};

	for (uint32_t i = 0; i < t->n_endpoints; i++)
		if (l7_tables_endpoint(t, i)->state != ENDPOINT_FREE &&
			memcmp(l7_tables_endpoint(t, i)->address.b, addr, sizeof(addr)) == 0)
			return i;
	return L7_NO_SLOT;
}

int rig_endpoint_state(const struct fixture *f, uint8_t x)
{
	uint32_t slot = rig_endpoint_slot(f, x);

	return slot == L7_NO_SLOT ? ENDPOINT_FREE
				  : l7_tables_endpoint(f->snapshot->l7, slot)->state;
}
