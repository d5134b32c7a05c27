# SPDX-License-Identifier: Apache-2.0
"""H.Encaps and its kin: every header byte but the flow label against the model, the flow label by its own
rules; weighted lists; MTU; long headers."""

import collections

import pytest

import srv6_lab as lab
import srv6_wire as wire

CONFIG = lab.CONFIG

COUNTS = (1, 2, 3, 10, 16)
HEADENDS = [f"{h}-{n}" for h in ("H.Encaps", "H.Encaps.Red") for n in COUNTS]
OTHERS = [name for name in lab.ROUTED if name not in HEADENDS and not name.startswith("to-self")]


def in4(policy, **fields):
    return wire.udp4(lab.HOST4, lab.far4(policy), **fields)


def in6(policy, **fields):
    return wire.udp6(lab.HOST6, lab.far6(policy), **fields)


def send(node, packets, port="red", **drops):
    return lab.check(node, [(what, port, lab.frame(port, p)) for what, p in packets], **drops)


@pytest.mark.parametrize("name", HEADENDS + OTHERS)
def test_encaps(node, name):
    """Both families, from a tenant's port: sizes from nothing to what fits, traffic classes with every ECN."""
    room = 1500 - 40 - 8 - 16 * 16 - 40
    packets = []
    for n in (0, 1, 500, room - 48):
        packets += [(f"ip4 {n}", in4(name, payload=bytes(n))), (f"ip6 {n}", in6(name, payload=bytes(n)))]
    for ecn in range(4):
        packets += [(f"ip4 ecn {ecn}", in4(name, tos=0x2E << 2 | ecn, ttl=2)),
                    (f"ip6 ecn {ecn}", in6(name, tc=0x2E << 2 | ecn, hop_limit=2))]
    packets += [("ip4 options", in4(name, options=bytes([1] * 8))),
                ("ip6 options", wire.ip6(lab.HOST6, lab.far6(name), wire.HBH,
                                         wire.options(wire.UDP) + in6(name)[40:])),
                ("ip6 srh", wire.ip6(lab.HOST6, lab.far6(name), wire.ROUTING, wire.srh(
                    wire.UDP, lab.hops("a", 3), 2) + in6(name)[40:])),
                ("ip4 junk", in4(name) + b"padding"), ("ip6 junk", in6(name) + b"padding")]
    send(node, packets)


def test_by_hand(node):
    """Expected packets spelled out, flow label aside."""
    mask = b"\xff" * 15 + b"\xf0\0\0"
    a, b = lab.hops("a", 3), lab.hops("b", 3)
    cases = [
        ("H.Encaps-1", "side", wire.ip6(lab.SOURCE, b[0], wire.IP4, in4("H.Encaps-1", ttl=63))),
        ("H.Encaps-3", "side", wire.ip6(lab.SOURCE, b[0], wire.ROUTING, wire.srh(
            wire.IP4, [b[2], b[1], b[0]], 2) + in4("H.Encaps-3", ttl=63))),
        ("H.Encaps.Red-3", "side", wire.ip6(lab.SOURCE, b[0], wire.ROUTING, wire.srh(
            wire.IP4, [b[2], b[1]], 2) + in4("H.Encaps.Red-3", ttl=63))),
        ("H.Encaps.Red-2", "side", wire.ip6(lab.SOURCE, b[0], wire.ROUTING, wire.srh(
            wire.IP4, [b[1]], 1) + in4("H.Encaps.Red-2", ttl=63))),
        ("force", "core", wire.ip6(lab.SOURCE, a[0], wire.ROUTING, wire.srh(
            wire.IP4, [a[0]], 0) + in4("force", ttl=63))),
        ("hop7", "core", wire.ip6(lab.SOURCE, a[0], wire.ROUTING, wire.srh(
            wire.IP4, [a[1], a[0]], 1) + in4("hop7", ttl=63), hop_limit=7)),
        ("source", "core", wire.ip6("2001:db8:0:2::77", a[0], wire.ROUTING, wire.srh(
            wire.IP4, [a[1], a[0]], 1) + in4("source", ttl=63)))]
    for name, port, want in cases:
        node.exchange("red", lab.frame("red", in4(name)), port,
                      wire.eth(lab.MACS[port], node.mac(port), want), mask)
    node.exchange("red", lab.frame("red", in4("dscp46", tos=0x0B)), "core", wire.eth(
        lab.MACS["core"], node.mac("core"), wire.ip6(lab.SOURCE, a[0], wire.ROUTING, wire.srh(
            wire.IP4, [a[1], a[0]], 1) + in4("dscp46", tos=0x0B, ttl=63), tc=46 << 2 | 3)), mask)


@pytest.mark.parametrize("name", ["H.Encaps-1", "H.Encaps.Red-3", "sha256"])
def test_inner_ttl(node, name):
    """Encapsulation is a hop of the inner packet."""
    send(node, [(f"ttl {t}", in4(name, ttl=t)) for t in (0, 1)], drop_ip4_ttl=2)
    send(node, [(f"hop limit {t}", in6(name, hop_limit=t)) for t in (0, 1)], drop_ip6_hop_limit=2)
    send(node, [("ttl 255", in4(name, ttl=255)), ("hop limit 255", in6(name, hop_limit=255))])


def label_of(frame):
    return int.from_bytes(frame[14:18], "big") & 0xFFFFF


def labels(node, packets, port="core", in_port="red"):
    out = []
    for packet in packets:
        node.send(in_port, lab.frame(in_port, packet))
        out.append(label_of(node.receive(port)))
    return out


def test_flow_label(node):
    """20 bits of the inner flow: the same for a flow's packets whatever else changes, different for flows."""
    flows = 64
    for make in (in4, in6):
        first = labels(node, [make("core1", sport=2000 + i) for i in range(flows)])
        assert len(set(first)) > flows - 4, "flows share labels"
        assert all(0 < v <= 0xFFFFF for v in first)
        bits = [sum(v >> b & 1 for v in first) for b in range(20)]
        assert all(flows // 8 < n < flows * 7 // 8 for n in bits), f"bits hardly change: {bits}"
        longer = labels(node, [make("core1", sport=2000 + i, payload=bytes(200 + i))
                               for i in range(flows)])
        assert longer == first
        third = labels(node, [make("core3", sport=2000 + i) for i in range(flows)])
        assert sum(a == b for a, b in zip(third, first)) < 4, "the destination must count"
    a, b = labels(node, [in4("core1", ttl=9, tos=8, ident=7), in4("core1", ttl=99, tos=0, ident=9)])
    assert a == b
    a, b = labels(node, [in6("core1", label=1, tc=4, hop_limit=9), in6("core1", label=2)])
    assert a == b, "Linux changes the inner flow label after time-outs"
    a, b = labels(node, [in6("core1"), wire.ip6(lab.HOST6, lab.far6("core1"), wire.DSTOPTS,
                                                wire.options(wire.UDP) + in6("core1")[40:])])
    assert a == b, "extension headers do not make another flow"


def test_flow_label_of_fragments(node):
    """All fragments of a packet go one way: addresses count alone."""
    ports = [in4("core1", sport=s, flags_off=f) for s in (1, 2) for f in (0x2000, 0x2001, 0x0005)]
    assert len(set(labels(node, ports))) == 1
    frags = [wire.ip6(lab.HOST6, lab.far6("core1"), wire.FRAGMENT, wire.fragment(wire.UDP, *f) +
                      in6("core1", sport=s)[40:]) for s in (1, 2) for f in ((0, 1), (5, 1), (9, 0))]
    assert len(set(labels(node, frags))) == 1


@pytest.mark.parametrize("port, vlan, out", [("wire", None, "side"), ("wire.300", 300, "side"),
                                             ("wire.301", 301, "core")])
def test_l2(node, port, vlan, out):
    """Every frame of a layer-2 interface goes into the policy, whole, without the tag that selected it."""
    inner = wire.udp4(lab.HOST4, lab.FAR4)
    frames = [("ip4", "02:00:00:00:aa:aa", inner, None), ("ip6", "02:00:00:00:aa:aa",
              wire.udp6(lab.HOST6, lab.FAR6), None), ("broadcast", "ff:ff:ff:ff:ff:ff", inner, 0x0806),
              ("unknown", "02:00:00:00:aa:aa", bytes(64), 0x1234),
              ("group", "01:80:c2:00:00:00", bytes(46), 0x8809),
              ("long", "02:00:00:00:aa:aa", bytes(1300), 0x1234)]
    cases = [(what, port, wire.eth(dst, "02:00:00:00:bb:bb", payload, kind, vlan))
             for what, dst, payload, kind in frames]
    outcomes = lab.check(node, cases)
    assert all(o.frames[0][0] == out for o in outcomes)


def test_l2_inner_tag(node):
    """A second tag is the customer's."""
    frame = wire.eth("02:00:00:00:aa:aa", "02:00:00:00:bb:bb", b"\0\7\x08\0" + wire.udp4(
        lab.HOST4, lab.FAR4), 0x8100, 300)
    lab.check(node, [("inner tag", "wire.300", frame)])


def test_l2_flow_label(node):
    """Frames of different flows differ, those of one agree."""
    def frames(sports):
        return [wire.eth("02:00:00:00:aa:aa", "02:00:00:00:bb:bb", wire.udp4(
            lab.HOST4, lab.FAR4, sport=s), vlan=301) for s in sports]

    got = []
    for frame in frames(range(3000, 3032)) + frames(range(3000, 3032)):
        node.send("wire", frame)
        got.append(label_of(node.receive("core")))
    assert got[:32] == got[32:] and len(set(got)) > 29


def test_too_big(node):
    """The encapsulated packet exceeds the port's MTU: the inner source hears of it, in its VRF, with the
    overhead taken off the MTU and the inner packet quoted."""
    for name, overhead in (("core1", 40), ("core3", 96), ("H.Encaps.Red-10", 192), ("sha256", 136)):
        fits4, fits6 = 1500 - overhead - 28, 1500 - overhead - 48
        send(node, [("fits 4", in4(name, payload=bytes(fits4))), ("fits 6", in6(name, payload=bytes(fits6)))])
        for what, packet in (("4", in4(name, payload=bytes(fits4 + 1))), ("6", in6(name, payload=bytes(
                fits6 + 1)))):
            drop = f"drop_ip{what}_too_big"
            with node.counts(**{drop: 1}):
                node.send("red", lab.frame("red", packet))
                check_too_big(node, "red", packet, what, 1500 - overhead)


def check_too_big(node, port, packet, family, mtu):
    """An ICMP error on port that names mtu and quotes the packet with its hop limit as it came or less by
    the hop that was taken (RFC 1812 section 4.3.2.3 leaves it open)."""
    got = node.receive(port)
    ip = got[14:]
    if family == "4":
        assert ip[12:20] == wire.addr("10.0.0.1") + wire.addr(lab.HOST4)
        assert ip[20:22] == bytes([3, 4]) and int.from_bytes(ip[24:28], "big") == mtu
        assert wire.sum16(ip[20:]) == 0xFFFF and len(ip) == 576
        quoted = wire.udp4(lab.HOST4, packet[16:20], payload=packet[28:], ttl=ip[28 + 8])
        assert ip[28 + 8] in (63, 64) and ip[28:] == quoted[:548]
        return
    assert ip[8:40] == wire.addr("fd00:1::1") + wire.addr(lab.HOST6)
    assert ip[40:42] == bytes([2, 0]) and int.from_bytes(ip[44:48], "big") == mtu
    assert wire.upper_checksum(ip[8:24], ip[24:40], wire.ICMP6, ip[40:]) == 0 and len(ip) == 1280
    assert ip[48 + 7] in (63, 64) and ip[48:55] + ip[56:] == packet[:7] + packet[8:1232]


def test_too_big_after_decap(node):
    """The node's main path: decapsulated, looked up, encapsulated; too big, and the error goes back to the
    tenant's source through the tenant's VRF."""
    packet = in6("core3", payload=bytes(1500 - 96 - 48 + 1))
    given = wire.ip6(lab.SR_SOURCE, lab.address("End.DT6"), wire.IP6, packet)
    with node.counts(drop_ip6_too_big=1):
        node.send("core", lab.frame("core", given))
        check_too_big(node, "red", packet, "6", 1500 - 96)


def test_too_big_b6(node):
    """End.B6: the error goes to the source of the packet that met the SID."""
    me = lab.address("End.B6")
    packet = wire.ip6(lab.SR_SOURCE, me, wire.ROUTING, wire.srh(
        wire.UDP, [lab.hops("a", 1)[0], me], 1) + bytes(1500 - 40 - 40 - 80 + 1))
    with node.counts(drop_ip6_too_big=1):
        node.send("core", lab.frame("core", packet))
        ip = node.receive("core")[14:]
    assert ip[24:40] == wire.addr(lab.SR_SOURCE) and ip[40:42] == bytes([2, 0])
    assert int.from_bytes(ip[44:48], "big") == 1500 - 80 and len(ip) == 1280


def test_fragmented_before_encapsulation(node):
    """IPv4 without DF leaves in pieces that each fit, encapsulated by themselves."""
    packet = in4("core3", payload=bytes(range(256)) * 5 + bytes(190), flags_off=0)
    assert len(packet) + 96 > 1500
    node.send("red", lab.frame("red", packet))
    pieces = {}
    for _ in range(2):
        got = node.receive("core")
        ip = got[14:]
        assert len(ip) <= 1500 and ip[6] == wire.ROUTING and ip[4:6] == (len(ip) - 40).to_bytes(2, "big")
        inner = ip[96:]
        assert wire.sum16(inner[:20]) == 0xFFFF and inner[8] == 63
        flags_off = int.from_bytes(inner[6:8], "big")
        pieces[(flags_off & 0x1FFF) * 8] = inner[20:]
        assert bool(flags_off & 0x2000) == ((flags_off & 0x1FFF) == 0)
    assert b"".join(pieces[k] for k in sorted(pieces)) == packet[20:]


def test_long_headers_are_counted(node):
    """Ten segments do not fit the headroom: a chained header, counted."""
    before = node.get("/status")
    send(node, [("1", in4("H.Encaps-10")), ("2", in6("H.Encaps-10", payload=bytes(1100)))])
    after = node.get("/status")
    found = [k for k in flat(after) if "chain" in k]
    assert found, f"nothing about chained headers in {sorted(flat(after))}"
    assert sum(flat(after)[k] - flat(before)[k] for k in found) == 2


def flat(value, prefix=""):
    out = {}
    if isinstance(value, dict):
        for key, part in value.items():
            out.update(flat(part, f"{prefix}.{key}"))
    elif isinstance(value, list):
        for i, part in enumerate(value):
            out.update(flat(part, f"{prefix}[{i}]"))
    elif isinstance(value, int):
        out[prefix] = value
    return out


def weighted(weights, nets="ab"):
    """The lab with one more policy in place of core1: a list by each of nets."""
    lists = [dict(weight=w, segments=[f"2001:db8:{net}:{i + 1}::55"]) for i, (net, w) in enumerate(
        zip(nets, weights))]
    config = dict(CONFIG)
    policies = [p for p in CONFIG["srv6"]["policies"] if p["name"] != "core1"]
    config["srv6"] = dict(CONFIG["srv6"], policies=policies + [dict(name="core1", segment_lists=lists)])
    return config


def picks(node, n, ports):
    """Where each of n flows goes."""
    out = []
    for i in range(n):
        node.send("red", lab.frame("red", in4("core1", sport=4000 + i, dport=i * 7 & 0xFFFF)))
    got = {}
    node.barrier()
    for port in ports:
        for frame in node.peers[port].held:
            inner = frame[14 + 40:]
            got[int.from_bytes(inner[20:22], "big")] = port
        node.peers[port].held = []
    out = [got[4000 + i] for i in range(n)]
    return out


def test_weighted_lists(node):
    """Flows are spread by weight, and stay where they are."""
    try:
        for weights in ((1, 1), (3, 1), (1, 9)):
            node.reload(weighted(weights))
            n = 400
            first = picks(node, n, ("core", "side"))
            share = collections.Counter(first)["core"] / n
            want = weights[0] / sum(weights)
            assert abs(share - want) < 4 * (want * (1 - want) / n) ** 0.5, f"{share} for {weights}"
            assert picks(node, n, ("core", "side")) == first
        node.reload(weighted((65535, 1, 65535), "aba"))
        assert collections.Counter(picks(node, 200, ("core", "side")))["core"] >= 195
    finally:
        node.reload(CONFIG)


def test_unresolved_list_is_skipped(node):
    """A list whose first hop does not answer carries nothing; when it answers, its share."""
    config = weighted((1, 1), "ax")
    config["vrfs"] = [dict(v) for v in config["vrfs"]]
    config["vrfs"][0]["routes"] = CONFIG["vrfs"][0]["routes"] + [
        dict(prefix="2001:db8:5::/48", via="2001:db8:0:2::9")]
    lists = config["srv6"]["policies"][-1]["segment_lists"]
    lists[1]["segments"] = ["2001:db8:5:1::55"]
    try:
        node.reload(config)
        node.drain()
        assert set(picks(node, 100, ("core",))) == {"core"}
        node.drain()
        answered = dict(config, neighbors=CONFIG["neighbors"] + [
            dict(port="side", address="2001:db8:0:2::9", mac=lab.MACS["side"])])
        node.reload(answered)
        node.drain()
        share = collections.Counter(picks(node, 200, ("core", "side")))
        assert 60 < share["core"] < 140, share
    finally:
        node.reload(CONFIG)
        node.drain()


def test_too_long_frame(node):
    """A frame that does not fit when encapsulated is dropped by name: nobody behind it could be told. Its
    first byte must not pass for an IP version."""
    for dst in ("02:00:00:00:aa:aa", "44:00:00:00:aa:aa", "60:00:00:00:aa:aa"):
        lab.check(node, [("too long", "wire", wire.eth(dst, "02:00:00:00:bb:bb", bytes(1447), 0x1234)),
                         ("too long, red", "wire.300", wire.eth(
                             dst, "02:00:00:00:bb:bb", bytes(1407), 0x1234, 300))], drop_l2_too_long=2)
        lab.check(node, [("fits", "wire", wire.eth(dst, "02:00:00:00:bb:bb", bytes(1446), 0x1234)),
                         ("fits, red", "wire.300", wire.eth(
                             dst, "02:00:00:00:bb:bb", bytes(1406), 0x1234, 300))])
