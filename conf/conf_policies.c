// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_LIST_WEIGHT = 65535,
	MAX_HOP_LIMIT = 255,
	MAX_DSCP = 63,
	DSCP_COPY = -1, // as in srv6_policy_spec.dscp
};

static int read_segment(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct ip6_addr *segment = item;
	struct ip_addr addr;
	int rc;

	(void)context;
	rc = value_ip_text(reader, setting, 6, &addr);
	if (rc == 0)
		*segment = addr.addr;
	return rc;
}

static int read_segments(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct srv6_segment_list_spec *list =
		(struct srv6_segment_list_spec *)((uint8_t *)object + key->offset);
	void *segments = NULL;
	int rc;

	rc = reader_read_items(reader, setting, SRV6_MAX_SEGMENTS, sizeof(*list->segments),
		read_segment, NULL, &segments, &list->n_segments);
	if (rc == 0 && list->n_segments == 0)
		return reader_refuse(reader, setting, "a segment list needs at least one segment");
	list->segments = segments;
	return rc;
}

enum {
	LIST_SEGMENTS,
	LIST_WEIGHT,
	N_LIST_KEYS,
};

static const struct reader_key list_keys[N_LIST_KEYS] = {
	[LIST_SEGMENTS] = {.name = "segments", .read = read_segments},
	[LIST_WEIGHT] = {"weight", value_number,
		READER_FIELD(struct srv6_segment_list_spec, weight), 1, MAX_LIST_WEIGHT},
};

static const struct reader_rule list_rules[] = {
	{.of = 1 << LIST_SEGMENTS, .min = 1, .max = 1},
};

static const struct reader_group list_group = READER_GROUP(list_keys, list_rules);

static int read_list(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct srv6_segment_list_spec *list = item;
	uint32_t given;
	int rc;

	(void)context;
	list->weight = 1;
	rc = reader_origin(reader, setting, &list->origin);
	return rc < 0 ? rc : reader_read_group(reader, setting, &list_group, list, &given);
}

// A policy as the file has it: a lone segment list stands in the policy itself.
struct policy_entry {
	struct srv6_policy_spec policy;
	struct srv6_segment_list_spec list;
};

static int read_lists(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct policy_entry *entry = object;
	void *lists = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SRV6_MAX_LISTS, sizeof(entry->list), read_list,
		NULL, &lists, &entry->policy.n_lists);
	if (rc == 0 && entry->policy.n_lists == 0)
		return reader_refuse(reader, setting, "a policy needs at least one segment list");
	entry->policy.lists = lists;
	return rc;
}

static int read_dscp(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct policy_entry *entry = object;
	const char *text = config_setting_get_string(setting);
	long long dscp;
	int rc;

	(void)key;
	if (text != NULL && strcmp(text, "copy") == 0) {
		entry->policy.dscp = DSCP_COPY;
		return 0;
	}
	if (text != NULL)
		return reader_refuse(reader, setting, "must be \"copy\" or 0 to %d", MAX_DSCP);
	rc = value_integer(reader, setting, 0, MAX_DSCP, &dscp);
	if (rc == 0)
		entry->policy.dscp = (int16_t)dscp;
	return rc;
}

static const char *headend_choice(int i)
{
	return srv6_headend_name((enum srv6_headend)i);
}

enum {
	POLICY_NAME,
	POLICY_HEADEND,
	POLICY_SOURCE,
	POLICY_HOP_LIMIT,
	POLICY_DSCP,
	POLICY_FORCE_SRH,
	POLICY_HMAC_KEY_ID,
	POLICY_SEGMENTS,
	POLICY_SEGMENT_LISTS,
	N_POLICY_KEYS,
};

#define POLICY_FIELD(member) READER_FIELD(struct policy_entry, policy.member)

static const struct reader_key policy_keys[N_POLICY_KEYS] = {
	[POLICY_NAME] = {"name", value_name, POLICY_FIELD(name)},
	[POLICY_HEADEND] = {"headend", value_choice, POLICY_FIELD(headend),
		.choice = headend_choice},
	[POLICY_SOURCE] = {"source", value_ip6, POLICY_FIELD(source)},
	[POLICY_HOP_LIMIT] = {"hop_limit", value_number, POLICY_FIELD(hop_limit), 1, MAX_HOP_LIMIT},
	[POLICY_DSCP] = {.name = "dscp", .read = read_dscp},
	[POLICY_FORCE_SRH] = {"force_srh", value_bool, POLICY_FIELD(force_srh)},
	[POLICY_HMAC_KEY_ID] = {"hmac_key_id", value_number, POLICY_FIELD(hmac_key_id), 1,
		UINT32_MAX},
	[POLICY_SEGMENTS] = {"segments", read_segments, READER_FIELD(struct policy_entry, list)},
	[POLICY_SEGMENT_LISTS] = {.name = "segment_lists", .read = read_lists},
};

static const struct reader_rule policy_rules[] = {
	{.of = 1 << POLICY_NAME, .min = 1, .max = 1},
	{.of = 1 << POLICY_SEGMENTS | 1 << POLICY_SEGMENT_LISTS, .min = 1, .max = 1},
};

static const struct reader_group policy_group = READER_GROUP(policy_keys, policy_rules);

static int add_lone_list(struct reader *reader, struct policy_entry *entry)
{
	struct srv6_segment_list_spec *list = arena_alloc(reader->arena, sizeof(*list));

	if (list == NULL)
		return -ENOMEM;
	*list = entry->list;
	list->origin = entry->policy.origin;
	list->weight = 1;
	entry->policy.lists = list;
	entry->policy.n_lists = 1;
	return 0;
}

static int compare_policies(const void *a, const void *b)
{
	const struct srv6_policy_spec *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_policy(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct policy_entry entry = {.policy.dscp = DSCP_COPY};
	struct srv6_policy_spec *policy = item;
	uint32_t given;
	int rc;

	rc = reader_origin(reader, setting, &entry.policy.origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &policy_group, &entry, &given);
	if (rc == 0 && entry.policy.lists == NULL)
		rc = add_lone_list(reader, &entry);
	if (rc < 0)
		return rc;
	*policy = entry.policy;
	return reader_check_unique(reader, config_setting_get_member(setting, "name"), seen, policy,
		compare_policies, policy->name);
}

int conf_policies_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *policies = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->policies),
		read_policy, &seen, &policies, &spec->n_policies);
	reader_forget(&seen);
	spec->policies = policies;
	return rc;
}
