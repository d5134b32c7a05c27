// SPDX-License-Identifier: Apache-2.0

#include "srv6/headend.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ip.h>

#include "srv6/ecn.h"

enum {
	IP6_HDR_LEN = sizeof(struct rte_ipv6_hdr),
	IP6_PROTO_OFF = offsetof(struct rte_ipv6_hdr, proto),
	// Linux looks for an HMAC TLV only when this bit of the flags, which RFC 8754 left unassigned,
	// is set (SR6_FLAG1_HMAC), and would drop our packets under seg6_require_hmac without it. The
	// digest covers the flags as sent.
	SRH_FLAG_LINUX_HMAC = 1 << 3,
	HMAC_TLV_D_BIT = 0x80, // "do not compare the DA with the list": it is not in a reduced one
};

static bool is_reduced(const struct srv6_policy_spec *policy, uint32_t n_segments)
{
	return n_segments > 1 &&
	       (policy->headend == SRV6_H_ENCAPS_RED || policy->headend == SRV6_H_ENCAPS_L2_RED);
}

static void write_hmac_tlv(uint8_t *tlv, uint32_t key_id, bool reduced)
{
	const uint32_t id_be = rte_cpu_to_be_32(key_id);

	memset(tlv, 0, HMAC_TLV_LEN);
	tlv[0] = SRH_TLV_HMAC;
	tlv[1] = HMAC_TLV_LEN - 2;
	tlv[2] = reduced ? HMAC_TLV_D_BIT : 0;
	memcpy(tlv + 4, &id_be, sizeof(id_be));
}

static void write_srh(struct headend_list *list, const struct srv6_policy_spec *policy,
	const struct srv6_segment_list_spec *spec)
{
	const bool reduced = is_reduced(policy, spec->n_segments);
	const uint32_t n_entries = reduced ? spec->n_segments - 1 : spec->n_segments;
	struct srh *srh = (struct srh *)(list->hdr + IP6_HDR_LEN);
	uint32_t len = SRH_FIXED_LEN + sizeof(struct ip6_addr) * n_entries;

	srh->routing_type = SRH_ROUTING_TYPE;
	srh->segments_left = spec->n_segments - 1;
	srh->last_entry = n_entries - 1;
	for (uint32_t i = 0; i < n_entries; i++)
		srh->segments[i] = spec->segments[spec->n_segments - 1 - i];
	if (policy->hmac_key_id != 0) {
		srh->flags = SRH_FLAG_LINUX_HMAC;
		list->hmac_off = len;
		write_hmac_tlv((uint8_t *)srh + len, policy->hmac_key_id, reduced);
		len += HMAC_TLV_LEN;
	}
	srh->hdr_ext_len = (len - SRH_FIXED_LEN) / 8;
	list->proto_off = IP6_HDR_LEN;
	list->hdr_len = IP6_HDR_LEN + len;
	list->hdr[IP6_PROTO_OFF] = IPPROTO_ROUTING;
}

int headend_list_build(struct headend_list *list, const struct srv6_policy_spec *policy,
	const struct srv6_segment_list_spec *spec, const struct ip6_addr *source)
{
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)list->hdr;

	if (spec->n_segments == 0 || spec->n_segments > SRV6_MAX_SEGMENTS)
		return -EINVAL;
	memset(list, 0, sizeof(*list));
	list->hdr_len = IP6_HDR_LEN;
	list->proto_off = IP6_PROTO_OFF;
	list->dscp = policy->dscp;
	list->first_segment = spec->segments[0];
	ip6->hop_limits = policy->hop_limit != 0 ? policy->hop_limit : HEADEND_DEFAULT_HOP_LIMIT;
	memcpy(ip6->src_addr, source, sizeof(*source));
	memcpy(ip6->dst_addr, &spec->segments[0], sizeof(spec->segments[0]));
	if (spec->n_segments > 1 || policy->force_srh || policy->hmac_key_id != 0)
		write_srh(list, policy, spec);
	return 0;
}

// The lengths of none to three segments become a few vector moves each.
static void copy_header(uint8_t *outer, const struct headend_list *list)
{
	switch (list->hdr_len) {
	case 40:
		memcpy(outer, list->hdr, 40);
		break;
	case 64:
		memcpy(outer, list->hdr, 64);
		break;
	case 80:
		memcpy(outer, list->hdr, 80);
		break;
	case 96:
		memcpy(outer, list->hdr, 96);
		break;
	default:
		memcpy(outer, list->hdr, list->hdr_len);
	}
}

void headend_push(const struct headend_list *list, const struct hmac_keys *keys, uint8_t *outer,
	enum headend_inner inner, uint8_t inner_tc, uint32_t inner_len, uint32_t flow_label)
{
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)outer;
	uint32_t tc = inner_tc;

	if (list->dscp >= 0)
		tc = (uint32_t)list->dscp << 2 | (inner_tc & ECN_MASK);
	copy_header(outer, list);
	ip6->vtc_flow = rte_cpu_to_be_32(6u << 28 | tc << 20 | (flow_label & 0xfffff));
	ip6->payload_len = rte_cpu_to_be_16(list->hdr_len - IP6_HDR_LEN + inner_len);
	outer[list->proto_off] = inner;
	if (list->hmac_off != 0)
		hmac_insert(keys, (const struct ip6_addr *)ip6->src_addr,
			(struct srh *)(outer + IP6_HDR_LEN), list->hmac_off);
}
