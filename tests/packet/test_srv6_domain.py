# SPDX-License-Identifier: Apache-2.0
"""The edges of the SR domain: who may reach SIDs, which VRF a packet ends up in, SIDs in a row, prefixes,
truncated packets, and configurations that cannot work."""

import copy
import os
import subprocess

import pytest

import harness
import srv6_lab as lab
import srv6_wire as wire

CONFIG = lab.CONFIG

NEXT = lab.hops("a", 4)
UDP = wire.udp6(lab.HOST6, lab.FAR6)[40:]
IN4 = wire.udp4(lab.HOST4, lab.FAR4)
IN6 = wire.udp6(lab.HOST6, lab.FAR6)


def to_sid(name, payload, proto, src=lab.SR_SOURCE, **fields):
    return wire.ip6(src, lab.address(name), proto, payload, **fields)


def send(node, packets, port="core", **drops):
    return lab.check(node, [(what, port, lab.frame(port, p)) for what, p in packets], **drops)


def test_untrusted_port(node):
    """RFC 8754 section 5: no SID of any kind is reached from outside the domain, not even by ping, and
    nothing is answered."""
    packets = [(name, to_sid(name, IN4, wire.IP4, src=lab.R4)) for name in lab.SIDS]
    packets += [(f"{name} ping", to_sid(name, wire.echo6(lab.R4, lab.address(name)), wire.ICMP6, lab.R4))
                for name in ("End", "End.DT46", "End.DX2", "End.B6")]
    packets.append(("hop limit 1", to_sid("End", wire.srh(wire.UDP, NEXT[:1], 1) + UDP, wire.ROUTING,
                                          hop_limit=1)))
    packets.append(("C-SIDs", wire.ip6(lab.R4, "2001:db8:c0:a::", wire.UDP, UDP)))
    send(node, packets, "open", drop_srv6_untrusted=len(packets))
    send(node, [("transit is not affected", wire.udp6(lab.R4, NEXT[0])),
                ("transit with an SRH", wire.ip6(lab.R4, NEXT[0], wire.ROUTING, wire.srh(
                    wire.UDP, [NEXT[1], NEXT[0]], 1) + UDP))], "open")


def test_tenants_have_no_sids(node):
    """A SID's address means nothing in a tenant's VRF, neither from its port nor out of a tunnel."""
    packets = [(name, to_sid(name, IN4, wire.IP4, src=lab.HOST6)) for name in ("End", "End.DT46 blue")]
    send(node, packets, "red", drop_ip6_no_route=2)
    inner = [to_sid(n, IN4, wire.IP4, src=lab.HOST6) for n in ("End", "End.DT46 blue", "End.DX2")]
    send(node, [(f"inner {i}", to_sid("End.DT6", p, wire.IP6)) for i, p in enumerate(inner)],
         drop_ip6_no_route=3)


def test_sids_behind_a_tunnel_to_the_underlay(node):
    """Neither does End.DT6 into the default VRF lend its trust to the inner packet."""
    packets = [(name, to_sid("End.DT6 underlay", to_sid(name, IN4, wire.IP4), wire.IP6))
               for name in ("End", "End.X", "End.T", "End.DT46", "End.DX2", "End.DX4", "End.B6",
                            "End+NEXT-C-SID", "End signed")]
    packets.append(("srh", to_sid("End.DT6 underlay", to_sid(
        "End", wire.srh(wire.UDP, NEXT[:1], 1) + UDP, wire.ROUTING), wire.IP6)))
    send(node, packets, drop_srv6_untrusted=len(packets))
    send(node, [("transit", to_sid("End.DT6 underlay", wire.udp6(lab.SR_SOURCE, NEXT[0]), wire.IP6))])


def test_overlapping_tenants(node):
    """The same inner packets to two SIDs leave by different ports."""
    packets = []
    for tenant in ("", " blue"):
        for name, inner, proto in (("End.DT4", IN4, wire.IP4), ("End.DT6", IN6, wire.IP6),
                                   ("End.DT46", IN4, wire.IP4), ("End.DT46", IN6, wire.IP6)):
            packets.append((name + tenant, to_sid(name + tenant, inner, proto)))
    outcomes = send(node, packets)
    assert [o.frames[0][0] for o in outcomes] == ["red"] * 4 + ["blue"] * 4
    for tenant, port in (("", "red"), (" blue", "blue")):
        outcome, = send(node, [("expired", to_sid("End.DT46" + tenant, wire.udp4(
            lab.HOST4, lab.FAR4, ttl=1), wire.IP4))], drop_ip4_ttl=1)
        assert outcome.frames[0][0] == port


def test_main_path(node):
    """Decapsulation, tenant lookup and encapsulation cost the inner packet one hop."""
    packets = []
    for policy in ("core1", "core3", "H.Encaps.Red-10", "sha256"):
        for ttl in (2, 64):
            packets += [(f"{policy} 4 {ttl}", to_sid("End.DT46", wire.udp4(
                            lab.HOST4, lab.far4(policy), ttl=ttl), wire.IP4, tc=0xB8)),
                        (f"{policy} 6 {ttl}", to_sid("End.DT46", wire.udp6(
                            lab.HOST6, lab.far6(policy), hop_limit=ttl), wire.IP6, tc=0xB8))]
    outcomes = send(node, packets)
    assert outcomes[0].frames[0][1][14 + 40 + 8] == 1 and outcomes[1].frames[0][1][14 + 40 + 7] == 1
    send(node, [("4", to_sid("End.DT46", wire.udp4(lab.HOST4, lab.far4("core1"), ttl=1), wire.IP4))],
         drop_ip4_ttl=1)
    send(node, [("6", to_sid("End.DT46", wire.udp6(lab.HOST6, lab.far6("core1"), hop_limit=1), wire.IP6))],
         drop_ip6_hop_limit=1)


def test_policies_through_own_sids(node):
    """A policy whose segments are SIDs of this node: each is passed like anybody's, and trusted."""
    send(node, [("End", wire.udp4(lab.HOST4, lab.far4("to-self"))),
                ("End, 6", wire.udp6(lab.HOST6, lab.far6("to-self")))], "red")
    # Blue's destination leads through the same policy, into blue again: a loop that the search over policies
    # does not see, so the passes are bounded.
    for name in ("to-self-dt", "to-self-twice"):
        send(node, [(name, wire.udp4(lab.HOST4, lab.far4(name)))], "red", drop_srv6_loop=1)
        send(node, [(f"{name} ttl", wire.udp4(lab.HOST4, lab.far4(name), ttl=5))], "red",
             drop_ip4_ttl=1)


def test_own_sids_in_a_row(node):
    """Two SIDs of this node cost two hops, sixteen are the most."""
    def row(n, **fields):
        path = [lab.address("End")] * n + [NEXT[0]]
        return wire.ip6(lab.SR_SOURCE, lab.address("End"), wire.ROUTING, wire.srh(
            wire.UDP, list(reversed(path)), n) + UDP, **fields)

    outcome, = send(node, [("two", row(2, hop_limit=9))])
    assert outcome.frames[0][1][14 + 7] == 7
    send(node, [("two, expired between", row(2, hop_limit=2))], drop_ip6_hop_limit=1)
    outcome, = send(node, [("sixteen", row(16))])
    assert outcome.frames[0][1][14 + 7] == 48
    send(node, [("seventeen", row(17)), ("thirty", row(30))], drop_srv6_loop=2)
    mixed = [lab.address(n) for n in ("End", "End+PSP", "End", "End.DT46")]
    srh = wire.srh(wire.IP4, [mixed[3], mixed[2], mixed[1], mixed[0]], 3)
    send(node, [("End, End, DT46", wire.ip6(lab.SR_SOURCE, mixed[0], wire.ROUTING, srh + IN4)),
                ("End, B6", wire.ip6(lab.SR_SOURCE, mixed[0], wire.ROUTING, wire.srh(
                    wire.UDP, [NEXT[0], lab.address("End.B6"), mixed[0]], 2) + UDP)),
                ("End, USD", wire.ip6(lab.SR_SOURCE, mixed[0], wire.ROUTING, wire.srh(
                    wire.IP6, [lab.address("End+USD"), mixed[0]], 1) + wire.udp6(
                        lab.SR_SOURCE, NEXT[0])))])


def test_prefixes(node):
    """The longest SID wins, arguments do not matter, and what is in the locator but no SID is counted."""
    near = f"{lab.LOCATOR}:7000:1:2:3"
    packets = [("End /72", wire.ip6(lab.SR_SOURCE, near, wire.ROUTING, wire.srh(
                    wire.UDP, [NEXT[0], near], 1) + UDP)),
               ("DT4 /80", wire.ip6(lab.SR_SOURCE, f"{lab.LOCATOR}:7001:1:2:3", wire.IP4, IN4)),
               ("DT4 /80 last", wire.ip6(lab.SR_SOURCE, f"{lab.LOCATOR}:7001:ffff:ffff:ffff", wire.IP4,
                                         IN4)),
               ("End.X /128", wire.ip6(lab.SR_SOURCE, f"{lab.LOCATOR}:7001::9", wire.ROUTING, wire.srh(
                   wire.UDP, [NEXT[0]], 1) + UDP))]
    outcomes = send(node, packets)
    assert [list(o.sids) for o in outcomes] == [["End /72"], ["End.DT4 /80"], ["End.DT4 /80"],
                                                ["End.X /128"]]
    unknown = [f"{lab.LOCATOR}:9999::", f"{lab.LOCATOR}::", f"{lab.address('End')}1",
               f"{lab.LOCATOR}:7100::1", f"{lab.LOCATOR}:ffff:ffff:ffff:ffff"]
    send(node, [(dst, wire.ip6(lab.SR_SOURCE, dst, wire.IP4, IN4)) for dst in unknown],
         drop_srv6_no_sid=len(unknown))


def test_no_errors_about_errors(node):
    """RFC 4443 section 2.4 e: none for an ICMPv6 error behind an SRH, nor to a multicast source."""
    me = lab.address("End")
    error = wire.icmp6(lab.SR_SOURCE, me, 1, 0, bytes(4) + bytes(48))
    srh = wire.srh(wire.ICMP6, [NEXT[0], me], 1)
    send(node, [("hop limit", to_sid("End", srh + error, wire.ROUTING, hop_limit=1))],
         drop_ip6_hop_limit=1, drop_icmp_unsuitable=1)
    bad = wire.srh(wire.ICMP6, [NEXT[0], me], 9)
    send(node, [("bad SRH", to_sid("End", bad + error, wire.ROUTING))],
         drop_srv6_bad_srh=1, drop_icmp_unsuitable=1)
    send(node, [("ping is no error", to_sid("End", srh + wire.echo6(lab.SR_SOURCE, me), wire.ROUTING,
                                            hop_limit=1))], drop_ip6_hop_limit=1)


def test_quote_is_cut(node):
    """An error is at most 1280 bytes."""
    outcome, = send(node, [("long", to_sid("End", wire.srh(wire.UDP, NEXT[:1], 9) + bytes(1300),
                                           wire.ROUTING))], drop_srv6_bad_srh=1)
    assert len(outcome.frames[0][1]) == 14 + 1280


SHAPES = {
    "End": lambda: to_sid("End", wire.srh(wire.UDP, [NEXT[0], lab.address("End")], 1) + UDP, wire.ROUTING),
    "End options": lambda: to_sid("End+PSP", wire.options(wire.ROUTING, 1) + wire.srh(
        wire.UDP, [NEXT[0], lab.address("End")], 1) + UDP, wire.HBH),
    "End USD": lambda: to_sid("End+USD", wire.srh(wire.IP6, NEXT[:2], 0) + wire.udp6(
        lab.SR_SOURCE, NEXT[0]), wire.ROUTING),
    "C-SID": lambda: wire.ip6(lab.SR_SOURCE, "2001:db8:c0:a::", wire.ROUTING, wire.srh(
        wire.UDP, NEXT[:2], 1) + UDP),
    "DT46": lambda: to_sid("End.DT46", wire.srh(wire.IP4, NEXT[:2], 0) + IN4, wire.ROUTING),
    "DX2": lambda: to_sid("End.DX2", wire.srh(wire.ETH, NEXT[:1], 0) + bytes(14) + IN4, wire.ROUTING),
    "B6": lambda: to_sid("End.B6", wire.srh(wire.UDP, NEXT[:1], 1) + UDP, wire.ROUTING),
    "HMAC": lambda: to_sid("End signed", wire.signed_srh(
        lab.SR_SOURCE, wire.UDP, [NEXT[0], lab.address("End signed")], 1, 7, *lab.KEYS[7]) + UDP,
        wire.ROUTING),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_frame_cut_anywhere(node, shape):
    """The frame ends before the packet does: dropped, silently, at every length."""
    packet = SHAPES[shape]()
    ethernet = lab.frame("core", packet)[:14]
    with node.counts(drop_ip6_malformed=len(packet)):
        node.send("core", *[ethernet + packet[:n] for n in range(len(packet))])
    node.expect_none()
    send(node, [("whole", packet)])


@pytest.mark.parametrize("shape", SHAPES)
def test_packet_cut_anywhere(node, shape):
    """The packet itself ends early and its length says so: at every length what the model says, which is at
    most one frame."""
    packet = SHAPES[shape]()
    cuts = [packet[:4] + (n - 40).to_bytes(2, "big") + packet[6:n] for n in range(40, len(packet) + 1)]
    drops = {}
    for cut in cuts:
        outcome = lab.MODEL.receive("core", lab.frame("core", cut))
        assert len(outcome.frames) <= 1
        for name, n in outcome.drops.items():
            drops[name] = drops.get(name, 0) + n
    assert drops.get("drop_srv6_truncated", 0) >= (0 if shape == "C-SID" else 24)
    send(node, [(f"{len(cut)} bytes", cut) for cut in cuts], **drops)


def refused(config, tmp_path, *words):
    path = os.path.join(tmp_path, "pergola.cfg")
    with open(path, "w") as f:
        f.write(harness.to_text(harness.complete(config, 1, "tap", str(tmp_path))))
    done = subprocess.run([harness.binary("pergola"), "--check", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if not words:
        assert done.returncode == 0, done.stdout
        return
    assert done.returncode != 0 and all(w in done.stdout for w in words), done.stdout


def changed(**policies):
    """The lab with other segments for some policies."""
    config = copy.deepcopy(CONFIG)
    for policy in config["srv6"]["policies"]:
        if policy["name"] in policies:
            policy["segments"] = policies[policy["name"]]
    return config


def test_policies_that_reach_themselves(tmp_path):
    """A B6 SID in its own policy, two policies in a ring, a route of the underlay by its own policy."""
    refused(CONFIG, tmp_path)
    refused(changed(b6=[lab.address("End.B6")]), tmp_path, "reaches itself")
    refused(changed(b6=[NEXT[0], lab.address("End.B6")]), tmp_path)
    refused(changed(b6=[lab.address("End"), lab.address("End.B6")]), tmp_path, "reaches itself")
    refused(changed(b6=[lab.address("End.B6.Red")], b6red=[lab.address("End.B6")]), tmp_path,
            "reaches itself")
    refused(changed(core1=[lab.address("End.DT46")]), tmp_path, 'in VRF "red" reaches itself')
    refused(changed(core1=[lab.address("End"), lab.address("End.DT46 blue")]), tmp_path,
            'in VRF "red" reaches itself')
    config = changed(core1=["2001:db8:77::1"])
    config["vrfs"][0]["routes"].append(dict(prefix="2001:db8:77::/48", policy="core1"))
    refused(config, tmp_path, "core1", "reaches itself")
