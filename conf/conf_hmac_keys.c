// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"

// Refusals here say nothing of what a secret holds: they end up in logs.

static int read_secret(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	const char *text = value_text(reader, setting);
	struct srv6_hmac_key_spec *hmac_key = object;
	size_t len;

	(void)key;
	if (text == NULL)
		return -EINVAL;
	len = strlen(text);
	if (len == 0 || len > SRV6_MAX_HMAC_KEY_LEN)
		return reader_refuse(reader, setting, "a secret is 1 to %d bytes, not %zu",
			SRV6_MAX_HMAC_KEY_LEN, len);
	memcpy(hmac_key->secret, text, len);
	hmac_key->secret_len = (uint8_t)len;
	return 0;
}

static int read_secret_hex(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	const char *text = value_text(reader, setting);
	struct srv6_hmac_key_spec *hmac_key = object;
	int len;

	(void)key;
	if (text == NULL)
		return -EINVAL;
	len = text_read_hex(text, hmac_key->secret, sizeof(hmac_key->secret));
	if (len <= 0)
		return reader_refuse(reader, setting,
			"a secret is 1 to %d bytes, two hexadecimal digits each",
			SRV6_MAX_HMAC_KEY_LEN);
	hmac_key->secret_len = (uint8_t)len;
	return 0;
}

static const struct algorithm {
	const char *name;
	enum srv6_hmac_algorithm algorithm;
} algorithms[] = {
	{"sha256", SRV6_HMAC_SHA256},
	{"sha1", SRV6_HMAC_SHA1},
};

static const char *algorithm_choice(int i)
{
	size_t n = sizeof(algorithms) / sizeof(algorithms[0]);

	return (size_t)i < n ? algorithms[i].name : NULL;
}

static int read_algorithm(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct srv6_hmac_key_spec *hmac_key = object;
	int i;
	int rc = value_choice(reader, setting, key, &i);

	if (rc == 0)
		hmac_key->algorithm = algorithms[i].algorithm;
	return rc;
}

enum {
	HMAC_KEY_ID,
	HMAC_KEY_ALGORITHM,
	HMAC_KEY_SECRET,
	HMAC_KEY_SECRET_HEX,
	N_HMAC_KEY_KEYS,
};

static const struct reader_key hmac_key_keys[N_HMAC_KEY_KEYS] = {
	[HMAC_KEY_ID] = {"id", value_number, READER_FIELD(struct srv6_hmac_key_spec, key_id), 1,
		UINT32_MAX},
	[HMAC_KEY_ALGORITHM] = {"algorithm", read_algorithm, .choice = algorithm_choice},
	[HMAC_KEY_SECRET] = {.name = "secret", .read = read_secret},
	[HMAC_KEY_SECRET_HEX] = {.name = "secret_hex", .read = read_secret_hex},
};

static const struct reader_rule hmac_key_rules[] = {
	{.of = 1 << HMAC_KEY_ID, .min = 1, .max = 1},
	{.of = 1 << HMAC_KEY_SECRET | 1 << HMAC_KEY_SECRET_HEX, .min = 1, .max = 1},
};

static const struct reader_group hmac_key_group = READER_GROUP(hmac_key_keys, hmac_key_rules);

static int compare_hmac_keys(const void *a, const void *b)
{
	const struct srv6_hmac_key_spec *x = a, *y = b;

	return (x->key_id > y->key_id) - (x->key_id < y->key_id);
}

static int read_hmac_key(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct srv6_hmac_key_spec *hmac_key = item;
	char id[sizeof("4294967295")];
	uint32_t given;
	int rc;

	hmac_key->algorithm = SRV6_HMAC_SHA256;
	rc = reader_origin(reader, setting, &hmac_key->origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &hmac_key_group, hmac_key, &given);
	if (rc < 0)
		return rc;
	snprintf(id, sizeof(id), "%u", hmac_key->key_id);
	return reader_check_unique(reader, config_setting_get_member(setting, "id"), seen, hmac_key,
		compare_hmac_keys, id);
}

int conf_hmac_keys_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *hmac_keys = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->hmac_keys),
		read_hmac_key, &seen, &hmac_keys, &spec->n_hmac_keys);
	reader_forget(&seen);
	spec->hmac_keys = hmac_keys;
	return rc;
}
