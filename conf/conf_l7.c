// SPDX-License-Identifier: Apache-2.0

// What the readers of services share, and service networks.

#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_CHOICES = 1024, // weighted clusters of one route
};

// Begins with its origin, as reader_check_unique() wants it.
struct named {
	struct spec_origin origin;
	const char *name;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int conf_l7_origin(
	struct reader *reader, const config_setting_t *setting, const struct spec_origin **origin)
{
	struct spec_origin *kept = arena_alloc(reader->arena, sizeof(*kept));

	if (kept == NULL)
		return -ENOMEM;
	*origin = kept;
	return reader_origin(reader, setting, kept);
}

int conf_l7_named(struct reader *reader, const config_setting_t *setting, void **seen,
	const char *name, const struct spec_origin **origin)
{
	struct named *named = arena_alloc(reader->arena, sizeof(*named));
	int rc;

	if (named == NULL)
		return -ENOMEM;
	named->name = name;
	*origin = &named->origin;
	rc = reader_origin(reader, setting, &named->origin);
	if (rc < 0)
		return rc;
	return reader_check_unique(reader, config_setting_get_member(setting, "name"), seen, named,
		compare_named, name);
}

void *conf_l7_pointers(struct reader *reader, const void *items, uint32_t n, size_t item_bytes)
{
	const void **pointers = arena_alloc(reader->arena, (n + 1) * sizeof(*pointers));

	for (uint32_t i = 0; pointers != NULL && i < n; i++)
		pointers[i] = (const uint8_t *)items + i * item_bytes;
	return pointers;
}

enum {
	CHOICE_CLUSTER,
	CHOICE_WEIGHT,
	N_CHOICE_KEYS,
};

static const struct reader_key choice_keys[N_CHOICE_KEYS] = {
	[CHOICE_CLUSTER] = {"cluster", value_name,
		READER_FIELD(struct weighted_cluster_spec, cluster)},
	[CHOICE_WEIGHT] = {"weight", value_number,
		READER_FIELD(struct weighted_cluster_spec, weight), 0, UINT32_MAX},
};

static const struct reader_rule choice_rules[] = {
	{.of = 1 << CHOICE_CLUSTER, .min = 1, .max = 1},
	{.of = 1 << CHOICE_WEIGHT, .min = 1, .max = 1},
};

static const struct reader_group choice_group = READER_GROUP(choice_keys, choice_rules);

static int read_choice(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct weighted_cluster_spec *choice = item;
	uint32_t given;
	int rc = conf_l7_origin(reader, setting, &choice->origin);

	(void)context;
	return rc < 0 ? rc : reader_read_group(reader, setting, &choice_group, choice, &given);
}

int conf_choices_read_weighted(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct conf_choices *choices = (struct conf_choices *)((uint8_t *)object + key->offset);
	void *items = NULL;
	int rc = reader_read_items(reader, setting, MAX_CHOICES, sizeof(*choices->choices),
		read_choice, NULL, &items, &choices->n_choices);

	if (rc == 0 && choices->n_choices == 0)
		return reader_refuse(reader, setting, "at least one cluster is needed");
	choices->choices = items;
	return rc;
}

int conf_choices_read_cluster(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct conf_choices *choices = (struct conf_choices *)((uint8_t *)object + key->offset);
	struct weighted_cluster_spec *choice = arena_alloc(reader->arena, sizeof(*choice));
	int rc;

	if (choice == NULL)
		return -ENOMEM;
	choice->weight = 1;
	choices->choices = choice;
	choices->n_choices = 1;
	rc = conf_l7_origin(reader, setting, &choice->origin);
	return rc < 0 ? rc : value_name(reader, setting, &choice_keys[CHOICE_CLUSTER], choice);
}

static int read_vrf(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	static const struct reader_key vrf_key = {.read = value_name, .size = sizeof(char *)};

	(void)context;
	return value_name(reader, setting, &vrf_key, item);
}

static int read_vrfs(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct service_network_spec *network = object;
	void *vrfs = NULL;
	int rc = reader_read_items(reader, setting, SPEC_MAX_VRFS, sizeof(*network->vrfs), read_vrf,
		NULL, &vrfs, &network->n_vrfs);

	(void)key;
	network->vrfs = vrfs;
	return rc;
}

enum {
	NETWORK_NAME,
	NETWORK_VRFS,
	N_NETWORK_KEYS,
};

static const struct reader_key network_keys[N_NETWORK_KEYS] = {
	[NETWORK_NAME] = {"name", value_name, READER_FIELD(struct service_network_spec, name)},
	[NETWORK_VRFS] = {.name = "vrfs", .read = read_vrfs},
};

static const struct reader_rule network_rules[] = {
	{.of = 1 << NETWORK_NAME, .min = 1, .max = 1},
	{.of = 1 << NETWORK_VRFS, .min = 1, .max = 1},
};

static const struct reader_group network_group = READER_GROUP(network_keys, network_rules);

static int read_network(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct service_network_spec *network = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &network_group, network, &given);

	return rc < 0 ? rc : conf_l7_named(reader, setting, seen, network->name, &network->origin);
}

int conf_service_networks_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_spec *spec = &((struct node_spec *)object)->l7;
	void *networks = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, SPEC_MAX_VRFS, sizeof(*spec->service_networks),
		read_network, &seen, &networks, &spec->n_service_networks);

	(void)key;
	reader_forget(&seen);
	spec->service_networks = networks;
	return rc;
}
