// SPDX-License-Identifier: Apache-2.0
#include "ctrl/restart.h"

#include <errno.h>
#include <string.h>

#include "pipeline/arena.h"

struct restart {
	struct arena *arena; // holds this and all below
	struct worker_spec workers;
	struct l7_memory_spec l7_memory;
	struct eal_spec eal;
	const char *control_socket;
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

#define ONE(group) group ": takes effect at the next start"
#define SOME(groups) groups ": take effect at the next start"

const char *restart_note(const struct restart *restart, const struct node_spec *wanted)
{
	static const char *const notes[] = {
		"",
		ONE("workers"),
		ONE("eal"),
		SOME("workers, eal"),
		ONE("control_socket"),
		SOME("workers, control_socket"),
		SOME("eal, control_socket"),
		SOME("workers, eal, control_socket"),
		ONE("l7"),
		SOME("workers, l7"),
		SOME("eal, l7"),
		SOME("workers, eal, l7"),
		SOME("control_socket, l7"),
		SOME("workers, control_socket, l7"),
		SOME("eal, control_socket, l7"),
		SOME("workers, eal, control_socket, l7"),
	};

	return notes[!same_workers(&restart->workers, &wanted->workers) +
		     2 * !same_eal(&restart->eal, &wanted->eal) +
		     4 * !text_equal(restart->control_socket, wanted->control_socket) +
		     8 * !same_memory(&restart->l7_memory, &wanted->l7_memory)];
}
