// SPDX-License-Identifier: Apache-2.0

// What stands in messages of several types.

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"

enum {
	MAX_TIMEOUT_MS = INT32_MAX,
	DEFAULT_FETCH_TIMEOUT_MS = 15000,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
};

int decode_duration(struct decode *d, const struct decode_at *at, const Xds__Duration *duration,
	uint32_t absent_ms, uint32_t *ms)
{
	if (duration == NULL) {
		*ms = absent_ms;
		return 0;
	}
	if (duration->seconds < 0 || duration->nanos < 0 || duration->nanos >= NS_PER_S)
		return decode_refuse(d, at, "%lld s and %d ns are no time-out",
			(long long)duration->seconds, duration->nanos);
	if (duration->seconds >= MAX_TIMEOUT_MS / 1000)
		*ms = MAX_TIMEOUT_MS;
	else
		*ms = (uint32_t)duration->seconds * 1000 +
		      ((uint32_t)duration->nanos + NS_PER_MS - 1) / NS_PER_MS;
	return 0;
}

bool decode_is_true(const Xds__BoolValue *value)
{
	return value != NULL && value->value;
}

static int read_ip(const char *text, struct l7_address *address)
{
	*address = (struct l7_address){.family = 4};
	if (inet_pton(AF_INET, text, address->b) == 1)
		return 0;
	address->family = 6;
	return inet_pton(AF_INET6, text, address->b) == 1 ? 0 : -EINVAL;
}

int decode_address(struct decode *d, const struct decode_at *at, const Xds__Address *message,
	struct l7_address *address, uint16_t *port, const char **name)
{
	const struct decode_at *in = DECODE_IN(at, "socket_address");
	const Xds__SocketAddress *socket;
	char quoted[DECODE_TEXT_BYTES];

	if (message == NULL || message->address_case != XDS__ADDRESS__ADDRESS_SOCKET_ADDRESS)
		return decode_refuse(d, in, "is missing");
	socket = message->socket_address;
	if (socket->protocol != XDS__SOCKET_PROTOCOL__TCP)
		return decode_refuse(d, DECODE_IN(in, "protocol"),
			"%d is not supported yet; TCP is", (int)socket->protocol);
	if (socket->port_specifier_case != XDS__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE ||
		socket->port_value == 0 || socket->port_value > UINT16_MAX)
		return decode_refuse(d, DECODE_IN(in, "port_value"), "%u is out of range; 1 to %u",
			socket->port_specifier_case ==
					XDS__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE
				? socket->port_value
				: 0,
			UINT16_MAX);
	*port = (uint16_t)socket->port_value;
	if (name != NULL)
		*name = NULL;
	if (read_ip(socket->address, address) == 0)
		return 0;
	if (name == NULL || socket->address[0] == '\0')
		return decode_refuse(d, DECODE_IN(in, "address"),
			"%s is not an IPv4 or IPv6 address", decode_quote(socket->address, quoted));
	*address = (struct l7_address){0};
	return decode_text(d, socket->address, name);
}

int decode_source(struct decode *d, const struct decode_at *at, const Xds__ConfigSource *source,
	uint32_t *fetch_timeout_ms)
{
	const Xds__ApiConfigSource *api;

	if (source == NULL || source->source_case == XDS__CONFIG_SOURCE__SOURCE__NOT_SET)
		return decode_refuse(
			d, at, "one of \"ads\", \"self\", \"api_config_source\" is missing");
	if (source->resource_api_version != XDS__API_VERSION__AUTO &&
		source->resource_api_version != XDS__API_VERSION__V3)
		return decode_refuse(d, DECODE_IN(at, "resource_api_version"),
			"%d is not supported; AUTO and V3 are", (int)source->resource_api_version);
	if (source->source_case == XDS__CONFIG_SOURCE__SOURCE_API_CONFIG_SOURCE) {
		api = source->api_config_source;
		if (api->api_type != XDS__API_TYPE__GRPC &&
			api->api_type != XDS__API_TYPE__DELTA_GRPC &&
			api->api_type != XDS__API_TYPE__AGGREGATED_GRPC &&
			api->api_type != XDS__API_TYPE__AGGREGATED_DELTA_GRPC)
			return decode_refuse(d,
				DECODE_IN(DECODE_IN(at, "api_config_source"), "api_type"),
				"%d is not supported; GRPC, DELTA_GRPC, AGGREGATED_GRPC and "
				"AGGREGATED_DELTA_GRPC are",
				(int)api->api_type);
	}
	return decode_duration(d, DECODE_IN(at, "initial_fetch_timeout"),
		source->initial_fetch_timeout, DEFAULT_FETCH_TIMEOUT_MS, fetch_timeout_ms);
}

void decode_data(const Xds__DataSource *source, const uint8_t **text, size_t *text_len)
{
	*text = NULL;
	*text_len = 0;
	if (source == NULL)
		return;
	if (source->specifier_case == XDS__DATA_SOURCE__SPECIFIER_INLINE_STRING) {
		*text = (const uint8_t *)source->inline_string;
		*text_len = strlen(source->inline_string);
	} else if (source->specifier_case == XDS__DATA_SOURCE__SPECIFIER_INLINE_BYTES) {
		*text = source->inline_bytes.data;
		*text_len = source->inline_bytes.len;
	}
}

int decode_socket(struct decode *d, const struct decode_at *at, const Xds__TransportSocket *socket)
{
	static const char raw[] = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
	char quoted[DECODE_TEXT_BYTES];
	const char *type;

	if (socket == NULL)
		return 0;
	type = decode_type(socket->typed_config);
	if (strcmp(type, raw) == 0)
		return 0;
	return decode_refuse(d, DECODE_IN(at, "typed_config"),
		"%s is not supported yet; RawBuffer is", decode_quote(type, quoted));
}

static bool is_rbac(const Xds__Any *any)
{
	return strncmp(decode_type(any), "envoy.extensions.filters.http.rbac.",
		       strlen("envoy.extensions.filters.http.rbac.")) == 0;
}

int decode_filter_configs(struct decode *d, const struct decode_at *at, size_t n,
	Xds__TypedConfigEntry *const *entries)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++) {
		const struct decode_at *in =
			DECODE_IN(DECODE_ITEM(at, "typed_per_filter_config", i), "value");
		const Xds__Any *any = entries[i]->value;
		const Xds__FilterConfig *config;
		const void *message;

		if (strcmp(decode_type(any), "envoy.config.route.v3.FilterConfig") == 0) {
			rc = decode_any(d, in, &support_filter_config,
				&xds__filter_config__descriptor, any, &message);
			if (rc < 0)
				return rc;
			config = message;
			any = config->config;
		}
		if (is_rbac(any))
			return decode_refuse(d, in, "RBAC is not supported yet");
	}
	return rc;
}
