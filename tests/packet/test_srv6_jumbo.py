# SPDX-License-Identifier: Apache-2.0
"""9000-byte underlay links, 1500 bytes towards the tenants."""

import pytest

import srv6_lab as lab
import srv6_wire as wire

DEVICE = "af_packet"
MTUS = dict(core=9000, side=9000, blue=9000)
CONFIG = dict(lab.CONFIG, workers=dict(mbufs=8191), ports=[
    dict(p, mtu=MTUS.get(p["name"], 1500)) for p in lab.CONFIG["ports"]])
MODEL = lab.make_model(**MTUS)

NEXT = lab.hops("a", 4)


def send(node, packets, port="core", **drops):
    return lab.check(node, [(what, port, lab.frame(port, p)) for what, p in packets], MODEL, **drops)


def data(n):
    return bytes((i * 7 + (i >> 8)) & 0xFF for i in range(n))


@pytest.mark.parametrize("policy", ["H.Encaps-1", "H.Encaps-10", "H.Encaps.Red-10", "H.Encaps-16",
                                    "sha256-long"])
def test_encaps(node, policy):
    """Full-size packets of tenants into long headers; and as much as the underlay takes."""
    packets = []
    for n in (1280, 1500):
        packets += [(f"4 {n}", wire.udp4(lab.HOST4, lab.far4(policy), data(n - 28))),
                    (f"6 {n}", wire.udp6(lab.HOST6, lab.far6(policy), data(n - 48)))]
    send(node, packets, "red")
    big = [("4", wire.udp4(lab.HOST4, lab.far4(policy), data(8500))),
           ("6", wire.udp6(lab.HOST6, lab.far6(policy), data(8500)))]
    send(node, big, "blue")


@pytest.mark.parametrize("name", ["End", "End+PSP", "End.X+PSP", "End.T"])
def test_end(node, name):
    def packet(n):
        return wire.ip6(lab.SR_SOURCE, lab.address(name), wire.ROUTING, wire.srh(
            wire.UDP, [NEXT[0], lab.address(name)], 1) + data(n - 80))

    send(node, [(f"{n}", packet(n)) for n in (2000, 4096, 8999, 9000)])


def test_decap(node):
    """Out of tunnels into a 9000-byte VRF, and what does not fit the tenant's link."""
    inner4, inner6 = (wire.udp4(lab.HOST4, lab.FAR4, data(8800)), wire.udp6(
        lab.HOST6, lab.FAR6, data(8800)))

    def to(name, inner, proto):
        return wire.ip6(lab.SR_SOURCE, lab.address(name), proto, inner)

    send(node, [("4", to("End.DT46 blue", inner4, wire.IP4)), ("6", to("End.DT46 blue", inner6, wire.IP6))])
    send(node, [("4", to("End.DT46", inner4, wire.IP4)), ("DX4", to("End.DX4", inner4, wire.IP4))],
         drop_ip4_too_big=2)
    send(node, [("6", to("End.DT46", inner6, wire.IP6)), ("DX6", to("End.DX6", inner6, wire.IP6))],
         drop_ip6_too_big=2)
    send(node, [("DX2", to("End.DX2", data(1515), wire.ETH))], drop_l2_too_long=1)
    send(node, [("DX2", to("End.DX2", data(1514), wire.ETH)),
                ("DX2 VLAN", to("End.DX2 VLAN", data(1514), wire.ETH))])


@pytest.mark.parametrize("name", ["End.DX4", "End.DT4"])
def test_fragments_keep_to_their_way(node, name):
    """A packet that may be fragmented leaves in pieces, by the cross-connect even where the destination has
    another route."""
    dst = lab.far4("core1") if name == "End.DX4" else lab.FAR4
    inner = wire.udp4(lab.HOST4, dst, data(3000), flags_off=0)
    node.send("core", lab.frame("core", wire.ip6(lab.SR_SOURCE, lab.address(name), wire.IP4, inner)))
    pieces = {}
    for _ in range(3):
        frame = node.receive("red")
        ip = frame[14:]
        assert frame[:14] == wire.mac(lab.MACS["red"]) + wire.mac(node.mac("red")) + b"\x08\x00"
        assert ip[8] == 63 and wire.sum16(ip[:20]) == 0xFFFF and len(ip) <= 1500
        pieces[(int.from_bytes(ip[6:8], "big") & 0x1FFF) * 8] = ip[20:]
    assert b"".join(pieces[k] for k in sorted(pieces)) == inner[20:]
