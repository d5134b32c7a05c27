// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/tls.h"

#include "ctrl/xds/tls_priv.h"
#include "pipeline/spec.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_FILE_BYTES = 1 << 20, // the system's CAs are a quarter of that
};

static const char *const part_names[TLS_N_PARTS] = {"certificate", "key", "CA"};

static const char *file_of(const struct tls *tls, enum tls_part part)
{
	const struct xds_server_spec *spec = tls->spec;

	return part == TLS_CERTIFICATE ? spec->cert_file
	       : part == TLS_KEY       ? spec->key_file
				       : spec->ca_file;
}

const char *tls_openssl_text(const char *other)
{
	const unsigned long error = ERR_peek_error();
	const char *text = error == 0 ? NULL : ERR_reason_error_string(error);

	ERR_clear_error();
	return text != NULL ? text : other;
}

static int say(const struct tls *tls, enum tls_part part, char *why, const char *what)
{
	const bool is_secret = tls->secrets[part].bytes != NULL;

	snprintf(why, TLS_WHY_LEN, "%s %s: %s", part_names[part],
		is_secret ? "from the server" : file_of(tls, part), what);
	return -EINVAL;
}

// What is not the file's size, as stat saw it, is in the middle of being written. 0 or -errno.
static int read_file(const char *path, struct tls_pem *pem, struct stat *st)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	int ret;

	*pem = (struct tls_pem){.bytes = NULL};
	if (fd < 0)
		return -errno;
	ret = fstat(fd, st) != 0 ? -errno : st->st_size > MAX_FILE_BYTES ? -EFBIG : 0;
	if (ret == 0) {
		pem->bytes = malloc((size_t)st->st_size + 1);
		ret = pem->bytes == NULL ? -ENOMEM : 0;
	}
	if (ret == 0) {
		n = read(fd, pem->bytes, (size_t)st->st_size);
		ret = n < 0 ? -errno : n != st->st_size ? -EAGAIN : 0;
	}
	close(fd);
	pem->len = n < 0 ? 0 : (size_t)n;
	return ret;
}

// No terminal is asked for a key's pass phrase.
static int refuse_pass_phrase(char *buffer, int size, int rwflag, void *arg)
{
	(void)buffer;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static int use_certificate(SSL_CTX *ctx, BIO *bio)
{
	X509 *leaf = PEM_read_bio_X509(bio, NULL, refuse_pass_phrase, NULL);
	X509 *issuer;
	int ok = leaf != NULL && SSL_CTX_use_certificate(ctx, leaf) == 1;

	X509_free(leaf);
	while (ok && (issuer = PEM_read_bio_X509(bio, NULL, refuse_pass_phrase, NULL)) != NULL) {
		ok = SSL_CTX_add0_chain_cert(ctx, issuer) == 1;
		if (!ok)
			X509_free(issuer);
	}
	// The end of the chain is an error to PEM_read_bio_X509(), too.
	if (ok)
		ERR_clear_error();
	return ok;
}

static int use_key(SSL_CTX *ctx, BIO *bio)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, refuse_pass_phrase, NULL);
	const int ok = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static int use_ca(SSL_CTX *ctx, BIO *bio)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509 *ca;
	int n = 0;

	while ((ca = PEM_read_bio_X509(bio, NULL, refuse_pass_phrase, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, ca) == 1;
		X509_free(ca);
	}
	if (n > 0)
		ERR_clear_error();
	return n > 0;
}

static int use_part(const struct tls *tls, SSL_CTX *ctx, enum tls_part part,
	const struct tls_pem *pem, char *why)
{
	static int (*const uses[TLS_N_PARTS])(SSL_CTX *, BIO *) = {
		use_certificate, use_key, use_ca};
	BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->len);
	const int ok = bio != NULL && uses[part](ctx, bio);

	BIO_free(bio);
	return ok ? 0 : say(tls, part, why, tls_openssl_text("out of memory"));
}

static int load_part(struct tls *tls, SSL_CTX *ctx, enum tls_part part, char *why)
{
	const char *path = file_of(tls, part);
	struct tls_pem pem;
	int rc;

	if (tls->secrets[part].bytes != NULL)
		return use_part(tls, ctx, part, &tls->secrets[part], why);
	if (path == NULL)
		return 0;
	rc = read_file(path, &pem, &tls->read[part]);
	if (rc != 0)
		say(tls, part, why, strerror(-rc));
	else
		rc = use_part(tls, ctx, part, &pem, why);
	free(pem.bytes);
	return rc;
}

static bool has_part(const struct tls *tls, enum tls_part part)
{
	return tls->secrets[part].bytes != NULL || file_of(tls, part) != NULL;
}

static int load(struct tls *tls, SSL_CTX *ctx, char *why)
{
	int rc = 0;

	for (enum tls_part part = 0; part < TLS_N_PARTS && rc == 0; part++)
		rc = load_part(tls, ctx, part, why);
	if (rc == 0 && has_part(tls, TLS_CERTIFICATE) && SSL_CTX_check_private_key(ctx) != 1)
		rc = say(tls, TLS_KEY, why, tls_openssl_text("does not belong to the certificate"));
	if (rc == 0 && !has_part(tls, TLS_CA) && SSL_CTX_set_default_verify_paths(ctx) != 1) {
		snprintf(why, TLS_WHY_LEN, "the system's CAs: %s",
			tls_openssl_text("cannot be read"));
		rc = -EINVAL;
	}
	return rc;
}

// What is read replaces what was there as a whole, or not at all.
static int rebuild(struct tls *tls, char *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int rc;

	if (ctx == NULL) {
		snprintf(why, TLS_WHY_LEN, "%s", tls_openssl_text("out of memory"));
		return -EINVAL;
	}
	tls_session_prepare(ctx);
	rc = load(tls, ctx, why);
	if (rc != 0) {
		SSL_CTX_free(ctx);
		tls->is_stale = true;
		return -EINVAL;
	}
	SSL_CTX_free(tls->ctx);
	tls->ctx = ctx;
	tls->is_stale = false;
	return 1;
}

static bool has_changed(const struct tls *tls, enum tls_part part)
{
	const struct stat *read = &tls->read[part];
	const char *path = file_of(tls, part);
	struct stat now;

	if (path == NULL || tls->secrets[part].bytes != NULL)
		return false;
	return stat(path, &now) != 0 || now.st_ino != read->st_ino ||
	       now.st_size != read->st_size || now.st_mtim.tv_sec != read->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != read->st_mtim.tv_nsec;
}

struct tls *tls_create(const struct xds_server_spec *spec)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (tls != NULL) {
		tls->spec = spec;
		tls->is_stale = true;
	}
	return tls;
}

void tls_destroy(struct tls *tls)
{
	if (tls == NULL)
		return;
	for (enum tls_part part = 0; part < TLS_N_PARTS; part++)
		free(tls->secrets[part].bytes);
	SSL_CTX_free(tls->ctx);
	free(tls);
}

bool tls_is_ready(const struct tls *tls)
{
	return tls->ctx != NULL;
}

int tls_refresh(struct tls *tls, char *why)
{
	bool is_stale = tls->is_stale;

	for (enum tls_part part = 0; part < TLS_N_PARTS; part++)
		is_stale = is_stale || has_changed(tls, part);
	return is_stale ? rebuild(tls, why) : 0;
}

// With another secret in place, or none: the file's again.
static void set_secret(struct tls *tls, enum tls_part part, struct tls_pem *pem)
{
	free(tls->secrets[part].bytes);
	tls->secrets[part] = *pem;
	*pem = (struct tls_pem){.bytes = NULL};
	tls->is_stale = true;
}

// Bytes of NULL stay NULL. 0 or -ENOMEM.
static int copy_pem(struct tls_pem *to, const uint8_t *bytes, size_t len)
{
	*to = (struct tls_pem){.len = len};
	if (bytes == NULL)
		return 0;
	to->bytes = malloc(len + 1);
	if (to->bytes == NULL)
		return -ENOMEM;
	memcpy(to->bytes, bytes, len);
	return 0;
}

// Is the PEM of any use by itself?
static int try_pem(SSL_CTX *ctx, int (*use)(SSL_CTX *, BIO *), const uint8_t *bytes, size_t len)
{
	BIO *bio = bytes == NULL || len > MAX_FILE_BYTES ? NULL : BIO_new_mem_buf(bytes, (int)len);
	const int ok = bio != NULL && use(ctx, bio);

	BIO_free(bio);
	return ok;
}

static int check_secret(const struct xds_secret *secret, bool is_ca, char *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	const char *part = NULL;

	if (ctx == NULL)
		part = "memory";
	else if (is_ca && !try_pem(ctx, use_ca, secret->ca, secret->ca_len))
		part = part_names[TLS_CA];
	else if (!is_ca &&
		 !try_pem(ctx, use_certificate, secret->certificate, secret->certificate_len))
		part = part_names[TLS_CERTIFICATE];
	else if (!is_ca && (!try_pem(ctx, use_key, secret->key, secret->key_len) ||
				   SSL_CTX_check_private_key(ctx) != 1))
		part = part_names[TLS_KEY];
	SSL_CTX_free(ctx);
	if (part == NULL)
		return 0;
	snprintf(why, TLS_WHY_LEN, "secret %s: %s: %s", secret->name, part,
		tls_openssl_text("missing, or too long"));
	return -EINVAL;
}

int tls_set_certificate(struct tls *tls, const struct xds_secret *secret, char *why)
{
	struct tls_pem certificate = {.bytes = NULL}, key = {.bytes = NULL};

	if (secret != NULL) {
		if (check_secret(secret, false, why) != 0)
			return -EINVAL;
		if (copy_pem(&certificate, secret->certificate, secret->certificate_len) != 0 ||
			copy_pem(&key, secret->key, secret->key_len) != 0) {
			free(certificate.bytes);
			snprintf(why, TLS_WHY_LEN, "secret %s: out of memory", secret->name);
			return -EINVAL;
		}
	}
	set_secret(tls, TLS_CERTIFICATE, &certificate);
	set_secret(tls, TLS_KEY, &key);
	return 0;
}

int tls_set_ca(struct tls *tls, const struct xds_secret *secret, char *why)
{
	struct tls_pem ca = {.bytes = NULL};

	if (secret != NULL) {
		if (check_secret(secret, true, why) != 0)
			return -EINVAL;
		if (copy_pem(&ca, secret->ca, secret->ca_len) != 0) {
			snprintf(why, TLS_WHY_LEN, "secret %s: out of memory", secret->name);
			return -EINVAL;
		}
	}
	set_secret(tls, TLS_CA, &ca);
	return 0;
}

int64_t tls_not_after(const struct tls *tls)
{
	const X509 *certificate = tls->ctx == NULL ? NULL : SSL_CTX_get0_certificate(tls->ctx);
	struct tm tm;

	if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}
