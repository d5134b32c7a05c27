// SPDX-License-Identifier: Apache-2.0

// The narrowest path to any endpoint, and the path to one: links, gateways, policies, groups.

#include "pipeline/l7_path.h"
#include "tests/unit/compile_fixture.h"

#define CONFIG(routes, policies, endpoints)                                                        \
	"ports = ( { name = \"p\"; device = \"d0\"; mtu = 1800; addresses = [ "                    \
	"\"2001:db8:f::1/64\" ];\n"                                                                \
	"  vlans = ( { id = 7; vrf = \"red\"; mtu = 1500; addresses = [ \"10.0.0.1/24\" ]; },\n"   \
	"            { id = 8; vrf = \"red\"; mtu = 1400; addresses = [ \"10.0.1.1/24\" ]; } ); "  \
	"} );\n"                                                                                   \
	"vrfs = ( { name = \"red\"; sources = [ \"10.250.0.1\", \"fd00:250::1\" ];\n"              \
	"           routes = ( " routes " ); },\n"                                                 \
	"         { name = \"default\"; routes = ( { prefix = \"a::/16\"; via = "                  \
	"\"2001:db8:f::9\"; } ); } );\n"                                                           \
	"srv6 = { source = \"2001:db8:f::1\"; policies = ( " policies " ); };\n"                   \
	"clusters = ( { name = \"c\"; vrf = \"red\"; endpoints = ( " endpoints " ); } );\n"

#define ONE "{ name = \"one\"; segments = [ \"a::1\" ]; }"
#define THREE "{ name = \"three\"; segments = [ \"a::1\", \"a::2\", \"a::3\" ]; }"
#define AT(addr) "{ address = \"" addr "\"; port = 80; }"
#define BY(addr, policy) "{ address = \"" addr "\"; port = 80; policy = \"" policy "\"; }"

static const struct {
	const char *text;
	uint16_t mtu;
} cases[] = {
	{CONFIG("", "", AT("10.0.0.9")), 1500},
	{CONFIG("", "", AT("10.0.1.9")), 1400},
	{CONFIG("", "", AT("10.0.0.9") ", " AT("10.0.1.9")), 1400},
	// The gateway's neighbour is not known yet: whichever of the VRF's links is narrower.
	{CONFIG("{ prefix = \"10.2.0.0/16\"; via = \"10.0.0.9\"; }", "", AT("10.2.0.1")), 1400},
	// 40 bytes for one segment; 40 + 8 + 3 * 16 for three.
	{CONFIG("", ONE, BY("10.3.0.1", "one")), 1800 - 40},
	{CONFIG("", ONE ", " THREE, BY("10.3.0.1", "one") ", " BY("10.3.0.2", "three")), 1800 - 96},
	// A route's policy counts like an endpoint's own.
	{CONFIG("{ prefix = \"10.3.0.0/16\"; policy = \"three\"; }", THREE, AT("10.3.0.1")),
		1800 - 96},
	{CONFIG("{ prefix = \"10.3.0.0/16\"; paths = ( { policy = \"one\"; }, { policy = "
		"\"three\"; } ); "
		"}",
		 ONE ", " THREE, AT("10.3.0.1")),
		1800 - 96},
	// Towards nowhere: what every link of the VRF lets pass.
	{CONFIG("", "", AT("10.9.0.1")), 1400},
	{CONFIG("", "", ""), UINT16_MAX},
};

static void compile_l7_mtu_is_the_narrowest_paths(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		must_compile(f, cases[i].text);
		assert_int_equal(f->snapshot->l7_mtu, cases[i].mtu);
	}
}

// An endpoint in its client's VRF counts where there are clients.
static void compile_l7_mtu_looks_into_the_clients_vrfs(void **state)
{
	static const char text[] =
		"ports = ( { name = \"p\"; device = \"d0\"; mtu = 1800; vlans = (\n"
		"  { id = 7; vrf = \"red\"; mtu = 1500; addresses = [ \"10.0.0.1/24\" ]; },\n"
		"  { id = 8; vrf = \"blue\"; mtu = 1300; addresses = [ \"10.0.0.1/24\" ]; } ); } "
		");\n"
		"vrfs = ( { name = \"red\"; }, { name = \"blue\"; } );\n"
		"service_networks = ( { name = \"n\"; vrfs = [ \"red\"%s ]; } );\n"
		"listeners = ( { name = \"l\"; service_network = \"n\"; addresses = [ \"10.9.0.1\" "
		"]; "
		"port = 80; protocol = \"tcp\"; cluster = \"c\"; } );\n"
		"clusters = ( { name = \"c\"; endpoints = ( " AT("10.0.0.9") " ); } );\n";
	struct fixture *f = *state;
	char config[sizeof(text) + 16];

	snprintf(config, sizeof(config), text, "");
	must_compile(f, config);
	assert_int_equal(f->snapshot->l7_mtu, 1500);
	snprintf(config, sizeof(config), text, ", \"blue\"");
	must_compile(f, config);
	assert_int_equal(f->snapshot->l7_mtu, 1300);
}

static void l7_path_mss_is_less_by_the_headers(void **state)
{
	(void)state;
	assert_int_equal(l7_path_mss(1500, 4), 1460);
	assert_int_equal(l7_path_mss(1500, 6), 1440);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_l7_mtu_is_the_narrowest_paths),
		COMPILE_TEST(compile_l7_mtu_looks_into_the_clients_vrfs),
		cmocka_unit_test(l7_path_mss_is_less_by_the_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
