// SPDX-License-Identifier: Apache-2.0

// Services as a file has them: what arrives in the specs, and every refusal word for word.

#include "tests/unit/conf_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void conf_l7_reference_listeners_arrive(void **state)
{
	static const uint8_t address6[16] = {0xfd, 0, 1, 0, [15] = 1};
	struct node_spec *spec = load_reference();
	const struct l7_spec *l7 = &spec->l7;
	const struct listener_spec *listener = l7->listeners[0];

	(void)state;
	assert_int_equal(l7->n_service_networks, 1);
	assert_string_equal(l7->service_networks[0].name, "shop");
	assert_int_equal(l7->service_networks[0].n_vrfs, 1);
	assert_string_equal(l7->service_networks[0].vrfs[0], "red");
	assert_int_equal(l7->n_listeners, 3);
	assert_string_equal(listener->name, "shop-http");
	assert_string_equal(listener->service_network, "shop");
	assert_int_equal(listener->n_addresses, 2);
	assert_int_equal(listener->addresses[0].family, 4);
	assert_memory_equal(listener->addresses[0].b, ((uint8_t[]){10, 100, 0, 1}), 4);
	assert_int_equal(listener->addresses[1].family, 6);
	assert_memory_equal(listener->addresses[1].b, address6, 2);
	assert_int_equal(listener->port, 80);
	assert_int_equal(listener->protocol, LISTENER_HTTP);
	assert_string_equal(listener->route_configuration, "shop-routes");
	assert_null(listener->routes);
	assert_int_equal(listener->headers, LISTENER_X_FORWARDED_FOR | LISTENER_X_FORWARDED_PROTO |
						    LISTENER_X_FORWARDED_PORT |
						    LISTENER_X_REQUEST_ID);
	listener = l7->listeners[1];
	assert_null(listener->route_configuration);
	assert_true(listener->routes->ignore_port_in_host);
	assert_string_equal(listener->routes->name, "pay");
	assert_int_equal(listener->routes->n_virtual_hosts, 1);
	listener = l7->listeners[2];
	assert_int_equal(listener->protocol, LISTENER_TCP);
	assert_int_equal(listener->idle_timeout_ms, 3600000);
	assert_int_equal(listener->n_clusters, 1);
	assert_string_equal(listener->clusters[0].cluster, "db");
	assert_int_equal(listener->clusters[0].weight, 1);
	assert_null(listener->routes);
	node_spec_release(spec);
}

// What the reference calls a default is one.
static void conf_l7_reference_values_are_the_defaults(void **state)
{
	struct node_spec *spec = load_reference();
	const struct listener_spec *given = spec->l7.listeners[0], *left = spec->l7.listeners[1];
	const struct cluster_spec *cart = spec->l7.clusters[0], *pay = spec->l7.clusters[1];

	(void)state;
	assert_int_equal(given->headers, left->headers);
	assert_int_equal(given->request_line_bytes, left->request_line_bytes);
	assert_int_equal(given->request_headers_bytes, left->request_headers_bytes);
	assert_int_equal(given->request_headers_timeout_ms, left->request_headers_timeout_ms);
	assert_int_equal(given->stream_idle_timeout_ms, left->stream_idle_timeout_ms);
	assert_int_equal(given->idle_timeout_ms, left->idle_timeout_ms);
	assert_int_equal(given->drain_timeout_ms, left->drain_timeout_ms);
	assert_int_equal(given->window_scale, left->window_scale);
	assert_int_equal(cart->connect_timeout_ms, pay->connect_timeout_ms);
	assert_int_equal(cart->pool_timeout_ms, pay->pool_timeout_ms);
	node_spec_release(spec);
}

static void conf_l7_reference_routes_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct route_configuration_spec *configuration = spec->l7.route_configurations[0];
	const struct virtual_host_spec *host = &configuration->virtual_hosts[0];
	const struct l7_route_spec *route = &host->routes[0];

	(void)state;
	assert_int_equal(spec->l7.n_route_configurations, 1);
	assert_string_equal(configuration->name, "shop-routes");
	assert_false(configuration->ignore_port_in_host);
	assert_string_equal(host->name, "cart");
	assert_int_equal(host->n_domains, 3);
	assert_string_equal(host->domains[1], "*.cart.local");
	assert_int_equal(host->n_routes, 3);
	assert_string_equal(route->name, "beta");
	assert_int_equal(route->path_type, PATH_PREFIX);
	assert_string_equal(route->path, "/v2/");
	assert_int_equal(route->n_headers, 7);
	assert_string_equal(route->headers[0].name, ":method");
	assert_int_equal(route->headers[0].type, HEADER_EXACT);
	assert_string_equal(route->headers[0].value, "GET");
	assert_int_equal(route->headers[1].type, HEADER_EXACT);
	assert_string_equal(route->headers[1].value, "blue");
	assert_int_equal(route->headers[2].type, HEADER_PREFIX);
	assert_string_equal(route->headers[2].value, "curl/");
	assert_true(route->headers[2].invert);
	assert_int_equal(route->headers[3].type, HEADER_PRESENT);
	assert_false(route->headers[3].invert);
	assert_int_equal(route->headers[4].type, HEADER_SUFFIX);
	assert_string_equal(route->headers[4].value, ".local");
	assert_true(route->headers[4].ignore_case);
	assert_int_equal(route->headers[5].type, HEADER_CONTAINS);
	assert_string_equal(route->headers[5].value, "beta");
	assert_true(route->headers[5].missing_as_empty);
	assert_false(route->headers[5].ignore_case);
	assert_int_equal(route->headers[6].type, HEADER_RANGE);
	assert_int_equal(route->headers[6].range_start, -10);
	assert_int_equal(route->headers[6].range_end, 100);
	assert_null(route->headers[6].value);
	assert_false(route->headers[6].missing_as_empty);
	assert_int_equal(route->action, ROUTE_ACTION_CLUSTER);
	assert_int_equal(route->n_clusters, 2);
	assert_string_equal(route->clusters[1].cluster, "pay");
	assert_int_equal(route->clusters[1].weight, 10);
	assert_int_equal(route->idle_timeout_ms, 5000);
	assert_string_equal(route->host_rewrite, "cart.internal");
	route = &host->routes[1];
	assert_null(route->name);
	assert_int_equal(route->path_type, PATH_EXACT);
	assert_string_equal(route->path, "/health");
	assert_int_equal(route->action, ROUTE_ACTION_DIRECT);
	assert_int_equal(route->status, 200);
	assert_string_equal(route->body, "fine\n");
	assert_null(route->host_rewrite);
	assert_int_equal(route->idle_timeout_ms, L7_TIMEOUT_OF_LISTENER);
	assert_int_equal(host->routes[2].timeout_ms, route[-1].timeout_ms);
	node_spec_release(spec);
}

static void conf_l7_reference_clusters_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct cluster_spec *cluster = spec->l7.clusters[0];

	(void)state;
	assert_int_equal(spec->l7.n_clusters, 3);
	assert_string_equal(cluster->name, "cart");
	assert_int_equal(cluster->localities[0].n_endpoints, 2);
	assert_int_equal(cluster->localities[0].endpoints[0].address.family, 4);
	assert_memory_equal(
		cluster->localities[0].endpoints[0].address.b, ((uint8_t[]){10, 2, 0, 10}), 4);
	assert_int_equal(cluster->localities[0].endpoints[0].port, 8080);
	assert_int_equal(cluster->localities[0].endpoints[0].weight, 3);
	// The cluster's, which stand behind its endpoints or before them.
	assert_string_equal(cluster->localities[0].endpoints[0].policy, "to-blue");
	assert_string_equal(cluster->localities[0].endpoints[0].vrf, "red");
	assert_int_equal(cluster->localities[0].endpoints[1].weight, 1);
	assert_string_equal(cluster->localities[0].endpoints[1].policy, "detour");
	assert_string_equal(cluster->localities[0].endpoints[1].vrf, "default");
	assert_null(spec->l7.clusters[1]->localities[0].endpoints[0].policy);
	assert_null(spec->l7.clusters[1]->localities[0].endpoints[0].vrf);
	node_spec_release(spec);
}

static void conf_l7_reference_localities_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct cluster_spec *cart = spec->l7.clusters[0], *pay = spec->l7.clusters[1];
	const struct locality_spec *locality = pay->localities;

	(void)state;
	assert_int_equal(cart->n_localities, 1);
	assert_int_equal(cart->localities[0].priority, 0);
	assert_string_equal(cart->localities[0].region, "");
	assert_int_equal(cart->localities[0].weight, 0);
	assert_ptr_equal(cart->localities[0].origin, cart->origin);
	assert_int_equal(cart->localities[0].endpoints[0].health, ENDPOINT_HEALTHY);
	assert_int_equal(cart->policy, CLUSTER_ROUND_ROBIN);
	assert_int_equal(cart->choice_count, 2);
	assert_true(cart->active_request_bias == 1);
	assert_int_equal(pay->policy, CLUSTER_LEAST_REQUEST);
	assert_int_equal(pay->choice_count, 3);
	assert_true(pay->active_request_bias == 0.5);
	assert_false(cart->locality_weighted);
	assert_true(pay->locality_weighted);
	assert_int_equal(pay->n_localities, 3);
	assert_string_equal(locality->region, "west");
	assert_string_equal(locality->zone, "west-1");
	assert_string_equal(locality->sub_zone, "a");
	assert_int_equal(locality->weight, 2);
	assert_int_equal(locality->n_endpoints, 2);
	assert_int_equal(locality->endpoints[1].health, ENDPOINT_DEGRADED);
	assert_int_equal(locality[1].priority, 0);
	assert_string_equal(locality[1].sub_zone, "");
	assert_int_equal(locality[2].priority, 1);
	assert_memory_equal(locality[2].endpoints[0].address.b, ((uint8_t[]){10, 0, 2, 80}), 4);
	assert_int_equal(cart->overprovisioning_percent, pay->overprovisioning_percent);
	assert_int_equal(cart->panic_percent, pay->panic_percent);
	node_spec_release(spec);
}

static void conf_l7_switches_clear_their_header(void **state)
{
	static const struct {
		const char *text;
		uint8_t headers;
	} cases[] = {
		{"x_forwarded_for = false;", 0xe},
		{"x_forwarded_proto = false;", 0xd},
		{"x_forwarded_port = false;", 0xb},
		{"x_request_id = false;", 0x7},
		{"request_id_in_response = true;", 0x1f},
		{"", 0xf},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct node_spec *spec;
		char text[512];

		snprintf(text, sizeof(text),
			"listeners = ( { name = \"l\"; service_network = \"n\"; addresses = [ "
			"\"10.0.0.1\" ]; port = 80; virtual_hosts = ( ); %s } );",
			cases[i].text);
		spec = load(text);
		assert_int_equal(spec->l7.listeners[0]->headers, cases[i].headers);
		node_spec_release(spec);
	}
}

static void conf_l7_origins_name_the_line(void **state)
{
	struct node_spec *spec =
		load("clusters = (\n{ name = \"c\"; endpoints = (\n{ address = "
		     "\"10.0.0.1\"; port = 1; }\n); }\n);\n"
		     "route_configurations = (\n{ name = \"r\"; virtual_hosts = (\n"
		     "{ name = \"h\"; domains = [ \"*\" ]; routes = (\n"
		     "{ prefix = \"/\"; headers = (\n{ name = \"a\"; exact = \"b\"; "
		     "}\n); cluster =\n\"c\"; }\n); }\n); }\n);");
	const struct virtual_host_spec *host = &spec->l7.route_configurations[0]->virtual_hosts[0];

	(void)state;
	assert_string_equal(spec->l7.clusters[0]->origin->source, "f");
	assert_int_equal(spec->l7.clusters[0]->origin->line, 2);
	assert_int_equal(spec->l7.clusters[0]->localities[0].endpoints[0].origin->line, 3);
	assert_int_equal(spec->l7.route_configurations[0]->origin->line, 7);
	assert_int_equal(host->origin->line, 8);
	assert_int_equal(host->routes[0].origin->line, 9);
	assert_int_equal(host->routes[0].headers[0].origin->line, 10);
	assert_int_equal(host->routes[0].clusters[0].origin->line, 11);
	node_spec_release(spec);
}

static void conf_l7_path_types_are_told_by_key(void **state)
{
	struct node_spec *spec =
		load("route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = \"h\"; "
		     "domains = [ \"*\" ]; routes = ( { path = \"/a\"; cluster = \"c\"; }, "
		     "{ prefix = \"/b\"; cluster = \"c\"; }, "
		     "{ path_separated_prefix = \"/c\"; cluster = \"c\"; } ); } ); } );");
	const struct l7_route_spec *routes =
		spec->l7.route_configurations[0]->virtual_hosts[0].routes;

	(void)state;
	assert_int_equal(routes[0].path_type, PATH_EXACT);
	assert_int_equal(routes[1].path_type, PATH_PREFIX);
	assert_int_equal(routes[2].path_type, PATH_SEPARATED_PREFIX);
	assert_string_equal(routes[2].path, "/c");
	node_spec_release(spec);
}

static const struct refused refused_listeners[] = {
	{"service_network = \"n\";", ": \"name\" is missing"},
	{"name = \"l\";", ": \"service_network\" is missing"},
	{"name = \"l\"; service_network = \"n\";", ": \"addresses\" is missing"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ];", ": \"port\" is missing"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 1;",
		": one of \"route_configuration\", \"virtual_hosts\", \"cluster\", "
		"\"weighted_clusters\" is missing"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 1; cluster = \"c\"; "
	 "virtual_hosts = ( );",
		": \"virtual_hosts\" and \"cluster\" exclude each other; keep one of them"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 1; "
	 "route_configuration = \"c\"; ignore_port_in_host = true;",
		": \"route_configuration\" and \"ignore_port_in_host\" exclude each other; keep "
		"one of them"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 1; cluster = \"c\";",
		".cluster: goes with protocol \"tcp\" only"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 1; cluster = \"c\"; "
	 "protocol = \"tcp\"; x_request_id = false;",
		".x_request_id: goes with protocol \"http\" only"},
	{"name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 1; protocol = \"tcp\"; "
	 "route_configuration = \"c\";",
		".route_configuration: goes with protocol \"http\" only"},
	{"addresses = [ \"10.0.0.1/24\" ];",
		".addresses[0]: \"10.0.0.1/24\" is not an IPv4 or IPv6 address"},
	{"port = 0;", ".port: 0 is out of range; 1 to 65535"},
	{"protocol = \"udp\";", ".protocol: \"udp\" is not a known protocol; one of http, tcp"},
	{"protocol = \"tls\";", ".protocol: \"tls\" is not supported yet; http and tcp are"},
	{"server_names = [ \"a\" ];", ".server_names: \"server_names\" is not supported yet"},
	{"tls = { };", ".tls: \"tls\" is not supported yet"},
	{"window_scale = 15;", ".window_scale: 15 is out of range; 0 to 14"},
	{"request_line_bytes = 100;", ".request_line_bytes: 100 is out of range; 1024 to 16384"},
	{"request_headers_bytes = 65536;",
		".request_headers_bytes: 65536 is out of range; 1024 to 40960"},
	{"weighted_clusters = ( );", ".weighted_clusters: at least one cluster is needed"},
	{"weighted_clusters = ( { cluster = \"a\"; } );",
		".weighted_clusters[0]: \"weight\" is missing"},
	{"weighted_clusters = ( { weight = 1; } );",
		".weighted_clusters[0]: \"cluster\" is missing"},
	{"path_with_escaped_slashes_action = \"redirect\";",
		".path_with_escaped_slashes_action: \"redirect\" is not a known "
		"path_with_escaped_slashes_action; one of keep_unchanged, reject_request, "
		"unescape_and_redirect, unescape_and_forward"},
	{"headers_with_underscores_action = \"drop\";",
		".headers_with_underscores_action: \"drop\" is not a known "
		"headers_with_underscores_action; one of allow, reject_request, drop_header"},
	{"idle_timeout = 1;", ".idle_timeout: unknown key; did you mean \"idle_timeout_ms\"?"},
};

static const struct refused refused_routes[] = {
	{"cluster = \"c\";", ": one of \"path\", \"prefix\", \"path_separated_prefix\" is missing"},
	{"path = \"/\"; prefix = \"/\"; cluster = \"c\";",
		": \"path\" and \"prefix\" exclude each other; keep one of them"},
	{"path = \"/\";", ": one of \"cluster\", \"weighted_clusters\", \"direct_response\" is "
			  "missing"},
	{"path = \"/\"; cluster = \"c\"; direct_response = { status = 200; };",
		": \"cluster\" and \"direct_response\" exclude each other; keep one of them"},
	{"path = \"/\"; direct_response = { status = 200; }; timeout_ms = 1;",
		": \"direct_response\" and \"timeout_ms\" exclude each other; keep one of them"},
	{"path = \"/\"; direct_response = { status = 200; }; host_rewrite = \"h\";",
		": \"direct_response\" and \"host_rewrite\" exclude each other; keep one of them"},
	{"direct_response = { };", ".direct_response: \"status\" is missing"},
	{"direct_response = { status = 199; };",
		".direct_response.status: 199 is out of range; 200 to 599"},
	{"headers = ( { exact = \"a\"; } );", ".headers[0]: \"name\" is missing"},
	{"headers = ( { name = \"a\"; } );",
		".headers[0]: one of \"exact\", \"prefix\", \"suffix\", \"contains\", \"range\", "
		"\"present\" is missing"},
	{"headers = ( { name = \"a\"; exact = \"b\"; present = true; } );",
		".headers[0]: \"exact\" and \"present\" exclude each other; keep one of them"},
	{"headers = ( { name = \"a\"; safe_regex = \"b\"; } );",
		".headers[0].safe_regex: \"safe_regex\" is not supported yet"},
	{"headers = ( { name = \"a\"; suffix = \"b\"; contains = \"b\"; } );",
		".headers[0]: \"suffix\" and \"contains\" exclude each other; keep one of them"},
	{"headers = ( { name = \"a\"; present = true; ignore_case = true; } );",
		".headers[0]: \"present\" and \"ignore_case\" exclude each other; keep one of "
		"them"},
	{"headers = ( { name = \"a\"; present = true; treat_missing_header_as_empty = true; } );",
		".headers[0]: \"present\" and \"treat_missing_header_as_empty\" exclude each "
		"other; "
		"keep one of them"},
	{"headers = ( { name = \"a\"; range = { start = 1; end = 2; }; ignore_case = true; } );",
		".headers[0]: \"range\" and \"ignore_case\" exclude each other; keep one of them"},
	{"headers = ( { name = \"a\"; range = { start = 1; }; } );",
		".headers[0].range: \"end\" is missing"},
	{"headers = ( { name = \"a\"; range = { start = 1; end = \"2\"; }; } );",
		".headers[0].range.end: must be an integer, not a string"},
	{"safe_regex = \"/.*\";", ".safe_regex: \"safe_regex\" is not supported yet"},
	{"query_parameters = ( );", ".query_parameters: \"query_parameters\" is not supported yet"},
	{"redirect = { };", ".redirect: \"redirect\" is not supported yet"},
	{"prefix_rewrite = \"/\";", ".prefix_rewrite: \"prefix_rewrite\" is not supported yet"},
	{"regex_rewrite = { };", ".regex_rewrite: \"regex_rewrite\" is not supported yet"},
	{"cluster_header = \"a\";", ".cluster_header: \"cluster_header\" is not supported yet"},
	{"zzz = 1;", ".zzz: unknown key; one of name, path, prefix, path_separated_prefix, method, "
		     "headers, "
		     "cluster, weighted_clusters, direct_response, timeout_ms, idle_timeout_ms, "
		     "host_rewrite"},
};

static const struct refused refused_clusters[] = {
	{"endpoints = ( );", ": \"name\" is missing"},
	{"name = \"c\"; lb_policy = \"MAGLEV\";",
		".lb_policy: \"MAGLEV\" is not supported yet; ROUND_ROBIN, LEAST_REQUEST and "
		"RANDOM are"},
	{"name = \"c\"; choice_count = 1;", ".choice_count: 1 is out of range; 2 to 4294967295"},
	{"name = \"c\"; active_request_bias = \"1\";",
		".active_request_bias: must be a number, not a string"},
	{"name = \"c\"; lb_policy = \"ROUND\";",
		".lb_policy: \"ROUND\" is not a known lb_policy; one of ROUND_ROBIN, "
		"LEAST_REQUEST, RANDOM"},
	{"health_checks = ( );", ".health_checks: \"health_checks\" is not supported yet"},
	{"connect_timeout_ms = 0;", ".connect_timeout_ms: 0 is out of range; 1 to 2147483647"},
	{"endpoints = ( { port = 1; } );", ".endpoints[0]: \"address\" is missing"},
	{"endpoints = ( { address = \"10.0.0.1\"; } );", ".endpoints[0]: \"port\" is missing"},
	{"endpoints = ( { address = \"web.local\"; port = 1; } );",
		".endpoints[0].address: \"web.local\" is not an IPv4 or IPv6 address"},
	{"endpoints = ( { weight = 0; } );",
		".endpoints[0].weight: 0 is out of range; 1 to 4294967295"},
	{"endpoints = ( { health = \"TIMEOUT\"; } );", ".endpoints[0].health: \"TIMEOUT\" is not a "
						       "known health; one of HEALTHY, DEGRADED, "
						       "UNHEALTHY"},
	{"name = \"c\"; endpoints = ( ); localities = ( );",
		": \"endpoints\" and \"localities\" exclude each other; keep one of them"},
	{"localities = ( { priority = 129; } );",
		".localities[0].priority: 129 is out of range; 0 to 128"},
	{"localities = ( { weight = 0; } );",
		".localities[0].weight: 0 is out of range; 1 to 4294967295"},
	{"localities = ( { endpoints = ( { port = 0; } ); } );",
		".localities[0].endpoints[0].port: 0 is out of range; 1 to 65535"},
	{"localities = ( { rack = \"a\"; } );", ".localities[0].rack: unknown key; one of region, "
						"zone, sub_zone, priority, weight, "
						"endpoints"},
	{"overprovisioning_factor = 0;",
		".overprovisioning_factor: 0 is out of range; 1 to 4294967295"},
	{"healthy_panic_threshold = 101;",
		".healthy_panic_threshold: 101 is out of range; 0 to 100"},
};

static void conf_l7_refusals_name_place_and_reason(void **state)
{
	(void)state;
	check_refusals(refused_listeners, N(refused_listeners), "listeners = (\n{ ", " }\n);",
		"f:2: listeners[0]");
	check_refusals(refused_routes, N(refused_routes),
		"route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = \"h\"; "
		"domains = [ \"*\" ]; routes = (\n{ ",
		" }\n); } ); } );", "f:2: route_configurations[0].virtual_hosts[0].routes[0]");
	check_refusals(refused_clusters, N(refused_clusters), "clusters = (\n{ ", " }\n);",
		"f:2: clusters[0]");
}

static void conf_l7_names_given_twice_are_refused(void **state)
{
	static const struct refused cases[] = {
		{"clusters = ( { name = \"c\"; },\n{ name = \"c\"; } );",
			"clusters[1].name: \"c\" is given twice, first at f:1; keep one"},
		{"service_networks = ( { name = \"n\"; vrfs = [ ]; },\n{ name = \"n\"; vrfs = [ ]; "
		 "} "
		 ");",
			"service_networks[1].name: \"n\" is given twice, first at f:1; keep one"},
		{"route_configurations = ( { name = \"r\"; },\n{ name = \"r\"; } );",
			"route_configurations[1].name: \"r\" is given twice, first at f:1; keep "
			"one"},
	};

	(void)state;
	check_refusals(cases, N(cases), "", "", "f:2: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_l7_reference_listeners_arrive),
		cmocka_unit_test(conf_l7_reference_values_are_the_defaults),
		cmocka_unit_test(conf_l7_reference_routes_arrive),
		cmocka_unit_test(conf_l7_reference_clusters_arrive),
		cmocka_unit_test(conf_l7_reference_localities_arrive),
		cmocka_unit_test(conf_l7_switches_clear_their_header),
		cmocka_unit_test(conf_l7_origins_name_the_line),
		cmocka_unit_test(conf_l7_path_types_are_told_by_key),
		cmocka_unit_test(conf_l7_refusals_name_place_and_reason),
		cmocka_unit_test(conf_l7_names_given_twice_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
