// SPDX-License-Identifier: Apache-2.0

// The support table: what messages of several types share.

#include "ctrl/xds/support_priv.h"

const struct support_message support_opaque = {0};

static const struct support_field any_fields[] = {
	HONOURED(1, "type_url", "what follows the last '/'"),
	INTO(2, "value", support_opaque, NULL),
};

const struct support_message support_any = MESSAGE("google.protobuf.Any", any_fields);

static const struct support_field socket_address_fields[] = {
	HONOURED(1, "protocol", "TCP"),
	HONOURED(2, "address", "IPv4 or IPv6; a name in clusters that DNS resolves"),
	HONOURED(3, "port_value", NULL),
	REFUSED(4, "named_port", NULL),
	COUNTED(5, "resolver_name", NULL),
	COUNTED(6, "ipv4_compat", NULL),
	REFUSED(7, "network_namespace_filepath", NULL),
};

static const struct support_message socket_address =
	MESSAGE("envoy.config.core.v3.SocketAddress", socket_address_fields);

static const struct support_field address_fields[] = {
	INTO(1, "socket_address", socket_address, NULL),
	REFUSED(2, "pipe", NULL),
	REFUSED(3, "envoy_internal_address", NULL),
};

const struct support_message support_address =
	MESSAGE("envoy.config.core.v3.Address", address_fields);

static const struct support_field additional_address_fields[] = {
	INTO(1, "address", support_address, NULL),
	COUNTED(2, "socket_options", NULL),
	COUNTED(3, "tcp_keepalive", NULL),
};

const struct support_message support_additional_address =
	MESSAGE("envoy.config.listener.v3.AdditionalAddress", additional_address_fields);

static const struct support_field api_source_fields[] = {
	HONOURED(1, "api_type", "all but REST"),
	COUNTED(2, "cluster_names", NULL),
	COUNTED(3, "refresh_delay", NULL),
	COUNTED(4, "grpc_services[]", "the server that named the resource is asked"),
	COUNTED(5, "request_timeout", NULL),
	COUNTED(6, "rate_limit_settings", NULL),
	COUNTED(7, "set_node_on_first_message_only", NULL),
	HONOURED(8, "transport_api_version", NULL),
	COUNTED(9, "config_validators[]", NULL),
};

static const struct support_message api_source =
	MESSAGE("envoy.config.core.v3.ApiConfigSource", api_source_fields);

static const struct support_field config_source_fields[] = {
	REFUSED(1, "path", NULL),
	INTO(2, "api_config_source", api_source, "as ads"),
	INTO(3, "ads", support_opaque, NULL),
	INTO(4, "initial_fetch_timeout", support_opaque, "absent: 15 s; 0: none"),
	INTO(5, "self", support_opaque, "as ads"),
	HONOURED(6, "resource_api_version", "AUTO and V3"),
	REFUSED(7, "authorities[]", NULL),
	REFUSED(8, "path_config_source", NULL),
};

const struct support_message support_config_source =
	MESSAGE("envoy.config.core.v3.ConfigSource", config_source_fields);

static const struct support_field metadata_value_fields[] = {
	HONOURED(3, "string_value", NULL),
	INTO(5, "struct_value", support_opaque, NULL),
	INTO(6, "list_value", support_opaque, NULL),
};

static const struct support_message metadata_value =
	MESSAGE("google.protobuf.Value", metadata_value_fields);

static const struct support_field struct_entry_fields[] = {
	HONOURED(1, "key", NULL),
	INTO(2, "value", metadata_value, NULL),
};

static const struct support_message struct_entry =
	MESSAGE("google.protobuf.Struct.fields", struct_entry_fields);

static const struct support_field struct_fields[] = {
	INTO(1, "fields[]", struct_entry, NULL),
};

static const struct support_message struct_message =
	MESSAGE("google.protobuf.Struct", struct_fields);

static const struct support_field metadata_entry_fields[] = {
	HONOURED(1, "key", NULL),
	INTO(2, "value", struct_message, NULL),
};

static const struct support_message metadata_entry =
	MESSAGE("envoy.config.core.v3.Metadata.filter_metadata", metadata_entry_fields);

static const struct support_field typed_metadata_fields[] = {
	HONOURED(1, "key", NULL),
	INTO(2, "value", support_opaque, NULL),
};

static const struct support_message typed_metadata =
	MESSAGE("envoy.config.core.v3.Metadata.typed_filter_metadata", typed_metadata_fields);

static const struct support_field metadata_fields[] = {
	INTO(1, "filter_metadata[]", metadata_entry, "key pergola.srv6; others mean nothing here"),
	INTO(2, "typed_filter_metadata[]", typed_metadata, "refused for key pergola.srv6"),
};

const struct support_message support_metadata =
	MESSAGE("envoy.config.core.v3.Metadata", metadata_fields);

static const struct support_field socket_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(3, "typed_config", support_any, "RawBuffer; TLS contexts are refused"),
};

const struct support_message support_socket =
	MESSAGE("envoy.config.core.v3.TransportSocket", socket_fields);

static const struct support_field typed_entry_fields[] = {
	HONOURED(1, "key", NULL),
	INTO(2, "value", support_any, NULL),
};

const struct support_message support_typed_entry = MESSAGE("map<string, Any>", typed_entry_fields);

static const struct support_field protocol_options_fields[] = {
	INTO(1, "idle_timeout", support_opaque,
		"of listeners: absent: 1 h; 0: none. Of clusters: absent: 1 min"),
	COUNTED(2, "max_headers_count", "the node has limits of its own"),
	COUNTED(3, "max_connection_duration", NULL),
	COUNTED(4, "max_stream_duration", NULL),
	HONOURED(5, "headers_with_underscores_action", "of listeners; what clusters answer passes"),
	COUNTED(6, "max_requests_per_connection", NULL),
	COUNTED(7, "max_response_headers_kb", NULL),
};

const struct support_message support_protocol_options =
	MESSAGE("envoy.config.core.v3.HttpProtocolOptions", protocol_options_fields);

static const struct support_field data_source_fields[] = {
	REFUSED(1, "filename", NULL),
	INTO(2, "inline_bytes", support_opaque, NULL),
	HONOURED(3, "inline_string", NULL),
	REFUSED(4, "environment_variable", NULL),
	COUNTED(5, "watched_directory", NULL),
};

const struct support_message support_data_source =
	MESSAGE("envoy.config.core.v3.DataSource", data_source_fields);

static const struct support_field certificate_fields[] = {
	INTO(1, "certificate_chain", support_data_source, "PEM"),
	INTO(2, "private_key", support_data_source, "PEM"),
	REFUSED(3, "password", NULL),
	COUNTED(4, "ocsp_staple", NULL),
	COUNTED(5, "signed_certificate_timestamp[]", NULL),
	REFUSED(6, "private_key_provider", NULL),
	COUNTED(7, "watched_directory", NULL),
	REFUSED(8, "pkcs12", NULL),
};

static const struct support_message certificate =
	MESSAGE("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", certificate_fields);

static const struct support_field validation_fields[] = {
	INTO(1, "trusted_ca", support_data_source, "PEM"),
	REFUSED(2, "verify_certificate_hash[]", NULL),
	REFUSED(3, "verify_certificate_spki[]", NULL),
	REFUSED(6, "require_signed_certificate_timestamp", NULL),
	REFUSED(7, "crl", NULL),
	REFUSED(8, "allow_expired_certificate", NULL),
	REFUSED(9, "match_subject_alt_names[]", "the file says whom to trust"),
	REFUSED(10, "trust_chain_verification", NULL),
	COUNTED(11, "watched_directory", NULL),
	REFUSED(12, "custom_validator_config", NULL),
	REFUSED(13, "ca_certificate_provider_instance", NULL),
	REFUSED(14, "only_verify_leaf_cert_crl", NULL),
	REFUSED(15, "match_typed_subject_alt_names[]", "the file says whom to trust"),
	REFUSED(16, "max_verify_depth", NULL),
	REFUSED(17, "system_root_certs", NULL),
};

static const struct support_message validation =
	MESSAGE("envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext",
		validation_fields);

static const struct support_field secret_fields[] = {
	HONOURED(1, "name", NULL),
	INTO(2, "tls_certificate", certificate, "to show the server of xDS"),
	REFUSED(3, "session_ticket_keys", NULL),
	INTO(4, "validation_context", validation, "to verify the server of xDS"),
	REFUSED(5, "generic_secret", NULL),
};

const struct support_message support_secret =
	MESSAGE("envoy.extensions.transport_sockets.tls.v3.Secret", secret_fields);
