// SPDX-License-Identifier: Apache-2.0

#include "ctrl/admin/spec_view.h"

#include "ctrl/admin/l7_view.h"
#include "ctrl/admin/reply.h"
#include "pipeline/spec.h"

static json_t *text_or_null(const char *text)
{
	return text == NULL ? json_null() : reply_string(text);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *strings(const char *const *texts, uint32_t n)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(array, reply_string(texts[i]));
	return array;
}

static json_t *shares(const struct weighted_cluster_spec *clusters, uint32_t n)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(
			array, json_pack("{s:o, s:o}", "cluster", reply_string(clusters[i].cluster),
				       "weight", number(clusters[i].weight)));
	return array;
}

// ---- listeners

static json_t *added_headers(uint8_t bits)
{
	static const char *const names[] = {"x-forwarded-for", "x-forwarded-proto",
		"x-forwarded-port", "x-request-id", "x-request-id on responses"};
	json_t *array = json_array();

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bits & 1u << i)
			json_array_append_new(array, json_string(names[i]));
	return array;
}

static json_t *rule_names(uint8_t bits)
{
	static const char *const names[] = {"normalize_path", "merge_slashes",
		"reject_escaped_slashes", "redirect_escaped_slashes", "unescape_slashes",
		"reject_headers_with_underscores", "drop_headers_with_underscores"};
	json_t *array = json_array();

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bits & 1u << i)
			json_array_append_new(array, json_string(names[i]));
	return array;
}

static void add_limits(json_t *row, const struct listener_spec *spec)
{
	json_object_set_new(row, "added_headers", added_headers(spec->headers));
	json_object_set_new(row, "rules", rule_names(spec->rules));
	json_object_set_new(row, "window_scale", number(spec->window_scale));
	json_object_set_new(row, "request_line_bytes", number(spec->request_line_bytes));
	json_object_set_new(row, "request_headers_bytes", number(spec->request_headers_bytes));
	json_object_set_new(
		row, "request_headers_timeout_ms", number(spec->request_headers_timeout_ms));
	json_object_set_new(row, "idle_timeout_ms", number(spec->idle_timeout_ms));
	json_object_set_new(row, "stream_idle_timeout_ms", number(spec->stream_idle_timeout_ms));
	json_object_set_new(row, "drain_timeout_ms", number(spec->drain_timeout_ms));
}

json_t *spec_view_listener(const struct listener_spec *spec)
{
	const char *routes = spec->routes != NULL ? spec->name : spec->route_configuration;
	json_t *addresses = json_array();
	json_t *row;

	for (uint32_t i = 0; i < spec->n_addresses; i++)
		json_array_append_new(addresses, l7_view_address(spec->addresses[i].family,
							 spec->addresses[i].b, spec->port));
	row = json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "name", reply_string(spec->name),
		"source", text_or_null(spec->origin->source), "service_network",
		text_or_null(spec->service_network), "protocol",
		spec->protocol == LISTENER_TCP ? "tcp" : "http", "addresses", addresses,
		"route_configuration", text_or_null(routes), "clusters",
		shares(spec->clusters, spec->n_clusters));
	if (row != NULL)
		add_limits(row, spec);
	return row;
}

// ---- routes

static json_t *header_row(const struct header_match_spec *spec)
{
	static const char *const types[] = {
		[HEADER_PRESENT] = "present",
		[HEADER_EXACT] = "exact",
		[HEADER_PREFIX] = "prefix",
		[HEADER_SUFFIX] = "suffix",
		[HEADER_CONTAINS] = "contains",
		[HEADER_RANGE] = "range",
	};
	json_t *row = json_pack("{s:o, s:s, s:o, s:b, s:b, s:b}", "name", reply_string(spec->name),
		"type", types[spec->type], "value", text_or_null(spec->value), "invert",
		spec->invert, "ignore_case", spec->ignore_case, "missing_as_empty",
		spec->missing_as_empty);

	if (row != NULL && spec->type == HEADER_RANGE) {
		json_object_set_new(row, "range_start", json_integer(spec->range_start));
		json_object_set_new(row, "range_end", json_integer(spec->range_end));
	}
	return row;
}

static json_t *header_rows(const struct l7_route_spec *spec)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < spec->n_headers; i++)
		json_array_append_new(rows, header_row(&spec->headers[i]));
	return rows;
}

static void add_action(json_t *row, const struct l7_route_spec *spec)
{
	if (spec->action == ROUTE_ACTION_DIRECT) {
		json_object_set_new(row, "status", number(spec->status));
		json_object_set_new(row, "body", text_or_null(spec->body));
		return;
	}
	json_object_set_new(row, "clusters", shares(spec->clusters, spec->n_clusters));
	json_object_set_new(row, "host_rewrite", text_or_null(spec->host_rewrite));
	json_object_set_new(row, "timeout_ms", number(spec->timeout_ms));
	json_object_set_new(row, "idle_timeout_ms",
		spec->idle_timeout_ms == L7_TIMEOUT_OF_LISTENER ? json_null()
								: number(spec->idle_timeout_ms));
	json_object_set_new(
		row, "cluster_not_found_status", number(spec->cluster_not_found_status));
}

static json_t *route_row(const struct l7_route_spec *spec)
{
	static const char *const path_types[] = {[PATH_PREFIX] = "prefix",
		[PATH_EXACT] = "path",
		[PATH_SEPARATED_PREFIX] = "path_separated_prefix"};
	json_t *row = json_pack("{s:o, s:o, s:o}", "name", text_or_null(spec->name),
		path_types[spec->path_type], reply_string(spec->path), "headers",
		header_rows(spec));

	if (row != NULL)
		add_action(row, spec);
	return row;
}

json_t *spec_view_host(
	const struct route_configuration_spec *routes, const struct virtual_host_spec *spec)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < spec->n_routes; i++)
		json_array_append_new(rows, route_row(&spec->routes[i]));
	return json_pack("{s:o, s:o, s:o, s:b, s:o, s:o}", "name", reply_string(spec->name),
		"route_configuration", text_or_null(routes->name), "source",
		text_or_null(spec->origin->source), "ignore_port_in_host",
		routes->ignore_port_in_host, "domains", strings(spec->domains, spec->n_domains),
		"routes", rows);
}

// ---- clusters

static json_t *endpoint_row(const struct endpoint_spec *spec)
{
	static const char *const healths[] = {
		[ENDPOINT_HEALTHY] = "healthy",
		[ENDPOINT_DEGRADED] = "degraded",
		[ENDPOINT_UNHEALTHY] = "unhealthy",
	};

	return json_pack("{s:o, s:s, s:o, s:o, s:o}", "address",
		l7_view_address(spec->address.family, spec->address.b, spec->port), "health",
		healths[spec->health], "weight", number(spec->weight), "vrf",
		text_or_null(spec->vrf), "policy", text_or_null(spec->policy));
}

static json_t *locality_row(const struct locality_spec *spec)
{
	json_t *endpoints = json_array();

	for (uint32_t i = 0; i < spec->n_endpoints; i++)
		json_array_append_new(endpoints, endpoint_row(&spec->endpoints[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "region", text_or_null(spec->region),
		"zone", text_or_null(spec->zone), "sub_zone", text_or_null(spec->sub_zone),
		"priority", number(spec->priority), "weight", number(spec->weight), "endpoints",
		endpoints);
}

json_t *spec_view_cluster(const struct cluster_spec *spec)
{
	static const char *const policies[] = {
		[CLUSTER_ROUND_ROBIN] = "ROUND_ROBIN",
		[CLUSTER_LEAST_REQUEST] = "LEAST_REQUEST",
		[CLUSTER_RANDOM] = "RANDOM",
	};
	json_t *rows = json_array();

	for (uint32_t i = 0; i < spec->n_localities; i++)
		json_array_append_new(rows, locality_row(&spec->localities[i]));
	return json_pack("{s:o, s:o, s:s, s:o, s:f, s:b, s:o, s:o, s:o, s:o, s:o}", "name",
		reply_string(spec->name), "source", text_or_null(spec->origin->source), "lb_policy",
		policies[spec->policy], "choice_count", number(spec->choice_count),
		"active_request_bias", spec->active_request_bias, "locality_weighted",
		spec->locality_weighted, "connect_timeout_ms", number(spec->connect_timeout_ms),
		"pool_timeout_ms", number(spec->pool_timeout_ms), "overprovisioning_percent",
		number(spec->overprovisioning_percent), "panic_percent",
		number(spec->panic_percent), "localities", rows);
}
