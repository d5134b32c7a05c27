// SPDX-License-Identifier: Apache-2.0

// An IPv6 packet from a link: header checks (RFC 8200), then the lookup in its interface's VRF, which
// also finds SIDs and the node's own addresses.

#include "pipeline/dispatch.h"
#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/output.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	NODE_ROUTE_EDGES_IP6(X, "srv6_end")                                                        \
	X(PORT_TX, "port_tx")                                                                      \
	X(DISPATCH, "dispatch")                                                                    \
	X(SCOPE, "drop_ip6_scope")                                                                 \
	X(GROUP, "drop_eth_group")                                                                 \
	X(MALFORMED, "drop_ip6_malformed")                                                         \
	X(MARTIAN, "drop_ip6_martian")                                                             \
	X(MULTICAST, "drop_ip6_multicast")

NODE_DECLARE_EDGES(EDGES)
NODE_ASSERT_ROUTE_EDGES();

enum {
	STAYS_ON_LINK = PACKET_LINK_SCOPE | PACKET_L2_MULTICAST, // is for the node itself or nobody
};

// All nodes, all routers, and solicited nodes: whose they are is for neighbour discovery to say.
static bool is_joined(const struct ip6_addr *group)
{
	uint64_t lo = ip6_addr_lo(group);

	return ip6_addr_hi(group) == 0xff02ull << 48 && (lo == 1 || lo == 2 || lo >> 24 == 0x1ff);
}

// There is no multicast routing.
static rte_edge_t enter_multicast(struct packet *p, const struct rte_ipv6_hdr *ip)
{
	if (!is_joined(ip6_dst(ip)))
		return EDGE_MULTICAST;
	p->dest = dest_make(DEST_LOCAL, p->iface);
	return EDGE_LOCAL;
}

static inline rte_edge_t prepare(
	struct worker *w, struct rte_mbuf *m, struct packet *p, struct walk_key *key)
{
	enum ip6_verdict verdict = ip6_check(m);
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);

	if (unlikely(verdict != IP6_OK))
		return verdict == IP6_MARTIAN ? EDGE_MARTIAN : EDGE_MALFORMED;
	if (unlikely(ip->dst_addr[0] >= 0xfe || ip->src_addr[0] == 0xfe)) {
		if (ip6_addr_is_multicast(ip6_dst(ip)))
			return enter_multicast(p, ip);
		if (ip6_addr_is_link_local(ip6_src(ip)))
			p->flags |= PACKET_LINK_SCOPE;
	}
	// What may not leave its link stays here, where that is checked.
	if (unlikely(dispatch_wanted(w, p)) && !(p->flags & (PACKET_SR_TRUSTED | STAYS_ON_LINK)) &&
		!dispatch_is_mine(w, m, p)) {
		p->entry = PACKET_ENTRY_IP6_LOOKUP;
		return EDGE_DISPATCH;
	}
	key->lpm = w->snapshot->vrfs[p->vrf].ip6;
	key->hi = ip6_addr_hi(ip6_dst(ip));
	key->lo = ip6_addr_lo(ip6_dst(ip));
	return WALK_LOOKUP;
}

static inline rte_edge_t decide(
	struct worker *w, struct rte_mbuf *m, struct packet *p, uint32_t dest)
{
	rte_edge_t edge = walk_route(w, m, p, dest);

	if (unlikely(p->flags & STAYS_ON_LINK) && edge != EDGE_LOCAL)
		return p->flags & PACKET_L2_MULTICAST ? EDGE_GROUP : EDGE_SCOPE;
	// A hundred thousand SIDs are more than the caches hold: the next node's first looks start here.
	if (edge >= EDGE_SID_END && edge <= EDGE_SID_B6) {
		rte_prefetch0(&w->snapshot->sids[dest_index(dest)]);
		rte_prefetch0_write(&w->sid_counters[dest_index(dest)]);
		return edge;
	}
	return edge == EDGE_FORWARD && output_ip6_plain(w, m, p) ? EDGE_PORT_TX : edge;
}

static uint16_t ip6_input_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_lookup(graph, node, objs, n_objs, WALK_IP6, prepare, decide);
}

NODE_REGISTER(ip6_input, EDGES);
