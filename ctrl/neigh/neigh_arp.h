// SPDX-License-Identifier: Apache-2.0
#pragma once

// ARP for IPv4 over Ethernet (RFC 826) on bytes: reading and writing, no policy.

#include <stdint.h>

enum {
	NEIGH_ARP_LEN = 28,
	NEIGH_ARP_REQUEST = 1,
	NEIGH_ARP_REPLY = 2,
};

struct neigh_arp {
	uint16_t op; // NEIGH_ARP_REQUEST or NEIGH_ARP_REPLY
	uint8_t sender_mac[6];
	uint8_t sender_ip[4];
	uint8_t target_mac[6];
	uint8_t target_ip[4];
};

// Reads a packet that begins at the ARP header; what follows the 28 bytes is padding. Returns the
// bytes consumed, or -EBADMSG: truncated, not IPv4 over Ethernet, neither request nor reply, or a
// sender that is a group or nobody.
int neigh_arp_parse(const uint8_t *bytes, uint32_t len, struct neigh_arp *arp);

// Writes NEIGH_ARP_LEN bytes.
void neigh_arp_write(const struct neigh_arp *arp, uint8_t *bytes);
