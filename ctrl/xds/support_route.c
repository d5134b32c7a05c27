// SPDX-License-Identifier: Apache-2.0

// The support table: route configurations.

#include "ctrl/xds/support_priv.h"

#define HEADS_PASS "heads pass as they are"

static const struct support_field fraction_fields[] = {
	INTO(1, "default_value", support_opaque, "100 %"),
	COUNTED(2, "runtime_key", NULL),
};

static const struct support_message fraction =
	MESSAGE("envoy.config.core.v3.RuntimeFractionalPercent", fraction_fields);

static const struct support_field string_match_fields[] = {
	HONOURED(1, "exact", NULL),
	HONOURED(2, "prefix", NULL),
	HONOURED(3, "suffix", NULL),
	REFUSED(5, "safe_regex", NULL),
	HONOURED(6, "ignore_case", NULL),
	HONOURED(7, "contains", NULL),
	REFUSED(8, "custom", NULL),
};

static const struct support_message string_match =
	MESSAGE("envoy.type.matcher.v3.StringMatcher", string_match_fields);

static const struct support_field range_fields[] = {
	HONOURED(1, "start", NULL),
	HONOURED(2, "end", NULL),
};

static const struct support_message range = MESSAGE("envoy.type.v3.Int64Range", range_fields);

static const struct support_field header_match_fields[] = {
	HONOURED(1, "name", ":method, :authority and :path, too"),
	HONOURED(4, "exact_match", "empty: any value"),
	INTO(6, "range_match", range, NULL),
	HONOURED(7, "present_match", NULL),
	HONOURED(8, "invert_match", NULL),
	HONOURED(9, "prefix_match", NULL),
	HONOURED(10, "suffix_match", NULL),
	REFUSED(11, "safe_regex_match", NULL),
	HONOURED(12, "contains_match", NULL),
	INTO(13, "string_match", string_match, NULL),
	HONOURED(14, "treat_missing_header_as_empty", NULL),
};

static const struct support_message header_match =
	MESSAGE("envoy.config.route.v3.HeaderMatcher", header_match_fields);

static const struct support_field route_match_fields[] = {
	HONOURED(1, "prefix", NULL),
	HONOURED(2, "path", NULL),
	INTO(4, "case_sensitive", support_opaque, "true"),
	INTO(6, "headers[]", header_match, NULL),
	REFUSED(7, "query_parameters[]", NULL),
	REFUSED(8, "grpc", NULL),
	INTO(9, "runtime_fraction", fraction, NULL),
	REFUSED(10, "safe_regex", NULL),
	REFUSED(11, "tls_context", NULL),
	REFUSED(12, "connect_matcher", NULL),
	REFUSED(13, "dynamic_metadata[]", NULL),
	HONOURED(14, "path_separated_prefix", NULL),
	REFUSED(15, "path_match_policy", NULL),
	REFUSED(16, "filter_state[]", NULL),
	REFUSED(17, "cookies[]", NULL),
};

static const struct support_message route_match =
	MESSAGE("envoy.config.route.v3.RouteMatch", route_match_fields);

static const struct support_field cluster_weight_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(2, "weight", support_opaque, NULL),
	REFUSED(3, "metadata_match", NULL),
	COUNTED(4, "request_headers_to_add[]", HEADS_PASS),
	COUNTED(5, "response_headers_to_add[]", HEADS_PASS),
	COUNTED(6, "response_headers_to_remove[]", HEADS_PASS),
	COUNTED(9, "request_headers_to_remove[]", HEADS_PASS),
	INTO(10, "typed_per_filter_config[]", support_typed_entry,
		"nothing, as its filters; RBAC is refused"),
	REFUSED(11, "host_rewrite_literal", NULL),
	REFUSED(12, "cluster_header", NULL),
};

static const struct support_message cluster_weight =
	MESSAGE("envoy.config.route.v3.WeightedCluster.ClusterWeight", cluster_weight_fields);

static const struct support_field weighted_fields[] = {
	INTO(1, "clusters[]", cluster_weight, NULL),
	COUNTED(2, "runtime_key_prefix", NULL),
	COUNTED(3, "total_weight", "the weights' sum counts"),
	REFUSED(4, "header_name", NULL),
	INTO(5, "use_hash_policy", support_opaque, "false"),
};

static const struct support_message weighted =
	MESSAGE("envoy.config.route.v3.WeightedCluster", weighted_fields);

static const struct support_field action_fields[] = {
	HONOURED(1, "cluster", NULL),
	REFUSED(2, "cluster_header", NULL),
	INTO(3, "weighted_clusters", weighted, NULL),
	REFUSED(4, "metadata_match", NULL),
	REFUSED(5, "prefix_rewrite", NULL),
	HONOURED(6, "host_rewrite_literal", "a host, and perhaps a port"),
	INTO(7, "auto_host_rewrite", support_opaque, "false"),
	INTO(8, "timeout", support_opaque, "absent: 15 s; 0: none"),
	COUNTED(9, "retry_policy", NULL),
	COUNTED(11, "priority", NULL),
	COUNTED(13, "rate_limits[]", NULL),
	COUNTED(14, "include_vh_rate_limits", NULL),
	COUNTED(15, "hash_policy[]", "no load balancing here hashes"),
	COUNTED(17, "cors", NULL),
	HONOURED(20, "cluster_not_found_response_code", NULL),
	COUNTED(23, "max_grpc_timeout", NULL),
	INTO(24, "idle_timeout", support_opaque, "absent: the listener's; 0: none"),
	COUNTED(25, "upgrade_configs[]", "upgrades pass"),
	COUNTED(26, "internal_redirect_action", NULL),
	COUNTED(27, "hedge_policy", NULL),
	COUNTED(28, "grpc_timeout_offset", NULL),
	REFUSED(29, "host_rewrite_header", NULL),
	COUNTED(30, "request_mirror_policies[]", NULL),
	COUNTED(31, "max_internal_redirects", NULL),
	REFUSED(32, "regex_rewrite", NULL),
	COUNTED(33, "retry_policy_typed_config", NULL),
	COUNTED(34, "internal_redirect_policy", NULL),
	REFUSED(35, "host_rewrite_path_regex", NULL),
	COUNTED(36, "max_stream_duration", NULL),
	REFUSED(37, "cluster_specifier_plugin", NULL),
	COUNTED(38, "append_x_forwarded_host", NULL),
	REFUSED(39, "inline_cluster_specifier_plugin", NULL),
	COUNTED(40, "early_data_policy", NULL),
	REFUSED(41, "path_rewrite_policy", NULL),
	COUNTED(42, "flush_timeout", NULL),
	REFUSED(44, "host_rewrite", NULL),
	REFUSED(45, "path_rewrite", NULL),
};

static const struct support_message action =
	MESSAGE("envoy.config.route.v3.RouteAction", action_fields);

static const struct support_field direct_fields[] = {
	HONOURED(1, "status", "200 to 599"),
	INTO(2, "body", support_data_source, "up to 4096 bytes"),
	COUNTED(3, "body_format", NULL),
};

static const struct support_message direct =
	MESSAGE("envoy.config.route.v3.DirectResponseAction", direct_fields);

static const struct support_field route_fields[] = {
	INTO(1, "match", route_match, NULL),
	INTO(2, "route", action, NULL),
	REFUSED(3, "redirect", NULL),
	COUNTED(4, "metadata", NULL),
	COUNTED(5, "decorator", NULL),
	INTO(7, "direct_response", direct, NULL),
	COUNTED(9, "request_headers_to_add[]", HEADS_PASS),
	COUNTED(10, "response_headers_to_add[]", HEADS_PASS),
	COUNTED(11, "response_headers_to_remove[]", HEADS_PASS),
	COUNTED(12, "request_headers_to_remove[]", HEADS_PASS),
	INTO(13, "typed_per_filter_config[]", support_typed_entry,
		"nothing, as its filters; RBAC is refused"),
	HONOURED(14, "name",
		"one that is given twice or longer than 127 is replaced by the route's number"),
	COUNTED(15, "tracing", NULL),
	COUNTED(16, "per_request_buffer_limit_bytes", "nothing is buffered"),
	REFUSED(17, "filter_action", NULL),
	REFUSED(18, "non_forwarding_action", NULL),
	COUNTED(19, "stat_prefix", NULL),
	COUNTED(20, "request_body_buffer_limit", "nothing is buffered"),
};

static const struct support_message route = MESSAGE("envoy.config.route.v3.Route", route_fields);

static const struct support_field host_fields[] = {
	HONOURED(1, "name", NULL),
	HONOURED(2, "domains[]", NULL),
	INTO(3, "routes[]", route, NULL),
	REFUSED(4, "require_tls", NULL),
	COUNTED(5, "virtual_clusters[]", NULL),
	COUNTED(6, "rate_limits[]", NULL),
	COUNTED(7, "request_headers_to_add[]", HEADS_PASS),
	COUNTED(8, "cors", NULL),
	COUNTED(10, "response_headers_to_add[]", HEADS_PASS),
	COUNTED(11, "response_headers_to_remove[]", HEADS_PASS),
	COUNTED(13, "request_headers_to_remove[]", HEADS_PASS),
	COUNTED(14, "include_request_attempt_count", NULL),
	INTO(15, "typed_per_filter_config[]", support_typed_entry,
		"nothing, as its filters; RBAC is refused"),
	COUNTED(16, "retry_policy", NULL),
	COUNTED(17, "hedge_policy", NULL),
	COUNTED(18, "per_request_buffer_limit_bytes", "nothing is buffered"),
	COUNTED(19, "include_attempt_count_in_response", NULL),
	COUNTED(20, "retry_policy_typed_config", NULL),
	REFUSED(21, "matcher", NULL),
	COUNTED(22, "request_mirror_policies[]", NULL),
	COUNTED(23, "include_is_timeout_retry_header", NULL),
	COUNTED(24, "metadata", NULL),
	COUNTED(25, "request_body_buffer_limit", "nothing is buffered"),
};

static const struct support_message host =
	MESSAGE("envoy.config.route.v3.VirtualHost", host_fields);

static const struct support_field routes_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(2, "virtual_hosts[]", host, NULL),
	COUNTED(3, "internal_only_headers[]", NULL),
	COUNTED(4, "response_headers_to_add[]", HEADS_PASS),
	COUNTED(5, "response_headers_to_remove[]", HEADS_PASS),
	COUNTED(6, "request_headers_to_add[]", HEADS_PASS),
	COUNTED(7, "validate_clusters", "a missing cluster is answered at its requests"),
	COUNTED(8, "request_headers_to_remove[]", HEADS_PASS),
	REFUSED(9, "vhds", NULL),
	COUNTED(10, "most_specific_header_mutations_wins", NULL),
	COUNTED(11, "max_direct_response_body_size_bytes", "4096"),
	REFUSED(12, "cluster_specifier_plugins[]", NULL),
	COUNTED(13, "request_mirror_policies[]", NULL),
	HONOURED(14, "ignore_port_in_host_matching", NULL),
	REFUSED(15, "ignore_path_parameters_in_path_matching", NULL),
	INTO(16, "typed_per_filter_config[]", support_typed_entry,
		"nothing, as its filters; RBAC is refused"),
	COUNTED(17, "metadata", NULL),
	REFUSED(18, "vhost_header", NULL),
};

const struct support_message support_routes =
	MESSAGE("envoy.config.route.v3.RouteConfiguration", routes_fields);

static const struct support_field filter_config_fields[] = {
	INTO(1, "config", support_any, "nothing, as its filters; RBAC is refused"),
	HONOURED(2, "is_optional", NULL),
	HONOURED(3, "disabled", NULL),
};

const struct support_message support_filter_config =
	MESSAGE("envoy.config.route.v3.FilterConfig", filter_config_fields);
