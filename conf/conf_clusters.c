// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_TIMEOUT_MS = INT32_MAX,
};

static int read_address(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct endpoint_spec *endpoint = object;
	struct ip_addr addr;
	int rc = value_ip_text(reader, setting, 0, &addr);

	(void)key;
	if (rc < 0)
		return rc;
	endpoint->address.family = addr.family;
	memcpy(endpoint->address.b, addr.addr.b, sizeof(endpoint->address.b));
	return 0;
}

enum {
	ENDPOINT_KEY_ADDRESS,
	ENDPOINT_KEY_PORT,
	ENDPOINT_KEY_WEIGHT,
	ENDPOINT_KEY_POLICY,
	ENDPOINT_KEY_VRF,
	N_ENDPOINT_KEYS,
};

static const struct reader_key endpoint_keys[N_ENDPOINT_KEYS] = {
	[ENDPOINT_KEY_ADDRESS] = {.name = "address", .read = read_address},
	[ENDPOINT_KEY_PORT] = {"port", value_number, READER_FIELD(struct endpoint_spec, port), 1,
		UINT16_MAX},
	[ENDPOINT_KEY_WEIGHT] = {"weight", value_number, READER_FIELD(struct endpoint_spec, weight),
		1, UINT32_MAX},
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

// A cluster as the file has it: with defaults for its endpoints.
struct cluster_entry {
	struct cluster_spec cluster;
	struct endpoint_spec *endpoints;
	const char *policy;
	const char *vrf;
};

static int read_endpoints(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct cluster_entry *entry = object;
	void *endpoints = NULL;
	int rc = reader_read_items(reader, setting, L7_MAX_ENDPOINTS, sizeof(*entry->endpoints),
		read_endpoint, NULL, &endpoints, &entry->cluster.n_endpoints);

	(void)key;
	entry->endpoints = endpoints;
	return rc;
}

static int read_lb_policy(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	static const char *const later[] = {
		"LEAST_REQUEST", "RING_HASH", "MAGLEV", "RANDOM", "CLUSTER_PROVIDED"};
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];

	(void)key;
	(void)object;
	if (text == NULL)
		return -EINVAL;
	if (strcmp(text, "ROUND_ROBIN") == 0)
		return 0;
	text_quote(text, quoted);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (strcmp(text, later[i]) == 0)
			return reader_refuse(
				reader, setting, "%s is not supported yet; ROUND_ROBIN is", quoted);
	return reader_refuse(
		reader, setting, "%s is not a known lb_policy; one of ROUND_ROBIN", quoted);
}

enum {
	CLUSTER_NAME,
	CLUSTER_LB_POLICY,
	CLUSTER_CONNECT_TIMEOUT,
	CLUSTER_POOL_TIMEOUT,
	CLUSTER_POLICY,
	CLUSTER_VRF,
	CLUSTER_ENDPOINTS,
	CLUSTER_HEALTH_CHECKS,
	CLUSTER_OUTLIER_DETECTION,
	CLUSTER_CIRCUIT_BREAKERS,
	N_CLUSTER_KEYS,
};

#define CLUSTER_FIELD(member) READER_FIELD(struct cluster_entry, member)

static const struct reader_key cluster_keys[N_CLUSTER_KEYS] = {
	[CLUSTER_NAME] = {"name", value_name, CLUSTER_FIELD(cluster.name)},
	[CLUSTER_LB_POLICY] = {.name = "lb_policy", .read = read_lb_policy},
	[CLUSTER_CONNECT_TIMEOUT] = {"connect_timeout_ms", value_number,
		CLUSTER_FIELD(cluster.connect_timeout_ms), 1, MAX_TIMEOUT_MS},
	[CLUSTER_POOL_TIMEOUT] = {"pool_timeout_ms", value_number,
		CLUSTER_FIELD(cluster.pool_timeout_ms), 1, MAX_TIMEOUT_MS},
	[CLUSTER_POLICY] = {"policy", value_name, CLUSTER_FIELD(policy)},
	[CLUSTER_VRF] = {"vrf", value_name, CLUSTER_FIELD(vrf)},
	[CLUSTER_ENDPOINTS] = {.name = "endpoints", .read = read_endpoints},
	[CLUSTER_HEALTH_CHECKS] = {.name = "health_checks", .read = reader_not_yet},
	[CLUSTER_OUTLIER_DETECTION] = {.name = "outlier_detection", .read = reader_not_yet},
	[CLUSTER_CIRCUIT_BREAKERS] = {.name = "circuit_breakers", .read = reader_not_yet},
};

static const struct reader_rule cluster_rules[] = {
	{.of = 1 << CLUSTER_NAME, .min = 1, .max = 1},
};

static const struct reader_group cluster_group = READER_GROUP(cluster_keys, cluster_rules);

static int read_cluster(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct cluster_entry entry = {
		.cluster = {.connect_timeout_ms = L7_DEFAULT_CONNECT_TIMEOUT_MS,
			.pool_timeout_ms = L7_DEFAULT_POOL_TIMEOUT_MS}};
	struct cluster_spec *cluster = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &cluster_group, &entry, &given);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < entry.cluster.n_endpoints; i++) {
		struct endpoint_spec *endpoint = &entry.endpoints[i];

		if (endpoint->policy == NULL)
			endpoint->policy = entry.policy;
		if (endpoint->vrf == NULL)
			endpoint->vrf = entry.vrf;
	}
	*cluster = entry.cluster;
	cluster->endpoints = entry.endpoints;
	return conf_l7_named(reader, setting, seen, cluster->name, &cluster->origin);
}

int conf_clusters_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_spec *spec = &((struct node_spec *)object)->l7;
	void *clusters = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->clusters),
		read_cluster, &seen, &clusters, &spec->n_clusters);

	(void)key;
	reader_forget(&seen);
	spec->clusters = clusters;
	return rc;
}
