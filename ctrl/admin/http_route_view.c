// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/http_route_view.h"

#include "ctrl/admin/l7_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/ctrl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ": curl/*", and nothing where a header need only be there.
static void value_words(const struct header_match_spec *header, char *words, size_t n_bytes)
{
	const bool any_before = header->type == HEADER_SUFFIX || header->type == HEADER_CONTAINS;
	const bool any_behind = header->type == HEADER_PREFIX || header->type == HEADER_CONTAINS;

	words[0] = '\0';
	if (header->type == HEADER_RANGE)
		snprintf(words, n_bytes, ": %" PRId64 " to below %" PRId64, header->range_start,
			header->range_end);
	else if (header->type != HEADER_PRESENT)
		snprintf(words, n_bytes, ": %s%s%s", any_before ? "*" : "", header->value,
			any_behind ? "*" : "");
}

// "x-team: blue", "not user-agent: curl/*", "cookie", "x-team: *blue (any case)".
static json_t *header_words(const struct header_match_spec *header)
{
	static const char *const options[] = {
		"", " (any case)", " (missing is empty)", " (any case, missing is empty)"};
	char value[L7_MAX_HEADER_VALUE_LEN + 16];
	char words[L7_MAX_NAME_LEN + sizeof(value) + 48];

	value_words(header, value, sizeof(value));
	snprintf(words, sizeof(words), "%s%s%s%s", header->invert ? "not " : "", header->name,
		value, options[header->ignore_case + 2 * header->missing_as_empty]);
	return reply_string(words);
}

static json_t *headers_of(const struct l7_route_spec *route)
{
	json_t *headers = json_array();

	for (uint32_t i = 0; i < route->n_headers; i++)
		json_array_append_new(headers, header_words(&route->headers[i]));
	return headers;
}

// Words with more behind; takes words over.
static json_t *join(json_t *words, const char *between, const char *more)
{
	json_t *joined = words == NULL
				 ? NULL
				 : json_sprintf("%s%s%s", json_string_value(words), between, more);

	json_decref(words);
	return joined;
}

// "/v2/*, x-team: blue": the path first.
static json_t *match_words(const struct l7_route_spec *route, const json_t *headers)
{
	json_t *words = reply_string(route->path);

	if (route->path_type != PATH_EXACT)
		words = join(words, route->path_type == PATH_PREFIX ? "*" : "[/*]", "");
	for (size_t i = 0; i < json_array_size(headers); i++)
		words = join(words, ", ", json_string_value(json_array_get(headers, i)));
	return words;
}

static json_t *clusters_of(const struct l7_route_spec *route)
{
	json_t *clusters = json_array();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < route->n_clusters; i++)
		sum += route->clusters[i].weight;
	for (uint32_t i = 0; i < route->n_clusters && sum > 0; i++)
		json_array_append_new(clusters,
			json_pack("{s:s, s:I, s:f}", "cluster", route->clusters[i].cluster,
				"weight", (json_int_t)route->clusters[i].weight, "share_percent",
				100.0 * route->clusters[i].weight / (double)sum));
	return clusters;
}

// "cluster a", "90 % a, 10 % b".
static json_t *cluster_words(const struct l7_route_spec *route, const json_t *clusters)
{
	json_t *words = json_string(route->n_clusters == 1 ? "cluster " : "");
	char share[16];

	for (size_t i = 0; i < json_array_size(clusters); i++) {
		const json_t *choice = json_array_get(clusters, i);

		snprintf(share, sizeof(share), "%s%.4g %% ", i == 0 ? "" : ", ",
			json_number_value(json_object_get(choice, "share_percent")));
		words = join(words, route->n_clusters == 1 ? "" : share,
			json_string_value(json_object_get(choice, "cluster")));
	}
	return words;
}

static void add_action(json_t *row, const struct l7_route_spec *route)
{
	json_t *clusters;

	if (route->action == ROUTE_ACTION_DIRECT) {
		json_object_set_new(row, "status_code", json_integer(route->status));
		json_object_set_new(row, "to", json_sprintf("reply %u", route->status));
		return;
	}
	clusters = clusters_of(route);
	json_object_set_new(row, "clusters", clusters);
	json_object_set_new(row, "to", cluster_words(route, clusters));
}

static json_t *route_row(
	const struct l7_walk *walk, const struct virtual_host_spec *host, uint32_t slot)
{
	static const char *const path_keys[] = {[PATH_PREFIX] = "prefix",
		[PATH_EXACT] = "path",
		[PATH_SEPARATED_PREFIX] = "path_separated_prefix"};
	const struct l7_tables *t = ctrl_snapshot(walk->ctrl)->l7;
	const struct l7_route_spec *route = &host->routes[walk->route_idx - 1];
	json_t *headers = headers_of(route);
	json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:I}", "route",
		json_sprintf(
			"%s/%s/%s", walk->name, host->name, l7_view_name(t->route_names, slot)),
		"match", match_words(route, headers), path_keys[route->path_type],
		reply_string(route->path), "headers", headers, "timeout_ms",
		(json_int_t)route->timeout_ms);

	if (row == NULL)
		return NULL;
	if (route->idle_timeout_ms != L7_TIMEOUT_OF_LISTENER)
		json_object_set_new(
			row, "idle_timeout_ms", json_integer((json_int_t)route->idle_timeout_ms));
	if (route->host_rewrite != NULL)
		json_object_set_new(row, "host_rewrite", reply_string(route->host_rewrite));
	add_action(row, route);
	l7_view_add_counters(row, walk->ctrl, L7_ROUTE, slot);
	l7_view_add_latency(row, walk->ctrl, L7_ROUTE, slot);
	return row;
}

bool http_route_view_next(struct l7_walk *walk, json_t **row)
{
	const struct virtual_host_spec *host;
	uint32_t slot;

	if (l7_walk_next_route(walk, &host, &slot) == NULL)
		return false;
	*row = route_row(walk, host, slot);
	return true;
}
