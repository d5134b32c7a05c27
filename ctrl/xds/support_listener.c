// SPDX-License-Identifier: Apache-2.0

// The support table: listeners and what stands in their filters.

#include "ctrl/xds/support_priv.h"

static const struct support_field chain_match_fields[] = {
	REFUSED(3, "prefix_ranges[]", NULL),
	REFUSED(4, "address_suffix", NULL),
	REFUSED(5, "suffix_len", NULL),
	REFUSED(6, "source_prefix_ranges[]", NULL),
	REFUSED(7, "source_ports[]", NULL),
	INTO(8, "destination_port", support_opaque, "the listener's own"),
	HONOURED(9, "transport_protocol", "raw_buffer, or none"),
	REFUSED(10, "application_protocols[]", NULL),
	REFUSED(11, "server_names[]", NULL),
	REFUSED(12, "source_type", NULL),
	REFUSED(13, "direct_source_prefix_ranges[]", NULL),
};

static const struct support_message chain_match =
	MESSAGE("envoy.config.listener.v3.FilterChainMatch", chain_match_fields);

static const struct support_field filter_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(4, "typed_config", support_any, "HttpConnectionManager or TcpProxy"),
	REFUSED(5, "config_discovery", NULL),
};

static const struct support_message filter =
	MESSAGE("envoy.config.listener.v3.Filter", filter_fields);

static const struct support_field chain_fields[] = {
	INTO(1, "filter_chain_match", chain_match, NULL),
	INTO(3, "filters[]", filter, "one"),
	REFUSED(4, "use_proxy_proto", NULL),
	COUNTED(5, "metadata", NULL),
	INTO(6, "transport_socket", support_socket, NULL),
	COUNTED(7, "name", NULL),
	COUNTED(9, "transport_socket_connect_timeout", NULL),
};

static const struct support_message chain =
	MESSAGE("envoy.config.listener.v3.FilterChain", chain_fields);

static const struct support_field listener_filter_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(3, "typed_config", support_any,
		"TlsInspector, which does nothing here; others are refused"),
	COUNTED(4, "filter_disabled", NULL),
	REFUSED(5, "config_discovery", NULL),
};

static const struct support_message listener_filter =
	MESSAGE("envoy.config.listener.v3.ListenerFilter", listener_filter_fields);

static const struct support_field listener_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(2, "address", support_address, "the file maps wildcard and loopback addresses"),
	INTO(3, "filter_chains[]", chain, "one, or the default one"),
	INTO(4, "use_original_dst", support_opaque, "false"),
	COUNTED(5, "per_connection_buffer_limit_bytes", "nothing is buffered"),
	INTO(6, "metadata", support_metadata, "pergola.srv6: service_network or vrfs"),
	COUNTED(8, "drain_type", NULL),
	INTO(9, "listener_filters[]", listener_filter, NULL),
	INTO(10, "transparent", support_opaque, "false"),
	COUNTED(11, "freebind", NULL),
	COUNTED(12, "tcp_fast_open_queue_length", NULL),
	COUNTED(13, "socket_options[]", NULL),
	COUNTED(15, "listener_filters_timeout", NULL),
	COUNTED(16, "traffic_direction", NULL),
	COUNTED(17, "continue_on_listener_filters_timeout", NULL),
	REFUSED(18, "udp_listener_config", NULL),
	REFUSED(19, "api_listener", "of proxyless gRPC"),
	COUNTED(20, "connection_balance_config", NULL),
	COUNTED(21, "reuse_port", NULL),
	COUNTED(22, "access_log[]", NULL),
	COUNTED(24, "tcp_backlog_size", NULL),
	INTO(25, "default_filter_chain", chain, "instead of one in filter_chains"),
	INTO(26, "bind_to_port", support_opaque, "true"),
	REFUSED(27, "internal_listener", NULL),
	COUNTED(28, "stat_prefix", NULL),
	COUNTED(29, "enable_reuse_port", NULL),
	COUNTED(30, "enable_mptcp", NULL),
	COUNTED(31, "ignore_global_conn_limit", NULL),
	REFUSED(32, "filter_chain_matcher", NULL),
	INTO(33, "additional_addresses[]", support_additional_address, "with the same port"),
	COUNTED(34, "max_connections_to_accept_per_socket_event", NULL),
	COUNTED(35, "bypass_overload_manager", NULL),
	REFUSED(36, "fcds_config", NULL),
	COUNTED(37, "tcp_keepalive", NULL),
};

const struct support_message support_listener =
	MESSAGE("envoy.config.listener.v3.Listener", listener_fields);

static const struct support_field rds_fields[] = {
	INTO(1, "config_source", support_config_source, NULL),
	HONOURED(2, "route_config_name", NULL),
};

static const struct support_message rds =
	MESSAGE("envoy.extensions.filters.network.http_connection_manager.v3.Rds", rds_fields);

static const struct support_field http_filter_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(4, "typed_config", support_any,
		"Router, as the last; another one only when it is optional"),
	REFUSED(5, "config_discovery", NULL),
	HONOURED(6, "is_optional", "never for RBAC"),
	HONOURED(7, "disabled", NULL),
};

static const struct support_message http_filter =
	MESSAGE("envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
		http_filter_fields);

static const struct support_field http_manager_fields[] = {
	HONOURED(1, "codec_type", "AUTO, which means HTTP1, and HTTP1"),
	COUNTED(2, "stat_prefix", NULL),
	INTO(3, "rds", rds, NULL),
	INTO(4, "route_config", support_routes, NULL),
	INTO(5, "http_filters[]", http_filter, NULL),
	COUNTED(6, "add_user_agent", NULL),
	COUNTED(7, "tracing", NULL),
	COUNTED(8, "http_protocol_options",
		"HTTP/1.0 and trailers pass, absolute URLs are understood"),
	COUNTED(9, "http2_protocol_options", NULL),
	COUNTED(10, "server_name", "a response's server field passes"),
	COUNTED(12, "drain_timeout", NULL),
	COUNTED(13, "access_log[]", NULL),
	INTO(14, "use_remote_address", support_opaque, "true: adds to x-forwarded-for"),
	INTO(15, "generate_request_id", support_opaque, "absent: true"),
	COUNTED(16, "forward_client_cert_details", NULL),
	COUNTED(17, "set_current_client_cert_details", NULL),
	COUNTED(18, "proxy_100_continue", "it passes"),
	COUNTED(19, "xff_num_trusted_hops", NULL),
	COUNTED(20, "represent_ipv4_remote_address_as_ipv4_mapped_ipv6", NULL),
	HONOURED(21, "skip_xff_append", NULL),
	COUNTED(22, "via", NULL),
	COUNTED(23, "upgrade_configs[]", "upgrades pass"),
	INTO(24, "stream_idle_timeout", support_opaque, "absent: 5 min; 0: none"),
	COUNTED(25, "internal_address_config", NULL),
	COUNTED(26, "delayed_close_timeout", NULL),
	COUNTED(28, "request_timeout", NULL),
	INTO(29, "max_request_headers_kb", support_opaque, "1 to 40; more, and absent: 40"),
	INTO(30, "normalize_path", support_opaque, "absent: false"),
	REFUSED(31, "scoped_routes", NULL),
	COUNTED(32, "preserve_external_request_id", "it is always preserved"),
	HONOURED(33, "merge_slashes", NULL),
	COUNTED(34, "server_header_transformation", "a response's server field passes"),
	INTO(35, "common_http_protocol_options", support_protocol_options, NULL),
	COUNTED(36, "request_id_extension", NULL),
	HONOURED(37, "always_set_request_id_in_response", NULL),
	COUNTED(38, "local_reply_config", NULL),
	REFUSED(39, "strip_matching_host_port", NULL),
	COUNTED(40, "stream_error_on_invalid_http_message", NULL),
	INTO(41, "request_headers_timeout", support_opaque, "absent or 0: stream_idle_timeout"),
	REFUSED(42, "strip_any_host_port", NULL),
	COUNTED(43, "path_normalization_options", "only Envoy's preview has it"),
	COUNTED(44, "http3_protocol_options", NULL),
	HONOURED(45, "path_with_escaped_slashes_action", "the default keeps them"),
	COUNTED(46, "original_ip_detection_extensions[]", NULL),
	REFUSED(47, "strip_trailing_host_dot", NULL),
	COUNTED(48, "scheme_header_transformation", NULL),
	COUNTED(49, "proxy_status_config", NULL),
	COUNTED(50, "typed_header_validation_config", NULL),
	HONOURED(51, "append_x_forwarded_port", "with use_remote_address"),
	REFUSED(52, "early_header_mutation_extensions[]", NULL),
	COUNTED(53, "add_proxy_protocol_connection_state", NULL),
	COUNTED(54, "access_log_flush_interval", NULL),
	COUNTED(55, "flush_access_log_on_new_request", NULL),
	COUNTED(56, "access_log_options", NULL),
	COUNTED(57, "append_local_overload", NULL),
	COUNTED(58, "http1_safe_max_connection_duration", NULL),
	COUNTED(59, "stream_flush_timeout", NULL),
	COUNTED(60, "forward_client_cert_matcher", NULL),
	COUNTED(61, "forward_proto_config", NULL),
};

const struct support_message support_http_manager =
	MESSAGE("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		http_manager_fields);

static const struct support_field router_fields[] = {
	COUNTED(1, "dynamic_stats", NULL),
	COUNTED(2, "start_child_span", NULL),
	COUNTED(3, "upstream_log[]", NULL),
	COUNTED(4, "suppress_envoy_headers", "none are added"),
	COUNTED(5, "strict_check_headers[]", NULL),
	COUNTED(6, "respect_expected_rq_timeout", NULL),
	COUNTED(7, "suppress_grpc_request_failure_code_stats", NULL),
	REFUSED(8, "upstream_http_filters[]", NULL),
	COUNTED(9, "upstream_log_options", NULL),
	COUNTED(10, "reject_connect_request_early_data", NULL),
};

const struct support_message support_router =
	MESSAGE("envoy.extensions.filters.http.router.v3.Router", router_fields);

static const struct support_field tcp_weight_fields[] = {
	HONOURED(1, "name", NULL),
	HONOURED(2, "weight", "1 or more"),
	REFUSED(3, "metadata_match", NULL),
};

static const struct support_message tcp_weight = MESSAGE(
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight",
	tcp_weight_fields);

static const struct support_field tcp_weighted_fields[] = {
	INTO(1, "clusters[]", tcp_weight, NULL),
};

static const struct support_message tcp_weighted =
	MESSAGE("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster",
		tcp_weighted_fields);

static const struct support_field tcp_proxy_fields[] = {
	COUNTED(1, "stat_prefix", NULL),
	HONOURED(2, "cluster", NULL),
	COUNTED(3, "downstream_idle_timeout", NULL),
	COUNTED(4, "upstream_idle_timeout", NULL),
	COUNTED(5, "access_log[]", NULL),
	COUNTED(7, "max_connect_attempts", NULL),
	INTO(8, "idle_timeout", support_opaque, "absent: 1 h; 0: none"),
	REFUSED(9, "metadata_match", NULL),
	INTO(10, "weighted_clusters", tcp_weighted, NULL),
	COUNTED(11, "hash_policy[]", "no load balancing here hashes"),
	REFUSED(12, "tunneling_config", NULL),
	COUNTED(13, "max_downstream_connection_duration", NULL),
	COUNTED(14, "on_demand", NULL),
	COUNTED(15, "access_log_flush_interval", NULL),
	COUNTED(16, "flush_access_log_on_connected", NULL),
	COUNTED(17, "access_log_options", NULL),
	COUNTED(18, "backoff_options", NULL),
	REFUSED(19, "proxy_protocol_tlvs[]", NULL),
	COUNTED(20, "max_downstream_connection_duration_jitter_percentage", NULL),
	COUNTED(21, "upstream_connect_mode", NULL),
	COUNTED(22, "max_early_data_bytes", NULL),
};

const struct support_message support_tcp_proxy =
	MESSAGE("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", tcp_proxy_fields);
