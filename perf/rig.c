// SPDX-License-Identifier: Apache-2.0

#include "perf/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "conf/conf.h"

static void die(const char *what, const char *why)
{
	fprintf(stderr, "rig: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

void rig_start_eal(uint16_t n_workers, unsigned int first_core, bool huge_pages)
{
	char lcores[64];
	char *args[] = {"rig", "--lcores", lcores, "--no-telemetry", "--no-pci", "--log-level=3",
		"-m", "1024", huge_pages ? "--in-memory" : "--no-shconf",
		huge_pages ? NULL : "--no-huge", NULL};
	size_t n = (size_t)snprintf(lcores, sizeof(lcores), "0@%u", first_core);

	for (uint16_t i = 0; i < n_workers; i++)
		n += (size_t)snprintf(
			lcores + n, sizeof(lcores) - n, ",%u@%u", i + 1u, first_core + i);
	if (rte_eal_init((int)RTE_DIM(args) - (huge_pages ? 2 : 1), args) < 0)
		die("rte_eal_init", rte_strerror(rte_errno));
}

static void create_port(struct rig_port *port, uint16_t idx, uint16_t n_queues)
{
	char name[32];

	for (uint16_t q = 0; q < n_queues; q++) {
		snprintf(name, sizeof(name), "rig%u.%u.in", idx, q);
		port->in[q] = rte_ring_create(
			name, RIG_RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(name, sizeof(name), "rig%u.%u.out", idx, q);
		port->out[q] = rte_ring_create(
			name, RIG_RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (port->in[q] == NULL || port->out[q] == NULL)
			die("rings", rte_strerror(rte_errno));
	}
	snprintf(name, sizeof(name), "rig%u", idx);
	if (rte_eth_from_rings(name, port->in, n_queues, port->out, n_queues, 0) < 0)
		die("net_ring device", rte_strerror(rte_errno));
}

// Every neighbour that the snapshot names answers, with a MAC address that ends in its last byte.
static void resolve_neighbors(struct rig *rig, const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->n_adj_slots; i++) {
		const struct iface *iface;
		struct adj_key key;
		struct adj adj = {.rewrite_len = 14};
		uint8_t *eth = adj.rewrite + ADJ_REWRITE_LEN - 14;

		adj_table_key(rig->ctrl.adj_table, s->adj_slots[i], &key);
		iface = &s->ifaces[key.iface];
		if (iface->vlan != 0) {
			adj.rewrite_len = 18;
			eth -= 4;
			eth[12] = 0x81;
			eth[14] = (uint8_t)(iface->vlan >> 8);
			eth[15] = (uint8_t)iface->vlan;
		}
		eth[0] = 2;
		eth[5] = key.addr.addr.b[key.addr.family == 4 ? 3 : 15];
		memcpy(eth + 6, iface->mac, 6);
		eth[adj.rewrite_len - 2] = key.addr.family == 4 ? 0x08 : 0x86;
		eth[adj.rewrite_len - 1] = key.addr.family == 4 ? 0x00 : 0xdd;
		adj.port = iface->dpdk_port;
		adj.iface = key.iface;
		adj.mtu = iface->mtu;
		adj_table_set(rig->ctrl.adj_table, s->adj_slots[i], &adj);
	}
}

static int compile_and_publish(struct rig *rig, struct refusal *refusal)
{
	struct ctrl *ctrl = &rig->ctrl;
	struct compile_port ports[RIG_MAX_PORTS];
	const struct snapshot *old = ctrl_snapshot(ctrl);
	struct compile_input input = {
		.spec = ctrl->spec, .ports = ports, .live = old, .adj_table = ctrl->adj_table};
	struct snapshot *snapshot;
	int ret;

	for (uint32_t i = 0; i < ctrl->n_ports; i++) {
		ports[i].dpdk_port = ctrl->ports[i].dpdk_port;
		ports[i].mtu = ctrl->ports[i].mtu;
		memcpy(ports[i].mac, ctrl->ports[i].mac, sizeof(ports[i].mac));
	}
	ret = compile_snapshot(&input, &snapshot, refusal);
	if (ret != 0)
		return ret;
	// Before workers see it: no packet waits for a neighbour.
	resolve_neighbors(rig, snapshot);
	if (ctrl->workers != NULL)
		workers_clear_counters(ctrl->workers, ctrl->n_workers, snapshot, old);
	atomic_store_explicit(&ctrl->published, snapshot, memory_order_release);
	reclaim_later(ctrl->reclaim, (void *)(uintptr_t)old, (reclaim_free_fn)snapshot_destroy);
	return 0;
}

int rig_swap(struct rig *rig, const char *config, struct refusal *refusal)
{
	struct node_spec *old = rig->ctrl.spec, *spec;
	int ret = conf_load_text(config, strlen(config), "rig.cfg", &spec, refusal);

	if (ret != 0)
		return ret;
	rig->ctrl.spec = spec;
	ret = compile_and_publish(rig, refusal);
	if (ret != 0) {
		rig->ctrl.spec = old;
		old = spec;
	}
	node_spec_release(old);
	return ret;
}

static void create_workers(struct rig *rig, uint16_t n_workers, struct refusal *refusal)
{
	struct ctrl *ctrl = &rig->ctrl;
	struct worker_config config = {
		.spec = &ctrl->spec->workers,
		.l7_memory = ctrl->spec->l7_memory,
		.ports = ctrl->ports,
		.n_ports = ctrl->n_ports,
		.adj_table = ctrl->adj_table,
		.qsbr = ctrl->qsbr,
		.published = &ctrl->published,
		.punt_ring = ctrl->punt_ring,
		.mbufs = ctrl->pools.small,
		.n_workers = n_workers,
	};

	ctrl->workers = workers_create(&config, refusal);
	if (ctrl->workers == NULL)
		die("workers", refusal->text);
	for (uint16_t i = 0; i < n_workers; i++) {
		rte_rcu_qsbr_thread_register(ctrl->qsbr, i);
		rte_rcu_qsbr_thread_online(ctrl->qsbr, i);
	}
}

void rig_create(struct rig *rig, const char *config, uint16_t n_ports, uint16_t n_workers)
{
	struct ctrl *ctrl = &rig->ctrl;
	struct refusal refusal = {0};

	memset(rig, 0, sizeof(*rig));
	rig->n_ports = n_ports;
	ctrl->n_workers = n_workers;
	for (uint16_t i = 0; i < n_ports; i++)
		create_port(&rig->ports[i], i, n_workers);
	if (conf_load_text(config, strlen(config), "rig.cfg", &ctrl->spec, &refusal) != 0)
		die("configuration", refusal.text);
	ctrl->qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(n_workers), RTE_CACHE_LINE_SIZE);
	rte_rcu_qsbr_init(ctrl->qsbr, n_workers);
	ctrl->reclaim = reclaim_create(ctrl->qsbr);
	ctrl->adj_table = adj_table_create(ctrl->reclaim);
	ctrl->punt_ring = rte_ring_create("rig.punt", RIG_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	ctrl->ports = calloc(n_ports, sizeof(*ctrl->ports));
	if (ports_open(ctrl->spec, n_workers, ctrl->ports, &ctrl->pools, &refusal) != 0)
		die("ports", refusal.text);
	ctrl->n_ports = ctrl->spec->n_ports;
	if (compile_and_publish(rig, &refusal) != 0)
		die("compile", refusal.text);
	create_workers(rig, n_workers, &refusal);
}

static void drain(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
}

void rig_destroy(struct rig *rig)
{
	struct ctrl *ctrl = &rig->ctrl;

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		rte_rcu_qsbr_thread_offline(ctrl->qsbr, i);
		rte_rcu_qsbr_thread_unregister(ctrl->qsbr, i);
	}
	workers_destroy(ctrl->workers, ctrl->n_workers);
	snapshot_destroy((struct snapshot *)(uintptr_t)ctrl_snapshot(ctrl));
	reclaim_destroy(ctrl->reclaim);
	adj_table_destroy(ctrl->adj_table);
	node_spec_release(ctrl->spec);
	drain(ctrl->punt_ring);
	rte_ring_free(ctrl->punt_ring);
	for (uint16_t i = 0; i < rig->n_ports; i++)
		for (uint16_t q = 0; q < ctrl->n_workers; q++) {
			drain(rig->ports[i].in[q]);
			drain(rig->ports[i].out[q]);
		}
	ports_close(ctrl->ports, ctrl->n_ports, &ctrl->pools);
	for (uint16_t i = 0; i < rig->n_ports; i++) {
		char name[32];

		snprintf(name, sizeof(name), "net_ring_rig%u", i);
		rte_vdev_uninit(name);
		for (uint16_t q = 0; q < ctrl->n_workers; q++) {
			rte_ring_free(rig->ports[i].in[q]);
			rte_ring_free(rig->ports[i].out[q]);
		}
	}
	rte_free(ctrl->qsbr);
	free(ctrl->ports);
}
