// SPDX-License-Identifier: Apache-2.0
#pragma once

// A worker: one core, one rte_graph, run to completion. Nodes find their worker through the node's
// context; everything in it but the rings and the counters belongs to its thread alone.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_graph.h>
#include <rte_graph_worker.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "pipeline/packet.h"
#include "pipeline/snapshot.h"

struct l7_worker;
struct rte_rcu_qsbr;
struct trace_ring;

enum {
	WORKER_BURST = 256,	 // packets that enter the graph in one walk
	WORKER_RING_SIZE = 4096, // hand-off ring of a worker
	WORKER_MAX_RXQ = 64,
	WORKER_MAX_SID_SLOTS = 1 << 20, // counters are mapped for so many, touched as used
	WORKER_MAX_POLICY_SLOTS = 1 << 16,
};

// Packets and bytes of a SID or a policy on one worker.
struct counter {
	uint64_t n_packets;
	uint64_t n_bytes;
};

struct rx_queue {
	uint16_t port;
	uint16_t queue;
};

// Frames on their way out of one port in the current node call.
struct tx_port {
	struct rte_mbuf *pkts[WORKER_BURST];
	uint16_t n_pkts;
	bool present;
	bool linearize;		 // the device sends single segments only
	uint16_t queue;		 // this worker's TX queue, where owner is NULL
	struct rte_ring *owner;	 // ring to the worker that owns the queue; NULL: this one does
	struct rte_ring *shared; // ring from workers that have no queue; NULL: there are none
};

// Packets on their way to another worker in the current node call.
struct outbox {
	void *pkts[WORKER_BURST];
	uint16_t n_pkts;
};

// A token bucket for ICMP errors of one VRF.
struct icmp_bucket {
	uint64_t last_tsc;
	uint64_t tokens_tsc; // saved-up time
	uint64_t cost_tsc;   // of an error: tsc_hz / rate
};

struct worker {
	// Read at each burst.
	const struct snapshot *snapshot; // of this walk
	struct adj_table *adj_table;
	struct counter *sid_counters;	 // by slot
	struct counter *policy_counters; // by slot
	uint64_t now_tsc;		 // start of this walk
	uint16_t worker_idx;
	uint16_t n_workers;
	uint16_t budget; // packets that sources may still bring into this walk
	uint16_t
		n_from_rings; // packets taken from rings in this walk: handed off, injected, to be sent
	uint32_t n_from_timers; // packets that connections' timers sent in this walk
	uint16_t n_rxq;
	uint16_t next_rxq;   // where polling goes on, so that no queue starves
	uint16_t n_tx_ports; // ids below have a tx_port
	struct rx_queue rxq[WORKER_MAX_RXQ];
	struct tx_port *tx;		  // by DPDK port
	struct rte_ring *ring;		  // to this worker: hand-offs, injected packets
	struct rte_ring **peer_rings;	  // by worker, for hand-offs
	struct outbox *outboxes;	  // by worker
	struct rte_ring *punt_ring;	  // to the control core
	struct icmp_bucket *icmp_buckets; // by VRF slot
	struct l7_worker *l7;		  // HTTP routing
	struct rte_mempool *mbufs;
	struct trace_ring *trace;
	uint32_t trace_left;		// packets still to be marked
	_Atomic uint32_t trace_request; // one more than trace_ask() asked for; 0: nothing new
	_Atomic uint64_t capture_ports; // bit per DPDK port below 64
	struct rte_ring *capture_ring;
	struct rte_mempool *capture_mbufs;

	// Counters of this worker; the control core reads them.
	uint64_t n_chained_headers; // headers that did not fit the headroom
	uint64_t n_busy_tsc;
	uint64_t n_walks;
	uint64_t n_busy_walks;
	_Atomic uint64_t heartbeat; // counts loops: the watchdog's sign of life
	uint64_t n_trace_lost;
	uint64_t n_capture_lost;

	struct rte_graph *graph;
	struct rte_rcu_qsbr *qsbr;
	const _Atomic(const struct snapshot *) *published;
	enum idle_mode idle;
	uint32_t idle_sleep_us;
	uint32_t lcore;
	_Atomic uint64_t wall_s; // seconds since 1970; 0: the control core has not said yet
	_Atomic bool drain;	 // HTTP routing: take no new connections, close idle ones
	_Atomic bool stop;
};

// What all workers are started with.
struct worker_config {
	const struct worker_spec *spec;
	struct l7_memory_spec l7_memory;
	const struct port_runtime *ports;
	uint32_t n_ports;
	struct adj_table *adj_table;
	struct rte_rcu_qsbr *qsbr;
	const _Atomic(const struct snapshot *) *published;
	struct rte_ring *punt_ring;
	struct rte_ring *capture_ring;
	struct rte_mempool *mbufs;
	struct rte_mempool *capture_mbufs;
	uint16_t n_workers;
};

// Creates workers with their graphs and rings; they do not run yet. Main thread, after ports exist.
// Returns an array of n_workers pointers, or NULL with errno and a line in refusal.
struct worker **workers_create(const struct worker_config *config, struct refusal *refusal);
void workers_destroy(struct worker **workers, uint16_t n_workers);

// Starts worker loops on their lcores, and stops them: stop waits until each has left its loop.
int workers_start(struct worker **workers, uint16_t n_workers);
void workers_stop(struct worker **workers, uint16_t n_workers);

// Before snapshot follows old: SID and policy slots that old does not name may have counted for others and
// begin at zero. Control core.
void workers_clear_counters(struct worker **workers, uint16_t n_workers,
	const struct snapshot *snapshot, const struct snapshot *old);

// One turn of the loop: take the snapshot, walk the graph, report quiescence. Returns the packets that
// sources brought in. Benchmarks and in-process tests call it themselves.
unsigned int worker_walk(struct worker *worker);

// The worker of a node: graph creation stores it in the node's context.
static inline struct worker *worker_of(const struct rte_node *node)
{
	return *(struct worker *const *)node->ctx;
}

static inline void worker_count(struct counter *counter, uint32_t n_bytes)
{
	counter->n_packets++;
	counter->n_bytes += n_bytes;
}
