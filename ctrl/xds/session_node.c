// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "ctrl/xds/session_priv.h"
#include "pipeline/arena.h"

// Values of the metadata as the wire has them; a value that holds others holds them packed (core.proto).

static Xds__Value *make_value(struct arena *arena, const struct xds_value_spec *spec);

static int pack(struct arena *arena, const ProtobufCMessage *message, ProtobufCBinaryData *packed)
{
	packed->len = protobuf_c_message_get_packed_size(message);
	packed->data = arena_alloc(arena, packed->len + 1);
	if (packed->data == NULL)
		return -ENOMEM;
	protobuf_c_message_pack(message, packed->data);
	return 0;
}

static Xds__Struct *make_struct(struct arena *arena, const struct xds_value_spec *spec)
{
	Xds__Struct *group = arena_alloc(arena, sizeof(*group));
	Xds__StructEntry *entries = arena_alloc(arena, (spec->n_items + 1) * sizeof(*entries));
	Xds__StructEntry **fields = arena_alloc(arena, (spec->n_items + 1) * sizeof(*fields));

	if (group == NULL || entries == NULL || fields == NULL)
		return NULL;
	xds__struct__init(group);
	group->n_fields = spec->n_items;
	group->fields = fields;
	for (uint32_t i = 0; i < spec->n_items; i++) {
		xds__struct_entry__init(&entries[i]);
		entries[i].key = (char *)spec->items[i].key;
		entries[i].value = make_value(arena, &spec->items[i]);
		if (entries[i].value == NULL)
			return NULL;
		fields[i] = &entries[i];
	}
	return group;
}

static Xds__ListValue *make_list(struct arena *arena, const struct xds_value_spec *spec)
{
	Xds__ListValue *list = arena_alloc(arena, sizeof(*list));
	Xds__Value **values = arena_alloc(arena, (spec->n_items + 1) * sizeof(*values));

	if (list == NULL || values == NULL)
		return NULL;
	xds__list_value__init(list);
	list->n_values = spec->n_items;
	list->values = values;
	for (uint32_t i = 0; i < spec->n_items; i++) {
		values[i] = make_value(arena, &spec->items[i]);
		if (values[i] == NULL)
			return NULL;
	}
	return list;
}

static int fill_holder(struct arena *arena, const struct xds_value_spec *spec, Xds__Value *value)
{
	const Xds__Struct *group;
	const Xds__ListValue *list;

	if (spec->kind == XDS_VALUE_GROUP) {
		group = make_struct(arena, spec);
		value->kind_case = XDS__VALUE__KIND_STRUCT_VALUE;
		return group == NULL ? -ENOMEM : pack(arena, &group->base, &value->struct_value);
	}
	list = make_list(arena, spec);
	value->kind_case = XDS__VALUE__KIND_LIST_VALUE;
	return list == NULL ? -ENOMEM : pack(arena, &list->base, &value->list_value);
}

static Xds__Value *make_value(struct arena *arena, const struct xds_value_spec *spec)
{
	Xds__Value *value = arena_alloc(arena, sizeof(*value));

	if (value == NULL)
		return NULL;
	xds__value__init(value);
	switch (spec->kind) {
	case XDS_VALUE_STRING:
		value->kind_case = XDS__VALUE__KIND_STRING_VALUE;
		value->string_value = (char *)spec->string;
		return value;
	case XDS_VALUE_NUMBER:
		value->kind_case = XDS__VALUE__KIND_NUMBER_VALUE;
		value->number_value = spec->number;
		return value;
	case XDS_VALUE_BOOL:
		value->kind_case = XDS__VALUE__KIND_BOOL_VALUE;
		value->bool_value = spec->flag;
		return value;
	case XDS_VALUE_GROUP:
	case XDS_VALUE_LIST:
		break;
	}
	return fill_holder(arena, spec, value) == 0 ? value : NULL;
}

static Xds__Locality *make_locality(struct arena *arena, const struct xds_spec *spec)
{
	Xds__Locality *locality = arena_alloc(arena, sizeof(*locality));

	if (locality == NULL)
		return NULL;
	xds__locality__init(locality);
	locality->region = (char *)spec->region;
	locality->zone = (char *)spec->zone;
	locality->sub_zone = (char *)spec->sub_zone;
	return locality;
}

static bool has_locality(const struct xds_spec *spec)
{
	return spec->region[0] != '\0' || spec->zone[0] != '\0' || spec->sub_zone[0] != '\0';
}

const Xds__Node *session_node_create(struct arena *arena, const struct xds_spec *spec)
{
	static const char *const features[] = {
		"xds.config.resource-in-sotw", "xds.config.supports-resource-ttl"};
	Xds__Node *node = arena_alloc(arena, sizeof(*node));

	if (node == NULL)
		return NULL;
	xds__node__init(node);
	node->id = (char *)spec->node_id;
	node->cluster = (char *)spec->node_cluster;
	node->user_agent_name = (char *)"pergola";
	node->user_agent_version = (char *)PERGOLA_VERSION;
	node->n_client_features = sizeof(features) / sizeof(features[0]);
	node->client_features = (char **)features;
	if (spec->metadata.n_items > 0) {
		node->metadata = make_struct(arena, &spec->metadata);
		if (node->metadata == NULL)
			return NULL;
	}
	if (has_locality(spec)) {
		node->locality = make_locality(arena, spec);
		if (node->locality == NULL)
			return NULL;
	}
	return node;
}
