# SPDX-License-Identifier: Apache-2.0
"""Packets to the node itself: echo, extension headers, what it has no use for."""

import pytest
from scapy.layers.inet import IP, IPOption_RR
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN)
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

import ipnet
from ipnet import CONFIG, error6, from_node, icmp4, icmp6, ip4_header, ip6_header, link_local, mac, \
    to_node  # noqa: F401

ECHO4, REPLY4, ECHO6, REPLY6 = 8, 0, 128, 129
ID_SEQ = 0x12340007
SRC4, SRC6 = "10.0.0.2", "fd00::2"
DATA = bytes(i & 0xff for i in range(2000))


def echo4(src, dst, data=b"ping", kind=ECHO4, **fields):
    body = icmp4(kind, 0, ID_SEQ, data)
    return ip4_header(src, dst, 1, len(body), **fields) + body


def echo6(src, dst, data=b"ping", kind=ECHO6, **fields):
    body = icmp6(src, dst, kind, 0, ID_SEQ, data)
    return ip6_header(src, dst, 58, len(body), **fields) + body


def node_link_local(node, port_idx):
    return link_local(node.mac(ipnet.PORTS[port_idx]))


@pytest.mark.parametrize("length", [0, 1, 2, 55, 56, 1472])
def test_echo_ip4(node, length):
    request = echo4(SRC4, "10.0.0.1", DATA[:length], ttl=1, tos=0x28, ident=0xbeef, flags=0x4000)
    reply = echo4("10.0.0.1", SRC4, DATA[:length], REPLY4, tos=0x28, ident=0xbeef, flags=0x4000)
    with node.counts():
        node.exchange("p0", to_node(node, 0, request), "p0", from_node(node, 0, reply))


@pytest.mark.parametrize("length", [0, 1, 2, 55, 56, 1452])
def test_echo_ip6(node, length):
    request = echo6(SRC6, "fd00::1", DATA[:length], hop_limit=1, tc=0x28, flow=0xabcde)
    reply = echo6("fd00::1", SRC6, DATA[:length], REPLY6, tc=0x28, flow=0xabcde)
    with node.counts():
        node.exchange("p0", to_node(node, 0, request), "p0", from_node(node, 0, reply))


def test_echo_to_address_of_another_port(node):
    with node.counts():
        node.exchange("p0", to_node(node, 0, echo4(SRC4, "10.0.2.1")),
                      "p0", from_node(node, 0, echo4("10.0.2.1", SRC4, kind=REPLY4)))
        node.exchange("p0", to_node(node, 0, echo6(SRC6, "fd02::1")),
                      "p0", from_node(node, 0, echo6("fd02::1", SRC6, kind=REPLY6)))


def test_echo_in_vlan(node):
    for vlan in (100, 200):
        node.exchange("p0", to_node(node, 0, echo4(SRC4, "10.0.1.1"), vlan),
                      "p0", from_node(node, 0, echo4("10.0.1.1", SRC4, kind=REPLY4), vlan))


def test_echo_to_address_of_another_vrf(node):
    # 10.0.2.1 is default's; in red it is nobody's.
    request = echo4(SRC4, "10.0.2.1")
    with node.counts(drop_ip4_no_route=1):
        node.exchange("p0", to_node(node, 0, request, 100), "p0",
                      from_node(node, 0, ipnet.error4("10.0.0.1", SRC4, 3, 0, request), 100))


def test_echo_reply_takes_the_route(node):
    # The requester is not where the request came in.
    with node.counts():
        node.exchange("p0", to_node(node, 0, echo4("10.1.2.1", "10.0.0.1")),
                      "p2", from_node(node, 2, echo4("10.0.0.1", "10.1.2.1", kind=REPLY4)))


def test_echo_with_options_is_answered_without(node):
    head = IP(src=SRC4, dst="10.0.0.1", id=3, options=[IPOption_RR(length=11, routers=["0.0.0.0"] * 2)])
    request = head / Raw(icmp4(ECHO4, 0, ID_SEQ, b"options"))
    request.proto = 1
    with node.counts():
        node.exchange("p0", to_node(node, 0, request),
                      "p0", from_node(node, 0, echo4("10.0.0.1", SRC4, b"options", REPLY4, ident=3)))


def test_echo_link_local(node):
    ours, theirs = node_link_local(node, 0), link_local(mac(0))
    with node.counts():
        for src in (theirs, SRC6):
            node.exchange("p0", to_node(node, 0, echo6(src, ours)),
                          "p0", from_node(node, 0, echo6(ours, src, kind=REPLY6)))


def test_echo_link_local_in_vlan(node):
    ours, theirs = node_link_local(node, 0), link_local(mac(0, 2, 100))
    node.exchange("p0", to_node(node, 0, echo6(theirs, ours), 100),
                  "p0", from_node(node, 0, echo6(ours, theirs, kind=REPLY6), 100))


def test_link_local_of_another_port_is_not_ours(node):
    with node.counts(drop_ip6_martian=2):
        for src in (link_local(mac(0)), SRC6):
            node.send("p0", to_node(node, 0, echo6(src, node_link_local(node, 1))))
        node.expect_none()


@pytest.mark.parametrize("group, group_mac", [("ff02::1", "33:33:00:00:00:01"),
                                              ("ff02::2", "33:33:00:00:00:02")])
def test_echo_to_group(node, group, group_mac):
    # The answer comes from an address of the node, not from the group (RFC 4443 section 4.2).
    ours = node_link_local(node, 0)
    with node.counts():
        for src in (link_local(mac(0)), SRC6):
            node.exchange("p0", to_node(node, 0, echo6(src, group), dst=group_mac),
                          "p0", from_node(node, 0, echo6(ours, src, kind=REPLY6)))


@pytest.mark.parametrize("group", ["ff02::5", "ff02::1:2", "ff05::2", "ff0e::1", "ff01::1"])
def test_echo_to_group_of_others(node, group):
    with node.counts(drop_ip6_multicast=1):
        node.send("p0", to_node(node, 0, echo6(SRC6, group), dst="33:33:00:00:00:05"))
        node.expect_none()


@pytest.mark.parametrize("packet, counter", [
    (echo4(SRC4, "10.0.0.1")[:-1] + b"G", "drop_local_checksum"),
    (echo6(SRC6, "fd00::1")[:-1] + b"G", "drop_local_checksum"),
    (echo4(SRC4, "10.0.0.1", kind=REPLY4), "drop_local_icmp"),
    (echo6(SRC6, "fd00::1", kind=REPLY6), "drop_local_icmp"),
    (echo4(SRC4, "10.0.0.1", kind=13), "drop_local_icmp"),
    (ip4_header(SRC4, "10.0.0.1", 1, 7) + bytes(7), "drop_local_icmp"),
    (ip6_header(SRC6, "fd00::1", 58, 7) + bytes(7), "drop_local_icmp"),
    (ip6_header(SRC6, "fd00::1", 59, 0), "drop_local_icmp"),
    (bytes(IP(src=SRC4, dst="10.0.0.1", flags="MF", proto=17) / Raw(bytes(64))), "drop_local_fragment"),
    (bytes(IP(src=SRC4, dst="10.0.0.1", frag=8, proto=17) / Raw(bytes(64))), "drop_local_fragment"),
    (bytes(IPv6(src=SRC6, dst="fd00::1") / IPv6ExtHdrFragment(m=1, nh=17) / Raw(bytes(64))),
     "drop_local_fragment"),
    (bytes(IPv6(src=SRC6, dst="fd00::1") / IPv6ExtHdrFragment(offset=8, nh=17) / Raw(bytes(64))),
     "drop_local_fragment"),
    (echo6("::", "fd00::1"), "drop_ip6_martian"),
], ids=["sum4", "sum6", "reply4", "reply6", "timestamp", "short4", "short6", "no-next-header",
        "first-fragment4", "fragment4", "first-fragment6", "fragment6", "from-nobody"])
def test_silent_drop(node, packet, counter):
    with node.counts(**{counter: 1}):
        node.send("p0", to_node(node, 0, packet))
        node.expect_none()


# Extension headers at an address of the node


def extended(*headers, data=b"extended"):
    """An echo request behind extension headers, and its answer, which has none."""
    packet = IPv6(src=SRC6, dst="fd00::1")
    for header in headers:
        packet = packet / header
    body = icmp6(SRC6, "fd00::1", ECHO6, 0, ID_SEQ, data)
    packet.lastlayer().nh = 58
    return bytes(packet / Raw(body)), echo6("fd00::1", SRC6, data, REPLY6)


def options(n=4):
    return IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(n))])


def with_srh(segments_left, before=b"", before_nh=43):
    body = icmp6(SRC6, "fd00::1", ECHO6, 0, ID_SEQ, b"srh")
    header = bytes([58, 4, 4, segments_left, 1, 0, 0, 0]) + bytes(32)
    return ip6_header(SRC6, "fd00::1", before_nh, len(before + header + body)) + before + header + body


@pytest.mark.parametrize("headers", [
    (options(),), (options(12), options(4)), (IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]),),
    (IPv6ExtHdrRouting(type=0, segleft=0, addresses=["fd00::9"]),),
    (IPv6ExtHdrRouting(type=253, segleft=0, addresses=[]),),
    (IPv6ExtHdrFragment(nh=58),), (options(),) * 8],
    ids=["options", "two", "hop-by-hop", "routing0", "routing253", "atomic-fragment", "eight"])
def test_echo_behind_extension_headers(node, headers):
    request, reply = extended(*headers)
    with node.counts():
        node.exchange("p0", to_node(node, 0, request), "p0", from_node(node, 0, reply))


def test_srh_without_segments_left(node):
    with node.counts():
        node.exchange("p0", to_node(node, 0, with_srh(0)),
                      "p0", from_node(node, 0, echo6("fd00::1", SRC6, b"srh", REPLY6)))


@pytest.mark.parametrize("kind", [0, 2, 3, 4, 253])
def test_routing_header_with_segments_left(node, kind):
    # RFC 8200 section 4.4, RFC 8754 section 4.3.2: the pointer is at the routing type.
    for before in (b"", bytes([43, 0, 1, 4, 0, 0, 0, 0])):
        packet = bytearray(with_srh(1, before, 60 if before else 43))
        at = 40 + len(before) + 2
        packet[at] = kind
        with node.counts(drop_ip6_routing_header=1):
            node.exchange("p0", to_node(node, 0, bytes(packet)), "p0", from_node(
                node, 0, error6("fd00::1", SRC6, 4, 0, bytes(packet), value=at)))


@pytest.mark.parametrize("cut", [1, 7, 8])
def test_truncated_extension_header(node, cut):
    header = bytes([58, 1, 1, 12]) + bytes(12)
    packet = ip6_header(SRC6, "fd00::1", 60, len(header) - cut) + header[:-cut]
    with node.counts(drop_ip6_ext_headers=1):
        node.send("p0", to_node(node, 0, packet))
        node.expect_none()


def test_too_many_extension_headers(node):
    request, _ = extended(*[options()] * 9)
    with node.counts(drop_ip6_ext_headers=1):
        node.send("p0", to_node(node, 0, request))
        node.expect_none()


def test_priority_tagged_echo(node):
    node.exchange("p0", to_node(node, 0, echo4(SRC4, "10.0.0.1"), Dot1Q(vlan=0, prio=3)),
                  "p0", from_node(node, 0, echo4("10.0.0.1", SRC4, kind=REPLY4)))
