// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a node declares itself: its edge list, once, as a macro EDGES(X) of X(ID, "node name"), gives the
// enum EDGE_* and the names; registration is one line at the end of the file.

#include <rte_graph.h>
#include <rte_graph_worker.h>

#include "pipeline/dest.h"

#define NODE_EDGE_ENUM(id, name) EDGE_##id,
#define NODE_EDGE_NAME(id, name) [EDGE_##id] = name,

#define NODE_DECLARE_EDGES(EDGES)                                                                  \
	enum edge {                                                                                \
		EDGES(NODE_EDGE_ENUM) N_EDGES                                                      \
	};

#define NODE_REGISTER(node, EDGES)                                                                 \
	static struct rte_node_register node##_register = {                                        \
		.name = #node,                                                                     \
		.process = node##_process,                                                         \
		.nb_edges = N_EDGES,                                                               \
		.next_nodes = {EDGES(NODE_EDGE_NAME)},                                             \
	};                                                                                         \
	RTE_NODE_REGISTER(node##_register)

#define NODE_REGISTER_SOURCE(node, EDGES)                                                          \
	static struct rte_node_register node##_register = {                                        \
		.name = #node,                                                                     \
		.process = node##_process,                                                         \
		.flags = RTE_NODE_SOURCE_F,                                                        \
		.nb_edges = N_EDGES,                                                               \
		.next_nodes = {EDGES(NODE_EDGE_NAME)},                                             \
	};                                                                                         \
	RTE_NODE_REGISTER(node##_register)

// The edges that lookups lead to stand first in every lookup node, in the order of enum dest_kind.
// end_node is where an End SID is processed: srv6_end itself re-enters through ip6_lookup, since a graph
// has no self-edges.
#define NODE_ROUTE_EDGES_IP6(X, end_node)                                                          \
	X(NO_ROUTE, "drop_ip6_no_route")                                                           \
	X(FORWARD, "ip6_output")                                                                   \
	X(CONNECTED, "ip6_glean")                                                                  \
	X(LOCAL, "ip6_local")                                                                      \
	X(BLACKHOLE, "drop_blackhole")                                                             \
	X(UNREACHABLE, "drop_ip6_unreachable")                                                     \
	X(LOCATOR, "drop_srv6_no_sid")                                                             \
	X(SID_END, end_node)                                                                       \
	X(SID_DECAP, "srv6_decap")                                                                 \
	X(SID_CROSS, "srv6_cross")                                                                 \
	X(SID_B6, "srv6_b6")                                                                       \
	X(POLICY, "srv6_encap")                                                                    \
	X(L7, "l7_input")                                                                          \
	X(L7_SOURCE, "l7_input")

// IPv4 tables hold no SIDs: those edges stand for nothing and lead to the drop that counts our bugs.
#define NODE_ROUTE_EDGES_IP4(X)                                                                    \
	X(NO_ROUTE, "drop_ip4_no_route")                                                           \
	X(FORWARD, "ip4_output")                                                                   \
	X(CONNECTED, "ip4_glean")                                                                  \
	X(LOCAL, "ip4_local")                                                                      \
	X(BLACKHOLE, "drop_blackhole")                                                             \
	X(UNREACHABLE, "drop_ip4_unreachable")                                                     \
	X(LOCATOR, "drop_bad_dest")                                                                \
	X(SID_END, "drop_bad_dest")                                                                \
	X(SID_DECAP, "drop_bad_dest")                                                              \
	X(SID_CROSS, "drop_bad_dest")                                                              \
	X(SID_B6, "drop_bad_dest")                                                                 \
	X(POLICY, "srv6_encap")                                                                    \
	X(L7, "l7_input")                                                                          \
	X(L7_SOURCE, "l7_input")

#define NODE_ASSERT_ROUTE_EDGES()                                                                  \
	_Static_assert((int)EDGE_NO_ROUTE == (int)DEST_NO_ROUTE &&                                 \
			       (int)EDGE_L7_SOURCE == (int)DEST_L7_SOURCE,                         \
		"the first edges are the dest kinds")
