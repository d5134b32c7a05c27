// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/snapshot_text.h"

#include "tests/unit/compile_fixture.h"
#include "tests/unit/route_request.h"

__attribute__((format(printf, 2, 3))) static void say(
	struct snapshot_text *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text->n +=
		(size_t)vsnprintf(text->bytes + text->n, SNAPSHOT_TEXT_BYTES - text->n, fmt, args);
	va_end(args);
	assert_true(text->n < SNAPSHOT_TEXT_BYTES);
}

static void say_cluster(struct snapshot_text *text, const struct l7_tables *t, uint32_t slot)
{
	const struct cluster *cluster = slot == L7_NO_SLOT ? NULL : l7_tables_cluster(t, slot);

	if (cluster == NULL) {
		say(text, "none");
		return;
	}
	say(text, "%u ", cluster->connect_timeout_ms);
	for (uint32_t i = 0; i < cluster->n_turns; i++) {
		const struct endpoint *e = l7_tables_endpoint(t, cluster_turns(cluster)[i]);

		assert_int_equal(e->state, ENDPOINT_LIVE);
		assert_int_equal(e->cluster, slot);
		say(text, "%u.%u/%d ", e->address.b[2], e->address.b[3],
			e->vrf == ENDPOINT_VRF_OF_CLIENT);
	}
}

static void say_routes(struct snapshot_text *text, const struct l7_tables *t, uint32_t table)
{
	static const char *const paths[] = {"/", "/0", "/1", "/2"};

	for (int i = 0; i < 4; i++) {
		struct route_verdict v;
		struct request_text rq;

		request_start(&rq, "GET", "h", paths[i]);
		route_table_match(l7_tables_route_table(t, table), rq.raw, &rq.head, 0, &v);
		say(text, "%s:", paths[i]);
		if (v.action != ROUTE_ACTION_CLUSTER) {
			say(text, "%d ", (int)v.action);
			continue;
		}
		say(text, "%s %s %u ", l7_tables_name(t->route_names, v.route)->text,
			l7_tables_name(t->cluster_names, v.cluster)->text,
			v.cluster_not_found_status);
		assert_int_equal(l7_tables_name(t->route_names, v.route)->parent, v.virtual_host);
		assert_int_equal(
			l7_tables_name(t->virtual_host_names, v.virtual_host)->parent, table);
	}
}

static void say_listener(struct snapshot_text *text, const struct l7_tables *t, uint32_t slot)
{
	const struct listener *listener = l7_tables_listener_at(t, slot);

	say(text, "listener %s %u %u ", l7_tables_name(t->listener_names, slot)->text,
		listener->port, listener->idle_timeout_ms);
	if (listener->protocol == LISTENER_TCP)
		say(text, "%s",
			l7_tables_name(t->cluster_names, l7_tables_choose(t, slot, 0))->text);
	else
		say_routes(text, t, listener->route_table);
	say(text, "\n");
}

static void say_binding(
	struct snapshot_text *text, const struct snapshot *s, uint32_t vrf, uint32_t addr)
{
	uint32_t dest = lpm_lookup(s->vrfs[vrf].ip4, (uint64_t)addr << 32, 0);

	say(text, "%u %x %d:", vrf, addr, (int)dest_kind(dest));
	for (uint16_t port = 80; dest_kind(dest) == DEST_L7 && port < 86; port++) {
		uint32_t slot = l7_tables_find_listener(s->l7, dest_index(dest), port);

		if (slot != L7_NO_SLOT)
			say(text, " %s", l7_tables_name(s->l7->listener_names, slot)->text);
	}
	say(text, "\n");
}

static uint32_t count_names(const struct paged *names)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < names->n; i++)
		n += l7_tables_name(names, i)->text[0] != '\0';
	return n;
}

// Nothing is left over.
static void say_counts(struct snapshot_text *text, const struct l7_tables *t)
{
	uint32_t n_live = 0;

	for (uint32_t i = 0; i < t->n_endpoints; i++)
		n_live += l7_tables_endpoint(t, i)->state == ENDPOINT_LIVE;
	say(text, "%u %u %u %u %u, endpoints %u\n", count_names(t->cluster_names),
		count_names(t->listener_names), count_names(t->route_table_names),
		count_names(t->virtual_host_names), count_names(t->route_names), n_live);
}

void snapshot_text_write(struct snapshot_text *text, const struct snapshot *s, uint32_t n_clusters,
	uint32_t n_listeners)
{
	const struct l7_tables *t = s->l7;

	text->n = 0;
	for (uint32_t i = 0; i < n_clusters; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		say(text, "%s ", name);
		say_cluster(text, t, find_name(t->cluster_names, name));
		say(text, "\n");
	}
	for (uint32_t i = 0; i < n_listeners; i++) {
		char name[16];
		uint32_t slot;

		snprintf(name, sizeof(name), "l%u", i);
		slot = find_name(t->listener_names, name);
		if (slot != L7_NO_SLOT)
			say_listener(text, t, slot);
	}
	for (uint32_t vrf = 0; vrf < 3; vrf++)
		for (uint32_t i = 0; i < 8; i++)
			say_binding(text, s, vrf, 0x0a090000 + i);
	say_binding(text, s, 1, 0x0a080001);
	say_counts(text, t);
	say(text, "mtu %u blocks %u %zu\n", s->l7_mtu, t->n_blocks, t->n_block_bytes);
}
