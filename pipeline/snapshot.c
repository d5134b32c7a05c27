// SPDX-License-Identifier: Apache-2.0

#include "pipeline/snapshot.h"

#include <stdlib.h>

void snapshot_release_table(struct lpm *table)
{
	if (table != NULL && --table->n_refs == 0)
		lpm_destroy(table);
}

void snapshot_destroy(struct snapshot *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; s->vrfs != NULL && i < s->n_vrfs; i++) {
		snapshot_release_table(s->vrfs[i].ip4);
		snapshot_release_table(s->vrfs[i].ip6);
	}
	snapshot_release_table(s->no_routes);
	for (uint32_t i = 0; s->policies != NULL && i < s->n_policies; i++)
		free(s->policies[i].lists);
	for (uint32_t i = 0; i < s->n_adj_slots; i++)
		adj_table_release(s->adj_table, s->adj_slots[i]);
	for (uint32_t i = 0; i < SNAPSHOT_MAX_DPDK_PORTS; i++)
		free(s->port_vlans[i]);
	hmac_keys_destroy(s->hmac_keys);
	l7_tables_release(s->l7);
	free(s->sources);
	free(s->source_keys);
	free(s->source_order);
	free(s->ifaces);
	free(s->vrfs);
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
