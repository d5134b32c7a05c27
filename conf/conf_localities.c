// SPDX-License-Identifier: Apache-2.0

// Endpoints, and the localities that they are in.

#include <errno.h>

#include "conf/conf_priv.h"
#include "conf/value.h"
#include "pipeline/arena.h"

static const char *health_choice(int i)
{
	static const char *const names[] = {
		[ENDPOINT_HEALTHY] = "HEALTHY",
		[ENDPOINT_DEGRADED] = "DEGRADED",
		[ENDPOINT_UNHEALTHY] = "UNHEALTHY",
	};

	return (size_t)i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

enum {
	ENDPOINT_KEY_ADDRESS,
	ENDPOINT_KEY_PORT,
	ENDPOINT_KEY_WEIGHT,
	ENDPOINT_KEY_HEALTH,
	ENDPOINT_KEY_POLICY,
	ENDPOINT_KEY_VRF,
	N_ENDPOINT_KEYS,
};

static const struct reader_key endpoint_keys[N_ENDPOINT_KEYS] = {
	[ENDPOINT_KEY_ADDRESS] = {"address", value_l7_address,
		READER_FIELD(struct endpoint_spec, address)},
	[ENDPOINT_KEY_PORT] = {"port", value_number, READER_FIELD(struct endpoint_spec, port), 1,
		UINT16_MAX},
	[ENDPOINT_KEY_WEIGHT] = {"weight", value_number, READER_FIELD(struct endpoint_spec, weight),
		1, UINT32_MAX},
	[ENDPOINT_KEY_HEALTH] = {"health", value_choice, READER_FIELD(struct endpoint_spec, health),
		.choice = health_choice},
	[ENDPOINT_KEY_POLICY] = {"policy", value_name, READER_FIELD(struct endpoint_spec, policy)},
	[ENDPOINT_KEY_VRF] = {"vrf", value_name, READER_FIELD(struct endpoint_spec, vrf)},
};

static const struct reader_rule endpoint_rules[] = {
	{.of = 1 << ENDPOINT_KEY_ADDRESS, .min = 1, .max = 1},
	{.of = 1 << ENDPOINT_KEY_PORT, .min = 1, .max = 1},
};

static const struct reader_group endpoint_group = READER_GROUP(endpoint_keys, endpoint_rules);

static int read_endpoint(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct endpoint_spec *endpoint = item;
	uint32_t given;
	int rc = conf_l7_origin(reader, setting, &endpoint->origin);

	(void)context;
	endpoint->weight = 1;
	return rc < 0 ? rc : reader_read_group(reader, setting, &endpoint_group, endpoint, &given);
}

static int read_endpoints(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct conf_locality *locality = object;
	void *endpoints = NULL;
	int rc = reader_read_items(reader, setting, L7_MAX_ENDPOINTS, sizeof(*locality->endpoints),
		read_endpoint, NULL, &endpoints, &locality->spec.n_endpoints);

	(void)key;
	locality->endpoints = endpoints;
	return rc;
}

enum {
	LOCALITY_KEY_REGION,
	LOCALITY_KEY_ZONE,
	LOCALITY_KEY_SUB_ZONE,
	LOCALITY_KEY_PRIORITY,
	LOCALITY_KEY_WEIGHT,
	LOCALITY_KEY_ENDPOINTS,
	N_LOCALITY_KEYS,
};

#define LOCALITY_FIELD(member) READER_FIELD(struct conf_locality, spec.member)

static const struct reader_key locality_keys[N_LOCALITY_KEYS] = {
	[LOCALITY_KEY_REGION] = {"region", value_string, LOCALITY_FIELD(region), 1,
		L7_MAX_NAME_LEN},
	[LOCALITY_KEY_ZONE] = {"zone", value_string, LOCALITY_FIELD(zone), 1, L7_MAX_NAME_LEN},
	[LOCALITY_KEY_SUB_ZONE] = {"sub_zone", value_string, LOCALITY_FIELD(sub_zone), 1,
		L7_MAX_NAME_LEN},
	[LOCALITY_KEY_PRIORITY] = {"priority", value_number, LOCALITY_FIELD(priority), 0,
		L7_MAX_PRIORITY},
	[LOCALITY_KEY_WEIGHT] = {"weight", value_number, LOCALITY_FIELD(weight), 1, UINT32_MAX},
	[LOCALITY_KEY_ENDPOINTS] = {.name = "endpoints", .read = read_endpoints},
};

static const struct reader_group locality_group = READER_KEYS(locality_keys);

static int read_locality(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct conf_locality *locality = item;
	uint32_t given;
	int rc = conf_l7_origin(reader, setting, &locality->spec.origin);

	(void)context;
	locality->spec.region = locality->spec.zone = locality->spec.sub_zone = "";
	return rc < 0 ? rc : reader_read_group(reader, setting, &locality_group, locality, &given);
}

int conf_localities_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct conf_localities *to = (struct conf_localities *)((uint8_t *)object + key->offset);
	void *localities = NULL;
	int rc = reader_read_items(reader, setting, L7_MAX_LOCALITIES, sizeof(*to->localities),
		read_locality, NULL, &localities, &to->n_localities);

	to->localities = localities;
	return rc;
}

int conf_localities_read_one(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct conf_localities *to = (struct conf_localities *)((uint8_t *)object + key->offset);
	struct conf_locality *locality = arena_alloc(reader->arena, sizeof(*locality));

	if (locality == NULL)
		return -ENOMEM;
	locality->spec.region = locality->spec.zone = locality->spec.sub_zone = "";
	to->localities = locality;
	to->n_localities = 1;
	return read_endpoints(reader, setting, key, locality);
}
