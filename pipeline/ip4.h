// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPv4 header checks and edits that several nodes share (RFC 791, RFC 1812, RFC 1624).

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "pipeline/packet.h"

enum ip4_verdict {
	IP4_OK,
	IP4_MALFORMED,
	IP4_CHECKSUM,
	IP4_MARTIAN, // RFC 1812 §5.3.7: source or destination that may not be forwarded
};

// Folds a ones-complement sum of 64 bits to 16: 0xffff for a correct header. Adding the halves crosswise
// leaves the sum with its carry in the upper half.
static inline uint16_t ip4_fold(uint64_t sum)
{
	uint32_t half;

	sum += sum >> 32 | sum << 32;
	half = (uint32_t)(sum >> 32);
	half += half >> 16 | half << 16;
	return (uint16_t)(half >> 16);
}

// Ones-complement sum of a header with options.
static inline uint16_t ip4_options_sum(const uint8_t *ip, uint32_t ihl_len)
{
	uint64_t sum = 0;

	for (uint32_t off = 0; off < ihl_len; off += 4) {
		uint32_t word;

		memcpy(&word, ip + off, sizeof(word));
		sum += word;
	}
	return ip4_fold(sum);
}

// Ones-complement sum of the 20 bytes of a header without options, with end-around carry.
static inline uint16_t ip4_header_sum(const uint8_t *ip)
{
	uint64_t sum, b;
	uint32_t c;

	memcpy(&sum, ip, sizeof(sum));
	memcpy(&b, ip + 8, sizeof(b));
	memcpy(&c, ip + 16, sizeof(c));
	sum += b;
	sum += sum < b;
	sum += c;
	sum += sum < c;
	return ip4_fold(sum);
}

// What the first byte of an address rules out (RFC 1812 §5.3.7): 0/8, 127/8, groups and the rest of 224/3,
// on either side alike.
enum {
	IP4_BAD_SRC = 1 << 0,
	IP4_BAD_DST = 1 << 1,
};
extern const uint8_t ip4_first_byte[256];

static inline bool ip4_is_martian(const struct rte_ipv4_hdr *ip)
{
	uint8_t src = ip4_first_byte[*(const uint8_t *)&ip->src_addr];
	uint8_t dst = ip4_first_byte[*(const uint8_t *)&ip->dst_addr];

	return ((src & IP4_BAD_SRC) | (dst & IP4_BAD_DST)) != 0;
}

// The check of a header with options, or with something wrong before them. Not for direct use.
enum ip4_verdict ip4_check_options(struct rte_mbuf *m);

// Checks the header at the packet's start (RFC 1812 §5.2.2) and trims what follows the packet's own
// length. Makes the header contiguous.
static inline enum ip4_verdict ip4_check(struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	uint32_t total_len;

	if (unlikely(m->data_len < sizeof(*ip) || ip->version_ihl != 0x45))
		return ip4_check_options(m);
	total_len = rte_be_to_cpu_16(ip->total_length);
	// One comparison for both bounds: a total_len below 20 wraps around.
	if (unlikely(total_len - sizeof(*ip) > m->pkt_len - sizeof(*ip)))
		return IP4_MALFORMED;
	if (unlikely(ip4_header_sum((const uint8_t *)ip) != 0xffff))
		return IP4_CHECKSUM;
	if (unlikely(ip4_is_martian(ip)))
		return IP4_MARTIAN;
	packet_trim(m, total_len);
	return IP4_OK;
}

// Whether a packet that exceeds mtu may be sent in pieces: RFC 791 asks every link for 68 bytes.
static inline bool ip4_may_fragment(const struct rte_ipv4_hdr *ip, uint32_t mtu)
{
	return !(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) && mtu >= 68;
}

// Decrements the TTL; RFC 1624 in the form of adding 0x0100 to the checksum. A sum of 0xffff is negative
// zero, which a computed checksum never is (RFC 1624 §3): it carries, too.
static inline void ip4_decrement_ttl(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = (uint32_t)ip->hdr_checksum + rte_cpu_to_be_16(0x0100);

	ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
	ip->time_to_live--;
}

// Sets the TOS byte and patches the checksum (RFC 1624 equation 3).
static inline void ip4_set_tos(struct rte_ipv4_hdr *ip, uint8_t tos)
{
	uint16_t before = rte_cpu_to_be_16((uint16_t)(ip->version_ihl << 8 | ip->type_of_service));
	uint16_t after = rte_cpu_to_be_16((uint16_t)(ip->version_ihl << 8 | tos));
	uint32_t sum = (uint16_t)~ip->hdr_checksum + (uint32_t)(uint16_t)~before + after;

	sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = (uint16_t) ~(sum + (sum >> 16));
	ip->type_of_service = tos;
}

// The address as the lookup wants it: in the top 32 bits.
static inline uint64_t ip4_key(const void *addr)
{
	uint32_t addr_be;

	memcpy(&addr_be, addr, sizeof(addr_be));
	return (uint64_t)rte_be_to_cpu_32(addr_be) << 32;
}
