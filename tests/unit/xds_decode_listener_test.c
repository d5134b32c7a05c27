// SPDX-License-Identifier: Apache-2.0

// Listeners: addresses, networks, chains, and what their filters say.

#include "tests/unit/xds_listener_rig.h"

#include <errno.h>

static void xds_decode_listener_http_has_defaults(void **state)
{
	const struct xds_listener *listener;
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	resource = rig_accept_http(&p);
	listener = resource->listener;
	assert_string_equal(resource->name, "web");
	assert_string_equal(listener->spec.name, "web");
	assert_string_equal(listener->spec.service_network, "mesh");
	assert_null(listener->network);
	assert_int_equal(listener->spec.n_addresses, 1);
	assert_int_equal(listener->spec.addresses[0].b[3], 9);
	assert_int_equal(listener->spec.port, 80);
	assert_int_equal(listener->spec.protocol, LISTENER_HTTP);
	assert_string_equal(listener->spec.route_configuration, "main");
	assert_null(listener->spec.routes);
	assert_int_equal(listener->fetch_timeout_ms, 15000);
	assert_int_equal(
		listener->spec.headers, LISTENER_X_FORWARDED_PROTO | LISTENER_X_REQUEST_ID);
	assert_int_equal(listener->spec.idle_timeout_ms, 3600000);
	assert_int_equal(listener->spec.stream_idle_timeout_ms, 300000);
	assert_int_equal(listener->spec.request_headers_timeout_ms, 300000);
	assert_int_equal(listener->spec.request_headers_bytes, 40960);
	assert_int_equal(listener->spec.request_line_bytes, 16384);
	assert_int_equal(listener->spec.window_scale, L7_DEFAULT_WINDOW_SCALE);
	xds_resource_release(resource);
}

static void xds_decode_listener_http_settings_are_read(void **state)
{
	Xds__BoolValue yes = XDS__BOOL_VALUE__INIT, no = XDS__BOOL_VALUE__INIT;
	Xds__HttpProtocolOptions options = XDS__HTTP_PROTOCOL_OPTIONS__INIT;
	Xds__Duration idle = XDS__DURATION__INIT, none = XDS__DURATION__INIT;
	Xds__UInt32Value kb = XDS__UINT32_VALUE__INIT;
	const struct listener_spec *spec;
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	yes.value = 1;
	kb.value = 8;
	idle.seconds = 30;
	options.idle_timeout = &idle;
	p.manager.use_remote_address = &yes;
	p.manager.append_x_forwarded_port = 1;
	p.manager.generate_request_id = &no;
	p.manager.always_set_request_id_in_response = 1;
	p.manager.max_request_headers_kb = &kb;
	p.manager.stream_idle_timeout = &none;
	p.manager.request_headers_timeout = &idle;
	p.manager.common_http_protocol_options = &options;
	resource = rig_accept_http(&p);
	spec = &resource->listener->spec;
	assert_int_equal(spec->headers, LISTENER_X_FORWARDED_FOR | LISTENER_X_FORWARDED_PROTO |
						LISTENER_X_FORWARDED_PORT |
						LISTENER_RESPONSE_REQUEST_ID);
	assert_int_equal(spec->request_headers_bytes, 8192);
	assert_int_equal(spec->request_line_bytes, 8192);
	assert_int_equal(spec->stream_idle_timeout_ms, 0);
	assert_int_equal(spec->request_headers_timeout_ms, 30000);
	assert_int_equal(spec->idle_timeout_ms, 30000);
	xds_resource_release(resource);
	p.manager.skip_xff_append = 1;
	resource = rig_accept_http(&p);
	assert_false(resource->listener->spec.headers & LISTENER_X_FORWARDED_FOR);
	xds_resource_release(resource);
	kb.value = 0;
	rig_refuse_http(&p, CONFIG ".max_request_headers_kb: 0 is out of range; 1 or more");
}

static void expect_rules(struct listener_parts *p, uint8_t rules)
{
	struct xds_resource *resource = rig_accept_http(p);

	assert_int_equal(resource->listener->spec.rules, rules);
	xds_resource_release(resource);
}

// Numbers as in Envoy's HttpConnectionManager and HttpProtocolOptions.
static void xds_decode_listener_rules_of_heads_are_read(void **state)
{
	static const uint8_t slashes[] = {0, 0, HTTP1_RULE_REJECT_ESCAPED_SLASHES,
		HTTP1_RULE_REDIRECT_ESCAPED_SLASHES, HTTP1_RULE_UNESCAPE_SLASHES};
	static const uint8_t underscores[] = {
		0, HTTP1_RULE_REJECT_UNDERSCORES, HTTP1_RULE_DROP_UNDERSCORES};
	Xds__HttpProtocolOptions options = XDS__HTTP_PROTOCOL_OPTIONS__INIT;
	Xds__BoolValue flag = XDS__BOOL_VALUE__INIT;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	expect_rules(&p, 0);
	p.manager.normalize_path = &flag;
	expect_rules(&p, 0);
	flag.value = 1;
	expect_rules(&p, HTTP1_RULE_NORMALIZE_PATH);
	p.manager.merge_slashes = 1;
	expect_rules(&p, HTTP1_RULE_NORMALIZE_PATH | HTTP1_RULE_MERGE_SLASHES);
	rig_listener_init(&p);
	for (int i = 0; i < 5; i++) {
		p.manager.path_with_escaped_slashes_action = i;
		expect_rules(&p, slashes[i]);
	}
	rig_listener_init(&p);
	p.manager.common_http_protocol_options = &options;
	for (int i = 0; i < 3; i++) {
		options.headers_with_underscores_action = i;
		expect_rules(&p, underscores[i]);
	}
}

static void xds_decode_listener_addresses_are_mapped(void **state)
{
	struct fixture_address more = {0};
	Xds__AdditionalAddress extra = XDS__ADDITIONAL_ADDRESS__INIT, *extras[] = {&extra};
	const struct listener_spec *spec;
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.address.socket.address = (char *)"0.0.0.0";
	resource = rig_accept_http(&p);
	spec = &resource->listener->spec;
	assert_int_equal(spec->n_addresses, 2);
	assert_memory_equal(spec->addresses, fixture_virtual, sizeof(fixture_virtual));
	assert_int_equal(spec->port, 80);
	xds_resource_release(resource);
	// By port, to another port; and not by another port.
	p.address.socket.address = (char *)"127.0.0.1";
	p.address.socket.port_value = 81;
	resource = rig_accept_http(&p);
	assert_int_equal(resource->listener->spec.port, 8081);
	assert_int_equal(resource->listener->spec.addresses[0].b[0], 10);
	xds_resource_release(resource);
	p.address.socket.port_value = 82;
	resource = rig_accept_http(&p);
	assert_int_equal(resource->listener->spec.addresses[0].b[0], 127);
	xds_resource_release(resource);
	extra.address = fixture_address_init(&more, "10.9.0.10", 82);
	p.message.n_additional_addresses = 1;
	p.message.additional_addresses = extras;
	resource = rig_accept_http(&p);
	assert_int_equal(resource->listener->spec.n_addresses, 2);
	assert_int_equal(resource->listener->spec.addresses[1].b[3], 10);
	xds_resource_release(resource);
	more.socket.port_value = 83;
	rig_refuse_http(&p,
		"listener web: additional_addresses[0].address: port 83; all addresses of "
		"a listener have one, 82");
	p.message.address = NULL;
	rig_refuse_http(&p, "listener web: address.socket_address: is missing");
}

static void xds_decode_listener_metadata_names_networks(void **state)
{
	static const char *const vrfs[] = {"red", "blue"};
	struct fixture_metadata metadata = {0};
	const struct xds_listener *listener;
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "service_network", "shops");
	resource = rig_accept_http(&p);
	assert_string_equal(resource->listener->spec.service_network, "shops");
	xds_resource_release(resource);
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "vrfs", vrfs, 2);
	resource = rig_accept_http(&p);
	listener = resource->listener;
	assert_string_equal(listener->spec.service_network, "listener web");
	assert_string_equal(listener->network->name, "listener web");
	assert_int_equal(listener->network->n_vrfs, 2);
	assert_string_equal(listener->network->vrfs[1], "blue");
	xds_resource_release(resource);
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "vrfs", vrfs, 0);
	rig_refuse_http(&p,
		"listener web: metadata.filter_metadata[pergola.srv6].vrfs: at least one "
		"VRF is needed");
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "service_network", "shops");
	fixture_metadata_list(&metadata, "vrfs", vrfs, 2);
	rig_refuse_http(&p,
		"listener web: metadata.filter_metadata[pergola.srv6]: \"service_network\" "
		"and \"vrfs\" exclude each other; keep one of them");
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "a");
	rig_refuse_http(&p,
		"listener web: metadata.filter_metadata[pergola.srv6]: \"policy\": unknown "
		"key; one of service_network, vrfs");
}

static void xds_decode_listener_without_any_network_is_refused(void **state)
{
	static const struct xds_spec none = {0};
	struct xds_resource *resource = NULL;
	struct refusal refusal = {.text = ""};
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.any = fixture_any(HTTP_TYPE, &p.manager);
	assert_int_equal(
		fixture_decode(XDS_LISTENER, &p.message, &none, &resource, &refusal), -EINVAL);
	assert_string_equal(refusal.text,
		"listener web: metadata.filter_metadata[pergola.srv6]: one of \"service_network\", "
		"\"vrfs\" is missing, and the file has no default");
}

static void xds_decode_listener_own_routes_are_read(void **state)
{
	Xds__RouteConfiguration routes = XDS__ROUTE_CONFIGURATION__INIT;
	Xds__VirtualHost host = XDS__VIRTUAL_HOST__INIT, *hosts[] = {&host};
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	routes.name = (char *)"local";
	routes.n_virtual_hosts = 1;
	routes.virtual_hosts = hosts;
	host.name = (char *)"all";
	p.manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_ROUTE_CONFIG;
	p.manager.route_config = &routes;
	resource = rig_accept_http(&p);
	assert_null(resource->listener->spec.route_configuration);
	assert_string_equal(resource->listener->spec.routes->name, "web");
	assert_string_equal(resource->listener->spec.routes->virtual_hosts[0].name, "all");
	xds_resource_release(resource);
	routes.vhost_header = (char *)"x-host";
	rig_refuse_http(&p, CONFIG ".route_config.vhost_header: is not supported yet");
	routes.vhost_header = (char *)"";
	host.name = (char *)"";
	rig_refuse_http(&p, CONFIG ".route_config.virtual_hosts[0].name: must not be empty");
	p.manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER__NOT_SET;
	rig_refuse_http(&p, CONFIG ": one of \"rds\", \"route_config\" is missing");
	p.manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
	p.rds.route_config_name = (char *)"";
	p.manager.rds = &p.rds;
	rig_refuse_http(&p, CONFIG ".rds.route_config_name: must not be empty");
}

static void xds_decode_listener_tcp_is_read(void **state)
{
	Xds__TcpWeightedCluster weighted = XDS__TCP_WEIGHTED_CLUSTER__INIT;
	Xds__TcpClusterWeight share = XDS__TCP_CLUSTER_WEIGHT__INIT, *shares[] = {&share};
	Xds__Duration idle = XDS__DURATION__INIT;
	const struct listener_spec *spec;
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.any = fixture_any(TCP_TYPE, &p.tcp);
	resource = fixture_accept(XDS_LISTENER, &p.message);
	spec = &resource->listener->spec;
	assert_int_equal(spec->protocol, LISTENER_TCP);
	assert_int_equal(spec->n_clusters, 1);
	assert_string_equal(spec->clusters[0].cluster, "db");
	assert_int_equal(spec->clusters[0].weight, 1);
	assert_int_equal(spec->idle_timeout_ms, 3600000);
	xds_resource_release(resource);
	idle.seconds = 9;
	p.tcp.idle_timeout = &idle;
	p.tcp.cluster_specifier_case = XDS__TCP_PROXY__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	p.tcp.weighted_clusters = &weighted;
	weighted.n_clusters = 1;
	weighted.clusters = shares;
	share.name = (char *)"db2";
	share.weight = 5;
	p.any = fixture_any(TCP_TYPE, &p.tcp);
	resource = fixture_accept(XDS_LISTENER, &p.message);
	spec = &resource->listener->spec;
	assert_int_equal(spec->idle_timeout_ms, 9000);
	assert_string_equal(spec->clusters[0].cluster, "db2");
	assert_int_equal(spec->clusters[0].weight, 5);
	xds_resource_release(resource);
	share.weight = 0;
	p.any = fixture_any(TCP_TYPE, &p.tcp);
	fixture_refuse(XDS_LISTENER, &p.message,
		CONFIG ".weighted_clusters.clusters[0].weight: 0 is out of range; 1 or more");
	p.tcp.cluster_specifier_case = XDS__TCP_PROXY__CLUSTER_SPECIFIER__NOT_SET;
	p.any = fixture_any(TCP_TYPE, &p.tcp);
	fixture_refuse(XDS_LISTENER, &p.message,
		CONFIG ": one of \"cluster\", \"weighted_clusters\" is missing");
}

static void xds_decode_listener_chains_are_one(void **state)
{
	Xds__FilterChainMatch match = XDS__FILTER_CHAIN_MATCH__INIT;
	Xds__UInt32Value port = XDS__UINT32_VALUE__INIT;
	char *names[] = {(char *)"a.example"};
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.message.n_filter_chains = 2;
	rig_refuse_http(&p,
		"listener web: filter_chains: 2 with the default one; more than one is not "
		"supported yet");
	p.message.n_filter_chains = 0;
	rig_refuse_http(&p, "listener web: one of \"filter_chains\", \"default_filter_chain\" is "
			    "missing");
	p.message.default_filter_chain = &p.chain;
	resource = rig_accept_http(&p);
	assert_string_equal(resource->listener->spec.route_configuration, "main");
	xds_resource_release(resource);
	p.chain.filter_chain_match = &match;
	match.transport_protocol = (char *)"raw_buffer";
	port.value = 80;
	match.destination_port = &port;
	xds_resource_release(rig_accept_http(&p));
	port.value = 81;
	rig_refuse_http(&p,
		"listener web: default_filter_chain.filter_chain_match.destination_port: "
		"81 is not the listener's; 80 is");
	match.transport_protocol = (char *)"tls";
	rig_refuse_http(&p,
		"listener web: default_filter_chain.filter_chain_match.transport_protocol: "
		"\"tls\" is not supported yet; \"raw_buffer\" is");
	match.n_server_names = 1;
	match.server_names = names;
	rig_refuse_http(&p,
		"listener web: default_filter_chain.filter_chain_match.server_names[0]: is "
		"not supported yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_listener_http_has_defaults),
		cmocka_unit_test(xds_decode_listener_http_settings_are_read),
		cmocka_unit_test(xds_decode_listener_rules_of_heads_are_read),
		cmocka_unit_test(xds_decode_listener_addresses_are_mapped),
		cmocka_unit_test(xds_decode_listener_metadata_names_networks),
		cmocka_unit_test(xds_decode_listener_without_any_network_is_refused),
		cmocka_unit_test(xds_decode_listener_own_routes_are_read),
		cmocka_unit_test(xds_decode_listener_tcp_is_read),
		cmocka_unit_test(xds_decode_listener_chains_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
