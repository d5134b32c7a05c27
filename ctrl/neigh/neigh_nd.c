// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/neigh_nd.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_ip.h>

enum {
	IP6_LEN = 40,
	HOP_LIMIT = 255,
	ICMP_LEN = 4,  // type, code, checksum
	OFF_FLAGS = 4, // from the ICMPv6 header, like those below
	OFF_ROUTER_LIFETIME = 6,
	OFF_TARGET = 8,
	LEN_ROUTER_SOLICIT = 8, // without options
	LEN_ROUTER_ADVERT = 16,
	LEN_NEIGHBOR = 24,
	OPTION_UNIT_LEN = 8,
	OPTION_SOURCE_MAC = 1,
	OPTION_TARGET_MAC = 2,
	OPTION_MAC_LEN = 8,
};

static uint32_t fixed_len(uint8_t type)
{
	switch (type) {
	case NEIGH_ND_ROUTER_SOLICIT:
		return LEN_ROUTER_SOLICIT;
	case NEIGH_ND_ROUTER_ADVERT:
		return LEN_ROUTER_ADVERT;
	case NEIGH_ND_SOLICIT:
	case NEIGH_ND_ADVERT:
		return LEN_NEIGHBOR;
	default:
		return 0;
	}
}

static uint8_t mac_option(enum neigh_nd_type type)
{
	return type == NEIGH_ND_ADVERT ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC;
}

// Options that we have no use for, or of a length that Ethernet does not have, are skipped.
static int parse_options(const uint8_t *options, uint32_t len, struct neigh_nd *nd)
{
	while (len > 0) {
		uint32_t option_len;

		if (len < 2 || options[1] == 0)
			return -EBADMSG;
		option_len = options[1] * (uint32_t)OPTION_UNIT_LEN;
		if (option_len > len)
			return -EBADMSG;
		if (options[0] == mac_option(nd->type) && option_len == OPTION_MAC_LEN) {
			memcpy(nd->mac, options + 2, sizeof(nd->mac));
			nd->has_mac = true;
		}
		options += option_len;
		len -= option_len;
	}
	return 0;
}

static bool is_solicited_node(const struct ip6_addr *addr)
{
	struct ip6_addr group = neigh_nd_solicited_node(addr);

	return ip6_addr_equal(addr, &group);
}

// What each type demands of addresses, flags and options.
static bool is_valid(const struct neigh_nd *nd)
{
	bool anonymous = ip6_addr_is_unspecified(&nd->src);
	struct rte_ether_addr mac;

	memcpy(&mac, nd->mac, sizeof(mac));
	if (nd->has_mac && !rte_is_valid_assigned_ether_addr(&mac))
		return false;
	switch (nd->type) {
	case NEIGH_ND_ROUTER_SOLICIT: // §6.1.1
		return !(anonymous && nd->has_mac);
	case NEIGH_ND_ROUTER_ADVERT: // §6.1.2
		return ip6_addr_is_link_local(&nd->src);
	case NEIGH_ND_SOLICIT: // §7.1.1
		if (anonymous && (nd->has_mac || !is_solicited_node(&nd->dst)))
			return false;
		return !ip6_addr_is_multicast(&nd->target);
	default: // §7.1.2
		if (ip6_addr_is_multicast(&nd->dst) && (nd->flags & NEIGH_ND_SOLICITED))
			return false;
		return !ip6_addr_is_multicast(&nd->target);
	}
}

int neigh_nd_parse(const uint8_t *pkt, uint32_t len, struct neigh_nd *nd)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)pkt;
	const uint8_t *icmp = pkt + IP6_LEN;
	uint32_t payload_len, message_len;

	if (len < IP6_LEN + ICMP_LEN)
		return -EBADMSG;
	payload_len = rte_be_to_cpu_16(ip->payload_len);
	message_len = fixed_len(icmp[0]);
	if (ip->proto != IPPROTO_ICMPV6 || ip->hop_limits != HOP_LIMIT || icmp[1] != 0 ||
		message_len == 0 || payload_len < message_len || payload_len > len - IP6_LEN)
		return -EBADMSG;
	*nd = (struct neigh_nd){.type = icmp[0]};
	memcpy(&nd->src, ip->src_addr, sizeof(nd->src));
	memcpy(&nd->dst, ip->dst_addr, sizeof(nd->dst));
	if (nd->type == NEIGH_ND_ROUTER_ADVERT)
		nd->router_lifetime_s =
			(uint16_t)(icmp[OFF_ROUTER_LIFETIME] << 8 | icmp[OFF_ROUTER_LIFETIME + 1]);
	if (message_len == LEN_NEIGHBOR)
		memcpy(&nd->target, icmp + OFF_TARGET, sizeof(nd->target));
	if (nd->type == NEIGH_ND_ADVERT)
		nd->flags = icmp[OFF_FLAGS];
	if (parse_options(icmp + message_len, payload_len - message_len, nd) != 0 || !is_valid(nd))
		return -EBADMSG;
	return (int)(IP6_LEN + payload_len);
}

uint32_t neigh_nd_write(const struct neigh_nd *nd, uint8_t *pkt)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)pkt;
	uint8_t *icmp = pkt + IP6_LEN;
	uint32_t message_len = fixed_len((uint8_t)nd->type);
	uint32_t payload_len = message_len + (nd->has_mac ? OPTION_MAC_LEN : 0);
	rte_be16_t cksum;

	memset(pkt, 0, IP6_LEN + payload_len);
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)payload_len);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = HOP_LIMIT;
	memcpy(ip->src_addr, &nd->src, sizeof(nd->src));
	memcpy(ip->dst_addr, &nd->dst, sizeof(nd->dst));
	icmp[0] = (uint8_t)nd->type;
	icmp[OFF_FLAGS] = nd->flags;
	if (message_len == LEN_NEIGHBOR)
		memcpy(icmp + OFF_TARGET, &nd->target, sizeof(nd->target));
	if (nd->has_mac) {
		icmp[message_len] = mac_option(nd->type);
		icmp[message_len + 1] = OPTION_MAC_LEN / OPTION_UNIT_LEN;
		memcpy(icmp + message_len + 2, nd->mac, sizeof(nd->mac));
	}
	cksum = rte_ipv6_udptcp_cksum(ip, icmp);
	memcpy(icmp + 2, &cksum, sizeof(cksum));
	return IP6_LEN + payload_len;
}

struct ip6_addr neigh_nd_solicited_node(const struct ip6_addr *target)
{
	return ip6_addr_from(0xff02ull << 48, 0x1ff000000ull | (ip6_addr_lo(target) & 0xffffff));
}
