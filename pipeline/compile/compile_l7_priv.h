// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the steps that compile services share. Order: what differs from the spec before (compile_l7_changes.c), names
// and slots (compile_l7_names.c), clusters and endpoints (compile_l7_clusters.c), route configurations
// (compile_l7_routes.c), listeners (compile_l7_listeners.c), their virtual addresses
// (compile_l7_bindings.c), and what nobody wants any more (compile_l7_sweep.c).

#include "l7/tables.h"
#include "pipeline/compile/compile_memory.h"

// A spec that came or went.
struct l7_change {
	const void *spec;
	const char *name;
	uint32_t
		parent; // of a listener's own route configuration the slot of the listener plus one; else 0
	uint32_t slot;
};

struct l7_change_list {
	struct l7_change *items;
	uint32_t n;
	uint32_t n_room;
};

struct l7_changes {
	struct l7_change_list added;
	struct l7_change_list removed;
};

struct compile_l7 {
	struct compile *c;
	struct compile_memory *m;
	const struct l7_spec *spec;
	const struct l7_tables *live; // never NULL
	struct l7_tables *t;	      // under way
	struct paged_draft listeners;
	struct paged_draft route_tables;
	struct paged_draft clusters;
	struct paged_draft choices;

	struct l7_changes changed_clusters;
	struct l7_changes changed_listeners;
	struct l7_changes changed_tables;
	struct slot_list left_clusters; // that lost a reference
	uint32_t n_built;		// blocks that are not the live ones
	bool rebinds;			// virtual addresses are another set, or lead elsewhere
	bool failed;			// out of memory
};

// compile_l7_changes.c. Of a follow-up what differs in its place in the arrays, else everything as added.
int l7_find_changes(struct compile_l7 *l);
void l7_forget_changes(struct compile_l7 *l);
bool l7_change_list_add(struct l7_change_list *list, const struct l7_change *change);

// compile_l7_names.c. Gives what was added its slots. Refuses names that are empty, too long or there twice.
int l7_place_names(struct compile_l7 *l);
// A name's slot in a map; 0 or -errno with the refusal set. kind: what it is called, for refusals.
int l7_take_name(struct compile_l7 *l, struct slot_map *map, const char *kind, uint32_t max,
	const struct spec_origin *origin, uint32_t parent, const char *text, uint32_t *slot);

// The slot of a valid name, or SLOT_NONE.
uint32_t l7_find_name(const struct slot_map *map, uint32_t parent, const char *text);

// The cluster of a choice, by slot; counts the reference. must_exist: in the file's own layer, or it is refused.
enum l7_missing {
	L7_MUST_EXIST,
	L7_MAY_BE_MISSING
};
int l7_take_choice(struct compile_l7 *l, const struct weighted_cluster_spec *choice,
	enum l7_missing missing, uint32_t *slot);
// Ends what l7_take_choice() began.
void l7_leave_choices(
	struct compile_l7 *l, const struct weighted_cluster_spec *choices, uint32_t n);

// What a cluster's localities must be, whatever else the node has. Returns 0 or -EINVAL with the refusal.
int l7_check_localities(struct refusal *refusal, const struct cluster_spec *spec);

struct ip_addr l7_ip_addr(const struct l7_address *address);

// Puts a block into a slot, the live one when it says the same. block NULL: empties the slot.
void l7_set_block(
	struct compile_l7 *l, struct paged_draft *draft, uint32_t slot, struct block *block);

// Checks of one spec, which need no slots (pipeline/compile/compile_check.c has them, too). Each returns 0 or
// -errno with the refusal set.
int l7_check_name(
	struct compile *c, const char *kind, const struct spec_origin *origin, const char *text);
int l7_check_weights(struct compile *c, const struct spec_origin *origin,
	const struct weighted_cluster_spec *choices, uint32_t n);
int l7_check_routes(struct compile *c, const struct route_configuration_spec *spec);
int l7_check_listener(struct compile *c, const struct listener_spec *spec);
int l7_check_network(struct compile *c, const struct listener_spec *spec);
int l7_refuse_twice(struct refusal *refusal, const char *kind, const char *name,
	const struct spec_origin *origin, const struct spec_origin *first);
// The endpoint but for its cluster, from its spec.
int l7_fill_endpoint(
	struct compile *c, const struct endpoint_spec *spec, struct endpoint *endpoint);
// Whether the VRF that it names, which is there, has sources of its family, or any when the family is 0.
int l7_check_sources(struct compile *c, const struct endpoint_spec *spec);

// compile_l7_drain.c. Endpoints that no cluster has any more drain; those that drain already keep their slots
// while they have flows.
int l7_drain_endpoints(struct compile_l7 *l);

// Gives up the slots of a configuration's virtual hosts and routes that this compile did not want, and what its
// routes name. Of a follow-up, for what was removed or replaced.
void l7_leave_routes(
	struct compile_l7 *l, const struct route_configuration_spec *spec, uint32_t table);

// compile_l7_listeners.c. What a listener that was removed or replaced names; and whether one that stayed names a
// configuration that went: it is refused.
void l7_leave_listener(struct compile_l7 *l, const struct listener_spec *spec, uint32_t slot);
int l7_check_lost_table(struct compile_l7 *l, uint32_t table_slot);

// Steps; each returns 0 or -errno with the refusal set.
int compile_l7_clusters(struct compile_l7 *l);
int compile_l7_routes(struct compile_l7 *l);
int compile_l7_listeners(struct compile_l7 *l);
int compile_l7_bindings(struct compile_l7 *l);
int compile_l7_sweep(struct compile_l7 *l);
