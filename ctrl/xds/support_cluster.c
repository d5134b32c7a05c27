// SPDX-License-Identifier: Apache-2.0

// The support table: clusters and endpoints.

#include "ctrl/xds/support_priv.h"

static const struct support_field endpoint_fields[] = {
	INTO(1, "address", support_address, NULL),
	COUNTED(2, "health_check_config", "health checks are not done yet"),
	COUNTED(3, "hostname", NULL),
	COUNTED(4, "additional_addresses[]", NULL),
};

static const struct support_message endpoint =
	MESSAGE("envoy.config.endpoint.v3.Endpoint", endpoint_fields);

static const struct support_field lb_endpoint_fields[] = {
	INTO(1, "endpoint", endpoint, NULL),
	HONOURED(2, "health_status", "UNKNOWN is as HEALTHY; DRAINING and TIMEOUT as UNHEALTHY"),
	INTO(3, "metadata", support_metadata, "pergola.srv6: policy or segments, vrf"),
	INTO(4, "load_balancing_weight", support_opaque, "absent: 1"),
	REFUSED(5, "endpoint_name", NULL),
};

static const struct support_message lb_endpoint =
	MESSAGE("envoy.config.endpoint.v3.LbEndpoint", lb_endpoint_fields);

static const struct support_field place_fields[] = {
	HONOURED(1, "region", NULL),
	HONOURED(2, "zone", NULL),
	HONOURED(3, "sub_zone", NULL),
};

static const struct support_message place = MESSAGE("envoy.config.core.v3.Locality", place_fields);

static const struct support_field locality_fields[] = {
	INTO(1, "locality", place, NULL),
	INTO(2, "lb_endpoints[]", lb_endpoint, NULL),
	INTO(3, "load_balancing_weight", support_opaque, NULL),
	HONOURED(5, "priority", "0 to 128"),
	COUNTED(6, "proximity", NULL),
	REFUSED(7, "load_balancer_endpoints", NULL),
	REFUSED(8, "leds_cluster_locality_config", NULL),
	INTO(9, "metadata", support_metadata, "as an endpoint's, which comes first"),
};

static const struct support_message locality =
	MESSAGE("envoy.config.endpoint.v3.LocalityLbEndpoints", locality_fields);

static const struct support_field policy_fields[] = {
	COUNTED(2, "drop_overloads[]", "nothing is dropped"),
	INTO(3, "overprovisioning_factor", support_opaque, "absent: 140"),
	COUNTED(4, "endpoint_stale_after", NULL),
	REFUSED(6, "weighted_priority_health", NULL),
};

static const struct support_message policy =
	MESSAGE("envoy.config.endpoint.v3.ClusterLoadAssignment.Policy", policy_fields);

static const struct support_field assignment_fields[] = {
	HONOURED(1, "cluster_name", NULL),
	INTO(2, "endpoints[]", locality, NULL),
	INTO(4, "policy", policy, NULL),
	COUNTED(5, "named_endpoints[]", "endpoint_name is refused"),
};

const struct support_message support_assignment =
	MESSAGE("envoy.config.endpoint.v3.ClusterLoadAssignment", assignment_fields);

static const struct support_field eds_fields[] = {
	INTO(1, "eds_config", support_config_source, NULL),
	HONOURED(2, "service_name", "absent: the cluster's name"),
};

static const struct support_message eds =
	MESSAGE("envoy.config.cluster.v3.Cluster.EdsClusterConfig", eds_fields);

static const struct support_field subset_fields[] = {
	COUNTED(1, "fallback_policy", NULL),
	COUNTED(2, "default_subset", NULL),
	REFUSED(3, "subset_selectors[]", NULL),
	COUNTED(4, "locality_weight_aware", NULL),
	COUNTED(5, "scale_locality_weight", NULL),
	COUNTED(6, "panic_mode_any", NULL),
	COUNTED(7, "list_as_any", NULL),
	COUNTED(8, "metadata_fallback_policy", NULL),
};

static const struct support_message subset =
	MESSAGE("envoy.config.cluster.v3.Cluster.LbSubsetConfig", subset_fields);

static const struct support_field round_robin_config_fields[] = {
	REFUSED(1, "slow_start_config", NULL),
};

static const struct support_message round_robin_config =
	MESSAGE("envoy.config.cluster.v3.Cluster.RoundRobinLbConfig", round_robin_config_fields);

static const struct support_field runtime_double_fields[] = {
	HONOURED(1, "default_value", NULL),
	COUNTED(2, "runtime_key", "there is no runtime"),
};

static const struct support_message runtime_double =
	MESSAGE("envoy.config.core.v3.RuntimeDouble", runtime_double_fields);

static const struct support_field least_request_config_fields[] = {
	INTO(1, "choice_count", support_opaque, "absent: 2"),
	INTO(2, "active_request_bias", runtime_double, "absent: 1"),
	REFUSED(3, "slow_start_config", NULL),
};

static const struct support_message least_request_config = MESSAGE(
	"envoy.config.cluster.v3.Cluster.LeastRequestLbConfig", least_request_config_fields);

static const struct support_field common_lb_fields[] = {
	INTO(1, "healthy_panic_threshold", support_opaque, "absent: 50 %; 0: 503 instead of panic"),
	COUNTED(2, "zone_aware_lb_config", "the node is in no cluster of its own"),
	INTO(3, "locality_weighted_lb_config", support_opaque, NULL),
	COUNTED(4, "update_merge_window", "updates are merged while one is compiled"),
	COUNTED(5, "ignore_new_hosts_until_first_hc", NULL),
	COUNTED(6, "close_connections_on_host_set_change", NULL),
	COUNTED(7, "consistent_hashing_lb_config", NULL),
	COUNTED(8, "override_host_status", NULL),
};

static const struct support_message common_lb =
	MESSAGE("envoy.config.cluster.v3.Cluster.CommonLbConfig", common_lb_fields);

static const struct support_field extension_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(2, "typed_config", support_any, "RoundRobin, LeastRequest, Random, WrrLocality"),
};

static const struct support_message extension =
	MESSAGE("envoy.config.core.v3.TypedExtensionConfig", extension_fields);

static const struct support_field lb_item_fields[] = {
	INTO(4, "typed_extension_config", extension, NULL),
};

static const struct support_message lb_item =
	MESSAGE("envoy.config.cluster.v3.LoadBalancingPolicy.Policy", lb_item_fields);

static const struct support_field lb_policy_fields[] = {
	INTO(1, "policies[]", lb_item, "the first that is supported"),
};

static const struct support_message lb_policy =
	MESSAGE("envoy.config.cluster.v3.LoadBalancingPolicy", lb_policy_fields);

static const struct support_field cluster_fields[] = {
	HONOURED(1, "name", NULL),
	HONOURED(2, "type", "STATIC, STRICT_DNS, LOGICAL_DNS, EDS"),
	INTO(3, "eds_cluster_config", eds, NULL),
	INTO(4, "connect_timeout", support_opaque, "absent: 5 s"),
	COUNTED(5, "per_connection_buffer_limit_bytes", "nothing is buffered"),
	HONOURED(
		6, "lb_policy", "ROUND_ROBIN, LEAST_REQUEST, RANDOM, LOAD_BALANCING_POLICY_CONFIG"),
	COUNTED(8, "health_checks[]", "not done yet"),
	COUNTED(9, "max_requests_per_connection", NULL),
	COUNTED(10, "circuit_breakers", NULL),
	COUNTED(13, "http_protocol_options", NULL),
	REFUSED(14, "http2_protocol_options", NULL),
	INTO(16, "dns_refresh_rate", support_opaque, "absent: 5 s"),
	HONOURED(17, "dns_lookup_family", NULL),
	COUNTED(18, "dns_resolvers[]", NULL),
	COUNTED(19, "outlier_detection", "not done yet"),
	COUNTED(20, "cleanup_interval", NULL),
	COUNTED(21, "upstream_bind_config", "the file has the addresses"),
	INTO(22, "lb_subset_config", subset, NULL),
	COUNTED(23, "ring_hash_lb_config", NULL),
	INTO(24, "transport_socket", support_socket, NULL),
	INTO(25, "metadata", support_metadata, "as an endpoint's, which comes first"),
	COUNTED(26, "protocol_selection", NULL),
	INTO(27, "common_lb_config", common_lb, NULL),
	COUNTED(28, "alt_stat_name", NULL),
	INTO(29, "common_http_protocol_options", support_protocol_options, NULL),
	COUNTED(30, "upstream_connection_options", NULL),
	COUNTED(31, "close_connections_on_host_health_failure", NULL),
	COUNTED(32, "ignore_health_on_host_removal", NULL),
	INTO(33, "load_assignment", support_assignment, "of all types but EDS"),
	COUNTED(34, "original_dst_lb_config", NULL),
	INTO(36, "typed_extension_protocol_options[]", support_typed_entry, "HttpProtocolOptions"),
	INTO(37, "least_request_lb_config", least_request_config, NULL),
	REFUSED(38, "cluster_type", NULL),
	HONOURED(39, "respect_dns_ttl", NULL),
	REFUSED(40, "filters[]", NULL),
	INTO(41, "load_balancing_policy", lb_policy, "instead of lb_policy"),
	COUNTED(42, "lrs_server", NULL),
	REFUSED(43, "transport_socket_matches[]", NULL),
	COUNTED(44, "dns_failure_refresh_rate", NULL),
	COUNTED(45, "use_tcp_for_dns_lookups", NULL),
	COUNTED(46, "upstream_http_protocol_options", NULL),
	COUNTED(47, "track_timeout_budgets", NULL),
	REFUSED(48, "upstream_config", NULL),
	COUNTED(49, "track_cluster_stats", NULL),
	COUNTED(50, "preconnect_policy", NULL),
	COUNTED(51, "connection_pool_per_downstream_connection", NULL),
	COUNTED(52, "maglev_lb_config", NULL),
	COUNTED(53, "dns_resolution_config", NULL),
	COUNTED(54, "wait_for_warm_on_init", NULL),
	COUNTED(55, "typed_dns_resolver_config", NULL),
	INTO(56, "round_robin_lb_config", round_robin_config, NULL),
	COUNTED(57, "lrs_report_endpoint_metrics[]", NULL),
	COUNTED(58, "dns_jitter", NULL),
	REFUSED(59, "transport_socket_matcher", NULL),
};

const struct support_message support_cluster =
	MESSAGE("envoy.config.cluster.v3.Cluster", cluster_fields);

static const struct support_field explicit_fields[] = {
	COUNTED(1, "http_protocol_options", "HTTP/1.1"),
	REFUSED(2, "http2_protocol_options", NULL),
	REFUSED(3, "http3_protocol_options", NULL),
};

static const struct support_message explicit_options =
	MESSAGE("envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig",
		explicit_fields);

static const struct support_field http_options_fields[] = {
	INTO(1, "common_http_protocol_options", support_protocol_options, NULL),
	COUNTED(2, "upstream_http_protocol_options", NULL),
	INTO(3, "explicit_http_config", explicit_options, NULL),
	INTO(4, "use_downstream_protocol_config", support_opaque, "HTTP/1.1"),
	REFUSED(5, "auto_config", NULL),
	REFUSED(6, "http_filters[]", NULL),
	COUNTED(7, "header_validation_config", NULL),
	COUNTED(8, "outlier_detection", NULL),
	COUNTED(9, "request_mirror_policies[]", NULL),
	COUNTED(10, "hash_policy[]", NULL),
	COUNTED(11, "retry_policy", NULL),
};

const struct support_message support_http_options =
	MESSAGE("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", http_options_fields);

static const struct support_field locality_lb_fields[] = {
	COUNTED(1, "zone_aware_lb_config", "the node is in no cluster of its own"),
	INTO(2, "locality_weighted_lb_config", support_opaque, NULL),
};

static const struct support_message locality_lb = MESSAGE(
	"envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig", locality_lb_fields);

static const struct support_field round_robin_fields[] = {
	REFUSED(1, "slow_start_config", NULL),
	INTO(2, "locality_lb_config", locality_lb, NULL),
};

const struct support_message support_round_robin = MESSAGE(
	"envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin", round_robin_fields);

static const struct support_field least_request_fields[] = {
	INTO(1, "choice_count", support_opaque, "absent: 2"),
	INTO(2, "active_request_bias", runtime_double, "absent: 1"),
	REFUSED(3, "slow_start_config", NULL),
	INTO(4, "locality_lb_config", locality_lb, NULL),
	REFUSED(5, "enable_full_scan", NULL),
	REFUSED(6, "selection_method", "but for N_CHOICES"),
};

const struct support_message support_least_request =
	MESSAGE("envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
		least_request_fields);

static const struct support_field random_fields[] = {
	INTO(1, "locality_lb_config", locality_lb, NULL),
};

const struct support_message support_random =
	MESSAGE("envoy.extensions.load_balancing_policies.random.v3.Random", random_fields);

static const struct support_field wrr_locality_fields[] = {
	INTO(1, "endpoint_picking_policy", lb_policy, NULL),
};

const struct support_message support_wrr_locality =
	MESSAGE("envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality",
		wrr_locality_fields);
