// SPDX-License-Identifier: Apache-2.0

// How endpoints go. One that is removed keeps its slot in the next snapshot, since a flow may have taken it
// until the moment that the snapshot before was replaced, and as long as flows refer to it after that.

#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_l7_priv.h"

static const struct endpoint *endpoint_at(const struct compile_l7 *l, uint32_t slot)
{
	return slot_map_at(&l->m->endpoints, slot);
}

static bool keeps_slot(const struct slot_name *live, uint32_t n_live, const struct slot_name *new,
	uint32_t n_new, uint32_t slot)
{
	return slot < n_live && slot < n_new && strcmp(live[slot].text, new[slot].text) == 0;
}

// Whether what leads to a removed endpoint is still there.
static bool is_reachable(const struct compile_l7 *l, const struct endpoint *endpoint)
{
	const struct snapshot *live = l->c->input->live, *s = l->c->s;

	if (endpoint->state == ENDPOINT_GONE)
		return false;
	if (l->c->shares_net)
		return true;
	if (endpoint->policy != ENDPOINT_NO_POLICY &&
		!keeps_slot(live->policy_names, live->n_policies, s->policy_names, s->n_policies,
			endpoint->policy))
		return false;
	return endpoint->vrf == ENDPOINT_VRF_OF_CLIENT ||
	       keeps_slot(live->vrf_names, live->n_vrfs, s->vrf_names, s->n_vrfs, endpoint->vrf);
}

static void drain(struct compile_l7 *l, uint32_t slot)
{
	struct endpoint endpoint = *endpoint_at(l, slot);

	if (is_reachable(l, &endpoint)) {
		endpoint.state = ENDPOINT_DRAINING;
		slot_map_put(&l->m->endpoints, slot, &endpoint);
	} else {
		endpoint.state = ENDPOINT_GONE;
		slot_map_hide(&l->m->endpoints, slot, &endpoint);
	}
	l->failed |= !slot_list_add(&l->m->moved, slot);
}

// Goes through those that drained before this compile.
static void drain_on(struct compile_l7 *l)
{
	const struct compile_input *input = l->c->input;
	struct slot_list *list = &l->m->draining;
	uint32_t n_before = list->n, n = 0;

	for (uint32_t i = 0; i < n_before; i++) {
		uint32_t slot = list->slots[i];

		// It came back.
		if (endpoint_at(l, slot)->state == ENDPOINT_LIVE)
			continue;
		if (input->endpoint_flows == NULL ||
			input->endpoint_flows(input->flows_context, slot) == 0) {
			slot_map_drop(&l->m->endpoints, slot);
			continue;
		}
		drain(l, slot);
		list->slots[n++] = slot;
	}
	list->n = n;
}

static void leave(struct compile_l7 *l, struct slot_list *list, uint32_t slot)
{
	if (endpoint_at(l, slot)->state == ENDPOINT_LIVE &&
		l->m->endpoints.notes[slot].stamp != l->m->stamp)
		l->failed |= !slot_list_add(list, slot);
}

// The slot of an endpoint of the spec before, when its VRF still has its own.
static uint32_t find_endpoint(
	struct compile_l7 *l, const struct endpoint_spec *spec, uint32_t cluster)
{
	struct endpoint key = {.cluster = cluster,
		.address = spec->address,
		.port = spec->port,
		.vrf = ENDPOINT_VRF_OF_CLIENT};
	uint32_t vrf_idx;

	if (spec->vrf != NULL) {
		vrf_idx = name_index_find(l->c->names.vrf_index, spec->vrf);
		key.vrf = l->c->names.vrf_slots[vrf_idx];
	}
	return slot_map_find(&l->m->endpoints, &key);
}

// Of a follow-up: by the specs that went.
static void leave_removed(struct compile_l7 *l, struct slot_list *list)
{
	const struct l7_change_list *removed = &l->changed_clusters.removed;

	for (uint32_t i = 0; i < removed->n; i++) {
		const struct cluster_spec *spec = removed->items[i].spec;

		for (uint32_t k = 0; k < spec->n_localities; k++)
			for (uint32_t n = 0; n < spec->localities[k].n_endpoints; n++)
				leave(l, list,
					find_endpoint(l, &spec->localities[k].endpoints[n],
						removed->items[i].slot));
	}
}

int l7_drain_endpoints(struct compile_l7 *l)
{
	struct slot_list *draining = &l->m->draining;
	struct slot_list left = {0};
	uint32_t n = paged_draft_n(&l->m->endpoints.items);

	if (l->c->is_follow_up) {
		leave_removed(l, &left);
	} else {
		draining->n = 0;
		for (uint32_t slot = 0; slot < n; slot++) {
			enum endpoint_state state = endpoint_at(l, slot)->state;

			leave(l, &left, slot);
			if (state == ENDPOINT_DRAINING || state == ENDPOINT_GONE)
				l->failed |= !slot_list_add(draining, slot);
		}
	}
	drain_on(l);
	for (uint32_t i = 0; i < left.n; i++) {
		drain(l, left.slots[i]);
		l->failed |= !slot_list_add(draining, left.slots[i]);
	}
	free(left.slots);
	return l->failed || l->m->endpoints.failed ? compile_no_memory(l->c) : 0;
}
