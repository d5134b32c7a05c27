// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the steps that compile services share. Order: names and slots (compile_l7.c), clusters and endpoints
// (compile_l7_clusters.c), route configurations (compile_l7_routes.c), listeners and their virtual addresses
// (compile_l7_listeners.c).

#include "l7/tables.h"
#include "pipeline/compile/compile_priv.h"

// Names of one kind on their way to slots.
struct l7_names {
	const char *kind; // for refusals: where in the file they stand
	uint32_t n;
	struct l7_name *names;
	const struct spec_origin **origins;
	uint32_t *slots;
};

struct compile_l7 {
	struct compile *c;
	const struct l7_spec *spec;
	struct l7_tables *t;
	const struct l7_tables *live; // never NULL

	struct name_index *network_index; // name to spec index
	struct name_index *cluster_index;
	struct name_index *configuration_index; // of those with a name of their own

	// Those of the file first, then those that belong to a listener; by index, and all virtual hosts and
	// routes counted through.
	const struct route_configuration_spec **configurations;
	uint32_t n_configurations;
	struct l7_names clusters;
	struct l7_names listeners;
	struct l7_names tables;
	struct l7_names hosts;
	struct l7_names routes;
	uint32_t *endpoint_slots; // all clusters' endpoints, counted through
};

// Gives n names their slots, those that live names keep theirs, and writes which name has which slot. Refuses
// names that are empty, too long or given twice, and more than max slots.
int l7_names_carry(struct compile_l7 *l, struct l7_names *names, const struct l7_name *live,
	uint32_t n_live, uint32_t max, struct l7_name **by_slot, uint32_t *n_slots);

// The same for n keys of other kinds. Writes slots; the caller refuses keys that are there twice.
int l7_keys_carry(struct compile_l7 *l, const char *kind, const void *live, uint32_t n_live,
	const void *keys, uint32_t n, size_t key_len, uint32_t max, uint32_t *slots, void **by_slot,
	uint32_t *n_slots);

// Writes the index of a key that is there for the second time, or n. Returns 0 or -ENOMEM, with the refusal set.
int l7_keys_find_twice(
	struct compile_l7 *l, const void *keys, uint32_t n, size_t key_len, uint32_t *twice);

// Weighted clusters: each exists, and the weights have a sum.
int l7_check_choices(struct compile_l7 *l, const struct spec_origin *origin,
	const struct weighted_cluster_spec *choices, uint32_t n);

struct ip_addr l7_ip_addr(const struct l7_address *address);

// The live block of a slot when it says the same as the new one, which then goes, else the new one.
void *l7_share_block(struct compile_l7 *l, struct block *block, struct block *live);

// Steps; each returns 0 or -errno with the refusal set.
int compile_l7_clusters(struct compile_l7 *l);
int compile_l7_routes(struct compile_l7 *l);
int compile_l7_listeners(struct compile_l7 *l);
