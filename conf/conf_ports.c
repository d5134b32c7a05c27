// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MIN_MTU = 68, // RFC 791; the compile step asks for more where there is IPv6
	MAX_MTU = 65535,
	MAX_QUEUES = SPEC_MAX_WORKERS,
	MAX_DESCRIPTORS = 32768,
	MAX_DEVICE_LEN = 255,
	MAX_ADDRESSES = 1024, // of one interface
};

// A port as the file has it: the device and the interface of its untagged frames in one group.
struct port_entry {
	struct port_spec port;
	struct iface_spec iface;
	const config_setting_t *vlans_setting;
	uint32_t n_vlans;
	struct iface_spec *vlans;
};

static int compare_addresses(const void *a, const void *b)
{
	const struct address_spec *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

static int read_address(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	const char *text = value_text(reader, setting);
	struct address_spec *address = item;
	char quoted[TEXT_QUOTED_BYTES];
	struct ip_prefix prefix;
	int rc;

	if (text == NULL)
		return -EINVAL;
	text_quote(text, quoted);
	if (text_read_prefix(text, &prefix) < 0 || prefix.len == 0)
		return reader_refuse(reader, setting,
			"%s is not an address with its prefix length; write \"10.0.0.1/24\" or "
			"\"2001:db8::1/64\"",
			quoted);
	address->addr.family = prefix.family;
	address->addr.addr = prefix.addr;
	address->len = prefix.len;
	rc = reader_origin(reader, setting, &address->origin);
	if (rc < 0)
		return rc;
	return reader_check_unique(reader, setting, seen, address, compare_addresses, text);
}

static int read_addresses(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct iface_spec *iface = (struct iface_spec *)((uint8_t *)object + key->offset);
	void *addresses = NULL;
	void *seen = NULL;
	int rc;

	rc = reader_read_items(reader, setting, MAX_ADDRESSES, sizeof(*iface->addresses),
		read_address, &seen, &addresses, &iface->n_addresses);
	reader_forget(&seen);
	iface->addresses = addresses;
	return rc;
}

enum {
	VLAN_ID,
	VLAN_MTU,
	VLAN_VRF,
	VLAN_SR_TRUSTED,
	VLAN_DISPATCH,
	VLAN_ACCEPT_RA,
	VLAN_ADDRESSES,
	VLAN_L2_POLICY,
	N_VLAN_KEYS,
};

static const struct reader_key vlan_keys[N_VLAN_KEYS] = {
	[VLAN_ID] = {"id", value_number, READER_FIELD(struct iface_spec, vlan), 1, 4094},
	[VLAN_MTU] = {"mtu", value_number, READER_FIELD(struct iface_spec, mtu), MIN_MTU, MAX_MTU},
	[VLAN_VRF] = {"vrf", value_name, READER_FIELD(struct iface_spec, vrf)},
	[VLAN_SR_TRUSTED] = {"sr_trusted", value_bool, READER_FIELD(struct iface_spec, sr_trusted)},
	[VLAN_DISPATCH] = {"dispatch", value_bool, READER_FIELD(struct iface_spec, dispatch)},
	[VLAN_ACCEPT_RA] = {"accept_ra", value_bool, READER_FIELD(struct iface_spec, accept_ra)},
	[VLAN_ADDRESSES] = {.name = "addresses", .read = read_addresses},
	[VLAN_L2_POLICY] = {"l2_policy", value_name, READER_FIELD(struct iface_spec, l2_policy)},
};

static const struct reader_rule vlan_rules[] = {
	{.of = 1 << VLAN_ID, .min = 1, .max = 1},
	// What goes into a layer-2 policy is not routed here.
	{.when = 1 << VLAN_L2_POLICY,
		.of = 1 << VLAN_ADDRESSES | 1 << VLAN_VRF | 1 << VLAN_ACCEPT_RA |
		      1 << VLAN_SR_TRUSTED},
};

static const struct reader_group vlan_group = READER_GROUP(vlan_keys, vlan_rules);

static int compare_vlans(const void *a, const void *b)
{
	const struct iface_spec *x = a, *y = b;

	return (int)x->vlan - (int)y->vlan;
}

static int read_vlan(struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct iface_spec *iface = item;
	char id[sizeof("65535")];
	uint32_t given;
	int rc;

	iface->vrf = "default";
	rc = reader_origin(reader, setting, &iface->origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &vlan_group, iface, &given);
	if (rc < 0)
		return rc;
	snprintf(id, sizeof(id), "%u", iface->vlan);
	return reader_check_unique(
		reader, config_setting_get_member(setting, "id"), seen, iface, compare_vlans, id);
}

static int read_vlans(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct port_entry *entry = object;
	void *vlans = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SPEC_MAX_IFACES, sizeof(*entry->vlans), read_vlan,
		&seen, &vlans, &entry->n_vlans);
	reader_forget(&seen);
	entry->vlans = vlans;
	entry->vlans_setting = setting;
	return rc;
}

enum {
	PORT_NAME,
	PORT_DEVICE,
	PORT_MTU,
	PORT_RX_QUEUES,
	PORT_TX_QUEUES,
	PORT_RX_DESCRIPTORS,
	PORT_TX_DESCRIPTORS,
	PORT_PROMISCUOUS,
	PORT_VRF,
	PORT_SR_TRUSTED,
	PORT_DISPATCH,
	PORT_ACCEPT_RA,
	PORT_ADDRESSES,
	PORT_L2_POLICY,
	PORT_VLANS,
	N_PORT_KEYS,
};

#define PORT_FIELD(member) READER_FIELD(struct port_entry, member)

static const struct reader_key port_keys[N_PORT_KEYS] = {
	[PORT_NAME] = {"name", value_name, PORT_FIELD(port.name)},
	[PORT_DEVICE] = {"device", value_string, PORT_FIELD(port.device), 0, MAX_DEVICE_LEN},
	[PORT_MTU] = {"mtu", value_number, PORT_FIELD(port.mtu), MIN_MTU, MAX_MTU},
	[PORT_RX_QUEUES] = {"rx_queues", value_number, PORT_FIELD(port.n_rxq), 0, MAX_QUEUES},
	[PORT_TX_QUEUES] = {"tx_queues", value_number, PORT_FIELD(port.n_txq), 0, MAX_QUEUES},
	[PORT_RX_DESCRIPTORS] = {"rx_descriptors", value_number, PORT_FIELD(port.n_rx_desc), 0,
		MAX_DESCRIPTORS},
	[PORT_TX_DESCRIPTORS] = {"tx_descriptors", value_number, PORT_FIELD(port.n_tx_desc), 0,
		MAX_DESCRIPTORS},
	[PORT_PROMISCUOUS] = {"promiscuous", value_bool, PORT_FIELD(port.promiscuous)},
	[PORT_VRF] = {"vrf", value_name, PORT_FIELD(iface.vrf)},
	[PORT_SR_TRUSTED] = {"sr_trusted", value_bool, PORT_FIELD(iface.sr_trusted)},
	[PORT_DISPATCH] = {"dispatch", value_bool, PORT_FIELD(iface.dispatch)},
	[PORT_ACCEPT_RA] = {"accept_ra", value_bool, PORT_FIELD(iface.accept_ra)},
	[PORT_ADDRESSES] = {"addresses", read_addresses, PORT_FIELD(iface)},
	[PORT_L2_POLICY] = {"l2_policy", value_name, PORT_FIELD(iface.l2_policy)},
	[PORT_VLANS] = {.name = "vlans", .read = read_vlans},
};

static const struct reader_rule port_rules[] = {
	{.of = 1 << PORT_NAME, .min = 1, .max = 1},
	{.of = 1 << PORT_DEVICE, .min = 1, .max = 1},
	{.when = 1 << PORT_L2_POLICY,
		.of = 1 << PORT_ADDRESSES | 1 << PORT_VRF | 1 << PORT_ACCEPT_RA |
		      1 << PORT_SR_TRUSTED},
};

static const struct reader_group port_group = READER_GROUP(port_keys, port_rules);

static int name_vlans(struct reader *reader, struct port_entry *entry)
{
	char name[TEXT_MAX_NAME_LEN + sizeof(".4094")];

	for (uint32_t i = 0; i < entry->n_vlans; i++) {
		struct iface_spec *vlan = &entry->vlans[i];

		snprintf(name, sizeof(name), "%s.%hu", entry->port.name, vlan->vlan);
		vlan->name = arena_strdup(reader->arena, name);
		vlan->port = entry->port.name;
		if (vlan->name == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int read_port(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct port_entry *entry = item;
	uint32_t given;
	int rc;

	(void)context;
	entry->iface.vrf = "default";
	rc = reader_origin(reader, setting, &entry->port.origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &port_group, entry, &given);
	if (rc < 0)
		return rc;
	entry->iface.origin = entry->port.origin;
	entry->iface.name = entry->port.name;
	entry->iface.port = entry->port.name;
	return name_vlans(reader, entry);
}

static int compare_iface_names(const void *a, const void *b)
{
	const struct iface_spec *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int refuse_used_names(struct reader *reader, const config_setting_t *setting,
	struct port_entry *entry, void **seen)
{
	const config_setting_t *at = config_setting_get_member(setting, "name");
	int rc;

	rc = reader_check_unique(
		reader, at, seen, &entry->iface, compare_iface_names, entry->iface.name);
	// A port may be called "a.100" as long as port "a" has no VLAN 100.
	for (uint32_t i = 0; rc == 0 && i < entry->n_vlans; i++) {
		at = config_setting_get_elem(entry->vlans_setting, i);
		rc = reader_check_unique(reader, at, seen, &entry->vlans[i], compare_iface_names,
			entry->vlans[i].name);
	}
	return rc;
}

static int check_names(struct reader *reader, const config_setting_t *setting,
	struct port_entry *entries, uint32_t n_entries)
{
	void *seen = NULL;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n_entries; i++)
		rc = refuse_used_names(
			reader, config_setting_get_elem(setting, i), &entries[i], &seen);
	reader_forget(&seen);
	return rc;
}

static int split_entries(struct reader *reader, const config_setting_t *setting,
	struct node_spec *spec, const struct port_entry *entries)
{
	size_t n_ifaces = spec->n_ports;
	struct iface_spec *ifaces;
	struct port_spec *ports;

	for (uint32_t i = 0; i < spec->n_ports; i++)
		n_ifaces += entries[i].n_vlans;
	if (n_ifaces > SPEC_MAX_IFACES)
		return reader_refuse(reader, setting, "%zu ports and VLANs; at most %d", n_ifaces,
			SPEC_MAX_IFACES);
	ports = arena_alloc(reader->arena, spec->n_ports * sizeof(*ports));
	ifaces = arena_alloc(reader->arena, n_ifaces * sizeof(*ifaces));
	if (ports == NULL || ifaces == NULL)
		return -ENOMEM;
	spec->ports = ports;
	spec->ifaces = ifaces;
	spec->n_ifaces = (uint32_t)n_ifaces;
	for (uint32_t i = 0; i < spec->n_ports; i++) {
		*ports++ = entries[i].port;
		*ifaces++ = entries[i].iface;
	}
	for (uint32_t i = 0; i < spec->n_ports; i++) {
		if (entries[i].n_vlans == 0)
			continue;
		memcpy(ifaces, entries[i].vlans, entries[i].n_vlans * sizeof(*ifaces));
		ifaces += entries[i].n_vlans;
	}
	return 0;
}

int conf_ports_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *entries = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SPEC_MAX_PORTS, sizeof(struct port_entry),
		read_port, NULL, &entries, &spec->n_ports);
	if (rc == 0)
		rc = check_names(reader, setting, entries, spec->n_ports);
	if (rc == 0)
		rc = split_entries(reader, setting, spec, entries);
	return rc;
}
