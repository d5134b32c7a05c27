// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/drop_help.h"

#include <string.h>

static const struct {
	const char *reason;
	const char *help;
} helps[] = {
	{"eth_truncated", "shorter than an Ethernet header"},
	{"eth_not_for_us", "unicast to another MAC address; normal on a port that floods"},
	{"eth_no_iface", "VLAN tag without a sub-interface: see ports.vlans"},
	{"eth_group", "an IP packet for one host in a broadcast or multicast frame (RFC 1812)"},
	{"eth_unknown_type", "neither IPv4, IPv6 nor ARP"},
	{"ip4_malformed", "IPv4 header or lengths do not fit the frame"},
	{"ip4_checksum", "IPv4 header checksum is wrong"},
	{"ip4_martian", "IPv4 source or destination that must not be on a wire"},
	{"ip4_no_route", "no IPv4 route to the destination in its VRF; answered with ICMP"},
	{"ip4_unreachable", "an \"unreachable\" route; answered with ICMP"},
	{"ip4_neighbor", "the IPv4 next hop does not answer ARP: see pergolactl neighbors"},
	{"ip4_protocol", "IPv4 to the node itself, of a protocol that it does not speak"},
	{"ip4_no_port", "UDP or TCP to the node itself over IPv4; no one listens"},
	{"ip4_too_big",
		"longer than the next link's MTU, not to be fragmented; ICMP tells the MTU"},
	{"ip4_ttl", "time to live ran out: a loop, or a traceroute"},
	{"ip6_malformed", "IPv6 header or lengths do not fit the frame"},
	{"ip6_martian", "IPv6 source or destination that must not be on a wire"},
	{"ip6_multicast", "a multicast group that the node is not in"},
	{"ip6_ext_headers", "to the node itself, extension headers truncated or too many"},
	{"ip6_no_route", "no IPv6 route to the destination in its VRF; answered with ICMPv6"},
	{"ip6_unreachable", "an \"unreachable\" route; answered with ICMPv6"},
	{"ip6_scope", "link-local source, destination beyond the link; answered with ICMPv6"},
	{"ip6_neighbor",
		"the IPv6 next hop does not answer neighbour discovery: see pergolactl neighbors"},
	{"ip6_no_port", "UDP or TCP to the node itself over IPv6; no one listens"},
	{"ip6_too_big", "longer than the next link's MTU; ICMPv6 tells the MTU"},
	{"ip6_hop_limit", "hop limit ran out: a loop, or a traceroute"},
	{"ip6_next_header", "IPv6 to the node itself, of a protocol that it does not speak"},
	{"ip6_routing_header",
		"segments left, but the address is the node's and no SID (RFC 8754)"},
	{"local_fragment", "a fragment to the node itself; it does not reassemble"},
	{"local_icmp", "ICMP to the node itself that it has no use for"},
	{"local_checksum", "ICMP to the node itself with a wrong checksum"},
	{"blackhole", "a \"blackhole\" route"},
	{"bad_dest", "a route of the wrong family: a bug in Pergola, please report it"},
	{"l7_fragment", "a fragment to a virtual address or a source; it does not reassemble"},
	{"l7_ext_headers", "TCP behind IPv6 extension headers to a virtual address or a source"},
	{"l7_malformed", "TCP header or options do not fit the packet"},
	{"l7_checksum", "TCP checksum is wrong"},
	{"l7_scattered", "a TCP segment longer than one packet buffer"},
	{"l7_no_listener", "TCP to a port of a virtual address where nothing listens; RST"},
	{"l7_no_flow", "a TCP segment of no connection that the node knows; RST"},
	{"l7_full", "no memory for another connection: raise l7.flows; RST"},
	{"l7_own_address", "a connection to a virtual address from an address of the node itself"},
	{"l7_icmp", "an ICMP error to a virtual address or a source about no connection of it"},
	{"no_vrf", "the VRF was removed while the packet waited"},
	{"srv6_no_sid", "in the node's locator, but there is no such SID: see pergolactl sids"},
	{"srv6_untrusted", "to a SID from a port that is not sr_trusted (RFC 8754 section 5)"},
	{"srv6_loop", "went through more than 16 SIDs of this node"},
	{"srv6_truncated", "IPv6 or segment routing header longer than the packet"},
	{"srv6_ext_headers", "extension headers before the SRH truncated or too many"},
	{"srv6_fragment", "a fragment at a SID that decapsulates"},
	{"srv6_hmac_missing", "the SID requires an HMAC TLV, the packet has none"},
	{"srv6_hmac_bad", "HMAC TLV with a wrong digest or an unknown key"},
	{"srv6_inner", "the decapsulated packet is malformed"},
	{"srv6_ecn", "outer header marked congestion, inner cannot carry the mark (RFC 6040)"},
	{"srv6_pull", "headers spread over more buffers than one can hold"},
	{"srv6_bad_srh",
		"segments left at a SID that ends the path, or an SRH that contradicts itself"},
	{"srv6_bad_upper", "the SID does not take what follows the SRH (RFC 8986 section 4.1.1)"},
	{"no_mbuf", "no packet buffer left: raise workers.mbufs"},
	{"dispatch_full", "another worker's ring is full: the workers are overloaded"},
	{"neighbor_full", "more packets wait for neighbours than may: 16 for each, 1024 in all"},
	{"punt_full",
		"the control core's ring is full: too much ARP, discovery or unresolved traffic"},
	{"tx_full", "the port takes no more: it is slower than what is sent to it"},
	{"tx_no_port", "to a port that this worker does not send on: a bug, please report it"},
	{"tx_segments", "too long for a device that sends no chained buffers"},
	{"l2_too_long",
		"a frame out of End.DX2 or into H.Encaps.L2 exceeds the MTU of its way out"},
	{"icmp_limited", "an ICMP error was not sent: rate limit (icmp.errors_per_s)"},
	{"icmp_unsuitable",
		"an ICMP error was not sent: such packets get none (RFC 1812, RFC 4443)"},
	{"icmp_no_source", "an ICMP error was not sent: no address to send it from (icmp_source4, "
			   "icmp_source6)"},
};

enum {
	N_HELPS = sizeof(helps) / sizeof(helps[0]),
};

const char *drop_help_find(const char *reason)
{
	for (size_t i = 0; i < N_HELPS; i++)
		if (strcmp(helps[i].reason, reason) == 0)
			return helps[i].help;
	return NULL;
}

const char *drop_help_reason(size_t idx)
{
	return idx < N_HELPS ? helps[idx].reason : NULL;
}
