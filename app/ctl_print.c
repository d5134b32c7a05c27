// SPDX-License-Identifier: Apache-2.0
#include "app/ctl_print.h"

#include "app/ctl_table.h"

#include <stdbool.h>

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "-" : text;
}

static json_int_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void print_uptime(FILE *out, double uptime_s)
{
	unsigned long s = (unsigned long)uptime_s;

	fprintf(out, "uptime      ");
	if (s >= 86400)
		fprintf(out, "%lu d ", s / 86400);
	fprintf(out, "%02lu:%02lu:%02lu\n", s / 3600 % 24, s / 60 % 60, s % 60);
}

static void print_last_reload(FILE *out, const json_t *reload)
{
	const char *text = string_of(reload, "text");
	bool ok = json_is_true(json_object_get(reload, "ok"));

	fprintf(out, "reload      %s%s%s\n", ok ? "ok" : "refused", text[0] == '\0' ? "" : ": ",
		text);
}

void ctl_print_status(FILE *out, const json_t *answer)
{
	static const struct ctl_column workers[] = {
		{"WORKER", "worker", CTL_RIGHT},
		{"CPU", "cpu", CTL_RIGHT},
		{"IDLE", "idle", CTL_LEFT},
		{"BUSY %", "busy_percent", CTL_RIGHT},
		{"PACKETS", "packets", CTL_RIGHT},
		{"STALLED", "stalled", CTL_LEFT},
	};
	static const struct ctl_column pools[] = {
		{"MBUFS", "pool", CTL_LEFT},
		{"IN USE", "in_use", CTL_RIGHT},
		{"TOTAL", "total", CTL_RIGHT},
	};
	const json_t *tables = json_object_get(answer, "tables");

	fprintf(out, "hostname    %s\n", string_of(answer, "hostname"));
	fprintf(out, "version     %s (%s)\n", string_of(answer, "version"),
		string_of(answer, "dpdk"));
	print_uptime(out, number_of(answer, "uptime_s"));
	fprintf(out, "config      %s\n", string_of(answer, "config"));
	fprintf(out, "generation  %lld\n", integer_of(answer, "generation"));
	print_last_reload(out, json_object_get(answer, "reload"));
	fprintf(out, "tables      %.1f KiB, %lld shared with the generation before\n\n",
		number_of(tables, "bytes") / 1024, integer_of(tables, "shared"));
	CTL_TABLE_PRINT(out, json_object_get(answer, "workers"), workers);
	fprintf(out, "\n");
	CTL_TABLE_PRINT(out, json_object_get(answer, "mbufs"), pools);
	ctl_print_l7_status(out, answer);
}

void ctl_print_ports(FILE *out, const json_t *answer)
{
	static const struct ctl_column ports[] = {
		{"PORT", "port", CTL_LEFT},
		{"DEVICE", "device", CTL_LEFT},
		{"MAC", "mac", CTL_LEFT},
		{"MTU", "mtu", CTL_RIGHT},
		{"RXQ", "rx_queues", CTL_RIGHT},
		{"TXQ", "tx_queues", CTL_RIGHT},
		{"UP", "link.up", CTL_LEFT},
		{"SPEED", "link.speed", CTL_LEFT},
		{"RX PACKETS", "stats.rx_packets", CTL_RIGHT},
		{"RX BYTES", "stats.rx_bytes", CTL_RIGHT},
		{"MISSED", "stats.rx_missed", CTL_RIGHT},
		{"RX ERRORS", "stats.rx_errors", CTL_RIGHT},
		{"TX PACKETS", "stats.tx_packets", CTL_RIGHT},
		{"TX BYTES", "stats.tx_bytes", CTL_RIGHT},
		{"TX ERRORS", "stats.tx_errors", CTL_RIGHT},
	};
	static const struct ctl_column interfaces[] = {
		{"INTERFACE", "interface", CTL_LEFT},
		{"PORT", "port", CTL_LEFT},
		{"VLAN", "vlan", CTL_RIGHT},
		{"VRF", "vrf", CTL_LEFT},
		{"MTU", "mtu", CTL_RIGHT},
		{"SR TRUSTED", "sr_trusted", CTL_LEFT},
		{"DISPATCH", "dispatch", CTL_LEFT},
		{"ADDRESSES", "addresses", CTL_LEFT},
	};

	CTL_TABLE_PRINT(out, json_object_get(answer, "ports"), ports);
	fprintf(out, "\n");
	CTL_TABLE_PRINT(out, json_object_get(answer, "interfaces"), interfaces);
}

void ctl_print_neighbors(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"ADDRESS", "address", CTL_LEFT},
		{"PORT", "port", CTL_LEFT},
		{"STATE", "state", CTL_LEFT},
		{"MAC", "mac", CTL_LEFT},
		{"AGE S", "age_s", CTL_RIGHT},
		{"WAITING", "waiting_packets", CTL_RIGHT},
		{"GATEWAY", "gateway", CTL_LEFT},
	};

	CTL_TABLE_PRINT(out, json_object_get(answer, "neighbors"), columns);
}

static void print_segment_lists(FILE *out, const json_t *lists, const char *indent)
{
	char segments[CTL_TABLE_CELL_BYTES];
	size_t i;
	json_t *list;

	json_array_foreach(lists, i, list)
	{
		ctl_table_format(json_object_get(list, "segments"), segments);
		fprintf(out, "%ssegments %s weight %lld: %s\n", indent, segments,
			integer_of(list, "weight"), string_of(list, "to"));
	}
}

static void print_why(FILE *out, const json_t *answer)
{
	const json_t *members = json_object_get(answer, "members");
	const json_t *sid = json_object_get(answer, "sid");
	size_t i;
	json_t *row;

	fprintf(out, "%s in VRF %s: %s\n", string_of(answer, "address"), string_of(answer, "vrf"),
		string_of(answer, "to"));
	fprintf(out, "  matched %s\n", string_of(answer, "prefix"));
	if (json_object_get(sid, "to") != NULL)
		fprintf(out, "  %s\n", string_of(sid, "to"));
	print_segment_lists(out, json_object_get(answer, "lists"), "  ");
	json_array_foreach(members, i, row)
	{
		fprintf(out, "  %5.1f %% of flows: %s\n", number_of(row, "share_percent"),
			string_of(row, "to"));
		print_segment_lists(out, json_object_get(row, "lists"), "    ");
	}
	json_array_foreach(json_object_get(answer, "lost_to_it"), i, row)
	{
		fprintf(out, "  instead of %s, shorter: %s\n", string_of(row, "prefix"),
			string_of(row, "to"));
	}
}

void ctl_print_routes(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"VRF", "vrf", CTL_LEFT},
		{"PREFIX", "prefix", CTL_LEFT},
		{"TO", "to", CTL_LEFT},
	};

	const json_t *routes = json_object_get(answer, "routes");
	const json_t *http_routes = json_object_get(answer, "http_routes");

	if (json_object_get(answer, "address") != NULL) {
		print_why(out, answer);
		return;
	}
	if (routes != NULL)
		CTL_TABLE_PRINT(out, routes, columns);
	// Without services there is no second table, unless it was asked for.
	if (routes != NULL && json_array_size(http_routes) > 0)
		fprintf(out, "\n");
	if (routes == NULL || json_array_size(http_routes) > 0)
		ctl_print_http_routes(out, http_routes);
}

void ctl_print_sids(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"SID", "prefix", CTL_LEFT},
		{"BEHAVIOR", "behavior", CTL_LEFT},
		{"FLAVORS", "flavors", CTL_LEFT},
		{"PACKETS", "packets", CTL_RIGHT},
		{"BYTES", "bytes", CTL_RIGHT},
		{"TO", "to", CTL_LEFT},
	};

	CTL_TABLE_PRINT(out, json_object_get(answer, "sids"), columns);
}

// One row per segment list; what belongs to the policy stands in the first.
static void add_list_rows(json_t *rows, json_t *policy)
{
	static const char *const keys[] = {"policy", "headend", "packets", "bytes"};
	json_t *lists = json_object_get(policy, "lists");
	size_t i;
	json_t *list;

	json_array_foreach(lists, i, list)
	{
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			json_object_set_new(list, keys[k],
				i == 0 ? json_incref(json_object_get(policy, keys[k]))
				       : json_string(""));
		json_array_append(rows, list);
	}
}

void ctl_print_policies(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"POLICY", "policy", CTL_LEFT},
		{"HEADEND", "headend", CTL_LEFT},
		{"PACKETS", "packets", CTL_RIGHT},
		{"BYTES", "bytes", CTL_RIGHT},
		{"WEIGHT", "weight", CTL_RIGHT},
		{"SEGMENTS", "segments", CTL_LEFT},
		{"FIRST HOP", "to", CTL_LEFT},
	};
	json_t *rows = json_array();
	size_t i;
	json_t *policy;

	json_array_foreach(json_object_get(answer, "policies"), i, policy)
	{
		add_list_rows(rows, policy);
	}
	CTL_TABLE_PRINT(out, rows, columns);
	json_decref(rows);
}

void ctl_print_drops(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"REASON", "reason", CTL_LEFT},
		{"PACKETS", "packets", CTL_RIGHT},
		{"MEANING", "help", CTL_LEFT},
	};

	CTL_TABLE_PRINT(out, json_object_get(answer, "drops"), columns);
}

void ctl_print_nodes(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"NODE", "node", CTL_LEFT},
		{"CALLS", "calls", CTL_RIGHT},
		{"PACKETS", "packets", CTL_RIGHT},
		{"CYCLES/PACKET", "cycles_per_packet", CTL_RIGHT},
		{"PACKETS/CALL", "packets_per_call", CTL_RIGHT},
	};
	json_t *rows = json_array();
	size_t i;
	json_t *node;

	json_array_foreach(json_object_get(answer, "nodes"), i, node)
	{
		if (integer_of(node, "packets") > 0)
			json_array_append(rows, node);
	}
	CTL_TABLE_PRINT(out, rows, columns);
	json_decref(rows);
}

void ctl_print_reload(FILE *out, const json_t *answer)
{
	const char *restart = string_of(answer, "restart");

	fprintf(out, "live: generation %lld (read in %.1f ms, compiled in %.1f ms)\n",
		integer_of(answer, "generation"), number_of(answer, "load_ms"),
		number_of(answer, "compile_ms"));
	if (restart[0] != '\0')
		fprintf(out, "%s\n", restart);
}

static void print_event(FILE *out, const json_t *event)
{
	fprintf(out, "  %+10lld ns  worker %lld  %-20s %s %-20s port %s vrf %s  %s\n",
		integer_of(event, "offset_ns"), integer_of(event, "worker"),
		string_of(event, "node"),
		json_is_string(json_object_get(event, "next")) ? ">" : " ",
		json_is_string(json_object_get(event, "next")) ? string_of(event, "next") : "",
		string_of(event, "port"), string_of(event, "vrf"), string_of(event, "packet"));
}

void ctl_print_trace(FILE *out, const json_t *answer)
{
	const json_t *packets = json_object_get(answer, "packets");
	size_t i, j;
	json_t *packet, *event;

	json_array_foreach(packets, i, packet)
	{
		fprintf(out, "packet %zu%s\n", i + 1,
			json_is_true(json_object_get(packet, "complete"))
				? ""
				: " (its way had not ended)");
		json_array_foreach(json_object_get(packet, "events"), j, event)
		{
			print_event(out, event);
		}
	}
	if (json_array_size(packets) == 0)
		fprintf(out, "no packet came in\n");
}

void ctl_print_capture(FILE *out, const json_t *answer)
{
	fprintf(out, "%s: %lld packets written, %lld lost, %.1f s\n", string_of(answer, "file"),
		integer_of(answer, "written"), integer_of(answer, "lost"),
		number_of(answer, "seconds"));
}
