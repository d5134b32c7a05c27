// SPDX-License-Identifier: Apache-2.0

// /clusters: clusters and endpoints with what was counted for them; ?name= one cluster's. Endpoints that were
// removed are there as long as flows have them.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/l7_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "pipeline/l7_worker.h"

#include <event2/http.h>

#include <stdlib.h>

struct cursor {
	const struct ctrl *ctrl;
	uint32_t cluster; // slots that come next
	uint32_t endpoint;
	uint32_t only_cluster; // L7_NO_SLOT: all
};

static const char *cluster_name(const struct ctrl *ctrl, uint32_t slot)
{
	const struct l7_tables *t = ctrl_snapshot(ctrl)->l7;

	return l7_view_name(t->cluster_names, slot);
}

static const char *policy_name(enum cluster_policy policy)
{
	static const char *const names[] = {
		[CLUSTER_ROUND_ROBIN] = "ROUND_ROBIN",
		[CLUSTER_LEAST_REQUEST] = "LEAST_REQUEST",
		[CLUSTER_RANDOM] = "RANDOM",
	};

	return names[policy];
}

static json_t *cluster_row(const struct ctrl *ctrl, uint32_t slot)
{
	const struct cluster *cluster = l7_tables_cluster(ctrl_snapshot(ctrl)->l7, slot);
	json_t *row = json_pack("{s:s, s:s, s:I, s:I, s:I}", "cluster", cluster_name(ctrl, slot),
		"lb_policy", policy_name(cluster->policy), "live_endpoints",
		(json_int_t)cluster->n_endpoints, "connect_timeout_ms",
		(json_int_t)cluster->connect_timeout_ms, "pool_timeout_ms",
		(json_int_t)cluster->pool_timeout_ms);

	if (row == NULL)
		return NULL;
	l7_view_add_counters(row, ctrl, L7_CLUSTER, slot);
	l7_view_add_latency(row, ctrl, L7_CLUSTER, slot);
	return row;
}

static enum stream_step next_cluster(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_tables *t = ctrl_snapshot(cursor->ctrl)->l7;
	uint32_t slot = cursor->cluster++;

	if (slot >= t->n_clusters)
		return STREAM_END;
	if (l7_tables_cluster(t, slot) == NULL ||
		(cursor->only_cluster != L7_NO_SLOT && slot != cursor->only_cluster))
		return STREAM_NOTHING;
	*row = cluster_row(cursor->ctrl, slot);
	return STREAM_ROW;
}

static const char *state_name(const struct endpoint *endpoint)
{
	static const char *const names[] = {
		[ENDPOINT_FREE] = "free",
		[ENDPOINT_LIVE] = "live",
		[ENDPOINT_DRAINING] = "draining",
		[ENDPOINT_GONE] = "gone",
	};

	return names[endpoint->state];
}

// What led to an endpoint that is gone may be another's by now.
static json_t *vrf_of(const struct ctrl *ctrl, const struct endpoint *endpoint)
{
	if (endpoint->state == ENDPOINT_GONE)
		return json_null();
	return endpoint->vrf == ENDPOINT_VRF_OF_CLIENT
		       ? json_string("client's")
		       : json_string(dest_view_vrf_name(ctrl, endpoint->vrf));
}

static json_t *policy_of(const struct ctrl *ctrl, const struct endpoint *endpoint)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);

	return endpoint->state != ENDPOINT_GONE && endpoint->policy < s->n_policies
		       ? l7_view_string(s->policy_names[endpoint->policy].text)
		       : json_null();
}

// Of endpoints, "active" is what balancing goes by: requests, tunnels and TCP connections that have a leg.
static void add_legs(json_t *row, const struct ctrl *ctrl, uint32_t slot)
{
	uint64_t n_active = 0, n_idle = 0;

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		const struct splice *sp = ctrl->workers[i]->l7->splice;

		n_active += splice_active(sp)[slot];
		n_idle += splice_idle_legs(sp, slot);
	}
	json_object_set_new(row, "active", json_integer((json_int_t)n_active));
	json_object_set_new(row, "idle_legs", json_integer((json_int_t)n_idle));
}

static const char *health_name(const struct endpoint *endpoint)
{
	static const char *const names[] = {
		[ENDPOINT_HEALTHY] = "healthy",
		[ENDPOINT_DEGRADED] = "degraded",
		[ENDPOINT_UNHEALTHY] = "unhealthy",
	};

	return names[endpoint->health];
}

// A removed endpoint's locality may be another's by now, or nobody's.
static void add_locality(json_t *row, const struct ctrl *ctrl, const struct endpoint *endpoint)
{
	struct cluster_locality locality;

	json_object_set_new(row, "priority", json_null());
	json_object_set_new(row, "locality", json_null());
	if (endpoint->state != ENDPOINT_LIVE)
		return;
	locality = cluster_locality(
		l7_tables_cluster(ctrl_snapshot(ctrl)->l7, endpoint->cluster), endpoint->locality);
	json_object_set_new(row, "priority", json_integer((json_int_t)locality.priority));
	if (locality.region[0] != '\0' || locality.zone[0] != '\0' || locality.sub_zone[0] != '\0')
		json_object_set_new(row, "locality",
			json_sprintf(
				"%s/%s/%s", locality.region, locality.zone, locality.sub_zone));
}

static json_t *endpoint_row(const struct ctrl *ctrl, uint32_t slot)
{
	const struct endpoint *endpoint = l7_tables_endpoint(ctrl_snapshot(ctrl)->l7, slot);
	json_t *row = json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:I}", "cluster",
		l7_view_string(cluster_name(ctrl, endpoint->cluster)), "endpoint",
		l7_view_address(endpoint->address.family, endpoint->address.b, endpoint->port),
		"state", state_name(endpoint), "health", health_name(endpoint), "vrf",
		vrf_of(ctrl, endpoint), "policy", policy_of(ctrl, endpoint), "weight",
		(json_int_t)endpoint->weight);

	if (row == NULL)
		return NULL;
	add_locality(row, ctrl, endpoint);
	l7_view_add_counters(row, ctrl, L7_ENDPOINT, slot);
	l7_view_add_latency(row, ctrl, L7_ENDPOINT, slot);
	add_legs(row, ctrl, slot);
	return row;
}

static enum stream_step next_endpoint(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct l7_tables *t = ctrl_snapshot(cursor->ctrl)->l7;
	uint32_t slot = cursor->endpoint++;
	const struct endpoint *endpoint;

	if (slot >= t->n_endpoints)
		return STREAM_END;
	endpoint = l7_tables_endpoint(t, slot);
	if (endpoint->state == ENDPOINT_FREE ||
		(cursor->only_cluster != L7_NO_SLOT && endpoint->cluster != cursor->only_cluster))
		return STREAM_NOTHING;
	*row = endpoint_row(cursor->ctrl, slot);
	return STREAM_ROW;
}

void views_clusters_get(struct reply *reply)
{
	static const struct stream_list lists[] = {
		{"clusters", next_cluster}, {"endpoints", next_endpoint}};
	const struct l7_tables *t = ctrl_snapshot(reply->ctrl)->l7;
	const char *name = reply_param(reply, "name");
	uint32_t slot = L7_NO_SLOT, hint = 0;
	struct cursor *cursor;

	if (name != NULL && name[0] != '\0')
		slot = l7_view_find_slot(t->cluster_names, 0, name, &hint);
	if (name != NULL && slot == L7_NO_SLOT) {
		reply_error(reply, HTTP_NOTFOUND, "there is no cluster \"%.64s\"", name);
		return;
	}
	cursor = calloc(1, sizeof(*cursor));
	if (cursor != NULL)
		*cursor = (struct cursor){.ctrl = reply->ctrl, .only_cluster = slot};
	stream_send(reply, lists, 2, cursor);
}
