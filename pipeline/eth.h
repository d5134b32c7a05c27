// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ethernet addresses as integers, so that one comparison tells whether a frame is for us.

#include <stdint.h>
#include <string.h>

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
