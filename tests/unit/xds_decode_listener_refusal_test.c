// SPDX-License-Identifier: Apache-2.0

// Listeners: what is refused of them though a server may send it, and what is passed over.

#include "tests/unit/xds_listener_rig.h"

static void xds_decode_listener_codecs_and_paths_are_refused(void **state)
{
	Xds__HttpProtocolOptions options = XDS__HTTP_PROTOCOL_OPTIONS__INIT;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.manager.codec_type = XDS__HTTP_CONNECTION_MANAGER__CODEC_TYPE__HTTP2;
	rig_refuse_http(&p, CONFIG ".codec_type: 2 is not supported yet; AUTO and HTTP1 are");
	rig_listener_init(&p);
	p.manager.path_with_escaped_slashes_action = 5;
	rig_refuse_http(&p, CONFIG ".path_with_escaped_slashes_action: 5 is not known; 0 to 4 are");
	rig_listener_init(&p);
	options.headers_with_underscores_action = -1;
	p.manager.common_http_protocol_options = &options;
	rig_refuse_http(&p, CONFIG ".common_http_protocol_options.headers_with_underscores_action: "
				   "-1 is not known; 0 to 2 are");
	rig_listener_init(&p);
	p.manager.strip_any_host_port = 1;
	rig_refuse_http(&p, CONFIG ".strip_any_host_port: is not supported yet");
}

static void xds_decode_listener_http_filters_end_with_the_router(void **state)
{
	static const char last[] = CONFIG ".http_filters: the last of the HTTP filters must be the "
					  "router";
	struct xds_resource *resource;
	Xds__Any any;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	any = fixture_any(ROUTER_TYPE, &p.empty);
	p.http_filters[0].config_type_case = XDS__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	p.http_filters[0].typed_config = &any;
	xds_resource_release(rig_accept_http(&p));
	p.manager.n_http_filters = 0;
	rig_refuse_http(&p, last);
	p.manager.n_http_filters = 2;
	rig_refuse_http(&p,
		CONFIG ".http_filters[0].typed_config: the router is the last of the HTTP "
		       "filters");
	any = fixture_any("envoy.extensions.filters.http.cors.v3.Cors", &p.empty);
	rig_refuse_http(&p,
		CONFIG ".http_filters[0].typed_config: "
		       "\"envoy.extensions.filters.http.cors.v3.Cors\" is not supported "
		       "yet; Router is");
	p.http_filters[0].is_optional = 1;
	resource = rig_accept_http(&p);
	fixture_ignores(resource, "filter_chains.filters.typed_config.http_filters", 1);
	xds_resource_release(resource);
	p.manager.n_http_filters = 1;
	rig_refuse_http(&p, last);
}

static void xds_decode_listener_rbac_is_refused_though_optional(void **state)
{
	Xds__Any any;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	any = fixture_any("envoy.extensions.filters.http.rbac.v3.RBAC", &p.empty);
	p.http_filters[0].config_type_case = XDS__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	p.http_filters[0].typed_config = &any;
	p.http_filters[0].is_optional = 1;
	p.manager.n_http_filters = 2;
	rig_refuse_http(&p, CONFIG ".http_filters[0].typed_config: RBAC is not supported yet");
}

static void xds_decode_listener_other_filters_are_refused(void **state)
{
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
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

static void xds_decode_listener_tls_is_refused(void **state)
{
	Xds__TransportSocket socket = XDS__TRANSPORT_SOCKET__INIT;
	Xds__Any any;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	any = fixture_any(
		"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", &p.empty);
	socket.typed_config = &any;
	p.chain.transport_socket = &socket;
	rig_refuse_http(&p,
		"listener web: filter_chains[0].transport_socket.typed_config: "
		"\"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext\" is not "
		"supported yet; RawBuffer is");
}

static void xds_decode_listener_listener_filters_are_refused(void **state)
{
	Xds__ListenerFilter filter = XDS__LISTENER_FILTER__INIT, *filters[] = {&filter};
	struct xds_resource *resource;
	Xds__Any any;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	any = fixture_any(
		"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol", &p.empty);
	filter.typed_config = &any;
	p.message.n_listener_filters = 1;
	p.message.listener_filters = filters;
	rig_refuse_http(&p,
		"listener web: listener_filters[0].typed_config: "
		"\"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol\" is not "
		"supported yet; TlsInspector is");
	any = fixture_any(
		"envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", &p.empty);
	resource = rig_accept_http(&p);
	fixture_ignores(resource, "listener_filters", 1);
	xds_resource_release(resource);
}

static void xds_decode_listener_flags_have_one_value(void **state)
{
	Xds__BoolValue yes = XDS__BOOL_VALUE__INIT, no = XDS__BOOL_VALUE__INIT;
	struct listener_parts p;

	(void)state;
	yes.value = 1;
	rig_listener_init(&p);
	p.message.use_original_dst = &no;
	p.message.bind_to_port = &yes;
	xds_resource_release(rig_accept_http(&p));
	p.message.use_original_dst = &yes;
	rig_refuse_http(&p, "listener web: use_original_dst: is not supported yet");
	rig_listener_init(&p);
	p.message.bind_to_port = &no;
	rig_refuse_http(&p, "listener web: bind_to_port: is not supported yet");
	rig_listener_init(&p);
	p.message.transparent = &yes;
	rig_refuse_http(&p, "listener web: transparent: is not supported yet");
}

static void xds_decode_listener_what_does_nothing_is_counted(void **state)
{
	Xds__AccessLog log = XDS__ACCESS_LOG__INIT, *logs[] = {&log};
	Xds__UInt32Value limit = XDS__UINT32_VALUE__INIT;
	struct xds_resource *resource;
	struct listener_parts p;

	(void)state;
	rig_listener_init(&p);
	p.manager.n_access_log = 1;
	p.manager.access_log = logs;
	p.manager.stat_prefix = (char *)"http";
	p.manager.http2_protocol_options = &p.empty;
	limit.value = 32768;
	p.message.per_connection_buffer_limit_bytes = &limit;
	resource = rig_accept_http(&p);
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
		cmocka_unit_test(xds_decode_listener_codecs_and_paths_are_refused),
		cmocka_unit_test(xds_decode_listener_http_filters_end_with_the_router),
		cmocka_unit_test(xds_decode_listener_rbac_is_refused_though_optional),
		cmocka_unit_test(xds_decode_listener_other_filters_are_refused),
		cmocka_unit_test(xds_decode_listener_tls_is_refused),
		cmocka_unit_test(xds_decode_listener_listener_filters_are_refused),
		cmocka_unit_test(xds_decode_listener_flags_have_one_value),
		cmocka_unit_test(xds_decode_listener_what_does_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
