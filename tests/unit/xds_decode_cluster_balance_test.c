// SPDX-License-Identifier: Apache-2.0

// Clusters: how their endpoints are chosen.

#include "tests/unit/xds_cluster_rig.h"

#define LB "envoy.extensions.load_balancing_policies."

static void xds_decode_cluster_other_balancing_is_refused(void **state)
{
	Xds__CommonLbConfig common = XDS__COMMON_LB_CONFIG__INIT;
	Xds__RoundRobinLbConfig robin = XDS__ROUND_ROBIN_LB_CONFIG__INIT;
	Xds__Percent panic = XDS__PERCENT__INIT;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	p.message.lb_policy = XDS__CLUSTER__LB__MAGLEV;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: lb_policy: 5 is not supported yet; ROUND_ROBIN, "
		"LEAST_REQUEST and RANDOM are");
	rig_cluster_init(&p);
	panic.value = 101;
	common.healthy_panic_threshold = &panic;
	p.message.common_lb_config = &common;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: common_lb_config.healthy_panic_threshold: 101 is out of range; "
		"0 to 100");
	rig_cluster_init(&p);
	p.message.lb_config_case = XDS__CLUSTER__LB_CONFIG_ROUND_ROBIN_LB_CONFIG;
	p.message.round_robin_lb_config = &robin;
	robin.slow_start_config = &p.empty;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: round_robin_lb_config.slow_start_config: is not supported yet");
}

// load_balancing_policy with one policy.
struct policy_parts {
	Xds__LoadBalancingPolicy message;
	Xds__LoadBalancingPolicyItem items[2], *pointers[2];
	Xds__TypedExtensionConfig extensions[2];
	Xds__Any anys[2];
};

static Xds__LoadBalancingPolicy *add_lb(
	struct policy_parts *p, const char *type, const void *message)
{
	size_t i = p->message.n_policies;

	if (i == 0)
		p->message = (Xds__LoadBalancingPolicy)XDS__LOAD_BALANCING_POLICY__INIT;
	p->anys[i] = fixture_any(type, message);
	p->extensions[i] = (Xds__TypedExtensionConfig)XDS__TYPED_EXTENSION_CONFIG__INIT;
	p->extensions[i].typed_config = &p->anys[i];
	p->items[i] = (Xds__LoadBalancingPolicyItem)XDS__LOAD_BALANCING_POLICY_ITEM__INIT;
	p->items[i].typed_extension_config = &p->extensions[i];
	p->pointers[i] = &p->items[i];
	p->message.policies = p->pointers;
	p->message.n_policies = i + 1;
	return &p->message;
}

static void xds_decode_cluster_first_known_policy_is_taken(void **state)
{
	Xds__LocalityLbConfig locality = XDS__LOCALITY_LB_CONFIG__INIT;
	Xds__RoundRobin robin = XDS__ROUND_ROBIN__INIT;
	Xds__WrrLocality wrr = XDS__WRR_LOCALITY__INIT;
	struct policy_parts inner = {0}, outer = {0}, two = {0};
	struct xds_resource *resource;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	p.message.lb_policy = XDS__CLUSTER__LB__LEAST_REQUEST; // it does not count
	add_lb(&two, LB "maglev.v3.Maglev", &p.empty);
	p.message.load_balancing_policy = &two.message;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: load_balancing_policy: none of its policies is supported yet; "
		"RoundRobin, LeastRequest, Random and WrrLocality are");
	robin.locality_lb_config = &locality;
	locality.locality_config_specifier_case =
		XDS__LOCALITY_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
	locality.locality_weighted_lb_config = &p.empty;
	add_lb(&two, LB "round_robin.v3.RoundRobin", &robin);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_true(resource->cluster->spec.locality_weighted);
	xds_resource_release(resource);
	robin.locality_lb_config = NULL;
	wrr.endpoint_picking_policy = add_lb(&inner, LB "round_robin.v3.RoundRobin", &robin);
	p.message.load_balancing_policy = add_lb(&outer, LB "wrr_locality.v3.WrrLocality", &wrr);
	resource = fixture_accept(XDS_CLUSTER, &p.message);
	assert_true(resource->cluster->spec.locality_weighted);
	xds_resource_release(resource);
	p.message.load_balancing_policy = NULL;
	p.message.lb_policy = XDS__CLUSTER__LB__LOAD_BALANCING_POLICY_CONFIG;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: load_balancing_policy: none of its policies is supported yet; "
		"RoundRobin, LeastRequest, Random and WrrLocality are");
}

static void expect_policy(struct cluster_parts *p, enum cluster_policy policy, bool by_locality,
	uint32_t choice_count, double bias)
{
	struct xds_resource *resource = fixture_accept(XDS_CLUSTER, &p->message);
	const struct cluster_spec *spec = &resource->cluster->spec;

	assert_int_equal(spec->policy, policy);
	assert_int_equal(spec->locality_weighted, by_locality);
	assert_int_equal(spec->choice_count, choice_count);
	assert_true(spec->active_request_bias == bias);
	xds_resource_release(resource);
}

static void xds_decode_cluster_lb_policy_says_how_to_choose(void **state)
{
	Xds__LeastRequestLbConfig least = XDS__LEAST_REQUEST_LB_CONFIG__INIT;
	Xds__UInt32Value count = XDS__UINT32_VALUE__INIT;
	Xds__RuntimeDouble bias = XDS__RUNTIME_DOUBLE__INIT;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	expect_policy(&p, CLUSTER_ROUND_ROBIN, false, 2, 1);
	p.message.lb_policy = XDS__CLUSTER__LB__RANDOM;
	expect_policy(&p, CLUSTER_RANDOM, false, 2, 1);
	p.message.lb_policy = XDS__CLUSTER__LB__LEAST_REQUEST;
	expect_policy(&p, CLUSTER_LEAST_REQUEST, false, 2, 1);
	p.message.lb_config_case = XDS__CLUSTER__LB_CONFIG_LEAST_REQUEST_LB_CONFIG;
	p.message.least_request_lb_config = &least;
	expect_policy(&p, CLUSTER_LEAST_REQUEST, false, 2, 1);
	count.value = 5;
	least.choice_count = &count;
	bias.default_value = 0.25;
	least.active_request_bias = &bias;
	expect_policy(&p, CLUSTER_LEAST_REQUEST, false, 5, 0.25);
	least.slow_start_config = &p.empty;
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: least_request_lb_config.slow_start_config: is not supported "
		"yet");
}

static void xds_decode_cluster_typed_policies_say_how_to_choose(void **state)
{
	Xds__LocalityLbConfig locality = XDS__LOCALITY_LB_CONFIG__INIT;
	Xds__UInt32Value count = XDS__UINT32_VALUE__INIT;
	Xds__RuntimeDouble bias = XDS__RUNTIME_DOUBLE__INIT;
	struct policy_parts of_least = {0}, of_random = {0}, inner = {0}, outer = {0};
	Xds__LeastRequest least = XDS__LEAST_REQUEST__INIT;
	Xds__WrrLocality wrr = XDS__WRR_LOCALITY__INIT;
	Xds__Random random = XDS__RANDOM__INIT;
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	count.value = 3;
	least.choice_count = &count;
	bias.default_value = 2;
	least.active_request_bias = &bias;
	p.message.load_balancing_policy =
		add_lb(&of_least, LB "least_request.v3.LeastRequest", &least);
	expect_policy(&p, CLUSTER_LEAST_REQUEST, false, 3, 2);
	locality.locality_config_specifier_case =
		XDS__LOCALITY_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
	locality.locality_weighted_lb_config = &p.empty;
	random.locality_lb_config = &locality;
	p.message.load_balancing_policy = add_lb(&of_random, LB "random.v3.Random", &random);
	expect_policy(&p, CLUSTER_RANDOM, true, 2, 1);
	wrr.endpoint_picking_policy = add_lb(&inner, LB "least_request.v3.LeastRequest", &least);
	p.message.load_balancing_policy = add_lb(&outer, LB "wrr_locality.v3.WrrLocality", &wrr);
	expect_policy(&p, CLUSTER_LEAST_REQUEST, true, 3, 2);
}

static void xds_decode_cluster_policy_fields_are_refused_by_path(void **state)
{
	Xds__RoundRobin robin = XDS__ROUND_ROBIN__INIT;
	struct policy_parts policies = {0};
	struct cluster_parts p;

	(void)state;
	rig_cluster_init(&p);
	robin.slow_start_config = &p.empty;
	p.message.load_balancing_policy = add_lb(&policies, LB "round_robin.v3.RoundRobin", &robin);
	fixture_refuse(XDS_CLUSTER, &p.message,
		"cluster payments: load_balancing_policy.policies[0].typed_extension_config"
		".typed_config.slow_start_config: is not supported yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_decode_cluster_other_balancing_is_refused),
		cmocka_unit_test(xds_decode_cluster_first_known_policy_is_taken),
		cmocka_unit_test(xds_decode_cluster_lb_policy_says_how_to_choose),
		cmocka_unit_test(xds_decode_cluster_typed_policies_say_how_to_choose),
		cmocka_unit_test(xds_decode_cluster_policy_fields_are_refused_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
