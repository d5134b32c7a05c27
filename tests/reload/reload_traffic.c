// SPDX-License-Identifier: Apache-2.0

#include "tests/reload/reload_traffic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_graph_worker.h>

enum {
	BURST = 32,
};

uint64_t traffic_node_packets(const struct rig *rig, const char *name)
{
	size_t len = strlen(name);
	uint64_t n = 0;

	for (uint16_t i = 0; i < rig->ctrl.n_workers; i++) {
		struct rte_node *node;
		rte_graph_off_t off;
		rte_node_t count;

		rte_graph_foreach_node(count, off, rig->ctrl.workers[i]->graph, node)
		{
			if (name[len - 1] == '_' ? strncmp(node->name, name, len) == 0
						 : strcmp(node->name, name) == 0)
				n += *(volatile uint64_t *)&node->total_objs;
		}
	}
	return n;
}

uint64_t traffic_on_the_way(const struct traffic *traffic)
{
	uint64_t n_gone = traffic->n_received + traffic_node_packets(traffic->rig, "drop_");

	return traffic->n_sent > n_gone ? traffic->n_sent - n_gone : 0;
}

__attribute__((format(printf, 2, 3))) static void fail(
	struct traffic *traffic, const char *fmt, ...)
{
	va_list args;

	if (traffic->error[0] != '\0')
		return;
	va_start(args, fmt);
	vsnprintf(traffic->error, sizeof(traffic->error), fmt, args);
	va_end(args);
}

static void note_lost(struct traffic *traffic, struct traffic_entry *entry)
{
	if (!entry->sent)
		return;
	entry->sent = false;
	traffic->n_lost++;
	traffic->lost_by_flow[entry->flow]++;
}

void traffic_close(struct traffic *traffic)
{
	for (uint32_t i = 0; i < TRAFFIC_LEDGER_SIZE; i++)
		note_lost(traffic, &traffic->ledger[i]);
}

static void send_one(struct traffic *traffic)
{
	struct rig *rig = traffic->rig;
	uint32_t seq = (uint32_t)traffic->n_sent;
	enum reload_flow flow = (seq * 2654435761u >> 16) % RELOAD_N_FLOWS;
	struct traffic_entry *entry = &traffic->ledger[seq % TRAFFIC_LEDGER_SIZE];
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig->ctrl.pools.small);

	if (m == NULL) {
		fail(traffic, "no mbuf");
		return;
	}
	reload_fill(m, rig->ctrl.ports[0].mac, flow, seq);
	note_lost(traffic, entry);
	*entry = (struct traffic_entry){.sent = true,
		.flow = (uint8_t)flow,
		.first_config = (uint16_t)atomic_load(&traffic->n_alone)};
	traffic->n_sent++;
	traffic->sent_by_flow[flow]++;
	if (rte_ring_enqueue(rig->ports[0].in[seq % rig->ctrl.n_workers], m) != 0) {
		fail(traffic, "the input ring is full");
		rte_pktmbuf_free(m);
	}
}

static void take_one(struct traffic *traffic, uint16_t port, const struct rte_mbuf *m)
{
	struct reload_seen seen;
	struct traffic_entry *entry;
	uint32_t last_config = atomic_load(&traffic->n_started), config;

	traffic->n_received++;
	if (port != 1 || !reload_read(m, &seen)) {
		fail(traffic, "a frame came out that was never sent, port=%u len=%u", port,
			m->pkt_len);
		return;
	}
	entry = &traffic->ledger[seen.seq % TRAFFIC_LEDGER_SIZE];
	if (!entry->sent || entry->flow != seen.flow) {
		fail(traffic, "packet %u came out twice", seen.seq);
		return;
	}
	entry->sent = false;
	for (config = entry->first_config; config <= last_config; config++)
		if (reload_is_right(&seen, traffic->variants[config]))
			return;
	fail(traffic, "packet %u of flow %u came out wrong: vlan=%u mac=%u dst=%u configs %u to %u",
		seen.seq, seen.flow, seen.vlan, seen.mac, seen.dst, entry->first_config,
		last_config);
}

bool traffic_turn(struct traffic *traffic, bool send)
{
	struct rig *rig = traffic->rig;
	uint64_t n_before = traffic->n_sent + traffic->n_received;
	struct rte_mbuf *pkts[BURST];

	if (send && traffic_on_the_way(traffic) + BURST <= TRAFFIC_WINDOW)
		for (unsigned int i = 0; i < BURST; i++)
			send_one(traffic);
	for (uint16_t port = 0; port < rig->n_ports; port++)
		for (uint16_t q = 0; q < rig->ctrl.n_workers; q++) {
			unsigned int n = rte_ring_dequeue_burst(
				rig->ports[port].out[q], (void **)pkts, BURST, NULL);

			for (unsigned int i = 0; i < n; i++)
				take_one(traffic, port, pkts[i]);
			rte_pktmbuf_free_bulk(pkts, n);
		}
	return traffic->n_sent + traffic->n_received != n_before;
}
