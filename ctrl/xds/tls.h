// SPDX-License-Identifier: Apache-2.0
#pragma once

// TLS to an xDS server: certificates from files, or from secrets that the server sent, read again when they
// have changed; the server's certificate is always verified, by name or SPIFFE ID, and HTTP/2 agreed on by ALPN.
// On the control core's loop. There is no way from here to plain text.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event_base;
struct tls;
struct xds_server_spec;

enum {
	TLS_WHY_LEN = 384, // room for any reason that is told
};

// A secret that a server sent: PEM, each of its own length. Parts that it does not have are NULL.
struct xds_secret {
	const char *name;
	const uint8_t *certificate; // with its chain
	size_t certificate_len;
	const uint8_t *key;
	size_t key_len;
	const uint8_t *ca;
	size_t ca_len;
};

// spec outlives it. NULL with errno.
struct tls *tls_create(const struct xds_server_spec *spec);
// NULL is fine.
void tls_destroy(struct tls *tls);

// There is a CA, and a certificate if there is to be one, to connect with.
bool tls_is_ready(const struct tls *tls);

// Reads the files if they have changed. 0, or -EINVAL with why: what was read before stays in use, if anything was. 1:
// there is something new.
int tls_refresh(struct tls *tls, char *why);

// Certificate and key, or CA, from a secret instead of the file; NULL: the file's again. 0, or -EINVAL with why:
// nothing changes.
int tls_set_certificate(struct tls *tls, const struct xds_secret *secret, char *why);
int tls_set_ca(struct tls *tls, const struct xds_secret *secret, char *why);

// A bufferevent over fd, connected, whose handshake is under way: BEV_EVENT_CONNECTED follows, then ask
// tls_check(). Takes fd, on failure too. NULL with why.
struct bufferevent *tls_connect(struct tls *tls, struct event_base *base, int fd, char *why);

// After BEV_EVENT_CONNECTED: does the server speak HTTP/2? 0, or -EPROTO with why.
int tls_check(struct bufferevent *bev, char *why);

// Why a connection ended, plain or TLS, from its event callback with the same events: what is wrong with which
// certificate, if it was that.
void tls_error_text(struct bufferevent *bev, short events, char *text, size_t size);

// When our certificate expires, in seconds since 1970. 0: there is none.
int64_t tls_not_after(const struct tls *tls);
