// SPDX-License-Identifier: Apache-2.0

// Incremental: requests say what changes in what is wanted; the first of a stream, which versions are held already.

#include <errno.h>
#include <stdlib.h>

#include "ctrl/xds/session_priv.h"

// What a first request or a change of mind has to say. The arrays have room for every entry of the type.
struct wishes {
	char **subscribe;
	char **unsubscribe;
	Xds__InitialVersion *versions;
	Xds__InitialVersion **version_list;
	uint32_t n_subscribe;
	uint32_t n_unsubscribe;
	uint32_t n_versions;
};

static void add_version(struct wishes *wishes, const struct xds_entry *entry)
{
	Xds__InitialVersion *version = &wishes->versions[wishes->n_versions];

	if (entry->resource == NULL || entry->version == NULL)
		return;
	xds__initial_version__init(version);
	version->key = (char *)entry->name;
	version->value = entry->version->text;
	wishes->version_list[wishes->n_versions++] = version;
}

static void list_wishes(struct session *session, enum xds_type type, struct wishes *wishes)
{
	bool is_first = !session->types[type].asked;

	for (struct xds_entry *entry = store_head(session->store, type); entry != NULL;
		entry = store_after(entry)) {
		if (is_first)
			add_version(wishes, entry);
		if (entry->n_parents > 0 && !entry->sent)
			wishes->subscribe[wishes->n_subscribe++] = entry->name;
		else if (entry->n_parents == 0 && entry->sent)
			wishes->unsubscribe[wishes->n_unsubscribe++] = entry->name;
	}
}

static int send_wishes(struct session *session, enum xds_type type, const struct wishes *wishes)
{
	Xds__DeltaDiscoveryRequest message = XDS__DELTA_DISCOVERY_REQUEST__INIT;
	bool is_first = !session->types[type].asked;

	if (!is_first && wishes->n_subscribe == 0 && wishes->n_unsubscribe == 0)
		return 0;
	message.node = is_first ? (Xds__Node *)session->node : NULL;
	message.type_url = (char *)xds_type_url(type);
	message.n_resource_names_subscribe = wishes->n_subscribe;
	message.resource_names_subscribe = wishes->subscribe;
	message.n_resource_names_unsubscribe = wishes->n_unsubscribe;
	message.resource_names_unsubscribe = wishes->unsubscribe;
	message.n_initial_resource_versions = wishes->n_versions;
	message.initial_resource_versions = wishes->version_list;
	return session_send(session, &message.base);
}

static int ask(struct session *session, enum xds_type type, uint64_t now_ms)
{
	size_t n = store_count(session->store, type) + 1;
	struct wishes wishes = {
		.subscribe = calloc(n, sizeof(*wishes.subscribe)),
		.unsubscribe = calloc(n, sizeof(*wishes.unsubscribe)),
		.versions = calloc(n, sizeof(*wishes.versions)),
		.version_list = calloc(n, sizeof(*wishes.version_list)),
	};
	int ret = -ENOMEM;

	if (wishes.subscribe != NULL && wishes.unsubscribe != NULL && wishes.versions != NULL &&
		wishes.version_list != NULL) {
		list_wishes(session, type, &wishes);
		ret = send_wishes(session, type, &wishes);
	}
	free(wishes.subscribe);
	free(wishes.unsubscribe);
	free(wishes.versions);
	free(wishes.version_list);
	if (ret != 0)
		return ret;
	store_take_wants(session->store, type);
	session_mark_sent(session, type, now_ms);
	return 0;
}

static int answer(struct session *session, enum xds_type type, const char *nack, uint64_t now_ms)
{
	Xds__DeltaDiscoveryRequest message = XDS__DELTA_DISCOVERY_REQUEST__INIT;
	Xds__Status status = XDS__STATUS__INIT;

	(void)now_ms;
	message.type_url = (char *)xds_type_url(type);
	message.response_nonce = session->types[type].nonce;
	if (nack != NULL) {
		status.code = SESSION_INVALID_ARGUMENT;
		status.message = (char *)nack;
		message.error_detail = &status;
	}
	return session_send(session, &message.base);
}

const struct session_protocol session_delta = {
	.removed_field = 6,
	.control_plane_field = 7,
	.removed_names_field = 8,
	.errors_field = 9,
	.is_wrapped = true,
	.ask_fn = ask,
	.answer_fn = answer,
};
