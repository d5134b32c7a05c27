// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/value.h"

static int compare_locators(const void *a, const void *b)
{
	const struct srv6_locator_spec *x = a, *y = b;

	return memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));
}

static int read_locator(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct srv6_locator_spec *locator = item;
	struct ip_prefix prefix;
	int rc;

	rc = value_masked_prefix(reader, setting, &prefix);
	if (rc < 0)
		return rc;
	if (prefix.family != 6 || prefix.len == 0)
		return reader_refuse(reader, setting,
			"a locator is an IPv6 prefix of /1 to /128, not \"%s\"",
			config_setting_get_string(setting));
	locator->prefix = (struct srv6_prefix){prefix.addr, prefix.len};
	rc = reader_origin(reader, setting, &locator->origin);
	if (rc < 0)
		return rc;
	return reader_check_unique(reader, setting, seen, locator, compare_locators,
		config_setting_get_string(setting));
}

static int read_locators(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *locators = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->locators),
		read_locator, &seen, &locators, &spec->n_locators);
	reader_forget(&seen);
	spec->locators = locators;
	return rc;
}

static int read_encap_source(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	int rc = value_ip6(reader, setting, key, object);

	return rc < 0 ? rc : reader_origin(reader, setting, &spec->encap_source_origin);
}

static const struct reader_key srv6_keys[] = {
	{"source", read_encap_source, READER_FIELD(struct node_spec, encap_source)},
	{.name = "locators", .read = read_locators},
	{.name = "sids", .read = conf_sids_read},
	{.name = "policies", .read = conf_policies_read},
	{.name = "hmac_keys", .read = conf_hmac_keys_read},
};

static const struct reader_group srv6_group = READER_KEYS(srv6_keys);

int conf_srv6_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	uint32_t given;

	(void)key;
	return reader_read_group(reader, setting, &srv6_group, object, &given);
}
