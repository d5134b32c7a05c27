// SPDX-License-Identifier: Apache-2.0

// Addresses: the node's SIDs are 2001:db8:1:s::/64 with s counting (SID s leads to VRF 1 + s % vrfs),
// tenants' destinations are 10.r.r.0/24-like /32 slices and 2001:db8:2:r::/64, the way on is a gateway on
// the second port.

#include "perf/forward_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

enum {
	ETH_LEN = 14,
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	PROTO_UDP = 17,
	PROTO_IP4 = 4,
	PROTO_IP6 = 41,
	PROTO_ROUTING = 43,
};

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, (uint16_t)(v >> 16));
	put16(at + 2, (uint16_t)v);
}

// 2001:db8:block:index::host, the index over 32 bits.
static void put_addr(uint8_t *at, uint16_t block, uint32_t index, uint16_t host)
{
	memset(at, 0, 16);
	put32(at, 0x20010db8);
	put16(at + 4, block);
	put32(at + 6, index);
	put16(at + 14, host);
}

static uint8_t *put_eth(struct template *t, uint16_t type)
{
	memset(t->bytes, 0, sizeof(t->bytes));
	put16(t->bytes + 12, type);
	return t->bytes + ETH_LEN;
}

static uint8_t *put_ip6(uint8_t *at, uint8_t proto, uint32_t payload_len)
{
	memset(at, 0, IP6_LEN);
	at[0] = 0x60;
	put16(at + 4, (uint16_t)payload_len);
	at[6] = proto;
	at[7] = 64;
	return at + IP6_LEN;
}

static uint16_t sum16(const uint8_t *bytes, unsigned int len)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint8_t *put_udp(uint8_t *at, uint32_t r, uint32_t len)
{
	put16(at, (uint16_t)(1024 + (r >> 8) % 60000));
	put16(at + 2, 80);
	put16(at + 4, (uint16_t)len);
	return at + UDP_LEN;
}

// An IPv4 packet of len bytes to the r-th of n routes: 10.0.0.0/8 in slices.
static uint8_t *put_inner4(uint8_t *at, uint32_t route, uint32_t r, uint32_t len)
{
	memset(at, 0, IP4_LEN);
	at[0] = 0x45;
	put16(at + 2, (uint16_t)len);
	at[8] = 64;
	at[9] = PROTO_UDP;
	put32(at + 12, 0xc0a80000 + (r & 0xffff));
	put32(at + 16, 0x0a000000 + route * 16 + 1);
	put16(at + 10, (uint16_t)~sum16(at, IP4_LEN));
	return put_udp(at + IP4_LEN, r, len - IP4_LEN);
}

static uint8_t *put_inner6(uint8_t *at, uint32_t route, uint32_t r, uint32_t len)
{
	uint8_t *next = put_ip6(at, PROTO_UDP, len - IP6_LEN);

	put_addr(at + 8, 0x3, r & 0xffff, 1);
	put_addr(at + 24, 0x2, route, 1);
	return put_udp(next, r, len - IP6_LEN);
}

static void finish(struct template *t, const uint8_t *end, uint32_t ip_len)
{
	t->headers_len = (uint16_t)(end - t->bytes);
	t->frame_len = (uint16_t)RTE_MAX(ETH_LEN + ip_len, (uint32_t)t->headers_len);
}

static uint32_t routes_per_vrf(const struct scenario_size *size)
{
	return RTE_MAX(size->n_sids / size->n_vrfs, 1u);
}

static void make_ip6(const struct scenario_size *size, uint32_t r, struct template *t)
{
	uint8_t *ip = put_eth(t, 0x86dd);

	finish(t, put_inner6(ip, r % size->n_sids, r, size->bytes), size->bytes);
}

static void make_ip4(const struct scenario_size *size, uint32_t r, struct template *t)
{
	uint8_t *ip = put_eth(t, 0x0800);

	finish(t, put_inner4(ip, r % size->n_sids, r, size->bytes), size->bytes);
}

// An outer header to SID sid, then the inner packet.
static uint8_t *put_outer(
	struct template *t, uint32_t sid, uint32_t r, uint8_t proto, uint32_t payload_len)
{
	uint8_t *ip = put_eth(t, 0x86dd);
	uint8_t *end = put_ip6(ip, proto, payload_len);

	put_addr(ip + 8, 0x4, 0, 1);
	put_addr(ip + 24, 0x1, sid, 0);
	put16(ip + 2, (uint16_t)r);
	return end;
}

static void make_dt4(const struct scenario_size *size, uint32_t r, struct template *t)
{
	uint32_t sid = r % size->n_sids, route = (r / size->n_sids) % routes_per_vrf(size);
	uint8_t *inner = put_outer(t, sid, r, PROTO_IP4, size->bytes);

	finish(t, put_inner4(inner, route, r, size->bytes), IP6_LEN + size->bytes);
}

static void make_dt6(const struct scenario_size *size, uint32_t r, struct template *t)
{
	uint32_t sid = r % size->n_sids, route = (r / size->n_sids) % routes_per_vrf(size);
	uint8_t *inner = put_outer(t, sid, r, PROTO_IP6, size->bytes);

	finish(t, put_inner6(inner, route, r, size->bytes), IP6_LEN + size->bytes);
}

// Three segments, the first of which is ours.
static void make_end(const struct scenario_size *size, uint32_t r, struct template *t)
{
	enum {
		SRH_LEN = 8 + 3 * 16,
	};
	uint32_t payload_len = SRH_LEN + size->bytes;
	uint8_t *srh = put_outer(t, r % size->n_sids, r, PROTO_ROUTING, payload_len);

	memset(srh, 0, SRH_LEN);
	srh[0] = PROTO_IP6;
	srh[1] = SRH_LEN / 8 - 1;
	srh[2] = 4;
	srh[3] = 2;
	srh[4] = 2;
	put_addr(srh + 8, 0xa, 2, 1);
	put_addr(srh + 24, 0xa, r % 16, 1);
	put_addr(srh + 40, 0x1, r % size->n_sids, 0);
	finish(t, srh + SRH_LEN, IP6_LEN + payload_len);
}

// Configuration texts. Everything hangs from two ports; the tenants' way on is by gateway or policy.
static void print_ports(FILE *f, const struct scenario_size *size, const char *in_vrf)
{
	fprintf(f,
		"eal = { huge_pages = true; };\n"
		"workers = { count = %u; };\n"
		"ports = (\n"
		" { name = \"in\"; device = \"net_ring_rig0\"; mtu = 9000; sr_trusted = true;"
		" vrf = \"%s\"; dispatch = %s;%s },\n"
		" { name = \"out\"; device = \"net_ring_rig1\"; mtu = 9000;"
		" addresses = [ \"2001:db8:f::1/64\" ];\n"
		"   vlans = (",
		size->n_workers, in_vrf, size->dispatch ? "true" : "false",
		strcmp(in_vrf, "default") == 0 ? " addresses = [ \"2001:db8:e::1/64\" ];" : "");
}

static void print_tenant_ports(FILE *f, uint32_t n_vrfs)
{
	for (uint32_t v = 0; v < n_vrfs; v++)
		fprintf(f,
			"%s{ id = %u; vrf = \"v%u\"; addresses = [ \"172.16.0.1/24\", "
			"\"2001:db8:ff::1/64\" ]; }",
			v == 0 ? "" : ",\n", v + 1, v);
}

static void print_gateways4(FILE *f, uint32_t n_routes)
{
	for (uint32_t i = 0; i < n_routes; i++)
		fprintf(f, "%s{ prefix = \"10.%u.%u.%u/28\"; via = \"172.16.0.%u\"; }",
			i == 0 ? "" : ",\n", i >> 12 & 255, i >> 4 & 255, (i & 15) << 4, 2 + i % 8);
}

static void print_gateways6(FILE *f, uint32_t n_routes, const char *via_net)
{
	for (uint32_t i = 0; i < n_routes; i++)
		fprintf(f, "%s{ prefix = \"2001:db8:2:%x:%x::/80\"; via = \"%s::%x\"; }",
			i == 0 ? "" : ",\n", i >> 16, i & 0xffff, via_net, 2 + i % 8);
}

static void print_policies4(FILE *f, uint32_t n_routes)
{
	for (uint32_t i = 0; i < n_routes; i++)
		fprintf(f, "%s{ prefix = \"10.%u.%u.%u/28\"; policy = \"p%u\"; }",
			i == 0 ? "" : ",\n", i >> 12 & 255, i >> 4 & 255, (i & 15) << 4, i % 16);
}

static void print_policies6(FILE *f, uint32_t n_routes)
{
	for (uint32_t i = 0; i < n_routes; i++)
		fprintf(f, "%s{ prefix = \"2001:db8:2:%x:%x::/80\"; policy = \"p%u\"; }",
			i == 0 ? "" : ",\n", i >> 16, i & 0xffff, i % 16);
}

static void print_underlay(FILE *f)
{
	fprintf(f, "vrfs = ( { name = \"default\"; routes = (");
	for (unsigned int i = 0; i < 16; i++)
		fprintf(f, "%s{ prefix = \"2001:db8:a:0:%x::/80\"; via = \"2001:db8:f::%x\"; }",
			i == 0 ? "" : ",\n", i, 2 + i % 8);
}

static void print_srv6(
	FILE *f, const struct scenario_size *size, const char *behavior, int n_segments)
{
	fprintf(f, "srv6 = { source = \"2001:db8:f::1\";\n sids = (");
	for (uint32_t s = 0; behavior != NULL && s < size->n_sids; s++) {
		fprintf(f, "%s{ sid = \"2001:db8:1:%x:%x::/80\"; behavior = \"%s\";",
			s == 0 ? "" : ",\n", s >> 16, s & 0xffff, behavior);
		if (strcmp(behavior, "End.X") == 0)
			fprintf(f, " nexthop = \"2001:db8:f::2\";");
		else if (strcmp(behavior, "End") != 0)
			fprintf(f, " vrf = \"v%u\";", s % size->n_vrfs);
		fprintf(f, " }");
	}
	fprintf(f, ");\n policies = (");
	for (unsigned int i = 0; n_segments > 0 && i < 16; i++) {
		fprintf(f, "%s{ name = \"p%u\"; segments = [", i == 0 ? "" : ",\n", i);
		for (int s = 0; s < n_segments; s++)
			fprintf(f, "%s\"2001:db8:a:0:%x::%d\"", s == 0 ? " " : ", ", i, s + 1);
		fprintf(f, " ]; }");
	}
	fprintf(f, "); };\n");
}

static char *finish_text(FILE *f, char **text)
{
	fclose(f);
	return *text;
}

static char *config_ip6(const struct scenario_size *size)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print_ports(f, size, "default");
	fprintf(f, "); } );\nvrfs = ( { name = \"default\"; routes = (");
	print_gateways6(f, size->n_sids, "2001:db8:f");
	fprintf(f, "); } );\n");
	return finish_text(f, &text);
}

static char *config_ip4(const struct scenario_size *size)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print_ports(f, size, "v0");
	print_tenant_ports(f, 1);
	fprintf(f, "); } );\nvrfs = ( { name = \"v0\"; routes = (");
	print_gateways4(f, size->n_sids);
	fprintf(f, "); } );\n");
	return finish_text(f, &text);
}

static char *encaps_config(const struct scenario_size *size, int family, int n_segments)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print_ports(f, size, "v0");
	fprintf(f, "); } );\n");
	print_underlay(f);
	fprintf(f, "); }, { name = \"v0\"; routes = (");
	if (family == 4)
		print_policies4(f, size->n_sids);
	else
		print_policies6(f, size->n_sids);
	fprintf(f, "); } );\n");
	print_srv6(f, size, NULL, n_segments);
	return finish_text(f, &text);
}

static char *config_encaps1(const struct scenario_size *size)
{
	return encaps_config(size, 4, 1);
}

static char *config_encaps3(const struct scenario_size *size)
{
	return encaps_config(size, 4, 3);
}

static char *config_encaps1_ip6(const struct scenario_size *size)
{
	return encaps_config(size, 6, 1);
}

static char *config_encaps3_ip6(const struct scenario_size *size)
{
	return encaps_config(size, 6, 3);
}

static char *end_config(const struct scenario_size *size, const char *behavior)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print_ports(f, size, "default");
	fprintf(f, "); } );\n");
	print_underlay(f);
	fprintf(f, "); } );\n");
	print_srv6(f, size, behavior, 0);
	return finish_text(f, &text);
}

static char *config_end(const struct scenario_size *size)
{
	return end_config(size, "End");
}

static char *config_end_x(const struct scenario_size *size)
{
	return end_config(size, "End.X");
}

// family 4, 6 or 46: which tenant routes; by gateway, or by policy when n_segments is not 0.
static char *decap_config(
	const struct scenario_size *size, const char *behavior, int family, int n_segments)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	print_ports(f, size, "default");
	print_tenant_ports(f, size->n_vrfs);
	fprintf(f, "); } );\n");
	print_underlay(f);
	fprintf(f, "); }");
	for (uint32_t v = 0; v < size->n_vrfs; v++) {
		uint32_t n_routes = routes_per_vrf(size);

		fprintf(f, ",\n{ name = \"v%u\"; routes = (", v);
		if (family != 6 && n_segments == 0)
			print_gateways4(f, n_routes);
		if (family != 6 && n_segments > 0)
			print_policies4(f, n_routes);
		if (family == 46)
			fprintf(f, ",\n");
		if (family != 4 && n_segments == 0)
			print_gateways6(f, n_routes, "2001:db8:ff");
		if (family != 4 && n_segments > 0)
			print_policies6(f, n_routes);
		fprintf(f, "); }");
	}
	fprintf(f, ");\n");
	print_srv6(f, size, behavior, n_segments);
	return finish_text(f, &text);
}

static char *config_dt4(const struct scenario_size *size)
{
	return decap_config(size, "End.DT4", 4, 0);
}

static char *config_dt6(const struct scenario_size *size)
{
	return decap_config(size, "End.DT6", 6, 0);
}

static char *config_dt46(const struct scenario_size *size)
{
	return decap_config(size, "End.DT46", 46, 0);
}

static char *config_main(const struct scenario_size *size)
{
	return decap_config(size, "End.DT46", 4, 1);
}

static void make_dt46(const struct scenario_size *size, uint32_t r, struct template *t)
{
	if (r >> 31)
		make_dt6(size, r, t);
	else
		make_dt4(size, r, t);
}

const struct scenario scenarios[] = {
	{"ip6", "IPv6 forward", make_ip6, config_ip6},
	{"ip4", "IPv4 forward", make_ip4, config_ip4},
	{"encaps1", "H.Encaps of IPv4, 1 segment", make_ip4, config_encaps1},
	{"encaps3", "H.Encaps of IPv4, 3 segments", make_ip4, config_encaps3},
	{"encaps1_ip6", "H.Encaps of IPv6, 1 segment", make_ip6, config_encaps1_ip6},
	{"encaps3_ip6", "H.Encaps of IPv6, 3 segments", make_ip6, config_encaps3_ip6},
	{"end", "End, SRH of 3 segments", make_end, config_end},
	{"end_x", "End.X, SRH of 3 segments", make_end, config_end_x},
	{"dt4", "End.DT4", make_dt4, config_dt4},
	{"dt6", "End.DT6", make_dt6, config_dt6},
	{"dt46", "End.DT46, half IPv4, half IPv6", make_dt46, config_dt46},
	{"main", "End.DT46, tenant lookup, H.Encaps", make_dt4, config_main},
};

const size_t n_scenarios = RTE_DIM(scenarios);

const struct scenario *scenario_find(const char *name)
{
	for (size_t i = 0; i < n_scenarios; i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}
