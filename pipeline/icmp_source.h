// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which address an ICMP error comes from: that of the interface in the packet's VRF that leads back to
// the source; where none does (the way back is a policy), the VRF's configured one.

#include <stdbool.h>

#include "pipeline/packet.h"
#include "pipeline/snapshot.h"

// False when the VRF has no address to answer from.
bool icmp_source_ip4(const struct snapshot *snapshot, struct adj_table *adj_table,
	const struct packet *p, rte_be32_t to, rte_be32_t *source);
bool icmp_source_ip6(const struct snapshot *snapshot, struct adj_table *adj_table,
	const struct packet *p, const struct ip6_addr *to, struct ip6_addr *source);
