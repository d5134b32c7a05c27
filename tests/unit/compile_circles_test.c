// SPDX-License-Identifier: Apache-2.0

// Circles through the node's own SIDs that decapsulate: which are certain, and refused, and which are not.

#include "tests/unit/compile_fixture.h"

#define SIDS                                                                                       \
	SRV6 "sids = ( { sid = \"b::4\"; behavior = \"End.DT4\"; vrf = \"red\"; },\n"              \
	     "{ sid = \"b::6\"; behavior = \"End.DT6\"; vrf = \"red\"; },\n"                       \
	     "{ sid = \"b::46\"; behavior = \"End.DT46\"; vrf = \"red\"; },\n"                     \
	     "{ sid = \"b::b\"; behavior = \"End.DT4\"; vrf = \"blue\"; },\n"                      \
	     "{ sid = \"b::d\"; behavior = \"End.DT4\"; vrf = \"default\"; },\n"                   \
	     "{ sid = \"b::a\"; behavior = \"End.DT4\"; vrf = \"red\"; require_hmac = true; },\n"  \
	     "{ sid = \"b::e\"; behavior = \"End\"; },\n"                                          \
	     "{ sid = \"b::f\"; behavior = \"End.X\"; nexthop = \"2001:db8:f::9\"; },\n"           \
	     "{ sid = \"c:0:1::/48\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ];\n"         \
	     "  block_bits = 32; csid_bits = 16; },\n"                                             \
	     "{ sid = \"c:0:4::/48\"; behavior = \"End.DT4\"; vrf = \"red\"; },\n"                 \
	     "{ sid = \"c:0:6::/48\"; behavior = \"End.B6.Encaps\"; policy = \"b6\"; } );\n"       \
	     "hmac_keys = ( { id = 1; secret = \"a\"; } );\n"                                      \
	     "policies = ( { name = \"b6\"; segments = [ \"%s\" ]; },\n"                           \
	     "{ name = \"w\"; %s },\n{ name = \"back\"; segments = [ \"b::4\" ]; } ); };"
#define ROUTE_W "{ prefix = \"10.1.0.0/16\"; policy = \"w\"; }"
#define ELSEWHERE "a::1"
#define NOT_CERTAIN NULL

static const char red_circle[] =
	"policy: 10.1.0.0/16 in VRF \"red\" reaches itself: the segments end at a SID of this "
	"node, and where that takes the packet to, a policy sends it back";

static const struct {
	const char *def;
	const char *red;
	const char *blue;
	const char *b6; // segment of the policy of the End.B6 SID
	const char *w;	// body of policy w
	const char *refusal;
} cases[] = {
	// Into the VRF that it comes from.
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::4\" ];", red_circle},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::46\" ];", red_circle},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::e\", \"b::4\" ];", red_circle},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::a\" ]; hmac_key_id = 1;", red_circle},
	{"", ROUTE_W, "", ELSEWHERE,
		"segment_lists = ( { segments = [ \"a::1\" ]; }, { segments = [ \"b::4\" ]; } );",
		red_circle},
	{"",
		"{ prefix = \"10.1.0.0/16\"; paths = ( { via = \"10.0.0.9\"; }, { policy = \"w\"; "
		"} ); }",
		"", ELSEWHERE, "segments = [ \"b::4\" ];", red_circle},
	{"", "{ prefix = \"fd01::/16\"; policy = \"w\"; }", "", ELSEWHERE,
		"segments = [ \"b::6\" ];", "fd01::/16"},
	{ROUTE_W, "", "", ELSEWHERE, "segments = [ \"b::d\" ];", "10.1.0.0/16 in VRF \"default\""},
	// A more specific route for the first address is no way out for the last one.
	{"", ROUTE_W ", { prefix = \"10.1.0.0/24\"; blackhole = true; }", "", ELSEWHERE,
		"segments = [ \"b::4\" ];", red_circle},
	// By another VRF, all of the prefix or a part.
	{"", ROUTE_W, "{ prefix = \"10.0.0.0/8\"; policy = \"back\"; }", ELSEWHERE,
		"segments = [ \"b::b\" ];", red_circle},
	{"", ROUTE_W, "{ prefix = \"10.1.2.0/24\"; policy = \"back\"; }", ELSEWHERE,
		"segments = [ \"b::b\" ];", "10.1.2.0/24 in VRF \"blue\""},
	// Behind a C-SID of the node.
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"c:0:1:4::\" ];", red_circle},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"c:0:1:1:4::\" ];", red_circle},
	{"", "", "", "c:0:1:6::", "segments = [ \"a::1\" ];",
		"policy \"b6\" reaches itself: one of its segments"},
	// The SID does not take it, or what it takes out goes elsewhere.
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::6\" ];", NOT_CERTAIN},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::a\" ];", NOT_CERTAIN},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::4\", \"a::1\" ];", NOT_CERTAIN},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::f\", \"b::4\" ];", NOT_CERTAIN},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"c:0:1:2::\", \"b::4\" ];", NOT_CERTAIN},
	{"", ROUTE_W, "", ELSEWHERE, "segments = [ \"b::b\" ];", NOT_CERTAIN},
	{"", ROUTE_W,
		"{ prefix = \"10.1.0.0/16\"; blackhole = true; },"
		"{ prefix = \"10.0.0.0/8\"; policy = \"back\"; }",
		ELSEWHERE, "segments = [ \"b::b\" ];", NOT_CERTAIN},
	{"", "{ prefix = \"fd01::/16\"; policy = \"w\"; }", "", ELSEWHERE,
		"segments = [ \"b::4\" ];", NOT_CERTAIN},
	// More specific routes take all of it.
	{"",
		ROUTE_W ", { prefix = \"10.1.0.0/17\"; blackhole = true; },"
			"{ prefix = \"10.1.128.0/17\"; unreachable = true; }",
		"", ELSEWHERE, "segments = [ \"b::4\" ];", NOT_CERTAIN},
};

static void compile_circles_are_refused_where_they_are_certain(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		char text[4096];

		snprintf(text, sizeof(text),
			PORTS
			"vrfs = ( { name = \"default\"; routes = ( %s ); }, { name = \"red\"; "
			"routes = ( %s ); }, { name = \"blue\"; routes = ( %s ); } );\n" SIDS,
			cases[i].def, cases[i].red, cases[i].blue, cases[i].b6, cases[i].w);
		load(f, text);
		assert_int_equal(compile(f), cases[i].refusal == NOT_CERTAIN ? 0 : -EINVAL);
		if (cases[i].refusal != NOT_CERTAIN)
			assert_non_null(strstr(f->refusal.text, cases[i].refusal));
	}
}

// Ways that part and meet again are looked at once each.
static void compile_circles_of_many_vrfs_are_found_in_time(void **state)
{
	enum {
		N_VRFS = 200
	};
	struct fixture *f = *state;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "vrfs = ( { name = \"default\"; }");
	for (int i = 0; i < N_VRFS; i++)
		fprintf(out,
			", { name = \"v%d\"; routes = ( { prefix = \"10.0.0.0/8\"; policy = "
			"\"p%d\"; } ); }",
			i, i);
	fprintf(out, ", { name = \"v%d\"; }, { name = \"v%d\"; } );\n" SRV6 "sids = (", N_VRFS,
		N_VRFS + 1);
	for (int i = 0; i < N_VRFS + 2; i++)
		fprintf(out, "%s{ sid = \"b::%x\"; behavior = \"End.DT46\"; vrf = \"v%d\"; }",
			i > 0 ? "," : "", i + 1, i);
	fprintf(out, "); policies = (");
	for (int i = 0; i < N_VRFS; i++)
		fprintf(out,
			"%s{ name = \"p%d\"; segment_lists = ( { segments = [ \"b::%x\" ]; }, "
			"{ segments = [ \"b::%x\" ]; } ); }",
			i > 0 ? "," : "", i, i + 2, i + 3);
	fprintf(out, "); };");
	fclose(out);
	load(f, text);
	free(text);
	assert_int_equal(compile(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_circles_are_refused_where_they_are_certain),
		COMPILE_TEST(compile_circles_of_many_vrfs_are_found_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
