// SPDX-License-Identifier: Apache-2.0

// H.Encaps and H.Encaps.Red (RFC 8986 §5.1, §5.2) for the policy of a route (packet.dest). The hop limit
// of the inner packet falls by one, as forwarding does.

#include "pipeline/encap.h"
#include "pipeline/ip4.h"
#include "pipeline/ip6.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X)                                                                                   \
	ENCAP_EDGES(X)                                                                             \
	X(HOP_LIMIT, "drop_ip6_hop_limit")                                                         \
	X(TTL, "drop_ip4_ttl")

NODE_DECLARE_EDGES(EDGES)

_Static_assert((int)EDGE_NO_MBUF == (int)ENCAP_NO_MBUF, "the first edges are enum encap_next");

static inline rte_edge_t srv6_encap_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct policy *policy = &w->snapshot->policies[dest_index(p->dest)];
	uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
	bool hop_taken = (p->flags & PACKET_HOP_TAKEN) != 0;

	if (ip[0] >> 4 == 4) {
		struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)ip;

		if (unlikely(!hop_taken && ip4->time_to_live <= 1))
			return EDGE_TTL;
		if (likely(!hop_taken))
			ip4_decrement_ttl(ip4);
		return (rte_edge_t)encap_push(w, m, p, policy, HEADEND_INNER_IP4,
			ip4->type_of_service, flow_hash_of(m, p));
	} else {
		struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)ip;

		if (unlikely(!hop_taken && ip6->hop_limits <= 1))
			return EDGE_HOP_LIMIT;
		if (likely(!hop_taken))
			ip6->hop_limits--;
		return (rte_edge_t)encap_push(w, m, p, policy, HEADEND_INNER_IP6,
			ip6_traffic_class(ip6), flow_hash_of(m, p));
	}
}

static uint16_t srv6_encap_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, srv6_encap_packet);
}

NODE_REGISTER(srv6_encap, EDGES);
