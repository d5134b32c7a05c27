// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests of the decoders share: messages packed as a server would, decoded, and compared.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <protobuf-c/protobuf-c.h>

#include "ctrl/xds/decode.h"
#include "ctrl/xds/proto/cluster.pb-c.h"
#include "ctrl/xds/proto/core.pb-c.h"
#include "ctrl/xds/proto/endpoint.pb-c.h"
#include "ctrl/xds/proto/extensions.pb-c.h"
#include "ctrl/xds/proto/listener.pb-c.h"
#include "ctrl/xds/proto/route.pb-c.h"
#include "ctrl/xds/proto/secret.pb-c.h"
#include "pipeline/spec.h"

// The file's part in all tests: a default network, and one address that stands for two.
static const struct l7_address fixture_virtual[2] = {
	{.family = 4, .b = {10, 9, 0, 1}}, {.family = 6, .b = {0x20, 1, 0xd, 0xb8, [15] = 1}}};
static const struct xds_address_spec fixture_addresses[] = {
	{.from = {.family = 4, .b = {127, 0, 0, 1}},
		.from_port = 81,
		.to_port = 8081,
		.n_to = 1,
		.to = fixture_virtual},
	{.from = {.family = 4, .b = {0}}, .n_to = 2, .to = fixture_virtual},
};
static const struct xds_endpoint_address_spec fixture_endpoint_addresses[] = {
	{.from = {.family = 4, .b = {127, 0, 0, 1}},
		.from_port = 81,
		.to_port = 8080,
		.to = {.family = 4, .b = {10, 2, 0, 7}},
		.vrf = "blue",
		.policy = "west"},
};
static const struct xds_spec fixture_spec = {.n_endpoint_addresses = 1,
	.endpoint_addresses = fixture_endpoint_addresses,

	.service_network = "mesh",
	.n_addresses = 2,
	.addresses = fixture_addresses};

// One of them per test.
static uint8_t fixture_any_bytes[8][4096];
static uint32_t fixture_n_anys;

static inline Xds__Any fixture_any(const char *type, const void *message)
{
	static char urls[8][160];
	uint32_t i = fixture_n_anys++ % 8;
	Xds__Any any = XDS__ANY__INIT;

	assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(fixture_any_bytes[i]));
	snprintf(urls[i], sizeof(urls[i]), "type.googleapis.com/%s", type);
	any.type_url = urls[i];
	any.value.data = fixture_any_bytes[i];
	any.value.len = protobuf_c_message_pack(message, fixture_any_bytes[i]);
	return any;
}

static inline int fixture_decode(enum xds_type type, const void *message,
	const struct xds_spec *spec, struct xds_resource **resource, struct refusal *refusal)
{
	size_t n_bytes = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(n_bytes);
	int rc;

	assert_non_null(bytes);
	protobuf_c_message_pack(message, bytes);
	rc = xds_decode(type, bytes, n_bytes, spec, resource, refusal);
	free(bytes);
	return rc;
}

// The caller releases it.
static inline struct xds_resource *fixture_accept(enum xds_type type, const void *message)
{
	struct xds_resource *resource = NULL;
	struct refusal refusal = {.text = ""};
	int rc = fixture_decode(type, message, &fixture_spec, &resource, &refusal);

	assert_string_equal(refusal.text, "");
	assert_int_equal(rc, 0);
	return resource;
}

static inline void fixture_refuse(enum xds_type type, const void *message, const char *text)
{
	struct xds_resource *resource = NULL;
	struct refusal refusal = {.text = ""};
	int rc = fixture_decode(type, message, &fixture_spec, &resource, &refusal);

	if (rc == 0)
		xds_resource_release(resource);
	assert_string_equal(refusal.text, text);
	assert_int_equal(rc, -EINVAL);
}

static inline void fixture_ignores(
	const struct xds_resource *resource, const char *path, uint32_t n_times)
{
	for (uint32_t i = 0; i < resource->n_ignored; i++)
		if (strcmp(resource->ignored[i].path, path) == 0) {
			assert_int_equal(resource->ignored[i].n_times, n_times);
			return;
		}
	fail_msg("%s is not among what is ignored", path);
}

// pergola.srv6 with up to two keys. list: its last text ends it.
struct fixture_metadata {
	Xds__Metadata metadata;
	Xds__MetadataEntry entry, *entries[1];
	Xds__Struct fields;
	Xds__StructEntry pairs[2], *pair_pointers[2];
	Xds__Value values[2];
	uint8_t list_bytes[1024];
};

static inline Xds__Metadata *fixture_metadata_init(struct fixture_metadata *m)
{
	m->metadata = (Xds__Metadata)XDS__METADATA__INIT;
	m->entry = (Xds__MetadataEntry)XDS__METADATA_ENTRY__INIT;
	m->fields = (Xds__Struct)XDS__STRUCT__INIT;
	m->entry.key = (char *)"pergola.srv6";
	m->entry.value = &m->fields;
	m->entries[0] = &m->entry;
	m->metadata.n_filter_metadata = 1;
	m->metadata.filter_metadata = m->entries;
	m->fields.fields = m->pair_pointers;
	return &m->metadata;
}

static inline Xds__Value *fixture_metadata_add(struct fixture_metadata *m, const char *key)
{
	size_t i = m->fields.n_fields++;

	m->pairs[i] = (Xds__StructEntry)XDS__STRUCT_ENTRY__INIT;
	m->values[i] = (Xds__Value)XDS__VALUE__INIT;
	m->pairs[i].key = (char *)key;
	m->pairs[i].value = &m->values[i];
	m->pair_pointers[i] = &m->pairs[i];
	return &m->values[i];
}

static inline void fixture_metadata_text(
	struct fixture_metadata *m, const char *key, const char *text)
{
	Xds__Value *value = fixture_metadata_add(m, key);

	value->kind_case = XDS__VALUE__KIND_STRING_VALUE;
	value->string_value = (char *)text;
}

static inline void fixture_metadata_list(
	struct fixture_metadata *m, const char *key, const char *const *texts, size_t n)
{
	Xds__Value *value = fixture_metadata_add(m, key), values[32], *pointers[32];
	Xds__ListValue list = XDS__LIST_VALUE__INIT;

	assert_true(n <= 32);
	for (size_t i = 0; i < n; i++) {
		values[i] = (Xds__Value)XDS__VALUE__INIT;
		values[i].kind_case = XDS__VALUE__KIND_STRING_VALUE;
		values[i].string_value = (char *)texts[i];
		pointers[i] = &values[i];
	}
	list.n_values = n;
	list.values = pointers;
	value->kind_case = XDS__VALUE__KIND_LIST_VALUE;
	assert_true(xds__list_value__get_packed_size(&list) <= sizeof(m->list_bytes));
	value->list_value.data = m->list_bytes;
	value->list_value.len = xds__list_value__pack(&list, m->list_bytes);
}

// A socket address, and the address around it.
struct fixture_address {
	Xds__SocketAddress socket;
	Xds__Address address;
};

static inline Xds__Address *fixture_address_init(
	struct fixture_address *a, const char *text, uint32_t port)
{
	a->socket = (Xds__SocketAddress)XDS__SOCKET_ADDRESS__INIT;
	a->socket.address = (char *)text;
	a->socket.port_specifier_case = XDS__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
	a->socket.port_value = port;
	a->address = (Xds__Address)XDS__ADDRESS__INIT;
	a->address.address_case = XDS__ADDRESS__ADDRESS_SOCKET_ADDRESS;
	a->address.socket_address = &a->socket;
	return &a->address;
}
