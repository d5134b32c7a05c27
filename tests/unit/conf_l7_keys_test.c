// SPDX-License-Identifier: Apache-2.0

// Keys of services that the reference has at their defaults: that another value arrives. And what is refused for being
// too many, missing, or not supported.

#include "tests/unit/conf_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define LISTENER(more)                                                                             \
	"listeners = ( { name = \"l\"; service_network = \"n\"; addresses = [ \"10.9.0.1\" ]; "    \
	"port = 80; " more " } );"
#define OWN(hosts) LISTENER("virtual_hosts = ( " hosts " );")
#define HOST(routes) "{ name = \"h\"; domains = [ \"*\" ]; routes = ( " routes " ); }"
#define LISTENER_OF_SHARES                                                                         \
	"listeners = ( { name = \"l\"; service_network = \"n\"; addresses = [ \"10.9.0.1\" ]; "    \
	"port = 1; protocol = "                                                                    \
	"\"tcp\"; weighted_clusters = ( "
#define TO_C "prefix = \"/\"; cluster = \"c\";"

static void conf_l7_listener_values_arrive(void **state)
{
	struct node_spec *spec = load(LISTENER(
		"virtual_hosts = ( ); ignore_port_in_host = true; request_line_bytes = 1024; "
		"request_headers_bytes = 40960; request_headers_timeout_ms = 1; "
		"stream_idle_timeout_ms = 2; idle_timeout_ms = 3; drain_timeout_ms = 4; "
		"window_scale = 14;"));
	const struct listener_spec *listener = spec->l7.listeners[0];

	(void)state;
	assert_true(listener->routes->ignore_port_in_host);
	assert_int_equal(listener->request_line_bytes, 1024);
	assert_int_equal(listener->request_headers_bytes, 40960);
	assert_int_equal(listener->request_headers_timeout_ms, 1);
	assert_int_equal(listener->stream_idle_timeout_ms, 2);
	assert_int_equal(listener->idle_timeout_ms, 3);
	assert_int_equal(listener->drain_timeout_ms, 4);
	assert_int_equal(listener->window_scale, 14);
	node_spec_release(spec);
}

static void conf_l7_listener_rules_arrive(void **state)
{
	static const struct {
		const char *key;
		uint8_t rules;
	} CASES[] = {{"", 0}, {"normalize_path = true;", HTTP1_RULE_NORMALIZE_PATH},
		{"merge_slashes = true;", HTTP1_RULE_MERGE_SLASHES},
		{"path_with_escaped_slashes_action = \"keep_unchanged\";", 0},
		{"path_with_escaped_slashes_action = \"reject_request\";",
			HTTP1_RULE_REJECT_ESCAPED_SLASHES},
		{"path_with_escaped_slashes_action = \"unescape_and_redirect\";",
			HTTP1_RULE_REDIRECT_ESCAPED_SLASHES},
		{"path_with_escaped_slashes_action = \"unescape_and_forward\";",
			HTTP1_RULE_UNESCAPE_SLASHES},
		{"headers_with_underscores_action = \"allow\";", 0},
		{"headers_with_underscores_action = \"reject_request\";",
			HTTP1_RULE_REJECT_UNDERSCORES},
		{"headers_with_underscores_action = \"drop_header\";",
			HTTP1_RULE_DROP_UNDERSCORES}};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		char text[512];
		struct node_spec *spec;

		snprintf(text, sizeof(text), LISTENER("virtual_hosts = ( ); %s"), CASES[i].key);
		spec = load(text);
		assert_int_equal(spec->l7.listeners[0]->rules, CASES[i].rules);
		node_spec_release(spec);
	}
}

static void conf_l7_tcp_listener_values_arrive(void **state)
{
	struct node_spec *spec =
		load(LISTENER("protocol = \"tcp\"; cluster = \"c\"; idle_timeout_ms = 0; "
			      "drain_timeout_ms = 2147483647; window_scale = 0;"));
	const struct listener_spec *listener = spec->l7.listeners[0];

	(void)state;
	assert_int_equal(listener->protocol, LISTENER_TCP);
	assert_int_equal(listener->idle_timeout_ms, 0);
	assert_int_equal(listener->drain_timeout_ms, INT32_MAX);
	assert_int_equal(listener->window_scale, 0);
	node_spec_release(spec);
}

static void conf_l7_cluster_values_arrive(void **state)
{
	struct node_spec *spec =
		load("clusters = ( { name = \"c\"; connect_timeout_ms = 1; pool_timeout_ms = 2; "
		     "locality_weighted = true; overprovisioning_factor = 4294967295L; "
		     "healthy_panic_threshold = 0; } );");
	const struct cluster_spec *cluster = spec->l7.clusters[0];

	(void)state;
	assert_int_equal(cluster->connect_timeout_ms, 1);
	assert_int_equal(cluster->pool_timeout_ms, 2);
	assert_true(cluster->locality_weighted);
	assert_int_equal(cluster->overprovisioning_percent, UINT32_MAX);
	assert_int_equal(cluster->panic_percent, 0);
	node_spec_release(spec);
}

static void conf_l7_route_values_arrive(void **state)
{
	struct node_spec *spec =
		load("route_configurations = ( { name = \"r\"; ignore_port_in_host = true; "
		     "virtual_hosts = ( " HOST("{ name = \"first\"; timeout_ms = 1; "
					       "idle_timeout_ms = 2; headers = ( { name = \"a\"; "
					       "present = true; } ); " TO_C " }") " ); } );");
	const struct route_configuration_spec *configuration = spec->l7.route_configurations[0];
	const struct l7_route_spec *route = &configuration->virtual_hosts[0].routes[0];

	(void)state;
	assert_true(configuration->ignore_port_in_host);
	assert_string_equal(route->name, "first");
	assert_int_equal(route->timeout_ms, 1);
	assert_int_equal(route->idle_timeout_ms, 2);
	assert_int_equal(route->n_headers, 1);
	assert_int_equal(route->headers[0].type, HEADER_PRESENT);
	assert_string_equal(route->headers[0].name, "a");
	node_spec_release(spec);
}

static void conf_l7_missing_keys_are_told(void **state)
{
	(void)state;
	check_refusal(OWN("{ domains = [ \"*\" ]; }"),
		"f:1: listeners[0].virtual_hosts[0]: \"name\" is missing");
	check_refusal(OWN("{ name = \"h\"; }"),
		"f:1: listeners[0].virtual_hosts[0]: \"domains\" is missing");
	check_refusal("route_configurations = ( { virtual_hosts = ( ); } );",
		"f:1: route_configurations[0]: \"name\" is missing");
	check_refusal("service_networks = ( { vrfs = [ \"red\" ]; } );",
		"f:1: service_networks[0]: \"name\" is missing");
	check_refusal("service_networks = ( { name = \"n\"; } );",
		"f:1: service_networks[0]: \"vrfs\" is missing");
}

static void conf_l7_what_is_not_supported_is_refused_by_name(void **state)
{
	(void)state;
	check_refusal("clusters = ( { name = \"c\"; outlier_detection = { }; } );",
		"f:1: clusters[0].outlier_detection: \"outlier_detection\" is not supported yet");
	check_refusal("clusters = ( { name = \"c\"; circuit_breakers = { }; } );",
		"f:1: clusters[0].circuit_breakers: \"circuit_breakers\" is not supported yet");
	check_refusal(OWN("{ name = \"h\"; domains = [ \"*\" ]; require_tls = true; }"),
		"f:1: listeners[0].virtual_hosts[0].require_tls: \"require_tls\" is not supported "
		"yet");
}

// What is between before and after, with n items: open, the item's number, close. refusal: NULL: none.
struct many {
	const char *before;
	const char *open;
	const char *close;
	const char *after;
	unsigned int n;
	const char *refusal;
};

static void check_many(const struct many *many)
{
	size_t item_bytes = strlen(many->open) + strlen(many->close) + 10;
	size_t n_bytes = strlen(many->before) + many->n * item_bytes + strlen(many->after) + 1;
	char *text = malloc(n_bytes), *at = stpcpy(text, many->before);

	for (unsigned int i = 0; i < many->n; i++)
		at += sprintf(at, "%s%u%s", many->open, i, many->close);
	strcpy(at, many->after);
	if (many->refusal == NULL)
		node_spec_release(load(text));
	else
		check_refusal(text, many->refusal);
	free(text);
}

static void conf_l7_lists_have_bounds(void **state)
{
	static const struct many cases[] = {
		{"listeners = ( { name = \"l\"; service_network = \"n\"; port = 1; virtual_hosts = "
		 "( ); "
		 "addresses = ( ",
			"\"10.9.0.", "\", ", "\"10.8.0.1\" ); } );", 63, NULL},
		{"listeners = ( { name = \"l\"; service_network = \"n\"; port = 1; virtual_hosts = "
		 "( ); "
		 "addresses = ( ",
			"\"10.9.0.", "\", ", "\"10.8.0.1\" ); } );", 64,
			"f:1: listeners[0].addresses: 65 entries; at most 64"},
		{"route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = \"h\"; "
		 "domains = [ "
		 "\"*\" ]; routes = ( { " TO_C " headers = ( ",
			"{ name = \"h", "\"; exact = \"x\"; }, ",
			"{ name = \"z\"; exact = \"x\"; } ); } ); } ); } );", 63, NULL},
		{"route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = \"h\"; "
		 "domains = [ "
		 "\"*\" ]; routes = ( { " TO_C " headers = ( ",
			"{ name = \"h", "\"; exact = \"x\"; }, ",
			"{ name = \"z\"; exact = \"x\"; } ); } ); } ); } );", 64,
			"f:1: route_configurations[0].virtual_hosts[0].routes[0].headers: 65 "
			"entries; at most 64"},
		{"route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = \"h\"; "
		 "domains = ( ",
			"\"d", "\", ", "\"*\" ); } ); } );", 65535, NULL},
		{"route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = \"h\"; "
		 "domains = ( ",
			"\"d", "\", ", "\"*\" ); } ); } );", 65536,
			"f:1: route_configurations[0].virtual_hosts[0].domains: 65537 entries; at "
			"most 65536"},
		{LISTENER_OF_SHARES, "{ cluster = \"c", "\"; weight = 1; }, ",
			"{ cluster = \"z\"; weight = 1; } ); } );", 1023, NULL},
		{LISTENER_OF_SHARES, "{ cluster = \"c", "\"; weight = 1; }, ",
			"{ cluster = \"z\"; weight = 1; } ); } );", 1024,
			"f:1: listeners[0].weighted_clusters: 1025 entries; at most 1024"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		check_many(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_l7_listener_values_arrive),
		cmocka_unit_test(conf_l7_listener_rules_arrive),
		cmocka_unit_test(conf_l7_tcp_listener_values_arrive),
		cmocka_unit_test(conf_l7_cluster_values_arrive),
		cmocka_unit_test(conf_l7_route_values_arrive),
		cmocka_unit_test(conf_l7_missing_keys_are_told),
		cmocka_unit_test(conf_l7_what_is_not_supported_is_refused_by_name),
		cmocka_unit_test(conf_l7_lists_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
