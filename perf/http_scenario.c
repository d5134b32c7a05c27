// SPDX-License-Identifier: Apache-2.0

// Clients are in VRF red, servers in VRF blue; in between 10.255.0.1, a listener with a virtual host for each
// service. With SRv6, both are behind a policy of one segment and reach the node by an End.DT4 SID.

#include "perf/http_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

enum {
	MTU = 1600, // of the underlay: packets of 1500 bytes fit with their outer headers
	SOURCES_PREFIX_LEN = 27,
	N_SOURCES = 1 << (32 - SOURCES_PREFIX_LEN),
	MIN_ROOM = 65536,
};

_Static_assert((int)N_SOURCES <= (int)HTTP_LOAD_MAX_SOURCES, "the load has room for them");

const struct http_scenario http_scenarios[HTTP_LOAD_N_KINDS] = {
	{"keepalive", HTTP_LOAD_KEEPALIVE, "requests on open connections, passed on unedited"},
	{"keepalive_edit", HTTP_LOAD_KEEPALIVE_EDIT, "with x-forwarded-* and x-request-id added"},
	{"connect", HTTP_LOAD_CONNECT, "a connection for each request, pooled legs"},
	{"bulk", HTTP_LOAD_BULK, "responses of 1 MiB in full segments"},
};

const struct http_scenario *http_scenario_find(const char *name)
{
	for (size_t i = 0; i < RTE_DIM(http_scenarios); i++)
		if (strcmp(http_scenarios[i].name, name) == 0)
			return &http_scenarios[i];
	return NULL;
}

// Connections that are over stay for a while, as long as nobody needs their records.
uint32_t http_scenario_room(
	const struct http_scenario *scenario, const struct http_scenario_size *size)
{
	uint32_t n = size->n_flows;

	if (scenario->kind == HTTP_LOAD_CONNECT)
		n += n / 4;
	// A hash spreads flows over workers, not quite evenly.
	if (size->n_workers > 1)
		n = n / size->n_workers + n / 8;
	return RTE_MAX(n, (uint32_t)MIN_ROOM);
}

static void print_ports(FILE *f, bool plain)
{
	static const char *const plain_keys[] = {
		"vrf = \"red\"; addresses = [ \"172.16.0.1/24\" ];",
		"vrf = \"blue\"; addresses = [ \"172.17.0.1/24\" ];"};
	static const char *const srv6_keys[] = {
		"sr_trusted = true; addresses = [ \"2001:db8:e::1/64\" ];",
		"sr_trusted = true; addresses = [ \"2001:db8:f::1/64\" ];"};

	fprintf(f, "ports = (");
	for (int i = 0; i < 2; i++)
		fprintf(f, "%s{ name = \"p%d\"; device = \"net_ring_rig%d\"; mtu = %d; %s }",
			i == 0 ? " " : ",\n ", i, i, MTU, plain ? plain_keys[i] : srv6_keys[i]);
	fprintf(f, ");\n");
}

static void print_vrfs(FILE *f, bool plain)
{
	const char *to_clients = plain ? "via = \"172.16.0.2\"" : "policy = \"to-clients\"";
	const char *to_servers = plain ? "via = \"172.17.0.2\"" : "policy = \"to-servers\"";

	fprintf(f, "vrfs = ( { name = \"default\"; routes = (");
	if (!plain)
		fprintf(f, " { prefix = \"2001:db8:a::/48\"; via = \"2001:db8:e::2\"; },\n"
			   " { prefix = \"2001:db8:b::/48\"; via = \"2001:db8:f::2\"; }");
	fprintf(f, "); },\n");
	fprintf(f, " { name = \"red\"; routes = ( { prefix = \"10.0.0.0/10\"; %s; } ); },\n",
		to_clients);
	fprintf(f,
		" { name = \"blue\"; sources = [ \"10.192.0.0/%d\" ];\n"
		"   routes = ( { prefix = \"10.128.0.0/10\"; %s; } ); } );\n",
		SOURCES_PREFIX_LEN, to_servers);
}

static void print_srv6(FILE *f)
{
	fprintf(f, "srv6 = { source = \"2001:db8:f::1\";\n"
		   " sids = ( { sid = \"2001:db8:1:1::/64\"; behavior = \"End.DT4\"; vrf = "
		   "\"red\"; },\n"
		   " { sid = \"2001:db8:1:2::/64\"; behavior = \"End.DT4\"; vrf = \"blue\"; } );\n"
		   " policies = ( { name = \"to-clients\"; segments = [ \"2001:db8:a::1\" ]; },\n"
		   " { name = \"to-servers\"; segments = [ \"2001:db8:b::1\" ]; } ); };\n");
}

static void print_listener(FILE *f, bool edit)
{
	const char *edits = edit ? "true" : "false";

	fprintf(f,
		"listeners = ( { name = \"http\"; service_network = \"net\"; "
		"addresses = [ \"10.255.0.1\" ]; port = %d;\n"
		" route_configuration = \"services\"; idle_timeout_ms = 0; "
		"stream_idle_timeout_ms = 0;\n"
		" x_forwarded_for = %s; x_forwarded_proto = %s; x_forwarded_port = %s; "
		"x_request_id = %s; } );\n",
		HTTP_LOAD_PORT, edits, edits, edits, edits);
}

static void print_routes(FILE *f, uint32_t n_services)
{
	fprintf(f, "route_configurations = ( { name = \"services\"; virtual_hosts = (");
	for (uint32_t s = 0; s < n_services; s++)
		fprintf(f,
			"%s{ name = \"s%05u\"; domains = [ \"s%05u.lattice.local\" ];\n"
			" routes = ( { path = \"/health\"; direct_response = { status = 204; }; "
			"},\n"
			" { prefix = \"/r/\"; cluster = \"s%05u\"; timeout_ms = 0; } ); }",
			s == 0 ? "" : ",\n", s, s, s);
	fprintf(f, "); } );\n");
}

static void print_clusters(FILE *f, uint32_t n_services)
{
	fprintf(f, "clusters = (");
	for (uint32_t s = 0; s < n_services; s++) {
		fprintf(f, "%s{ name = \"s%05u\"; vrf = \"blue\"; endpoints = (",
			s == 0 ? "" : ",\n", s);
		for (uint32_t e = 0; e < HTTP_LOAD_ENDPOINTS; e++) {
			uint32_t addr = HTTP_LOAD_SERVER_NET + s * HTTP_LOAD_ENDPOINTS + e;

			fprintf(f, "%s{ address = \"10.%u.%u.%u\"; port = %d; }",
				e == 0 ? " " : ", ", addr >> 16 & 0xff, addr >> 8 & 0xff,
				addr & 0xff, HTTP_LOAD_PORT);
		}
		fprintf(f, " ); }");
	}
	fprintf(f, ");\n");
}

char *http_scenario_config(
	const struct http_scenario *scenario, const struct http_scenario_size *size)
{
	uint32_t room = http_scenario_room(scenario, size);
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	fprintf(f, "eal = { huge_pages = true; };\nworkers = { count = %u; };\n", size->n_workers);
	fprintf(f, "l7 = { flows = %u; legs = %u; };\n", room, room);
	print_ports(f, size->plain);
	print_vrfs(f, size->plain);
	if (!size->plain)
		print_srv6(f);
	fprintf(f, "service_networks = ( { name = \"net\"; vrfs = [ \"red\" ]; } );\n");
	if (!size->changing) {
		print_listener(f, scenario->kind == HTTP_LOAD_KEEPALIVE_EDIT);
		print_routes(f, size->n_services);
		print_clusters(f, size->n_services);
	}
	fclose(f);
	return text;
}

struct http_load_config http_scenario_load(
	const struct http_scenario *scenario, const struct http_scenario_size *size)
{
	// 2001:db8:a::1 and 2001:db8:b::1, to 2001:db8:1:1:: and 2001:db8:1:2::.
	static const uint8_t net[4] = {0x20, 0x01, 0x0d, 0xb8};
	struct http_load_config config = {
		.kind = scenario->kind,
		.n_flows = size->n_flows,
		.n_services = size->n_services,
		.n_sources = N_SOURCES,
	};

	for (uint8_t side = 0; side < HTTP_LOAD_N_SIDES; side++) {
		struct http_packet_link *link = &config.links[side];

		link->srv6 = !size->plain;
		memcpy(link->outer_src, net, sizeof(net));
		memcpy(link->outer_dst, net, sizeof(net));
		link->outer_src[5] = 0xa + side;
		link->outer_src[15] = 1;
		link->outer_dst[5] = 1;
		link->outer_dst[7] = 1 + side;
	}
	return config;
}
