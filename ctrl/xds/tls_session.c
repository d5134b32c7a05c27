// SPDX-License-Identifier: Apache-2.0

// One TLS connection: who the server must be, and what to say when it is not. OpenSSL tells by numbers and only the
// last thing that went wrong; the words of the certificate that it is about are noted while it is verified.

#include "ctrl/xds/tls_priv.h"
#include "pipeline/spec.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/util.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
	OWN_TEXT_LEN = 160,
	NAMES_LEN = 192,
	DATE_BYTES = 32,
};

// Hangs from the SSL and goes with it.
struct tls_session {
	const char *spiffe_id;	// the spec's
	const char *name;	// likewise, what the certificate must be for
	char own[OWN_TEXT_LEN]; // what is wrong with our certificate; "": nothing
	char why[TLS_WHY_LEN];	// what is wrong with the server's
};

static const unsigned char alpn_h2[] = {2, 'h', '2'};

static void free_session(
	void *parent, void *ptr, CRYPTO_EX_DATA *data, int idx, long number, void *arg)
{
	(void)parent;
	(void)data;
	(void)idx;
	(void)number;
	(void)arg;
	free(ptr);
}

static int session_idx(void)
{
	static int idx = -1;

	if (idx < 0)
		idx = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_session);
	return idx;
}

// "2026-11-23 22:15:00 UTC"
static void write_date(const ASN1_TIME *date, char *text)
{
	struct tm tm = {0};

	ASN1_TIME_to_tm(date, &tm);
	strftime(text, DATE_BYTES, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

// The URI of a name; empty: another kind of name.
static size_t uri_of(const GENERAL_NAME *name, const char **text)
{
	if (name->type != GEN_URI)
		return 0;
	*text = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
	return (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
}

// An SVID has exactly one URI (SPIFFE X509-SVID §2), compared as it is written.
static bool has_spiffe_id(X509 *certificate, const char *wanted)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	uint32_t n_uris = 0, n_equal = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const char *text;
		const size_t len = uri_of(sk_GENERAL_NAME_value(names, i), &text);

		n_uris += len > 0;
		n_equal += len == strlen(wanted) && len > 0 && memcmp(text, wanted, len) == 0;
	}
	GENERAL_NAMES_free(names);
	return n_uris == 1 && n_equal == 1;
}

// "DNS:a, DNS:b, URI:spiffe://c", as much as fits; made for humans, so bytes that do not print are replaced.
static void names_text(X509 *certificate, char *text, size_t size)
{
	const int idx = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (idx >= 0 && bio != NULL &&
		X509V3_EXT_print(bio, X509_get_ext(certificate, idx), 0, 0) == 1)
		n = BIO_read(bio, text, (int)size - 1);
	BIO_free(bio);
	text[n > 0 ? n : 0] = '\0';
	for (char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	if (text[0] == '\0')
		snprintf(text, size, "no name");
}

static void explain_name(struct tls_session *session, X509 *certificate)
{
	char names[NAMES_LEN];

	names_text(certificate, names, sizeof(names));
	snprintf(session->why, sizeof(session->why),
		"the server's certificate is for %s, not for %.128s", names,
		session->spiffe_id != NULL ? session->spiffe_id : session->name);
}

static void explain(struct tls_session *session, X509_STORE_CTX *store)
{
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	const int error = X509_STORE_CTX_get_error(store);
	const char *whose = X509_STORE_CTX_get_error_depth(store) == 0 ? "certificate" : "CA";
	char date[DATE_BYTES];

	if (error == X509_V_ERR_CERT_HAS_EXPIRED && certificate != NULL) {
		write_date(X509_get0_notAfter(certificate), date);
		snprintf(session->why, sizeof(session->why), "the server's %s expired on %s", whose,
			date);
	} else if (error == X509_V_ERR_CERT_NOT_YET_VALID && certificate != NULL) {
		write_date(X509_get0_notBefore(certificate), date);
		snprintf(session->why, sizeof(session->why),
			"the server's %s is not valid before %s", whose, date);
	} else if (certificate != NULL && (error == X509_V_ERR_HOSTNAME_MISMATCH ||
						  error == X509_V_ERR_IP_ADDRESS_MISMATCH)) {
		explain_name(session, certificate);
	} else {
		snprintf(session->why, sizeof(session->why), "the server's %s is not trusted: %s",
			whose, X509_verify_cert_error_string(error));
	}
}

static int verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *session = SSL_get_ex_data(ssl, session_idx());
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);

	if (!ok) {
		explain(session, store);
		return 0;
	}
	if (session->spiffe_id != NULL && X509_STORE_CTX_get_error_depth(store) == 0 &&
		!has_spiffe_id(certificate, session->spiffe_id)) {
		explain_name(session, certificate);
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	return 1;
}

// The server wants a certificate and there is none. Many servers hang up then without a word.
static int note_request(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
	struct tls_session *session = SSL_get_ex_data(ssl, session_idx());

	(void)certificate;
	(void)key;
	snprintf(session->own, sizeof(session->own),
		"it had asked for a client certificate, and we have none");
	return 0;
}

void tls_session_prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_client_cert_cb(ctx, note_request);
	// A CA that is named is trusted, whether or not its own issuer is named, too.
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	// HTTP/2 knows by itself whether a stream has ended.
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

static bool is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static int set_name(SSL *ssl, const struct tls_session *session)
{
	if (is_address(session->name))
		return session->spiffe_id != NULL ||
		       X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), session->name) == 1;
	if (SSL_set_tlsext_host_name(ssl, session->name) != 1)
		return 0;
	SSL_set_hostflags(
		ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return session->spiffe_id != NULL || SSL_set1_host(ssl, session->name) == 1;
}

// The server is not told why it should refuse us, but the operator is.
static void check_own(struct tls_session *session, const struct tls *tls)
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls->ctx);
	const char *verb = NULL;
	const ASN1_TIME *date;
	char text[DATE_BYTES];

	if (certificate == NULL)
		return;
	date = X509_get0_notAfter(certificate);
	if (X509_cmp_current_time(date) < 0)
		verb = "expired on";
	if (verb == NULL && X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
		date = X509_get0_notBefore(certificate);
		verb = "is not valid before";
	}
	if (verb == NULL)
		return;
	write_date(date, text);
	snprintf(session->own, sizeof(session->own), "our certificate %s %s", verb, text);
}

// 1: ssl has a session and knows who the server must be.
static int set_up(SSL *ssl, const struct tls *tls)
{
	const struct xds_server_spec *spec = tls->spec;
	struct tls_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return 0;
	if (SSL_set_ex_data(ssl, session_idx(), session) != 1) {
		free(session);
		return 0;
	}
	session->spiffe_id = spec->spiffe_id;
	session->name = spec->server_name != NULL ? spec->server_name : spec->host;
	check_own(session, tls);
	return set_name(ssl, session) && SSL_set_alpn_protos(ssl, alpn_h2, sizeof(alpn_h2)) == 0;
}

struct bufferevent *tls_connect(struct tls *tls, struct event_base *base, int fd, char *why)
{
	struct bufferevent *bev = NULL;
	SSL *ssl = NULL;

	ERR_clear_error();
	if (tls->ctx != NULL)
		ssl = SSL_new(tls->ctx);
	if (ssl != NULL && set_up(ssl, tls))
		bev = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_CONNECTING,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (bev != NULL)
		return bev;
	snprintf(why, TLS_WHY_LEN, "%s", tls_openssl_text("out of memory"));
	SSL_free(ssl);
	close(fd);
	return NULL;
}

int tls_check(struct bufferevent *bev, char *why)
{
	const unsigned char *protocol;
	unsigned int len;

	SSL_get0_alpn_selected(bufferevent_openssl_get_ssl(bev), &protocol, &len);
	if (len == sizeof(alpn_h2) - 1 && memcmp(protocol, alpn_h2 + 1, len) == 0)
		return 0;
	snprintf(why, TLS_WHY_LEN, "the server does not agree on HTTP/2 (ALPN h2)");
	return -EPROTO;
}

static void error_words(unsigned long error, char *text, size_t size)
{
	static const char alert_word[] = " alert ";
	const char *words = ERR_reason_error_string(error);
	const char *alert = words == NULL ? NULL : strstr(words, alert_word);

	if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
		snprintf(text, size, "the server does not speak TLS");
	else if (ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET && alert != NULL)
		snprintf(text, size, "the server refused us: %s", alert + sizeof(alert_word) - 1);
	else
		snprintf(text, size, "%s", words != NULL ? words : "unknown TLS error");
}

void tls_error_text(struct bufferevent *bev, short events, char *text, size_t size)
{
	const int error = EVUTIL_SOCKET_ERROR();
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct tls_session *session = ssl == NULL ? NULL : SSL_get_ex_data(ssl, session_idx());
	const unsigned long tls_error = ssl == NULL ? 0 : bufferevent_get_openssl_error(bev);
	char words[128];

	if (tls_error != 0)
		error_words(tls_error, words, sizeof(words));
	else
		snprintf(words, sizeof(words), "%s",
			(events & BEV_EVENT_ERROR) && error != 0
				? evutil_socket_error_to_string(error)
				: "the server closed the connection");
	if (session != NULL && session->why[0] != '\0')
		snprintf(text, size, "%s", session->why);
	else if (session != NULL && session->own[0] != '\0')
		snprintf(text, size, "%s; %s", words, session->own);
	else
		snprintf(text, size, "%s", words);
}
