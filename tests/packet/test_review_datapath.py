# SPDX-License-Identifier: Apache-2.0
"""Corners of the datapath: fragments on a fixed adjacency, link-layer groups, broadcasts, tagged frames of
layer-2 ports, segment lists without a way, ECMP of tunnels."""

import pytest

import srv6_wire as wire
from harness import node_mac

PEER = "02:00:00:00:aa:%02x"
LOCATOR = "2001:db8:f::"
CONFIG = dict(
    icmp=dict(errors_per_s=100000, burst=10000),
    ports=[
        dict(name="p0", sr_trusted=True, addresses=["10.0.0.1/24", "10.0.0.9/24", "fd00::1/64"]),
        dict(name="p1", addresses=["10.0.1.1/24", "fd01::1/64"],
             vlans=[dict(id=300, mtu=1280, addresses=["10.0.3.1/24", "fd03::1/64"])]),
        dict(name="p2", l2_policy="wire", vlans=[dict(id=7, l2_policy="wire7")]),
    ],
    neighbors=[dict(port="p0", address="10.0.0.2", mac=PEER % 0), dict(port="p0", address="fd00::2", mac=PEER % 0),
               dict(port="p1", address="10.0.1.2", mac=PEER % 1), dict(port="p1", address="fd01::2", mac=PEER % 1),
               dict(port="p1", address="fd01::3", mac=PEER % 3),
               dict(port="p1.300", address="10.0.3.2", mac=PEER % 2),
               dict(port="p1.300", address="fd03::2", mac=PEER % 2)],
    vrfs=[dict(name="default", routes=[
        dict(prefix="2001:db8:a::/48", via="fd01::2"),
        dict(prefix="2001:db8:b::/48", paths=[dict(via="fd01::2"), dict(via="fd01::3")]),
        dict(prefix="2001:db8:c::/48", unreachable=True),
        dict(prefix="2001:db8:d::/48", via="fd01::99"),
        dict(prefix="10.8.0.0/16", policy="lists"), dict(prefix="10.9.0.0/16", policy="group")])],
    srv6=dict(source="fd00::1", sids=[
        dict(sid=LOCATOR + "4", behavior="End.DX4", nexthop="10.0.3.2", port="p1.300"),
        dict(sid=LOCATOR + "5", behavior="End.X", nexthop="fd03::2", port="p1.300", flavors=["USD"]),
        dict(sid=LOCATOR + "2", behavior="End.DX2", port="p2"),
    ], policies=[
        dict(name="wire", headend="H.Encaps.L2", segments=["2001:db8:a::1"]),
        dict(name="wire7", headend="H.Encaps.L2", segments=["2001:db8:a::7"]),
        dict(name="lists", segment_lists=[
            dict(segments=["2001:db8:c::1"]), dict(segments=["fd77::1"]), dict(segments=["2001:db8:a::8"])]),
        dict(name="group", segment_lists=[
            dict(segments=["fd01::98"]), dict(segments=["2001:db8:d::1"]), dict(segments=["2001:db8:a::9"])]),
    ]),
)


def ignore_discovery(frame):
    """Whoever has no neighbour entry is looked for all the time."""
    return frame[12:14] == b"\x08\x06" or (frame[12:14] == b"\x86\xdd" and frame[54:55] in (b"\x87", b"\x85"))


IGNORE = {"p0": ignore_discovery, "p1": ignore_discovery}


def to_node(port_idx, packet, dst=None, **fields):
    return wire.eth(dst or node_mac(port_idx), PEER % port_idx, packet, **fields)


@pytest.mark.parametrize("sid", ["4", "5"], ids=["End.DX4", "End.X+USD"])
def test_fragments_keep_to_the_adjacency(node, sid):
    """There is no route to the inner destination, nor is one asked for."""
    inner = wire.udp4("10.0.0.2", "198.51.100.1", payload=bytes(range(250)) * 6, ttl=9, flags_off=0)
    outer = wire.ip6("fd00::2", LOCATOR + sid, wire.IP4, inner)
    node.set_mtu("p0", 1600)
    with node.counts():
        node.send("p0", to_node(0, outer))
        pieces = {}
        for _ in range(2):
            got = node.receive("p1")
            assert got[:18] == wire.mac(PEER % 2) + wire.mac(node_mac(1)) + b"\x81\0\x01\x2c\x08\0"[:6]
            ip = got[18:]
            assert wire.sum16(ip[:20]) == 0xFFFF and ip[8] == 8 and len(ip) <= 1280
            pieces[(int.from_bytes(ip[6:8], "big") & 0x1FFF) * 8] = ip[20:]
        node.expect_none()
    assert b"".join(pieces[k] for k in sorted(pieces)) == inner[20:]
