// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/refers.h"

#include "ctrl/xds/store.h"
#include "ctrl/xds/wire.h"

enum {
	LISTENER_CHAINS = 3,
	LISTENER_DEFAULT_CHAIN = 25,
	CHAIN_FILTERS = 3,
	FILTER_CONFIG = 4,
	ANY_VALUE = 2,
	MANAGER_RDS = 3,
	RDS_NAME = 2,
	CLUSTER_NAME = 1,
	CLUSTER_DISCOVERY = 2,
	CLUSTER_EDS_CONFIG = 3,
	EDS_NAME = 2,
	DISCOVERY_EDS = 3,
};

static const char manager_type[] =
	"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

struct finder {
	refers_fn found_fn;
	void *arg;
	uint32_t n_found;
};

static void tell(struct finder *finder, enum xds_type type, const struct wire *name)
{
	if (name->n_bytes == 0 || name->n_bytes > STORE_MAX_NAME_LEN || !wire_is_text(name) ||
		finder->n_found == REFERS_MAX)
		return;
	finder->n_found++;
	finder->found_fn(finder->arg, type, (const char *)name->bytes, name->n_bytes);
}

static void look_into_filter(struct finder *finder, struct wire filter)
{
	struct wire config, manager, rds, name;

	if (wire_find(filter, FILTER_CONFIG, &config) == 0 &&
		wire_is_any_of(&config, manager_type) &&
		wire_find(config, ANY_VALUE, &manager) == 0 &&
		wire_find(manager, MANAGER_RDS, &rds) == 0 && wire_find(rds, RDS_NAME, &name) == 0)
		tell(finder, XDS_ROUTES, &name);
}

static void look_into_chain(struct finder *finder, struct wire chain)
{
	struct wire_field field;

	while (finder->n_found < REFERS_MAX && wire_next(&chain, &field) > 0)
		if (field.has_bytes && field.number == CHAIN_FILTERS)
			look_into_filter(finder, field.bytes);
}

static void look_into_listener(struct finder *finder, struct wire listener)
{
	struct wire_field field;

	while (finder->n_found < REFERS_MAX && wire_next(&listener, &field) > 0)
		if (field.has_bytes &&
			(field.number == LISTENER_CHAINS || field.number == LISTENER_DEFAULT_CHAIN))
			look_into_chain(finder, field.bytes);
}

// A cluster's endpoints have its own name unless they are given another.
static void look_into_cluster(struct finder *finder, struct wire cluster)
{
	struct wire_field field;
	struct wire name = {0}, config = {0}, eds_name;
	uint64_t discovery = 0;

	while (wire_next(&cluster, &field) > 0) {
		if (field.number == CLUSTER_DISCOVERY && !field.has_bytes)
			discovery = field.value;
		else if (field.number == CLUSTER_NAME && field.has_bytes)
			name = field.bytes;
		else if (field.number == CLUSTER_EDS_CONFIG && field.has_bytes)
			config = field.bytes;
	}
	if (discovery != DISCOVERY_EDS)
		return;
	if (wire_find(config, EDS_NAME, &eds_name) == 0 && eds_name.n_bytes > 0)
		name = eds_name;
	tell(finder, XDS_ENDPOINTS, &name);
}

void refers_find(
	enum xds_type type, const uint8_t *bytes, size_t n_bytes, refers_fn found_fn, void *arg)
{
	struct finder finder = {.found_fn = found_fn, .arg = arg};

	if (type == XDS_LISTENER)
		look_into_listener(&finder, (struct wire){bytes, n_bytes});
	else if (type == XDS_CLUSTER)
		look_into_cluster(&finder, (struct wire){bytes, n_bytes});
}
