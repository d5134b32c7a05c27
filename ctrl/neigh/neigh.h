// SPDX-License-Identifier: Apache-2.0
#pragma once

// Neighbours: resolves adjacencies by ARP (RFC 826) and neighbour discovery (RFC 4861), answers for the
// node's own addresses, keeps packets that wait (bounded), retries, re-probes what is used and lets the
// rest expire; learns default routers from advertisements. Runs on the control core's loop; frames go
// out through the workers' rings.

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/adj.h"

struct ctrl;
struct neigh;
struct rte_mbuf;

enum neigh_state { // RFC 4861 §7.3.2, used for ARP too
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_STALE,
	NEIGH_PROBE,
	NEIGH_FAILED,
	NEIGH_PERMANENT,
};

struct neigh_view {
	struct adj_key key;
	enum neigh_state state;
	uint8_t mac[6];
	uint32_t slot;
	uint32_t age_s;	    // since the state was entered
	uint32_t n_waiting; // packets
	bool gateway;	    // named by a route, SID or policy: resolved without traffic
};

// NULL with errno. Begins to poll the punt ring.
struct neigh *neigh_create(struct ctrl *ctrl);
void neigh_destroy(struct neigh *neigh);

// The live snapshot has changed: takes up its gateways, permanent neighbours, interfaces and addresses,
// and gives up what is gone. Called right after each publish (also the first).
void neigh_snapshot_changed(struct neigh *neigh);
// A large snapshot is taken up in pieces: until this is false, adjacencies may be there of
// interfaces that are gone.
bool neigh_is_catching_up(const struct neigh *neigh);

// Calls fn for each neighbour, in no order.
void neigh_each(
	struct neigh *neigh, void (*fn)(const struct neigh_view *view, void *arg), void *arg);

const char *neigh_state_name(enum neigh_state state);
