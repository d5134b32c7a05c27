// SPDX-License-Identifier: Apache-2.0

// evdns answers a cancelled question, too, later from the loop: a look-up lives until its last question
// has been answered, its owner's interest ends before.

#include "ctrl/xds/dns.h"

#include "ctrl/log.h"
#include "ctrl/xds/dns_priv.h"

#include <event2/dns.h>
#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	HOSTS_TTL_MS = 5000, // files have none
	MAX_TTL_S = 86400,
};

struct dns_lookup {
	LIST_ENTRY(dns_lookup) link;
	struct dns *dns;
	dns_fn fn; // NULL: cancelled, or answered
	void *ctx;
	struct event *turn;
	struct evdns_request *questions[2];
	uint32_t n_pending;
	uint32_t ttl_ms;
	uint32_t n_addresses;
	struct l7_address addresses[DNS_MAX_ADDRESSES];
	char why[192];
};

// A name server's address may change while the node runs: another network, another resolver.
static void refresh_servers(struct dns *dns)
{
	struct stat st;

	if (stat(dns->resolv_conf, &st) != 0 ||
		(st.st_mtim.tv_sec == dns->resolv_conf_mtime.tv_sec &&
			st.st_mtim.tv_nsec == dns->resolv_conf_mtime.tv_nsec))
		return;
	dns->resolv_conf_mtime = st.st_mtim;
	evdns_base_clear_nameservers_and_suspend(dns->evdns);
	evdns_base_search_clear(dns->evdns);
	// What it makes of the file shows in the number of servers.
	evdns_base_resolv_conf_parse(dns->evdns,
		DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, dns->resolv_conf);
	evdns_base_resume(dns->evdns);
}

static void on_log(int is_warning, const char *text)
{
	log_write(is_warning ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "dns: %s", text);
}

struct dns *dns_create(struct event_base *base, const char *resolv_conf, const char *hosts)
{
	struct dns *dns = calloc(1, sizeof(*dns));

	if (dns == NULL)
		return NULL;
	dns->base = base;
	dns->resolv_conf = resolv_conf;
	LIST_INIT(&dns->lookups);
	dns_hosts_init(&dns->hosts, hosts);
	dns->evdns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (dns->evdns == NULL) {
		free(dns);
		errno = ENOMEM;
		return NULL;
	}
	evdns_set_log_fn(on_log);
	// Servers that answer in lower case whatever was asked are common; a random id and port remain.
	evdns_base_set_option(dns->evdns, "randomize-case", "0");
	refresh_servers(dns);
	return dns;
}

static void release(struct dns_lookup *lookup)
{
	LIST_REMOVE(lookup, link);
	event_free(lookup->turn);
	free(lookup);
}

void dns_destroy(struct dns *dns)
{
	struct dns_lookup *lookup;

	if (dns == NULL)
		return;
	evdns_base_free(dns->evdns, 0);
	while ((lookup = LIST_FIRST(&dns->lookups)) != NULL)
		release(lookup);
	dns_hosts_fini(&dns->hosts);
	free(dns);
}

static int compare(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct l7_address));
}

static void sort(struct dns_lookup *lookup)
{
	uint32_t n = 0;

	qsort(lookup->addresses, lookup->n_addresses, sizeof(struct l7_address), compare);
	for (uint32_t i = 0; i < lookup->n_addresses; i++)
		if (n == 0 || compare(&lookup->addresses[n - 1], &lookup->addresses[i]) != 0)
			lookup->addresses[n++] = lookup->addresses[i];
	lookup->n_addresses = n;
}

// Tells the answer, if somebody still wants it, and ends the look-up.
static void finish(struct dns_lookup *lookup)
{
	const dns_fn fn = lookup->fn;
	struct dns_answer answer;

	sort(lookup);
	answer = (struct dns_answer){.why = lookup->n_addresses > 0 ? NULL : lookup->why,
		.n_addresses = lookup->n_addresses,
		.addresses = lookup->addresses,
		.ttl_ms = lookup->ttl_ms};
	lookup->fn = NULL;
	if (fn != NULL)
		fn(lookup->ctx, &answer);
	release(lookup);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

static void keep(struct dns_lookup *lookup, uint8_t family, const uint8_t *address)
{
	struct l7_address *to = &lookup->addresses[lookup->n_addresses++];

	*to = (struct l7_address){.family = family};
	memcpy(to->b, address, family == 4 ? 4 : 16);
}

static void on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct dns_lookup *lookup = arg;
	const uint8_t family = type == DNS_IPv6_AAAA ? 6 : 4;
	const uint32_t ttl_s = ttl < 0 ? 0 : ttl > MAX_TTL_S ? MAX_TTL_S : (uint32_t)ttl;

	if (result != DNS_ERR_NONE || count <= 0) {
		if (lookup->why[0] == '\0' || result != DNS_ERR_NODATA)
			snprintf(lookup->why, sizeof(lookup->why), "%s",
				result == DNS_ERR_NONE ? "no addresses"
						       : evdns_err_to_string(result));
	} else {
		for (int i = 0; i < count && lookup->n_addresses < DNS_MAX_ADDRESSES; i++)
			keep(lookup, family,
				(const uint8_t *)addresses + i * (family == 4 ? 4 : 16));
		if (lookup->ttl_ms > ttl_s * 1000)
			lookup->ttl_ms = ttl_s * 1000;
	}
	if (--lookup->n_pending == 0)
		finish(lookup);
}

static void ask(struct dns_lookup *lookup, const char *name, uint8_t family)
{
	struct evdns_base *evdns = lookup->dns->evdns;

	lookup->ttl_ms = MAX_TTL_S * 1000u;
	if (family != 6)
		lookup->questions[0] = evdns_base_resolve_ipv4(evdns, name, 0, on_answer, lookup);
	if (family != 4)
		lookup->questions[1] = evdns_base_resolve_ipv6(evdns, name, 0, on_answer, lookup);
	for (int i = 0; i < 2; i++)
		lookup->n_pending += lookup->questions[i] != NULL;
}

// True: the loop will tell by itself what is known already.
static bool know(struct dns_lookup *lookup, const char *name, uint8_t family)
{
	struct dns *dns = lookup->dns;

	lookup->ttl_ms = HOSTS_TTL_MS;
	if (dns_hosts_parse(name, family, &lookup->addresses[0]))
		lookup->n_addresses = 1;
	else
		lookup->n_addresses = (uint32_t)dns_hosts_find(
			&dns->hosts, name, family, lookup->addresses, DNS_MAX_ADDRESSES);
	if (lookup->n_addresses > 0)
		return true;
	refresh_servers(dns);
	if (evdns_base_count_nameservers(dns->evdns) > 0)
		return false;
	snprintf(lookup->why, sizeof(lookup->why), "no name server in %s", dns->resolv_conf);
	return true;
}

struct dns_lookup *dns_lookup_start(
	struct dns *dns, const char *name, uint8_t family, dns_fn fn, void *ctx)
{
	const struct timeval now = {0};
	struct dns_lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return NULL;
	lookup->turn = evtimer_new(dns->base, on_turn, lookup);
	if (lookup->turn == NULL) {
		free(lookup);
		errno = ENOMEM;
		return NULL;
	}
	lookup->dns = dns;
	lookup->fn = fn;
	lookup->ctx = ctx;
	LIST_INSERT_HEAD(&dns->lookups, lookup, link);
	if (!know(lookup, name, family))
		ask(lookup, name, family);
	if (lookup->n_pending == 0) {
		if (lookup->n_addresses == 0 && lookup->why[0] == '\0')
			snprintf(lookup->why, sizeof(lookup->why),
				"not a name that can be asked for");
		event_add(lookup->turn, &now);
	}
	return lookup;
}

void dns_lookup_cancel(struct dns_lookup *lookup)
{
	if (lookup == NULL || lookup->fn == NULL)
		return;
	lookup->fn = NULL;
	if (lookup->n_pending == 0) {
		release(lookup);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (lookup->questions[i] != NULL)
			evdns_cancel_request(lookup->dns->evdns, lookup->questions[i]);
}
