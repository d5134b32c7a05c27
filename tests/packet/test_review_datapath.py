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
        dict(prefix="10.8.0.0/16", policy="lists"), dict(prefix="10.9.0.0/16", policy="neighbors"),
        dict(prefix="10.7.0.0/16", policy="through")])],
    srv6=dict(source="fd00::1", sids=[
        dict(sid=LOCATOR + "4", behavior="End.DX4", nexthop="10.0.3.2", port="p1.300"),
        dict(sid=LOCATOR + "5", behavior="End.X", nexthop="fd03::2", port="p1.300", flavors=["USD"]),
        dict(sid=LOCATOR + "2", behavior="End.DX2", port="p2"),
        dict(sid=LOCATOR + "1", behavior="End"), dict(sid=LOCATOR + "3", behavior="End", flavors=["PSP"]),
    ], policies=[
        dict(name="wire", headend="H.Encaps.L2", segments=["2001:db8:a::1"]),
        dict(name="wire7", headend="H.Encaps.L2", segments=["2001:db8:a::7"]),
        dict(name="lists", segment_lists=[
            dict(segments=["2001:db8:c::1"]), dict(segments=["fd77::1"]), dict(segments=["2001:db8:a::8"])]),
        dict(name="through", segments=[LOCATOR + "1", LOCATOR + "3", "2001:db8:a::5"]),
        dict(name="neighbors", segment_lists=[
            dict(segments=["fd01::98"]), dict(segments=["2001:db8:d::1"]), dict(segments=["2001:db8:a::9"])]),
    ]),
)


def ignore_discovery(frame):
    """Whoever has no neighbour entry is looked for all the time."""
    return frame[12:14] == b"\x08\x06" or (frame[12:14] == b"\x86\xdd" and frame[54:55] in (b"\x87", b"\x85"))


IGNORE = {"p1": ignore_discovery}


def to_node(port_idx, packet, dst=None, **fields):
    return wire.eth(dst or node_mac(port_idx), PEER % port_idx, packet, **fields)


def out_of(node, port):
    """The next frame's destination MAC address and packet."""
    got = node.receive(port)
    return got[:6], got[14:]


@pytest.mark.parametrize("sid", ["4", "5"], ids=["End.DX4", "End.X+USD"])
def test_fragments_keep_to_the_adjacency(node, sid):
    """There is no route to the inner destination, nor is one asked for."""
    inner = wire.udp4("10.0.0.2", "198.51.100.1", payload=bytes(range(250)) * 5 + bytes(150), ttl=9, flags_off=0)
    outer = wire.ip6("fd00::2", LOCATOR + sid, wire.IP4, inner)
    pieces = {}
    with node.counts():
        node.send("p0", to_node(0, outer))
        for _ in range(2):
            got = node.receive("p1")
            assert got[:18] == wire.mac(PEER % 2) + wire.mac(node_mac(1)) + b"\x81\0\x01\x2c\x08\0"
            ip = got[18:]
            assert wire.sum16(ip[:20]) == 0xFFFF and ip[8] == 8 and len(ip) <= 1280
            pieces[(int.from_bytes(ip[6:8], "big") & 0x1FFF) * 8] = ip[20:]
        node.expect_none()
    assert b"".join(pieces[k] for k in sorted(pieces)) == inner[20:]


@pytest.mark.parametrize("dst", ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "33:33:00:00:00:05"])
@pytest.mark.parametrize("packet", [
    wire.udp4("10.0.0.2", "10.0.1.2"), wire.ip4("10.0.0.2", "10.0.0.1", 1, wire.icmp4(8, 0, bytes(8))),
    wire.udp6("fd00::2", "fd01::2"), wire.udp6("fd00::2", "fd01::2", hop_limit=1),
    wire.ip6("fd00::2", LOCATOR + "4", wire.IP4, wire.udp4("10.0.0.2", "10.0.1.2"))],
    ids=["forward 4", "echo 4", "forward 6", "hop limit 6", "sid"])
def test_packet_for_one_in_a_frame_for_many(node, packet, dst):
    """RFC 1812 section 5.3.4: not forwarded, and not answered."""
    with node.counts(drop_eth_group=1):
        node.send("p0", to_node(0, packet, dst=dst))
        node.expect_none()


@pytest.mark.parametrize("last", [0, 255])
def test_broadcast_of_a_link(node, last):
    """RFC 1812 section 5.3.5: neither sent on, nor looked for, nor answered."""
    with node.counts(drop_blackhole=1):
        node.send("p0", to_node(0, wire.udp4("10.0.0.2", f"10.0.1.{last}")))
        node.expect_none()


def test_two_addresses_of_a_link(node):
    for own in ("10.0.0.1", "10.0.0.9"):
        echo = bytes(4) + b"two addresses"
        node.exchange("p0", to_node(0, wire.ip4("10.0.0.2", own, 1, wire.icmp4(8, 0, echo))), "p0",
                      wire.eth(PEER % 0, node_mac(0), wire.ip4(own, "10.0.0.2", 1, wire.icmp4(0, 0, echo))))


@pytest.mark.parametrize("tci, segment", [(None, "1"), (55, "1"), (0, "1"), (0x6000 | 4094, "1"), (7, "7"),
                                          (0xA000 | 7, "7")])
def test_tags_of_a_layer_2_port(node, tci, segment):
    """A tag that selects no interface is part of the frame."""
    addresses = wire.mac("02:00:00:00:bb:01") + wire.mac("02:00:00:00:bb:02")
    rest = b"\x12\x34" + bytes(range(60))
    tag = b"" if tci is None else b"\x81\0" + tci.to_bytes(2, "big")
    with node.counts():
        node.send("p2", addresses + tag + rest)
        mac, ip = out_of(node, "p1")
        node.expect_none()
    assert mac == wire.mac(PEER % 1) and ip[24:40] == wire.addr("2001:db8:a::" + segment)
    assert ip[6] == wire.ETH and ip[40:] == addresses + (b"" if segment == "7" else tag) + rest


def test_tagged_frame_of_full_length(node):
    """The customer's tag does not count towards the port's MTU."""
    node.set_mtu("p0", 1600)
    addresses = wire.mac("02:00:00:00:bb:01") + wire.mac("02:00:00:00:bb:02")
    for tag, length, fits in ((b"", 1500, True), (b"", 1501, False), (b"\x81\0\0\x09", 1500, True),
                              (b"\x81\0\0\x09", 1501, False)):
        frame = addresses + tag + b"\x12\x34" + bytes(length)
        with node.counts(**({} if fits else dict(drop_l2_too_long=1))):
            node.send("p0", to_node(0, wire.ip6("fd00::2", LOCATOR + "2", wire.ETH, frame)))
            if fits:
                assert node.receive("p2") == frame
            node.expect_none()


@pytest.mark.parametrize("net, segment", [(8, "8"), (9, "9")], ids=["no way", "no neighbour"])
def test_list_without_a_way_is_skipped(node, net, segment):
    """A list counts only if its first hop is reached now: a route that leads nowhere is none, and a segment
    on a link is a neighbour like any gateway."""
    for sport in range(3000, 3012):
        node.send("p0", to_node(0, wire.udp4("10.0.0.2", f"10.{net}.0.1", sport=sport)))
        assert out_of(node, "p1")[1][24:40] == wire.addr("2001:db8:a::" + segment)


@pytest.mark.parametrize("proto", [wire.IP4, wire.IP6, wire.ETH, wire.ROUTING])
def test_tunnels_spread_by_flow_label(node, proto):
    """RFC 6438: between the same two ends the label is what tells flows apart. Of other packets it is not
    looked at."""
    inner = wire.srh(wire.IP4, ["2001:db8:b::1"], 0) if proto == wire.ROUTING else b""
    inner += wire.udp4("10.0.0.2", "10.0.1.2")
    macs = []
    for label in list(range(0, 320, 10)) * 2:
        node.send("p0", to_node(0, wire.ip6("fd00::2", "2001:db8:b::1", proto, inner, label=label)))
        macs.append(out_of(node, "p1")[0])
    assert macs[:32] == macs[32:] and 6 < macs[:32].count(wire.mac(PEER % 1)) < 26
    udp = wire.udp6("fd00::2", "2001:db8:b::1")
    for label in range(16):
        node.send("p0", to_node(0, udp[:1] + bytes([0, label, 0x77]) + udp[4:]))
    assert len({out_of(node, "p1")[0] for _ in range(16)}) == 1


def test_too_big_behind_own_sids(node):
    """What the node encapsulated and led through SIDs of its own is still told to the inner source."""
    fits = 1500 - 40  # the SRH went with the last SID (PSP)
    packet = wire.udp4("10.0.0.2", "10.7.0.1", payload=bytes(fits - 28))
    node.send("p0", to_node(0, packet))
    ip = out_of(node, "p1")[1]
    assert len(ip) == 1500 and ip[6] == wire.IP4 and ip[48] == 63
    packet = wire.udp4("10.0.0.2", "10.7.0.1", payload=bytes(fits - 27))
    with node.counts(drop_ip4_too_big=1):
        node.send("p0", to_node(0, packet))
        ip = out_of(node, "p0")[1]
    assert ip[20:22] == bytes([3, 4]) and int.from_bytes(ip[24:28], "big") == fits
    assert ip[12:20] == wire.addr("10.0.0.1") + wire.addr("10.0.0.2")
