// SPDX-License-Identifier: Apache-2.0
#pragma once

// What dns.c and dns_watch.c share.

#include <sys/queue.h>
#include <time.h>

#include "ctrl/xds/dns.h"
#include "ctrl/xds/dns_hosts.h"

struct evdns_base;

struct dns {
	struct event_base *base;
	struct evdns_base *evdns;
	const char *resolv_conf;
	struct timespec resolv_conf_mtime;
	struct dns_hosts hosts;
	LIST_HEAD(, dns_lookup) lookups;
};
