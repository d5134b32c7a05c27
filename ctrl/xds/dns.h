// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names to addresses, by libevent's resolver: /etc/hosts and the name servers of /etc/resolv.conf, asked without
// blocking the loop. One-shot look-ups for connecting, and watches that ask again when an answer has
// run out. On the control core's loop; answers come from the loop, never from inside a call.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/spec.h"

struct dns;
struct dns_lookup;
struct dns_watch;
struct event_base;

enum {
	DNS_MAX_ADDRESSES = 256, // of one name; more are left out, and counted
};

struct dns_answer {
	const char *why; // NULL: addresses; else why there are none
	uint32_t n_addresses;
	const struct l7_address *addresses; // sorted, no duplicates
	uint32_t ttl_ms;		    // the shortest
};

// answer is valid until the function returns.
typedef void (*dns_fn)(void *ctx, const struct dns_answer *answer);

#define DNS_RESOLV_CONF "/etc/resolv.conf"
#define DNS_HOSTS "/etc/hosts"

// Reads both files now and whenever they have changed. Without name servers look-ups fail, with the reason. NULL with
// errno.
struct dns *dns_create(struct event_base *base, const char *resolv_conf, const char *hosts);
// After all look-ups and watches. NULL is fine.
void dns_destroy(struct dns *dns);

// name: or an address, which is its own answer. family: 4, 6, or 0: either. Answers once, unless it is cancelled
// before. NULL with errno.
struct dns_lookup *dns_lookup_start(
	struct dns *dns, const char *name, uint8_t family, dns_fn fn, void *ctx);
// Also from its own answer, where it does nothing. NULL is fine.
void dns_lookup_cancel(struct dns_lookup *lookup);

// Looks the name up again and again: every refresh_ms, or with use_ttl when the answer has run out. fn is called for
// the first answer, good or not, and whenever the addresses are others than the last that were told; a name that cannot
// be looked up any more keeps its addresses. NULL with errno.
struct dns_watch_spec {
	const char *name; // copied
	uint8_t family;
	uint32_t refresh_ms; // 0: 5000
	bool use_ttl;
};
struct dns_watch *dns_watch_start(
	struct dns *dns, const struct dns_watch_spec *spec, dns_fn fn, void *ctx);
// Also from its own answer. NULL is fine.
void dns_watch_stop(struct dns_watch *watch);
