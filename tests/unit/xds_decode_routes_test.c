// SPDX-License-Identifier: Apache-2.0

// Route configurations: what becomes of matches and actions, and what is refused.

#include <errno.h>
#include <stdio.h>

#include "tests/unit/xds_fixture.h"

#define ROUTE0 "route configuration main: virtual_hosts[0].routes[0]."

// A host with two routes: everything to a cluster, and a path with an answer.
struct parts {
	Xds__RouteConfiguration message;
	Xds__VirtualHost host, *hosts[2];
	char *domains[2];
	Xds__Route routes[2], *route_pointers[2];
	Xds__RouteMatch matches[2];
	Xds__RouteAction action;
	Xds__DirectResponseAction direct;
	Xds__HeaderMatcher header, *headers[1];
	Xds__Empty empty, *empties[1];
};

static void init_routes(struct parts *p)
{
	for (size_t i = 0; i < 2; i++) {
		p->routes[i] = (Xds__Route)XDS__ROUTE__INIT;
		p->matches[i] = (Xds__RouteMatch)XDS__ROUTE_MATCH__INIT;
		p->routes[i].match = &p->matches[i];
		p->route_pointers[i] = &p->routes[i];
	}
	p->matches[0].path_specifier_case = XDS__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
	p->matches[0].prefix = (char *)"/";
	p->matches[1].path_specifier_case = XDS__ROUTE_MATCH__PATH_SPECIFIER_PATH;
	p->matches[1].path = (char *)"/healthz";
	p->action = (Xds__RouteAction)XDS__ROUTE_ACTION__INIT;
	p->action.cluster_specifier_case = XDS__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
	p->action.cluster = (char *)"payments";
	p->routes[0].action_case = XDS__ROUTE__ACTION_ROUTE;
	p->routes[0].route = &p->action;
	p->direct = (Xds__DirectResponseAction)XDS__DIRECT_RESPONSE_ACTION__INIT;
	p->direct.status = 200;
	p->routes[1].action_case = XDS__ROUTE__ACTION_DIRECT_RESPONSE;
	p->routes[1].direct_response = &p->direct;
}

static void init(struct parts *p)
{
	init_routes(p);
	p->empty = (Xds__Empty)XDS__EMPTY__INIT;
	p->empties[0] = &p->empty;
	p->header = (Xds__HeaderMatcher)XDS__HEADER_MATCHER__INIT;
	p->header.name = (char *)"x-env";
	p->headers[0] = &p->header;
	p->matches[0].headers = p->headers;
	p->host = (Xds__VirtualHost)XDS__VIRTUAL_HOST__INIT;
	p->host.name = (char *)"all";
	p->domains[0] = (char *)"*";
	p->domains[1] = (char *)"a.example:80";
	p->host.n_domains = 2;
	p->host.domains = p->domains;
	p->host.n_routes = 2;
	p->host.routes = p->route_pointers;
	p->hosts[0] = p->hosts[1] = &p->host;
	p->message = (Xds__RouteConfiguration)XDS__ROUTE_CONFIGURATION__INIT;
	p->message.name = (char *)"main";
	p->message.n_virtual_hosts = 1;
	p->message.virtual_hosts = p->hosts;
}

static void xds_decode_routes_hosts_and_actions_are_read(void **state)
{
	const struct route_configuration_spec *spec;
	const struct l7_route_spec *routes;
	Xds__DataSource body = XDS__DATA_SOURCE__INIT;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.message.ignore_port_in_host_matching = 1;
	p.direct.body = &body;
	body.specifier_case = XDS__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
	body.inline_bytes = (ProtobufCBinaryData){2, (uint8_t *)"ok"};
	resource = fixture_accept(XDS_ROUTES, &p.message);
	spec = resource->routes;
	assert_string_equal(spec->name, "main");
	assert_true(spec->ignore_port_in_host);
	assert_int_equal(spec->n_virtual_hosts, 1);
	assert_string_equal(spec->virtual_hosts[0].name, "all");
	assert_int_equal(spec->virtual_hosts[0].n_domains, 2);
	assert_string_equal(spec->virtual_hosts[0].domains[1], "a.example:80");
	assert_int_equal(spec->virtual_hosts[0].n_routes, 2);
	routes = spec->virtual_hosts[0].routes;
	assert_int_equal(routes[0].path_type, PATH_PREFIX);
	assert_string_equal(routes[0].path, "/");
	assert_int_equal(routes[0].action, ROUTE_ACTION_CLUSTER);
	assert_int_equal(routes[0].n_clusters, 1);
	assert_string_equal(routes[0].clusters[0].cluster, "payments");
	assert_int_equal(routes[0].timeout_ms, 15000);
	assert_int_equal(routes[0].idle_timeout_ms, L7_TIMEOUT_OF_LISTENER);
	assert_int_equal(routes[0].cluster_not_found_status, 503);
	assert_string_equal(
		routes[0].origin->source, "route configuration main: virtual_hosts[0].routes[0]");
	assert_int_equal(routes[1].path_type, PATH_EXACT);
	assert_int_equal(routes[1].action, ROUTE_ACTION_DIRECT);
	assert_int_equal(routes[1].status, 200);
	assert_string_equal(routes[1].body, "ok");
	xds_resource_release(resource);
	p.matches[0].path_specifier_case = XDS__ROUTE_MATCH__PATH_SPECIFIER_PATH_SEPARATED_PREFIX;
	p.matches[0].path_separated_prefix = (char *)"/v2";
	resource = fixture_accept(XDS_ROUTES, &p.message);
	routes = resource->routes->virtual_hosts[0].routes;
	assert_int_equal(routes[0].path_type, PATH_SEPARATED_PREFIX);
	assert_string_equal(routes[0].path, "/v2");
	xds_resource_release(resource);
}

static void xds_decode_routes_host_rewrite_is_read(void **state)
{
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.action.host_rewrite_specifier_case =
		XDS__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL;
	p.action.host_rewrite_literal = (char *)"www.example.org";
	resource = fixture_accept(XDS_ROUTES, &p.message);
	assert_string_equal(
		resource->routes->virtual_hosts[0].routes[0].host_rewrite, "www.example.org");
	xds_resource_release(resource);
	p.action.host_rewrite_literal = (char *)"";
	resource = fixture_accept(XDS_ROUTES, &p.message);
	assert_null(resource->routes->virtual_hosts[0].routes[0].host_rewrite);
	xds_resource_release(resource);
}

static void xds_decode_routes_timeouts_and_status_are_read(void **state)
{
	Xds__Duration none = XDS__DURATION__INIT, idle = XDS__DURATION__INIT;
	const struct l7_route_spec *route;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	idle.seconds = 3;
	p.action.timeout = &none;
	p.action.idle_timeout = &idle;
	p.action.cluster_not_found_response_code = XDS__ROUTE_ACTION__NOT_FOUND_STATUS__NOT_FOUND;
	resource = fixture_accept(XDS_ROUTES, &p.message);
	route = &resource->routes->virtual_hosts[0].routes[0];
	assert_int_equal(route->timeout_ms, 0);
	assert_int_equal(route->idle_timeout_ms, 3000);
	assert_int_equal(route->cluster_not_found_status, 404);
	xds_resource_release(resource);
	p.action.cluster_not_found_response_code = (Xds__RouteAction__NotFoundStatus)3;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "route.cluster_not_found_response_code: 3 is not known");
}

static void expect_header(
	struct parts *p, enum header_match_type type, const char *value, bool invert)
{
	const struct header_match_spec *match;
	struct xds_resource *resource;

	p->matches[0].n_headers = 1;
	resource = fixture_accept(XDS_ROUTES, &p->message);
	match = &resource->routes->virtual_hosts[0].routes[0].headers[0];
	assert_int_equal(resource->routes->virtual_hosts[0].routes[0].n_headers, 1);
	assert_string_equal(match->name, "x-env");
	assert_int_equal(match->type, type);
	if (value == NULL)
		assert_null(match->value);
	else
		assert_string_equal(match->value, value);
	assert_int_equal(match->invert, invert);
	xds_resource_release(resource);
}

static void xds_decode_routes_headers_are_read(void **state)
{
	Xds__StringMatcher string = XDS__STRING_MATCHER__INIT;
	struct parts p;

	(void)state;
	init(&p);
	expect_header(&p, HEADER_PRESENT, NULL, false);
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH;
	p.header.present_match = 1;
	expect_header(&p, HEADER_PRESENT, NULL, false);
	p.header.present_match = 0; // must not be there
	expect_header(&p, HEADER_PRESENT, NULL, true);
	p.header.invert_match = 1;
	expect_header(&p, HEADER_PRESENT, NULL, false);
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_EXACT_MATCH;
	p.header.exact_match = (char *)"dev";
	expect_header(&p, HEADER_EXACT, "dev", true);
	p.header.exact_match = (char *)""; // any value, as in Envoy
	expect_header(&p, HEADER_PREFIX, "", true);
	p.header.invert_match = 0;
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PREFIX_MATCH;
	p.header.prefix_match = (char *)"de";
	expect_header(&p, HEADER_PREFIX, "de", false);
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_SUFFIX_MATCH;
	p.header.suffix_match = (char *)"ev";
	expect_header(&p, HEADER_SUFFIX, "ev", false);
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_CONTAINS_MATCH;
	p.header.contains_match = (char *)"e";
	expect_header(&p, HEADER_CONTAINS, "e", false);
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
	p.header.string_match = &string;
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN_EXACT;
	string.exact = (char *)"";
	expect_header(&p, HEADER_EXACT, "", false);
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN_PREFIX;
	string.prefix = (char *)"p";
	expect_header(&p, HEADER_PREFIX, "p", false);
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN_SUFFIX;
	string.suffix = (char *)"s";
	expect_header(&p, HEADER_SUFFIX, "s", false);
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN_CONTAINS;
	string.contains = (char *)"c";
	expect_header(&p, HEADER_CONTAINS, "c", false);
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN__NOT_SET;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match.headers[0].string_match: one of \"exact\", \"prefix\", \"suffix\", "
		       "\"contains\" is missing");
	p.header.name = (char *)"";
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "match.headers[0].name: must not be empty");
}

static void xds_decode_routes_weights_are_read(void **state)
{
	Xds__WeightedCluster weighted = XDS__WEIGHTED_CLUSTER__INIT;
	Xds__ClusterWeight shares[2] = {XDS__CLUSTER_WEIGHT__INIT, XDS__CLUSTER_WEIGHT__INIT};
	Xds__ClusterWeight *pointers[] = {&shares[0], &shares[1]};
	Xds__UInt32Value ninety = XDS__UINT32_VALUE__INIT, ten = XDS__UINT32_VALUE__INIT;
	const struct l7_route_spec *route;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	ninety.value = 90;
	ten.value = 10;
	shares[0].name = (char *)"v1";
	shares[0].weight = &ninety;
	shares[1].name = (char *)"v2";
	shares[1].weight = &ten;
	weighted.n_clusters = 2;
	weighted.clusters = pointers;
	p.action.cluster_specifier_case = XDS__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	p.action.weighted_clusters = &weighted;
	resource = fixture_accept(XDS_ROUTES, &p.message);
	route = &resource->routes->virtual_hosts[0].routes[0];
	assert_int_equal(route->n_clusters, 2);
	assert_string_equal(route->clusters[1].cluster, "v2");
	assert_int_equal(route->clusters[1].weight, 10);
	assert_string_equal(
		route->clusters[1].origin->source, ROUTE0 "route.weighted_clusters.clusters[1]");
	xds_resource_release(resource);
	shares[1].cluster_header = (char *)"x-cluster";
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "route.weighted_clusters.clusters[1].cluster_header: is not supported yet");
	shares[1].cluster_header = (char *)"";
	shares[0].weight = NULL;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "route.weighted_clusters.clusters[0].weight: is missing");
	shares[0].weight = &ninety;
	shares[0].name = (char *)"";
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "route.weighted_clusters.clusters[0].name: must not be empty");
}

static void xds_decode_routes_other_matches_are_refused(void **state)
{
	Xds__BoolValue no = XDS__BOOL_VALUE__INIT;
	Xds__RuntimeFractionalPercent fraction = XDS__RUNTIME_FRACTIONAL_PERCENT__INIT;
	Xds__FractionalPercent percent = XDS__FRACTIONAL_PERCENT__INIT;
	Xds__RegexMatcher regex = XDS__REGEX_MATCHER__INIT;
	struct parts p;

	(void)state;
	init(&p);
	p.matches[0].case_sensitive = &no;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match.case_sensitive: false is not supported yet; true is");
	init(&p);
	p.matches[0].grpc = &p.empty;
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "match.grpc: is not supported yet");
	init(&p);
	p.matches[0].path_specifier_case = XDS__ROUTE_MATCH__PATH_SPECIFIER_SAFE_REGEX;
	p.matches[0].safe_regex = &regex;
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "match.safe_regex: is not supported yet");
	init(&p);
	p.matches[0].path_specifier_case = XDS__ROUTE_MATCH__PATH_SPECIFIER__NOT_SET;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match: one of \"prefix\", \"path\", \"path_separated_prefix\" is missing");
	init(&p);
	fraction.default_value = &percent;
	p.matches[0].runtime_fraction = &fraction;
	percent.numerator = 99;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match.runtime_fraction: 99 of 100 is not supported yet; all is");
	percent.numerator = 10000;
	percent.denominator = XDS__FRACTIONAL_PERCENT__DENOMINATOR__TEN_THOUSAND;
	xds_resource_release(fixture_accept(XDS_ROUTES, &p.message));
	percent.denominator = (Xds__FractionalPercent__Denominator)-1;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match.runtime_fraction.default_value.denominator: -1 is not known");
	p.routes[0].match = NULL;
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "match: is missing");
}

static void xds_decode_routes_header_options_are_read(void **state)
{
	Xds__StringMatcher string = XDS__STRING_MATCHER__INIT;
	Xds__Int64Range range = XDS__INT64_RANGE__INIT;
	const struct header_match_spec *match;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.matches[0].n_headers = 1;
	p.header.treat_missing_header_as_empty = 1;
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_RANGE_MATCH;
	p.header.range_match = &range;
	range.start = INT64_MIN;
	range.end = -1;
	resource = fixture_accept(XDS_ROUTES, &p.message);
	match = &resource->routes->virtual_hosts[0].routes[0].headers[0];
	assert_int_equal(match->type, HEADER_RANGE);
	assert_true(match->range_start == INT64_MIN);
	assert_int_equal(match->range_end, -1);
	assert_true(match->missing_as_empty);
	assert_false(match->ignore_case);
	xds_resource_release(resource);
	p.header.treat_missing_header_as_empty = 0;
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
	p.header.string_match = &string;
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN_EXACT;
	string.exact = (char *)"a";
	string.ignore_case = 1;
	resource = fixture_accept(XDS_ROUTES, &p.message);
	match = &resource->routes->virtual_hosts[0].routes[0].headers[0];
	assert_true(match->ignore_case);
	assert_false(match->missing_as_empty);
	xds_resource_release(resource);
}

static void xds_decode_routes_other_header_matches_are_refused(void **state)
{
	Xds__StringMatcher string = XDS__STRING_MATCHER__INIT;
	Xds__RegexMatcher regex = XDS__REGEX_MATCHER__INIT;
	struct parts p;

	(void)state;
	init(&p);
	p.matches[0].n_headers = 1;
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_SAFE_REGEX_MATCH;
	p.header.safe_regex_match = &regex;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match.headers[0].safe_regex_match: is not supported yet");
	p.header.header_match_specifier_case =
		XDS__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
	p.header.string_match = &string;
	string.match_pattern_case = XDS__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
	string.safe_regex = &regex;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "match.headers[0].string_match.safe_regex: is not supported yet");
}

static void xds_decode_routes_other_actions_are_refused(void **state)
{
	Xds__RedirectAction redirect = XDS__REDIRECT_ACTION__INIT;
	Xds__BoolValue yes = XDS__BOOL_VALUE__INIT;
	Xds__WeightedCluster weighted = XDS__WEIGHTED_CLUSTER__INIT;
	struct parts p;

	(void)state;
	yes.value = 1;
	init(&p);
	p.routes[0].action_case = XDS__ROUTE__ACTION_REDIRECT;
	p.routes[0].redirect = &redirect;
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "redirect: is not supported yet");
	init(&p);
	p.routes[0].action_case = XDS__ROUTE__ACTION__NOT_SET;
	fixture_refuse(XDS_ROUTES, &p.message,
		"route configuration main: virtual_hosts[0].routes[0]: one of \"route\", "
		"\"direct_response\" is missing");
	init(&p);
	p.action.prefix_rewrite = (char *)"/v2";
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "route.prefix_rewrite: is not supported yet");
	init(&p);
	p.action.host_rewrite_specifier_case =
		XDS__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_AUTO_HOST_REWRITE;
	p.action.auto_host_rewrite = &yes;
	fixture_refuse(
		XDS_ROUTES, &p.message, ROUTE0 "route.auto_host_rewrite: is not supported yet");
	init(&p);
	p.action.cluster_specifier_case = XDS__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER_HEADER;
	p.action.cluster_header = (char *)"x-cluster";
	fixture_refuse(XDS_ROUTES, &p.message, ROUTE0 "route.cluster_header: is not supported yet");
	p.action.cluster_specifier_case = XDS__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	p.action.weighted_clusters = &weighted;
	weighted.random_value_specifier_case =
		XDS__WEIGHTED_CLUSTER__RANDOM_VALUE_SPECIFIER_USE_HASH_POLICY;
	weighted.use_hash_policy = &yes;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "route.weighted_clusters.use_hash_policy: is not supported yet");
	p.action.cluster_specifier_case = XDS__ROUTE_ACTION__CLUSTER_SPECIFIER__NOT_SET;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "route: one of \"cluster\", \"weighted_clusters\" is missing");
}

static void xds_decode_routes_of_hosts_and_more_is_refused(void **state)
{
	struct parts p;

	(void)state;
	init(&p);
	p.host.require_tls = XDS__VIRTUAL_HOST__TLS_REQUIREMENT__ALL;
	fixture_refuse(XDS_ROUTES, &p.message,
		"route configuration main: virtual_hosts[0].require_tls: is not supported yet");
	init(&p);
	p.message.n_virtual_hosts = 2;
	p.host.name = (char *)"";
	fixture_refuse(XDS_ROUTES, &p.message,
		"route configuration main: virtual_hosts[0].name: must not be empty");
	init(&p);
	p.message.vhds = &p.empty;
	fixture_refuse(
		XDS_ROUTES, &p.message, "route configuration main: vhds: is not supported yet");
}

static void xds_decode_routes_body_of_direct_response_has_no_nul(void **state)
{
	Xds__DataSource body = XDS__DATA_SOURCE__INIT;
	struct parts p;

	(void)state;
	init(&p);
	p.direct.body = &body;
	body.specifier_case = XDS__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
	body.inline_bytes = (ProtobufCBinaryData){3, (uint8_t *)"o\0k"};
	fixture_refuse(XDS_ROUTES, &p.message,
		"route configuration main: virtual_hosts[0].routes[1].direct_response.body"
		".inline_bytes: a NUL is not supported yet");
	body.specifier_case = XDS__DATA_SOURCE__SPECIFIER_FILENAME;
	body.filename = (char *)"/etc/passwd";
	fixture_refuse(XDS_ROUTES, &p.message,
		"route configuration main: virtual_hosts[0].routes[1].direct_response.body"
		".filename: is not supported yet");
}

static void xds_decode_routes_rbac_of_a_route_is_refused(void **state)
{
	Xds__TypedConfigEntry entry = XDS__TYPED_CONFIG_ENTRY__INIT, *entries[] = {&entry};
	Xds__FilterConfig config = XDS__FILTER_CONFIG__INIT;
	Xds__Any any, inner;
	struct parts p;

	(void)state;
	init(&p);
	any = fixture_any("envoy.extensions.filters.http.rbac.v3.RBACPerRoute", &p.empty);
	entry.key = (char *)"rbac";
	entry.value = &any;
	p.routes[0].n_typed_per_filter_config = 1;
	p.routes[0].typed_per_filter_config = entries;
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "typed_per_filter_config[0].value: RBAC is not supported yet");
	inner = any;
	config.config = &inner;
	config.is_optional = 1;
	any = fixture_any("envoy.config.route.v3.FilterConfig", &config);
	fixture_refuse(XDS_ROUTES, &p.message,
		ROUTE0 "typed_per_filter_config[0].value: RBAC is not supported yet");
	any = fixture_any("envoy.extensions.filters.http.cors.v3.CorsPolicy", &p.empty);
	xds_resource_release(fixture_accept(XDS_ROUTES, &p.message));
}

// Names of routes are for statistics; servers need not keep them apart.
static void xds_decode_routes_names_given_twice_become_numbers(void **state)
{
	struct xds_resource *resource;
	char name[L7_MAX_NAME_LEN + 2];
	struct parts p;

	(void)state;
	init(&p);
	p.routes[0].name = (char *)"r";
	p.routes[1].name = (char *)"s";
	resource = fixture_accept(XDS_ROUTES, &p.message);
	assert_string_equal(resource->routes->virtual_hosts[0].routes[1].name, "s");
	xds_resource_release(resource);
	p.routes[1].name = (char *)"r";
	resource = fixture_accept(XDS_ROUTES, &p.message);
	assert_null(resource->routes->virtual_hosts[0].routes[0].name);
	assert_null(resource->routes->virtual_hosts[0].routes[1].name);
	xds_resource_release(resource);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	p.routes[1].name = name;
	resource = fixture_accept(XDS_ROUTES, &p.message);
	assert_null(resource->routes->virtual_hosts[0].routes[1].name);
	xds_resource_release(resource);
}

static void xds_decode_routes_what_does_nothing_is_counted(void **state)
{
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.message.n_virtual_hosts = 2;
	p.action.retry_policy = &p.empty;
	p.action.n_hash_policy = 1;
	p.action.hash_policy = p.empties;
	p.routes[0].decorator = &p.empty;
	p.action.priority = 1;
	resource = fixture_accept(XDS_ROUTES, &p.message);
	assert_int_equal(resource->n_ignored, 4);
	fixture_ignores(resource, "virtual_hosts.routes.route.retry_policy", 2);
	fixture_ignores(resource, "virtual_hosts.routes.route.hash_policy", 2);
	fixture_ignores(resource, "virtual_hosts.routes.decorator", 2);
	fixture_ignores(resource, "virtual_hosts.routes.route.priority", 2);
	xds_resource_release(resource);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_routes_hosts_and_actions_are_read),
		cmocka_unit_test(xds_decode_routes_host_rewrite_is_read),
		cmocka_unit_test(xds_decode_routes_timeouts_and_status_are_read),
		cmocka_unit_test(xds_decode_routes_headers_are_read),
		cmocka_unit_test(xds_decode_routes_header_options_are_read),
		cmocka_unit_test(xds_decode_routes_weights_are_read),
		cmocka_unit_test(xds_decode_routes_other_matches_are_refused),
		cmocka_unit_test(xds_decode_routes_other_header_matches_are_refused),
		cmocka_unit_test(xds_decode_routes_other_actions_are_refused),
		cmocka_unit_test(xds_decode_routes_of_hosts_and_more_is_refused),
		cmocka_unit_test(xds_decode_routes_body_of_direct_response_has_no_nul),
		cmocka_unit_test(xds_decode_routes_rbac_of_a_route_is_refused),
		cmocka_unit_test(xds_decode_routes_names_given_twice_become_numbers),
		cmocka_unit_test(xds_decode_routes_what_does_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
