// SPDX-License-Identifier: Apache-2.0

// What resources refer to, from messages as a server packs them.

#include "tests/unit/guard_page.h"
#include "tests/unit/xds_fixture.h"

#include "ctrl/xds/refers.h"
#include "ctrl/xds/store.h"

#define MANAGER "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

// "endpoints a, endpoints b"
struct told {
	char text[1024];
	uint32_t n;
};

static void on_found(void *arg, enum xds_type type, const char *name, size_t len)
{
	struct told *told = arg;
	size_t n = strlen(told->text);

	snprintf(told->text + n, sizeof(told->text) - n, "%s%s %.*s", n == 0 ? "" : ", ",
		xds_type_word(type), (int)len, name);
	told->n++;
}

static void expect(enum xds_type type, const void *message, const char *text)
{
	static uint8_t bytes[65536];
	struct told told = {.text = ""};

	assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(bytes));
	refers_find(type, bytes, protobuf_c_message_pack(message, bytes), on_found, &told);
	assert_string_equal(told.text, text);
}

// A chain of filters, each an HTTP connection manager with its own routes unless it is told otherwise.
struct chain {
	Xds__Rds rds[2];
	Xds__HttpConnectionManager managers[2];
	Xds__Any configs[2];
	Xds__Filter filters[2], *filter_list[2];
	Xds__FilterChain chain;
};

static Xds__FilterChain *chain_init(struct chain *chain, const char *first, const char *second)
{
	const char *const names[2] = {first, second};

	chain->chain = (Xds__FilterChain)XDS__FILTER_CHAIN__INIT;
	chain->chain.filters = chain->filter_list;
	for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
		chain->rds[i] = (Xds__Rds)XDS__RDS__INIT;
		chain->rds[i].route_config_name = (char *)names[i];
		chain->managers[i] = (Xds__HttpConnectionManager)XDS__HTTP_CONNECTION_MANAGER__INIT;
		chain->managers[i].route_specifier_case =
			XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
		chain->managers[i].rds = &chain->rds[i];
		chain->configs[i] = fixture_any(MANAGER, &chain->managers[i]);
		chain->filters[i] = (Xds__Filter)XDS__FILTER__INIT;
		chain->filters[i].config_type_case = XDS__FILTER__CONFIG_TYPE_TYPED_CONFIG;
		chain->filters[i].typed_config = &chain->configs[i];
		chain->filter_list[i] = &chain->filters[i];
		chain->chain.n_filters = i + 1;
	}
	return &chain->chain;
}

static void refers_cluster_names_its_endpoints(void **state)
{
	Xds__Cluster cluster = XDS__CLUSTER__INIT;
	Xds__EdsClusterConfig config = XDS__EDS_CLUSTER_CONFIG__INIT;
	char long_name[STORE_MAX_NAME_LEN + 2] = {0};

	(void)state;
	cluster.name = (char *)"pay";
	expect(XDS_CLUSTER, &cluster, "");
	cluster.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
	cluster.type = XDS__CLUSTER__DISCOVERY__STRICT_DNS;
	expect(XDS_CLUSTER, &cluster, "");
	cluster.type = XDS__CLUSTER__DISCOVERY__EDS;
	expect(XDS_CLUSTER, &cluster, "endpoints pay");
	cluster.eds_cluster_config = &config;
	expect(XDS_CLUSTER, &cluster, "endpoints pay");
	config.service_name = (char *)"pay-eu";
	expect(XDS_CLUSTER, &cluster, "endpoints pay-eu");
	// What the store cannot have for a name is none.
	config.service_name = (char *)"pay\neu";
	expect(XDS_CLUSTER, &cluster, "");
	memset(long_name, 'x', sizeof(long_name) - 1);
	config.service_name = long_name;
	expect(XDS_CLUSTER, &cluster, "");
}

static void refers_listener_names_all_its_routes(void **state)
{
	struct chain chains[3];
	Xds__Listener listener = XDS__LISTENER__INIT;
	Xds__FilterChain *list[2] = {
		chain_init(&chains[0], "a", "b"), chain_init(&chains[1], "a", NULL)};

	(void)state;
	listener.name = (char *)"web";
	expect(XDS_LISTENER, &listener, "");
	listener.n_filter_chains = 2;
	listener.filter_chains = list;
	listener.default_filter_chain = chain_init(&chains[2], "c", NULL);
	expect(XDS_LISTENER, &listener,
		"route configuration a, route configuration b, route configuration a, route "
		"configuration c");
	// Filters of another type have no routes, whatever their bytes are.
	chains[0].configs[1].type_url = (char *)"type.googleapis.com/envoy.extensions.filters."
						"network.tcp_proxy.v3.TcpProxy";
	expect(XDS_LISTENER, &listener,
		"route configuration a, route configuration a, route configuration c");
	chains[0].managers[0].route_specifier_case =
		XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER__NOT_SET;
	chains[0].configs[0] = fixture_any(MANAGER, &chains[0].managers[0]);
	expect(XDS_LISTENER, &listener, "route configuration a, route configuration c");
}

static void refers_other_types_name_nothing(void **state)
{
	Xds__ClusterLoadAssignment assignment = XDS__CLUSTER_LOAD_ASSIGNMENT__INIT;
	Xds__RouteConfiguration routes = XDS__ROUTE_CONFIGURATION__INIT;

	(void)state;
	assignment.cluster_name = (char *)"pay";
	routes.name = (char *)"main";
	expect(XDS_ENDPOINTS, &assignment, "");
	expect(XDS_ROUTES, &routes, "");
}

static void refers_names_have_a_limit(void **state)
{
	static Xds__FilterChain *list[REFERS_MAX + 1];
	static uint8_t bytes[1 << 20];
	struct chain chain;
	Xds__Listener listener = XDS__LISTENER__INIT;
	struct told told = {.text = ""};

	(void)state;
	chain_init(&chain, "a", NULL);
	for (size_t i = 0; i < REFERS_MAX + 1; i++)
		list[i] = &chain.chain;
	listener.n_filter_chains = REFERS_MAX + 1;
	listener.filter_chains = list;
	assert_true(xds__listener__get_packed_size(&listener) <= sizeof(bytes));
	refers_find(XDS_LISTENER, bytes, xds__listener__pack(&listener, bytes), on_found, &told);
	assert_int_equal(told.n, REFERS_MAX);
}

// Every prefix, and every wrong bit.
static void refers_garbage_harms_nothing(void **state)
{
	struct guard_page page = guard_page_map();
	struct chain chain;
	Xds__Listener listener = XDS__LISTENER__INIT;
	Xds__FilterChain *list[1] = {chain_init(&chain, "a", "b")};
	struct told told = {.text = ""};
	uint8_t bytes[1024];
	size_t n_bytes;

	(void)state;
	listener.name = (char *)"web";
	listener.n_filter_chains = 1;
	listener.filter_chains = list;
	assert_true(xds__listener__get_packed_size(&listener) <= sizeof(bytes));
	n_bytes = xds__listener__pack(&listener, bytes);
	for (size_t len = 0; len <= n_bytes; len++) {
		refers_find(
			XDS_LISTENER, guard_page_place(&page, bytes, len), len, on_found, &told);
		refers_find(XDS_CLUSTER, guard_page_place(&page, bytes, len), len, on_found, &told);
	}
	assert_int_equal(told.n, 2);
	for (size_t bit = 0; bit < n_bytes * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refers_find(XDS_LISTENER, guard_page_place(&page, bytes, n_bytes), n_bytes,
			on_found, &told);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	guard_page_unmap(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refers_cluster_names_its_endpoints),
		cmocka_unit_test(refers_listener_names_all_its_routes),
		cmocka_unit_test(refers_other_types_name_nothing),
		cmocka_unit_test(refers_names_have_a_limit),
		cmocka_unit_test(refers_garbage_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
