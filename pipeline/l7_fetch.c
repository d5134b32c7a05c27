// SPDX-License-Identifier: Apache-2.0

// What stands behind one address is read only a step after that address was fetched, so that the misses of all
// segments overlap: each step goes over all of them.

#include "pipeline/l7_fetch.h"

#include <rte_prefetch.h>

#include "l7/route_table.h"
#include "pipeline/tcp.h"

enum {
	FEW_ENDPOINTS = 64, // all that belongs to so many stays in the cache by itself
};

// A client's request ahead, as its flow's last one was. Its tables are those of the walk's snapshot.
struct request {
	const struct l7_flow *flow;
	const struct route_table *routes; // NULL: the listener is gone
	uint32_t endpoint;		  // whose turn it is; L7_NO_SLOT: nobody's
};

struct requests {
	struct request items[L7_FETCH_MAX];
	uint16_t n;
};

static enum splice_side side_of(const struct l7_worker *l7, uint32_t number, uint32_t *idx)
{
	*idx = number < l7->n_flows ? number : number - l7->n_flows;
	return number < l7->n_flows ? SPLICE_CLIENT : SPLICE_SERVER;
}

void l7_fetch_own(const struct l7_worker *l7, uint32_t number)
{
	uint32_t idx;
	enum splice_side side = side_of(l7, number, &idx);

	flow_table_prefetch_entry(l7->table, number);
	splice_prefetch(l7->splice, side, idx);
	if (side == SPLICE_CLIENT)
		rte_prefetch0(&l7->flows[idx]);
}

static void fetch_peer(const struct l7_worker *l7, uint32_t number)
{
	uint32_t idx;
	enum splice_side side = side_of(l7, number, &idx);
	uint32_t peer = splice_prefetch_peer(l7->splice, side, idx);

	if (peer == SPLICE_NONE)
		return;
	flow_table_prefetch_entry(l7->table, side == SPLICE_CLIENT ? l7->n_flows + peer : peer);
	if (side == SPLICE_SERVER)
		rte_prefetch0(&l7->flows[peer]);
}

// ---- what counts

static void fetch_counters(const struct l7_worker *l7, enum l7_kind kind, uint32_t slot)
{
	const uint8_t *counters = (const uint8_t *)l7_stats_of(l7->stats, kind, slot);

	rte_prefetch0_write(counters);
	rte_prefetch0_write(counters + RTE_CACHE_LINE_SIZE);
}

static void fetch_all_counters(const struct l7_worker *l7, const struct l7_flow *f)
{
	fetch_counters(l7, L7_VIRTUAL_HOST, f->virtual_host);
	fetch_counters(l7, L7_ROUTE, f->route);
	fetch_counters(l7, L7_CLUSTER, f->cluster);
	fetch_counters(l7, L7_ENDPOINT, f->endpoint);
}

static const struct l7_flow *flow_of(const struct l7_worker *l7, uint32_t number)
{
	uint32_t idx;

	if (side_of(l7, number, &idx) == SPLICE_SERVER)
		idx = splice_leg_flow(l7->splice, idx);
	return idx == SPLICE_NONE || l7->flows[idx].route == L7_NO_SLOT ? NULL : &l7->flows[idx];
}

// ---- requests, step by step

static const struct route_table *routes_of(const struct l7_tables *t, uint32_t slot)
{
	const struct listener *listener =
		slot < t->n_listeners ? l7_tables_listener_at(t, slot) : NULL;

	return listener == NULL || !listener->in_use || listener->protocol == LISTENER_TCP
		       ? NULL
		       : l7_tables_route_table(t, listener->route_table);
}

static void begin_request(
	const struct l7_worker *l7, const struct l7_flow *f, struct requests *requests)
{
	const struct l7_tables *t = l7->w->snapshot->l7;

	if (f->cluster >= t->n_clusters || f->endpoint >= t->n_endpoints)
		return;
	rte_prefetch0(&l7->places[f->route]);
	rte_prefetch0(paged_at(t->clusters, f->cluster, sizeof(void *)));
	rte_prefetch0(&l7->balance[f->cluster]);
	// The leg goes back to the pool first.
	rte_prefetch0(l7_tables_endpoint(t, f->endpoint));
	splice_prefetch_pool(l7->splice, f->endpoint);
	requests->items[requests->n++] =
		(struct request){.flow = f, .routes = routes_of(t, f->listener)};
}

static inline void fetch_route(
	const struct l7_worker *l7, const struct request *rq, enum route_fetch step)
{
	if (rq->routes != NULL)
		route_table_fetch(rq->routes, l7->places[rq->flow->route], step);
}

static void fetch_cluster(const struct l7_worker *l7, const struct request *rq)
{
	const uint8_t *cluster =
		(const uint8_t *)l7_tables_cluster(l7->w->snapshot->l7, rq->flow->cluster);

	rte_prefetch0(cluster);
	rte_prefetch0(cluster + RTE_CACHE_LINE_SIZE);
	splice_prefetch_idle(l7->splice, rq->flow->endpoint);
	fetch_route(l7, rq, ROUTE_FETCH_ROUTE);
}

// Balances as it will be done, but on a copy. What load or chance decides is not known ahead.
static void fetch_endpoint(const struct l7_worker *l7, struct request *rq)
{
	const struct l7_tables *t = l7->w->snapshot->l7;
	const struct cluster *cluster = l7_tables_cluster(t, rq->flow->cluster);
	struct balance_state state = l7->balance[rq->flow->cluster];

	rq->endpoint = cluster == NULL || cluster->policy != CLUSTER_ROUND_ROBIN
			       ? BALANCE_NONE
			       : balance_pick(cluster, &state, NULL, 0);
	fetch_route(l7, rq, ROUTE_FETCH_HOST);
	if (rq->endpoint == BALANCE_NONE)
		return;
	rte_prefetch0(l7_tables_endpoint(t, rq->endpoint));
	splice_prefetch_pool(l7->splice, rq->endpoint);
	fetch_counters(l7, L7_ENDPOINT, rq->endpoint);
}

static void fetch_leg(const struct l7_worker *l7, const struct request *rq)
{
	uint32_t leg = rq->endpoint == BALANCE_NONE
			       ? SPLICE_NONE
			       : splice_prefetch_idle(l7->splice, rq->endpoint);

	if (leg != SPLICE_NONE)
		flow_table_prefetch_entry(l7->table, l7->n_flows + leg);
	fetch_route(l7, rq, ROUTE_FETCH_KEYS);
}

static void fetch_requests(const struct l7_worker *l7, struct requests *requests)
{
	for (uint16_t i = 0; i < requests->n; i++)
		fetch_cluster(l7, &requests->items[i]);
	for (uint16_t i = 0; i < requests->n; i++)
		fetch_endpoint(l7, &requests->items[i]);
	for (uint16_t i = 0; i < requests->n; i++)
		fetch_leg(l7, &requests->items[i]);
	for (uint16_t i = 0; i < requests->n; i++)
		fetch_route(l7, &requests->items[i], ROUTE_FETCH_TEXTS);
}

void l7_fetch_rest(const struct l7_worker *l7, struct rte_mbuf *const *pkts,
	const uint32_t *numbers, uint16_t n)
{
	struct requests requests;

	for (uint16_t i = 0; i < n; i++)
		if (likely(numbers[i] != FLOW_TABLE_NONE))
			fetch_peer(l7, numbers[i]);
	if (l7->w->snapshot->l7->n_endpoints <= FEW_ENDPOINTS)
		return;
	requests.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		const struct l7_flow *f =
			numbers[i] == FLOW_TABLE_NONE ? NULL : flow_of(l7, numbers[i]);

		if (f == NULL)
			continue;
		fetch_all_counters(l7, f);
		if (numbers[i] < l7->n_flows && tcp_packet_of(pkts[i])->segment.len > 0)
			begin_request(l7, f, &requests);
	}
	fetch_requests(l7, &requests);
}
