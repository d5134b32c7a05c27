// SPDX-License-Identifier: Apache-2.0

// /services: listeners and virtual hosts with what was counted for them; ?name= those of one name. Then what
// could not be counted for any: malformed heads by reason, and what happened to single packets.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/l7_view.h"
#include "ctrl/admin/l7_walk.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "pipeline/l7_worker.h"

#include <event2/http.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
	const struct ctrl *ctrl;
	uint32_t listener_idx;
	uint32_t hint;
	uint32_t reason;
	uint32_t event_idx;
	struct l7_walk walk;
	char name[2 * L7_MAX_NAME_LEN + 2]; // "": all
};

// ---- listeners

static json_t *addresses_of(const struct listener_spec *spec)
{
	json_t *addresses = json_array();

	for (uint32_t i = 0; i < spec->n_addresses; i++)
		json_array_append_new(addresses, l7_view_address(spec->addresses[i].family,
							 spec->addresses[i].b, spec->port));
	return addresses;
}

static json_t *vrfs_of(const struct ctrl *ctrl, const struct listener_spec *spec)
{
	const struct l7_spec *l7 = &ctrl->spec->l7;
	json_t *vrfs = json_array();

	for (uint32_t i = 0; i < l7->n_service_networks; i++) {
		const struct service_network_spec *network = &l7->service_networks[i];

		if (strcmp(network->name, spec->service_network) != 0)
			continue;
		for (uint32_t k = 0; k < network->n_vrfs; k++)
			json_array_append_new(vrfs, json_string(network->vrfs[k]));
	}
	return vrfs;
}

static json_t *listener_row(
	const struct ctrl *ctrl, const struct listener_spec *spec, uint32_t slot)
{
	const char *routes = spec->routes != NULL ? spec->name : spec->route_configuration;
	json_t *row = json_pack("{s:s, s:s, s:o, s:s, s:o, s:s?}", "listener", spec->name,
		"service_network", spec->service_network, "vrfs", vrfs_of(ctrl, spec), "protocol",
		spec->protocol == LISTENER_TCP ? "tcp" : "http", "addresses", addresses_of(spec),
		"route_configuration", spec->protocol == LISTENER_TCP ? NULL : routes);

	if (row == NULL)
		return NULL;
	l7_view_add_counters(row, ctrl, L7_LISTENER, slot);
	l7_view_add_latency(row, ctrl, L7_LISTENER, slot);
	return row;
}

static enum stream_step next_listener(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_spec *spec = &cursor->ctrl->spec->l7;
	const struct l7_tables *t = ctrl_snapshot(cursor->ctrl)->l7;
	const struct listener_spec *listener;
	uint32_t slot;

	if (cursor->listener_idx == spec->n_listeners)
		return STREAM_END;
	listener = spec->listeners[cursor->listener_idx++];
	if (cursor->name[0] != '\0' && strcmp(cursor->name, listener->name) != 0)
		return STREAM_NOTHING;
	slot = l7_view_find_slot(t->listener_names, 0, listener->name, &cursor->hint);
	*row = listener_row(cursor->ctrl, listener, slot);
	return STREAM_ROW;
}

// ---- virtual hosts

static json_t *domains_of(const struct virtual_host_spec *spec)
{
	json_t *domains = json_array();

	for (uint32_t i = 0; i < spec->n_domains; i++)
		json_array_append_new(domains, reply_string(spec->domains[i]));
	return domains;
}

// By its own name, its configuration's (or listener's), or both with a slash between.
static bool host_is_wanted(const struct cursor *cursor, const struct virtual_host_spec *host)
{
	const char *name = cursor->name;
	size_t len = strlen(cursor->walk.name);

	if (name[0] == '\0' || strcmp(name, host->name) == 0 ||
		strcmp(name, cursor->walk.name) == 0)
		return true;
	return strncmp(name, cursor->walk.name, len) == 0 && name[len] == '/' &&
	       strcmp(name + len + 1, host->name) == 0;
}

static enum stream_step next_host(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	uint32_t slot;
	const struct virtual_host_spec *host = l7_walk_next_host(&cursor->walk, &slot);

	if (host == NULL)
		return STREAM_END;
	if (!host_is_wanted(cursor, host))
		return STREAM_NOTHING;
	*row = json_pack("{s:o, s:s, s:o}", "virtual_host",
		json_sprintf("%s/%s", cursor->walk.name, host->name), "route_configuration",
		cursor->walk.name, "domains", domains_of(host));
	if (*row != NULL) {
		l7_view_add_counters(*row, cursor->ctrl, L7_VIRTUAL_HOST, slot);
		l7_view_add_latency(*row, cursor->ctrl, L7_VIRTUAL_HOST, slot);
	}
	return STREAM_ROW;
}

// ---- what has no slot

static enum stream_step next_reason(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	uint64_t sum = 0;

	if (cursor->reason == HTTP1_N_REASONS || cursor->name[0] != '\0')
		return STREAM_END;
	for (uint16_t i = 0; i < cursor->ctrl->n_workers; i++)
		sum += cursor->ctrl->workers[i]->l7->stats->n_malformed[cursor->reason];
	cursor->reason++;
	if (sum == 0)
		return STREAM_NOTHING;
	*row = json_pack("{s:s, s:I}", "reason",
		http1_reason_name((enum http1_reason)(cursor->reason - 1)), "heads",
		(json_int_t)sum);
	return STREAM_ROW;
}

static const struct {
	const char *name;
	size_t offset;
	const char *help;
} events[] = {
	{"handed_off", offsetof(struct l7_stats, n_handed_off),
		"packets that came to one worker and are another's"},
	{"syn_cookies", offsetof(struct l7_stats, n_cookies),
		"handshakes without state: more are half open than may be"},
	{"held_dropped", offsetof(struct l7_stats, n_held_dropped),
		"segments that had to wait and found no room; their senders repeat them"},
	{"resets_sent", offsetof(struct l7_stats, n_resets_sent),
		"RSTs for segments of no connection, and for refused ones"},
	{"no_mbuf", offsetof(struct l7_stats, n_no_mbuf),
		"segments not sent: no packet buffer left; raise workers.mbufs"},
	{"stale", offsetof(struct l7_stats, n_stale),
		"segments not sent: their VRF or endpoint was removed"},
	{"no_source", offsetof(struct l7_stats, n_no_source),
		"connections to endpoints not opened: no source address or no port is free"},
};

enum {
	N_EVENTS = sizeof(events) / sizeof(events[0]),
};

static enum stream_step next_event(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	uint64_t sum = 0;

	if (cursor->event_idx == N_EVENTS || cursor->name[0] != '\0')
		return STREAM_END;
	for (uint16_t i = 0; i < cursor->ctrl->n_workers; i++) {
		const char *stats = (const char *)cursor->ctrl->workers[i]->l7->stats;

		sum += *(const uint64_t *)(stats + events[cursor->event_idx].offset);
	}
	*row = json_pack("{s:s, s:I, s:s}", "event", events[cursor->event_idx].name, "count",
		(json_int_t)sum, "help", events[cursor->event_idx].help);
	cursor->event_idx++;
	return STREAM_ROW;
}

// ---- the answer

static bool listener_is_named(const struct ctrl *ctrl, const char *name)
{
	const struct l7_spec *spec = &ctrl->spec->l7;

	for (uint32_t i = 0; i < spec->n_listeners; i++)
		if (strcmp(spec->listeners[i]->name, name) == 0)
			return true;
	return false;
}

static bool host_is_named(const struct cursor *cursor, const char *name)
{
	struct cursor look = *cursor;
	const struct virtual_host_spec *host;
	uint32_t slot;

	while (name[0] != '\0' && (host = l7_walk_next_host(&look.walk, &slot)) != NULL)
		if (host_is_wanted(&look, host))
			return true;
	return false;
}

void views_services_get(struct reply *reply)
{
	static const struct stream_list lists[] = {{"services", next_listener},
		{"virtual_hosts", next_host}, {"malformed", next_reason}, {"events", next_event}};
	const char *name = reply_param(reply, "name");
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor != NULL) {
		cursor->ctrl = reply->ctrl;
		l7_walk_start(&cursor->walk, reply->ctrl, L7_NO_SLOT);
		snprintf(cursor->name, sizeof(cursor->name), "%s", name == NULL ? "" : name);
	}
	if (cursor != NULL && name != NULL && !listener_is_named(reply->ctrl, name) &&
		!host_is_named(cursor, name)) {
		reply_error(reply, HTTP_NOTFOUND,
			"there is no listener and no virtual host \"%.64s\"", name);
		free(cursor);
		return;
	}
	stream_send(reply, lists, sizeof(lists) / sizeof(lists[0]), cursor);
}
