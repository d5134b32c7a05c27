// SPDX-License-Identifier: Apache-2.0

// A watch is a look-up, a wait, and so on. It answers when there is something new.

#include "ctrl/xds/dns.h"

#include "ctrl/xds/dns_priv.h"

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_REFRESH_MS = 5000, // Envoy's
	MIN_TTL_MS = 1000,	   // between two questions, whatever a server says
};

struct dns_watch {
	struct dns *dns;
	struct dns_watch_spec spec;
	dns_fn fn;
	void *ctx;
	struct dns_lookup *lookup;
	struct event *timer;
	bool has_told;
	bool in_answer;
	bool is_doomed; // stopped from its own answer
	uint32_t n_addresses;
	struct l7_address *addresses; // the last that were told
	char name[];
};

static void on_answer(void *ctx, const struct dns_answer *answer);

static void release(struct dns_watch *watch)
{
	dns_lookup_cancel(watch->lookup);
	if (watch->timer != NULL)
		event_free(watch->timer);
	free(watch->addresses);
	free(watch);
}

static void arm(struct dns_watch *watch, uint32_t ms)
{
	const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(watch->timer, &wait);
}

// Out of memory: the next time, perhaps.
static void ask(struct dns_watch *watch)
{
	watch->lookup =
		dns_lookup_start(watch->dns, watch->name, watch->spec.family, on_answer, watch);
	if (watch->lookup == NULL)
		arm(watch, watch->spec.refresh_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	ask(ctx);
}

static bool is_news(const struct dns_watch *watch, const struct dns_answer *answer)
{
	if (!watch->has_told)
		return true;
	if (answer->why != NULL)
		return false;
	return answer->n_addresses != watch->n_addresses ||
	       memcmp(answer->addresses, watch->addresses,
		       answer->n_addresses * sizeof(answer->addresses[0])) != 0;
}

// False: out of memory; it is news again the next time.
static bool remember(struct dns_watch *watch, const struct dns_answer *answer)
{
	const size_t size = answer->n_addresses * sizeof(answer->addresses[0]);
	struct l7_address *addresses = malloc(size + 1);

	if (addresses == NULL)
		return false;
	memcpy(addresses, answer->addresses, size);
	free(watch->addresses);
	watch->addresses = addresses;
	watch->n_addresses = answer->n_addresses;
	return true;
}

static uint32_t next_wait(const struct dns_watch *watch, const struct dns_answer *answer)
{
	if (answer->why != NULL || !watch->spec.use_ttl)
		return watch->spec.refresh_ms;
	return answer->ttl_ms > MIN_TTL_MS ? answer->ttl_ms : MIN_TTL_MS;
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
	struct dns_watch *watch = ctx;

	watch->lookup = NULL;
	arm(watch, next_wait(watch, answer));
	if (!is_news(watch, answer) || !remember(watch, answer))
		return;
	watch->has_told = true;
	watch->in_answer = true;
	watch->fn(watch->ctx, answer);
	watch->in_answer = false;
	if (watch->is_doomed)
		release(watch);
}

struct dns_watch *dns_watch_start(
	struct dns *dns, const struct dns_watch_spec *spec, dns_fn fn, void *ctx)
{
	const size_t size = strlen(spec->name) + 1;
	struct dns_watch *watch = calloc(1, sizeof(*watch) + size);

	if (watch == NULL)
		return NULL;
	memcpy(watch->name, spec->name, size);
	watch->dns = dns;
	watch->spec = *spec;
	watch->spec.refresh_ms = spec->refresh_ms ?: DEFAULT_REFRESH_MS;
	watch->fn = fn;
	watch->ctx = ctx;
	watch->timer = evtimer_new(dns->base, on_timer, watch);
	if (watch->timer == NULL) {
		release(watch);
		errno = ENOMEM;
		return NULL;
	}
	ask(watch);
	return watch;
}

void dns_watch_stop(struct dns_watch *watch)
{
	if (watch == NULL)
		return;
	watch->is_doomed = true;
	if (!watch->in_answer)
		release(watch);
}
