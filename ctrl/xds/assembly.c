// SPDX-License-Identifier: Apache-2.0

// One layer is in flight at a time; what changes meanwhile goes into the next one. When a layer is refused, the
// resource that the refusal names goes back to what it was in the live layer, and the rest is tried again.

#include "ctrl/xds/assembly.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "ctrl/log.h"
#include "ctrl/xds/assembly_priv.h"
#include "ctrl/xds/store.h"

enum {
	SLICE_US = 2000,
	CHANGES_A_LOOK = 16, // at the clock
};

uint64_t assembly_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

// By time, not event_active(), which would have its turn in this round of the loop: slices are for what is between.
void assembly_wake(struct assembly *a)
{
	static const struct timeval at_once = {0};

	if (event_add(a->event, &at_once) != 0)
		event_active(a->event, 0, 0);
}

// ---- what changed

static void join_parents(struct assembly *a, struct unit *unit)
{
	struct unit *next;

	for (struct unit *parent = LIST_FIRST(&unit->parents); parent != NULL; parent = next) {
		next = LIST_NEXT(parent, sibling);
		assembly_join(a, parent);
	}
}

static void set_refused(struct assembly *a, struct unit *unit, bool is_refused)
{
	a->status.n_refused += (uint32_t)is_refused - (uint32_t)unit->is_refused;
	unit->is_refused = is_refused;
}

static void take(struct assembly *a, const struct xds_entry *entry)
{
	struct unit *unit;

	if (entry->type == XDS_SECRET)
		return;
	unit = assembly_unit(a, entry->type, entry->name);
	if (unit == NULL)
		return;
	unit->settled = entry->settled;
	if (unit->resource != entry->resource) {
		xds_resource_release(unit->resource);
		unit->resource =
			entry->resource == NULL ? NULL : xds_resource_acquire(entry->resource);
		set_refused(a, unit, false);
		assembly_watch_names(a, unit);
	}
	if (unit->type != XDS_ENDPOINTS)
		assembly_join(a, unit);
	join_parents(a, unit);
	assembly_tidy(a, unit);
}

// Returns whether there is nothing left.
static bool take_changes(struct assembly *a)
{
	uint64_t end_us = assembly_now_us() + SLICE_US;
	const struct xds_entry *entry;

	for (uint32_t i = 1;; i++) {
		entry = store_take_changed(a->store);
		if (entry == NULL)
			return true;
		take(a, entry);
		if (i % CHANGES_A_LOOK == 0 && assembly_now_us() >= end_us)
			return false;
	}
}

// ---- layers

static void on_published(const struct publish_result *result, void *arg);

static void send_layer(struct assembly *a)
{
	struct spec_layer *layer = layers_make(a->layers);
	struct unit *unit;

	if (layer == NULL) {
		log_error("xds: out of memory for a layer; it comes with the next change");
		return;
	}
	while ((unit = TAILQ_FIRST(&a->new_units)) != NULL) {
		TAILQ_REMOVE(&a->new_units, unit, changed);
		TAILQ_INSERT_TAIL(&a->sent_units, unit, flying);
		unit->is_new = false;
		unit->is_sent = true;
		unit->sent = unit->place.part;
	}
	a->is_in_flight = true;
	a->wants_layer = false;
	a->sent_us = a->changed_us;
	a->changed_us = 0;
	a->ops->set_layer_fn(a->ctx, layer, on_published, a);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct assembly *a = arg;

	(void)fd;
	(void)what;
	if (!take_changes(a)) {
		assembly_wake(a);
		return;
	}
	a->noted_us = 0;
	if (!a->is_in_flight && (a->wants_layer || !TAILQ_EMPTY(&a->new_units)))
		send_layer(a);
}

static void land(struct assembly *a, struct unit *unit)
{
	struct part *before = unit->good;

	unit->good = unit->sent;
	unit->sent = NULL;
	assembly_retire(a, unit, before);
}

// Back to what it was. What came since stays to be tried.
static void revert(struct assembly *a, struct unit *unit)
{
	struct part *refused = unit->sent;

	unit->sent = NULL;
	if (unit->place.part == refused)
		assembly_place(a, unit, unit->good);
	else
		assembly_retire(a, unit, refused);
}

// The rest goes along with the next layer.
static void keep(struct assembly *a, struct unit *unit)
{
	struct part *sent = unit->sent;

	unit->sent = NULL;
	assembly_retire(a, unit, sent);
	if (unit->is_new || unit->place.part == unit->good)
		return;
	unit->is_new = true;
	TAILQ_INSERT_TAIL(&a->new_units, unit, changed);
}

// Origins begin with type and name: "cluster payments: load_assignment".
static bool is_named(const struct unit *unit, const char *source)
{
	const char *word = xds_type_word(unit->type);
	size_t word_len = strlen(word), name_len = strlen(unit->name);

	if (strncmp(source, word, word_len) != 0 || source[word_len] != ' ' ||
		strncmp(source + word_len + 1, unit->name, name_len) != 0)
		return false;
	source += word_len + 1 + name_len;
	return *source == '\0' || *source == ':';
}

// By a cluster's endpoints, too.
static bool is_culprit(const struct unit *unit, const struct publish_result *result)
{
	if (result->origin == NULL || result->origin->source == NULL)
		return false;
	return is_named(unit, result->origin->source) ||
	       (unit->child != NULL && unit->type == XDS_CLUSTER &&
		       is_named(unit->child, result->origin->source));
}

static void refuse(struct assembly *a, struct unit *unit, const char *why)
{
	log_error("xds: %s \"%s\" is left out: %s", xds_type_word(unit->type), unit->name, why);
	set_refused(a, unit, true);
	if (a->ops->refused_fn != NULL)
		a->ops->refused_fn(a->ctx, unit->type, unit->name, why);
}

static bool any_culprit(struct assembly *a, const struct publish_result *result)
{
	struct unit *unit;

	TAILQ_FOREACH(unit, &a->sent_units, flying)
		if (is_culprit(unit, result))
			return true;
	return false;
}

// A refusal that names none of what the layer changed takes all of it back.
static void finish_unit(
	struct assembly *a, struct unit *unit, const struct publish_result *result, bool all_go)
{
	if (result->ret == 0) {
		land(a, unit);
	} else if (result->ret == -ECANCELED || (!all_go && !is_culprit(unit, result))) {
		keep(a, unit);
	} else {
		refuse(a, unit, result->text);
		revert(a, unit);
	}
}

static void on_published(const struct publish_result *result, void *arg)
{
	struct assembly *a = arg;
	bool all_go = result->ret != 0 && !any_culprit(a, result);
	uint64_t push_us = assembly_now_us() - a->sent_us;
	struct unit *unit;

	a->is_in_flight = false;
	while ((unit = TAILQ_FIRST(&a->sent_units)) != NULL) {
		TAILQ_REMOVE(&a->sent_units, unit, flying);
		unit->is_sent = false;
		finish_unit(a, unit, result, all_go);
		assembly_tidy(a, unit);
	}
	// Also with nothing new in it: it ends what the refused one keeps.
	a->wants_layer = result->ret != 0 && result->ret != -ECANCELED;
	if (result->ret == 0) {
		a->status.n_layers++;
		if (a->ops->live_fn != NULL)
			a->ops->live_fn(a->ctx, push_us);
	}
	if (result->ret != -ECANCELED)
		assembly_wake(a);
}

void assembly_changed(struct assembly *a, uint64_t since_us)
{
	if (a->noted_us == 0)
		a->noted_us = since_us != 0 ? since_us : assembly_now_us();
	assembly_wake(a);
}

void assembly_status(const struct assembly *a, struct assembly_status *status)
{
	*status = a->status;
}

struct assembly *assembly_create(struct event_base *base, struct store *store, struct dns *dns,
	const struct xds_spec *spec, const struct assembly_ops *ops, void *ctx)
{
	struct assembly *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->store = store;
	a->dns = dns;
	a->spec = spec;
	a->ops = ops;
	a->ctx = ctx;
	TAILQ_INIT(&a->new_units);
	TAILQ_INIT(&a->sent_units);
	a->layers = layers_create();
	a->event = event_new(base, -1, 0, on_work, a);
	if (a->layers != NULL && a->event != NULL)
		return a;
	assembly_destroy(a);
	return NULL;
}

void assembly_destroy(struct assembly *a)
{
	if (a == NULL)
		return;
	assembly_destroy_units(a);
	layers_destroy(a->layers);
	if (a->event != NULL)
		event_free(a->event);
	free(a);
}
