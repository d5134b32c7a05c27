// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/conf_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_ip6(const struct ip6_addr *addr, const char *text)
{
	char formatted[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET6, addr->b, formatted, sizeof(formatted)), text);
}

static void assert_ip(const struct ip_addr *addr, const char *text)
{
	char formatted[INET6_ADDRSTRLEN];
	int family = addr->family == 4 ? AF_INET : AF_INET6;

	assert_true(addr->family == 4 || addr->family == 6);
	assert_string_equal(inet_ntop(family, addr->addr.b, formatted, sizeof(formatted)), text);
}

static void assert_prefix(const struct ip_prefix *prefix, const char *text, uint8_t len)
{
	const struct ip_addr addr = {.family = prefix->family, .addr = prefix->addr};

	assert_ip(&addr, text);
	assert_int_equal(prefix->len, len);
}

static void conf_reference_node_values_arrive(void **state)
{
	struct node_spec *spec = load_reference();

	(void)state;
	assert_string_equal(spec->source, reference);
	assert_string_equal(spec->hostname, "node-1");
	assert_string_equal(spec->control_socket, "/run/pergola/control.sock");
	assert_string_equal(spec->log_level, "info");
	assert_string_equal(spec->eal.main_core, "0");
	assert_true(spec->eal.huge_pages);
	assert_int_equal(spec->eal.memory_mb, 512);
	assert_int_equal(spec->eal.n_args, 0);
	assert_int_equal(spec->workers.n_workers, 1);
	assert_int_equal(spec->workers.n_cores, 1);
	assert_int_equal(spec->workers.cores[0], 1);
	assert_int_equal(spec->workers.idle, IDLE_POLL);
	assert_int_equal(spec->workers.idle_sleep_us, 100);
	assert_int_equal(spec->workers.n_mbufs, 0);
	assert_int_equal(spec->icmp_errors_per_s, 1000);
	assert_int_equal(spec->icmp_errors_burst, 100);
	assert_int_equal(spec->l7_memory.n_flows, 65536);
	assert_int_equal(spec->l7_memory.n_legs, 65536);
	node_spec_release(spec);
}

static void conf_reference_ports_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct iface_spec *ifaces = spec->ifaces;

	(void)state;
	assert_int_equal(spec->n_ports, 1);
	assert_string_equal(spec->ports[0].name, "core0");
	assert_string_equal(spec->ports[0].device, "net_af_packet0,iface=core0");
	assert_int_equal(spec->ports[0].mtu, 1500);
	assert_false(spec->ports[0].promiscuous);
	assert_int_equal(spec->n_ifaces, 3);
	assert_string_equal(ifaces[0].name, "core0");
	assert_string_equal(ifaces[0].port, "core0");
	assert_string_equal(ifaces[0].vrf, "default");
	assert_int_equal(ifaces[0].vlan, 0);
	assert_true(ifaces[0].sr_trusted && ifaces[0].dispatch && !ifaces[0].accept_ra);
	assert_int_equal(ifaces[0].n_addresses, 1);
	assert_ip(&ifaces[0].addresses[0].addr, "2001:db8:0:1::1");
	assert_int_equal(ifaces[0].addresses[0].len, 64);
	assert_string_equal(ifaces[1].name, "core0.100");
	assert_string_equal(ifaces[1].port, "core0");
	assert_string_equal(ifaces[1].vrf, "red");
	assert_int_equal(ifaces[1].vlan, 100);
	assert_int_equal(ifaces[1].mtu, 1500);
	assert_ip(&ifaces[1].addresses[0].addr, "10.0.0.1");
	assert_false(ifaces[1].sr_trusted);
	assert_null(ifaces[1].l2_policy);
	assert_string_equal(ifaces[2].name, "core0.300");
	assert_string_equal(ifaces[2].l2_policy, "wire");
	assert_int_equal(spec->n_neighbors, 1);
	assert_string_equal(spec->neighbors[0].iface, "core0");
	assert_ip(&spec->neighbors[0].addr, "2001:db8:0:1::99");
	assert_memory_equal(spec->neighbors[0].mac, "\x02\0\0\0\0\x99", 6);
	node_spec_release(spec);
}

static void conf_reference_routes_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct route_spec *underlay, *red;

	(void)state;
	assert_int_equal(spec->n_vrfs, 2);
	assert_string_equal(spec->vrfs[0].name, "default");
	assert_string_equal(spec->vrfs[1].name, "red");
	assert_ip(&spec->vrfs[1].icmp_source4, "10.0.0.1");
	assert_ip(&spec->vrfs[1].icmp_source6, "fd00:1::1");
	assert_int_equal(spec->vrfs[1].n_sources, 2);
	assert_prefix(&spec->vrfs[1].sources[0].prefix, "10.200.0.0", 28);
	assert_prefix(&spec->vrfs[1].sources[1].prefix, "fd00:200::7", 128);
	assert_int_equal(spec->vrfs[0].n_routes, 3);
	underlay = spec->vrfs[0].routes;
	assert_prefix(&underlay[0].prefix, "::", 0);
	assert_int_equal(underlay[0].type, ROUTE_VIA);
	assert_int_equal(underlay[0].n_paths, 1);
	assert_ip(&underlay[0].paths[0].via, "2001:db8:0:1::fe");
	assert_null(underlay[0].paths[0].iface);
	assert_int_equal(underlay[0].paths[0].weight, 1);
	assert_prefix(&underlay[1].prefix, "2001:db8:a::", 48);
	assert_int_equal(underlay[1].n_paths, 2);
	assert_int_equal(underlay[1].paths[0].weight, 1);
	assert_ip(&underlay[1].paths[1].via, "2001:db8:0:1::3");
	assert_int_equal(underlay[1].paths[1].weight, 2);
	assert_int_equal(underlay[2].type, ROUTE_BLACKHOLE);
	red = spec->vrfs[1].routes;
	assert_int_equal(spec->vrfs[1].n_routes, 3);
	assert_prefix(&red[0].prefix, "192.168.7.0", 24);
	assert_int_equal(red[0].type, ROUTE_POLICY);
	assert_string_equal(red[0].policy, "to-blue");
	assert_ip(&red[1].paths[0].via, "10.0.0.254");
	assert_string_equal(red[1].paths[0].iface, "core0.100");
	assert_int_equal(red[2].type, ROUTE_UNREACHABLE);
	node_spec_release(spec);
}

static void assert_sid(
	const struct srv6_sid_spec *sid, const char *addr, uint8_t len, enum srv6_behavior behavior)
{
	assert_ip6(&sid->prefix.addr, addr);
	assert_int_equal(sid->prefix.len, len);
	assert_int_equal(sid->behavior, behavior);
}

static void conf_reference_sids_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct srv6_sid_spec *sids = spec->sids;

	(void)state;
	assert_ip6(&spec->encap_source, "2001:db8:0:1::1");
	assert_int_equal(spec->n_locators, 1);
	assert_ip6(&spec->locators[0].prefix.addr, "2001:db8:f:1::");
	assert_int_equal(spec->locators[0].prefix.len, 64);
	assert_int_equal(spec->n_sids, 8);
	assert_sid(&sids[0], "2001:db8:f:1::1", 128, SRV6_END);
	assert_int_equal(sids[0].flavors, SRV6_PSP | SRV6_USD);
	assert_int_equal(sids[0].nexthop.family, 0);
	assert_sid(&sids[1], "2001:db8:f:1:10::", 128, SRV6_END_X);
	assert_ip(&sids[1].nexthop, "2001:db8:0:1::2");
	assert_string_equal(sids[1].iface, "core0");
	assert_sid(&sids[2], "2001:db8:f:1:20::", 80, SRV6_END_DT46);
	assert_string_equal(sids[2].vrf, "red");
	assert_sid(&sids[3], "2001:db8:f:1:30::", 128, SRV6_END_B6_ENCAPS_RED);
	assert_string_equal(sids[3].policy, "detour");
	assert_sid(&sids[4], "2001:db8:f:1:40::", 128, SRV6_END_DX2);
	assert_string_equal(sids[4].iface, "core0.300");
	assert_sid(&sids[5], "2001:db8:f:1:50::", 128, SRV6_END_DX4);
	assert_ip(&sids[5].nexthop, "10.0.0.7");
	assert_sid(&sids[6], "2001:db8:f:1:60::", 128, SRV6_END);
	assert_int_equal(sids[6].require_hmac, 1);
	assert_sid(&sids[7], "2001:db8:c::", 48, SRV6_END);
	assert_int_equal(sids[7].flavors, SRV6_NEXT_CSID);
	assert_int_equal(sids[7].csid_block_bits, 32);
	assert_int_equal(sids[7].csid_bits, 16);
	node_spec_release(spec);
}

static void conf_reference_policies_arrive(void **state)
{
	struct node_spec *spec = load_reference();
	const struct srv6_policy_spec *policies = spec->policies;

	(void)state;
	assert_int_equal(spec->n_policies, 3);
	assert_string_equal(policies[0].name, "to-blue");
	assert_int_equal(policies[0].headend, SRV6_H_ENCAPS);
	assert_int_equal(policies[0].dscp, -1);
	assert_int_equal(policies[0].hop_limit, 0);
	assert_true(ip6_addr_is_unspecified(&policies[0].source));
	assert_int_equal(policies[0].n_lists, 1);
	assert_int_equal(policies[0].lists[0].weight, 1);
	assert_int_equal(policies[0].lists[0].n_segments, 2);
	assert_ip6(&policies[0].lists[0].segments[0], "2001:db8:a:1::1");
	assert_ip6(&policies[0].lists[0].segments[1], "2001:db8:a:2::d46");
	assert_int_equal(policies[1].headend, SRV6_H_ENCAPS_RED);
	assert_ip6(&policies[1].source, "2001:db8:0:1::1");
	assert_int_equal(policies[1].hop_limit, 64);
	assert_int_equal(policies[1].force_srh, 0);
	assert_int_equal(policies[1].hmac_key_id, 7);
	assert_int_equal(policies[1].n_lists, 2);
	assert_int_equal(policies[1].lists[0].weight, 3);
	assert_int_equal(policies[1].lists[1].n_segments, 1);
	assert_ip6(&policies[1].lists[1].segments[0], "2001:db8:a:3::1");
	assert_int_equal(policies[2].headend, SRV6_H_ENCAPS_L2);
	assert_int_equal(spec->n_hmac_keys, 1);
	assert_int_equal(spec->hmac_keys[0].key_id, 7);
	assert_int_equal(spec->hmac_keys[0].algorithm, SRV6_HMAC_SHA256);
	assert_int_equal(spec->hmac_keys[0].secret_len, strlen("change me"));
	assert_memory_equal(spec->hmac_keys[0].secret, "change me", strlen("change me"));
	node_spec_release(spec);
}

// Origins name the line where each thing begins, for what the compile step refuses.
static void conf_origins_name_the_line(void **state)
{
	struct node_spec *spec =
		load("\nports = (\n{ name = \"a\"; device = \"d\";\n"
		     "addresses = [ \"10.0.0.1/24\" ];\nvlans = (\n{ id = 5; }\n); }\n);\n"
		     "srv6 = {\nsource = \"fd00::1\"; };\n");

	(void)state;
	assert_string_equal(spec->ports[0].origin.source, "f");
	assert_int_equal(spec->ports[0].origin.line, 3);
	assert_int_equal(spec->ifaces[0].addresses[0].origin.line, 4);
	assert_int_equal(spec->ifaces[1].origin.line, 6);
	assert_int_equal(spec->encap_source_origin.line, 10);
	assert_int_equal(spec->vrfs[0].origin.line, 0);
	node_spec_release(spec);
}

static void conf_empty_text_is_all_defaults(void **state)
{
	struct node_spec *spec = load("");

	(void)state;
	assert_null(spec->hostname);
	assert_null(spec->control_socket);
	assert_null(spec->log_level);
	assert_true(spec->eal.huge_pages);
	assert_int_equal(spec->n_ports, 0);
	assert_int_equal(spec->n_ifaces, 0);
	assert_int_equal(spec->n_vrfs, 1);
	assert_string_equal(spec->vrfs[0].name, "default");
	assert_true(ip6_addr_is_unspecified(&spec->encap_source));
	node_spec_release(spec);
}

static void conf_port_defaults_are_closed(void **state)
{
	struct node_spec *spec =
		load("ports = ({ name = \"a\"; device = \"d\"; vlans = ({ id = 1; }); },"
		     "{ name = \"b\"; device = \"e\"; vlans = ({ id = 2; }); });");
	static const char *const names[] = {"a", "b", "a.1", "b.2"};

	(void)state;
	assert_int_equal(spec->n_ifaces, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(spec->ifaces[i].name, names[i]);
		assert_string_equal(spec->ifaces[i].vrf, "default");
		assert_false(spec->ifaces[i].sr_trusted || spec->ifaces[i].dispatch ||
			     spec->ifaces[i].accept_ra);
		assert_int_equal(spec->ifaces[i].mtu, 0);
	}
	node_spec_release(spec);
}

static void conf_other_forms_are_the_same(void **state)
{
	struct node_spec *spec =
		load("vrfs = ({ name = \"r\"; }, { name = \"default\"; routes = ("
		     "{ prefix = \"10.0.0.0/8\"; port = \"a\"; blackhole = false; },"
		     "{ prefix = \"::/0\"; paths = ({ policy = \"q\"; }); }); });"
		     "workers : { cores = (2, 0x3); };"
		     "srv6 = { policies = ({ name = \"p\"; dscp = 46; segments = (\"fd00::1\"); },"
		     "{ name = \"q\"; segment_lists = ({ segments = [ \"fd00::2\" ]; }); });"
		     "hmac_keys = ({ id = 4294967295L; secret_hex = \"00fF\"; },"
		     "{ id = 1L; algorithm = \"sha1\"; secret = \"\\x41\\\"\" \"b\"; });"
		     "sids = ({ sid = \"2001:db8:c::\"; behavior = \"End\";"
		     "flavors = (\"NEXT-C-SID\"); block_bits = 32; csid_bits = 16; }); };");

	(void)state;
	assert_int_equal(spec->n_vrfs, 2);
	assert_string_equal(spec->vrfs[0].name, "default");
	assert_string_equal(spec->vrfs[1].name, "r");
	assert_int_equal(spec->vrfs[0].routes[0].type, ROUTE_VIA);
	assert_int_equal(spec->vrfs[0].routes[0].paths[0].via.family, 0);
	assert_string_equal(spec->vrfs[0].routes[0].paths[0].iface, "a");
	assert_string_equal(spec->vrfs[0].routes[1].paths[0].policy, "q");
	assert_int_equal(spec->vrfs[0].routes[1].paths[0].weight, 1);
	assert_int_equal(spec->workers.n_workers, 2);
	assert_int_equal(spec->workers.cores[1], 3);
	assert_int_equal(spec->policies[0].dscp, 46);
	assert_int_equal(spec->policies[1].lists[0].weight, 1);
	assert_int_equal(spec->hmac_keys[0].key_id, UINT32_MAX);
	assert_int_equal(spec->hmac_keys[0].secret_len, 2);
	assert_memory_equal(spec->hmac_keys[0].secret, "\x00\xff", 2);
	assert_int_equal(spec->hmac_keys[1].algorithm, SRV6_HMAC_SHA1);
	assert_memory_equal(spec->hmac_keys[1].secret, "A\"b", 3);
	assert_int_equal(spec->sids[0].prefix.len, 48);
	node_spec_release(spec);
}

static void conf_too_many_vrfs_are_refused(void **state)
{
	const size_t text_bytes = 32 * SPEC_MAX_VRFS;
	struct refusal refusal = {0};
	char *text = malloc(text_bytes);
	struct node_spec *spec = NULL;
	size_t n = 0;

	(void)state;
	n += (size_t)sprintf(text, "vrfs = ( { name = \"v0\"; }");
	for (int i = 1; i < SPEC_MAX_VRFS; i++)
		n += (size_t)sprintf(text + n, ", { name = \"v%d\"; }", i);
	n += (size_t)sprintf(text + n, " );");
	assert_int_equal(conf_load_text(text, n, "f", &spec, &refusal), -EINVAL);
	assert_string_equal(refusal.text, "f: vrfs: 4097 VRFs with \"default\"; at most 4096");
	free(text);
}

// Writes a file into dir and returns its path, until the next call.
static const char *write_file(const char *dir, const char *name, const char *text)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static void assert_file_refused(const char *path, int rc, const char *dir, const char *expected)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;
	char full[sizeof(struct refusal)];

	assert_int_equal(conf_load_file(path, &spec, &refusal), rc);
	snprintf(full, sizeof(full), expected, dir, dir);
	assert_string_equal(refusal.text, full);
	assert_null(spec);
}

static void conf_include_is_relative_to_the_file(void **state)
{
	char dir[] = "/tmp/conf_test.XXXXXX";
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;
	char part[160];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(part, sizeof(part), "%s",
		write_file(dir, "part.cfg", "\nvrfs = ({ name = \"r\"; });\n"));
	assert_int_equal(conf_load_file(write_file(dir, "a.cfg",
						"\n@include \"part.cfg\"\nhostname = \"x\";"),
				 &spec, &refusal),
		0);
	assert_string_equal(spec->vrfs[1].origin.source, part);
	assert_int_equal(spec->vrfs[1].origin.line, 2);
	node_spec_release(spec);
	write_file(dir, "part.cfg", "\nvrf = 1;");
	assert_file_refused(write_file(dir, "a.cfg", "@include \"part.cfg\""), -EINVAL, dir,
		"%s/part.cfg:2: vrf: unknown key; did you mean \"vrfs\"?");
	write_file(dir, "part.cfg", "\n;");
	assert_file_refused(write_file(dir, "a.cfg", "@include \"part.cfg\""), -EINVAL, dir,
		"%s/part.cfg:2: syntax error");
	write_file(dir, "part.cfg", "\nworkers = { count = 4294967297; };");
	assert_file_refused(write_file(dir, "a.cfg", "@include \"part.cfg\""), -EINVAL, dir,
		"%s/part.cfg:2: 4294967297 is more than 32 bits hold; with an L behind it is a "
		"large integer: 4294967297L");
	unlink(part);
	unlink(write_file(dir, "a.cfg", ""));
	rmdir(dir);
}

static void conf_bad_include_is_refused(void **state)
{
	char dir[] = "/tmp/conf_test.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_file_refused(write_file(dir, "a.cfg", "\n@include \"none\""), -EINVAL, dir,
		"%s/a.cfg:2: @include \"none\": No such file or directory");
	// libconfig would end the process over this one.
	assert_file_refused(write_file(dir, "a.cfg", "\n@include \".\""), -EINVAL, dir,
		"%s/a.cfg:2: @include \".\": Is a directory");
	assert_file_refused(write_file(dir, "a.cfg", "@include \"a.cfg\""), -EINVAL, dir,
		"%s/a.cfg:1: @include \"a.cfg\": more than 10 files deep");
	assert_file_refused(write_file(dir, "a.cfg", "@include \"/etc/passwd\""), -EINVAL, dir,
		"%s/a.cfg:1: @include \"/etc/passwd\": write the path relative to the directory of "
		"the configuration file");
	unlink(write_file(dir, "a.cfg", ""));
	rmdir(dir);
}

static void conf_unreadable_file_is_refused_with_its_errno(void **state)
{
	(void)state;
	assert_file_refused("/tmp/conf_test.none", -ENOENT, "",
		"/tmp/conf_test.none: cannot be read: No such file or directory");
	assert_file_refused("/tmp", -EISDIR, "", "/tmp: cannot be read: Is a directory");
	assert_file_refused(
		"/dev/null", -EINVAL, "", "/dev/null: cannot be read: Invalid argument");
}

enum {
	N_LARGE = 100000,
};

static char *write_large_text(size_t *text_len)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, text_len);

	assert_non_null(file);
	fprintf(file, "vrfs = ({ name = \"red\"; routes = (\n");
	for (unsigned int i = 0; i < N_LARGE; i++)
		fprintf(file, "%s{ prefix = \"10.%u.%u.%u/32\"; via = \"10.0.0.254\"; }\n",
			i == 0 ? "" : ",", i >> 16, i >> 8 & 255, i & 255);
	fprintf(file, "); });\nsrv6 = { sids = (\n");
	for (unsigned int i = 0; i < N_LARGE; i++)
		fprintf(file,
			"%s{ sid = \"2001:db8:f:1:%x:%x::\"; behavior = \"End.DT46\"; vrf = "
			"\"red\"; }\n",
			i == 0 ? "" : ",", i >> 8, i & 255);
	fprintf(file, "); };\n");
	fclose(file);
	return text;
}

// 100 000 routes and as many SIDs. The bound is loose, for sanitizers and busy machines; a table
// that is searched from its start for every line would take minutes.
static void conf_large_text_loads_in_seconds(void **state)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;
	struct timespec start, end;
	size_t text_len;
	char *text = write_large_text(&text_len);

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(conf_load_text(text, text_len, "f", &spec, &refusal), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(spec->vrfs[1].n_routes, N_LARGE);
	assert_int_equal(spec->n_sids, N_LARGE);
	assert_int_equal(spec->vrfs[1].routes[N_LARGE - 1].origin.line, N_LARGE + 1);
	assert_prefix(&spec->vrfs[1].routes[N_LARGE - 1].prefix, "10.1.134.159", 32);
	assert_ip6(&spec->sids[N_LARGE - 1].prefix.addr, "2001:db8:f:1:186:9f::");
	assert_true(end.tv_sec - start.tv_sec < 15);
	print_message("# 200000 entries in %.3f s\n",
		(double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
	node_spec_release(spec);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_reference_node_values_arrive),
		cmocka_unit_test(conf_reference_ports_arrive),
		cmocka_unit_test(conf_reference_routes_arrive),
		cmocka_unit_test(conf_reference_sids_arrive),
		cmocka_unit_test(conf_reference_policies_arrive),
		cmocka_unit_test(conf_origins_name_the_line),
		cmocka_unit_test(conf_empty_text_is_all_defaults),
		cmocka_unit_test(conf_port_defaults_are_closed),
		cmocka_unit_test(conf_other_forms_are_the_same),
		cmocka_unit_test(conf_too_many_vrfs_are_refused),
		cmocka_unit_test(conf_include_is_relative_to_the_file),
		cmocka_unit_test(conf_bad_include_is_refused),
		cmocka_unit_test(conf_unreadable_file_is_refused_with_its_errno),
		cmocka_unit_test(conf_large_text_loads_in_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
