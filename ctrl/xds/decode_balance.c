// SPDX-License-Identifier: Apache-2.0

// How a cluster's endpoints are chosen: lb_policy and what belongs to it, or load_balancing_policy.

#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/spec.h"

#define LB_POLICIES "envoy.extensions.load_balancing_policies."

// What read_policy() knows; WrrLocality comes last, as it cannot be in itself.
static const char *const policy_types[] = {LB_POLICIES "round_robin.v3.RoundRobin",
	LB_POLICIES "least_request.v3.LeastRequest", LB_POLICIES "random.v3.Random",
	LB_POLICIES "wrr_locality.v3.WrrLocality"};

enum policy_type {
	POLICY_ROUND_ROBIN,
	POLICY_LEAST_REQUEST,
	POLICY_RANDOM,
	POLICY_WRR_LOCALITY,
	N_POLICIES,
};

// ---- one policy

static void take_localities(const Xds__LocalityLbConfig *config, struct cluster_spec *spec)
{
	spec->locality_weighted |=
		config != NULL &&
		config->locality_config_specifier_case ==
			XDS__LOCALITY_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
}

// Both NULL: not given. Ranges are for the compiler to check, as the file's are.
static void take_least_request(const Xds__UInt32Value *choice_count, const Xds__RuntimeDouble *bias,
	struct cluster_spec *spec)
{
	spec->policy = CLUSTER_LEAST_REQUEST;
	if (choice_count != NULL)
		spec->choice_count = choice_count->value;
	if (bias != NULL)
		spec->active_request_bias = bias->default_value;
}

static int read_round_robin(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct cluster_spec *spec)
{
	const void *message;
	int rc = decode_any(
		d, at, &support_round_robin, &xds__round_robin__descriptor, any, &message);

	if (rc < 0)
		return rc;
	spec->policy = CLUSTER_ROUND_ROBIN;
	take_localities(((const Xds__RoundRobin *)message)->locality_lb_config, spec);
	return 0;
}

static int read_least_request(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct cluster_spec *spec)
{
	const Xds__LeastRequest *policy;
	const void *message;
	int rc = decode_any(
		d, at, &support_least_request, &xds__least_request__descriptor, any, &message);

	if (rc < 0)
		return rc;
	policy = message;
	take_least_request(policy->choice_count, policy->active_request_bias, spec);
	take_localities(policy->locality_lb_config, spec);
	return 0;
}

static int read_random(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct cluster_spec *spec)
{
	const void *message;
	int rc = decode_any(d, at, &support_random, &xds__random__descriptor, any, &message);

	if (rc < 0)
		return rc;
	spec->policy = CLUSTER_RANDOM;
	take_localities(((const Xds__Random *)message)->locality_lb_config, spec);
	return 0;
}

// ---- lists of them

// The first policy of the first n_types types, which *type then tells. NULL: there is none.
static const Xds__Any *choose_policy(const Xds__LoadBalancingPolicy *message, uint32_t n_types,
	uint32_t *idx, enum policy_type *type)
{
	for (*idx = 0; message != NULL && *idx < message->n_policies; ++*idx) {
		const Xds__TypedExtensionConfig *extension =
			message->policies[*idx]->typed_extension_config;
		const Xds__Any *any = extension == NULL ? NULL : extension->typed_config;

		for (uint32_t i = 0; i < n_types; i++)
			if (strcmp(decode_type(any), policy_types[i]) == 0) {
				*type = (enum policy_type)i;
				return any;
			}
	}
	return NULL;
}

static int read_plain(struct decode *d, const struct decode_at *at, enum policy_type type,
	const Xds__Any *any, struct cluster_spec *spec)
{
	if (type == POLICY_LEAST_REQUEST)
		return read_least_request(d, at, any, spec);
	return type == POLICY_RANDOM ? read_random(d, at, any, spec)
				     : read_round_robin(d, at, any, spec);
}

// Localities by weight, and within each of them the policy that it names.
static int read_wrr_locality(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct cluster_spec *spec)
{
	const struct decode_at *in = DECODE_IN(at, "endpoint_picking_policy");
	enum policy_type type;
	const Xds__WrrLocality *wrr;
	const Xds__Any *picking;
	const void *message;
	uint32_t idx;
	int rc = decode_any(
		d, at, &support_wrr_locality, &xds__wrr_locality__descriptor, any, &message);

	if (rc < 0)
		return rc;
	wrr = message;
	spec->locality_weighted = true;
	picking = choose_policy(wrr->endpoint_picking_policy, POLICY_WRR_LOCALITY, &idx, &type);
	if (picking == NULL)
		return decode_refuse(d, in,
			"none of its policies is supported yet; RoundRobin, LeastRequest and "
			"Random are");
	in = DECODE_ITEM(in, "policies", idx);
	in = DECODE_IN(DECODE_IN(in, "typed_extension_config"), "typed_config");
	return read_plain(d, in, type, picking, spec);
}

static int read_policies(
	struct decode *d, const Xds__LoadBalancingPolicy *message, struct cluster_spec *spec)
{
	const struct decode_at *at = DECODE_IN(NULL, "load_balancing_policy"), *in;
	enum policy_type type;
	uint32_t idx;
	const Xds__Any *any = choose_policy(message, N_POLICIES, &idx, &type);

	if (any == NULL)
		return decode_refuse(d, at,
			"none of its policies is supported yet; RoundRobin, LeastRequest, Random "
			"and WrrLocality are");
	in = DECODE_IN(DECODE_IN(DECODE_ITEM(at, "policies", idx), "typed_extension_config"),
		"typed_config");
	return type == POLICY_WRR_LOCALITY ? read_wrr_locality(d, in, any, spec)
					   : read_plain(d, in, type, any, spec);
}

// ---- a cluster's

static int read_panic(struct decode *d, const Xds__CommonLbConfig *config, uint32_t *percent)
{
	const Xds__Percent *given = config == NULL ? NULL : config->healthy_panic_threshold;

	*percent = L7_DEFAULT_PANIC_PERCENT;
	if (given == NULL)
		return 0;
	if (!(given->value >= 0 && given->value <= 100))
		return decode_refuse(d,
			DECODE_IN(DECODE_IN(NULL, "common_lb_config"), "healthy_panic_threshold"),
			"%g is out of range; 0 to 100", given->value);
	*percent = (uint32_t)(given->value + 0.5);
	return 0;
}

static int read_lb_policy(struct decode *d, const Xds__Cluster *message, struct cluster_spec *spec)
{
	const bool is_given =
		message->lb_config_case == XDS__CLUSTER__LB_CONFIG_LEAST_REQUEST_LB_CONFIG;

	switch ((int)message->lb_policy) {
	case XDS__CLUSTER__LB__ROUND_ROBIN:
		return 0;
	case XDS__CLUSTER__LB__RANDOM:
		spec->policy = CLUSTER_RANDOM;
		return 0;
	case XDS__CLUSTER__LB__LEAST_REQUEST:
		take_least_request(is_given ? message->least_request_lb_config->choice_count : NULL,
			is_given ? message->least_request_lb_config->active_request_bias : NULL,
			spec);
		return 0;
	default:
		return decode_refuse(d, DECODE_IN(NULL, "lb_policy"),
			"%d is not supported yet; ROUND_ROBIN, LEAST_REQUEST and RANDOM are",
			(int)message->lb_policy);
	}
}

int decode_balancing(struct decode *d, const Xds__Cluster *message, struct cluster_spec *spec)
{
	const Xds__CommonLbConfig *config = message->common_lb_config;
	int rc = read_panic(d, config, &spec->panic_percent);

	if (rc < 0)
		return rc;
	spec->choice_count = L7_DEFAULT_CHOICE_COUNT;
	spec->active_request_bias = 1;
	spec->locality_weighted =
		config != NULL &&
		config->locality_config_specifier_case ==
			XDS__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
	if (message->load_balancing_policy != NULL ||
		message->lb_policy == XDS__CLUSTER__LB__LOAD_BALANCING_POLICY_CONFIG)
		return read_policies(d, message->load_balancing_policy, spec);
	return read_lb_policy(d, message, spec);
}
