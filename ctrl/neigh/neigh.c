// SPDX-License-Identifier: Apache-2.0

// A new snapshot is taken up in slices: first its permanent neighbours, then its gateways, each
// marked with the epoch; then every entry is looked at, and what the epoch did not mark is given up.
// In a small configuration the first slice does it all.

#include "ctrl/neigh/neigh_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "ctrl/log.h"
#include "ctrl/neigh/punt.h"

static void read_clock(struct neigh *neigh)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	neigh->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Of a link that is gone, or whose slot went to another name.
static bool is_outdated(const struct neigh *neigh, const struct neigh_entry *entry)
{
	const struct neigh_link *link = neigh_link_get(neigh, entry->key.iface);

	return link == NULL || entry->link_epoch < link->created_epoch;
}

static struct neigh_entry *find_or_create(struct neigh *neigh, const struct adj_key *key)
{
	struct neigh_entry *entry = neigh_entry_find(neigh, key);

	if (entry != NULL && is_outdated(neigh, entry)) {
		neigh_entry_remove(neigh, entry);
		entry = NULL;
	}
	return entry != NULL ? entry : neigh_entry_create(neigh, key, NEIGH_CAUSE_CONFIG);
}

static void take_permanent(struct neigh *neigh, const struct neighbor_spec *spec)
{
	struct adj_key key = {.iface = neigh_link_by_name(neigh, spec->iface), .addr = spec->addr};
	struct neigh_entry *entry;

	if (neigh_link_get(neigh, key.iface) == NULL)
		return;
	entry = find_or_create(neigh, &key);
	if (entry == NULL) {
		log_error("neigh: no room for a permanent neighbour iface=%s", spec->iface);
		return;
	}
	entry->permanent_epoch = neigh->epoch;
	neigh_entry_make_permanent(neigh, entry, spec->mac);
}

static void take_gateway(struct neigh *neigh, uint32_t slot)
{
	struct neigh_entry *entry = NULL;
	struct adj_key key;

	if (adj_table_key(neigh->ctrl->adj_table, slot, &key) &&
		neigh_link_get(neigh, key.iface) != NULL)
		entry = find_or_create(neigh, &key);
	if (entry == NULL) {
		log_error("neigh: no room for a gateway slot=%u", slot);
		return;
	}
	entry->gateway_epoch = neigh->epoch;
	neigh_entry_set_gateway(neigh, entry, true);
}

static void review(struct neigh *neigh, struct neigh_entry *entry)
{
	bool permanent_ended =
		entry->state == NEIGH_PERMANENT && entry->permanent_epoch != neigh->epoch;

	if (entry->gateway && entry->gateway_epoch != neigh->epoch)
		neigh_entry_set_gateway(neigh, entry, false);
	if (is_outdated(neigh, entry) || (permanent_ended && !entry->gateway)) {
		neigh_entry_remove(neigh, entry);
		return;
	}
	if (permanent_ended)
		neigh_entry_solicit(neigh, entry);
	if (entry->link_epoch < neigh_link_get(neigh, entry->key.iface)->changed_epoch)
		neigh_entry_rewrite(neigh, entry);
}

static void sweep(struct neigh *neigh)
{
	const struct snapshot *s = ctrl_snapshot(neigh->ctrl);
	const struct node_spec *spec = neigh->ctrl->spec;
	struct neigh_sweep *at = &neigh->sweep;
	uint32_t budget = NEIGH_TICK_BUDGET;

	for (; at->next_permanent < spec->n_neighbors && budget > 0; budget--)
		take_permanent(neigh, &spec->neighbors[at->next_permanent++]);
	for (; at->next_gateway < s->n_adj_slots && budget > 0; budget--)
		take_gateway(neigh, s->adj_slots[at->next_gateway++]);
	while (at->next_slot < ADJ_MAX_SLOTS && budget > 0) {
		struct neigh_entry *entry = neigh->entries[at->next_slot++];

		if (entry == NULL)
			continue;
		review(neigh, entry);
		budget--;
	}
	at->running = at->next_slot < ADJ_MAX_SLOTS;
}

static void sweep_on(struct neigh *neigh)
{
	const struct timeval soon = {.tv_usec = NEIGH_SWEEP_MS * 1000};

	sweep(neigh);
	if (neigh->sweep.running)
		event_add(neigh->sweeper, &soon);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct neigh *neigh = arg;

	(void)fd;
	(void)what;
	read_clock(neigh);
	sweep_on(neigh);
}

void neigh_snapshot_changed(struct neigh *neigh)
{
	read_clock(neigh);
	neigh->epoch++;
	if (neigh_link_update(neigh) != 0)
		log_error("neigh: out of memory for interfaces");
	neigh_router_links_changed(neigh);
	neigh->sweep = (struct neigh_sweep){.running = true};
	sweep_on(neigh);
}

bool neigh_is_catching_up(const struct neigh *neigh)
{
	return neigh->sweep.running;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct neigh *neigh = arg;

	(void)fd;
	(void)what;
	read_clock(neigh);
	neigh_entry_run_timers(neigh);
	neigh_router_tick(neigh);
}

static void on_punt_begin(void *arg)
{
	read_clock(arg);
}

static void on_punt_packet(struct rte_mbuf *m, void *arg)
{
	neigh_input_packet(arg, m);
}

static int start(struct neigh *neigh)
{
	const struct punt_handler handler = {
		.begin_fn = on_punt_begin, .packet_fn = on_punt_packet, .arg = neigh};
	const struct timeval interval = {.tv_usec = NEIGH_TICK_MS * 1000};

	neigh->sweeper = evtimer_new(neigh->ctrl->base, on_sweep, neigh);
	neigh->tick = event_new(neigh->ctrl->base, -1, EV_PERSIST, on_tick, neigh);
	if (neigh->sweeper == NULL || neigh->tick == NULL || event_add(neigh->tick, &interval) != 0)
		return -ENOMEM;
	neigh->punt = punt_create(neigh->ctrl->base, neigh->ctrl->punt_ring, &handler);
	return neigh->punt == NULL ? -ENOMEM : 0;
}

struct neigh *neigh_create(struct ctrl *ctrl)
{
	struct neigh *neigh = calloc(1, sizeof(*neigh));

	if (neigh == NULL)
		return NULL;
	neigh->ctrl = ctrl;
	TAILQ_INIT(&neigh->unresolved);
	STAILQ_INIT(&neigh->free_waiting);
	for (uint32_t i = 0; i < NEIGH_MAX_WAITING; i++)
		STAILQ_INSERT_TAIL(&neigh->free_waiting, &neigh->waiting[i], next);
	for (uint32_t i = 0; i < NEIGH_WHEEL_SIZE; i++)
		LIST_INIT(&neigh->wheel[i]);
	read_clock(neigh);
	neigh->wheel_tick = neigh->now_ms / NEIGH_TICK_MS;
	if (start(neigh) != 0) {
		neigh_destroy(neigh);
		errno = ENOMEM;
		return NULL;
	}
	return neigh;
}

void neigh_destroy(struct neigh *neigh)
{
	if (neigh == NULL)
		return;
	punt_destroy(neigh->punt);
	if (neigh->sweeper != NULL)
		event_free(neigh->sweeper);
	if (neigh->tick != NULL)
		event_free(neigh->tick);
	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i++)
		if (neigh->entries[i] != NULL)
			neigh_entry_remove(neigh, neigh->entries[i]);
	neigh_link_free(neigh);
	free(neigh);
}

void neigh_each(
	struct neigh *neigh, void (*fn)(const struct neigh_view *view, void *arg), void *arg)
{
	read_clock(neigh);
	for (uint32_t i = 0; i < ADJ_MAX_SLOTS; i++) {
		const struct neigh_entry *entry = neigh->entries[i];
		struct neigh_view view;

		if (entry == NULL)
			continue;
		view = (struct neigh_view){.key = entry->key,
			.state = entry->state,
			.slot = entry->slot,
			.age_s = (uint32_t)((neigh->now_ms - entry->since_ms) / 1000),
			.n_waiting = entry->n_waiting,
			.gateway = entry->gateway};
		if (neigh_entry_is_resolved(entry))
			memcpy(view.mac, entry->mac, sizeof(view.mac));
		fn(&view, arg);
	}
}

const char *neigh_state_name(enum neigh_state state)
{
	static const char *const names[] = {
		[NEIGH_INCOMPLETE] = "incomplete",
		[NEIGH_REACHABLE] = "reachable",
		[NEIGH_STALE] = "stale",
		[NEIGH_PROBE] = "probe",
		[NEIGH_FAILED] = "failed",
		[NEIGH_PERMANENT] = "permanent",
	};

	return names[state];
}
