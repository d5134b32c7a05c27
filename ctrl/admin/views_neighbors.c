// SPDX-License-Identifier: Apache-2.0

// /neighbors: a copy is taken at once, since the table changes while rows are written.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "ctrl/neigh/neigh.h"

#include <event2/http.h>

#include <stdlib.h>

struct cursor {
	const struct ctrl *ctrl;
	size_t n_views;
	size_t n_room;
	size_t next_idx;
	struct neigh_view views[];
};

static void count_view(const struct neigh_view *view, void *arg)
{
	(void)view;
	(*(size_t *)arg)++;
}

static void copy_view(const struct neigh_view *view, void *arg)
{
	struct cursor *cursor = arg;

	if (cursor->n_views < cursor->n_room)
		cursor->views[cursor->n_views++] = *view;
}

static enum stream_step next_neighbor(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct neigh_view *view;
	bool has_mac;

	if (cursor->next_idx == cursor->n_views)
		return STREAM_END;
	view = &cursor->views[cursor->next_idx++];
	has_mac = view->state != NEIGH_INCOMPLETE && view->state != NEIGH_FAILED;
	*row = json_pack("{s:o, s:s, s:s, s:o, s:i, s:i, s:b}", "address",
		dest_view_ip(&view->key.addr), "port",
		dest_view_iface_name(cursor->ctrl, view->key.iface), "state",
		neigh_state_name(view->state), "mac",
		has_mac ? dest_view_mac(view->mac) : json_null(), "age_s", (int)view->age_s,
		"waiting_packets", (int)view->n_waiting, "gateway", view->gateway);
	return STREAM_ROW;
}

void views_neighbors_get(struct reply *reply)
{
	static const struct stream_list list = {"neighbors", next_neighbor};
	struct neigh *neigh = reply->ctrl->neigh;
	struct cursor *cursor;
	size_t n = 0;

	neigh_each(neigh, count_view, &n);
	cursor = calloc(1, sizeof(*cursor) + n * sizeof(cursor->views[0]));
	if (cursor != NULL) {
		cursor->ctrl = reply->ctrl;
		cursor->n_room = n;
		neigh_each(neigh, copy_view, cursor);
	}
	stream_send(reply, &list, 1, cursor);
}
