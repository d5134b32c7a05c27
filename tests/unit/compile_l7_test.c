// SPDX-License-Identifier: Apache-2.0

// What the compiler makes of services: virtual addresses, slots that stay, tables that are shared.

#include "tests/unit/compile_l7_rig.h"
#include "tests/unit/route_request.h"

static void compile_l7_virtual_address_leads_to_listeners_in_its_vrfs(void **state)
{
	struct fixture *f = *state;
	const struct l7_tables *t;
	uint32_t red, blue;

	must_compile(f, BASE
		"clusters = ( { name = \"c\"; } );\n"
		"listeners = ( " LISTENER("b", "10.100.0.1", "8080")
			TO("c") ",\n" LISTENER("a", "10.100.0.1", "80") TO("c") ",\n" LISTENER("t",
				"10.100.0.2", "80") "protocol = \"tcp\"; cluster = \"c\"; } );");
	t = f->snapshot->l7;
	red = rig_look_up4(f, "red", 0x0a640001);
	blue = rig_look_up4(f, "blue", 0x0a640001);
	assert_int_equal(dest_kind(red), DEST_L7);
	assert_int_equal(dest_kind(blue), DEST_L7);
	assert_int_equal(dest_kind(rig_look_up4(f, "red", 0x0a640002)), DEST_L7);
	assert_int_equal(rig_look_up4(f, "green", 0x0a640001), LPM_NO_ROUTE);
	assert_int_equal(rig_look_up4(f, "default", 0x0a640001), LPM_NO_ROUTE);
	assert_int_equal(rig_look_up4(f, "red", 0x0a640003), LPM_NO_ROUTE);
	assert_int_not_equal(dest_index(red), dest_index(blue));
	assert_int_equal(
		l7_tables_find_listener(t, dest_index(red), 80), rig_listener_slot(f, "a"));
	assert_int_equal(
		l7_tables_find_listener(t, dest_index(blue), 8080), rig_listener_slot(f, "b"));
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 79), L7_NO_SLOT);
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 81), L7_NO_SLOT);
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 65535), L7_NO_SLOT);
	assert_int_equal(l7_tables_vip_key(t, dest_index(red))->vrf, rig_vrf_slot(f, "red"));
	assert_int_equal(
		l7_tables_choose(t, rig_listener_slot(f, "t"), 7), rig_cluster_slot(f, "c"));
}

static void compile_l7_request_finds_its_endpoint(void **state)
{
	struct fixture *f = *state;
	struct balance_state turn = {0};
	const struct listener *listener;
	const struct endpoint *endpoint;
	const struct l7_tables *t;
	struct route_verdict verdict;
	struct request_text rq;

	must_compile(f, BASE
		"clusters = ( { name = \"c\"; }, { name = \"d\"; policy = \"w\"; vrf = \"green\"; "
		"connect_timeout_ms = 77; endpoints = ( " ENDPOINT(
			"10.2.0.1") " ); } );\n"
				    "route_configurations = ( { name = \"r\"; virtual_hosts = ( { "
				    "name = \"h\"; "
				    "domains = [ \"a.local\" ]; routes = ( { path = \"/x\"; "
				    "cluster = \"c\"; }, { name "
				    "= \"y\"; prefix = \"/\"; cluster = \"d\"; } ); } ); } );\n"
				    "listeners = ( " LISTENER("a", "10.100.0.1",
					    "80") "route_configuration = \"r\"; } );");
	t = f->snapshot->l7;
	listener = l7_tables_listener_at(
		t, l7_tables_find_listener(t, dest_index(rig_look_up4(f, "red", 0x0a640001)), 80));
	request_start(&rq, "GET", "a.local", "/z");
	route_table_match(
		l7_tables_route_table(t, listener->route_table), rq.raw, &rq.head, 0, &verdict);
	assert_int_equal(verdict.action, ROUTE_ACTION_CLUSTER);
	assert_int_equal(verdict.cluster, rig_cluster_slot(f, "d"));
	assert_string_equal(l7_tables_name(t->route_names, verdict.route)->text, "y");
	assert_int_equal(
		l7_tables_name(t->route_names, verdict.route)->parent, verdict.virtual_host);
	assert_string_equal(l7_tables_name(t->virtual_host_names, verdict.virtual_host)->text, "h");
	assert_int_equal(l7_tables_cluster(t, verdict.cluster)->connect_timeout_ms, 77);
	endpoint = l7_tables_endpoint(
		t, balance_pick(l7_tables_cluster(t, verdict.cluster), &turn, NULL, 0));
	assert_int_equal(endpoint->vrf, rig_vrf_slot(f, "green"));
	assert_string_equal(f->snapshot->policy_names[endpoint->policy].text, "w");
	assert_int_equal(endpoint->cluster, verdict.cluster);
	assert_int_equal(endpoint->port, 80);
	request_start(&rq, "GET", "a.local", "/x");
	route_table_match(
		l7_tables_route_table(t, listener->route_table), rq.raw, &rq.head, 0, &verdict);
	assert_string_equal(l7_tables_name(t->route_names, verdict.route)->text, "#0");
	assert_int_equal(
		balance_pick(l7_tables_cluster(t, verdict.cluster), &turn, NULL, 0), BALANCE_NONE);
}

// Each thing twice, so that what is counted through all of them is counted right; and names that are unique
// only among their like.
static void compile_l7_second_of_each_has_its_own(void **state)
{
	struct fixture *f = *state;
	const struct l7_tables *t;
	struct route_verdict verdict;
	struct request_text rq;
	uint32_t tables[2];

	must_compile(f,
		BASE "clusters = ( { name = \"c\"; vrf = \"red\"; endpoints = ( " ENDPOINT(
			"10.2.0.1") ", "
				    "{ address = \"10.2.0.1\"; port = 80; vrf = \"blue\"; } ); },\n"
				    "{ name = \"d\"; endpoints = ( " ENDPOINT(
					    "10.2.0.4") " ); } );\n"
							"route_configurations = ( { name = \"l\"; "
							"virtual_hosts = ( { name = \"g\"; domains "
							"= [ \"g\" ]; routes = ( { prefix = \"/\"; "
							"cluster = \"c\"; }, { prefix = "
							"\"/a\"; cluster = \"c\"; } ); }, { name = "
							"\"h\"; domains = [ \"*\" ]; routes = ( "
							"{ name = \"x\"; prefix = \"/\"; cluster = "
							"\"d\"; } ); } ); } );\n"
							"listeners = ( " LISTENER(
								"l", "fd00:100::1", "80")
								TO("d") ", " LISTENER("m",
									"fd00:100::2",
									"80") "route_configuration "
									      "= \"l\"; } );");
	t = f->snapshot->l7;
	assert_int_equal(t->n_endpoints, 3);
	assert_int_equal(cluster_turns(l7_tables_cluster(t, rig_cluster_slot(f, "d")))[0],
		rig_endpoint_slot(f, 4));
	assert_int_equal(l7_tables_endpoint(t, 0)->vrf, rig_vrf_slot(f, "red"));
	assert_int_equal(l7_tables_endpoint(t, 1)->vrf, rig_vrf_slot(f, "blue"));
	request_start(&rq, "GET", "h", "/a");
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t slot = rig_listener_slot(f, i == 0 ? "l" : "m");

		tables[i] = l7_tables_listener_at(t, slot)->route_table;
		route_table_match(
			l7_tables_route_table(t, tables[i]), rq.raw, &rq.head, 0, &verdict);
		assert_string_equal(
			l7_tables_name(t->virtual_host_names, verdict.virtual_host)->text, "h");
		assert_int_equal(
			l7_tables_name(t->virtual_host_names, verdict.virtual_host)->parent,
			tables[i]);
		assert_string_equal(
			l7_tables_name(t->route_names, verdict.route)->text, i == 0 ? "#0" : "x");
		assert_int_equal(l7_tables_name(t->route_names, verdict.route)->parent,
			verdict.virtual_host);
	}
	assert_int_not_equal(tables[0], tables[1]);
	assert_int_equal(dest_kind(lpm_lookup(f->snapshot->vrfs[rig_vrf_slot(f, "red")].ip6,
				 0xfd00010000000000, 1)),
		DEST_L7);
	assert_int_equal(
		lpm_lookup(f->snapshot->vrfs[rig_vrf_slot(f, "red")].ip6, 0xfd00010000000000, 3),
		LPM_NO_ROUTE);
}

static void compile_l7_changed_timeout_is_no_shared_cluster(void **state)
{
	struct fixture *f = *state;

	must_compile(f, BASE "clusters = ( { name = \"c\"; connect_timeout_ms = 1; } );");
	must_compile(f, BASE "clusters = ( { name = \"c\"; connect_timeout_ms = 2; } );");
	assert_int_equal(l7_tables_cluster(f->snapshot->l7, 0)->connect_timeout_ms, 2);
}

static void compile_l7_slots_follow_names(void **state)
{
	struct fixture *f = *state;
	uint32_t c, d, a, one, vip;

	must_compile(f,
		BASE "clusters = ( { name = \"c\"; }, { name = \"d\"; endpoints = ( " ENDPOINT(
			"10.2.0.1") ", " ENDPOINT("10.2.0.2") " ); } );\n"
							      "listeners = ( " LISTENER(
								      "z", "10.100.0.9", "80")
								      TO("c") ",\n" LISTENER("a",
									      "10.100.0.1", "80")
									      TO("c") " );");
	c = rig_cluster_slot(f, "c");
	d = rig_cluster_slot(f, "d");
	a = rig_listener_slot(f, "a");
	one = rig_endpoint_slot(f, 1);
	vip = rig_look_up4(f, "red", 0x0a640001);
	must_compile(f,
		BASE "clusters = ( { name = \"e\"; }, { name = \"d\"; endpoints = ( " ENDPOINT(
			"10.2.0.3") ", " ENDPOINT("10.2.0.1") " ); }, "
							      "{ name = \"c\"; } );\n"
							      "listeners = ( " LISTENER(
								      "b", "10.99.0.1", "80")
								      TO("e") ",\n" LISTENER("a",
									      "10.100.0.1", "81")
									      TO("c") " );");
	assert_int_equal(rig_cluster_slot(f, "c"), c);
	assert_int_equal(rig_cluster_slot(f, "d"), d);
	assert_int_equal(rig_listener_slot(f, "a"), a);
	assert_int_equal(rig_endpoint_slot(f, 1), one);
	assert_int_equal(rig_look_up4(f, "red", 0x0a640001), vip);
	assert_int_equal(l7_tables_listener_at(f->snapshot->l7, a)->since, 1);
	assert_int_equal(
		l7_tables_listener_at(f->snapshot->l7, rig_listener_slot(f, "b"))->since, 2);
	assert_int_equal(rig_look_up4(f, "red", 0x0a640009), LPM_NO_ROUTE);
}

#define SERVICE(weight, path)                                                                      \
	BASE "clusters = ( { name = \"c\"; endpoints = ( " ENDPOINT(                               \
		"10.2.0.1") ", { address = "                                                       \
			    "\"10.2.0.2\"; port = 80; weight = " weight                            \
			    "; } ); }, { name = \"d\"; } );\n"                                     \
			    "route_configurations = ( { name = \"r\"; virtual_hosts = ( { name = " \
			    "\"h\"; domains "                                                      \
			    "= [ \"*\" ]; routes = ( { prefix = \"" path                           \
			    "\"; cluster = \"c\"; } ); } ); } );\n"                                \
			    "listeners = ( " LISTENER("a", "10.100.0.1", "80")                     \
				    TO("d") ",\n" LISTENER("b", "10.100.0.1",                      \
					    "81") "route_configuration = \"r\"; } );"

static void compile_l7_unchanged_tables_are_shared(void **state)
{
	struct fixture *f = *state;
	const struct l7_tables *first, *next;
	uint32_t c, d, r, own;

	must_compile(f, SERVICE("2", "/"));
	first = f->snapshot->l7;
	c = rig_cluster_slot(f, "c");
	d = rig_cluster_slot(f, "d");
	r = l7_tables_listener_at(first, rig_listener_slot(f, "b"))->route_table;
	own = l7_tables_listener_at(first, rig_listener_slot(f, "a"))->route_table;
	assert_int_not_equal(r, own);
	must_compile(f, SERVICE("2", "/"));
	assert_ptr_equal(f->snapshot->l7, first);
	// A weight: one cluster. Compared as pointers only: the first tables are still held.
	f->snapshot->l7->n_refs++;
	must_compile(f, SERVICE("3", "/"));
	next = f->snapshot->l7;
	assert_ptr_not_equal(next, first);
	assert_ptr_not_equal(l7_tables_cluster(next, c), l7_tables_cluster(first, c));
	assert_ptr_equal(l7_tables_cluster(next, d), l7_tables_cluster(first, d));
	assert_ptr_equal(l7_tables_route_table(next, r), l7_tables_route_table(first, r));
	assert_ptr_equal(l7_tables_route_table(next, own), l7_tables_route_table(first, own));
	must_compile(f, SERVICE("3", "/x"));
	assert_ptr_not_equal(
		l7_tables_route_table(f->snapshot->l7, r), l7_tables_route_table(first, r));
	assert_ptr_equal(
		l7_tables_route_table(f->snapshot->l7, own), l7_tables_route_table(first, own));
	l7_tables_release((struct l7_tables *)(uintptr_t)first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_l7_virtual_address_leads_to_listeners_in_its_vrfs),
		COMPILE_TEST(compile_l7_request_finds_its_endpoint),
		COMPILE_TEST(compile_l7_second_of_each_has_its_own),
		COMPILE_TEST(compile_l7_changed_timeout_is_no_shared_cluster),
		COMPILE_TEST(compile_l7_slots_follow_names),
		COMPILE_TEST(compile_l7_unchanged_tables_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
