// SPDX-License-Identifier: Apache-2.0

// Names of the file's specs.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_priv.h"

struct name_entry {
	const char *name;
	uint32_t spec_idx;
};

struct name_index {
	uint32_t n_entries;
	struct name_entry entries[];
};

struct name_index *name_index_create(uint32_t n_names)
{
	return calloc(1, sizeof(struct name_index) + n_names * sizeof(struct name_entry));
}

void name_index_destroy(struct name_index *index)
{
	free(index);
}

void name_index_add(struct name_index *index, const char *name, uint32_t spec_idx)
{
	index->entries[index->n_entries++] = (struct name_entry){name, spec_idx};
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name_entry *)a)->name, ((const struct name_entry *)b)->name);
}

const char *name_index_finish(struct name_index *index)
{
	qsort(index->entries, index->n_entries, sizeof(index->entries[0]), compare_names);
	for (uint32_t i = 1; i < index->n_entries; i++)
		if (compare_names(&index->entries[i - 1], &index->entries[i]) == 0)
			return index->entries[i].name;
	return NULL;
}

uint32_t name_index_find(const struct name_index *index, const char *name)
{
	struct name_entry wanted = {.name = name};
	const struct name_entry *entry =
		bsearch(&wanted, index->entries, index->n_entries, sizeof(wanted), compare_names);

	return entry == NULL ? COMPILE_NO_NAME : entry->spec_idx;
}

static int check_names(struct name_index *index, const char *kind, struct refusal *refusal)
{
	const char *twice = name_index_finish(index);

	if (twice == NULL)
		return 0;
	return refusal_set(refusal, NULL, "%s: the name \"%s\" is given twice", kind, twice);
}

static void add_names(struct compile_names *names, const struct node_spec *spec)
{
	const struct l7_spec *l7 = &node_spec_base(spec)->l7;

	for (uint32_t i = 0; i < spec->n_ifaces; i++)
		name_index_add(names->iface_index, spec->ifaces[i].name, i);
	for (uint32_t i = 0; i < spec->n_vrfs; i++)
		name_index_add(names->vrf_index, spec->vrfs[i].name, i);
	for (uint32_t i = 0; i < spec->n_policies; i++)
		name_index_add(names->policy_index, spec->policies[i].name, i);
	for (uint32_t i = 0; i < spec->l7.n_service_networks; i++)
		name_index_add(names->network_index, spec->l7.service_networks[i].name, i);
	for (uint32_t i = 0; i < l7->n_clusters; i++)
		name_index_add(names->cluster_index, l7->clusters[i]->name, i);
}

static int finish_names(
	struct compile_names *names, const struct node_spec *spec, struct refusal *refusal)
{
	if (check_names(names->iface_index, "ports", refusal) != 0 ||
		check_names(names->vrf_index, "vrfs", refusal) != 0 ||
		check_names(names->policy_index, "srv6.policies", refusal) != 0 ||
		check_names(names->network_index, "service_networks", refusal) != 0)
		return -EINVAL;
	// Refused when clusters get their slots, with the line of the second one.
	name_index_finish(names->cluster_index);
	if (spec->n_vrfs == 0 || strcmp(spec->vrfs[0].name, "default") != 0)
		return refusal_set(refusal, NULL, "vrfs: \"default\" is missing");
	return 0;
}

int compile_names_create(
	struct compile_names *names, const struct node_spec *spec, struct refusal *refusal)
{
	const struct l7_spec *l7 = &node_spec_base(spec)->l7;

	names->iface_slots = calloc(spec->n_ifaces + 1, sizeof(uint32_t));
	names->vrf_slots = calloc(spec->n_vrfs + 1, sizeof(uint32_t));
	names->policy_slots = calloc(spec->n_policies + 1, sizeof(uint32_t));
	names->sid_slots = calloc(spec->n_sids + 1, sizeof(uint32_t));
	names->iface_index = name_index_create(spec->n_ifaces);
	names->vrf_index = name_index_create(spec->n_vrfs);
	names->policy_index = name_index_create(spec->n_policies);
	names->network_index = name_index_create(spec->l7.n_service_networks);
	names->cluster_index = name_index_create(l7->n_clusters);
	if (names->iface_slots == NULL || names->vrf_slots == NULL || names->policy_slots == NULL ||
		names->sid_slots == NULL || names->iface_index == NULL ||
		names->vrf_index == NULL || names->policy_index == NULL ||
		names->network_index == NULL || names->cluster_index == NULL) {
		refusal_set(refusal, NULL, "out of memory while compiling the tables");
		return -ENOMEM;
	}
	add_names(names, spec);
	return finish_names(names, spec, refusal);
}

void compile_names_destroy(struct compile_names *names)
{
	free(names->iface_slots);
	free(names->vrf_slots);
	free(names->policy_slots);
	free(names->sid_slots);
	name_index_destroy(names->iface_index);
	name_index_destroy(names->vrf_index);
	name_index_destroy(names->policy_index);
	name_index_destroy(names->network_index);
	name_index_destroy(names->cluster_index);
	*names = (struct compile_names){0};
}
