# SPDX-License-Identifier: Apache-2.0
"""TCP to virtual addresses, frame by frame: what is taken, what is refused and counted, and who answers for the
addresses. One link, the client is 10.0.0.2, the endpoint 10.0.0.3."""

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from ipnet import mac
from l7_lab import (AS_IS, CLIENT, ENDPOINT, ISN, SOURCES, VIP, assert_sound, config, ip, next_port, syn, to_node)

CONFIG = config(dict(name="web", virtual_hosts=[dict(name="all", domains=["*"], routes=[
    dict(prefix="/", cluster="c")])], **AS_IS))


def ask(node, frame):
    """Sends, and returns the answer as scapy has it."""
    node.send("p0", bytes(frame))
    return Ether(node.receive("p0"))


def close(node, frame, seq):
    """Ends a connection that a SYN-ACK answered, with a RST."""
    reset = frame.copy()
    reset[TCP].flags, reset[TCP].seq, reset[TCP].options = "R", seq, []
    del reset[TCP].chksum, reset[TCP].dataofs
    for layer, field in ((IP, "len"), (IP, "chksum"), (IPv6, "plen")):
        if layer in reset:
            delattr(reset[layer], field)
    node.send("p0", bytes(reset))


@pytest.mark.parametrize("family", [4, 6])
def test_syn_is_answered_with_what_was_promised(node, family):
    request = syn(node, family)
    answer = ask(node, request)
    close(node, request, ISN + 1)
    assert_sound(answer)
    packet = answer[IP] if family == 4 else answer[IPv6]
    assert (answer.src, answer.dst) == (node.mac("p0"), mac(0, 2))
    assert (packet.src, packet.dst) == (VIP[family], CLIENT[family])
    assert (packet.ttl if family == 4 else packet.hlim) == 64
    tcp = answer[TCP]
    assert (tcp.sport, tcp.dport, tcp.flags, tcp.ack) == (80, request[TCP].sport, "SA", ISN + 1)
    # 1500 less IPv6's headers, the larger family's; no timestamps.
    assert dict(tcp.options) == {"MSS": 1440, "WScale": 9, "SAckOK": b"", "NOP": None}


def test_syn_without_options_is_answered_without(node):
    request = syn(node, 4, options=[])
    answer = ask(node, request)
    close(node, request, ISN + 1)
    assert [name for name, _ in answer[TCP].options] == ["MSS"]


@pytest.mark.parametrize("family", [4, 6])
def test_request_goes_to_the_endpoint_from_a_source(node, family):
    start = datetime.now(timezone.utc)
    request = syn(node, family)
    answer = ask(node, request)
    data = Raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    ack = to_node(node, ip(family, VIP[family]) / TCP(sport=request[TCP].sport, dport=80, flags="PA", seq=ISN + 1,
                                                      ack=answer[TCP].seq + 1) / data)
    node.send("p0", bytes(ack))
    opening = None
    while opening is None or TCP not in opening or not opening[TCP].flags & 2:
        opening = Ether(node.receive("p0"))
    assert_sound(opening)
    assert opening.dst == mac(0, 3)
    assert opening[IP].dst == ENDPOINT[4] and opening[IP].src in [f"10.0.0.{16 + i}" for i in range(4)]
    assert opening[TCP].dport == 8080 and opening[TCP].sport >= 1024
    # The endpoint refuses, and the client hears of it: 503, and the connection stays.
    node.send("p0", bytes(to_node(node, IP(src=ENDPOINT[4], dst=opening[IP].src) / TCP(
        sport=8080, dport=opening[TCP].sport, flags="RA", seq=0, ack=opening[TCP].seq + 1), 3)))
    reply = None
    while reply is None or TCP not in reply or Raw not in reply:
        reply = Ether(node.receive("p0"))
    assert_sound(reply)
    assert reply[Raw].load.startswith(b"HTTP/1.1 503 ")
    date = parsedate_to_datetime(reply[Raw].load.split(b"date: ")[1].split(b"\r\n")[0].decode())
    assert start - timedelta(minutes=1) < date <= datetime.now(timezone.utc)
    close(node, request, ISN + 1 + len(data))
    node.drain()


@pytest.mark.parametrize("family", [4, 6])
def test_port_without_listener_is_reset(node, family):
    with node.counts(drop_l7_no_listener=1):
        request = syn(node, family, dport=81)
        answer = ask(node, request)
        assert_sound(answer)
        assert (answer[TCP].flags, answer[TCP].seq, answer[TCP].ack) == ("RA", 0, ISN + 1)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("where", ["virtual", "source"])
def test_segment_of_no_connection_is_reset(node, family, where):
    dst = VIP[family] if where == "virtual" else SOURCES[family].split("/")[0]
    with node.counts(drop_l7_no_flow=1):
        answer = ask(node, to_node(node, ip(family, dst) / TCP(
            sport=next(next_port), dport=80, flags="A", seq=5, ack=77)))
        assert_sound(answer)
        assert (answer[TCP].flags, answer[TCP].seq) == ("R", 77)


def test_rst_is_never_answered(node):
    with node.counts(drop_l7_no_flow=1):
        node.send("p0", bytes(to_node(node, ip(4, VIP[4]) / TCP(sport=next(next_port), dport=80, flags="R"))))
        node.expect_none()


def broken_checksum(node, family):
    frame = syn(node, family)
    frame[TCP].chksum = 1
    return frame


def truncated_header(node, family):
    return syn(node, family, dataofs=15, options=[])


def bad_option(node, family):
    frame = bytearray(bytes(syn(node, family, options=[("MSS", 1460)])))
    frame[-3] = 3  # the option's length
    tcp_len = 24
    frame[-tcp_len + 16:-tcp_len + 18] = b"\0\0"
    packet = Ether(bytes(frame))
    del packet[TCP].chksum
    raw = bytearray(bytes(packet))
    return Ether(bytes(raw))


def fragment(node, family):
    frame = syn(node, family)
    if family == 4:
        frame[IP].flags = "MF"
        return frame
    return to_node(node, ip(6, VIP[6]) / IPv6ExtHdrFragment(nh=6, m=1, id=7) / Raw(bytes(frame[TCP])))


REFUSED = [("l7_checksum", broken_checksum, 4), ("l7_checksum", broken_checksum, 6),
           ("l7_malformed", truncated_header, 4), ("l7_malformed", truncated_header, 6),
           ("l7_fragment", fragment, 4), ("l7_fragment", fragment, 6)]


@pytest.mark.parametrize("reason, make, family", REFUSED, ids=[f"{r}-{f}" for r, _, f in REFUSED])
def test_what_is_wrong_is_dropped_and_counted(node, reason, make, family):
    with node.counts(**{f"drop_{reason}": 1}):
        node.send("p0", bytes(make(node, family)))
        node.expect_none()


def test_tcp_behind_extension_headers_is_dropped(node):
    frame = to_node(node, ip(6, VIP[6]) / IPv6ExtHdrDestOpt() / TCP(sport=next(next_port), dport=80, flags="S"))
    with node.counts(drop_l7_ext_headers=1):
        node.send("p0", bytes(frame))
        node.expect_none()


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("who", ["itself", "source", "node"])
def test_connection_from_the_nodes_own_address_is_dropped(node, family, who):
    src = {"itself": VIP[family], "source": SOURCES[family].split("/")[0],
           "node": {4: "10.0.0.1", 6: "fd00::1"}[family]}[who]
    frame = to_node(node, ip(family, VIP[family], src) / TCP(sport=80, dport=80, flags="S"))
    with node.counts(drop_l7_own_address=1):
        node.send("p0", bytes(frame))
        node.expect_none()


@pytest.mark.parametrize("where", ["virtual", "source"])
def test_echo_is_answered(node, where):
    dst4, dst6 = (VIP[4], VIP[6]) if where == "virtual" else ("10.0.0.17", "fd00::11")
    with node.counts():
        answer = ask(node, to_node(node, IP(src=CLIENT[4], dst=dst4) / ICMP(id=7, seq=1) / Raw(b"ping")))
        assert answer[ICMP].type == 0 and answer[IP].src == dst4
        answer = ask(node, to_node(node, IPv6(src=CLIENT[6], dst=dst6) / ICMPv6EchoRequest(id=7, seq=1, data=b"ping")))
        assert ICMPv6EchoReply in answer and answer[IPv6].src == dst6


@pytest.mark.parametrize("where", ["virtual", "source"])
def test_arp_and_neighbour_discovery_find_the_addresses(node, where):
    dst4, dst6 = (VIP[4], VIP[6]) if where == "virtual" else ("10.0.0.17", "fd00::11")
    answer = ask(node, Ether(src=mac(0, 2), dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=mac(0, 2), psrc=CLIENT[4], pdst=dst4))
    assert (answer[ARP].op, answer[ARP].psrc, answer[ARP].hwsrc) == (2, dst4, node.mac("p0"))
    low = dst6.split("::")[1].rjust(4, "0")
    answer = ask(node, Ether(src=mac(0, 2), dst=f"33:33:ff:00:{low[:2]}:{low[2:]}") /
                 IPv6(src=CLIENT[6], dst=f"ff02::1:ff00:{low}", hlim=255) / ICMPv6ND_NS(tgt=dst6) /
                 ICMPv6NDOptSrcLLAddr(lladdr=mac(0, 2)))
    assert answer[ICMPv6ND_NA].tgt == dst6
    assert answer[ICMPv6NDOptDstLLAddr].lladdr == node.mac("p0")


def test_address_that_is_nobodys_is_not_answered(node):
    node.send("p0", bytes(Ether(src=mac(0, 2), dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=mac(0, 2), psrc=CLIENT[4], pdst="10.0.0.101")))
    node.expect_none()


def test_icmp_about_no_connection_is_dropped(node):
    quoted = IP(src=VIP[4], dst=CLIENT[4]) / TCP(sport=80, dport=next(next_port), flags="A", seq=5)
    with node.counts(drop_l7_icmp=1):
        node.send("p0", bytes(to_node(node, IP(src=CLIENT[4], dst=VIP[4]) / ICMP(type=3, code=4, nexthopmtu=1300) /
                                      Raw(bytes(quoted)[:28]))))
        node.expect_none()
