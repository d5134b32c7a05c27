// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ctrl/xds/wire.h"

enum {
	FIRST_BUCKETS = 64, // of a type; a power of two, doubled as it fills
};

LIST_HEAD(bucket, xds_entry);
TAILQ_HEAD(entries, xds_entry);

struct table {
	struct bucket *buckets;
	uint32_t n_buckets;
	uint32_t n_entries;
	struct entries order;
	bool wants_changed;
};

struct store {
	struct table tables[XDS_N_TYPES];
	struct entries changed;
	struct entries watched;
	struct xds_entry *taken; // by store_take_changed(), until the next call
};

struct xds_version *store_version_create(const char *text, size_t len)
{
	struct xds_version *version = malloc(sizeof(*version) + len + 1);

	if (version == NULL)
		return NULL;
	version->n_refs = 1;
	if (len > 0)
		memcpy(version->text, text, len);
	version->text[len] = '\0';
	return version;
}

struct xds_version *store_version_acquire(struct xds_version *version)
{
	if (version != NULL)
		version->n_refs++;
	return version;
}

void store_version_release(struct xds_version *version)
{
	if (version != NULL && --version->n_refs == 0)
		free(version);
}

static void replace_version(struct xds_version **held, struct xds_version *version)
{
	store_version_acquire(version);
	store_version_release(*held);
	*held = version;
}

struct store *store_create(void)
{
	struct store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	TAILQ_INIT(&store->changed);
	TAILQ_INIT(&store->watched);
	for (unsigned int type = 0; type < XDS_N_TYPES; type++) {
		struct table *table = &store->tables[type];

		TAILQ_INIT(&table->order);
		table->n_buckets = FIRST_BUCKETS;
		table->buckets = calloc(FIRST_BUCKETS, sizeof(*table->buckets));
		if (table->buckets == NULL) {
			store_destroy(store);
			errno = ENOMEM;
			return NULL;
		}
	}
	return store;
}

static void free_entry(struct xds_entry *entry)
{
	xds_resource_release(entry->resource);
	store_version_release(entry->version);
	store_version_release(entry->refused_version);
	free(entry->refused);
	free(entry->refused_children);
	free(entry);
}

void store_destroy(struct store *store)
{
	if (store == NULL)
		return;
	for (unsigned int type = 0; type < XDS_N_TYPES; type++) {
		struct xds_entry *entry;

		while ((entry = TAILQ_FIRST(&store->tables[type].order)) != NULL) {
			TAILQ_REMOVE(&store->tables[type].order, entry, order);
			free_entry(entry);
		}
		free(store->tables[type].buckets);
	}
	free(store);
}

static struct bucket *bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

static struct xds_entry *lookup(
	const struct store *store, enum xds_type type, const char *name, size_t len)
{
	uint64_t hash = XXH3_64bits(name, len);
	struct xds_entry *entry;

	LIST_FOREACH(entry, bucket_of(&store->tables[type], hash), bucket)
		if (entry->name_hash == hash && strncmp(entry->name, name, len) == 0 &&
			entry->name[len] == '\0')
			return entry;
	return NULL;
}

const struct xds_entry *store_find(const struct store *store, enum xds_type type, const char *name)
{
	return lookup(store, type, name, strlen(name));
}

struct xds_entry *store_lookup(
	struct store *store, enum xds_type type, const char *name, size_t len)
{
	return lookup(store, type, name, len);
}

const struct xds_entry *store_first(const struct store *store, enum xds_type type)
{
	return TAILQ_FIRST(&store->tables[type].order);
}

const struct xds_entry *store_next(const struct xds_entry *entry)
{
	return TAILQ_NEXT(entry, order);
}

struct xds_entry *store_head(struct store *store, enum xds_type type)
{
	return TAILQ_FIRST(&store->tables[type].order);
}

struct xds_entry *store_after(struct xds_entry *entry)
{
	return TAILQ_NEXT(entry, order);
}

uint32_t store_count(const struct store *store, enum xds_type type)
{
	return store->tables[type].n_entries;
}

// Without memory for more buckets, the chains just grow longer.
static void grow(struct table *table)
{
	uint32_t n_buckets = table->n_buckets * 2;
	struct bucket *buckets = calloc(n_buckets, sizeof(*buckets));
	struct xds_entry *entry;

	if (buckets == NULL)
		return;
	free(table->buckets);
	table->buckets = buckets;
	table->n_buckets = n_buckets;
	TAILQ_FOREACH(entry, &table->order, order)
		LIST_INSERT_HEAD(bucket_of(table, entry->name_hash), entry, bucket);
}

struct xds_entry *store_get(struct store *store, enum xds_type type, const char *name, size_t len)
{
	struct table *table = &store->tables[type];
	struct xds_entry *entry = lookup(store, type, name, len);

	if (entry != NULL)
		return entry;
	entry = calloc(1, sizeof(*entry) + len + 1);
	if (entry == NULL)
		return NULL;
	if (table->n_entries >= table->n_buckets)
		grow(table);
	entry->type = type;
	entry->name_hash = XXH3_64bits(name, len);
	memcpy(entry->name, name, len);
	LIST_INSERT_HEAD(bucket_of(table, entry->name_hash), entry, bucket);
	TAILQ_INSERT_TAIL(&table->order, entry, order);
	table->n_entries++;
	return entry;
}

static void mark_changed(struct store *store, struct xds_entry *entry)
{
	if (!entry->is_changed)
		TAILQ_INSERT_TAIL(&store->changed, entry, changed);
	entry->is_changed = true;
}

const struct xds_entry *store_take_changed(struct store *store)
{
	struct xds_entry *entry = TAILQ_FIRST(&store->changed);
	struct xds_entry *last = store->taken;

	store->taken = NULL;
	if (entry != NULL) {
		TAILQ_REMOVE(&store->changed, entry, changed);
		entry->is_changed = false;
		store->taken = entry;
	}
	if (last != NULL && last != entry)
		store_tidy(store, last);
	return entry;
}

static void add_parent(struct store *store, struct xds_entry *entry)
{
	if (entry->n_parents++ == 0)
		store->tables[entry->type].wants_changed = true;
}

static void give_up(struct store *store, struct xds_entry *entry);

static void drop_parent(struct store *store, struct xds_entry *entry)
{
	assert(entry->n_parents > 0);
	if (--entry->n_parents == 0)
		give_up(store, entry);
}

void store_pin(struct store *store, struct xds_entry *entry)
{
	add_parent(store, entry);
}

void store_set_child(struct store *store, struct xds_entry *entry, struct xds_entry *child)
{
	struct xds_entry *last = entry->child;

	entry->child = child;
	if (child != NULL)
		add_parent(store, child);
	if (last != NULL)
		drop_parent(store, last);
}

// The new ones first: what both name is not given up in between.
void store_set_refused_children(struct store *store, struct xds_entry *entry,
	struct xds_entry **children, uint32_t n_children)
{
	struct xds_entry **last = entry->refused_children;
	uint32_t n_last = entry->n_refused_children;

	entry->refused_children = children;
	entry->n_refused_children = n_children;
	for (uint32_t i = 0; i < n_children; i++)
		add_parent(store, children[i]);
	for (uint32_t i = 0; i < n_last; i++)
		drop_parent(store, last[i]);
	free(last);
}

static void clear_refusal(struct store *store, struct xds_entry *entry)
{
	free(entry->refused);
	entry->refused = NULL;
	replace_version(&entry->refused_version, NULL);
	store_set_refused_children(store, entry, NULL, 0);
}

static void replace_resource(
	struct store *store, struct xds_entry *entry, struct xds_resource *resource)
{
	xds_resource_release(entry->resource);
	entry->resource = resource;
	mark_changed(store, entry);
}

void store_settle(struct store *store, struct xds_entry *entry)
{
	entry->fetch_ms = 0;
	if (!entry->settled)
		mark_changed(store, entry);
	entry->settled = true;
}

void store_renew(struct store *store, struct xds_entry *entry, struct xds_version *version)
{
	replace_version(&entry->version, version);
	clear_refusal(store, entry);
	entry->removed = false;
}

void store_accept(struct store *store, struct xds_entry *entry, struct xds_resource *resource,
	struct xds_version *version, uint64_t now_ms)
{
	replace_resource(store, entry, resource);
	store_renew(store, entry, version);
	entry->state = XDS_HELD;
	entry->accepted_ms = now_ms;
	entry->absent_ms = 0;
	store_settle(store, entry);
}

int store_refuse(struct store *store, struct xds_entry *entry, const char *why,
	struct xds_version *version, uint64_t now_ms)
{
	char *copy = strdup(why);

	if (copy == NULL)
		return -ENOMEM;
	wire_clean(copy);
	free(entry->refused);
	entry->refused = copy;
	replace_version(&entry->refused_version, version);
	entry->refused_ms = now_ms;
	entry->absent_ms = 0;
	store_settle(store, entry);
	return 0;
}

void store_remove(struct store *store, struct xds_entry *entry)
{
	if (entry->resource != NULL)
		replace_resource(store, entry, NULL);
	replace_version(&entry->version, NULL);
	clear_refusal(store, entry);
	store_set_child(store, entry, NULL);
	entry->state = XDS_ABSENT;
	entry->removed = false;
	entry->ttl_ms = 0;
	entry->absent_ms = 0;
	store_settle(store, entry);
}

// Nothing refers to it any more. Should something do so again, it is waited for from the start.
static void give_up(struct store *store, struct xds_entry *entry)
{
	store->tables[entry->type].wants_changed = true;
	store_remove(store, entry);
	entry->state = XDS_REQUESTED;
	entry->settled = false;
	// Also so that it goes, and not before those who walk over the store are done.
	mark_changed(store, entry);
}

bool store_take_wants(struct store *store, enum xds_type type)
{
	bool changed = store->tables[type].wants_changed;

	store->tables[type].wants_changed = false;
	return changed;
}

static bool is_watched(const struct xds_entry *entry)
{
	return entry->ttl_ms != 0 || entry->fetch_ms != 0 || entry->absent_ms != 0;
}

void store_watch(struct store *store, struct xds_entry *entry)
{
	if (!entry->is_timed)
		TAILQ_INSERT_TAIL(&store->watched, entry, timed);
	entry->is_timed = true;
}

static void unwatch(struct store *store, struct xds_entry *entry)
{
	if (entry->is_timed)
		TAILQ_REMOVE(&store->watched, entry, timed);
	entry->is_timed = false;
}

// entry, or the next one behind it that still waits for something.
static struct xds_entry *skip_unwatched(struct store *store, struct xds_entry *entry)
{
	struct xds_entry *next;

	for (; entry != NULL && !is_watched(entry); entry = next) {
		next = TAILQ_NEXT(entry, timed);
		unwatch(store, entry);
	}
	return entry;
}

struct xds_entry *store_first_watched(struct store *store)
{
	return skip_unwatched(store, TAILQ_FIRST(&store->watched));
}

struct xds_entry *store_next_watched(struct store *store, struct xds_entry *entry)
{
	return skip_unwatched(store, TAILQ_NEXT(entry, timed));
}

bool store_tidy(struct store *store, struct xds_entry *entry)
{
	struct table *table = &store->tables[entry->type];

	if (entry->resource != NULL || entry->refused != NULL || entry->n_parents > 0 ||
		entry->sent || entry->is_changed || store->taken == entry)
		return false;
	unwatch(store, entry);
	LIST_REMOVE(entry, bucket);
	TAILQ_REMOVE(&table->order, entry, order);
	table->n_entries--;
	free_entry(entry);
	return true;
}
