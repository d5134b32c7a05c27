#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Writes the seed corpus of graph_fuzz: one small valid frame for each way through the graph."""

import hashlib
import hmac
import ipaddress
import pathlib
import struct
import sys

TO_US, REPAIR, AT_END, REINJECT, GIVE_UP, TRACE, STRIPPED = (1 << i for i in range(7))
CORE, OUT, WIRE = range(3)
UDP = struct.pack("!HHHH", 1000, 53, 12, 0) + b"seed"


def ip6(dst, proto, payload, src="2001:db8:e::2", hop_limit=64):
    return (
        struct.pack("!IHBB", 0x60000000, len(payload), proto, hop_limit)
        + ipaddress.IPv6Address(src).packed
        + ipaddress.IPv6Address(dst).packed
        + payload
    )


def ip4(dst, payload=UDP, proto=17, src="10.10.0.7", ttl=64, flags=0x4000, options=b""):
    ihl = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH", 0x40 | ihl, 0, ihl * 4 + len(payload), 1, flags, ttl, proto, 0)
    header += ipaddress.IPv4Address(src).packed + ipaddress.IPv4Address(dst).packed + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def icmp6(kind, dst, body, src="2001:db8:e::2"):
    packet = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed
    pseudo += struct.pack("!II", len(packet), 58)
    return packet[:2] + struct.pack("!H", checksum(pseudo + packet)) + packet[4:]


def srh(segments, left, proto, tlvs=b"", flags=0):
    body = b"".join(ipaddress.IPv6Address(s).packed for s in reversed(segments)) + tlvs
    return struct.pack("!BBBBBBH", proto, len(body) // 8, 4, left, len(segments) - 1, flags, 0) + body


def hmac_tlv(src, segments, left):
    """RFC 8754 section 2.1.2.1: the text is source, last entry, flags, D bit and zeros, key id, segments."""
    flags, key_id = 8, 7
    text = ipaddress.IPv6Address(src).packed
    text += struct.pack("!BBBBI", len(segments) - 1, flags, 0, 0, key_id)[:2]
    text += struct.pack("!HI", 0, key_id)
    text += b"".join(ipaddress.IPv6Address(s).packed for s in reversed(segments))
    digest = hmac.new(b"graph", text, hashlib.sha256).digest()
    return struct.pack("!BBHI", 5, 38, 0, key_id) + digest


def eth(kind, payload, vlan=0, dst=bytes(6)):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    return dst + b"\2\0\0\0\0\7" + tag + struct.pack("!H", kind) + payload


def sid(index, inner, proto, segments=None, left=0, **kwargs):
    """A packet to SID index of the node; with an SRH when segments are given."""
    dst = f"2001:db8:1:{index:x}::"
    if segments is None:
        return eth(0x86DD, ip6(dst, proto, inner))
    return eth(0x86DD, ip6(dst, 43, srh(segments, left, proto, **kwargs) + inner))


def through(index, proto, inner, left=1):
    return sid(index, inner, proto, [f"2001:db8:1:{index:x}::", "2001:db8:a::9"], left)


def signed(index, inner, proto, left):
    src, own = "2001:db8:e::2", f"2001:db8:1:{index:x}::"
    segments = [own] if left == 0 else [own, "2001:db8:a::9"]
    return sid(index, inner, proto, segments, left, tlvs=hmac_tlv(src, segments, left), flags=8)


def frames():
    inner4, inner6 = ip4("10.60.0.9"), ip6("fd00:60::9", 17, UDP, "fd00:10::7")
    echo4 = struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1)
    big = ip4("10.61.0.9", UDP + bytes(1450))
    yield "forward6", CORE, eth(0x86DD, ip6("2001:db8:a::9", 17, UDP))
    yield "ecmp6", CORE, eth(0x86DD, ip6("2001:db8:b::9", 17, UDP))
    yield "hop_limit6", CORE, eth(0x86DD, ip6("2001:db8:a::9", 17, UDP, hop_limit=1))
    yield "unreachable6", OUT, eth(0x86DD, ip6("2001:db8:2::9", 17, UDP))
    yield "glean6", CORE, eth(0x86DD, ip6("2001:db8:f::77", 17, UDP))
    yield "echo6", CORE, eth(0x86DD, ip6("2001:db8:e::1", 58, icmp6(128, "2001:db8:e::1", bytes(8))))
    solicit = bytes(4) + ipaddress.IPv6Address("2001:db8:e::1").packed
    yield "nd", CORE, eth(
        0x86DD, ip6("2001:db8:e::1", 58, icmp6(135, "2001:db8:e::1", solicit), hop_limit=255)
    )
    yield "arp", CORE, eth(0x0806, bytes(28), 10, b"\xff" * 6)
    for net in (50, 60, 61, 62, 63, 64, 65, 66, 68, 69):
        yield f"tenant_{net}", CORE, eth(0x0800, ip4(f"10.{net}.0.9"), 10)
    yield "tenant6_62", CORE, eth(0x86DD, ip6("fd00:62::9", 17, UDP, "fd00:10::7"), 10)
    yield "options4", CORE, eth(0x0800, ip4("10.60.0.9", options=b"\x01" * 8), 10)
    yield "echo4", CORE, eth(0x0800, ip4("10.10.0.1", echo4, 1), 10)
    yield "too_big", CORE, eth(0x0800, big, 10)
    yield "fragment4", CORE, eth(0x0800, ip4("10.50.0.9", UDP + bytes(1400), flags=0), 10)
    yield "l2_vlan", CORE, eth(0x0800, inner4, 44)
    yield "l2_port", WIRE, eth(0x86DD, inner6)
    yield "untrusted", OUT, sid(0xA, inner4, 4)
    yield "no_sid", CORE, sid(0xFFFF, inner4, 4)
    for index in (1, 2, 3, 4):
        yield f"end_{index}", CORE, through(index, 41, inner6)
    yield "usd4", CORE, through(2, 4, inner4, left=0)
    yield "ping_sid", CORE, through(
        2, 58, icmp6(128, "2001:db8:1:2::", bytes(8)), left=0
    )
    for index, proto, inner in ((5, 143, eth(0x0800, inner4)), (6, 4, inner4), (7, 41, inner6)):
        yield f"cross_{index}", CORE, sid(index, inner, proto)
    for index, proto, inner in ((8, 4, inner4), (9, 41, inner6)):
        yield f"decap_{index}", CORE, through(index, proto, inner, left=0)
    yield "binding_b", CORE, through(0xB, 41, inner6)
    yield "binding_c", CORE, through(0xC, 4, inner4)
    yield "hmac_end", CORE, signed(0xD, inner6, 41, 1)
    yield "hmac_decap", CORE, signed(0xE, inner4, 4, 0)
    yield "csid", CORE, eth(0x86DD, ip6("2001:db8:c:ce:a::", 41, inner6))
    yield "csid_x", CORE, eth(0x86DD, ip6("2001:db8:ce:1:2::", 4, inner4))


def main():
    folder = pathlib.Path(sys.argv[1])
    cuts = (bytes(3), bytes((30, 0, 0)), bytes((7, 20, 5)))
    modes = (0, AT_END, REINJECT, GIVE_UP, TRACE | AT_END)
    for i, (name, port, frame) in enumerate(frames()):
        # A group address stays as it is.
        to_us = 0 if frame[0] & 1 else TO_US
        head = bytes((port, to_us | REPAIR | modes[i % len(modes)], 0)) + cuts[i % len(cuts)]
        (folder / name).write_bytes(head + frame)


if __name__ == "__main__":
    main()
