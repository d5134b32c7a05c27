// SPDX-License-Identifier: Apache-2.0

// Clusters: their settings, and what is refused of them; and what all kinds of resources have in common.

#include "tests/unit/xds_cluster_rig.h"

#define HTTP_OPTIONS "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

static void xds_decode_cluster_eds_has_defaults(void **state)
{
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	cluster = resource->cluster;
	assert_string_equal(resource->name, "payments");
	assert_string_equal(cluster->spec.name, "payments");
	assert_string_equal(cluster->spec.origin->source, "cluster payments");
	assert_int_equal(cluster->discovery, XDS_EDS);
	assert_string_equal(cluster->eds_name, "payments");
	assert_int_equal(cluster->fetch_timeout_ms, 15000);
	assert_int_equal(cluster->spec.connect_timeout_ms, 5000);
	assert_int_equal(cluster->spec.pool_timeout_ms, L7_DEFAULT_POOL_TIMEOUT_MS);
	assert_int_equal(cluster->spec.panic_percent, 50);
	assert_int_equal(cluster->spec.overprovisioning_percent, 140);
	assert_false(cluster->spec.locality_weighted);
	assert_null(cluster->policy);
	xds_resource_release(resource);
}

static void xds_decode_cluster_settings_are_read(void **state)
{
	Xds__Duration connect = XDS__DURATION__INIT, fetch = XDS__DURATION__INIT;
	Xds__CommonLbConfig common = XDS__COMMON_LB_CONFIG__INIT;
	Xds__Percent panic = XDS__PERCENT__INIT;
	struct fixture_metadata metadata = {0};
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	connect.nanos = 250000001;
	fetch.seconds = 0;
	panic.value = 33.5;
	common.healthy_panic_threshold = &panic;
	common.locality_config_specifier_case =
		XDS__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
	common.locality_weighted_lb_config = &p.empty;
	p.message.connect_timeout = &connect;
	p.message.common_lb_config = &common;
	p.source.initial_fetch_timeout = &fetch;
	p.eds.service_name = (char *)"payments-v2";
	p.message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "west");
	fixture_metadata_text(&metadata, "vrf", "blue");
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	cluster = resource->cluster;
	assert_int_equal(cluster->spec.connect_timeout_ms, 251);
	assert_int_equal(cluster->spec.panic_percent, 34);
	assert_true(cluster->spec.locality_weighted);
	assert_int_equal(cluster->fetch_timeout_ms, 0);
	assert_string_equal(cluster->eds_name, "payments-v2");
	assert_string_equal(cluster->policy, "west");
	assert_string_equal(cluster->vrf, "blue");
	xds_resource_release(resource);
}

static void xds_decode_cluster_segments_are_its_policy(void **state)
{
	static const char *const segments[] = {"2001:db8:b::1"};
	struct fixture_metadata metadata = {0};
	struct xds_resource *resource;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	p.message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "segments", segments, 1);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_int_equal(resource->cluster->assignment.n_policies, 1);
	assert_string_equal(
		resource->cluster->policy, resource->cluster->assignment.policies[0].name);
	xds_resource_release(resource);
}

static void xds_decode_cluster_sources_are_accepted_but_files(void **state)
{
	Xds__ApiConfigSource api = XDS__API_CONFIG_SOURCE__INIT;
	Xds__SelfConfigSource self = XDS__SELF_CONFIG_SOURCE__INIT;
	Xds__PathConfigSource path = XDS__PATH_CONFIG_SOURCE__INIT;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	p.source.source_case = XDS__CONFIG_SOURCE__SOURCE_SELF;
	p.source.self = &self;
	xds_resource_release(fixture_accept(XDS_CLUSTER, &p.message));
	p.source.source_case = XDS__CONFIG_SOURCE__SOURCE_API_CONFIG_SOURCE;
	p.source.api_config_source = &api;
	api.api_type = XDS__API_TYPE__GRPC;
	xds_resource_release(fixture_accept(XDS_CLUSTER, &p.message));
	api.api_type = XDS__API_TYPE__REST;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: eds_cluster_config.eds_config.api_config_source.api_type: 1 is "
		"not supported; GRPC, DELTA_GRPC, AGGREGATED_GRPC and AGGREGATED_DELTA_GRPC are");
	p.source.source_case = XDS__CONFIG_SOURCE__SOURCE_PATH_CONFIG_SOURCE;
	p.source.path_config_source = &path;
	path.path = (char *)"/etc/eds.yaml";
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: eds_cluster_config.eds_config.path_config_source: is not "
		"supported yet");
	p.source.source_case = XDS__CONFIG_SOURCE__SOURCE__NOT_SET;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: eds_cluster_config.eds_config: one of \"ads\", \"self\", "
		"\"api_config_source\" is missing");
	rig_cluster_init(&p);
	p.source.resource_api_version = XDS__API_VERSION__V2;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: eds_cluster_config.eds_config.resource_api_version: 1 is not "
		"supported; AUTO and V3 are");
	p.message.eds_cluster_config = NULL;
	fixture_refuse(XDS_CLUSTER, &p.message, "cluster payments: eds_cluster_config: is missing");
}

static void xds_decode_cluster_tls_and_http2_are_refused(void **state)
{
	Xds__TransportSocket socket = XDS__TRANSPORT_SOCKET__INIT;
	Xds__Any any;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	any = fixture_any("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", &p.empty);
	socket.typed_config = &any;
	p.message.transport_socket = &socket;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: transport_socket.typed_config: "
		"\"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\" is not supported "
		"yet; RawBuffer is");
	any = fixture_any("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer", &p.empty);
	xds_resource_release(fixture_accept(XDS_CLUSTER, &p.message));
	p.message.http2_protocol_options = &p.empty;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: http2_protocol_options: is not supported yet");
}

static void xds_decode_cluster_protocol_options_are_read(void **state)
{
	Xds__UpstreamHttpOptions options = XDS__UPSTREAM_HTTP_OPTIONS__INIT;
	Xds__HttpProtocolOptions common = XDS__HTTP_PROTOCOL_OPTIONS__INIT;
	Xds__ExplicitHttpConfig explicit_http = XDS__EXPLICIT_HTTP_CONFIG__INIT;
	Xds__TypedConfigEntry entry = XDS__TYPED_CONFIG_ENTRY__INIT, *entries[] = {&entry};
	Xds__Duration idle = XDS__DURATION__INIT;
	struct xds_resource *resource;
	struct cluster_parts p;
	Xds__Any any;

	(void)state;
	rig_cluster_init(&p);
	idle.seconds = 20;
	common.idle_timeout = &idle;
	options.common_http_protocol_options = &common;
	options.upstream_protocol_options_case =
		XDS__UPSTREAM_HTTP_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
	options.explicit_http_config = &explicit_http;
	explicit_http.protocol_config_case =
		XDS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP_PROTOCOL_OPTIONS;
	explicit_http.http_protocol_options = &p.empty;
	entry.key = (char *)HTTP_OPTIONS;
	entry.value = &any;
	p.message.n_typed_extension_protocol_options = 1;
	p.message.typed_extension_protocol_options = entries;
	any = fixture_any(HTTP_OPTIONS, &options);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_int_equal(resource->cluster->spec.pool_timeout_ms, 20000);
	xds_resource_release(resource);
	explicit_http.protocol_config_case =
		XDS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP2_PROTOCOL_OPTIONS;
	any = fixture_any(HTTP_OPTIONS, &options);
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: typed_extension_protocol_options[0].value.explicit_http_config"
		".http2_protocol_options: is not supported yet");
}

static void xds_decode_cluster_what_does_nothing_is_counted(void **state)
{
	struct xds_resource *resource;
	struct cluster_parts p;
	Xds__Empty *checks[2];

	(void)state;
	rig_cluster_init(&p);
	checks[0] = checks[1] = &p.empty;
	p.message.n_health_checks = 2;
	p.message.health_checks = checks;
	p.message.outlier_detection = &p.empty;
	p.message.circuit_breakers = &p.empty;
	p.message.ignore_health_on_host_removal = 1;
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_int_equal(resource->n_ignored, 4);
	fixture_ignores(resource, "health_checks", 2);
	fixture_ignores(resource, "outlier_detection", 1);
	fixture_ignores(resource, "circuit_breakers", 1);
	fixture_ignores(resource, "ignore_health_on_host_removal", 1);
	assert_string_equal(resource->ignored[0].path, "health_checks");
	xds_resource_release(resource);
}

static void xds_decode_cluster_timeouts_have_bounds(void **state)
{
	Xds__Duration timeout = XDS__DURATION__INIT;
	struct xds_resource *resource;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	p.message.connect_timeout = &timeout;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: connect_timeout: 0 is out of range; 1 ms or more");
	timeout.seconds = -1;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: connect_timeout: -1 s and 0 ns are no time-out");
	timeout.seconds = INT64_MAX;
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_int_equal(resource->cluster->spec.connect_timeout_ms, INT32_MAX);
	xds_resource_release(resource);
	timeout.seconds = INT32_MAX / 1000 - 1;
	timeout.nanos = 999999999;
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_int_equal(resource->cluster->spec.connect_timeout_ms, INT32_MAX / 1000 * 1000);
	xds_resource_release(resource);
}

static void xds_decode_cluster_name_has_bounds(void **state)
{
	char name[L7_MAX_NAME_LEN + 2], text[256];
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	p.message.name = name;
	snprintf(text, sizeof(text), "cluster %s: name: 128 characters; at most 127", name);
	fixture_refuse(XDS_CLUSTER, &p.message, text);
	name[L7_MAX_NAME_LEN] = '\0';
	xds_resource_release(fixture_accept(XDS_CLUSTER, &p.message));
}

static void xds_decode_cluster_resource_lives_until_its_last_release(void **state)
{
	struct xds_resource *resource;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_ptr_equal(xds_resource_acquire(resource), resource);
	xds_resource_release(resource);
	assert_string_equal(resource->name, "payments");
	xds_resource_release(resource);
	xds_resource_release(NULL);
}

static void xds_decode_cluster_types_are_told_by_url(void **state)
{
	(void)state;
	for (enum xds_type type = 0; type < XDS_N_TYPES; type++)
		assert_int_equal(xds_type_of(xds_type_url(type)), type);
	assert_int_equal(xds_type_of("other.prefix/envoy.config.cluster.v3.Cluster"), XDS_CLUSTER);
	assert_int_equal(xds_type_of("envoy.config.cluster.v2.Cluster"), XDS_NO_TYPE);
	assert_int_equal(xds_type_of(""), XDS_NO_TYPE);
}

static void xds_decode_cluster_secrets_are_copied(void **state)
{
	Xds__Secret secret = XDS__SECRET__INIT;
	Xds__TlsCertificate certificate = XDS__TLS_CERTIFICATE__INIT;
	Xds__DataSource chain = XDS__DATA_SOURCE__INIT;

	(void)state;
	secret.name = (char *)"own";
	fixture_refuse(XDS_SECRET, &secret,
		"secret own: one of \"tls_certificate\", \"validation_context\" is missing");
	secret.type_case = XDS__SECRET__TYPE_TLS_CERTIFICATE;
	secret.tls_certificate = &certificate;
	certificate.certificate_chain = &chain;
	chain.specifier_case = XDS__DATA_SOURCE__SPECIFIER_INLINE_STRING;
	chain.inline_string = (char *)"PEM";
	fixture_refuse(XDS_SECRET, &secret, "secret own: tls_certificate.private_key: is missing");
	certificate.private_key = &chain;
	xds_resource_release(fixture_accept(XDS_SECRET, &secret));
	chain.specifier_case = XDS__DATA_SOURCE__SPECIFIER_FILENAME;
	chain.filename = (char *)"/etc/key";
	fixture_refuse(XDS_SECRET, &secret,
		"secret own: tls_certificate.certificate_chain.filename: is not supported yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_cluster_eds_has_defaults),
		cmocka_unit_test(xds_decode_cluster_settings_are_read),
		cmocka_unit_test(xds_decode_cluster_segments_are_its_policy),
		cmocka_unit_test(xds_decode_cluster_sources_are_accepted_but_files),
		cmocka_unit_test(xds_decode_cluster_tls_and_http2_are_refused),
		cmocka_unit_test(xds_decode_cluster_protocol_options_are_read),
		cmocka_unit_test(xds_decode_cluster_what_does_nothing_is_counted),
		cmocka_unit_test(xds_decode_cluster_timeouts_have_bounds),
		cmocka_unit_test(xds_decode_cluster_name_has_bounds),
		cmocka_unit_test(xds_decode_cluster_resource_lives_until_its_last_release),
		cmocka_unit_test(xds_decode_cluster_types_are_told_by_url),
		cmocka_unit_test(xds_decode_cluster_secrets_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
