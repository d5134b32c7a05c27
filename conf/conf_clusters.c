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

// A cluster as the file has it: with defaults for its endpoints.
struct cluster_entry {
	struct cluster_spec cluster;
	struct conf_localities localities;
	const char *policy;
	const char *vrf;
};

static int read_lb_policy(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	static const char *const known[] = {[CLUSTER_ROUND_ROBIN] = "ROUND_ROBIN",
		[CLUSTER_LEAST_REQUEST] = "LEAST_REQUEST",
		[CLUSTER_RANDOM] = "RANDOM"};
	static const char *const later[] = {"RING_HASH", "MAGLEV", "CLUSTER_PROVIDED"};
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];

	(void)key;
	if (text == NULL)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i]) == 0) {
			((struct cluster_entry *)object)->cluster.policy = (enum cluster_policy)i;
			return 0;
		}
	text_quote(text, quoted);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (strcmp(text, later[i]) == 0)
			return reader_refuse(reader, setting,
				"%s is not supported yet; ROUND_ROBIN, LEAST_REQUEST and RANDOM "
				"are",
				quoted);
	return reader_refuse(reader, setting,
		"%s is not a known lb_policy; one of ROUND_ROBIN, LEAST_REQUEST, RANDOM", quoted);
}

// With a fraction or without.
static int read_bias(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	double *bias = &((struct cluster_entry *)object)->cluster.active_request_bias;

	(void)key;
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_FLOAT:
		*bias = config_setting_get_float(setting);
		return 0;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		*bias = (double)config_setting_get_int64(setting);
		return 0;
	default:
		return reader_refuse_type(reader, setting, "a number");
	}
}

enum {
	CLUSTER_NAME,
	CLUSTER_LB_POLICY,
	CLUSTER_CHOICE_COUNT,
	CLUSTER_ACTIVE_REQUEST_BIAS,
	CLUSTER_CONNECT_TIMEOUT,
	CLUSTER_POOL_TIMEOUT,
	CLUSTER_POLICY,
	CLUSTER_VRF,
	CLUSTER_ENDPOINTS,
	CLUSTER_LOCALITIES,
	CLUSTER_LOCALITY_WEIGHTED,
	CLUSTER_OVERPROVISIONING_FACTOR,
	CLUSTER_PANIC_THRESHOLD,
	CLUSTER_HEALTH_CHECKS,
	CLUSTER_OUTLIER_DETECTION,
	CLUSTER_CIRCUIT_BREAKERS,
	N_CLUSTER_KEYS,
};

#define CLUSTER_FIELD(member) READER_FIELD(struct cluster_entry, member)

static const struct reader_key cluster_keys[N_CLUSTER_KEYS] = {
	[CLUSTER_NAME] = {"name", value_name, CLUSTER_FIELD(cluster.name)},
	[CLUSTER_LB_POLICY] = {.name = "lb_policy", .read = read_lb_policy},
	[CLUSTER_CHOICE_COUNT] = {"choice_count", value_number, CLUSTER_FIELD(cluster.choice_count),
		2, UINT32_MAX},
	[CLUSTER_ACTIVE_REQUEST_BIAS] = {.name = "active_request_bias", .read = read_bias},
	[CLUSTER_CONNECT_TIMEOUT] = {"connect_timeout_ms", value_number,
		CLUSTER_FIELD(cluster.connect_timeout_ms), 1, MAX_TIMEOUT_MS},
	[CLUSTER_POOL_TIMEOUT] = {"pool_timeout_ms", value_number,
		CLUSTER_FIELD(cluster.pool_timeout_ms), 1, MAX_TIMEOUT_MS},
	[CLUSTER_POLICY] = {"policy", value_name, CLUSTER_FIELD(policy)},
	[CLUSTER_VRF] = {"vrf", value_name, CLUSTER_FIELD(vrf)},
	[CLUSTER_ENDPOINTS] = {"endpoints", conf_localities_read_one, CLUSTER_FIELD(localities)},
	[CLUSTER_LOCALITIES] = {"localities", conf_localities_read, CLUSTER_FIELD(localities)},
	[CLUSTER_LOCALITY_WEIGHTED] = {"locality_weighted", value_bool,
		CLUSTER_FIELD(cluster.locality_weighted)},
	[CLUSTER_OVERPROVISIONING_FACTOR] = {"overprovisioning_factor", value_number,
		CLUSTER_FIELD(cluster.overprovisioning_percent), 1, UINT32_MAX},
	[CLUSTER_PANIC_THRESHOLD] = {"healthy_panic_threshold", value_number,
		CLUSTER_FIELD(cluster.panic_percent), 0, 100},
	[CLUSTER_HEALTH_CHECKS] = {.name = "health_checks", .read = reader_not_yet},
	[CLUSTER_OUTLIER_DETECTION] = {.name = "outlier_detection", .read = reader_not_yet},
	[CLUSTER_CIRCUIT_BREAKERS] = {.name = "circuit_breakers", .read = reader_not_yet},
};

static const struct reader_rule cluster_rules[] = {
	{.of = 1 << CLUSTER_NAME, .min = 1, .max = 1},
	{.of = 1 << CLUSTER_ENDPOINTS | 1 << CLUSTER_LOCALITIES, .min = 0, .max = 1},
};

static const struct reader_group cluster_group = READER_GROUP(cluster_keys, cluster_rules);

// Endpoints get the cluster's policy and VRF where they have none of their own.
static int place_localities(struct reader *reader, const struct cluster_entry *entry,
	const struct spec_origin *origin, struct cluster_spec *cluster)
{
	uint32_t n = entry->localities.n_localities;
	struct locality_spec *localities =
		arena_alloc(reader->arena, (n + 1) * sizeof(*localities));

	if (localities == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct conf_locality *locality = &entry->localities.localities[i];

		for (uint32_t k = 0; k < locality->spec.n_endpoints; k++) {
			struct endpoint_spec *endpoint = &locality->endpoints[k];

			if (endpoint->policy == NULL)
				endpoint->policy = entry->policy;
			if (endpoint->vrf == NULL)
				endpoint->vrf = entry->vrf;
		}
		localities[i] = locality->spec;
		localities[i].endpoints = locality->endpoints;
		if (localities[i].origin == NULL)
			localities[i].origin = origin;
	}
	cluster->n_localities = n;
	cluster->localities = localities;
	return 0;
}

static int read_cluster(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct cluster_entry entry = {
		.cluster = {.connect_timeout_ms = L7_DEFAULT_CONNECT_TIMEOUT_MS,
			.pool_timeout_ms = L7_DEFAULT_POOL_TIMEOUT_MS,
			.choice_count = L7_DEFAULT_CHOICE_COUNT,
			.active_request_bias = 1,
			.overprovisioning_percent = L7_DEFAULT_OVERPROVISIONING_PERCENT,
			.panic_percent = L7_DEFAULT_PANIC_PERCENT}};
	struct cluster_spec *cluster = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &cluster_group, &entry, &given);

	if (rc < 0)
		return rc;
	*cluster = entry.cluster;
	rc = conf_l7_named(reader, setting, seen, cluster->name, &cluster->origin);
	return rc < 0 ? rc : place_localities(reader, &entry, cluster->origin, cluster);
}

int conf_clusters_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_spec *spec = &((struct node_spec *)object)->l7;
	void *clusters = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(**spec->clusters),
		read_cluster, &seen, &clusters, &spec->n_clusters);

	(void)key;
	reader_forget(&seen);
	if (rc < 0)
		return rc;
	spec->clusters =
		conf_l7_pointers(reader, clusters, spec->n_clusters, sizeof(**spec->clusters));
	return spec->clusters == NULL ? -ENOMEM : 0;
}
