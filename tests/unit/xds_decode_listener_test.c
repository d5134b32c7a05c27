// SPDX-License-Identifier: Apache-2.0

// Listeners: addresses, networks, filters, and what is refused of them.

#include <errno.h>
#include <stdio.h>

#include "tests/unit/xds_fixture.h"

#define NETWORK "envoy.extensions.filters.network."
#define HTTP_TYPE NETWORK "http_connection_manager.v3.HttpConnectionManager"
#define TCP_TYPE NETWORK "tcp_proxy.v3.TcpProxy"
#define ROUTER_TYPE "envoy.extensions.filters.http.router.v3.Router"
#define CONFIG "listener web: filter_chains[0].filters[0].typed_config"

// A listener as go-control-plane's test driver has it: RDS over the stream, the router by its name only.
struct parts {
	Xds__Listener message;
	struct fixture_address address;
	Xds__FilterChain chain, *chains[2];
	Xds__Filter filters[2], *filter_pointers[2];
	Xds__Any any;
	Xds__HttpConnectionManager manager;
	Xds__Rds rds;
	Xds__ConfigSource source;
	Xds__HttpFilter http_filters[2], *http_pointers[2];
	Xds__TcpProxy tcp;
	Xds__Empty empty;
};

static void init_chain(struct parts *p)
{
	p->address.address = *fixture_address_init(&p->address, "10.9.0.9", 80);
	for (size_t i = 0; i < 2; i++) {
		p->filters[i] = (Xds__Filter)XDS__FILTER__INIT;
		p->filters[i].config_type_case = XDS__FILTER__CONFIG_TYPE_TYPED_CONFIG;
		p->filters[i].typed_config = &p->any;
		p->filter_pointers[i] = &p->filters[i];
		p->chains[i] = &p->chain;
	}
	p->chain = (Xds__FilterChain)XDS__FILTER_CHAIN__INIT;
	p->chain.n_filters = 1;
	p->chain.filters = p->filter_pointers;
	p->message = (Xds__Listener)XDS__LISTENER__INIT;
	p->message.name = (char *)"web";
	p->message.address = &p->address.address;
	p->message.n_filter_chains = 1;
	p->message.filter_chains = p->chains;
}

static void init(struct parts *p)
{
	init_chain(p);
	p->empty = (Xds__Empty)XDS__EMPTY__INIT;
	p->source = (Xds__ConfigSource)XDS__CONFIG_SOURCE__INIT;
	p->source.source_case = XDS__CONFIG_SOURCE__SOURCE_ADS;
	p->source.ads = &p->empty;
	p->rds = (Xds__Rds)XDS__RDS__INIT;
	p->rds.config_source = &p->source;
	p->rds.route_config_name = (char *)"main";
	for (size_t i = 0; i < 2; i++) {
		p->http_filters[i] = (Xds__HttpFilter)XDS__HTTP_FILTER__INIT;
		p->http_filters[i].name = (char *)"envoy.filters.http.router";
		p->http_pointers[i] = &p->http_filters[i];
	}
	p->manager = (Xds__HttpConnectionManager)XDS__HTTP_CONNECTION_MANAGER__INIT;
	p->manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
	p->manager.rds = &p->rds;
	p->manager.n_http_filters = 1;
	p->manager.http_filters = p->http_pointers;
	p->tcp = (Xds__TcpProxy)XDS__TCP_PROXY__INIT;
	p->tcp.cluster_specifier_case = XDS__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
	p->tcp.cluster = (char *)"db";
}

static struct xds_resource *accept_http(struct parts *p)
{
	p->any = fixture_any(HTTP_TYPE, &p->manager);
	return fixture_accept(XDS_LISTENER, &p->message);
}

static void refuse_http(struct parts *p, const char *text)
{
	p->any = fixture_any(HTTP_TYPE, &p->manager);
	fixture_refuse(XDS_LISTENER, &p->message, text);
}

static void xds_decode_listener_http_has_defaults(void **state)
{
	const struct xds_listener *listener;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	resource = accept_http(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
	resource = accept_http(&p);
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
	resource = accept_http(&p);
	assert_false(resource->listener->spec.headers & LISTENER_X_FORWARDED_FOR);
	xds_resource_release(resource);
	kb.value = 0;
	refuse_http(&p, CONFIG ".max_request_headers_kb: 0 is out of range; 1 or more");
}

static void xds_decode_listener_addresses_are_mapped(void **state)
{
	struct fixture_address more = {0};
	Xds__AdditionalAddress extra = XDS__ADDITIONAL_ADDRESS__INIT, *extras[] = {&extra};
	const struct listener_spec *spec;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.address.socket.address = (char *)"0.0.0.0";
	resource = accept_http(&p);
	spec = &resource->listener->spec;
	assert_int_equal(spec->n_addresses, 2);
	assert_memory_equal(spec->addresses, fixture_virtual, sizeof(fixture_virtual));
	assert_int_equal(spec->port, 80);
	xds_resource_release(resource);
	// By port, to another port; and not by another port.
	p.address.socket.address = (char *)"127.0.0.1";
	p.address.socket.port_value = 81;
	resource = accept_http(&p);
	assert_int_equal(resource->listener->spec.port, 8081);
	assert_int_equal(resource->listener->spec.addresses[0].b[0], 10);
	xds_resource_release(resource);
	p.address.socket.port_value = 82;
	resource = accept_http(&p);
	assert_int_equal(resource->listener->spec.addresses[0].b[0], 127);
	xds_resource_release(resource);
	extra.address = fixture_address_init(&more, "10.9.0.10", 82);
	p.message.n_additional_addresses = 1;
	p.message.additional_addresses = extras;
	resource = accept_http(&p);
	assert_int_equal(resource->listener->spec.n_addresses, 2);
	assert_int_equal(resource->listener->spec.addresses[1].b[3], 10);
	xds_resource_release(resource);
	more.socket.port_value = 83;
	refuse_http(&p, "listener web: additional_addresses[0].address: port 83; all addresses of "
			"a listener have one, 82");
	p.message.address = NULL;
	refuse_http(&p, "listener web: address.socket_address: is missing");
}

static void xds_decode_listener_metadata_names_networks(void **state)
{
	static const char *const vrfs[] = {"red", "blue"};
	struct fixture_metadata metadata = {0};
	const struct xds_listener *listener;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "service_network", "shops");
	resource = accept_http(&p);
	assert_string_equal(resource->listener->spec.service_network, "shops");
	xds_resource_release(resource);
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "vrfs", vrfs, 2);
	resource = accept_http(&p);
	listener = resource->listener;
	assert_string_equal(listener->spec.service_network, "listener web");
	assert_string_equal(listener->network->name, "listener web");
	assert_int_equal(listener->network->n_vrfs, 2);
	assert_string_equal(listener->network->vrfs[1], "blue");
	xds_resource_release(resource);
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "vrfs", vrfs, 0);
	refuse_http(&p, "listener web: metadata.filter_metadata[pergola.srv6].vrfs: at least one "
			"VRF is needed");
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "service_network", "shops");
	fixture_metadata_list(&metadata, "vrfs", vrfs, 2);
	refuse_http(&p, "listener web: metadata.filter_metadata[pergola.srv6]: \"service_network\" "
			"and \"vrfs\" exclude each other; keep one of them");
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "a");
	refuse_http(&p, "listener web: metadata.filter_metadata[pergola.srv6]: \"policy\": unknown "
			"key; one of service_network, vrfs");
}

static void xds_decode_listener_without_any_network_is_refused(void **state)
{
	static const struct xds_spec none = {0};
	struct xds_resource *resource = NULL;
	struct refusal refusal = {.text = ""};
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
	routes.name = (char *)"local";
	routes.n_virtual_hosts = 1;
	routes.virtual_hosts = hosts;
	host.name = (char *)"all";
	p.manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_ROUTE_CONFIG;
	p.manager.route_config = &routes;
	resource = accept_http(&p);
	assert_null(resource->listener->spec.route_configuration);
	assert_string_equal(resource->listener->spec.routes->name, "web");
	assert_string_equal(resource->listener->spec.routes->virtual_hosts[0].name, "all");
	xds_resource_release(resource);
	routes.vhost_header = (char *)"x-host";
	refuse_http(&p, CONFIG ".route_config.vhost_header: is not supported yet");
	routes.vhost_header = (char *)"";
	host.name = (char *)"";
	refuse_http(&p, CONFIG ".route_config.virtual_hosts[0].name: must not be empty");
	p.manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER__NOT_SET;
	refuse_http(&p, CONFIG ": one of \"rds\", \"route_config\" is missing");
	p.manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
	p.rds.route_config_name = (char *)"";
	p.manager.rds = &p.rds;
	refuse_http(&p, CONFIG ".rds.route_config_name: must not be empty");
}

static void xds_decode_listener_codecs_and_paths_are_refused(void **state)
{
	Xds__BoolValue yes = XDS__BOOL_VALUE__INIT;
	struct parts p;

	(void)state;
	yes.value = 1;
	init(&p);
	p.manager.codec_type = XDS__HTTP_CONNECTION_MANAGER__CODEC_TYPE__HTTP2;
	refuse_http(&p, CONFIG ".codec_type: 2 is not supported yet; AUTO and HTTP1 are");
	init(&p);
	p.manager.normalize_path = &yes;
	refuse_http(&p, CONFIG ".normalize_path: is not supported yet");
	init(&p);
	p.manager.merge_slashes = 1;
	refuse_http(&p, CONFIG ".merge_slashes: is not supported yet");
	init(&p);
	p.manager.path_with_escaped_slashes_action =
		XDS__HTTP_CONNECTION_MANAGER__ESCAPED_SLASHES__UNESCAPE_AND_REDIRECT;
	refuse_http(&p, CONFIG ".path_with_escaped_slashes_action: 3 is not supported yet; "
			       "KEEP_UNCHANGED is");
	init(&p);
	p.manager.strip_any_host_port = 1;
	refuse_http(&p, CONFIG ".strip_any_host_port: is not supported yet");
}

static void xds_decode_listener_http_filters_end_with_the_router(void **state)
{
	static const char last[] = CONFIG ".http_filters: the last of the HTTP filters must be the "
					  "router";
	struct xds_resource *resource;
	Xds__Any any;
	struct parts p;

	(void)state;
	init(&p);
	any = fixture_any(ROUTER_TYPE, &p.empty);
	p.http_filters[0].config_type_case = XDS__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	p.http_filters[0].typed_config = &any;
	xds_resource_release(accept_http(&p));
	p.manager.n_http_filters = 0;
	refuse_http(&p, last);
	p.manager.n_http_filters = 2;
	refuse_http(&p, CONFIG ".http_filters[0].typed_config: the router is the last of the HTTP "
			       "filters");
	any = fixture_any("envoy.extensions.filters.http.cors.v3.Cors", &p.empty);
	refuse_http(&p, CONFIG ".http_filters[0].typed_config: "
			       "\"envoy.extensions.filters.http.cors.v3.Cors\" is not supported "
			       "yet; Router is");
	p.http_filters[0].is_optional = 1;
	resource = accept_http(&p);
	fixture_ignores(resource, "filter_chains.filters.typed_config.http_filters", 1);
	xds_resource_release(resource);
	p.manager.n_http_filters = 1;
	refuse_http(&p, last);
}

static void xds_decode_listener_rbac_is_refused_though_optional(void **state)
{
	Xds__Any any;
	struct parts p;

	(void)state;
	init(&p);
	any = fixture_any("envoy.extensions.filters.http.rbac.v3.RBAC", &p.empty);
	p.http_filters[0].config_type_case = XDS__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	p.http_filters[0].typed_config = &any;
	p.http_filters[0].is_optional = 1;
	p.manager.n_http_filters = 2;
	refuse_http(&p, CONFIG ".http_filters[0].typed_config: RBAC is not supported yet");
}

static void xds_decode_listener_tcp_is_read(void **state)
{
	Xds__TcpWeightedCluster weighted = XDS__TCP_WEIGHTED_CLUSTER__INIT;
	Xds__TcpClusterWeight share = XDS__TCP_CLUSTER_WEIGHT__INIT, *shares[] = {&share};
	Xds__Duration idle = XDS__DURATION__INIT;
	const struct listener_spec *spec;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
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

static void xds_decode_listener_other_filters_are_refused(void **state)
{
	struct parts p;

	(void)state;
	init(&p);
	p.any = fixture_any(NETWORK "rbac.v3.RBAC", &p.empty);
	fixture_refuse(XDS_LISTENER, &p.message,
		CONFIG ": \"envoy.extensions.filters.network.rbac.v3.RBAC\" is not supported yet; "
		       "HttpConnectionManager and TcpProxy are");
	p.any = fixture_any(HTTP_TYPE, &p.manager);
	p.chain.n_filters = 2;
	fixture_refuse(XDS_LISTENER, &p.message,
		"listener web: filter_chains[0].filters[1]: the filter before it is the last of "
		"its chain");
	p.chain.n_filters = 0;
	fixture_refuse(
		XDS_LISTENER, &p.message, "listener web: filter_chains[0].filters: is missing");
	p.any.value.len = 0;
	p.chain.n_filters = 1;
	fixture_refuse(XDS_LISTENER, &p.message,
		CONFIG ".http_filters: the last of the HTTP filters must be the router");
	p.any.value.len = 3;
	p.any.value.data = (uint8_t *)"\x0a\x09x";
	fixture_refuse(XDS_LISTENER, &p.message, CONFIG ": is no " HTTP_TYPE);
}

static void xds_decode_listener_chains_are_one(void **state)
{
	Xds__FilterChainMatch match = XDS__FILTER_CHAIN_MATCH__INIT;
	Xds__UInt32Value port = XDS__UINT32_VALUE__INIT;
	char *names[] = {(char *)"a.example"};
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.message.n_filter_chains = 2;
	refuse_http(&p, "listener web: filter_chains: 2 with the default one; more than one is not "
			"supported yet");
	p.message.n_filter_chains = 0;
	refuse_http(&p, "listener web: one of \"filter_chains\", \"default_filter_chain\" is "
			"missing");
	p.message.default_filter_chain = &p.chain;
	resource = accept_http(&p);
	assert_string_equal(resource->listener->spec.route_configuration, "main");
	xds_resource_release(resource);
	p.chain.filter_chain_match = &match;
	match.transport_protocol = (char *)"raw_buffer";
	port.value = 80;
	match.destination_port = &port;
	xds_resource_release(accept_http(&p));
	port.value = 81;
	refuse_http(&p, "listener web: default_filter_chain.filter_chain_match.destination_port: "
			"81 is not the listener's; 80 is");
	match.transport_protocol = (char *)"tls";
	refuse_http(&p, "listener web: default_filter_chain.filter_chain_match.transport_protocol: "
			"\"tls\" is not supported yet; \"raw_buffer\" is");
	match.n_server_names = 1;
	match.server_names = names;
	refuse_http(&p, "listener web: default_filter_chain.filter_chain_match.server_names[0]: is "
			"not supported yet");
}

static void xds_decode_listener_tls_is_refused(void **state)
{
	Xds__TransportSocket socket = XDS__TRANSPORT_SOCKET__INIT;
	Xds__Any any;
	struct parts p;

	(void)state;
	init(&p);
	any = fixture_any(
		"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", &p.empty);
	socket.typed_config = &any;
	p.chain.transport_socket = &socket;
	refuse_http(&p, "listener web: filter_chains[0].transport_socket.typed_config: "
			"\"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext\" is not "
			"supported yet; RawBuffer is");
}

static void xds_decode_listener_listener_filters_are_refused(void **state)
{
	Xds__ListenerFilter filter = XDS__LISTENER_FILTER__INIT, *filters[] = {&filter};
	struct xds_resource *resource;
	Xds__Any any;
	struct parts p;

	(void)state;
	init(&p);
	any = fixture_any(
		"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol", &p.empty);
	filter.typed_config = &any;
	p.message.n_listener_filters = 1;
	p.message.listener_filters = filters;
	refuse_http(&p,
		"listener web: listener_filters[0].typed_config: "
		"\"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol\" is not "
		"supported yet; TlsInspector is");
	any = fixture_any(
		"envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", &p.empty);
	resource = accept_http(&p);
	fixture_ignores(resource, "listener_filters", 1);
	xds_resource_release(resource);
}

static void xds_decode_listener_flags_have_one_value(void **state)
{
	Xds__BoolValue yes = XDS__BOOL_VALUE__INIT, no = XDS__BOOL_VALUE__INIT;
	struct parts p;

	(void)state;
	yes.value = 1;
	init(&p);
	p.message.use_original_dst = &no;
	p.message.bind_to_port = &yes;
	xds_resource_release(accept_http(&p));
	p.message.use_original_dst = &yes;
	refuse_http(&p, "listener web: use_original_dst: is not supported yet");
	init(&p);
	p.message.bind_to_port = &no;
	refuse_http(&p, "listener web: bind_to_port: is not supported yet");
	init(&p);
	p.message.transparent = &yes;
	refuse_http(&p, "listener web: transparent: is not supported yet");
}

static void xds_decode_listener_what_does_nothing_is_counted(void **state)
{
	Xds__AccessLog log = XDS__ACCESS_LOG__INIT, *logs[] = {&log};
	Xds__UInt32Value limit = XDS__UINT32_VALUE__INIT;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.manager.n_access_log = 1;
	p.manager.access_log = logs;
	p.manager.stat_prefix = (char *)"http";
	p.manager.http2_protocol_options = &p.empty;
	limit.value = 32768;
	p.message.per_connection_buffer_limit_bytes = &limit;
	resource = accept_http(&p);
	assert_int_equal(resource->n_ignored, 4);
	fixture_ignores(resource, "per_connection_buffer_limit_bytes", 1);
	fixture_ignores(resource, "filter_chains.filters.typed_config.access_log", 1);
	fixture_ignores(resource, "filter_chains.filters.typed_config.stat_prefix", 1);
	fixture_ignores(resource, "filter_chains.filters.typed_config.http2_protocol_options", 1);
	xds_resource_release(resource);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_listener_http_has_defaults),
		cmocka_unit_test(xds_decode_listener_http_settings_are_read),
		cmocka_unit_test(xds_decode_listener_addresses_are_mapped),
		cmocka_unit_test(xds_decode_listener_metadata_names_networks),
		cmocka_unit_test(xds_decode_listener_without_any_network_is_refused),
		cmocka_unit_test(xds_decode_listener_own_routes_are_read),
		cmocka_unit_test(xds_decode_listener_codecs_and_paths_are_refused),
		cmocka_unit_test(xds_decode_listener_http_filters_end_with_the_router),
		cmocka_unit_test(xds_decode_listener_rbac_is_refused_though_optional),
		cmocka_unit_test(xds_decode_listener_tcp_is_read),
		cmocka_unit_test(xds_decode_listener_other_filters_are_refused),
		cmocka_unit_test(xds_decode_listener_chains_are_one),
		cmocka_unit_test(xds_decode_listener_tls_is_refused),
		cmocka_unit_test(xds_decode_listener_listener_filters_are_refused),
		cmocka_unit_test(xds_decode_listener_flags_have_one_value),
		cmocka_unit_test(xds_decode_listener_what_does_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
