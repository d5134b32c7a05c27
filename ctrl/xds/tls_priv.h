// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tls.c (contexts and what they are made of) and tls_session.c (one connection) share.

#include <openssl/ssl.h>
#include <sys/stat.h>

#include "ctrl/xds/tls.h"

enum tls_part {
	TLS_CERTIFICATE,
	TLS_KEY,
	TLS_CA,
	TLS_N_PARTS,
};

// PEM bytes of a secret; NULL: the file's.
struct tls_pem {
	uint8_t *bytes;
	size_t len;
};

struct tls {
	const struct xds_server_spec *spec;
	SSL_CTX *ctx; // NULL: nothing that could be used was read yet
	struct tls_pem secrets[TLS_N_PARTS];
	struct stat read[TLS_N_PARTS]; // the files that ctx was made from
	bool is_stale;		       // whatever the files say
};

// The first of OpenSSL's queued errors, which it empties; other: when there is none.
const char *tls_openssl_text(const char *other);
// Verification as every session of ctx wants it.
void tls_session_prepare(SSL_CTX *ctx);
