// SPDX-License-Identifier: Apache-2.0

#include "pipeline/snapshot.h"

#include <stdlib.h>
#include <string.h>

void snapshot_release_table(struct lpm *table)
{
	if (table != NULL && --table->n_refs == 0)
		lpm_destroy(table);
}

struct vrf_table *vrf_table_create(uint32_t n)
{
	struct vrf_table *table = calloc(1, sizeof(*table) + n * sizeof(table->vrfs[0]));

	if (table != NULL) {
		table->n_refs = 1;
		table->n = n;
	}
	return table;
}

static void release_vrfs(struct vrf_table *table)
{
	if (table == NULL || --table->n_refs > 0)
		return;
	for (uint32_t i = 0; i < table->n; i++) {
		snapshot_release_table(table->vrfs[i].ip4);
		snapshot_release_table(table->vrfs[i].ip6);
	}
	free(table);
}

bool snapshot_own_vrfs(struct snapshot *s)
{
	struct vrf_table *table = vrf_table_create(s->vrf_table->n);

	if (table == NULL)
		return false;
	memcpy(table->vrfs, s->vrf_table->vrfs, table->n * sizeof(table->vrfs[0]));
	for (uint32_t i = 0; i < table->n; i++) {
		if (table->vrfs[i].ip4 == NULL)
			continue;
		table->vrfs[i].ip4->n_refs++;
		table->vrfs[i].ip6->n_refs++;
	}
	release_vrfs(s->vrf_table);
	s->vrf_table = table;
	s->vrfs = table->vrfs;
	return true;
}

struct snapshot *snapshot_share_net(struct snapshot *live)
{
	struct snapshot *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = *live;
	s->generation = live->generation + 1;
	s->net = live->net == NULL ? live : live->net;
	s->net->n_sharers++;
	s->n_sharers = 0;
	s->vrf_table->n_refs++;
	s->n_shared_tables = 0;
	for (uint32_t i = 0; i < s->n_vrfs; i++)
		s->n_shared_tables += s->vrfs[i].ip4 == NULL ? 0 : 2;
	s->n_table_bytes = live->n_table_bytes - l7_tables_bytes(live->l7);
	s->l7 = NULL;
	s->fresh = NULL;
	s->n_fresh = 0;
	return s;
}

void snapshot_move_services(struct snapshot *to, struct snapshot *from)
{
	to->l7 = from->l7;
	to->fresh = from->fresh;
	to->n_fresh = from->n_fresh;
	to->n_table_bytes += l7_tables_bytes(to->l7);
	from->l7 = NULL;
	from->fresh = NULL;
}

static void free_net(struct snapshot *s)
{
	snapshot_release_table(s->no_routes);
	for (uint32_t i = 0; s->policies != NULL && i < s->n_policies; i++)
		free(s->policies[i].lists);
	for (uint32_t i = 0; i < s->n_adj_slots; i++)
		adj_table_release(s->adj_table, s->adj_slots[i]);
	for (uint32_t i = 0; i < SNAPSHOT_MAX_DPDK_PORTS; i++)
		free(s->port_vlans[i]);
	hmac_keys_destroy(s->hmac_keys);
	free(s->sources);
	free(s->source_keys);
	free(s->source_order);
	free(s->ifaces);
	free(s->sids);
	free(s->policies);
	free(s->groups);
	free(s->iface_names);
	free(s->vrf_names);
	free(s->policy_names);
	free(s->sid_keys);
	free(s->adj_slots);
	free(s);
}

void snapshot_destroy(struct snapshot *s)
{
	struct snapshot *net;

	if (s == NULL)
		return;
	l7_tables_release(s->l7);
	free(s->fresh);
	release_vrfs(s->vrf_table);
	net = s->net == NULL ? s : s->net;
	if (net == s) {
		net->is_over = true;
	} else {
		net->n_sharers--;
		free(s);
	}
	if (net->is_over && net->n_sharers == 0)
		free_net(net);
}
