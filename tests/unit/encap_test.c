// SPDX-License-Identifier: Apache-2.0

#include "pipeline/encap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pipeline/dispatch.h"

enum {
	N_FLOWS = 100000,
	N_LISTS = 2,
	N_WORKERS = 2,
	N_PATHS = 2,
};

static uint32_t hash_of(uint32_t flow)
{
	uint8_t ip[28] = {0x45, [9] = 17, [12] = 10, 0, 0, 1, 10, 1};

	memcpy(ip + 20, &flow, sizeof(flow));
	return flow_hash_ip4(ip, sizeof(ip));
}

// Lists of equal weights whose segments are SIDs of this node.
static void make_policy(struct policy *policy, struct policy_list *lists)
{
	for (uint32_t i = 0; i < N_LISTS; i++)
		lists[i] = (struct policy_list){
			.next = dest_make(DEST_SID_END, 0), .weight_end = i + 1};
	*policy = (struct policy){.n_lists = N_LISTS, .weight_sum = N_LISTS, .lists = lists};
}

// Each worker's flows take both lists, and the flows of a list take both paths of an ECMP group.
static void encap_lists_spread_beside_workers_and_paths(void **state)
{
	struct worker w = {.n_workers = N_WORKERS};
	uint32_t n[N_WORKERS][N_LISTS][N_PATHS] = {0};
	struct policy_list lists[N_LISTS];
	struct policy policy;

	(void)state;
	make_policy(&policy, lists);
	for (uint32_t flow = 0; flow < N_FLOWS; flow++) {
		uint32_t hash = hash_of(flow);
		uint16_t worker = dispatch_worker(&w, hash, 3);
		size_t list = (size_t)(encap_pick(&w, &policy, hash) - lists);

		n[worker][list][hash % GROUP_BUCKETS / (GROUP_BUCKETS / N_PATHS)]++;
	}
	// An eighth is 12500, the deviation about 105.
	for (uint32_t i = 0; i < N_WORKERS * N_LISTS * N_PATHS; i++)
		assert_in_range((&n[0][0][0])[i], 12000, 13000);
}

static void encap_lists_are_picked_by_weight(void **state)
{
	struct worker w = {0};
	uint32_t n[N_LISTS] = {0};
	struct policy_list lists[N_LISTS];
	struct policy policy;

	(void)state;
	make_policy(&policy, lists);
	lists[0].weight_end = 3;
	lists[1].weight_end = policy.weight_sum = 4;
	for (uint32_t flow = 0; flow < N_FLOWS; flow++)
		n[encap_pick(&w, &policy, hash_of(flow)) - lists]++;
	assert_in_range(n[0], 74000, 76000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encap_lists_spread_beside_workers_and_paths),
		cmocka_unit_test(encap_lists_are_picked_by_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
