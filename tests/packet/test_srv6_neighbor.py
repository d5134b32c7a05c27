# SPDX-License-Identifier: Apache-2.0
"""Packets that meet a SID or a policy whose neighbour is not known yet: they wait, and come out as if they
had not."""

import pytest

import srv6_lab as lab
import srv6_wire as wire

# Nobody is a permanent neighbour on the ports that packets leave by.
CONFIG = dict(lab.CONFIG, neighbors=[n for n in lab.CONFIG["neighbors"] if n["port"] == "open"])

UDP = wire.udp6(lab.HOST6, lab.FAR6)[40:]
IN4 = wire.udp4(lab.HOST4, lab.FAR4)
IN6 = wire.udp6(lab.HOST6, lab.FAR6)
VIA_R3 = [lab.hops("a", 1)[0]]


def to_sid(name, payload, proto):
    return wire.ip6(lab.SR_SOURCE, lab.address(name), proto, payload)


def end(name):
    return to_sid(name, wire.srh(wire.UDP, VIA_R3, 1) + UDP, wire.ROUTING)


CASES = {
    "End": ("side", end("End")), "End+PSP": ("side", end("End+PSP")),
    "End.X": ("core", end("End.X")), "End.X+PSP": ("core", end("End.X+PSP")),
    "End.B6": ("core", end("End.B6")), "End.T": ("core", end("End.T")),
    "End.DX4": ("core", to_sid("End.DX4", IN4, wire.IP4)),
    "End.DX6": ("core", to_sid("End.DX6", IN6, wire.IP6)),
    "End.DT4": ("core", to_sid("End.DT4", IN4, wire.IP4)),
    "End.DT46": ("core", to_sid("End.DT46", IN6, wire.IP6)),
    "policy": ("side", to_sid("End.DT46", wire.udp4(lab.HOST4, lab.far4("core3")), wire.IP4)),
    "policy, signed": ("side", to_sid("End.DT46", wire.udp4(lab.HOST4, lab.far4("sha256")), wire.IP4)),
    "policy, long": ("core", to_sid("End.DT46", wire.udp4(lab.HOST4, lab.far4("H.Encaps-16")), wire.IP4)),
}


def answer(node, out, want):
    """Answers the solicitation or the ARP request that comes out of port out for the frame's neighbour."""
    while True:
        frame = node.receive(out)
        if frame[12:14] == b"\x08\x06":
            target, asker = frame[38:42], frame[28:32]
            reply = b"\0\1\x08\0\6\4\0\2" + want[:6] + target + frame[22:28] + asker
            return node.send(out, wire.eth(frame[6:12], want[:6], reply, 0x0806))
        if frame[12:14] == b"\x86\xdd" and frame[54] == 135:
            target, asker = frame[62:78], frame[22:38]
            rest = bytes([0x60, 0, 0, 0]) + target + bytes([2, 1]) + want[:6]
            advert = wire.ip6(target, asker, wire.ICMP6, wire.icmp6(target, asker, 136, 0, rest),
                              hop_limit=255)
            return node.send(out, wire.eth(frame[6:12], want[:6], advert))


@pytest.mark.parametrize("case", CASES)
def test_first_packet_waits(start_node, case):
    port, packet = CASES[case]
    node = start_node(CONFIG)
    outcome = lab.MODEL.receive(port, lab.frame(port, packet))
    (out, want, mask), = outcome.frames
    node.send(port, lab.frame(port, packet))
    answer(node, out, want)
    while True:
        got = node.receive(out)
        if got[:6] == want[:6] and not (got[12:14] == b"\x86\xdd" and got[20] == wire.ICMP6):
            break
    masked = mask or b"\xff" * len(want)
    assert len(got) == len(want) and all((g ^ w) & m == 0 for g, w, m in zip(got, want, masked)), (
        f"wanted {want.hex()}, got {got.hex()}")
    assert {k: v for k, v in node.drops().items()} == {}
    sids = {s["prefix"]: s["packets"] for s in node.get("/sids")["sids"] if s["packets"]}
    name = next(iter(outcome.sids))
    assert sids == {lab._prefix_of(name): 1}
