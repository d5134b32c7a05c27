// SPDX-License-Identifier: Apache-2.0

// Source pools: which addresses there are, whose they are, what of them stays, and what is refused.

#include "tests/unit/compile_fixture.h"

#define SOURCES(workers, list)                                                                     \
	"workers = { count = " workers "; };\n" PORTS                                              \
	"vrfs = ( { name = \"red\";\nsources = [ " list " ]; } );"

static uint32_t vrf_slot(const struct snapshot *s, const char *name)
{
	uint32_t slot = 0;

	while (strcmp(s->vrf_names[slot].text, name) != 0)
		slot++;
	return slot;
}

static const struct vrf *red(const struct fixture *f)
{
	return &f->snapshot->vrfs[vrf_slot(f->snapshot, "red")];
}

// The source at an IPv4 address of red, or NULL.
static const struct source *source_at(const struct fixture *f, uint32_t addr)
{
	uint32_t dest = lpm_lookup(red(f)->ip4, (uint64_t)addr << 32, 0);

	if (dest_kind(dest) != DEST_L7_SOURCE)
		return NULL;
	return &f->snapshot->sources[dest_index(dest)];
}

static void compile_sources_prefix_is_all_its_addresses(void **state)
{
	struct fixture *f = *state;

	must_compile(f, SOURCES("1", "\"10.9.0.4/30\", \"10.9.1.1\", \"fd00:9::/126\""));
	assert_int_equal(red(f)->sources4.n, 5);
	assert_int_equal(red(f)->sources6.n, 4);
	assert_null(source_at(f, 0x0a090003));
	for (uint32_t addr = 0x0a090004; addr < 0x0a090008; addr++) {
		assert_non_null(source_at(f, addr));
		assert_int_equal(source_at(f, addr)->addr.b[3], addr & 0xff);
		assert_int_equal(source_at(f, addr)->family, 4);
		assert_int_equal(source_at(f, addr)->vrf, vrf_slot(f->snapshot, "red"));
	}
	assert_null(source_at(f, 0x0a090008));
	assert_non_null(source_at(f, 0x0a090101));
	assert_int_equal(dest_kind(lpm_lookup(red(f)->ip6, 0xfd00000900000000, 3)), DEST_L7_SOURCE);
	assert_int_equal(dest_kind(lpm_lookup(f->snapshot->vrfs[0].ip4, 0x0a090004ull << 32, 0)),
		DEST_NO_ROUTE);
}

// Every worker has as many as the others, but for one.
static void compile_sources_workers_share(void **state)
{
	struct fixture *f = *state;
	uint32_t n[3] = {0};

	must_compile(f, SOURCES("3", "\"10.9.0.0/29\""));
	for (uint32_t addr = 0x0a090000; addr < 0x0a090008; addr++)
		n[source_at(f, addr)->turn % 3]++;
	for (uint32_t i = 0; i < 3; i++)
		assert_in_range(n[i], 2, 3);
}

// What stays keeps slot, worker and age; what is new fills the gaps.
static void compile_sources_stay(void **state)
{
	struct fixture *f = *state;
	struct source before[4];

	must_compile(f, SOURCES("2", "\"10.9.0.0/30\""));
	for (uint32_t i = 0; i < 4; i++)
		before[i] = *source_at(f, 0x0a090000 + i);
	must_compile(f, SOURCES("2", "\"10.8.0.1\", \"10.9.0.2\", \"10.9.0.3\", \"10.9.0.0\""));
	for (uint32_t i = 0; i < 4; i++)
		if (i != 1)
			assert_memory_equal(
				source_at(f, 0x0a090000 + i), &before[i], sizeof(before[i]));
	assert_null(source_at(f, 0x0a090001));
	assert_int_equal(source_at(f, 0x0a080001)->turn, before[1].turn);
	assert_int_equal(source_at(f, 0x0a080001)->since, f->snapshot->generation);
	assert_int_not_equal(before[1].since, f->snapshot->generation);
}

// The two that stay were one worker's both: the other one needs its share.
static void compile_sources_no_worker_goes_without(void **state)
{
	struct fixture *f = *state;

	must_compile(f, SOURCES("2", "\"10.9.0.0/30\""));
	assert_int_equal(source_at(f, 0x0a090000)->turn % 2, source_at(f, 0x0a090002)->turn % 2);
	must_compile(f, SOURCES("2", "\"10.9.0.0\", \"10.9.0.2\""));
	assert_int_not_equal(
		source_at(f, 0x0a090000)->turn % 2, source_at(f, 0x0a090002)->turn % 2);
}

static const struct {
	const char *text;
	const char *refusal;
} cases[] = {
	{SOURCES("2", "\"10.9.0.1\", \"fd00:9::/127\""),
		"f:6: sources: 1 IPv4 addresses of VRF \"red\" for 2 workers; give each one"},
	{SOURCES("1", "\"10.9.0.0/20\", \"fd00:9::1\""),
		"f:6: sources: more than 4096 addresses in all; longer prefixes have less"},
	{SOURCES("1", "\"fd00:9::/64\""),
		"f:6: sources: more than 4096 addresses in all; longer prefixes have less"},
	{SOURCES("1", "\"10.9.0.2/31\", \"10.9.0.3\""), "f:6: sources: 10.9.0.3 is given twice"},
	{SOURCES("1", "\"10.0.0.1\""),
		"f:6: 10.0.0.1/32 in VRF \"red\" is an address of the node and also a source; keep "
		"one of them"},
	{SOURCES("1", "\"224.0.0.1\""), "f:6: sources: 224.0.0.1 is no unicast address"},
	{SOURCES("1", "\"fe80::1\""),
		"f:6: sources: fe80::1 means nothing beyond its link; a global or unique local "
		"address is needed"},
};

static void compile_sources_refusals(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		load(f, cases[i].text);
		assert_int_equal(compile(f), -EINVAL);
		assert_string_equal(f->refusal.text, cases[i].refusal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_sources_prefix_is_all_its_addresses),
		COMPILE_TEST(compile_sources_workers_share),
		COMPILE_TEST(compile_sources_stay),
		COMPILE_TEST(compile_sources_no_worker_goes_without),
		COMPILE_TEST(compile_sources_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
