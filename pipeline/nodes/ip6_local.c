// SPDX-License-Identifier: Apache-2.0

// IPv6 packets to the node itself: an address of it, a SID whose upper layer it answers, a group of
// link-local scope. Answers echo requests (RFC 4443 §4), gives neighbour discovery and multicast listener queries
// to the control core, refuses the rest.

#include <netinet/icmp6.h>

#include "pipeline/icmp.h"
#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"
#include "srv6/srh.h"

#define EDGES(X)                                                                                   \
	X(LOOKUP, "ip6_lookup")                                                                    \
	X(GLEAN, "ip6_glean")                                                                      \
	X(PUNT, "punt")                                                                            \
	X(NO_PORT, "drop_ip6_no_port")                                                             \
	X(NEXT_HEADER, "drop_ip6_next_header")                                                     \
	X(ROUTING_HEADER, "drop_ip6_routing_header")                                               \
	X(EXT_HEADERS, "drop_ip6_ext_headers")                                                     \
	X(FRAGMENT, "drop_local_fragment")                                                         \
	X(ICMP, "drop_local_icmp")                                                                 \
	X(CHECKSUM, "drop_local_checksum")                                                         \
	X(NOT_OURS, "drop_ip6_martian")

NODE_DECLARE_EDGES(EDGES)

enum {
	IP6_LEN = 40,
	ND_HOP_LIMIT = 255, // RFC 4861 §6.1, §7.1: proof that the sender is on the link
	MLD_HOP_LIMIT = 1,  // RFC 3810 §5
	REPLY_HOP_LIMIT = 64,
	ROUTING_TYPE_OFF = 2,
};

// Takes what stands between the IPv6 header and the upper layer out, so that an answer has no
// extension headers. False: they lie over more segments than one buffer holds.
static bool cut_extensions(struct rte_mbuf *m, const struct srh_cursor *upper)
{
	uint8_t *bytes = packet_pull(m, upper->off); // the walk steps over what it need not read
	uint32_t ext_len = upper->off - IP6_LEN;
	struct rte_ipv6_hdr *ip;

	if (bytes == NULL)
		return false;
	if (ext_len == 0)
		return true;
	memmove(bytes + ext_len, bytes, IP6_LEN);
	rte_pktmbuf_adj(m, (uint16_t)ext_len);
	ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	ip->proto = upper->proto;
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(m->pkt_len - IP6_LEN));
	return true;
}

static rte_edge_t answer_echo(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);
	struct ip6_addr src = *ip6_dst(ip);

	if (ip6_addr_is_multicast(ip6_src(ip)) || ip6_addr_is_unspecified(ip6_src(ip)))
		return EDGE_ICMP;
	if (ip6_addr_is_multicast(&src))
		src = w->snapshot->ifaces[p->iface].link_local;
	memcpy(ip->dst_addr, ip->src_addr, IP6_ADDR_LEN);
	memcpy(ip->src_addr, &src, IP6_ADDR_LEN);
	ip->hop_limits = REPLY_HOP_LIMIT;
	icmp->type = ICMP6_ECHO_REPLY;
	icmp->checksum = 0;
	icmp->checksum = (uint16_t)~ip6_upper_sum(m);
	p->flags = (p->flags & PACKET_TRACED) | PACKET_ORIGINATED | PACKET_HOP_TAKEN;
	p->flow_hash = 0;
	p->pushed_len = 0;
	return EDGE_LOOKUP;
}

static rte_edge_t enter_icmp(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct rte_ipv6_hdr *ip = packet_pull(m, IP6_LEN + sizeof(struct icmp_header));
	uint8_t type;

	if (ip == NULL)
		return EDGE_ICMP;
	type = ((const struct icmp_header *)(ip + 1))->type;
	if (ip6_upper_sum(m) != 0xffff)
		return EDGE_CHECKSUM;
	if (type == ICMP6_ECHO_REQUEST)
		return answer_echo(w, m, p);
	if (type == MLD_LISTENER_QUERY && ip->hop_limits == MLD_HOP_LIMIT && p->sid_passes == 0) {
		p->punt = PUNT_MLD;
		return EDGE_PUNT;
	}
	// Out of a tunnel the hop limit proves nothing.
	if (type < ND_ROUTER_SOLICIT || type > ND_NEIGHBOR_ADVERT ||
		ip->hop_limits != ND_HOP_LIMIT || p->sid_passes != 0)
		return EDGE_ICMP;
	p->punt = PUNT_ND;
	return EDGE_PUNT;
}

// Steps over extension headers to the upper layer. Returns N_EDGES when it is reached.
static rte_edge_t find_upper(struct rte_mbuf *m, struct packet *p, struct srh_cursor *cursor)
{
	uint32_t end_off = m->pkt_len;

	for (;;) {
		const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
		struct srh_cursor before = *cursor;
		const struct srh *srh;

		switch (srh_walk(bytes, rte_pktmbuf_data_len(m), end_off, cursor)) {
		case SRH_WALK_UPPER:
			return N_EDGES;
		case SRH_WALK_SRH:
			srh = (const struct srh *)(bytes + cursor->off);
			p->icmp_value = cursor->off + ROUTING_TYPE_OFF; // RFC 8754 §4.3.2
			if (srh->segments_left != 0)
				return EDGE_ROUTING_HEADER;
			cursor->proto_off = cursor->off;
			cursor->proto = srh->next_header;
			cursor->off += srh_len(srh);
			cursor->n_headers++;
			break;
		case SRH_WALK_MORE:
			if (packet_pull(m, cursor->off) == NULL)
				return EDGE_EXT_HEADERS;
			*cursor = before;
			break;
		case SRH_WALK_ROUTING:
			p->icmp_value = cursor->off;
			return EDGE_ROUTING_HEADER;
		case SRH_WALK_FRAGMENT:
			return EDGE_FRAGMENT;
		default:
			return EDGE_EXT_HEADERS;
		}
	}
}

// Link-local addresses are a matter of the interface, not of the table.
static bool is_ours(const struct worker *w, const struct packet *p, const struct ip6_addr *dst)
{
	return !ip6_addr_is_link_local(dst) ||
	       ip6_addr_equal(dst, &w->snapshot->ifaces[p->iface].link_local);
}

static rte_edge_t ip6_local_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	struct srh_cursor cursor = {.off = IP6_LEN, .proto_off = 6, .proto = ip->proto};
	rte_edge_t edge;

	if ((p->flags & PACKET_ORIGINATED) && ip6_addr_is_link_local(ip6_dst(ip))) {
		p->dest = dest_make(DEST_CONNECTED, p->iface);
		return EDGE_GLEAN;
	}
	if (!is_ours(w, p, ip6_dst(ip)))
		return EDGE_NOT_OURS;
	edge = find_upper(m, p, &cursor);
	if (edge != N_EDGES)
		return edge;
	switch (cursor.proto) {
	case IPPROTO_ICMPV6:
		return cut_extensions(m, &cursor) ? enter_icmp(w, m, p) : EDGE_EXT_HEADERS;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return EDGE_NO_PORT;
	case IPPROTO_NONE:
		return EDGE_ICMP;
	default:
		p->icmp_value = cursor.proto_off;
		return EDGE_NEXT_HEADER;
	}
}

static uint16_t ip6_local_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, ip6_local_packet);
}

NODE_REGISTER(ip6_local, EDGES);
