# SPDX-License-Identifier: Apache-2.0
"""Frames as bytes, header by header, for the SRv6 packet tests.

Plain builders over struct: every field can be made wrong, and nothing is filled in behind the test's
back except lengths and checksums, which each builder's keyword arguments override.
"""

import hashlib
import hmac
import ipaddress
import struct

HBH, TCP, UDP, IP4, IP6, ROUTING, FRAGMENT, ICMP6, NO_NEXT, DSTOPTS, ETH = (
    0, 6, 17, 4, 41, 43, 44, 58, 59, 60, 143)
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
TLV_PAD1, TLV_PADN, TLV_HMAC = 0, 4, 5


def addr(text):
    """An IPv4 or IPv6 address as bytes; bytes pass through."""
    return text if isinstance(text, bytes) else ipaddress.ip_address(text).packed


def mac(text):
    return text if isinstance(text, bytes) else bytes.fromhex(text.replace(":", ""))


def eth(dst, src, payload, ethertype=None, vlan=None):
    """An Ethernet frame; the type follows from the payload's version."""
    if ethertype is None:
        ethertype = ETHERTYPE[payload[0] >> 4]
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return mac(dst) + mac(src) + tag + struct.pack("!H", ethertype) + payload


def sum16(data):
    """The Internet checksum (RFC 1071), before the final complement."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def upper_checksum(src, dst, proto, data):
    pseudo = addr(src) + addr(dst) + struct.pack("!II", len(data), proto)
    return ~sum16(pseudo + data) & 0xFFFF


def ip6(src, dst, proto, payload, hop_limit=64, tc=0, label=0, length=None):
    length = len(payload) if length is None else length
    return (struct.pack("!IHBB", 6 << 28 | tc << 20 | label, length, proto, hop_limit)
            + addr(src) + addr(dst) + payload)


def ip4(src, dst, proto, payload, ttl=64, tos=0, ident=0x1234, flags_off=0x4000, options=b"",
        length=None, checksum=None):
    ihl = 5 + len(options) // 4
    length = 4 * ihl + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH", 4 << 4 | ihl, tos, length, ident, flags_off, ttl, proto, 0)
    head += addr(src) + addr(dst) + options
    checksum = ~sum16(head) & 0xFFFF if checksum is None else checksum
    return head[:10] + struct.pack("!H", checksum) + head[12:] + payload


def udp4(src, dst, payload=b"pergola!", sport=1024, dport=80, **fields):
    """UDP over IPv4 without a UDP checksum, as RFC 768 allows."""
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ip4(src, dst, UDP, datagram, **fields)


def udp6(src, dst, payload=b"pergola!", sport=1024, dport=80, **fields):
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    checksum = upper_checksum(src, dst, UDP, datagram) or 0xFFFF
    datagram = datagram[:6] + struct.pack("!H", checksum) + datagram[8:]
    return ip6(src, dst, UDP, datagram, **fields)


def tcp_header(sport=1024, dport=80):
    return struct.pack("!HHIIHHHH", sport, dport, 1, 0, 0x5002, 8192, 0, 0)


def icmp6(src, dst, kind, code, rest):
    """An ICMPv6 message: type, code, checksum, rest."""
    message = struct.pack("!BBH", kind, code, 0) + rest
    checksum = upper_checksum(src, dst, ICMP6, message)
    return message[:2] + struct.pack("!H", checksum) + message[4:]


def echo6(src, dst, reply=False, data=b"0123456789abcdef", seq=1):
    return icmp6(src, dst, 129 if reply else 128, 0, struct.pack("!HH", 0x77, seq) + data)


def icmp4(kind, code, rest):
    message = struct.pack("!BBH", kind, code, 0) + rest
    return message[:2] + struct.pack("!H", ~sum16(message) & 0xFFFF) + message[4:]


def srh(next_header, segments, segments_left, last_entry=None, tlvs=b"", flags=0, tag=0, ext_len=None,
        routing_type=4):
    """A routing header. segments stand as on the wire: [0] is the last one of the path."""
    body = b"".join(addr(s) for s in segments) + tlvs
    last_entry = len(segments) - 1 if last_entry is None else last_entry
    ext_len = len(body) // 8 if ext_len is None else ext_len
    return struct.pack("!BBBBBBH", next_header, ext_len, routing_type, segments_left,
                       last_entry & 0xFF, flags, tag) + body


def options(next_header, n_units=0):
    """Hop-by-hop or destination options: one PadN over 8 * (n_units + 1) bytes."""
    pad = 8 * (n_units + 1) - 4
    fill = b""
    while pad > 255:
        fill += bytes([1, 253]) + bytes(253)
        pad -= 255
    return struct.pack("!BBBB", next_header, n_units, 1, pad) + bytes(pad) + fill


def long_options(next_header, n_units):
    """Options of any length, as a row of PadN options."""
    room = 8 * (n_units + 1) - 2
    body = b""
    while room > 0:
        n = min(room, 200)
        if room - n == 1:
            n -= 1
        body += bytes([1, n - 2]) + bytes(n - 2)
        room -= n
    return struct.pack("!BB", next_header, n_units) + body


def fragment(next_header, offset=0, more=0, ident=0xABCD):
    """A fragment header; offset in units of 8 bytes."""
    return struct.pack("!BBHI", next_header, 0, offset << 3 | more, ident)


def hmac_text(src, header):
    """What RFC 8754 section 2.1.2.1 feeds to HMAC, from an SRH with an HMAC TLV."""
    last_entry, flags = header[4], header[5]
    entries = header[8:8 + 16 * (last_entry + 1)]
    tlv = header.index(bytes([TLV_HMAC, 38]), len(entries) + 8)
    return addr(src) + bytes([last_entry, flags]) + header[tlv + 4:tlv + 8] + entries


def hmac_tlv(key_id, digest=bytes(32), d_bit=0):
    return struct.pack("!BBHI", TLV_HMAC, 38, d_bit << 15, key_id) + digest


def digest(src, header, secret, algorithm):
    name = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}[algorithm]
    return hmac.new(secret, hmac_text(src, header), name).digest().ljust(32, b"\0")


def signed_srh(src, next_header, segments, segments_left, key_id, secret, algorithm="sha256",
               before=b"", **fields):
    """An SRH whose HMAC TLV is right. before: other TLVs, a multiple of 8 bytes."""
    empty = srh(next_header, segments, segments_left, tlvs=before + hmac_tlv(key_id), **fields)
    return empty[:-32] + digest(src, empty, secret, algorithm)
