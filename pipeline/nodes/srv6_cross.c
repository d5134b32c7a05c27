// SPDX-License-Identifier: Apache-2.0

// End.DX2, End.DX4 and End.DX6 (RFC 8986 §4.4, §4.5, §4.9): takes the outer headers off and sends the
// inner frame or packet on an interface or adjacency, without any lookup.

#include <rte_ether.h>

#include "pipeline/eth.h"
#include "pipeline/node.h"
#include "pipeline/srv6_apply.h"

#define EDGES(X)                                                                                   \
	X(PORT_TX, "port_tx")                                                                      \
	X(OUTPUT4, "ip4_output")                                                                   \
	X(OUTPUT6, "ip6_output")                                                                   \
	X(PUNT, "punt")                                                                            \
	SRV6_ERROR_EDGES(X)                                                                        \
	X(TOO_LONG, "drop_l2_too_long")                                                            \
	X(NO_MBUF, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

// The inner frame, whole.
static rte_edge_t send_frame(
	struct worker *w, struct rte_mbuf *m, struct packet *p, const struct sid *sid)
{
	const struct iface *iface = &w->snapshot->ifaces[sid->iface];
	const struct rte_ether_hdr *eth = packet_pull(m, sizeof(*eth));
	uint32_t max_len = (uint32_t)iface->mtu + RTE_ETHER_HDR_LEN;

	if (eth == NULL)
		return EDGE_INNER;
	// The customer's tag is no part of what an MTU counts.
	if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN))
		max_len += RTE_VLAN_HLEN;
	if (m->pkt_len > max_len)
		return EDGE_TOO_LONG;
	p->port = iface->dpdk_port;
	if (iface->vlan != 0 && !eth_push_tag(m, iface->vlan))
		return EDGE_NO_MBUF;
	return EDGE_PORT_TX;
}

static rte_edge_t send_packet(struct rte_mbuf *m, struct packet *p, const struct sid *sid,
	enum srv6_verdict verdict, const struct srv6_decision *d)
{
	p->dest = dest_make(DEST_FORWARD, sid->adj);
	if (verdict == SRV6_DECAP_IP4) {
		if (ip4_check(m) != IP4_OK)
			return EDGE_INNER;
		return srv6_take_ecn4(m, d->outer_tc) ? EDGE_OUTPUT4 : EDGE_ECN;
	}
	if (ip6_check(m) != IP6_OK ||
		ip6_is_link_bound(rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *)))
		return EDGE_INNER;
	return srv6_take_ecn6(m, d->outer_tc) ? EDGE_OUTPUT6 : EDGE_ECN;
}

static rte_edge_t enter(
	struct worker *w, struct rte_mbuf *m, struct packet *p, const struct sid *sid)
{
	struct srv6_decision d = {0};
	enum srv6_verdict verdict = srv6_apply(w, m, sid, &d);

	if (verdict != SRV6_DECAP_IP4 && verdict != SRV6_DECAP_IP6 && verdict != SRV6_DECAP_ETH)
		return SRV6_ERROR_EDGE(verdict, m, p, &d);
	srv6_uncover(m, p, sid, &d);
	p->flags &= (uint16_t)~PACKET_SR_TRUSTED;
	return verdict == SRV6_DECAP_ETH ? send_frame(w, m, p, sid)
					 : send_packet(m, p, sid, verdict, &d);
}

static rte_edge_t srv6_cross_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct sid *sid = &w->snapshot->sids[dest_index(p->dest)];
	uint32_t len = m->pkt_len;
	rte_edge_t edge, refused = SRV6_ADMIT(p);

	if (unlikely(refused != N_EDGES))
		return refused;
	// A packet that waits for its neighbour waits as it came, to meet the SID again.
	if (sid->behavior != SRV6_END_DX2 && adj_table_get(w->adj_table, sid->adj) == NULL) {
		p->punt = PUNT_NEIGHBOR;
		p->adj = sid->adj;
		return EDGE_PUNT;
	}
	edge = enter(w, m, p, sid);
	SRV6_COUNT(w, sid, len, edge);
	return edge;
}

static uint16_t srv6_cross_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, srv6_cross_packet);
}

NODE_REGISTER(srv6_cross, EDGES);
