// SPDX-License-Identifier: Apache-2.0
#include "conf/value.h"

#include <errno.h>
#include <string.h>

#include "conf/text.h"
#include "pipeline/arena.h"

enum {
	CHOICES_BYTES = 320,
};

const char *value_text(struct reader *reader, const config_setting_t *setting)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		reader_refuse_type(reader, setting, "a string in quotes");
		return NULL;
	}
	return config_setting_get_string(setting);
}

int value_integer(struct reader *reader, const config_setting_t *setting, long long min,
	long long max, long long *value)
{
	int type = config_setting_type(setting);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return reader_refuse_type(reader, setting, "an integer");
	*value = type == CONFIG_TYPE_INT ? config_setting_get_int(setting)
					 : config_setting_get_int64(setting);
	if (*value < min || *value > max)
		return reader_refuse(
			reader, setting, "%lld is out of range; %lld to %lld", *value, min, max);
	return 0;
}

int value_number(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	uint8_t *field = (uint8_t *)object + key->offset;
	long long value = 0;
	int rc = value_integer(reader, setting, key->min, key->max, &value);

	if (rc < 0)
		return rc;
	if (key->size == sizeof(uint8_t))
		*field = (uint8_t)value;
	else if (key->size == sizeof(uint16_t))
		*(uint16_t *)field = (uint16_t)value;
	else
		*(uint32_t *)field = (uint32_t)value;
	return 0;
}

int value_bool(struct reader *reader, const config_setting_t *setting, const struct reader_key *key,
	void *object)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return reader_refuse_type(reader, setting, "true or false");
	*((uint8_t *)object + key->offset) = config_setting_get_bool(setting) != 0;
	return 0;
}

static int copy_text(
	struct reader *reader, const char *text, const struct reader_key *key, void *object)
{
	char *copy = arena_strdup(reader->arena, text);

	if (copy == NULL)
		return -ENOMEM;
	*(const char **)((uint8_t *)object + key->offset) = copy;
	return 0;
}

int value_string(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	const char *text = value_text(reader, setting);

	if (text == NULL)
		return -EINVAL;
	if (text[0] == '\0')
		return reader_refuse(reader, setting, "must not be empty");
	if (strlen(text) > (size_t)key->max)
		return reader_refuse(
			reader, setting, "%zu characters; at most %lld", strlen(text), key->max);
	return copy_text(reader, text, key, object);
}

static int read_name(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object, size_t max_len)
{
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];

	if (text == NULL)
		return -EINVAL;
	if (text_is_name(text, max_len))
		return copy_text(reader, text, key, object);
	text_quote(text, quoted);
	return reader_refuse(reader, setting,
		"%s is not a name; 1 to %zu letters, digits, '-', '_' and '.'", quoted, max_len);
}

int value_name(struct reader *reader, const config_setting_t *setting, const struct reader_key *key,
	void *object)
{
	return read_name(reader, setting, key, object, TEXT_MAX_NAME_LEN);
}

int value_iface(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	return read_name(reader, setting, key, object, TEXT_MAX_NAME_LEN + strlen(".4094"));
}

int value_choice(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];
	char all[CHOICES_BYTES] = "";

	if (text == NULL)
		return -EINVAL;
	for (int i = 0; key->choice(i) != NULL; i++) {
		if (strcmp(key->choice(i), text) == 0) {
			*(int *)((uint8_t *)object + key->offset) = i;
			return 0;
		}
		text_append(all, sizeof(all), "%s%s", i == 0 ? "" : ", ", key->choice(i));
	}
	text_quote(text, quoted);
	return reader_refuse(
		reader, setting, "%s is not a known %s; one of %s", quoted, key->name, all);
}

int value_ip_text(
	struct reader *reader, const config_setting_t *setting, int family, struct ip_addr *addr)
{
	static const char *const wanted[] = {
		[0] = "an IPv4 or IPv6 address", [4] = "an IPv4 address", [6] = "an IPv6 address"};
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];

	if (text == NULL)
		return -EINVAL;
	if (text_read_ip(text, addr) == 0 && (family == 0 || addr->family == family))
		return 0;
	text_quote(text, quoted);
	return reader_refuse(reader, setting, "%s is not %s", quoted, wanted[family]);
}

int value_ip(struct reader *reader, const config_setting_t *setting, const struct reader_key *key,
	void *object)
{
	return value_ip_text(reader, setting, (int)key->max,
		(struct ip_addr *)((uint8_t *)object + key->offset));
}

int value_ip6(struct reader *reader, const config_setting_t *setting, const struct reader_key *key,
	void *object)
{
	struct ip_addr addr;
	int rc = value_ip_text(reader, setting, 6, &addr);

	if (rc == 0)
		*(struct ip6_addr *)((uint8_t *)object + key->offset) = addr.addr;
	return rc;
}

int value_l7_address_item(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct l7_address *address = item;
	struct ip_addr addr;
	int rc = value_ip_text(reader, setting, 0, &addr);

	(void)context;
	if (rc < 0)
		return rc;
	address->family = addr.family;
	memcpy(address->b, addr.addr.b, sizeof(address->b));
	return 0;
}

int value_l7_address(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	return value_l7_address_item(reader, setting, (uint8_t *)object + key->offset, NULL);
}

int value_masked_prefix(
	struct reader *reader, const config_setting_t *setting, struct ip_prefix *prefix)
{
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];
	char right[TEXT_PREFIX_BYTES];

	if (text == NULL)
		return -EINVAL;
	text_quote(text, quoted);
	if (text_read_prefix(text, prefix) < 0)
		return reader_refuse(reader, setting,
			"%s is not a prefix; write an IPv4 or IPv6 address, '/' and its length",
			quoted);
	if (!text_mask_prefix(prefix))
		return 0;
	text_format_prefix(prefix, right);
	return reader_refuse(reader, setting, "%s has bits past its length; did you mean \"%s\"?",
		quoted, right);
}
