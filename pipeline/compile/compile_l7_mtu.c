// SPDX-License-Identifier: Apache-2.0

// What listeners promise clients before an endpoint is known must hold for each: the MTU of the narrowest
// path to any of them. The memory counts endpoints by the MTU of their path, so that only those that came or
// went are looked up, unless paths may have changed.

#include <stdlib.h>

#include "pipeline/compile/compile_memory.h"
#include "pipeline/l7_path.h"

static uint16_t path_mtu(const struct compile *c, const struct endpoint *endpoint, uint32_t vrf)
{
	return l7_path_mtu(c->s, c->input->adj_table, (uint16_t)vrf, endpoint->address.family,
		endpoint->address.b, endpoint->policy);
}

// An endpoint in its client's VRF is in each that has a virtual address. 0: nobody comes to it.
static uint16_t endpoint_mtu(const struct compile *c, const struct endpoint *endpoint)
{
	const struct slot_list *vrfs = &c->memory->vip_vrfs;
	uint16_t mtu = UINT16_MAX;

	if (endpoint->state != ENDPOINT_LIVE)
		return 0;
	if (endpoint->vrf != ENDPOINT_VRF_OF_CLIENT)
		return path_mtu(c, endpoint, endpoint->vrf);
	for (uint32_t i = 0; i < vrfs->n; i++)
		mtu = RTE_MIN(mtu, path_mtu(c, endpoint, vrfs->slots[i]));
	return vrfs->n == 0 ? 0 : mtu;
}

static struct compile_mtu *count_of(struct compile_memory *m, uint32_t mtu)
{
	struct compile_mtu *mtus;

	for (uint32_t i = 0; i < m->n_mtus; i++)
		if (m->mtus[i].mtu == mtu)
			return &m->mtus[i];
	mtus = realloc(m->mtus, (m->n_mtus + 1) * sizeof(*mtus));
	if (mtus == NULL)
		return NULL;
	m->mtus = mtus;
	mtus[m->n_mtus] = (struct compile_mtu){.mtu = (uint16_t)mtu};
	return &mtus[m->n_mtus++];
}

static int count_endpoint(struct compile *c, uint32_t slot)
{
	struct compile_memory *m = c->memory;
	const struct l7_tables *t = c->s->l7;
	uint32_t mtu = slot < t->n_endpoints ? endpoint_mtu(c, l7_tables_endpoint(t, slot)) : 0;
	struct slot_note *note = &m->endpoints.notes[slot];
	struct compile_mtu *count;

	if (note->count != 0)
		count_of(m, note->count)->n--;
	note->count = mtu;
	if (mtu == 0)
		return 0;
	count = count_of(m, mtu);
	if (count == NULL)
		return compile_no_memory(c);
	count->n++;
	return 0;
}

static int count_all(struct compile *c)
{
	struct compile_memory *m = c->memory;
	int ret = 0;

	m->n_mtus = 0;
	for (uint32_t slot = 0; slot < c->s->l7->n_endpoints && ret == 0; slot++) {
		m->endpoints.notes[slot].count = 0;
		ret = count_endpoint(c, slot);
	}
	return ret;
}

static int count_moved(struct compile *c)
{
	const struct slot_list *moved = &c->memory->moved;
	int ret = 0;

	for (uint32_t i = 0; i < moved->n && ret == 0; i++)
		ret = count_endpoint(c, moved->slots[i]);
	return ret;
}

int compile_l7_mtu(struct compile *c)
{
	struct compile_memory *m = c->memory;
	int ret = c->shares_net && m->changed_vrfs.n == 0 ? count_moved(c) : count_all(c);

	c->s->l7_mtu = UINT16_MAX;
	for (uint32_t i = 0; i < m->n_mtus; i++)
		if (m->mtus[i].n > 0)
			c->s->l7_mtu = RTE_MIN(c->s->l7_mtu, m->mtus[i].mtu);
	return ret;
}
