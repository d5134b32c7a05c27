// SPDX-License-Identifier: Apache-2.0
#pragma once

// Multicast listener discovery version 2 (RFC 3810), the listener's side, on bytes: reading queries and writing
// reports. No policy.

#include <stdint.h>

#include "srv6/ip6_addr.h"

enum {
	NEIGH_MLD_MAX_GROUPS = 60, // of one report: it fits the smallest MTU
	// IPv6 header, hop-by-hop header, message, a record for each group.
	NEIGH_MLD_MAX_WRITTEN = 40 + 8 + 8 + NEIGH_MLD_MAX_GROUPS * 20,
};

// Reads a query that begins at the IPv6 header and has no extension headers (any more); its checksum has been
// verified. group: which one is asked for; unspecified: all. Returns the bytes consumed, or -EBADMSG. The shorter
// query of version 1 is read as well.
int neigh_mld_parse_query(const uint8_t *pkt, uint32_t len, struct ip6_addr *group);

// Writes a report that the groups are listened to, from any source; src is link-local. pkt has room for
// NEIGH_MLD_MAX_WRITTEN. Returns the bytes written.
uint32_t neigh_mld_write_report(
	const struct ip6_addr *src, const struct ip6_addr *groups, uint32_t n_groups, uint8_t *pkt);
