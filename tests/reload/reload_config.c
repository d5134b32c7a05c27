// SPDX-License-Identifier: Apache-2.0

#include "tests/reload/reload_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ETH_LEN = 14,
	TAG_LEN = 4,
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	SRH_LEN = 8 + 2 * 16,
	MARK_LEN = 12, // seq, its complement, flow
	IP4_PACKET_LEN = IP4_LEN + UDP_LEN + MARK_LEN,
	PROTO_UDP = 17,
	PROTO_IP4 = 4,
	PROTO_ROUTING = 43,
	TENANT_VLAN = 10,
	N_SOURCE_PORTS = 64, // flows in the sense of the hash
	MAX_CHURN = 4,
};

// Configuration.

static void print_ports(FILE *f, uint32_t variant, uint32_t churn)
{
	const char *dispatch = variant & RELOAD_DISPATCH ? "true" : "false";

	fprintf(f,
		"ports = (\n"
		" { name = \"in\"; device = \"net_ring_rig0\"; sr_trusted = true; dispatch = %s;\n"
		"   addresses = [ \"2001:db8:e::1/64\" ];\n"
		"   vlans = ( { id = 10; vrf = \"red\"; dispatch = %s;"
		" addresses = [ \"10.10.0.1/24\" ]; } ); },\n"
		" { name = \"out\"; device = \"net_ring_rig1\"; addresses = [ \"2001:db8:f::1/64\" "
		"];\n"
		"   vlans = (\n"
		"   { id = 21; vrf = \"red\"; addresses = [ \"10.1.0.1/24\" ]; },\n"
		"   { id = 22; vrf = \"red\"; addresses = [ \"10.2.0.1/24\" ]; },\n"
		"   { id = 31; vrf = \"blue\"; addresses = [ \"10.3.0.1/24\" ]; },\n"
		"   { id = 41; vrf = \"green\"; addresses = [ \"10.4.0.1/24\" ]; }",
		dispatch, dispatch);
	for (uint32_t i = 0; i < churn % MAX_CHURN; i++)
		fprintf(f, ",\n   { id = %u; vrf = \"x%u\"; addresses = [ \"10.6.0.1/24\" ]; }",
			61 + (churn + i) % 1000, churn + i);
	if (variant & RELOAD_TEMP)
		fprintf(f, ",\n   { id = 51; vrf = \"temp\"; addresses = [ \"10.5.0.1/24\" ]; }");
	fprintf(f, "); } );\n");
}

static void print_vrfs(FILE *f, uint32_t variant, uint32_t churn)
{
	bool other_hop = variant & RELOAD_OTHER_HOP;

	fprintf(f, "vrfs = ( { name = \"default\"; routes = (\n"
		   " { prefix = \"2001:db8:b::/48\"; via = \"2001:db8:f::5\"; },\n");
	fprintf(f,
		variant & RELOAD_ECMP
			? " { prefix = \"2001:db8:a::/48\"; paths = ( { via = \"2001:db8:f::3\"; },"
			  " { via = \"2001:db8:f::4\"; } ); } ); },\n"
			: " { prefix = \"2001:db8:a::/48\"; via = \"2001:db8:f::2\"; } ); },\n");
	for (uint32_t i = 0; i < churn % MAX_CHURN; i++)
		fprintf(f,
			" { name = \"x%u\"; routes = ( { prefix = \"0.0.0.0/0\"; via = "
			"\"10.6.0.2\"; } "
			"); },\n",
			churn + i);
	if (variant & RELOAD_TEMP)
		fprintf(f, " { name = \"temp\"; routes = ("
			   " { prefix = \"10.80.0.0/16\"; via = \"10.5.0.2\"; } ); },\n");
	fprintf(f,
		" { name = \"red\"; routes = ( { prefix = \"10.50.0.0/16\"; via = \"10.%u.0.%u\"; "
		"},"
		" { prefix = \"10.60.0.0/16\"; policy = \"pol\"; } ); },\n"
		" { name = \"blue\"; routes = ( { prefix = \"10.70.0.0/16\"; via = \"10.3.0.2\"; } "
		"); },\n"
		" { name = \"green\"; routes = ( { prefix = \"10.70.0.0/16\"; via = \"10.4.0.2\"; "
		"} ); "
		"} );\n",
		other_hop ? 2 : 1, other_hop ? 3 : 2);
}

static void print_srv6(FILE *f, uint32_t variant, uint32_t churn)
{
	fprintf(f, "srv6 = { source = \"2001:db8:f::1\"; locators = [ \"2001:db8:1::/48\" ];\n"
		   " sids = (\n");
	for (uint32_t i = 0; i < churn % MAX_CHURN; i++)
		fprintf(f,
			" { sid = \"2001:db8:1:%x::\"; behavior = \"End.DT46\"; vrf = \"x%u\"; "
			"},\n",
			0x1000 + (churn + i) % 0x1000, churn + i);
	if (variant & RELOAD_TEMP)
		fprintf(f, " { sid = \"2001:db8:1:5::\"; behavior = \"End.DT46\"; vrf = \"temp\"; "
			   "},\n");
	fprintf(f,
		" { sid = \"2001:db8:1:1::\"; behavior = \"End\"; },\n"
		" { sid = \"2001:db8:1:4::\"; behavior = \"End.DT4\"; vrf = \"%s\"; },\n"
		" { sid = \"2001:db8:1:6::\"; behavior = \"End.DT46\"; vrf = \"red\"; } );\n"
		" policies = (\n",
		variant & RELOAD_OTHER_VRF ? "green" : "blue");
	for (uint32_t i = 0; i < churn % MAX_CHURN; i++)
		fprintf(f, " { name = \"e%u\"; segments = [ \"2001:db8:b::99\" ]; },\n", churn + i);
	fprintf(f, " { name = \"pol\"; segments = [ %s ]; } ); };\n",
		variant & RELOAD_OTHER_LIST ? "\"2001:db8:b::21\", \"2001:db8:b::22\""
					    : "\"2001:db8:a::11\"");
}

char *reload_config(uint32_t variant, uint32_t churn)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fprintf(f, "eal = { huge_pages = false; };\nworkers = { idle = \"backoff\"; };\n");
	print_ports(f, variant, churn);
	print_vrfs(f, variant, churn);
	print_srv6(f, variant, churn);
	fclose(f);
	return text;
}

// Frames.

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put_sum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < IP4_LEN; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, (uint16_t)~sum);
}

static uint8_t *put_ip4(uint8_t *ip, uint8_t net, enum reload_flow flow, uint32_t seq)
{
	const uint8_t addrs[8] = {10, 10, 0, 7, 10, net, 0, 9};
	uint32_t mark[3] = {seq, ~seq, flow};

	memset(ip, 0, IP4_PACKET_LEN);
	ip[0] = 0x45;
	put16(ip + 2, IP4_PACKET_LEN);
	ip[8] = 64;
	ip[9] = PROTO_UDP;
	memcpy(ip + 12, addrs, sizeof(addrs));
	put_sum(ip);
	put16(ip + IP4_LEN, (uint16_t)(1024 + seq % N_SOURCE_PORTS));
	put16(ip + IP4_LEN + 2, 4789);
	put16(ip + IP4_LEN + 4, UDP_LEN + MARK_LEN);
	memcpy(ip + IP4_LEN + UDP_LEN, mark, sizeof(mark));
	return ip + IP4_PACKET_LEN;
}

// 2001:db8:block:index::host
static void put_addr(uint8_t *at, uint16_t block, uint16_t index, uint8_t host)
{
	const uint8_t addr[16] = {
		0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)block, 0, (uint8_t)index, [15] = host};

	memcpy(at, addr, sizeof(addr));
}

static uint8_t *put_ip6(uint8_t *ip, uint8_t proto, uint16_t payload_len, uint8_t sid)
{
	memset(ip, 0, IP6_LEN);
	ip[0] = 0x60;
	put16(ip + 4, payload_len);
	ip[6] = proto;
	ip[7] = 64;
	put_addr(ip + 8, 0xe, 0, 2);
	put_addr(ip + 24, 1, sid, 0);
	return ip + IP6_LEN;
}

static uint8_t *put_srh(uint8_t *srh)
{
	memset(srh, 0, SRH_LEN);
	srh[0] = PROTO_IP4;
	srh[1] = SRH_LEN / 8 - 1;
	srh[2] = 4;
	srh[3] = 1;
	srh[4] = 1;
	put_addr(srh + 8, 0xa, 0, 0x12);
	put_addr(srh + 24, 1, 1, 0);
	return srh + SRH_LEN;
}

void reload_fill(struct rte_mbuf *m, const uint8_t *port_mac, enum reload_flow flow, uint32_t seq)
{
	static const uint8_t sids[RELOAD_N_FLOWS] = {0, 0, 4, 1, 6, 5};
	static const uint8_t nets[RELOAD_N_FLOWS] = {50, 60, 70, 50, 60, 80};
	uint8_t *start = rte_pktmbuf_mtod(m, uint8_t *), *at = start + ETH_LEN;

	memcpy(start, port_mac, 6);
	memcpy(start + 6, (const uint8_t[6]){2, 0, 0, 0, 0, 7}, 6);
	if (sids[flow] == 0) {
		put16(start + 12, 0x8100);
		put16(at, TENANT_VLAN);
		put16(at + 2, 0x0800);
		at += TAG_LEN;
	} else {
		uint16_t srh_len = flow == RELOAD_END ? SRH_LEN : 0;

		put16(start + 12, 0x86dd);
		at = put_ip6(at, srh_len > 0 ? PROTO_ROUTING : PROTO_IP4,
			(uint16_t)(srh_len + IP4_PACKET_LEN), sids[flow]);
		at = srh_len > 0 ? put_srh(at) : at;
	}
	at = put_ip4(at, nets[flow], flow, seq);
	m->data_len = (uint16_t)(at - start);
	m->pkt_len = m->data_len;
}

bool reload_read(const struct rte_mbuf *m, struct reload_seen *seen)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *ip = frame + ETH_LEN;
	uint32_t mark[3];

	if (m->nb_segs != 1 || m->data_len < ETH_LEN + IP4_PACKET_LEN)
		return false;
	memcpy(mark, frame + m->data_len - MARK_LEN, sizeof(mark));
	*seen = (struct reload_seen){.seq = mark[0], .flow = mark[2], .mac = frame[5]};
	if (frame[12] == 0x81) {
		seen->vlan = (uint16_t)(ip[0] << 8 | ip[1]);
		ip += TAG_LEN;
	}
	seen->dst = ip[0] >> 4 == 4 ? ip[19] : ip[39];
	return mark[0] == ~mark[1] && mark[2] < RELOAD_N_FLOWS;
}

static bool is_seen(const struct reload_seen *seen, uint16_t vlan, uint8_t mac, uint8_t dst)
{
	return seen->vlan == vlan && seen->mac == mac && seen->dst == dst;
}

bool reload_is_right(const struct reload_seen *seen, uint32_t variant)
{
	bool ecmp = variant & RELOAD_ECMP;

	switch (seen->flow) {
	case RELOAD_FORWARD:
		return variant & RELOAD_OTHER_HOP ? is_seen(seen, 22, 3, 9)
						  : is_seen(seen, 21, 2, 9);
	case RELOAD_ENCAPS:
	case RELOAD_MAIN:
		if (variant & RELOAD_OTHER_LIST)
			return is_seen(seen, 0, 5, 0x21);
		return ecmp ? is_seen(seen, 0, 3, 0x11) || is_seen(seen, 0, 4, 0x11)
			    : is_seen(seen, 0, 2, 0x11);
	case RELOAD_DT4:
		return is_seen(seen, variant & RELOAD_OTHER_VRF ? 41 : 31, 2, 9);
	case RELOAD_END:
		return ecmp ? is_seen(seen, 0, 3, 0x12) || is_seen(seen, 0, 4, 0x12)
			    : is_seen(seen, 0, 2, 0x12);
	case RELOAD_VANISHING:
		return variant & RELOAD_TEMP && is_seen(seen, 51, 2, 9);
	default:
		return false;
	}
}
