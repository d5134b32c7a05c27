// SPDX-License-Identifier: Apache-2.0

// The group "xds" of a file: what each key becomes, and what stays at its default.

#include "tests/unit/conf_fixture.h"

#define SERVERS "servers = ( { address = \"a.example\"; port = 1; } );"
#define NODE "node = { id = \"n\"; };"
#define XDS(more) "xds = { " SERVERS " " NODE "\n" more " };"

// The spec is to be released.
static const struct xds_spec *load_xds(const char *text, struct node_spec **spec)
{
	*spec = load(text);
	assert_non_null((*spec)->xds);
	return (*spec)->xds;
}

static void assert_address(const struct l7_address *address, uint8_t family, const char *hex)
{
	char text[33] = "";

	assert_int_equal(address->family, family);
	for (int i = 0; i < (family == 4 ? 4 : 16); i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * (size_t)i, "%02x", address->b[i]);
	assert_string_equal(text, hex);
}

static void conf_xds_is_none_unless_given(void **state)
{
	struct node_spec *spec = load("hostname = \"a\";");

	(void)state;
	assert_null(spec->xds);
	node_spec_release(spec);
}

static void conf_xds_least_has_defaults(void **state)
{
	struct node_spec *spec;
	const struct xds_spec *xds = load_xds("\n" XDS(""), &spec);

	(void)state;
	assert_string_equal(xds->origin.source, "f");
	assert_int_equal(xds->origin.line, 2);
	assert_int_equal(xds->protocol, XDS_SOTW);
	assert_string_equal(xds->node_id, "n");
	assert_string_equal(xds->node_cluster, "");
	assert_string_equal(xds->region, "");
	assert_string_equal(xds->zone, "");
	assert_string_equal(xds->sub_zone, "");
	assert_int_equal(xds->metadata.kind, XDS_VALUE_GROUP);
	assert_int_equal(xds->metadata.n_items, 0);
	assert_null(xds->service_network);
	assert_int_equal(xds->n_addresses, 0);
	assert_int_equal(xds->n_endpoint_addresses, 0);
	assert_int_equal(xds->max_resources, 200000);
	// 0: who makes connections knows the defaults (ctrl/xds/grpc.h).
	assert_int_equal(xds->transport.connect_timeout_ms, 0);
	assert_int_equal(xds->transport.keepalive_ms, 0);
	assert_int_equal(xds->transport.keepalive_timeout_ms, 0);
	assert_int_equal(xds->transport.max_message_bytes, 0);
	assert_null(xds->transport.sds_certificate);
	assert_null(xds->transport.sds_ca);
	node_spec_release(spec);
}

static void conf_xds_settings_arrive(void **state)
{
	struct node_spec *spec;
	const struct xds_spec *xds = load_xds(
		XDS("protocol = \"delta\";\nservice_network = \"mesh\"; connect_timeout_ms = 1; "
		    "keepalive_ms = 3600000; keepalive_timeout_ms = 3; max_message_bytes = 65536; "
		    "max_resources = 7; certificate_secret = \"own\"; ca_secret = \"trust\";"),
		&spec);

	(void)state;
	assert_int_equal(xds->protocol, XDS_DELTA);
	assert_string_equal(xds->service_network, "mesh");
	assert_int_equal(xds->service_network_origin.line, 3);
	assert_int_equal(xds->transport.connect_timeout_ms, 1);
	assert_int_equal(xds->transport.keepalive_ms, 3600000);
	assert_int_equal(xds->transport.keepalive_timeout_ms, 3);
	assert_int_equal(xds->transport.max_message_bytes, 65536);
	assert_int_equal(xds->max_resources, 7);
	assert_string_equal(xds->transport.sds_certificate, "own");
	assert_string_equal(xds->transport.sds_ca, "trust");
	node_spec_release(spec);
}

static void conf_xds_servers_arrive_in_order(void **state)
{
	struct node_spec *spec;
	const struct xds_spec *xds = load_xds(
		"xds = { " NODE " servers = (\n{ address = \"10.0.0.1\"; port = 65535; },\n"
		"{ address = \"b.example\"; port = 2; tls = { }; },\n"
		"{ address = \"c.example\"; port = 3; tls = { ca = \"/ca\"; certificate = \"/c\"; "
		"key = \"/k\"; server_name = \"s\"; spiffe_id = \"spiffe://x\"; }; } ); };",
		&spec);
	const struct xds_server_spec *server = xds->transport.servers;

	(void)state;
	assert_int_equal(xds->transport.n_servers, 3);
	assert_string_equal(server[0].host, "10.0.0.1");
	assert_int_equal(server[0].port, 65535);
	assert_false(server[0].tls);
	assert_int_equal(server[1].origin.line, 3);
	assert_true(server[1].tls);
	assert_null(server[1].ca_file);
	assert_null(server[1].cert_file);
	assert_null(server[1].key_file);
	assert_null(server[1].server_name);
	assert_null(server[1].spiffe_id);
	assert_string_equal(server[2].host, "c.example");
	assert_string_equal(server[2].ca_file, "/ca");
	assert_string_equal(server[2].cert_file, "/c");
	assert_string_equal(server[2].key_file, "/k");
	assert_string_equal(server[2].server_name, "s");
	assert_string_equal(server[2].spiffe_id, "spiffe://x");
	node_spec_release(spec);
}

static void conf_xds_node_says_who_and_where(void **state)
{
	struct node_spec *spec;
	const struct xds_spec *xds = load_xds(
		"xds = { " SERVERS " node = { id = \"edge-1\"; cluster = \"backbone\"; "
		"locality = { region = \"west\"; zone = \"w1\"; sub_zone = \"r7\"; }; }; };",
		&spec);

	(void)state;
	assert_string_equal(xds->node_id, "edge-1");
	assert_string_equal(xds->node_cluster, "backbone");
	assert_string_equal(xds->region, "west");
	assert_string_equal(xds->zone, "w1");
	assert_string_equal(xds->sub_zone, "r7");
	node_spec_release(spec);
}

// As JSON would have it, so that a case is one line.
static void write_value(const struct xds_value_spec *value, char *text, size_t n_bytes)
{
	size_t len = strlen(text);

	if (value->kind == XDS_VALUE_STRING) {
		snprintf(text + len, n_bytes - len, "\"%s\"", value->string);
	} else if (value->kind == XDS_VALUE_NUMBER) {
		snprintf(text + len, n_bytes - len, "%.17g", value->number);
	} else if (value->kind == XDS_VALUE_BOOL) {
		snprintf(text + len, n_bytes - len, "%s", value->flag ? "true" : "false");
	} else {
		bool group = value->kind == XDS_VALUE_GROUP;

		strcat(text, group ? "{" : "[");
		for (uint32_t i = 0; i < value->n_items; i++) {
			if (i > 0)
				strcat(text, ",");
			if (group)
				strcat(strcat(text, value->items[i].key), ":");
			else
				assert_null(value->items[i].key);
			write_value(&value->items[i], text, n_bytes);
		}
		strcat(text, group ? "}" : "]");
	}
}

static void conf_xds_metadata_keeps_every_kind_of_value(void **state)
{
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
		{"", "{}"},
		{"a = \"x\"; b = \"\";", "{a:\"x\",b:\"\"}"},
		{"a = 1; b = -7; c = 9007199254740992L; d = 0.25;",
			"{a:1,b:-7,c:9007199254740992,d:0.25}"},
		{"a = true; b = false;", "{a:true,b:false}"},
		{"a = { }; b = ( ); c = [ ];", "{a:{},b:[],c:[]}"},
		{"a = ( 1, \"x\", ( true ), { b = 2; } ); c = [ 1, 2 ];",
			"{a:[1,\"x\",[true],{b:2}],c:[1,2]}"},
		{"a = { b = { c = { d = \"deep\"; }; e = 1; }; };", "{a:{b:{c:{d:\"deep\"},e:1}}}"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct node_spec *spec;
		const struct xds_spec *xds;
		char text[512], json[512] = "";

		snprintf(text, sizeof(text),
			"xds = { " SERVERS " node = { id = \"n\"; metadata = { %s }; }; };",
			cases[i].text);
		xds = load_xds(text, &spec);
		write_value(&xds->metadata, json, sizeof(json));
		assert_string_equal(json, cases[i].json);
		node_spec_release(spec);
	}
}

static void conf_xds_addresses_arrive_in_order(void **state)
{
	struct node_spec *spec;
	const struct xds_spec *xds =
		load_xds(XDS("addresses = (\n{ from = \"0.0.0.0\"; from_port = 80; "
			     "to = [ \"10.9.0.1\", \"2001:db8::1\" ]; to_port = 8080; },\n"
			     "{ from = \"::\"; to = ( \"10.9.0.2\" ); } );"),
			&spec);
	const struct xds_address_spec *address = xds->addresses;

	(void)state;
	assert_int_equal(xds->n_addresses, 2);
	assert_int_equal(address[0].origin.line, 3);
	assert_address(&address[0].from, 4, "00000000");
	assert_int_equal(address[0].from_port, 80);
	assert_int_equal(address[0].n_to, 2);
	assert_address(&address[0].to[0], 4, "0a090001");
	assert_address(&address[0].to[1], 6, "20010db8000000000000000000000001");
	assert_int_equal(address[0].to_port, 8080);
	assert_address(&address[1].from, 6, "00000000000000000000000000000000");
	assert_int_equal(address[1].from_port, 0);
	assert_int_equal(address[1].to_port, 0);
	assert_address(&address[1].to[0], 4, "0a090002");
	node_spec_release(spec);
}

static void conf_xds_endpoint_addresses_arrive_in_order(void **state)
{
	struct node_spec *spec;
	const struct xds_spec *xds = load_xds(
		XDS("endpoint_addresses = (\n{ from = \"127.0.0.1\"; from_port = 81; "
		    "to = \"fd00::7\"; to_port = 8081; vrf = \"blue\"; policy = \"west\"; },\n"
		    "{ from = \"127.0.0.2\"; to = \"10.2.0.7\"; } );"),
		&spec);
	const struct xds_endpoint_address_spec *map = xds->endpoint_addresses;

	(void)state;
	assert_int_equal(xds->n_endpoint_addresses, 2);
	assert_address(&map[0].from, 4, "7f000001");
	assert_int_equal(map[0].from_port, 81);
	assert_address(&map[0].to, 6, "fd000000000000000000000000000007");
	assert_int_equal(map[0].to_port, 8081);
	assert_string_equal(map[0].vrf, "blue");
	assert_string_equal(map[0].policy, "west");
	assert_int_equal(map[1].origin.line, 4);
	assert_address(&map[1].to, 4, "0a020007");
	assert_int_equal(map[1].from_port, 0);
	assert_int_equal(map[1].to_port, 0);
	assert_null(map[1].vrf);
	assert_null(map[1].policy);
	node_spec_release(spec);
}

static uint64_t fingerprint_of(const char *text)
{
	struct node_spec *spec;
	uint64_t fingerprint = load_xds(text, &spec)->fingerprint;

	node_spec_release(spec);
	return fingerprint;
}

// A reload warns of a changed group, which takes effect at the next start: of any change, and of nothing else.
static void conf_xds_fingerprint_tells_any_change(void **state)
{
	static const char *const texts[] = {
		XDS(""),
		"xds = { servers = ( { address = \"a.example\"; port = 2; } ); " NODE " };",
		"xds = { servers = ( { address = \"b.example\"; port = 1; } ); " NODE " };",
		"xds = { servers = ( { address = \"a.example\"; port = 1; tls = { }; } ); " NODE
		" };",
		"xds = { " SERVERS " node = { id = \"m\"; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = 1; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { b = 1; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = 2; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = 1.5; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = 4294967297L; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = true; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = false; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = [ 1, 2 ]; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = [ 2, 1 ]; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = \"12\"; }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = ( ( 1 ), 2 ); }; }; };",
		"xds = { " SERVERS " node = { id = \"n\"; metadata = { a = ( ( 1, 2 ) ); }; }; };",
		XDS("keepalive_ms = 1;"),
		XDS("keepalive_timeout_ms = 1;"),
	};
	uint64_t all[N(texts)];

	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		all[i] = fingerprint_of(texts[i]);
		for (size_t k = 0; k < i; k++)
			if (all[k] == all[i])
				fail_msg("the same: %s\n%s", texts[k], texts[i]);
	}
	assert_int_equal(all[0],
		fingerprint_of("hostname = \"x\";\n\n# more\nxds : { " SERVERS "\n" NODE "\n};"));
}

// The reference has the group in comments, since a node without a control plane would ask for one.
static void conf_xds_reference_is_right_without_its_comments(void **state)
{
	static char text[65536];
	struct node_spec *spec;
	const struct xds_spec *xds;
	FILE *file = fopen(reference, "r");
	char line[512];
	bool inside = false;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		inside |= strncmp(line, "# xds = {", 9) == 0;
		if (inside && line[0] == '#')
			strcat(text, line + 1);
	}
	fclose(file);
	xds = load_xds(text, &spec);
	assert_int_equal(xds->transport.n_servers, 1);
	assert_int_equal(xds->n_addresses, 1);
	assert_int_equal(xds->n_endpoint_addresses, 1);
	assert_int_equal(xds->max_resources, 200000);
	node_spec_release(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_xds_is_none_unless_given),
		cmocka_unit_test(conf_xds_least_has_defaults),
		cmocka_unit_test(conf_xds_settings_arrive),
		cmocka_unit_test(conf_xds_servers_arrive_in_order),
		cmocka_unit_test(conf_xds_node_says_who_and_where),
		cmocka_unit_test(conf_xds_metadata_keeps_every_kind_of_value),
		cmocka_unit_test(conf_xds_addresses_arrive_in_order),
		cmocka_unit_test(conf_xds_endpoint_addresses_arrive_in_order),
		cmocka_unit_test(conf_xds_fingerprint_tells_any_change),
		cmocka_unit_test(conf_xds_reference_is_right_without_its_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
