// SPDX-License-Identifier: Apache-2.0

// No node may assume that all headers lie in one segment: every frame here goes through the real graph whole,
// then cut in two at every byte, then in three at every pair of bytes. What comes out, and which drop
// counters move, must be the same each time, and no buffer may get lost.

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#include <rte_graph_worker.h>

#include "perf/rig.h"
#include "tests/unit/graph_chain.h"
#include "tests/unit/graph_shapes.h"

enum {
	ETH_LEN = 14,
	VLAN_LEN = 4,
	N_PORTS = 2,
	N_WALKS =
		3, // a packet passes the lookup again by way of no ring, but sources look only once a walk
	MAX_DROPS = 128,
	MAX_FRAMES = 4,
	MAX_LEN = 2000,
	MAX_CUT_TWICE_LEN = 260,
};

static const char config[] =
	"eal = { huge_pages = false; };\n"
	"workers = { count = 1; mbufs = 4095; };\n"
	"icmp = { errors_per_s = 10000000; burst = 10000000; };\n"
	"ports = (\n"
	" { name = \"in\"; device = \"net_ring_rig0\"; sr_trusted = true;\n"
	"   addresses = [ \"2001:db8:e::1/64\" ]; vlans = (\n"
	"   { id = 10; vrf = \"red\"; addresses = [ \"10.10.0.1/24\", \"fd00:10::1/64\" ]; },\n"
	"   { id = 44; l2_policy = \"wire\"; } ); },\n"
	" { name = \"out\"; device = \"net_ring_rig1\"; addresses = [ \"2001:db8:f::1/64\" ];\n"
	"   vlans = ( { id = 21; vrf = \"red\"; addresses = [ \"10.1.0.1/24\", \"fd00:21::1/64\" "
	"]; } ); } );\n"
	"vrfs = ( { name = \"default\"; icmp_source6 = \"2001:db8:e::1\"; routes = (\n"
	"  { prefix = \"::/0\"; via = \"2001:db8:f::2\"; } ); },\n"
	" { name = \"red\"; icmp_source4 = \"10.10.0.1\"; icmp_source6 = \"fd00:10::1\"; routes = "
	"(\n"
	"  { prefix = \"0.0.0.0/0\"; via = \"10.1.0.2\"; }, { prefix = \"::/0\"; via = "
	"\"fd00:21::2\"; },\n"
	"  { prefix = \"10.60.0.0/16\"; policy = \"one\"; }, { prefix = \"fd00:60::/32\"; policy = "
	"\"one\"; },\n"
	"  { prefix = \"10.61.0.0/16\"; policy = \"long\"; }, { prefix = \"fd00:61::/32\"; policy "
	"= \"long\"; },\n"
	"  { prefix = \"10.62.0.0/16\"; policy = \"signed\"; },\n"
	"  { prefix = \"10.63.0.0/16\"; unreachable = true; } ); } );\n"
	"srv6 = { source = \"2001:db8:e::1\"; locators = [ \"fc00:0:f00::/40\" ];\n"
	" sids = (\n"
	"  { sid = \"fc00:0:f00::\"; behavior = \"End\"; },\n"
	"  { sid = \"fc00:0:f01::\"; behavior = \"End\"; flavors = [ \"PSP\" ]; },\n"
	"  { sid = \"fc00:0:f02::\"; behavior = \"End\"; flavors = [ \"USD\" ]; },\n"
	"  { sid = \"fc00:0:f03::\"; behavior = \"End\"; flavors = [ \"USP\" ]; },\n"
	"  { sid = \"fc00:0:f04::\"; behavior = \"End.X\"; nexthop = \"2001:db8:f::3\"; },\n"
	"  { sid = \"fc00:0:f05::\"; behavior = \"End.T\"; vrf = \"red\"; },\n"
	"  { sid = \"fc00:0:f06::\"; behavior = \"End.DT46\"; vrf = \"red\"; },\n"
	"  { sid = \"fc00:0:f07::\"; behavior = \"End.DX2\"; port = \"in.44\"; },\n"
	"  { sid = \"fc00:0:f08::\"; behavior = \"End.DX4\"; nexthop = \"10.1.0.7\"; port = "
	"\"out.21\"; },\n"
	"  { sid = \"fc00:0:f09::\"; behavior = \"End.DX6\"; nexthop = \"fd00:21::7\"; port = "
	"\"out.21\"; },\n"
	"  { sid = \"fc00:0:f0a::\"; behavior = \"End.B6.Encaps\"; policy = \"two\"; },\n"
	"  { sid = \"fc00:0:f0b::\"; behavior = \"End\"; require_hmac = true; },\n"
	"  { sid = \"fc00:0:f0c::\"; behavior = \"End.DT46\"; vrf = \"red\"; require_hmac = true; "
	"},\n"
	"  { sid = \"fc00:0:f0d::\"; behavior = \"End.X\"; flavors = [ \"PSP\", \"USD\" ];\n"
	"    nexthop = \"2001:db8:f::3\"; },\n"
	"  { sid = \"2001:db8:c::/48\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\", \"PSP\" "
	"];\n"
	"    block_bits = 32; csid_bits = 16; } );\n"
	" policies = (\n"
	"  { name = \"one\"; segments = [ \"2001:db8:a::1\" ]; },\n"
	"  { name = \"two\"; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\" ]; },\n"
	"  { name = \"long\"; headend = \"H.Encaps.Red\"; segments = [ \"2001:db8:a::1\", "
	"\"2001:db8:a::2\",\n"
	"    \"2001:db8:a::3\", \"2001:db8:a::4\", \"2001:db8:a::5\", \"2001:db8:a::6\", "
	"\"2001:db8:a::7\",\n"
	"    \"2001:db8:a::8\", \"2001:db8:a::9\", \"2001:db8:a::a\" ]; },\n"
	"  { name = \"signed\"; hmac_key_id = 7; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\" "
	"]; },\n"
	"  { name = \"wire\"; headend = \"H.Encaps.L2\"; segments = [ \"2001:db8:a::1\" ]; } );\n"
	" hmac_keys = ( { id = 7; secret = \"segments\"; } ); };\n";

static struct rig rig;

// What became of a frame.
struct fate {
	uint32_t n_frames;
	uint32_t n_punted;
	struct {
		uint16_t port;
		uint32_t len;
		uint8_t bytes[MAX_LEN];
	} frames[MAX_FRAMES];
	uint64_t drops[MAX_DROPS]; // by place in the graph
};

// A frame: an IPv6 packet, with or without a VLAN tag.
struct given {
	uint32_t len;
	uint8_t bytes[ETH_LEN + VLAN_LEN + SRV6_PACKET_MAX_LEN];
};

static void put_eth(struct given *given, uint16_t vlan, uint16_t type)
{
	const struct iface *iface = &ctrl_snapshot(&rig.ctrl)->ifaces[0];
	uint8_t *at = given->bytes;

	memcpy(at, iface->mac, 6);
	memcpy(at + 6, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	at += 12;
	if (vlan != 0) {
		memcpy(at, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, VLAN_LEN);
		at += VLAN_LEN;
	}
	at[0] = (uint8_t)(type >> 8);
	at[1] = (uint8_t)type;
	given->len = (uint32_t)(at + 2 - given->bytes);
}

static void put_packet(struct given *given, const void *bytes, uint32_t len)
{
	memcpy(given->bytes + given->len, bytes, len);
	given->len += len;
}

static struct rte_mbuf *make_chain(const struct given *given, uint32_t first, uint32_t second)
{
	return graph_chain_make(rig.ctrl.pools.small, given->bytes, given->len, first, second);
}

static void count_drops(uint64_t *drops)
{
	const struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t i;

	rte_graph_foreach_node(i, off, rig.ctrl.workers[0]->graph, node)
	{
		assert_true(i < MAX_DROPS);
		drops[i] = strncmp(node->name, "drop_", 5) == 0 ? node->total_objs : 0;
	}
}

static void take_frames(struct fate *fate)
{
	void *obj;

	for (uint16_t port = 0; port < N_PORTS; port++)
		while (rte_ring_dequeue(rig.ports[port].out[0], &obj) == 0) {
			struct rte_mbuf *m = obj;
			uint8_t *bytes = fate->frames[fate->n_frames].bytes;
			const void *read;

			assert_true(fate->n_frames < MAX_FRAMES && m->pkt_len <= MAX_LEN);
			rte_mbuf_sanity_check(m, 1);
			fate->frames[fate->n_frames].port = port;
			fate->frames[fate->n_frames].len = m->pkt_len;
			read = rte_pktmbuf_read(m, 0, m->pkt_len, bytes);
			if (read != bytes)
				memcpy(bytes, read, m->pkt_len);
			fate->n_frames++;
			rte_pktmbuf_free(m);
		}
	while (rte_ring_dequeue(rig.ctrl.punt_ring, &obj) == 0) {
		fate->n_punted++;
		rte_pktmbuf_free(obj);
	}
}

static void walk(struct rte_mbuf *m, struct fate *fate)
{
	uint64_t before[MAX_DROPS] = {0};

	memset(fate, 0, offsetof(struct fate, frames));
	memset(fate->drops, 0, sizeof(fate->drops));
	count_drops(before);
	assert_int_equal(rte_ring_enqueue(rig.ports[0].in[0], m), 0);
	for (unsigned int i = 0; i < N_WALKS; i++)
		worker_walk(rig.ctrl.workers[0]);
	take_frames(fate);
	count_drops(fate->drops);
	for (unsigned int i = 0; i < MAX_DROPS; i++)
		fate->drops[i] -= before[i];
}

// The first byte that differs, or -1 when the frames are the same.
static int find_difference(const struct fate *whole, const struct fate *cut)
{
	for (uint32_t i = 0; i < whole->n_frames; i++) {
		if (whole->frames[i].port != cut->frames[i].port ||
			whole->frames[i].len != cut->frames[i].len)
			return 0;
		for (uint32_t at = 0; at < whole->frames[i].len; at++)
			if (whole->frames[i].bytes[at] != cut->frames[i].bytes[at])
				return (int)at;
	}
	return -1;
}

static void expect_same(const char *name, uint32_t first, uint32_t second, const struct fate *whole,
	const struct fate *cut)
{
	int at = -1;

	if (whole->n_frames == cut->n_frames)
		at = find_difference(whole, cut);
	if (whole->n_frames == cut->n_frames && at < 0 && whole->n_punted == cut->n_punted &&
		memcmp(whole->drops, cut->drops, sizeof(whole->drops)) == 0)
		return;
	fail_msg("%s, cut at %u and %u: %u frames instead of %u, first difference at byte %d%s",
		name, first, second, cut->n_frames, whole->n_frames, at,
		memcmp(whole->drops, cut->drops, sizeof(whole->drops)) == 0 ? "" : ", other drops");
}

// Something must become of the frame at all.
static void expect_fate(const char *name, const struct fate *fate)
{
	uint64_t n = fate->n_frames + fate->n_punted;

	for (unsigned int i = 0; i < MAX_DROPS; i++)
		n += fate->drops[i];
	if (n == 0)
		fail_msg("%s: nothing became of the frame", name);
}

static void cut_everywhere(const char *name, const struct given *given)
{
	const unsigned int n_free = rte_mempool_avail_count(rig.ctrl.pools.small);
	static struct fate whole, cut;

	walk(make_chain(given, given->len, given->len), &whole);
	expect_fate(name, &whole);
	for (uint32_t first = 1; first < given->len; first++) {
		walk(make_chain(given, first, given->len), &cut);
		expect_same(name, first, given->len, &whole, &cut);
	}
	for (uint32_t first = 1; given->len <= MAX_CUT_TWICE_LEN && first < given->len; first++)
		for (uint32_t second = first + 1; second < given->len; second++) {
			walk(make_chain(given, first, second), &cut);
			expect_same(name, first, second, &whole, &cut);
		}
	assert_int_equal(rte_mempool_avail_count(rig.ctrl.pools.small), n_free);
}

static void graph_segments_srv6_frames_cut_anywhere_fare_alike(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(graph_shapes); i++) {
		struct srv6_packet pkt = graph_shapes[i].make(graph_shapes[i].number);
		struct given given;

		put_eth(&given, 0, 0x86dd);
		put_packet(&given, pkt.b, pkt.len);
		cut_everywhere(graph_shapes[i].name, &given);
	}
}

static void graph_segments_junk_behind_the_packet_is_trimmed(void **state)
{
	const uint8_t junk[30] = {1, 2, 3};

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(graph_shapes); i++) {
		struct srv6_packet pkt = graph_shapes[i].make(graph_shapes[i].number);
		struct given given;

		put_eth(&given, 0, 0x86dd);
		put_packet(&given, pkt.b, pkt.len);
		put_packet(&given, junk, sizeof(junk));
		cut_everywhere(graph_shapes[i].name, &given);
	}
}

static void graph_segments_tenant_packets_cut_anywhere_fare_alike(void **state)
{
	(void)state;
	for (uint8_t third = 60; third < 65; third++) {
		struct srv6_packet pkt = to_sid(SID_END);
		struct given given;

		add_inner4(&pkt, third, 64, third == 64 ? IP4_LEN + 40 : IP4_LEN);
		put_eth(&given, 10, 0x0800);
		put_packet(&given, pkt.b + IP6_LEN, pkt.len - IP6_LEN);
		cut_everywhere("tenant, 4", &given);
	}
	for (uint16_t second = 0x60; second < 0x63; second++) {
		struct srv6_packet pkt = to_sid(SID_END);
		struct given given;

		add_inner6(&pkt, second, second == 0x62 ? 1 : 64);
		put_eth(&given, 10, 0x86dd);
		put_packet(&given, pkt.b + IP6_LEN, pkt.len - IP6_LEN);
		cut_everywhere("tenant, 6", &given);
	}
}

static void graph_segments_layer2_frames_cut_anywhere_fare_alike(void **state)
{
	struct srv6_packet pkt = to_sid(SID_END);
	struct given given;

	(void)state;
	add_inner4(&pkt, 9, 64, IP4_LEN);
	put_eth(&given, 44, 0x0800);
	put_packet(&given, pkt.b + IP6_LEN, pkt.len - IP6_LEN);
	cut_everywhere("layer 2, 4", &given);
	put_eth(&given, 44, 0x1234);
	put_packet(&given, pkt.b, pkt.len);
	cut_everywhere("layer 2, other", &given);
}

static int start(void **state)
{
	char *args[] = {"unit", "--lcores", "0@0", "--no-telemetry", "--no-pci", "--no-shconf",
		"--no-huge", "--log-level=3", "-m", "256", NULL};

	(void)state;
	if (rte_eal_init((int)RTE_DIM(args) - 1, args) < 0)
		return -1;
	rig_create(&rig, config, N_PORTS, 1);
	graph_shapes_keys = ctrl_snapshot(&rig.ctrl)->hmac_keys;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_destroy(&rig);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graph_segments_srv6_frames_cut_anywhere_fare_alike),
		cmocka_unit_test(graph_segments_junk_behind_the_packet_is_trimmed),
		cmocka_unit_test(graph_segments_tenant_packets_cut_anywhere_fare_alike),
		cmocka_unit_test(graph_segments_layer2_frames_cut_anywhere_fare_alike),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
