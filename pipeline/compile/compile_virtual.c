// SPDX-License-Identifier: Apache-2.0

// Routes to virtual addresses. On a live net they are exchanged in the tables of the VRFs that gained or lost some:
// all other routes stay. Where that could matter for more than requests, in the underlay, or contradict another
// route, the net is compiled with them.

#include <errno.h>
#include <stdlib.h>

#include "pipeline/compile/compile_l7_priv.h"

static const struct l7_vip_key *vip_at(const struct snapshot *s, uint32_t slot)
{
	const struct l7_vip_key *key = l7_tables_vip_key(s->l7, slot);

	return key->address.family == 0 ? NULL : key;
}

static const struct spec_origin *origin_of(const struct compile *c, uint32_t slot)
{
	const struct compile_memory *m = c->memory;
	const struct listener_spec *spec = m->listeners.notes[m->vips.notes[slot].count].spec;

	return spec->origin;
}

static int add_all(struct compile *c)
{
	int ret = 0;

	for (uint32_t slot = 0; slot < c->s->l7->n_vips && ret == 0; slot++) {
		const struct l7_vip_key *key = vip_at(c->s, slot);
		struct ip_addr addr;

		if (key == NULL)
			continue;
		addr = l7_ip_addr(&key->address);
		ret = compile_add_route(c, key->vrf, addr.family, &addr.addr,
			addr.family == 4 ? 32 : 128, dest_make(DEST_L7, slot), RANK_VIRTUAL,
			origin_of(c, slot));
	}
	return ret;
}

// ---- on a live net

static size_t copy_others(const struct lpm *table, struct lpm_route *routes)
{
	size_t n = 0;

	for (uint32_t i = 1; i < table->n_leaves; i++) {
		const struct lpm_leaf *leaf = &table->leaves[i];

		if (dest_kind(leaf->dest) != DEST_L7)
			routes[n++] = (struct lpm_route){.hi = leaf->hi,
				.lo = leaf->lo,
				.dest = leaf->dest,
				.len = leaf->hi_len + leaf->lo_len};
	}
	return n;
}

static size_t add_vips(
	const struct snapshot *s, uint32_t vrf, uint8_t family, struct lpm_route *routes)
{
	size_t n = 0;

	for (uint32_t slot = 0; slot < s->l7->n_vips; slot++) {
		const struct l7_vip_key *key = vip_at(s, slot);
		struct ip_addr addr;

		if (key == NULL || key->vrf != vrf || key->address.family != family)
			continue;
		addr = l7_ip_addr(&key->address);
		routes[n++] = (struct lpm_route){.hi = ip6_addr_hi(&addr.addr),
			.lo = family == 4 ? 0 : ip6_addr_lo(&addr.addr),
			.dest = dest_make(DEST_L7, slot),
			.len = family == 4 ? 32 : 128};
		if (family == 4)
			routes[n - 1].hi &= 0xffffffff00000000;
	}
	return n;
}

// Returns -EEXIST when a virtual address is another route's, too.
static int exchange(struct compile *c, struct lpm **table, uint32_t vrf, uint8_t family)
{
	size_t n_room = (size_t)(*table)->n_leaves + c->s->l7->n_vips, n;
	struct lpm_route *routes = malloc(n_room * sizeof(*routes));
	struct lpm *made;

	if (routes == NULL)
		return compile_no_memory(c);
	n = copy_others(*table, routes);
	n += add_vips(c->s, vrf, family, routes + n);
	lpm_sort(routes, n);
	made = lpm_build(routes, n);
	free(routes);
	if (made == NULL)
		return errno == EEXIST ? -EEXIST : compile_no_memory(c);
	made->n_refs = 1;
	c->s->n_shared_tables--;
	c->s->n_table_bytes += lpm_bytes(made) - lpm_bytes(*table);
	snapshot_release_table(*table);
	*table = made;
	return 0;
}

static int exchange_in_vrf(struct compile *c, uint32_t vrf)
{
	struct vrf *v = &c->s->vrfs[vrf];
	int ret = exchange(c, &v->ip4, vrf, 4);

	return ret == 0 ? exchange(c, &v->ip6, vrf, 6) : ret;
}

static bool has_underlay(const struct slot_list *vrfs)
{
	for (uint32_t i = 0; i < vrfs->n; i++)
		if (vrfs->slots[i] == SNAPSHOT_UNDERLAY_VRF)
			return true;
	return false;
}

static int exchange_all(struct compile *c)
{
	const struct slot_list *vrfs = &c->memory->changed_vrfs;
	int ret = 0;

	if (vrfs->n == 0)
		return 0;
	if (has_underlay(vrfs))
		return -EEXIST;
	if (!snapshot_own_vrfs(c->s))
		return compile_no_memory(c);
	for (uint32_t i = 0; i < vrfs->n && ret == 0; i++)
		ret = exchange_in_vrf(c, vrfs->slots[i]);
	return ret;
}

int compile_virtual(struct compile *c)
{
	int ret = c->shares_net ? exchange_all(c) : 0;

	if (ret == -EEXIST)
		ret = compile_unshare_net(c);
	return ret == 0 && !c->shares_net ? add_all(c) : ret;
}
