// SPDX-License-Identifier: Apache-2.0

// The search for policies that reach themselves, in two parts. search_nested(), or through too many others:
// depth first over "a packet of this policy may meet that one in this node", which it does where a segment is
// routed by a policy, or is a local End.B6 SID. search_tenants(): where a policy's segments end at a SID that
// decapsulates into a VRF of this node, the inner packet is looked up once more, and may meet a policy again.
// What it is going to be is only known for the addresses that led to the policy in the first place, so two of
// each route's are followed from VRF to VRF; what is refused does go round.

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_priv.h"

// How far a packet has come along a segment list.
struct cursor {
	const struct srv6_segment_list_spec *list;
	uint32_t segment_idx;
	struct ip6_addr dst;	 // the segment, or what C-SIDs have left of it
	const struct lpm *table; // where dst is looked up; NULL: the way leaves the node, or ends
};

static struct cursor start(const struct compile *c, const struct srv6_segment_list_spec *list)
{
	return (struct cursor){.list = list,
		.dst = list->segments[0],
		.table = c->s->vrfs[SNAPSHOT_UNDERLAY_VRF].ip6};
}

static uint32_t look_up(const struct cursor *cursor)
{
	return lpm_lookup(cursor->table, ip6_addr_hi(&cursor->dst), ip6_addr_lo(&cursor->dst));
}

// RFC 9800 §4.1.1: the argument moves up behind the block. False: there is none.
static bool shift_csid(const struct sid *sid, struct ip6_addr *dst)
{
	const size_t argument_off = (size_t)sid->csid_block_len + sid->csid_len;
	const size_t argument_len = IP6_ADDR_LEN - argument_off;
	const struct ip6_addr none = {0};
	struct ip6_addr shifted = *dst;

	if (!(sid->flavors & SRV6_NEXT_CSID) ||
		memcmp(dst->b + argument_off, none.b, argument_len) == 0)
		return false;
	memcpy(shifted.b + sid->csid_block_len, dst->b + argument_off, argument_len);
	memset(shifted.b + sid->csid_block_len + argument_len, 0, sid->csid_len);
	*dst = shifted;
	return true;
}

static void pass_end(const struct compile *c, struct cursor *cursor, const struct sid *sid)
{
	cursor->table = sid->behavior == SRV6_END_X ? NULL : c->s->vrfs[sid->vrf].ip6;
	if (shift_csid(sid, &cursor->dst))
		return;
	if (++cursor->segment_idx < cursor->list->n_segments)
		cursor->dst = cursor->list->segments[cursor->segment_idx];
	else
		cursor->table = NULL;
}

struct search {
	struct compile *c;
	uint8_t *depths; // by policy slot: how many policies deep a packet gets, this one included
	uint8_t n_open;
	uint8_t depth; // of the deepest that the policy being visited has met
};

enum {
	SEARCH_NEW = 0,
	SEARCH_OPEN = UINT8_MAX, // on the way here
	SEARCH_MAX_DEPTH = 8,	 // each costs 40 bytes and more of every packet
};

static int visit(struct search *search, uint32_t spec_idx);

static uint32_t policy_spec_idx(const struct compile *c, uint32_t slot)
{
	return name_index_find(c->names.policy_index, c->s->policy_names[slot].text);
}

// What a packet to dest meets; the cursor moves past it.
static int visit_dest(struct search *search, uint32_t dest, struct cursor *cursor)
{
	struct compile *c = search->c;
	int ret = 0;

	if (dest_kind(dest) == DEST_SID_END) {
		pass_end(c, cursor, &c->s->sids[dest_index(dest)]);
		return 0;
	}
	cursor->table = NULL;
	switch ((int)dest_kind(dest)) {
	case DEST_POLICY:
		return visit(search, policy_spec_idx(c, dest_index(dest)));
	case DEST_SID_B6:
		return visit(search, policy_spec_idx(c, c->s->sids[dest_index(dest)].policy));
	case DEST_GROUP:
		for (uint32_t i = 0; i < GROUP_BUCKETS && ret == 0; i++)
			ret = visit_dest(search, c->s->groups[dest_index(dest)].dest[i], cursor);
		return ret;
	default:
		return 0;
	}
}

static int visit_list(struct search *search, const struct srv6_segment_list_spec *list)
{
	struct cursor cursor = start(search->c, list);
	int ret = 0;

	while (cursor.table != NULL && ret == 0)
		ret = visit_dest(search, look_up(&cursor), &cursor);
	return ret;
}

static int visit(struct search *search, uint32_t spec_idx)
{
	struct compile *c = search->c;
	const struct srv6_policy_spec *spec = &c->spec->policies[spec_idx];
	uint8_t *depth = &search->depths[c->names.policy_slots[spec_idx]];
	uint8_t beside = search->depth; // met by the visitor before
	int ret = 0;

	if (*depth == SEARCH_OPEN)
		return refusal_set(c->refusal, &spec->origin,
			"policy \"%s\" reaches itself: one of its segments is routed by a policy, "
			"or is a SID of this node, that leads back to it",
			spec->name);
	if (*depth == SEARCH_NEW && search->n_open < SEARCH_MAX_DEPTH) {
		*depth = SEARCH_OPEN;
		search->n_open++;
		search->depth = 0;
		for (uint32_t i = 0; i < spec->n_lists && ret == 0; i++)
			ret = visit_list(search, &spec->lists[i]);
		search->n_open--;
		*depth = search->depth + 1;
	}
	if (ret != 0)
		return ret;
	if (*depth == SEARCH_NEW || *depth > SEARCH_MAX_DEPTH)
		return refusal_set(c->refusal, &spec->origin,
			"policy \"%s\": a packet would be encapsulated more than %d times in a row",
			spec->name, SEARCH_MAX_DEPTH);
	search->depth = RTE_MAX(beside, *depth);
	return 0;
}

static int search_nested(struct compile *c)
{
	struct search search = {.c = c, .depths = calloc(c->s->n_policies + 1, 1)};
	int ret = 0;

	if (search.depths == NULL)
		return compile_no_memory(c);
	for (uint32_t i = 0; i < c->spec->n_policies && ret == 0; i++)
		ret = visit(&search, i);
	free(search.depths);
	return ret;
}

// The VRF of this node that a list ends in, with the families that its SID takes out of the tunnel.
struct landing {
	bool takes_ip4;
	bool takes_ip6;
	uint16_t vrf;
};

static struct landing landing_of(const struct sid *sid)
{
	return (struct landing){
		.takes_ip4 = sid->behavior != SRV6_END_DT6,
		.takes_ip6 = sid->behavior != SRV6_END_DT4,
		.vrf = sid->vrf,
	};
}

static struct landing find_landing(const struct compile *c, const struct srv6_policy_spec *policy,
	const struct srv6_segment_list_spec *list)
{
	struct cursor cursor = start(c, list);

	while (cursor.table != NULL) {
		uint32_t dest = look_up(&cursor);
		const struct sid *sid;

		if (dest_kind(dest) != DEST_SID_END && dest_kind(dest) != DEST_SID_DECAP)
			break;
		sid = &c->s->sids[dest_index(dest)];
		if ((sid->flags & SID_REQUIRE_HMAC) && policy->hmac_key_id == 0)
			break;
		// Where segments are left, a SID that decapsulates refuses the packet.
		if (dest_kind(dest) == DEST_SID_DECAP && cursor.segment_idx + 1 < list->n_segments)
			break;
		if (dest_kind(dest) == DEST_SID_DECAP)
			return landing_of(sid);
		pass_end(c, &cursor, sid);
	}
	return (struct landing){0};
}

// One address on its way from VRF to VRF.
struct tenant {
	struct compile *c;
	const bool *lands; // by policy slot: whether any list ends in this node
	uint32_t *seen;	   // by VRF slot: 2 * round on the way here, 2 * round + 1 without a circle
	uint32_t round;
	uint8_t family;
	uint64_t hi;
	uint64_t lo;
};

static bool goes_round(struct tenant *t, uint32_t vrf_slot);

static bool policy_goes_round(struct tenant *t, uint32_t policy_slot)
{
	const struct srv6_policy_spec *policy;
	bool found = false;

	if (!t->lands[policy_slot])
		return false;
	policy = &t->c->spec->policies[policy_spec_idx(t->c, policy_slot)];
	for (uint32_t i = 0; i < policy->n_lists && !found; i++) {
		struct landing landing = find_landing(t->c, policy, &policy->lists[i]);

		if (t->family == 4 ? landing.takes_ip4 : landing.takes_ip6)
			found = goes_round(t, landing.vrf);
	}
	return found;
}

static bool dest_goes_round(struct tenant *t, uint32_t dest)
{
	const struct group *group;

	if (dest_kind(dest) == DEST_POLICY)
		return policy_goes_round(t, dest_index(dest));
	if ((int)dest_kind(dest) != DEST_GROUP)
		return false;
	group = &t->c->s->groups[dest_index(dest)];
	for (uint32_t i = 0; i < GROUP_BUCKETS; i++)
		if ((i == 0 || group->dest[i] != group->dest[i - 1]) &&
			dest_goes_round(t, group->dest[i]))
			return true;
	return false;
}

static uint32_t look_up_inner(const struct tenant *t, uint32_t vrf_slot)
{
	const struct vrf *vrf = &t->c->s->vrfs[vrf_slot];

	return lpm_lookup(t->family == 4 ? vrf->ip4 : vrf->ip6, t->hi, t->lo);
}

static bool goes_round(struct tenant *t, uint32_t vrf_slot)
{
	uint32_t *seen = &t->seen[vrf_slot];

	if (*seen >= 2 * t->round)
		return *seen == 2 * t->round;
	*seen = 2 * t->round;
	if (dest_goes_round(t, look_up_inner(t, vrf_slot)))
		return true;
	*seen = 2 * t->round + 1;
	return false;
}

// Whether packets to an address, as this route sends them, come back for ever.
static bool address_goes_round(struct tenant *t, uint32_t vrf_slot, const struct lpm_route *route,
	uint64_t hi, uint64_t lo)
{
	t->round++;
	t->hi = hi;
	t->lo = lo;
	return look_up_inner(t, vrf_slot) == route->dest && goes_round(t, vrf_slot);
}

// The last address of a prefix.
static void last_address(
	const struct tenant *t, const struct lpm_route *route, uint64_t *hi, uint64_t *lo)
{
	uint64_t host_hi = route->len >= 64 ? 0 : UINT64_MAX >> route->len;

	*hi = route->hi | (t->family == 4 ? host_hi & ~(uint64_t)UINT32_MAX : host_hi);
	*lo = route->lo;
	if (t->family == 6 && route->len < 128)
		*lo |= route->len <= 64 ? UINT64_MAX : UINT64_MAX >> (route->len - 64);
}

static int check_route(struct tenant *t, uint32_t vrf_slot, const struct wanted_route *wanted)
{
	const struct lpm_route *route = &wanted->route;
	const struct ip6_addr addr = ip6_addr_from(route->hi, route->lo);
	char text[COMPILE_TEXT_LEN];
	uint64_t hi, lo;

	last_address(t, route, &hi, &lo);
	if (!address_goes_round(t, vrf_slot, route, route->hi, route->lo) &&
		!address_goes_round(t, vrf_slot, route, hi, lo))
		return 0;
	return refusal_set(t->c->refusal, wanted->origin,
		"policy: %s in VRF \"%s\" reaches itself: the segments end at a SID of this node, "
		"and where that takes the packet to, a policy sends it back",
		compile_prefix_text(t->family, &addr, route->len, text),
		t->c->s->vrf_names[vrf_slot].text);
}

static int check_vrf(struct tenant *t, uint32_t vrf_slot)
{
	const struct route_list *list =
		t->family == 4 ? &t->c->routes4[vrf_slot] : &t->c->routes6[vrf_slot];
	int ret = 0;

	for (size_t i = 0; i < list->n_routes && ret == 0; i++) {
		int kind = (int)dest_kind(list->routes[i].route.dest);

		if (kind == DEST_POLICY || kind == DEST_GROUP)
			ret = check_route(t, vrf_slot, &list->routes[i]);
	}
	return ret;
}

// Returns whether any policy does.
static bool find_landings(const struct compile *c, bool *lands)
{
	bool any = false;

	for (uint32_t i = 0; i < c->spec->n_policies; i++) {
		const struct srv6_policy_spec *policy = &c->spec->policies[i];

		for (uint32_t k = 0; k < policy->n_lists; k++) {
			struct landing landing = find_landing(c, policy, &policy->lists[k]);

			lands[c->names.policy_slots[i]] |= landing.takes_ip4 || landing.takes_ip6;
		}
		any |= lands[c->names.policy_slots[i]];
	}
	return any;
}

static int search_tenants(struct compile *c)
{
	bool *lands = calloc(c->s->n_policies + 1, sizeof(*lands));
	uint32_t *seen = calloc(c->s->n_vrfs, sizeof(*seen));
	struct tenant t = {.c = c, .lands = lands, .seen = seen, .family = 4};
	int ret = 0;

	if (lands == NULL || seen == NULL) {
		ret = compile_no_memory(c);
	} else if (find_landings(c, lands)) {
		for (uint32_t i = 0; i < c->s->n_vrfs && ret == 0; i++)
			ret = check_vrf(&t, i);
		t.family = 6;
		for (uint32_t i = 0; i < c->s->n_vrfs && ret == 0; i++)
			ret = check_vrf(&t, i);
	}
	free(seen);
	free(lands);
	return ret;
}

int compile_circles(struct compile *c)
{
	int ret = search_nested(c);

	return ret != 0 ? ret : search_tenants(c);
}
