// SPDX-License-Identifier: Apache-2.0

// /routes: what the compiled tables hold, in order of prefixes; ?vrf=NAME one VRF's.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

#include <event2/http.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
	const struct ctrl *ctrl;
	uint32_t vrf;
	uint32_t end_vrf;
	uint8_t family;
	uint32_t leaf_idx; // the last one that was written; [0] is no route
};

static enum stream_step next_route(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct snapshot *s = ctrl_snapshot(cursor->ctrl);

	for (; cursor->vrf < cursor->end_vrf; cursor->vrf++, cursor->family = 4) {
		if (s->vrf_names[cursor->vrf].text[0] == '\0')
			continue;
		for (; cursor->family <= 6; cursor->family += 2, cursor->leaf_idx = 0) {
			const struct vrf *vrf = &s->vrfs[cursor->vrf];
			const struct lpm *lpm = cursor->family == 4 ? vrf->ip4 : vrf->ip6;

			if (++cursor->leaf_idx >= lpm->n_leaves)
				continue;
			*row = json_pack("{s:s, s:o}", "vrf", s->vrf_names[cursor->vrf].text,
				"prefix",
				dest_view_leaf(cursor->family, &lpm->leaves[cursor->leaf_idx]));
			if (*row != NULL)
				dest_view_add(
					*row, cursor->ctrl, lpm->leaves[cursor->leaf_idx].dest);
			return STREAM_ROW;
		}
	}
	return STREAM_END;
}

// The slot of a named VRF, or n_vrfs.
static uint32_t find_vrf(const struct snapshot *s, const char *name)
{
	uint32_t slot = 0;

	while (slot < s->n_vrfs && (name[0] == '\0' || strcmp(s->vrf_names[slot].text, name) != 0))
		slot++;
	return slot;
}

static bool read_address(const char *text, struct ip_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = strchr(text, ':') == NULL ? 4 : 6;
	return inet_pton(addr->family == 4 ? AF_INET : AF_INET6, text, addr->addr.b) == 1;
}

static void send_tables(struct reply *reply, uint32_t vrf, uint32_t end_vrf)
{
	static const struct stream_list list = {"routes", next_route};
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor != NULL)
		*cursor = (struct cursor){
			.ctrl = reply->ctrl, .vrf = vrf, .end_vrf = end_vrf, .family = 4};
	stream_send(reply, &list, 1, cursor);
}

void views_routes_get(struct reply *reply)
{
	const struct snapshot *s = ctrl_snapshot(reply->ctrl);
	const char *name = reply_param(reply, "vrf");
	const char *text = reply_param(reply, "address");
	uint32_t vrf = name == NULL ? SNAPSHOT_UNDERLAY_VRF : find_vrf(s, name);
	struct ip_addr addr;

	if (vrf == s->n_vrfs)
		reply_error(reply, HTTP_NOTFOUND, "there is no VRF \"%.64s\"", name);
	else if (text != NULL && !read_address(text, &addr))
		reply_error(reply, HTTP_BADREQUEST, "\"%.64s\" is no address", text);
	else if (text != NULL)
		views_route_why_get(reply, vrf, &addr);
	else if (name != NULL)
		send_tables(reply, vrf, vrf + 1);
	else
		send_tables(reply, 0, s->n_vrfs);
}
