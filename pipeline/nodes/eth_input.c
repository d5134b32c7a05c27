// SPDX-License-Identifier: Apache-2.0

// Takes the Ethernet header off the frames that port_rx did not take the short way: finds the interface by
// port and VLAN, refuses frames for other MAC addresses, and hands on by EtherType.

#include <rte_ether.h>

#include "pipeline/eth.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	X(IP4, "ip4_input")                                                                        \
	X(IP6, "ip6_input")                                                                        \
	X(PUNT, "punt")                                                                            \
	X(ENCAP_L2, "srv6_encap_l2")                                                               \
	X(TRUNCATED, "drop_eth_truncated")                                                         \
	X(NOT_FOR_US, "drop_eth_not_for_us")                                                       \
	X(NO_IFACE, "drop_eth_no_iface")                                                           \
	X(UNKNOWN_TYPE, "drop_eth_unknown_type")                                                   \
	X(GROUP, "drop_eth_group")                                                                 \
	X(NO_MBUF, "drop_no_mbuf")

NODE_DECLARE_EDGES(EDGES)

enum {
	VLAN_ID_MASK = 0x0fff,
};

// Whose frames with this tag are. A priority tag (VLAN 0) counts as none. A layer-2 port takes the tags that no
// sub-interface takes: they are part of its frames.
static uint16_t vlan_iface(const struct snapshot *s, uint16_t port, uint16_t tci)
{
	uint16_t untagged = s->port_iface[port], iface = SNAPSHOT_NO_IFACE;
	uint16_t vlan = tci & VLAN_ID_MASK;

	if (vlan == 0)
		return untagged;
	if (s->port_vlans[port] != NULL)
		iface = s->port_vlans[port][vlan];
	if (iface == SNAPSHOT_NO_IFACE && untagged != SNAPSHOT_NO_IFACE &&
		s->ifaces[untagged].l2_policy != SNAPSHOT_NO_POLICY)
		return untagged;
	return iface;
}

// The interface of a tagged frame. The tag counts as link-layer header.
static uint16_t tagged_iface(const struct snapshot *s, struct rte_mbuf *m, uint16_t port,
	uint32_t *l2_len, rte_be16_t *type_be)
{
	const uint8_t *eth = packet_pull(m, RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN);
	const struct rte_vlan_hdr *tag;

	if (eth == NULL)
		return SNAPSHOT_NO_IFACE;
	tag = (const struct rte_vlan_hdr *)(eth + RTE_ETHER_HDR_LEN);
	*type_be = tag->eth_proto;
	*l2_len += RTE_VLAN_HLEN;
	return vlan_iface(s, port, rte_be_to_cpu_16(tag->vlan_tci));
}

// A layer-2 interface takes the whole frame, without the tag that selected it. A driver that strips tags may
// have taken one off that selected nothing.
static rte_edge_t enter_l2(
	struct rte_mbuf *m, struct packet *p, const struct iface *iface, uint32_t l2_len)
{
	bool stripped = (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;

	if (iface->vlan == 0 && stripped && !eth_push_tag(m, m->vlan_tci))
		return EDGE_NO_MBUF;
	if (iface->vlan != 0 && l2_len != RTE_ETHER_HDR_LEN) {
		uint8_t *eth = rte_pktmbuf_mtod(m, uint8_t *);

		memmove(eth + RTE_VLAN_HLEN, eth, 2 * RTE_ETHER_ADDR_LEN);
		rte_pktmbuf_adj(m, RTE_VLAN_HLEN);
	}
	p->dest = dest_make(DEST_POLICY, iface->l2_policy);
	return EDGE_ENCAP_L2;
}

// RFC 1812 §5.3.4, RFC 1122 §3.3.6: an IPv4 packet to one host does not come in a frame to many, and there is
// no other that the node would take.
static rte_edge_t enter_ip4(const struct packet *p)
{
	return p->flags & PACKET_L2_MULTICAST ? EDGE_GROUP : EDGE_IP4;
}

static inline rte_edge_t eth_input_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct snapshot *s = w->snapshot;
	const struct rte_ether_hdr *eth;
	const struct iface *iface;
	uint16_t iface_idx;
	uint32_t l2_len = RTE_ETHER_HDR_LEN;
	rte_be16_t type_be;

	eth = packet_pull(m, RTE_ETHER_HDR_LEN);
	if (unlikely(eth == NULL))
		return EDGE_TRUNCATED;
	if (unlikely(p->port >= SNAPSHOT_MAX_DPDK_PORTS))
		return EDGE_NO_IFACE;
	iface_idx = s->port_iface[p->port];
	type_be = eth->ether_type;
	if (unlikely(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
		iface_idx = vlan_iface(s, p->port, m->vlan_tci);
	else if (unlikely(type_be == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)))
		iface_idx = tagged_iface(s, m, p->port, &l2_len, &type_be);
	if (unlikely(iface_idx == SNAPSHOT_NO_IFACE))
		return EDGE_NO_IFACE;
	iface = &s->ifaces[iface_idx];
	p->iface = iface_idx;
	p->vrf = iface->vrf;
	p->flags = (p->flags & PACKET_TRACED) | iface->packet_flags;
	if (unlikely(iface->l2_policy != SNAPSHOT_NO_POLICY))
		return enter_l2(m, p, iface, l2_len);
	eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	if (eth_mac(eth->dst_addr.addr_bytes) != eth_mac(iface->mac)) {
		if (!rte_is_multicast_ether_addr(&eth->dst_addr))
			return EDGE_NOT_FOR_US;
		p->flags |= PACKET_L2_MULTICAST;
	}
	rte_pktmbuf_adj(m, (uint16_t)l2_len);
	if (likely(type_be == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)))
		return EDGE_IP6;
	if (likely(type_be == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)))
		return enter_ip4(p);
	if (type_be != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return EDGE_UNKNOWN_TYPE;
	p->punt = PUNT_ARP;
	return EDGE_PUNT;
}

static uint16_t eth_input_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, eth_input_packet);
}

NODE_REGISTER(eth_input, EDGES);
