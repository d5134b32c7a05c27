// SPDX-License-Identifier: Apache-2.0

// The real graph against arbitrary frames. An input is a struct fuzz_head, then a frame; one frame is walked at
// a time. Beyond what the sanitizers see: all packet buffers come back, one frame gives at most one, and no
// packet is longer than the MTU of the interface it leaves by.

#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_graph_worker.h>
#include <rte_mempool.h>

#include "perf/rig.h"
#include "pipeline/inject.h"
#include "pipeline/trace.h"
#include "srv6/srh.h"

enum {
	N_PORTS = 3,
	N_WORKERS = 2,
	N_WALKS =
		4, // of each worker: a frame may be handed on, and come back from the control core
	MAX_CUTS = 3,
	MAX_FRAME_LEN = 4096,
	ETH_LEN = 14,
	IP4_LEN = 20,
	IP6_LEN = 40,
	MTU = 1500,
	SMALL_MTU_VLAN = 21,
	SMALL_MTU = 1300,
	MAX_PUSHED_OFF = 64 + HEADEND_MAX_LEN,
};

enum fuzz_flag {
	FUZZ_TO_US = 1 << 0,	// the destination MAC address is the port's
	FUZZ_REPAIR = 1 << 1,	// lengths and IPv4 checksums are made to fit
	FUZZ_AT_END = 1 << 2,	// the bytes end where the buffer ends, and poison begins
	FUZZ_REINJECT = 1 << 3, // a packet that waits for its neighbour goes back to the lookup
	FUZZ_GIVE_UP = 1 << 4,	// or its neighbour did not answer
	FUZZ_TRACE = 1 << 5,
	FUZZ_STRIPPED = 1 << 6, // the driver took the VLAN tag off
};

struct fuzz_head {
	uint8_t port;
	uint8_t flags;
	uint8_t vlan;
	uint8_t cuts[MAX_CUTS]; // words of the first segments; 0: no further segment
};

static const char config[] =
	"eal = { huge_pages = false; };\n"
	"workers = { mbufs = 4095; };\n"
	"icmp = { errors_per_s = 10000000; burst = 10000000; };\n"
	"ports = (\n"
	" { name = \"core\"; device = \"net_ring_rig0\"; sr_trusted = true; dispatch = true;\n"
	"   addresses = [ \"2001:db8:e::1/64\" ];\n"
	"   vlans = ( { id = 10; vrf = \"red\"; dispatch = true;\n"
	"               addresses = [ \"10.10.0.1/24\", \"fd00:10::1/64\" ]; },\n"
	"             { id = 44; l2_policy = \"wire\"; } ); },\n"
	" { name = \"out\"; device = \"net_ring_rig1\"; addresses = [ \"2001:db8:f::1/64\" ];\n"
	"   vlans = ( { id = 21; vrf = \"red\"; mtu = 1300;\n"
	"               addresses = [ \"10.1.0.1/24\", \"fd00:21::1/64\" ]; },\n"
	"             { id = 22; vrf = \"red\"; addresses = [ \"10.2.0.1/24\" ]; } ); },\n"
	" { name = \"wire\"; device = \"net_ring_rig2\"; l2_policy = \"wirered\"; } );\n"
	"vrfs = ( { name = \"default\"; icmp_source6 = \"2001:db8:e::1\"; routes = (\n"
	"  { prefix = \"2001:db8:a::/48\"; via = \"2001:db8:f::2\"; },\n"
	"  { prefix = \"2001:db8:b::/48\"; paths = ( { via = \"2001:db8:f::3\"; weight = 3; },\n"
	"    { via = \"2001:db8:f::4\"; }, { policy = \"pol\"; } ); },\n"
	"  { prefix = \"2001:db8:d::/48\"; policy = \"pol\"; },\n"
	"  { prefix = \"2001:db8:dead::/48\"; blackhole = true; },\n"
	"  { prefix = \"2001:db8:2::/48\"; unreachable = true; } ); },\n"
	" { name = \"red\"; icmp_source4 = \"10.10.0.1\"; icmp_source6 = \"fd00:10::1\"; routes = "
	"(\n"
	"  { prefix = \"0.0.0.0/0\"; via = \"10.1.0.2\"; }, { prefix = \"::/0\"; via = "
	"\"fd00:21::2\"; },\n"
	"  { prefix = \"10.60.0.0/16\"; policy = \"pol\"; }, { prefix = \"fd00:60::/32\"; policy = "
	"\"pol\"; },\n"
	"  { prefix = \"10.61.0.0/16\"; policy = \"three\"; }, { prefix = \"fd00:61::/32\"; policy "
	"= "
	"\"three\"; },\n"
	"  { prefix = \"10.62.0.0/16\"; policy = \"long\"; }, { prefix = \"fd00:62::/32\"; policy "
	"= "
	"\"long\"; },\n"
	"  { prefix = \"10.63.0.0/16\"; policy = \"signed\"; },\n"
	"  { prefix = \"10.64.0.0/16\"; policy = \"nested\"; },\n"
	"  { prefix = \"10.65.0.0/16\"; policy = \"weighted\"; },\n"
	"  { prefix = \"10.66.0.0/16\"; unreachable = true; },\n"
	"  { prefix = \"10.67.0.0/16\"; blackhole = true; },\n"
	"  { prefix = \"10.68.0.0/16\"; paths = ( { via = \"10.1.0.2\"; }, { via = \"10.2.0.2\"; "
	"},\n"
	"    { policy = \"pol\"; } ); },\n"
	// A circle that the search for circles, which goes by the first and the last address, does not see.
	"  { prefix = \"10.69.0.0/32\"; blackhole = true; },\n"
	"  { prefix = \"10.69.255.255/32\"; blackhole = true; },\n"
	"  { prefix = \"10.69.0.0/16\"; policy = \"circle\"; } ); } );\n"
	"srv6 = { source = \"2001:db8:e::1\"; locators = [ \"2001:db8:1::/48\" ];\n"
	" sids = (\n"
	"  { sid = \"2001:db8:1:1::\"; behavior = \"End\"; },\n"
	"  { sid = \"2001:db8:1:2::\"; behavior = \"End\"; flavors = [ \"PSP\", \"USP\", \"USD\" "
	"]; },\n"
	"  { sid = \"2001:db8:1:3::\"; behavior = \"End.X\"; flavors = [ \"PSP\", \"USP\", \"USD\" "
	"];\n"
	"    nexthop = \"2001:db8:f::2\"; },\n"
	"  { sid = \"2001:db8:1:4::\"; behavior = \"End.T\"; flavors = [ \"USD\" ]; vrf = \"red\"; "
	"},\n"
	"  { sid = \"2001:db8:1:5::\"; behavior = \"End.DX2\"; port = \"core.44\"; },\n"
	"  { sid = \"2001:db8:1:6::\"; behavior = \"End.DX4\"; nexthop = \"10.1.0.7\"; port = "
	"\"out.21\"; "
	"},\n"
	"  { sid = \"2001:db8:1:7::\"; behavior = \"End.DX6\"; nexthop = \"fd00:21::7\"; port = "
	"\"out.21\"; },\n"
	"  { sid = \"2001:db8:1:8::\"; behavior = \"End.DT4\"; vrf = \"red\"; },\n"
	"  { sid = \"2001:db8:1:9::\"; behavior = \"End.DT6\"; vrf = \"red\"; },\n"
	"  { sid = \"2001:db8:1:a::\"; behavior = \"End.DT46\"; vrf = \"red\"; },\n"
	"  { sid = \"2001:db8:1:b::\"; behavior = \"End.B6.Encaps\"; policy = \"three\"; },\n"
	"  { sid = \"2001:db8:1:c::\"; behavior = \"End.B6.Encaps.Red\"; policy = \"red\"; },\n"
	"  { sid = \"2001:db8:1:d::\"; behavior = \"End\"; require_hmac = true; },\n"
	"  { sid = \"2001:db8:1:e::\"; behavior = \"End.DT46\"; vrf = \"red\"; require_hmac = "
	"true; },\n"
	"  { sid = \"2001:db8:1:f::\"; behavior = \"End.DX2\"; port = \"wire\"; },\n"
	"  { sid = \"2001:db8:c::/48\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\", \"PSP\", "
	"\"USD\" "
	"];\n"
	"    block_bits = 32; csid_bits = 16; },\n"
	"  { sid = \"2001:db8:ce::/48\"; behavior = \"End.X\"; flavors = [ \"NEXT-C-SID\" ];\n"
	"    block_bits = 32; csid_bits = 16; nexthop = \"2001:db8:f::3\"; } );\n"
	" policies = (\n"
	"  { name = \"pol\"; segments = [ \"2001:db8:a::1\" ]; },\n"
	"  { name = \"three\"; dscp = 10; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\", "
	"\"2001:db8:a::3\" ]; },\n"
	"  { name = \"red\"; headend = \"H.Encaps.Red\"; segments = [ \"2001:db8:a::1\", "
	"\"2001:db8:a::2\" ]; },\n"
	"  { name = \"long\"; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\", "
	"\"2001:db8:a::3\",\n"
	"    \"2001:db8:a::4\", \"2001:db8:a::5\", \"2001:db8:a::6\", \"2001:db8:a::7\", "
	"\"2001:db8:a::8\",\n"
	"    \"2001:db8:a::9\", \"2001:db8:a::a\", \"2001:db8:a::b\", \"2001:db8:a::c\", "
	"\"2001:db8:a::d\",\n"
	"    \"2001:db8:a::e\", \"2001:db8:a::f\", \"2001:db8:a::10\" ]; },\n"
	"  { name = \"signed\"; hmac_key_id = 7; segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\" "
	"]; },\n"
	"  { name = \"nested\"; segments = [ \"2001:db8:d::1\" ]; },\n"
	"  { name = \"weighted\"; segment_lists = ( { weight = 3; segments = [ \"2001:db8:a::1\" "
	"]; },\n"
	"    { segments = [ \"2001:db8:b::1\", \"2001:db8:b::2\" ]; } ); },\n"
	"  { name = \"circle\"; segments = [ \"2001:db8:1:a::\" ]; },\n"
	"  { name = \"wire\"; headend = \"H.Encaps.L2\"; segments = [ \"2001:db8:a::1\" ]; },\n"
	"  { name = \"wirered\"; headend = \"H.Encaps.L2.Red\"; force_srh = true;\n"
	"    segments = [ \"2001:db8:b::1\", \"2001:db8:b::2\" ]; } );\n"
	" hmac_keys = ( { id = 7; secret = \"graph\"; } ); };\n";

static struct rig rig;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

// What lies between the buffers of the pool, except for the headers that DPDK keeps there.
static void poison_gaps(struct rte_mempool *pool, void *opaque, void *object, unsigned int idx)
{
	(void)opaque;
	(void)idx;
	ASAN_POISON_MEMORY_REGION((uint8_t *)object - pool->header_size,
		pool->header_size - sizeof(struct rte_mempool_objhdr));
	ASAN_POISON_MEMORY_REGION((uint8_t *)object + pool->elt_size, pool->trailer_size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *args[] = {"graph_fuzz", "--lcores", "0@0", "--no-telemetry", "--no-pci",
		"--no-shconf", "--no-huge", "--log-level=3", "-m", "256", NULL};

	(void)argc;
	(void)argv;
	require(rte_eal_init((int)RTE_DIM(args) - 1, args) >= 0);
	// The workers lie in EAL's memory, where no leak checker looks for what they own.
	__lsan_disable();
	rig_create(&rig, config, N_PORTS, N_WORKERS);
	__lsan_enable();
	rte_mempool_obj_iter(rig.ctrl.pools.small, poison_gaps, NULL);
	return 0;
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void repair_ip4(uint8_t *ip, uint32_t len)
{
	uint32_t ihl_len, sum = 0;

	if (len < IP4_LEN)
		return;
	ihl_len = (ip[0] & 15) * 4u;
	if (ihl_len < IP4_LEN || ihl_len > len)
		return;
	if ((uint32_t)(ip[2] << 8 | ip[3]) > len)
		put16(ip + 2, len);
	put16(ip + 10, 0);
	for (uint32_t i = 0; i < ihl_len; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)));
}

// Steps over what stands before an inner IPv4 packet.
static void repair_ip6(uint8_t *ip, uint32_t len)
{
	struct srh_cursor cursor = {.off = IP6_LEN, .proto_off = 6};

	if (len < IP6_LEN)
		return;
	if ((uint32_t)(ip[4] << 8 | ip[5]) > len - IP6_LEN)
		put16(ip + 4, len - IP6_LEN);
	cursor.proto = ip[6];
	while (srh_walk(ip, len, len, &cursor) == SRH_WALK_SRH) {
		cursor.proto = ip[cursor.off];
		cursor.off += srh_len((const struct srh *)(ip + cursor.off));
	}
	if (cursor.proto == 4 && cursor.off < len)
		repair_ip4(ip + cursor.off, len - cursor.off);
}

static void repair(uint8_t *frame, uint32_t len)
{
	uint32_t off = ETH_LEN;

	if (len >= ETH_LEN + 4 && frame[12] == 0x81 && frame[13] == 0)
		off += 4;
	if (len < off)
		return;
	if (frame[off - 2] == 0x08 && frame[off - 1] == 0)
		repair_ip4(frame + off, len - off);
	else if (frame[off - 2] == 0x86 && frame[off - 1] == 0xdd)
		repair_ip6(frame + off, len - off);
}

// What follows the bytes of a buffer, without the part where headers go that are longer than the headroom.
static uint8_t *tail_of(const struct rte_mbuf *m)
{
	uint32_t off = RTE_MAX((uint32_t)m->data_off + m->data_len, MAX_PUSHED_OFF);

	return (uint8_t *)m->buf_addr + RTE_MIN(off, m->buf_len);
}

static size_t tail_len(const struct rte_mbuf *m)
{
	return (size_t)((uint8_t *)m->buf_addr + m->buf_len - tail_of(m));
}

// One segment; poisons what follows its bytes.
static struct rte_mbuf *make_segment(
	const struct fuzz_head *head, const uint8_t *bytes, uint32_t len, bool alone)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig.ctrl.pools.small);

	require(m != NULL);
	if (head->flags & FUZZ_AT_END)
		m->data_off = (uint16_t)((m->buf_len - len) & ~1u); // as drivers do
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	memcpy(rte_pktmbuf_mtod(m, void *), bytes, len);
	// A chain may be pulled together, into the room behind.
	if (alone)
		ASAN_POISON_MEMORY_REGION(tail_of(m), tail_len(m));
	return m;
}

static struct rte_mbuf *make_chain(const struct fuzz_head *head, const uint8_t *frame, uint32_t len)
{
	const uint32_t max_len = 2048;
	struct rte_mbuf *first = NULL, *last = NULL;
	uint32_t off = 0;

	for (uint32_t i = 0; first == NULL || off < len; i++) {
		uint32_t cut = i < MAX_CUTS ? 2u * head->cuts[i] : 0;
		uint32_t take = RTE_MIN(cut == 0 ? max_len : cut, len - off);
		struct rte_mbuf *m = make_segment(head, frame + off, take, take == len);

		if (first == NULL) {
			first = m;
		} else {
			last->next = m;
			first->nb_segs++;
			first->pkt_len += take;
		}
		last = m;
		off += take;
	}
	if (head->flags & FUZZ_STRIPPED) {
		first->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		first->vlan_tci = head->vlan;
	}
	return first;
}

static void check_frame(uint16_t port, const struct rte_mbuf *m)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t l2_len = ETH_LEN, mtu = MTU, sum_len = 0;
	uint16_t n_segs = 0;

	for (const struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		sum_len += seg->data_len;
		n_segs++;
	}
	require(sum_len == m->pkt_len && n_segs == m->nb_segs && m->data_len >= ETH_LEN);
	// What leaves by the third port, and by VLAN 44, is an inner frame, which may have a tag of its own.
	if (port < 2 && eth[12] == 0x81 && eth[13] == 0) {
		l2_len += 4;
		mtu = eth[15] == SMALL_MTU_VLAN ? SMALL_MTU : MTU;
	}
	require(m->pkt_len <= mtu + l2_len);
}

static uint32_t take_frames(void)
{
	uint32_t n = 0;
	void *m;

	for (uint16_t port = 0; port < N_PORTS; port++)
		for (uint16_t q = 0; q < N_WORKERS; q++)
			while (rte_ring_dequeue(rig.ports[port].out[q], &m) == 0) {
				check_frame(port, m);
				rte_pktmbuf_free(m);
				n++;
			}
	return n;
}

// Plays the control core. Returns how many packets stayed with it.
static uint32_t take_punted(const struct fuzz_head *head)
{
	uint32_t n = 0;
	void *m;

	while (rte_ring_dequeue(rig.ctrl.punt_ring, &m) == 0) {
		bool waits = packet_of(m)->punt == PUNT_NEIGHBOR;

		if (waits && (head->flags & FUZZ_GIVE_UP)) {
			require(inject_unreachable(rig.ctrl.workers[1], m));
		} else if (waits && (head->flags & FUZZ_REINJECT)) {
			require(inject_lookup(rig.ctrl.workers[1], m));
		} else {
			rte_pktmbuf_free(m);
			n++;
		}
	}
	return n;
}

static uint64_t count_fragmented(void)
{
	uint64_t n = 0;

	for (uint16_t w = 0; w < N_WORKERS; w++)
		n += rte_graph_node_get_by_name(rig.ctrl.workers[w]->graph->name, "ip4_fragment")
			     ->total_objs;
	return n;
}

static void walk(const struct fuzz_head *head)
{
	uint64_t n_fragmented = count_fragmented();
	uint32_t n_out = 0;
	void *m;

	for (unsigned int i = 0; i < N_WALKS; i++) {
		for (uint16_t w = 0; w < N_WORKERS; w++)
			worker_walk(rig.ctrl.workers[w]);
		n_out += take_frames() + take_punted(head);
	}
	// One that is handed back each time and waits again.
	for (uint16_t w = 0; w < N_WORKERS; w++)
		while (rte_ring_dequeue(rig.ctrl.workers[w]->ring, &m) == 0) {
			rte_pktmbuf_free(m);
			n_out++;
		}
	// Only fragmentation makes more of one.
	require(n_out <= 1 || count_fragmented() > n_fragmented);
}

static void start_trace(void)
{
	for (uint16_t w = 0; w < N_WORKERS; w++) {
		struct trace_ring *trace = rig.ctrl.workers[w]->trace;

		atomic_store(&trace->tail, atomic_load(&trace->head));
		trace_ask(rig.ctrl.workers[w], 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rte_mempool *pool = rig.ctrl.pools.small;
	uint8_t frame[MAX_FRAME_LEN];
	struct fuzz_head head;
	struct rte_mbuf *m;
	uint8_t *tail;
	size_t n_tail;
	uint32_t len;

	if (size < sizeof(head) + 1 || size > sizeof(head) + sizeof(frame))
		return 0;
	memcpy(&head, data, sizeof(head));
	len = (uint32_t)(size - sizeof(head));
	memcpy(frame, data + sizeof(head), len);
	head.port %= N_PORTS;
	if ((head.flags & FUZZ_TO_US) && len >= ETH_LEN)
		memcpy(frame, rig.ctrl.ports[head.port].mac, 6);
	if (head.flags & FUZZ_REPAIR)
		repair(frame, len);
	if (head.flags & FUZZ_TRACE)
		start_trace();
	m = make_chain(&head, frame, len);
	tail = tail_of(m);
	n_tail = tail_len(m);
	require(rte_ring_enqueue(rig.ports[head.port].in[0], m) == 0);
	walk(&head);
	ASAN_UNPOISON_MEMORY_REGION(tail, n_tail);
	require(rte_mempool_avail_count(pool) == pool->size);
	return 0;
}
