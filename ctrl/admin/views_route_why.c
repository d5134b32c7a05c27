// SPDX-License-Identifier: Apache-2.0

// /routes?address=: which route an address takes, which shorter prefixes lost to it, and what follows
// from it: the paths of a group, the segment lists of a policy.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

#include <stdlib.h>

static int compare(uint64_t hi, uint64_t lo, const struct lpm_leaf *leaf)
{
	if (hi != leaf->hi)
		return hi < leaf->hi ? -1 : 1;
	return lo < leaf->lo ? -1 : lo > leaf->lo;
}

static bool covers(const struct lpm_leaf *leaf, uint64_t hi, uint64_t lo)
{
	uint64_t hi_mask = leaf->hi_len == 0 ? 0 : UINT64_MAX << (64 - leaf->hi_len);
	uint64_t lo_mask = leaf->lo_len == 0 ? 0 : UINT64_MAX << (64 - leaf->lo_len);

	return (((leaf->hi ^ hi) & hi_mask) | ((leaf->lo ^ lo) & lo_mask)) == 0;
}

// The last leaf that sorts before the address is the match, or the match covers it.
static uint32_t find_leaf(const struct lpm *lpm, uint64_t hi, uint64_t lo)
{
	uint32_t begin = 1, end = lpm->n_leaves;
	uint32_t leaf;

	while (begin < end) {
		uint32_t middle = begin + (end - begin) / 2;

		if (compare(hi, lo, &lpm->leaves[middle]) >= 0)
			begin = middle + 1;
		else
			end = middle;
	}
	leaf = begin - 1;
	while (leaf != 0 && !covers(&lpm->leaves[leaf], hi, lo))
		leaf = lpm->leaves[leaf].cover;
	return leaf;
}

static json_t *leaf_row(const struct ctrl *ctrl, uint8_t family, const struct lpm_leaf *leaf)
{
	json_t *row = json_pack("{s:o}", "prefix", dest_view_leaf(family, leaf));

	dest_view_add(row, ctrl, leaf->dest);
	return row;
}

static json_t *cover_rows(
	const struct ctrl *ctrl, uint8_t family, const struct lpm *lpm, uint32_t leaf)
{
	json_t *rows = json_array();

	for (leaf = lpm->leaves[leaf].cover; leaf != 0; leaf = lpm->leaves[leaf].cover)
		json_array_append_new(rows, leaf_row(ctrl, family, &lpm->leaves[leaf]));
	return rows;
}

static void add_policy(json_t *row, const struct ctrl *ctrl, uint32_t dest)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);
	uint32_t index = dest_index(dest);

	if (dest_kind(dest) == DEST_SID_B6 && index < s->n_sids)
		index = s->sids[index].policy;
	else if (dest_kind(dest) != DEST_POLICY)
		return;
	if (index < s->n_policies)
		dest_view_add_policy(row, ctrl, &s->policies[index]);
}

static void add_sid(json_t *row, const struct ctrl *ctrl, uint32_t dest)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);
	enum dest_kind kind = dest_kind(dest);
	json_t *sid;

	if (kind < DEST_SID_END || kind > DEST_SID_B6 || dest_index(dest) >= s->n_sids)
		return;
	sid = json_object();
	dest_view_add_sid(sid, ctrl, &s->sids[dest_index(dest)]);
	json_object_set_new(row, "sid", sid);
}

static int compare_dests(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

// One row for each path of a group, with its share of the flows.
static json_t *member_rows(const struct ctrl *ctrl, const struct group *group)
{
	struct group sorted = *group;
	json_t *rows = json_array();
	unsigned int n;

	qsort(sorted.dest, GROUP_BUCKETS, sizeof(sorted.dest[0]), compare_dests);
	for (unsigned int i = 0; i < GROUP_BUCKETS; i += n) {
		json_t *row;

		for (n = 1; i + n < GROUP_BUCKETS && sorted.dest[i + n] == sorted.dest[i];)
			n++;
		row = json_pack("{s:f}", "share_percent", 100.0 * n / GROUP_BUCKETS);
		dest_view_add(row, ctrl, sorted.dest[i]);
		add_policy(row, ctrl, sorted.dest[i]);
		json_array_append_new(rows, row);
	}
	return rows;
}

static void add_consequences(json_t *row, const struct ctrl *ctrl, uint32_t dest)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);

	add_policy(row, ctrl, dest);
	add_sid(row, ctrl, dest);
	if (dest_kind(dest) == DEST_GROUP && dest_index(dest) < s->n_groups)
		json_object_set_new(
			row, "members", member_rows(ctrl, &s->groups[dest_index(dest)]));
}

void views_route_why_get(struct reply *reply, unsigned int vrf, const struct ip_addr *addr)
{
	const struct ctrl *ctrl = reply->ctrl;
	const struct snapshot *s = ctrl_snapshot(ctrl);
	const struct lpm *lpm = addr->family == 4 ? s->vrfs[vrf].ip4 : s->vrfs[vrf].ip6;
	uint32_t leaf = find_leaf(lpm, ip6_addr_hi(&addr->addr), ip6_addr_lo(&addr->addr));
	json_t *row = json_pack(
		"{s:s, s:o}", "vrf", s->vrf_names[vrf].text, "address", dest_view_ip(addr));

	json_object_set_new(row, "prefix",
		leaf == 0 ? json_null() : dest_view_leaf(addr->family, &lpm->leaves[leaf]));
	dest_view_add(row, ctrl, lpm->leaves[leaf].dest);
	add_consequences(row, ctrl, lpm->leaves[leaf].dest);
	json_object_set_new(row, "lost_to_it", cover_rows(ctrl, addr->family, lpm, leaf));
	reply_json(reply, row);
}
