// SPDX-License-Identifier: Apache-2.0
#pragma once

// The configurations that the reload test swaps, the flows it sends through them, and what is right for
// each flow under each configuration.

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

// What a configuration does differently; any set of these is one.
enum reload_variant {
	RELOAD_OTHER_HOP = 1 << 0,  // a tenant's route leads elsewhere
	RELOAD_OTHER_LIST = 1 << 1, // the policy's segment list is another
	RELOAD_OTHER_VRF = 1 << 2,  // End.DT4 leads to another VRF
	RELOAD_ECMP = 1 << 3,	    // two new next hops instead of one
	RELOAD_TEMP = 1 << 4,	    // a VRF with its SID and interface is there
	RELOAD_DISPATCH = 1 << 5,   // flows are spread over the workers
	RELOAD_N_VARIANTS = 1 << 6,
};

enum reload_flow {
	RELOAD_FORWARD, // IPv4 in a VRF
	RELOAD_ENCAPS,	// IPv4 by a policy
	RELOAD_DT4,
	RELOAD_END,
	RELOAD_MAIN,				// End.DT46, tenant lookup, H.Encaps
	RELOAD_ALWAYS_THERE,			// the flows before exist in all configurations
	RELOAD_VANISHING = RELOAD_ALWAYS_THERE, // End.DT46 to the VRF that comes and goes
	RELOAD_N_FLOWS,
};

// A frame that came out.
struct reload_seen {
	uint32_t seq;
	enum reload_flow flow;
	uint16_t vlan;
	uint8_t mac; // last byte of the destination
	uint8_t dst; // last byte of the IP destination
};

// The text of a configuration; malloced. churn numbers further VRFs, interfaces, SIDs and policies, so that
// slots change hands.
char *reload_config(uint32_t variant, uint32_t churn);

// Writes frame seq of a flow into an empty mbuf.
void reload_fill(struct rte_mbuf *m, const uint8_t *port_mac, enum reload_flow flow, uint32_t seq);

// Reads a frame that came out; false when it is none of ours.
bool reload_read(const struct rte_mbuf *m, struct reload_seen *seen);

bool reload_is_right(const struct reload_seen *seen, uint32_t variant);
