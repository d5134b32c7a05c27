// SPDX-License-Identifier: Apache-2.0

// The group "xds" of a file: every refusal, word for word.

#include "tests/unit/conf_fixture.h"

#include <stdlib.h>

#define SERVERS "servers = ( { address = \"a.example\"; port = 1; } );"
#define NODE "node = { id = \"n\"; };"
#define XDS(more) "xds = { " SERVERS " " NODE "\n" more " };"

static const struct refused refused_groups[] = {
	{"xds = ( );", "xds: must be a group { ... }, not a list"},
	{"xds = { " NODE " };", "xds: \"servers\" is missing"},
	{"xds = { " SERVERS " };", "xds: \"node\" is missing"},
	{"xds = { " NODE " servers = ( ); };", "xds.servers: at least one server is needed"},
	{XDS("protocl = \"delta\";"), "xds.protocl: unknown key; did you mean \"protocol\"?"},
	{XDS("zzzzz = 1;"),
		"xds.zzzzz: unknown key; one of servers, node, protocol, service_network, "
		"addresses, "
		"endpoint_addresses, connect_timeout_ms, keepalive_ms, keepalive_timeout_ms, "
		"max_message_bytes, max_resources, certificate_secret, ca_secret"},
};

static const struct refused refused_settings[] = {
	{"protocol = \"rest\";", "protocol: \"rest\" is not a known protocol; one of sotw, delta"},
	{"service_network = \"a b\";", "service_network: \"a b\" is not a name; 1 to 63 letters, "
				       "digits, '-', '_' and '.'"},
	{"connect_timeout_ms = 0;", "connect_timeout_ms: 0 is out of range; 1 to 3600000"},
	{"keepalive_ms = 3600001;", "keepalive_ms: 3600001 is out of range; 1 to 3600000"},
	{"keepalive_timeout_ms = 0;", "keepalive_timeout_ms: 0 is out of range; 1 to 3600000"},
	{"max_message_bytes = 65535;",
		"max_message_bytes: 65535 is out of range; 65536 to 1073741824"},
	{"max_message_bytes = 1073741825;",
		"max_message_bytes: 1073741825 is out of range; 65536 to 1073741824"},
	{"max_resources = 0;", "max_resources: 0 is out of range; 1 to 10000000"},
	{"max_resources = 10000001;", "max_resources: 10000001 is out of range; 1 to 10000000"},
	{"certificate_secret = \"\";", "certificate_secret: must not be empty"},
	{"ca_secret = 1;", "ca_secret: must be a string in quotes, not an integer"},
	{"addresses = { };", "addresses: must be a list ( ... ), not a group"},
	{"addresses = ( { to = [ \"10.0.0.1\" ]; } );", "addresses[0]: \"from\" is missing"},
	{"addresses = ( { from = \"10.0.0.1\"; } );", "addresses[0]: \"to\" is missing"},
	{"addresses = ( { from = \"10.0.0.1\"; to = [ ]; } );",
		"addresses[0].to: at least one address is needed"},
	{"addresses = ( { from = \"10.0.0.1\"; to = \"10.0.0.2\"; } );",
		"addresses[0].to: must be a list ( ... ), not a string"},
	{"addresses = ( { from = \"10.0.0.1\"; to = [ \"10.0.0.1/32\" ]; } );",
		"addresses[0].to[0]: \"10.0.0.1/32\" is not an IPv4 or IPv6 address"},
	{"addresses = ( { from = \"a.example\"; to = [ \"10.0.0.1\" ]; } );",
		"addresses[0].from: \"a.example\" is not an IPv4 or IPv6 address"},
	{"addresses = ( { from = \"10.0.0.1\"; from_port = 0; to = [ \"10.0.0.1\" ]; } );",
		"addresses[0].from_port: 0 is out of range; 1 to 65535"},
	{"addresses = ( { from = \"10.0.0.1\"; to = [ \"10.0.0.1\" ]; to_port = 65536; } );",
		"addresses[0].to_port: 65536 is out of range; 1 to 65535"},
	{"addresses = ( { from = \"10.0.0.1\"; to = [ \"10.0.0.1\" ]; vrf = \"red\"; } );",
		"addresses[0].vrf: unknown key; one of from, from_port, to, to_port"},
	{"endpoint_addresses = ( { to = \"10.0.0.1\"; } );",
		"endpoint_addresses[0]: \"from\" is missing"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; } );",
		"endpoint_addresses[0]: \"to\" is missing"},
	{"endpoint_addresses = ( { from = 1; to = \"10.0.0.1\"; } );",
		"endpoint_addresses[0].from: must be a string in quotes, not an integer"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; to = [ \"10.0.0.1\" ]; } );",
		"endpoint_addresses[0].to: must be a string in quotes, not an array"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; to = \"10.0.0.1\"; from_port = 65536; } );",
		"endpoint_addresses[0].from_port: 65536 is out of range; 1 to 65535"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; to = \"10.0.0.1\"; to_port = 0; } );",
		"endpoint_addresses[0].to_port: 0 is out of range; 1 to 65535"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; to = \"10.0.0.1\"; vrf = \"\"; } );",
		"endpoint_addresses[0].vrf: \"\" is not a name; 1 to 63 letters, digits, '-', '_' "
		"and '.'"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; to = \"10.0.0.1\"; policy = \"a/b\"; } );",
		"endpoint_addresses[0].policy: \"a/b\" is not a name; 1 to 63 letters, digits, "
		"'-', "
		"'_' and '.'"},
	{"endpoint_addresses = ( { from = \"10.0.0.1\"; to = \"10.0.0.1\"; weight = 1; } );",
		"endpoint_addresses[0].weight: unknown key; one of from, from_port, to, to_port, "
		"vrf, "
		"policy"},
};

static const struct refused refused_servers[] = {
	{"{ port = 1; }", "[0]: \"address\" is missing"},
	{"{ address = \"a\"; }", "[0]: \"port\" is missing"},
	{"{ address = \"\"; port = 1; }", "[0].address: must not be empty"},
	{"{ address = \"a\"; port = 0; }", "[0].port: 0 is out of range; 1 to 65535"},
	{"{ address = \"a\"; port = 65536; }", "[0].port: 65536 is out of range; 1 to 65535"},
	{"{ address = \"a\"; port = 1; name = \"x\"; }",
		"[0].name: unknown key; one of address, port, tls"},
	{"{ address = \"a\"; port = 1; tls = true; }",
		"[0].tls: must be a group { ... }, not a boolean"},
	{"{ address = \"a\"; port = 1; tls = { certificate = \"/c\"; }; }",
		"[0].tls: \"key\" is missing"},
	{"{ address = \"a\"; port = 1; tls = { key = \"/k\"; }; }",
		"[0].tls: \"certificate\" is missing"},
	{"{ address = \"a\"; port = 1; tls = { ca = \"\"; }; }", "[0].tls.ca: must not be empty"},
	{"{ address = \"a\"; port = 1; tls = { alpn = \"x\"; }; }",
		"[0].tls.alpn: unknown key; one of ca, certificate, key, server_name, spiffe_id"},
	{"{ address = \"a\"; port = 1; }, 7", "[1]: must be a group { ... }, not an integer"},
};

static const struct refused refused_nodes[] = {
	{"", ": \"id\" is missing"},
	{"id = \"\";", ".id: must not be empty"},
	{"id = 7;", ".id: must be a string in quotes, not an integer"},
	{"id = \"n\"; cluster = \"\";", ".cluster: must not be empty"},
	{"id = \"n\"; name = \"x\";", ".name: unknown key; one of id, cluster, metadata, locality"},
	{"id = \"n\"; locality = \"west\";", ".locality: must be a group { ... }, not a string"},
	{"id = \"n\"; locality = { rack = \"r\"; };",
		".locality.rack: unknown key; one of region, zone, sub_zone"},
	{"id = \"n\"; locality = { zone = 1; };",
		".locality.zone: must be a string in quotes, not an integer"},
	{"id = \"n\"; metadata = \"x\";", ".metadata: must be a group, not a string"},
	{"id = \"n\"; metadata = { a = ( 1, 1e999 ); };", ".metadata.a[1]: is no number"},
};

static void conf_xds_refusals_name_place_and_reason(void **state)
{
	(void)state;
	check_refusals(refused_groups, 4, "", "", "f:1: ");
	check_refusals(refused_groups + 4, N(refused_groups) - 4, "", "", "f:2: ");
	check_refusals(refused_settings, N(refused_settings), "xds = { " SERVERS " " NODE "\n",
		" };", "f:2: xds.");
	check_refusals(refused_servers, N(refused_servers), "xds = { " NODE " servers = (\n\n",
		" ); };", "f:3: xds.servers");
	check_refusals(refused_nodes, N(refused_nodes), "xds = { " SERVERS "\nnode = { ", " }; };",
		"f:2: xds.node");
}

// xds = { ... with n times piece between before and after.
static void check_too_many(const char *before, const char *piece, unsigned int n, const char *after,
	const char *refusal)
{
	size_t n_bytes = strlen(before) + n * strlen(piece) + strlen(after) + 1;
	char *text = calloc(1, n_bytes), *end;

	end = stpcpy(text, before);
	for (unsigned int i = 0; i < n; i++)
		end = stpcpy(end, piece);
	strcpy(end, after);
	check_refusal(text, refusal);
	free(text);
}

static void conf_xds_bounds_are_told(void **state)
{
	(void)state;
	check_too_many("xds = { " NODE " servers = ( ", "{ address = \"a\"; port = 1; },", 16,
		"{ address = \"a\"; port = 1; } ); };", "f:1: xds.servers: 17 entries; at most 16");
	check_too_many("xds = { " SERVERS NODE " addresses = ( ",
		"{ from = \"10.0.0.1\"; to = [ \"10.0.0.1\" ]; },", 256,
		"{ from = \"10.0.0.1\"; to = [ \"10.0.0.1\" ]; } ); };",
		"f:1: xds.addresses: 257 entries; at most 256");
	check_too_many("xds = { " SERVERS NODE " addresses = ( { from = \"10.0.0.1\"; to = [ ",
		"\"10.0.0.1\",", 256, "\"10.0.0.1\" ]; } ); };",
		"f:1: xds.addresses[0].to: 257 entries; at most 256");
	check_too_many("xds = { " SERVERS NODE " endpoint_addresses = ( ",
		"{ from = \"10.0.0.1\"; to = \"10.0.0.1\"; },", 256,
		"{ from = \"10.0.0.1\"; to = \"10.0.0.1\"; } ); };",
		"f:1: xds.endpoint_addresses: 257 entries; at most 256");
	check_too_many("xds = { " SERVERS " node = { id = \"n\"; metadata = { a = [ ", "1,", 4096,
		"1 ]; }; }; };", "f:1: xds.node.metadata.a: 4097 values; at most 4096");
	check_too_many("xds = { " SERVERS " node = { id = \"n\"; metadata = { a = \"", "x", 4096,
		"\"; }; }; };", "f:1: xds.node.metadata.a: 4096 characters; at most 4095");
	check_too_many("xds = { " SERVERS " node = { id = \"", "x", 4096, "\"; }; };",
		"f:1: xds.node.id: 4096 characters; at most 4095");
	check_too_many("xds = { " NODE " servers = ( { port = 1; address = \"", "x", 256,
		"\"; } ); };", "f:1: xds.servers[0].address: 256 characters; at most 255");
	check_too_many("xds = { " NODE " servers = ( { port = 1; tls = { ca = \"", "x", 4096,
		"\"; }; } ); };", "f:1: xds.servers[0].tls.ca: 4096 characters; at most 4095");
	check_too_many("xds = { " NODE " servers = ( { port = 1; tls = { server_name = \"", "x",
		1024, "\"; }; } ); };",
		"f:1: xds.servers[0].tls.server_name: 1024 characters; at most 1023");
}

// metadata = { a = { a = ... } }, n groups in all, and a list in the innermost.
static void nest(char *text, size_t n_bytes, unsigned int n)
{
	snprintf(text, n_bytes, "xds = { " SERVERS " node = { id = \"n\"; metadata = ");
	for (unsigned int i = 0; i + 1 < n; i++)
		strcat(text, "{ a = ");
	strcat(text, "( )");
	for (unsigned int i = 0; i + 1 < n; i++)
		strcat(text, "; }");
	strcat(text, "; }; };");
}

static void conf_xds_metadata_is_sixteen_deep(void **state)
{
	char text[1024];

	(void)state;
	nest(text, sizeof(text), 16);
	node_spec_release(load(text));
	nest(text, sizeof(text), 17);
	check_refusal(text, "f:1: a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: more than 16 groups and lists, "
			    "one in another");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_xds_metadata_is_sixteen_deep),
		cmocka_unit_test(conf_xds_refusals_name_place_and_reason),
		cmocka_unit_test(conf_xds_bounds_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
