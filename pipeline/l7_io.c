// SPDX-License-Identifier: Apache-2.0

// What the splice asks of the world: listeners, routes, endpoints, tuples. The snapshot of the walk answers.

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "l7/route_table.h"
#include "pipeline/l7_count.h"
#include "pipeline/l7_path.h"
#include "pipeline/l7_send.h"
#include "pipeline/l7_worker.h"

static struct l7_worker *l7_of(void *ctx)
{
	return ((struct worker *)ctx)->l7;
}

static const struct l7_tables *tables_of(const struct l7_worker *l7)
{
	return l7->w->snapshot->l7;
}

static uint32_t timeout_of(uint32_t ms)
{
	return ms == 0 ? L7_NO_TIMEOUT_MS : ms;
}

static const struct listener *find_listener(const struct l7_worker *l7, uint32_t slot)
{
	const struct l7_tables *t = tables_of(l7);
	const struct listener *listener =
		slot < t->n_listeners ? l7_tables_listener_at(t, slot) : NULL;

	return listener != NULL && listener->in_use ? listener : NULL;
}

static const struct splice_listener *ask_listener(void *ctx, uint32_t slot)
{
	struct l7_worker *l7 = l7_of(ctx);
	const struct listener *listener = find_listener(l7, slot);
	uint16_t mss = l7_path_mss(l7->w->snapshot->l7_mtu, 6);

	if (listener == NULL)
		return NULL;
	l7->listener = (struct splice_listener){
		.protocol = listener->protocol == LISTENER_TCP ? SPLICE_TCP : SPLICE_HTTP1,
		.limits = listener->limits,
		.head_timeout_ms = timeout_of(listener->request_headers_timeout_ms),
		.idle_timeout_ms = timeout_of(listener->idle_timeout_ms),
		.drain_timeout_ms = timeout_of(listener->drain_timeout_ms),
		.mss = RTE_MIN(mss, l7->max_payload),
		.window_scale = listener->window_scale,
		.rules = listener->rules,
	};
	return &l7->listener;
}

// The listener was found in this walk's snapshot.
static struct splice_target ask_target(void *ctx, uint32_t slot)
{
	struct l7_worker *l7 = l7_of(ctx);
	const struct l7_tables *t = tables_of(l7);
	uint32_t choice = l7_tables_choose(t, slot, (uint32_t)l7_worker_random(l7));
	const struct cluster *cluster = l7_tables_cluster(t, choice);

	// Without one no endpoint is found.
	return (struct splice_target){.cluster = choice,
		.connect_timeout_ms =
			timeout_of(cluster == NULL ? 0 : cluster->connect_timeout_ms)};
}

// ---- request heads

// A random UUID (RFC 9562 §5.4).
static void write_uuid(struct l7_worker *l7, char text[L7_REQUEST_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t words[2] = {l7_worker_random(l7), l7_worker_random(l7)};
	uint32_t nibble = 0;

	words[0] = (words[0] & ~0xf000ull) | 0x4000; // version 4
	words[1] = (words[1] & ~(3ull << 62)) | 2ull << 62;
	for (uint32_t i = 0; i < L7_REQUEST_ID_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			text[i] = '-';
			continue;
		}
		text[i] = digits[words[nibble / 16] >> (60 - 4 * (nibble % 16)) & 0xf];
		nibble++;
	}
	text[L7_REQUEST_ID_LEN] = '\0';
}

// The request's own id for its response, when it has a short one.
static void keep_request_id(struct l7_flow *f, const uint8_t *raw, const struct http1_head *head)
{
	f->request_id[0] = '\0';
	for (uint16_t i = 0; i < head->n_fields; i++) {
		const struct http1_text *value = &head->fields[i].value;

		if (head->kinds[i] != HTTP1_FIELD_REQUEST_ID || value->len > L7_REQUEST_ID_LEN)
			continue;
		memcpy(f->request_id, raw + value->off, value->len);
		f->request_id[value->len] = '\0';
		return;
	}
}

static bool has_request_id(const struct http1_head *head)
{
	for (uint16_t i = 0; i < head->n_fields; i++)
		if (head->kinds[i] == HTTP1_FIELD_REQUEST_ID)
			return true;
	return false;
}

static const char *write_client(struct l7_worker *l7, uint32_t flow)
{
	const struct flow_tuple *tuple = &l7->table->entries[flow].tuple;
	const uint8_t *b = tuple->remote;
	char *at = l7->client;

	if (tuple->family != 4)
		return inet_ntop(AF_INET6, b, l7->client, sizeof(l7->client));
	for (int i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*at++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*at++ = (char)('0' + b[i] / 10 % 10);
		*at++ = (char)('0' + b[i] % 10);
		*at++ = i < 3 ? '.' : '\0';
	}
	return l7->client;
}

static const char *write_port(struct l7_worker *l7, uint16_t port)
{
	char *at = l7->port + sizeof(l7->port) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + port % 10);
		port /= 10;
	} while (port > 0);
	return at;
}

static void fill_edits(struct l7_worker *l7, uint32_t flow, const struct listener *listener,
	const uint8_t *raw, const struct http1_head *head, struct splice_decision *d)
{
	struct l7_flow *f = &l7->flows[flow];
	struct http1_edits *edits = &d->request_edits;

	d->edit_request =
		(listener->headers & ~LISTENER_RESPONSE_REQUEST_ID) != 0 || edits->host != NULL;
	d->edit_response = (listener->headers & LISTENER_RESPONSE_REQUEST_ID) != 0;
	if (listener->headers & LISTENER_X_FORWARDED_FOR)
		edits->forwarded_for = write_client(l7, flow);
	if (listener->headers & LISTENER_X_FORWARDED_PROTO)
		edits->forwarded_proto = "http";
	if (listener->headers & LISTENER_X_FORWARDED_PORT)
		edits->forwarded_port = write_port(l7, listener->port);
	if (!(listener->headers & (LISTENER_X_REQUEST_ID | LISTENER_RESPONSE_REQUEST_ID)))
		return;
	if (has_request_id(head)) {
		keep_request_id(f, raw, head);
	} else {
		write_uuid(l7, f->request_id);
		if (listener->headers & LISTENER_X_REQUEST_ID)
			edits->request_id = f->request_id;
	}
	d->edit_response = d->edit_response && f->request_id[0] != '\0';
}

static void reply_with(struct splice_decision *d, uint16_t status, const struct route_reply *reply)
{
	d->action = SPLICE_REPLY;
	d->cluster = SPLICE_NONE;
	d->status = status;
	if (reply == NULL)
		return;
	d->body = reply->body;
	d->body_len = reply->body_len;
}

static void ask_route(void *ctx, uint32_t flow, const uint8_t *raw, const struct http1_head *head,
	struct splice_decision *d)
{
	struct l7_worker *l7 = l7_of(ctx);
	const struct l7_tables *t = tables_of(l7);
	struct l7_flow *f = &l7->flows[flow];
	const struct listener *listener = find_listener(l7, f->listener);
	const struct cluster *cluster;
	struct route_verdict v;

	l7_count_end(l7, f);
	*d = (struct splice_decision){.route = L7_NO_SLOT, .virtual_host = L7_NO_SLOT};
	l7_count_nowhere(f);
	f->request_id[0] = '\0';
	// The listener is gone, or another has its slot.
	if (listener == NULL || listener->since > f->generation) {
		reply_with(d, 503, NULL);
		return;
	}
	route_table_match(l7_tables_route_table(t, listener->route_table), raw, head,
		(uint32_t)l7_worker_random(l7), &v);
	d->route = f->route = v.route;
	d->virtual_host = f->virtual_host = v.virtual_host;
	if (v.route != ROUTE_NO_SLOT)
		l7->places[v.route] = v.place;
	if (v.action == ROUTE_ACTION_NONE) {
		reply_with(d, 404, NULL);
		return;
	}
	if (v.action == ROUTE_ACTION_DIRECT) {
		reply_with(d, v.direct.status, &v.direct);
		return;
	}
	cluster = l7_tables_cluster(t, v.cluster);
	if (cluster == NULL) {
		reply_with(d, v.cluster_not_found_status, NULL);
		return;
	}
	d->action = SPLICE_TO_CLUSTER;
	d->cluster = f->cluster = v.cluster;
	d->connect_timeout_ms = timeout_of(cluster->connect_timeout_ms);
	d->route_timeout_ms = v.timeout_ms;
	d->idle_timeout_ms = timeout_of(v.idle_timeout_ms == L7_TIMEOUT_OF_LISTENER
						? listener->stream_idle_timeout_ms
						: v.idle_timeout_ms);
	d->request_edits.host = v.host_rewrite;
	fill_edits(l7, flow, listener, raw, head, d);
}

static const char *ask_date(void *ctx)
{
	struct l7_worker *l7 = l7_of(ctx);
	uint64_t wall_s = atomic_load_explicit(&l7->w->wall_s, memory_order_relaxed);

	if (wall_s == 0)
		return NULL;
	if (wall_s != l7->date_s)
		http1_date_write(wall_s, l7->date);
	l7->date_s = wall_s;
	return l7->date;
}

static void ask_response_edits(void *ctx, uint32_t flow, struct http1_edits *edits)
{
	const struct l7_flow *f = &l7_of(ctx)->flows[flow];

	*edits =
		(struct http1_edits){.request_id = f->request_id[0] == '\0' ? NULL : f->request_id};
}

// ---- endpoints and legs

static uint32_t pick_endpoint(struct l7_worker *l7, const struct cluster *cluster,
	struct balance_state *state, const uint32_t *tried, uint32_t n_tried)
{
	struct balance_load load;

	if (cluster->policy == CLUSTER_ROUND_ROBIN)
		return balance_pick(cluster, state, tried, n_tried);
	load = (struct balance_load){splice_active(l7->splice), l7_worker_random(l7)};
	return balance_pick_by_load(cluster, state, &load, tried, n_tried);
}

static uint32_t ask_endpoint(
	void *ctx, uint32_t flow, uint32_t cluster, const uint32_t *tried, uint32_t n_tried)
{
	struct l7_worker *l7 = l7_of(ctx);
	const struct l7_tables *t = tables_of(l7);
	const struct cluster *table =
		cluster < t->n_clusters ? l7_tables_cluster(t, cluster) : NULL;
	uint32_t endpoint;

	if (table == NULL)
		return SPLICE_NONE;
	endpoint = pick_endpoint(l7, table, &l7->balance[cluster], tried, n_tried);
	if (endpoint == BALANCE_NONE)
		return SPLICE_NONE;
	l7->flows[flow].cluster = cluster;
	l7->flows[flow].endpoint = endpoint;
	l7_stats_of(l7->stats, L7_ENDPOINT, endpoint)->n_requests++;
	return endpoint;
}

static bool ask_endpoint_lives(void *ctx, uint32_t endpoint)
{
	const struct l7_tables *t = tables_of(l7_of(ctx));

	return endpoint < t->n_endpoints && l7_tables_endpoint(t, endpoint)->state == ENDPOINT_LIVE;
}

static uint32_t ask_leg_idle_ms(void *ctx, uint32_t endpoint)
{
	const struct l7_tables *t = tables_of(l7_of(ctx));

	if (!ask_endpoint_lives(ctx, endpoint))
		return 0;
	return l7_tables_cluster(t, l7_tables_endpoint(t, endpoint)->cluster)->pool_timeout_ms;
}

// An endpoint in its client's VRF is another host in every VRF.
static bool ask_leg_fits(void *ctx, uint32_t flow, uint32_t leg)
{
	const struct l7_worker *l7 = l7_of(ctx);
	const struct flow_entry *of_leg = &l7->table->entries[l7->n_flows + leg];
	const struct l7_tables *t = tables_of(l7);

	if (!l7_vrf_is_same(l7->w->snapshot, of_leg->tuple.vrf, of_leg->generation))
		return false;
	return l7_tables_endpoint(t, of_leg->endpoint)->vrf != ENDPOINT_VRF_OF_CLIENT ||
	       of_leg->tuple.vrf == l7->table->entries[flow].tuple.vrf;
}

static int ask_leg(
	void *ctx, uint32_t flow, uint32_t leg, uint32_t slot, struct splice_opening *opening)
{
	struct l7_worker *l7 = l7_of(ctx);
	const struct snapshot *s = l7->w->snapshot;
	const struct endpoint *endpoint = l7_tables_endpoint(tables_of(l7), slot);
	struct flow_tuple tuple = {.family = endpoint->address.family,
		.remote_port_be = rte_cpu_to_be_16(endpoint->port),
		.vrf = endpoint->vrf == ENDPOINT_VRF_OF_CLIENT ? l7->table->entries[flow].tuple.vrf
							       : (uint16_t)endpoint->vrf};
	uint16_t mss;
	int ret;

	memcpy(tuple.remote, endpoint->address.b, sizeof(tuple.remote));
	ret = source_pool_take(l7->sources, s, l7->now_us, &tuple, &l7->leases[leg], &opening->isn);
	if (ret == 0) {
		ret = flow_table_insert(l7->table, l7->n_flows + leg, &tuple, s->generation, slot);
		if (ret != 0)
			source_pool_give(l7->sources, &l7->leases[leg], opening->isn);
	}
	if (ret != 0) {
		l7->stats->n_no_source++;
		return -EADDRNOTAVAIL;
	}
	mss = l7_path_mss(l7_path_mtu(s, l7->w->adj_table, tuple.vrf, tuple.family, tuple.remote,
				  endpoint->policy),
		tuple.family);
	opening->mss = RTE_MIN(mss, l7->max_payload);
	l7_stats_of(l7->stats, L7_ENDPOINT, slot)->n_active++;
	return 0;
}

static void tell_leg_closed(void *ctx, uint32_t leg, uint32_t last_seq)
{
	struct l7_worker *l7 = l7_of(ctx);
	uint32_t number = l7->n_flows + leg;

	l7_stats_of(l7->stats, L7_ENDPOINT, l7->table->entries[number].endpoint)->n_active--;
	flow_table_remove(l7->table, number);
	source_pool_give(l7->sources, &l7->leases[leg], last_seq);
}

static void tell_flow_closed(void *ctx, uint32_t flow)
{
	flow_table_remove(l7_of(ctx)->table, flow);
}

const struct splice_io l7_io = {
	.send = l7_send_segment,
	.drop = l7_send_drop,
	.listener = ask_listener,
	.target = ask_target,
	.route = ask_route,
	.date = ask_date,
	.edit_response = ask_response_edits,
	.pick = ask_endpoint,
	.endpoint_lives = ask_endpoint_lives,
	.leg_idle_ms = ask_leg_idle_ms,
	.leg_fits = ask_leg_fits,
	.open_leg = ask_leg,
	.leg_closed = tell_leg_closed,
	.flow_closed = tell_flow_closed,
	.event = l7_count_event,
};
