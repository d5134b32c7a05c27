// SPDX-License-Identifier: Apache-2.0

// Every refusal of the compiler about services: of a file, and of specs that another source of them may write.

#include "tests/unit/compile_l7_rig.h"

#define LOCALITIES(localities)                                                                     \
	BASE "clusters = ( { name = \"c\"; localities = (\n" localities " ); } );"
#define ROUTES(hosts)                                                                              \
	BASE "clusters = ( { name = \"c\"; } );\nroute_configurations = ( { name = \"r\"; "        \
	     "virtual_hosts = (\n" hosts " ); } );"
#define ROUTE(route) ROUTES("{ name = \"h\"; domains = [ \"*\" ]; routes = (\n{ " route " } ); }")
#define ONE_LISTENER(name, addr, port, rest)                                                       \
	BASE "clusters = ( { name = \"c\"; } );\nlisteners = (\n" LISTENER(name, addr, port) rest  \
		" );"

#define XDS(more)                                                                                  \
	BASE "xds = { servers = ( { address = \"a\"; port = 1; } ); node = { id = \"n\"; "         \
	     "};\n" more " };"

static const struct {
	const char *text;
	const char *refusal;
} cases[] = {
	{XDS("service_network = \"m\";"),
		"f:7: xds.service_network: there is no service network \"m\""},
	{XDS("endpoint_addresses = (\n{ from = \"1.2.3.4\"; to = \"10.0.0.1\"; vrf = \"x\"; } );"),
		"f:8: xds.endpoint_addresses: vrf: there is no VRF \"x\""},
	{XDS("endpoint_addresses = (\n{ from = \"1.2.3.4\"; to = \"10.0.0.1\"; policy = \"x\"; } "
	     ");"),
		"f:8: xds.endpoint_addresses: policy: there is no policy \"x\""},
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
	{ROUTE("prefix = \"/\"; cluster = \"c\"; host_rewrite = \"a b\";"),
		"f:9: host_rewrite: \"a b\" is no host; a name or address, and perhaps a port"},
	{ROUTE("prefix = \"/\"; cluster = \"c\"; host_rewrite = \"fd00::1\";"),
		"f:9: host_rewrite: \"fd00::1\" is no host; a name or address, and perhaps a port"},
	{ROUTE("prefix = \"/\"; cluster = \"c\"; host_rewrite = \"a:65536\";"),
		"f:9: host_rewrite: \"a:65536\" is no host; a name or address, and perhaps a port"},
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

static void no_host(struct node_spec *spec)
{
	route_of(spec)->host_rewrite = "";
}

static void long_host(struct node_spec *spec)
{
	static char host[L7_MAX_DOMAIN_LEN + 2];

	memset(host, 'h', sizeof(host) - 1);
	route_of(spec)->host_rewrite = host;
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

static void no_choice(struct node_spec *spec)
{
	cluster_of(spec)->policy = CLUSTER_LEAST_REQUEST;
	cluster_of(spec)->choice_count = 1;
}

static void negative_bias(struct node_spec *spec)
{
	cluster_of(spec)->policy = CLUSTER_LEAST_REQUEST;
	cluster_of(spec)->active_request_bias = -1;
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
	{no_host, "f:8: host_rewrite: \"\" is no host; a name or address, and perhaps a port"},
	{long_host, "f:8: host_rewrite: 256 characters; at most 255"},
	{no_weight, "f:6: weight: 0 is none; leave the endpoint out"},
	{many_endpoints, "f:6: endpoints: 4097 of them; at most 4096"},
	{many_localities, "f:6: localities: 1025 of them; at most 1024"},
	{low_priority, "f:6: priority: 129 is out of range; 0 to 128"},
	{no_overprovisioning, "f:6: overprovisioning_factor: 0 is out of range; 1 or more"},
	{no_choice, "f:6: choice_count: 1 is out of range; 2 or more"},
	{negative_bias, "f:6: active_request_bias: -1 is out of range; 0 or more"},
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
		COMPILE_TEST(compile_l7_refusals_name_place_and_reason),
		COMPILE_TEST(compile_l7_specs_are_checked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
