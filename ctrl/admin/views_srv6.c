// SPDX-License-Identifier: Apache-2.0

// /sids and /policies with their counters, summed over the workers.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

#include <stdlib.h>

enum {
	SKIP_ROWS = 1024, // leaves of other kinds that one call passes over
};

struct cursor {
	const struct ctrl *ctrl;
	uint32_t next;
};

static void add_counters(json_t *row, const struct counter *sum)
{
	json_object_set_new(row, "packets", json_integer((json_int_t)sum->n_packets));
	json_object_set_new(row, "bytes", json_integer((json_int_t)sum->n_bytes));
}

static struct counter sum_sid(const struct ctrl *ctrl, uint32_t slot)
{
	struct counter sum = {0};

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		sum.n_packets += ctrl->workers[i]->sid_counters[slot].n_packets;
		sum.n_bytes += ctrl->workers[i]->sid_counters[slot].n_bytes;
	}
	return sum;
}

static struct counter sum_policy(const struct ctrl *ctrl, uint32_t slot)
{
	struct counter sum = {0};

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		sum.n_packets += ctrl->workers[i]->policy_counters[slot].n_packets;
		sum.n_bytes += ctrl->workers[i]->policy_counters[slot].n_bytes;
	}
	return sum;
}

static json_t *flavor_rows(uint8_t flavors)
{
	json_t *rows = json_array();

	for (unsigned int bit = 1; bit <= SRV6_NEXT_CSID; bit <<= 1)
		if (flavors & bit)
			json_array_append_new(
				rows, json_string(srv6_flavor_name((enum srv6_flavor)bit)));
	return rows;
}

static json_t *sid_row(const struct ctrl *ctrl, const struct lpm_leaf *leaf)
{
	const struct sid *sid = &ctrl_snapshot(ctrl)->sids[dest_index(leaf->dest)];
	struct counter sum = sum_sid(ctrl, sid->slot);
	json_t *row = json_pack("{s:o, s:s, s:o, s:b}", "prefix", dest_view_leaf(6, leaf),
		"behavior", srv6_behavior_name(sid->behavior), "flavors", flavor_rows(sid->flavors),
		"require_hmac", (sid->flags & SID_REQUIRE_HMAC) != 0);

	if (row == NULL)
		return NULL;
	dest_view_add_sid(row, ctrl, sid);
	if (sid->flavors & SRV6_NEXT_CSID) {
		json_object_set_new(row, "block_bits", json_integer(sid->csid_block_len * 8));
		json_object_set_new(row, "csid_bits", json_integer(sid->csid_len * 8));
	}
	add_counters(row, &sum);
	return row;
}

// The underlay's routes are sorted, the slots of SIDs are not.
static enum stream_step next_sid(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct snapshot *s = ctrl_snapshot(cursor->ctrl);
	const struct lpm *lpm = s->vrfs[SNAPSHOT_UNDERLAY_VRF].ip6;

	for (unsigned int i = 0; i < SKIP_ROWS; i++) {
		enum dest_kind kind;

		if (++cursor->next >= lpm->n_leaves)
			return STREAM_END;
		kind = dest_kind(lpm->leaves[cursor->next].dest);
		if (kind < DEST_SID_END || kind > DEST_SID_B6)
			continue;
		*row = sid_row(cursor->ctrl, &lpm->leaves[cursor->next]);
		return STREAM_ROW;
	}
	return STREAM_NOTHING;
}

static json_t *policy_row(const struct ctrl *ctrl, const struct policy *policy)
{
	struct counter sum = sum_policy(ctrl, policy->slot);
	json_t *row = json_pack("{s:s, s:s}", "policy", dest_view_policy_name(ctrl, policy),
		"headend", srv6_headend_name(policy->headend));

	if (row == NULL)
		return NULL;
	dest_view_add_policy(row, ctrl, policy);
	add_counters(row, &sum);
	return row;
}

static enum stream_step next_policy(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct snapshot *s = ctrl_snapshot(cursor->ctrl);

	while (cursor->next < s->n_policies) {
		uint32_t slot = cursor->next++;

		if (s->policy_names[slot].text[0] == '\0')
			continue;
		*row = policy_row(cursor->ctrl, &s->policies[slot]);
		return STREAM_ROW;
	}
	return STREAM_END;
}

static struct cursor *create_cursor(const struct reply *reply)
{
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor != NULL)
		cursor->ctrl = reply->ctrl;
	return cursor;
}

void views_sids_get(struct reply *reply)
{
	static const struct stream_list list = {"sids", next_sid};

	stream_send(reply, &list, 1, create_cursor(reply));
}

void views_policies_get(struct reply *reply)
{
	static const struct stream_list list = {"policies", next_policy};

	stream_send(reply, &list, 1, create_cursor(reply));
}
