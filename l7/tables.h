// SPDX-License-Identifier: Apache-2.0
#pragma once

// All that a worker knows of HTTP routing: listeners, route tables, clusters and endpoints by slot.
// Immutable, part of a snapshot; pipeline/compile/compile_l7.c fills it. Slots are kept by name from one
// snapshot to the next, so that counters go on and flows keep their endpoint. What did not change is shared with
// the snapshot before, page by page (l7/paged.h).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/balance.h"
#include "l7/cluster.h"
#include "l7/http1_head.h"
#include "l7/paged.h"
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
	uint8_t rules; // enum http1_rule bits
	uint8_t pad;
	uint32_t route_table; // HTTP: slot
	uint32_t since;	      // generation that gave it the slot: older flows are not its own
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

// Likewise for virtual addresses. family is never 0 in a slot that is in use.
struct l7_vip_key {
	uint32_t vrf; // slot
	struct l7_address address;
	uint8_t pad[3];
};

// Where a TCP listener's connections go, as one block.
struct l7_choices {
	struct block block; // its first part is struct cluster_choice
	uint32_t n;
	uint32_t pad;
};

// What counters are kept of, by slot.
enum l7_kind {
	L7_LISTENER,
	L7_VIRTUAL_HOST,
	L7_ROUTE,
	L7_CLUSTER,
	L7_ENDPOINT,
	L7_N_KINDS,
};

struct l7_slot {
	enum l7_kind kind;
	uint32_t slot;
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
	struct paged *listeners; // struct listener
	struct paged *
		route_tables; // struct route_table *, by route configuration; NULL: the slot is free
	struct paged *clusters;	 // struct cluster *; NULL: free, or a route names what is not there
	struct paged *endpoints; // struct endpoint
	struct paged *choices;	 // struct l7_choices *; NULL: not of a TCP listener
	const struct l7_vip *vips; // parts of bindings
	const struct l7_port *ports;
	struct block *bindings;
	// Read by the control core.
	uint32_t n_virtual_hosts;
	uint32_t n_routes;
	struct paged *listener_names; // struct l7_name
	struct paged *route_table_names;
	struct paged *virtual_host_names;
	struct paged *route_names;
	struct paged *cluster_names;
	struct paged *vip_keys; // struct l7_vip_key
	uint32_t n_blocks;	// of route tables, clusters and choices
	size_t n_block_bytes;
};

// What a slot below its n has. Inline, since workers come here for each request.
static inline const struct listener *l7_tables_listener_at(
	const struct l7_tables *tables, uint32_t slot)
{
	return paged_at(tables->listeners, slot, sizeof(struct listener));
}

static inline const struct route_table *l7_tables_route_table(
	const struct l7_tables *tables, uint32_t slot)
{
	return *(const struct route_table *const *)paged_at(
		tables->route_tables, slot, sizeof(void *));
}

static inline const struct cluster *l7_tables_cluster(const struct l7_tables *tables, uint32_t slot)
{
	return *(const struct cluster *const *)paged_at(tables->clusters, slot, sizeof(void *));
}

static inline const struct endpoint *l7_tables_endpoint(
	const struct l7_tables *tables, uint32_t slot)
{
	return paged_at(tables->endpoints, slot, sizeof(struct endpoint));
}

// One of the arrays of names.
static inline const struct l7_name *l7_tables_name(const struct paged *names, uint32_t slot)
{
	return paged_at(names, slot, sizeof(struct l7_name));
}

static inline const struct l7_vip_key *l7_tables_vip_key(
	const struct l7_tables *tables, uint32_t slot)
{
	return paged_at(tables->vip_keys, slot, sizeof(struct l7_vip_key));
}

// The slot of the listener at a port of a virtual address, or L7_NO_SLOT: nothing listens there.
uint32_t l7_tables_find_listener(const struct l7_tables *tables, uint32_t vip, uint16_t port);

// The cluster that a connection to a TCP listener goes to, by slot.
uint32_t l7_tables_choose(const struct l7_tables *tables, uint32_t listener, uint32_t random);

// Memory of all, what is shared included.
size_t l7_tables_bytes(const struct l7_tables *tables);

// Drops a reference. NULL is fine.
void l7_tables_release(struct l7_tables *tables);
