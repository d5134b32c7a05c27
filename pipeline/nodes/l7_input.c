// SPDX-License-Identifier: Apache-2.0

// Packets to a virtual address, and what endpoints send back to a source. First to the worker that the
// connection belongs to: the one that the client's inner flow hashes to, or that has the source. There a TCP
// packet is taken apart and given to the splice. ICMP errors about what the splice sent tell it so; echo and
// the rest is answered as for any address of the node.
//
// A stretch of packets goes through four loops, so that the tables' cache lines are fetched for all before any is
// needed: parse and hash; guess the entry; find what else it touches (l7_fetch); look and act. What an earlier
// packet of the stretch changes is seen by the later ones, since the last loop compares again.

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "l7/siphash.h"
#include "pipeline/dispatch.h"
#include "pipeline/icmp_limit.h"
#include "pipeline/ip6.h"
#include "pipeline/l7_fetch.h"
#include "pipeline/l7_icmp.h"
#include "pipeline/l7_path.h"
#include "pipeline/l7_send.h"
#include "pipeline/node.h"
#include "pipeline/tcp.h"
#include "pipeline/walker.h"
#include "srv6/srh.h"

#define EDGES(X)                                                                                   \
	L7_OUT_EDGES(X)                                                                            \
	X(DISPATCH, "dispatch")                                                                    \
	X(IP4_LOCAL, "ip4_local")                                                                  \
	X(IP6_LOCAL, "ip6_local")                                                                  \
	X(FRAGMENT, "drop_l7_fragment")                                                            \
	X(EXT_HEADERS, "drop_l7_ext_headers")                                                      \
	X(MALFORMED, "drop_l7_malformed")                                                          \
	X(CHECKSUM, "drop_l7_checksum")                                                            \
	X(SCATTERED, "drop_l7_scattered")                                                          \
	X(NO_LISTENER, "drop_l7_no_listener")                                                      \
	X(NO_FLOW, "drop_l7_no_flow")                                                              \
	X(OWN_ADDRESS, "drop_l7_own_address")                                                      \
	X(FULL, "drop_l7_full")                                                                    \
	X(ICMP, "drop_l7_icmp")

NODE_DECLARE_EDGES(EDGES)

_Static_assert((int)EDGE_POLICY == (int)L7_OUT_POLICY, "the first edges are enum l7_out");

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	STRETCH = 16, // packets whose records fit the first-level cache together
	// No edge: the packet went to the splice, or is done with.
	TAKEN = N_EDGES,
	// No edge yet: a TCP packet of this worker's.
	IS_TCP,
};

_Static_assert((int)STRETCH <= (int)L7_FETCH_MAX, "a stretch can be fetched at once");

// What the loops know of the TCP packets of a stretch.
struct stretch {
	struct rte_mbuf *pkts[STRETCH];
	struct flow_tuple tuples[STRETCH];
	uint64_t hashes[STRETCH];
	uint32_t numbers[STRETCH];
	uint16_t n;
};

// What leaves by an edge.
struct leaving {
	void *pkts[STRETCH];
	rte_edge_t next[STRETCH];
	uint16_t n;
};

static uint64_t hash_for_splice(const struct l7_worker *l7, const struct flow_tuple *tuple)
{
	uint64_t words[sizeof(*tuple) / sizeof(uint64_t)];

	memcpy(words, tuple, sizeof(*tuple));
	return siphash(l7->key, words, RTE_DIM(words));
}

// ---- whose packet it is

static uint16_t source_owner(const struct worker *w, uint32_t dest)
{
	return (uint16_t)(w->snapshot->sources[dest_index(dest)].turn % w->n_workers);
}

// The flow hash of what the remote end of tuple sends.
static uint32_t hash_of_sender(const struct flow_tuple *tuple)
{
	uint32_t addr_len = tuple->family == 4 ? 4 : 16;
	uint32_t addrs_off = tuple->family == 4 ? 12 : 8;
	uint8_t ip[IP6_LEN + 4] = {0};
	uint8_t *ports = ip + addrs_off + 2 * addr_len;

	ip[0] = tuple->family == 4 ? 0x45 : 0x60;
	ip[tuple->family == 4 ? 9 : 6] = IPPROTO_TCP;
	memcpy(ip + addrs_off, tuple->remote, addr_len);
	memcpy(ip + addrs_off + addr_len, tuple->local, addr_len);
	memcpy(ports, &tuple->remote_port_be, 2);
	memcpy(ports + 2, &tuple->local_port_be, 2);
	return flow_hash_ip(ip, addrs_off + 2 * addr_len + 4);
}

// TAKEN when it is this worker's, else the edge to the one it belongs to.
static rte_edge_t steer(struct worker *w, struct rte_mbuf *m, struct packet *p, uint16_t owner)
{
	if (likely(owner == w->worker_idx))
		return TAKEN;
	p->worker = owner;
	p->entry = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4 ? PACKET_ENTRY_IP4_LOOKUP
								   : PACKET_ENTRY_IP6_LOOKUP;
	w->l7->stats->n_handed_off++;
	return EDGE_DISPATCH;
}

static rte_edge_t steer_tcp(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	if (w->n_workers == 1)
		return TAKEN;
	return steer(w, m, p,
		dest_kind(p->dest) == DEST_L7_SOURCE
			? source_owner(w, p->dest)
			: dispatch_worker(w, flow_hash_of(m, p), p->vrf));
}

// ---- ICMP

static bool find_entry(const struct l7_worker *l7, const struct flow_tuple *tuple, uint32_t *number)
{
	*number = flow_table_find(l7->table, flow_table_hash(l7->table, tuple), tuple);
	return *number != FLOW_TABLE_NONE;
}

static enum splice_side side_of(const struct l7_worker *l7, uint32_t number, uint32_t *idx)
{
	*idx = number < l7->n_flows ? number : number - l7->n_flows;
	return number < l7->n_flows ? SPLICE_CLIENT : SPLICE_SERVER;
}

// Tells the other side's host, in its own numbers and its family's terms.
static void pass_too_big(struct l7_worker *l7, enum splice_side side, uint32_t idx,
	const struct l7_icmp_error *error)
{
	uint16_t mss = l7_path_mss(error->mtu, error->tuple.family);
	const struct flow_tuple *tuple;
	enum splice_side other_side;
	uint32_t number, other_seq;

	if (!splice_too_big(
		    l7->splice, side, idx, error->seq, mss, &other_side, &number, &other_seq))
		return;
	if (other_side == SPLICE_SERVER)
		number += l7->n_flows;
	tuple = &l7->table->entries[number].tuple;
	if (icmp_limit_take(l7->w, tuple->vrf))
		l7_send_packet(l7,
			l7_icmp_make_too_big(l7->w->mbufs, tuple, other_seq,
				(uint16_t)(mss + (tuple->family == 4 ? 40 : 60))),
			number);
}

static rte_edge_t take_icmp_error(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t off)
{
	struct l7_icmp_error error;
	enum splice_side side;
	uint32_t number, idx;
	rte_edge_t edge;

	if (!l7_icmp_read(m, off, &error) || error.kind == L7_ICMP_OTHER)
		return EDGE_ICMP;
	edge = steer(w, m, p,
		dest_kind(p->dest) == DEST_L7_SOURCE
			? source_owner(w, p->dest)
			: dispatch_worker(w, hash_of_sender(&error.tuple), p->vrf));
	if (edge != TAKEN)
		return edge;
	error.tuple.vrf = p->vrf;
	if (!find_entry(w->l7, &error.tuple, &number))
		return EDGE_ICMP;
	side = side_of(w->l7, number, &idx);
	if (error.kind == L7_ICMP_TOO_BIG)
		pass_too_big(w->l7, side, idx, &error);
	else if (side == SPLICE_SERVER)
		splice_unreachable(w->l7->splice, idx, error.seq);
	rte_pktmbuf_free(m);
	return TAKEN;
}

// ---- sorting

static rte_edge_t sort_ip4(struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t *off)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);

	*off = (ip->version_ihl & 0x0f) * 4u;
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return EDGE_FRAGMENT;
	if (likely(ip->next_proto_id == IPPROTO_TCP))
		return IS_TCP;
	ip = packet_pull(m, *off + 1);
	if (ip == NULL || ip->next_proto_id != IPPROTO_ICMP ||
		!l7_icmp_is_error(4, ((const uint8_t *)ip)[*off]))
		return EDGE_IP4_LOCAL;
	return take_icmp_error(w, m, p, *off);
}

// What extension headers hide: a fragment, a TCP header that hosts put there for no good reason, or something
// for ip6_local.
static rte_edge_t look_behind(const struct rte_mbuf *m, uint8_t proto)
{
	struct srh_cursor cursor = {.off = IP6_LEN, .proto_off = 6, .proto = proto};

	switch (srh_walk(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, m->pkt_len, &cursor)) {
	case SRH_WALK_FRAGMENT:
		return EDGE_FRAGMENT;
	case SRH_WALK_UPPER:
		return cursor.proto == IPPROTO_TCP ? EDGE_EXT_HEADERS : EDGE_IP6_LOCAL;
	default:
		return EDGE_EXT_HEADERS;
	}
}

static rte_edge_t sort_ip6(struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t *off)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);

	*off = IP6_LEN;
	if (likely(ip->proto == IPPROTO_TCP))
		return IS_TCP;
	if (ip->proto != IPPROTO_ICMPV6)
		return look_behind(m, ip->proto);
	ip = packet_pull(m, IP6_LEN + 1);
	if (ip == NULL || !l7_icmp_is_error(6, *(const uint8_t *)(ip + 1)))
		return EDGE_IP6_LOCAL;
	return take_icmp_error(w, m, p, IP6_LEN);
}

static rte_edge_t parse(struct rte_mbuf *m, uint32_t off, struct flow_tuple *tuple)
{
	static const rte_edge_t edges[] = {
		[TCP_OK] = IS_TCP,
		[TCP_MALFORMED] = EDGE_MALFORMED,
		[TCP_CHECKSUM] = EDGE_CHECKSUM,
		[TCP_SCATTERED] = EDGE_SCATTERED,
	};

	return edges[tcp_parse(m, off, tuple)];
}

static rte_edge_t sort_packet(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct flow_tuple *tuple)
{
	bool is_ip4 = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4;
	uint32_t off;
	rte_edge_t edge = is_ip4 ? sort_ip4(w, m, p, &off) : sort_ip6(w, m, p, &off);

	if (edge != IS_TCP)
		return edge;
	edge = steer_tcp(w, m, p);
	if (edge != TAKEN)
		return edge;
	edge = parse(m, off, tuple);
	tuple->vrf = p->vrf;
	return edge;
}

// ---- segments

static rte_edge_t reset(
	struct l7_worker *l7, struct rte_mbuf *m, const struct flow_tuple *tuple, rte_edge_t edge)
{
	struct tcp_out out;

	if (!tcp_reset_for(&tcp_packet_of(m)->segment, &out))
		return edge;
	l7->stats->n_resets_sent++;
	l7_send_bare(l7, tuple, &out);
	return edge;
}

static void index_flow(
	struct l7_worker *l7, uint32_t flow, uint32_t listener, const struct flow_tuple *tuple)
{
	uint32_t generation = l7->w->snapshot->generation;

	l7->flows[flow] = (struct l7_flow){
		.listener = listener,
		.virtual_host = L7_NO_SLOT,
		.route = L7_NO_SLOT,
		.cluster = L7_NO_SLOT,
		.endpoint = L7_NO_SLOT,
		.generation = generation,
	};
	l7->flows_end = RTE_MAX(l7->flows_end, flow + 1);
	// It was looked for and not found.
	flow_table_insert(l7->table, flow, tuple, generation, L7_NO_SLOT);
}

// Nobody but the node itself has its addresses: it would talk to itself, perhaps without end.
static bool is_own_address(const struct l7_worker *l7, const struct flow_tuple *tuple)
{
	const struct vrf *vrf = &l7->w->snapshot->vrfs[tuple->vrf];
	struct ip6_addr addr;
	uint32_t dest;

	memcpy(&addr, tuple->remote, sizeof(addr));
	dest = tuple->family == 4 ? lpm_lookup(vrf->ip4, ip6_addr_hi(&addr) & 0xffffffff00000000, 0)
				  : lpm_lookup(vrf->ip6, ip6_addr_hi(&addr), ip6_addr_lo(&addr));
	return dest_kind(dest) == DEST_LOCAL || dest_kind(dest) == DEST_L7 ||
	       dest_kind(dest) == DEST_L7_SOURCE;
}

// The way back to the client may be narrower than the client knows.
static void clamp_mss(struct l7_worker *l7, const struct flow_tuple *tuple, struct tcp_segment *seg)
{
	uint16_t mss = l7_path_mss(l7_path_mtu(l7->w->snapshot, l7->w->adj_table, tuple->vrf,
					   tuple->family, tuple->remote, ENDPOINT_NO_POLICY),
		tuple->family);

	mss = RTE_MIN(mss, l7->max_payload);
	if (seg->mss > mss)
		seg->mss = mss;
}

static rte_edge_t take_syn(
	struct l7_worker *l7, struct rte_mbuf *m, const struct flow_tuple *tuple, uint32_t listener)
{
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct tcp_out cookie;
	uint32_t flow;

	if (unlikely(is_own_address(l7, tuple)))
		return EDGE_OWN_ADDRESS;
	clamp_mss(l7, tuple, seg);
	flow = splice_syn(l7->splice, listener, hash_for_splice(l7, tuple), seg, &cookie);
	if (unlikely(flow == SPLICE_NONE && cookie.flags == 0))
		return reset(l7, m, tuple, EDGE_FULL);
	if (unlikely(flow == SPLICE_NONE)) {
		l7->stats->n_cookies++;
		l7_send_bare(l7, tuple, &cookie);
	} else {
		index_flow(l7, flow, listener, tuple);
		splice_flow_begin(l7->splice, flow);
	}
	rte_pktmbuf_free(m);
	return TAKEN;
}

// An ACK may return a cookie.
static rte_edge_t take_ack(
	struct l7_worker *l7, struct rte_mbuf *m, const struct flow_tuple *tuple, uint32_t listener)
{
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;
	struct tcp_out answer;
	uint32_t flow =
		splice_cookie_ack(l7->splice, listener, hash_for_splice(l7, tuple), seg, &answer);

	if (flow == SPLICE_NONE) {
		if (answer.flags != 0) {
			l7->stats->n_resets_sent++;
			l7_send_bare(l7, tuple, &answer);
		}
		return EDGE_NO_FLOW;
	}
	index_flow(l7, flow, listener, tuple);
	splice_flow_begin(l7->splice, flow);
	splice_client_segment(l7->splice, flow, seg);
	return TAKEN;
}

// To a virtual address, of no flow.
static rte_edge_t take_new(struct l7_worker *l7, struct rte_mbuf *m, const struct packet *p,
	const struct flow_tuple *tuple)
{
	uint32_t listener = l7_tables_find_listener(
		l7->w->snapshot->l7, dest_index(p->dest), rte_be_to_cpu_16(tuple->local_port_be));
	uint8_t flags = tcp_packet_of(m)->segment.flags;

	if (listener == L7_NO_SLOT)
		return reset(l7, m, tuple, EDGE_NO_LISTENER);
	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
		return take_syn(l7, m, tuple, listener);
	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK)
		return take_ack(l7, m, tuple, listener);
	return reset(l7, m, tuple, EDGE_NO_FLOW);
}

// The entry of a VRF that is gone, whose slot is another's now: nobody finds it any more.
static bool is_stale(struct l7_worker *l7, uint32_t number)
{
	const struct flow_entry *entry = &l7->table->entries[number];

	if (likely(l7_vrf_is_same(l7->w->snapshot, entry->tuple.vrf, entry->generation)))
		return false;
	flow_table_hide(l7->table, number);
	return true;
}

static rte_edge_t take_segment(struct l7_worker *l7, struct rte_mbuf *m, struct packet *p,
	const struct flow_tuple *tuple, uint64_t hash, uint32_t number)
{
	struct tcp_segment *seg = &tcp_packet_of(m)->segment;

	if (number == FLOW_TABLE_NONE ||
		!flow_tuple_equal(&l7->table->entries[number].tuple, tuple))
		number = flow_table_find(l7->table, hash, tuple);
	if (unlikely(number == FLOW_TABLE_NONE || is_stale(l7, number)))
		return dest_kind(p->dest) == DEST_L7 ? take_new(l7, m, p, tuple)
						     : reset(l7, m, tuple, EDGE_NO_FLOW);
	if (number < l7->n_flows)
		splice_client_segment(l7->splice, number, seg);
	else
		splice_server_segment(l7->splice, number - l7->n_flows, seg);
	return TAKEN;
}

// ---- stretches

static void leave(struct leaving *leaving, struct rte_mbuf *m, rte_edge_t edge)
{
	if (edge == TAKEN)
		return;
	leaving->pkts[leaving->n] = m;
	leaving->next[leaving->n++] = edge;
}

static void sort_stretch(struct worker *w, struct rte_mbuf **pkts, uint16_t n,
	struct stretch *stretch, struct leaving *leaving)
{
	const struct flow_table *table = w->l7->table;

	stretch->n = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct flow_tuple *tuple = &stretch->tuples[stretch->n];
		rte_edge_t edge;

		walk_prefetch(pkts, i, n);
		edge = sort_packet(w, pkts[i], packet_of(pkts[i]), tuple);
		if (unlikely(edge != IS_TCP)) {
			leave(leaving, pkts[i], edge);
			continue;
		}
		stretch->pkts[stretch->n] = pkts[i];
		stretch->hashes[stretch->n] = flow_table_hash(table, tuple);
		flow_table_prefetch(table, stretch->hashes[stretch->n++]);
	}
}

static void walk_stretch(struct worker *w, struct rte_mbuf **pkts, uint16_t n,
	struct stretch *stretch, struct leaving *leaving)
{
	const struct l7_worker *l7 = w->l7;

	sort_stretch(w, pkts, n, stretch, leaving);
	for (uint16_t i = 0; i < stretch->n; i++) {
		stretch->numbers[i] = flow_table_guess(l7->table, stretch->hashes[i]);
		if (likely(stretch->numbers[i] != FLOW_TABLE_NONE))
			l7_fetch_own(l7, stretch->numbers[i]);
	}
	l7_fetch_rest(l7, stretch->pkts, stretch->numbers, stretch->n);
	for (uint16_t i = 0; i < stretch->n; i++)
		leave(leaving, stretch->pkts[i],
			take_segment(w->l7, stretch->pkts[i], packet_of(stretch->pkts[i]),
				&stretch->tuples[i], stretch->hashes[i], stretch->numbers[i]));
}

static uint16_t l7_input_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	struct worker *w = worker_of(node);
	struct stretch stretch;

	if (unlikely(w->trace->active))
		trace_record(w, node, objs, NULL, n_objs);
	l7_worker_set_time(w->l7);
	l7_send_begin(w->l7, graph, node);
	for (uint16_t done = 0; done < n_objs; done += STRETCH) {
		struct leaving leaving = {.n = 0};

		walk_stretch(w, (struct rte_mbuf **)objs + done, RTE_MIN(n_objs - done, STRETCH),
			&stretch, &leaving);
		for (uint16_t i = 0; i < leaving.n; i++)
			rte_node_enqueue_x1(graph, node, leaving.next[i], leaving.pkts[i]);
	}
	l7_send_end(w->l7);
	return n_objs;
}

NODE_REGISTER(l7_input, EDGES);
