// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the compiler remembers from one snapshot to the next: which spec it was made from, and where each name has
// its slot. It is true of one snapshot; a compile that is refused leaves it untrue, and the next one starts
// from the live tables.

#include "pipeline/compile/compile_priv.h"
#include "pipeline/compile/slot_map.h"

// How many endpoints have a path of this MTU.
struct compile_mtu {
	uint16_t mtu;
	uint32_t n;
};

struct compile_memory {
	const struct snapshot *of; // that it is true of; NULL: of none
	struct node_spec *spec;	   // that of was made from; a reference
	struct learned_router *routers;
	uint32_t n_routers;
	struct compile_names names;

	uint32_t stamp; // of the compile; notes of the maps that have it were wanted by it
	// Notes: listeners, configurations and clusters have their spec; hosts and routes only their stamp. Counted
	// are for clusters the routes and TCP listeners that name them, for configurations the listeners; virtual
	// addresses have the slot of their first listener, endpoints the MTU of their path.
	struct slot_map listeners;
	struct slot_map tables;
	struct slot_map hosts;
	struct slot_map routes;
	struct slot_map clusters;
	struct slot_map vips;
	struct slot_map endpoints;
	struct slot_list draining; // endpoints
	struct slot_list moved;	   // endpoints whose path this compile has to look up
	struct compile_mtu *mtus;
	uint32_t n_mtus;
	struct slot_list vip_vrfs;     // VRFs that have virtual addresses
	struct slot_list changed_vrfs; // those that gained or lost some by this compile
};

// Before a compile: says what it can share. After it: makes the memory true of the new snapshot; 0 or -ENOMEM.
void compile_memory_open(struct compile *c);
int compile_memory_keep(struct compile *c);

// Keys of the maps (compile_l7_names.c).
extern const struct slot_kind l7_name_kind;
extern const struct slot_kind l7_vip_kind;
extern const struct slot_kind l7_endpoint_kind;
