# SPDX-License-Identifier: Apache-2.0
"""End.DX2, DX4, DX6, DT4, DT6, DT46 and the End.B6 pair: what comes out, where, and what is refused."""

import itertools

import pytest

import srv6_lab as lab
import srv6_wire as wire

CONFIG = lab.CONFIG

NEXT = lab.hops("a", 4)
UDP = wire.udp6(lab.HOST6, lab.FAR6)[40:]
IN4 = wire.udp4(lab.HOST4, lab.FAR4)
IN6 = wire.udp6(lab.HOST6, lab.FAR6)
FRAME = bytes.fromhex("0200000000010200000000020800") + IN4
TAKES = {"End.DX2": (wire.ETH,), "End.DX2 VLAN": (wire.ETH,), "End.DX4": (wire.IP4,),
         "End.DX6": (wire.IP6,), "End.DT4": (wire.IP4,), "End.DT6": (wire.IP6,),
         "End.DT46": (wire.IP4, wire.IP6)}
PAYLOADS = {wire.IP4: IN4, wire.IP6: IN6, wire.ETH: FRAME}
PAIRS = [(name, proto) for name, protos in TAKES.items() for proto in protos]


def to_sid(name, payload, proto, **fields):
    return wire.ip6(lab.SR_SOURCE, lab.address(name), proto, payload, **fields)


def with_srh(name, left, payload, proto, entries=None, **fields):
    entries = [lab.address(name), NEXT[0]] if entries is None else entries
    return to_sid(name, wire.srh(proto, entries, left) + payload, wire.ROUTING, **fields)


def send(node, packets, port="core", **drops):
    return lab.check(node, [(what, port, lab.frame(port, p)) for what, p in packets], **drops)


@pytest.mark.parametrize("name, proto", PAIRS)
def test_inner_packet(node, name, proto):
    """With and without an SRH and options; the outer hop limit does not matter here; what follows the inner
    packet's own length is cut off."""
    inner = PAYLOADS[proto]
    packets = [("plain", to_sid(name, inner, proto)),
               ("srh", with_srh(name, 0, inner, proto)),
               ("hop limit 0", to_sid(name, inner, proto, hop_limit=0)),
               ("hop limit 1 srh", with_srh(name, 0, inner, proto, hop_limit=1)),
               ("hbh", to_sid(name, wire.options(proto, 3) + inner, wire.HBH)),
               ("dst srh dst", to_sid(name, wire.options(wire.ROUTING) + wire.srh(
                   wire.DSTOPTS, [lab.address(name)], 0) + wire.options(proto) + inner, wire.DSTOPTS)),
               ("two srh", with_srh(name, 0, wire.srh(proto, NEXT, 0) + inner, wire.ROUTING)),
               ("srh with tlv", to_sid(name, wire.srh(proto, NEXT, 0, tlvs=bytes([4, 6]) + bytes(6)) +
                                       inner, wire.ROUTING)),
               ("atomic fragment", to_sid(name, wire.fragment(proto) + inner, wire.FRAGMENT)),
               ("other routing, SL 0", to_sid(name, wire.srh(proto, NEXT[:1], 0, routing_type=3) +
                                              inner, wire.ROUTING))]
    outcomes = send(node, packets)
    if proto != wire.ETH:
        outcomes += send(node, [("junk", to_sid(name, inner + b"trailing junk", proto))])
    want = {wire.ETH: b"", wire.IP4: b"\x08\x00", wire.IP6: b"\x86\xdd"}[proto]
    hop = {wire.ETH: 0, wire.IP4: 22, wire.IP6: 21}[proto]
    for outcome in outcomes:
        (port, frame, _), = outcome.frames
        assert port == ("wire" if proto == wire.ETH else "red")
        assert not want or (frame[12:14] == want and frame[hop] == 63 and len(frame) == 14 + len(inner))


def test_by_hand(node):
    """Expected frames spelled out."""
    red, wire_mac = lab.MACS["red"], node.mac("red")
    node.exchange("core", lab.frame("core", to_sid("End.DT46", IN4, wire.IP4)), "red",
                  wire.eth(red, wire_mac, wire.udp4(lab.HOST4, lab.FAR4, ttl=63)))
    node.exchange("core", lab.frame("core", with_srh("End.DX6", 0, IN6, wire.IP6)), "red",
                  wire.eth(red, wire_mac, wire.udp6(lab.HOST6, lab.FAR6, hop_limit=63)))
    node.exchange("core", lab.frame("core", to_sid("End.DX2", FRAME, wire.ETH)), "wire", FRAME)
    node.exchange("core", lab.frame("core", to_sid("End.DX2 VLAN", FRAME, wire.ETH)), "wire",
                  FRAME[:12] + b"\x81\x00\x01\x2c" + FRAME[12:])


@pytest.mark.parametrize("name", TAKES)
def test_segments_left(node, name):
    """SL != 0 at the end of the path: Parameter Problem, code 0, at Segments Left, wherever the SRH is."""
    proto = TAKES[name][0]
    inner = PAYLOADS[proto]
    packets = [(f"SL {left}", with_srh(name, left, inner, proto)) for left in (1, 2, 255)]
    packets += [("hop limit 1", with_srh(name, 1, inner, proto, hop_limit=1)),
                ("behind options", to_sid(name, wire.options(wire.ROUTING, 2) + wire.srh(
                    proto, NEXT, 1) + inner, wire.DSTOPTS)),
                ("second SRH", with_srh(name, 0, wire.srh(proto, NEXT, 1) + inner, wire.ROUTING))]
    outcomes = send(node, packets, drop_srv6_bad_srh=len(packets))
    assert [int.from_bytes(o.frames[0][1][58:62], "big") for o in outcomes] == [
        43, 43, 43, 43, 40 + 24 + 3, 40 + 40 + 3]


@pytest.mark.parametrize("name", TAKES)
def test_upper_layer(node, name):
    """What a SID does not take: Parameter Problem, code 4, at the upper layer. Pings are answered."""
    others = [(p, PAYLOADS[p]) for p in PAYLOADS if p not in TAKES[name]]
    others += [(wire.TCP, wire.tcp_header()), (wire.UDP, UDP), (wire.NO_NEXT, b""), (253, b"?")]
    packets = []
    for proto, payload in others:
        packets += [(f"{proto}", to_sid(name, payload, proto)),
                    (f"{proto} srh", with_srh(name, 0, payload, proto)),
                    (f"{proto} options", to_sid(name, wire.options(proto) + payload, wire.HBH))]
    outcomes = send(node, packets, drop_srv6_bad_upper=len(packets))
    assert [int.from_bytes(o.frames[0][1][58:62], "big") for o in outcomes[:3]] == [40, 80, 48]
    echo = wire.echo6(lab.SR_SOURCE, lab.address(name))
    send(node, [("ping", to_sid(name, echo, wire.ICMP6)),
                ("ping srh", with_srh(name, 0, echo, wire.ICMP6)),
                ("ping other routing", to_sid(name, wire.srh(wire.ICMP6, NEXT[:1], 0, routing_type=0) +
                                              echo, wire.ROUTING))])


@pytest.mark.parametrize("name", ["End", "End.X+USD", "End.T", "End.B6", *TAKES])
def test_other_routing_types(node, name):
    """SL != 0: Parameter Problem, code 0, at the Routing Type (RFC 8200 section 4.4)."""
    packets = [(f"type {t}", to_sid(name, wire.srh(wire.IP4, NEXT[:2], 1, routing_type=t) + IN4,
                                    wire.ROUTING)) for t in (0, 2, 3, 5, 255)]
    packets.append(("options", to_sid(name, wire.options(wire.ROUTING) + wire.srh(
        wire.IP4, NEXT[:2], 1, routing_type=3) + IN4, wire.DSTOPTS)))
    outcomes = send(node, packets, drop_ip6_routing_header=6)
    assert [int.from_bytes(o.frames[0][1][58:62], "big") for o in outcomes] == [42] * 5 + [50]


def test_routing_header_at_an_address(node):
    """RFC 8754 section 4.3.2: an SRH with segments left at an address that is no SID."""
    bad = wire.ip6(lab.SR_SOURCE, lab.CORE, wire.ROUTING, wire.srh(wire.UDP, NEXT[:2], 1) + UDP)
    rest = (42).to_bytes(4, "big") + bad
    want = wire.ip6(lab.CORE, lab.SR_SOURCE, wire.ICMP6,
                    wire.icmp6(lab.CORE, lab.SR_SOURCE, 4, 0, rest))
    with node.counts(drop_ip6_routing_header=1):
        node.exchange("core", lab.frame("core", bad), "core",
                      wire.eth(lab.MACS["core"], node.mac("core"), want))
    send(node, [("SL 0", wire.ip6(lab.SR_SOURCE, lab.CORE, wire.ROUTING, wire.srh(
        wire.ICMP6, NEXT[:2], 0) + wire.echo6(lab.SR_SOURCE, lab.CORE)))])


@pytest.mark.parametrize("name", ["End", "End.X+USD", "End.T+USD", *TAKES])
def test_fragments(node, name):
    """A fragment has no complete inner packet."""
    proto = TAKES.get(name, (wire.IP6,))[0]
    inner = PAYLOADS[proto]
    packets = [("first", to_sid(name, wire.fragment(proto, 0, 1) + inner, wire.FRAGMENT)),
               ("last", to_sid(name, wire.fragment(proto, 5, 0) + inner, wire.FRAGMENT)),
               ("srh first", with_srh(name, 0, wire.fragment(proto, 0, 1) + inner, wire.FRAGMENT)),
               ("options", to_sid(name, wire.options(wire.FRAGMENT) + wire.fragment(proto, 1, 1) +
                                  inner, wire.HBH))]
    send(node, packets, drop_srv6_fragment=4)


@pytest.mark.parametrize("name", ["End", "End.DT46", "End.B6"])
def test_many_headers(node, name):
    """Eight extension headers are walked, nine are not; the last ones may be truncated."""
    def chain(n, last):
        return b"".join(wire.options(wire.DSTOPTS) for _ in range(n - 1)) + wire.options(last)

    me = lab.address(name)
    eight = to_sid(name, chain(8, wire.IP4) + IN4, wire.DSTOPTS)
    seven = to_sid(name, chain(7, wire.ROUTING) + wire.srh(wire.IP4, [NEXT[0], me], 1) + IN4, wire.DSTOPTS)
    nine = to_sid(name, chain(9, wire.IP4) + IN4, wire.DSTOPTS)
    drops = {} if name == "End.DT46" else dict(drop_srv6_bad_upper=1)
    send(node, [("eight", eight)], **drops)
    if name == "End.DT46":
        send(node, [("seven and an SRH", seven)], drop_srv6_bad_srh=1)
    else:
        send(node, [("seven and an SRH", seven)])
    send(node, [("nine", nine), ("eight and an SRH", to_sid(name, chain(8, wire.ROUTING) + wire.srh(
        wire.IP4, [NEXT[0], me], 1) + IN4, wire.DSTOPTS))], drop_srv6_ext_headers=2)
    send(node, [("options past the end", to_sid(name, bytes([wire.IP4, 9]) + bytes(6), wire.DSTOPTS)),
                ("srh past the end", to_sid(name, wire.srh(wire.IP4, [me], 1, ext_len=9), wire.ROUTING)),
                ("half a header", to_sid(name, bytes(4), wire.ROUTING)),
                ("half a fragment header", to_sid(name, bytes(7), wire.FRAGMENT)),
                ("no bytes", to_sid(name, b"", wire.DSTOPTS))], drop_srv6_truncated=5)


@pytest.mark.parametrize("name", ["End.DT4", "End.DT46", "End.DX4", "End.T+USD", "End.X+USD"])
def test_malformed_ip4(node, name):
    good = bytearray(IN4)

    def broken(at, value):
        out = bytearray(good)
        out[at] = value
        return bytes(out)

    inner = [("empty", b""), ("one byte", b"\x45"), ("19 bytes", bytes(good[:19])),
             ("version", broken(0, 0x65)), ("ihl 4", broken(0, 0x44)),
             ("ihl 15", broken(0, 0x4F)), ("checksum", broken(10, good[10] ^ 1)),
             ("length short", wire.udp4(lab.HOST4, lab.FAR4, length=19)),
             ("length long", wire.udp4(lab.HOST4, lab.FAR4, length=len(good) + 1)),
             ("from loopback", wire.udp4("127.0.0.1", lab.FAR4)),
             ("to loopback", wire.udp4(lab.HOST4, "127.0.0.1")),
             ("from a group", wire.udp4("224.0.0.5", lab.FAR4)),
             ("to a group", wire.udp4(lab.HOST4, "224.0.0.5")),
             ("ip6 inside", IN6)]
    before = node.get("/sids")
    packets = [lab.frame("core", to_sid(name, p, wire.IP4)) for _, p in inner]
    packets += [lab.frame("core", with_srh(name, 0, p, wire.IP4)) for _, p in inner]
    with node.counts(drop_srv6_inner=len(packets)):
        node.send("core", *packets)
    assert node.get("/sids") == before
    send(node, [("options", to_sid(name, wire.udp4(lab.HOST4, lab.FAR4, options=b"\1\1\1\0"), wire.IP4))])


@pytest.mark.parametrize("name", ["End.DT6", "End.DT46", "End.DX6", "End+USD", "End.X+USD"])
def test_malformed_ip6(node, name):
    target = NEXT[0] if "USD" in name else lab.FAR6
    good = wire.udp6(lab.HOST6, target)
    inner = [("empty", b""), ("39 bytes", good[:39]), ("version", b"\x45" + good[1:]),
             ("length long", wire.udp6(lab.HOST6, target, length=len(good) - 39)),
             ("from a group", wire.udp6("ff02::1", target)), ("from ::1", wire.udp6("::1", target)),
             ("to ::1", wire.udp6(lab.HOST6, "::1")), ("to ::", wire.udp6(lab.HOST6, "::")),
             ("link-local", wire.udp6("fe80::1", target)), ("ip4 inside", IN4 + bytes(40))]
    packets = [lab.frame("core", to_sid(name, p, wire.IP6)) for _, p in inner]
    packets += [lab.frame("core", with_srh(name, 0, p, wire.IP6)) for _, p in inner]
    with node.counts(drop_srv6_inner=len(packets)):
        node.send("core", *packets)
    send(node, [("length short", to_sid(name, wire.ip6(
        lab.HOST6, target, wire.UDP, UDP, length=3), wire.IP6))])


def test_malformed_frame(node):
    """End.DX2: less than an Ethernet header, and more than the interface takes."""
    for name in ("End.DX2", "End.DX2 VLAN"):
        send(node, [(f"{n} bytes", to_sid(name, FRAME[:n], wire.ETH)) for n in (0, 1, 13)],
             drop_srv6_inner=3)
        send(node, [("16 bytes", to_sid(name, FRAME[:16], wire.ETH)),
                    ("60 bytes", to_sid(name, FRAME.ljust(60, b"\0"), wire.ETH)),
                    ("tagged", to_sid(name, FRAME[:12] + b"\x81\0\0\x05" + FRAME[12:], wire.ETH)),
                    ("1446 bytes", to_sid(name, bytes(1446), wire.ETH))])


ECN = list(itertools.product(range(4), range(4)))


@pytest.mark.parametrize("name, proto", [p for p in PAIRS if p[1] != wire.ETH] + [
    ("End+USD", wire.IP6), ("End.X+USD", wire.IP6), ("End.T+USD", wire.IP4)])
def test_ecn(node, name, proto):
    """RFC 6040 figure 4, the inner DSCP untouched; CE over Not-ECT is dropped."""
    far6 = NEXT[0] if "USD" in name else lab.FAR6
    table = {(0, 0): 0, (0, 1): 1, (0, 2): 2, (0, 3): 3, (1, 0): 0, (1, 1): 1, (1, 2): 1, (1, 3): 3,
             (2, 0): 0, (2, 1): 1, (2, 2): 2, (2, 3): 3, (3, 1): 3, (3, 2): 3, (3, 3): 3}
    packets, wants = [], []
    for outer, inner in ECN:
        tos = 0x2E << 2 | inner
        packet = (wire.udp4(lab.HOST4, lab.FAR4, tos=tos) if proto == wire.IP4
                  else wire.udp6(lab.HOST6, far6, tc=tos))
        if (outer, inner) in table:
            packets.append((f"{outer} over {inner}", to_sid(name, packet, proto, tc=0xC0 | outer)))
            wants.append(0x2E << 2 | table[outer, inner])
        else:
            send(node, [("CE over Not-ECT", to_sid(name, packet, proto, tc=outer)),
                        ("srh", with_srh(name, 0, packet, proto, tc=outer))], drop_srv6_ecn=2)
    for outcome, want in zip(send(node, packets), wants):
        ip = outcome.frames[0][1][14:]
        assert want == (ip[1] if proto == wire.IP4 else (ip[0] << 4 | ip[1] >> 4) & 0xFF)


@pytest.mark.parametrize("name, proto", [p for p in PAIRS if p[1] != wire.ETH])
def test_inner_ttl(node, name, proto):
    """0 and 1 end here, with an error to the inner source in the tenant's VRF; 2 goes on."""
    def inner(ttl):
        return (wire.udp4(lab.HOST4, lab.FAR4, ttl=ttl) if proto == wire.IP4
                else wire.udp6(lab.HOST6, lab.FAR6, hop_limit=ttl))

    drop = "drop_ip4_ttl" if proto == wire.IP4 else "drop_ip6_hop_limit"
    outcomes = send(node, [(f"ttl {t}", to_sid(name, inner(t), proto)) for t in (0, 1)], **{drop: 2})
    assert all(o.frames[0][0] == "red" for o in outcomes)
    send(node, [(f"ttl {t}", to_sid(name, inner(t), proto)) for t in (2, 255)])


@pytest.mark.parametrize("name, proto", [p for p in PAIRS if "DT" in p[0]])
def test_tenant_lookup(node, name, proto):
    """No route, unreachable, blackhole: in the tenant's VRF, the error to the inner source."""
    def to(dst):
        return (wire.udp4(lab.HOST4, dst) if proto == wire.IP4 else wire.udp6(lab.HOST6, dst))

    if proto == wire.IP4:
        send(node, [("no route", to_sid(name, to("9.9.9.9"), proto))], drop_ip4_no_route=1)
        send(node, [("unreachable", to_sid(name, to("10.66.1.1"), proto))], drop_ip4_unreachable=1)
        send(node, [("blackhole", to_sid(name, to("10.67.1.1"), proto))], drop_blackhole=1)
    else:
        send(node, [("no route", to_sid(name, to("fd99::1"), proto))], drop_ip6_no_route=1)
        send(node, [("unreachable", to_sid(name, to("fd00:66::1"), proto))], drop_ip6_unreachable=1)


def test_inner_srh(node):
    """An inner packet with an SRH of its own is the tenant's business."""
    inner = wire.ip6(lab.HOST6, lab.FAR6, wire.ROUTING, wire.srh(wire.UDP, NEXT[:3], 2) + UDP)
    send(node, [(name, to_sid(name, inner, wire.IP6)) for name in ("End.DT6", "End.DT46", "End.DX6")])
    send(node, [(name, with_srh(name, 0, inner, wire.IP6)) for name in ("End.DT6", "End.DX6")])


B6 = ["End.B6", "End.B6.Red", "End.B6 one"]


@pytest.mark.parametrize("name", B6)
def test_b6(node, name):
    """The packet advances, then goes into the policy: outer traffic class and hop limit are the policy's."""
    me = lab.address(name)
    packets = [(f"SL {n}", with_srh(name, n, UDP, wire.UDP, list(reversed(NEXT[:n])) + [me],
                                    tc=0x2D, hop_limit=9, label=0x777)) for n in (1, 2, 3)]
    packets += [("reduced", with_srh(name, 1, UDP, wire.UDP, NEXT[:1])),
                ("options", to_sid(name, wire.options(wire.ROUTING) + wire.srh(
                    wire.UDP, [NEXT[0], me], 1) + UDP, wire.DSTOPTS))]
    outcomes = send(node, packets)
    for outcome in outcomes:
        outer = outcome.frames[0][1][14:]
        assert outer[7] == 64 and outer[8:24] == wire.addr(lab.SOURCE)
    assert outcomes[0].frames[0][1][14 + 7 + {"End.B6": 80, "End.B6.Red": 80, "End.B6 one": 40}[name]] == 8


@pytest.mark.parametrize("name", B6)
def test_b6_refused(node, name):
    me = lab.address(name)
    send(node, [(f"hop limit {h}", with_srh(name, 1, UDP, wire.UDP, [NEXT[0], me], hop_limit=h))
                for h in (0, 1)], drop_ip6_hop_limit=2)
    send(node, [("SL", with_srh(name, 3, UDP, wire.UDP, [NEXT[0], me])),
                ("LE", to_sid(name, wire.srh(wire.UDP, [me], 1, last_entry=1) + UDP, wire.ROUTING))],
         drop_srv6_bad_srh=2)
    send(node, [("SL 0", with_srh(name, 0, UDP, wire.UDP)), ("no SRH", to_sid(name, IN6, wire.IP6)),
                ("ip4", to_sid(name, IN4, wire.IP4))], drop_srv6_bad_upper=3)
    echo = wire.echo6(lab.SR_SOURCE, me)
    send(node, [("ping", to_sid(name, echo, wire.ICMP6)),
                ("ping srh", with_srh(name, 0, echo, wire.ICMP6))])
