// SPDX-License-Identifier: Apache-2.0
#pragma once

// The burst loop that all nodes share: prefetch, the node's function over one packet, tracing, enqueue.
// rte_graph's experimental API stays behind this header. Two forms: walk_packets() for nodes that
// decide from the packet alone, walk_ip4_lookup() and walk_ip6_lookup() for nodes that look an address
// up: prepare each packet and its key, one bulk lookup, decide each packet.

#include <rte_graph_worker.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "pipeline/flow_hash.h"
#include "pipeline/trace.h"
#include "pipeline/worker.h"

enum {
	// How far ahead of the loop headers are fetched: about the latency of L2 over the cost of a packet.
	WALK_PREFETCH = 6,
	// What prepare returns for "look the key up"; larger than any edge.
	WALK_LOOKUP = UINT16_MAX,
};

// A node's function over one packet: returns an edge.
typedef rte_edge_t (*walk_packet_fn)(struct worker *w, struct rte_mbuf *m, struct packet *p);

// Where a lookup starts: which table, which address.
struct walk_key {
	const struct lpm *lpm;
	uint64_t hi;
	uint64_t lo;
};

typedef rte_edge_t (*walk_prepare_fn)(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key);
typedef rte_edge_t (*walk_decide_fn)(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t dest);

// Fetches the headers of packets further down the burst.
static __rte_always_inline void walk_prefetch(struct rte_mbuf **pkts, uint16_t i, uint16_t n)
{
	if (likely(i + WALK_PREFETCH < n)) {
		rte_prefetch0(pkts[i + WALK_PREFETCH]);
		rte_prefetch0(packet_of(pkts[i + WALK_PREFETCH]));
	}
	if (likely(i + WALK_PREFETCH / 2 < n))
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i + WALK_PREFETCH / 2], void *));
}

// Whether all edges are one: a loop that compilers turn into vector instructions.
static __rte_always_inline bool walk_is_uniform(const rte_edge_t *next, uint16_t n)
{
	rte_edge_t differences = 0;

	for (uint16_t i = 1; i < n; i++)
		differences |= next[i] ^ next[0];
	return differences == 0;
}

// Sends each packet along its edge: in one move when all go the same way, else run by run.
static __rte_always_inline void walk_enqueue(struct rte_graph *graph, struct rte_node *node,
	void **objs, const rte_edge_t *next, uint16_t n, bool whole_stream)
{
	uint16_t start = 0;

	if (unlikely(worker_of(node)->trace->active))
		trace_record(worker_of(node), node, objs, next, n);
	if (likely(walk_is_uniform(next, n))) {
		if (whole_stream)
			rte_node_next_stream_move(graph, node, next[0]);
		else
			rte_node_enqueue(graph, node, next[0], objs, n);
		return;
	}
	for (uint16_t i = 1; i <= n; i++) {
		if (i < n && next[i] == next[start])
			continue;
		rte_node_enqueue(graph, node, next[start], objs + start, i - start);
		start = i;
	}
}

static __rte_always_inline uint16_t walk_packets(struct rte_graph *graph, struct rte_node *node,
	void **objs, uint16_t n_objs, walk_packet_fn packet_fn)
{
	struct rte_mbuf **pkts = (struct rte_mbuf **)objs;
	struct worker *w = worker_of(node);
	rte_edge_t next[WORKER_BURST];

	for (uint16_t done = 0; done < n_objs; done += WORKER_BURST) {
		uint16_t n = RTE_MIN(n_objs - done, WORKER_BURST);

		for (uint16_t i = 0; i < n; i++) {
			struct rte_mbuf *m = pkts[done + i];

			walk_prefetch(pkts + done, i, n);
			next[i] = packet_fn(w, m, packet_of(m));
		}
		walk_enqueue(graph, node, objs + done, next, n, n == n_objs);
	}
	return n_objs;
}

// A lookup node's working memory, on the worker's stack. Neighbouring packets with one key share an entry
// of the lookup: a burst of a flow, or of a SID, costs one.
struct walk_lookup {
	const struct lpm *lpm[WORKER_BURST + 1];
	uint64_t hi[WORKER_BURST + 1];
	uint64_t lo[WORKER_BURST + 1];
	uint32_t dest[WORKER_BURST + 1];
	uint16_t entry[WORKER_BURST]; // of each packet
	rte_edge_t next[WORKER_BURST];
};

enum walk_family {
	WALK_IP4,
	WALK_IP6,
};

static __rte_always_inline void walk_lookup_some(struct worker *w, struct rte_mbuf **pkts,
	uint16_t n, struct walk_lookup *l, enum walk_family family, walk_prepare_fn prepare_fn,
	walk_decide_fn decide_fn)
{
	const struct walk_key none = {.lpm = w->snapshot->no_routes};
	struct walk_key before = none;
	uint16_t last = 0; // entry in use; the first stands for packets that ask for no lookup

	for (uint16_t i = 0; i < n; i++) {
		struct walk_key key = none;

		walk_prefetch(pkts, i, n);
		l->next[i] = prepare_fn(w, pkts[i], packet_of(pkts[i]), &key);
		// Without a branch: how often keys repeat is not for the predictor to guess.
		last += (((uintptr_t)key.lpm ^ (uintptr_t)before.lpm) | (key.hi ^ before.hi) |
				(key.lo ^ before.lo)) != 0;
		l->lpm[last] = key.lpm;
		l->hi[last] = key.hi;
		if (family == WALK_IP6)
			l->lo[last] = key.lo;
		l->entry[i] = last;
		before = key;
	}
	if (family == WALK_IP6)
		lpm6_lookup_bulk(l->lpm + 1, l->hi + 1, l->lo + 1, l->dest + 1, last);
	else
		lpm4_lookup_bulk(l->lpm + 1, l->hi + 1, l->dest + 1, last);
	for (uint16_t i = 0; i < n; i++)
		if (likely(l->next[i] == WALK_LOOKUP))
			l->next[i] =
				decide_fn(w, pkts[i], packet_of(pkts[i]), l->dest[l->entry[i]]);
}

static __rte_always_inline uint16_t walk_lookup(struct rte_graph *graph, struct rte_node *node,
	void **objs, uint16_t n_objs, enum walk_family family, walk_prepare_fn prepare_fn,
	walk_decide_fn decide_fn)
{
	struct walk_lookup l;

	for (uint16_t done = 0; done < n_objs; done += WORKER_BURST) {
		uint16_t n = RTE_MIN(n_objs - done, WORKER_BURST);

		walk_lookup_some(worker_of(node), (struct rte_mbuf **)objs + done, n, &l, family,
			prepare_fn, decide_fn);
		walk_enqueue(graph, node, objs + done, l.next, n, n == n_objs);
	}
	return n_objs;
}

// What a lookup's dest means for the packet: ECMP groups are resolved by the inner flow, the rest is an
// edge. The first edges of every lookup node are the dest kinds.
static __rte_always_inline rte_edge_t walk_route(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t dest)
{
	if (unlikely(dest_kind(dest) == DEST_GROUP)) {
		const struct group *group = &w->snapshot->groups[dest_index(dest)];

		dest = group->dest[flow_hash_of(m, p) % GROUP_BUCKETS];
	}
	p->dest = dest;
	return (rte_edge_t)dest_kind(dest);
}
