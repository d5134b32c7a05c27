// SPDX-License-Identifier: Apache-2.0

// Deadlines of resources are kept in the store, unsorted: the earliest is known, and when it has come all of them are
// looked at, at most ten times a second.

#include "ctrl/xds/session_priv.h"

enum {
	WATCH_GRAIN_MS = 100,
};

static uint64_t earliest(const struct xds_entry *entry)
{
	const uint64_t deadlines[] = {entry->ttl_ms, entry->fetch_ms, entry->absent_ms};
	uint64_t first_ms = UINT64_MAX;

	for (unsigned int i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++)
		if (deadlines[i] != 0 && deadlines[i] < first_ms)
			first_ms = deadlines[i];
	return first_ms;
}

void session_watch(struct session *session, struct xds_entry *entry)
{
	uint64_t first_ms = earliest(entry);

	if (first_ms == UINT64_MAX)
		return;
	store_watch(session->store, entry);
	if (first_ms < session->watch_ms)
		session->watch_ms = first_ms;
}

static void expire(struct session *session, struct xds_entry *entry, uint64_t now_ms)
{
	if (entry->ttl_ms != 0 && entry->ttl_ms <= now_ms) {
		log_notice("xds: expired: type=%s name=\"%s\"", xds_type_word(entry->type),
			entry->name);
		session_remove(session, entry);
	}
	if (entry->fetch_ms != 0 && entry->fetch_ms <= now_ms) {
		log_notice("xds: not there in time: type=%s name=\"%s\"",
			xds_type_word(entry->type), entry->name);
		store_settle(session->store, entry);
	}
	if (entry->absent_ms != 0 && entry->absent_ms <= now_ms) {
		entry->absent_ms = 0;
		entry->state = XDS_ABSENT;
	}
}

static void expire_all(struct session *session, uint64_t now_ms)
{
	uint64_t next_ms = UINT64_MAX;

	for (struct xds_entry *entry = store_first_watched(session->store); entry != NULL;
		entry = store_next_watched(session->store, entry)) {
		uint64_t first_ms;

		expire(session, entry, now_ms);
		first_ms = earliest(entry);
		if (first_ms < next_ms)
			next_ms = first_ms;
	}
	if (next_ms < now_ms + WATCH_GRAIN_MS)
		next_ms = now_ms + WATCH_GRAIN_MS;
	session->watch_ms = next_ms;
}

void session_tick(struct session *session, uint64_t now_ms)
{
	// Half of a response is not shown to anyone.
	if (session->response != NULL)
		return;
	for (unsigned int i = 0; i < XDS_N_TYPES; i++) {
		enum xds_type type = session_order[i];

		if (session->types[type].is_due && session->types[type].due_ms <= now_ms)
			session_answer_due(session, type, now_ms);
	}
	if (session->watch_ms > now_ms)
		return;
	expire_all(session, now_ms);
	if (session->status.is_up)
		session_ask_all(session, now_ms);
	session->ops->changed_fn(session->ctx);
}

uint64_t session_deadline_ms(const struct session *session)
{
	uint64_t deadline_ms = session->watch_ms;

	if (session->response != NULL)
		return UINT64_MAX;
	for (unsigned int type = 0; type < XDS_N_TYPES; type++)
		if (session->types[type].is_due && session->types[type].due_ms < deadline_ms)
			deadline_ms = session->types[type].due_ms;
	return deadline_ms;
}
