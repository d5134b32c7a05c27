// SPDX-License-Identifier: Apache-2.0
#pragma once

// A unit is what the store has under one type and name, and what of it is in the layers. It exists as long as the
// store has something, a part of it is in use, or another unit refers to it.

#include <stdbool.h>
#include <sys/queue.h>

#include "ctrl/xds/assembly.h"
#include "ctrl/xds/layers.h"

struct unit_dns;

struct unit {
	enum xds_type type;
	struct xds_resource *resource; // wanted; a reference; NULL: none
	bool settled;		       // there is nothing to wait for
	bool is_waiting;	       // the wanted resource waits for its child
	bool is_refused;	       // its last part was
	struct unit *child;	       // endpoints of a cluster, routes of a listener
	LIST_HEAD(, unit) parents;
	LIST_ENTRY(unit) sibling;
	// place.part is in the layer to come; sent in the one in flight, good in the live one.
	struct layers_place place;
	struct part *sent;
	struct part *good;
	bool is_sent; // in the list of those that the layer in flight changes
	bool is_new;  // likewise to come
	uint32_t
		n_users; // parts of listeners, until they are retired, that name this route configuration
	struct unit_dns *dns; // of a cluster whose names are looked up
	uint64_t hash;
	LIST_ENTRY(unit) bucket;
	TAILQ_ENTRY(unit) changed; // in new_units
	TAILQ_ENTRY(unit) flying;  // in sent_units
	char name[];
};

TAILQ_HEAD(unit_list, unit);

struct assembly {
	struct store *store;
	struct dns *dns;
	const struct xds_spec *spec;
	const struct assembly_ops *ops;
	void *ctx;
	struct event *event;
	struct layers *layers;
	LIST_HEAD(unit_head, unit) * buckets;
	uint32_t n_buckets;
	uint32_t n_units;
	struct unit_list new_units; // changed since the last layer was made
	struct unit_list sent_units;
	bool is_in_flight;
	bool wants_layer;    // although nothing changed
	uint64_t noted_us;   // since when there are changes that were not taken; 0: there are none
	uint64_t changed_us; // first change that no layer has; 0: none
	uint64_t sent_us;    // of the layer in flight
	struct assembly_status status;
};

// assembly_unit.c. The unit of a name, made if there is none. NULL: out of memory, which was logged.
struct unit *assembly_unit(struct assembly *a, enum xds_type type, const char *name);
struct unit *assembly_find_unit(const struct assembly *a, enum xds_type type, const char *name);
void assembly_set_child(struct unit *unit, struct unit *child);
// Frees the unit if nobody has a use for it.
void assembly_tidy(struct assembly *a, struct unit *unit);
void assembly_destroy_units(struct assembly *a);

// assembly_join.c. Makes the part that a unit's resource and its child's are, and puts it in place, unless it has to
// wait or is there already.
void assembly_join(struct assembly *a, struct unit *unit);
// Puts a part (NULL: none) in a unit's place.
void assembly_place(struct assembly *a, struct unit *unit, struct part *part);
// A part that is neither in place, nor sent, nor good.
void assembly_retire(struct assembly *a, struct unit *unit, struct part *part);

// assembly_dns.c. Looks the names of a cluster up, from its wanted resource on; ends with NULL.
void assembly_watch_names(struct assembly *a, struct unit *unit);
// Whether each name had an answer.
bool assembly_has_answers(const struct unit *unit);
// The localities with the addresses found, into the part's arena. False: out of memory.
bool assembly_resolve(const struct unit *unit, struct part *part, struct cluster_spec *spec);

// What changed; the loop comes for it.
void assembly_wake(struct assembly *a);
uint64_t assembly_now_us(void);
