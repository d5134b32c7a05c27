// SPDX-License-Identifier: Apache-2.0

// The groups that a link's addresses are asked for in, and reports of them to a switch that sends on only what
// somebody listens to (RFC 4541). Answers go out at once: a delay (RFC 3810 §6.2) spreads those of many hosts,
// and there is one node.

#include "ctrl/neigh/neigh_priv.h"

#include "ctrl/neigh/neigh_mld.h"

struct report {
	struct neigh *neigh;
	const struct neigh_link *link;
	const struct ip6_addr *wanted; // unspecified: all
	uint32_t n_groups;
	struct ip6_addr groups[NEIGH_MLD_MAX_GROUPS];
};

static void flush(struct report *report)
{
	if (report->n_groups > 0)
		neigh_send_report(report->neigh, report->link, report->groups, report->n_groups);
	report->n_groups = 0;
}

// Addresses with the same low bits share a group; in another report it may stand again.
static void add(struct report *report, struct ip6_addr group)
{
	if (!ip6_addr_is_unspecified(report->wanted) && !ip6_addr_equal(report->wanted, &group))
		return;
	for (uint32_t i = 0; i < report->n_groups; i++)
		if (ip6_addr_equal(&report->groups[i], &group))
			return;
	if (report->n_groups == NEIGH_MLD_MAX_GROUPS)
		flush(report);
	report->groups[report->n_groups++] = group;
}

void neigh_groups_report(
	struct neigh *neigh, const struct neigh_link *link, const struct ip6_addr *wanted)
{
	struct report report = {.neigh = neigh, .link = link, .wanted = wanted};

	add(&report, ip6_addr_from(0xff02ull << 48, 2)); // all routers
	add(&report, neigh_nd_solicited_node(&link->iface.link_local));
	for (uint32_t i = 0; i < link->spec->n_addresses; i++)
		if (link->spec->addresses[i].addr.family == 6)
			add(&report, neigh_nd_solicited_node(&link->spec->addresses[i].addr.addr));
	flush(&report);
}
