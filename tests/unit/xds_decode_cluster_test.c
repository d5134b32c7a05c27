// SPDX-License-Identifier: Apache-2.0

// Clusters: where endpoints come from, how they are chosen, and what is refused.

#include <errno.h>
#include <stdio.h>

#include "tests/unit/xds_fixture.h"

#define LB "envoy.extensions.load_balancing_policies."
#define HTTP_OPTIONS "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

// An EDS cluster as the simplest servers send it.
struct parts {
	Xds__Cluster message;
	Xds__EdsClusterConfig eds;
	Xds__ConfigSource source;
	Xds__Empty empty;
};

static void init(struct parts *p)
{
	p->empty = (Xds__Empty)XDS__EMPTY__INIT;
	p->source = (Xds__ConfigSource)XDS__CONFIG_SOURCE__INIT;
	p->source.source_case = XDS__CONFIG_SOURCE__SOURCE_ADS;
	p->source.ads = &p->empty;
	p->eds = (Xds__EdsClusterConfig)XDS__EDS_CLUSTER_CONFIG__INIT;
	p->eds.eds_config = &p->source;
	p->message = (Xds__Cluster)XDS__CLUSTER__INIT;
	p->message.name = (char *)"payments";
	p->message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
	p->message.type = XDS__CLUSTER__DISCOVERY__EDS;
	p->message.eds_cluster_config = &p->eds;
}

// One with its endpoint in itself.
struct own_parts {
	struct parts parts;
	Xds__ClusterLoadAssignment assignment;
	Xds__LocalityLbEndpoints locality, *localities[2];
	Xds__LbEndpoint item, *items[2];
	Xds__Endpoint endpoint;
	struct fixture_address address;
};

static Xds__Cluster *init_own(
	struct own_parts *p, Xds__Cluster__Discovery type, const char *address)
{
	init(&p->parts);
	p->parts.message.eds_cluster_config = NULL;
	p->parts.message.type = type;
	p->parts.message.load_assignment = &p->assignment;
	p->assignment = (Xds__ClusterLoadAssignment)XDS__CLUSTER_LOAD_ASSIGNMENT__INIT;
	p->assignment.cluster_name = (char *)"payments";
	p->assignment.n_endpoints = 1;
	p->assignment.endpoints = p->localities;
	p->locality = (Xds__LocalityLbEndpoints)XDS__LOCALITY_LB_ENDPOINTS__INIT;
	p->localities[0] = p->localities[1] = &p->locality;
	p->locality.n_lb_endpoints = 1;
	p->locality.lb_endpoints = p->items;
	p->item = (Xds__LbEndpoint)XDS__LB_ENDPOINT__INIT;
	p->item.host_identifier_case = XDS__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
	p->item.endpoint = &p->endpoint;
	p->items[0] = p->items[1] = &p->item;
	p->endpoint = (Xds__Endpoint)XDS__ENDPOINT__INIT;
	p->endpoint.address = fixture_address_init(&p->address, address, 443);
	return &p->parts.message;
}

static void xds_decode_cluster_eds_has_defaults(void **state)
{
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
	init(&p);
	p.source.resource_api_version = XDS__API_VERSION__V2;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: eds_cluster_config.eds_config.resource_api_version: 1 is not "
		"supported; AUTO and V3 are");
	p.message.eds_cluster_config = NULL;
	fixture_refuse(XDS_CLUSTER, &p.message, "cluster payments: eds_cluster_config: is missing");
}

static void xds_decode_cluster_static_endpoints_have_its_way(void **state)
{
	struct fixture_metadata metadata = {0};
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__STATIC, "10.2.0.1");
	p.parts.message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "west");
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	cluster = resource->cluster;
	assert_int_equal(cluster->discovery, XDS_STATIC);
	assert_int_equal(cluster->assignment.n_localities, 1);
	assert_string_equal(cluster->assignment.localities[0].endpoints[0].policy, "west");
	assert_string_equal(cluster->assignment.localities[0].endpoints[0].origin->source,
		"cluster payments: load_assignment.endpoints[0].lb_endpoints[0]");
	xds_resource_release(resource);
	init_own(&p, XDS__CLUSTER__DISCOVERY__STATIC, "db.example");
	fixture_refuse(XDS_CLUSTER, &p.parts.message,
		"cluster payments: load_assignment.endpoints[0].lb_endpoints[0].endpoint.address"
		".socket_address.address: \"db.example\" is not an IPv4 or IPv6 address");
	p.parts.message.load_assignment = NULL;
	fixture_refuse(
		XDS_CLUSTER, &p.parts.message, "cluster payments: load_assignment: is missing");
}

static void xds_decode_cluster_without_type_is_static(void **state)
{
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__STATIC, "10.2.0.1");
	p.parts.message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE__NOT_SET;
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	assert_int_equal(resource->cluster->discovery, XDS_STATIC);
	xds_resource_release(resource);
}

static void xds_decode_cluster_dns_names_are_listed(void **state)
{
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__STRICT_DNS, "db.example");
	p.locality.n_lb_endpoints = 2;
	p.parts.message.dns_lookup_family = XDS__CLUSTER__DNS_FAMILY__V4_PREFERRED;
	p.parts.message.respect_dns_ttl = 1;
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	cluster = resource->cluster;
	assert_int_equal(cluster->discovery, XDS_STRICT_DNS);
	assert_int_equal(cluster->n_dns_names, 2);
	assert_string_equal(cluster->dns_names[1].name, "db.example");
	assert_int_equal(cluster->dns_names[1].locality, 0);
	assert_int_equal(cluster->dns_names[1].endpoint, 1);
	assert_int_equal(cluster->dns_refresh_ms, 5000);
	assert_int_equal(cluster->dns_family, XDS_DNS_V4_PREFERRED);
	assert_true(cluster->respect_dns_ttl);
	assert_int_equal(cluster->assignment.localities[0].endpoints[0].address.family, 0);
	assert_int_equal(cluster->assignment.localities[0].endpoints[0].port, 443);
	xds_resource_release(resource);
	p.parts.message.dns_lookup_family = (Xds__Cluster__DnsFamily)5;
	fixture_refuse(XDS_CLUSTER, &p.parts.message,
		"cluster payments: dns_lookup_family: 5 is not known");
}

static void xds_decode_cluster_logical_dns_has_one_endpoint(void **state)
{
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__LOGICAL_DNS, "db.example");
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	assert_int_equal(resource->cluster->discovery, XDS_LOGICAL_DNS);
	xds_resource_release(resource);
	p.locality.n_lb_endpoints = 2;
	fixture_refuse(XDS_CLUSTER, &p.parts.message,
		"cluster payments: load_assignment.endpoints: a LOGICAL_DNS cluster has one "
		"locality with one endpoint");
}

static void xds_decode_cluster_other_types_are_refused(void **state)
{
	struct parts p;

	(void)state;
	init(&p);
	p.message.type = XDS__CLUSTER__DISCOVERY__ORIGINAL_DST;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: type: 4 is not supported yet; STATIC, STRICT_DNS, LOGICAL_DNS "
		"and EDS are");
	p.message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_CLUSTER_TYPE;
	p.message.cluster_type = &p.empty;
	fixture_refuse(
		XDS_CLUSTER, &p.message, "cluster payments: cluster_type: is not supported yet");
}

static void xds_decode_cluster_other_balancing_is_refused(void **state)
{
	Xds__CommonLbConfig common = XDS__COMMON_LB_CONFIG__INIT;
	Xds__RoundRobinLbConfig robin = XDS__ROUND_ROBIN_LB_CONFIG__INIT;
	Xds__Percent panic = XDS__PERCENT__INIT;
	struct parts p;

	(void)state;
	init(&p);
	p.message.lb_policy = XDS__CLUSTER__LB__MAGLEV;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: lb_policy: 5 is not supported yet; ROUND_ROBIN is");
	init(&p);
	panic.value = 101;
	common.healthy_panic_threshold = &panic;
	p.message.common_lb_config = &common;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: common_lb_config.healthy_panic_threshold: 101 is out of range; "
		"0 to 100");
	init(&p);
	p.message.lb_config_case = XDS__CLUSTER__LB_CONFIG_ROUND_ROBIN_LB_CONFIG;
	p.message.round_robin_lb_config = &robin;
	robin.slow_start_config = &p.empty;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: round_robin_lb_config.slow_start_config: is not supported yet");
}

// load_balancing_policy with one policy.
struct policy_parts {
	Xds__LoadBalancingPolicy message;
	Xds__LoadBalancingPolicyItem items[2], *pointers[2];
	Xds__TypedExtensionConfig extensions[2];
	Xds__Any anys[2];
};

static Xds__LoadBalancingPolicy *add_lb(
	struct policy_parts *p, const char *type, const void *message)
{
	size_t i = p->message.n_policies;

	if (i == 0)
		p->message = (Xds__LoadBalancingPolicy)XDS__LOAD_BALANCING_POLICY__INIT;
	p->anys[i] = fixture_any(type, message);
	p->extensions[i] = (Xds__TypedExtensionConfig)XDS__TYPED_EXTENSION_CONFIG__INIT;
	p->extensions[i].typed_config = &p->anys[i];
	p->items[i] = (Xds__LoadBalancingPolicyItem)XDS__LOAD_BALANCING_POLICY_ITEM__INIT;
	p->items[i].typed_extension_config = &p->extensions[i];
	p->pointers[i] = &p->items[i];
	p->message.policies = p->pointers;
	p->message.n_policies = i + 1;
	return &p->message;
}

static void xds_decode_cluster_first_known_policy_is_taken(void **state)
{
	Xds__LocalityLbConfig locality = XDS__LOCALITY_LB_CONFIG__INIT;
	Xds__RoundRobin robin = XDS__ROUND_ROBIN__INIT;
	Xds__WrrLocality wrr = XDS__WRR_LOCALITY__INIT;
	struct policy_parts inner = {0}, outer = {0}, two = {0};
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.message.lb_policy = XDS__CLUSTER__LB__LEAST_REQUEST; // it does not count
	add_lb(&two, LB "maglev.v3.Maglev", &p.empty);
	p.message.load_balancing_policy = &two.message;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: load_balancing_policy: none of its policies is supported yet; "
		"RoundRobin and WrrLocality are");
	robin.locality_lb_config = &locality;
	locality.locality_config_specifier_case =
		XDS__LOCALITY_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
	locality.locality_weighted_lb_config = &p.empty;
	add_lb(&two, LB "round_robin.v3.RoundRobin", &robin);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_true(resource->cluster->spec.locality_weighted);
	xds_resource_release(resource);
	robin.locality_lb_config = NULL;
	wrr.endpoint_picking_policy = add_lb(&inner, LB "round_robin.v3.RoundRobin", &robin);
	p.message.load_balancing_policy = add_lb(&outer, LB "wrr_locality.v3.WrrLocality", &wrr);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_true(resource->cluster->spec.locality_weighted);
	xds_resource_release(resource);
	p.message.load_balancing_policy = NULL;
	p.message.lb_policy = XDS__CLUSTER__LB__LOAD_BALANCING_POLICY_CONFIG;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: load_balancing_policy: none of its policies is supported yet; "
		"RoundRobin and WrrLocality are");
}

static void xds_decode_cluster_policy_fields_are_refused_by_path(void **state)
{
	Xds__RoundRobin robin = XDS__ROUND_ROBIN__INIT;
	struct policy_parts policies = {0};
	struct parts p;

	(void)state;
	init(&p);
	robin.slow_start_config = &p.empty;
	p.message.load_balancing_policy = add_lb(&policies, LB "round_robin.v3.RoundRobin", &robin);
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: load_balancing_policy.policies[0].typed_extension_config"
		".typed_config.slow_start_config: is not supported yet");
}

static void xds_decode_cluster_tls_and_http2_are_refused(void **state)
{
	Xds__TransportSocket socket = XDS__TRANSPORT_SOCKET__INIT;
	Xds__Any any;
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;
	Xds__Any any;

	(void)state;
	init(&p);
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
	struct parts p;
	Xds__Empty *checks[2];

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
	struct parts p;

	(void)state;
	init(&p);
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
		cmocka_unit_test(xds_decode_cluster_static_endpoints_have_its_way),
		cmocka_unit_test(xds_decode_cluster_without_type_is_static),
		cmocka_unit_test(xds_decode_cluster_dns_names_are_listed),
		cmocka_unit_test(xds_decode_cluster_logical_dns_has_one_endpoint),
		cmocka_unit_test(xds_decode_cluster_other_types_are_refused),
		cmocka_unit_test(xds_decode_cluster_other_balancing_is_refused),
		cmocka_unit_test(xds_decode_cluster_first_known_policy_is_taken),
		cmocka_unit_test(xds_decode_cluster_policy_fields_are_refused_by_path),
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
