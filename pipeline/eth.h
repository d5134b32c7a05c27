// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ethernet addresses as integers, so that one comparison tells whether a frame is for us; VLAN tags.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_ether.h>

#include "pipeline/packet.h"

#define ETH_NO_MAC UINT64_MAX // equals no address

// The six bytes at mac, as a number.
static inline uint64_t eth_mac(const uint8_t *mac)
{
	uint32_t high;
	uint16_t low;

	memcpy(&high, mac, sizeof(high));
	memcpy(&low, mac + 4, sizeof(low));
	return (uint64_t)high << 16 | low;
}

// Puts an 802.1Q tag between the MAC addresses and the EtherType of a frame. False: no mbuf for it.
static inline bool eth_push_tag(struct rte_mbuf *m, uint16_t tci)
{
	const rte_be16_t tag_be[] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(tci)};
	uint8_t *eth;

	if (packet_push(m, RTE_VLAN_HLEN) == NULL)
		return false;
	eth = packet_pull(m, RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN);
	if (eth == NULL)
		return false;
	memmove(eth, eth + RTE_VLAN_HLEN, 2 * RTE_ETHER_ADDR_LEN);
	memcpy(eth + 2 * RTE_ETHER_ADDR_LEN, tag_be, sizeof(tag_be));
	return true;
}
