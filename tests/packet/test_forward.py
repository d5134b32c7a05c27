# SPDX-License-Identifier: Apache-2.0
"""Forwarding: hop limit and checksum, VLANs and VRFs, every kind of route."""

import collections

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_RR
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

import ipnet
from ipnet import CONFIG, ECMP_HOSTS, fragments, from_node, hop, mac, \
    to_node, udp4, udp6  # noqa: F401

SRC4, SRC6 = "10.0.0.2", "fd00::2"


def forward(node, packet, out_idx=1, in_idx=0, in_vlan=None, out_vlan=None, host=2):
    with node.counts():
        node.exchange(ipnet.PORTS[in_idx], to_node(node, in_idx, packet, in_vlan),
                      ipnet.PORTS[out_idx], from_node(node, out_idx, hop(packet), out_vlan, host))


@pytest.mark.parametrize("packet", [
    udp4(SRC4, "10.0.1.2"),
    udp4(SRC4, "10.0.1.2", ttl=2),
    udp4(SRC4, "10.0.1.2", ttl=255, tos=0xff, id=0xffff, flags="DF"),
    IP(src=SRC4, dst="10.0.1.2", id=7, flags="MF") / UDP(sport=1, dport=2, len=5000) / Raw(b"a" * 64),
    IP(src=SRC4, dst="10.0.1.2", id=7, frag=100, proto=17) / Raw(b"b" * 64),
    IP(src=SRC4, dst="10.0.1.2") / TCP(sport=1, dport=2, flags="S"),
    IP(src=SRC4, dst="10.0.1.2") / ICMP() / b"ping",
    IP(src=SRC4, dst="10.0.1.2", proto=50) / Raw(bytes(range(40))),
    IP(src=SRC4, dst="10.0.1.2", proto=253),
    IP(src=SRC4, dst="10.0.1.2", options=[IPOption_RR(length=11, routers=["0.0.0.0"] * 2)]) / UDP() / b"o",
    IP(src=SRC4, dst="10.0.1.2", options=[b"\x01" * 40]) / UDP() / b"full of options",
    udp4(SRC4, "10.0.1.2", data=b"m" * 1472),
], ids=["udp", "ttl2", "all-bits", "first-fragment", "fragment", "tcp", "icmp", "esp", "no-payload",
        "options", "40-option-bytes", "mtu"])
def test_ip4(node, packet):
    forward(node, packet)


@pytest.mark.parametrize("packet", [
    udp6(SRC6, "fd01::2"),
    udp6(SRC6, "fd01::2", hlim=2),
    udp6(SRC6, "fd01::2", hlim=255, tc=0xff, fl=0xfffff),
    IPv6(src=SRC6, dst="fd01::2") / IPv6ExtHdrFragment(id=9, offset=0, m=1, nh=17) / Raw(b"f" * 64),
    IPv6(src=SRC6, dst="fd01::2") / TCP(sport=1, dport=2),
    IPv6(src=SRC6, dst="fd01::2", nh=50) / Raw(bytes(range(40))),
    IPv6(src=SRC6, dst="fd01::2", nh=59),
    IPv6(src=SRC6, dst="fd01::2") / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) / UDP(),
    IPv6(src=SRC6, dst="fd01::2") / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) / UDP(),
    udp6(SRC6, "fd01::2", data=b"m" * 1452),
], ids=["udp", "hop-limit2", "all-bits", "fragment", "tcp", "esp", "no-next-header", "dest-options",
        "hop-by-hop", "mtu"])
def test_ip6(node, packet):
    forward(node, packet)


def test_ip4_checksum_carry(node):
    # Every checksum around those where adding 0x0100 carries, and where it would leave negative zero.
    base = bytes(IP(src=SRC4, dst="10.0.1.2", id=0, len=20, proto=253))
    zero = int.from_bytes(base[10:12], "big")
    for want in (0xfdff, 0xfefe, 0xfeff, 0xff00, 0xff01, 0xfffe, 0x0000, 0x00ff):
        ident = (zero - want) % 0xffff
        packet = IP(src=SRC4, dst="10.0.1.2", id=ident, proto=253)
        assert bytes(packet)[10:12] == want.to_bytes(2, "big")
        forward(node, packet)


@pytest.mark.parametrize("packet", [udp4(SRC4, "10.0.1.2", data=b""), udp6(SRC6, "fd01::2", data=b"")],
                         ids=["ip4", "ip6"])
@pytest.mark.parametrize("junk", [1, 18, 1000])
def test_padding_is_cut(node, packet, junk):
    with node.counts():
        node.send("p0", to_node(node, 0, packet) + b"\xee" * junk)
        node.expect("p1", from_node(node, 1, hop(packet)))


def test_burst_keeps_order(node):
    packets = [udp4(SRC4, "10.0.1.2", data=b"%d" % i) for i in range(300)]
    frames = [to_node(node, 0, p) for p in packets]
    with node.counts():
        node.send("p0", *frames)
        for p in packets:
            node.expect("p1", from_node(node, 1, hop(p)))


def test_mixed_burst(node):
    # Neighbouring packets with different tables, families and ends in one burst.
    four, six = udp4(SRC4, "10.0.1.2"), udp6(SRC6, "fd01::2")
    back, hole = udp4(SRC4, "10.0.2.2"), udp4(SRC4, "10.2.0.1")
    red = udp4(SRC4, "10.0.1.2", data=b"red")
    n = 50
    with node.counts(drop_blackhole=n):
        for _ in range(n):
            node.send("p0", to_node(node, 0, four), to_node(node, 0, six), to_node(node, 0, hole),
                      to_node(node, 0, red, 100), to_node(node, 0, back))
        node.expect_all("p1", [from_node(node, 1, hop(four)), from_node(node, 1, hop(six)),
                               from_node(node, 1, hop(red), 100)] * n)
        node.expect_all("p2", [from_node(node, 2, hop(back))] * n)


@pytest.mark.parametrize("packet", [
    udp4(SRC4, "10.0.3.2", id=5, data=b"f" * 1253),
    udp4(SRC4, "10.0.3.2", id=6, data=bytes(i & 0xff for i in range(1472))),
    IP(src=SRC4, dst="10.0.3.2", id=7, flags="MF", frag=10, proto=17) / Raw(b"m" * 1480),
    IP(src=SRC4, dst="10.0.3.2", id=7, frag=200, proto=17) / Raw(b"l" * 1479),
], ids=["one-byte-over", "1500", "first-of-many", "last"])
def test_fragmented(node, packet):
    pieces = fragments(hop(packet), 1280)
    assert len(pieces) == 2
    with node.counts():
        node.send("p0", to_node(node, 0, packet))
        for piece in pieces:
            node.expect("p1", from_node(node, 1, piece, 300))


# VLANs and VRFs


@pytest.mark.parametrize("vlan", [100, 200])
@pytest.mark.parametrize("packet", [udp4(SRC4, "10.0.1.2"), udp6(SRC6, "fd01::2")], ids=["ip4", "ip6"])
def test_vlan_stays_in_its_vrf(node, packet, vlan):
    # The same addresses exist in default, red and blue: tag in, tag out, and another neighbour.
    forward(node, packet, in_vlan=vlan, out_vlan=vlan)
    node.expect_none()


def test_untagged_to_vlan_of_same_vrf(node):
    forward(node, udp4(SRC4, "10.0.3.2"), out_vlan=300)
    forward(node, udp6(SRC6, "fd03::2"), out_vlan=300)


def test_vlan_to_untagged_of_same_vrf(node):
    forward(node, udp4("10.0.3.2", "10.0.0.2"), in_idx=1, in_vlan=300, out_idx=0)


def test_priority_tag_is_untagged(node):
    for packet in (udp4(SRC4, "10.0.1.2"), udp6(SRC6, "fd01::2")):
        forward(node, packet, in_vlan=Dot1Q(vlan=0, prio=5))


def test_priority_of_a_tag_is_ignored(node):
    packet = udp4(SRC4, "10.0.1.2")
    with node.counts():
        node.send("p0", to_node(node, 0, packet, Dot1Q(vlan=100, prio=7, id=1)))
        node.expect("p1", from_node(node, 1, hop(packet), 100))


def test_vrf_without_the_route(node):
    # default has 10.1.0.0/16, red and blue have not.
    for vlan in (100, 200):
        packet = udp4(SRC4, "10.1.0.1")
        with node.counts(drop_ip4_no_route=1):
            node.send("p0", to_node(node, 0, packet, vlan))
            node.expect("p0", from_node(node, 0, ipnet.error4("10.0.0.1", SRC4, 3, 0, packet), vlan))


# Routes


@pytest.mark.parametrize("dst, out_idx, host", [
    ("10.1.0.1", 1, 2), ("10.1.255.255", 1, 2), ("10.1.1.255", 1, 2), ("10.1.3.0", 1, 2),
    ("10.1.2.0", 2, 2), ("10.1.2.127", 2, 2), ("10.1.2.200", 1, 3)])
def test_longest_prefix_ip4(node, dst, out_idx, host):
    forward(node, udp4(SRC4, dst), out_idx, host=host)


@pytest.mark.parametrize("dst, out_idx, host", [
    ("fd10::1", 1, 2), ("fd10:ffff::", 1, 2), ("fd10:0:0:1:ffff::", 1, 2), ("fd10:0:0:3::", 1, 2),
    ("fd10:0:0:2::", 2, 2), ("fd10:0:0:2:7fff:ffff:ffff:ffff", 2, 2),
    ("fd10:0:0:2:8000::200", 1, 3)])
def test_longest_prefix_ip6(node, dst, out_idx, host):
    forward(node, udp6(SRC6, dst), out_idx, host=host)


@pytest.mark.parametrize("packet", [
    udp4(SRC4, "10.2.0.1"), udp4(SRC4, "10.1.2.128"), udp4(SRC4, "10.1.2.199"),
    udp6(SRC6, "fd12::1"), udp6(SRC6, "fd10:0:0:2:8000::"), udp6(SRC6, "fd10:0:0:2:8000::201")],
    ids=["ip4", "ip4-first", "ip4-beside-host", "ip6", "ip6-first", "ip6-beside-host"])
def test_blackhole_is_silent(node, packet):
    with node.counts(drop_blackhole=1):
        node.send("p0", to_node(node, 0, packet))
        node.expect_none()


def test_interface_route(node):
    forward(node, udp4(SRC4, "10.5.0.9"), 2, host=9)
    forward(node, udp6(SRC6, "fd05::9"), 2, host=9)


def test_link_local_gateway(node):
    forward(node, udp6(SRC6, "fd16::1"), 2)


def test_back_out_of_the_same_port(node):
    forward(node, udp4("10.0.1.2", "10.1.0.1"), 1, in_idx=1)


@pytest.mark.parametrize("make, dst", [(lambda s, d: udp4(SRC4, d, sport=s), "10.4.0.1"),
                                       (lambda s, d: udp6(SRC6, d, sport=s), "fd14::1")],
                         ids=["ip4", "ip6"])
def test_ecmp(node, make, dst):
    flows = [make(1024 + i * 37, dst) for i in range(240)]
    ways = []
    with node.counts():
        for _ in range(2):
            node.send("p0", *[to_node(node, 0, f) for f in flows])
            got = [node.receive("p2") for _ in flows]
            # Sorted by the frame behind the destination MAC: the flow.
            ways.append({frame[6:]: frame[:6] for frame in got})
    assert ways[0] == ways[1], "a flow changed its path"
    assert set(ways[0]) == {from_node(node, 2, hop(f))[6:] for f in flows}
    share = collections.Counter(ways[0].values())
    macs = [bytes.fromhex(mac(2, h).replace(":", "")) for h in ECMP_HOSTS]
    assert set(share) == set(macs)
    # 60, 60 and 120 are fair; five standard deviations are fine.
    assert 28 <= share[macs[0]] <= 95 and 28 <= share[macs[1]] <= 95 and 82 <= share[macs[2]] <= 158
