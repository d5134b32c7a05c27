// SPDX-License-Identifier: Apache-2.0
#pragma once

// From parts to layers. A part is one spec that a layer can have, and the resources it was made of. Layers share the
// parts that do not change without counting them: a part that has left the shelves is freed when all layers that
// may have it are gone. On the control core's loop, but for the end of a layer, which comes on any thread.

#include <stdbool.h>
#include <stdint.h>

#include "ctrl/xds/resource.h"

enum layers_shelf {
	LAYERS_LISTENERS,
	LAYERS_ROUTES,
	LAYERS_CLUSTERS,
	LAYERS_N_SHELVES,
};

enum {
	PART_MAX_RESOURCES = 2,
};

struct part {
	struct part *next; // in a list of those to be freed
	const void *spec;  // listener_spec, route_configuration_spec or cluster_spec
	const struct service_network_spec *network;	    // of a listener; NULL: the file's
	struct xds_resource *resources[PART_MAX_RESOURCES]; // references
	const struct xds_assignment *policies[PART_MAX_RESOURCES]; // have policies for the layer
	struct arena *arena;					   // NULL: nothing was copied
};

// The spec itself may follow the part: n_bytes of it. NULL: out of memory.
struct part *part_create(size_t n_bytes);
void part_use(struct part *part, struct xds_resource *resource);
// Of one that was never on a shelf. NULL is fine.
void part_destroy(struct part *part);

struct layers;

// NULL: out of memory.
struct layers *layers_create(void);
void layers_destroy(struct layers *layers);

// Where a part stands; the owner keeps it.
struct layers_place {
	uint32_t idx; // LAYERS_NOWHERE
	struct part *part;
};

enum {
	LAYERS_NOWHERE = UINT32_MAX,
};

// Puts a part (NULL: nothing) in a place instead of what is there, which goes on being the owner's. False: out of
// memory, and nothing has changed.
bool layers_put(struct layers *layers, enum layers_shelf shelf, struct layers_place *place,
	struct part *part);
// A part that is in no place any more.
void layers_retire(struct layers *layers, struct part *part);

// What is on the shelves now, with one reference. NULL: out of memory.
struct spec_layer *layers_make(struct layers *layers);
