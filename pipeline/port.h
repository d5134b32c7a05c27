// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ports: DPDK devices by name, probed, configured and started as their specs say.

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/spec.h"

struct rte_mempool;

struct port_runtime {
	char name[64];
	uint16_t dpdk_port;
	uint16_t n_rxq;
	uint16_t n_txq;
	uint16_t mtu; // bytes of IP packet
	uint8_t mac[6];
	bool linearize;		   // the device sends single segments only
	bool probed;		   // by us: to be removed at the end
	struct rte_mempool *mbufs; // large ones where the device cannot scatter
};

struct port_pools {
	struct rte_mempool *small; // 2 KiB buffers; always there
	struct rte_mempool
		*large; // for frames that a device wants in one piece; NULL: no port does
};

// Opens, configures and starts all ports of spec. ports has room for spec->n_ports. Main thread, after
// rte_eal_init(). On failure nothing stays open and refusal says which port, why, and what would do.
int ports_open(const struct node_spec *spec, uint16_t n_workers, struct port_runtime *ports,
	struct port_pools *pools, struct refusal *refusal);

// Stops and closes them. Workers must have stopped.
void ports_close(struct port_runtime *ports, uint32_t n_ports, struct port_pools *pools);
