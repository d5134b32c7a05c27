# SPDX-License-Identifier: Apache-2.0
"""Frames and headers that are wrong, each with its counter, and nothing that comes of them."""

import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw
from scapy.utils import checksum

from ipnet import CONFIG, from_node, hop, mac, to_node, udp4, udp6  # noqa: F401

SRC4, DST4, SRC6, DST6 = "10.0.0.2", "10.0.1.2", "fd00::2", "fd01::2"
GOOD4 = bytes(udp4(SRC4, DST4))
GOOD6 = bytes(udp6(SRC6, DST6))


def with_sum(packet, ihl=None):
    """An IPv4 packet with its header checksum put right."""
    b = bytearray(packet)
    b[10:12] = bytes(2)
    b[10:12] = struct.pack(">H", checksum(bytes(b[:(ihl or b[0] & 15) * 4])))
    return bytes(b)


def patched(packet, off, data):
    return packet[:off] + data + packet[off + len(data):]


def eth4(node, payload):
    return bytes.fromhex(node.mac("p0").replace(":", "") + mac(0).replace(":", "")) + b"\x08\x00" + payload


def eth6(node, payload):
    return bytes.fromhex(node.mac("p0").replace(":", "") + mac(0).replace(":", "")) + b"\x86\xdd" + payload


def dropped(node, counter, *frames):
    with node.counts(**{counter: len(frames)}):
        node.send("p0", *frames)
        node.expect_none()


@pytest.mark.parametrize("version", [v for v in range(16) if v != 4])
def test_ip4_version(node, version):
    dropped(node, "drop_ip4_malformed", eth4(node, with_sum(patched(GOOD4, 0, bytes([version << 4 | 5])))))


def test_ip4_header_length(node):
    frames = [eth4(node, with_sum(patched(GOOD4, 0, bytes([0x40 | ihl])), 5)) for ihl in range(5)]
    # Longer than the packet's own length, and than the frame.
    frames.append(eth4(node, with_sum(patched(GOOD4, 0, b"\x4f"), 5)))
    frames.append(eth4(node, with_sum(patched(GOOD4, 0, b"\x4f") + bytes(64), 15)))
    dropped(node, "drop_ip4_malformed", *frames)


def test_ip4_total_length(node):
    n = len(GOOD4)
    bad = [0, 1, 19, n + 1, n + 1000, 0xffff]
    dropped(node, "drop_ip4_malformed",
            *[eth4(node, with_sum(patched(GOOD4, 2, struct.pack(">H", x)))) for x in bad])


def test_ip4_total_length_ends_the_packet(node):
    # Shorter than the frame is fine: what follows is padding. Even the header alone.
    for n in (20, 28, len(GOOD4) - 1):
        packet = with_sum(patched(GOOD4, 2, struct.pack(">H", n)))
        want = with_sum(patched(packet[:n], 8, bytes([63])))
        with node.counts():
            node.exchange("p0", eth4(node, packet), "p1", from_node(node, 1, want))


def test_ip4_checksum(node):
    at = int.from_bytes(GOOD4[10:12], "big")
    bad = [struct.pack(">H", (at + d) & 0xffff) for d in (1, -1, 0x100, 0x8000)]
    dropped(node, "drop_ip4_checksum", *[eth4(node, patched(GOOD4, 10, b)) for b in bad])
    # Every bit of the header counts; those of version and lengths are refused earlier.
    flips = [patched(GOOD4, i, bytes([GOOD4[i] ^ 1 << bit])) for i in range(4, 20) for bit in range(8)]
    dropped(node, "drop_ip4_checksum", *[eth4(node, f) for f in flips])


def test_ip4_options_checksum(node):
    packet = IP(src=SRC4, dst=DST4, options=[b"\x01" * 8]) / UDP() / Raw(b"options")
    good = bytes(packet)
    flips = [patched(good, i, bytes([good[i] ^ 0x10])) for i in range(4, 28)]
    dropped(node, "drop_ip4_checksum", *[eth4(node, f) for f in flips])
    node.exchange("p0", eth4(node, good), "p1", from_node(node, 1, hop(packet)))


def test_ip4_truncated_header(node):
    dropped(node, "drop_ip4_malformed", *[eth4(node, GOOD4[:n]) for n in range(20)])


def test_ip4_truncated_options(node):
    packet = with_sum(patched(GOOD4, 0, b"\x4f") + bytes(60), 15)
    dropped(node, "drop_ip4_malformed", *[eth4(node, packet[:n]) for n in range(20, 60)])


def test_ip6_truncated_header(node):
    dropped(node, "drop_ip6_malformed", *[eth6(node, GOOD6[:n]) for n in range(40)])


def test_ip6_payload_length(node):
    n = len(GOOD6) - 40
    dropped(node, "drop_ip6_malformed", *[eth6(node, patched(GOOD6, 4, struct.pack(">H", x)))
                                          for x in (n + 1, n + 1000, 0xffff)])


def test_ip6_payload_length_ends_the_packet(node):
    for n in (0, 8, len(GOOD6) - 41):
        packet = patched(GOOD6, 4, struct.pack(">H", n))
        with node.counts():
            node.exchange("p0", eth6(node, packet),
                          "p1", from_node(node, 1, patched(packet[:40 + n], 7, bytes([63]))))


def test_ip6_jumbogram(node):
    # RFC 2675: payload length 0, and the true one in a hop-by-hop option.
    options = bytes([17, 0, 0xc2, 4]) + struct.pack(">I", 70000)
    dropped(node, "drop_ip6_malformed", eth6(node, patched(GOOD6[:40], 4, bytes(2))[:6] + bytes([0])
                                             + GOOD6[7:40] + options + GOOD6[40:]))


@pytest.mark.parametrize("version", [v for v in range(16) if v != 6])
def test_ip6_version(node, version):
    dropped(node, "drop_ip6_malformed", eth6(node, patched(GOOD6, 0, bytes([version << 4]))))


def test_wrong_ether_type(node):
    dropped(node, "drop_ip4_malformed", eth4(node, GOOD6))
    dropped(node, "drop_ip6_malformed", eth6(node, GOOD4 + bytes(40)))


@pytest.mark.parametrize("src, dst", [
    ("127.0.0.1", DST4), ("127.255.255.255", DST4), ("224.0.0.1", DST4), ("239.1.2.3", DST4),
    ("240.0.0.1", DST4), ("255.255.255.255", DST4), ("0.0.0.0", DST4), ("0.1.2.3", DST4),
    (SRC4, "127.0.0.1"), (SRC4, "224.0.0.5"), (SRC4, "239.255.255.255"), (SRC4, "240.0.0.1"),
    (SRC4, "255.255.255.255"), (SRC4, "0.0.0.0"), ("127.0.0.1", "10.0.0.1")])
def test_ip4_martian(node, src, dst):
    dropped(node, "drop_ip4_martian", eth4(node, bytes(udp4(src, dst))))


def test_ip4_beside_martians(node):
    for src in ("1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255"):
        packet = udp4(src, DST4)
        node.exchange("p0", to_node(node, 0, packet), "p1", from_node(node, 1, hop(packet)))


@pytest.mark.parametrize("src, dst, counter", [
    ("ff02::1", DST6, "drop_ip6_martian"), ("ff0e::1", DST6, "drop_ip6_martian"),
    ("::1", DST6, "drop_ip6_martian"), ("::", DST6, "drop_ip6_martian"),
    (SRC6, "::1", "drop_ip6_martian"), (SRC6, "::", "drop_ip6_martian"),
    ("::1", "fd00::1", "drop_ip6_martian"), ("ff02::1", "ff02::1", "drop_ip6_martian"),
    (SRC6, "ff05::1", "drop_ip6_multicast"), (SRC6, "ff0e::1", "drop_ip6_multicast"),
    (SRC6, "ff02::9", "drop_ip6_multicast"), ("::", "ff02::9", "drop_ip6_multicast")])
def test_ip6_martian(node, src, dst, counter):
    dropped(node, counter, eth6(node, bytes(udp6(src, dst))))


# Ethernet


def test_not_for_us(node):
    others = ["02:00:00:00:00:99", node.mac("p1"), mac(0), node.mac("p0")[:-1] + "f", "00:00:00:00:00:00"]
    frames = [to_node(node, 0, p, vlan, dst) for dst in others for vlan in (None, 100)
              for p in (GOOD4, GOOD6)]
    dropped(node, "drop_eth_not_for_us", *frames)


@pytest.mark.parametrize("ether_type", [0x0000, 0x05dc, 0x0801, 0x86dc, 0x88a8, 0x8847, 0x88cc, 0xffff])
def test_unknown_type(node, ether_type):
    data = struct.pack(">H", ether_type) + GOOD4
    dropped(node, "drop_eth_unknown_type", eth4(node, b"")[:12] + data)
    dropped(node, "drop_eth_unknown_type", eth4(node, b"")[:12] + b"\x81\x00\x00\x64" + data)


def test_double_tag(node):
    inner = Dot1Q(vlan=200, type=0x0800) / Raw(GOOD4)
    dropped(node, "drop_eth_unknown_type",
            eth4(node, b"")[:12] + b"\x81\x00\x00\x64\x81\x00" + bytes(inner))


@pytest.mark.parametrize("vlan", [1, 99, 101, 300, 4095])
def test_unknown_vlan(node, vlan):
    dropped(node, "drop_eth_no_iface", to_node(node, 0, GOOD4, vlan, dst=node.mac("p0")),
            to_node(node, 0, GOOD6, vlan, dst=node.mac("p0")))


def test_truncated_after_tag(node):
    whole = to_node(node, 0, GOOD4, 100)
    dropped(node, "drop_ip4_malformed", *[whole[:n] for n in range(18, 38)])


def test_malformed_in_a_burst_of_good_ones(node):
    n = 40
    bad4, bad6 = eth4(node, GOOD4[:19]), eth6(node, GOOD6[:39])
    martian, sum4 = eth4(node, bytes(udp4("127.0.0.1", DST4))), eth4(node, patched(GOOD4, 10, b"\0\0"))
    with node.counts(drop_ip4_malformed=n, drop_ip6_malformed=n, drop_ip4_martian=n, drop_ip4_checksum=n):
        for _ in range(n):
            node.send("p0", eth4(node, GOOD4), bad4, bad6, eth6(node, GOOD6), martian, sum4)
        node.expect_all("p1", [from_node(node, 1, hop(IP(GOOD4))),
                               from_node(node, 1, patched(GOOD6, 7, b"\x3f"))] * n)
