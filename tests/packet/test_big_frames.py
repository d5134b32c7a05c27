# SPDX-License-Identifier: Apache-2.0
"""9000-byte packets: in large buffers as af_packet receives them, in chains of small ones as libpcap's
driver does, and from jumbo to normal. (DPDK's tap refuses an MTU beyond 1500.)"""

import pytest
from scapy.layers.inet import IP

import harness
import ipnet
from ipnet import addresses, error4, error6, fragments, from_node, hop, host_neighbors, icmp4, \
    ip4_header, to_node, udp4, udp6

CONFIG = dict(
    icmp=dict(errors_per_s=100000, burst=10000),
    ports=[dict(name="p0", mtu=9000, addresses=addresses(0), vlans=[
               dict(id=100, vrf="red", addresses=addresses(0))]),
           dict(name="p1", mtu=9000, addresses=addresses(1), vlans=[
               dict(id=100, vrf="red", addresses=addresses(1))]),
           dict(name="p2", addresses=addresses(2))],
    neighbors=host_neighbors(0) + host_neighbors(1) + host_neighbors(2) + host_neighbors(0, 100) +
    host_neighbors(1, 100),
    vrfs=[dict(name="red")],
)

SRC4, SRC6 = "10.0.0.2", "fd00::2"


def data(n):
    return bytes((i * 7 + (i >> 8)) & 0xff for i in range(n))


@pytest.fixture(scope="module", params=["large", "chained"])
def module_node(request, workers):
    ports = [dict(p) for p in CONFIG["ports"]]
    if request.param == "chained":
        # libpcap's driver delivers frames of any length, in chains when its buffers are small.
        ports[0].update(mtu=1500, device="net_pcap0,rx_iface_in=n-p0,tx_iface=n-p0", tx_queues=1)
    node = harness.Node(dict(CONFIG, ports=ports), workers, "af_packet")
    if request.param == "chained":
        node.set_mtu("p0", 9100)
    yield node
    assert node.stop() == 0


@pytest.mark.parametrize("size", [1501, 2034, 2035, 2048, 2049, 4082, 8999, 9000])
def test_forward(node, size):
    with node.counts():
        for packet in (udp4(SRC4, "10.0.1.2", data=data(size - 28)),
                       udp6(SRC6, "fd01::2", data=data(size - 48))):
            for vlan in (None, 100):
                node.exchange("p0", to_node(node, 0, packet, vlan),
                              "p1", from_node(node, 1, hop(packet), vlan))


def test_burst(node):
    packets = [udp4(SRC4, "10.0.1.2", data=data(8972 - i)) for i in range(100)]
    with node.counts():
        node.send("p0", *[to_node(node, 0, p) for p in packets])
        for p in packets:
            node.expect("p1", from_node(node, 1, hop(p)))


@pytest.mark.parametrize("size", [1501, 9000])
def test_echo(node, size):
    body, reply = (icmp4(kind, 0, 7, data(size - 28)) for kind in (8, 0))
    answer = ip4_header("10.0.0.1", SRC4, 1, len(reply)) + reply
    mtu = {p["port"]: p["mtu"] for p in node.get("/ports")["ports"]}["p0"]
    with node.counts():
        node.send("p0", to_node(node, 0, ip4_header(SRC4, "10.0.0.1", 1, len(body)) + body))
        for piece in [answer] if mtu == 9000 else fragments(answer, mtu):
            node.expect("p0", from_node(node, 0, piece))


@pytest.mark.parametrize("size", [1501, 9000])
def test_too_big_for_1500(node, size):
    four = udp4(SRC4, "10.0.2.2", flags="DF", data=data(size - 28))
    six = udp6(SRC6, "fd02::2", data=data(size - 48))
    with node.counts(drop_ip4_too_big=1, drop_ip6_too_big=1):
        node.exchange("p0", to_node(node, 0, four), "p0",
                      from_node(node, 0, error4("10.0.0.1", SRC4, 3, 4, four, 1500)))
        node.exchange("p0", to_node(node, 0, six), "p0",
                      from_node(node, 0, error6("fd00::1", SRC6, 2, 0, six, 1500)))


def test_fragmented(node):
    packet = udp4(SRC4, "10.0.2.2", id=9, data=data(8972))
    pieces = fragments(hop(packet), 1500)
    with node.counts():
        node.send("p0", to_node(node, 0, packet))
        for piece in pieces:
            node.expect("p2", from_node(node, 2, piece))


def test_malformed(node):
    packet = bytearray(bytes(udp4(SRC4, "10.0.1.2", data=data(8972))))
    packet[2:4] = (9001).to_bytes(2, "big")
    packet[10:12] = bytes(2)
    packet[10:12] = ipnet.checksum(bytes(packet[:20])).to_bytes(2, "big")
    assert IP(bytes(packet)).len == 9001
    with node.counts(drop_ip4_malformed=1):
        node.send("p0", to_node(node, 0, bytes(packet)))
        node.expect_none()


def test_padding_over_segments(node):
    packet = udp4(SRC4, "10.0.1.2", data=data(100))
    for junk in (2000, 4000, 8800):
        node.exchange("p0", to_node(node, 0, packet) + bytes(junk), "p1", from_node(node, 1, hop(packet)))
