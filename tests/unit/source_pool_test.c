// SPDX-License-Identifier: Apache-2.0

#include "pipeline/source_pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	N_SOURCES = 4, // two of each family, in VRF 1
	VRF = 1,
	NOW_US = 4000000,
};

static const uint64_t key[2] = {1, 2};

struct fixture {
	struct snapshot snapshot;
	struct vrf vrfs[2];
	struct source sources[N_SOURCES];
	uint32_t order[N_SOURCES];
	struct source_pool *pool;
};

static void fill(struct fixture *f)
{
	for (uint32_t i = 0; i < N_SOURCES; i++) {
		f->sources[i] = (struct source){.addr = {{10, 0, 0, (uint8_t)i}},
			.family = i < 2 ? 4 : 6,
			.vrf = VRF,
			.turn = i % 2,
			.since = 1};
		f->order[i] = i;
	}
	f->vrfs[VRF].sources4 = (struct source_range){0, 2};
	f->vrfs[VRF].sources6 = (struct source_range){2, 2};
	f->snapshot.vrfs = f->vrfs;
	f->snapshot.sources = f->sources;
	f->snapshot.source_order = f->order;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fill(f);
	f->pool = source_pool_create(key, 0, 1);
	*state = f;
	return f->pool == NULL;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	source_pool_destroy(f->pool);
	free(f);
	return 0;
}

static struct flow_tuple to_endpoint(uint8_t family, uint8_t endpoint)
{
	return (struct flow_tuple){.remote = {10, 1, 0, endpoint},
		.remote_port_be = RTE_BE16(80),
		.vrf = VRF,
		.family = family};
}

// A lease for an endpoint, which must be there.
static struct source_lease take(struct fixture *f, uint8_t endpoint, uint64_t now_us, uint32_t *isn)
{
	struct flow_tuple tuple = to_endpoint(4, endpoint);
	struct source_lease lease;

	assert_int_equal(source_pool_take(f->pool, &f->snapshot, now_us, &tuple, &lease, isn), 0);
	assert_int_equal(rte_be_to_cpu_16(tuple.local_port_be), lease.port);
	assert_memory_equal(tuple.local, &f->sources[lease.source].addr, sizeof(tuple.local));
	return lease;
}

static void source_pool_port_is_lent_once(void **state)
{
	static uint8_t seen[2][65536];
	struct fixture *f = *state;
	struct flow_tuple tuple = to_endpoint(4, 1);
	struct source_lease lease;
	uint32_t isn;

	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < 2 * SOURCE_N_PORTS; i++) {
		lease = take(f, 1, NOW_US, &isn);
		assert_in_range(lease.port, SOURCE_FIRST_PORT, 65535);
		assert_in_range(lease.source, 0, 1);
		assert_int_equal(seen[lease.source][lease.port]++, 0);
	}
	// Both addresses are exhausted; the other family is not.
	assert_int_equal(source_pool_take(f->pool, &f->snapshot, NOW_US, &tuple, &lease, &isn),
		-EADDRNOTAVAIL);
	tuple = to_endpoint(6, 1);
	assert_int_equal(source_pool_take(f->pool, &f->snapshot, NOW_US, &tuple, &lease, &isn), 0);
	assert_in_range(lease.source, 2, 3);
}

static void source_pool_oldest_port_comes_first(void **state)
{
	struct fixture *f = *state;
	struct source_lease given[3], lease;
	uint32_t isn;

	f->vrfs[VRF].sources4.n = 1;
	for (uint32_t i = 0; i < SOURCE_N_PORTS; i++) {
		lease = take(f, 1, NOW_US, &isn);
		if (i < RTE_DIM(given))
			given[i] = lease;
	}
	source_pool_give(f->pool, &given[1], 7);
	source_pool_give(f->pool, &given[0], 7);
	source_pool_give(f->pool, &given[2], 7);
	assert_int_equal(take(f, 1, NOW_US, &isn).port, given[1].port);
	assert_int_equal(take(f, 1, NOW_US, &isn).port, given[0].port);
	source_pool_give(f->pool, &given[1], 7);
	assert_int_equal(take(f, 1, NOW_US, &isn).port, given[2].port);
	assert_int_equal(take(f, 1, NOW_US, &isn).port, given[1].port);
}

// Lends the only port that is left of the only address, gives it back with last_seq, and takes it again.
static uint32_t isn_after(struct fixture *f, uint32_t off, uint8_t first, uint8_t second)
{
	struct source_lease lease;
	uint32_t isn, again;

	f->vrfs[VRF].sources4.n = 1;
	for (uint32_t i = 1; i < SOURCE_N_PORTS; i++)
		take(f, 1, NOW_US, &isn);
	lease = take(f, first, NOW_US, &isn);
	source_pool_give(f->pool, &lease, isn + off);
	assert_int_equal(take(f, second, NOW_US + 4000, &again).port, lease.port);
	return again - isn;
}

// RFC 6191: a tuple in TIME_WAIT takes a connection that begins above what it saw.
static void source_pool_isn_is_above_the_last(void **state)
{
	assert_int_equal(isn_after(*state, 5000000, 1, 1), 5000001);
}

static void source_pool_isn_is_the_clock_after_a_short_connection(void **state)
{
	assert_int_equal(isn_after(*state, 500, 1, 1), 1000);
}

static void source_pool_isn_of_another_endpoint_is_its_own(void **state)
{
	struct fixture *f = *state;
	uint32_t diff = isn_after(f, 5000000, 1, 2);

	assert_int_not_equal(diff, 5000001);
	assert_int_not_equal(diff, 1000);
}

static void source_pool_workers_share_no_address(void **state)
{
	struct fixture *f = *state;
	struct flow_tuple tuple = to_endpoint(4, 1);
	struct source_lease lease;
	uint32_t isn;

	for (uint16_t worker = 0; worker < 2; worker++) {
		source_pool_destroy(f->pool);
		f->pool = source_pool_create(key, worker, 2);
		assert_non_null(f->pool);
		for (uint32_t i = 0; i < SOURCE_N_PORTS; i++)
			assert_int_equal(take(f, 1, NOW_US, &isn).source, worker);
		assert_int_equal(
			source_pool_take(f->pool, &f->snapshot, NOW_US, &tuple, &lease, &isn),
			-EADDRNOTAVAIL);
	}
}

static void source_pool_vrf_without_sources_has_none(void **state)
{
	struct fixture *f = *state;
	struct flow_tuple tuple = to_endpoint(4, 1);
	struct source_lease lease;
	uint32_t isn;

	tuple.vrf = 0;
	assert_int_equal(source_pool_take(f->pool, &f->snapshot, NOW_US, &tuple, &lease, &isn),
		-EADDRNOTAVAIL);
}

// What was lent of an address that is gone does not come back as a port of the one that has its slot.
static void source_pool_slot_of_another_begins_anew(void **state)
{
	struct fixture *f = *state;
	struct source_lease old, lease;
	uint32_t isn;

	f->vrfs[VRF].sources4.n = 1;
	old = take(f, 1, NOW_US, &isn);
	f->sources[0].since = 2;
	f->sources[0].addr.b[3] = 77;
	for (uint32_t i = 0; i < SOURCE_N_PORTS; i++)
		lease = take(f, 1, NOW_US, &isn);
	source_pool_give(f->pool, &old, 1);
	source_pool_give(f->pool, &lease, 1);
	assert_int_equal(take(f, 1, NOW_US, &isn).port, lease.port);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(source_pool_port_is_lent_once),
		CASE(source_pool_oldest_port_comes_first),
		CASE(source_pool_isn_is_above_the_last),
		CASE(source_pool_isn_is_the_clock_after_a_short_connection),
		CASE(source_pool_isn_of_another_endpoint_is_its_own),
		CASE(source_pool_workers_share_no_address),
		CASE(source_pool_vrf_without_sources_has_none),
		CASE(source_pool_slot_of_another_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
