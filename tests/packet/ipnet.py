# SPDX-License-Identifier: Apache-2.0
"""The network that the IP tests share, and the frames and ICMP messages in it.

    p0  10.0.0.0/24 fd00::/64      VLAN 100 in red, VLAN 200 in blue: the same addresses again
    p1  10.0.1.0/24 fd01::/64      likewise; VLAN 300 in default, MTU 1280: 10.0.3.0/24 fd03::/64
    p2  10.0.2.0/24 fd02::/64

The node is .1 (::1) everywhere, the neighbour of our side .2 (::2), with MAC addresses as mac() says.
"""

import socket
import struct

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import checksum

PORTS = ["p0", "p1", "p2"]
ECMP_HOSTS = (11, 12, 13)


def mac(port_idx, host=2, vlan=0):
    """Of a host of ours; VLANs have hosts of their own."""
    return f"02:aa:{vlan >> 8:02x}:{vlan & 255:02x}:{port_idx:02x}:{host:02x}"


def link_local(mac_text):
    b = bytearray(int(x, 16) for x in mac_text.split(":"))
    eui = bytes([b[0] ^ 2]) + bytes(b[1:3]) + b"\xff\xfe" + bytes(b[3:])
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + eui)


def host_neighbors(port_idx, vlan=0, net=None, hosts=(2,)):
    net = port_idx if net is None else net
    port = PORTS[port_idx] + (f".{vlan}" if vlan else "")
    out = []
    for host in hosts:
        m = mac(port_idx, host, vlan)
        out += [dict(port=port, address=f"10.0.{net}.{host}", mac=m),
                dict(port=port, address=f"fd0{net}::{host:x}", mac=m),
                dict(port=port, address=link_local(m), mac=m)]
    return out


def addresses(net):
    return [f"10.0.{net}.1/24", f"fd0{net}::1/64"]


def _tenant_vlan(vlan, vrf, net):
    return dict(id=vlan, vrf=vrf, addresses=addresses(net))


def _ecmp(family, weights):
    net = "10.0.2.%d" if family == 4 else "fd02::%x"
    return [dict(via=net % host, weight=w) for host, w in zip(ECMP_HOSTS, weights)]


CONFIG = dict(
    icmp=dict(errors_per_s=100000, burst=10000),
    ports=[
        dict(name="p0", addresses=addresses(0),
             vlans=[_tenant_vlan(100, "red", 0), _tenant_vlan(200, "blue", 0)]),
        dict(name="p1", addresses=addresses(1),
             vlans=[_tenant_vlan(100, "red", 1), _tenant_vlan(200, "blue", 1),
                    dict(id=300, mtu=1280, addresses=addresses(3))]),
        dict(name="p2", addresses=addresses(2)),
    ],
    neighbors=host_neighbors(0) + host_neighbors(1, hosts=(2, 3)) +
    host_neighbors(2, hosts=(2,) + ECMP_HOSTS) +
    host_neighbors(0, 100) + host_neighbors(1, 100) + host_neighbors(0, 200) +
    host_neighbors(1, 200) + host_neighbors(1, 300, net=3) + [
        dict(port="p2", address="10.5.0.9", mac=mac(2, 9)),
        dict(port="p2", address="fd05::9", mac=mac(2, 9)),
    ],
    vrfs=[
        dict(name="default", routes=[
            # Longest prefix: each leads elsewhere.
            dict(prefix="10.1.0.0/16", via="10.0.1.2"),
            dict(prefix="10.1.2.0/24", via="10.0.2.2"),
            dict(prefix="10.1.2.128/25", blackhole=True),
            dict(prefix="10.1.2.200/32", via="10.0.1.3"),
            dict(prefix="fd10::/16", via="fd01::2"),
            dict(prefix="fd10:0:0:2::/64", via="fd02::2"),
            dict(prefix="fd10:0:0:2:8000::/65", blackhole=True),
            dict(prefix="fd10:0:0:2:8000::200/128", via="fd01::3"),
            dict(prefix="10.2.0.0/16", blackhole=True),
            dict(prefix="10.3.0.0/16", unreachable=True),
            dict(prefix="fd12::/16", blackhole=True),
            dict(prefix="fd13::/16", unreachable=True),
            dict(prefix="10.4.0.0/16", paths=_ecmp(4, (1, 1, 2))),
            dict(prefix="fd14::/16", paths=_ecmp(6, (1, 1, 2))),
            dict(prefix="10.5.0.0/16", port="p2"),
            dict(prefix="fd05::/64", port="p2"),
            dict(prefix="fd16::/16", via=link_local(mac(2)), port="p2"),
        ]),
        dict(name="red", icmp_source4="10.99.0.1", icmp_source6="fd99::1", routes=[
            dict(prefix="10.7.0.0/16", policy="away"),
            dict(prefix="fd17::/16", policy="away"),
        ]),
        dict(name="blue", routes=[
            dict(prefix="10.7.0.0/16", policy="away"),
            dict(prefix="fd17::/16", policy="away"),
        ]),
    ],
    srv6=dict(source="fd00::1", policies=[
        dict(name="away", headend="H.Encaps.Red", segments=["fd10::5"])]),
)


def to_node(node, port_idx, payload, vlan=None, dst=None, src=None):
    """The frame that brings the payload to the node; vlan: an ID, or a Dot1Q."""
    eth = Ether(src=src or mac(port_idx, 2, vlan if isinstance(vlan, int) else 0),
                dst=dst or node.mac(PORTS[port_idx]))
    return _frame(eth, payload, vlan)


def from_node(node, port_idx, payload, vlan=None, host=2, dst=None):
    eth = Ether(src=node.mac(PORTS[port_idx]), dst=dst or mac(port_idx, host, vlan or 0))
    return _frame(eth, payload, vlan)


def _frame(eth, payload, vlan):
    data = bytes(payload)
    eth.type = 0x86dd if data[:1] and data[0] >> 4 == 6 else 0x0800
    if vlan is None:
        return bytes(eth) + data
    tag = Dot1Q(vlan=vlan) if isinstance(vlan, int) else vlan.copy()
    tag.type, eth.type = eth.type, 0x8100
    return bytes(eth)[:14] + bytes(tag) + data


def hop(packet):
    """What forwarding makes of an IP packet (scapy)."""
    out = packet.copy()
    if "IPv6" in out:
        out["IPv6"].hlim -= 1
    else:
        out["IP"].ttl -= 1
        out["IP"].chksum = None
    return out


def fragments(packet, mtu):
    """The pieces of an IPv4 packet without options for a link with that MTU."""
    whole = IP(bytes(packet))
    data, room = bytes(whole)[20:], (mtu - 20) & ~7
    out = []
    for at in range(0, len(data), room):
        piece = IP(bytes(whole)[:20])
        piece.remove_payload()
        piece.len, piece.chksum = None, None
        piece.frag = whole.frag + at // 8
        more = at + room < len(data) or bool(whole.flags.MF)
        piece.flags = "MF" if more else 0
        out.append(bytes(piece / Raw(data[at:at + room])))
    return out


def pseudo_checksum6(src, dst, proto, data):
    pseudo = socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + \
        struct.pack(">II", len(data), proto)
    return checksum(pseudo + data)


def icmp4(kind, code, value, body):
    head = struct.pack(">BBHI", kind, code, 0, value)
    return struct.pack(">BBHI", kind, code, checksum(head + body), value) + body


def icmp6(src, dst, kind, code, value, body):
    data = struct.pack(">BBHI", kind, code, 0, value) + body
    return data[:2] + struct.pack(">H", pseudo_checksum6(src, dst, 58, data)) + data[4:]


def ip4_header(src, dst, proto, payload_len, ttl=64, tos=0, ident=0, flags=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, tos, 20 + payload_len, ident, flags, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:]


def ip6_header(src, dst, proto, payload_len, hop_limit=64, tc=0, flow=0):
    return struct.pack(">IHBB16s16s", 6 << 28 | tc << 20 | flow, payload_len, proto, hop_limit,
                       socket.inet_pton(socket.AF_INET6, src), socket.inet_pton(socket.AF_INET6, dst))


def error4(src, dst, kind, code, about, value=0):
    """The IPv4 packet of an ICMP error about a packet: RFC 1812, at most 576 bytes."""
    body = icmp4(kind, code, value, bytes(about)[:576 - 28])
    return ip4_header(src, dst, 1, len(body), tos=0xc0, flags=0x4000) + body


def error6(src, dst, kind, code, about, value=0):
    """The IPv6 packet of an ICMPv6 error about a packet: RFC 4443, at most 1280 bytes."""
    body = icmp6(src, dst, kind, code, value, bytes(about)[:1280 - 48])
    return ip6_header(src, dst, 58, len(body)) + body


def udp4(src, dst, sport=1000, dport=2000, ttl=64, data=b"pergola", **fields):
    return IP(src=src, dst=dst, ttl=ttl, **fields) / UDP(sport=sport, dport=dport) / data


def udp6(src, dst, sport=1000, dport=2000, hlim=64, data=b"pergola", **fields):
    return IPv6(src=src, dst=dst, hlim=hlim, **fields) / UDP(sport=sport, dport=dport) / data
