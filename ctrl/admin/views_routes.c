// SPDX-License-Identifier: Apache-2.0

// /routes: what the compiled tables hold, in order of prefixes, then the HTTP routes in theirs. ?vrf=NAME one VRF's
// tables, ?http=1 HTTP routes only, ?listener=NAME those of one listener.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/http_route_view.h"
#include "ctrl/admin/l7_view.h"
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
	struct l7_walk walk;
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

static enum stream_step next_http_route(void *arg, json_t **row)
{
	struct cursor *cursor = arg;

	return http_route_view_next(&cursor->walk, row) ? STREAM_ROW : STREAM_END;
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

static const struct stream_list lists[] = {
	{"routes", next_route}, {"http_routes", next_http_route}};

static struct cursor *create_cursor(
	const struct reply *reply, uint32_t vrf, uint32_t end_vrf, uint32_t route_table)
{
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor == NULL)
		return NULL;
	*cursor = (struct cursor){.ctrl = reply->ctrl, .vrf = vrf, .end_vrf = end_vrf, .family = 4};
	l7_walk_start(&cursor->walk, reply->ctrl, route_table);
	return cursor;
}

// The slot of a named listener, or L7_NO_SLOT.
static uint32_t find_listener(const struct l7_tables *t, const char *name)
{
	uint32_t hint = 0;

	return name[0] == '\0' ? L7_NO_SLOT : l7_view_find_slot(t->listener_names, 0, name, &hint);
}

// Of one listener, or all when name is NULL.
static void send_http_routes(struct reply *reply, const char *name)
{
	const struct l7_tables *t = ctrl_snapshot(reply->ctrl)->l7;
	uint32_t listener = name == NULL ? L7_NO_SLOT : find_listener(t, name);
	uint32_t route_table = L7_NO_SLOT;

	if (name != NULL && listener == L7_NO_SLOT) {
		reply_error(reply, HTTP_NOTFOUND, "there is no listener \"%.64s\"", name);
		return;
	}
	if (name != NULL && l7_tables_listener_at(t, listener)->protocol == LISTENER_TCP) {
		reply_error(reply, HTTP_NOTFOUND,
			"listener \"%.64s\" is a TCP listener: it has no routes", name);
		return;
	}
	if (name != NULL)
		route_table = l7_tables_listener_at(t, listener)->route_table;
	stream_send(reply, &lists[1], 1, create_cursor(reply, 0, 0, route_table));
}

void views_routes_get(struct reply *reply)
{
	const struct snapshot *s = ctrl_snapshot(reply->ctrl);
	const char *name = reply_param(reply, "vrf");
	const char *text = reply_param(reply, "address");
	const char *listener = reply_param(reply, "listener");
	uint32_t vrf = name == NULL ? SNAPSHOT_UNDERLAY_VRF : find_vrf(s, name);
	uint32_t http = listener != NULL;
	struct ip_addr addr;

	if (!reply_read_number(reply, "http", 0, 1, &http))
		return;
	if (http && (name != NULL || text != NULL))
		reply_error(reply, HTTP_BADREQUEST,
			"HTTP routes have no VRF and no address; ask for either");
	else if (http)
		send_http_routes(reply, listener);
	else if (vrf == s->n_vrfs)
		reply_error(reply, HTTP_NOTFOUND, "there is no VRF \"%.64s\"", name);
	else if (text != NULL && !read_address(text, &addr))
		reply_error(reply, HTTP_BADREQUEST, "\"%.64s\" is no address", text);
	else if (text != NULL)
		views_route_why_get(reply, vrf, &addr);
	else if (name != NULL)
		stream_send(reply, lists, 1, create_cursor(reply, vrf, vrf + 1, L7_NO_SLOT));
	else
		stream_send(reply, lists, 2, create_cursor(reply, 0, s->n_vrfs, L7_NO_SLOT));
}
