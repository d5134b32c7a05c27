// SPDX-License-Identifier: Apache-2.0
#pragma once

// An IPv6 address as it stands on the wire. It has alignment 1, so that it may overlay packet
// bytes at any offset; the halves are read with memcpy, which compiles to one load.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

enum {
	IP6_ADDR_LEN = 16,
};

struct ip6_addr {
	uint8_t b[IP6_ADDR_LEN];
};

// The first 64 bits in host order: what a longest-prefix match walks.
static inline uint64_t ip6_addr_hi(const struct ip6_addr *addr)
{
	uint64_t v;

	memcpy(&v, addr->b, sizeof(v));
	return rte_be_to_cpu_64(v);
}

// The last 64 bits in host order.
static inline uint64_t ip6_addr_lo(const struct ip6_addr *addr)
{
	uint64_t v;

	memcpy(&v, addr->b + 8, sizeof(v));
	return rte_be_to_cpu_64(v);
}

static inline struct ip6_addr ip6_addr_from(uint64_t hi, uint64_t lo)
{
	struct ip6_addr addr;

	hi = rte_cpu_to_be_64(hi);
	lo = rte_cpu_to_be_64(lo);
	memcpy(addr.b, &hi, sizeof(hi));
	memcpy(addr.b + 8, &lo, sizeof(lo));
	return addr;
}

static inline bool ip6_addr_equal(const struct ip6_addr *a, const struct ip6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool ip6_addr_is_unspecified(const struct ip6_addr *addr)
{
	return (ip6_addr_hi(addr) | ip6_addr_lo(addr)) == 0;
}

static inline bool ip6_addr_is_multicast(const struct ip6_addr *addr)
{
	return addr->b[0] == 0xff;
}

static inline bool ip6_addr_is_link_local(const struct ip6_addr *addr)
{
	return addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80;
}
