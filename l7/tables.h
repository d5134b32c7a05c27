// SPDX-License-Identifier: Apache-2.0
#pragma once

// All that a worker knows of HTTP routing: listeners, route tables, clusters and endpoints by slot.
// Immutable, part of a snapshot; pipeline/compile/compile_l7.c fills it. Slots are kept by name from one
// snapshot to the next, so that counters go on and flows keep their endpoint. Route tables and clusters that
// did not change are shared with the snapshot before.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/balance.h"
#include "l7/cluster.h"
#include "l7/http1_head.h"
#include "l7/route_table.h"
#include "l7/spec.h"

enum {
	// Counters are mapped for so many slots, touched as used.
	L7_MAX_LISTENER_SLOTS = 1 << 16,
	L7_MAX_VIRTUAL_HOST_SLOTS = 1 << 17,
	L7_MAX_ROUTE_SLOTS = 1 << 18,
	L7_MAX_CLUSTER_SLOTS = 1 << 16,
	L7_MAX_ENDPOINT_SLOTS = 1 << 18,
	L7_NO_SLOT = UINT32_MAX,
};

// Without padding: equal listeners are equal bytes.
struct listener {
	uint8_t in_use;
	uint8_t protocol; // enum listener_protocol
	uint8_t headers;  // enum listener_header bits
	uint8_t window_scale;
	uint16_t port;
	uint16_t n_choices;
	uint32_t route_table;  // HTTP: slot
	uint32_t first_choice; // TCP: in l7_tables.choices
	uint32_t since;	       // generation that gave it the slot: older flows are not its own
	struct http1_limits limits;
	uint32_t request_headers_timeout_ms; // time-outs: 0: none
	uint32_t idle_timeout_ms;
	uint32_t stream_idle_timeout_ms;
	uint32_t drain_timeout_ms;
};

// A port of a virtual address.
struct l7_port {
	uint32_t port;
	uint32_t listener; // slot
};

// A virtual address in one VRF: what DEST_L7 leads to. Its ports are sorted.
struct l7_vip {
	uint32_t first_port; // in l7_tables.ports
	uint32_t n_ports;    // 0: the slot is free
};

// Which name holds a slot. parent is the slot of what it is unique in: of a virtual host the route
// configuration, of a route the virtual host, of a listener's own route configuration the listener's plus one; else
// 0. All zero: the slot is free.
struct l7_name {
	uint32_t parent;
	char text[L7_MAX_NAME_LEN + 1];
};

// Likewise for virtual addresses and endpoints.
struct l7_vip_key {
	uint32_t vrf; // slot
	struct l7_address address;
	uint8_t pad[3];
};

struct l7_endpoint_key {
	uint32_t cluster; // slot
	uint32_t vrf;	  // slot or ENDPOINT_VRF_OF_CLIENT
	struct l7_address address;
	uint8_t pad;
	uint16_t port;
};

// Everybody but the compiler holds it as const.
struct l7_tables {
	uint32_t n_refs;
	// Read by workers; all by slot.
	uint32_t n_listeners;
	uint32_t n_vips;
	uint32_t n_ports;
	uint32_t n_route_tables;
	uint32_t n_clusters;
	uint32_t n_endpoints;
	struct listener *listeners;
	struct l7_vip *vips;
	struct l7_port *ports;
	struct route_table **route_tables; // by route configuration; NULL: the slot is free
	struct cluster **clusters;	   // NULL: likewise
	struct endpoint *endpoints;
	struct cluster_choice *choices; // of TCP listeners
	uint32_t n_choices;
	// Read by the control core.
	uint32_t n_virtual_hosts;
	uint32_t n_routes;
	struct l7_name *listener_names;
	struct l7_name *route_table_names;
	struct l7_name *virtual_host_names;
	struct l7_name *route_names;
	struct l7_name *cluster_names;
	struct l7_vip_key *vip_keys;
	struct l7_endpoint_key *endpoint_keys;
	size_t n_bytes; // shared tables included
};

// The listener at a port of a virtual address, or NULL: nothing listens there.
const struct listener *l7_tables_listener(
	const struct l7_tables *tables, uint32_t vip, uint16_t port);

// The cluster that a connection to a TCP listener goes to, by slot.
uint32_t l7_tables_choose(
	const struct l7_tables *tables, const struct listener *listener, uint32_t random);

// Drops a reference. NULL is fine.
void l7_tables_release(struct l7_tables *tables);
