// SPDX-License-Identifier: Apache-2.0

// Each layer has an era, and an era keeps the one after it: it ends when its layer and all eras before it have ended.
// What was retired between two layers is freed with the era of the earlier one: nobody can have it any more.

#include "ctrl/xds/layers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/arena.h"

struct era {
	_Atomic uint32_t n_refs; // its layer, the era before, and layers.era while it is the last
	struct era *next;	 // NULL: it is the last
	struct part *retired;
};

// Pointers to specs, shared by the layers between which a shelf has not changed.
struct items {
	_Atomic uint32_t n_refs;
	uint32_t n;
	const void *specs[];
};

// Policies and networks that come along with parts, copied.
struct extras {
	_Atomic uint32_t n_refs;
	struct arena *arena;
	uint32_t n_policies;
	struct srv6_policy_spec *policies;
	uint32_t n_networks;
	struct service_network_spec *networks;
};

struct layer {
	struct spec_layer spec;
	struct era *era;
	struct items *items[LAYERS_N_SHELVES];
	struct extras *extras;
};

struct shelf {
	struct layers_place **places;
	uint32_t n;
	uint32_t n_room;
	struct items *items; // NULL: it has changed
};

struct layers {
	struct shelf shelves[LAYERS_N_SHELVES];
	struct extras *extras; // NULL: they may have changed
	struct era *era;       // of the last layer; NULL: there was none
	struct part *retired;  // since then
};

struct part *part_create(size_t n_bytes)
{
	struct part *part = calloc(1, sizeof(*part) + n_bytes);

	if (part != NULL)
		part->spec = part + 1;
	return part;
}

void part_use(struct part *part, struct xds_resource *resource)
{
	uint32_t i = 0;

	while (part->resources[i] != NULL)
		i++;
	part->resources[i] = xds_resource_acquire(resource);
}

void part_destroy(struct part *part)
{
	if (part == NULL)
		return;
	for (uint32_t i = 0; i < PART_MAX_RESOURCES; i++)
		xds_resource_release(part->resources[i]);
	arena_destroy(part->arena);
	free(part);
}

static void destroy_all(struct part *part)
{
	while (part != NULL) {
		struct part *next = part->next;

		part_destroy(part);
		part = next;
	}
}

static void release_era(struct era *era)
{
	while (era != NULL && atomic_fetch_sub(&era->n_refs, 1) == 1) {
		struct era *next = era->next;

		destroy_all(era->retired);
		free(era);
		era = next;
	}
}

static void release_items(struct items *items)
{
	if (items != NULL && atomic_fetch_sub(&items->n_refs, 1) == 1)
		free(items);
}

static void release_extras(struct extras *extras)
{
	if (extras == NULL || atomic_fetch_sub(&extras->n_refs, 1) > 1)
		return;
	arena_destroy(extras->arena);
}

struct layers *layers_create(void)
{
	return calloc(1, sizeof(struct layers));
}

void layers_destroy(struct layers *layers)
{
	if (layers == NULL)
		return;
	for (int i = 0; i < LAYERS_N_SHELVES; i++) {
		release_items(layers->shelves[i].items);
		free(layers->shelves[i].places);
	}
	release_extras(layers->extras);
	if (layers->era != NULL)
		layers->era->retired = layers->retired;
	else
		destroy_all(layers->retired);
	release_era(layers->era);
	free(layers);
}

// ---- shelves

static bool make_room(struct shelf *shelf)
{
	uint32_t n_room = shelf->n_room == 0 ? 64 : 2 * shelf->n_room;
	struct layers_place **places;

	if (shelf->n < shelf->n_room)
		return true;
	places = realloc(shelf->places, n_room * sizeof(struct layers_place *));
	if (places == NULL)
		return false;
	shelf->places = places;
	shelf->n_room = n_room;
	return true;
}

static bool has_extras(const struct part *part)
{
	return part != NULL &&
	       (part->network != NULL || part->policies[0] != NULL || part->policies[1] != NULL);
}

bool layers_put(struct layers *layers, enum layers_shelf shelf_idx, struct layers_place *place,
	struct part *part)
{
	struct shelf *shelf = &layers->shelves[shelf_idx];

	if (place->part == part)
		return true;
	if (place->part == NULL) {
		if (!make_room(shelf))
			return false;
		place->idx = shelf->n++;
		shelf->places[place->idx] = place;
	} else if (part == NULL) {
		struct layers_place *last = shelf->places[--shelf->n];

		shelf->places[place->idx] = last;
		last->idx = place->idx;
		place->idx = LAYERS_NOWHERE;
	}
	if (has_extras(place->part) || has_extras(part)) {
		release_extras(layers->extras);
		layers->extras = NULL;
	}
	place->part = part;
	release_items(shelf->items);
	shelf->items = NULL;
	return true;
}

void layers_retire(struct layers *layers, struct part *part)
{
	if (part == NULL)
		return;
	part->next = layers->retired;
	layers->retired = part;
}

static bool list_items(struct shelf *shelf)
{
	if (shelf->items != NULL)
		return true;
	shelf->items = malloc(sizeof(*shelf->items) + shelf->n * sizeof(void *));
	if (shelf->items == NULL)
		return false;
	shelf->items->n_refs = 1;
	shelf->items->n = shelf->n;
	for (uint32_t i = 0; i < shelf->n; i++)
		shelf->items->specs[i] = shelf->places[i]->part->spec;
	return true;
}

// ---- policies and networks

static int compare_policies(const void *a, const void *b)
{
	return strcmp(((const struct srv6_policy_spec *)a)->name,
		((const struct srv6_policy_spec *)b)->name);
}

static int compare_networks(const void *a, const void *b)
{
	return strcmp(((const struct service_network_spec *)a)->name,
		((const struct service_network_spec *)b)->name);
}

// Leaves one of each name. Items begin with what compare looks at.
static uint32_t unify(
	void *items, uint32_t n, size_t item_bytes, int (*compare)(const void *, const void *))
{
	uint8_t *at = items;
	uint32_t kept = 0;

	if (n > 0)
		qsort(items, n, item_bytes, compare);
	for (uint32_t i = 0; i < n; i++)
		if (kept == 0 || compare(at + (kept - 1) * item_bytes, at + i * item_bytes) != 0)
			memmove(at + kept++ * item_bytes, at + i * item_bytes, item_bytes);
	return kept;
}

static const char *copy_text(struct arena *arena, const char *text, bool *failed)
{
	const char *copy = text == NULL ? NULL : arena_strdup(arena, text);

	*failed |= text != NULL && copy == NULL;
	return copy;
}

static void *copy_bytes(struct arena *arena, const void *bytes, size_t n_bytes, bool *failed)
{
	void *copy = arena_alloc(arena, n_bytes + 1);

	*failed |= copy == NULL;
	return copy == NULL ? NULL : memcpy(copy, bytes, n_bytes);
}

static bool copy_policy(struct arena *arena, struct srv6_policy_spec *policy)
{
	bool failed = false;
	struct srv6_segment_list_spec *lists =
		copy_bytes(arena, policy->lists, policy->n_lists * sizeof(*policy->lists), &failed);

	for (uint32_t i = 0; lists != NULL && i < policy->n_lists; i++) {
		lists[i].origin.source = copy_text(arena, lists[i].origin.source, &failed);
		lists[i].segments = copy_bytes(arena, lists[i].segments,
			lists[i].n_segments * sizeof(*lists[i].segments), &failed);
	}
	policy->lists = lists;
	policy->name = copy_text(arena, policy->name, &failed);
	policy->origin.source = copy_text(arena, policy->origin.source, &failed);
	return !failed;
}

static bool copy_network(struct arena *arena, struct service_network_spec *network)
{
	bool failed = false;
	struct spec_origin *origin = copy_bytes(arena, network->origin, sizeof(*origin), &failed);
	const char **vrfs =
		copy_bytes(arena, network->vrfs, network->n_vrfs * sizeof(*network->vrfs), &failed);

	for (uint32_t i = 0; vrfs != NULL && i < network->n_vrfs; i++)
		vrfs[i] = copy_text(arena, vrfs[i], &failed);
	if (origin != NULL)
		origin->source = copy_text(arena, origin->source, &failed);
	network->origin = origin;
	network->vrfs = vrfs;
	network->name = copy_text(arena, network->name, &failed);
	return !failed;
}

static uint32_t count_policies(const struct shelf *clusters)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < clusters->n; i++)
		for (int k = 0; k < PART_MAX_RESOURCES; k++)
			if (clusters->places[i]->part->policies[k] != NULL)
				n += clusters->places[i]->part->policies[k]->n_policies;
	return n;
}

static bool list_policies(struct extras *extras, const struct shelf *clusters)
{
	uint32_t n = 0;
	bool fits = true;

	extras->policies = arena_alloc(
		extras->arena, (count_policies(clusters) + 1) * sizeof(*extras->policies));
	if (extras->policies == NULL)
		return false;
	for (uint32_t i = 0; i < clusters->n; i++)
		for (int k = 0; k < PART_MAX_RESOURCES; k++) {
			const struct xds_assignment *from = clusters->places[i]->part->policies[k];

			for (uint32_t p = 0; from != NULL && p < from->n_policies; p++)
				extras->policies[n++] = from->policies[p];
		}
	extras->n_policies =
		unify(extras->policies, n, sizeof(*extras->policies), compare_policies);
	for (uint32_t i = 0; i < extras->n_policies; i++)
		fits &= copy_policy(extras->arena, &extras->policies[i]);
	return fits;
}

static bool list_networks(struct extras *extras, const struct shelf *listeners)
{
	uint32_t n = 0;
	bool fits = true;

	extras->networks =
		arena_alloc(extras->arena, (listeners->n + 1) * sizeof(*extras->networks));
	if (extras->networks == NULL)
		return false;
	for (uint32_t i = 0; i < listeners->n; i++)
		if (listeners->places[i]->part->network != NULL)
			extras->networks[n++] = *listeners->places[i]->part->network;
	extras->n_networks =
		unify(extras->networks, n, sizeof(*extras->networks), compare_networks);
	for (uint32_t i = 0; i < extras->n_networks; i++)
		fits &= copy_network(extras->arena, &extras->networks[i]);
	return fits;
}

static bool list_extras(struct layers *layers)
{
	struct arena *arena;
	struct extras *extras;

	if (layers->extras != NULL)
		return true;
	arena = arena_create();
	extras = arena == NULL ? NULL : arena_alloc(arena, sizeof(*extras));
	if (extras != NULL) {
		extras->n_refs = 1;
		extras->arena = arena;
	}
	if (extras == NULL || !list_policies(extras, &layers->shelves[LAYERS_CLUSTERS]) ||
		!list_networks(extras, &layers->shelves[LAYERS_LISTENERS])) {
		arena_destroy(arena);
		return false;
	}
	layers->extras = extras;
	return true;
}

// ---- layers

// With the last reference to one.
static void free_layer(struct spec_layer *spec)
{
	struct layer *layer = (struct layer *)spec;

	for (int i = 0; i < LAYERS_N_SHELVES; i++)
		release_items(layer->items[i]);
	release_extras(layer->extras);
	release_era(layer->era);
	free(layer);
}

// The era before ends with what was retired since.
static bool begin_era(struct layers *layers)
{
	struct era *era = calloc(1, sizeof(*era));

	if (era == NULL)
		return false;
	era->n_refs = 2;
	if (layers->era != NULL) {
		era->n_refs++;
		layers->era->retired = layers->retired;
		layers->era->next = era;
		release_era(layers->era);
		layers->retired = NULL;
	}
	layers->era = era;
	return true;
}

static void fill(struct layer *layer, struct layers *layers)
{
	struct l7_spec *l7 = &layer->spec.l7;

	for (int i = 0; i < LAYERS_N_SHELVES; i++) {
		layer->items[i] = layers->shelves[i].items;
		atomic_fetch_add(&layer->items[i]->n_refs, 1);
	}
	layer->extras = layers->extras;
	atomic_fetch_add(&layer->extras->n_refs, 1);
	layer->era = layers->era;
	l7->n_listeners = layer->items[LAYERS_LISTENERS]->n;
	l7->listeners = (const void *)layer->items[LAYERS_LISTENERS]->specs;
	l7->n_route_configurations = layer->items[LAYERS_ROUTES]->n;
	l7->route_configurations = (const void *)layer->items[LAYERS_ROUTES]->specs;
	l7->n_clusters = layer->items[LAYERS_CLUSTERS]->n;
	l7->clusters = (const void *)layer->items[LAYERS_CLUSTERS]->specs;
	l7->n_service_networks = layer->extras->n_networks;
	l7->service_networks = layer->extras->networks;
	layer->spec.n_policies = layer->extras->n_policies;
	layer->spec.policies = layer->extras->policies;
	layer->spec.free_fn = free_layer;
	layer->spec.n_refs = 1;
}

struct spec_layer *layers_make(struct layers *layers)
{
	struct layer *layer = calloc(1, sizeof(*layer));
	bool fits = layer != NULL;

	for (int i = 0; i < LAYERS_N_SHELVES; i++)
		fits = fits && list_items(&layers->shelves[i]);
	if (!fits || !list_extras(layers) || !begin_era(layers)) {
		free(layer);
		return NULL;
	}
	fill(layer, layers);
	return &layer->spec;
}
