// SPDX-License-Identifier: Apache-2.0

// Swapping tables under traffic loses nothing: worker threads run the real graph, the main thread sends and
// takes packets, a control thread swaps configurations. What depends on an order of events is walked by hand.

#include "tests/reload/reload_traffic.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_malloc.h>

#include "pipeline/inject.h"
#include "pipeline/reclaim.h"

enum {
	N_SWAPS = 1000,
	N_PORTS = 2,
	N_WORKERS = 2,
	PACKETS_PER_SWAP = 32, // that come out before the next one
	GRACE_LIMIT_S = 30,    // patience, not an expectation
};

static struct traffic *traffic; // too large for a stack
static struct rig rig;

// The control thread.
struct swapper {
	uint32_t n_swaps;
	uint64_t n_most_waiting;
	char error[600];
	_Atomic bool done;
};

static bool timed_out(uint64_t start_tsc)
{
	return rte_get_tsc_cycles() - start_tsc > GRACE_LIMIT_S * rte_get_tsc_hz();
}

// As ctrl/publish.c does before it compiles again.
static bool wait_grace(void)
{
	uint64_t start_tsc = rte_get_tsc_cycles();

	while (reclaim_poll(rig.ctrl.reclaim) > 0) {
		if (timed_out(start_tsc))
			return false;
		sched_yield();
	}
	return true;
}

static void wait_traffic(void)
{
	uint64_t start_tsc = rte_get_tsc_cycles(), n_start = traffic->n_received;

	while (traffic->n_received < n_start + PACKETS_PER_SWAP && !timed_out(start_tsc))
		sched_yield();
}

static bool swap_to(uint32_t config, uint32_t variant, char *error, size_t error_len)
{
	char *text = reload_config(variant, config);
	struct refusal refusal = {0};
	int ret;

	traffic->variants[config] = (uint8_t)variant;
	atomic_store(&traffic->n_started, config);
	ret = rig_swap(&rig, text, &refusal);
	free(text);
	if (ret != 0)
		snprintf(error, error_len, "swap %u: %s", config, refusal.text);
	return ret == 0;
}

static void *run_swaps(void *arg)
{
	struct swapper *swapper = arg;
	unsigned int random = 1;
	bool ok = true;

	for (uint32_t i = 1; i <= swapper->n_swaps && ok; i++) {
		ok = swap_to(i, (uint32_t)rand_r(&random) % RELOAD_N_VARIANTS, swapper->error,
			sizeof(swapper->error));
		if (ok && !wait_grace()) {
			snprintf(swapper->error, sizeof(swapper->error),
				"swap %u: the old snapshot is not freed", i);
			ok = false;
		}
		atomic_store(&traffic->n_alone, i);
		wait_traffic();
	}
	atomic_store(&swapper->done, true);
	return NULL;
}

static void start_rig(uint16_t n_workers, uint32_t variant)
{
	char *text = reload_config(variant, 0);

	rig_create(&rig, text, N_PORTS, n_workers);
	free(text);
	memset(traffic, 0, sizeof(*traffic));
	traffic->rig = &rig;
	traffic->variants[0] = (uint8_t)variant;
}

static struct counter sum_counters(
	const struct counter *(*of)(const struct worker *), uint32_t slot)
{
	struct counter sum = {0};

	for (uint16_t i = 0; i < rig.ctrl.n_workers; i++) {
		sum.n_packets += of(rig.ctrl.workers[i])[slot].n_packets;
		sum.n_bytes += of(rig.ctrl.workers[i])[slot].n_bytes;
	}
	return sum;
}

static const struct counter *sids_of(const struct worker *w)
{
	return w->sid_counters;
}

static const struct counter *policies_of(const struct worker *w)
{
	return w->policy_counters;
}

// The slot of 2001:db8:1:index::, or UINT32_MAX.
static uint32_t sid_slot(uint8_t index)
{
	const struct snapshot *s = ctrl_snapshot(&rig.ctrl);
	const struct ip6_addr addr = {{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, index}};

	for (uint32_t slot = 0; slot < s->n_sids; slot++)
		if (s->sid_keys[slot].in_use && ip6_addr_equal(&s->sid_keys[slot].addr, &addr))
			return slot;
	return UINT32_MAX;
}

static uint32_t policy_slot(const char *name)
{
	const struct snapshot *s = ctrl_snapshot(&rig.ctrl);

	for (uint32_t slot = 0; slot < s->n_policies; slot++)
		if (strcmp(s->policy_names[slot].text, name) == 0)
			return slot;
	return UINT32_MAX;
}

static uint64_t sid_packets(uint8_t index)
{
	return sum_counters(sids_of, sid_slot(index)).n_packets;
}

// All packets came out or, for the flow that is not always there, are in the counters of the drops that such
// a flow may meet.
static void check_accounts(void)
{
	uint64_t n_dropped = traffic_node_packets(&rig, "drop_");
	const struct rte_mempool *pool = rig.ctrl.pools.small;

	traffic_close(traffic);
	assert_string_equal(traffic->error, "");
	for (uint32_t flow = 0; flow < RELOAD_ALWAYS_THERE; flow++)
		assert_int_equal(traffic->lost_by_flow[flow], 0);
	assert_int_equal(traffic->n_received + traffic->n_lost, traffic->n_sent);
	assert_int_equal(n_dropped, traffic->n_lost);
	assert_int_equal(n_dropped, traffic_node_packets(&rig, "drop_srv6_no_sid") +
					    traffic_node_packets(&rig, "drop_no_vrf"));
	assert_int_equal(rte_ring_count(rig.ctrl.punt_ring), 0);
	assert_int_equal(rte_mempool_avail_count(pool), pool->size);
	assert_int_equal(sid_packets(1), traffic->sent_by_flow[RELOAD_END]);
	assert_int_equal(sid_packets(4), traffic->sent_by_flow[RELOAD_DT4]);
	assert_int_equal(sid_packets(6), traffic->sent_by_flow[RELOAD_MAIN]);
	assert_int_equal(sum_counters(policies_of, policy_slot("pol")).n_packets,
		traffic->sent_by_flow[RELOAD_ENCAPS] + traffic->sent_by_flow[RELOAD_MAIN]);
}

static void swap_under_traffic(uint16_t n_workers)
{
	struct swapper swapper = {.n_swaps = N_SWAPS};
	cpu_set_t cpus;
	pthread_t thread;
	uint64_t start_tsc;

	start_rig(n_workers, 0);
	assert_int_equal(workers_start(rig.ctrl.workers, n_workers), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_swaps, &swapper), 0);
	// EAL pinned this thread, and its children with it.
	memset(&cpus, 0xff, sizeof(cpus));
	pthread_setaffinity_np(thread, sizeof(cpus), &cpus);
	while (!atomic_load(&swapper.done))
		if (!traffic_turn(traffic, true))
			sched_yield();
	pthread_join(thread, NULL);
	start_tsc = rte_get_tsc_cycles();
	while (traffic_on_the_way(traffic) > 0 && !timed_out(start_tsc))
		traffic_turn(traffic, false);
	workers_stop(rig.ctrl.workers, n_workers);
	assert_string_equal(swapper.error, "");
	print_message("# %u workers: %lu packets through %u swaps, %lu to what was not there\n",
		n_workers, traffic->n_sent, N_SWAPS, traffic->n_lost);
	assert_true(
		traffic->lost_by_flow[RELOAD_VANISHING] < traffic->sent_by_flow[RELOAD_VANISHING]);
	check_accounts();
	rig_destroy(&rig);
}

static void reload_one_worker_loses_nothing(void **state)
{
	(void)state;
	swap_under_traffic(1);
}

static void reload_two_workers_lose_nothing(void **state)
{
	(void)state;
	swap_under_traffic(2);
}

// From here on without threads.

static void walk_all(void)
{
	for (uint16_t i = 0; i < rig.ctrl.n_workers; i++)
		worker_walk(rig.ctrl.workers[i]);
}

static void must_swap(uint32_t config, uint32_t variant)
{
	char error[600] = "";
	size_t n_waiting = 0;

	swap_to(config, variant, error, sizeof(error));
	assert_string_equal(error, "");
	// The snapshot goes in the first turn, adjacencies that it alone named in the second.
	for (unsigned int i = 0; i < 2; i++) {
		walk_all();
		n_waiting = reclaim_poll(rig.ctrl.reclaim);
	}
	assert_int_equal(n_waiting, 0);
}

static void send(enum reload_flow flow, uint16_t queue, uint32_t seq)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig.ctrl.pools.small);

	assert_non_null(m);
	reload_fill(m, rig.ctrl.ports[0].mac, flow, seq);
	assert_int_equal(rte_ring_enqueue(rig.ports[0].in[queue], m), 0);
}

// What came out of the second port; freed.
static unsigned int take(struct reload_seen *seen)
{
	unsigned int n = 0;
	void *m;

	for (uint16_t q = 0; q < rig.ctrl.n_workers; q++)
		while (rte_ring_dequeue(rig.ports[1].out[q], &m) == 0) {
			assert_true(reload_read(m, seen));
			rte_pktmbuf_free(m);
			n++;
		}
	return n;
}

static void reload_unchanged_tables_are_shared(void **state)
{
	const struct snapshot *before, *after;

	(void)state;
	start_rig(1, 0);
	before = ctrl_snapshot(&rig.ctrl);
	assert_int_equal(before->n_shared_tables, 0);
	must_swap(4, RELOAD_OTHER_HOP); // churn 4: nothing else changes
	after = ctrl_snapshot(&rig.ctrl);
	// Both tables of four VRFs, without the IPv4 table of the one that changed.
	assert_int_equal(after->n_vrfs, 4);
	assert_int_equal(after->n_shared_tables, 7);
	must_swap(8, RELOAD_OTHER_HOP);
	assert_int_equal(ctrl_snapshot(&rig.ctrl)->n_shared_tables, 8);
	rig_destroy(&rig);
}

static void reload_counters_survive(void **state)
{
	struct reload_seen seen;
	uint64_t n_bytes;

	(void)state;
	start_rig(1, RELOAD_TEMP);
	send(RELOAD_DT4, 0, 1);
	send(RELOAD_VANISHING, 0, 2);
	send(RELOAD_ENCAPS, 0, 3);
	walk_all();
	assert_int_equal(take(&seen), 3);
	assert_int_equal(sid_packets(4), 1);
	assert_int_equal(sid_packets(5), 1);
	n_bytes = sum_counters(sids_of, sid_slot(4)).n_bytes;
	must_swap(3, RELOAD_OTHER_VRF | RELOAD_OTHER_LIST);
	assert_int_equal(sid_slot(5), UINT32_MAX);
	send(RELOAD_DT4, 0, 4);
	send(RELOAD_ENCAPS, 0, 5);
	walk_all();
	assert_int_equal(take(&seen), 2);
	assert_int_equal(sid_packets(4), 2);
	assert_int_equal(sum_counters(sids_of, sid_slot(4)).n_bytes, 2 * n_bytes);
	assert_int_equal(sum_counters(policies_of, policy_slot("pol")).n_packets, 2);
	rig_destroy(&rig);
}

static void reload_sid_comes_back_counts_from_zero(void **state)
{
	struct reload_seen seen;
	uint32_t slot;

	(void)state;
	start_rig(1, RELOAD_TEMP);
	slot = sid_slot(5);
	send(RELOAD_VANISHING, 0, 1);
	walk_all();
	assert_int_equal(take(&seen), 1);
	must_swap(4, 0);
	must_swap(8, RELOAD_TEMP);
	assert_int_equal(sid_slot(5), slot);
	assert_int_equal(sid_packets(5), 0);
	rig_destroy(&rig);
}

static void reload_refused_changes_nothing(void **state)
{
	const struct snapshot *before;
	struct refusal refusal = {0};

	(void)state;
	start_rig(1, 0);
	before = ctrl_snapshot(&rig.ctrl);
	assert_int_equal(
		rig_swap(&rig, "vrfs = ( { name = \"a\"; }, { name = \"a\"; } );", &refusal),
		-EINVAL);
	assert_ptr_equal(ctrl_snapshot(&rig.ctrl), before);
	assert_int_equal(reclaim_poll(rig.ctrl.reclaim), 0);
	rig_destroy(&rig);
}

// Leaves n packets of the vanishing VRF in the ring of a worker that did not walk meanwhile.
static void hand_off(uint32_t n)
{
	for (uint32_t seq = 0; seq < n; seq++)
		send(RELOAD_VANISHING, 0, seq);
	while (rte_ring_count(rig.ports[0].in[0]) > 0)
		worker_walk(rig.ctrl.workers[0]);
}

static void reload_vrf_gone_meanwhile_is_dropped(void **state)
{
	struct reload_seen seen;
	unsigned int n_waiting;

	(void)state;
	start_rig(N_WORKERS, RELOAD_TEMP | RELOAD_DISPATCH);
	hand_off(64);
	n_waiting = rte_ring_count(rig.ctrl.workers[1]->ring);
	assert_in_range(n_waiting, 1, 63);
	assert_int_equal(take(&seen), 64 - n_waiting);
	must_swap(4, RELOAD_DISPATCH);
	assert_int_equal(take(&seen), 0);
	assert_int_equal(traffic_node_packets(&rig, "drop_no_vrf"), n_waiting);
	rig_destroy(&rig);
}

// A grace period is shorter than a full ring: the slot may belong to another tenant by the time that a packet
// leaves the ring.
static void reload_vrf_slot_of_another_is_dropped(void **state)
{
	struct reload_seen seen;
	unsigned int n_waiting;

	(void)state;
	start_rig(N_WORKERS, RELOAD_TEMP | RELOAD_DISPATCH);
	hand_off(2048);
	n_waiting = rte_ring_count(rig.ctrl.workers[1]->ring);
	assert_true(n_waiting > 3 * WORKER_BURST);
	take(&seen);
	must_swap(4, RELOAD_DISPATCH);
	must_swap(5, RELOAD_DISPATCH); // VRF x5 takes the slot; its default route catches all
	for (unsigned int i = 0; i < 16; i++)
		walk_all();
	assert_int_equal(take(&seen), 0);
	assert_int_equal(traffic_node_packets(&rig, "drop_no_vrf"), n_waiting);
	rig_destroy(&rig);
}

static uint32_t gateway_slot(void)
{
	const struct snapshot *s = ctrl_snapshot(&rig.ctrl);
	const struct ip6_addr addr = {{0x20, 0x01, 0x0d, 0xb8, 0, 0xf, [15] = 2}};

	for (uint32_t i = 0; i < s->n_adj_slots; i++) {
		struct adj_key key;

		if (adj_table_key(rig.ctrl.adj_table, s->adj_slots[i], &key) &&
			key.addr.family == 6 && ip6_addr_equal(&key.addr.addr, &addr))
			return s->adj_slots[i];
	}
	return ADJ_NONE;
}

// A tenant's packet waits, encapsulated, for the underlay's neighbour; when it goes on it turns out too long, and
// its tenant is no more.
static void reload_waiting_packet_of_gone_tenant_is_dropped(void **state)
{
	struct adj adj;
	struct reload_seen seen;
	void *m = NULL;

	(void)state;
	start_rig(1, 0);
	adj = *adj_table_get(rig.ctrl.adj_table, gateway_slot());
	adj.mtu = 64;
	adj_table_set(rig.ctrl.adj_table, gateway_slot(), NULL);
	send(RELOAD_ENCAPS, 0, 1);
	walk_all();
	assert_int_equal(rte_ring_dequeue(rig.ctrl.punt_ring, &m), 0);
	assert_int_not_equal(packet_of(m)->inner_vrf, SNAPSHOT_UNDERLAY_VRF);
	packet_of(m)->inner_vrf = 1000; // more than there are: as after a reload with fewer
	must_swap(4, 0);
	adj_table_set(rig.ctrl.adj_table, gateway_slot(), &adj);
	assert_true(inject_lookup(rig.ctrl.workers[0], m));
	walk_all();
	assert_int_equal(take(&seen), 0);
	assert_int_equal(traffic_node_packets(&rig, "drop_no_vrf"), 1);
	walk_all();
	rig_destroy(&rig);
}

static int start(void **state)
{
	(void)state;
	traffic = calloc(1, sizeof(*traffic));
	rig_start_eal(N_WORKERS, 0, false);
	return traffic == NULL;
}

static int stop(void **state)
{
	(void)state;
	free(traffic);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reload_unchanged_tables_are_shared),
		cmocka_unit_test(reload_counters_survive),
		cmocka_unit_test(reload_sid_comes_back_counts_from_zero),
		cmocka_unit_test(reload_refused_changes_nothing),
		cmocka_unit_test(reload_vrf_gone_meanwhile_is_dropped),
		cmocka_unit_test(reload_vrf_slot_of_another_is_dropped),
		cmocka_unit_test(reload_waiting_packet_of_gone_tenant_is_dropped),
		cmocka_unit_test(reload_one_worker_loses_nothing),
		cmocka_unit_test(reload_two_workers_lose_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
