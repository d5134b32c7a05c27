// SPDX-License-Identifier: Apache-2.0
#pragma once

// A snapshot is everything a worker knows of the configuration: immutable, reached through one pointer
// that a worker reads once per graph walk. pipeline/compile/compile.c builds it; the control core publishes it
// with one release store and destroys it when every worker has been quiescent. Tables that did not
// change are shared with the snapshot before by reference counts, which only the control side touches.
// Interfaces, VRFs, SIDs and policies have slots that stay the same from one snapshot to the next, so
// that counters and packets on the way keep their meaning.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/tables.h"
#include "pipeline/adj.h"
#include "pipeline/dest.h"
#include "pipeline/lpm.h"
#include "pipeline/spec.h"
#include "srv6/headend.h"
#include "srv6/hmac.h"
#include "srv6/sid.h"

enum {
	SNAPSHOT_MAX_DPDK_PORTS = 64, // port numbers that an interface can hang from
	SNAPSHOT_NO_IFACE = UINT16_MAX,
	SNAPSHOT_NO_POLICY = UINT32_MAX,
	SNAPSHOT_UNDERLAY_VRF =
		0, // slot of "default": SIDs live there, outer headers are routed there
	SNAPSHOT_N_VLANS = 4096,
};

struct iface {
	uint16_t vrf;	       // slot
	uint16_t dpdk_port;    // UINT16_MAX: the slot is free
	uint16_t vlan;	       // 0: untagged
	uint16_t mtu;	       // bytes of IP packet
	uint16_t packet_flags; // PACKET_SR_TRUSTED, PACKET_DISPATCH: what its packets start with
	uint8_t mac[6];
	bool has_ip4;
	bool has_ip6;		    // a global address
	uint32_t l2_policy;	    // H.Encaps.L2 for every frame, or SNAPSHOT_NO_POLICY
	struct ip6_addr ip4_source; // first address of each family: the source of ICMP errors
	struct ip6_addr ip6_source;
	struct ip6_addr link_local; // RFC 4291, from the MAC
};

// A pool of sources: n slots in source_order.
struct source_range {
	uint32_t first;
	uint32_t n;
};

// An address that the node speaks to endpoints from.
struct source {
	struct ip6_addr addr; // IPv4 in the first four bytes
	uint8_t family;	      // 0: the slot is free
	uint16_t vrf;	      // slot
	uint32_t turn;	      // modulo the number of workers: whose it is
	uint32_t since;	      // generation that gave it the slot
};

enum {
	SOURCE_NO_TURN = UINT32_MAX,
};

struct vrf {
	struct lpm *ip4; // never NULL in a slot that is in use
	struct lpm *ip6;
	bool has_icmp4;
	bool has_icmp6;
	struct ip6_addr icmp4_source; // first four bytes
	struct ip6_addr icmp6_source;
	struct source_range sources4;
	struct source_range sources6;
	uint32_t since; // generation that gave the slot to this VRF
};

// The VRFs of snapshots whose tables are the same ones.
struct vrf_table {
	uint32_t n_refs; // snapshots
	uint32_t n;
	struct vrf vrfs[];
};

// A segment list and where its outer header goes: the lookup of the first segment in the underlay,
// done ahead.
struct policy_list {
	uint32_t next;	     // dest of the first segment; may be DEST_GROUP
	uint32_t weight_end; // lists are picked where hash * weight_sum >> 32 falls below it
	struct headend_list headend;
};

struct policy {
	uint32_t slot; // of the per-worker counters
	uint32_t weight_sum;
	uint32_t n_lists;
	bool l2;
	uint8_t headend; // enum srv6_headend, for the control core
	struct policy_list *lists;
};

enum {
	GROUP_BUCKETS = 256, // of one ECMP group: weights are kept to 1/256
};

struct group {
	uint32_t dest[GROUP_BUCKETS];
};

// Which name or key holds a slot. Keys are compared as bytes.
struct slot_name {
	char text[64];
};

// A SID's prefix. in_use is 1, so that no SID's key is all zero.
struct sid_key {
	struct ip6_addr addr;
	uint8_t len;
	uint8_t in_use;
};

// A source's address. family is never 0, so that no source's key is all zero.
struct source_key {
	struct ip6_addr addr;
	uint16_t vrf; // slot
	uint8_t family;
	uint8_t pad;
};

// Everybody but the compiler holds it as const; the members are plain so that it can be built and freed.
struct snapshot {
	uint32_t generation; // counts from 1
	// Read by workers.
	uint16_t port_iface[SNAPSHOT_MAX_DPDK_PORTS];  // untagged frames; SNAPSHOT_NO_IFACE: none
	uint16_t *port_vlans[SNAPSHOT_MAX_DPDK_PORTS]; // VLAN id to interface; NULL: no VLANs
	struct iface *ifaces;
	struct vrf *vrfs;
	struct sid *sids;	 // by slot, which is the dest index and the counter's
	struct policy *policies; // by slot, likewise
	struct group *groups;	 // by dest index
	struct hmac_keys *hmac_keys;
	struct lpm *no_routes;	// an empty table
	struct l7_tables *l7;	// never NULL
	struct source *sources; // by slot, which is the dest index
	uint32_t *source_order; // slots, by pool
	uint32_t n_ifaces;
	uint32_t n_vrfs;
	uint32_t n_sids;
	uint32_t n_policies;
	uint32_t n_groups;
	uint32_t n_sources;
	uint16_t l7_mtu; // of the narrowest path to any endpoint
	uint32_t icmp_errors_per_s;
	uint32_t icmp_errors_burst;
	// Read by the control core.
	struct slot_name *iface_names;	// by interface slot; "" is free
	struct slot_name *vrf_names;	// by VRF slot
	struct slot_name *policy_names; // by policy slot
	struct sid_key *sid_keys;	// by SID slot; all zero is free
	struct source_key *source_keys; // by source slot; all zero is free
	uint32_t *adj_slots;		// references that this snapshot holds
	uint32_t n_adj_slots;
	size_t n_table_bytes;	  // memory of all tables, shared ones included
	uint32_t n_shared_tables; // taken over from the snapshot before
	struct adj_table *adj_table;
	struct vrf_table *vrf_table; // has vrfs; NULL in one that was not compiled to its end
	struct l7_slot *fresh;	     // slots of services that the snapshot before did not name
	uint32_t n_fresh;
	// The net: interfaces, SIDs, policies, sources and their names; VRFs but for the table of them. A snapshot
	// whose net is that of an earlier one has the same pointers.
	struct snapshot *net; // whose they are; NULL: its own
	uint32_t n_sharers;   // later snapshots that have this one's
	bool is_over;	      // kept for its sharers alone
};

// A snapshot to be, of the generation after live, with its net and VRFs. It has no services yet. NULL: out of memory.
struct snapshot *snapshot_share_net(struct snapshot *live);
// From one snapshot to be to another.
void snapshot_move_services(struct snapshot *to, struct snapshot *from);
// Lets a snapshot to be change its VRFs. False: out of memory.
bool snapshot_own_vrfs(struct snapshot *snapshot);

// Empty VRFs, with one reference. NULL: out of memory.
struct vrf_table *vrf_table_create(uint32_t n);

// Drops a snapshot's reference to a shared table. NULL is fine.
void snapshot_release_table(struct lpm *table);

// Frees the snapshot, its references to shared tables and to adjacency slots. NULL is fine.
void snapshot_destroy(struct snapshot *snapshot);
