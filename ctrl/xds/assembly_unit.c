// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "ctrl/log.h"
#include "ctrl/xds/assembly_priv.h"

enum {
	FIRST_BUCKETS = 64,
};

static uint64_t hash_of(enum xds_type type, const char *name)
{
	return XXH3_64bits_withSeed(name, strlen(name), type);
}

struct unit *assembly_find_unit(const struct assembly *a, enum xds_type type, const char *name)
{
	uint64_t hash = hash_of(type, name);
	struct unit *unit;

	if (a->n_buckets == 0)
		return NULL;
	LIST_FOREACH(unit, &a->buckets[hash % a->n_buckets], bucket)
		if (unit->hash == hash && unit->type == type && strcmp(unit->name, name) == 0)
			return unit;
	return NULL;
}

static bool grow(struct assembly *a)
{
	uint32_t n = a->n_buckets == 0 ? FIRST_BUCKETS : 2 * a->n_buckets;
	struct unit_head *buckets;

	if (a->n_units < a->n_buckets)
		return true;
	buckets = calloc(n, sizeof(*buckets));
	if (buckets == NULL)
		return false;
	for (uint32_t i = 0; i < a->n_buckets; i++)
		while (!LIST_EMPTY(&a->buckets[i])) {
			struct unit *unit = LIST_FIRST(&a->buckets[i]);

			LIST_REMOVE(unit, bucket);
			LIST_INSERT_HEAD(&buckets[unit->hash % n], unit, bucket);
		}
	free(a->buckets);
	a->buckets = buckets;
	a->n_buckets = n;
	return true;
}

struct unit *assembly_unit(struct assembly *a, enum xds_type type, const char *name)
{
	struct unit *unit = assembly_find_unit(a, type, name);
	size_t n_bytes = strlen(name) + 1;

	if (unit != NULL)
		return unit;
	unit = grow(a) ? calloc(1, sizeof(*unit) + n_bytes) : NULL;
	if (unit == NULL) {
		log_error("xds: out of memory for %s \"%s\"", xds_type_word(type), name);
		return NULL;
	}
	unit->type = type;
	unit->hash = hash_of(type, name);
	unit->place.idx = LAYERS_NOWHERE;
	memcpy(unit->name, name, n_bytes);
	LIST_INIT(&unit->parents);
	LIST_INSERT_HEAD(&a->buckets[unit->hash % a->n_buckets], unit, bucket);
	a->n_units++;
	return unit;
}

void assembly_set_child(struct unit *unit, struct unit *child)
{
	if (unit->child == child)
		return;
	if (unit->child != NULL)
		LIST_REMOVE(unit, sibling);
	unit->child = child;
	if (child != NULL)
		LIST_INSERT_HEAD(&child->parents, unit, sibling);
}

static void free_unit(struct assembly *a, struct unit *unit)
{
	LIST_REMOVE(unit, bucket);
	a->n_units--;
	xds_resource_release(unit->resource);
	free(unit);
}

void assembly_tidy(struct assembly *a, struct unit *unit)
{
	if (unit->resource == NULL && unit->place.part == NULL && unit->sent == NULL &&
		unit->good == NULL && !unit->is_sent && !unit->is_new && unit->n_users == 0 &&
		unit->child == NULL && LIST_EMPTY(&unit->parents))
		free_unit(a, unit);
}

// No layer comes any more.
static void give_up(struct assembly *a, struct unit *unit)
{
	struct part *parts[] = {unit->place.part, unit->sent, unit->good};

	xds_resource_release(unit->resource);
	unit->resource = NULL;
	assembly_watch_names(a, unit);
	for (int i = 0; i < 3; i++) {
		bool was_there = parts[i] == NULL;

		for (int k = 0; k < i; k++)
			was_there |= parts[k] == parts[i];
		if (!was_there)
			layers_retire(a->layers, parts[i]);
	}
}

void assembly_destroy_units(struct assembly *a)
{
	for (uint32_t i = 0; i < a->n_buckets; i++)
		while (!LIST_EMPTY(&a->buckets[i])) {
			struct unit *unit = LIST_FIRST(&a->buckets[i]);

			give_up(a, unit);
			free_unit(a, unit);
		}
	free(a->buckets);
}
