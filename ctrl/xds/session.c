// SPDX-License-Identifier: Apache-2.0

// A response is taken apart, indexed, applied and answered, in this order and in slices; only then comes the next
// one. What it wants further is asked for behind its answer.

#include "ctrl/xds/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/xds/session_priv.h"
#include "pipeline/arena.h"

struct session *session_create(
	const struct xds_spec *spec, struct store *store, const struct session_ops *ops, void *ctx)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->spec = spec;
	session->store = store;
	session->ops = ops;
	session->ctx = ctx;
	session->protocol = spec->protocol == XDS_DELTA ? &session_delta : &session_sotw;
	session->watch_ms = UINT64_MAX;
	session->arena = arena_create();
	if (session->arena != NULL)
		session->node = session_node_create(session->arena, spec);
	if (session->node != NULL)
		return session;
	session_destroy(session);
	errno = ENOMEM;
	return NULL;
}

void session_destroy(struct session *session)
{
	if (session == NULL)
		return;
	session_response_destroy(session->response);
	for (unsigned int type = 0; type < XDS_N_TYPES; type++) {
		store_version_release(session->types[type].version);
		free(session->types[type].nonce);
	}
	arena_destroy(session->arena);
	free(session);
}

const char *session_path(const struct xds_spec *spec)
{
	return spec->protocol == XDS_DELTA
		       ? "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
			 "DeltaAggregatedResources"
		       : "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
			 "StreamAggregatedResources";
}

int session_want_secret(struct session *session, const char *name, uint64_t now_ms)
{
	struct xds_entry *entry = store_get(session->store, XDS_SECRET, name, strlen(name));

	if (entry == NULL)
		return -ENOMEM;
	entry->wanted_ms = now_ms;
	store_pin(session->store, entry);
	return 0;
}

void session_up(struct session *session, uint64_t now_ms)
{
	session->status.is_up = true;
	session->status.up_ms = now_ms;
	session_ask_all(session, now_ms);
}

static void forget_stream(struct session_type *state)
{
	state->asked = false;
	state->is_due = false;
	state->nack_signature = 0;
	free(state->nonce);
	state->nonce = NULL;
}

// The server of the next stream knows nothing, and what it was not asked for is not missing.
static void forget_sent(struct session *session, enum xds_type type)
{
	struct xds_entry *next;

	for (struct xds_entry *entry = store_head(session->store, type); entry != NULL;
		entry = next) {
		next = store_after(entry);
		entry->sent = false;
		entry->absent_ms = 0;
		store_tidy(session->store, entry);
	}
}

void session_down(struct session *session, uint64_t now_ms)
{
	session->status.is_up = false;
	session->status.up_ms = now_ms;
	for (unsigned int type = 0; type < XDS_N_TYPES; type++) {
		forget_stream(&session->types[type]);
		forget_sent(session, type);
	}
	if (session->response == NULL)
		return;
	// What of it was taken up stays: every resource stands for itself, and the version was not accepted.
	session_response_destroy(session->response);
	session->response = NULL;
	session->ops->changed_fn(session->ctx);
}

void session_message(struct session *session, const uint8_t *bytes, size_t n_bytes, uint64_t now_ms)
{
	char why[SESSION_MAX_TOKEN_LEN + 1];
	int ret;

	assert(session->response == NULL && session->status.is_up);
	ret = session_split(session, bytes, n_bytes, now_ms, &session->response, why, sizeof(why));
	if (ret == -ENOENT) {
		session->status.n_unasked++;
		log_warning(
			"xds: dropped a response of a type that was not asked for: type=\"%.200s\"",
			why);
	} else if (ret != 0) {
		session_give_up(session, ret == -ENOMEM ? "out of memory for a response" : why);
	} else {
		struct session_type *state = &session->types[session->response->type];

		session_answer_due(session, session->response->type, now_ms);
		state->n_seen++;
		state->counts.n_responses++;
		state->counts.n_resources += session->response->n_items;
		state->counts.response_ms = now_ms;
	}
}

static void finish(struct session *session, uint64_t now_ms)
{
	struct session_response *response = session->response;

	if (!response->refused_whole)
		session_remove_unseen(session, response);
	session_answer(session, response, now_ms);
	session_ask_all(session, now_ms);
	session->response = NULL;
	session_response_destroy(response);
	session->ops->changed_fn(session->ctx);
}

static void step(struct session *session, struct session_response *response)
{
	if (response->phase == PHASE_FILL) {
		if (!session_fill(session, response))
			response->phase = PHASE_INDEX;
		return;
	}
	if (response->next < response->n_items && !response->refused_whole) {
		if (response->phase == PHASE_INDEX)
			session_index(session, response);
		else
			session_apply(session, response);
		response->next++;
		return;
	}
	response->next = 0;
	response->phase = response->phase == PHASE_INDEX && !response->refused_whole ? PHASE_APPLY
										     : PHASE_FINISH;
}

bool session_work(struct session *session, uint64_t now_ms)
{
	while (session->response != NULL && session->response->phase != PHASE_FINISH) {
		step(session, session->response);
		if (session->ops->is_due_fn(session->ctx))
			return true;
	}
	if (session->response != NULL)
		finish(session, now_ms);
	return false;
}

void session_status(const struct session *session, struct session_status *status)
{
	*status = session->status;
}

static void count_entries(
	const struct session *session, enum xds_type type, struct session_type_status *status)
{
	for (const struct xds_entry *entry = store_first(session->store, type); entry != NULL;
		entry = store_next(entry)) {
		status->n_held += entry->resource != NULL;
		status->n_wanted += entry->n_parents > 0;
		status->n_refused += entry->refused != NULL;
		status->n_absent += entry->state == XDS_ABSENT;
	}
}

void session_type_status(
	const struct session *session, enum xds_type type, struct session_type_status *status)
{
	const struct session_type *state = &session->types[type];

	*status = state->counts;
	status->asked = state->asked;
	status->version = state->version == NULL ? "" : state->version->text;
	status->nonce = state->nonce == NULL ? "" : state->nonce;
	status->nack = state->nack;
	count_entries(session, type, status);
}
