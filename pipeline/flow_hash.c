// SPDX-License-Identifier: Apache-2.0

#include "pipeline/flow_hash.h"

#include <netinet/in.h>

#include "srv6/srh.h"

enum {
	IP6_LEN = 40,
	IP6_ADDRS = 8, // offset of source and destination
	ETH_LEN = 14,
	ETH_VLAN_LEN = 4,
	MAX_HEADERS_LEN = 256, // extension headers hide ports that stand further back
	FLOW_LABEL_MASK = 0xfffff,
	MAX_READ_LEN = ETH_LEN + ETH_VLAN_LEN + MAX_HEADERS_LEN,
};

// Of a tunnel's packets the flow label tells the inner flows apart (RFC 6438).
static bool is_tunnel(uint8_t proto)
{
	return proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_ETHERNET;
}

uint32_t flow_hash_ip6(const uint8_t *ip6, uint32_t avail_len)
{
	struct srh_cursor cursor = {.off = IP6_LEN, .proto_off = 6, .proto = ip6[6]};
	uint64_t rest = 0;
	uint64_t h;

	avail_len = RTE_MIN(avail_len, (uint32_t)MAX_HEADERS_LEN);

	// Extension headers hide the ports; the walk over them is bounded.
	if (!flow_hash_has_ports(cursor.proto) &&
		srh_walk(ip6, avail_len, avail_len, &cursor) == SRH_WALK_FRAGMENT)
		cursor.proto = 0;
	if (flow_hash_has_ports(cursor.proto) && cursor.off + 4 <= avail_len) {
		uint32_t ports;

		memcpy(&ports, ip6 + cursor.off, sizeof(ports));
		rest = (uint64_t)ports << 32 | cursor.proto;
	} else if (is_tunnel(cursor.proto)) {
		uint32_t word;

		memcpy(&word, ip6, sizeof(word));
		rest = (uint64_t)(word & rte_cpu_to_be_32(FLOW_LABEL_MASK)) << 32 | cursor.proto;
	}
	h = flow_hash_fold(flow_hash_load(ip6 + IP6_ADDRS) ^ FLOW_HASH_K0,
		flow_hash_load(ip6 + IP6_ADDRS + 8) ^ FLOW_HASH_K1);
	// Spread over all bits, so that other ports do not make up for another network of the destination.
	rest *= FLOW_HASH_K1;
	h ^= flow_hash_fold(flow_hash_load(ip6 + IP6_ADDRS + 16) ^ FLOW_HASH_K1 ^ rest,
		flow_hash_load(ip6 + IP6_ADDRS + 24) ^ FLOW_HASH_K0);
	return flow_hash_finish(h);
}

uint32_t flow_hash_eth(const uint8_t *eth, uint32_t avail_len)
{
	uint32_t off = ETH_LEN;
	uint16_t type;

	if (avail_len < ETH_LEN)
		return 1;
	type = (uint16_t)(eth[12] << 8 | eth[13]);
	if (type == 0x8100 && avail_len >= ETH_LEN + ETH_VLAN_LEN) {
		type = (uint16_t)(eth[16] << 8 | eth[17]);
		off += ETH_VLAN_LEN;
	}
	if (type == 0x0800 && avail_len >= off + 20)
		return flow_hash_ip4(eth + off, avail_len - off);
	if (type == 0x86dd && avail_len >= off + IP6_LEN)
		return flow_hash_ip6(eth + off, avail_len - off);
	// Both MAC addresses are the first twelve bytes.
	return flow_hash_finish(flow_hash_fold(
		flow_hash_load(eth) ^ FLOW_HASH_K0, flow_hash_load(eth + 6) ^ FLOW_HASH_K1));
}

uint32_t flow_hash_ip_segments(const struct rte_mbuf *m)
{
	uint32_t len = RTE_MIN(m->pkt_len, (uint32_t)MAX_READ_LEN);
	uint8_t copy[MAX_READ_LEN];

	return flow_hash_ip(rte_pktmbuf_read(m, 0, len, copy), len);
}

uint32_t flow_hash_eth_segments(const struct rte_mbuf *m)
{
	uint32_t len = RTE_MIN(m->pkt_len, (uint32_t)MAX_READ_LEN);
	uint8_t copy[MAX_READ_LEN];

	return flow_hash_eth(rte_pktmbuf_read(m, 0, len, copy), len);
}
