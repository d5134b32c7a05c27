// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/neigh_priv.h"

#include <rte_ether.h>

#include "ctrl/neigh/neigh_mld.h"
#include "pipeline/inject.h"

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct worker *neigh_send_worker(const struct neigh *neigh, uint32_t slot)
{
	return neigh->ctrl->workers[slot % neigh->ctrl->n_workers];
}

// Frames are best effort: a lost one is asked for, or sent, again.
static void send_frame(struct neigh *neigh, const struct neigh_link *link, const uint8_t dst_mac[6],
	uint16_t ether_type, struct rte_mbuf *m)
{
	uint8_t *payload = rte_pktmbuf_mtod(m, uint8_t *);
	uint8_t len = neigh_link_write_header(link, dst_mac, ether_type, payload);

	rte_pktmbuf_prepend(m, len);
	inject_frame(neigh_send_worker(neigh, (uint32_t)(link - neigh->links)), m,
		link->iface.dpdk_port);
}

static void send_arp(struct neigh *neigh, const struct neigh_link *link, const uint8_t dst_mac[6],
	const struct neigh_arp *arp)
{
	struct rte_mbuf *m = inject_alloc(neigh->ctrl->pools.small);

	if (m == NULL)
		return;
	neigh_arp_write(arp, (uint8_t *)rte_pktmbuf_append(m, NEIGH_ARP_LEN));
	send_frame(neigh, link, dst_mac, RTE_ETHER_TYPE_ARP, m);
}

static struct rte_mbuf *make_nd(struct neigh *neigh, const struct neigh_nd *nd)
{
	struct rte_mbuf *m = inject_alloc(neigh->ctrl->pools.small);
	uint32_t len;

	if (m == NULL)
		return NULL;
	len = neigh_nd_write(nd, (uint8_t *)rte_pktmbuf_append(m, NEIGH_ND_MAX_WRITTEN));
	rte_pktmbuf_trim(m, (uint16_t)(NEIGH_ND_MAX_WRITTEN - len));
	return m;
}

void neigh_send_nd(struct neigh *neigh, const struct neigh_link *link, const uint8_t dst_mac[6],
	const struct neigh_nd *nd)
{
	struct rte_mbuf *m = make_nd(neigh, nd);
	// RFC 2464 §7: where a group's frames go.
	const uint8_t group[6] = {
		0x33, 0x33, nd->dst.b[12], nd->dst.b[13], nd->dst.b[14], nd->dst.b[15]};

	if (m == NULL)
		return;
	send_frame(neigh, link, ip6_addr_is_multicast(&nd->dst) ? group : dst_mac,
		RTE_ETHER_TYPE_IPV6, m);
}

void neigh_send_report(struct neigh *neigh, const struct neigh_link *link,
	const struct ip6_addr *groups, uint32_t n_groups)
{
	static const uint8_t routers[6] = {0x33, 0x33, 0, 0, 0, 0x16};
	struct rte_mbuf *m = inject_alloc(neigh->ctrl->pools.small);
	uint32_t len;

	if (m == NULL)
		return;
	len = neigh_mld_write_report(&link->iface.link_local, groups, n_groups,
		(uint8_t *)rte_pktmbuf_append(m, NEIGH_MLD_MAX_WRITTEN));
	rte_pktmbuf_trim(m, (uint16_t)(NEIGH_MLD_MAX_WRITTEN - len));
	send_frame(neigh, link, routers, RTE_ETHER_TYPE_IPV6, m);
}

struct rte_mbuf *neigh_send_make_packet(
	struct neigh *neigh, uint16_t iface, const struct neigh_nd *nd)
{
	struct rte_mbuf *m = make_nd(neigh, nd);

	if (m == NULL)
		return NULL;
	packet_of(m)->iface = iface;
	packet_of(m)->vrf = neigh->links[iface].iface.vrf;
	packet_of(m)->generation = ctrl_snapshot(neigh->ctrl)->generation;
	packet_of(m)->flags = PACKET_ORIGINATED | PACKET_HOP_TAKEN;
	return m;
}

static void probe_ip4(
	struct neigh *neigh, const struct neigh_link *link, const struct neigh_entry *entry)
{
	struct ip6_addr source = neigh_link_source(link, &entry->key.addr);
	struct neigh_arp arp = {.op = NEIGH_ARP_REQUEST};

	memcpy(arp.sender_mac, link->iface.mac, sizeof(arp.sender_mac));
	memcpy(arp.sender_ip, source.b, sizeof(arp.sender_ip));
	memcpy(arp.target_ip, entry->key.addr.addr.b, sizeof(arp.target_ip));
	send_arp(neigh, link, entry->state == NEIGH_PROBE ? entry->mac : broadcast, &arp);
}

static void probe_ip6(
	struct neigh *neigh, const struct neigh_link *link, const struct neigh_entry *entry)
{
	const struct ip6_addr *target = &entry->key.addr.addr;
	struct neigh_nd nd = {.type = NEIGH_ND_SOLICIT, .target = *target, .has_mac = true};

	nd.src = neigh_link_source(link, &entry->key.addr);
	nd.dst = entry->state == NEIGH_PROBE ? *target : neigh_nd_solicited_node(target);
	memcpy(nd.mac, link->iface.mac, sizeof(nd.mac));
	neigh_send_nd(neigh, link, entry->mac, &nd);
}

void neigh_send_probe(struct neigh *neigh, const struct neigh_entry *entry)
{
	const struct neigh_link *link = neigh_link_get(neigh, entry->key.iface);

	if (link == NULL)
		return;
	if (entry->key.addr.family == 4)
		probe_ip4(neigh, link, entry);
	else
		probe_ip6(neigh, link, entry);
}

void neigh_send_arp_reply(
	struct neigh *neigh, const struct neigh_link *link, const struct neigh_arp *request)
{
	struct neigh_arp arp = {.op = NEIGH_ARP_REPLY};

	memcpy(arp.sender_mac, link->iface.mac, sizeof(arp.sender_mac));
	memcpy(arp.sender_ip, request->target_ip, sizeof(arp.sender_ip));
	memcpy(arp.target_mac, request->sender_mac, sizeof(arp.target_mac));
	memcpy(arp.target_ip, request->sender_ip, sizeof(arp.target_ip));
	send_arp(neigh, link, request->sender_mac, &arp);
}
