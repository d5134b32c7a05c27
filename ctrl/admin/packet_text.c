// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/packet_text.h"

#include "conf/text.h"
#include "srv6/srh.h"

#include <rte_ether.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum {
	PROTO_ETHERNET = 143, // RFC 8986 §10.1
	PROTO_ARP = 256,      // no IP protocol has that number
	NO_LAYER = -1,
	MAX_LAYERS = 10,
	ETH_LEN = 14,
	VLAN_LEN = 4,
	ARP_LEN = 28,
	IP4_MIN_LEN = 20,
	IP6_LEN = 40,
};

struct view {
	const uint8_t *bytes;
	size_t n_bytes;
	char *text;
	size_t text_bytes;
};

static unsigned int read_be16(const uint8_t *bytes)
{
	return (unsigned int)bytes[0] << 8 | bytes[1];
}

static void skip(struct view *view, size_t n_bytes)
{
	view->bytes += n_bytes;
	view->n_bytes -= n_bytes;
}

static int format_ethernet(struct view *view)
{
	const uint8_t *b = view->bytes;
	unsigned int type;

	if (view->n_bytes < ETH_LEN)
		return NO_LAYER;
	text_append(view->text, view->text_bytes,
		"%02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x", b[6], b[7], b[8],
		b[9], b[10], b[11], b[0], b[1], b[2], b[3], b[4], b[5]);
	type = read_be16(b + 12);
	skip(view, ETH_LEN);
	if (type == RTE_ETHER_TYPE_VLAN && view->n_bytes >= VLAN_LEN) {
		text_append(
			view->text, view->text_bytes, " vlan %u", read_be16(view->bytes) & 0xfff);
		type = read_be16(view->bytes + 2);
		skip(view, VLAN_LEN);
	}
	if (type == RTE_ETHER_TYPE_IPV6)
		return IPPROTO_IPV6;
	if (type == RTE_ETHER_TYPE_IPV4)
		return IPPROTO_IPIP;
	if (type == RTE_ETHER_TYPE_ARP)
		return PROTO_ARP;
	text_append(view->text, view->text_bytes, "; type 0x%04x", type);
	return NO_LAYER;
}

static int format_arp(struct view *view)
{
	const uint8_t *b = view->bytes;
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];

	text_append(view->text, view->text_bytes, "ARP");
	if (view->n_bytes < ARP_LEN)
		return NO_LAYER;
	inet_ntop(AF_INET, b + 14, src, sizeof(src));
	inet_ntop(AF_INET, b + 24, dst, sizeof(dst));
	text_append(view->text, view->text_bytes, " %s %s > %s",
		read_be16(b + 6) == 1 ? "request" : "reply", src, dst);
	return NO_LAYER;
}

static int format_ip6(struct view *view)
{
	const uint8_t *b = view->bytes;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (view->n_bytes < IP6_LEN) {
		text_append(view->text, view->text_bytes, "IPv6");
		return NO_LAYER;
	}
	inet_ntop(AF_INET6, b + 8, src, sizeof(src));
	inet_ntop(AF_INET6, b + 24, dst, sizeof(dst));
	text_append(view->text, view->text_bytes, "%s > %s hop limit %u length %u", src, dst, b[7],
		read_be16(b + 4) + IP6_LEN);
	skip(view, IP6_LEN);
	return b[6];
}

static int format_ip4(struct view *view)
{
	const uint8_t *b = view->bytes;
	size_t hdr_len = view->n_bytes < IP4_MIN_LEN ? 0 : (b[0] & 0x0f) * 4u;
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];

	if (hdr_len < IP4_MIN_LEN) {
		text_append(view->text, view->text_bytes, "IPv4");
		return NO_LAYER;
	}
	inet_ntop(AF_INET, b + 12, src, sizeof(src));
	inet_ntop(AF_INET, b + 16, dst, sizeof(dst));
	text_append(view->text, view->text_bytes, "%s > %s ttl %u length %u", src, dst, b[8],
		read_be16(b + 2));
	if (read_be16(b + 6) & 0x1fff) {
		text_append(view->text, view->text_bytes, " later fragment");
		return NO_LAYER;
	}
	if (hdr_len > view->n_bytes)
		return NO_LAYER;
	skip(view, hdr_len);
	return b[9];
}

static int format_routing(struct view *view)
{
	const struct srh *srh = (const struct srh *)view->bytes;
	size_t hdr_len;

	if (view->n_bytes < SRH_FIXED_LEN) {
		text_append(view->text, view->text_bytes, "routing header");
		return NO_LAYER;
	}
	if (srh->routing_type == SRH_ROUTING_TYPE)
		text_append(view->text, view->text_bytes, "SRH left %u of %u", srh->segments_left,
			srh->last_entry + 1u);
	else
		text_append(view->text, view->text_bytes, "routing header type %u left %u",
			srh->routing_type, srh->segments_left);
	hdr_len = srh_len(srh);
	if (hdr_len > view->n_bytes) {
		text_append(view->text, view->text_bytes, "; protocol %u", srh->next_header);
		return NO_LAYER;
	}
	skip(view, hdr_len);
	return srh->next_header;
}

static int format_ports(struct view *view, const char *proto)
{
	text_append(view->text, view->text_bytes, "%s", proto);
	if (view->n_bytes >= 4)
		text_append(view->text, view->text_bytes, " port %u > %u", read_be16(view->bytes),
			read_be16(view->bytes + 2));
	return NO_LAYER;
}

static int format_icmp(struct view *view, const char *proto)
{
	text_append(view->text, view->text_bytes, "%s", proto);
	if (view->n_bytes >= 2)
		text_append(view->text, view->text_bytes, " type %u code %u", view->bytes[0],
			view->bytes[1]);
	return NO_LAYER;
}

// Appends one header; returns the protocol of the next, or NO_LAYER.
static int format_layer(struct view *view, int proto)
{
	switch (proto) {
	case PROTO_ETHERNET:
		return format_ethernet(view);
	case PROTO_ARP:
		return format_arp(view);
	case IPPROTO_IPV6:
		return format_ip6(view);
	case IPPROTO_IPIP:
		return format_ip4(view);
	case IPPROTO_ROUTING:
		return format_routing(view);
	case IPPROTO_TCP:
		return format_ports(view, "TCP");
	case IPPROTO_UDP:
		return format_ports(view, "UDP");
	case IPPROTO_ICMP:
		return format_icmp(view, "ICMP");
	case IPPROTO_ICMPV6:
		return format_icmp(view, "ICMPv6");
	default:
		text_append(view->text, view->text_bytes, "protocol %d", proto);
		return NO_LAYER;
	}
}

// A MAC address may begin like an IP header, but hardly with a length that fits.
static int first_layer(const struct view *view, size_t pkt_len)
{
	static const uint8_t arp[] = {0, 1, 8, 0, 6, 4}; // Ethernet and IPv4, RFC 826
	const uint8_t *b = view->bytes;

	if (view->n_bytes >= sizeof(arp) && memcmp(b, arp, sizeof(arp)) == 0)
		return PROTO_ARP;
	if (view->n_bytes >= IP6_LEN && b[0] >> 4 == 6 && read_be16(b + 4) + IP6_LEN <= pkt_len)
		return IPPROTO_IPV6;
	if (view->n_bytes >= IP4_MIN_LEN && b[0] >> 4 == 4 && read_be16(b + 2) >= IP4_MIN_LEN &&
		read_be16(b + 2) <= pkt_len)
		return IPPROTO_IPIP;
	return PROTO_ETHERNET;
}

void packet_text_format(
	const uint8_t *bytes, size_t n_bytes, size_t pkt_len, char *text, size_t text_bytes)
{
	struct view view = {
		.bytes = bytes,
		.n_bytes = n_bytes < pkt_len ? n_bytes : pkt_len,
		.text = text,
		.text_bytes = text_bytes,
	};
	int proto = first_layer(&view, pkt_len);

	text[0] = '\0';
	for (int i = 0; i < MAX_LAYERS && proto != NO_LAYER; i++) {
		text_append(text, text_bytes, "%s", i == 0 ? "" : "; ");
		proto = format_layer(&view, proto);
	}
}
