// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hash of an inner flow: source, destination, protocol and ports. It picks segment lists, ECMP
// paths and workers and is the flow label of outer headers (RFC 6437), so it must be the same for every
// packet of a flow; hence fragments hash on addresses only, and the IPv6 flow label, which Linux changes
// after a time-out, counts for tunnels alone. Two multiplications of 64 x 64 bits fold to 128: the mixing step of
// wyhash and its relatives. Never 0, which means "not yet computed".

#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#include "pipeline/packet.h"

// Of an IP packet whose header is valid, from its first avail_len bytes.
uint32_t flow_hash_ip6(const uint8_t *ip6, uint32_t avail_len);
uint32_t flow_hash_eth(const uint8_t *eth, uint32_t avail_len);

static inline uint64_t flow_hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t flow_hash_load(const uint8_t *bytes)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof(v));
	return v;
}

enum {
	FLOW_HASH_IP4_ADDRS = 12, // offset of source and destination
};

static inline uint32_t flow_hash_finish(uint64_t h)
{
	uint32_t hash = (uint32_t)(h >> 32) ^ (uint32_t)h;

	return hash == 0 ? 1 : hash;
}

static inline bool flow_hash_has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132 ||
	       proto == 136; // TCP, UDP, SCTP, UDP-Lite
}

// Constants: digits of pi and e, odd, as good as any.
#define FLOW_HASH_K0 0x243f6a8885a308d3ULL
#define FLOW_HASH_K1 0xb7e151628aed2a6bULL

static inline uint32_t flow_hash_ip4(const uint8_t *ip4, uint32_t avail_len)
{
	uint32_t ihl = (ip4[0] & 0x0f) * 4u;
	uint64_t rest = ip4[9];
	bool fragment = ((ip4[6] & 0x3f) | ip4[7]) != 0; // MF or an offset

	if (likely(!fragment && flow_hash_has_ports(ip4[9]) && ihl + 4 <= avail_len)) {
		uint32_t ports;

		memcpy(&ports, ip4 + ihl, sizeof(ports));
		rest |= (uint64_t)ports << 32;
	} else if (fragment) {
		rest = 0; // later fragments carry no ports, all of them must agree
	}
	return flow_hash_finish(flow_hash_fold(
		flow_hash_load(ip4 + FLOW_HASH_IP4_ADDRS) ^ FLOW_HASH_K0, rest ^ FLOW_HASH_K1));
}

// Of packets whose headers may lie in several segments: how a flow's packets are cut must not matter. Not for
// direct use.
uint32_t flow_hash_ip_segments(const struct rte_mbuf *m);
uint32_t flow_hash_eth_segments(const struct rte_mbuf *m);

static inline uint32_t flow_hash_ip(const uint8_t *ip, uint32_t avail_len)
{
	return (ip[0] >> 4) == 4 ? flow_hash_ip4(ip, avail_len) : flow_hash_ip6(ip, avail_len);
}

// The packet's hash, computed at the first question. Its data starts at the IP header.
static inline uint32_t flow_hash_of(struct rte_mbuf *m, struct packet *p)
{
	if (p->flow_hash == 0)
		p->flow_hash = likely(m->nb_segs == 1)
				       ? flow_hash_ip(rte_pktmbuf_mtod(m, const uint8_t *),
						 rte_pktmbuf_data_len(m))
				       : flow_hash_ip_segments(m);
	return p->flow_hash;
}

// Of a frame.
static inline uint32_t flow_hash_of_frame(const struct rte_mbuf *m)
{
	return likely(m->nb_segs == 1) ? flow_hash_eth(rte_pktmbuf_mtod(m, const uint8_t *),
						 rte_pktmbuf_data_len(m))
				       : flow_hash_eth_segments(m);
}
