// SPDX-License-Identifier: Apache-2.0

// What the compiler makes of specs: which route wins, which policies reach themselves, slots, sharing, memory.

#include "tests/unit/compile_fixture.h"

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

static void listen_to_routers(struct fixture *f)
{
	((struct iface_spec *)(uintptr_t)f->spec->ifaces)[0].accept_ra = true;
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
	listen_to_routers(f);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &f->snapshot, &f->refusal), 0);
	assert_int_equal(dest_kind(look_up(f, "default", 0x2001000000000000, 1)), DEST_FORWARD);
	snapshot_destroy(f->snapshot);
	f->snapshot = NULL;
	load(f, PORTS DEFAULT "{ prefix = \"::/0\"; blackhole = true; }" END_VRFS);
	listen_to_routers(f);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &f->snapshot, &f->refusal), 0);
	assert_int_equal(dest_kind(look_up(f, "default", 0x2001000000000000, 1)), DEST_BLACKHOLE);
	snapshot_destroy(f->snapshot);
	f->snapshot = NULL;
	// The interface listens no more.
	load(f, PORTS RED END_VRFS);
	input.spec = f->spec;
	assert_int_equal(compile_snapshot(&input, &f->snapshot, &f->refusal), 0);
	assert_int_equal(look_up(f, "default", 0x2001000000000000, 1), LPM_NO_ROUTE);
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
		COMPILE_TEST(compile_static_route_wins_over_link),
		COMPILE_TEST(compile_learned_router_yields_to_a_route),
		COMPILE_TEST(compile_policy_circles_are_refused),
		COMPILE_TEST(compile_policy_chains_are_bounded),
		COMPILE_TEST(compile_slots_stay),
		COMPILE_TEST(compile_shares_what_did_not_change),
		COMPILE_TEST(compile_memory_follows_the_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
