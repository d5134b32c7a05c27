// SPDX-License-Identifier: Apache-2.0

// What metadata says of SRv6 and VRFs, under the key "pergola.srv6": of endpoints, localities and clusters the
// policy, or the segments, and the VRF; of listeners the service network, or the VRFs. Nobody else writes there, so
// a key that is not known is a mistake, and refused.

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/arena.h"
#include "pipeline/spec.h"

#define SRV6_KEY "pergola.srv6"
// Between policies of one segment list and the file's, whose names have no blanks, there is no mistaking.
#define POLICY_PREFIX "segments "

enum {
	POLICY_NAME_BYTES = 64,
};

// What may stand in metadata; those of one kind of message only.
struct srv6_values {
	const char *policy;
	const char *vrf;
	const Xds__ListValue *segments;
	const char *service_network;
	const Xds__ListValue *vrfs;
};

// A key: a text or a list of texts.
struct srv6_key {
	const char *name;
	size_t text_offset;
	size_t list_offset; // 0: a text
};

#define TEXT_KEY(name)                                                                             \
	{                                                                                          \
#name, offsetof(struct srv6_values, name), 0                                       \
	}
#define LIST_KEY(name)                                                                             \
	{                                                                                          \
#name, 0, offsetof(struct srv6_values, name)                                       \
	}

static const struct srv6_key way_keys[] = {
	TEXT_KEY(policy), LIST_KEY(segments), TEXT_KEY(vrf), {0}};
static const struct srv6_key network_keys[] = {TEXT_KEY(service_network), LIST_KEY(vrfs), {0}};

static const struct support_field list_value_fields[] = {
	{3, "string_value", SUPPORT_HONOURED, NULL, NULL},
};

static const struct support_message list_value = {"google.protobuf.Value", 1, list_value_fields};

static const struct support_field list_fields[] = {
	{1, "values[]", SUPPORT_HONOURED, &list_value, NULL},
};

static const struct support_message list_message = {"google.protobuf.ListValue", 1, list_fields};

static int find_struct(struct decode *d, const struct decode_at *at, const Xds__Metadata *metadata,
	const Xds__Struct **found)
{
	*found = NULL;
	for (size_t i = 0; metadata != NULL && i < metadata->n_filter_metadata; i++)
		if (strcmp(metadata->filter_metadata[i]->key, SRV6_KEY) == 0)
			*found = metadata->filter_metadata[i]->value;
	for (size_t i = 0; metadata != NULL && i < metadata->n_typed_filter_metadata; i++)
		if (strcmp(metadata->typed_filter_metadata[i]->key, SRV6_KEY) == 0)
			return decode_refuse(d, DECODE_IN(at, "metadata.typed_filter_metadata"),
				"\"" SRV6_KEY "\" belongs into filter_metadata");
	return 0;
}

static int read_list(struct decode *d, const struct decode_at *at, const Xds__Value *value,
	const Xds__ListValue **list)
{
	const void *message;
	int rc;

	if (value == NULL || value->kind_case != XDS__VALUE__KIND_LIST_VALUE)
		return decode_refuse(d, at, "must be a list of strings");
	rc = decode_message(d, at, &list_message, &xds__list_value__descriptor,
		value->list_value.data, value->list_value.len, &message);
	if (rc < 0)
		return rc;
	*list = message;
	for (size_t i = 0; i < (*list)->n_values; i++)
		if ((*list)->values[i]->kind_case != XDS__VALUE__KIND_STRING_VALUE)
			return decode_refuse(d, at, "must be a list of strings");
	return 0;
}

static int read_value(struct decode *d, const struct decode_at *at, const struct srv6_key *key,
	const Xds__Value *value, struct srv6_values *values)
{
	const struct decode_at *in = DECODE_IN(at, key->name);
	uint8_t *base = (uint8_t *)values;

	if (key->list_offset != 0)
		return read_list(
			d, in, value, (const Xds__ListValue **)(void *)(base + key->list_offset));
	if (value == NULL || value->kind_case != XDS__VALUE__KIND_STRING_VALUE)
		return decode_refuse(d, in, "must be a string");
	if (value->string_value[0] == '\0')
		return decode_refuse(d, in, "must not be empty");
	*(const char **)(void *)(base + key->text_offset) = value->string_value;
	return 0;
}

static int refuse_key(
	struct decode *d, const struct decode_at *at, const struct srv6_key *keys, const char *name)
{
	char quoted[DECODE_TEXT_BYTES], all[64] = "";

	for (; keys->name != NULL; keys++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
			all[0] == '\0' ? "" : ", ", keys->name);
	return decode_refuse(d, at, "%s: unknown key; one of %s", decode_quote(name, quoted), all);
}

static int read_values(struct decode *d, const struct decode_at *at, const Xds__Metadata *metadata,
	const struct srv6_key *keys, struct srv6_values *values)
{
	const struct decode_at *in =
		DECODE_IN(DECODE_IN(at, "metadata"), "filter_metadata[" SRV6_KEY "]");
	const Xds__Struct *fields;
	int rc = find_struct(d, at, metadata, &fields);

	for (size_t i = 0; rc == 0 && fields != NULL && i < fields->n_fields; i++) {
		const Xds__StructEntry *entry = fields->fields[i];
		const struct srv6_key *key = keys;

		while (key->name != NULL && strcmp(key->name, entry->key) != 0)
			key++;
		if (key->name == NULL)
			return refuse_key(d, in, keys, entry->key);
		rc = read_value(d, in, key, entry->value, values);
	}
	return rc;
}

static int read_segments(struct decode *d, const struct decode_at *at, const Xds__ListValue *list,
	struct ip6_addr *segments)
{
	char quoted[DECODE_TEXT_BYTES];

	for (uint32_t i = 0; i < list->n_values; i++)
		if (inet_pton(AF_INET6, list->values[i]->string_value, segments[i].b) != 1)
			return decode_refuse(d, at, "%s is not an IPv6 address",
				decode_quote(list->values[i]->string_value, quoted));
	return 0;
}

// One segment is a name; of more the hash is, since names have an end.
static void name_policy(const struct srv6_segment_list_spec *list, char name[POLICY_NAME_BYTES])
{
	char text[INET6_ADDRSTRLEN];
	const size_t n_bytes = list->n_segments * sizeof(*list->segments);
	XXH128_hash_t hash;

	if (list->n_segments == 1) {
		inet_ntop(AF_INET6, list->segments[0].b, text, sizeof(text));
		snprintf(name, POLICY_NAME_BYTES, POLICY_PREFIX "%s", text);
		return;
	}
	hash = XXH3_128bits(list->segments, n_bytes);
	snprintf(name, POLICY_NAME_BYTES, POLICY_PREFIX "%u %016llx%016llx", list->n_segments,
		(unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

static int add_policy(struct decode *d, const struct decode_at *at, const Xds__ListValue *values,
	const char **name)
{
	struct decode_policy *policy = arena_alloc(d->scratch, sizeof(*policy));
	struct srv6_segment_list_spec *list = decode_alloc(d, 1, sizeof(*list));
	const struct decode_at *in = DECODE_IN(at, "segments");
	const struct spec_origin *origin = decode_origin(d, in);
	struct ip6_addr *segments;
	char text[POLICY_NAME_BYTES];
	int rc;

	if (values->n_values == 0)
		return decode_refuse(d, in, "a segment list needs at least one segment");
	if (values->n_values > SRV6_MAX_SEGMENTS)
		return decode_refuse(
			d, in, "%zu entries; at most %d", values->n_values, SRV6_MAX_SEGMENTS);
	segments = decode_alloc(d, (uint32_t)values->n_values, sizeof(*segments));
	if (policy == NULL || list == NULL || segments == NULL || origin == NULL)
		return -ENOMEM;
	rc = read_segments(d, in, values, segments);
	if (rc < 0)
		return rc;
	*list = (struct srv6_segment_list_spec){.origin = *origin,
		.weight = 1,
		.n_segments = (uint32_t)values->n_values,
		.segments = segments};
	name_policy(list, text);
	rc = decode_text(d, text, name);
	policy->spec = (struct srv6_policy_spec){
		.origin = *origin, .name = *name, .dscp = -1, .n_lists = 1, .lists = list};
	policy->next = d->policies;
	d->policies = policy;
	d->n_policies++;
	return rc;
}

int decode_way(struct decode *d, const struct decode_at *at, const Xds__Metadata *metadata,
	struct decode_way *way)
{
	const struct decode_at *in =
		DECODE_IN(DECODE_IN(at, "metadata"), "filter_metadata[" SRV6_KEY "]");
	struct srv6_values values = {0};
	int rc = read_values(d, at, metadata, way_keys, &values);

	if (rc == 0 && values.vrf != NULL)
		rc = decode_text(d, values.vrf, &way->vrf);
	if (rc < 0)
		return rc;
	if (values.policy != NULL && values.segments != NULL)
		return decode_refuse(
			d, in, "\"policy\" and \"segments\" exclude each other; keep one of them");
	if (values.policy != NULL)
		return decode_text(d, values.policy, &way->policy);
	return values.segments == NULL ? 0 : add_policy(d, in, values.segments, &way->policy);
}

static int compare_policies(const void *a, const void *b)
{
	const struct srv6_policy_spec *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int decode_policies(struct decode *d, struct xds_assignment *assignment)
{
	struct srv6_policy_spec *policies = decode_alloc(d, d->n_policies, sizeof(*policies));
	uint32_t n = 0, n_kept = 0;

	if (policies == NULL)
		return -ENOMEM;
	for (const struct decode_policy *policy = d->policies; policy != NULL;
		policy = policy->next)
		policies[n++] = policy->spec;
	if (n > 0)
		qsort(policies, n, sizeof(*policies), compare_policies);
	for (uint32_t i = 0; i < n; i++)
		if (n_kept == 0 || compare_policies(&policies[n_kept - 1], &policies[i]) != 0)
			policies[n_kept++] = policies[i];
	assignment->n_policies = n_kept;
	assignment->policies = policies;
	return 0;
}

// Under a name that the file cannot have.
static char *name_network(struct decode *d)
{
	const size_t n_bytes = sizeof("listener ") + strlen(d->resource->name);
	char *name = decode_alloc(d, 1, n_bytes);

	if (name != NULL)
		snprintf(name, n_bytes, "listener %s", d->resource->name);
	return name;
}

// A network of the listener's own.
static int add_network(struct decode *d, const struct decode_at *at, const Xds__ListValue *vrfs,
	struct xds_listener *listener)
{
	struct service_network_spec *network = decode_alloc(d, 1, sizeof(*network));
	const char **names = decode_alloc(d, (uint32_t)vrfs->n_values, sizeof(*names));
	int rc = network == NULL || names == NULL ? -ENOMEM : 0;

	if (rc == 0 && vrfs->n_values == 0)
		return decode_refuse(d, at, "at least one VRF is needed");
	for (uint32_t i = 0; i < vrfs->n_values && rc == 0; i++)
		rc = decode_text(d, vrfs->values[i]->string_value, &names[i]);
	if (rc < 0)
		return rc;
	*network = (struct service_network_spec){.origin = decode_origin(d, at->up),
		.name = name_network(d),
		.n_vrfs = (uint32_t)vrfs->n_values,
		.vrfs = names};
	listener->network = network;
	listener->spec.service_network = network->name;
	return network->origin == NULL || network->name == NULL ? -ENOMEM : 0;
}

int decode_network(struct decode *d, const struct decode_at *at, const Xds__Metadata *metadata,
	struct xds_listener *listener)
{
	const struct decode_at *in =
		DECODE_IN(DECODE_IN(at, "metadata"), "filter_metadata[" SRV6_KEY "]");
	struct srv6_values values = {0};
	int rc = read_values(d, at, metadata, network_keys, &values);

	if (rc < 0)
		return rc;
	if (values.service_network != NULL && values.vrfs != NULL)
		return decode_refuse(d, in,
			"\"service_network\" and \"vrfs\" exclude each other; keep one of them");
	if (values.vrfs != NULL)
		return add_network(d, DECODE_IN(in, "vrfs"), values.vrfs, listener);
	if (values.service_network != NULL)
		return decode_text(d, values.service_network, &listener->spec.service_network);
	if (d->spec->service_network == NULL)
		return decode_refuse(d, in,
			"one of \"service_network\", \"vrfs\" is missing, and the file has no "
			"default");
	return decode_text(d, d->spec->service_network, &listener->spec.service_network);
}
