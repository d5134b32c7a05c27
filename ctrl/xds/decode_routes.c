// SPDX-License-Identifier: Apache-2.0

// Route configurations. What is wrong with a path, a domain or a weight whoever it came from, the compile says.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/arena.h"

static int take_text(struct decode *d, enum header_match_type type, const char *text,
	struct header_match_spec *match)
{
	match->type = type;
	return decode_text(d, text, &match->value);
}

static int read_string_match(struct decode *d, const struct decode_at *at,
	const Xds__StringMatcher *message, struct header_match_spec *match)
{
	match->ignore_case = message->ignore_case;
	switch (message->match_pattern_case) {
	case XDS__STRING_MATCHER__MATCH_PATTERN_EXACT:
		return take_text(d, HEADER_EXACT, message->exact, match);
	case XDS__STRING_MATCHER__MATCH_PATTERN_PREFIX:
		return take_text(d, HEADER_PREFIX, message->prefix, match);
	case XDS__STRING_MATCHER__MATCH_PATTERN_SUFFIX:
		return take_text(d, HEADER_SUFFIX, message->suffix, match);
	case XDS__STRING_MATCHER__MATCH_PATTERN_CONTAINS:
		return take_text(d, HEADER_CONTAINS, message->contains, match);
	default:
		return decode_refuse(
			d, at, "one of \"exact\", \"prefix\", \"suffix\", \"contains\" is missing");
	}
}

static int read_header_match(struct decode *d, const struct decode_at *at,
	const Xds__HeaderMatcher *message, struct header_match_spec *match)
{
	switch (message->header_match_specifier_case) {
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_EXACT_MATCH:
		// Without a value it is any, as in Envoy.
		return take_text(d, message->exact_match[0] == '\0' ? HEADER_PREFIX : HEADER_EXACT,
			message->exact_match, match);
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PREFIX_MATCH:
		return take_text(d, HEADER_PREFIX, message->prefix_match, match);
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_SUFFIX_MATCH:
		return take_text(d, HEADER_SUFFIX, message->suffix_match, match);
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_CONTAINS_MATCH:
		return take_text(d, HEADER_CONTAINS, message->contains_match, match);
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_RANGE_MATCH:
		match->type = HEADER_RANGE;
		match->range_start = message->range_match->start;
		match->range_end = message->range_match->end;
		return 0;
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH:
		return read_string_match(
			d, DECODE_IN(at, "string_match"), message->string_match, match);
	case XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH:
		match->invert = match->invert != !message->present_match;
		return 0;
	default:
		// Without a specifier: present.
		return 0;
	}
}

static int read_header(struct decode *d, const struct decode_at *at,
	const Xds__HeaderMatcher *message, struct header_match_spec *match)
{
	int rc = decode_name(d, DECODE_IN(at, "name"), message->name, &match->name);

	match->origin = decode_origin(d, at);
	match->invert = message->invert_match;
	match->missing_as_empty = message->treat_missing_header_as_empty;
	match->type = HEADER_PRESENT;
	if (rc < 0 || match->origin == NULL)
		return rc < 0 ? rc : -ENOMEM;
	return read_header_match(d, at, message, match);
}

static int read_headers(struct decode *d, const struct decode_at *at,
	const Xds__RouteMatch *message, struct l7_route_spec *spec)
{
	struct header_match_spec *headers =
		decode_alloc(d, (uint32_t)message->n_headers, sizeof(*headers));
	int rc = headers == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < message->n_headers && rc == 0; i++)
		rc = read_header(
			d, DECODE_ITEM(at, "headers", i), message->headers[i], &headers[i]);
	spec->n_headers = (uint32_t)message->n_headers;
	spec->headers = headers;
	return rc;
}

static int check_fraction(
	struct decode *d, const struct decode_at *at, const Xds__RuntimeFractionalPercent *message)
{
	static const uint32_t wholes[] = {100, 10000, 1000000};
	const Xds__FractionalPercent *value = message == NULL ? NULL : message->default_value;

	if (value == NULL)
		return 0;
	if ((uint32_t)value->denominator >= sizeof(wholes) / sizeof(wholes[0]))
		return decode_refuse(d, DECODE_IN(at, "default_value.denominator"),
			"%d is not known", (int)value->denominator);
	if (value->numerator >= wholes[value->denominator])
		return 0;
	return decode_refuse(d, at, "%u of %u is not supported yet; all is", value->numerator,
		wholes[value->denominator]);
}

static int read_match(struct decode *d, const struct decode_at *at, const Xds__RouteMatch *message,
	struct l7_route_spec *spec)
{
	int rc;

	if (message == NULL)
		return decode_refuse(d, at, "is missing");
	if (message->case_sensitive != NULL && !message->case_sensitive->value)
		return decode_refuse(
			d, DECODE_IN(at, "case_sensitive"), "false is not supported yet; true is");
	rc = check_fraction(d, DECODE_IN(at, "runtime_fraction"), message->runtime_fraction);
	if (rc == 0)
		rc = read_headers(d, at, message, spec);
	if (rc < 0)
		return rc;
	switch (message->path_specifier_case) {
	case XDS__ROUTE_MATCH__PATH_SPECIFIER_PREFIX:
		spec->path_type = PATH_PREFIX;
		return decode_text(d, message->prefix, &spec->path);
	case XDS__ROUTE_MATCH__PATH_SPECIFIER_PATH:
		spec->path_type = PATH_EXACT;
		return decode_text(d, message->path, &spec->path);
	case XDS__ROUTE_MATCH__PATH_SPECIFIER_PATH_SEPARATED_PREFIX:
		spec->path_type = PATH_SEPARATED_PREFIX;
		return decode_text(d, message->path_separated_prefix, &spec->path);
	default:
		return decode_refuse(
			d, at, "one of \"prefix\", \"path\", \"path_separated_prefix\" is missing");
	}
}

static int read_weight(struct decode *d, const struct decode_at *at,
	const Xds__ClusterWeight *message, struct weighted_cluster_spec *spec)
{
	int rc = decode_name(d, DECODE_IN(at, "name"), message->name, &spec->cluster);

	if (rc < 0)
		return rc;
	if (message->weight == NULL)
		return decode_refuse(d, DECODE_IN(at, "weight"), "is missing");
	spec->weight = message->weight->value;
	spec->origin = decode_origin(d, at);
	if (spec->origin == NULL)
		return -ENOMEM;
	return decode_filter_configs(
		d, at, message->n_typed_per_filter_config, message->typed_per_filter_config);
}

static int read_weighted(struct decode *d, const struct decode_at *at,
	const Xds__WeightedCluster *message, struct l7_route_spec *spec)
{
	struct weighted_cluster_spec *clusters =
		decode_alloc(d, (uint32_t)message->n_clusters, sizeof(*clusters));
	int rc = clusters == NULL ? -ENOMEM : 0;

	if (message->random_value_specifier_case ==
			XDS__WEIGHTED_CLUSTER__RANDOM_VALUE_SPECIFIER_USE_HASH_POLICY &&
		decode_is_true(message->use_hash_policy))
		return decode_refuse(d, DECODE_IN(at, "use_hash_policy"), "is not supported yet");
	for (uint32_t i = 0; i < message->n_clusters && rc == 0; i++)
		rc = read_weight(
			d, DECODE_ITEM(at, "clusters", i), message->clusters[i], &clusters[i]);
	spec->n_clusters = (uint32_t)message->n_clusters;
	spec->clusters = clusters;
	return rc;
}

static int read_cluster(
	struct decode *d, const struct decode_at *at, const char *name, struct l7_route_spec *spec)
{
	struct weighted_cluster_spec *cluster = decode_alloc(d, 1, sizeof(*cluster));

	if (cluster == NULL)
		return -ENOMEM;
	*cluster = (struct weighted_cluster_spec){.origin = spec->origin, .weight = 1};
	spec->n_clusters = 1;
	spec->clusters = cluster;
	return decode_name(d, DECODE_IN(at, "cluster"), name, &cluster->cluster);
}

static int read_not_found(struct decode *d, const struct decode_at *at,
	const Xds__RouteAction *message, struct l7_route_spec *spec)
{
	static const uint16_t statuses[] = {503, 404, 500};
	const int code = (int)message->cluster_not_found_response_code;

	if (code < 0 || (size_t)code >= sizeof(statuses) / sizeof(statuses[0]))
		return decode_refuse(d, DECODE_IN(at, "cluster_not_found_response_code"),
			"%d is not known", code);
	spec->cluster_not_found_status = statuses[code];
	return 0;
}

static int read_host_rewrite(struct decode *d, const struct decode_at *at,
	const Xds__RouteAction *message, struct l7_route_spec *spec)
{
	switch (message->host_rewrite_specifier_case) {
	case XDS__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL:
		// An empty one is none, as in Envoy.
		return message->host_rewrite_literal[0] == '\0'
			       ? 0
			       : decode_text(d, message->host_rewrite_literal, &spec->host_rewrite);
	case XDS__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_AUTO_HOST_REWRITE:
		if (!decode_is_true(message->auto_host_rewrite))
			return 0;
		return decode_refuse(d, DECODE_IN(at, "auto_host_rewrite"), "is not supported yet");
	default:
		return 0;
	}
}

static int read_action(struct decode *d, const struct decode_at *at,
	const Xds__RouteAction *message, struct l7_route_spec *spec)
{
	int rc = read_not_found(d, at, message, spec);

	spec->action = ROUTE_ACTION_CLUSTER;
	if (rc == 0)
		rc = read_host_rewrite(d, at, message, spec);
	if (rc == 0)
		rc = decode_duration(d, DECODE_IN(at, "timeout"), message->timeout,
			L7_DEFAULT_ROUTE_TIMEOUT_MS, &spec->timeout_ms);
	if (rc == 0)
		rc = decode_duration(d, DECODE_IN(at, "idle_timeout"), message->idle_timeout,
			L7_TIMEOUT_OF_LISTENER, &spec->idle_timeout_ms);
	if (rc < 0)
		return rc;
	switch (message->cluster_specifier_case) {
	case XDS__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER:
		return read_cluster(d, at, message->cluster, spec);
	case XDS__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS:
		return read_weighted(
			d, DECODE_IN(at, "weighted_clusters"), message->weighted_clusters, spec);
	default:
		return decode_refuse(d, at, "one of \"cluster\", \"weighted_clusters\" is missing");
	}
}

static int read_direct(struct decode *d, const struct decode_at *at,
	const Xds__DirectResponseAction *message, struct l7_route_spec *spec)
{
	const uint8_t *text;
	size_t len;
	char *body;

	spec->action = ROUTE_ACTION_DIRECT;
	// What does not fit is out of range, and refused as such by the compile.
	spec->status = message->status > UINT16_MAX ? UINT16_MAX : (uint16_t)message->status;
	decode_data(message->body, &text, &len);
	if (len == 0)
		return 0;
	if (memchr(text, '\0', len) != NULL)
		return decode_refuse(d, DECODE_IN(DECODE_IN(at, "body"), "inline_bytes"),
			"a NUL is not supported yet");
	body = decode_alloc(d, 1, len + 1);
	if (body == NULL)
		return -ENOMEM;
	spec->body = memcpy(body, text, len);
	return 0;
}

static int read_route(struct decode *d, const struct decode_at *at, const Xds__Route *message,
	struct l7_route_spec *spec)
{
	int rc;

	spec->origin = decode_origin(d, at);
	if (spec->origin == NULL)
		return -ENOMEM;
	rc = read_match(d, DECODE_IN(at, "match"), message->match, spec);
	if (rc == 0)
		rc = decode_filter_configs(d, at, message->n_typed_per_filter_config,
			message->typed_per_filter_config);
	if (rc < 0)
		return rc;
	switch (message->action_case) {
	case XDS__ROUTE__ACTION_ROUTE:
		return read_action(d, DECODE_IN(at, "route"), message->route, spec);
	case XDS__ROUTE__ACTION_DIRECT_RESPONSE:
		return read_direct(
			d, DECODE_IN(at, "direct_response"), message->direct_response, spec);
	default:
		return decode_refuse(d, at, "one of \"route\", \"direct_response\" is missing");
	}
}

// A route by its name.
struct named_route {
	const char *name;
	struct l7_route_spec *route;
};

static int compare_named(const void *a, const void *b)
{
	const struct named_route *x = a, *y = b;

	return strcmp(x->name, y->name);
}

// Servers may give the same name many times, or a long one. Such routes are called by their numbers.
static int name_routes(
	struct decode *d, const Xds__VirtualHost *message, struct l7_route_spec *routes)
{
	struct named_route *named =
		arena_alloc(d->scratch, message->n_routes * sizeof(struct named_route));
	uint32_t n = 0;
	int rc = named == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < message->n_routes && rc == 0; i++) {
		const size_t len = strlen(message->routes[i]->name);

		if (len > 0 && len <= L7_MAX_NAME_LEN && message->routes[i]->name[0] != '#')
			named[n++] = (struct named_route){message->routes[i]->name, &routes[i]};
	}
	if (n > 0)
		qsort(named, n, sizeof(*named), compare_named);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		if ((i == 0 || compare_named(&named[i - 1], &named[i]) != 0) &&
			(i + 1 == n || compare_named(&named[i], &named[i + 1]) != 0))
			rc = decode_text(d, named[i].name, &named[i].route->name);
	return rc;
}

static int read_routes(struct decode *d, const struct decode_at *at,
	const Xds__VirtualHost *message, struct virtual_host_spec *spec)
{
	struct l7_route_spec *routes =
		decode_alloc(d, (uint32_t)message->n_routes, sizeof(*routes));
	int rc = routes == NULL ? -ENOMEM : name_routes(d, message, routes);

	for (uint32_t i = 0; i < message->n_routes && rc == 0; i++)
		rc = read_route(d, DECODE_ITEM(at, "routes", i), message->routes[i], &routes[i]);
	spec->n_routes = (uint32_t)message->n_routes;
	spec->routes = routes;
	return rc;
}

static int read_host(struct decode *d, const struct decode_at *at, const Xds__VirtualHost *message,
	struct virtual_host_spec *spec)
{
	const char **domains = decode_alloc(d, (uint32_t)message->n_domains, sizeof(*domains));
	int rc = decode_name(d, DECODE_IN(at, "name"), message->name, &spec->name);

	spec->origin = decode_origin(d, at);
	if (rc == 0 && (domains == NULL || spec->origin == NULL))
		return -ENOMEM;
	for (uint32_t i = 0; i < message->n_domains && rc == 0; i++)
		rc = decode_text(d, message->domains[i], &domains[i]);
	spec->n_domains = (uint32_t)message->n_domains;
	spec->domains = domains;
	if (rc == 0)
		rc = decode_filter_configs(d, at, message->n_typed_per_filter_config,
			message->typed_per_filter_config);
	return rc < 0 ? rc : read_routes(d, at, message, spec);
}

int decode_route_configuration(struct decode *d, const struct decode_at *at,
	const Xds__RouteConfiguration *message, struct route_configuration_spec *spec)
{
	struct virtual_host_spec *hosts =
		decode_alloc(d, (uint32_t)message->n_virtual_hosts, sizeof(*hosts));
	int rc;

	*spec = (struct route_configuration_spec){.origin = decode_origin(d, at),
		.ignore_port_in_host = message->ignore_port_in_host_matching,
		.n_virtual_hosts = (uint32_t)message->n_virtual_hosts,
		.virtual_hosts = hosts};
	if (hosts == NULL || spec->origin == NULL)
		return -ENOMEM;
	rc = decode_filter_configs(
		d, at, message->n_typed_per_filter_config, message->typed_per_filter_config);
	for (uint32_t i = 0; i < message->n_virtual_hosts && rc == 0; i++)
		rc = read_host(d, DECODE_ITEM(at, "virtual_hosts", i), message->virtual_hosts[i],
			&hosts[i]);
	return rc;
}

int decode_routes(struct decode *d, const Xds__RouteConfiguration *message)
{
	struct route_configuration_spec *spec = decode_alloc(d, 1, sizeof(*spec));
	int rc;

	if (spec == NULL)
		return -ENOMEM;
	d->resource->routes = spec;
	rc = decode_route_configuration(d, NULL, message, spec);
	return rc < 0 ? rc : decode_name(d, DECODE_IN(NULL, "name"), message->name, &spec->name);
}
