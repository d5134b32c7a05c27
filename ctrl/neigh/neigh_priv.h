// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the files of ctrl/neigh/ share: the neighbours, the interfaces they hang from, the learned
// routers. Everything is the control core's loop's; time is now_ms, read once per callback.
//   neigh.c         life, timers, taking up a snapshot
//   neigh_entry.c   a neighbour's state machine, packets that wait for it, the timer wheel
//   neigh_input.c   what received messages mean
//   neigh_router.c  routers: solicitations, advertisements, expiry
//   neigh_link.c    interfaces and the node's addresses on them
//   neigh_send.c    frames out
//   neigh_groups.c  groups that the node listens to
//   neigh_arp.c, neigh_nd.c, neigh_mld.c  codecs

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ctrl/ctrl.h"
#include "ctrl/neigh/neigh.h"
#include "ctrl/neigh/neigh_arp.h"
#include "ctrl/neigh/neigh_nd.h"

struct event;
struct punt;
struct rte_mbuf;

enum {
	NEIGH_TICK_MS = 100,
	NEIGH_SWEEP_MS = 5,	     // between the pieces of a sweep
	NEIGH_TICK_BUDGET = 1536,    // timers, or entries swept, in one callback: 1 to 3 ms
	NEIGH_WHEEL_SIZE = 1024,     // ticks; longer times go round again
	NEIGH_MAX_PROBES = 3,	     // RFC 4861 §10: MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
	NEIGH_PROBE_MS = 1000,	     // RETRANS_TIMER
	NEIGH_REACHABLE_MS = 30000,  // REACHABLE_TIME, times 0.5 to 1.5
	NEIGH_STALE_CHECK_MS = 5000, // DELAY_FIRST_PROBE_TIME
	NEIGH_UNUSED_MS = 600000,
	NEIGH_FAILED_HOLD_MS = 3000,
	NEIGH_MAX_WAITING = 1024, // packets, in all
	NEIGH_MAX_WAITING_EACH = 16,
	NEIGH_MAX_ENTRIES = 50000,     // beyond it only gateways and permanent ones are made
	NEIGH_MAX_UNSOLICITED = 40000, // beyond it the node itself must ask
	NEIGH_MAX_UNRESOLVED = 4096,   // wanted by traffic alone: the oldest gives way
	NEIGH_MAX_ROUTERS = 64,
	NEIGH_MAX_ROUTER_SOLICITS = 3, // RFC 4861 §10
	NEIGH_ROUTER_SOLICIT_MS = 4000,
};

// A packet that waits. All of them are one pool, which is the limit.
struct neigh_waiting {
	STAILQ_ENTRY(neigh_waiting) next;
	struct rte_mbuf *m;
};
STAILQ_HEAD(neigh_waiting_queue, neigh_waiting);

struct neigh_entry {
	struct adj_key key;
	uint32_t slot; // of the adjacency table; the entry holds a reference
	enum neigh_state state;
	uint8_t mac[6];	  // means nothing in INCOMPLETE and FAILED
	uint8_t n_probes; // sent in this state
	uint8_t n_waiting;
	bool gateway; // named by the snapshot
	bool failure_logged;
	bool timed;  // is in the wheel
	bool listed; // is in neigh.unresolved
	uint32_t
		gateway_epoch; // when last found in a snapshot's gateways, its permanent neighbours
	uint32_t permanent_epoch;
	uint32_t link_epoch; // of the interface that the adjacency was written from
	uint64_t since_ms;   // state entered
	uint64_t due_ms;
	LIST_ENTRY(neigh_entry) in_wheel;
	TAILQ_ENTRY(neigh_entry) in_unresolved;
	struct neigh_waiting_queue waiting;
};

// An interface, copied from the snapshot, and its spec, which is the live one's.
struct neigh_link {
	char name[64]; // "": the slot is free
	struct iface iface;
	const struct iface_spec *spec;
	uint32_t created_epoch;	 // the name took the slot
	uint32_t changed_epoch;	 // what adjacencies are written from changed
	uint8_t n_solicits_left; // router solicitations still to be sent
	uint64_t solicit_ms;	 // when the next one is due
};

struct neigh_router {
	uint16_t iface;
	struct ip6_addr addr;
	uint64_t expires_ms;
};

// The interfaces of the live spec by name.
struct neigh_name {
	const struct iface_spec *spec;
	uint16_t iface; // slot, or SNAPSHOT_NO_IFACE
};

// How far a new snapshot has been taken up; slices keep the loop free.
struct neigh_sweep {
	bool running;
	uint32_t next_permanent; // of the spec's neighbours
	uint32_t next_gateway;	 // of the snapshot's adjacency slots
	uint32_t next_slot;	 // of the adjacency table, for what is gone
};

struct neigh {
	struct ctrl *ctrl;
	struct punt *punt;
	struct event *tick;
	struct event *sweeper; // goes on with the sweep
	uint64_t now_ms;
	uint32_t epoch; // counts snapshots
	struct neigh_sweep sweep;

	struct neigh_link *links; // by interface slot
	uint32_t n_links;
	struct neigh_name *names; // sorted
	uint32_t n_names;

	struct neigh_entry
		*entries[ADJ_MAX_SLOTS]; // by slot; the adjacency table finds slots by key
	uint32_t n_entries;
	TAILQ_HEAD(, neigh_entry) unresolved; // without gateways, oldest first
	uint32_t n_unresolved;

	LIST_HEAD(, neigh_entry) wheel[NEIGH_WHEEL_SIZE];
	uint64_t wheel_tick; // the last one that was worked off

	struct neigh_waiting waiting[NEIGH_MAX_WAITING];
	struct neigh_waiting_queue free_waiting;

	struct neigh_router routers[NEIGH_MAX_ROUTERS];
	uint32_t n_routers;
	bool routers_changed; // since publish_set_routers()
};

// neigh_entry.c

// NULL when there is none.
struct neigh_entry *neigh_entry_find(const struct neigh *neigh, const struct adj_key *key);

enum neigh_cause {
	NEIGH_CAUSE_CONFIG,  // gateway, permanent: no limit
	NEIGH_CAUSE_TRAFFIC, // a packet of ours waits for it
	NEIGH_CAUSE_MESSAGE, // it spoke to us
};

// Makes an entry, FAILED and without a timer: the caller moves it on at once. NULL: over a limit, or
// out of memory. May remove another, unresolved one.
struct neigh_entry *neigh_entry_create(
	struct neigh *neigh, const struct adj_key *key, enum neigh_cause cause);
// Packets that wait are freed, the adjacency becomes unresolved.
void neigh_entry_remove(struct neigh *neigh, struct neigh_entry *entry);

// Resolves from scratch: INCOMPLETE, first probe at once.
void neigh_entry_solicit(struct neigh *neigh, struct neigh_entry *entry);
// The neighbour answered us: REACHABLE at mac.
void neigh_entry_confirm(struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6]);
// The neighbour is at mac, says a message that proves nothing about the way to it: STALE if that is
// new.
void neigh_entry_learn(struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6]);
// Its MAC address is in doubt (RFC 4861 §7.2.5).
void neigh_entry_doubt(struct neigh *neigh, struct neigh_entry *entry);
void neigh_entry_make_permanent(
	struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6]);
void neigh_entry_set_gateway(struct neigh *neigh, struct neigh_entry *entry, bool gateway);
// Writes the adjacency again: its interface changed.
void neigh_entry_rewrite(struct neigh *neigh, struct neigh_entry *entry);

// The MAC address is known: the adjacency is resolved.
static inline bool neigh_entry_is_resolved(const struct neigh_entry *entry)
{
	return entry->state != NEIGH_INCOMPLETE && entry->state != NEIGH_FAILED;
}

// Takes a packet for the neighbour: sends it on, keeps it, or has it answered as unreachable.
void neigh_entry_give(struct neigh *neigh, struct neigh_entry *entry, struct rte_mbuf *m);

// Works off timers up to now_ms, within the budget.
void neigh_entry_run_timers(struct neigh *neigh);

// neigh_input.c

// Takes a punted packet.
void neigh_input_packet(struct neigh *neigh, struct rte_mbuf *m);

// neigh_groups.c

// Answers a query for one group, or, unspecified, all.
void neigh_groups_report(
	struct neigh *neigh, const struct neigh_link *link, const struct ip6_addr *wanted);

// neigh_router.c

void neigh_router_advertised(struct neigh *neigh, uint16_t iface, const struct neigh_nd *advert);
// It says that it is no router (any more).
void neigh_router_resigned(struct neigh *neigh, uint16_t iface, const struct ip6_addr *addr);
// Routers on interfaces that are gone or listen to advertisements no more are forgotten.
void neigh_router_links_changed(struct neigh *neigh);
// Solicitations, expiry, and the news to publish.
void neigh_router_tick(struct neigh *neigh);

// neigh_link.c

// Takes the interfaces over from the live snapshot and spec. 0 or -ENOMEM: then some are missing.
int neigh_link_update(struct neigh *neigh);
void neigh_link_free(struct neigh *neigh);

// NULL when the slot is free.
struct neigh_link *neigh_link_get(const struct neigh *neigh, uint16_t iface);
// SNAPSHOT_NO_IFACE when there is none.
uint16_t neigh_link_by_name(const struct neigh *neigh, const char *name);

// An address of the node on the link; link-local counts.
bool neigh_link_owns(const struct neigh_link *link, const struct ip_addr *addr);
// The same, or a virtual address or source in a prefix of the link: whom the node answers for.
bool neigh_link_answers(
	const struct neigh *neigh, const struct neigh_link *link, const struct ip_addr *addr);
// In a prefix of the link; link-local counts.
bool neigh_link_covers(const struct neigh_link *link, const struct ip_addr *addr);
// The node's address to ask for target from; unspecified when the link has none of the family.
struct ip6_addr neigh_link_source(const struct neigh_link *link, const struct ip_addr *target);
// Writes the Ethernet header that ends at end and returns its length, at most ADJ_REWRITE_LEN.
uint8_t neigh_link_write_header(
	const struct neigh_link *link, const uint8_t dst_mac[6], uint16_t ether_type, uint8_t *end);

// IPv4 in the form that keys and specs have.
struct ip_addr neigh_link_ip4(const uint8_t bytes[4]);
struct ip_addr neigh_link_ip6(const struct ip6_addr *addr);

// neigh_send.c

// The worker that sends to a neighbour: one and the same keeps packets in order.
struct worker *neigh_send_worker(const struct neigh *neigh, uint32_t slot);
// Asks for the neighbour: everyone, or in state PROBE itself alone.
void neigh_send_probe(struct neigh *neigh, const struct neigh_entry *entry);
void neigh_send_arp_reply(
	struct neigh *neigh, const struct neigh_link *link, const struct neigh_arp *request);
void neigh_send_nd(struct neigh *neigh, const struct neigh_link *link, const uint8_t dst_mac[6],
	const struct neigh_nd *nd);
void neigh_send_report(struct neigh *neigh, const struct neigh_link *link,
	const struct ip6_addr *groups, uint32_t n_groups);
// The message as a packet that finds its own way; NULL: no mbuf.
struct rte_mbuf *neigh_send_make_packet(
	struct neigh *neigh, uint16_t iface, const struct neigh_nd *nd);
