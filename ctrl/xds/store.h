// SPDX-License-Identifier: Apache-2.0
#pragma once

// The resources of the xDS server, by type and name: what was accepted last, what was refused since, and what is
// still waited for. ctrl/xds/session*.c fills it; ctrl/xds/assembly.c makes a layer of what is held; views read
// it. On the control core's loop.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ctrl/xds/resource.h"

enum {
	STORE_MAX_NAME_LEN = 1023,
};

enum xds_state {
	XDS_REQUESTED, // asked for, or about to be
	XDS_HELD,      // accepted: entry->resource
	XDS_ABSENT,    // the server has none: it said so, or let 15 s pass
};

// A version as the server wrote it; the entries of one response share it.
struct xds_version {
	uint32_t n_refs;
	char text[];
};

struct xds_entry {
	enum xds_type type;
	enum xds_state state;
	struct xds_resource *resource; // the last one accepted; NULL: none
	struct xds_version *version;   // of it; NULL: none that the server should hear of
	// Nothing more to wait for: held, absent, refused, or its initial_fetch_timeout has passed.
	bool settled;
	char *refused; // why the last one was; NULL: it was not
	struct xds_version *refused_version;
	uint64_t accepted_ms; // 0: never
	uint64_t refused_ms;
	uint64_t wanted_ms; // since when something refers to it

	// The session's own.
	uint64_t hash; // of the accepted resource's bytes
	size_t n_bytes;
	uint32_t n_parents;	 // that refer to it
	bool removed;		 // the server took it back while something refers to it: kept
	bool sent;		 // the server knows on this stream that it is wanted
	uint32_t seen;		 // number of the response that had it last
	uint64_t ttl_ms;	 // when it expires; 0: never. The same of the next two
	uint64_t fetch_ms;	 // when waiting for it is over
	uint64_t absent_ms;	 // when the server has none
	struct xds_entry *child; // what the accepted one refers to; NULL: nothing
	// What the refused one refers to, wanted as long as the refusal stands.
	struct xds_entry **refused_children;
	uint32_t n_refused_children;

	// The store's own.
	uint64_t name_hash;
	bool is_changed;
	bool is_timed;
	LIST_ENTRY(xds_entry) bucket;
	TAILQ_ENTRY(xds_entry) order;
	TAILQ_ENTRY(xds_entry) changed;
	TAILQ_ENTRY(xds_entry) timed;
	char name[];
};

struct store;

// NULL with errno ENOMEM.
struct store *store_create(void);
// NULL is fine.
void store_destroy(struct store *store);

// NULL: there is none.
const struct xds_entry *store_find(const struct store *store, enum xds_type type, const char *name);
// All of a type, the oldest first; NULL: past the last one.
const struct xds_entry *store_first(const struct store *store, enum xds_type type);
const struct xds_entry *store_next(const struct xds_entry *entry);
uint32_t store_count(const struct store *store, enum xds_type type); // entries in any state

// For the one who makes a layer of it: takes one entry whose resource or settled changed since it was taken last;
// NULL: none. Valid until the next call; an entry without resource and without parents goes then.
const struct xds_entry *store_take_changed(struct store *store);

// What follows is for the session. Functions that take text need it to be text (wire_is_text()).

// NULL with errno ENOMEM.
struct xds_version *store_version_create(const char *text, size_t len);
struct xds_version *store_version_acquire(struct xds_version *version);
// NULL is fine.
void store_version_release(struct xds_version *version);

// The entry, made if there was none. NULL with errno ENOMEM.
struct xds_entry *store_get(struct store *store, enum xds_type type, const char *name, size_t len);
// As store_find() and its like, to change it.
struct xds_entry *store_lookup(
	struct store *store, enum xds_type type, const char *name, size_t len);
struct xds_entry *store_head(struct store *store, enum xds_type type);
struct xds_entry *store_after(struct xds_entry *entry);

// Takes the reference on the resource. version may be NULL.
void store_accept(struct store *store, struct xds_entry *entry, struct xds_resource *resource,
	struct xds_version *version, uint64_t now_ms);
// The resource came again as it was.
void store_renew(struct store *store, struct xds_entry *entry, struct xds_version *version);
// What is held stays; entry->refused is text whatever why quotes (wire_is_text()). -ENOMEM.
int store_refuse(struct store *store, struct xds_entry *entry, const char *why,
	struct xds_version *version, uint64_t now_ms);
// The server has none (any more).
void store_remove(struct store *store, struct xds_entry *entry);
// There is nothing more to wait for.
void store_settle(struct store *store, struct xds_entry *entry);

// Whether something wants the entry has an end with the last parent: what it holds goes. child NULL: none.
void store_set_child(struct store *store, struct xds_entry *entry, struct xds_entry *child);
// Likewise what was refused last. Takes the array; n_children 0: it may be NULL.
void store_set_refused_children(struct store *store, struct xds_entry *entry,
	struct xds_entry **children, uint32_t n_children);
// A parent that is not an entry.
void store_pin(struct store *store, struct xds_entry *entry);
// Whether names of the type were wanted or given up since it was asked last.
bool store_take_wants(struct store *store, enum xds_type type);

// Call when a deadline of the entry was set; the store forgets entries without.
void store_watch(struct store *store, struct xds_entry *entry);
struct xds_entry *store_first_watched(struct store *store);
struct xds_entry *store_next_watched(struct store *store, struct xds_entry *entry);

// Frees the entry if nobody has a use for it: without resource, refusal, parents; the server and the one who takes
// changes know that it is gone. Returns whether it is.
bool store_tidy(struct store *store, struct xds_entry *entry);
