// SPDX-License-Identifier: Apache-2.0

// Answers about services. Rows are prepared for the tables: what an answer nests stands side by side there.

#include "app/ctl_print.h"
#include "app/ctl_table.h"

#include <stdbool.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "-" : text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

// ---- services

static void print_listeners(FILE *out, const json_t *rows)
{
	static const struct ctl_column columns[] = {
		{"LISTENER", "listener", CTL_LEFT},
		{"ADDRESSES", "addresses", CTL_LEFT},
		{"VRFS", "vrfs", CTL_LEFT},
		{"PROTOCOL", "protocol", CTL_LEFT},
		{"FLOWS", "active", CTL_RIGHT},
		{"REQUESTS", "requests", CTL_RIGHT},
		{"1XX", "status.1xx", CTL_RIGHT},
		{"2XX", "status.2xx", CTL_RIGHT},
		{"3XX", "status.3xx", CTL_RIGHT},
		{"4XX", "status.4xx", CTL_RIGHT},
		{"5XX", "status.5xx", CTL_RIGHT},
		{"OWN REPLIES", "own_replies", CTL_RIGHT},
		{"RESETS", "resets", CTL_RIGHT},
		{"BYTES UP", "bytes_up", CTL_RIGHT},
		{"BYTES DOWN", "bytes_down", CTL_RIGHT},
	};

	CTL_TABLE_PRINT(out, rows, columns);
}

static void print_hosts(FILE *out, const json_t *rows)
{
	static const struct ctl_column columns[] = {
		{"VIRTUAL HOST", "virtual_host", CTL_LEFT},
		{"DOMAINS", "domains", CTL_LEFT},
		{"ACTIVE", "active", CTL_RIGHT},
		{"REQUESTS", "requests", CTL_RIGHT},
		{"1XX", "status.1xx", CTL_RIGHT},
		{"2XX", "status.2xx", CTL_RIGHT},
		{"3XX", "status.3xx", CTL_RIGHT},
		{"4XX", "status.4xx", CTL_RIGHT},
		{"5XX", "status.5xx", CTL_RIGHT},
		{"OWN REPLIES", "own_replies", CTL_RIGHT},
		{"RESETS", "resets", CTL_RIGHT},
		{"BYTES UP", "bytes_up", CTL_RIGHT},
		{"BYTES DOWN", "bytes_down", CTL_RIGHT},
	};

	fprintf(out, "\n");
	CTL_TABLE_PRINT(out, rows, columns);
}

// Rows of those that have been measured, called by what key has.
static void add_measured(json_t *to, const json_t *rows, const char *what, const char *key)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		json_t *first_byte = json_object_get(row, "first_byte_us");

		if (number_of(first_byte, "count") == 0)
			continue;
		json_object_set_new(row, "what", json_string(what));
		json_object_set(row, "name", json_object_get(row, key));
		json_array_append(to, row);
	}
}

static void print_latencies(FILE *out, const json_t *rows)
{
	static const struct ctl_column columns[] = {
		{"LATENCY (US)", "what", CTL_LEFT},
		{"OF", "name", CTL_LEFT},
		{"FIRST BYTE P50", "first_byte_us.p50", CTL_RIGHT},
		{"P90", "first_byte_us.p90", CTL_RIGHT},
		{"P99", "first_byte_us.p99", CTL_RIGHT},
		{"MAX", "first_byte_us.max", CTL_RIGHT},
		{"RESPONSE P50", "response_us.p50", CTL_RIGHT},
		{"P90", "response_us.p90", CTL_RIGHT},
		{"P99", "response_us.p99", CTL_RIGHT},
		{"MAX", "response_us.max", CTL_RIGHT},
	};

	if (json_array_size(rows) == 0)
		return;
	fprintf(out, "\n");
	CTL_TABLE_PRINT(out, rows, columns);
}

static void add_reasons(
	json_t *to, const json_t *row, const char *key, const char *what, const char *name)
{
	const char *reason;
	json_t *count;

	json_object_foreach(json_object_get(row, key), reason, count)
	{
		json_array_append_new(to, json_pack("{s:s, s:s, s:s, s:O}", "what", what, "name",
						  name, "reason", reason, "count", count));
	}
}

// What listeners' clients got from the node itself.
static json_t *reason_rows(const json_t *listeners)
{
	json_t *rows = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(listeners, i, row)
	{
		add_reasons(rows, row, "own_replies_by_reason", "reply", text_of(row, "listener"));
		add_reasons(rows, row, "resets_by_reason", "reset", text_of(row, "listener"));
	}
	return rows;
}

static void print_reasons(FILE *out, const json_t *listeners)
{
	static const struct ctl_column columns[] = {
		{"BY THE NODE", "what", CTL_LEFT},
		{"LISTENER", "name", CTL_LEFT},
		{"REASON", "reason", CTL_LEFT},
		{"COUNT", "count", CTL_RIGHT},
	};
	json_t *rows = reason_rows(listeners);

	if (json_array_size(rows) > 0) {
		fprintf(out, "\n");
		CTL_TABLE_PRINT(out, rows, columns);
	}
	json_decref(rows);
}

static void print_events(FILE *out, const json_t *answer)
{
	static const struct ctl_column malformed[] = {
		{"MALFORMED HEAD", "reason", CTL_LEFT},
		{"COUNT", "heads", CTL_RIGHT},
	};
	static const struct ctl_column columns[] = {
		{"EVENT", "event", CTL_LEFT},
		{"COUNT", "count", CTL_RIGHT},
		{"MEANING", "help", CTL_LEFT},
	};
	json_t *rows = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(answer, "events"), i, row)
	{
		if (number_of(row, "count") > 0)
			json_array_append(rows, row);
	}
	if (json_array_size(json_object_get(answer, "malformed")) > 0) {
		fprintf(out, "\n");
		CTL_TABLE_PRINT(out, json_object_get(answer, "malformed"), malformed);
	}
	if (json_array_size(rows) > 0) {
		fprintf(out, "\n");
		CTL_TABLE_PRINT(out, rows, columns);
	}
	json_decref(rows);
}

void ctl_print_services(FILE *out, const json_t *answer)
{
	const json_t *listeners = json_object_get(answer, "services");
	const json_t *hosts = json_object_get(answer, "virtual_hosts");
	json_t *latencies = json_array();

	print_listeners(out, listeners);
	if (json_array_size(hosts) > 0)
		print_hosts(out, hosts);
	add_measured(latencies, listeners, "listener", "listener");
	add_measured(latencies, hosts, "virtual host", "virtual_host");
	print_latencies(out, latencies);
	print_reasons(out, listeners);
	print_events(out, answer);
	json_decref(latencies);
}

// ---- routes

void ctl_print_http_routes(FILE *out, const json_t *rows)
{
	static const struct ctl_column columns[] = {
		{"HTTP ROUTE", "route", CTL_LEFT},
		{"MATCH", "match", CTL_LEFT},
		{"TO", "to", CTL_LEFT},
		{"ACTIVE", "active", CTL_RIGHT},
		{"REQUESTS", "requests", CTL_RIGHT},
		{"1XX", "status.1xx", CTL_RIGHT},
		{"2XX", "status.2xx", CTL_RIGHT},
		{"3XX", "status.3xx", CTL_RIGHT},
		{"4XX", "status.4xx", CTL_RIGHT},
		{"5XX", "status.5xx", CTL_RIGHT},
		{"OWN REPLIES", "own_replies", CTL_RIGHT},
		{"RETRIES", "retries", CTL_RIGHT},
		{"REBINDS", "rebinds", CTL_RIGHT},
		{"BYTES UP", "bytes_up", CTL_RIGHT},
		{"BYTES DOWN", "bytes_down", CTL_RIGHT},
	};
	json_t *latencies = json_array();

	CTL_TABLE_PRINT(out, rows, columns);
	add_measured(latencies, rows, "route", "route");
	print_latencies(out, latencies);
	json_decref(latencies);
}

// ---- clusters

// By cluster's name, arrays of endpoints; those of clusters that were removed under "".
static json_t *group_endpoints(const json_t *endpoints)
{
	json_t *groups = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(endpoints, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "cluster"));
		json_t *group = json_object_get(groups, name == NULL ? "" : name);

		if (group == NULL) {
			group = json_array();
			json_object_set_new(groups, name == NULL ? "" : name, group);
		}
		json_array_append(group, row);
	}
	return groups;
}

static void append_endpoints(json_t *rows, const json_t *group)
{
	size_t i;
	json_t *row;

	json_array_foreach(group, i, row)
	{
		json_object_set_new(row, "name", json_sprintf("  %s", text_of(row, "endpoint")));
		json_object_set_new(row, "lb_policy", json_string(""));
		json_array_append(rows, row);
	}
}

// What a table says of a cluster where only endpoints have something.
static void blank(json_t *row)
{
	static const char *const keys[] = {
		"state", "health", "priority", "locality", "vrf", "policy", "weight", "idle_legs"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set_new(row, keys[i], json_string(""));
}

static json_t *cluster_rows(const json_t *clusters, const json_t *groups)
{
	const json_t *removed = json_object_get(groups, "");
	json_t *rows = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(clusters, i, row)
	{
		blank(row);
		json_object_set(row, "name", json_object_get(row, "cluster"));
		json_array_append(rows, row);
		append_endpoints(rows, json_object_get(groups, text_of(row, "cluster")));
	}
	if (removed != NULL) {
		json_array_append_new(rows, json_pack("{s:s}", "name", "(removed)"));
		append_endpoints(rows, removed);
	}
	return rows;
}

void ctl_print_clusters(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"CLUSTER", "name", CTL_LEFT},
		{"BALANCING", "lb_policy", CTL_LEFT},
		{"STATE", "state", CTL_LEFT},
		{"HEALTH", "health", CTL_LEFT},
		{"PRIORITY", "priority", CTL_RIGHT},
		{"LOCALITY", "locality", CTL_LEFT},
		{"VRF", "vrf", CTL_LEFT},
		{"POLICY", "policy", CTL_LEFT},
		{"WEIGHT", "weight", CTL_RIGHT},
		{"ACTIVE", "active", CTL_RIGHT},
		{"IDLE", "idle_legs", CTL_RIGHT},
		{"REQUESTS", "requests", CTL_RIGHT},
		{"1XX", "status.1xx", CTL_RIGHT},
		{"2XX", "status.2xx", CTL_RIGHT},
		{"3XX", "status.3xx", CTL_RIGHT},
		{"4XX", "status.4xx", CTL_RIGHT},
		{"5XX", "status.5xx", CTL_RIGHT},
		{"CONNECT FAILED", "connect_failures", CTL_RIGHT},
		{"RETRIES", "retries", CTL_RIGHT},
		{"REBINDS", "rebinds", CTL_RIGHT},
		{"OWN REPLIES", "own_replies", CTL_RIGHT},
		{"BYTES UP", "bytes_up", CTL_RIGHT},
		{"BYTES DOWN", "bytes_down", CTL_RIGHT},
	};
	const json_t *clusters = json_object_get(answer, "clusters");
	json_t *groups = group_endpoints(json_object_get(answer, "endpoints"));
	json_t *rows = cluster_rows(clusters, groups);
	json_t *latencies = json_array();

	CTL_TABLE_PRINT(out, rows, columns);
	add_measured(latencies, clusters, "cluster", "cluster");
	add_measured(latencies, json_object_get(answer, "endpoints"), "endpoint", "endpoint");
	print_latencies(out, latencies);
	json_decref(latencies);
	json_decref(rows);
	json_decref(groups);
}

// ---- flows

void ctl_print_flows(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"WORKER", "worker", CTL_RIGHT},
		{"VRF", "vrf", CTL_LEFT},
		{"CLIENT", "client", CTL_LEFT},
		{"ADDRESS", "address", CTL_LEFT},
		{"PHASE", "phase", CTL_LEFT},
		{"IDLE MS", "idle_ms", CTL_RIGHT},
		{"REQUESTS", "requests", CTL_RIGHT},
		{"VIRTUAL HOST", "virtual_host", CTL_LEFT},
		{"ROUTE", "route", CTL_LEFT},
		{"CLUSTER", "cluster", CTL_LEFT},
		{"ENDPOINT", "endpoint", CTL_LEFT},
		{"FROM", "source", CTL_LEFT},
		{"IN VRF", "endpoint_vrf", CTL_LEFT},
	};
	const json_t *flows = json_object_get(answer, "flows");

	CTL_TABLE_PRINT(out, flows, columns);
	if (json_is_true(json_object_get(answer, "cut")))
		fprintf(out,
			"\nOnly the first %zu that fit, of %lld flows in all: narrow the filter or "
			"raise --limit.\n",
			json_array_size(flows), number_of(answer, "in_use"));
	else if (json_is_false(json_object_get(answer, "complete")))
		fprintf(out, "\nA worker did not answer in time: there may be more.\n");
}

// ---- status

static json_t *share_row(const json_t *worker)
{
	json_t *row = json_copy((json_t *)worker);
	const char *key;
	json_t *memory;

	json_object_foreach((json_t *)worker, key, memory)
	{
		if (json_is_object(memory))
			json_object_set_new(row, key,
				json_sprintf("%lld/%lld", number_of(memory, "in_use"),
					number_of(memory, "limit")));
	}
	return row;
}

void ctl_print_l7_status(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"WORKER", "worker", CTL_RIGHT},
		{"FLOWS", "flows", CTL_RIGHT},
		{"LINGERING", "lingering", CTL_RIGHT},
		{"HALF OPEN", "half_open", CTL_RIGHT},
		{"LEGS", "legs", CTL_RIGHT},
		{"IDLE LEGS", "idle_legs", CTL_RIGHT},
		{"2 KIB BUFFERS", "small_buffers", CTL_RIGHT},
		{"64 KIB BUFFERS", "large_buffers", CTL_RIGHT},
		{"WAITING SEGMENTS", "held", CTL_RIGHT},
	};
	json_t *rows = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(answer, "l7"), i, row)
	{
		json_array_append_new(rows, share_row(row));
	}
	if (number_of(answer, "listeners") > 0) {
		fprintf(out, "\n");
		CTL_TABLE_PRINT(out, rows, columns);
	}
	json_array_foreach(json_object_get(answer, "warnings"), i, row)
	{
		fprintf(out, "%sWARNING %s\n", i == 0 ? "\n" : "", json_string_value(row));
	}
	json_decref(rows);
}
