# SPDX-License-Identifier: Apache-2.0
"""Configurations: from a dict to the text of the file, and what every node here needs besides."""

import os

SENTINEL_VLAN = 4000
SENTINEL_VRF = "sentinel"


def _scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if value > 0x7FFFFFFF else str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def to_text(value, indent=0):
    """The libconfig text of dicts (groups), lists (of either kind) and scalars."""
    pad = "\t" * indent
    if isinstance(value, dict):
        lines = [f"{pad}{k} = {to_text(v, indent + 1).lstrip()};" for k, v in value.items()]
        body = "\n".join(lines)
        if indent == 0:
            return body + "\n"
        return "{\n" + body + "\n" + pad + "}"
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(to_text(v, indent + 1).lstrip() for v in value) + " )"
    return _scalar(value)


def node_mac(port_idx):
    return f"02:00:00:00:00:{port_idx + 1:02x}"


def sentinel_mac(port_idx):
    return f"02:00:00:00:fe:{port_idx + 1:02x}"


def complete(config, workers, device, directory):
    """A configuration that runs: a test's dict with devices, workers and sentinels added."""
    out = dict(config)
    ports = []
    neighbors = list(config.get("neighbors", []))
    for i, given in enumerate(config["ports"]):
        port = dict(given)
        name = port["name"]
        if device == "tap":
            port.setdefault("device", f"net_tap{i},iface={name},mac={node_mac(i)}")
        else:
            queues = f",qpairs={workers}" if workers > 1 else ""
            port.setdefault("device", f"net_af_packet{i},iface=n-{name}{queues}")
        sentinel = dict(id=SENTINEL_VLAN, vrf=SENTINEL_VRF, addresses=[f"198.18.{i}.1/24"])
        vlans = [dict(v) for v in port.get("vlans", [])] + [sentinel]
        port["vlans"] = vlans
        if workers > 1:
            for iface in [port] + vlans:
                iface.setdefault("dispatch", True)
        ports.append(port)
        neighbors.append(dict(port=f"{name}.{SENTINEL_VLAN}", address=f"198.18.{i}.2",
                              mac=sentinel_mac(i)))
    out["ports"] = ports
    out["neighbors"] = neighbors
    out["vrfs"] = list(config.get("vrfs", [])) + [dict(name=SENTINEL_VRF)]
    out["eal"] = dict(dict(huge_pages=False, memory_mb=256), **config.get("eal", {}))
    out["workers"] = dict(dict(count=workers, idle="backoff"), **config.get("workers", {}))
    out.setdefault("control_socket", os.path.join(directory, "control.sock"))
    out.setdefault("log_level", "debug")
    return out
