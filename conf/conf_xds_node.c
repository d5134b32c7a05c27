// SPDX-License-Identifier: Apache-2.0

// "xds.node": what the node tells an xDS server of itself.

#include <errno.h>
#include <math.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_VALUE_LEN = 4095,
	MAX_VALUES = 4096, // of one group or list
	// Of groups and lists: three messages each on the wire, of which parsers take 100 in one another.
	MAX_DEPTH = 16,
};

static int read_value(struct reader *reader, const config_setting_t *setting,
	struct xds_value_spec *value, unsigned int depth);

static int read_values(struct reader *reader, const config_setting_t *setting,
	struct xds_value_spec *value, unsigned int depth)
{
	int n_items = config_setting_length(setting);
	struct xds_value_spec *items;

	if (depth > MAX_DEPTH)
		return reader_refuse(reader, setting,
			"more than %d groups and lists, one in another", MAX_DEPTH);
	if (n_items > MAX_VALUES)
		return reader_refuse(reader, setting, "%d values; at most %d", n_items, MAX_VALUES);
	items = arena_alloc(reader->arena, ((size_t)n_items + 1) * sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	value->items = items;
	value->n_items = (uint32_t)n_items;
	for (int i = 0; i < n_items; i++) {
		int rc = read_value(reader, config_setting_get_elem(setting, (unsigned int)i),
			&items[i], depth);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_string_value(
	struct reader *reader, const config_setting_t *setting, struct xds_value_spec *value)
{
	const char *text = config_setting_get_string(setting);

	if (strlen(text) > MAX_VALUE_LEN)
		return reader_refuse(
			reader, setting, "%zu characters; at most %d", strlen(text), MAX_VALUE_LEN);
	value->kind = XDS_VALUE_STRING;
	value->string = arena_strdup(reader->arena, text);
	return value->string == NULL ? -ENOMEM : 0;
}

// depth: how many groups and lists it is in.
static int read_value(struct reader *reader, const config_setting_t *setting,
	struct xds_value_spec *value, unsigned int depth)
{
	const char *key = config_setting_name(setting);

	if (key != NULL) {
		value->key = arena_strdup(reader->arena, key);
		if (value->key == NULL)
			return -ENOMEM;
	}
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		value->kind = XDS_VALUE_GROUP;
		return read_values(reader, setting, value, depth + 1);
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		value->kind = XDS_VALUE_LIST;
		return read_values(reader, setting, value, depth + 1);
	case CONFIG_TYPE_STRING:
		return read_string_value(reader, setting, value);
	case CONFIG_TYPE_BOOL:
		value->kind = XDS_VALUE_BOOL;
		value->flag = config_setting_get_bool(setting) != 0;
		return 0;
	case CONFIG_TYPE_FLOAT:
		value->kind = XDS_VALUE_NUMBER;
		value->number = config_setting_get_float(setting);
		return isfinite(value->number) ? 0 : reader_refuse(reader, setting, "is no number");
	default:
		value->kind = XDS_VALUE_NUMBER;
		value->number = (double)config_setting_get_int64(setting);
		return 0;
	}
}

static int read_metadata(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	(void)key;
	if (!config_setting_is_group(setting))
		return reader_refuse_type(reader, setting, "a group");
	return read_value(reader, setting, &((struct xds_spec *)object)->metadata, 0);
}

static const struct reader_key locality_keys[] = {
	{"region", value_string, READER_FIELD(struct xds_spec, region), 0, MAX_VALUE_LEN},
	{"zone", value_string, READER_FIELD(struct xds_spec, zone), 0, MAX_VALUE_LEN},
	{"sub_zone", value_string, READER_FIELD(struct xds_spec, sub_zone), 0, MAX_VALUE_LEN},
};

static const struct reader_group locality_group = READER_KEYS(locality_keys);

static int read_locality(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	uint32_t given;

	(void)key;
	return reader_read_group(reader, setting, &locality_group, object, &given);
}

enum {
	NODE_ID,
};

static const struct reader_key node_keys[] = {
	[NODE_ID] = {"id", value_string, READER_FIELD(struct xds_spec, node_id), 0, MAX_VALUE_LEN},
	{"cluster", value_string, READER_FIELD(struct xds_spec, node_cluster), 0, MAX_VALUE_LEN},
	{.name = "metadata", .read = read_metadata},
	{.name = "locality", .read = read_locality},
};

static const struct reader_rule node_rules[] = {
	{.of = 1 << NODE_ID, .min = 1, .max = 1},
};

static const struct reader_group node_group = READER_GROUP(node_keys, node_rules);

int conf_xds_read_node(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	uint32_t given;

	(void)key;
	return reader_read_group(reader, setting, &node_group, object, &given);
}
