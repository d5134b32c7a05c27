// SPDX-License-Identifier: Apache-2.0

// Certificates and keys. What is in them is looked at where they are used (ctrl/xds/tls.c).

#include <errno.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "ctrl/xds/tls.h"

// A copy of its own, so that the message's bytes need not stay.
static int copy_data(struct decode *d, const struct decode_at *at, const Xds__DataSource *source,
	const uint8_t **copy, size_t *copy_len)
{
	const uint8_t *text;
	uint8_t *bytes;

	decode_data(source, &text, copy_len);
	if (*copy_len == 0)
		return decode_refuse(d, at, "is missing");
	bytes = decode_alloc(d, 1, *copy_len);
	if (bytes == NULL)
		return -ENOMEM;
	*copy = memcpy(bytes, text, *copy_len);
	return 0;
}

static int decode_certificate(
	struct decode *d, const Xds__TlsCertificate *message, struct xds_secret *secret)
{
	const struct decode_at *at = DECODE_IN(NULL, "tls_certificate");
	int rc = copy_data(d, DECODE_IN(at, "certificate_chain"), message->certificate_chain,
		&secret->certificate, &secret->certificate_len);

	return rc < 0 ? rc
		      : copy_data(d, DECODE_IN(at, "private_key"), message->private_key,
				&secret->key, &secret->key_len);
}

int decode_secret(struct decode *d, const Xds__Secret *message)
{
	struct xds_secret *secret = decode_alloc(d, 1, sizeof(*secret));

	if (secret == NULL)
		return -ENOMEM;
	secret->name = d->resource->name;
	d->resource->secret = secret;
	if (message->type_case == XDS__SECRET__TYPE_TLS_CERTIFICATE)
		return decode_certificate(d, message->tls_certificate, secret);
	if (message->type_case == XDS__SECRET__TYPE_VALIDATION_CONTEXT)
		return copy_data(d, DECODE_IN(DECODE_IN(NULL, "validation_context"), "trusted_ca"),
			message->validation_context->trusted_ca, &secret->ca, &secret->ca_len);
	return decode_refuse(
		d, NULL, "one of \"tls_certificate\", \"validation_context\" is missing");
}
