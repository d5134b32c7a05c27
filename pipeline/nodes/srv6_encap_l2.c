// SPDX-License-Identifier: Apache-2.0

// H.Encaps.L2 and H.Encaps.L2.Red (RFC 8986 §5.3, §5.4): every frame of an interface goes into its
// policy (packet.dest), whole, without the VLAN tag that selected the interface.

#include "pipeline/encap.h"
#include "pipeline/node.h"
#include "pipeline/walker.h"

#define EDGES(X) ENCAP_EDGES(X)

NODE_DECLARE_EDGES(EDGES)

static rte_edge_t srv6_encap_l2_packet(struct worker *w, struct rte_mbuf *m, struct packet *p)
{
	const struct policy *policy = &w->snapshot->policies[dest_index(p->dest)];

	p->flow_hash = flow_hash_of_frame(m);
	return (rte_edge_t)encap_push(w, m, p, policy, HEADEND_INNER_ETH, 0, p->flow_hash);
}

static uint16_t srv6_encap_l2_process(
	struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n_objs)
{
	return walk_packets(graph, node, objs, n_objs, srv6_encap_l2_packet);
}

NODE_REGISTER(srv6_encap_l2, EDGES);
