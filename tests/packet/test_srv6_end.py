# SPDX-License-Identifier: Apache-2.0
"""End, End.X and End.T with every set of flavors: segment lists, hop limits, upper layers, USD."""

import pytest

import srv6_lab as lab
import srv6_wire as wire

CONFIG = lab.CONFIG

NEXT = lab.hops("a", 4)
UDP = wire.udp6(lab.HOST6, lab.FAR6)[40:]
BEHAVIORS = ("End", "End.X", "End.T")


def sids_of(behavior):
    return [lab.behavior_name(behavior, f) for f in lab.FLAVOR_SETS]


def to_sid(name, payload, proto, **fields):
    return wire.ip6(lab.SR_SOURCE, lab.address(name), proto, payload, **fields)


def through(name, left, entries, payload=UDP, proto=wire.UDP, **fields):
    """A packet at SID name with that many segments left of entries (as on the wire)."""
    ip = {k: fields.pop(k) for k in ("hop_limit", "tc", "label") if k in fields}
    return to_sid(name, wire.srh(proto, entries, left, **fields) + payload, wire.ROUTING, **ip)


def send(node, packets, port="core", **drops):
    return lab.check(node, [(what, port, lab.frame(port, p)) for what, p in packets], **drops)


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_segment_list(node, behavior):
    """One to four segments left, in full and in reduced lists: the next segment becomes the destination,
    the hop limit falls by one, PSP takes the header off behind the last step."""
    packets = []
    for name in sids_of(behavior):
        me = lab.address(name)
        for n in (1, 2, 3, 4):
            full = list(reversed(NEXT[:n])) + [me]
            packets += [(f"{name} full {n}",
                         through(name, n, full, hop_limit=2 + n, tc=0xB9, label=0x12345)),
                        (f"{name} reduced {n}", through(name, n, full[:-1], tag=0x1234, flags=0x5A))]
        packets += [(f"{name} middle", through(name, 2, [NEXT[3], NEXT[2], me, NEXT[0]])),
                    (f"{name} two of four", through(name, 1, [NEXT[1], me, NEXT[2], NEXT[3]]))]
    outcomes = send(node, packets)
    out_port = {"End.X": "side", "End.T": "blue"}.get(behavior, "core")
    assert [f[0] for o in outcomes for f in o.frames] == [out_port] * len(packets)


@pytest.mark.parametrize("name", ["End", "End+PSP", "End.X+PSP", "End.T+PSP", "End+PSP+USP+USD"])
def test_psp_by_hand(node, name):
    """The expected packet spelled out, so that not all hangs on the model."""
    before = through(name, 1, [NEXT[0], lab.address(name)], hop_limit=9, tc=4)
    if "PSP" in name:
        want = wire.ip6(lab.SR_SOURCE, NEXT[0], wire.UDP, UDP, hop_limit=8, tc=4)
    else:
        want = wire.ip6(lab.SR_SOURCE, NEXT[0], wire.ROUTING,
                        wire.srh(wire.UDP, [NEXT[0], lab.address(name)], 0) + UDP, hop_limit=8, tc=4)
    port, mac = {"End.X": ("side", lab.MACS["side3"]), "End.T": ("blue", lab.MACS["blue"])}.get(
        name.split("+")[0], ("core", lab.MACS["core"]))
    node.exchange("side", lab.frame("side", before), port, wire.eth(mac, node.mac(port), want))


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_tlvs_and_inner_protocols(node, behavior):
    """PSP with TLVs of several lengths and every kind of payload, among them another SRH."""
    pads = [bytes([wire.TLV_PADN, 6]) + bytes(6), bytes(8), bytes([124, 14]) + bytes(range(14))]
    inner4 = wire.udp4(lab.HOST4, lab.FAR4)
    inner6 = wire.udp6(lab.HOST6, lab.FAR6)
    second = wire.srh(wire.UDP, [NEXT[3]], 1) + UDP
    packets = []
    for name in sids_of(behavior):
        me = lab.address(name)
        packets += [(f"{name} tlv {i}", through(name, 1, [NEXT[0], me], tlvs=t))
                    for i, t in enumerate(pads)]
        packets += [(f"{name} ip4", through(name, 1, [NEXT[0]], inner4, wire.IP4)),
                    (f"{name} ip6", through(name, 1, [NEXT[0]], inner6, wire.IP6)),
                    (f"{name} eth", through(name, 1, [NEXT[0]], bytes(60), wire.ETH)),
                    (f"{name} none", through(name, 1, [NEXT[0]], b"", wire.NO_NEXT)),
                    (f"{name} second SRH", through(name, 1, [NEXT[0]], second, wire.ROUTING)),
                    (f"{name} unknown", through(name, 1, [NEXT[0]], b"?" * 17, 253))]
    send(node, packets)


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_hop_limit(node, behavior):
    """0 and 1: Time Exceeded, quoting the packet as it came; before any other complaint about the SRH."""
    expired, live = [], []
    for name in sids_of(behavior):
        me = lab.address(name)
        expired += [(f"{name} hop {h}", through(name, 1, [NEXT[0], me], hop_limit=h)) for h in (0, 1)]
        expired.append((f"{name} and bad SL", through(name, 9, [NEXT[0], me], hop_limit=1)))
        live += [(f"{name} hop {h}", through(name, 1, [NEXT[0], me], hop_limit=h)) for h in (2, 255)]
    send(node, expired, drop_ip6_hop_limit=len(expired))
    send(node, live)


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_bad_lengths(node, behavior):
    """SL, LE and the header's length at odds: Parameter Problem, code 0, pointing at Segments Left."""
    bad, good = [], []
    for name in sids_of(behavior):
        me = lab.address(name)
        two = [NEXT[0], me]
        bad += [(f"{name} SL = LE + 2", through(name, 3, two)),
                (f"{name} SL 255", through(name, 255, two)),
                (f"{name} LE > max", through(name, 1, two, last_entry=2)),
                (f"{name} LE 255", through(name, 1, two, last_entry=255)),
                (f"{name} SL LE 255", through(name, 255, two, last_entry=255)),
                (f"{name} length 0", through(name, 1, [], last_entry=0, ext_len=0)),
                (f"{name} length 0, LE 255", through(name, 1, [], last_entry=255, ext_len=0)),
                (f"{name} length 1", through(name, 1, [], last_entry=0, tlvs=bytes(8))),
                (f"{name} length 3 LE 1",
                 through(name, 1, [NEXT[0]], last_entry=1, tlvs=bytes(8)))]
        good += [(f"{name} SL = LE + 1", through(name, 2, NEXT[:2])),
                 (f"{name} odd length", through(name, 1, two, tlvs=bytes(8))),
                 (f"{name} length 3 LE 0",
                  through(name, 1, [NEXT[0]], last_entry=0, tlvs=bytes(8))),
                 (f"{name} room for more", through(name, 1, two + NEXT, last_entry=0)),
                 (f"{name} long", through(name, 8, NEXT + NEXT + [me]))]
    for outcome in send(node, bad, drop_srv6_bad_srh=len(bad)):
        message = outcome.frames[0][1][14 + 40:]
        assert message[:2] == bytes([4, 0]) and message[4:8] == (43).to_bytes(4, "big")
    send(node, good)


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_upper_layer(node, behavior):
    """SL 0 or no SRH: what is not allowed gets Parameter Problem code 4, pointing at the upper layer; a ping
    is answered."""
    uppers = [("tcp", wire.TCP, wire.tcp_header()), ("udp", wire.UDP, UDP), ("other", 253, b"12345678"),
              ("none", wire.NO_NEXT, b""), ("ospf", 89, bytes(20)), ("eth", wire.ETH, bytes(60))]
    packets, pings = [], []
    for name in sids_of(behavior):
        me = lab.address(name)
        for what, proto, payload in uppers:
            packets += [(f"{name} {what}", to_sid(name, payload, proto)),
                        (f"{name} {what} srh", through(name, 0, [me, NEXT[0]], payload, proto)),
                        (f"{name} {what} opts",
                         to_sid(name, wire.options(proto, 1) + payload, wire.DSTOPTS))]
        echo = wire.echo6(lab.SR_SOURCE, me)
        pings += [(f"{name} ping", to_sid(name, echo, wire.ICMP6, hop_limit=1)),
                  (f"{name} ping srh",
                   through(name, 0, [me, NEXT[0]], echo, wire.ICMP6, hop_limit=1)),
                  (f"{name} ping opts srh opts", to_sid(
                      name, wire.options(wire.ROUTING) + wire.srh(wire.DSTOPTS, [me], 0) +
                      wire.options(wire.ICMP6, 2) + echo, wire.HBH))]
    outcomes = send(node, packets, drop_srv6_bad_upper=len(packets))
    pointers = [int.from_bytes(o.frames[0][1][58:62], "big") for o in outcomes[:3]]
    assert pointers == [40, 40 + 40, 40 + 16]
    send(node, pings)


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_exposed_packets(node, behavior):
    """IP in IP at the last segment: taken out with USD, by table or on End.X's adjacency, its hop limit less
    by one; an error of code 4 without."""
    exposed, refused = [], []
    for name in sids_of(behavior):
        me = lab.address(name)
        packets = exposed if "USD" in name else refused
        for what, inner, proto in (
                ("6", wire.udp6(lab.SR_SOURCE, NEXT[0], hop_limit=9, tc=0xB9), wire.IP6),
                ("6 srh", wire.ip6(lab.SR_SOURCE, NEXT[0], wire.ROUTING,
                                   wire.srh(wire.UDP, NEXT[:2], 1) + UDP), wire.IP6),
                ("6 junk", wire.udp6(lab.SR_SOURCE, NEXT[0]) + b"junk after the end", wire.IP6)):
            packets += [(f"{name} {what}", to_sid(name, inner, proto)),
                        (f"{name} {what} srh", through(name, 0, [me, NEXT[0]], inner, proto))]
        packets.append((f"{name} options", to_sid(
            name, wire.options(wire.ROUTING) + wire.srh(wire.IP6, [me], 0) +
            wire.udp6(lab.SR_SOURCE, NEXT[0]), wire.HBH)))
    send(node, exposed)
    send(node, refused, drop_srv6_bad_upper=len(refused))


def test_exposed_ip4(node):
    """USD of IPv4: no route in the underlay, a route in End.T's VRF."""
    inner = wire.udp4(lab.HOST4, lab.FAR4, ttl=7)
    send(node, [("t", through("End.T+USD", 0, [NEXT[0]], inner, wire.IP4)),
                ("t plain", to_sid("End.T+PSP+USD", inner + b"junk", wire.IP4))])
    # IPv4 has no route in the underlay, nor a source for an error.
    with node.counts(drop_ip4_no_route=1, drop_icmp_no_source=1):
        node.send("core", lab.frame("core", to_sid("End+USD", inner, wire.IP4)))


def test_exposed_link_bound(node):
    """What comes out of a tunnel is for no link: link-local and multicast inner packets are dropped, so that
    nobody speaks neighbour discovery through one."""
    packets = []
    for name in ("End+USD", "End.X+USD", "End.T+USD", "End.DT6", "End.DX6", "End.DT6 underlay"):
        for what, src, dst in (("from", "fe80::1", NEXT[0]), ("to", lab.SR_SOURCE, "fe80::1"),
                               ("group", lab.SR_SOURCE, "ff02::1"),
                               ("solicited node", lab.SR_SOURCE, "ff02::1:ff00:1")):
            inner = wire.udp6(src, dst, hop_limit=255)
            packets.append((f"{name} {what}", to_sid(name, inner, wire.IP6)))
    send(node, packets, drop_srv6_inner=len(packets))


def neighbor_advert(src, dst, target, mac):
    rest = bytes([0xE0, 0, 0, 0]) + wire.addr(target) + bytes([2, 1]) + wire.mac(mac)
    return wire.ip6(src, dst, wire.ICMP6, wire.icmp6(src, dst, 136, 0, rest), hop_limit=255)


def test_no_discovery_through_tunnels(node):
    """A hop limit of 255 proves nothing behind an outer header: advertisements out of a tunnel must not
    touch the neighbours of the port they came in on."""
    before = node.get("/neighbors")["neighbors"]
    learned = "2001:db8:0:1::77"
    solicit = wire.icmp6(learned, lab.CORE, 135, 0, bytes(4) + wire.addr(lab.CORE) + bytes([1, 1]) +
                         wire.mac("02:00:00:00:66:66"))
    inner = [neighbor_advert(lab.R1, lab.CORE, lab.R1, "02:00:00:00:66:66"),
             wire.ip6(learned, lab.CORE, wire.ICMP6, solicit, hop_limit=255)]
    with node.counts(drop_local_icmp=4):
        for packet in inner:
            node.send("core", lab.frame("core", to_sid("End.DT6 underlay", packet, wire.IP6)),
                      lab.frame("core", to_sid("End+USD", packet, wire.IP6)))
    after = node.get("/neighbors")["neighbors"]
    assert [(n["address"], n.get("mac")) for n in after] == [
        (n["address"], n.get("mac")) for n in before]


def test_hop_limit_of_exposed_packets(node):
    """The exposed packet's own hop limit decides, and is quoted as it came."""
    packets = []
    for hop in (0, 1):
        inner = wire.udp6(lab.SR_SOURCE, NEXT[0], hop_limit=hop)
        packets.append((f"End {hop}", to_sid("End+USD", inner, wire.IP6)))
        packets.append((f"End.X {hop}", to_sid("End.X+USD", inner, wire.IP6)))
    send(node, packets, drop_ip6_hop_limit=4)
    low = wire.udp6(lab.SR_SOURCE, NEXT[0], hop_limit=2)
    send(node, [("outer 0", to_sid("End+USD", low, wire.IP6, hop_limit=0))])
