// SPDX-License-Identifier: Apache-2.0
#pragma once

// The header that ICMP (RFC 792) and ICMPv6 (RFC 4443) share. Packed, unlike libc's, since behind an Ethernet
// header it is never aligned.

#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_common.h>

struct icmp_header {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	rte_be32_t value_be; // pointer, MTU or identifier
} __rte_packed;
