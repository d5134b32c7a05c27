// SPDX-License-Identifier: Apache-2.0

// State of the world: every request names all that is wanted of its type, and the version that is held.

#include <errno.h>
#include <stdlib.h>

#include "ctrl/xds/session_priv.h"

static uint32_t list_wanted(struct session *session, enum xds_type type, char **names)
{
	uint32_t n = 0;

	if (session_is_wildcard(type))
		return 0;
	for (struct xds_entry *entry = store_head(session->store, type); entry != NULL;
		entry = store_after(entry))
		if (entry->n_parents > 0)
			names[n++] = entry->name;
	return n;
}

// A request is an answer, too, as it carries the last nonce: it says NACK as long as that was not said.
static int request(struct session *session, enum xds_type type, const char *nack, uint64_t now_ms)
{
	struct session_type *state = &session->types[type];
	Xds__DiscoveryRequest message = XDS__DISCOVERY_REQUEST__INIT;
	Xds__Status status = XDS__STATUS__INIT;
	char **names = calloc(store_count(session->store, type) + 1, sizeof(*names));
	int ret;

	if (names == NULL)
		return -ENOMEM;
	message.version_info = state->version == NULL ? (char *)"" : state->version->text;
	message.node = state->asked ? NULL : (Xds__Node *)session->node;
	message.resource_names = names;
	message.n_resource_names = list_wanted(session, type, names);
	message.type_url = (char *)xds_type_url(type);
	message.response_nonce = state->nonce == NULL ? (char *)"" : state->nonce;
	if (nack != NULL) {
		status.code = SESSION_INVALID_ARGUMENT;
		status.message = (char *)nack;
		message.error_detail = &status;
	}
	ret = session_send(session, &message.base);
	free(names);
	if (ret != 0)
		return ret;
	store_take_wants(session->store, type);
	session_mark_sent(session, type, now_ms);
	return 0;
}

static int ask(struct session *session, enum xds_type type, uint64_t now_ms)
{
	struct session_type *state = &session->types[type];

	if (!state->is_due)
		return request(session, type, NULL, now_ms);
	state->is_due = false;
	return request(session, type, state->nack, now_ms);
}

const struct session_protocol session_sotw = {
	.control_plane_field = 6,
	.errors_field = 7,
	.absence_removes = true,
	.ask_fn = ask,
	.answer_fn = request,
};
