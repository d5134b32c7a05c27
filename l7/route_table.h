// SPDX-License-Identifier: Apache-2.0
#pragma once

// A route configuration, compiled: from a request's head to what is to be done with it. Immutable,
// one block (l7/block.h). Virtual hosts are
// found by hash and by radix trees (l7/domain_table.h), a virtual host's routes likewise by path; of the
// routes found so the first in order whose headers match wins, as if all had been tried one by one.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/block.h"
#include "l7/domain_table.h"
#include "l7/spec.h"

struct http1_head;

enum {
	ROUTE_NO_SLOT = UINT32_MAX,
};

// The head of the block; its arrays are the business of l7/route_table.c.
struct route_table {
	struct block block;
	struct domain_table domains;
	struct text_table paths; // those that routes name exactly; scope: virtual host
	struct radix_parts radix;
	uint32_t ignore_port_in_host;
	uint32_t n_routes;
};

struct route_reply {
	uint16_t status;
	uint32_t body_len;
	const char *body; // in the table
};

struct route_verdict {
	enum route_action action;
	uint32_t cluster;		   // slot; CLUSTER
	uint16_t cluster_not_found_status; // CLUSTER: where there is none in the slot
	const char *host_rewrite;	   // CLUSTER: in the table; NULL: none
	uint32_t virtual_host;		   // slots of counters; ROUTE_NO_SLOT when there is none
	uint32_t route;
	uint32_t place;		   // of the route in the table; ROUTE_NO_SLOT: none
	struct route_reply direct; // DIRECT
	uint32_t timeout_ms;	   // 0: none
	uint32_t idle_timeout_ms;  // 0: none; L7_TIMEOUT_OF_LISTENER
};

// Slots of what a configuration speaks of.
struct route_table_slots {
	uint32_t (*cluster_slot)(const void *context, const char *name);
	const void *context;
	const uint32_t *virtual_hosts; // by index in the configuration
	const uint32_t *routes;	       // by index, counted through all virtual hosts
};

// Builds the table of a configuration that has been validated: no domain occurs twice. Returns NULL with errno
// ENOMEM or E2BIG. The block holds one reference.
struct route_table *route_table_build(
	const struct route_configuration_spec *spec, const struct route_table_slots *slots);

// The counters' slots of what the configuration has, by index, routes counted through all virtual hosts.
uint32_t route_table_host_slot(const struct route_table *table, uint32_t host_idx);
uint32_t route_table_route_slot(const struct route_table *table, uint32_t route_idx);

// Fetches into the cache where a request that will probably take the route at place (any number) looks, in steps:
// what one fetches, the next one reads. For callers with many requests at hand.
enum route_fetch {
	ROUTE_FETCH_ROUTE,
	ROUTE_FETCH_HOST,
	ROUTE_FETCH_KEYS,
	ROUTE_FETCH_TEXTS,
};

void route_table_fetch(const struct route_table *table, uint32_t place, enum route_fetch step);

// Routes a request by its head, whose texts are in raw. random decides between weighted clusters.
void route_table_match(const struct route_table *table, const uint8_t *raw,
	const struct http1_head *head, uint32_t random, struct route_verdict *verdict);
