// SPDX-License-Identifier: Apache-2.0

// One resource after the other into the store. Each stands for itself: what is refused does not keep the others of
// its response from being taken up.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ctrl/xds/session_priv.h"

static bool is_too_many(const struct session *session)
{
	uint32_t n = 0;

	for (unsigned int type = 0; type < XDS_N_TYPES; type++)
		n += store_count(session->store, type);
	return n >= session->spec->max_resources;
}

// The entry of an item: made for what is asked for as a whole, NULL for names that nobody wants (any more).
static struct xds_entry *entry_of(
	struct session *session, struct session_response *response, const struct session_item *item)
{
	const char *name = (const char *)item->name.bytes;
	struct xds_entry *entry =
		store_lookup(session->store, response->type, name, item->name.n_bytes);
	char why[STORE_MAX_NAME_LEN + 128];

	if (!session_is_wildcard(response->type))
		return entry != NULL && entry->n_parents > 0 ? entry : NULL;
	if (entry != NULL || item->kind != ITEM_RESOURCE)
		return entry;
	if (!is_too_many(session))
		entry = store_get(session->store, response->type, name, item->name.n_bytes);
	if (entry == NULL) {
		snprintf(why, sizeof(why), "%s \"%.*s\": no room; xds.max_resources is %u",
			xds_type_word(response->type), (int)item->name.n_bytes, name,
			session->spec->max_resources);
		session_nack_add(&response->nack, 0, why);
	}
	return entry;
}

static void set_ttl(struct session *session, struct xds_entry *entry,
	const struct session_item *item, uint64_t now_ms)
{
	entry->ttl_ms = item->has_ttl ? now_ms + item->ttl_ms : 0;
	session_watch(session, entry);
}

// What a resource refers to, which is at most one thing.
static struct xds_entry *find_child(
	struct session *session, const struct xds_resource *resource, uint32_t *timeout_ms)
{
	const char *name = NULL;
	enum xds_type type = XDS_NO_TYPE;

	if (resource->type == XDS_LISTENER) {
		type = XDS_ROUTES;
		name = resource->listener->spec.route_configuration;
		*timeout_ms = resource->listener->fetch_timeout_ms;
	} else if (resource->type == XDS_CLUSTER && resource->cluster->discovery == XDS_EDS) {
		type = XDS_ENDPOINTS;
		name = resource->cluster->eds_name;
		*timeout_ms = resource->cluster->fetch_timeout_ms;
	}
	return name == NULL ? NULL : store_get(session->store, type, name, strlen(name));
}

// The shortest time-out of those that wait counts for all of them.
static void wait_for(
	struct session *session, struct xds_entry *child, uint32_t timeout_ms, uint64_t now_ms)
{
	uint64_t deadline_ms = now_ms + timeout_ms;

	if (child->n_parents == 0)
		child->wanted_ms = now_ms;
	if (child->settled || timeout_ms == 0)
		return;
	if (child->fetch_ms == 0 || child->fetch_ms > deadline_ms)
		child->fetch_ms = deadline_ms;
	session_watch(session, child);
}

static void refer(struct session *session, struct xds_entry *entry,
	const struct xds_resource *resource, uint64_t now_ms)
{
	uint32_t timeout_ms = 0;
	struct xds_entry *child = find_child(session, resource, &timeout_ms);

	if (child != NULL)
		wait_for(session, child, timeout_ms, now_ms);
	store_set_child(session->store, entry, child);
}

// What a refused resource refers to, as it is found.
struct references {
	struct session *session;
	uint64_t now_ms;
	struct xds_entry **children;
	uint32_t n;
};

// Nothing waits for it. Where there is no room for more, it is not asked for.
static void on_reference(void *arg, enum xds_type type, const char *name, size_t len)
{
	struct references *found = arg;
	struct xds_entry *child = store_lookup(found->session->store, type, name, len);

	if (child == NULL && !is_too_many(found->session))
		child = store_get(found->session->store, type, name, len);
	if (child == NULL || found->n == REFERS_MAX)
		return;
	if (child->n_parents == 0)
		child->wanted_ms = found->now_ms;
	found->children[found->n++] = child;
}

static void refer_refused(struct session *session, struct xds_entry *entry,
	const struct session_item *item, uint64_t now_ms)
{
	struct references found = {.session = session, .now_ms = now_ms};
	struct xds_entry **children;

	found.children = malloc(REFERS_MAX * sizeof(*found.children));
	if (found.children == NULL) {
		log_error("xds: out of memory for what \"%s\" refers to", entry->name);
		return;
	}
	session->ops->refer_fn(session->ctx, entry->type, item->body.bytes, item->body.n_bytes,
		on_reference, &found);
	// Many may be refused, and most refer to one thing or nothing.
	if (found.n == 0) {
		free(found.children);
		found.children = NULL;
	} else if ((children = realloc(found.children, found.n * sizeof(*children))) != NULL) {
		found.children = children;
	}
	store_set_refused_children(session->store, entry, found.children, found.n);
}

static struct xds_version *version_of(
	struct session_response *response, const struct session_item *item)
{
	if (item->version.n_bytes == 0)
		return store_version_acquire(response->version);
	return store_version_create((const char *)item->version.bytes, item->version.n_bytes);
}

static void refuse(struct session *session, struct session_response *response,
	struct xds_entry *entry, struct xds_version *version, const char *why, uint64_t hash)
{
	uint64_t signature = hash ^ XXH3_64bits(why, strlen(why));

	if (version != NULL)
		signature ^= XXH3_64bits(version->text, strlen(version->text));
	session_nack_add(&response->nack, signature, why);
	if (store_refuse(session->store, entry, why, version, response->received_ms) != 0)
		log_error("xds: out of memory for what was refused of \"%s\"", entry->name);
}

static void decode(struct session *session, struct session_response *response,
	const struct session_item *item, struct xds_entry *entry, struct xds_version *version)
{
	uint64_t hash = XXH3_64bits(item->body.bytes, item->body.n_bytes);
	struct xds_resource *resource = NULL;
	struct refusal refusal = {0};
	int ret;

	if (entry->resource != NULL && entry->hash == hash &&
		entry->n_bytes == item->body.n_bytes) {
		store_renew(session->store, entry, version);
		set_ttl(session, entry, item, response->received_ms);
		return;
	}
	session->types[response->type].counts.n_decoded++;
	ret = session->ops->accept_fn(session->ctx, response->type, item->body.bytes,
		item->body.n_bytes, &resource, &refusal);
	if (ret != 0) {
		refuse(session, response, entry, version,
			refusal.text[0] != '\0' ? refusal.text : strerror(-ret), hash);
		refer_refused(session, entry, item, response->received_ms);
		return;
	}
	entry->hash = hash;
	entry->n_bytes = item->body.n_bytes;
	refer(session, entry, resource, response->received_ms);
	store_accept(session->store, entry, resource, version, response->received_ms);
	set_ttl(session, entry, item, response->received_ms);
}

static void apply_resource(struct session *session, struct session_response *response,
	const struct session_item *item, struct xds_entry *entry)
{
	struct xds_version *version = version_of(response, item);

	if (version == NULL) {
		refuse(session, response, entry, NULL, strerror(ENOMEM), 0);
		return;
	}
	decode(session, response, item, entry, version);
	store_version_release(version);
}

// A resource without a body: the one that is held goes on, if it is the one that the server means.
static void apply_heartbeat(struct session *session, struct session_response *response,
	const struct session_item *item, struct xds_entry *entry)
{
	char why[STORE_MAX_NAME_LEN + 128];

	if (entry->resource != NULL &&
		(item->version.n_bytes == 0 ||
			(entry->version != NULL &&
				wire_equals(&item->version, entry->version->text)))) {
		set_ttl(session, entry, item, response->received_ms);
		return;
	}
	snprintf(why, sizeof(why),
		"%s \"%s\": without a body it stands for version \"%.*s\", which is not held",
		xds_type_word(entry->type), entry->name, (int)item->version.n_bytes,
		item->version.n_bytes == 0 ? "" : (const char *)item->version.bytes);
	session_nack_add(&response->nack, XXH3_64bits(why, strlen(why)), why);
}

void session_remove(struct session *session, struct xds_entry *entry)
{
	if (entry->type == XDS_SECRET && entry->resource != NULL)
		session->ops->lost_secret_fn(session->ctx, entry->name);
	store_remove(session->store, entry);
}

// What something refers to is kept, as it is on a stream that only leaves it out: the server may take back a name
// before what refers to it. A secret is the node's own, and gone for good.
static void apply_removal(struct session *session, struct xds_entry *entry)
{
	if (session_is_wildcard(entry->type) || entry->type == XDS_SECRET ||
		entry->resource == NULL) {
		session_remove(session, entry);
		// What was never accepted is no change that anybody takes.
		store_tidy(session->store, entry);
		return;
	}
	store_version_release(entry->version);
	entry->version = NULL;
	entry->ttl_ms = 0;
	entry->removed = true;
	log_notice("xds: removed by the server, kept as long as it is referred to: type=%s "
		   "name=\"%s\"",
		xds_type_word(entry->type), entry->name);
}

static void apply_error(struct session *session, struct session_response *response,
	const struct session_item *item, struct xds_entry *entry)
{
	struct wire message;
	char why[512];

	if (wire_find(item->body, 2, &message) != 0 || !wire_is_text(&message))
		message = (struct wire){0};
	snprintf(why, sizeof(why), "the server cannot give it: %.*s", (int)message.n_bytes,
		message.n_bytes == 0 ? "" : (const char *)message.bytes);
	if (store_refuse(session->store, entry, why, response->version, response->received_ms) != 0)
		log_error("xds: out of memory for what was refused of \"%s\"", entry->name);
	if (entry->resource == NULL)
		entry->state = XDS_ABSENT;
}

void session_apply(struct session *session, struct session_response *response)
{
	const struct session_item *item = &response->items[response->next];
	struct xds_entry *entry =
		item->kind == ITEM_UNREADABLE ? NULL : entry_of(session, response, item);

	if (entry == NULL)
		return;
	entry->seen = session->types[response->type].n_seen;
	switch (item->kind) {
	case ITEM_RESOURCE:
		apply_resource(session, response, item, entry);
		break;
	case ITEM_HEARTBEAT:
		apply_heartbeat(session, response, item, entry);
		break;
	case ITEM_REMOVED:
		apply_removal(session, entry);
		break;
	case ITEM_ERROR:
		apply_error(session, response, item, entry);
		break;
	case ITEM_UNREADABLE:
		break;
	}
}

// A response of nothing but heartbeats stands for nothing else.
static bool is_heartbeat(const struct session_response *response)
{
	for (uint32_t i = 0; i < response->n_items; i++)
		if (response->items[i].kind != ITEM_HEARTBEAT)
			return false;
	return response->n_items > 0;
}

void session_remove_unseen(struct session *session, struct session_response *response)
{
	struct xds_entry *next;

	if (!session->protocol->absence_removes || !session_is_wildcard(response->type) ||
		response->keeps_absent || is_heartbeat(response))
		return;
	for (struct xds_entry *entry = store_head(session->store, response->type); entry != NULL;
		entry = next) {
		next = store_after(entry);
		if (entry->seen == session->types[response->type].n_seen)
			continue;
		store_remove(session->store, entry);
		store_tidy(session->store, entry);
	}
}
