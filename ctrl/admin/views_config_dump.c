// SPDX-License-Identifier: Apache-2.0

// What is live of services, whole, whether the file or the xDS server wanted it; then the file's by name and place, and
// every resource of the xDS server with its state. Secrets are told by their names only.

#include <stdlib.h>
#include <string.h>

#include "ctrl/admin/reply.h"
#include "ctrl/admin/spec_view.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "ctrl/xds/xds.h"

// Walks by number and by name: what was passed may be gone when the walk goes on.
struct cursor {
	const struct ctrl *ctrl;
	uint32_t listener;
	uint32_t routes; // configurations, then those of listeners
	uint32_t host;	 // of it
	uint32_t cluster;
	uint32_t file;
	enum xds_type type;
	bool is_inside; // of the type; last is the name of the one before
	char last[STORE_MAX_NAME_LEN + 1];
};

static enum stream_step next_listener(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_spec *l7 = &cursor->ctrl->spec->l7;

	if (cursor->listener == l7->n_listeners)
		return STREAM_END;
	*row = spec_view_listener(l7->listeners[cursor->listener++]);
	return STREAM_ROW;
}

static enum stream_step next_host(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_spec *l7 = &cursor->ctrl->spec->l7;
	const struct route_configuration_spec *routes;

	if (cursor->routes == l7->n_route_configurations + l7->n_listeners)
		return STREAM_END;
	routes = cursor->routes < l7->n_route_configurations
			 ? l7->route_configurations[cursor->routes]
			 : l7->listeners[cursor->routes - l7->n_route_configurations]->routes;
	if (routes == NULL || cursor->host == routes->n_virtual_hosts) {
		cursor->routes++;
		cursor->host = 0;
		return STREAM_NOTHING;
	}
	*row = spec_view_host(routes, &routes->virtual_hosts[cursor->host++]);
	return STREAM_ROW;
}

static enum stream_step next_cluster(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_spec *l7 = &cursor->ctrl->spec->l7;

	if (cursor->cluster == l7->n_clusters)
		return STREAM_END;
	*row = spec_view_cluster(l7->clusters[cursor->cluster++]);
	return STREAM_ROW;
}

static json_t *file_row(const char *kind, const char *name, const struct spec_origin *origin)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "kind", kind, "name", name, "source",
		origin->source == NULL ? "" : origin->source, "line", (json_int_t)origin->line);
}

static enum stream_step next_file(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_spec *l7 = &node_spec_base(cursor->ctrl->spec)->l7;
	uint32_t i = cursor->file++;

	if (i < l7->n_listeners) {
		*row = file_row("listener", l7->listeners[i]->name, l7->listeners[i]->origin);
		return STREAM_ROW;
	}
	i -= l7->n_listeners;
	if (i < l7->n_route_configurations) {
		*row = file_row("route configuration", l7->route_configurations[i]->name,
			l7->route_configurations[i]->origin);
		return STREAM_ROW;
	}
	i -= l7->n_route_configurations;
	if (i >= l7->n_clusters)
		return STREAM_END;
	*row = file_row("cluster", l7->clusters[i]->name, l7->clusters[i]->origin);
	return STREAM_ROW;
}

static json_t *ignored_fields(const struct xds_resource *resource)
{
	json_t *fields = json_array();

	for (uint32_t i = 0; resource != NULL && i < resource->n_ignored; i++)
		json_array_append_new(fields,
			json_pack("{s:o, s:I}", "field", reply_string(resource->ignored[i].path),
				"times", (json_int_t)resource->ignored[i].n_times));
	return fields;
}

static const char *state_name(const struct xds_entry *entry)
{
	switch (entry->state) {
	case XDS_REQUESTED:
		return entry->refused != NULL ? "refused" : "requested";
	case XDS_HELD:
		return "held";
	case XDS_ABSENT:
		return "absent";
	}
	return "unknown";
}

static json_t *text_or_null(const char *text)
{
	return text == NULL ? json_null() : reply_string(text);
}

static json_t *age_s(uint64_t then_ms)
{
	return then_ms == 0 ? json_null() : json_real((double)(xds_now_ms() - then_ms) / 1000);
}

static json_t *entry_row(const struct xds_entry *entry)
{
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "type",
		xds_type_word(entry->type), "name", reply_string(entry->name), "state",
		state_name(entry), "version",
		text_or_null(entry->version == NULL ? NULL : entry->version->text),
		"accepted_age_s", age_s(entry->accepted_ms), "refused_version",
		text_or_null(entry->refused_version == NULL ? NULL : entry->refused_version->text),
		"refused", text_or_null(entry->refused), "refused_age_s",
		entry->refused == NULL ? json_null() : age_s(entry->refused_ms),
		"removed_by_server", entry->removed, "not_honoured",
		ignored_fields(entry->resource));
}

// False: the name where the walk stopped is gone, and nobody knows what came behind it.
static bool find_next(
	const struct store *store, const struct cursor *cursor, const struct xds_entry **next)
{
	const struct xds_entry *entry;

	*next = store_first(store, cursor->type);
	if (!cursor->is_inside)
		return true;
	entry = store_find(store, cursor->type, cursor->last);
	*next = entry == NULL ? NULL : store_next(entry);
	return entry != NULL;
}

static enum stream_step next_resource(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct xds_entry *entry;

	if (cursor->ctrl->xds == NULL || cursor->type == XDS_N_TYPES)
		return STREAM_END;
	if (!find_next(xds_store(cursor->ctrl->xds), cursor, &entry))
		return STREAM_CHANGED;
	if (entry == NULL) {
		cursor->type++;
		cursor->is_inside = false;
		return STREAM_NOTHING;
	}
	cursor->is_inside = true;
	strcpy(cursor->last, entry->name);
	*row = entry_row(entry);
	return STREAM_ROW;
}

void views_config_dump_get(struct reply *reply)
{
	static const struct stream_list lists[] = {
		{"listeners", next_listener},
		{"virtual_hosts", next_host},
		{"clusters", next_cluster},
		{"file", next_file},
		{"xds", next_resource},
	};
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor != NULL)
		cursor->ctrl = reply->ctrl;
	stream_send(reply, lists, sizeof(lists) / sizeof(lists[0]), cursor);
}
