// SPDX-License-Identifier: Apache-2.0

// Where packets end without an answer: one node for each reason, so that rte_graph's own per-node
// count is the drop counter. Reasons that may be answered by an ICMP error are in icmp4_error.c and
// icmp6_error.c.

#include <rte_graph.h>
#include <rte_graph_worker.h>
#include <rte_mbuf.h>

#include "pipeline/trace.h"
#include "pipeline/worker.h"

static uint16_t drop_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	(void)graph;
	if (unlikely(worker_of(node)->trace->active))
		trace_record(worker_of(node), node, objs, NULL, n_objs);
	rte_pktmbuf_free_bulk((struct rte_mbuf **)objs, n_objs);
	return n_objs;
}

#define DROP_NODE(reason)                                                                          \
	static struct rte_node_register drop_##reason##_register = {                               \
		.name = "drop_" #reason,                                                           \
		.process = drop_process,                                                           \
	};                                                                                         \
	RTE_NODE_REGISTER(drop_##reason##_register)

DROP_NODE(eth_truncated);    // shorter than an Ethernet header
DROP_NODE(eth_not_for_us);   // unicast to another MAC address
DROP_NODE(eth_no_iface);     // VLAN without a sub-interface
DROP_NODE(eth_group);	     // an IP packet for one host in a frame for many
DROP_NODE(eth_unknown_type); // neither IPv4, IPv6 nor ARP
DROP_NODE(ip4_malformed);
DROP_NODE(ip4_checksum);
DROP_NODE(ip4_martian);
DROP_NODE(ip6_malformed);
DROP_NODE(ip6_martian);
DROP_NODE(ip6_multicast);   // a group that the node is not in
DROP_NODE(ip6_ext_headers); // truncated or too many of them, at an address of the node
DROP_NODE(local_fragment);  // a fragment to the node itself
DROP_NODE(local_icmp);	    // ICMP that the node has no use for
DROP_NODE(local_checksum);  // ICMP with a bad checksum
DROP_NODE(blackhole);
DROP_NODE(bad_dest);	   // a route of the wrong family: a bug of ours
DROP_NODE(no_vrf);	   // the VRF went away while the packet waited
DROP_NODE(srv6_no_sid);	   // in our locator, but no such SID
DROP_NODE(srv6_untrusted); // to a SID from a port that is not SR-trusted (RFC 8754 section 5)
DROP_NODE(srv6_loop);	   // PACKET_MAX_SID_PASSES
DROP_NODE(srv6_truncated);
DROP_NODE(srv6_ext_headers);
DROP_NODE(srv6_fragment);
DROP_NODE(srv6_hmac_missing);
DROP_NODE(srv6_hmac_bad);
DROP_NODE(srv6_inner); // malformed inner packet
DROP_NODE(srv6_ecn);   // congestion marked on a packet that cannot carry the mark (RFC 6040)
DROP_NODE(srv6_pull);  // headers over more segments than one buffer holds
DROP_NODE(no_mbuf);
DROP_NODE(l7_fragment);	   // to a virtual address or a source; it does not reassemble
DROP_NODE(l7_ext_headers); // TCP behind IPv6 extension headers
DROP_NODE(l7_malformed);   // TCP header or options
DROP_NODE(l7_checksum);	   // of TCP
DROP_NODE(l7_scattered);   // a segment longer than one buffer
DROP_NODE(l7_no_listener); // a port of a virtual address where nothing listens; answered by RST
DROP_NODE(l7_no_flow);	   // a segment of no connection; answered by RST
DROP_NODE(l7_full);	   // no memory for a connection; answered by RST
DROP_NODE(l7_own_address); // a connection from an address of the node
DROP_NODE(l7_icmp);	   // an ICMP error that fits no connection
DROP_NODE(dispatch_full);  // the other worker's ring
DROP_NODE(neighbor_full);  // more packets wait for neighbours than may
DROP_NODE(punt_full);	   // the control core's ring
DROP_NODE(tx_full);	   // the port took no more
DROP_NODE(tx_no_port);
DROP_NODE(tx_segments);	    // too long for one buffer of a device that sends no chains
DROP_NODE(l2_too_long);	    // a frame out of End.DX2 or into H.Encaps.L2 exceeds the next MTU
DROP_NODE(icmp_limited);    // error not sent: rate limit
DROP_NODE(icmp_unsuitable); // error not sent: RFC 1812 section 4.3.2.7, RFC 4443 section 2.4
DROP_NODE(icmp_no_source);  // error not sent: no address to send it from
