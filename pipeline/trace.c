// SPDX-License-Identifier: Apache-2.0

#include "pipeline/trace.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_graph_worker.h>

#include "pipeline/packet.h"
#include "pipeline/worker.h"

static void record_one(struct worker *w, struct rte_node *node, struct rte_mbuf *m, rte_edge_t next)
{
	struct trace_ring *ring = w->trace;
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	const struct packet *p = packet_of(m);
	struct trace_event *event = &ring->events[head % TRACE_RING_SIZE];
	uint32_t copy_len = RTE_MIN((uint32_t)m->data_len, (uint32_t)TRACE_BYTES);

	if (head - tail == TRACE_RING_SIZE) {
		w->n_trace_lost++;
		return;
	}
	event->tsc = rte_rdtsc();
	event->packet_id = p->trace_id;
	event->worker_idx = w->worker_idx;
	event->node = node->id;
	event->next = next;
	event->data_len = (uint16_t)m->pkt_len;
	event->iface = p->iface;
	event->vrf = p->vrf;
	memset(event->bytes, 0, sizeof(event->bytes));
	memcpy(event->bytes, rte_pktmbuf_mtod(m, const void *), copy_len);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

void trace_record(
	struct worker *w, struct rte_node *node, void **objs, const rte_edge_t *next, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		if (packet_of(objs[i])->flags & PACKET_TRACED)
			record_one(w, node, objs[i], next == NULL ? UINT16_MAX : next[i]);
}

void trace_ask(struct worker *w, uint32_t n_packets)
{
	atomic_store_explicit(&w->trace_request, n_packets + 1, memory_order_relaxed);
}

void trace_poll(struct worker *w)
{
	uint32_t request = atomic_exchange_explicit(&w->trace_request, 0, memory_order_relaxed);

	if (request > 0)
		w->trace_left = request - 1;
	// A packet may be back from the control core or another worker long after it was marked.
	if (request > 1)
		w->trace->active_until_tsc = w->now_tsc + TRACE_LINGER_S * rte_get_tsc_hz();
	w->trace->active = w->trace_left > 0 || w->now_tsc < w->trace->active_until_tsc;
}

void trace_mark(struct worker *w, void **objs, uint16_t n)
{
	for (uint16_t i = 0; i < n && w->trace_left > 0; i++, w->trace_left--) {
		struct packet *p = packet_of(objs[i]);

		p->flags |= PACKET_TRACED;
		p->trace_id = (uint32_t)w->worker_idx << TRACE_COUNT_BITS |
			      (w->trace->next_id++ & TRACE_COUNT_MASK);
	}
}
