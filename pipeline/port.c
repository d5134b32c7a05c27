// SPDX-License-Identifier: Apache-2.0

#include "pipeline/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "pipeline/af_packet.h"
#include "pipeline/memif.h"
#include "pipeline/packet.h"

enum {
	MODEST_MTU = 1500, // the largest that is_modest() drivers admit to
	LINK_LEN = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN, // longest link header that is received
	POOL_CACHE =
		512, // mbufs; two bursts, so that what one walk frees is what the next one takes
	DEVICE_NAME_LEN = 256,
	SMALL_ROOM_LEN = 2048, // bytes of frame in a small buffer
};

static uint32_t frame_len(const struct port_spec *spec)
{
	return (uint32_t)port_spec_mtu(spec) + LINK_LEN;
}

// Bytes of buffer that take any frame of the port in one piece, or in as many as its driver likes.
static uint32_t room_len(const struct port_spec *spec)
{
	if (memif_scatters(spec->device))
		return SMALL_ROOM_LEN;
	return af_packet_is(spec->device) ? af_packet_slot_len(spec->device, frame_len(spec))
					  : frame_len(spec);
}

static void device_args(const struct port_spec *spec, char *out, size_t out_len)
{
	if (af_packet_is(spec->device))
		af_packet_args(spec->device, frame_len(spec), out, out_len);
	else
		memif_args(spec->device, frame_len(spec), out, out_len);
}

// Drivers that say 1518 bytes, whatever they take.
static bool is_modest(const struct port_spec *spec)
{
	return af_packet_is(spec->device) || memif_is(spec->device);
}

// Longest frame; 0: any.
static uint32_t max_frame(const struct port_spec *spec, const struct rte_eth_dev_info *info)
{
	if (af_packet_is(spec->device))
		return af_packet_max_frame(room_len(spec));
	return memif_is(spec->device) ? 0 : info->max_rx_pktlen;
}

// Drivers say no more than -1, which is -EPERM, for whatever they miss.
static const char *probe_hint(int error)
{
	if (geteuid() != 0)
		return "not run by root: kernel interfaces need CAP_NET_ADMIN and CAP_NET_RAW, PCI "
		       "devices need access to /dev/vfio";
	switch (error) {
	case -ENODEV:
	case -ENOENT:
		return "is the PCI device bound to vfio-pci?";
	default:
		return "the log lines before this one say what DPDK missed; the device name is "
		       "DPDK's, like net_tap0,iface=tap0 or 0000:00:06.0";
	}
}

// Finds the device, or makes it: devices given to EAL on the command line exist already.
static int find_device(
	const struct port_spec *spec, struct port_runtime *port, struct refusal *refusal)
{
	char args[DEVICE_NAME_LEN], name[DEVICE_NAME_LEN];
	int ret;

	if (af_packet_is(spec->device) && !af_packet_has_iface(spec->device))
		return refusal_set(refusal, &spec->origin,
			"ports.%s.device: the kernel has no interface as \"%s\" names it",
			spec->name, spec->device);
	device_args(spec, args, sizeof(args));
	snprintf(name, sizeof(name), "%s", args);
	name[strcspn(name, ",")] = '\0';
	if (rte_eth_dev_get_port_by_name(name, &port->dpdk_port) == 0)
		return 0;
	ret = rte_dev_probe(args);
	if (ret != 0)
		return refusal_set(refusal, &spec->origin,
			"ports.%s.device: cannot open \"%s\"%s%s; %s", spec->name, args,
			ret == -EPERM ? "" : ": ", ret == -EPERM ? "" : rte_strerror(-ret),
			probe_hint(ret));
	port->probed = true;
	if (rte_eth_dev_get_port_by_name(name, &port->dpdk_port) != 0)
		return refusal_set(refusal, &spec->origin,
			"ports.%s.device: \"%s\" is not an Ethernet device", spec->name, name);
	return 0;
}

static uint16_t n_queues(uint16_t wanted, uint16_t n_workers, uint16_t max)
{
	uint16_t n = wanted == 0 ? n_workers : wanted;

	return n < max ? n : max;
}

static int check_mtu(const struct port_spec *spec, const struct rte_eth_dev_info *info,
	const struct port_runtime *port, struct refusal *refusal)
{
	uint32_t max = max_frame(spec, info);
	uint32_t kernel_mtu = af_packet_is(spec->device) ? af_packet_kernel_mtu(spec->device) : 0;

	if (kernel_mtu != 0 && port->mtu > kernel_mtu)
		return refusal_set(refusal, &spec->origin,
			"ports.%s.mtu: %u is more than the kernel's interface can do; its own MTU "
			"in %s is %u",
			spec->name, port->mtu, spec->device, kernel_mtu);
	if (port->mtu < info->min_mtu || (info->max_mtu != 0 && port->mtu > info->max_mtu))
		return refusal_set(refusal, &spec->origin,
			"ports.%s.mtu: %u is more than the device can do; %s takes %u to %u",
			spec->name, port->mtu, spec->device, info->min_mtu, info->max_mtu);
	if (max != 0 && port->mtu + (uint32_t)RTE_ETHER_HDR_LEN > max)
		return refusal_set(refusal, &spec->origin,
			"ports.%s.mtu: %u is more than the device can do; %s receives frames of "
			"at most %u bytes",
			spec->name, port->mtu, spec->device, max);
	return 0;
}

static int setup_queues(
	const struct port_spec *spec, struct port_runtime *port, struct refusal *refusal)
{
	uint16_t n_rxd = port_spec_descriptors(spec->n_rx_desc);
	uint16_t n_txd = port_spec_descriptors(spec->n_tx_desc);
	int socket = rte_eth_dev_socket_id(port->dpdk_port);
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->dpdk_port, &n_rxd, &n_txd);

	for (uint16_t q = 0; q < port->n_rxq && ret == 0; q++)
		ret = rte_eth_rx_queue_setup(
			port->dpdk_port, q, n_rxd, (unsigned int)socket, NULL, port->mbufs);
	for (uint16_t q = 0; q < port->n_txq && ret == 0; q++)
		ret = rte_eth_tx_queue_setup(port->dpdk_port, q, n_txd, (unsigned int)socket, NULL);
	if (ret != 0)
		return refusal_set(refusal, &spec->origin,
			"ports.%s: cannot set up %u RX and %u TX queues of %u and %u descriptors "
			"with buffers of %u bytes: %s",
			spec->name, port->n_rxq, port->n_txq, n_rxd, n_txd,
			rte_pktmbuf_data_room_size(port->mbufs), rte_strerror(-ret));
	return 0;
}

static struct rte_eth_conf port_conf(
	const struct rte_eth_dev_info *info, const struct port_runtime *port, bool scatter)
{
	struct rte_eth_conf conf = {.rxmode.mtu = port->mtu};

	if (scatter)
		conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	conf.txmode.offloads |= info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (port->n_rxq > 1 && info->flow_type_rss_offloads != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) &
			info->flow_type_rss_offloads;
	}
	return conf;
}

// A memif client connects when it starts, or not at all; its driver says no more than -1.
static const char *start_error(const struct port_spec *spec, int error)
{
	if (memif_is_client(spec->device))
		return "nobody listens at the socket: the server's side of a memif starts first";
	return rte_strerror(-error);
}

static int start_port(
	const struct port_spec *spec, struct port_runtime *port, struct refusal *refusal)
{
	struct rte_ether_addr mac;
	int ret = rte_eth_dev_start(port->dpdk_port);

	if (ret != 0)
		return refusal_set(refusal, &spec->origin, "ports.%s: cannot start \"%s\": %s",
			spec->name, spec->device, start_error(spec, ret));
	if (spec->promiscuous)
		rte_eth_promiscuous_enable(port->dpdk_port);
	// Solicited-node groups: the filter is the node's own.
	rte_eth_allmulticast_enable(port->dpdk_port);
	rte_eth_macaddr_get(port->dpdk_port, &mac);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	return 0;
}

static int configure_port(const struct port_spec *spec, uint16_t n_workers,
	struct port_runtime *port, const struct port_pools *pools, struct refusal *refusal)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	bool is_small = room_len(spec) <=
			rte_pktmbuf_data_room_size(pools->small) - (uint32_t)RTE_PKTMBUF_HEADROOM;
	int ret = rte_eth_dev_info_get(port->dpdk_port, &info);
	bool scatter;

	if (ret != 0)
		return refusal_set(refusal, &spec->origin, "ports.%s: \"%s\" does not answer: %s",
			spec->name, spec->device, rte_strerror(-ret));
	port->mtu = port_spec_mtu(spec);
	port->n_rxq = n_queues(spec->n_rxq, n_workers, info.max_rx_queues);
	port->n_txq = n_queues(spec->n_txq, n_workers, info.max_tx_queues);
	if (port->n_rxq == 0 || port->n_txq == 0)
		return refusal_set(refusal, &spec->origin,
			"ports.%s.device: \"%s\" has %u RX and %u TX queues; a port needs one of "
			"each",
			spec->name, spec->device, info.max_rx_queues, info.max_tx_queues);
	ret = check_mtu(spec, &info, port, refusal);
	if (ret != 0)
		return ret;
	scatter = !is_small && (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER);
	port->mbufs = is_small || scatter ? pools->small : pools->large;
	port->linearize =
		!(info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) &&
		!af_packet_is(spec->device); // it copies segment by segment, but does not say so
	conf = port_conf(&info, port, scatter);
	if (is_modest(spec))
		conf.rxmode.mtu = RTE_MIN(port->mtu, MODEST_MTU);
	ret = rte_eth_dev_configure(port->dpdk_port, port->n_rxq, port->n_txq, &conf);
	if (ret != 0)
		return refusal_set(refusal, &spec->origin,
			"ports.%s: \"%s\" refuses %u RX and %u TX queues at an MTU of %u: %s",
			spec->name, spec->device, port->n_rxq, port->n_txq, port->mtu,
			rte_strerror(-ret));
	ret = setup_queues(spec, port, refusal);
	return ret != 0 ? ret : start_port(spec, port, refusal);
}

static struct rte_mempool *create_pool(const char *name, uint32_t n_mbufs, uint32_t len)
{
	return rte_pktmbuf_pool_create(name, n_mbufs, POOL_CACHE, PACKET_META_LEN,
		(uint16_t)(len + RTE_PKTMBUF_HEADROOM), (int)rte_socket_id());
}

// Buffers for every descriptor, two bursts a worker in flight, and as much again for rings.
static uint32_t default_mbufs(const struct node_spec *spec, uint16_t n_workers)
{
	uint32_t n = 4096u * n_workers;

	for (uint32_t i = 0; i < spec->n_ports; i++) {
		const struct port_spec *port = &spec->ports[i];

		n += port_spec_descriptors(port->n_rx_desc) * RTE_MAX(port->n_rxq, n_workers);
		n += port_spec_descriptors(port->n_tx_desc) * RTE_MAX(port->n_txq, n_workers);
	}
	return n < 8192 ? 8192 : n;
}

static int create_pools(const struct node_spec *spec, uint16_t n_workers, struct port_pools *pools,
	struct refusal *refusal)
{
	uint32_t n_mbufs =
		spec->workers.n_mbufs != 0 ? spec->workers.n_mbufs : default_mbufs(spec, n_workers);
	uint32_t large_len = 0;

	for (uint32_t i = 0; i < spec->n_ports; i++)
		large_len = RTE_MAX(large_len, room_len(&spec->ports[i]));
	if (large_len <= (uint32_t)SMALL_ROOM_LEN)
		large_len = 0;
	pools->small = create_pool("mbufs", n_mbufs, SMALL_ROOM_LEN);
	if (pools->small != NULL && large_len > 0)
		pools->large = create_pool("mbufs_large", n_mbufs / 2, RTE_ALIGN(large_len, 128u));
	if (pools->small == NULL || (large_len > 0 && pools->large == NULL))
		return refusal_set(refusal, &spec->workers.origin,
			"workers.mbufs: no memory for %u packet buffers (%s); lower workers.mbufs "
			"or "
			"raise eal.memory_mb or the number of huge pages",
			n_mbufs, rte_strerror(rte_errno));
	return 0;
}

int ports_open(const struct node_spec *spec, uint16_t n_workers, struct port_runtime *ports,
	struct port_pools *pools, struct refusal *refusal)
{
	int ret = create_pools(spec, n_workers, pools, refusal);
	uint32_t n_open = 0;

	for (uint32_t i = 0; i < spec->n_ports && ret == 0; i++) {
		memset(&ports[i], 0, sizeof(ports[i]));
		snprintf(ports[i].name, sizeof(ports[i].name), "%s", spec->ports[i].name);
		ret = find_device(&spec->ports[i], &ports[i], refusal);
		if (ret != 0)
			break;
		n_open++;
		ret = configure_port(&spec->ports[i], n_workers, &ports[i], pools, refusal);
	}
	if (ret != 0)
		ports_close(ports, n_open, pools);
	return ret;
}

void ports_close(struct port_runtime *ports, uint32_t n_ports, struct port_pools *pools)
{
	for (uint32_t i = 0; i < n_ports; i++) {
		struct rte_eth_dev_info info;

		rte_eth_dev_stop(ports[i].dpdk_port);
		if (!ports[i].probed || rte_eth_dev_info_get(ports[i].dpdk_port, &info) != 0)
			continue;
		rte_eth_dev_close(ports[i].dpdk_port);
		rte_dev_remove(info.device);
	}
	rte_mempool_free(pools->large);
	rte_mempool_free(pools->small);
	pools->large = NULL;
	pools->small = NULL;
}
