// SPDX-License-Identifier: Apache-2.0

// What ARP (RFC 826) and neighbour discovery (RFC 4861 §7.2) make of received messages, and where
// packets that wait for a neighbour go.

#include "ctrl/neigh/neigh_priv.h"

#include "ctrl/neigh/neigh_mld.h"

#include <errno.h>
#include <string.h>

#include <rte_ip.h>

#include "pipeline/inject.h"
#include "pipeline/packet.h"

// The entry of a neighbour that spoke to us, made when there is none. NULL: it may not have one.
static struct neigh_entry *find_speaker(
	struct neigh *neigh, const struct neigh_link *link, const struct adj_key *key)
{
	struct neigh_entry *entry = neigh_entry_find(neigh, key);

	if (entry != NULL || !neigh_link_covers(link, &key->addr))
		return entry;
	return neigh_entry_create(neigh, key, NEIGH_CAUSE_MESSAGE);
}

// The entry of a neighbour that a packet is for, asked for when there is none. NULL: no room.
static struct neigh_entry *want(struct neigh *neigh, const struct adj_key *key)
{
	struct neigh_entry *entry = neigh_entry_find(neigh, key);

	if (entry != NULL)
		return entry;
	entry = neigh_entry_create(neigh, key, NEIGH_CAUSE_TRAFFIC);
	if (entry != NULL)
		neigh_entry_solicit(neigh, entry);
	return entry;
}

static void take_arp(struct neigh *neigh, const struct neigh_link *link, uint16_t iface,
	const struct neigh_arp *arp)
{
	struct adj_key sender = {.iface = iface, .addr = neigh_link_ip4(arp->sender_ip)};
	struct ip_addr target = neigh_link_ip4(arp->target_ip);
	bool for_us = neigh_link_answers(neigh, link, &target);
	struct neigh_entry *entry;

	// Our own, come back, or somebody with our address.
	if (neigh_link_owns(link, &sender.addr))
		return;
	// A sender without an address (RFC 5227 §2.1.1) is answered, but is nobody's neighbour.
	if (!ip6_addr_is_unspecified(&sender.addr.addr)) {
		entry = for_us ? find_speaker(neigh, link, &sender)
			       : neigh_entry_find(neigh, &sender);
		if (entry != NULL && arp->op == NEIGH_ARP_REPLY &&
			memcmp(arp->target_mac, link->iface.mac, sizeof(arp->target_mac)) == 0)
			neigh_entry_confirm(neigh, entry, arp->sender_mac);
		else if (entry != NULL)
			neigh_entry_learn(neigh, entry, arp->sender_mac);
	}
	if (for_us && arp->op == NEIGH_ARP_REQUEST)
		neigh_send_arp_reply(neigh, link, arp);
}

// Sends advert to the solicitor: to the link-layer address it gave, else like any packet, which may
// have to wait.
static void answer(struct neigh *neigh, const struct neigh_link *link, uint16_t iface,
	const struct neigh_nd *solicit, const struct neigh_nd *advert)
{
	struct adj_key key = {.iface = iface, .addr = neigh_link_ip6(&advert->dst)};
	struct neigh_entry *entry;
	struct rte_mbuf *m;

	if (solicit->has_mac || ip6_addr_is_multicast(&advert->dst)) {
		neigh_send_nd(neigh, link, solicit->mac, advert);
		return;
	}
	if (!neigh_link_covers(link, &key.addr))
		return;
	entry = want(neigh, &key);
	m = entry == NULL ? NULL : neigh_send_make_packet(neigh, iface, advert);
	if (m != NULL)
		neigh_entry_give(neigh, entry, m);
}

static void take_solicit(struct neigh *neigh, const struct neigh_link *link, uint16_t iface,
	const struct neigh_nd *nd)
{
	struct adj_key sender = {.iface = iface, .addr = neigh_link_ip6(&nd->src)};
	struct neigh_nd advert = {.type = NEIGH_ND_ADVERT,
		.src = nd->target,
		.dst = nd->src,
		.target = nd->target,
		.flags = NEIGH_ND_ROUTER | NEIGH_ND_SOLICITED | NEIGH_ND_OVERRIDE,
		.has_mac = true};
	struct ip_addr target = neigh_link_ip6(&nd->target);
	struct neigh_entry *entry;

	if (!neigh_link_answers(neigh, link, &target) || neigh_link_owns(link, &sender.addr))
		return;
	memcpy(advert.mac, link->iface.mac, sizeof(advert.mac));
	if (ip6_addr_is_unspecified(&nd->src)) {
		// Somebody tries out our address: everyone must know whose it is (§7.2.4).
		advert.dst = ip6_addr_from(0xff02ull << 48, 1);
		advert.flags &= (uint8_t)~NEIGH_ND_SOLICITED;
	} else if (nd->has_mac) {
		entry = find_speaker(neigh, link, &sender);
		if (entry != NULL)
			neigh_entry_learn(neigh, entry, nd->mac);
	}
	answer(neigh, link, iface, nd, &advert);
}

// RFC 4861 §7.2.5.
static void take_advert(struct neigh *neigh, uint16_t iface, const struct neigh_nd *nd)
{
	struct adj_key key = {.iface = iface, .addr = neigh_link_ip6(&nd->target)};
	struct neigh_entry *entry = neigh_entry_find(neigh, &key);
	const uint8_t *mac;
	bool other_mac;

	if (entry == NULL || (!neigh_entry_is_resolved(entry) && !nd->has_mac))
		return;
	mac = nd->has_mac ? nd->mac : entry->mac;
	other_mac = neigh_entry_is_resolved(entry) && memcmp(mac, entry->mac, 6) != 0;
	if (other_mac && !(nd->flags & NEIGH_ND_OVERRIDE)) {
		neigh_entry_doubt(neigh, entry);
		return;
	}
	if (nd->flags & NEIGH_ND_SOLICITED)
		neigh_entry_confirm(neigh, entry, mac);
	else
		neigh_entry_learn(neigh, entry, mac);
	if (!(nd->flags & NEIGH_ND_ROUTER))
		neigh_router_resigned(neigh, iface, &nd->target);
}

static void take_router_advert(struct neigh *neigh, const struct neigh_link *link, uint16_t iface,
	const struct neigh_nd *nd)
{
	struct adj_key key = {.iface = iface, .addr = neigh_link_ip6(&nd->src)};
	struct neigh_entry *entry;

	if (!link->spec->accept_ra || neigh_link_owns(link, &key.addr))
		return;
	entry = nd->has_mac ? find_speaker(neigh, link, &key) : NULL;
	if (entry != NULL)
		neigh_entry_learn(neigh, entry, nd->mac);
	neigh_router_advertised(neigh, iface, nd);
}

static void take_nd(struct neigh *neigh, const struct neigh_link *link, uint16_t iface,
	const struct neigh_nd *nd)
{
	switch (nd->type) {
	case NEIGH_ND_SOLICIT:
		take_solicit(neigh, link, iface, nd);
		break;
	case NEIGH_ND_ADVERT:
		take_advert(neigh, iface, nd);
		break;
	case NEIGH_ND_ROUTER_ADVERT:
		take_router_advert(neigh, link, iface, nd);
		break;
	case NEIGH_ND_ROUTER_SOLICIT: // the node sends no advertisements
		break;
	}
}

// Reads an ARP, discovery or query message, and frees it.
static void take_message(struct neigh *neigh, struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);
	const struct neigh_link *link = neigh_link_get(neigh, p->iface);
	const uint8_t *bytes = packet_pull(m, m->pkt_len);
	struct neigh_arp arp;
	struct neigh_nd nd;
	struct ip6_addr group;

	if (link != NULL && bytes != NULL && p->punt == PUNT_ARP &&
		neigh_arp_parse(bytes, m->pkt_len, &arp) > 0)
		take_arp(neigh, link, p->iface, &arp);
	else if (link != NULL && bytes != NULL && p->punt == PUNT_ND &&
		 neigh_nd_parse(bytes, m->pkt_len, &nd) > 0)
		take_nd(neigh, link, p->iface, &nd);
	else if (link != NULL && bytes != NULL && p->punt == PUNT_MLD &&
		 neigh_mld_parse_query(bytes, m->pkt_len, &group) > 0)
		neigh_groups_report(neigh, link, &group);
	rte_pktmbuf_free(m);
}

// The neighbour that a packet waits for.
static bool read_key(struct neigh *neigh, struct rte_mbuf *m, struct adj_key *key)
{
	const struct packet *p = packet_of(m);
	const uint8_t *ip = packet_pull(m, sizeof(struct rte_ipv4_hdr));

	if (p->adj != ADJ_NONE)
		return adj_table_key(neigh->ctrl->adj_table, p->adj, key);
	if (ip == NULL)
		return false;
	*key = (struct adj_key){.iface = p->out_iface};
	if (ip[0] >> 4 == 4) {
		key->addr = neigh_link_ip4(ip + offsetof(struct rte_ipv4_hdr, dst_addr));
		return true;
	}
	ip = packet_pull(m, sizeof(struct rte_ipv6_hdr));
	if (ip == NULL)
		return false;
	key->addr = neigh_link_ip6(
		(const struct ip6_addr *)(ip + offsetof(struct rte_ipv6_hdr, dst_addr)));
	return true;
}

static void take_waiting(struct neigh *neigh, struct rte_mbuf *m)
{
	struct neigh_entry *entry = NULL;
	struct adj_key key;

	if (read_key(neigh, m, &key) && neigh_link_get(neigh, key.iface) != NULL)
		entry = want(neigh, &key);
	if (entry == NULL)
		inject_overflow(neigh->ctrl->workers[0], m);
	else
		neigh_entry_give(neigh, entry, m);
}

void neigh_input_packet(struct neigh *neigh, struct rte_mbuf *m)
{
	if (packet_of(m)->punt == PUNT_NEIGHBOR)
		take_waiting(neigh, m);
	else
		take_message(neigh, m);
}
