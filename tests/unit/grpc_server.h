// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the link share: a server on the loopback, plain or TLS, that answers calls with one message, in
// the client's own event loop; and what the link told.

#include "ctrl/xds/dns.h"
#include "ctrl/xds/link.h"
#include "ctrl/xds/tls.h"
#include "pipeline/spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

enum {
	SERVER_CALLS = 16, // at once
	SERVER_WAIT_S = 20,
};

enum server_manner {
	SERVER_ANSWERS, // with one message
	SERVER_LISTENS, // opens the stream and says nothing
	SERVER_REFUSES, // UNAVAILABLE
	SERVER_IS_MUTE, // not even settings
};

struct server {
	struct event_base *base;
	struct evconnlistener *listener;
	uint16_t port;
	SSL_CTX *ctx; // NULL: plain text
	enum server_manner manner;
	uint32_t n_connections;
	uint32_t n_calls;
	struct bufferevent *calls[SERVER_CALLS];
	struct evbuffer *messages; // DATA of all calls
	char client[128];	   // subject of the last client's certificate; "": none
	char sni[128];		   // what the last client asked for
};

// Runs the loop until the condition holds, which must be soon.
#define WAIT_FOR(base, condition)                                                                  \
	do {                                                                                       \
		const time_t until = time(NULL) + SERVER_WAIT_S;                                   \
		while (!(condition) && time(NULL) < until) {                                       \
			const struct timeval tick = {.tv_usec = 10000};                            \
			event_base_loopexit(base, &tick);                                          \
			event_base_loop(base, EVLOOP_ONCE);                                        \
		}                                                                                  \
		assert_true(condition);                                                            \
	} while (0)

static const uint8_t server_settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0};
// ":status" 200 and "content-type" application/grpc, from the static table; then the message "hi".
static const uint8_t server_answer[] = "\0\0\x14\1\4\0\0\0\1\x88\x0f\x10\x10"
				       "application/grpc\0\0\7\0\0\0\0\0\1\0\0\0\0\2hi";
// The same headers with "grpc-status" 14, and the end of the stream.
static const uint8_t server_refusal[] = "\0\0\x24\1\5\0\0\0\1\x88\x0f\x10\x10"
					"application/grpc\0\x0bgrpc-status\2"
					"14";

static inline void server_call(struct server *server, struct bufferevent *bev)
{
	server->n_calls++;
	if (server->manner == SERVER_ANSWERS)
		bufferevent_write(bev, server_answer, sizeof(server_answer) - 1);
	else if (server->manner == SERVER_REFUSES)
		bufferevent_write(bev, server_refusal, sizeof(server_refusal) - 1);
}

static inline void server_read(struct bufferevent *bev, void *ctx)
{
	struct server *server = ctx;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t head[9];

	while (evbuffer_copyout(in, head, sizeof(head)) == sizeof(head)) {
		const uint32_t len = (uint32_t)head[0] << 16 | head[1] << 8 | head[2];

		if (memcmp(head, "PRI * ", 6) == 0) {
			evbuffer_drain(in, 24);
			continue;
		}
		if (evbuffer_get_length(in) < len + sizeof(head))
			return;
		evbuffer_drain(in, sizeof(head));
		if (head[3] == 0)
			evbuffer_remove_buffer(in, server->messages, len);
		else
			evbuffer_drain(in, len);
		if (head[3] == 1)
			server_call(server, bev);
	}
}

static inline void server_note_client(struct server *server, struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	server->client[0] = '\0';
	if (certificate != NULL)
		X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
			server->client, sizeof(server->client));
	X509_free(certificate);
	snprintf(server->sni, sizeof(server->sni), "%s", sni != NULL ? sni : "");
}

static inline void server_hang_up(struct server *server, uint32_t idx)
{
	if (server->calls[idx] != NULL)
		bufferevent_free(server->calls[idx]);
	server->calls[idx] = NULL;
}

static inline void server_event(struct bufferevent *bev, short what, void *ctx)
{
	struct server *server = ctx;

	if (what & BEV_EVENT_CONNECTED) {
		server_note_client(server, bev);
		return;
	}
	for (uint32_t i = 0; i < SERVER_CALLS; i++)
		if (server->calls[i] == bev)
			server_hang_up(server, i);
}

static inline void server_accept(struct evconnlistener *listener, evutil_socket_t fd,
	struct sockaddr *addr, int len, void *ctx)
{
	const int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
	struct server *server = ctx;
	const uint32_t idx = server->n_connections++ % SERVER_CALLS;
	struct bufferevent *bev;

	(void)listener;
	(void)addr;
	(void)len;
	if (server->ctx == NULL)
		bev = bufferevent_socket_new(server->base, fd, options);
	else
		bev = bufferevent_openssl_socket_new(
			server->base, fd, SSL_new(server->ctx), BUFFEREVENT_SSL_ACCEPTING, options);
	server_hang_up(server, idx);
	server->calls[idx] = bev;
	bufferevent_setcb(bev, server_read, NULL, server_event, server);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	if (server->manner != SERVER_IS_MUTE)
		bufferevent_write(bev, server_settings, sizeof(server_settings));
}

static inline void server_start(struct server *server, struct event_base *base, SSL_CTX *ctx)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	*server = (struct server){.base = base, .ctx = ctx};
	server->messages = evbuffer_new();
	server->listener = evconnlistener_new_bind(base, server_accept, server,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1, (struct sockaddr *)&addr,
		sizeof(addr));
	assert_non_null(server->listener);
	getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&addr, &len);
	server->port = ntohs(addr.sin_port);
}

static inline void server_hang_up_all(struct server *server)
{
	for (uint32_t i = 0; i < SERVER_CALLS; i++)
		server_hang_up(server, i);
}

static inline void server_stop(struct server *server)
{
	if (server->listener == NULL)
		return;
	server_hang_up_all(server);
	evconnlistener_free(server->listener);
	evbuffer_free(server->messages);
	server->listener = NULL;
}

// A link and its two servers, of which it knows n_servers.
struct rig {
	struct event_base *base;
	struct dns *dns;
	struct link *link;
	struct server servers[2];
	struct xds_server_spec specs[2];
	struct xds_transport_spec spec;
	uint32_t n_up;
	uint32_t n_messages;
	uint32_t n_down;
	char up[64];
	char why[512]; // of the last down
};

static inline void rig_up(void *ctx, const char *server)
{
	struct rig *rig = ctx;

	rig->n_up++;
	snprintf(rig->up, sizeof(rig->up), "%s", server);
}

static inline void rig_message(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct rig *rig = ctx;

	assert_int_equal(n_bytes, 2);
	assert_memory_equal(bytes, "hi", 2);
	rig->n_messages++;
}

static inline void rig_down(void *ctx, const char *why)
{
	struct rig *rig = ctx;

	rig->n_down++;
	snprintf(rig->why, sizeof(rig->why), "%s", why);
}

static const struct link_events rig_events = {
	.up_fn = rig_up,
	.message_fn = rig_message,
	.down_fn = rig_down,
};

static inline struct rig *rig_create(SSL_CTX *ctx)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	signal(SIGPIPE, SIG_IGN);
	rig->base = event_base_new();
	rig->dns = dns_create(rig->base, "/nonexistent", DNS_HOSTS);
	assert_non_null(rig->dns);
	rig->spec = (struct xds_transport_spec){.n_servers = 1, .servers = rig->specs};
	for (uint32_t i = 0; i < 2; i++) {
		server_start(&rig->servers[i], rig->base, ctx);
		rig->specs[i] = (struct xds_server_spec){
			.host = "127.0.0.1", .port = rig->servers[i].port, .tls = ctx != NULL};
	}
	return rig;
}

static inline void rig_link(struct rig *rig)
{
	rig->link = link_create(
		rig->base, rig->dns, &rig->spec, "/test.Service/Stream", &rig_events, rig);
	assert_non_null(rig->link);
}

static inline struct link_status rig_status(const struct rig *rig)
{
	struct link_status status;

	link_status(rig->link, &status);
	return status;
}

// The reason of the next attempt that fails.
static inline const char *rig_failure(struct rig *rig)
{
	static struct link_status status;

	WAIT_FOR(rig->base, (status = rig_status(rig)).why[0] != '\0');
	return status.why;
}

static inline void rig_destroy(struct rig *rig)
{
	link_destroy(rig->link);
	for (uint32_t i = 0; i < 2; i++)
		server_stop(&rig->servers[i]);
	// What libevent has put off.
	for (int i = 0; i < 8; i++)
		event_base_loop(rig->base, EVLOOP_NONBLOCK);
	dns_destroy(rig->dns);
	event_base_free(rig->base);
	free(rig);
}
