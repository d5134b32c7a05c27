// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/dest_view.h"

#include "ctrl/ctrl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
	[DEST_NO_ROUTE] = "no_route",
	[DEST_FORWARD] = "forward",
	[DEST_CONNECTED] = "connected",
	[DEST_LOCAL] = "local",
	[DEST_BLACKHOLE] = "blackhole",
	[DEST_UNREACHABLE] = "unreachable",
	[DEST_LOCATOR] = "locator",
	[DEST_SID_END] = "sid",
	[DEST_SID_DECAP] = "sid",
	[DEST_SID_CROSS] = "sid",
	[DEST_SID_B6] = "sid",
	[DEST_POLICY] = "policy",
	[DEST_L7] = "service",
	[DEST_L7_SOURCE] = "source",
	[DEST_GROUP] = "group",
};

_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == DEST_GROUP + 1, "all kinds");

const char *dest_view_iface_name(const struct ctrl *ctrl, uint32_t slot)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);

	return slot < s->n_ifaces && s->iface_names[slot].text[0] != '\0'
		       ? s->iface_names[slot].text
		       : "?";
}

const char *dest_view_vrf_name(const struct ctrl *ctrl, uint32_t slot)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);

	return slot < s->n_vrfs && s->vrf_names[slot].text[0] != '\0' ? s->vrf_names[slot].text
								      : "?";
}

const char *dest_view_policy_name(const struct ctrl *ctrl, const struct policy *policy)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);

	return policy->slot < s->n_policies ? s->policy_names[policy->slot].text : "?";
}

static void format_ip(const struct ip_addr *addr, char text[INET6_ADDRSTRLEN])
{
	inet_ntop(addr->family == 4 ? AF_INET : AF_INET6, addr->addr.b, text, INET6_ADDRSTRLEN);
}

json_t *dest_view_ip(const struct ip_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	format_ip(addr, text);
	return json_string(text);
}

json_t *dest_view_prefix(uint8_t family, const struct ip6_addr *addr, uint8_t len)
{
	struct ip_addr ip = {.family = family, .addr = *addr};
	char host[INET6_ADDRSTRLEN];

	format_ip(&ip, host);
	return json_sprintf("%s/%u", host, len);
}

json_t *dest_view_leaf(uint8_t family, const struct lpm_leaf *leaf)
{
	struct ip6_addr addr = ip6_addr_from(leaf->hi, leaf->lo);

	return dest_view_prefix(family, &addr, leaf->hi_len + leaf->lo_len);
}

json_t *dest_view_mac(const uint8_t mac[6])
{
	return json_sprintf(
		"%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void add_words(json_t *row, const char *before, const char *name)
{
	json_object_set_new(row, "to", json_sprintf("%s%s", before, name));
}

// "port", "via" and "resolved" of an adjacency; returns them in words too.
static void add_adjacency(json_t *row, const struct ctrl *ctrl, uint32_t slot)
{
	bool resolved = adj_table_get(ctrl->adj_table, slot) != NULL;
	const char *port;
	struct adj_key key;
	char via[INET6_ADDRSTRLEN];

	if (!adj_table_key(ctrl->adj_table, slot, &key))
		return;
	format_ip(&key.addr, via);
	port = dest_view_iface_name(ctrl, key.iface);
	json_object_set_new(row, "via", json_string(via));
	json_object_set_new(row, "port", json_string(port));
	json_object_set_new(row, "resolved", json_boolean(resolved));
	json_object_set_new(row, "to",
		json_sprintf(
			"via %s port %s (%s)", via, port, resolved ? "resolved" : "not resolved"));
}

static void add_iface(json_t *row, const struct ctrl *ctrl, const char *before, uint32_t slot)
{
	const char *name = dest_view_iface_name(ctrl, slot);

	json_object_set_new(row, "port", json_string(name));
	add_words(row, before, name);
}

static void add_policy(json_t *row, const struct ctrl *ctrl, uint32_t index)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);
	const char *name;

	if (index >= s->n_policies)
		return;
	name = dest_view_policy_name(ctrl, &s->policies[index]);
	json_object_set_new(row, "policy", json_string(name));
	add_words(row, "policy ", name);
}

static void add_vrf(json_t *row, const struct ctrl *ctrl, uint32_t slot)
{
	const char *name = dest_view_vrf_name(ctrl, slot);

	json_object_set_new(row, "vrf", json_string(name));
	add_words(row, "vrf ", name);
}

static bool sid_has_vrf(enum srv6_behavior behavior)
{
	return behavior == SRV6_END_T || behavior == SRV6_END_DT4 || behavior == SRV6_END_DT6 ||
	       behavior == SRV6_END_DT46;
}

void dest_view_add_sid(json_t *row, const struct ctrl *ctrl, const struct sid *sid)
{
	enum srv6_behavior behavior = sid->behavior;

	if (sid_has_vrf(behavior))
		add_vrf(row, ctrl, sid->vrf);
	else if (behavior == SRV6_END_DX2)
		add_iface(row, ctrl, "port ", sid->iface);
	else if (behavior == SRV6_END_X || behavior == SRV6_END_DX4 || behavior == SRV6_END_DX6)
		add_adjacency(row, ctrl, sid->adj);
	else if (behavior == SRV6_END_B6_ENCAPS || behavior == SRV6_END_B6_ENCAPS_RED)
		add_policy(row, ctrl, sid->policy);
}

static void add_sid_route(json_t *row, const struct ctrl *ctrl, uint32_t index)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);
	const char *behavior;

	if (index >= s->n_sids)
		return;
	behavior = srv6_behavior_name(s->sids[index].behavior);
	json_object_set_new(row, "behavior", json_string(behavior));
	add_words(row, "SID ", behavior);
}

static void add_group(json_t *row, const struct ctrl *ctrl, uint32_t index)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);
	uint32_t paths[SPEC_MAX_PATHS];
	unsigned int n_paths = 0;

	if (index >= s->n_groups)
		return;
	for (unsigned int i = 0; i < GROUP_BUCKETS && n_paths < SPEC_MAX_PATHS; i++) {
		unsigned int j = 0;

		while (j < n_paths && paths[j] != s->groups[index].dest[i])
			j++;
		if (j == n_paths)
			paths[n_paths++] = s->groups[index].dest[i];
	}
	json_object_set_new(row, "n_paths", json_integer(n_paths));
	json_object_set_new(row, "to", json_sprintf("group of %u paths", n_paths));
}

static void add_service(json_t *row, const struct ctrl *ctrl, uint32_t index)
{
	const struct l7_tables *t = ctrl_snapshot(ctrl)->l7;
	const struct l7_vip *vip;
	json_t *names;

	if (index >= t->n_vips)
		return;
	vip = &t->vips[index];
	names = json_array();
	for (uint32_t i = 0; i < vip->n_ports; i++)
		json_array_append_new(names, json_string(l7_tables_name(t->listener_names,
						     t->ports[vip->first_port + i].listener)
								 ->text));
	if (vip->n_ports == 1)
		add_words(row, "listener ", json_string_value(json_array_get(names, 0)));
	else
		json_object_set_new(row, "to", json_sprintf("%u listeners", vip->n_ports));
	json_object_set_new(row, "listeners", names);
}

void dest_view_add(json_t *row, const struct ctrl *ctrl, uint32_t dest)
{
	enum dest_kind kind = dest_kind(dest);

	if (kind > DEST_GROUP)
		return;
	json_object_set_new(row, "kind", json_string(kind_names[kind]));
	switch (kind) {
	case DEST_FORWARD:
		add_adjacency(row, ctrl, dest_index(dest));
		break;
	case DEST_CONNECTED:
		add_iface(row, ctrl, "connected, port ", dest_index(dest));
		break;
	case DEST_LOCAL:
		add_iface(row, ctrl, "local, port ", dest_index(dest));
		break;
	case DEST_SID_END:
	case DEST_SID_DECAP:
	case DEST_SID_CROSS:
	case DEST_SID_B6:
		add_sid_route(row, ctrl, dest_index(dest));
		break;
	case DEST_POLICY:
		add_policy(row, ctrl, dest_index(dest));
		break;
	case DEST_GROUP:
		add_group(row, ctrl, dest_index(dest));
		break;
	case DEST_LOCATOR:
		add_words(row, "locator: no such SID", "");
		break;
	case DEST_NO_ROUTE:
		add_words(row, "no route", "");
		break;
	case DEST_L7:
		add_service(row, ctrl, dest_index(dest));
		break;
	case DEST_BLACKHOLE:
	case DEST_UNREACHABLE:
	case DEST_L7_SOURCE:
		add_words(row, kind_names[kind], "");
		break;
	}
}

// The segments in travel order: what the SRH holds, last entry first, stands behind the one that the
// outer destination names, whether the SRH is reduced or not (RFC 8754 §4.1).
static json_t *list_segments(const struct headend_list *list)
{
	const struct srh *srh = (const struct srh *)(list->hdr + 40);
	const struct ip6_addr *entries = (const struct ip6_addr *)(list->hdr + 40 + SRH_FIXED_LEN);
	struct ip_addr addr = {.family = 6, .addr = list->first_segment};
	json_t *segments = json_array();
	unsigned int left = list->hdr_len > 40 ? srh->segments_left : 0;

	json_array_append_new(segments, dest_view_ip(&addr));
	while (left-- > 0) {
		addr.addr = entries[left];
		json_array_append_new(segments, dest_view_ip(&addr));
	}
	return segments;
}

void dest_view_add_policy(json_t *row, const struct ctrl *ctrl, const struct policy *policy)
{
	json_t *lists = json_array();
	uint32_t begin = 0;

	for (uint32_t i = 0; i < policy->n_lists; i++) {
		const struct policy_list *list = &policy->lists[i];
		json_t *item = json_object();

		json_object_set_new(item, "weight", json_integer(list->weight_end - begin));
		json_object_set_new(item, "segments", list_segments(&list->headend));
		dest_view_add(item, ctrl, list->next);
		json_array_append_new(lists, item);
		begin = list->weight_end;
	}
	json_object_set_new(row, "lists", lists);
}
