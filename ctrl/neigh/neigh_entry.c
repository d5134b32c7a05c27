// SPDX-License-Identifier: Apache-2.0

// The states are those of RFC 4861 §7.3.2 without DELAY: STALE looks every NEIGH_STALE_CHECK_MS
// whether workers sent anything, which serves the same end.
//
//   INCOMPLETE  asks everyone, packets wait. Answer: REACHABLE; silence: FAILED
//   REACHABLE   for a while, then STALE
//   STALE       forwards. Sent to, or a gateway: PROBE; unused for long: removed
//   PROBE       forwards, asks the neighbour. Answer: REACHABLE; silence: INCOMPLETE
//   FAILED      packets are unreachable. A gateway: INCOMPLETE again after the hold time; others are
//               removed, so that the next packet begins anew
//   PERMANENT   has no timer
//
// Timers are in a wheel of ticks. An entry whose time is further off than the wheel is wide stands in
// its last bucket and is put in again from there.

#include "ctrl/neigh/neigh_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_random.h>

#include "ctrl/log.h"
#include "pipeline/inject.h"

static void stop_timer(struct neigh_entry *entry)
{
	if (entry->timed)
		LIST_REMOVE(entry, in_wheel);
	entry->timed = false;
}

// The bucket being worked off, wheel_tick + 1, never gets anything: working it off comes to an end.
static void insert_timer(struct neigh *neigh, struct neigh_entry *entry)
{
	uint64_t tick = (entry->due_ms + NEIGH_TICK_MS - 1) / NEIGH_TICK_MS;

	tick = RTE_MAX(tick, neigh->wheel_tick + 2);
	tick = RTE_MIN(tick, neigh->wheel_tick + NEIGH_WHEEL_SIZE - 1);
	LIST_INSERT_HEAD(&neigh->wheel[tick % NEIGH_WHEEL_SIZE], entry, in_wheel);
	entry->timed = true;
}

static void start_timer(struct neigh *neigh, struct neigh_entry *entry, uint64_t after_ms)
{
	stop_timer(entry);
	entry->due_ms = neigh->now_ms + after_ms;
	insert_timer(neigh, entry);
}

static void unlist(struct neigh *neigh, struct neigh_entry *entry)
{
	if (!entry->listed)
		return;
	TAILQ_REMOVE(&neigh->unresolved, entry, in_unresolved);
	neigh->n_unresolved--;
	entry->listed = false;
}

// Keeps neigh->unresolved true to the entry's state.
static void list(struct neigh *neigh, struct neigh_entry *entry)
{
	if (entry->gateway || neigh_entry_is_resolved(entry)) {
		unlist(neigh, entry);
	} else if (!entry->listed) {
		TAILQ_INSERT_TAIL(&neigh->unresolved, entry, in_unresolved);
		neigh->n_unresolved++;
		entry->listed = true;
	}
}

static void log_entry(const struct neigh *neigh, enum log_level level, const char *event,
	const struct neigh_entry *entry)
{
	const struct neigh_link *link = neigh_link_get(neigh, entry->key.iface);
	char addr[INET6_ADDRSTRLEN], mac[RTE_ETHER_ADDR_FMT_SIZE] = "-";

	inet_ntop(entry->key.addr.family == 4 ? AF_INET : AF_INET6, &entry->key.addr.addr, addr,
		sizeof(addr));
	if (neigh_entry_is_resolved(entry))
		rte_ether_format_addr(mac, sizeof(mac), (const struct rte_ether_addr *)entry->mac);
	log_write(level, "neigh: %s iface=%s address=%s mac=%s state=%s", event,
		link == NULL ? "-" : link->name, addr, mac, neigh_state_name(entry->state));
}

static void log_change(
	const struct neigh *neigh, struct neigh_entry *entry, enum neigh_state before)
{
	bool was_resolved = before != NEIGH_INCOMPLETE && before != NEIGH_FAILED;

	if (entry->gateway && entry->state == NEIGH_FAILED && !entry->failure_logged) {
		log_entry(neigh, LOG_LEVEL_WARNING, "gateway does not answer", entry);
		entry->failure_logged = true;
	} else if (entry->gateway && !was_resolved && neigh_entry_is_resolved(entry)) {
		log_entry(neigh, LOG_LEVEL_INFO, "gateway resolved", entry);
		entry->failure_logged = false;
	} else {
		log_entry(neigh, LOG_LEVEL_DEBUG, "state", entry);
	}
}

static void set_state(struct neigh *neigh, struct neigh_entry *entry, enum neigh_state state)
{
	enum neigh_state before = entry->state;

	entry->state = state;
	entry->since_ms = neigh->now_ms;
	entry->n_probes = 0;
	list(neigh, entry);
	if (before != state)
		log_change(neigh, entry, before);
}

// Writes what workers send with.
static int resolve(struct neigh *neigh, struct neigh_entry *entry)
{
	const struct neigh_link *link = neigh_link_get(neigh, entry->key.iface);
	struct adj adj = {.iface = entry->key.iface};

	if (link == NULL)
		return -ENODEV;
	adj.port = link->iface.dpdk_port;
	adj.mtu = link->iface.mtu;
	adj.rewrite_len = neigh_link_write_header(link, entry->mac,
		entry->key.addr.family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6,
		adj.rewrite + ADJ_REWRITE_LEN);
	entry->link_epoch = neigh->epoch;
	return adj_table_set(neigh->ctrl->adj_table, entry->slot, &adj);
}

static void unresolve(struct neigh *neigh, struct neigh_entry *entry)
{
	adj_table_set(neigh->ctrl->adj_table, entry->slot, NULL);
}

// Takes the packet that waited longest. NULL: none.
static struct rte_mbuf *pop_waiting(struct neigh *neigh, struct neigh_entry *entry)
{
	struct neigh_waiting *waiting = STAILQ_FIRST(&entry->waiting);

	if (waiting == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&entry->waiting, next);
	STAILQ_INSERT_HEAD(&neigh->free_waiting, waiting, next);
	entry->n_waiting--;
	return waiting->m;
}

static void push_waiting(struct neigh *neigh, struct neigh_entry *entry, struct rte_mbuf *m)
{
	struct worker *w = neigh_send_worker(neigh, entry->slot);
	struct neigh_waiting *waiting;

	if (entry->n_waiting == NEIGH_MAX_WAITING_EACH)
		inject_overflow(w, pop_waiting(neigh, entry));
	waiting = STAILQ_FIRST(&neigh->free_waiting);
	if (waiting == NULL) {
		inject_overflow(w, m);
		return;
	}
	STAILQ_REMOVE_HEAD(&neigh->free_waiting, next);
	waiting->m = m;
	STAILQ_INSERT_TAIL(&entry->waiting, waiting, next);
	entry->n_waiting++;
}

static void send_waiting(struct neigh *neigh, struct neigh_entry *entry)
{
	struct worker *w = neigh_send_worker(neigh, entry->slot);
	struct rte_mbuf *m;

	while ((m = pop_waiting(neigh, entry)) != NULL)
		inject_lookup(w, m);
}

static void refuse_waiting(struct neigh *neigh, struct neigh_entry *entry)
{
	struct worker *w = neigh_send_worker(neigh, entry->slot);
	struct rte_mbuf *m;

	while ((m = pop_waiting(neigh, entry)) != NULL)
		inject_unreachable(w, m);
}

static void probe(struct neigh *neigh, struct neigh_entry *entry)
{
	neigh_send_probe(neigh, entry);
	entry->n_probes++;
	start_timer(neigh, entry, NEIGH_PROBE_MS);
}

static void become_reachable(struct neigh *neigh, struct neigh_entry *entry)
{
	set_state(neigh, entry, NEIGH_REACHABLE);
	start_timer(neigh, entry, NEIGH_REACHABLE_MS / 2 + rte_rand_max(NEIGH_REACHABLE_MS));
}

// From here on workers' use of the adjacency counts.
static void become_stale(struct neigh *neigh, struct neigh_entry *entry)
{
	struct adj *adj = adj_table_get(neigh->ctrl->adj_table, entry->slot);

	if (adj != NULL)
		atomic_store_explicit(&adj->used, 0, memory_order_relaxed);
	set_state(neigh, entry, NEIGH_STALE);
	start_timer(neigh, entry, NEIGH_STALE_CHECK_MS);
}

static void become_failed(struct neigh *neigh, struct neigh_entry *entry)
{
	set_state(neigh, entry, NEIGH_FAILED);
	start_timer(neigh, entry, NEIGH_FAILED_HOLD_MS);
	refuse_waiting(neigh, entry);
}

struct neigh_entry *neigh_entry_find(const struct neigh *neigh, const struct adj_key *key)
{
	uint32_t slot = adj_table_find(neigh->ctrl->adj_table, key);

	return slot == ADJ_NONE ? NULL : neigh->entries[slot];
}

// Whether one more may be made; the oldest that traffic alone wants makes room.
static bool make_room(struct neigh *neigh, enum neigh_cause cause)
{
	if (cause == NEIGH_CAUSE_CONFIG)
		return true;
	if (cause == NEIGH_CAUSE_MESSAGE)
		return neigh->n_entries < NEIGH_MAX_UNSOLICITED;
	if (neigh->n_unresolved >= NEIGH_MAX_UNRESOLVED ||
		(neigh->n_entries >= NEIGH_MAX_ENTRIES && neigh->n_unresolved > 0))
		neigh_entry_remove(neigh, TAILQ_FIRST(&neigh->unresolved));
	return neigh->n_entries < NEIGH_MAX_ENTRIES;
}

struct neigh_entry *neigh_entry_create(
	struct neigh *neigh, const struct adj_key *key, enum neigh_cause cause)
{
	struct neigh_entry *entry;

	if (!make_room(neigh, cause))
		return NULL;
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->slot = adj_table_acquire(neigh->ctrl->adj_table, key);
	if (entry->slot == ADJ_NONE) {
		free(entry);
		return NULL;
	}
	entry->key = *key;
	entry->state = NEIGH_FAILED;
	entry->since_ms = neigh->now_ms;
	entry->link_epoch = neigh->epoch;
	STAILQ_INIT(&entry->waiting);
	neigh->entries[entry->slot] = entry;
	neigh->n_entries++;
	return entry;
}

void neigh_entry_remove(struct neigh *neigh, struct neigh_entry *entry)
{
	struct rte_mbuf *m;

	while ((m = pop_waiting(neigh, entry)) != NULL)
		rte_pktmbuf_free(m);
	stop_timer(entry);
	unlist(neigh, entry);
	unresolve(neigh, entry);
	neigh->entries[entry->slot] = NULL;
	neigh->n_entries--;
	adj_table_release(neigh->ctrl->adj_table, entry->slot);
	free(entry);
}

void neigh_entry_solicit(struct neigh *neigh, struct neigh_entry *entry)
{
	unresolve(neigh, entry);
	set_state(neigh, entry, NEIGH_INCOMPLETE);
	probe(neigh, entry);
}

// True when mac is news, which workers then have.
static bool take_mac(struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6])
{
	if (neigh_entry_is_resolved(entry) && memcmp(entry->mac, mac, sizeof(entry->mac)) == 0)
		return false;
	memcpy(entry->mac, mac, sizeof(entry->mac));
	resolve(neigh, entry);
	return true;
}

void neigh_entry_confirm(struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6])
{
	if (entry->state == NEIGH_PERMANENT)
		return;
	take_mac(neigh, entry, mac);
	become_reachable(neigh, entry);
	send_waiting(neigh, entry);
}

void neigh_entry_learn(struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6])
{
	if (entry->state == NEIGH_PERMANENT || !take_mac(neigh, entry, mac))
		return;
	become_stale(neigh, entry);
	send_waiting(neigh, entry);
}

void neigh_entry_doubt(struct neigh *neigh, struct neigh_entry *entry)
{
	if (entry->state == NEIGH_REACHABLE)
		become_stale(neigh, entry);
}

void neigh_entry_make_permanent(
	struct neigh *neigh, struct neigh_entry *entry, const uint8_t mac[6])
{
	bool is_news = take_mac(neigh, entry, mac);

	if (entry->state == NEIGH_PERMANENT && !is_news)
		return;
	stop_timer(entry);
	set_state(neigh, entry, NEIGH_PERMANENT);
	send_waiting(neigh, entry);
}

void neigh_entry_set_gateway(struct neigh *neigh, struct neigh_entry *entry, bool gateway)
{
	entry->gateway = gateway;
	list(neigh, entry);
	if (gateway && entry->state == NEIGH_FAILED && !entry->failure_logged)
		neigh_entry_solicit(neigh, entry);
}

void neigh_entry_rewrite(struct neigh *neigh, struct neigh_entry *entry)
{
	if (neigh_entry_is_resolved(entry))
		resolve(neigh, entry);
}

void neigh_entry_give(struct neigh *neigh, struct neigh_entry *entry, struct rte_mbuf *m)
{
	struct worker *w = neigh_send_worker(neigh, entry->slot);

	if (entry->state == NEIGH_FAILED)
		inject_unreachable(w, m);
	else if (entry->state == NEIGH_INCOMPLETE)
		push_waiting(neigh, entry, m);
	else if (adj_table_get(neigh->ctrl->adj_table, entry->slot) != NULL ||
		 resolve(neigh, entry) == 0)
		inject_lookup(w, m);
	else
		rte_pktmbuf_free(m); // no memory for the adjacency: it would come back forever
}

static void check_stale(struct neigh *neigh, struct neigh_entry *entry)
{
	const struct adj *adj = adj_table_get(neigh->ctrl->adj_table, entry->slot);
	bool used = adj != NULL && atomic_load_explicit(&adj->used, memory_order_relaxed) != 0;

	if (used || entry->gateway) {
		set_state(neigh, entry, NEIGH_PROBE);
		probe(neigh, entry);
	} else if (neigh->now_ms - entry->since_ms >= NEIGH_UNUSED_MS) {
		neigh_entry_remove(neigh, entry);
	} else {
		start_timer(neigh, entry, NEIGH_STALE_CHECK_MS);
	}
}

static void on_timer(struct neigh *neigh, struct neigh_entry *entry)
{
	bool may_probe = entry->n_probes < NEIGH_MAX_PROBES;

	switch (entry->state) {
	case NEIGH_INCOMPLETE:
		if (may_probe)
			probe(neigh, entry);
		else
			become_failed(neigh, entry);
		break;
	case NEIGH_REACHABLE:
		become_stale(neigh, entry);
		break;
	case NEIGH_STALE:
		check_stale(neigh, entry);
		break;
	case NEIGH_PROBE:
		if (may_probe)
			probe(neigh, entry);
		else
			neigh_entry_solicit(neigh, entry);
		break;
	case NEIGH_FAILED:
		if (entry->gateway)
			neigh_entry_solicit(neigh, entry);
		else
			neigh_entry_remove(neigh, entry);
		break;
	case NEIGH_PERMANENT:
		break;
	}
}

void neigh_entry_run_timers(struct neigh *neigh)
{
	uint64_t now_tick = neigh->now_ms / NEIGH_TICK_MS;
	uint32_t budget = NEIGH_TICK_BUDGET;

	while (neigh->wheel_tick < now_tick) {
		uint64_t tick = neigh->wheel_tick + 1;
		struct neigh_entry *entry = LIST_FIRST(&neigh->wheel[tick % NEIGH_WHEEL_SIZE]);

		if (entry == NULL) {
			neigh->wheel_tick = tick;
			continue;
		}
		if (budget-- == 0)
			return;
		stop_timer(entry);
		if (entry->due_ms <= neigh->now_ms)
			on_timer(neigh, entry);
		else
			insert_timer(neigh, entry);
	}
}
