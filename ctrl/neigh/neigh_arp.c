// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/neigh_arp.h"

#include <errno.h>
#include <string.h>

#include <rte_ether.h>

enum {
	OFF_OP = 6,
	OFF_SENDER_MAC = 8,
	OFF_SENDER_IP = 14,
	OFF_TARGET_MAC = 18,
	OFF_TARGET_IP = 24,
};

// Hardware Ethernet, protocol IPv4, addresses of 6 and 4 bytes.
static const uint8_t format[OFF_OP] = {0, 1, 0x08, 0x00, 6, 4};

int neigh_arp_parse(const uint8_t *bytes, uint32_t len, struct neigh_arp *arp)
{
	struct rte_ether_addr sender;

	if (len < NEIGH_ARP_LEN || memcmp(bytes, format, sizeof(format)) != 0)
		return -EBADMSG;
	arp->op = (uint16_t)(bytes[OFF_OP] << 8 | bytes[OFF_OP + 1]);
	if (arp->op != NEIGH_ARP_REQUEST && arp->op != NEIGH_ARP_REPLY)
		return -EBADMSG;
	memcpy(arp->sender_mac, bytes + OFF_SENDER_MAC, sizeof(arp->sender_mac));
	memcpy(arp->sender_ip, bytes + OFF_SENDER_IP, sizeof(arp->sender_ip));
	memcpy(arp->target_mac, bytes + OFF_TARGET_MAC, sizeof(arp->target_mac));
	memcpy(arp->target_ip, bytes + OFF_TARGET_IP, sizeof(arp->target_ip));
	memcpy(&sender, arp->sender_mac, sizeof(sender));
	if (!rte_is_valid_assigned_ether_addr(&sender))
		return -EBADMSG;
	return NEIGH_ARP_LEN;
}

void neigh_arp_write(const struct neigh_arp *arp, uint8_t *bytes)
{
	memcpy(bytes, format, sizeof(format));
	bytes[OFF_OP] = (uint8_t)(arp->op >> 8);
	bytes[OFF_OP + 1] = (uint8_t)arp->op;
	memcpy(bytes + OFF_SENDER_MAC, arp->sender_mac, sizeof(arp->sender_mac));
	memcpy(bytes + OFF_SENDER_IP, arp->sender_ip, sizeof(arp->sender_ip));
	memcpy(bytes + OFF_TARGET_MAC, arp->target_mac, sizeof(arp->target_mac));
	memcpy(bytes + OFF_TARGET_IP, arp->target_ip, sizeof(arp->target_ip));
}
