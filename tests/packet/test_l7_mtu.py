# SPDX-License-Identifier: Apache-2.0
"""Full segments on a narrow link, from either family to either, plain and behind SRv6: what the handshakes promise fits
on the wire once it has grown by 20 bytes and an outer header. What no handshake can foresee is told by ICMP."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import l7_lab
from l7_lab import CLIENT, ENDPOINT, SERVER_PORT

MTU = 1280  # the least that IPv6 allows
SEGMENTS = {"plain": 0, "one": 1, "three": 3}
CLASSES = (216, 536, 1020, 1090, 1120, 1180, 1220, 1300, 1340, 1400, 1440)  # MSS that endpoints are told


def outer_len(way):
    n = SEGMENTS[way]
    return 0 if n == 0 else 40 if n == 1 else 40 + 8 + 16 * n


def ports():
    """A port for each way and family: that of the listener whose endpoint is behind it."""
    return {(way, family): 100 + 10 * i + family for i, way in enumerate(SEGMENTS) for family in (4, 6)}


def config():
    listeners = [dict(name=f"{way}{family}", port=port, protocol="tcp", cluster=f"{way}{family}")
                 for (way, family), port in ports().items()]
    made = l7_lab.config(*listeners, srv6=dict(source="fd00::1", policies=[
        dict(name=way, segments=[f"fd10::{i + 1}" for i in range(n)]) for way, n in SEGMENTS.items() if n > 0]))
    made["ports"][0]["mtu"] = MTU
    made["vrfs"][0]["routes"] = [dict(prefix="fd10::/16", via=ENDPOINT[6])]
    made["clusters"] = [dict(name=f"{way}{family}", endpoints=[
        dict(dict(address=ENDPOINT[family], port=SERVER_PORT), **(dict(policy=way) if SEGMENTS[way] else {}))])
        for way, family in ports()]
    return made


CONFIG = config()


class NarrowWire(l7_lab.Wire):
    """Notes how long packets are, and takes off their outer headers."""

    def __init__(self, node):
        super().__init__(node)
        self.longest = {}  # by host

    def receive(self):
        frame = Ether(self.node.receive("p0"))
        assert frame.type in (0x800, 0x86dd)
        packet_len = frame[IP].len if frame.type == 0x800 else 40 + frame[IPv6].plen
        assert packet_len <= MTU
        host = frame.dst[-2:]
        self.longest[host] = max(packet_len, self.longest.get(host, 0))
        inner = frame[IPv6].payload if frame.type == 0x86dd else None
        if isinstance(inner, IPv6ExtHdrSegmentRouting):
            inner = inner.payload
        if isinstance(inner, (IP, IPv6)):
            frame = Ether(src=frame.src, dst=frame.dst) / inner
        if frame.type == 0x800:
            assert frame[IP].frag == 0 and frame[IP].flags == "DF"
        return frame


@pytest.fixture
def wire(node):
    made = NarrowWire(node)
    yield made
    made.close()
    node.drain()


def full(mss, n=3):
    return [bytes([65 + i]) * mss for i in range(n)]


@pytest.mark.parametrize("way", SEGMENTS)
@pytest.mark.parametrize("to", [4, 6])
@pytest.mark.parametrize("family", [4, 6])
def test_full_segments_fit(wire, family, to, way):
    client = wire.client(family, port=ports()[way, to])
    client.send("S", options=l7_lab.OPTIONS)
    server = wire.accept()
    server.answer_syn()
    promised = dict(client.next("SA").options)["MSS"]
    client.send()
    # The worst way to any endpoint, in the larger family.
    assert promised == MTU - outer_len("three") - 60
    told = server.their_options["MSS"]
    path_to_client = MTU - (40 if family == 4 else 60)
    path_to_server = MTU - outer_len(way) - (40 if to == 4 else 60)
    assert told == max(c for c in CLASSES if c <= min(promised, path_to_client, path_to_server))
    with wire.node.counts():
        for data in full(promised):
            client.send("A", data)
            server.hear(data)
        for data in full(told):
            server.send("A", data)
            client.hear(data)
    assert wire.longest["03"] == promised + outer_len(way) + (40 if to == 4 else 60)
    assert wire.longest["02"] == told + (40 if family == 4 else 60)


@pytest.mark.parametrize("to", [4, 6])
@pytest.mark.parametrize("family", [4, 6])
def test_longer_segments_are_cut(wire, family, to):
    """A client that does not keep to the promise."""
    client = wire.client(family, port=ports()["three", to])
    client.send("S", options=l7_lab.OPTIONS)
    server = wire.accept()
    server.answer_syn()
    client.next("SA")
    data = b"long" * 300
    with wire.node.counts():
        client.send("A", data)
        server.hear(data)


@pytest.mark.parametrize("to", [4, 6])
@pytest.mark.parametrize("family", [4, 6])
def test_client_behind_the_narrowest_path(start_node, family, to):
    """The way back to the client has the outer header: it is the endpoint that must keep its segments short."""
    away = {4: "10.7.0.2", 6: "fd07::2"}
    made = config()
    made["clusters"] = [cluster for cluster in made["clusters"] if cluster["name"].startswith("plain")]
    made["listeners"] = [listener for listener in made["listeners"] if listener["name"].startswith("plain")]
    made["vrfs"][0]["routes"] += [dict(prefix=prefix, policy="three") for prefix in ("10.7.0.0/16", "fd07::/16")]
    wire = NarrowWire(start_node(made))
    port = ports()["plain", to]
    client = l7_lab.End(wire, family, away[family], next(l7_lab.next_port), l7_lab.VIP[family], port, 2, l7_lab.ISN)
    client.send("S", options=l7_lab.OPTIONS)
    server = wire.accept()
    server.answer_syn()
    assert dict(client.next("SA").options)["MSS"] == MTU - 60
    client.send()
    told = server.their_options["MSS"]
    assert told == 1120  # of 1280 - 60 - 96
    with wire.node.counts():
        for data in full(told):
            server.send("A", data)
            client.hear(data)
        longer = data + b"y" * (MTU - 60 - told)  # it does not keep to what it was told
        server.send("A", longer)
        client.hear(longer)
    wire.close()


def narrow_behind(wire, family, data, link_mtu):
    """A link behind the node's takes less; what the client is told of it, in its own numbers."""
    client = wire.client(family, port=ports()["plain", 4])
    client.send("S", options=l7_lab.OPTIONS)
    server = wire.accept()
    server.answer_syn()
    client.next("SA")
    start = client.seq
    client.send("A", data)
    wire.flush()
    packet = bytes(server.queue[-1][IP])
    error = IP(src="10.0.0.9", dst=server.peer) / ICMP(type=3, code=4, nexthopmtu=link_mtu) / Raw(packet[:28])
    wire.node.send("p0", bytes(l7_lab.to_node(wire.node, error, 3)))
    told = Ether(wire.node.receive("p0"))
    assert (told[IP].dst if family == 4 else told[IPv6].dst) == CLIENT[family]
    about = told[ICMP] if family == 4 else told[ICMPv6PacketTooBig]
    assert (about.type, about.code) == ((3, 4) if family == 4 else (2, 0))
    seq_off = (20 if family == 4 else 40) + 4
    assert int.from_bytes(bytes(about.payload)[seq_off:seq_off + 4], "big") == start
    server.queue.clear()
    client.send("A", data, seq=start)
    server.hear(data)
    assert max(len(seen[4]) for seen in server.seen) == link_mtu - 40
    return about.nexthopmtu if family == 4 else about.mtu


@pytest.mark.parametrize("family, mtu", [(4, 1000), (6, 1280)])
def test_link_below_1280_is_told_and_cut_for(wire, family, mtu):
    """IPv6 hosts do not go below 1280 bytes: what they send is cut. IPv4's is, too, until they have heard."""
    assert narrow_behind(wire, family, b"y" * 1000, 1000) == mtu


@pytest.mark.parametrize("family, mtu", [(4, 1400), (6, 1420)])
def test_narrower_link_is_told_in_the_senders_family(start_node, family, mtu):
    made = config()
    made["ports"][0]["mtu"] = 1500
    made["clusters"] = [cluster for cluster in made["clusters"] if cluster["name"] == "plain4"]
    made["listeners"] = [listener for listener in made["listeners"] if listener["name"] == "plain4"]
    wire = l7_lab.Wire(start_node(made))
    assert narrow_behind(wire, family, b"y" * 1440, 1400) == mtu
    wire.close()
