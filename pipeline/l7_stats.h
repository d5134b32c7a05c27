// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a worker counts of HTTP routing, by slot of listener, virtual host, route, cluster and endpoint; and
// histograms of latency. Written by the worker alone; the control core reads and adds up.

#include <stdalign.h>
#include <stdint.h>

#include <rte_common.h>

#include "l7/http1_reason.h"
#include "l7/splice.h"
#include "pipeline/histogram.h"
#include "pipeline/snapshot.h"

enum {
	L7_N_STATUS_CLASSES = 5, // 1xx to 5xx
};

// Each in cache lines of its own. What every request counts comes first.
struct l7_counters {
	alignas(RTE_CACHE_LINE_SIZE) uint64_t n_requests; // of endpoints: tries
	uint64_t
		n_active; // of listeners: flows; of endpoints: legs, idle ones included; else requests
	uint64_t n_bytes_up;   // request bytes that an endpoint acknowledged
	uint64_t n_bytes_down; // response bytes that the client acknowledged
	uint64_t n_statuses[L7_N_STATUS_CLASSES];
	uint64_t n_retries;
	uint64_t n_rebinds;
	uint64_t n_connect_failures; // of endpoints: refused, unreachable, or too slow
	uint64_t n_own_replies[SPLICE_N_WHYS];
	uint64_t n_resets[SPLICE_N_WHYS]; // of clients
};

enum l7_latency {
	L7_FIRST_BYTE, // microseconds from a head's end to the response's first byte
	L7_RESPONSE,   // to the response's end
	L7_N_LATENCIES,
};

struct l7_stats {
	struct l7_counters *slots[L7_N_KINDS];
	// By slot and bucket; both latencies of a request are most often in one cache line.
	uint64_t (*latencies[L7_N_KINDS])[L7_N_LATENCIES];
	uint64_t n_malformed[HTTP1_N_REASONS];
	uint64_t n_held_dropped; // segments that had to wait and found no room
	uint64_t n_handed_off;	 // packets that another worker received
	uint64_t n_cookies;	 // SYN cookies sent
	uint64_t n_resets_sent;	 // for segments of no connection
	uint64_t n_sent;	 // packets
	uint64_t n_no_mbuf;	 // segments not sent
	uint64_t n_stale;	 // segments not sent: their VRF or endpoint is gone
	uint64_t n_no_source;	 // connections not opened: no port, or no source
};

// Counters and histograms are mapped for all slots there can be; the kernel gives pages as they are touched, those of
// the first slots at once. NULL
// with errno ENOMEM.
struct l7_stats *l7_stats_create(void);
void l7_stats_destroy(struct l7_stats *stats);

// Before a snapshot goes live: slots that the one before does not name may have counted for others and begin at
// zero.
void l7_stats_clear(struct l7_stats *stats, const struct l7_slot *slots, uint32_t n);

void l7_stats_add(struct l7_counters *sum, const struct l7_counters *counters);

// The counters of a slot; slots that there cannot be share one place that nobody reads.
struct l7_counters *l7_stats_of(struct l7_stats *stats, enum l7_kind kind, uint32_t slot);
// Likewise where a latency that falls into a bucket of a histogram is counted. Of routes and endpoints, which are
// many, four buckets are one: latencies above 32 us are known to 1/8.
uint64_t *l7_stats_latency_of(struct l7_stats *stats, enum l7_kind kind, uint32_t slot,
	enum l7_latency latency, uint32_t bucket);

void l7_stats_add_latency(struct histogram *sum, const struct l7_stats *stats, enum l7_kind kind,
	uint32_t slot, enum l7_latency latency);
