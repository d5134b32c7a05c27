// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/dial.h"

#include "ctrl/xds/dns.h"
#include "ctrl/xds/tls.h"
#include "pipeline/spec.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A path that died silently is noticed by TCP, which no server minds, unlike frequent pings.
enum {
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 10,
	KEEPALIVE_COUNT = 3,
	UNACKED_MS = 30000,
};

struct dial {
	struct event_base *base;
	struct dns *dns;
	struct tls *tls;
	const struct xds_server_spec *server;
	uint32_t timeout_ms; // of the whole attempt
	dial_fn fn;
	void *ctx;
	struct dns_lookup *lookup;
	struct event *turn;	 // the next address is due
	struct event *ready;	 // TCP has connected, or not
	struct bufferevent *bev; // TLS under way
	uint32_t n_addresses;
	uint32_t address_idx;
	struct l7_address addresses[DNS_MAX_ADDRESSES];
	char why[TLS_WHY_LEN];
};

static void connect_next(struct dial *dial);

static void release(struct dial *dial)
{
	dns_lookup_cancel(dial->lookup);
	if (dial->turn != NULL)
		event_free(dial->turn);
	if (dial->ready != NULL) {
		close(event_get_fd(dial->ready));
		event_free(dial->ready);
	}
	if (dial->bev != NULL)
		bufferevent_free(dial->bev);
	free(dial);
}

// Gives the answer; the attempt is gone.
static void answer(struct dial *dial, struct bufferevent *bev)
{
	const dial_fn fn = dial->fn;
	void *ctx = dial->ctx;
	char why[TLS_WHY_LEN];

	memcpy(why, dial->why, sizeof(why));
	dial->bev = NULL;
	release(dial);
	fn(ctx, bev, bev != NULL ? NULL : why);
}

static void address_text(const struct dial *dial, char *text, size_t size)
{
	const struct l7_address *address = &dial->addresses[dial->address_idx];
	char host[INET6_ADDRSTRLEN];

	inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->b, host, sizeof(host));
	snprintf(text, size, address->family == 4 ? "%s:%u" : "[%s]:%u", host, dial->server->port);
}

// With the next address if there is one, else this was it.
static void fail_address(struct dial *dial, const char *what, const char *why)
{
	const struct timeval now = {0};
	char address[INET6_ADDRSTRLEN + 8];

	address_text(dial, address, sizeof(address));
	snprintf(dial->why, sizeof(dial->why), "%s %s: %s", what, address, why);
	dial->address_idx++;
	event_add(dial->turn, &now);
}

static socklen_t fill_address(const struct dial *dial, struct sockaddr_storage *storage)
{
	const struct l7_address *address = &dial->addresses[dial->address_idx];
	struct sockaddr_in *in4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (address->family == 4) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(dial->server->port);
		memcpy(&in4->sin_addr, address->b, sizeof(in4->sin_addr));
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(dial->server->port);
	memcpy(&in6->sin6_addr, address->b, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

static void set_options(int fd)
{
	const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS},
	};

	// A kernel without one of them still connects.
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static void on_tls_event(struct bufferevent *bev, short what, void *arg)
{
	struct dial *dial = arg;
	char why[TLS_WHY_LEN];

	if (what & BEV_EVENT_CONNECTED) {
		if (tls_check(bev, why) == 0) {
			answer(dial, bev);
			return;
		}
	} else {
		tls_error_text(bev, what, why, sizeof(why));
	}
	bufferevent_free(dial->bev);
	dial->bev = NULL;
	fail_address(dial, "TLS with", why);
}

// TCP is there. Takes fd.
static void start_session(struct dial *dial, int fd)
{
	char why[TLS_WHY_LEN];
	struct bufferevent *bev;

	if (dial->tls == NULL) {
		bev = bufferevent_socket_new(
			dial->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
		if (bev == NULL) {
			close(fd);
			fail_address(dial, "connecting to", strerror(ENOMEM));
			return;
		}
		answer(dial, bev);
		return;
	}
	dial->bev = tls_connect(dial->tls, dial->base, fd, why);
	if (dial->bev == NULL)
		fail_address(dial, "TLS with", why);
	else
		bufferevent_setcb(dial->bev, NULL, NULL, on_tls_event, dial);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;
	socklen_t len = sizeof(int);
	int error = ETIMEDOUT;

	event_free(dial->ready);
	dial->ready = NULL;
	if ((what & EV_WRITE) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0) {
		start_session(dial, fd);
		return;
	}
	close(fd);
	fail_address(dial, "connecting to", strerror(error));
}

// 0 or -errno.
static int connect_address(struct dial *dial)
{
	const uint32_t share_ms = dial->timeout_ms / dial->n_addresses;
	const struct timeval wait = {.tv_sec = share_ms / 1000, .tv_usec = share_ms % 1000 * 1000};
	struct sockaddr_storage address;
	const socklen_t len = fill_address(dial, &address);
	const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = ENOMEM;

	if (fd < 0)
		return -errno;
	set_options(fd);
	if (connect(fd, (const struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS) {
		error = errno;
		close(fd);
		return -error;
	}
	dial->ready = event_new(dial->base, fd, EV_WRITE, on_ready, dial);
	if (dial->ready == NULL) {
		close(fd);
		return -error;
	}
	event_add(dial->ready, &wait);
	return 0;
}

static void connect_next(struct dial *dial)
{
	int rc;

	if (dial->address_idx == dial->n_addresses) {
		answer(dial, NULL);
		return;
	}
	rc = connect_address(dial);
	if (rc != 0)
		fail_address(dial, "connecting to", strerror(-rc));
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connect_next(arg);
}

static void on_addresses(void *ctx, const struct dns_answer *found)
{
	struct dial *dial = ctx;

	dial->lookup = NULL;
	dial->n_addresses = found->n_addresses;
	if (found->n_addresses > 0) {
		memcpy(dial->addresses, found->addresses,
			found->n_addresses * sizeof(found->addresses[0]));
		connect_next(dial);
		return;
	}
	snprintf(dial->why, sizeof(dial->why), "looking up %s: %s", dial->server->host, found->why);
	answer(dial, NULL);
}

struct dial *dial_start(struct event_base *base, struct dns *dns, struct tls *tls,
	const struct xds_server_spec *server, uint32_t timeout_ms, dial_fn fn, void *ctx)
{
	struct dial *dial = calloc(1, sizeof(*dial));

	if (dial == NULL)
		return NULL;
	dial->base = base;
	dial->dns = dns;
	dial->tls = tls;
	dial->server = server;
	dial->timeout_ms = timeout_ms;
	dial->fn = fn;
	dial->ctx = ctx;
	dial->turn = evtimer_new(base, on_turn, dial);
	if (dial->turn != NULL)
		dial->lookup = dns_lookup_start(dns, server->host, 0, on_addresses, dial);
	if (dial->lookup == NULL) {
		release(dial);
		errno = ENOMEM;
		return NULL;
	}
	return dial;
}

const char *dial_stage(const struct dial *dial)
{
	if (dial->lookup != NULL)
		return "looking up its name";
	return dial->bev != NULL ? "the TLS handshake" : "connecting";
}

void dial_cancel(struct dial *dial)
{
	if (dial != NULL)
		release(dial);
}
