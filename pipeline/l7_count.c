// SPDX-License-Identifier: Apache-2.0

#include "pipeline/l7_count.h"

#include <rte_prefetch.h>

// Of a flow's request, by kind.
static uint32_t slot_of(const struct l7_flow *f, enum l7_kind kind)
{
	const uint32_t slots[L7_N_KINDS] = {
		[L7_LISTENER] = f->listener,
		[L7_VIRTUAL_HOST] = f->virtual_host,
		[L7_ROUTE] = f->route,
		[L7_CLUSTER] = f->cluster,
		[L7_ENDPOINT] = f->endpoint,
	};

	return slots[kind];
}

static struct l7_counters *counters_of(
	struct l7_worker *l7, const struct l7_flow *f, enum l7_kind kind)
{
	return l7_stats_of(l7->stats, kind, slot_of(f, kind));
}

#define COUNT(l7, f, member, n)                                                                    \
	do {                                                                                       \
		for (int kind = 0; kind < L7_N_KINDS; kind++)                                      \
			counters_of(l7, f, (enum l7_kind)kind)->member += (n);                     \
	} while (0)

// Counted with the response's end, most often from the same or the next bucket: fetched until then.
static void note_first_byte(struct l7_worker *l7, struct l7_flow *f, uint64_t us)
{
	f->first_byte_bucket = (uint16_t)histogram_bucket(us);
	for (enum l7_kind kind = 0; kind < L7_N_KINDS; kind++)
		rte_prefetch0_write(l7_stats_latency_of(
			l7->stats, kind, slot_of(f, kind), L7_FIRST_BYTE, f->first_byte_bucket));
}

static void count_latency(
	struct l7_worker *l7, const struct l7_flow *f, enum l7_latency latency, uint32_t bucket)
{
	for (enum l7_kind kind = 0; kind < L7_N_KINDS; kind++)
		(*l7_stats_latency_of(l7->stats, kind, slot_of(f, kind), latency, bucket))++;
}

static void count_first_byte(struct l7_worker *l7, struct l7_flow *f)
{
	if (f->first_byte_bucket != L7_NO_BUCKET)
		count_latency(l7, f, L7_FIRST_BYTE, f->first_byte_bucket);
	f->first_byte_bucket = L7_NO_BUCKET;
}

void l7_count_end(struct l7_worker *l7, struct l7_flow *f)
{
	if (!f->in_request)
		return;
	f->in_request = false;
	count_first_byte(l7, f);
	for (int kind = L7_VIRTUAL_HOST; kind <= L7_CLUSTER; kind++)
		counters_of(l7, f, (enum l7_kind)kind)->n_active--;
}

void l7_count_nowhere(struct l7_flow *f)
{
	f->virtual_host = f->route = f->cluster = f->endpoint = L7_NO_SLOT;
}

// The endpoint counted its try when it was picked.
static void begin_request(struct l7_worker *l7, struct l7_flow *f)
{
	f->in_request = true;
	f->first_byte_bucket = L7_NO_BUCKET;
	counters_of(l7, f, L7_LISTENER)->n_requests++;
	for (int kind = L7_VIRTUAL_HOST; kind <= L7_CLUSTER; kind++) {
		counters_of(l7, f, (enum l7_kind)kind)->n_requests++;
		counters_of(l7, f, (enum l7_kind)kind)->n_active++;
	}
}

static void count_status(struct l7_worker *l7, const struct l7_flow *f, uint64_t status)
{
	uint64_t class = status / 100 - 1;

	if (class < L7_N_STATUS_CLASSES)
		COUNT(l7, f, n_statuses[class], 1);
}

static void count_flow_event(
	struct l7_worker *l7, struct l7_flow *f, enum splice_event event, uint64_t value)
{
	switch (event) {
	case SPLICE_FLOW_OPENED:
		counters_of(l7, f, L7_LISTENER)->n_active++;
		break;
	case SPLICE_FLOW_CLOSED:
		l7_count_end(l7, f);
		counters_of(l7, f, L7_LISTENER)->n_active--;
		break;
	case SPLICE_REQUEST:
		begin_request(l7, f);
		break;
	case SPLICE_RESPONSE:
		count_status(l7, f, value);
		break;
	case SPLICE_RESPONSE_DONE:
		count_latency(l7, f, L7_RESPONSE, histogram_bucket(value));
		l7_count_end(l7, f);
		break;
	case SPLICE_FIRST_BYTE:
		note_first_byte(l7, f, value);
		break;
	case SPLICE_CONNECT_FAILED:
		COUNT(l7, f, n_connect_failures, 1);
		break;
	case SPLICE_OWN_REPLY:
		// To a head that was malformed or did not come: not the last request's affair.
		if (!f->in_request)
			l7_count_nowhere(f);
		if (value == SPLICE_WHY_DIRECT && f->route == L7_NO_SLOT)
			value = SPLICE_WHY_NO_ROUTE;
		COUNT(l7, f, n_own_replies[value], 1);
		l7_count_end(l7, f);
		break;
	case SPLICE_RESET_CLIENT:
		COUNT(l7, f, n_resets[value], 1);
		l7_count_end(l7, f);
		break;
	case SPLICE_RETRY:
		COUNT(l7, f, n_retries, 1);
		break;
	case SPLICE_REBIND:
		COUNT(l7, f, n_rebinds, 1);
		break;
	case SPLICE_BYTES_UP:
		COUNT(l7, f, n_bytes_up, value);
		break;
	case SPLICE_BYTES_DOWN:
		COUNT(l7, f, n_bytes_down, value);
		break;
	default: // legs are counted where they get their tuples
		break;
	}
}

void l7_count_event(void *ctx, uint32_t flow, enum splice_event event, uint64_t value)
{
	struct l7_worker *l7 = ((struct worker *)ctx)->l7;

	if (event == SPLICE_MALFORMED)
		l7->stats->n_malformed[value]++;
	else if (event == SPLICE_HELD_DROPPED)
		l7->stats->n_held_dropped += value;
	else if (flow != SPLICE_NONE)
		count_flow_event(l7, &l7->flows[flow], event, value);
}
