// SPDX-License-Identifier: Apache-2.0

// What the compiler makes of endpoints: they drain when they are left out, keep their slots while they have flows, and
// are gone with their VRF or policy.

#include "tests/unit/compile_l7_rig.h"

#define ENDPOINTS(list)                                                                            \
	VRFS POLICIES NETWORK                                                                      \
		"clusters = ( { name = \"c\"; vrf = \"blue\"; policy = \"w\"; endpoints = ( " list \
		" ); } );"

static void compile_l7_removed_endpoint_drains_for_one_snapshot(void **state)
{
	struct fixture *f = *state;
	uint32_t one;

	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.1") ", " ENDPOINT("10.2.0.2")));
	one = rig_endpoint_slot(f, 1);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.3")));
	assert_int_equal(rig_endpoint_state(f, 1), ENDPOINT_DRAINING);
	assert_int_equal(rig_endpoint_slot(f, 1), one);
	assert_int_not_equal(rig_endpoint_slot(f, 3), one);
	// The cluster does not pick it.
	assert_int_equal(l7_tables_cluster(f->snapshot->l7, 0)->n_endpoints, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_not_equal(cluster_turns(l7_tables_cluster(f->snapshot->l7, 0))[i], one);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.4")));
	assert_int_equal(rig_endpoint_state(f, 1), ENDPOINT_FREE);
	// Its slot was named until now.
	assert_int_not_equal(rig_endpoint_slot(f, 4), one);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2") ", " ENDPOINT("10.2.0.5")));
	assert_int_equal(rig_endpoint_slot(f, 5), one);
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
	one = rig_endpoint_slot(f, 1);
	for (int i = 0; i < 3; i++) {
		compile_with_flows(f, ENDPOINTS(ENDPOINT("10.2.0.2")), one);
		assert_int_equal(rig_endpoint_state(f, 1), ENDPOINT_DRAINING);
		assert_int_equal(rig_endpoint_slot(f, 1), one);
	}
	// It comes back: the same slot, so that its flows are its own again.
	compile_with_flows(f, ENDPOINTS(ENDPOINT("10.2.0.1")), one);
	assert_int_equal(rig_endpoint_state(f, 1), ENDPOINT_LIVE);
	assert_int_equal(rig_endpoint_slot(f, 1), one);
	compile_with_flows(f, ENDPOINTS(ENDPOINT("10.2.0.2")), one);
	must_compile(f, ENDPOINTS(ENDPOINT("10.2.0.2")));
	assert_int_equal(rig_endpoint_state(f, 1), ENDPOINT_FREE);
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
	one = rig_endpoint_slot(f, 1);
	blue = rig_vrf_slot(f, "blue");
	compile_with_flows(f, other, one);
	assert_int_equal(rig_endpoint_state(f, 1), ENDPOINT_GONE);
	compile_with_flows(f, other_with_endpoint, one);
	assert_int_equal(l7_tables_endpoint(f->snapshot->l7, one)->state, ENDPOINT_GONE);
	assert_int_equal(rig_vrf_slot(f, "newer"), blue);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_l7_removed_endpoint_drains_for_one_snapshot),
		COMPILE_TEST(compile_l7_removed_endpoint_drains_while_it_has_flows),
		COMPILE_TEST(compile_l7_endpoint_needs_sources_in_its_vrf),
		COMPILE_TEST(compile_l7_endpoint_without_its_vrf_is_gone),
		COMPILE_TEST(compile_l7_endpoint_without_its_policy_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
