# SPDX-License-Identifier: Apache-2.0
"""The HMAC TLV (RFC 8754 section 2.1.2) where a SID wants one. Inserted TLVs are in test_srv6_headend.py."""

import pytest

import srv6_lab as lab
import srv6_wire as wire

CONFIG = lab.CONFIG

NEXT = lab.hops("a", 4)
UDP = wire.udp6(lab.HOST6, lab.FAR6)[40:]
IN6 = wire.udp6(lab.HOST6, lab.FAR6)
FRAME = bytes.fromhex("0200000000010200000000020800") + wire.udp4(lab.HOST4, lab.FAR4)
MOVING = ["End signed", "End.X signed", "End.T signed", "End.B6.Encaps signed"]
LAST = {"End.DT46 signed": (IN6, wire.IP6), "End.DX2 signed": (FRAME, wire.ETH)}


def header(name, key_id=7, left=1, proto=wire.UDP, entries=None, **fields):
    secret, algorithm = lab.KEYS[key_id]
    entries = [NEXT[0], lab.address(name)] if entries is None else entries
    return wire.signed_srh(lab.SR_SOURCE, proto, entries, left, key_id, secret, algorithm, **fields)


def packet(name, srh, payload=UDP, src=lab.SR_SOURCE, dst=None, **fields):
    return wire.ip6(src, dst or lab.address(name), wire.ROUTING, srh + payload, **fields)


def send(node, packets, **drops):
    return lab.check(node, [(what, "core", lab.frame("core", p)) for what, p in packets], **drops)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


@pytest.mark.parametrize("name", MOVING)
def test_right_digest(node, name):
    """Each key and algorithm, full and reduced lists, other TLVs before and after."""
    me = lab.address(name)
    packets = [(f"key {k}", packet(name, header(name, k))) for k in lab.KEYS]
    packets += [("flags and tag", packet(name, header(name, flags=0xA5, tag=0x1234))),
                ("reduced", packet(name, header(name, left=1, entries=[NEXT[0]]))),
                ("three", packet(name, header(name, left=2, entries=[NEXT[1], NEXT[0], me]))),
                ("padded", packet(name, header(name, before=bytes([4, 6]) + bytes(6)))),
                ("pad1", packet(name, header(name, before=bytes(8)))),
                ("unknown TLV", packet(name, header(name, before=bytes([200, 14]) + b"?" * 14)))]
    send(node, packets)


@pytest.mark.parametrize("name", MOVING)
def test_wrong_digest(node, name):
    """A bit of whatever the digest covers, of the digest, an unknown key, another key's digest."""
    good = header(name)
    tlv = len(good) - 40
    packets = [(f"bit of byte {at}", packet(name, flipped(good, at)))
               for at in (5, 8, 23, tlv + 7, tlv + 8, tlv + 39)]
    secret, _ = lab.KEYS[7]
    packets += [("source", packet(name, good, src="2001:db8:a:99::2")),
                ("unknown key", packet(name, wire.signed_srh(
                    lab.SR_SOURCE, wire.UDP, [NEXT[0], lab.address(name)], 1, 9, secret))),
                ("key 0", packet(name, wire.signed_srh(
                    lab.SR_SOURCE, wire.UDP, [NEXT[0], lab.address(name)], 1, 0, secret))),
                ("other algorithm", packet(name, wire.signed_srh(
                    lab.SR_SOURCE, wire.UDP, [NEXT[0], lab.address(name)], 1, 7, secret, "sha1"))),
                ("zero", packet(name, good[:-32] + bytes(32)))]
    with node.counts(drop_srv6_hmac_bad=len(packets)):
        for _, given in packets:
            node.send("core", lab.frame("core", given))


def test_not_covered(node):
    """Next header, tag and Segments Left are outside of the digest; the destination must still be the
    segment that SL names (RFC 8754 section 2.1.2.1)."""
    name = "End signed"
    me = lab.address(name)
    good = header(name)
    send(node, [("tag", packet(name, good[:6] + b"\x12\x34" + good[8:]))])
    replayed = header(name, left=2, entries=[NEXT[1], NEXT[0], me])
    replayed = replayed[:3] + b"\1" + replayed[4:]
    with node.counts(drop_srv6_hmac_bad=1):
        node.send("core", lab.frame("core", packet(name, replayed)))


@pytest.mark.parametrize("name", MOVING)
def test_missing(node, name):
    me = lab.address(name)
    packets = [("no TLV", packet(name, wire.srh(wire.UDP, [NEXT[0], me], 1))),
               ("other TLV", packet(name, wire.srh(wire.UDP, [NEXT[0], me], 1, tlvs=bytes([4, 6]) +
                                                   bytes(6)))),
               ("no SRH", wire.ip6(lab.SR_SOURCE, me, wire.UDP, UDP)),
               ("no SRH, ping", wire.ip6(lab.SR_SOURCE, me, wire.ICMP6, wire.echo6(lab.SR_SOURCE, me)))]
    send(node, packets, drop_srv6_hmac_missing=4)


def test_hop_limit_and_lists_first(node):
    """What makes the header unreadable is answered, signed or not."""
    name = "End signed"
    me = lab.address(name)
    with node.counts(drop_ip6_hop_limit=1):
        node.send("core", lab.frame("core", packet(name, header(name), hop_limit=1)))
        node.receive("core")
    with node.counts(drop_srv6_bad_srh=1):
        node.send("core", lab.frame("core", packet(name, wire.srh(
            wire.UDP, [NEXT[0], me], 5) + UDP)))
        node.receive("core")


@pytest.mark.parametrize("name", LAST)
def test_last_segment(node, name):
    payload, proto = LAST[name]
    me = lab.address(name)
    send(node, [(f"key {k}", packet(name, header(name, k, 0, proto, [me, NEXT[0]]), payload))
                for k in lab.KEYS])
    with node.counts(drop_srv6_hmac_bad=1):
        node.send("core", lab.frame("core", packet(
            name, flipped(header(name, 7, 0, proto, [me, NEXT[0]]), 70), payload)))
    send(node, [("plain", wire.ip6(lab.SR_SOURCE, me, proto, payload)),
                ("unsigned", packet(name, wire.srh(proto, [me], 0), payload))],
         drop_srv6_hmac_missing=2)
    ping = wire.echo6(lab.SR_SOURCE, me)
    send(node, [("ping", packet(name, header(name, 7, 0, wire.ICMP6, [me, NEXT[0]]), ping))])


def test_csid(node):
    """A shift is an act, too: it wants a signed SRH. The container may have been shifted on its way."""
    name = "End signed C-SID"
    dst = "2001:db8:e0:a:77::"
    signed = header(name, 7, 0, wire.UDP, [dst, NEXT[0]])
    shifted = header(name, 7, 0, wire.UDP, ["2001:db8:1234:e0:a:77::", NEXT[0]])
    for srh in (signed, shifted):
        given = packet(name, srh, dst=dst)
        want = packet(name, srh, dst="2001:db8:a:77::", hop_limit=63)
        node.exchange("core", lab.frame("core", given), "core",
                      wire.eth(lab.MACS["core"], node.mac("core"), want))
    with node.counts(drop_srv6_hmac_bad=1, drop_srv6_hmac_missing=2):
        node.send("core", lab.frame("core", packet(name, flipped(signed, 70), dst=dst)),
                  lab.frame("core", packet(name, wire.srh(wire.UDP, [dst], 0), dst=dst)),
                  lab.frame("core", wire.ip6(lab.SR_SOURCE, dst, wire.UDP, UDP)))


def test_unsigned_sids_ignore_the_tlv(node):
    """Where no HMAC is wanted, a bad one changes nothing; PSP takes it off with the header."""
    for name in ("End", "End+PSP", "End.X"):
        bad = flipped(header(name), 60)
        send(node, [(name, packet(name, bad))])
