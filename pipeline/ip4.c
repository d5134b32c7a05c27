// SPDX-License-Identifier: Apache-2.0

#include "pipeline/ip4.h"

const uint8_t ip4_first_byte[256] = {
	[0] = IP4_BAD_SRC | IP4_BAD_DST,
	[127] = IP4_BAD_SRC | IP4_BAD_DST,
	[224 ... 255] = IP4_BAD_SRC | IP4_BAD_DST,
};

enum ip4_verdict ip4_check_options(struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_pull(m, sizeof(*ip));
	uint32_t ihl_len, total_len;

	if (ip == NULL || ip->version_ihl >> 4 != 4)
		return IP4_MALFORMED;
	ihl_len = (ip->version_ihl & 0x0f) * 4u;
	if (ihl_len < sizeof(*ip))
		return IP4_MALFORMED;
	ip = packet_pull(m, ihl_len);
	if (ip == NULL)
		return IP4_MALFORMED;
	total_len = rte_be_to_cpu_16(ip->total_length);
	if (total_len < ihl_len || total_len > m->pkt_len)
		return IP4_MALFORMED;
	if (ip4_options_sum((const uint8_t *)ip, ihl_len) != 0xffff)
		return IP4_CHECKSUM;
	if (ip4_is_martian(ip))
		return IP4_MARTIAN;
	packet_trim(m, total_len);
	return IP4_OK;
}
