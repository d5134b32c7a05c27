// SPDX-License-Identifier: Apache-2.0

// An attempt is dial, then grpc until the stream is open, within one deadline. A round is one attempt at each
// server, the preferred first, without a wait in between. After a round of failures, and after a stream that ended
// without a message, the wait doubles; a stream that had answered is tried again almost at once.

#include "ctrl/xds/link.h"

#include "ctrl/log.h"
#include "ctrl/xds/dial.h"
#include "ctrl/xds/tls.h"
#include "pipeline/spec.h"

#include <event2/event.h>
#include <event2/util.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	DEFAULT_CONNECT_TIMEOUT_MS = 5000,
	DEFAULT_KEEPALIVE_MS = 300000,
	BACKOFF_BASE_MS = 500,
	BACKOFF_MAX_MS = 30000,
	FILES_CHECK_MS =
		2000, // a rotation that went wrong is told before the next connection needs it
	MAX_AUTHORITY_LEN = 300, // a name, brackets and a port
};

struct link_server {
	const struct xds_server_spec *spec;
	struct tls *tls;	     // NULL: plain text
	uint32_t keepalive_ms;	     // more when the server wants fewer pings
	char files_why[TLS_WHY_LEN]; // what was logged of files that cannot be used
};

struct link {
	struct event_base *base;
	struct dns *dns;
	const struct xds_transport_spec *spec;
	char *path;
	const struct link_events *events;
	void *ctx;
	struct link_server *servers;
	uint32_t server_idx;
	struct dial *dial;
	struct grpc *grpc;
	struct event *timer; // LINK_CONNECTING: deadline; LINK_WAITING: back-off
	struct event *reset; // the session wants this stream to end
	struct event *files; // certificates may have changed
	uint64_t since_ms;   // in this state
	struct link_status status;
	char server[MAX_AUTHORITY_LEN];
	char reset_why[256];
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void arm(struct event *timer, uint32_t ms)
{
	const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(timer, &wait);
}

static uint32_t random_below(uint32_t bound)
{
	uint32_t value;

	evutil_secure_rng_get_bytes(&value, sizeof(value));
	return value % bound;
}

static void set_state(struct link *link, enum link_state state)
{
	link->status.state = state;
	link->since_ms = now_ms();
}

static void wait_for(struct link *link, uint32_t ms)
{
	link->status.wait_ms = ms;
	set_state(link, LINK_WAITING);
	arm(link->timer, ms);
}

uint32_t link_backoff_bound_ms(uint32_t n_failed_rounds)
{
	uint32_t ms = BACKOFF_BASE_MS;

	for (uint32_t i = 0; i < n_failed_rounds && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void schedule_attempt(struct link *link, bool had_answered)
{
	if (had_answered) {
		link->status.n_failed_rounds = 0;
		link->server_idx = 0;
		wait_for(link, random_below(BACKOFF_BASE_MS + 1));
	} else if (++link->server_idx < link->spec->n_servers) {
		wait_for(link, 0);
	} else {
		// Full jitter: many nodes that lost the same server do not come back together.
		link->server_idx = 0;
		wait_for(link,
			random_below(link_backoff_bound_ms(link->status.n_failed_rounds++) + 1));
	}
}

static void add_counts(struct grpc_counts *sum, const struct grpc_counts *counts)
{
	sum->rx_messages += counts->rx_messages;
	sum->tx_messages += counts->tx_messages;
	sum->rx_bytes += counts->rx_bytes;
	sum->tx_bytes += counts->tx_bytes;
	sum->too_big += counts->too_big;
	sum->pings += counts->pings;
}

// The attempt, or the stream that it had become, is over.
static void drop(struct link *link)
{
	dial_cancel(link->dial);
	link->dial = NULL;
	if (link->grpc != NULL)
		add_counts(&link->status.counts, grpc_counts(link->grpc));
	grpc_destroy(link->grpc);
	link->grpc = NULL;
	event_del(link->timer);
	event_del(link->reset);
}

static void fail(struct link *link, const char *why, bool is_reset)
{
	const bool was_up = link->status.state == LINK_UP;
	const bool had_answered = link->status.answered && !is_reset;

	snprintf(link->status.why, sizeof(link->status.why), "%s", why);
	drop(link);
	link->status.answered = false;
	schedule_attempt(link, had_answered);
	log_warning("xds: %s server=%s why=\"%s\" retry_ms=%u",
		was_up ? "stream lost" : "no stream", link->server, link->status.why,
		link->status.wait_ms);
	if (was_up)
		link->events->down_fn(link->ctx, link->status.why);
}

static void on_opened(void *ctx)
{
	struct link *link = ctx;

	event_del(link->timer);
	set_state(link, LINK_UP);
	link->status.n_streams++;
	log_notice("xds: stream open server=%s", link->server);
	link->events->up_fn(link->ctx, link->server);
}

static void on_message(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct link *link = ctx;

	link->status.answered = true;
	link->events->message_fn(link->ctx, bytes, n_bytes);
}

static uint32_t doubled(uint32_t value)
{
	return value < UINT32_MAX / 2 ? value * 2 : value;
}

static void on_closed(void *ctx, const struct grpc_status *status)
{
	struct link *link = ctx;
	struct link_server *server = &link->servers[link->server_idx];
	char why[sizeof(link->status.why)];

	if (status->too_many_pings) {
		server->keepalive_ms = doubled(server->keepalive_ms);
		log_notice("xds: fewer pings server=%s keepalive_ms=%u", link->server,
			server->keepalive_ms);
	}
	snprintf(why, sizeof(why), "%s: %s", grpc_status_name(status->code), status->text);
	fail(link, why, false);
}

static const struct grpc_events grpc_events = {
	.opened_fn = on_opened,
	.message_fn = on_message,
	.closed_fn = on_closed,
};

static void join(char *text, size_t size, const char *host, uint16_t port)
{
	snprintf(text, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static void on_dialled(void *ctx, struct bufferevent *bev, const char *why)
{
	struct link *link = ctx;
	const struct link_server *server = &link->servers[link->server_idx];
	char authority[MAX_AUTHORITY_LEN];
	const struct grpc_target target = {
		.authority = authority,
		.path = link->path,
		.scheme = server->tls != NULL ? "https" : "http",
		.max_message_bytes = link->spec->max_message_bytes,
		.keepalive_ms = server->keepalive_ms,
		.keepalive_timeout_ms = link->spec->keepalive_timeout_ms,
	};

	link->dial = NULL;
	if (bev == NULL) {
		fail(link, why, false);
		return;
	}
	join(authority, sizeof(authority),
		server->spec->server_name != NULL ? server->spec->server_name : server->spec->host,
		server->spec->port);
	link->grpc = grpc_create(bev, &target, &grpc_events, link);
	if (link->grpc == NULL)
		fail(link, strerror(ENOMEM), false);
}

// Reads certificates that have changed. 0, or -EINVAL with why there can be no attempt: plain text is not the way out.
static int refresh_tls(struct link_server *server, char *why)
{
	const struct xds_server_spec *spec = server->spec;
	const int rc = tls_refresh(server->tls, why);

	if (rc > 0)
		log_notice("xds: certificates read server=%s:%u own_not_after=%lld", spec->host,
			spec->port, (long long)tls_not_after(server->tls));
	if (rc >= 0) {
		server->files_why[0] = '\0';
		return 0;
	}
	if (strcmp(server->files_why, why) != 0)
		log_warning("xds: certificates refused server=%s:%u why=\"%s\"", spec->host,
			spec->port, why);
	snprintf(server->files_why, sizeof(server->files_why), "%s", why);
	return tls_is_ready(server->tls) ? 0 : rc;
}

static void on_files(evutil_socket_t fd, short what, void *ctx)
{
	struct link *link = ctx;
	char why[TLS_WHY_LEN];

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < link->spec->n_servers; i++)
		if (link->servers[i].tls != NULL)
			refresh_tls(&link->servers[i], why);
	arm(link->files, FILES_CHECK_MS);
}

static void start_attempt(struct link *link)
{
	struct link_server *server = &link->servers[link->server_idx];
	const uint32_t timeout_ms = link->spec->connect_timeout_ms ?: DEFAULT_CONNECT_TIMEOUT_MS;
	char why[TLS_WHY_LEN];

	join(link->server, sizeof(link->server), server->spec->host, server->spec->port);
	link->status.n_attempts++;
	set_state(link, LINK_CONNECTING);
	if (server->tls != NULL && refresh_tls(server, why) != 0) {
		fail(link, why, false);
		return;
	}
	link->dial = dial_start(
		link->base, link->dns, server->tls, server->spec, timeout_ms, on_dialled, link);
	if (link->dial == NULL)
		fail(link, strerror(ENOMEM), false);
	else
		arm(link->timer, timeout_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct link *link = ctx;
	char why[128];

	(void)fd;
	(void)what;
	if (link->status.state == LINK_WAITING) {
		start_attempt(link);
		return;
	}
	snprintf(why, sizeof(why), "%s took longer than %u ms",
		link->dial != NULL ? dial_stage(link->dial) : "opening a stream",
		link->spec->connect_timeout_ms ?: DEFAULT_CONNECT_TIMEOUT_MS);
	fail(link, why, false);
}

static void on_reset(evutil_socket_t fd, short what, void *ctx)
{
	struct link *link = ctx;

	(void)fd;
	(void)what;
	fail(link, link->reset_why, true);
}

static int set_up_servers(struct link *link)
{
	const struct xds_transport_spec *spec = link->spec;

	link->servers = calloc(spec->n_servers, sizeof(link->servers[0]));
	if (link->servers == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < spec->n_servers; i++) {
		struct link_server *server = &link->servers[i];

		server->spec = &spec->servers[i];
		server->keepalive_ms = spec->keepalive_ms ?: DEFAULT_KEEPALIVE_MS;
		if (!server->spec->tls)
			continue;
		server->tls = tls_create(server->spec);
		if (server->tls == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct link *link_create(struct event_base *base, struct dns *dns,
	const struct xds_transport_spec *spec, const char *path, const struct link_events *events,
	void *ctx)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->base = base;
	link->dns = dns;
	link->spec = spec;
	link->events = events;
	link->ctx = ctx;
	link->path = strdup(path);
	link->timer = evtimer_new(base, on_timer, link);
	link->reset = evtimer_new(base, on_reset, link);
	link->files = evtimer_new(base, on_files, link);
	if (link->path == NULL || link->timer == NULL || link->reset == NULL ||
		link->files == NULL || set_up_servers(link) != 0) {
		link_destroy(link);
		errno = ENOMEM;
		return NULL;
	}
	arm(link->files, FILES_CHECK_MS);
	wait_for(link, 0);
	return link;
}

int link_send(struct link *link, const uint8_t *bytes, size_t n_bytes)
{
	if (link->status.state != LINK_UP)
		return -ENOTCONN;
	return grpc_send(link->grpc, bytes, n_bytes);
}

void link_pause(struct link *link)
{
	if (link->grpc != NULL)
		grpc_pause(link->grpc);
}

void link_resume(struct link *link)
{
	if (link->grpc != NULL)
		grpc_resume(link->grpc);
}

uint64_t link_message_us(const struct link *link)
{
	return grpc_message_us(link->grpc);
}

void link_reset(struct link *link, const char *why)
{
	if (link->status.state != LINK_UP)
		return;
	snprintf(link->reset_why, sizeof(link->reset_why), "%s", why);
	grpc_pause(link->grpc);
	arm(link->reset, 0);
}

int link_set_secret(struct link *link, const char *name, const struct xds_secret *secret, char *why)
{
	const struct xds_transport_spec *spec = link->spec;
	const bool is_certificate =
		spec->sds_certificate != NULL && strcmp(name, spec->sds_certificate) == 0;
	const bool is_ca = spec->sds_ca != NULL && strcmp(name, spec->sds_ca) == 0;
	int rc = 0;

	// A secret that one server's state takes, all take: the checks are of the secret alone.
	for (uint32_t i = 0; i < spec->n_servers && rc == 0; i++) {
		if (link->servers[i].tls == NULL)
			continue;
		if (is_certificate)
			rc = tls_set_certificate(link->servers[i].tls, secret, why);
		if (rc == 0 && is_ca)
			rc = tls_set_ca(link->servers[i].tls, secret, why);
	}
	return rc;
}

void link_status(const struct link *link, struct link_status *status)
{
	const struct tls *tls = link->servers[link->server_idx].tls;
	const uint64_t age_ms = now_ms() - link->since_ms;

	*status = link->status;
	status->own_not_after = tls == NULL ? 0 : tls_not_after(tls);
	status->server = link->server;
	status->up_ms = link->status.state == LINK_UP ? age_ms : 0;
	if (link->status.state != LINK_WAITING || age_ms >= link->status.wait_ms)
		status->wait_ms = 0;
	else
		status->wait_ms = link->status.wait_ms - (uint32_t)age_ms;
	if (link->grpc != NULL)
		add_counts(&status->counts, grpc_counts(link->grpc));
}

void link_destroy(struct link *link)
{
	if (link == NULL)
		return;
	dial_cancel(link->dial);
	grpc_destroy(link->grpc);
	if (link->timer != NULL)
		event_free(link->timer);
	if (link->reset != NULL)
		event_free(link->reset);
	if (link->files != NULL)
		event_free(link->files);
	if (link->servers != NULL)
		for (uint32_t i = 0; i < link->spec->n_servers; i++)
			tls_destroy(link->servers[i].tls);
	free(link->servers);
	free(link->path);
	free(link);
}
