// SPDX-License-Identifier: Apache-2.0

// What the compiler makes of services: virtual addresses, slots that stay, tables that are shared, endpoints
// that drain, and every refusal.

#include "tests/unit/compile_fixture.h"
#include "tests/unit/route_request.h"

#define SOURCES "sources = [ \"10.250.0.1\", \"fd00:250::1\" ]; "
#define VRFS                                                                                       \
	"vrfs = ( { name = \"red\"; " SOURCES "}, { name = \"blue\"; " SOURCES                     \
	"}, { name = \"green\"; " SOURCES "} );\n"
#define POLICIES                                                                                   \
	SRV6 "policies = ( { name = \"w\"; segments = [ \"2001:db8:a::1\" ]; },\n"                 \
	     "{ name = \"l2\"; headend = \"H.Encaps.L2\"; segments = [ \"2001:db8:a::2\" ]; } "    \
	     "); };\n"
#define NETWORK "service_networks = ( { name = \"n\"; vrfs = [ \"red\", \"blue\" ]; } );\n"
#define BASE VRFS POLICIES NETWORK // five lines
#define LISTENER(name, addr, port)                                                                 \
	"{ name = \"" name "\"; service_network = \"n\"; addresses = [ \"" addr                    \
	"\" ]; port = " port "; "
#define TO(cluster)                                                                                \
	"virtual_hosts = ( { name = \"h\"; domains = [ \"*\" ]; routes = ( { prefix = \"/\"; "     \
	"cluster = \"" cluster "\"; } ); } ); }"
#define ENDPOINT(addr) "{ address = \"" addr "\"; port = 80; }"

static uint32_t vrf_slot(const struct fixture *f, const char *name)
{
	for (uint32_t i = 0; i < f->snapshot->n_vrfs; i++)
		if (strcmp(f->snapshot->vrf_names[i].text, name) == 0)
			return i;
	return UINT32_MAX;
}

static uint32_t look_up4(const struct fixture *f, const char *vrf, uint32_t addr)
{
	return lpm_lookup(f->snapshot->vrfs[vrf_slot(f, vrf)].ip4, (uint64_t)addr << 32, 0);
}

static uint32_t find_name(const struct paged *names, const char *text)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (strcmp(l7_tables_name(names, i)->text, text) == 0)
			return i;
	return L7_NO_SLOT;
}

static uint32_t cluster_slot(const struct fixture *f, const char *name)
{
	return find_name(f->snapshot->l7->cluster_names, name);
}

static uint32_t listener_slot(const struct fixture *f, const char *name)
{
	return find_name(f->snapshot->l7->listener_names, name);
}

// The slot of the endpoint 10.2.0.x, in whatever state.
static uint32_t endpoint_slot(const struct fixture *f, uint8_t x)
{
	const struct l7_tables *t = f->snapshot->l7;
	const uint8_t addr[4] = {10, 2, 0, x};

	for (uint32_t i = 0; i < t->n_endpoints; i++)
		if (l7_tables_endpoint(t, i)->state != ENDPOINT_FREE &&
			memcmp(l7_tables_endpoint(t, i)->address.b, addr, sizeof(addr)) == 0)
			return i;
	return L7_NO_SLOT;
}

static int endpoint_state(const struct fixture *f, uint8_t x)
{
	uint32_t slot = endpoint_slot(f, x);

	return slot == L7_NO_SLOT ? ENDPOINT_FREE
				  : l7_tables_endpoint(f->snapshot->l7, slot)->state;
}

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
	red = look_up4(f, "red", 0x0a640001);
	blue = look_up4(f, "blue", 0x0a640001);
	assert_int_equal(dest_kind(red), DEST_L7);
	assert_int_equal(dest_kind(blue), DEST_L7);
	assert_int_equal(dest_kind(look_up4(f, "red", 0x0a640002)), DEST_L7);
	assert_int_equal(look_up4(f, "green", 0x0a640001), LPM_NO_ROUTE);
	assert_int_equal(look_up4(f, "default", 0x0a640001), LPM_NO_ROUTE);
	assert_int_equal(look_up4(f, "red", 0x0a640003), LPM_NO_ROUTE);
	assert_int_not_equal(dest_index(red), dest_index(blue));
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 80), listener_slot(f, "a"));
	assert_int_equal(l7_tables_find_listener(t, dest_index(blue), 8080), listener_slot(f, "b"));
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 79), L7_NO_SLOT);
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 81), L7_NO_SLOT);
	assert_int_equal(l7_tables_find_listener(t, dest_index(red), 65535), L7_NO_SLOT);
	assert_int_equal(l7_tables_vip_key(t, dest_index(red))->vrf, vrf_slot(f, "red"));
	assert_int_equal(l7_tables_choose(t, listener_slot(f, "t"), 7), cluster_slot(f, "c"));
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
		t, l7_tables_find_listener(t, dest_index(look_up4(f, "red", 0x0a640001)), 80));
	request_start(&rq, "GET", "a.local", "/z");
	route_table_match(
		l7_tables_route_table(t, listener->route_table), rq.raw, &rq.head, 0, &verdict);
	assert_int_equal(verdict.action, ROUTE_ACTION_CLUSTER);
	assert_int_equal(verdict.cluster, cluster_slot(f, "d"));
	assert_string_equal(l7_tables_name(t->route_names, verdict.route)->text, "y");
	assert_int_equal(
		l7_tables_name(t->route_names, verdict.route)->parent, verdict.virtual_host);
	assert_string_equal(l7_tables_name(t->virtual_host_names, verdict.virtual_host)->text, "h");
	assert_int_equal(l7_tables_cluster(t, verdict.cluster)->connect_timeout_ms, 77);
	endpoint = l7_tables_endpoint(
		t, balance_pick(l7_tables_cluster(t, verdict.cluster), &turn, NULL, 0));
	assert_int_equal(endpoint->vrf, vrf_slot(f, "green"));
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
	assert_int_equal(
		cluster_turns(l7_tables_cluster(t, cluster_slot(f, "d")))[0], endpoint_slot(f, 4));
	assert_int_equal(l7_tables_endpoint(t, 0)->vrf, vrf_slot(f, "red"));
	assert_int_equal(l7_tables_endpoint(t, 1)->vrf, vrf_slot(f, "blue"));
	request_start(&rq, "GET", "h", "/a");
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t slot = listener_slot(f, i == 0 ? "l" : "m");

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
	assert_int_equal(dest_kind(lpm_lookup(
				 f->snapshot->vrfs[vrf_slot(f, "red")].ip6, 0xfd00010000000000, 1)),
		DEST_L7);
	assert_int_equal(
		lpm_lookup(f->snapshot->vrfs[vrf_slot(f, "red")].ip6, 0xfd00010000000000, 3),
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
	c = cluster_slot(f, "c");
	d = cluster_slot(f, "d");
	a = listener_slot(f, "a");
	one = endpoint_slot(f, 1);
	vip = look_up4(f, "red", 0x0a640001);
	must_compile(f,
		BASE "clusters = ( { name = \"e\"; }, { name = \"d\"; endpoints = ( " ENDPOINT(
			"10.2.0.3") ", " ENDPOINT("10.2.0.1") " ); }, "
							      "{ name = \"c\"; } );\n"
							      "listeners = ( " LISTENER(
								      "b", "10.99.0.1", "80")
								      TO("e") ",\n" LISTENER("a",
									      "10.100.0.1", "81")
									      TO("c") " );");
	assert_int_equal(cluster_slot(f, "c"), c);
	assert_int_equal(cluster_slot(f, "d"), d);
	assert_int_equal(listener_slot(f, "a"), a);
	assert_int_equal(endpoint_slot(f, 1), one);
	assert_int_equal(look_up4(f, "red", 0x0a640001), vip);
	assert_int_equal(l7_tables_listener_at(f->snapshot->l7, a)->since, 1);
	assert_int_equal(l7_tables_listener_at(f->snapshot->l7, listener_slot(f, "b"))->since, 2);
	assert_int_equal(look_up4(f, "red", 0x0a640009), LPM_NO_ROUTE);
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
	c = cluster_slot(f, "c");
	d = cluster_slot(f, "d");
	r = l7_tables_listener_at(first, listener_slot(f, "b"))->route_table;
	own = l7_tables_listener_at(first, listener_slot(f, "a"))->route_table;
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

#define ENDPOINTS(list)                                                                            \
	VRFS POLICIES NETWORK                                                                      \
		"clusters = ( { name = \"c\"; vrf = \"blue\"; policy = \"w\"; endpoints = ( " list \
		" ); } );"

static void compile_l7_removed_endpoint_drains_for_one_snapshot(void **state)
{
	struct fixture *f = *state;
	uint32_t one;

	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.1") ", " ENDPOINT("10.2.0.2")));
	one = endpoint_slot(f, 1);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.3")));
	assert_int_equal(endpoint_state(f, 1), ENDPOINT_DRAINING);
	assert_int_equal(endpoint_slot(f, 1), one);
	assert_int_not_equal(endpoint_slot(f, 3), one);
	// The cluster does not pick it.
	assert_int_equal(l7_tables_cluster(f->snapshot->l7, 0)->n_endpoints, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_not_equal(cluster_turns(l7_tables_cluster(f->snapshot->l7, 0))[i], one);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.4")));
	assert_int_equal(endpoint_state(f, 1), ENDPOINT_FREE);
	// Its slot was named until now.
	assert_int_not_equal(endpoint_slot(f, 4), one);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.5")));
	assert_int_equal(endpoint_slot(f, 5), one);
}

// One flow on the endpoint slot that context is.
static uint32_t flows_of(const void *context, uint32_t slot)
{
	return *(const uint32_t *)context == slot;
}

// Compiles with a flow on one endpoint slot.
static void compile_with_flows(struct fixture *f, const char *text, uint32_t slot)
{
	struct compile_input input = {.live = f->snapshot,
		.adj_table = f->adj_table,
		.endpoint_flows = flows_of,
		.flows_context = &slot};
	struct snapshot *snapshot;

	load(f, text);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &snapshot, &f->refusal), 0);
	snapshot_destroy(f->snapshot);
	f->snapshot = snapshot;
}

static void compile_l7_removed_endpoint_drains_while_it_has_flows(void **state)
{
	struct fixture *f = *state;
	uint32_t one;

	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.1")));
	one = endpoint_slot(f, 1);
	for (int i = 0; i < 3; i++) {
		compile_with_flows(f, ENDPOINTS(ENDPOINT("10.2.0.2")), one);
		assert_int_equal(endpoint_state(f, 1), ENDPOINT_DRAINING);
		assert_int_equal(endpoint_slot(f, 1), one);
	}
	// It comes back: the same slot, so that its flows are its own again.
	compile_with_flows(f, ENDPOINTS(ENDPOINT("10.2.0.1")), one);
	assert_int_equal(endpoint_state(f, 1), ENDPOINT_LIVE);
	assert_int_equal(endpoint_slot(f, 1), one);
	compile_with_flows(f, ENDPOINTS(ENDPOINT("10.2.0.2")), one);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2")));
	assert_int_equal(endpoint_state(f, 1), ENDPOINT_FREE);
	assert_int_equal(f->snapshot->l7->n_endpoints, 1);
}

static const struct {
	const char *endpoints;
	const char *refusal; // NULL: none
} source_cases[] = {
	{"{ address = \"10.2.0.1\"; port = 80; vrf = \"four\"; }", NULL},
	{"{ address = \"fd00::1\"; port = 80; vrf = \"six\"; }", NULL},
	{"{ address = \"10.2.0.1\"; port = 80; }, { address = \"fd00::1\"; port = 80; }", NULL},
	{"{ address = \"10.2.0.1\"; port = 80; vrf = \"four\"; },\n"
	 "{ address = \"fd00::1\"; port = 80; vrf = \"four\"; }",
		"f:4: vrf: \"four\" has no IPv6 sources; give it addresses that the node speaks to "
		"endpoints from"},
	{"{ address = \"10.2.0.1\"; port = 80; vrf = \"six\"; }",
		"f:3: vrf: \"six\" has no IPv4 sources; give it addresses that the node speaks to "
		"endpoints from"},
	{"{ address = \"10.2.0.1\"; port = 80; vrf = \"default\"; }",
		"f:3: vrf: \"default\" has no IPv4 sources; give it addresses that the node speaks "
		"to endpoints from"},
};

// Where the node has no address to speak from it could never reach an endpoint.
static void compile_l7_endpoint_needs_sources_in_its_vrf(void **state)
{
	struct fixture *f = *state;
	char text[1024];

	for (size_t i = 0; i < RTE_DIM(source_cases); i++) {
		snprintf(text, sizeof(text),
			"vrfs = ( { name = \"four\"; sources = [ \"10.250.0.1\" ]; },\n"
			"{ name = \"six\"; sources = [ \"fd00:250::1\" ]; } );\n"
			"clusters = ( { name = \"c\"; endpoints = ( %s ); } );",
			source_cases[i].endpoints);
		load(f, text);
		f->refusal.text[0] = '\0';
		assert_int_equal(compile(f), source_cases[i].refusal == NULL ? 0 : -EINVAL);
		assert_string_equal(f->refusal.text,
			source_cases[i].refusal == NULL ? "" : source_cases[i].refusal);
	}
}

// Flows of an endpoint whose VRF is gone must not meet another VRF's host with its address.
static void compile_l7_endpoint_without_its_vrf_is_gone(void **state)
{
	static const char other[] =
		"vrfs = ( { name = \"red\"; }, { name = \"new\"; } );\n" POLICIES;
	static const char other_with_endpoint[] =
		"vrfs = ( { name = \"red\"; }, { name = \"new\"; }, { name = \"newer\"; " SOURCES
		"} );\n" POLICIES
		"clusters = ( { name = \"c\"; vrf = \"newer\"; endpoints = ( " ENDPOINT(
			"10.2.0.1") " ); } );";
	struct fixture *f = *state;
	uint32_t one, blue;

	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.1")));
	one = endpoint_slot(f, 1);
	blue = vrf_slot(f, "blue");
	compile_with_flows(f, other, one);
	assert_int_equal(endpoint_state(f, 1), ENDPOINT_GONE);
	compile_with_flows(f, other_with_endpoint, one);
	assert_int_equal(l7_tables_endpoint(f->snapshot->l7, one)->state, ENDPOINT_GONE);
	assert_int_equal(vrf_slot(f, "newer"), blue);
	compile_with_flows(f, other_with_endpoint, one);
	assert_int_equal(l7_tables_endpoint(f->snapshot->l7, one)->state, ENDPOINT_GONE);
	for (uint32_t i = 0; i < f->snapshot->l7->n_endpoints; i++)
		if (l7_tables_endpoint(f->snapshot->l7, i)->state == ENDPOINT_LIVE)
			assert_int_not_equal(i, one);
}

static void compile_l7_endpoint_without_its_policy_is_gone(void **state)
{
	struct fixture *f = *state;

	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.1")));
	must_compile(f, VRFS NETWORK);
	assert_int_equal(l7_tables_endpoint(f->snapshot->l7, 0)->state, ENDPOINT_GONE);
}

#define LOCALITIES(localities)                                                                     \
	BASE "clusters = ( { name = \"c\"; localities = (\n" localities " ); } );"
#define ROUTES(hosts)                                                                              \
	BASE "clusters = ( { name = \"c\"; } );\nroute_configurations = ( { name = \"r\"; "        \
	     "virtual_hosts = (\n" hosts " ); } );"
#define ROUTE(route) ROUTES("{ name = \"h\"; domains = [ \"*\" ]; routes = (\n{ " route " } ); }")
#define ONE_LISTENER(name, addr, port, rest)                                                       \
	BASE "clusters = ( { name = \"c\"; } );\nlisteners = (\n" LISTENER(name, addr, port) rest  \
		" );"

static const struct {
	const char *text;
	const char *refusal;
} cases[] = {
	{ONE_LISTENER("l", "10.0.0.9", "80", TO("x")), "f:8: cluster: there is no cluster \"x\""},
	{ONE_LISTENER("l", "224.0.0.1", "80", TO("c")),
		"f:8: addresses: 224.0.0.1 is no unicast address"},
	{ONE_LISTENER("l", "fe80::1", "80", TO("c")),
		"f:8: addresses: fe80::1 means nothing beyond its link; a global or unique local "
		"address is needed"},
	{ONE_LISTENER("l", "10.9.0.9", "80", "route_configuration = \"r\"; }"),
		"f:8: route_configuration: there is no route configuration \"r\""},
	{ONE_LISTENER("l", "10.9.0.9", "80", "protocol = \"tcp\"; cluster = \"x\"; }"),
		"f:8: cluster: there is no cluster \"x\""},
	{ONE_LISTENER("l", "10.9.0.9", "80",
		 "protocol = \"tcp\"; weighted_clusters = ( { cluster = \"c\"; weight = 0; } ); }"),
		"f:8: weighted_clusters: the weights' sum is 0; 1 to 4294967295"},
	{ONE_LISTENER("l", "10.9.0.9", "80",
		 "protocol = \"tcp\"; weighted_clusters = ( { cluster = \"c\"; weight = "
		 "4294967295L; }, { cluster = \"c\"; weight = 1; } ); }"),
		"f:8: weighted_clusters: the weights' sum is 4294967296; 1 to 4294967295"},
	{ONE_LISTENER("l", "10.9.0.9", "80", TO("c") ",\n" LISTENER("m", "10.9.0.9", "80") TO("c")),
		"f:9: addresses: 10.9.0.9 in VRF \"red\" has listener \"l\" at port 80 already"},
	{BASE "listeners = ( { name = \"l\"; service_network = \"m\"; addresses = [ \"10.9.0.9\" "
	      "]; "
	      "port = 80; virtual_hosts = ( ); } );",
		"f:6: service_network: there is no service network \"m\""},
	{VRFS "service_networks = ( { name = \"n\"; vrfs = [ \"pink\" ]; } );\n"
	      "listeners = ( " LISTENER("l", "10.9.0.9", "80") "virtual_hosts = ( ); } );",
		"f:2: vrfs: there is no VRF \"pink\""},
	{BASE "listeners = ( { name = \"l\"; service_network = \"n\"; addresses = [ ]; port = 80; "
	      "virtual_hosts = ( ); } );",
		"f:6: addresses: a listener needs at least one"},
	{BASE "clusters = ( { name = \"c\"; endpoints = (\n{ address = \"10.0.0.1\"; port = 1; "
	      "policy "
	      "= \"x\"; } ); } );",
		"f:7: policy: there is no policy \"x\""},
	{BASE "clusters = ( { name = \"c\"; endpoints = (\n{ address = \"10.0.0.1\"; port = 1; "
	      "policy "
	      "= \"l2\"; } ); } );",
		"f:7: policy: \"l2\" is an H.Encaps.L2 policy; an endpoint needs H.Encaps or "
		"H.Encaps.Red"},
	{BASE "clusters = ( { name = \"c\"; endpoints = (\n{ address = \"10.0.0.1\"; port = 1; vrf "
	      "= "
	      "\"x\"; } ); } );",
		"f:7: vrf: there is no VRF \"x\""},
	{BASE "clusters = ( { name = \"c\"; endpoints = (\n{ address = \"127.0.0.1\"; port = 1; } "
	      "); "
	      "} );",
		"f:7: address: 127.0.0.1 is no unicast address"},
	{BASE "clusters = ( { name = \"c\"; endpoints = (\n" ENDPOINT("10.0.0.1") ",\n" ENDPOINT(
		 "10.0.0.2") ",\n" ENDPOINT("10.0.0.1") " ); } );",
		"f:9: endpoints: cluster \"c\" has this one already; keep one"},
	{BASE "clusters = (\n{ name = \"c\"; endpoints = ( { address = \"10.0.0.1\"; port = 1; "
	      "weight "
	      "= 4294967295L; }, { address = \"10.0.0.2\"; port = 1; } ); } );",
		"f:7: endpoints: the weights' sum is 4294967296; at most 4294967295"},
	{LOCALITIES("{ priority = 1; },\n{ priority = 3; },\n{ priority = 0; }"),
		"f:8: priority: 3 leaves a gap: nothing has priority 2"},
	{LOCALITIES("{ priority = 1; }"), "f:7: priority: 1 leaves a gap: nothing has priority 0"},
	{LOCALITIES("{ region = \"r\"; zone = \"z\"; },\n{ region = \"r\"; zone = \"y\"; },\n"
		    "{ region = \"r\"; zone = \"z\"; priority = 1; },\n{ zone = \"z\"; region = "
		    "\"r\"; }"),
		"f:10: localities: \"r/z/\" is given twice at priority 0"},
	{LOCALITIES(
		 "{ zone = \"a\"; weight = 4294967295L; },\n{ zone = \"b\"; weight = 1; priority "
		 "= 1; },\n{ zone = \"c\"; weight = 1; }"),
		"f:9: weight: the sum at priority 0 is 4294967296; at most 4294967295"},
	{LOCALITIES(
		 "{ zone = \"a\"; },\n{ zone = \"b\"; endpoints = ( { address = \"10.0.0.1\"; "
		 "port = 1; weight = 4294967295L; }, { address = \"10.0.0.2\"; port = 1; } ); }"),
		"f:8: endpoints: the weights' sum is 4294967296; at most 4294967295"},
	{LOCALITIES("{ endpoints = (\n" ENDPOINT("10.0.0.1") " ); },\n{ priority = 1; endpoints = "
							     "(\n" ENDPOINT("10.0.0.1") " ); }"),
		"f:10: endpoints: cluster \"c\" has this one already; keep one"},
	{ROUTES("{ name = \"h\"; domains = [ ]; }"), "f:8: domains: virtual host \"h\" has none"},
	{ROUTES("{ name = \"h\"; domains = [ \"a\", \"b*c\" ]; }"),
		"f:8: domains: \"b*c\" is no domain; one '*' may stand at its beginning or end"},
	{ROUTES("{ name = \"h\"; domains = [ \"**\" ]; }"),
		"f:8: domains: \"**\" is no domain; one '*' may stand at its beginning or end"},
	{ROUTES("{ name = \"h\"; domains = [ \"a.b\", \"*\" ]; },\n{ name = \"i\"; domains = [ "
		"\"A.B\" ]; }"),
		"f:9: domains: \"a.b\" is given twice in one route configuration"},
	{ROUTES("{ name = \"h\"; domains = [ \"*\" ]; },\n{ name = \"i\"; domains = [ \"*\" ]; }"),
		"f:9: domains: \"*\" is given twice in one route configuration"},
	{ROUTE("prefix = \"a\"; cluster = \"c\";"), "f:9: prefix: \"a\" does not begin with '/'"},
	{ROUTE("path_separated_prefix = \"a\"; cluster = \"c\";"),
		"f:9: path_separated_prefix: \"a\" does not begin with '/'"},
	{ROUTE("path_separated_prefix = \"/a/\"; cluster = \"c\";"),
		"f:9: path_separated_prefix: \"/a/\" ends with '/', which is what must follow it"},
	{ROUTE("path = \"/a?b\"; cluster = \"c\";"),
		"f:9: path: \"/a?b\" matches nothing: paths are compared without their query"},
	{ROUTE("prefix = \"/\"; cluster = \"x\";"), "f:9: cluster: there is no cluster \"x\""},
	{ROUTE("prefix = \"/\"; weighted_clusters = (\n{ cluster = \"x\"; weight = 1; } );"),
		"f:10: cluster: there is no cluster \"x\""},
	{ROUTE("prefix = \"/\"; headers = (\n{ name = \"a b\"; exact = \"c\"; } ); cluster = "
	       "\"c\";"),
		"f:10: name: \"a b\" is no header's name; a token, or :method, :authority or "
		":path"},
	{ROUTE("prefix = \"/\"; headers = (\n{ name = \":scheme\"; exact = \"c\"; } ); cluster = "
	       "\"c\";"),
		"f:10: name: \":scheme\" is no header's name; a token, or :method, :authority or "
		":path"},
	{ROUTE("prefix = \"/\"; direct_response = { status = 204; body = \"b\"; };"),
		"f:9: direct_response.body: a 204 has none"},
	{PORTS RED "{ prefix = \"10.9.0.9/32\"; blackhole = true; }" END_VRFS
		   "service_networks = ( { name = \"n\"; vrfs = [ \"red\" ]; } );\nlisteners = "
		   "(\n" LISTENER("l", "10.9.0.9", "80") "virtual_hosts = ( ); } );",
		"f:4: 10.9.0.9/32 in VRF \"red\" is a virtual address and also a route; keep one "
		"of "
		"them"},
	{PORTS RED END_VRFS
		"service_networks = ( { name = \"n\"; vrfs = [ \"red\" ]; } );\nlisteners = "
		"(\n" LISTENER("l", "10.0.0.1", "80") "virtual_hosts = ( ); } );",
		"f:7: 10.0.0.1/32 in VRF \"red\" is an address of the node and also a virtual "
		"address; keep one of them"},
};

static void compile_l7_refusals_name_place_and_reason(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		load(f, cases[i].text);
		assert_int_equal(compile(f), -EINVAL);
		assert_string_equal(f->refusal.text, cases[i].refusal);
	}
}

// What the reader would refuse first, changed by hand as another source of specs may write it.
static const char whole[] = ONE_LISTENER("l", "10.9.0.9", "80", TO("c"));

static struct listener_spec *listener_of(struct node_spec *spec)
{
	return (struct listener_spec *)(uintptr_t)spec->l7.listeners[0];
}

static struct l7_route_spec *route_of(struct node_spec *spec)
{
	return (struct l7_route_spec *)(uintptr_t)&listener_of(spec)
		->routes->virtual_hosts[0]
		.routes[0];
}

static void no_port(struct node_spec *spec)
{
	listener_of(spec)->port = 0;
}

static void wide_window(struct node_spec *spec)
{
	listener_of(spec)->window_scale = 15;
}

static void long_lines(struct node_spec *spec)
{
	listener_of(spec)->request_line_bytes = 16385;
}

static void few_headers(struct node_spec *spec)
{
	listener_of(spec)->request_headers_bytes = 0;
}

static void no_name(struct node_spec *spec)
{
	listener_of(spec)->name = "";
}

static void long_name(struct node_spec *spec)
{
	static char name[L7_MAX_NAME_LEN + 2];

	memset(name, 'n', sizeof(name) - 1);
	listener_of(spec)->name = name;
}

static void two_listeners(struct node_spec *spec)
{
	static const struct listener_spec *both[2];

	both[0] = both[1] = spec->l7.listeners[0];
	spec->l7.listeners = both;
	spec->l7.n_listeners = 2;
}

static void two_networks(struct node_spec *spec)
{
	static struct service_network_spec both[2];

	both[0] = both[1] = spec->l7.service_networks[0];
	spec->l7.service_networks = both;
	spec->l7.n_service_networks = 2;
}

static void no_clusters(struct node_spec *spec)
{
	route_of(spec)->n_clusters = 0;
}

static void informational(struct node_spec *spec)
{
	route_of(spec)->action = ROUTE_ACTION_DIRECT;
	route_of(spec)->status = 100;
}

static void long_body(struct node_spec *spec)
{
	static char body[L7_MAX_BODY_LEN + 2];

	memset(body, 'b', sizeof(body) - 1);
	route_of(spec)->action = ROUTE_ACTION_DIRECT;
	route_of(spec)->status = 200;
	route_of(spec)->body = body;
}

static void long_path(struct node_spec *spec)
{
	static char path[L7_MAX_PATH_LEN + 2];

	memset(path, '/', sizeof(path) - 1);
	route_of(spec)->path = path;
}

static struct cluster_spec *cluster_of(struct node_spec *spec)
{
	return (struct cluster_spec *)(uintptr_t)spec->l7.clusters[0];
}

static struct locality_spec *locality_of(struct node_spec *spec)
{
	static struct locality_spec locality;

	locality = (struct locality_spec){
		.origin = cluster_of(spec)->origin, .region = "r", .zone = "z", .sub_zone = ""};
	cluster_of(spec)->localities = &locality;
	cluster_of(spec)->n_localities = 1;
	return &locality;
}

static void no_weight(struct node_spec *spec)
{
	static struct endpoint_spec endpoint = {.address = {4, {10, 0, 0, 1}}, .port = 1};
	struct locality_spec *locality = locality_of(spec);

	endpoint.origin = locality->origin;
	locality->endpoints = &endpoint;
	locality->n_endpoints = 1;
}

static void many_endpoints(struct node_spec *spec)
{
	locality_of(spec)->n_endpoints = L7_MAX_ENDPOINTS + 1;
}

static void many_localities(struct node_spec *spec)
{
	static struct locality_spec localities[L7_MAX_LOCALITIES + 1];

	cluster_of(spec)->localities = localities;
	cluster_of(spec)->n_localities = L7_MAX_LOCALITIES + 1;
}

static void low_priority(struct node_spec *spec)
{
	locality_of(spec)->priority = L7_MAX_PRIORITY + 1;
}

static void no_overprovisioning(struct node_spec *spec)
{
	cluster_of(spec)->overprovisioning_percent = 0;
}

static void high_threshold(struct node_spec *spec)
{
	cluster_of(spec)->panic_percent = 101;
}

static const struct {
	void (*change)(struct node_spec *spec);
	const char *refusal;
} changes[] = {
	{no_port, "f:8: port: 0 is out of range; 1 to 65535"},
	{wide_window, "f:8: window_scale: 15 is out of range; 0 to 14"},
	{long_lines, "f:8: request_line_bytes: 16385 is out of range; 1024 to 16384"},
	{few_headers, "f:8: request_headers_bytes: 0 is out of range; 1024 to 40960"},
	{no_name, "f:8: listeners: a name has 1 to 127 characters"},
	{long_name, "f:8: listeners: a name has 1 to 127 characters"},
	{two_listeners, "f:8: listeners: the name \"l\" is given twice"},
	{two_networks, "service_networks: the name \"n\" is given twice"},
	{no_clusters, "f:8: weighted_clusters: the weights' sum is 0; 1 to 4294967295"},
	{informational, "f:8: direct_response.status: 100 is out of range; 200 to 599"},
	{long_body, "f:8: direct_response.body: 4097 characters; at most 4096"},
	{long_path, "f:8: prefix: 4096 characters; at most 4095"},
	{no_weight, "f:6: weight: 0 is none; leave the endpoint out"},
	{many_endpoints, "f:6: endpoints: 4097 of them; at most 4096"},
	{many_localities, "f:6: localities: 1025 of them; at most 1024"},
	{low_priority, "f:6: priority: 129 is out of range; 0 to 128"},
	{no_overprovisioning, "f:6: overprovisioning_factor: 0 is out of range; 1 or more"},
	{high_threshold, "f:6: healthy_panic_threshold: 101 is out of range; 0 to 100"},
};

static void compile_l7_specs_are_checked_again(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(changes); i++) {
		load(f, whole);
		changes[i].change(f->spec);
		assert_int_equal(compile(f), -EINVAL);
		assert_string_equal(f->refusal.text, changes[i].refusal);
	}
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
		COMPILE_TEST(compile_l7_removed_endpoint_drains_for_one_snapshot),
		COMPILE_TEST(compile_l7_removed_endpoint_drains_while_it_has_flows),
		COMPILE_TEST(compile_l7_endpoint_needs_sources_in_its_vrf),
		COMPILE_TEST(compile_l7_endpoint_without_its_vrf_is_gone),
		COMPILE_TEST(compile_l7_endpoint_without_its_policy_is_gone),
		COMPILE_TEST(compile_l7_refusals_name_place_and_reason),
		COMPILE_TEST(compile_l7_specs_are_checked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
