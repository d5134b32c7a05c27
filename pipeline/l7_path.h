// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long a packet may be on its way to an address: the MTU of the link that it leaves by, less what a policy
// puts in front.

#include <stdint.h>

#include "pipeline/snapshot.h"

// addr: IPv4 in the first four bytes. policy: slot, or ENDPOINT_NO_POLICY: the VRF's table decides. Bytes of IP
// packet.
uint16_t l7_path_mtu(const struct snapshot *snapshot, const struct adj_table *adj_table,
	uint16_t vrf, uint8_t family, const uint8_t addr[16], uint32_t policy);

// The TCP payload that fits.
static inline uint16_t l7_path_mss(uint16_t mtu, uint8_t family)
{
	return (uint16_t)(mtu - (family == 4 ? 40 : 60));
}
