// SPDX-License-Identifier: Apache-2.0

// Assignments: what becomes of localities and endpoints, where SRv6 leads to them from, and what is refused.

#include <errno.h>
#include <stdio.h>

#include "tests/unit/xds_fixture.h"

// Two localities, the first with two endpoints.
struct parts {
	Xds__ClusterLoadAssignment message;
	Xds__LocalityLbEndpoints localities[2], *locality_pointers[2];
	Xds__Locality place;
	Xds__LbEndpoint items[3], *item_pointers[3];
	Xds__Endpoint endpoints[3];
	struct fixture_address addresses[3];
};

static void init_endpoint(struct parts *p, size_t i, const char *address)
{
	p->endpoints[i] = (Xds__Endpoint)XDS__ENDPOINT__INIT;
	p->endpoints[i].address = fixture_address_init(&p->addresses[i], address, 80);
	p->items[i] = (Xds__LbEndpoint)XDS__LB_ENDPOINT__INIT;
	p->items[i].host_identifier_case = XDS__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
	p->items[i].endpoint = &p->endpoints[i];
	p->item_pointers[i] = &p->items[i];
}

static void init(struct parts *p)
{
	init_endpoint(p, 0, "10.2.0.1");
	init_endpoint(p, 1, "2001:db8::2");
	init_endpoint(p, 2, "10.2.0.3");
	p->place = (Xds__Locality)XDS__LOCALITY__INIT;
	p->place.region = (char *)"eu";
	p->place.zone = (char *)"a";
	for (size_t i = 0; i < 2; i++) {
		p->localities[i] = (Xds__LocalityLbEndpoints)XDS__LOCALITY_LB_ENDPOINTS__INIT;
		p->locality_pointers[i] = &p->localities[i];
	}
	p->localities[0].locality = &p->place;
	p->localities[0].n_lb_endpoints = 2;
	p->localities[0].lb_endpoints = p->item_pointers;
	p->localities[1].priority = 1;
	p->localities[1].n_lb_endpoints = 1;
	p->localities[1].lb_endpoints = p->item_pointers + 2;
	p->message = (Xds__ClusterLoadAssignment)XDS__CLUSTER_LOAD_ASSIGNMENT__INIT;
	p->message.cluster_name = (char *)"payments";
	p->message.n_endpoints = 2;
	p->message.endpoints = p->locality_pointers;
}

static void xds_decode_endpoints_localities_are_read(void **state)
{
	Xds__UInt32Value weight = XDS__UINT32_VALUE__INIT, share = XDS__UINT32_VALUE__INIT;
	const struct xds_assignment *assignment;
	const struct locality_spec *first;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	weight.value = 7;
	share.value = 30;
	p.items[1].load_balancing_weight = &weight;
	p.localities[0].load_balancing_weight = &share;
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	assignment = resource->endpoints;
	first = &assignment->localities[0];
	assert_string_equal(resource->name, "payments");
	assert_int_equal(assignment->n_localities, 2);
	assert_int_equal(assignment->overprovisioning_percent, 140);
	assert_string_equal(first->region, "eu");
	assert_string_equal(first->zone, "a");
	assert_string_equal(first->sub_zone, "");
	assert_int_equal(first->weight, 30);
	assert_int_equal(first->n_endpoints, 2);
	assert_int_equal(first->endpoints[0].address.family, 4);
	assert_int_equal(first->endpoints[0].address.b[3], 1);
	assert_int_equal(first->endpoints[0].port, 80);
	assert_int_equal(first->endpoints[0].weight, 1);
	assert_int_equal(first->endpoints[1].address.family, 6);
	assert_int_equal(first->endpoints[1].weight, 7);
	assert_null(first->endpoints[0].policy);
	assert_string_equal(first->endpoints[1].origin->source,
		"endpoints payments: endpoints[0].lb_endpoints[1]");
	assert_int_equal(assignment->localities[1].priority, 1);
	assert_int_equal(assignment->localities[1].weight, 0);
	assert_string_equal(assignment->localities[1].region, "");
	assert_int_equal(resource->n_ignored, 0);
	xds_resource_release(resource);
}

static void xds_decode_endpoints_health_is_one_of_three(void **state)
{
	static const enum endpoint_health expected[] = {ENDPOINT_HEALTHY, ENDPOINT_HEALTHY,
		ENDPOINT_UNHEALTHY, ENDPOINT_UNHEALTHY, ENDPOINT_UNHEALTHY, ENDPOINT_DEGRADED};
	struct parts p;

	(void)state;
	init(&p);
	for (int health = 0; health < 6; health++) {
		struct xds_resource *resource;

		p.items[0].health_status = (Xds__LbEndpoint__Health)health;
		resource = fixture_accept(XDS_ENDPOINTS, &p.message);
		assert_int_equal(
			resource->endpoints->localities[0].endpoints[0].health, expected[health]);
		xds_resource_release(resource);
	}
	p.items[1].health_status = (Xds__LbEndpoint__Health)6;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].lb_endpoints[1].health_status: 6 is not known");
}

static void xds_decode_endpoints_addresses_are_mapped(void **state)
{
	struct fixture_metadata metadata = {0};
	const struct endpoint_spec *endpoints;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.addresses[0].socket.address = p.addresses[1].socket.address = (char *)"127.0.0.1";
	p.addresses[0].socket.port_value = 81;
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	endpoints = resource->endpoints->localities[0].endpoints;
	assert_int_equal(endpoints[0].address.b[3], 7);
	assert_int_equal(endpoints[0].port, 8080);
	assert_string_equal(endpoints[0].policy, "west");
	// A copy: the file's text goes with the file.
	assert_ptr_not_equal(endpoints[0].policy, fixture_endpoint_addresses[0].policy);
	assert_string_equal(endpoints[0].vrf, "blue");
	assert_int_equal(endpoints[1].address.b[0], 127);
	assert_null(endpoints[1].vrf);
	xds_resource_release(resource);
	p.items[0].metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "vrf", "red");
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	assert_string_equal(resource->endpoints->localities[0].endpoints[0].vrf, "red");
	xds_resource_release(resource);
}

static void xds_decode_endpoints_bad_address_is_refused(void **state)
{
	struct parts p;

	(void)state;
	init(&p);
	p.addresses[1].socket.address = (char *)"db.example\n";
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].lb_endpoints[1].endpoint.address.socket_address"
		".address: \"db.example?\" is not an IPv4 or IPv6 address");
	init(&p);
	p.addresses[2].socket.port_value = 65536;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[1].lb_endpoints[0].endpoint.address.socket_address"
		".port_value: 65536 is out of range; 1 to 65535");
	init(&p);
	p.addresses[2].socket.protocol = XDS__SOCKET_PROTOCOL__UDP;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[1].lb_endpoints[0].endpoint.address.socket_address"
		".protocol: 1 is not supported yet; TCP is");
	init(&p);
	p.endpoints[0].address = NULL;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].lb_endpoints[0].endpoint.address.socket_address: "
		"is missing");
}

static void xds_decode_endpoints_pipe_is_refused_by_path(void **state)
{
	Xds__Pipe pipe = XDS__PIPE__INIT;
	struct parts p;

	(void)state;
	init(&p);
	p.addresses[1].address.address_case = XDS__ADDRESS__ADDRESS_PIPE;
	p.addresses[1].address.pipe = &pipe;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].lb_endpoints[1].endpoint.address.pipe: "
		"is not supported yet");
}

static void xds_decode_endpoints_what_others_choose_by_is_refused(void **state)
{
	Xds__Empty empty = XDS__EMPTY__INIT;
	Xds__AssignmentPolicy policy = XDS__ASSIGNMENT_POLICY__INIT;
	Xds__UInt32Value zero = XDS__UINT32_VALUE__INIT;
	struct parts p;

	(void)state;
	init(&p);
	p.localities[1].leds_cluster_locality_config = &empty;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[1].leds_cluster_locality_config: "
		"is not supported yet");
	init(&p);
	p.items[0].host_identifier_case = XDS__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT_NAME;
	p.items[0].endpoint_name = (char *)"a";
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].lb_endpoints[0].endpoint_name: "
		"is not supported yet");
	init(&p);
	p.localities[0].priority = 129;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].priority: 129 is out of range; 0 to 128");
	init(&p);
	p.message.policy = &policy;
	policy.overprovisioning_factor = &zero;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: policy.overprovisioning_factor: 0 is out of range; 1 or more");
	policy.overprovisioning_factor = NULL;
	policy.weighted_priority_health = 1;
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: policy.weighted_priority_health: is not supported yet");
}

static void xds_decode_endpoints_what_does_nothing_is_counted(void **state)
{
	Xds__Empty empty = XDS__EMPTY__INIT, *drops[] = {&empty, &empty};
	Xds__AssignmentPolicy policy = XDS__ASSIGNMENT_POLICY__INIT;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.endpoints[0].health_check_config = p.endpoints[2].health_check_config = &empty;
	p.endpoints[0].hostname = (char *)"a.example";
	p.message.policy = &policy;
	policy.n_drop_overloads = 2;
	policy.drop_overloads = drops;
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	assert_int_equal(resource->n_ignored, 3);
	fixture_ignores(resource, "endpoints.lb_endpoints.endpoint.health_check_config", 2);
	fixture_ignores(resource, "endpoints.lb_endpoints.endpoint.hostname", 1);
	fixture_ignores(resource, "policy.drop_overloads", 2);
	xds_resource_release(resource);
}

static void xds_decode_endpoints_metadata_leads_by_srv6(void **state)
{
	static const char *const one[] = {"2001:DB8:b::1"};
	static const char *const two[] = {"2001:db8:a::1", "2001:db8:b::1"};
	struct fixture_metadata of_locality = {0}, of_first = {0}, of_third = {0};
	const struct xds_assignment *assignment;
	const struct endpoint_spec *endpoints;
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.localities[0].metadata = fixture_metadata_init(&of_locality);
	fixture_metadata_text(&of_locality, "policy", "west");
	fixture_metadata_text(&of_locality, "vrf", "blue");
	p.items[0].metadata = fixture_metadata_init(&of_first);
	fixture_metadata_list(&of_first, "segments", one, 1);
	p.items[2].metadata = fixture_metadata_init(&of_third);
	fixture_metadata_list(&of_third, "segments", two, 2);
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	assignment = resource->endpoints;
	endpoints = assignment->localities[0].endpoints;
	// Segments of its own instead of its locality's policy.
	assert_string_equal(endpoints[0].policy, "segments 2001:db8:b::1");
	assert_string_equal(endpoints[0].vrf, "blue");
	assert_string_equal(endpoints[1].policy, "west");
	assert_null(assignment->localities[1].endpoints[0].vrf);
	assert_int_equal(assignment->n_policies, 2);
	assert_string_equal(
		assignment->localities[1].endpoints[0].policy, assignment->policies[0].name);
	assert_int_equal(assignment->policies[0].lists[0].n_segments, 2);
	assert_int_equal(assignment->policies[0].lists[0].segments[1].b[5], 0xb);
	assert_int_equal(assignment->policies[0].dscp, -1);
	assert_string_equal(assignment->policies[1].name, endpoints[0].policy);
	xds_resource_release(resource);
}

static void xds_decode_endpoints_same_segments_are_one_policy(void **state)
{
	static const char *const two[] = {"2001:db8:a::1", "2001:db8:b::1"};
	struct fixture_metadata metadata = {0};
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "segments", two, 2);
	for (size_t i = 0; i < 3; i++)
		p.items[i].metadata = &metadata.metadata;
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	assert_int_equal(resource->endpoints->n_policies, 1);
	xds_resource_release(resource);
}

static void refuse_way(struct fixture_metadata *metadata, const char *reason)
{
	char text[256];
	struct parts p;

	init(&p);
	p.items[1].metadata = &metadata->metadata;
	snprintf(text, sizeof(text),
		"endpoints payments: endpoints[0].lb_endpoints[1].metadata"
		".filter_metadata[pergola.srv6]%s",
		reason);
	fixture_refuse(XDS_ENDPOINTS, &p.message, text);
}

static void xds_decode_endpoints_bad_metadata_is_refused(void **state)
{
	static const char *const wrong[] = {"2001:db8:a::1", "10.0.0.1"};
	static const char *const many[17] = {"::1", "::1", "::1", "::1", "::1", "::1", "::1", "::1",
		"::1", "::1", "::1", "::1", "::1", "::1", "::1", "::1", "::1"};
	struct fixture_metadata metadata = {0};

	(void)state;
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "polcy", "a");
	refuse_way(&metadata, ": \"polcy\": unknown key; one of policy, segments, vrf");
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "a");
	fixture_metadata_list(&metadata, "segments", wrong, 1);
	refuse_way(&metadata, ": \"policy\" and \"segments\" exclude each other; keep one of them");
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "segments", wrong, 2);
	refuse_way(&metadata, ".segments: \"10.0.0.1\" is not an IPv6 address");
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "segments", wrong, 0);
	refuse_way(&metadata, ".segments: a segment list needs at least one segment");
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "segments", many, 17);
	refuse_way(&metadata, ".segments: 17 entries; at most 16");
	fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "segments", "::1");
	refuse_way(&metadata, ".segments: must be a list of strings");
	fixture_metadata_init(&metadata);
	fixture_metadata_list(&metadata, "vrf", wrong, 1);
	refuse_way(&metadata, ".vrf: must be a string");
}

// Other keys are none of the node's business; the same key in another form is.
static void xds_decode_endpoints_foreign_metadata_is_left_alone(void **state)
{
	Xds__TypedMetadataEntry typed = XDS__TYPED_METADATA_ENTRY__INIT, *all[] = {&typed};
	struct fixture_metadata metadata = {0};
	struct xds_resource *resource;
	struct parts p;

	(void)state;
	init(&p);
	p.items[0].metadata = fixture_metadata_init(&metadata);
	metadata.entry.key = (char *)"envoy.lb";
	fixture_metadata_text(&metadata, "canary", "true");
	typed.key = (char *)"other";
	metadata.metadata.n_typed_filter_metadata = 1;
	metadata.metadata.typed_filter_metadata = all;
	resource = fixture_accept(XDS_ENDPOINTS, &p.message);
	assert_null(resource->endpoints->localities[0].endpoints[0].policy);
	xds_resource_release(resource);
	typed.key = (char *)"pergola.srv6";
	fixture_refuse(XDS_ENDPOINTS, &p.message,
		"endpoints payments: endpoints[0].lb_endpoints[0].metadata.typed_filter_metadata: "
		"\"pergola.srv6\" belongs into filter_metadata");
}

static void refuse_bytes(const char *bytes, size_t n_bytes, const char *text)
{
	struct xds_resource *resource = NULL;
	struct refusal refusal = {.text = ""};

	assert_int_equal(xds_decode(XDS_ENDPOINTS, (const uint8_t *)bytes, n_bytes, &fixture_spec,
				 &resource, &refusal),
		-EINVAL);
	assert_string_equal(refusal.text, text);
}

static void xds_decode_endpoints_garbage_is_refused(void **state)
{
	(void)state;
	refuse_bytes("", 0, "endpoints: has no name");
	refuse_bytes("\x0a\x01\xff", 3, "endpoints: has no name");
	refuse_bytes("\x0a\x03"
		     "a\0b",
		5, "endpoints: has no name");
	refuse_bytes("\x0a\x01"
		     "a\x12\x05z",
		6, "endpoints a: is no envoy.config.endpoint.v3.ClusterLoadAssignment");
	// A group, and a field of the wrong type.
	refuse_bytes("\x0a\x01"
		     "a\x13",
		4, "endpoints a: is no envoy.config.endpoint.v3.ClusterLoadAssignment");
	refuse_bytes("\x0a\x01"
		     "a\x10\x01",
		5, "endpoints a: is no envoy.config.endpoint.v3.ClusterLoadAssignment");
	// The region of the first locality has half a character.
	refuse_bytes("\x0a\x01"
		     "a\x12\x05\x0a\x03\x0a\x01\xc3",
		10,
		"endpoints a: endpoints[0].locality.region: is no text; it must be UTF-8 and "
		"have no NUL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_endpoints_localities_are_read),
		cmocka_unit_test(xds_decode_endpoints_health_is_one_of_three),
		cmocka_unit_test(xds_decode_endpoints_addresses_are_mapped),
		cmocka_unit_test(xds_decode_endpoints_bad_address_is_refused),
		cmocka_unit_test(xds_decode_endpoints_pipe_is_refused_by_path),
		cmocka_unit_test(xds_decode_endpoints_what_others_choose_by_is_refused),
		cmocka_unit_test(xds_decode_endpoints_what_does_nothing_is_counted),
		cmocka_unit_test(xds_decode_endpoints_metadata_leads_by_srv6),
		cmocka_unit_test(xds_decode_endpoints_same_segments_are_one_policy),
		cmocka_unit_test(xds_decode_endpoints_bad_metadata_is_refused),
		cmocka_unit_test(xds_decode_endpoints_foreign_metadata_is_left_alone),
		cmocka_unit_test(xds_decode_endpoints_garbage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
