// SPDX-License-Identifier: Apache-2.0
#pragma once

// ECN over tunnels, RFC 6040.

#include <stdint.h>

enum {
	ECN_MASK = 0x03,
	ECN_NOT_ECT = 0x00,
	ECN_ECT1 = 0x01,
	ECN_ECT0 = 0x02,
	ECN_CE = 0x03,
	ECN_DROP = -1,
};

// The inner ECN field after decapsulation (§4.2, figure 4), or ECN_DROP for CE over Not-ECT.
static inline int ecn_decapsulate(uint8_t outer_tc, uint8_t inner_tc)
{
	uint8_t outer = outer_tc & ECN_MASK;
	uint8_t inner = inner_tc & ECN_MASK;

	if (outer == ECN_CE)
		return inner == ECN_NOT_ECT ? ECN_DROP : ECN_CE;
	if (outer == ECN_ECT1 && inner == ECN_ECT0)
		return ECN_ECT1;
	return inner;
}
