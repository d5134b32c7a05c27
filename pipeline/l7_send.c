// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_send.h"

#include "pipeline/tcp.h"

void l7_send_begin(struct l7_worker *l7, struct rte_graph *graph, struct rte_node *node)
{
	l7->graph = graph;
	l7->node = node;
}

static void flush(struct l7_worker *l7, enum l7_out out)
{
	struct l7_outbox *box = &l7->outs[out];

	rte_node_enqueue(l7->graph, l7->node, (rte_edge_t)out, box->pkts, box->n_pkts);
	box->n_pkts = 0;
}

void l7_send_end(struct l7_worker *l7)
{
	for (int out = 0; out < L7_N_OUTS; out++)
		if (l7->outs[out].n_pkts > 0)
			flush(l7, (enum l7_out)out);
}

static void put(struct l7_worker *l7, enum l7_out out, struct rte_mbuf *m)
{
	struct l7_outbox *box = &l7->outs[out];

	l7->stats->n_sent++;
	box->pkts[box->n_pkts++] = m;
	if (unlikely(box->n_pkts == WORKER_BURST))
		flush(l7, out);
}

// The packet starts anew; a traced one stays so. The hop limit was set, but the packet is not marked as
// originated: an ICMP error about it comes to the node, which passes it on to whoever sent the payload.
static void start_packet(
	const struct l7_worker *l7, struct rte_mbuf *m, uint16_t vrf, uint32_t dest)
{
	struct packet *p = packet_of(m);

	*p = (struct packet){
		.iface = p->iface,
		.vrf = vrf,
		.flags = (p->flags & PACKET_TRACED) | PACKET_HOP_TAKEN,
		.dest = dest,
		.trace_id = p->trace_id,
		.generation = l7->w->snapshot->generation,
	};
}

static enum l7_out out_of(uint8_t family)
{
	return family == 4 ? L7_OUT_IP4 : L7_OUT_IP6;
}

// Where an entry's packets go. False: its VRF or endpoint is gone.
static bool find_way(const struct l7_worker *l7, const struct flow_entry *entry, enum l7_out *out,
	uint32_t *dest)
{
	const struct l7_tables *t = l7->w->snapshot->l7;
	const struct endpoint *endpoint;

	*out = out_of(entry->tuple.family);
	*dest = 0;
	if (unlikely(!l7_vrf_is_same(l7->w->snapshot, entry->tuple.vrf, entry->generation)))
		return false;
	if (entry->endpoint == L7_NO_SLOT)
		return true;
	if (entry->endpoint >= t->n_endpoints)
		return false;
	endpoint = l7_tables_endpoint(t, entry->endpoint);
	if (endpoint->policy != ENDPOINT_NO_POLICY) {
		*out = L7_OUT_POLICY;
		*dest = dest_make(DEST_POLICY, endpoint->policy);
	}
	return endpoint->state == ENDPOINT_LIVE || endpoint->state == ENDPOINT_DRAINING;
}

static struct rte_mbuf *make_packet(struct l7_worker *l7, const struct flow_entry *entry,
	const struct tcp_out *out, const uint8_t *data, uint32_t len, struct tcp_segment *carrier)
{
	struct rte_mbuf *m;

	if (carrier == NULL)
		return tcp_make(l7->w->mbufs, data, len, out, &entry->tuple);
	m = tcp_mbuf_of(carrier);
	if (likely(tcp_write(m, data, len, out, &entry->tuple)))
		return m;
	rte_pktmbuf_free(m);
	return NULL;
}

void l7_send_segment(void *ctx, enum splice_side side, uint32_t idx, const struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier)
{
	struct l7_worker *l7 = ((struct worker *)ctx)->l7;
	const struct flow_entry *entry =
		&l7->table->entries[side == SPLICE_CLIENT ? idx : l7->n_flows + idx];
	struct rte_mbuf *m;
	enum l7_out way;
	uint32_t dest;

	if (unlikely(!find_way(l7, entry, &way, &dest))) {
		l7->stats->n_stale++;
		if (carrier != NULL)
			l7_send_drop(ctx, carrier);
		return;
	}
	m = make_packet(l7, entry, out, data, len, carrier);
	if (unlikely(m == NULL)) {
		l7->stats->n_no_mbuf++;
		return;
	}
	start_packet(l7, m, entry->tuple.vrf, dest);
	put(l7, way, m);
}

void l7_send_drop(void *ctx, struct tcp_segment *segment)
{
	(void)ctx;
	rte_pktmbuf_free(tcp_mbuf_of(segment));
}

void l7_send_bare(struct l7_worker *l7, const struct flow_tuple *tuple, const struct tcp_out *out)
{
	struct rte_mbuf *m = tcp_make(l7->w->mbufs, NULL, 0, out, tuple);

	if (m == NULL) {
		l7->stats->n_no_mbuf++;
		return;
	}
	start_packet(l7, m, tuple->vrf, 0);
	put(l7, out_of(tuple->family), m);
}

void l7_send_packet(struct l7_worker *l7, struct rte_mbuf *m, uint32_t number)
{
	const struct flow_entry *entry = &l7->table->entries[number];
	enum l7_out way;
	uint32_t dest;

	if (m == NULL) {
		l7->stats->n_no_mbuf++;
		return;
	}
	if (!find_way(l7, entry, &way, &dest)) {
		l7->stats->n_stale++;
		rte_pktmbuf_free(m);
		return;
	}
	start_packet(l7, m, entry->tuple.vrf, dest);
	put(l7, way, m);
}
