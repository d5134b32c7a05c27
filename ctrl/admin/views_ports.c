// SPDX-License-Identifier: Apache-2.0

// /ports: the devices with their counters, and the interfaces on them.

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/stream.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

#include <rte_ethdev.h>

#include <stdlib.h>
#include <string.h>

struct cursor {
	const struct ctrl *ctrl;
	uint32_t port_idx;
	uint32_t iface_slot;
};

static json_t *link_row(uint16_t dpdk_port)
{
	struct rte_eth_link link = {0};

	if (rte_eth_link_get_nowait(dpdk_port, &link) != 0)
		return json_null();
	return json_pack("{s:b, s:s, s:b}", "up", link.link_status == RTE_ETH_LINK_UP, "speed",
		rte_eth_link_speed_to_str(link.link_speed), "full_duplex",
		link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX);
}

static json_t *stats_row(uint16_t dpdk_port)
{
	struct rte_eth_stats stats = {0};

	if (rte_eth_stats_get(dpdk_port, &stats) != 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets",
		(json_int_t)stats.ipackets, "rx_bytes", (json_int_t)stats.ibytes, "rx_missed",
		(json_int_t)stats.imissed, "rx_errors", (json_int_t)stats.ierrors, "rx_no_mbuf",
		(json_int_t)stats.rx_nombuf, "tx_packets", (json_int_t)stats.opackets, "tx_bytes",
		(json_int_t)stats.obytes, "tx_errors", (json_int_t)stats.oerrors);
}

static enum stream_step next_port(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct ctrl *ctrl = cursor->ctrl;
	const struct port_runtime *port;
	struct rte_eth_dev_info info = {0};
	char device[RTE_ETH_NAME_MAX_LEN] = "?";

	if (cursor->port_idx == ctrl->n_ports)
		return STREAM_END;
	port = &ctrl->ports[cursor->port_idx++];
	rte_eth_dev_get_name_by_port(port->dpdk_port, device);
	rte_eth_dev_info_get(port->dpdk_port, &info);
	*row = json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:i, s:o, s:o}", "port", port->name,
		"device", device, "driver", info.driver_name == NULL ? "?" : info.driver_name,
		"mac", dest_view_mac(port->mac), "mtu", port->mtu, "rx_queues", port->n_rxq,
		"tx_queues", port->n_txq, "link", link_row(port->dpdk_port), "stats",
		stats_row(port->dpdk_port));
	return STREAM_ROW;
}

static const char *port_name(const struct ctrl *ctrl, uint16_t dpdk_port)
{
	for (uint32_t i = 0; i < ctrl->n_ports; i++)
		if (ctrl->ports[i].dpdk_port == dpdk_port)
			return ctrl->ports[i].name;
	return "?";
}

static json_t *address_rows(const struct ctrl *ctrl, const char *iface_name)
{
	const struct node_spec *spec = ctrl->spec;
	json_t *rows = json_array();
	uint32_t i = 0;

	while (i < spec->n_ifaces && strcmp(spec->ifaces[i].name, iface_name) != 0)
		i++;
	for (uint32_t j = 0; i < spec->n_ifaces && j < spec->ifaces[i].n_addresses; j++) {
		const struct address_spec *address = &spec->ifaces[i].addresses[j];

		json_array_append_new(rows,
			dest_view_prefix(address->addr.family, &address->addr.addr, address->len));
	}
	return rows;
}

static json_t *iface_row(const struct ctrl *ctrl, uint32_t slot)
{
	const struct snapshot *s = ctrl_snapshot(ctrl);
	const struct iface *iface = &s->ifaces[slot];
	const char *name = dest_view_iface_name(ctrl, slot);
	struct ip_addr link_local = {.family = 6, .addr = iface->link_local};
	json_t *row = json_pack("{s:s, s:s, s:i, s:s, s:i, s:b, s:b, s:o, s:o}", "interface", name,
		"port", port_name(ctrl, iface->dpdk_port), "vlan", iface->vlan, "vrf",
		dest_view_vrf_name(ctrl, iface->vrf), "mtu", iface->mtu, "sr_trusted",
		(iface->packet_flags & PACKET_SR_TRUSTED) != 0, "dispatch",
		(iface->packet_flags & PACKET_DISPATCH) != 0, "addresses", address_rows(ctrl, name),
		"link_local", dest_view_ip(&link_local));

	if (iface->l2_policy < s->n_policies)
		json_object_set_new(row, "l2_policy",
			json_string(dest_view_policy_name(ctrl, &s->policies[iface->l2_policy])));
	return row;
}

static enum stream_step next_iface(void *arg, json_t **row)
{
	struct cursor *cursor = arg;
	const struct snapshot *s = ctrl_snapshot(cursor->ctrl);

	while (cursor->iface_slot < s->n_ifaces) {
		uint32_t slot = cursor->iface_slot++;

		if (s->iface_names[slot].text[0] == '\0')
			continue;
		*row = iface_row(cursor->ctrl, slot);
		return STREAM_ROW;
	}
	return STREAM_END;
}

void views_ports_get(struct reply *reply)
{
	static const struct stream_list lists[] = {
		{"ports", next_port},
		{"interfaces", next_iface},
	};
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor != NULL)
		cursor->ctrl = reply->ctrl;
	stream_send(reply, lists, 2, cursor);
}
