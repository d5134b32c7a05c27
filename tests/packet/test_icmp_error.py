# SPDX-License-Identifier: Apache-2.0
"""ICMP errors: type, code, value, quote, source, and when there is none."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
from scapy.packet import Raw

import ipnet
from ipnet import CONFIG, ECMP_HOSTS, error4, error6, from_node, icmp4, icmp6, ip4_header, \
    ip6_header, link_local, mac, to_node, udp4, udp6

SRC4, SRC6 = "10.0.0.2", "fd00::2"
NODE4, NODE6 = "10.0.0.1", "fd00::1"


def big4(size):
    return udp4(SRC4, "10.0.3.2", data=b"b" * (size - 28), flags="DF")


def big6(size):
    return udp6(SRC6, "fd03::2", data=b"b" * (size - 48))


CASES4 = {
    "ttl1": (udp4(SRC4, "10.0.1.2", ttl=1), 11, 0, 0, "ip4_ttl"),
    "ttl0": (udp4(SRC4, "10.0.1.2", ttl=0), 11, 0, 0, "ip4_ttl"),
    "ttl1-long": (udp4(SRC4, "10.0.1.2", ttl=1, data=b"q" * 1400), 11, 0, 0, "ip4_ttl"),
    "ttl1-quote-limit": (udp4(SRC4, "10.0.1.2", ttl=1, data=b"q" * 520), 11, 0, 0, "ip4_ttl"),
    "ttl1-quote-over": (udp4(SRC4, "10.0.1.2", ttl=1, data=b"q" * 521), 11, 0, 0, "ip4_ttl"),
    "ttl1-options": (IP(src=SRC4, dst="10.0.1.2", ttl=1, options=[b"\x01" * 40], proto=17) / b"12345678",
                     11, 0, 0, "ip4_ttl"),
    "ttl1-first-fragment": (IP(src=SRC4, dst="10.0.1.2", ttl=1, flags="MF", proto=17) / Raw(bytes(64)),
                            11, 0, 0, "ip4_ttl"),
    "ttl1-echo": (ip4_header(SRC4, "10.0.1.2", 1, 12, ttl=1) + icmp4(8, 0, 1, b"echo"),
                  11, 0, 0, "ip4_ttl"),
    "ttl1-echo-reply": (ip4_header(SRC4, "10.0.1.2", 1, 12, ttl=1) + icmp4(0, 0, 1, b"echo"),
                        11, 0, 0, "ip4_ttl"),
    "no-route": (udp4(SRC4, "10.200.0.1"), 3, 0, 0, "ip4_no_route"),
    "unreachable": (udp4(SRC4, "10.3.0.1"), 3, 1, 0, "ip4_unreachable"),
    "port-udp": (udp4(SRC4, NODE4, ttl=1), 3, 3, 0, "ip4_no_port"),
    "port-tcp": (IP(src=SRC4, dst=NODE4) / TCP(sport=1, dport=179), 3, 3, 0, "ip4_no_port"),
    "protocol": (IP(src=SRC4, dst=NODE4, proto=47) / Raw(bytes(8)), 3, 2, 0, "ip4_protocol"),
    "too-big": (big4(1281), 3, 4, 1280, "ip4_too_big"),
    "too-big-1500": (big4(1500), 3, 4, 1280, "ip4_too_big"),
}


@pytest.mark.parametrize("name", CASES4)
def test_ip4(node, name):
    packet, kind, code, value, counter = CASES4[name]
    source = NODE4 if bytes(packet)[16:20] != bytes([10, 0, 1, 1]) else "10.0.1.1"
    with node.counts(**{"drop_" + counter: 1}):
        node.exchange("p0", to_node(node, 0, packet), "p0",
                      from_node(node, 0, error4(source, SRC4, kind, code, packet, value)))


OPTIONS = IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])
CASES6 = {
    "hop-limit1": (udp6(SRC6, "fd01::2", hlim=1), 3, 0, 0, "ip6_hop_limit"),
    "hop-limit0": (udp6(SRC6, "fd01::2", hlim=0), 3, 0, 0, "ip6_hop_limit"),
    "hop-limit1-long": (udp6(SRC6, "fd01::2", hlim=1, data=b"q" * 1400), 3, 0, 0, "ip6_hop_limit"),
    "hop-limit1-quote-limit": (udp6(SRC6, "fd01::2", hlim=1, data=b"q" * 1184), 3, 0, 0, "ip6_hop_limit"),
    "hop-limit1-quote-over": (udp6(SRC6, "fd01::2", hlim=1, data=b"q" * 1185), 3, 0, 0, "ip6_hop_limit"),
    "hop-limit1-fragment": (IPv6(src=SRC6, dst="fd01::2", hlim=1) / IPv6ExtHdrFragment(offset=9, nh=17) /
                            Raw(bytes(16)), 3, 0, 0, "ip6_hop_limit"),
    "hop-limit1-echo": (ip6_header(SRC6, "fd01::2", 58, 12, hop_limit=1) +
                        icmp6(SRC6, "fd01::2", 128, 0, 1, b"echo"), 3, 0, 0, "ip6_hop_limit"),
    "no-route": (udp6(SRC6, "fd77::1"), 1, 0, 0, "ip6_no_route"),
    "unreachable": (udp6(SRC6, "fd13::1"), 1, 0, 0, "ip6_unreachable"),
    "port-udp": (udp6(SRC6, NODE6, hlim=1), 1, 4, 0, "ip6_no_port"),
    "port-tcp": (IPv6(src=SRC6, dst=NODE6) / TCP(sport=1, dport=179), 1, 4, 0, "ip6_no_port"),
    "port-behind-options": (IPv6(src=SRC6, dst=NODE6) / OPTIONS / TCP(), 1, 4, 0, "ip6_no_port"),
    "next-header": (IPv6(src=SRC6, dst=NODE6, nh=253) / Raw(bytes(8)), 4, 1, 6, "ip6_next_header"),
    "next-header-behind-options": (IPv6(src=SRC6, dst=NODE6) / IPv6ExtHdrDestOpt(
        nh=253, options=[PadN(optdata=bytes(4))]) / Raw(bytes(8)), 4, 1, 40, "ip6_next_header"),
    "next-header-behind-two": (IPv6(src=SRC6, dst=NODE6) / OPTIONS / IPv6ExtHdrDestOpt(
        nh=4, options=[PadN(optdata=bytes(4))]) / Raw(bytes(20)), 4, 1, 48, "ip6_next_header"),
    "too-big": (big6(1281), 2, 0, 1280, "ip6_too_big"),
    "too-big-1500": (big6(1500), 2, 0, 1280, "ip6_too_big"),
}


@pytest.mark.parametrize("name", CASES6)
def test_ip6(node, name):
    packet, kind, code, value, counter = CASES6[name]
    with node.counts(**{"drop_" + counter: 1}):
        node.exchange("p0", to_node(node, 0, packet), "p0",
                      from_node(node, 0, error6(NODE6, SRC6, kind, code, packet, value)))


def test_fits_exactly(node):
    with node.counts():
        for packet in (big4(1280), big6(1280)):
            node.exchange("p0", to_node(node, 0, packet),
                          "p1", from_node(node, 1, ipnet.hop(packet), 300))


def test_too_big_for_the_default_mtu(node):
    # In on p1, whose interface we open wider than the node's 1500, out on p0.
    node.set_mtu("p1", 1600)
    try:
        for size, fits in ((1500, True), (1501, False)):
            packet = udp4("10.0.1.2", SRC4, data=b"b" * (size - 28), flags="DF")
            if fits:
                node.exchange("p1", to_node(node, 1, packet), "p0", from_node(node, 0, ipnet.hop(packet)))
                continue
            with node.counts(drop_ip4_too_big=1):
                node.exchange("p1", to_node(node, 1, packet), "p1", from_node(
                    node, 1, error4("10.0.1.1", "10.0.1.2", 3, 4, packet, 1500)))
    finally:
        node.set_mtu("p1", 1500)


def test_beyond_scope(node):
    # A link-local source goes no further, and is told from our link-local address.
    theirs, ours = link_local(mac(0)), link_local(node.mac("p0"))
    packet = udp6(theirs, "fd01::2")
    with node.counts(drop_ip6_scope=1):
        node.exchange("p0", to_node(node, 0, packet),
                      "p0", from_node(node, 0, error6(ours, theirs, 1, 2, packet)))


def test_error_to_link_local_sender(node):
    theirs, ours = link_local(mac(0)), link_local(node.mac("p0"))
    packet = udp6(theirs, ours)
    with node.counts(drop_ip6_no_port=1):
        node.exchange("p0", to_node(node, 0, packet),
                      "p0", from_node(node, 0, error6(ours, theirs, 1, 4, packet)))


# Source selection


def test_source_is_the_port_that_leads_back(node):
    four, six = udp4("10.0.2.2", "10.0.1.2", ttl=1), udp6("fd02::2", "fd01::2", hlim=1)
    with node.counts(drop_ip4_ttl=1, drop_ip6_hop_limit=1):
        node.exchange("p0", to_node(node, 0, four),
                      "p2", from_node(node, 2, error4("10.0.2.1", "10.0.2.2", 11, 0, four)))
        node.exchange("p0", to_node(node, 0, six),
                      "p2", from_node(node, 2, error6("fd02::1", "fd02::2", 3, 0, six)))


def test_source_behind_a_gateway(node):
    four, six = udp4("10.1.2.5", "10.0.1.2", ttl=1), udp6("fd10:0:0:2::5", "fd01::2", hlim=1)
    node.exchange("p0", to_node(node, 0, four),
                  "p2", from_node(node, 2, error4("10.0.2.1", "10.1.2.5", 11, 0, four)))
    node.exchange("p0", to_node(node, 0, six),
                  "p2", from_node(node, 2, error6("fd02::1", "fd10:0:0:2::5", 3, 0, six)))


def test_source_behind_several_gateways(node):
    packet = udp4("10.4.0.5", "10.0.1.2", ttl=1)
    node.send("p0", to_node(node, 0, packet))
    got = node.receive("p2")
    assert got in [from_node(node, 2, error4("10.0.2.1", "10.4.0.5", 11, 0, packet), host=h)
                   for h in ECMP_HOSTS]


def test_source_in_a_vlan(node):
    for vlan in (100, 200):
        packet = udp4(SRC4, "10.0.1.2", ttl=1)
        node.exchange("p0", to_node(node, 0, packet, vlan),
                      "p0", from_node(node, 0, error4(NODE4, SRC4, 11, 0, packet), vlan))


@pytest.mark.parametrize("packet, want, proto", [
    (udp4("10.7.0.5", "10.0.1.2", ttl=1), lambda p: error4("10.99.0.1", "10.7.0.5", 11, 0, p), 4),
    (udp6("fd17::5", "fd01::2", hlim=1), lambda p: error6("fd99::1", "fd17::5", 3, 0, p), 41),
], ids=["ip4", "ip6"])
def test_source_when_the_way_back_is_a_policy(node, packet, want, proto):
    inner = want(packet)
    outer = ip6_header("fd00::1", "fd10::5", proto, len(inner), tc=inner[1] if proto == 4 else 0)
    frame = from_node(node, 1, outer + inner)
    # All but the flow label, which is the inner flow's hash.
    mask = bytearray(b"\xff" * len(frame))
    mask[15:18] = b"\xf0\x00\x00"
    counter = "drop_ip4_ttl" if proto == 4 else "drop_ip6_hop_limit"
    with node.counts(**{counter: 1}):
        node.exchange("p0", to_node(node, 0, packet, 100), "p1", frame, bytes(mask))


@pytest.mark.parametrize("packet, counter", [
    (udp4("10.7.0.5", "10.0.1.2", ttl=1), "drop_ip4_ttl"),
    (udp6("fd17::5", "fd01::2", hlim=1), "drop_ip6_hop_limit")], ids=["ip4", "ip6"])
def test_no_source_no_error(node, packet, counter):
    with node.counts(**{counter: 1, "drop_icmp_no_source": 1}):
        node.send("p0", to_node(node, 0, packet, 200))
        node.expect_none()


def test_sender_without_a_route(node):
    # The error itself has nowhere to go, and is not the cause of another.
    with node.counts(drop_ip4_ttl=1, drop_icmp_no_source=1):
        node.send("p0", to_node(node, 0, udp4("10.201.0.1", "10.0.1.2", ttl=1)))
        node.expect_none()


def test_sender_is_the_node(node):
    with node.counts(drop_ip4_ttl=1, drop_local_icmp=1):
        node.send("p0", to_node(node, 0, udp4("10.0.1.1", "10.0.1.2", ttl=1)))
        node.expect_none()


# When there is none


def about_icmp4(kind):
    return ip4_header(SRC4, "10.0.1.2", 1, 36, ttl=1) + icmp4(kind, 0, 0, bytes(28))


def about_icmp6(kind, before=b""):
    data = icmp6(SRC6, "fd01::2", kind, 0, 0, bytes(48))
    return ip6_header(SRC6, "fd01::2", 60 if before else 58, len(before + data), hop_limit=1) + before + data


UNSUITABLE4 = {**{f"icmp{k}": (about_icmp4(k), None) for k in (3, 4, 5, 11, 12)},
               "fragment": (bytes(IP(src=SRC4, dst="10.0.1.2", ttl=1, frag=1, proto=17) / Raw(bytes(64))), None)}
UNSUITABLE6 = {**{f"icmp{k}": (about_icmp6(k), None) for k in (1, 2, 3, 4, 100, 127, 137)},
               "icmp1-behind-options": (about_icmp6(1, bytes([58, 0, 1, 4, 0, 0, 0, 0])), None)}


@pytest.mark.parametrize("name", UNSUITABLE4)
def test_unsuitable_ip4(node, name):
    packet, dst = UNSUITABLE4[name]
    with node.counts(drop_ip4_ttl=1, drop_icmp_unsuitable=1):
        node.send("p0", to_node(node, 0, packet, dst=dst))
        node.expect_none()


@pytest.mark.parametrize("name", UNSUITABLE6)
def test_unsuitable_ip6(node, name):
    packet, dst = UNSUITABLE6[name]
    with node.counts(drop_ip6_hop_limit=1, drop_icmp_unsuitable=1):
        node.send("p0", to_node(node, 0, packet, dst=dst))
        node.expect_none()


def test_no_error_about_a_group(node):
    # UDP to all nodes: there is no such port, and nobody is told.
    with node.counts(drop_ip6_no_port=1, drop_icmp_unsuitable=1):
        node.send("p0", to_node(node, 0, udp6(SRC6, "ff02::1"), dst="33:33:00:00:00:01"))
        node.expect_none()


# Rate limit


def test_rate_limit(start_node):
    burst, n = 5, 40
    node = start_node(dict(CONFIG, icmp=dict(errors_per_s=1, burst=burst)))
    four, six = udp4(SRC4, "10.0.1.2", ttl=1), udp6(SRC6, "fd01::2", hlim=1)
    for packet, counter, in_vlan in ((four, "drop_ip4_ttl", None), (six, "drop_ip6_hop_limit", 100)):
        before = node.drops()
        node.send("p0", *[to_node(node, 0, packet, in_vlan)] * n)
        node.barrier()
        got, node.peers["p0"].held = node.peers["p0"].held, []
        make = error4 if packet is four else error6
        ends = (NODE4, SRC4, 11) if packet is four else (NODE6, SRC6, 3)
        want = from_node(node, 0, make(*ends, 0, packet), in_vlan)
        assert got and all(frame == want for frame in got)
        # A second may pass meanwhile, but not ten.
        assert burst <= len(got) <= burst + 10
        moved = node.moved(before)
        assert moved == {counter: n, "drop_icmp_limited": n - len(got)}
