// SPDX-License-Identifier: Apache-2.0
#pragma once

// The headers at the start of a packet in one line, for people: "fd00::1 > fd00:9::1 hop limit 64 length 124;
// SRH left 1 of 2; 10.1.0.1 > 10.2.0.1 ttl 63 length 84; ICMP type 8".

#include <stddef.h>
#include <stdint.h>

// n_bytes are at hand of a packet of pkt_len, which begins at the IP, ARP or Ethernet header: whichever
// the bytes look like. Any bytes are fine.
void packet_text_format(
	const uint8_t *bytes, size_t n_bytes, size_t pkt_len, char *text, size_t text_bytes);
