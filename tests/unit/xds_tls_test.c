// SPDX-License-Identifier: Apache-2.0

// Whom the link trusts and what it says otherwise, against a TLS server whose certificates are made here.

#include "tests/unit/grpc_server.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

enum {
	DAY_S = 86400,
	PATH_LEN = 96,
};

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

struct tls_rig {
	struct rig *rig;
	struct identity ca;
	struct identity server;
	struct identity client;
	SSL_CTX *ctx;
	char dir[32];
	char ca_file[PATH_LEN];
	char cert_file[PATH_LEN];
	char key_file[PATH_LEN];
};

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *text)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

// issuer NULL: a CA of its own. names: subjectAltName, NULL: none. Valid from days on, for two.
static struct identity make_identity(
	const struct identity *issuer, const char *common_name, const char *names, long days)
{
	static long serial = 1;
	const struct identity self = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
	X509_NAME *subject = X509_get_subject_name(self.certificate);
	const struct identity *by = issuer != NULL ? issuer : &self;

	X509_set_version(self.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(self.certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(self.certificate), days * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(self.certificate), (days + 2) * DAY_S);
	X509_set_pubkey(self.certificate, self.key);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(self.certificate, X509_get_subject_name(by->certificate));
	if (issuer == NULL)
		add_extension(self.certificate, self.certificate, NID_basic_constraints,
			"critical,CA:TRUE");
	if (names != NULL)
		add_extension(self.certificate, by->certificate, NID_subject_alt_name, names);
	assert_true(X509_sign(self.certificate, by->key, EVP_sha256()) > 0);
	return self;
}

static void free_identity(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	*identity = (struct identity){.key = NULL};
}

// As a rotation does it: a new file in place of the old.
static void write_file(const char *path, const X509 *certificate, const EVP_PKEY *key)
{
	char next[PATH_LEN + 8];
	FILE *file;

	snprintf(next, sizeof(next), "%s.new", path);
	file = fopen(next, "w");
	assert_non_null(file);
	if (certificate != NULL)
		assert_int_equal(PEM_write_X509(file, certificate), 1);
	if (key != NULL)
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	assert_int_equal(rename(next, path), 0);
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned int in_len, void *arg)
{
	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len,
		       (const unsigned char *)"\2h2", 3, in, in_len) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void use_server(struct tls_rig *t, const char *names, long days)
{
	free_identity(&t->server);
	t->server = make_identity(&t->ca, "server", names, days);
	assert_int_equal(SSL_CTX_use_certificate(t->ctx, t->server.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(t->ctx, t->server.key), 1);
}

static struct tls_rig *create(const char *names, long days)
{
	struct tls_rig *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	strcpy(t->dir, "/tmp/xds-tls-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->ca_file, sizeof(t->ca_file), "%s/ca.pem", t->dir);
	snprintf(t->cert_file, sizeof(t->cert_file), "%s/cert.pem", t->dir);
	snprintf(t->key_file, sizeof(t->key_file), "%s/key.pem", t->dir);
	t->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_alpn_select_cb(t->ctx, select_h2, NULL);
	t->ca = make_identity(NULL, "ca", NULL, -1);
	use_server(t, names, days);
	write_file(t->ca_file, t->ca.certificate, NULL);
	t->rig = rig_create(t->ctx);
	t->rig->specs[0].ca_file = t->ca_file;
	t->rig->specs[0].server_name = "xds.test";
	return t;
}

static void destroy(struct tls_rig *t)
{
	rig_destroy(t->rig);
	SSL_CTX_free(t->ctx);
	free_identity(&t->ca);
	free_identity(&t->server);
	free_identity(&t->client);
	unlink(t->ca_file);
	unlink(t->cert_file);
	unlink(t->key_file);
	assert_int_equal(rmdir(t->dir), 0);
	free(t);
}

static void expect_failure(struct tls_rig *t, const char *text)
{
	rig_link(t->rig);
	if (strstr(rig_failure(t->rig), text) == NULL)
		assert_string_equal(rig_failure(t->rig), text);
	assert_int_equal(t->rig->n_messages, 0);
	assert_int_equal(t->rig->servers[0].n_calls, 0);
	destroy(t);
}

static void expect_success(struct tls_rig *t)
{
	rig_link(t->rig);
	WAIT_FOR(t->rig->base, t->rig->n_messages == 1);
}

static void tls_name_is_right_stream_works(void **state)
{
	struct tls_rig *t = create("DNS:other.test,DNS:xds.test", -1);

	(void)state;
	expect_success(t);
	assert_string_equal(t->rig->servers[0].sni, "xds.test");
	assert_string_equal(t->rig->servers[0].client, "");
	destroy(t);
}

static void tls_name_is_wrong_both_are_told(void **state)
{
	(void)state;
	expect_failure(create("DNS:other.test, DNS:a.xds.test", -1),
		"the server's certificate is for DNS:other.test, DNS:a.xds.test, not for xds.test");
}

static void tls_name_only_in_the_subject_is_refused(void **state)
{
	struct tls_rig *t = create(NULL, -1);

	(void)state;
	t->rig->specs[0].server_name = "server";
	expect_failure(t, "the server's certificate is for no name, not for server");
}

static void tls_address_is_verified_without_a_name(void **state)
{
	struct tls_rig *t = create("IP:127.0.0.1", -1);

	(void)state;
	t->rig->specs[0].server_name = NULL;
	expect_success(t);
	assert_string_equal(t->rig->servers[0].sni, "");
	destroy(t);
	t = create("IP:127.0.0.2", -1);
	t->rig->specs[0].server_name = NULL;
	expect_failure(t, "is for IP Address:127.0.0.2, not for 127.0.0.1");
}

static void tls_spiffe_id_stands_for_the_name(void **state)
{
	struct tls_rig *t = create("URI:spiffe://lattice/xds,DNS:unrelated", -1);

	(void)state;
	t->rig->specs[0].spiffe_id = "spiffe://lattice/xds";
	expect_success(t);
	assert_string_equal(t->rig->servers[0].sni, "xds.test");
	destroy(t);
}

static void tls_spiffe_id_is_another_is_refused(void **state)
{
	// Longer, shorter, two of them, and as a DNS name.
	static const char *const names[] = {"URI:spiffe://lattice/xds2", "URI:spiffe://lattice/xd",
		"URI:spiffe://lattice/xds,URI:spiffe://lattice/b", "DNS:spiffe.lattice"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tls_rig *t = create(names[i], -1);

		t->rig->specs[0].spiffe_id = "spiffe://lattice/xds";
		expect_failure(t, ", not for spiffe://lattice/xds");
	}
}

static void tls_server_certificate_out_of_date_is_told(void **state)
{
	(void)state;
	expect_failure(create("DNS:xds.test", -10), "the server's certificate expired on 20");
	expect_failure(
		create("DNS:xds.test", 5), "the server's certificate is not valid before 20");
}

static void tls_unknown_ca_is_told(void **state)
{
	struct tls_rig *t = create("DNS:xds.test", -1);
	struct identity other = make_identity(NULL, "other", NULL, -1);

	(void)state;
	write_file(t->ca_file, other.certificate, NULL);
	free_identity(&other);
	expect_failure(t, "the server's certificate is not trusted: unable to get local issuer");
}

static void tls_files_are_missing_or_wrong_nothing_is_sent(void **state)
{
	struct tls_rig *t = create("DNS:xds.test", -1);

	(void)state;
	t->rig->specs[0].ca_file = "/nonexistent/ca.pem";
	rig_link(t->rig);
	assert_string_equal(
		rig_failure(t->rig), "CA /nonexistent/ca.pem: No such file or directory");
	assert_int_equal(t->rig->servers[0].n_connections, 0);
	destroy(t);
	t = create("DNS:xds.test", -1);
	t->rig->specs[0].ca_file = "/dev/null";
	rig_link(t->rig);
	assert_non_null(strstr(rig_failure(t->rig), "CA /dev/null: no start line"));
	assert_int_equal(t->rig->servers[0].n_connections, 0);
	destroy(t);
}

static void tls_server_without_h2_is_refused(void **state)
{
	struct tls_rig *t = create("DNS:xds.test", -1);

	(void)state;
	SSL_CTX_set_alpn_select_cb(t->ctx, NULL, NULL);
	expect_failure(t, "the server does not agree on HTTP/2 (ALPN h2)");
}

static void tls_plain_text_server_is_told_and_never_asked(void **state)
{
	struct tls_rig *t = create("DNS:xds.test", -1);

	(void)state;
	t->rig->servers[0].ctx = NULL;
	expect_failure(t, ": the server does not speak TLS");
}

static void use_client(struct tls_rig *t, const char *name, long days)
{
	free_identity(&t->client);
	t->client = make_identity(&t->ca, name, NULL, days);
	write_file(t->cert_file, t->client.certificate, NULL);
	write_file(t->key_file, NULL, t->client.key);
	t->rig->specs[0].cert_file = t->cert_file;
	t->rig->specs[0].key_file = t->key_file;
}

static struct tls_rig *create_mutual(void)
{
	struct tls_rig *t = create("DNS:xds.test", -1);

	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), t->ca.certificate);
	// Tickets would spare the client its certificate.
	SSL_CTX_set_num_tickets(t->ctx, 0);
	return t;
}

static void tls_client_certificate_is_shown(void **state)
{
	struct tls_rig *t = create_mutual();

	(void)state;
	use_client(t, "node", -1);
	expect_success(t);
	assert_string_equal(t->rig->servers[0].client, "node");
	destroy(t);
}

static void tls_client_certificate_is_missing_refusal_is_told(void **state)
{
	(void)state;
	expect_failure(create_mutual(), "the server refused us: certificate required; it had asked "
					"for a client certificate, and we have none");
}

static void tls_own_certificate_expired_is_told(void **state)
{
	struct tls_rig *t = create_mutual();

	(void)state;
	use_client(t, "node", -10);
	expect_failure(
		t, "the server refused us: certificate expired; our certificate expired on 20");
}

static void reconnect(struct tls_rig *t, uint32_t n_messages)
{
	server_hang_up_all(&t->rig->servers[0]);
	WAIT_FOR(t->rig->base, t->rig->n_messages == n_messages);
}

static void tls_rotated_certificate_is_used_next(void **state)
{
	struct tls_rig *t = create_mutual();

	(void)state;
	use_client(t, "first", -1);
	expect_success(t);
	use_client(t, "second", -1);
	assert_string_equal(t->rig->servers[0].client, "first");
	reconnect(t, 2);
	assert_string_equal(t->rig->servers[0].client, "second");
	destroy(t);
}

static void tls_rotation_is_noticed_while_connected(void **state)
{
	struct tls_rig *t = create_mutual();
	int64_t first;

	(void)state;
	use_client(t, "first", -1);
	expect_success(t);
	first = rig_status(t->rig).own_not_after;
	assert_true(first > time(NULL));
	use_client(t, "second", 0);
	WAIT_FOR(t->rig->base, rig_status(t->rig).own_not_after > first);
	assert_int_equal(t->rig->n_down, 0);
	destroy(t);
}

static void tls_half_a_rotation_keeps_the_old_pair(void **state)
{
	struct tls_rig *t = create_mutual();

	(void)state;
	use_client(t, "first", -1);
	expect_success(t);
	free_identity(&t->client);
	t->client = make_identity(&t->ca, "second", NULL, -1);
	write_file(t->cert_file, t->client.certificate, NULL);
	reconnect(t, 2);
	assert_string_equal(t->rig->servers[0].client, "first");
	write_file(t->key_file, NULL, t->client.key);
	reconnect(t, 3);
	assert_string_equal(t->rig->servers[0].client, "second");
	destroy(t);
}

static void tls_rotated_ca_is_used_next(void **state)
{
	struct tls_rig *t = create("DNS:xds.test", -1);

	(void)state;
	expect_success(t);
	free_identity(&t->ca);
	t->ca = make_identity(NULL, "new ca", NULL, -1);
	use_server(t, "DNS:xds.test", -1);
	write_file(t->ca_file, t->ca.certificate, NULL);
	reconnect(t, 2);
	destroy(t);
}

static const uint8_t *pem_of(BIO *bio, size_t *len)
{
	char *bytes;

	*len = (size_t)BIO_get_mem_data(bio, &bytes);
	return (const uint8_t *)bytes;
}

static void tls_secret_replaces_the_files(void **state)
{
	struct tls_rig *t = create_mutual();
	struct identity other = make_identity(&t->ca, "by secret", NULL, -1);
	BIO *certificate = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
	struct xds_secret secret = {.name = "identity"};
	char why[TLS_WHY_LEN];

	(void)state;
	PEM_write_bio_X509(certificate, other.certificate);
	PEM_write_bio_PrivateKey(key, other.key, NULL, NULL, 0, NULL, NULL);
	secret.certificate = pem_of(certificate, &secret.certificate_len);
	secret.key = pem_of(key, &secret.key_len);
	t->rig->spec.sds_certificate = "identity";
	use_client(t, "by file", -1);
	expect_success(t);
	assert_int_equal(link_set_secret(t->rig->link, "identity", &secret, why), 0);
	reconnect(t, 2);
	assert_string_equal(t->rig->servers[0].client, "by secret");
	// Half of it is of no use, and changes nothing.
	secret.key = secret.certificate;
	secret.key_len = secret.certificate_len;
	assert_int_equal(link_set_secret(t->rig->link, "identity", &secret, why), -EINVAL);
	assert_non_null(strstr(why, "secret identity: key: "));
	reconnect(t, 3);
	assert_string_equal(t->rig->servers[0].client, "by secret");
	assert_int_equal(link_set_secret(t->rig->link, "identity", NULL, why), 0);
	reconnect(t, 4);
	assert_string_equal(t->rig->servers[0].client, "by file");
	BIO_free(certificate);
	BIO_free(key);
	free_identity(&other);
	destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_name_is_right_stream_works),
		cmocka_unit_test(tls_name_is_wrong_both_are_told),
		cmocka_unit_test(tls_name_only_in_the_subject_is_refused),
		cmocka_unit_test(tls_address_is_verified_without_a_name),
		cmocka_unit_test(tls_spiffe_id_stands_for_the_name),
		cmocka_unit_test(tls_spiffe_id_is_another_is_refused),
		cmocka_unit_test(tls_server_certificate_out_of_date_is_told),
		cmocka_unit_test(tls_unknown_ca_is_told),
		cmocka_unit_test(tls_files_are_missing_or_wrong_nothing_is_sent),
		cmocka_unit_test(tls_server_without_h2_is_refused),
		cmocka_unit_test(tls_plain_text_server_is_told_and_never_asked),
		cmocka_unit_test(tls_client_certificate_is_shown),
		cmocka_unit_test(tls_client_certificate_is_missing_refusal_is_told),
		cmocka_unit_test(tls_own_certificate_expired_is_told),
		cmocka_unit_test(tls_rotated_certificate_is_used_next),
		cmocka_unit_test(tls_rotation_is_noticed_while_connected),
		cmocka_unit_test(tls_half_a_rotation_keeps_the_old_pair),
		cmocka_unit_test(tls_rotated_ca_is_used_next),
		cmocka_unit_test(tls_secret_replaces_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
