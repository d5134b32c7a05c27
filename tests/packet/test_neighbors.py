# SPDX-License-Identifier: Apache-2.0
"""ARP, neighbour discovery, and routers learned from advertisements. Every test has hosts of its own."""

import socket
import time

import pytest
from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrHopByHop,
                                PadN, RouterAlert)
from scapy.layers.l2 import ARP, Ether

import ipnet
from ipnet import error4, error6, from_node, hop, link_local, mac, to_node, udp4, udp6

CONFIG = dict(
    ports=[dict(name="p0", addresses=ipnet.addresses(0)), dict(name="p1", addresses=ipnet.addresses(1))],
    # p0's side is quiet; p1's hosts must be found.
    neighbors=ipnet.host_neighbors(0),
    vrfs=[dict(name="default", routes=[dict(prefix="10.9.0.0/16", blackhole=True)])],
)
ACCEPT_RA = dict(CONFIG, ports=[CONFIG["ports"][0], dict(CONFIG["ports"][1], accept_ra=True)])

SRC4, SRC6 = "10.0.0.2", "fd00::2"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def solicited_node(addr):
    low = socket.inet_pton(socket.AF_INET6, addr)[13:]
    return (socket.inet_ntop(socket.AF_INET6, b"\xff\x02" + bytes(9) + b"\x01\xff" + low),
            "33:33:ff:%02x:%02x:%02x" % tuple(low))


def arp_request(node, target, dst=BROADCAST):
    return Ether(src=node.mac("p1"), dst=dst) / ARP(
        op=1, hwsrc=node.mac("p1"), psrc="10.0.1.1", hwdst="00:00:00:00:00:00", pdst=target)


def arp_reply(node, host, op=2):
    return Ether(src=mac(1, host), dst=node.mac("p1")) / ARP(
        op=op, hwsrc=mac(1, host), psrc=f"10.0.1.{host}", hwdst=node.mac("p1"), pdst="10.0.1.1")


def solicit(node, target, src="fd01::1"):
    group, group_mac = solicited_node(target)
    return Ether(src=node.mac("p1"), dst=group_mac) / IPv6(src=src, dst=group, hlim=255) / \
        ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=node.mac("p1"))


def advert(node, target, host, solicited=1, override=1, router=0, dst="fd01::1"):
    return Ether(src=mac(1, host), dst=node.mac("p1")) / IPv6(src=target, dst=dst, hlim=255) / \
        ICMPv6ND_NA(tgt=target, S=solicited, O=override, R=router) / \
        ICMPv6NDOptDstLLAddr(lladdr=mac(1, host))


class Family:
    """What the two families have in common, for tests of both."""

    def __init__(self, version):
        self.version = version

    def address(self, host):
        return f"10.0.1.{host}" if self.version == 4 else f"fd01::{host:x}"

    def packet(self, host, data=b"wait", **kwargs):
        make, src = (udp4, SRC4) if self.version == 4 else (udp6, SRC6)
        return make(src, self.address(host), data=data, **kwargs)

    def request(self, node, host):
        return (arp_request if self.version == 4 else solicit)(node, self.address(host))

    def probe(self, node, host):
        if self.version == 4:
            return arp_request(node, self.address(host), mac(1, host))
        return Ether(src=node.mac("p1"), dst=mac(1, host)) / \
            IPv6(src="fd01::1", dst=self.address(host), hlim=255) / ICMPv6ND_NS(tgt=self.address(host)) / \
            ICMPv6NDOptSrcLLAddr(lladdr=node.mac("p1"))

    def reply(self, node, host):
        return arp_reply(node, host) if self.version == 4 else advert(node, self.address(host), host)

    def update(self, node, host, mac_host):
        """Unasked: this address is at that MAC address now."""
        if self.version == 4:
            return Ether(src=mac(1, mac_host), dst=BROADCAST) / ARP(
                op=1, hwsrc=mac(1, mac_host), psrc=self.address(host), pdst=self.address(host))
        return Ether(src=mac(1, mac_host), dst="33:33:00:00:00:01") / \
            IPv6(src=self.address(host), dst="ff02::1", hlim=255) / \
            ICMPv6ND_NA(tgt=self.address(host), S=0, O=1, R=0) / \
            ICMPv6NDOptDstLLAddr(lladdr=mac(1, mac_host))

    def error(self, packet):
        if self.version == 4:
            return error4("10.0.0.1", SRC4, 3, 1, packet)
        return error6("fd00::1", SRC6, 1, 3, packet)


def is_probe(frame):
    """A request to one host: whether it is still there. They come when they are due, in whatever test."""
    eth = Ether(frame)
    return not frame[0] & 1 and ((ARP in eth and eth[ARP].op == 1) or ICMPv6ND_NS in eth)


IGNORE = dict(p1=is_probe)


@pytest.fixture(params=[4, 6], ids=["ip4", "ip6"])
def family(request):
    return Family(request.param)


def state(node, address):
    for n in node.get("/neighbors")["neighbors"]:
        if n["address"] == address:
            return n["state"]
    return None


def await_state(node, address, want):
    deadline = time.monotonic() + 20
    while state(node, address) != want:
        assert time.monotonic() < deadline, f"{address} is {state(node, address)}, not {want}"
        time.sleep(0.02)


def resolve(node, family, host):
    packet = family.packet(host)
    node.send("p0", to_node(node, 0, packet))
    node.expect("p1", family.request(node, host))
    node.send("p1", family.reply(node, host))
    node.expect("p1", from_node(node, 1, hop(packet), host=host))


# The node is asked


def test_arp_request_is_answered(node):
    ask = Ether(src=mac(1, 20), dst=BROADCAST) / ARP(op=1, hwsrc=mac(1, 20), psrc="10.0.1.20", pdst="10.0.1.1")
    reply = Ether(src=node.mac("p1"), dst=mac(1, 20)) / ARP(
        op=2, hwsrc=node.mac("p1"), psrc="10.0.1.1", hwdst=mac(1, 20), pdst="10.0.1.20")
    with node.counts():
        node.exchange("p1", ask, "p1", reply)
        # Who asked is known from then on.
        packet = udp4(SRC4, "10.0.1.20")
        node.exchange("p0", to_node(node, 0, packet), "p1", from_node(node, 1, hop(packet), host=20))


def test_arp_probe_is_answered(node):
    # RFC 5227: somebody tries out our address.
    ask = Ether(src=mac(1, 21), dst=BROADCAST) / ARP(op=1, hwsrc=mac(1, 21), psrc="0.0.0.0", pdst="10.0.1.1")
    node.exchange("p1", ask, "p1", Ether(src=node.mac("p1"), dst=mac(1, 21)) / ARP(
        op=2, hwsrc=node.mac("p1"), psrc="10.0.1.1", hwdst=mac(1, 21), pdst="0.0.0.0"))


@pytest.mark.parametrize("target", ["10.0.1.99", "10.0.0.1", "10.0.1.255"])
def test_arp_request_for_others(node, target):
    # 10.0.0.1 is ours, but on another link.
    node.send("p1", Ether(src=mac(1, 22), dst=BROADCAST) / ARP(
        op=1, hwsrc=mac(1, 22), psrc="10.0.1.22", pdst=target))
    node.expect_none()
    assert state(node, "10.0.1.22") is None


@pytest.mark.parametrize("target", ["fd01::1", "link-local"])
def test_solicitation_is_answered(node, target):
    target = link_local(node.mac("p1")) if target == "link-local" else target
    group, group_mac = solicited_node(target)
    for src in ("fd01::14", link_local(mac(1, 20))):
        ask = Ether(src=mac(1, 20), dst=group_mac) / IPv6(src=src, dst=group, hlim=255) / \
            ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac(1, 20))
        node.exchange("p1", ask, "p1", Ether(src=node.mac("p1"), dst=mac(1, 20)) /
                      IPv6(src=target, dst=src, hlim=255) / ICMPv6ND_NA(tgt=target, R=1, S=1, O=1) /
                      ICMPv6NDOptDstLLAddr(lladdr=node.mac("p1")))


def test_duplicate_address_detection_is_answered(node):
    group, group_mac = solicited_node("fd01::1")
    ask = Ether(src=mac(1, 23), dst=group_mac) / IPv6(src="::", dst=group, hlim=255) / ICMPv6ND_NS(tgt="fd01::1")
    node.exchange("p1", ask, "p1", Ether(src=node.mac("p1"), dst="33:33:00:00:00:01") /
                  IPv6(src="fd01::1", dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt="fd01::1", R=1, S=0, O=1) /
                  ICMPv6NDOptDstLLAddr(lladdr=node.mac("p1")))


def test_solicitation_not_from_the_link(node):
    group, group_mac = solicited_node("fd01::1")
    ask = Ether(src=mac(1, 24), dst=group_mac) / IPv6(src="fd01::18", dst=group, hlim=254) / \
        ICMPv6ND_NS(tgt="fd01::1") / ICMPv6NDOptSrcLLAddr(lladdr=mac(1, 24))
    with node.counts(drop_local_icmp=1):
        node.send("p1", ask)
        node.expect_none()


def query(group="::", src=None, hlim=1, data=b""):
    """RFC 3810 section 5.1, with the router alert that it must have."""
    src = src or link_local(mac(1))
    dst, dst_mac = ("ff02::1", "33:33:00:00:00:01") if group == "::" else (
        group, "33:33:" + ":".join(f"{b:02x}" for b in socket.inet_pton(socket.AF_INET6, group)[12:]))
    message = socket.inet_pton(socket.AF_INET6, group) + data
    return Ether(src=mac(1), dst=dst_mac) / IPv6(src=src, dst=dst, hlim=hlim, nh=0) / \
        IPv6ExtHdrHopByHop(nh=58, options=[RouterAlert(), PadN(otype=1)]) / \
        ipnet.icmp6(src, dst, 130, 0, 1000 << 16, message)


def report(node, groups):
    src, dst = link_local(node.mac("p1")), "ff02::16"
    records = b"".join(b"\2\0\0\0" + socket.inet_pton(socket.AF_INET6, g) for g in groups)
    return Ether(src=node.mac("p1"), dst="33:33:00:00:00:16") / IPv6(src=src, dst=dst, hlim=1, nh=0) / \
        IPv6ExtHdrHopByHop(nh=58, options=[RouterAlert(), PadN(otype=1)]) / \
        ipnet.icmp6(src, dst, 143, 0, len(groups), records)


def test_listener_query_is_answered(node):
    """A switch that snoops must know who listens to solicitations."""
    groups = ["ff02::2", solicited_node(link_local(node.mac("p1")))[0], solicited_node("fd01::1")[0]]
    for data in (b"", bytes([2, 125, 0, 0])):  # version 1, version 2
        node.exchange("p1", query(data=data), "p1", report(node, groups))
    for group in groups[1:]:
        node.exchange("p1", query(group, data=bytes([2, 125, 0, 0])), "p1", report(node, [group]))


def test_listener_query_of_others(node):
    """For a group that nobody here listens to; not from the link; and no query."""
    node.send("p1", query(solicited_node("fd01::77")[0]), query(src="fd01::2"))
    node.expect_none()
    with node.counts(drop_local_icmp=2):
        node.send("p1", query(hlim=64), query(hlim=255))


def test_solicitation_for_others(node):
    group, group_mac = solicited_node("fd01::99")
    node.send("p1", Ether(src=mac(1, 24), dst=group_mac) / IPv6(src="fd01::18", dst=group, hlim=255) /
              ICMPv6ND_NS(tgt="fd01::99") / ICMPv6NDOptSrcLLAddr(lladdr=mac(1, 24)))
    node.expect_none()


# The node asks


def test_packets_wait_in_order(node, family):
    host = 30
    packets = [family.packet(host, b"%d" % i, sport=5000) for i in range(16)]
    with node.counts():
        node.send("p0", to_node(node, 0, packets[0]))
        node.expect("p1", family.request(node, host))
        node.send("p0", *[to_node(node, 0, p) for p in packets[1:]])
        node.barrier()
        node.send("p1", family.reply(node, host))
        for p in packets:
            node.expect("p1", from_node(node, 1, hop(p), host=host))
    assert state(node, family.address(host)) == "reachable"


def test_seventeenth_packet_pushes_the_first_out(node, family):
    host = 31
    packets = [family.packet(host, b"%d" % i, sport=5000) for i in range(17)]
    node.send("p0", to_node(node, 0, packets[0]))
    node.expect("p1", family.request(node, host))
    with node.counts(drop_neighbor_full=1):
        node.send("p0", *[to_node(node, 0, p) for p in packets[1:]])
        node.barrier()
    node.send("p1", family.reply(node, host))
    for p in packets[1:]:
        node.expect("p1", from_node(node, 1, hop(p), host=host))
    node.expect_none()


def test_retry_then_unreachable(node):
    # Both families at once: three requests, a second apart, then the errors.
    four, six = Family(4), Family(6)
    host = 32
    packets = [four.packet(host), six.packet(host)]
    requests = [four.request(node, host), six.request(node, host)]
    with node.counts(drop_ip4_neighbor=1, drop_ip6_neighbor=1):
        node.send("p0", *[to_node(node, 0, p) for p in packets])
        for _ in range(3):
            node.expect_all("p1", requests)
        node.expect_all("p0", [from_node(node, 0, four.error(packets[0])),
                               from_node(node, 0, six.error(packets[1]))])
    # While it counts as failed, the answer comes at once and nobody is asked.
    with node.counts(drop_ip4_neighbor=1):
        node.exchange("p0", to_node(node, 0, packets[0]), "p0", from_node(node, 0, four.error(packets[0])))


def test_answer_to_the_second_request(node, family):
    host = 33
    packet = family.packet(host)
    node.send("p0", to_node(node, 0, packet))
    node.expect("p1", family.request(node, host))
    node.expect("p1", family.request(node, host))
    node.send("p1", family.reply(node, host))
    node.expect("p1", from_node(node, 1, hop(packet), host=host))


def test_hop_limit_of_a_waiting_packet_is_taken_once(node, family):
    host = 34
    packet = family.packet(host, **({"ttl": 2} if family.version == 4 else {"hlim": 2}))
    node.send("p0", to_node(node, 0, packet))
    node.expect("p1", family.request(node, host))
    node.send("p1", family.reply(node, host))
    node.expect("p1", from_node(node, 1, hop(packet), host=host))


# What changes


def test_gratuitous_update(node, family):
    host, moved_to = 40, 41
    resolve(node, family, host)
    node.send("p1", family.update(node, host, moved_to))
    await_state(node, family.address(host), "stale")
    packet = family.packet(host)
    node.exchange("p0", to_node(node, 0, packet), "p1", from_node(node, 1, hop(packet), host=moved_to))


def test_update_of_a_stranger_is_ignored(node, family):
    node.send("p1", family.update(node, 42, 42))
    node.expect_none()
    assert state(node, family.address(42)) is None


def test_static_neighbor_does_not_move(node):
    theirs = "10.0.0.2"
    node.send("p0", Ether(src=mac(0, 50), dst=BROADCAST) / ARP(op=1, hwsrc=mac(0, 50), psrc=theirs, pdst=theirs))
    node.send("p0", Ether(src=mac(0, 50), dst=node.mac("p0")) / ARP(
        op=2, hwsrc=mac(0, 50), psrc=theirs, hwdst=node.mac("p0"), pdst="10.0.0.1"))
    node.barrier()
    assert state(node, theirs) == "permanent"
    packet = udp4("10.0.1.20", theirs)
    node.exchange("p1", to_node(node, 1, packet), "p0", from_node(node, 0, hop(packet)))


def test_stale_neighbor_is_probed_by_unicast(start_node):
    # Learned, not confirmed; used; five seconds later it is asked, itself alone.
    node = start_node(CONFIG)
    families, host = [Family(4), Family(6)], 60
    for f in families:
        resolve(node, f, host)
        node.send("p1", f.update(node, host, host + 1))
    for f in families:
        await_state(node, f.address(host), "stale")
        node.exchange("p0", to_node(node, 0, f.packet(host)),
                      "p1", from_node(node, 1, hop(f.packet(host)), host=host + 1))
    probes = []
    for f in families:
        probe = f.probe(node, host)
        probe.dst = mac(1, host + 1)
        probes.append(probe)
    node.expect_all("p1", probes)
    for f in families:
        reply = f.reply(node, host)
        if f.version == 4:
            reply.src = reply[ARP].hwsrc = mac(1, host + 1)
        else:
            reply.src = reply[ICMPv6NDOptDstLLAddr].lladdr = mac(1, host + 1)
        node.send("p1", reply)
        await_state(node, f.address(host), "reachable")


# Routers


def router_advert(host, lifetime):
    return Ether(src=mac(1, host), dst="33:33:00:00:00:01") / \
        IPv6(src=link_local(mac(1, host)), dst="ff02::1", hlim=255) / \
        ICMPv6ND_RA(routerlifetime=lifetime) / ICMPv6NDOptSrcLLAddr(lladdr=mac(1, host))


def default_route(node):
    """Where a packet to nowhere goes."""
    return [r for r in node.get("/routes?vrf=default")["routes"] if r["prefix"] == "::/0"]


def await_default(node, present):
    deadline = time.monotonic() + 20
    while bool(default_route(node)) != present:
        assert time.monotonic() < deadline, default_route(node)
        time.sleep(0.02)


def test_router_is_learned_and_forgotten(node):
    ours = link_local(node.mac("p1"))
    packet = udp6(SRC6, "2001:db8::1")
    node.reload(ACCEPT_RA)
    try:
        node.expect("p1", Ether(src=node.mac("p1"), dst="33:33:00:00:00:02") /
                    IPv6(src=ours, dst="ff02::2", hlim=255) / ICMPv6ND_RS() /
                    ICMPv6NDOptSrcLLAddr(lladdr=node.mac("p1")))
        assert not default_route(node)
        node.send("p1", router_advert(70, 1800))
        await_default(node, True)
        node.exchange("p0", to_node(node, 0, packet), "p1", from_node(node, 1, hop(packet), host=70))
        node.send("p1", router_advert(70, 0))
        await_default(node, False)
        with node.counts(drop_ip6_no_route=1):
            node.exchange("p0", to_node(node, 0, packet),
                          "p0", from_node(node, 0, error6("fd00::1", SRC6, 1, 0, packet)))
    finally:
        node.reload(CONFIG)


def test_router_advertisement_is_not_wanted(node):
    node.send("p1", router_advert(71, 1800))
    node.expect_none()
    assert not default_route(node)


def test_router_goes_with_the_key(node):
    node.reload(ACCEPT_RA)
    node.receive("p1")  # the solicitation
    node.send("p1", router_advert(72, 1800))
    await_default(node, True)
    node.reload(CONFIG)
    await_default(node, False)
