// SPDX-License-Identifier: Apache-2.0

#include "pipeline/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_graph_worker.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_rcu_qsbr.h>

#include "pipeline/l7_worker.h"
#include "pipeline/port.h"
#include "pipeline/tcp.h"
#include "pipeline/trace.h"

enum {
	// IDLE_BACKOFF: empty walks that only pause, then the sleep doubles from 1 us to the limit.
	BACKOFF_PAUSES = 64,
	DEFAULT_SLEEP_US = 100,
	TX_SHARE_RING_SIZE = 1024,
};

unsigned int worker_walk(struct worker *w)
{
	unsigned int n_packets;

	w->snapshot = atomic_load_explicit(w->published, memory_order_acquire);
	w->now_tsc = rte_rdtsc();
	w->budget = WORKER_BURST;
	w->n_from_rings = 0;
	w->n_from_timers = 0;
	if (unlikely(w->trace->active ||
		     atomic_load_explicit(&w->trace_request, memory_order_relaxed) != 0))
		trace_poll(w);
	rte_graph_walk(w->graph);
	rte_rcu_qsbr_quiescent(w->qsbr, w->worker_idx);
	n_packets = WORKER_BURST - w->budget + w->n_from_rings + w->n_from_timers;
	w->n_walks++;
	if (n_packets > 0) {
		w->n_busy_walks++;
		w->n_busy_tsc += rte_rdtsc() - w->now_tsc;
	}
	return n_packets;
}

// A sleeping worker is offline, so that nobody waits for it to be quiescent.
static void sleep_offline(struct worker *w, uint32_t sleep_us)
{
	struct timespec ts = {.tv_nsec = (long)sleep_us * 1000};

	rte_rcu_qsbr_thread_offline(w->qsbr, w->worker_idx);
	nanosleep(&ts, NULL);
	rte_rcu_qsbr_thread_online(w->qsbr, w->worker_idx);
}

// Connections' timers are not slept over.
static uint32_t longest_sleep_us(const struct worker *w)
{
	return l7_worker_has_timers(w->l7) ? RTE_MIN(w->idle_sleep_us, (uint32_t)L7_TIMER_US)
					   : w->idle_sleep_us;
}

static void back_off(struct worker *w, uint32_t n_idle)
{
	uint32_t doublings = n_idle - BACKOFF_PAUSES, longest_us;

	if (w->idle == IDLE_POLL)
		return;
	if (n_idle < BACKOFF_PAUSES) {
		rte_pause();
		return;
	}
	longest_us = longest_sleep_us(w);
	sleep_offline(w, doublings < 16 ? RTE_MIN(1u << doublings, longest_us) : longest_us);
}

static int worker_loop(void *arg)
{
	struct worker *w = arg;
	uint32_t n_idle = 0;

	rte_rcu_qsbr_thread_register(w->qsbr, w->worker_idx);
	rte_rcu_qsbr_thread_online(w->qsbr, w->worker_idx);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&w->heartbeat, 1, memory_order_relaxed);
		if (worker_walk(w) > 0)
			n_idle = 0;
		else
			back_off(w, n_idle++);
	}
	rte_rcu_qsbr_thread_offline(w->qsbr, w->worker_idx);
	rte_rcu_qsbr_thread_unregister(w->qsbr, w->worker_idx);
	return 0;
}

// Counters of SIDs and policies are mapped for all slots there can be; the kernel gives pages as they
// are touched.
static struct counter *map_counters(size_t n_slots)
{
	void *mem = mmap(NULL, n_slots * sizeof(struct counter), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static void unmap_counters(struct counter *counters, size_t n_slots)
{
	if (counters != NULL)
		munmap(counters, n_slots * sizeof(*counters));
}

static void destroy_worker(struct worker *w)
{
	if (w == NULL)
		return;
	if (w->graph != NULL)
		rte_graph_destroy(rte_graph_from_name(w->graph->name));
	if (w->tx != NULL)
		for (uint16_t i = 0; i < w->n_tx_ports; i++)
			rte_ring_free(w->tx[i].shared);
	if (w->ring != NULL) {
		void *m;

		while (rte_ring_dequeue(w->ring, &m) == 0)
			rte_pktmbuf_free(m);
		rte_ring_free(w->ring);
	}
	l7_worker_destroy(w->l7);
	unmap_counters(w->sid_counters, WORKER_MAX_SID_SLOTS);
	unmap_counters(w->policy_counters, WORKER_MAX_POLICY_SLOTS);
	rte_free(w->tx);
	rte_free(w->outboxes);
	rte_free(w->icmp_buckets);
	rte_free(w->peer_rings);
	rte_free(w->trace);
	rte_free(w);
}

void workers_destroy(struct worker **workers, uint16_t n_workers)
{
	if (workers == NULL)
		return;
	for (uint16_t i = 0; i < n_workers; i++)
		destroy_worker(workers[i]);
	free(workers);
}

static int create_memory(struct worker *w, const struct worker_config *config)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "worker%u", w->worker_idx);
	w->ring = rte_ring_create(name, WORKER_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	for (uint32_t i = 0; i < config->n_ports; i++)
		w->n_tx_ports = RTE_MAX(w->n_tx_ports, (uint16_t)(config->ports[i].dpdk_port + 1));
	w->tx = rte_calloc(NULL, w->n_tx_ports + 1u, sizeof(*w->tx), RTE_CACHE_LINE_SIZE);
	w->outboxes =
		rte_calloc(NULL, config->n_workers, sizeof(*w->outboxes), RTE_CACHE_LINE_SIZE);
	w->peer_rings = rte_calloc(NULL, config->n_workers, sizeof(*w->peer_rings), 0);
	w->icmp_buckets = rte_calloc(NULL, SPEC_MAX_VRFS, sizeof(*w->icmp_buckets), 0);
	w->trace = rte_zmalloc(NULL, sizeof(*w->trace), RTE_CACHE_LINE_SIZE);
	w->sid_counters = map_counters(WORKER_MAX_SID_SLOTS);
	w->policy_counters = map_counters(WORKER_MAX_POLICY_SLOTS);
	if (w->ring == NULL || w->tx == NULL || w->outboxes == NULL || w->peer_rings == NULL ||
		w->icmp_buckets == NULL || w->trace == NULL || w->sid_counters == NULL ||
		w->policy_counters == NULL)
		return -ENOMEM;
	return 0;
}

// Payload that one buffer of any port's takes behind the longest headers, those of tunnels included.
static uint16_t max_payload(const struct worker_config *config)
{
	uint16_t room = rte_pktmbuf_data_room_size(config->mbufs);

	for (uint32_t i = 0; i < config->n_ports; i++)
		room = RTE_MIN(room, rte_pktmbuf_data_room_size(config->ports[i].mbufs));
	return room - RTE_PKTMBUF_HEADROOM - TCP_MAX_HEADERS_LEN;
}

static int create_graph(struct worker *w)
{
	const char *patterns[] = {"*"};
	struct rte_graph_param param = {
		.socket_id = SOCKET_ID_ANY,
		.nb_node_patterns = RTE_DIM(patterns),
		.node_patterns = patterns,
	};
	char name[RTE_GRAPH_NAMESIZE];
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	snprintf(name, sizeof(name), "worker%u", w->worker_idx);
	if (rte_graph_create(name, &param) == RTE_GRAPH_ID_INVALID)
		return -rte_errno;
	w->graph = rte_graph_lookup(name);
	rte_graph_foreach_node(count, off, w->graph, node)
	{
		*(struct worker **)node->ctx = w;
	}
	return 0;
}

static struct worker *create_worker(const struct worker_config *config, uint16_t worker_idx)
{
	struct worker *w = rte_zmalloc(NULL, sizeof(*w), RTE_CACHE_LINE_SIZE);

	if (w == NULL)
		return NULL;
	w->worker_idx = worker_idx;
	w->n_workers = config->n_workers;
	w->adj_table = config->adj_table;
	w->qsbr = config->qsbr;
	w->published = config->published;
	w->punt_ring = config->punt_ring;
	w->capture_ring = config->capture_ring;
	w->capture_mbufs = config->capture_mbufs;
	w->mbufs = config->mbufs;
	w->idle = config->spec->idle;
	w->idle_sleep_us =
		config->spec->idle_sleep_us == 0 ? DEFAULT_SLEEP_US : config->spec->idle_sleep_us;
	// lcore 0 is the control core's; app/eal.c gives workers the next ones.
	w->lcore = worker_idx + 1u;
	w->l7 = l7_worker_create(w, &config->l7_memory, max_payload(config));
	if (w->l7 == NULL || create_memory(w, config) != 0 || create_graph(w) != 0) {
		destroy_worker(w);
		return NULL;
	}
	return w;
}

// RX queues go round over the workers, each port beginning one further, so that single-queue ports
// spread too.
static int assign_rx(
	struct worker **workers, const struct worker_config *config, struct refusal *refusal)
{
	for (uint32_t i = 0; i < config->n_ports; i++)
		for (uint16_t q = 0; q < config->ports[i].n_rxq; q++) {
			struct worker *w = workers[(i + q) % config->n_workers];

			if (w->n_rxq == WORKER_MAX_RXQ)
				return refusal_set(refusal, &config->spec->origin,
					"workers.count: a worker would poll more than %d RX "
					"queues; "
					"use more workers or fewer queues",
					WORKER_MAX_RXQ);
			w->rxq[w->n_rxq++] = (struct rx_queue){config->ports[i].dpdk_port, q};
		}
	return 0;
}

// A worker beyond the TX queues of a port passes its frames to the ring of the worker that owns one.
static int assign_tx_port(struct worker **workers, const struct worker_config *config,
	const struct port_runtime *port)
{
	uint16_t n_owners = RTE_MIN(port->n_txq, config->n_workers);
	char name[RTE_RING_NAMESIZE];

	for (uint16_t i = 0; i < config->n_workers; i++) {
		struct tx_port *tx = &workers[i]->tx[port->dpdk_port];
		struct tx_port *owner = &workers[i % n_owners]->tx[port->dpdk_port];

		tx->present = true;
		tx->linearize = port->linearize;
		tx->queue = i % n_owners;
		if (i < n_owners)
			continue;
		if (owner->shared == NULL) {
			snprintf(name, sizeof(name), "tx%u.%u", port->dpdk_port, i % n_owners);
			owner->shared = rte_ring_create(
				name, TX_SHARE_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
		}
		if (owner->shared == NULL)
			return -ENOMEM;
		tx->owner = owner->shared;
	}
	return 0;
}

static int connect_workers(
	struct worker **workers, const struct worker_config *config, struct refusal *refusal)
{
	int ret = assign_rx(workers, config, refusal);

	for (uint32_t i = 0; i < config->n_ports && ret == 0; i++)
		ret = assign_tx_port(workers, config, &config->ports[i]);
	for (uint16_t i = 0; i < config->n_workers; i++)
		for (uint16_t j = 0; j < config->n_workers; j++)
			workers[i]->peer_rings[j] = workers[j]->ring;
	return ret;
}

struct worker **workers_create(const struct worker_config *config, struct refusal *refusal)
{
	struct worker **workers = calloc(config->n_workers, sizeof(*workers));
	int ret = workers == NULL ? -ENOMEM : 0;

	for (uint16_t i = 0; i < config->n_workers && ret == 0; i++) {
		workers[i] = create_worker(config, i);
		if (workers[i] == NULL)
			ret = -ENOMEM;
	}
	if (ret == 0)
		ret = connect_workers(workers, config, refusal);
	if (ret == 0)
		return workers;
	if (ret == -ENOMEM)
		refusal_set(refusal, &config->spec->origin,
			"workers: no memory for %u workers (%s); raise eal.memory_mb or the number "
			"of huge pages",
			config->n_workers, rte_strerror(rte_errno));
	workers_destroy(workers, config->n_workers);
	errno = -ret;
	return NULL;
}

int workers_start(struct worker **workers, uint16_t n_workers)
{
	for (uint16_t i = 0; i < n_workers; i++) {
		int ret = rte_eal_remote_launch(worker_loop, workers[i], workers[i]->lcore);

		if (ret == 0)
			continue;
		workers_stop(workers, i);
		return ret;
	}
	return 0;
}

void workers_stop(struct worker **workers, uint16_t n_workers)
{
	for (uint16_t i = 0; i < n_workers; i++)
		atomic_store(&workers[i]->stop, true);
	for (uint16_t i = 0; i < n_workers; i++)
		rte_eal_wait_lcore(workers[i]->lcore);
}

void workers_clear_counters(struct worker **workers, uint16_t n_workers,
	const struct snapshot *snapshot, const struct snapshot *old)
{
	bool same_net = snapshot->sid_keys == old->sid_keys;

	for (uint32_t slot = 0; slot < snapshot->n_sids && !same_net; slot++) {
		if (slot < old->n_sids && old->sid_keys[slot].in_use)
			continue;
		for (uint16_t i = 0; i < n_workers; i++)
			workers[i]->sid_counters[slot] = (struct counter){0};
	}
	for (uint32_t slot = 0; slot < snapshot->n_policies && !same_net; slot++) {
		if (slot < old->n_policies && old->policy_names[slot].text[0] != '\0')
			continue;
		for (uint16_t i = 0; i < n_workers; i++)
			workers[i]->policy_counters[slot] = (struct counter){0};
	}
	for (uint16_t i = 0; i < n_workers; i++)
		l7_stats_clear(workers[i]->l7->stats, snapshot->fresh, snapshot->n_fresh);
}
