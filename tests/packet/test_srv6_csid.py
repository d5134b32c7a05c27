# SPDX-License-Identifier: Apache-2.0
"""NEXT-C-SID (RFC 9800 section 4.1) on End and End.X: with every other flavor, with and without an SRH,
several C-SIDs in a row, exhausted containers."""

import pytest

import srv6_lab as lab
import srv6_wire as wire

CONFIG = lab.CONFIG

NEXT = lab.hops("a", 4)
UDP = wire.udp6(lab.HOST6, lab.FAR6)[40:]
INNER = wire.udp6(lab.SR_SOURCE, NEXT[0])


def sids_of(behavior):
    return [lab.behavior_name(behavior, f, True) for f in lab.FLAVOR_SETS]


def container(name, *csids):
    """The SID's address with more C-SIDs, 16 bits each, in its argument."""
    head = wire.addr(lab.address(name))[:6]
    return (head + b"".join(c.to_bytes(2, "big") for c in csids)).ljust(16, b"\0")


def to(dst, payload=UDP, proto=wire.UDP, **fields):
    return wire.ip6(lab.SR_SOURCE, dst, proto, payload, **fields)


def with_srh(dst, left, entries, payload=UDP, proto=wire.UDP, **fields):
    return to(dst, wire.srh(proto, entries, left) + payload, wire.ROUTING, **fields)


def send(node, packets, **drops):
    return lab.check(node, [(what, "core", lab.frame("core", p)) for what, p in packets], **drops)


@pytest.mark.parametrize("behavior", ["End", "End.X"])
def test_shift(node, behavior):
    """The next C-SID moves up, whatever follows the header; an SRH stays as it is, PSP or not."""
    packets = []
    for name in sids_of(behavior):
        for n in range(1, 6):
            dst = container(name, *([0xA] + [0x100 + i for i in range(1, n)]))
            packets += [(f"{name} {n}", to(dst, hop_limit=2, tc=0xB9, label=0x54321)),
                        (f"{name} {n} srh 0", with_srh(dst, 0, [dst, NEXT[0]])),
                        (f"{name} {n} srh 1", with_srh(dst, 1, [NEXT[0], dst])),
                        (f"{name} {n} bad srh", with_srh(dst, 9, [NEXT[0], dst]))]
        dst = container(name, 0xA, 0, 0, 0, 7)
        packets += [(f"{name} zeros within", to(dst)),
                    (f"{name} ip6", to(dst, INNER, wire.IP6)),
                    (f"{name} ping", to(dst, wire.echo6(lab.SR_SOURCE, dst), wire.ICMP6)),
                    (f"{name} fragment", to(dst, wire.fragment(wire.UDP, 3, 1) + UDP, wire.FRAGMENT))]
    outcomes = send(node, packets)
    assert all(o.frames[0][0] == ("core" if behavior == "End" else "side") for o in outcomes)


def test_shift_by_hand(node):
    before = to(container("End+NEXT-C-SID", 0xA, 0xBEEF, 0x1234), hop_limit=33)
    want = to("2001:db8:a:beef:1234::", hop_limit=32)
    node.exchange("side", lab.frame("side", before), "core",
                  wire.eth(lab.MACS["core"], node.mac("core"), want))


@pytest.mark.parametrize("behavior", ["End", "End.X"])
def test_shift_hop_limit(node, behavior):
    packets = []
    for name in sids_of(behavior):
        packets += [(f"{name} hop {h}", to(container(name, 0xA), hop_limit=h)) for h in (0, 1)]
        packets += [(f"{name} hop {h} srh", with_srh(container(name, 0xA), 0, NEXT[:2], hop_limit=h))
                    for h in (0, 1)]
    send(node, packets, drop_ip6_hop_limit=len(packets))


@pytest.mark.parametrize("behavior", ["End", "End.X"])
def test_exhausted(node, behavior):
    """The argument is zero: the plain behavior with its flavors, PSP among them."""
    moving, exposed, refused, pings, bad = [], [], [], [], []
    for name in sids_of(behavior):
        me = container(name)
        moving += [(f"{name} srh 1", with_srh(me, 1, [NEXT[0], me])),
                   (f"{name} srh 1 next container",
                    with_srh(me, 1, ["2001:db8:a:b:c:d:e:f", container(name, 0xA)])),
                   (f"{name} srh 2", with_srh(me, 2, [NEXT[1], NEXT[0], me])),
                   (f"{name} reduced", with_srh(me, 1, [NEXT[0]]))]
        (exposed if "USD" in name else refused).append((f"{name} ip6", to(me, INNER, wire.IP6)))
        (exposed if "USD" in name else refused).append(
            (f"{name} ip6 srh", with_srh(me, 0, [me, NEXT[0]], INNER, wire.IP6)))
        refused.append((f"{name} udp", to(me)))
        pings += [(f"{name} ping", to(me, wire.echo6(lab.SR_SOURCE, me), wire.ICMP6)),
                  (f"{name} ping srh", with_srh(me, 0, [me, NEXT[0]], wire.echo6(lab.SR_SOURCE, me),
                                                wire.ICMP6))]
        bad += [(f"{name} SL", with_srh(me, 4, [NEXT[0], me])),
                (f"{name} LE", to(me, wire.srh(wire.UDP, [NEXT[0]], 1, last_entry=3), wire.ROUTING))]
    send(node, moving + exposed + pings)
    send(node, refused, drop_srv6_bad_upper=len(refused))
    send(node, bad, drop_srv6_bad_srh=len(bad))


def test_two_own_csids(node):
    """C-SIDs of this node in a row cost a hop each; the last one leads on by its own flavors."""
    end, psp, x = "End+NEXT-C-SID", "End+PSP+NEXT-C-SID", "End.X+NEXT-C-SID"
    twice = container(end, 0xC1, 0xA)
    packets = [("end, psp, far", to(twice, hop_limit=3)),
               ("end, end.x, far", to(container(end, 0xD0, 0xA), hop_limit=5)),
               ("end.x, far", to(container(x, 0xA, 0xB), hop_limit=5)),
               ("end, psp exhausted", with_srh(container(end, 0xC1), 1, [NEXT[0], container(psp)],
                                               hop_limit=3)),
               ("four of ours", to(container(end, 0xC1, 0xC2, 0xC3, 0xA), hop_limit=5))]
    outcomes = send(node, packets)
    assert outcomes[0].frames[0][1][14 + 7] == 1
    send(node, [("hop limit runs out between", to(twice, hop_limit=2))], drop_ip6_hop_limit=1)


def test_container_after_container(node):
    """An SRH of containers: exhausted, the next one from the list, exhausted again, out."""
    first = container("End+NEXT-C-SID", 0xC1)
    second = container("End+PSP+NEXT-C-SID", 0xC0, 0xA, 0x77)
    outcome, = send(node, [("two containers", with_srh(first, 1, [second, first]))])
    assert outcome.frames[0][1][14 + 24:14 + 40] == wire.addr("2001:db8:a:77::")


@pytest.mark.parametrize("name, dst, want", [
    ("End 32+32", "2001:db9:c:c:a:b:1:2", "2001:db9:a:b:1:2::"),
    ("End 48+16", "2001:dba:0:c:a:b:1:2", "2001:dba:0:a:b:1:2::"),
    ("End 8+8", "3fcc:0a01:203:405:607:809:a0b:c0d", "3f0a:102:304:506:708:90a:b0c:d00"),
])
def test_other_lengths(node, name, dst, want):
    outcome, = send(node, [(name, to(dst))])
    assert outcome.frames[0][1][14 + 24:14 + 40] == wire.addr(want)
    assert name in outcome.sids
    me = lab.address(name)
    send(node, [("plain", with_srh(me, 1, [NEXT[0], me]))])
