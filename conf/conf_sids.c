// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	// Workers shift whole bytes. Behind the block and the active C-SID, something must be left for
	// the argument that RFC 9800 §4.1 shifts in.
	MIN_CSID_BITS = 8,
	MAX_CSID_BITS = 64,
	MAX_BLOCK_BITS = 112,
	MAX_BLOCK_AND_CSID_BITS = 120,
};

// A SID as the file has it.
struct sid_entry {
	struct srv6_sid_spec sid;
	struct ip_prefix prefix;
	bool has_len;
};

enum {
	SID_SID,
	SID_BEHAVIOR,
	SID_FLAVORS,
	SID_VRF,
	SID_PORT,
	SID_NEXTHOP,
	SID_POLICY,
	SID_BLOCK_BITS,
	SID_CSID_BITS,
	SID_KEY_REQUIRE_HMAC,
	N_SID_KEYS,

	CSID_KEYS = 1 << SID_BLOCK_BITS | 1 << SID_CSID_BITS,
	ALWAYS = 1 << SID_SID | 1 << SID_BEHAVIOR | 1 << SID_KEY_REQUIRE_HMAC,
	CLASSIC_FLAVORS = SRV6_PSP | SRV6_USP | SRV6_USD,
};

// What goes with each behavior.
static const struct behavior_form {
	uint32_t needs;		// keys
	uint32_t takes;		// keys, besides those that it needs
	uint8_t flavors;	// bits
	uint8_t nexthop_family; // 4 or 6
} behavior_forms[SRV6_N_BEHAVIORS] = {
	[SRV6_END] = {.takes = 1 << SID_FLAVORS | CSID_KEYS,
		.flavors = CLASSIC_FLAVORS | SRV6_NEXT_CSID},
	[SRV6_END_X] = {.needs = 1 << SID_NEXTHOP,
		.takes = 1 << SID_PORT | 1 << SID_FLAVORS | CSID_KEYS,
		.flavors = CLASSIC_FLAVORS | SRV6_NEXT_CSID,
		.nexthop_family = 6},
	[SRV6_END_T] = {.needs = 1 << SID_VRF,
		.takes = 1 << SID_FLAVORS,
		.flavors = CLASSIC_FLAVORS},
	[SRV6_END_DX2] = {.needs = 1 << SID_PORT},
	[SRV6_END_DX4] = {.needs = 1 << SID_NEXTHOP, .takes = 1 << SID_PORT, .nexthop_family = 4},
	[SRV6_END_DX6] = {.needs = 1 << SID_NEXTHOP, .takes = 1 << SID_PORT, .nexthop_family = 6},
	[SRV6_END_DT4] = {.needs = 1 << SID_VRF},
	[SRV6_END_DT6] = {.needs = 1 << SID_VRF},
	[SRV6_END_DT46] = {.needs = 1 << SID_VRF},
	[SRV6_END_B6_ENCAPS] = {.needs = 1 << SID_POLICY},
	[SRV6_END_B6_ENCAPS_RED] = {.needs = 1 << SID_POLICY},
};

static const char *behavior_choice(int i)
{
	return srv6_behavior_name((enum srv6_behavior)i);
}

static const char *flavor_choice(int i)
{
	return i < 8 ? srv6_flavor_name((enum srv6_flavor)(1 << i)) : NULL;
}

static int read_sid_prefix(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	const char *text = value_text(reader, setting);
	struct sid_entry *entry = object;
	char quoted[TEXT_QUOTED_BYTES];
	struct ip_addr addr;

	(void)key;
	if (text == NULL)
		return -EINVAL;
	entry->has_len = strchr(text, '/') != NULL;
	if (entry->has_len && text_read_prefix(text, &entry->prefix) == 0 &&
		entry->prefix.family == 6 && entry->prefix.len > 0)
		return 0;
	if (!entry->has_len && text_read_ip(text, &addr) == 0 && addr.family == 6) {
		entry->prefix = (struct ip_prefix){.family = 6, .len = 128, .addr = addr.addr};
		return 0;
	}
	text_quote(text, quoted);
	return reader_refuse(reader, setting,
		"%s is not a SID; write an IPv6 address, if it takes arguments with '/' and its "
		"length",
		quoted);
}

static int read_nexthop(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct sid_entry *entry = object;

	(void)key;
	return value_ip_text(reader, setting, 0, &entry->sid.nexthop);
}

static int read_flavor(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	static const struct reader_key flavor_key = {.name = "flavor",
		.read = value_choice,
		.size = sizeof(int),
		.choice = flavor_choice};
	struct sid_entry *entry = context;
	int bit;
	int rc;

	(void)item;
	rc = value_choice(reader, setting, &flavor_key, &bit);
	if (rc < 0)
		return rc;
	if ((entry->sid.flavors & 1 << bit) != 0)
		return reader_refuse(
			reader, setting, "\"%s\" is given twice; keep one", flavor_choice(bit));
	entry->sid.flavors |= (uint8_t)(1 << bit);
	return 0;
}

static int read_flavors(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct sid_entry *entry = object;
	uint32_t n_flavors;
	void *items;

	(void)key;
	return reader_read_items(reader, setting, 8, 1, read_flavor, entry, &items, &n_flavors);
}

#define SID_FIELD(member) READER_FIELD(struct sid_entry, sid.member)

static const struct reader_key sid_keys[N_SID_KEYS] = {
	[SID_SID] = {.name = "sid", .read = read_sid_prefix},
	[SID_BEHAVIOR] = {"behavior", value_choice, SID_FIELD(behavior), .choice = behavior_choice},
	[SID_FLAVORS] = {.name = "flavors", .read = read_flavors},
	[SID_VRF] = {"vrf", value_name, SID_FIELD(vrf)},
	[SID_PORT] = {"port", value_iface, SID_FIELD(iface)},
	[SID_NEXTHOP] = {.name = "nexthop", .read = read_nexthop},
	[SID_POLICY] = {"policy", value_name, SID_FIELD(policy)},
	[SID_BLOCK_BITS] = {"block_bits", value_number, SID_FIELD(csid_block_bits), 8,
		MAX_BLOCK_BITS},
	[SID_CSID_BITS] = {"csid_bits", value_number, SID_FIELD(csid_bits), MIN_CSID_BITS,
		MAX_CSID_BITS},
	[SID_KEY_REQUIRE_HMAC] = {"require_hmac", value_bool, SID_FIELD(require_hmac)},
};

static const struct reader_rule sid_rules[] = {
	{.of = 1 << SID_SID, .min = 1, .max = 1},
	{.of = 1 << SID_BEHAVIOR, .min = 1, .max = 1},
	{.when = 1 << SID_BLOCK_BITS, .of = 1 << SID_CSID_BITS, .min = 1, .max = 1},
	{.when = 1 << SID_CSID_BITS, .of = 1 << SID_BLOCK_BITS, .min = 1, .max = 1},
};

static const struct reader_group sid_group = READER_GROUP(sid_keys, sid_rules);

static int check_behavior_keys(struct reader *reader, const config_setting_t *setting,
	const struct sid_entry *entry, uint32_t given)
{
	const struct behavior_form *form = &behavior_forms[entry->sid.behavior];
	const char *behavior = srv6_behavior_name(entry->sid.behavior);
	uint32_t missing = form->needs & ~given;
	uint32_t surplus = given & ~(ALWAYS | form->needs | form->takes);

	if (missing != 0)
		return reader_refuse(reader, setting, "\"%s\" is missing; %s needs it",
			sid_keys[__builtin_ctz(missing)].name, behavior);
	if (surplus != 0) {
		const char *name = sid_keys[__builtin_ctz(surplus)].name;

		return reader_refuse_key(
			reader, setting, name, "%s takes no \"%s\"; leave it out", behavior, name);
	}
	if (form->nexthop_family != 0 && entry->sid.nexthop.family != form->nexthop_family)
		return reader_refuse_key(reader, setting, "nexthop",
			"%s needs an IPv%u address, not one of IPv%u", behavior,
			form->nexthop_family, entry->sid.nexthop.family);
	if (entry->sid.nexthop.family == 6 && entry->sid.iface == NULL &&
		ip6_addr_is_link_local(&entry->sid.nexthop.addr))
		return reader_refuse_key(reader, setting, "nexthop",
			"a link-local address needs \"port\" beside it");
	return 0;
}

static int check_flavors(
	struct reader *reader, const config_setting_t *setting, const struct sid_entry *entry)
{
	uint8_t surplus = entry->sid.flavors & ~behavior_forms[entry->sid.behavior].flavors;

	if (surplus == 0)
		return 0;
	return reader_refuse_key(reader, setting, "flavors",
		"%s does not go with %s; PSP, USP and USD do",
		srv6_flavor_name((enum srv6_flavor)(surplus & -surplus)),
		srv6_behavior_name(entry->sid.behavior));
}

// Settles the length of the SID, too.
static int check_csid(struct reader *reader, const config_setting_t *setting,
	struct sid_entry *entry, uint32_t given)
{
	unsigned int block_bits = entry->sid.csid_block_bits, csid_bits = entry->sid.csid_bits;
	bool is_next_csid = (entry->sid.flavors & SRV6_NEXT_CSID) != 0;

	if (!is_next_csid && (given & CSID_KEYS) != 0)
		return reader_refuse_key(reader, setting, "block_bits",
			"only with the flavor NEXT-C-SID; add it or leave this out");
	if (!is_next_csid)
		return 0;
	if ((given & CSID_KEYS) != CSID_KEYS)
		return reader_refuse(reader, setting,
			"\"block_bits\" and \"csid_bits\" are missing; NEXT-C-SID needs them");
	if (block_bits % 8 != 0)
		return reader_refuse_key(
			reader, setting, "block_bits", "%u is not a multiple of 8", block_bits);
	if (csid_bits % 8 != 0)
		return reader_refuse_key(
			reader, setting, "csid_bits", "%u is not a multiple of 8", csid_bits);
	if (block_bits + csid_bits > MAX_BLOCK_AND_CSID_BITS)
		return reader_refuse_key(reader, setting, "csid_bits",
			"\"block_bits\" and \"csid_bits\" make %u; at most %d, an argument follows",
			block_bits + csid_bits, MAX_BLOCK_AND_CSID_BITS);
	if (entry->has_len && entry->prefix.len != block_bits + csid_bits)
		return reader_refuse_key(reader, setting, "sid",
			"its length is %u, but \"block_bits\" and \"csid_bits\" make %u; did you "
			"mean /%u?",
			entry->prefix.len, block_bits + csid_bits, block_bits + csid_bits);
	entry->prefix.len = (uint8_t)(block_bits + csid_bits);
	return 0;
}

static int settle_prefix(
	struct reader *reader, const config_setting_t *setting, struct sid_entry *entry)
{
	char right[TEXT_PREFIX_BYTES];

	if (text_mask_prefix(&entry->prefix)) {
		text_format_prefix(&entry->prefix, right);
		return reader_refuse_key(reader, setting, "sid",
			"has bits past its length of %u; did you mean \"%s\"?", entry->prefix.len,
			right);
	}
	entry->sid.prefix.addr = entry->prefix.addr;
	entry->sid.prefix.len = entry->prefix.len;
	return 0;
}

static int compare_sids(const void *a, const void *b)
{
	const struct srv6_sid_spec *x = a, *y = b;

	return memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));
}

static int read_sid(struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	const config_setting_t *prefix;
	struct sid_entry entry = {0};
	struct srv6_sid_spec *sid = item;
	uint32_t given;
	int rc;

	rc = reader_origin(reader, setting, &entry.sid.origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &sid_group, &entry, &given);
	if (rc == 0)
		rc = check_behavior_keys(reader, setting, &entry, given);
	if (rc == 0)
		rc = check_flavors(reader, setting, &entry);
	if (rc == 0)
		rc = check_csid(reader, setting, &entry, given);
	if (rc == 0)
		rc = settle_prefix(reader, setting, &entry);
	if (rc < 0)
		return rc;
	*sid = entry.sid;
	prefix = config_setting_get_member(setting, "sid");
	return reader_check_unique(
		reader, prefix, seen, sid, compare_sids, config_setting_get_string(prefix));
}

int conf_sids_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *sids = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->sids), read_sid,
		&seen, &sids, &spec->n_sids);
	reader_forget(&seen);
	spec->sids = sids;
	return rc;
}
