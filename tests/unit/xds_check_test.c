// SPDX-License-Identifier: Apache-2.0

// Whether a decoded resource fits the file: what it names must be there, in it or in the resource itself.

#include "ctrl/xds/check.h"

#include <errno.h>

#include "conf/conf.h"
#include "tests/unit/xds_fixture.h"

static const char config[] =
	"vrfs = ( { name = \"red\"; sources = [ \"10.9.0.1\" ]; }, { name = \"bare\"; } );\n"
	"srv6 = { source = \"2001:db8::1\"; policies = ( { name = \"west\"; "
	"segments = [ \"2001:db8:a::1\" ]; } ); };\n";

// The file outlives the check.
static struct compile_check *start(struct node_spec **spec)
{
	struct refusal refusal = {.text = ""};
	struct compile_check *check;

	if (conf_load_text(config, strlen(config), "f", spec, &refusal) < 0)
		fail_msg("%s", refusal.text);
	check = compile_check_create(*spec, &refusal);
	assert_non_null(check);
	return check;
}

static void expect(struct compile_check *check, const Xds__Cluster *message, const char *text)
{
	struct xds_resource *resource = fixture_accept(XDS_CLUSTER, message);
	struct refusal refusal = {.text = ""};
	int rc = check_resource(check, resource, &refusal);

	assert_string_equal(refusal.text, text);
	assert_int_equal(rc, text[0] == '\0' ? 0 : -EINVAL);
	xds_resource_release(resource);
}

// What a cluster says for endpoints that are not known yet is checked with the cluster.
static void xds_check_defaults_of_a_cluster_must_be_there(void **state)
{
	static const char *const segments[] = {"2001:db8:b::1"};
	Xds__EdsClusterConfig eds = XDS__EDS_CLUSTER_CONFIG__INIT;
	Xds__ConfigSource source = XDS__CONFIG_SOURCE__INIT;
	Xds__Cluster message = XDS__CLUSTER__INIT;
	Xds__Empty empty = XDS__EMPTY__INIT;
	struct fixture_metadata metadata = {0};
	struct node_spec *spec = NULL;
	struct compile_check *check = start(&spec);

	(void)state;
	message.name = (char *)"payments";
	message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
	message.type = XDS__CLUSTER__DISCOVERY__EDS;
	message.eds_cluster_config = &eds;
	eds.eds_config = &source;
	source.source_case = XDS__CONFIG_SOURCE__SOURCE_ADS;
	source.ads = &empty;
	expect(check, &message, "");
	message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "west");
	fixture_metadata_text(&metadata, "vrf", "red");
	expect(check, &message, "");
	metadata.values[0].string_value = (char *)"east";
	expect(check, &message, "cluster payments: policy: there is no policy \"east\"");
	metadata.values[0].string_value = (char *)"west";
	metadata.values[1].string_value = (char *)"green";
	expect(check, &message, "cluster payments: vrf: there is no VRF \"green\"");
	metadata.values[1].string_value = (char *)"bare";
	expect(check, &message,
		"cluster payments: vrf: \"bare\" has no sources; give it addresses that the node "
		"speaks to endpoints from");
	fixture_metadata_init(&metadata);
	metadata.fields.n_fields = 0;
	fixture_metadata_list(&metadata, "segments", segments, 1);
	expect(check, &message, "");
	compile_check_destroy(check);
	node_spec_release(spec);
}

// An endpoint whose address is known needs sources of that family.
static void xds_check_endpoint_needs_sources_of_its_family(void **state)
{
	const struct spec_origin origin = {.source = "endpoints payments"};
	struct endpoint_spec endpoint = {.origin = &origin,
		.address = {.family = 4, .b = {10, 0, 0, 7}},
		.port = 80,
		.weight = 1,
		.vrf = "red"};
	const struct locality_spec locality = {.origin = &origin,
		.region = "",
		.zone = "",
		.sub_zone = "",
		.n_endpoints = 1,
		.endpoints = &endpoint};
	struct xds_assignment assignment = {.n_localities = 1, .localities = &locality};
	const struct xds_resource resource = {.type = XDS_ENDPOINTS, .endpoints = &assignment};
	struct refusal refusal = {.text = ""};
	struct node_spec *spec = NULL;
	struct compile_check *check = start(&spec);

	(void)state;
	assert_int_equal(check_resource(check, &resource, &refusal), 0);
	endpoint.address = (struct l7_address){.family = 6, .b = {0xfd, 0x07}};
	assert_int_equal(check_resource(check, &resource, &refusal), -EINVAL);
	assert_string_equal(refusal.text,
		"endpoints payments: vrf: \"red\" has no IPv6 sources; give it addresses that the "
		"node speaks to endpoints from");
	compile_check_destroy(check);
	node_spec_release(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_check_defaults_of_a_cluster_must_be_there),
		cmocka_unit_test(xds_check_endpoint_needs_sources_of_its_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
