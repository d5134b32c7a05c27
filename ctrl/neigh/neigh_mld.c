// SPDX-License-Identifier: Apache-2.0

#include "ctrl/neigh/neigh_mld.h"

#include <assert.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <rte_ip.h>

enum {
	IP6_LEN = 40,
	HOP_LIMIT = 1,
	REPORT = 143, // ICMPv6 type, version 2
	ROUTER_ALERT_LEN = 8,
	OFF_QUERY_GROUP = 8, // from the ICMPv6 header
	QUERY_MIN_LEN = 24,
	OFF_REPORT_N_GROUPS = 6,
	REPORT_LEN = 8, // without records
	RECORD_LEN = 20,
	OFF_RECORD_GROUP = 4,
	RECORD_IS_EXCLUDE = 2, // of no sources: from any
};

int neigh_mld_parse_query(const uint8_t *pkt, uint32_t len, struct ip6_addr *group)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)pkt;
	const uint8_t *icmp = pkt + IP6_LEN;
	uint32_t payload_len;

	if (len < IP6_LEN + QUERY_MIN_LEN)
		return -EBADMSG;
	payload_len = rte_be_to_cpu_16(ip->payload_len);
	// §5.1.14, §6.2: only routers on the link ask.
	if (ip->proto != IPPROTO_ICMPV6 || ip->hop_limits != HOP_LIMIT ||
		!ip6_addr_is_link_local((const struct ip6_addr *)ip->src_addr) ||
		icmp[0] != MLD_LISTENER_QUERY || payload_len < QUERY_MIN_LEN ||
		payload_len > len - IP6_LEN)
		return -EBADMSG;
	memcpy(group, icmp + OFF_QUERY_GROUP, sizeof(*group));
	return (int)(IP6_LEN + payload_len);
}

static void write_records(const struct ip6_addr *groups, uint32_t n_groups, uint8_t *icmp)
{
	icmp[0] = REPORT;
	icmp[OFF_REPORT_N_GROUPS] = (uint8_t)(n_groups >> 8);
	icmp[OFF_REPORT_N_GROUPS + 1] = (uint8_t)n_groups;
	for (uint32_t i = 0; i < n_groups; i++) {
		uint8_t *record = icmp + REPORT_LEN + i * RECORD_LEN;

		record[0] = RECORD_IS_EXCLUDE;
		memcpy(record + OFF_RECORD_GROUP, &groups[i], sizeof(groups[i]));
	}
}

uint32_t neigh_mld_write_report(
	const struct ip6_addr *src, const struct ip6_addr *groups, uint32_t n_groups, uint8_t *pkt)
{
	// §5: next header, length, router alert for MLD (RFC 2711), padding.
	static const uint8_t router_alert[ROUTER_ALERT_LEN] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	const struct ip6_addr routers = ip6_addr_from(0xff02ull << 48, 0x16);
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)pkt;
	uint8_t *icmp = pkt + IP6_LEN + ROUTER_ALERT_LEN;
	uint16_t icmp_len = (uint16_t)(REPORT_LEN + n_groups * RECORD_LEN);
	rte_be16_t cksum;

	assert(n_groups <= NEIGH_MLD_MAX_GROUPS);
	memset(pkt, 0, IP6_LEN + ROUTER_ALERT_LEN + icmp_len);
	memcpy(pkt + IP6_LEN, router_alert, ROUTER_ALERT_LEN);
	write_records(groups, n_groups, icmp);
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
	ip->hop_limits = HOP_LIMIT;
	memcpy(ip->src_addr, src, sizeof(*src));
	memcpy(ip->dst_addr, &routers, sizeof(routers));
	// The sum is that of the message alone.
	ip->proto = IPPROTO_ICMPV6;
	ip->payload_len = rte_cpu_to_be_16(icmp_len);
	cksum = rte_ipv6_udptcp_cksum(ip, icmp);
	memcpy(icmp + 2, &cksum, sizeof(cksum));
	ip->proto = IPPROTO_HOPOPTS;
	ip->payload_len = rte_cpu_to_be_16(ROUTER_ALERT_LEN + icmp_len);
	return IP6_LEN + ROUTER_ALERT_LEN + icmp_len;
}
