// SPDX-License-Identifier: Apache-2.0

// conf_load_text() against arbitrary bytes. Beyond what the sanitizers see: a refusal is one line
// that begins with the source, and an accepted spec keeps what pipeline/spec.h says of its arrays.

#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char source[] = "fuzz";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

// When a token stands where the grammar has none, libconfig 1.5's parser drops the strings it holds
// without freeing them: a few bytes for each file that is refused so.
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_refusal(int rc, const struct refusal *refusal)
{
	require(rc == -EINVAL);
	require(memchr(refusal->text, '\0', sizeof(refusal->text)) != NULL);
	require(strncmp(refusal->text, source, strlen(source)) == 0);
	require(strlen(refusal->text) > strlen("fuzz:1: "));
	require(strchr(refusal->text, '\n') == NULL);
}

static void check_ifaces(const struct node_spec *spec)
{
	require(spec->n_ifaces >= spec->n_ports && spec->n_ifaces <= SPEC_MAX_IFACES);
	for (uint32_t i = 0; i < spec->n_ifaces; i++) {
		const struct iface_spec *iface = &spec->ifaces[i];

		require(iface->name != NULL && iface->port != NULL && iface->vrf != NULL);
		require((iface->vlan == 0) == (i < spec->n_ports));
		require(i >= spec->n_ports || iface->name == spec->ports[i].name);
	}
}

static void check_routes(const struct vrf_spec *vrf)
{
	require(vrf->name != NULL);
	for (uint32_t i = 0; i < vrf->n_routes; i++) {
		const struct route_spec *route = &vrf->routes[i];

		require(route->prefix.family == 4 || route->prefix.family == 6);
		require((route->type == ROUTE_POLICY) == (route->policy != NULL));
		require((route->type == ROUTE_VIA) == (route->n_paths > 0));
		for (uint32_t j = 0; j < route->n_paths; j++)
			require(route->paths[j].weight >= 1 && route->paths[j].weight <= 255);
	}
}

static void check_srv6(const struct node_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_sids; i++) {
		const struct srv6_sid_spec *sid = &spec->sids[i];

		require((unsigned)sid->behavior < SRV6_N_BEHAVIORS);
		require(sid->prefix.len >= 1 && sid->prefix.len <= 128);
		require(sid->csid_block_bits + sid->csid_bits <= 120);
	}
	for (uint32_t i = 0; i < spec->n_policies; i++) {
		const struct srv6_policy_spec *policy = &spec->policies[i];

		require(policy->name != NULL && policy->n_lists >= 1);
		require(policy->n_lists <= SRV6_MAX_LISTS);
		for (uint32_t j = 0; j < policy->n_lists; j++)
			require(policy->lists[j].n_segments >= 1 &&
				policy->lists[j].n_segments <= SRV6_MAX_SEGMENTS);
	}
	for (uint32_t i = 0; i < spec->n_hmac_keys; i++)
		require(spec->hmac_keys[i].secret_len >= 1 && spec->hmac_keys[i].key_id >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;
	int rc = conf_load_text((const char *)data, size, source, &spec, &refusal);

	if (rc < 0) {
		check_refusal(rc, &refusal);
		return 0;
	}
	check_ifaces(spec);
	require(spec->n_vrfs >= 1 && strcmp(spec->vrfs[0].name, "default") == 0);
	for (uint32_t i = 0; i < spec->n_vrfs; i++)
		check_routes(&spec->vrfs[i]);
	check_srv6(spec);
	node_spec_release(spec);
	return 0;
}
