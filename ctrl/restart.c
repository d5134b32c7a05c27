// SPDX-License-Identifier: Apache-2.0
#include "ctrl/restart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/arena.h"

struct restart {
	struct arena *arena; // holds this and all below
	struct worker_spec workers;
	struct l7_memory_spec l7_memory;
	struct eal_spec eal;
	const char *control_socket;
	uint64_t xds_fingerprint;
};

static const char *copy_text(struct arena *arena, const char *text, bool *failed)
{
	const char *copy = text == NULL ? NULL : arena_strdup(arena, text);

	*failed |= text != NULL && copy == NULL;
	return copy;
}

static const uint16_t *copy_cores(
	struct arena *arena, const struct worker_spec *workers, bool *failed)
{
	size_t n_bytes = workers->n_cores * sizeof(*workers->cores);
	uint16_t *copy = n_bytes == 0 ? NULL : arena_alloc(arena, n_bytes);

	*failed |= n_bytes > 0 && copy == NULL;
	return copy == NULL ? NULL : memcpy(copy, workers->cores, n_bytes);
}

static const char *const *copy_args(struct arena *arena, const struct eal_spec *eal, bool *failed)
{
	const char **copy =
		eal->n_args == 0 ? NULL : arena_alloc(arena, eal->n_args * sizeof(*copy));

	*failed |= eal->n_args > 0 && copy == NULL;
	for (uint32_t i = 0; copy != NULL && i < eal->n_args; i++)
		copy[i] = copy_text(arena, eal->args[i], failed);
	return copy;
}

static uint64_t xds_fingerprint(const struct node_spec *spec)
{
	return spec->xds == NULL ? 0 : spec->xds->fingerprint;
}

struct restart *restart_create(const struct node_spec *started)
{
	struct arena *arena = arena_create();
	struct restart *restart = arena == NULL ? NULL : arena_alloc(arena, sizeof(*restart));
	bool failed = restart == NULL;

	if (restart != NULL) {
		restart->arena = arena;
		restart->workers = started->workers;
		restart->workers.cores = copy_cores(arena, &started->workers, &failed);
		restart->l7_memory = started->l7_memory;
		restart->xds_fingerprint = xds_fingerprint(started);
		restart->eal = started->eal;
		restart->eal.main_core = copy_text(arena, started->eal.main_core, &failed);
		restart->eal.args = copy_args(arena, &started->eal, &failed);
		restart->control_socket = copy_text(arena, started->control_socket, &failed);
	}
	if (!failed)
		return restart;
	arena_destroy(arena);
	errno = ENOMEM;
	return NULL;
}

void restart_destroy(struct restart *restart)
{
	if (restart != NULL)
		arena_destroy(restart->arena);
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_port(const struct port_spec *a, const struct port_spec *b)
{
	return text_equal(a->name, b->name) && text_equal(a->device, b->device) &&
	       port_spec_mtu(a) == port_spec_mtu(b) && a->n_rxq == b->n_rxq &&
	       a->n_txq == b->n_txq &&
	       port_spec_descriptors(a->n_rx_desc) == port_spec_descriptors(b->n_rx_desc) &&
	       port_spec_descriptors(a->n_tx_desc) == port_spec_descriptors(b->n_tx_desc) &&
	       a->promiscuous == b->promiscuous;
}

int restart_check_ports(
	const struct node_spec *live, const struct node_spec *wanted, struct refusal *refusal)
{
	const struct port_spec *last =
		wanted->n_ports == 0 ? NULL : &wanted->ports[wanted->n_ports - 1];

	for (uint32_t i = 0; i < wanted->n_ports && i < live->n_ports; i++)
		if (!same_port(&live->ports[i], &wanted->ports[i]))
			return refusal_set(refusal, &wanted->ports[i].origin,
				"ports[%u]: name, device, mtu, queues, descriptors and promiscuous "
				"change only by a restart; nothing of this file is live",
				i);
	if (live->n_ports != wanted->n_ports)
		return refusal_set(refusal, last == NULL ? NULL : &last->origin,
			"ports: %u instead of %u; they are added and removed only by a restart; "
			"nothing of this file is live",
			wanted->n_ports, live->n_ports);
	return 0;
}

static bool same_workers(const struct worker_spec *a, const struct worker_spec *b)
{
	return a->n_workers == b->n_workers && a->n_cores == b->n_cores &&
	       (a->n_cores == 0 ||
		       memcmp(a->cores, b->cores, a->n_cores * sizeof(*a->cores)) == 0) &&
	       a->idle == b->idle && a->idle_sleep_us == b->idle_sleep_us &&
	       a->n_mbufs == b->n_mbufs;
}

static bool same_eal(const struct eal_spec *a, const struct eal_spec *b)
{
	if (!text_equal(a->main_core, b->main_core) || a->huge_pages != b->huge_pages ||
		a->memory_mb != b->memory_mb || a->n_args != b->n_args)
		return false;
	for (uint32_t i = 0; i < a->n_args; i++)
		if (!text_equal(a->args[i], b->args[i]))
			return false;
	return true;
}

static bool same_memory(const struct l7_memory_spec *a, const struct l7_memory_spec *b)
{
	return a->n_flows == b->n_flows && a->n_legs == b->n_legs;
}

void restart_note(
	const struct restart *restart, const struct node_spec *wanted, char *text, size_t text_size)
{
	const struct {
		const char *group;
		bool same;
	} groups[] = {
		{"workers", same_workers(&restart->workers, &wanted->workers)},
		{"eal", same_eal(&restart->eal, &wanted->eal)},
		{"control_socket", text_equal(restart->control_socket, wanted->control_socket)},
		{"l7", same_memory(&restart->l7_memory, &wanted->l7_memory)},
		{"xds", restart->xds_fingerprint == xds_fingerprint(wanted)},
	};
	uint32_t n = 0;
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && len < text_size; i++)
		if (!groups[i].same)
			len += (size_t)snprintf(text + len, text_size - len, "%s%s",
				n++ > 0 ? ", " : "", groups[i].group);
	if (n > 0 && len < text_size)
		snprintf(text + len, text_size - len, ": take%s effect at the next start",
			n == 1 ? "s" : "");
}
