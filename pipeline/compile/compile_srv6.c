// SPDX-License-Identifier: Apache-2.0

// SIDs, policies, HMAC keys; where policies' first segments go.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_priv.h"
#include "pipeline/compile/slots.h"
#include "pipeline/worker.h"

static enum dest_kind sid_kind(enum srv6_behavior behavior)
{
	switch (behavior) {
	case SRV6_END_DT4:
	case SRV6_END_DT6:
	case SRV6_END_DT46:
		return DEST_SID_DECAP;
	case SRV6_END_DX2:
	case SRV6_END_DX4:
	case SRV6_END_DX6:
		return DEST_SID_CROSS;
	case SRV6_END_B6_ENCAPS:
	case SRV6_END_B6_ENCAPS_RED:
		return DEST_SID_B6;
	default:
		return DEST_SID_END;
	}
}

// End.X, End.DX4, End.DX6: the adjacency, in the VRF of its interface.
static int set_nexthop(struct compile *c, const struct srv6_sid_spec *spec, struct sid *sid)
{
	uint32_t vrf_slot = SNAPSHOT_UNDERLAY_VRF, iface_slot;
	uint8_t family = spec->behavior == SRV6_END_DX4 ? 4 : 6;
	int ret = 0;

	if (spec->nexthop.family != family)
		return refusal_set(c->refusal, &spec->origin, "nexthop: %s needs an IPv%u address",
			srv6_behavior_name(spec->behavior), family);
	if (spec->iface != NULL) {
		ret = compile_find_iface(c, &spec->origin, "port", spec->iface, &iface_slot);
		if (ret == 0)
			vrf_slot = c->s->ifaces[iface_slot].vrf;
	} else if (spec->vrf != NULL) {
		ret = compile_find_vrf(c, &spec->origin, "vrf", spec->vrf, &vrf_slot);
	}
	if (ret != 0)
		return ret;
	ret = compile_gateway(c, &spec->origin, "nexthop", vrf_slot, spec->iface, &spec->nexthop,
		&sid->adj, &iface_slot);
	sid->vrf = (uint16_t)vrf_slot;
	sid->iface = (uint16_t)iface_slot;
	return ret;
}

static int set_table(struct compile *c, const struct srv6_sid_spec *spec, struct sid *sid)
{
	uint32_t vrf_slot;
	int ret;

	if (spec->vrf == NULL)
		return refusal_set(c->refusal, &spec->origin, "vrf: %s needs one",
			srv6_behavior_name(spec->behavior));
	ret = compile_find_vrf(c, &spec->origin, "vrf", spec->vrf, &vrf_slot);
	if (ret == 0)
		sid->vrf = (uint16_t)vrf_slot;
	return ret;
}

static int set_port(struct compile *c, const struct srv6_sid_spec *spec, struct sid *sid)
{
	uint32_t iface_slot;
	int ret;

	if (spec->iface == NULL)
		return refusal_set(c->refusal, &spec->origin, "port: End.DX2 needs one");
	ret = compile_find_iface(c, &spec->origin, "port", spec->iface, &iface_slot);
	if (ret == 0)
		sid->iface = (uint16_t)iface_slot;
	return ret;
}

static int set_policy(struct compile *c, const struct srv6_sid_spec *spec, struct sid *sid)
{
	enum srv6_headend wanted =
		spec->behavior == SRV6_END_B6_ENCAPS ? SRV6_H_ENCAPS : SRV6_H_ENCAPS_RED;
	const struct srv6_policy_spec *policy;
	uint32_t policy_idx;
	int ret;

	if (spec->policy == NULL)
		return refusal_set(c->refusal, &spec->origin, "policy: %s needs one",
			srv6_behavior_name(spec->behavior));
	ret = compile_find_policy(c, &spec->origin, "policy", spec->policy, &policy_idx);
	if (ret != 0)
		return ret;
	policy = &c->spec->policies[policy_idx];
	if (policy->headend != wanted)
		return refusal_set(c->refusal, &spec->origin,
			"policy: \"%s\" is an %s policy; %s needs %s", policy->name,
			srv6_headend_name(policy->headend), srv6_behavior_name(spec->behavior),
			srv6_headend_name(wanted));
	sid->policy = c->names.policy_slots[policy_idx];
	return 0;
}

static int set_behavior(struct compile *c, const struct srv6_sid_spec *spec, struct sid *sid)
{
	switch (spec->behavior) {
	case SRV6_END_X:
	case SRV6_END_DX4:
	case SRV6_END_DX6:
		return set_nexthop(c, spec, sid);
	case SRV6_END_T:
	case SRV6_END_DT4:
	case SRV6_END_DT6:
	case SRV6_END_DT46:
		return set_table(c, spec, sid);
	case SRV6_END_DX2:
		return set_port(c, spec, sid);
	case SRV6_END_B6_ENCAPS:
	case SRV6_END_B6_ENCAPS_RED:
		return set_policy(c, spec, sid);
	default:
		return 0;
	}
}

// RFC 9800 §4.1; whole bytes only, so that a shift is a memmove.
static int set_csid(struct compile *c, const struct srv6_sid_spec *spec, struct sid *sid)
{
	uint32_t bits = (uint32_t)spec->csid_block_bits + spec->csid_bits;

	if (!(spec->flavors & SRV6_NEXT_CSID))
		return 0;
	if (spec->behavior != SRV6_END && spec->behavior != SRV6_END_X)
		return refusal_set(c->refusal, &spec->origin,
			"flavors: NEXT-C-SID goes with End and End.X, not %s",
			srv6_behavior_name(spec->behavior));
	if (spec->csid_bits == 0 || spec->csid_block_bits % 8 != 0 || spec->csid_bits % 8 != 0 ||
		bits >= 128)
		return refusal_set(c->refusal, &spec->origin,
			"block_bits %u and csid_bits %u must be multiples of 8, csid_bits not 0, "
			"their sum below 128",
			spec->csid_block_bits, spec->csid_bits);
	sid->csid_block_len = spec->csid_block_bits / 8;
	sid->csid_len = spec->csid_bits / 8;
	return 0;
}

// Which short way (srv6/endpoint.h) a SID allows.
static uint8_t plain_flags(const struct srv6_sid_spec *spec)
{
	switch (spec->behavior) {
	case SRV6_END:
	case SRV6_END_X:
	case SRV6_END_T:
		return spec->flavors & SRV6_NEXT_CSID ? 0 : SID_PLAIN_END;
	case SRV6_END_DT4:
		return SID_PLAIN_IP4;
	case SRV6_END_DT6:
		return SID_PLAIN_IP6;
	case SRV6_END_DT46:
		return SID_PLAIN_IP4 | SID_PLAIN_IP6;
	default:
		return 0;
	}
}

static int add_sid(struct compile *c, const struct srv6_sid_spec *spec, uint32_t slot)
{
	struct sid *sid = &c->s->sids[slot];
	int ret;

	sid->behavior = (uint8_t)spec->behavior;
	sid->flavors = spec->flavors;
	sid->flags = spec->require_hmac ? SID_REQUIRE_HMAC : plain_flags(spec);
	sid->vrf = SNAPSHOT_UNDERLAY_VRF;
	sid->slot = slot;
	if (spec->require_hmac && c->spec->n_hmac_keys == 0)
		return refusal_set(c->refusal, &spec->origin,
			"require_hmac: there are no srv6.hmac_keys to verify with");
	ret = compile_check_global(
		c, &spec->origin, "sid", &(struct ip_addr){.family = 6, .addr = spec->prefix.addr});
	if (ret == 0)
		ret = set_behavior(c, spec, sid);
	if (ret == 0)
		ret = set_csid(c, spec, sid);
	if (ret == 0)
		ret = compile_add_route(c, SNAPSHOT_UNDERLAY_VRF, 6, &spec->prefix.addr,
			spec->prefix.len, dest_make(sid_kind(spec->behavior), slot), RANK_SID,
			&spec->origin);
	return ret;
}

static int assign_sid_slots(struct compile *c)
{
	const struct snapshot *live = c->input->live;
	uint32_t n = c->spec->n_sids;
	struct sid_key *keys = calloc(n + 1, sizeof(*keys));

	if (keys == NULL)
		return compile_no_memory(c);
	for (uint32_t i = 0; i < n; i++) {
		keys[i].addr = c->spec->sids[i].prefix.addr;
		keys[i].len = c->spec->sids[i].prefix.len;
		keys[i].in_use = 1;
	}
	c->s->n_sids = slots_carry(live ? live->sid_keys : NULL, live ? live->n_sids : 0, keys, n,
		sizeof(*keys), c->names.sid_slots);
	c->s->sid_keys = calloc(c->s->n_sids + 1, sizeof(*keys));
	c->s->sids = calloc(c->s->n_sids + 1, sizeof(*c->s->sids));
	for (uint32_t i = 0; c->s->sid_keys != NULL && i < n; i++)
		c->s->sid_keys[c->names.sid_slots[i]] = keys[i];
	free(keys);
	if (c->s->sid_keys == NULL || c->s->sids == NULL || (n > 0 && c->s->n_sids == 0))
		return compile_no_memory(c);
	if (c->s->n_sids > WORKER_MAX_SID_SLOTS)
		return refusal_set(c->refusal, NULL,
			"srv6.sids: more than %d SIDs, those just removed included",
			WORKER_MAX_SID_SLOTS);
	return 0;
}

static int create_hmac_keys(struct compile *c)
{
	c->s->hmac_keys = hmac_keys_create(c->spec->hmac_keys, c->spec->n_hmac_keys);
	if (c->s->hmac_keys != NULL)
		return 0;
	if (errno == ENOMEM)
		return compile_no_memory(c);
	return refusal_set(c->refusal, NULL, "srv6.hmac_keys: %s",
		errno == EEXIST
			? "a key id is given twice"
			: "ids are 1 or more, secrets 1 to 64 bytes, algorithms sha1 or sha256");
}

int compile_sids(struct compile *c)
{
	int ret = create_hmac_keys(c);

	if (ret == 0)
		ret = assign_sid_slots(c);
	for (uint32_t i = 0; i < c->spec->n_sids && ret == 0; i++)
		ret = add_sid(c, &c->spec->sids[i], c->names.sid_slots[i]);
	for (uint32_t i = 0; i < c->spec->n_locators && ret == 0; i++) {
		const struct srv6_locator_spec *spec = &c->spec->locators[i];

		ret = compile_add_route(c, SNAPSHOT_UNDERLAY_VRF, 6, &spec->prefix.addr,
			spec->prefix.len, dest_make(DEST_LOCATOR, 0), RANK_LOCATOR, &spec->origin);
	}
	return ret;
}

static int add_list(struct compile *c, const struct srv6_policy_spec *spec,
	const struct srv6_segment_list_spec *list_spec, const struct ip6_addr *source,
	struct policy *policy)
{
	struct policy_list *list = &policy->lists[policy->n_lists];

	if (list_spec->weight == 0 || list_spec->weight > UINT16_MAX)
		return refusal_set(c->refusal, &list_spec->origin,
			"weight: %u is not between 1 and 65535", list_spec->weight);
	for (uint32_t i = 0; i < list_spec->n_segments; i++) {
		const struct ip_addr segment = {.family = 6, .addr = list_spec->segments[i]};
		int ret = compile_check_global(c, &list_spec->origin, "segments", &segment);

		if (ret != 0)
			return ret;
	}
	if (headend_list_build(&list->headend, spec, list_spec, source) != 0)
		return refusal_set(c->refusal, &list_spec->origin,
			"segments: a list has 1 to %d of them, not %u", SRV6_MAX_SEGMENTS,
			list_spec->n_segments);
	policy->weight_sum += list_spec->weight;
	list->weight_end = policy->weight_sum;
	policy->n_lists++;
	return 0;
}

static int add_policy(struct compile *c, const struct srv6_policy_spec *spec, struct policy *policy,
	uint32_t slot)
{
	const struct ip6_addr *source = &spec->source;
	int ret = 0;

	if (ip6_addr_is_unspecified(source))
		source = &c->spec->encap_source;
	if (ip6_addr_is_unspecified(source))
		return refusal_set(c->refusal, &spec->origin,
			"policy \"%s\" has no source address; give it one, or set srv6.source",
			spec->name);
	ret = compile_check_global(
		c, &spec->origin, "source", &(struct ip_addr){.family = 6, .addr = *source});
	if (ret != 0)
		return ret;
	if (spec->n_lists == 0 || spec->n_lists > SRV6_MAX_LISTS)
		return refusal_set(c->refusal, &spec->origin,
			"policy \"%s\" has %u segment lists; 1 to %d are possible", spec->name,
			spec->n_lists, SRV6_MAX_LISTS);
	if (spec->hmac_key_id != 0 && !hmac_keys_has(c->s->hmac_keys, spec->hmac_key_id))
		return refusal_set(c->refusal, &spec->origin,
			"hmac_key_id: there is no key %u in srv6.hmac_keys", spec->hmac_key_id);
	policy->slot = slot;
	policy->headend = (uint8_t)spec->headend;
	policy->l2 = spec->headend == SRV6_H_ENCAPS_L2 || spec->headend == SRV6_H_ENCAPS_L2_RED;
	policy->lists = calloc(spec->n_lists, sizeof(*policy->lists));
	if (policy->lists == NULL)
		return compile_no_memory(c);
	for (uint32_t i = 0; i < spec->n_lists && ret == 0; i++)
		ret = add_list(c, spec, &spec->lists[i], source, policy);
	return ret;
}

int compile_check_policy(struct compile *c, const struct srv6_policy_spec *spec)
{
	struct policy policy = {0};
	int ret = add_policy(c, spec, &policy, 0);

	free(policy.lists);
	return ret;
}

int compile_policies(struct compile *c)
{
	int ret = 0;

	c->s->policies = calloc(c->s->n_policies + 1, sizeof(*c->s->policies));
	if (c->s->policies == NULL)
		return compile_no_memory(c);
	for (uint32_t i = 0; i < c->spec->n_policies && ret == 0; i++)
		ret = add_policy(c, &c->spec->policies[i],
			&c->s->policies[c->names.policy_slots[i]], c->names.policy_slots[i]);
	return ret;
}

// A first segment that is a neighbour itself is resolved ahead, as a gateway is.
static int find_first_hop(
	struct compile *c, const struct srv6_segment_list_spec *spec, struct policy_list *list)
{
	const struct ip_addr first = {.family = 6, .addr = list->headend.first_segment};
	uint32_t adj_slot;
	int ret;

	list->next = lpm_lookup(c->s->vrfs[SNAPSHOT_UNDERLAY_VRF].ip6, ip6_addr_hi(&first.addr),
		ip6_addr_lo(&first.addr));
	if (dest_kind(list->next) != DEST_CONNECTED)
		return 0;
	ret = compile_neighbor(
		c, &spec->origin, "segments", dest_index(list->next), &first, &adj_slot);
	if (ret == 0)
		list->next = dest_make(DEST_FORWARD, adj_slot);
	return ret;
}

int compile_first_hops(struct compile *c)
{
	int ret = 0;

	for (uint32_t i = 0; i < c->spec->n_policies; i++) {
		const struct srv6_policy_spec *spec = &c->spec->policies[i];
		struct policy *policy = &c->s->policies[c->names.policy_slots[i]];

		for (uint32_t k = 0; k < policy->n_lists && ret == 0; k++)
			ret = find_first_hop(c, &spec->lists[k], &policy->lists[k]);
	}
	return ret;
}
