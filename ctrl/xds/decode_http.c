// SPDX-License-Identifier: Apache-2.0

// HTTP connection managers, which make a listener one of HTTP.

#include <errno.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/spec.h"

#define ROUTER_TYPE "envoy.extensions.filters.http.router.v3.Router"
// What servers call it that send no configuration of it.
#define ROUTER_NAME "envoy.filters.http.router"
#define RBAC_TYPES "envoy.extensions.filters.http.rbac."

enum {
	DEFAULT_IDLE_TIMEOUT_MS = 3600000,
	BYTES_PER_KB = 1024,
};

static int check_router(struct decode *d, const struct decode_at *at, const Xds__Any *any)
{
	const void *message;

	return any == NULL ? 0
			   : decode_any(d, DECODE_IN(at, "typed_config"), &support_router,
				     &xds__router__descriptor, any, &message);
}

static const Xds__Any *config_of(const Xds__HttpFilter *filter)
{
	return filter->config_type_case == XDS__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG
		       ? filter->typed_config
		       : NULL;
}

static bool is_router(const Xds__HttpFilter *filter)
{
	const Xds__Any *config = config_of(filter);

	return config == NULL ? strcmp(filter->name, ROUTER_NAME) == 0
			      : strcmp(decode_type(config), ROUTER_TYPE) == 0;
}

// The last filter is the router; others may only be skipped.
static int check_http_filters(
	struct decode *d, const struct decode_at *at, const Xds__HttpConnectionManager *message)
{
	const uint32_t n = (uint32_t)message->n_http_filters;
	const Xds__HttpFilter *last = n == 0 ? NULL : message->http_filters[n - 1];
	char quoted[DECODE_TEXT_BYTES];

	for (uint32_t i = 0; i + 1 < n; i++) {
		const Xds__HttpFilter *filter = message->http_filters[i];
		const struct decode_at *in =
			DECODE_IN(DECODE_ITEM(at, "http_filters", i), "typed_config");
		const char *type = decode_type(config_of(filter));

		if (strncmp(type, RBAC_TYPES, strlen(RBAC_TYPES)) == 0)
			return decode_refuse(d, in, "RBAC is not supported yet");
		if (is_router(filter))
			return decode_refuse(d, in, "the router is the last of the HTTP filters");
		if (!filter->is_optional)
			return decode_refuse(d, in, "%s is not supported yet; Router is",
				decode_quote(type, quoted));
	}
	if (last == NULL || !is_router(last) || last->disabled)
		return decode_refuse(d, DECODE_IN(at, "http_filters"),
			"the last of the HTTP filters must be the router");
	return check_router(d, DECODE_ITEM(at, "http_filters", n - 1), config_of(last));
}

static int count_skipped(
	struct decode *d, const struct decode_at *at, const Xds__HttpConnectionManager *message)
{
	int rc = 0;

	for (uint32_t i = 0; i + 1 < message->n_http_filters && rc == 0; i++)
		rc = decode_count(d, DECODE_ITEM(at, "http_filters", i));
	return rc;
}

static int check_codec(
	struct decode *d, const struct decode_at *at, const Xds__HttpConnectionManager *message)
{
	if (message->codec_type != XDS__HTTP_CONNECTION_MANAGER__CODEC_TYPE__AUTO &&
		message->codec_type != XDS__HTTP_CONNECTION_MANAGER__CODEC_TYPE__HTTP1)
		return decode_refuse(d, DECODE_IN(at, "codec_type"),
			"%d is not supported yet; AUTO and HTTP1 are", (int)message->codec_type);
	return 0;
}

// By the protocol's number of the action.
static int add_rule(struct decode *d, const struct decode_at *at, const uint8_t *rules, int n,
	int action, struct listener_spec *spec)
{
	if (action < 0 || action >= n)
		return decode_refuse(d, at, "%d is not known; 0 to %d are", action, n - 1);
	spec->rules |= rules[action];
	return 0;
}

// What heads must be before they are routed.
static int read_rules(struct decode *d, const struct decode_at *at,
	const Xds__HttpConnectionManager *message, struct listener_spec *spec)
{
	// IMPLEMENTATION_SPECIFIC_DEFAULT, KEEP_UNCHANGED, ...
	static const uint8_t slashes[] = {0, 0, HTTP1_RULE_REJECT_ESCAPED_SLASHES,
		HTTP1_RULE_REDIRECT_ESCAPED_SLASHES, HTTP1_RULE_UNESCAPE_SLASHES};
	// ALLOW, ...
	static const uint8_t underscores[] = {
		0, HTTP1_RULE_REJECT_UNDERSCORES, HTTP1_RULE_DROP_UNDERSCORES};
	const Xds__HttpProtocolOptions *options = message->common_http_protocol_options;
	int rc = add_rule(d, DECODE_IN(at, "path_with_escaped_slashes_action"), slashes,
		sizeof(slashes), (int)message->path_with_escaped_slashes_action, spec);

	if (decode_is_true(message->normalize_path))
		spec->rules |= HTTP1_RULE_NORMALIZE_PATH;
	if (message->merge_slashes)
		spec->rules |= HTTP1_RULE_MERGE_SLASHES;
	if (rc < 0 || options == NULL)
		return rc;
	return add_rule(d,
		DECODE_IN(DECODE_IN(at, "common_http_protocol_options"),
			"headers_with_underscores_action"),
		underscores, sizeof(underscores), options->headers_with_underscores_action, spec);
}

static uint8_t header_bits(const Xds__HttpConnectionManager *message)
{
	const bool remote = decode_is_true(message->use_remote_address);
	uint8_t bits = LISTENER_X_FORWARDED_PROTO;

	if (remote && !message->skip_xff_append)
		bits |= LISTENER_X_FORWARDED_FOR;
	if (remote && message->append_x_forwarded_port)
		bits |= LISTENER_X_FORWARDED_PORT;
	if (message->generate_request_id == NULL || message->generate_request_id->value)
		bits |= LISTENER_X_REQUEST_ID;
	if (message->always_set_request_id_in_response)
		bits |= LISTENER_RESPONSE_REQUEST_ID;
	return bits;
}

// The protocol's limit is of line and fields together, the node's are of each.
static int read_head_limits(struct decode *d, const struct decode_at *at,
	const Xds__UInt32Value *max_kb, struct listener_spec *spec)
{
	uint32_t bytes = L7_MAX_REQUEST_HEADERS_BYTES;

	if (max_kb != NULL && max_kb->value == 0)
		return decode_refuse(
			d, DECODE_IN(at, "max_request_headers_kb"), "0 is out of range; 1 or more");
	if (max_kb != NULL && max_kb->value < L7_MAX_REQUEST_HEADERS_BYTES / BYTES_PER_KB)
		bytes = max_kb->value * BYTES_PER_KB;
	spec->request_headers_bytes = bytes;
	spec->request_line_bytes =
		bytes < L7_MAX_REQUEST_LINE_BYTES ? bytes : L7_MAX_REQUEST_LINE_BYTES;
	return 0;
}

static int read_http_timeouts(struct decode *d, const struct decode_at *at,
	const Xds__HttpConnectionManager *message, struct listener_spec *spec)
{
	const Xds__HttpProtocolOptions *options = message->common_http_protocol_options;
	int rc = decode_duration(d, DECODE_IN(at, "stream_idle_timeout"),
		message->stream_idle_timeout, L7_DEFAULT_STREAM_IDLE_TIMEOUT_MS,
		&spec->stream_idle_timeout_ms);

	if (rc == 0)
		rc = decode_duration(d, DECODE_IN(at, "request_headers_timeout"),
			message->request_headers_timeout, 0, &spec->request_headers_timeout_ms);
	if (rc == 0)
		rc = decode_duration(d,
			DECODE_IN(DECODE_IN(at, "common_http_protocol_options"), "idle_timeout"),
			options == NULL ? NULL : options->idle_timeout, DEFAULT_IDLE_TIMEOUT_MS,
			&spec->idle_timeout_ms);
	// A head without a byte for so long counts as an idle stream; a slow one does here, too.
	if (spec->request_headers_timeout_ms == 0)
		spec->request_headers_timeout_ms = spec->stream_idle_timeout_ms;
	return rc;
}

static int read_rds(struct decode *d, const struct decode_at *at, const Xds__Rds *rds,
	struct xds_listener *listener)
{
	int rc = decode_source(
		d, DECODE_IN(at, "config_source"), rds->config_source, &listener->fetch_timeout_ms);

	return rc < 0 ? rc
		      : decode_name(d, DECODE_IN(at, "route_config_name"), rds->route_config_name,
				&listener->spec.route_configuration);
}

static int read_own_routes(struct decode *d, const struct decode_at *at,
	const Xds__RouteConfiguration *message, struct listener_spec *spec)
{
	struct route_configuration_spec *routes = decode_alloc(d, 1, sizeof(*routes));
	int rc = routes == NULL ? -ENOMEM : decode_route_configuration(d, at, message, routes);

	if (rc < 0)
		return rc;
	routes->name = spec->name;
	spec->routes = routes;
	return 0;
}

static int read_routing(struct decode *d, const struct decode_at *at,
	const Xds__HttpConnectionManager *message, struct xds_listener *listener)
{
	switch (message->route_specifier_case) {
	case XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS:
		return read_rds(d, DECODE_IN(at, "rds"), message->rds, listener);
	case XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_ROUTE_CONFIG:
		return read_own_routes(
			d, DECODE_IN(at, "route_config"), message->route_config, &listener->spec);
	default:
		return decode_refuse(d, at, "one of \"rds\", \"route_config\" is missing");
	}
}

int decode_http_manager(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct xds_listener *listener)
{
	const Xds__HttpConnectionManager *manager;
	const void *message;
	int rc = decode_any(d, at, &support_http_manager, &xds__http_connection_manager__descriptor,
		any, &message);

	if (rc < 0)
		return rc;
	manager = message;
	listener->spec.protocol = LISTENER_HTTP;
	listener->spec.headers = header_bits(manager);
	rc = check_codec(d, at, manager);
	if (rc == 0)
		rc = read_rules(d, at, manager, &listener->spec);
	if (rc == 0)
		rc = check_http_filters(d, at, manager);
	if (rc == 0)
		rc = count_skipped(d, at, manager);
	if (rc == 0)
		rc = read_head_limits(d, at, manager->max_request_headers_kb, &listener->spec);
	if (rc == 0)
		rc = read_http_timeouts(d, at, manager, &listener->spec);
	return rc < 0 ? rc : read_routing(d, at, manager, listener);
}
