// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPv6 header checks and edits that several nodes share (RFC 8200, RFC 4291).

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "pipeline/packet.h"
#include "srv6/ip6_addr.h"

enum ip6_verdict {
	IP6_OK,
	IP6_MALFORMED,
	IP6_MARTIAN, // RFC 4291 §2.5.2, §2.5.3, §2.7: ::1, :: but to a group, or a multicast source
};

static inline const struct ip6_addr *ip6_src(const struct rte_ipv6_hdr *ip)
{
	return (const struct ip6_addr *)ip->src_addr;
}

static inline const struct ip6_addr *ip6_dst(const struct rte_ipv6_hdr *ip)
{
	return (const struct ip6_addr *)ip->dst_addr;
}

static inline bool ip6_is_loopback(const struct ip6_addr *addr)
{
	return ip6_addr_hi(addr) == 0 && ip6_addr_lo(addr) == 1;
}

// Checks the header at the packet's start and trims what follows the packet's own length. Makes the
// 40 bytes contiguous. Jumbograms (RFC 2675) are malformed here.
static inline enum ip6_verdict ip6_check(struct rte_mbuf *m)
{
	const struct rte_ipv6_hdr *ip = packet_pull(m, sizeof(*ip));
	uint32_t total_len;

	if (unlikely(ip == NULL))
		return IP6_MALFORMED;
	total_len = sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	if (unlikely(
		    (ip->vtc_flow & rte_cpu_to_be_32(0xf0000000)) != rte_cpu_to_be_32(0x60000000) ||
		    total_len > m->pkt_len))
		return IP6_MALFORMED;
	// RFC 2675 §3: length 0 with hop-by-hop options behind it.
	if (unlikely(ip->payload_len == 0 && ip->proto == IPPROTO_HOPOPTS))
		return IP6_MALFORMED;
	if (unlikely(ip->src_addr[0] == 0xff))
		return IP6_MARTIAN;
	if (unlikely(ip->dst_addr[0] == 0 || ip->src_addr[0] == 0) &&
		(ip6_is_loopback(ip6_dst(ip)) || ip6_is_loopback(ip6_src(ip)) ||
			ip6_addr_is_unspecified(ip6_dst(ip)) ||
			(ip6_addr_is_unspecified(ip6_src(ip)) &&
				!ip6_addr_is_multicast(ip6_dst(ip)))))
		return IP6_MARTIAN;
	packet_trim(m, total_len);
	return IP6_OK;
}

static inline uint8_t ip6_traffic_class(const struct rte_ipv6_hdr *ip)
{
	return (uint8_t)(rte_be_to_cpu_32(ip->vtc_flow) >> 20);
}

static inline void ip6_set_traffic_class(struct rte_ipv6_hdr *ip, uint8_t tc)
{
	ip->vtc_flow = (ip->vtc_flow & rte_cpu_to_be_32(0xf00fffff)) |
		       rte_cpu_to_be_32((uint32_t)tc << 20);
}

// The checksum's sum over an upper layer that follows the IPv6 header directly, pseudo-header included.
static inline uint16_t ip6_upper_sum(const struct rte_mbuf *m)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	uint32_t sum = (uint32_t)packet_sum(m, sizeof(*ip)) + rte_ipv6_phdr_cksum(ip, 0);

	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

// Addresses that do not leave their link, or name a group: what comes out of a tunnel or goes into one
// may not carry them (RFC 4291 §2.5.6).
static inline bool ip6_is_link_bound(const struct rte_ipv6_hdr *ip)
{
	return ip6_addr_is_multicast(ip6_dst(ip)) || ip6_addr_is_link_local(ip6_dst(ip)) ||
	       ip6_addr_is_link_local(ip6_src(ip));
}
