// SPDX-License-Identifier: Apache-2.0

// What addresses may be, and what follows from those of an interface.

#include "tests/unit/compile_fixture.h"

#define PORT(addresses)                                                                            \
	"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ " addresses " ]; },\n"           \
	"{ name = \"w\"; device = \"d1\"; l2_policy = \"l2\"; } );\n"
#define L2 "{ name = \"l2\"; headend = \"H.Encaps.L2\"; segments = [ \"a::\" ]; }"
#define SRV6_L2 "srv6 = { source = \"a::9\"; policies = ( " L2 " ); };\n"
#define GOOD PORT("\"10.0.0.1/24\", \"fd00::1/64\"")
#define ROUTE(keys) GOOD SRV6_L2 "vrfs = ( { name = \"default\"; routes = ( { " keys " } ); } );"
#define POLICY(keys)                                                                               \
	GOOD "srv6 = { source = \"a::9\"; policies = ( " L2 ", { name = \"a\"; " keys " } ); };"
#define SID(keys)                                                                                  \
	GOOD "srv6 = { source = \"a::9\"; policies = ( " L2 " ); sids = ( { " keys " } ); };"
#define GLOBAL " means nothing beyond its link; a global or unique local address is needed"
#define ALL_OF_LINK " is no host's: it means all of its link"

static const struct {
	const char *text;
	const char *refusal; // behind the place; NULL: accepted
} cases[] = {
	{PORT("\"224.0.0.1/24\"") SRV6_L2, "addresses: 224.0.0.1 is no unicast address"},
	{PORT("\"127.0.0.1/8\"") SRV6_L2, "addresses: 127.0.0.1 is no unicast address"},
	{PORT("\"ff02::1/64\"") SRV6_L2, "addresses: ff02::1 is no unicast address"},
	{PORT("\"::1/128\"") SRV6_L2, "addresses: ::1 is no unicast address"},
	{PORT("\"fe80::1/64\"") SRV6_L2, "addresses: fe80::1" GLOBAL},
	{PORT("\"10.0.0.0/24\"") SRV6_L2, "addresses: 10.0.0.0/24" ALL_OF_LINK},
	{PORT("\"10.0.0.255/24\"") SRV6_L2, "addresses: 10.0.0.255/24" ALL_OF_LINK},
	{PORT("\"10.0.0.0/31\"") SRV6_L2, NULL},
	{PORT("\"10.0.0.255/32\"") SRV6_L2, NULL},
	{PORT("\"fd00::/127\"") SRV6_L2, NULL},
	{PORT("\"10.0.0.1/24\", \"10.0.0.2/24\", \"fd00::1/64\", \"fd00::2/64\"") SRV6_L2, NULL},
	{ROUTE("prefix = \"10.1.0.0/16\"; via = \"10.0.0.1\";"),
		"via: 10.0.0.1 is the node itself"},
	{ROUTE("prefix = \"10.1.0.0/16\"; via = \"10.0.0.1\"; port = \"p\";"),
		"via: 10.0.0.1 is the node itself"},
	{ROUTE("prefix = \"10.1.0.0/16\"; via = \"10.0.0.255\";"),
		"via: 10.0.0.255 is on no link of VRF \"default\"; name the port, or give one an "
		"address there"},
	{ROUTE("prefix = \"10.1.0.0/16\"; via = \"224.0.0.5\"; port = \"p\";"),
		"via: 224.0.0.5 is no unicast address"},
	{ROUTE("prefix = \"fd01::/16\"; via = \"::\"; port = \"p\";"),
		"via: :: is no unicast address"},
	{ROUTE("prefix = \"fd01::/16\"; via = \"fe80::9\"; port = \"p\";"), NULL},
	{ROUTE("prefix = \"fd01::/16\"; via = \"fd00::9\"; port = \"w\";"),
		"port: \"w\" has an l2_policy, and so no IP neighbours"},
	{ROUTE("prefix = \"fd01::/16\"; port = \"w\";"),
		"port: \"w\" has an l2_policy, and so no IP neighbours"},
	{ROUTE("prefix = \"fe80::/64\"; via = \"fd00::9\";"),
		"prefix: fe80::/64 is link-local; such addresses are not routed"},
	{ROUTE("prefix = \"10.0.0.255/32\"; via = \"10.0.0.9\";"), NULL},
	{POLICY("segments = [ \"b::1\", \"ff05::1\" ];"),
		"segments: ff05::1 is no unicast address"},
	{POLICY("segments = [ \"::\" ];"), "segments: :: is no unicast address"},
	{POLICY("segments = [ \"fe80::1\" ];"), "segments: fe80::1" GLOBAL},
	{POLICY("segments = [ \"b::1\" ]; source = \"ff05::1\";"),
		"source: ff05::1 is no unicast address"},
	{SID("sid = \"ff05::1\"; behavior = \"End\";"), "sid: ff05::1 is no unicast address"},
	{SID("sid = \"fe80::5\"; behavior = \"End\";"), "sid: fe80::5" GLOBAL},
	{SID("sid = \"b::5\"; behavior = \"End.X\"; nexthop = \"fd00::1\";"),
		"nexthop: fd00::1 is the node itself"},
	{SID("sid = \"b::5\"; behavior = \"End.X\"; nexthop = \"fe80::1\"; port = \"p\";"), NULL},
	{SID("sid = \"b::5\"; behavior = \"End.DX4\"; nexthop = \"10.0.0.7\"; port = \"w\";"),
		"port: \"w\" has an l2_policy, and so no IP neighbours"},
	{GOOD SRV6_L2 "vrfs = ( { name = \"red\"; icmp_source6 = \"fe80::1\"; } );",
		"icmp_source6: fe80::1" GLOBAL},
	{GOOD SRV6_L2 "neighbors = ( { port = \"p\"; address = \"ff02::1\"; mac = "
		      "\"02:00:00:00:00:01\"; } );",
		"address: ff02::1 is no unicast address"},
};

static void compile_addr_of_the_wrong_kind_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		const char *wanted = cases[i].refusal == NULL ? "" : cases[i].refusal;

		load(f, cases[i].text);
		f->refusal.text[0] = '\0';
		assert_int_equal(compile(f), cases[i].refusal == NULL ? 0 : -EINVAL);
		if (strlen(f->refusal.text) < strlen(wanted))
			fail_msg("%s: wanted %s", f->refusal.text, wanted);
		assert_string_equal(
			f->refusal.text + strlen(f->refusal.text) - strlen(wanted), wanted);
	}
}

static enum dest_kind kind4(const struct fixture *f, uint32_t addr)
{
	return dest_kind(lpm_lookup(f->snapshot->vrfs[0].ip4, (uint64_t)addr << 32, 0));
}

static void compile_addr_broadcasts_of_a_link_are_dropped(void **state)
{
	struct fixture *f = *state;

	must_compile(f, GOOD SRV6_L2);
	assert_int_equal(kind4(f, 0x0a000000), DEST_BLACKHOLE);
	assert_int_equal(kind4(f, 0x0a0000ff), DEST_BLACKHOLE);
	assert_int_equal(kind4(f, 0x0a0000fe), DEST_CONNECTED);
	must_compile(f, PORT("\"10.0.0.0/31\"") SRV6_L2);
	assert_int_equal(kind4(f, 0x0a000001), DEST_CONNECTED);
	must_compile(f, PORT("\"10.0.0.1/24\", \"10.0.0.2/24\"") SRV6_L2);
	assert_int_equal(kind4(f, 0x0a000001), DEST_LOCAL);
	assert_int_equal(kind4(f, 0x0a000002), DEST_LOCAL);
	assert_int_equal(kind4(f, 0x0a000003), DEST_CONNECTED);
}

// A policy whose first segment is a neighbour knows it ahead, as it knows a gateway.
static void compile_addr_first_segment_on_a_link_is_an_adjacency(void **state)
{
	struct fixture *f = *state;
	struct adj_key key;

	must_compile(f, POLICY("segments = [ \"fd00::7\", \"b::1\" ];"));
	for (uint32_t i = 0; i < f->snapshot->n_policies; i++) {
		uint32_t next = f->snapshot->policies[i].lists[0].next;

		if (strcmp(f->snapshot->policy_names[i].text, "a") != 0)
			continue;
		assert_int_equal(dest_kind(next), DEST_FORWARD);
		assert_true(adj_table_key(f->adj_table, dest_index(next), &key));
		assert_int_equal(key.addr.addr.b[15], 7);
	}
}

// End.T looks the next segment up in its own table.
static void compile_addr_circle_through_another_table_is_refused(void **state)
{
	static const char text[] = GOOD
		"vrfs = ( { name = \"red\"; routes = ( { prefix = \"c::/16\"; policy = \"a\"; } "
		"); } );\n"
		"srv6 = { source = \"a::9\"; sids = ( { sid = \"b::1\"; behavior = \"End.T\"; vrf "
		"= \"%s\"; } );\n"
		"policies = ( " L2 ", { name = \"a\"; segments = [ \"b::1\", \"c::1\" ]; } ); };";
	struct fixture *f = *state;
	char config[sizeof(text) + 16];

	snprintf(config, sizeof(config), text, "red");
	load(f, config);
	assert_int_equal(compile(f), -EINVAL);
	snprintf(config, sizeof(config), text, "default");
	must_compile(f, config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_addr_of_the_wrong_kind_is_refused),
		COMPILE_TEST(compile_addr_broadcasts_of_a_link_are_dropped),
		COMPILE_TEST(compile_addr_first_segment_on_a_link_is_an_adjacency),
		COMPILE_TEST(compile_addr_circle_through_another_table_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
