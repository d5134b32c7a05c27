// SPDX-License-Identifier: Apache-2.0

// What is sent, and when: subscriptions as soon as they change, all of a type in one request; answers at once, but
// for what was refused before.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ctrl/xds/session_priv.h"

const enum xds_type session_order[XDS_N_TYPES] = {
	XDS_CLUSTER, XDS_ENDPOINTS, XDS_LISTENER, XDS_ROUTES, XDS_SECRET};

int session_send(struct session *session, const ProtobufCMessage *request)
{
	size_t n_bytes = protobuf_c_message_get_packed_size(request);
	uint8_t *bytes = malloc(n_bytes + 1);

	if (bytes == NULL)
		return -ENOMEM;
	protobuf_c_message_pack(request, bytes);
	session->status.n_requests++;
	session->ops->send_fn(session->ctx, bytes, n_bytes);
	free(bytes);
	return 0;
}

void session_give_up(struct session *session, const char *why)
{
	session->status.n_resets++;
	session->ops->reset_fn(session->ctx, why);
}

void session_mark_sent(struct session *session, enum xds_type type, uint64_t now_ms)
{
	struct xds_entry *next;

	session->types[type].asked = true;
	if (session_is_wildcard(type))
		return;
	for (struct xds_entry *entry = store_head(session->store, type); entry != NULL;
		entry = next) {
		next = store_after(entry);
		if (entry->n_parents > 0 && !entry->sent && entry->state == XDS_REQUESTED &&
			!entry->settled) {
			entry->absent_ms = now_ms + SESSION_ABSENT_MS;
			session_watch(session, entry);
		}
		entry->sent = entry->n_parents > 0;
		store_tidy(session->store, entry);
	}
}

// Whether the server has to hear of the type.
static bool is_asked(struct session *session, enum xds_type type)
{
	if (session->types[type].asked)
		return store_take_wants(session->store, type);
	if (session_is_wildcard(type))
		return true;
	for (struct xds_entry *entry = store_head(session->store, type); entry != NULL;
		entry = store_after(entry))
		if (entry->n_parents > 0)
			return true;
	return false;
}

void session_ask_all(struct session *session, uint64_t now_ms)
{
	for (unsigned int i = 0; i < XDS_N_TYPES; i++)
		if (is_asked(session, session_order[i]) &&
			session->protocol->ask_fn(session, session_order[i], now_ms) != 0)
			session_give_up(session, "out of memory for a request");
}

static void send_answer(
	struct session *session, enum xds_type type, const char *nack, uint64_t now_ms)
{
	if (session->protocol->answer_fn(session, type, nack, now_ms) != 0)
		session_give_up(session, "out of memory for an answer");
}

void session_answer_due(struct session *session, enum xds_type type, uint64_t now_ms)
{
	struct session_type *state = &session->types[type];

	if (!state->is_due)
		return;
	state->is_due = false;
	send_answer(session, type, state->nack, now_ms);
}

static void accept(struct session *session, struct session_response *response, uint64_t now_ms)
{
	struct session_type *state = &session->types[response->type];

	store_version_acquire(response->version);
	store_version_release(state->version);
	state->version = response->version;
	state->nack_signature = 0;
	state->counts.n_acks++;
	state->counts.ack_ms = now_ms;
	send_answer(session, response->type, NULL, now_ms);
}

static uint64_t sign(const struct session_response *response)
{
	const char *version = response->version->text;

	// Never 0, which stands for none.
	return XXH3_64bits_withSeed(version, strlen(version), response->nack.signature) | 1;
}

static uint32_t nack_delay_ms(uint32_t n_repeats)
{
	uint32_t delay_ms = SESSION_NACK_BASE_MS;

	while (n_repeats-- > 0 && delay_ms < SESSION_NACK_MAX_MS)
		delay_ms *= 2;
	return delay_ms < SESSION_NACK_MAX_MS ? delay_ms : SESSION_NACK_MAX_MS;
}

static void refuse(struct session *session, struct session_response *response, uint64_t now_ms)
{
	struct session_type *state = &session->types[response->type];
	uint64_t signature = sign(response);

	memcpy(state->nack, response->nack.text, sizeof(state->nack));
	state->counts.n_nacks++;
	state->counts.nack_ms = now_ms;
	if (signature == state->nack_signature) {
		state->is_due = true;
		state->due_ms = now_ms + nack_delay_ms(state->n_repeats++);
		return;
	}
	log_warning("xds: refused: type=%s version=\"%.200s\" %s", xds_type_word(response->type),
		response->version->text, state->nack);
	state->nack_signature = signature;
	state->n_repeats = 0;
	send_answer(session, response->type, state->nack, now_ms);
}

void session_answer(struct session *session, struct session_response *response, uint64_t now_ms)
{
	struct session_type *state = &session->types[response->type];

	free(state->nonce);
	state->nonce = response->nonce;
	response->nonce = NULL;
	if (response->nack.n_refused == 0)
		accept(session, response, now_ms);
	else
		refuse(session, response, now_ms);
}
