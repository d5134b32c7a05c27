// SPDX-License-Identifier: Apache-2.0

// Clusters by their discovery type: endpoints of their own, names for DNS, and types that are refused.

#include "tests/unit/xds_cluster_rig.h"

// One with its endpoint in itself.
struct own_parts {
	struct cluster_parts parts;
	Xds__ClusterLoadAssignment assignment;
	Xds__LocalityLbEndpoints locality, *localities[2];
	Xds__LbEndpoint item, *items[2];
	Xds__Endpoint endpoint;
	struct fixture_address address;
};

static Xds__Cluster *init_own(
	struct own_parts *p, Xds__Cluster__Discovery type, const char *address)
{
	rig_cluster_init(&p->parts);
	p->parts.message.eds_cluster_config = NULL;
	p->parts.message.type = type;
	p->parts.message.load_assignment = &p->assignment;
	p->assignment = (Xds__ClusterLoadAssignment)XDS__CLUSTER_LOAD_ASSIGNMENT__INIT;
	p->assignment.cluster_name = (char *)"payments";
	p->assignment.n_endpoints = 1;
	p->assignment.endpoints = p->localities;
	p->locality = (Xds__LocalityLbEndpoints)XDS__LOCALITY_LB_ENDPOINTS__INIT;
	p->localities[0] = p->localities[1] = &p->locality;
	p->locality.n_lb_endpoints = 1;
	p->locality.lb_endpoints = p->items;
	p->item = (Xds__LbEndpoint)XDS__LB_ENDPOINT__INIT;
	p->item.host_identifier_case = XDS__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
	p->item.endpoint = &p->endpoint;
	p->items[0] = p->items[1] = &p->item;
	p->endpoint = (Xds__Endpoint)XDS__ENDPOINT__INIT;
	p->endpoint.address = fixture_address_init(&p->address, address, 443);
	return &p->parts.message;
}

static void xds_decode_cluster_static_endpoints_have_its_way(void **state)
{
	struct fixture_metadata metadata = {0};
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__STATIC, "10.2.0.1");
	p.parts.message.metadata = fixture_metadata_init(&metadata);
	fixture_metadata_text(&metadata, "policy", "west");
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	cluster = resource->cluster;
	assert_int_equal(cluster->discovery, XDS_STATIC);
	assert_int_equal(cluster->assignment.n_localities, 1);
	assert_string_equal(cluster->assignment.localities[0].endpoints[0].policy, "west");
	assert_string_equal(cluster->assignment.localities[0].endpoints[0].origin->source,
		"cluster payments: load_assignment.endpoints[0].lb_endpoints[0]");
	xds_resource_release(resource);
	init_own(&p, XDS__CLUSTER__DISCOVERY__STATIC, "db.example");
	fixture_refuse(XDS_CLUSTER, &p.parts.message,
		"cluster payments: load_assignment.endpoints[0].lb_endpoints[0].endpoint.address"
		".socket_address.address: \"db.example\" is not an IPv4 or IPv6 address");
	p.parts.message.load_assignment = NULL;
	fixture_refuse(
		XDS_CLUSTER, &p.parts.message, "cluster payments: load_assignment: is missing");
}

static void xds_decode_cluster_without_type_is_static(void **state)
{
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__STATIC, "10.2.0.1");
	p.parts.message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE__NOT_SET;
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	assert_int_equal(resource->cluster->discovery, XDS_STATIC);
	xds_resource_release(resource);
}

static void xds_decode_cluster_dns_names_are_listed(void **state)
{
	const struct xds_cluster *cluster;
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__STRICT_DNS, "db.example");
	p.locality.n_lb_endpoints = 2;
	p.parts.message.dns_lookup_family = XDS__CLUSTER__DNS_FAMILY__V4_PREFERRED;
	p.parts.message.respect_dns_ttl = 1;
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	cluster = resource->cluster;
	assert_int_equal(cluster->discovery, XDS_STRICT_DNS);
	assert_int_equal(cluster->n_dns_names, 2);
	assert_string_equal(cluster->dns_names[1].name, "db.example");
	assert_int_equal(cluster->dns_names[1].locality, 0);
	assert_int_equal(cluster->dns_names[1].endpoint, 1);
	assert_int_equal(cluster->dns_refresh_ms, 5000);
	assert_int_equal(cluster->dns_family, XDS_DNS_V4_PREFERRED);
	assert_true(cluster->respect_dns_ttl);
	assert_int_equal(cluster->assignment.localities[0].endpoints[0].address.family, 0);
	assert_int_equal(cluster->assignment.localities[0].endpoints[0].port, 443);
	xds_resource_release(resource);
	p.parts.message.dns_lookup_family = (Xds__Cluster__DnsFamily)5;
	fixture_refuse(XDS_CLUSTER, &p.parts.message,
		"cluster payments: dns_lookup_family: 5 is not known");
}

static void xds_decode_cluster_logical_dns_has_one_endpoint(void **state)
{
	struct xds_resource *resource;
	struct own_parts p;

	(void)state;
	init_own(&p, XDS__CLUSTER__DISCOVERY__LOGICAL_DNS, "db.example");
	resource = fixture_accept(XDS_CLUSTER, &p.parts.message);
	assert_int_equal(resource->cluster->discovery, XDS_LOGICAL_DNS);
	xds_resource_release(resource);
	p.locality.n_lb_endpoints = 2;
	fixture_refuse(XDS_CLUSTER, &p.parts.message,
		"cluster payments: load_assignment.endpoints: a LOGICAL_DNS cluster has one "
		"locality with one endpoint");
}

static void xds_decode_cluster_other_types_are_refused(void **state)
{
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	p.message.type = XDS__CLUSTER__DISCOVERY__ORIGINAL_DST;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: type: 4 is not supported yet; STATIC, STRICT_DNS, LOGICAL_DNS "
		"and EDS are");
	p.message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_CLUSTER_TYPE;
	p.message.cluster_type = &p.empty;
	fixture_refuse(
		XDS_CLUSTER, &p.message, "cluster payments: cluster_type: is not supported yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_cluster_static_endpoints_have_its_way),
		cmocka_unit_test(xds_decode_cluster_without_type_is_static),
		cmocka_unit_test(xds_decode_cluster_dns_names_are_listed),
		cmocka_unit_test(xds_decode_cluster_logical_dns_has_one_endpoint),
		cmocka_unit_test(xds_decode_cluster_other_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
