// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"

static int read_mac(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	uint8_t *mac = (uint8_t *)object + key->offset;
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];

	if (text == NULL)
		return -EINVAL;
	// The first octet's lowest bit marks group addresses, which no neighbour has.
	if (text_read_mac(text, mac) == 0 && (mac[0] & 1) == 0)
		return 0;
	text_quote(text, quoted);
	return reader_refuse(reader, setting,
		"%s is not the MAC address of a neighbor; write it like \"02:00:00:00:00:99\"",
		quoted);
}

enum {
	NEIGHBOR_PORT,
	NEIGHBOR_ADDRESS,
	NEIGHBOR_MAC,
	N_NEIGHBOR_KEYS,
};

static const struct reader_key neighbor_keys[N_NEIGHBOR_KEYS] = {
	[NEIGHBOR_PORT] = {"port", value_iface, READER_FIELD(struct neighbor_spec, iface)},
	[NEIGHBOR_ADDRESS] = {"address", value_ip, READER_FIELD(struct neighbor_spec, addr)},
	[NEIGHBOR_MAC] = {"mac", read_mac, READER_FIELD(struct neighbor_spec, mac)},
};

static const struct reader_rule neighbor_rules[] = {
	{.of = 1 << NEIGHBOR_PORT, .min = 1, .max = 1},
	{.of = 1 << NEIGHBOR_ADDRESS, .min = 1, .max = 1},
	{.of = 1 << NEIGHBOR_MAC, .min = 1, .max = 1},
};

static const struct reader_group neighbor_group = READER_GROUP(neighbor_keys, neighbor_rules);

static int compare_neighbors(const void *a, const void *b)
{
	const struct neighbor_spec *x = a, *y = b;
	int order = strcmp(x->iface, y->iface);

	return order != 0 ? order : memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

static int read_neighbor(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct neighbor_spec *neighbor = item;
	const config_setting_t *address;
	uint32_t given;
	int rc;

	rc = reader_origin(reader, setting, &neighbor->origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &neighbor_group, neighbor, &given);
	if (rc < 0)
		return rc;
	address = config_setting_get_member(setting, "address");
	return reader_check_unique(reader, address, seen, neighbor, compare_neighbors,
		config_setting_get_string(address));
}

int conf_neighbors_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *neighbors = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->neighbors),
		read_neighbor, &seen, &neighbors, &spec->n_neighbors);
	reader_forget(&seen);
	spec->neighbors = neighbors;
	return rc;
}
