// SPDX-License-Identifier: Apache-2.0

// Every refusal of the compiler with its words and place, what may shadow what, slots, sharing, memory.
// Configurations are texts where the reader lets them through, and changed by hand where it would refuse first.

#include "pipeline/compile/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_common.h>

#include "conf/conf.h"
#include "pipeline/reclaim.h"
#include "pipeline/worker.h"

#define PORTS                                                                                      \
	"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ \"2001:db8:f::1/64\" ];\n"       \
	"  vlans = ( { id = 7; vrf = \"red\"; addresses = [ \"10.0.0.1/24\", \"fd00::1/64\" ]; "   \
	"},\n"                                                                                     \
	"            { id = 8; vrf = \"red\"; } ); } );\n"
#define RED "vrfs = ( { name = \"red\"; routes = ( "
#define DEFAULT "vrfs = ( { name = \"red\"; }, { name = \"default\"; routes = ( "
#define END_VRFS " ); } );\n"
#define SRV6 "srv6 = { source = \"2001:db8:f::1\";\n"

struct fixture {
	struct reclaim *reclaim;
	struct adj_table *adj_table;
	struct node_spec *spec;
	struct snapshot *snapshot;
	struct refusal refusal;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->reclaim = reclaim_create(NULL);
	f->adj_table = adj_table_create(f->reclaim);
	*state = f;
	return f->adj_table == NULL;
}

// No adjacency may be left when the snapshots are gone, however a compile ended.
static int teardown(void **state)
{
	struct fixture *f = *state;
	struct adj_key key;
	int n_left = 0;

	snapshot_destroy(f->snapshot);
	node_spec_destroy(f->spec);
	for (uint32_t slot = 0; slot < ADJ_MAX_SLOTS; slot++)
		n_left += adj_table_key(f->adj_table, slot, &key);
	adj_table_destroy(f->adj_table);
	reclaim_destroy(f->reclaim);
	free(f);
	return n_left;
}

static void load(struct fixture *f, const char *text)
{
	node_spec_destroy(f->spec);
	f->spec = NULL;
	if (conf_load_text(text, strlen(text), "f", &f->spec, &f->refusal) != 0)
		fail_msg("the reader refuses: %s", f->refusal.text);
}

// Compiles f->spec after f->snapshot, which goes when that succeeds.
static int compile(struct fixture *f)
{
	struct compile_input input = {
		.spec = f->spec, .live = f->snapshot, .adj_table = f->adj_table};
	struct snapshot *snapshot = NULL;
	int ret = compile_snapshot(&input, &snapshot, &f->refusal);

	if (ret == 0) {
		snapshot_destroy(f->snapshot);
		f->snapshot = snapshot;
	}
	return ret;
}

static void must_compile(struct fixture *f, const char *text)
{
	load(f, text);
	if (compile(f) != 0)
		fail_msg("refused: %s", f->refusal.text);
}

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
		"f:6: nexthop: 2001:db8:e::9 is on no link of VRF \"default\"; name the port, or "
		"give "
		"one an address there"},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.DX4\"; "
				 "nexthop = \"10.0.0.9\"; port = "
				 "\"q\"; } ); };",
		"f:6: port: there is no port or sub-interface \"q\""},
	{PORTS RED END_VRFS SRV6
		"sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.DX2\"; port = \"q\"; } ); };",
		"f:6: port: there is no port or sub-interface \"q\""},
	{PORTS RED END_VRFS SRV6
		"sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End.DT4\"; vrf = \"q\"; } ); };",
		"f:6: vrf: there is no VRF \"q\""},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = "
				 "\"End.B6.Encaps\"; policy = \"q\"; } ); };",
		"f:6: policy: there is no policy \"q\""},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = "
				 "\"End.B6.Encaps\"; policy = \"w\"; } );\n"
				 "policies = ( { name = \"w\"; headend = \"H.Encaps.Red\"; "
				 "segments = [ \"a::\" ]; } ); };",
		"f:6: policy: \"w\" is an H.Encaps.Red policy; End.B6.Encaps needs H.Encaps"},
	{PORTS RED END_VRFS SRV6 "sids = (\n{ sid = \"2001:db8:1::\"; behavior = \"End\"; "
				 "require_hmac = true; } ); };",
		"f:6: require_hmac: there are no srv6.hmac_keys to verify with"},
	{PORTS RED END_VRFS
		"srv6 = { policies = (\n{ name = \"w\"; segments = [ \"a::\" ]; } ); };",
		"f:5: policy \"w\" has no source address; give it one, or set srv6.source"},
	{PORTS RED END_VRFS SRV6
		"policies = (\n{ name = \"w\"; hmac_key_id = 3; segments = [ \"a::\" ]; } ); };",
		"f:6: hmac_key_id: there is no key 3 in srv6.hmac_keys"},
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
		"f:6: 2001:db8:1::/48 in VRF \"default\" is a route and also a locator; keep one "
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

static uint32_t look_up(const struct fixture *f, const char *vrf, uint64_t hi, uint64_t lo)
{
	const struct snapshot *s = f->snapshot;

	for (uint32_t slot = 0; slot < s->n_vrfs; slot++)
		if (strcmp(s->vrf_names[slot].text, vrf) == 0)
			return lpm_lookup(lo == 4 ? s->vrfs[slot].ip4 : s->vrfs[slot].ip6, hi,
				lo == 4 ? 0 : lo);
	return LPM_NO_ROUTE;
}

static void compile_static_route_wins_over_link(void **state)
{
	struct fixture *f = *state;

	must_compile(f, PORTS RED "{ prefix = \"10.0.0.0/24\"; blackhole = true; }" END_VRFS);
	assert_int_equal(dest_kind(look_up(f, "red", 0x0a000009ull << 32, 4)), DEST_BLACKHOLE);
	assert_int_equal(dest_kind(look_up(f, "red", 0x0a000001ull << 32, 4)), DEST_LOCAL);
	assert_int_equal(dest_kind(look_up(f, "default", 0x20010db8000f0000, 9)), DEST_CONNECTED);
	assert_int_equal(dest_kind(look_up(f, "default", 0xfe80000000000000, 9)), DEST_LOCAL);
}

static void compile_learned_router_yields_to_a_route(void **state)
{
	struct fixture *f = *state;
	struct learned_router routers[] = {
		{.iface = "p", .addr = {{0xfe, 0x80, [15] = 9}}},
		{.iface = "p", .addr = {{0xfe, 0x80, [15] = 8}}},
		{.iface = "gone", .addr = {{0xfe, 0x80, [15] = 7}}},
	};
	struct compile_input input = {
		.adj_table = f->adj_table, .routers = routers, .n_routers = RTE_DIM(routers)};

	load(f, PORTS RED END_VRFS);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &f->snapshot, &f->refusal), 0);
	assert_int_equal(dest_kind(look_up(f, "default", 0x2001000000000000, 1)), DEST_FORWARD);
	snapshot_destroy(f->snapshot);
	f->snapshot = NULL;
	load(f, PORTS DEFAULT "{ prefix = \"::/0\"; blackhole = true; }" END_VRFS);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &f->snapshot, &f->refusal), 0);
	assert_int_equal(dest_kind(look_up(f, "default", 0x2001000000000000, 1)), DEST_BLACKHOLE);
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

// Policies that reach themselves, and those that do not.
static const struct {
	const char *routes;
	const char *srv6;
	bool cycle;
} circles[] = {
	{"{ prefix = \"a::/16\"; policy = \"w\"; }",
		"policies = ( { name = \"w\"; segments = [ \"a::1\" ]; "
		"} ); };",
		true},
	{"{ prefix = \"a::/16\"; policy = \"w\"; }",
		"policies = ( { name = \"w\"; segments = [ \"b::1\" ]; "
		"} ); };",
		false},
	{"{ prefix = \"a::/16\"; policy = \"v\"; }, { prefix = \"b::/16\"; policy = \"w\"; }",
		"policies = ( { name = \"w\"; segments = [ \"a::1\" ]; },\n"
		"{ name = \"v\"; segments = [ \"b::1\" ]; } ); };",
		true},
	// One of several paths is enough.
	{"{ prefix = \"a::/16\"; paths = ( { via = \"2001:db8:f::9\"; weight = 200; }, { policy = "
	 "\"w\"; } "
	 "); }",
		"policies = ( { name = \"w\"; segments = [ \"a::1\" ]; } ); };", true},
	// And one of several lists.
	{"{ prefix = \"a::/16\"; policy = \"w\"; }",
		"policies = ( { name = \"w\"; segment_lists = ( { segments = [ \"b::1\" ]; },\n"
		"{ segments = [ \"a::1\" ]; } ); } ); };",
		true},
	// A binding SID of this node.
	{"",
		"sids = ( { sid = \"b::1\"; behavior = \"End.B6.Encaps\"; policy = \"w\"; } );\n"
		"policies = ( { name = \"w\"; segments = [ \"b::1\" ]; } ); };",
		true},
	// Behind an End SID of this node the next segment counts.
	{"{ prefix = \"a::/16\"; policy = \"w\"; }",
		"sids = ( { sid = \"b::1\"; behavior = \"End\"; } );\n"
		"policies = ( { name = \"w\"; segments = [ \"b::1\", \"a::1\" ]; } ); };",
		true},
	// Behind one that sends it away it does not, nor behind anybody else's segment.
	{"{ prefix = \"a::/16\"; policy = \"w\"; }",
		"sids = ( { sid = \"b::1\"; behavior = \"End.X\"; nexthop = \"2001:db8:f::9\"; } "
		");\n"
		"policies = ( { name = \"w\"; segments = [ \"b::1\", \"a::1\" ]; } ); };",
		false},
	{"{ prefix = \"a::/16\"; policy = \"w\"; }",
		"policies = ( { name = \"w\"; segments = [ \"c::1\", \"a::1\" ]; } ); };", false},
};

static void compile_policy_circles_are_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(circles); i++) {
		char text[2048];

		snprintf(text, sizeof(text), PORTS DEFAULT "%s" END_VRFS SRV6 "%s",
			circles[i].routes, circles[i].srv6);
		load(f, text);
		assert_int_equal(compile(f), circles[i].cycle ? -EINVAL : 0);
		if (circles[i].cycle)
			assert_non_null(
				strstr(f->refusal.text, "reaches itself: one of its segments"));
	}
}

// A chain of policies, each routed by the next; in the order given, or backwards.
static char *chain(uint32_t n, bool backwards)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, PORTS DEFAULT);
	for (uint32_t i = 1; i < n; i++)
		fprintf(out, "%s{ prefix = \"a:%x::/32\"; policy = \"p%u\"; }", i > 1 ? "," : "", i,
			i);
	fprintf(out, END_VRFS SRV6 "policies = (\n");
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = backwards ? n - 1 - k : k;

		fprintf(out, "%s{ name = \"p%u\"; segments = [ \"a:%x::1\" ]; }", k > 0 ? "," : "",
			i, i + 1);
	}
	fprintf(out, "); };");
	fclose(out);
	return text;
}

static void compile_policy_chains_are_bounded(void **state)
{
	static const uint32_t lens[] = {8, 9, 5000};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * RTE_DIM(lens); i++) {
		char *text = chain(lens[i / 2], i % 2 == 1);

		load(f, text);
		free(text);
		if (lens[i / 2] <= 8) {
			assert_int_equal(compile(f), 0);
			continue;
		}
		assert_int_equal(compile(f), -EINVAL);
		assert_non_null(strstr(f->refusal.text,
			"a packet would be encapsulated more than 8 times in a row"));
	}
}

static uint32_t name_slot(const struct slot_name *names, uint32_t n, const char *name)
{
	for (uint32_t slot = 0; slot < n; slot++)
		if (strcmp(names[slot].text, name) == 0)
			return slot;
	return UINT32_MAX;
}

static void compile_slots_stay(void **state)
{
	struct fixture *f = *state;
	const struct snapshot *s;
	uint32_t green, blue, iface, policy;

	must_compile(f,
		"ports = ( { name = \"p\"; device = \"d\"; vlans = ( { id = 1; }, { id = 2; } ); } "
		");"
		"vrfs = ( { name = \"red\"; }, { name = \"green\"; }, { name = \"blue\"; } );" SRV6
		"policies = ( { name = \"a\"; segments = [ \"a::\" ]; },"
		"{ name = \"b\"; segments = [ \"b::\" ]; } ); };");
	s = f->snapshot;
	assert_int_equal(name_slot(s->vrf_names, s->n_vrfs, "default"), SNAPSHOT_UNDERLAY_VRF);
	green = name_slot(s->vrf_names, s->n_vrfs, "green");
	blue = name_slot(s->vrf_names, s->n_vrfs, "blue");
	iface = name_slot(s->iface_names, s->n_ifaces, "p.2");
	policy = name_slot(s->policy_names, s->n_policies, "b");
	// Others come first, one goes, another is new.
	must_compile(f,
		"ports = ( { name = \"p\"; device = \"d\"; vlans = ( { id = 3; }, { id = 2; } ); } "
		");"
		"vrfs = ( { name = \"white\"; }, { name = \"blue\"; }, { name = \"red\"; } );" SRV6
		"policies = ( { name = \"c\"; segments = [ \"a::\" ]; },"
		"{ name = \"b\"; segments = [ \"b::\" ]; } ); };");
	s = f->snapshot;
	assert_int_equal(name_slot(s->vrf_names, s->n_vrfs, "default"), SNAPSHOT_UNDERLAY_VRF);
	assert_int_equal(name_slot(s->vrf_names, s->n_vrfs, "blue"), blue);
	assert_int_equal(name_slot(s->iface_names, s->n_ifaces, "p.2"), iface);
	assert_int_equal(name_slot(s->policy_names, s->n_policies, "b"), policy);
	assert_int_equal(name_slot(s->vrf_names, s->n_vrfs, "green"), UINT32_MAX);
	assert_int_not_equal(name_slot(s->vrf_names, s->n_vrfs, "white"), green);
	assert_null(s->vrfs[green].ip6);
	assert_true(
		s->vrfs[blue].since < s->vrfs[name_slot(s->vrf_names, s->n_vrfs, "white")].since);
	assert_int_equal(s->ifaces[name_slot(s->iface_names, s->n_ifaces, "p.3")].dpdk_port, 0);
	assert_int_equal(s->generation, 2);
}

static void compile_shares_what_did_not_change(void **state)
{
	struct fixture *f = *state;

	must_compile(f, PORTS RED "{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.9\"; }" END_VRFS);
	assert_int_equal(f->snapshot->n_shared_tables, 0);
	must_compile(f, PORTS RED "{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.9\"; }" END_VRFS);
	assert_int_equal(f->snapshot->n_shared_tables, 4);
	must_compile(f, PORTS RED "{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.8\"; }" END_VRFS);
	assert_int_equal(f->snapshot->n_shared_tables, 3);
	// A refused one gives the tables back.
	load(f, PORTS RED "{ prefix = \"10.1.0.0/16\"; via = \"10.9.0.8\"; }" END_VRFS);
	assert_int_equal(compile(f), -EINVAL);
	must_compile(f, PORTS RED "{ prefix = \"10.1.0.0/16\"; via = \"10.0.0.8\"; }" END_VRFS);
	assert_int_equal(f->snapshot->n_shared_tables, 4);
}

// design.md: 4 KiB for an empty VRF, 64 bytes a route.
static size_t bytes_with(struct fixture *f, uint32_t n_vrfs, uint32_t n_routes)
{
	char *text;
	size_t len, n_bytes;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, PORTS "vrfs = ( { name = \"red\"; routes = (");
	for (uint32_t i = 0; i < n_routes; i++)
		fprintf(out, "%s{ prefix = \"%u.%u.%u.0/24\"; via = \"10.0.0.%u\"; }",
			i > 0 ? ",\n" : "", 20 + i * 7 % 150, i >> 8 & 255, i & 255, 2 + i % 100);
	fprintf(out, "); }");
	for (uint32_t i = 0; i < n_vrfs; i++)
		fprintf(out, ",\n{ name = \"v%u\"; }", i);
	fprintf(out, " );");
	fclose(out);
	must_compile(f, text);
	free(text);
	n_bytes = f->snapshot->n_table_bytes;
	snapshot_destroy(f->snapshot);
	f->snapshot = NULL;
	return n_bytes;
}

static void compile_memory_follows_the_routes(void **state)
{
	enum {
		N_VRFS = 1000,
		N_ROUTES = 20000,
	};
	struct fixture *f = *state;
	size_t none = bytes_with(f, 0, 0), vrfs = bytes_with(f, N_VRFS, 0);
	size_t routes = bytes_with(f, 0, N_ROUTES);

	assert_in_range(vrfs - none, N_VRFS, N_VRFS * 4096);
	assert_in_range(routes - none, N_ROUTES * 8, N_ROUTES * 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(compile_refusals_name_place_and_reason),
		TEST(compile_same_prefix_yields_or_is_refused),
		TEST(compile_static_route_wins_over_link),
		TEST(compile_learned_router_yields_to_a_route),
		TEST(compile_specs_are_checked_again),
		TEST(compile_slots_run_out),
		TEST(compile_port_numbers_run_out),
		TEST(compile_neighbours_run_out),
		TEST(compile_policy_circles_are_refused),
		TEST(compile_policy_chains_are_bounded),
		TEST(compile_slots_stay),
		TEST(compile_shares_what_did_not_change),
		TEST(compile_memory_follows_the_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
