// SPDX-License-Identifier: Apache-2.0

// Every refusal of the compiler with its words and place. Configurations are texts where the reader lets them
// through, and changed by hand where it would refuse first.

#include "pipeline/worker.h"
#include "tests/unit/compile_fixture.h"

// Refusals of what the reader lets through.
static const struct {
	const char *text;
	const char *refusal;
} cases[] = {
	{"ports = ( { name = \"p\"; device = \"d\"; vrf = \"nope\"; } );",
		"f:1: vrf: there is no VRF \"nope\""},
	{PORTS "\nneighbors = ( { port = \"q\"; address = \"10.0.0.9\"; mac = "
	       "\"02:00:00:00:00:01\"; } );\n" RED END_VRFS,
		"f:5: port: there is no port or sub-interface \"q\""},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; port = \"q\"; }" END_VRFS,
		"f:5: port: there is no port or sub-interface \"q\""},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.9\"; port = \"q\"; }" END_VRFS,
		"f:5: port: there is no port or sub-interface \"q\""},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; port = \"p\"; }" END_VRFS,
		"f:5: port: \"p\" is in VRF \"default\", the route in \"red\""},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.9\"; port = \"p\"; }" END_VRFS,
		"f:5: port: \"p\" is in VRF \"default\", not in \"red\""},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; via = \"10.9.0.9\"; }" END_VRFS,
		"f:5: via: 10.9.0.9 is on no link of VRF \"red\"; name the port, or give one an "
		"address there"},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; paths = (\n{ via = \"10.0.0.9\"; },\n"
		   "{ via = \"10.9.0.9\"; } ); }" END_VRFS,
		"f:7: via: 10.9.0.9 is on no link of VRF \"red\"; name the port, or give one an "
		"address there"},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; policy = \"none\"; }" END_VRFS,
		"f:5: policy: there is no policy \"none\""},
	{PORTS RED "\n{ prefix = \"10.1.0.0/16\"; paths = (\n{ policy = \"none\"; } ); }" END_VRFS,
		"f:6: policy: there is no policy \"none\""},
	{PORTS RED
		"\n{ prefix = \"10.1.0.0/16\"; policy = \"w\"; }" END_VRFS SRV6
		"policies = ( { name = \"w\"; headend = \"H.Encaps.L2\"; segments = [ \"a::\" ]; } "
		"); };",
		"f:5: policy: \"w\" is an H.Encaps.L2 policy; a route needs H.Encaps or "
		"H.Encaps.Red"},
	{PORTS RED
		"\n{ prefix = \"10.1.0.0/16\"; paths = (\n{ policy = \"w\"; } ); }" END_VRFS SRV6
		"policies = ( { name = \"w\"; headend = \"H.Encaps.L2.Red\"; segments = [ \"a::\" "
		"]; } ); };",
		"f:6: policy: \"w\" is an H.Encaps.L2.Red policy; a route needs H.Encaps or "
		"H.Encaps.Red"},
	{"ports = ( { name = \"p\"; device = \"d\";\n l2_policy = \"none\"; } );",
		"f:1: l2_policy: there is no policy \"none\""},
	{"ports = ( { name = \"p\"; device = \"d\"; l2_policy = \"w\"; } );\n" SRV6
	 "policies = ( { name = \"w\"; segments = [ \"a::\" ]; } ); };",
		"f:1: p.l2_policy: \"w\" is an H.Encaps policy; H.Encaps.L2 or H.Encaps.L2.Red is "
		"needed"},
	{"ports = ( { name = \"p\"; device = \"d\"; mtu = 1400;\n vlans = (\n{ id = 3; mtu = 1500; "
	 "} ); } );",
		"f:3: p.3.mtu: 1500 is more than the 1400 of its port"},
	{"ports = ( { name = \"p\"; device = \"d\"; mtu = 1279; addresses = [ \"fd00::1/64\" ]; } "
	 ");",
		"f:1: p.mtu: 1279 is less than the 1280 that IPv6 needs"},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.X\"; "
				 "nexthop = \"2001:db8:e::9\"; } "
				 "); };",
		"f:7: nexthop: 2001:db8:e::9 is on no link of VRF \"default\"; name the port, or "
		"give "
		"one an address there"},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.DX4\"; "
				 "nexthop = \"10.0.0.9\"; port = "
				 "\"q\"; } ); };",
		"f:7: port: there is no port or sub-interface \"q\""},
	{PORTS RED END_VRFS SRV6
		"sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.DX2\"; port = \"q\"; } ); };",
		"f:7: port: there is no port or sub-interface \"q\""},
	{PORTS RED END_VRFS SRV6
		"sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.DT4\"; vrf = \"q\"; } ); };",
		"f:7: vrf: there is no VRF \"q\""},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = "
				 "\"End.B6.Encaps\"; policy = \"q\"; } ); };",
		"f:7: policy: there is no policy \"q\""},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = "
				 "\"End.B6.Encaps\"; policy = \"w\"; } );\n"
				 "policies = ( { name = \"w\"; headend = \"H.Encaps.Red\"; "
				 "segments = [ \"a::\" ]; } ); };",
		"f:7: policy: \"w\" is an H.Encaps.Red policy; End.B6.Encaps needs H.Encaps"},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End\"; "
				 "require_hmac = true; } ); };",
		"f:7: require_hmac: there are no srv6.hmac_keys to verify with"},
	{PORTS RED END_VRFS
		"srv6 = { policies = (\n{ name = \"w\"; segments = [ \"a::\" ]; } ); };",
		"f:6: policy \"w\" has no source address; give it one, or set srv6.source"},
	{PORTS RED END_VRFS SRV6
		"policies = (\n{ name = \"w\"; hmac_key_id = 3; segments = [ \"a::\" ]; } ); };",
		"f:7: hmac_key_id: there is no key 3 in srv6.hmac_keys"},
};

static void compile_refusals_name_place_and_reason(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		load(f, cases[i].text);
		assert_int_equal(compile(f), -EINVAL);
		assert_string_equal(f->refusal.text, cases[i].refusal);
	}
}

// Two routes to one prefix.
static const struct {
	const char *text;
	const char *refusal; // NULL: one yields
} shadows[] = {
	{PORTS RED "{ prefix = \"10.0.0.0/24\"; blackhole = true; }" END_VRFS, NULL},
	{PORTS RED END_VRFS SRV6
		"locators = [ \"2001:db8:1::/48\" ];\n"
		"sids = ( { sid = \"2001:db8:1::/48\"; behavior = \"End\"; } ); };",
		NULL},
	{PORTS RED END_VRFS SRV6 "locators = [ \"2001:db8:f::/64\" ]; };", NULL},
	{PORTS RED END_VRFS SRV6
		"sids = ( { sid = \"2001:db8:f::/64\"; behavior = \"End\"; } ); };",
		NULL},
	{PORTS DEFAULT "\n{ prefix = \"2001:db8:f::1/128\"; blackhole = true; }" END_VRFS,
		"f:5: 2001:db8:f::1/128 in VRF \"default\" is an address of the node and also a "
		"route; "
		"keep one of them"},
	{PORTS RED END_VRFS SRV6 "sids = ( { sid = \"2001:db8:f::1\"; behavior = \"End\"; } ); };",
		"f:1: 2001:db8:f::1/128 in VRF \"default\" is a SID and also an address of the "
		"node; "
		"keep one of them"},
	{PORTS DEFAULT "\n{ prefix = \"2001:db8:1::/48\"; blackhole = true; }" END_VRFS SRV6
		       "sids = ( { sid = \"2001:db8:1::/48\"; behavior = \"End\"; } ); };",
		"f:5: 2001:db8:1::/48 in VRF \"default\" is a SID and also a route; keep one of "
		"them"},
	{PORTS DEFAULT "{ prefix = \"2001:db8:1::/48\"; blackhole = true; }" END_VRFS SRV6
		       "locators = (\n\"2001:db8:1::/48\" ); };",
		"f:7: 2001:db8:1::/48 in VRF \"default\" is a route and also a locator; keep one "
		"of "
		"them"},
	{"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ \"10.0.0.1/24\" ]; },\n"
	 "{ name = \"q\"; device = \"d1\"; addresses = [ \"10.0.0.1/25\" ]; } );",
		"10.0.0.1/32 in VRF \"default\" is an address of the node and also once more an "
		"address "
		"of the node; keep one of them"},
	{"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ \"10.0.0.1/24\" ]; },\n"
	 "{ name = \"q\"; device = \"d1\"; addresses = [ \"10.0.0.2/24\" ]; } );",
		"10.0.0.0/24 in VRF \"default\" is the link of an interface and also once more the "
		"link of an interface; keep one of them"},
	{"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ \"10.0.0.1/24\" ]; },\n"
	 "{ name = \"q\"; device = \"d1\"; addresses = [ \"10.0.0.2/24\" ]; } );\n"
	 "vrfs = ( { name = \"default\"; routes = (\n{ prefix = \"10.1.0.0/16\"; via = "
	 "\"10.0.0.9\"; "
	 "} ); } );",
		"f:4: two interfaces of VRF \"default\" have the same link; keep one"},
};

static void compile_same_prefix_yields_or_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(shadows); i++) {
		const char *wanted = shadows[i].refusal;

		load(f, shadows[i].text);
		assert_int_equal(compile(f), wanted == NULL ? 0 : -EINVAL);
		// Which of two equals is told of is not said: the end is the same.
		if (wanted != NULL)
			assert_string_equal(
				f->refusal.text + strlen(f->refusal.text) - strlen(wanted), wanted);
	}
}

// What the reader would refuse itself: a good configuration, changed by hand.
static const char whole[] =
	PORTS RED "{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.9\"; },\n"
		  "{ prefix = \"10.2.0.0/16\"; paths = ( { via = \"10.0.0.9\"; }, { via = "
		  "\"10.0.0.8\"; } ); }" END_VRFS SRV6
		  "sids = (\n{ sid = \"2001:db8:1:1::\"; behavior = \"End.X\"; nexthop = "
		  "\"2001:db8:f::9\"; } );\n"
		  "policies = (\n{ name = \"w\"; segments = [ \"a::\" ]; },\n"
		  "{ name = \"v\"; segments = [ \"a::\" ]; } );\n"
		  "hmac_keys = ( { id = 1; secret = \"a\"; }, { id = 2; secret = \"b\"; } ); };";

static struct srv6_sid_spec *sid_of(struct node_spec *spec)
{
	return (struct srv6_sid_spec *)(uintptr_t)spec->sids;
}

static struct srv6_policy_spec *policy_of(struct node_spec *spec)
{
	return (struct srv6_policy_spec *)(uintptr_t)spec->policies;
}

static struct iface_spec *iface_of(struct node_spec *spec, uint32_t i)
{
	return (struct iface_spec *)(uintptr_t)&spec->ifaces[i];
}

static struct route_spec *route_of(struct node_spec *spec, uint32_t i)
{
	for (uint32_t v = 0; v < spec->n_vrfs; v++)
		if (spec->vrfs[v].n_routes > 0)
			return (struct route_spec *)(uintptr_t)&spec->vrfs[v].routes[i];
	return NULL;
}

static struct srv6_hmac_key_spec *key_of(struct node_spec *spec, uint32_t i)
{
	return (struct srv6_hmac_key_spec *)(uintptr_t)&spec->hmac_keys[i];
}

static void same_vrf_name(struct node_spec *spec)
{
	((struct vrf_spec *)(uintptr_t)spec->vrfs)[1].name = "default";
}

static void no_default(struct node_spec *spec)
{
	((struct vrf_spec *)(uintptr_t)spec->vrfs)[0].name = "underlay";
	iface_of(spec, 0)->vrf = "underlay";
}

static void same_iface_name(struct node_spec *spec)
{
	iface_of(spec, 1)->name = "p";
}

static void same_policy_name(struct node_spec *spec)
{
	policy_of(spec)[1].name = "w";
}

static void other_port(struct node_spec *spec)
{
	iface_of(spec, 2)->port = "q";
}

static void same_vlan(struct node_spec *spec)
{
	iface_of(spec, 2)->vlan = 7;
}

static void small_mtu(struct node_spec *spec)
{
	iface_of(spec, 2)->mtu = 67;
}

static void other_family(struct node_spec *spec)
{
	((struct route_path_spec *)(uintptr_t)route_of(spec, 0)->paths)->via =
		(struct ip_addr){.family = 6, .addr = {{0xfd, [15] = 9}}};
}

static void no_paths(struct node_spec *spec)
{
	route_of(spec, 1)->n_paths = 0;
}

static void many_paths(struct node_spec *spec)
{
	route_of(spec, 1)->n_paths = SPEC_MAX_PATHS + 1;
}

static void no_nexthop(struct node_spec *spec)
{
	sid_of(spec)->nexthop.family = 0;
}

static void nexthop_of_other_family(struct node_spec *spec)
{
	sid_of(spec)->behavior = SRV6_END_DX4;
}

static void no_table(struct node_spec *spec)
{
	sid_of(spec)->behavior = SRV6_END_T;
}

static void no_port(struct node_spec *spec)
{
	sid_of(spec)->behavior = SRV6_END_DX2;
}

static void no_policy(struct node_spec *spec)
{
	sid_of(spec)->behavior = SRV6_END_B6_ENCAPS_RED;
}

static void csid_for_decap(struct node_spec *spec)
{
	sid_of(spec)->behavior = SRV6_END_DT6;
	sid_of(spec)->vrf = "red";
	sid_of(spec)->flavors = SRV6_NEXT_CSID;
}

static void csid_bits(struct node_spec *spec)
{
	sid_of(spec)->flavors = SRV6_NEXT_CSID;
	sid_of(spec)->csid_block_bits = 32;
	sid_of(spec)->csid_bits = 12;
}

static void csid_all_bits(struct node_spec *spec)
{
	sid_of(spec)->flavors = SRV6_NEXT_CSID;
	sid_of(spec)->csid_block_bits = 64;
	sid_of(spec)->csid_bits = 64;
}

static void same_key(struct node_spec *spec)
{
	key_of(spec, 1)->key_id = 1;
}

static void empty_key(struct node_spec *spec)
{
	key_of(spec, 1)->secret_len = 0;
}

static void no_lists(struct node_spec *spec)
{
	policy_of(spec)->n_lists = 0;
}

static void no_weight(struct node_spec *spec)
{
	((struct srv6_segment_list_spec *)(uintptr_t)policy_of(spec)->lists)->weight = 0;
}

static void no_segments(struct node_spec *spec)
{
	((struct srv6_segment_list_spec *)(uintptr_t)policy_of(spec)->lists)->n_segments = 0;
}

static const struct {
	void (*change)(struct node_spec *spec);
	const char *refusal;
} changes[] = {
	{same_vrf_name, "vrfs: the name \"default\" is given twice"},
	{no_default, "vrfs: \"default\" is missing"},
	{same_iface_name, "ports: the name \"p\" is given twice"},
	{same_policy_name, "srv6.policies: the name \"w\" is given twice"},
	{other_port, "f:3: there is no port \"q\""},
	{same_vlan, "f:3: p.8: VLAN 7 is given twice"},
	{small_mtu, "f:3: p.8.mtu: 67 is less than 68"},
	{other_family, "f:4: via: the gateway is not of the prefix's family, IPv4"},
	{no_paths, "f:5: paths: a route has 1 to 64 of them, not 0"},
	{many_paths, "f:5: paths: a route has 1 to 64 of them, not 65"},
	{no_nexthop, "f:8: nexthop: End.X needs an IPv6 address"},
	{nexthop_of_other_family, "f:8: nexthop: End.DX4 needs an IPv4 address"},
	{no_table, "f:8: vrf: End.T needs one"},
	{no_port, "f:8: port: End.DX2 needs one"},
	{no_policy, "f:8: policy: End.B6.Encaps.Red needs one"},
	{csid_for_decap, "f:8: flavors: NEXT-C-SID goes with End and End.X, not End.DT6"},
	{csid_bits, "f:8: block_bits 32 and csid_bits 12 must be multiples of 8, csid_bits not 0, "
		    "their "
		    "sum below 128"},
	{csid_all_bits,
		"f:8: block_bits 64 and csid_bits 64 must be multiples of 8, csid_bits not 0, "
		"their sum below 128"},
	{same_key, "srv6.hmac_keys: a key id is given twice"},
	{empty_key, "srv6.hmac_keys: ids are 1 or more, secrets 1 to 64 bytes, algorithms sha1 or "
		    "sha256"},
	{no_lists, "f:10: policy \"w\" has 0 segment lists; 1 to 16 are possible"},
	{no_weight, "f:10: weight: 0 is not between 1 and 65535"},
	{no_segments, "f:10: segments: a list has 1 to 16 of them, not 0"},
};

static void compile_specs_are_checked_again(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(changes); i++) {
		must_compile(f, whole);
		changes[i].change(f->spec);
		assert_int_equal(compile(f), -EINVAL);
		assert_string_equal(f->refusal.text, changes[i].refusal);
	}
}

// Numbers that a live snapshot and a new name exceed together.
static void check_full(struct fixture *f, const struct snapshot *live, const char *refusal)
{
	struct compile_input input = {.spec = f->spec, .live = live, .adj_table = f->adj_table};
	struct snapshot *snapshot;

	assert_int_equal(compile_snapshot(&input, &snapshot, &f->refusal), -EINVAL);
	assert_string_equal(f->refusal.text, refusal);
}

static struct slot_name *full_names(uint32_t n)
{
	struct slot_name *names = calloc(n, sizeof(*names));

	for (uint32_t i = 0; i < n; i++)
		snprintf(names[i].text, sizeof(names[i].text), "used%u", i);
	return names;
}

static void compile_slots_run_out(void **state)
{
	struct fixture *f = *state;
	struct slot_name *names = full_names(WORKER_MAX_POLICY_SLOTS);
	struct sid_key *keys = malloc(WORKER_MAX_SID_SLOTS * sizeof(*keys));

	load(f, whole);
	memset(keys, 0xff, WORKER_MAX_SID_SLOTS * sizeof(*keys));
	for (uint32_t i = 0; i < WORKER_MAX_SID_SLOTS; i++)
		memcpy(keys[i].addr.b, &i, sizeof(i));
	check_full(f, &(struct snapshot){.vrf_names = names, .n_vrfs = SPEC_MAX_VRFS},
		"more than 4096 VRFs or 4096 interfaces, those just removed included");
	check_full(f, &(struct snapshot){.iface_names = names, .n_ifaces = SPEC_MAX_IFACES},
		"more than 4096 VRFs or 4096 interfaces, those just removed included");
	check_full(f,
		&(struct snapshot){.policy_names = names, .n_policies = WORKER_MAX_POLICY_SLOTS},
		"srv6.policies: more than 65536 policies, those just removed included");
	check_full(f, &(struct snapshot){.sid_keys = keys, .n_sids = WORKER_MAX_SID_SLOTS},
		"srv6.sids: more than 1048576 SIDs, those just removed included");
	free(names);
	free(keys);
}

static void compile_port_numbers_run_out(void **state)
{
	struct fixture *f = *state;
	struct compile_port port = {.dpdk_port = SNAPSHOT_MAX_DPDK_PORTS, .mtu = 1500};
	struct compile_input input = {.ports = &port, .adj_table = f->adj_table};
	struct snapshot *snapshot;

	load(f, whole);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &snapshot, &f->refusal), -EINVAL);
	assert_string_equal(f->refusal.text, "f:1: p: more than 64 ports");
}

static void compile_neighbours_run_out(void **state)
{
	struct fixture *f = *state;
	struct adj_key key = {.iface = 4095, .addr.family = 4};

	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i++) {
		memcpy(key.addr.addr.b, &i, sizeof(i));
		adj_table_acquire(f->adj_table, &key);
	}
	load(f, whole);
	assert_int_equal(compile(f), -EINVAL);
	assert_string_equal(f->refusal.text, "f:8: nexthop: more than 65536 neighbours");
	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i++)
		adj_table_release(f->adj_table, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_refusals_name_place_and_reason),
		COMPILE_TEST(compile_same_prefix_yields_or_is_refused),
		COMPILE_TEST(compile_specs_are_checked_again),
		COMPILE_TEST(compile_slots_run_out),
		COMPILE_TEST(compile_port_numbers_run_out),
		COMPILE_TEST(compile_neighbours_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
