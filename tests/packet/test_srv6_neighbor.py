# SPDX-License-Identifier: Apache-2.0
"""Packets that meet a SID or a policy whose neighbour is not known yet: they wait, and come out as if they
had not."""

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


NEIGHBORS = {lab.R1: "core", lab.R2: "side", lab.R3: "side3"}


def answer_to(port, frame):
    """The answer to an ARP request or a neighbour solicitation; None when the frame is something else."""
    if frame[12:14] == b"\x08\x06":
        reply = b"\0\1\x08\0\6\4\0\2" + wire.mac(lab.MACS[port]) + frame[38:42] + frame[22:32]
        return wire.eth(frame[6:12], lab.MACS[port], reply, 0x0806)
    if frame[12:14] != b"\x86\xdd" or frame[20] != wire.ICMP6 or frame[54] != 135:
        return None
    target, asker = frame[62:78], frame[22:38]
    own = next((lab.MACS[p] for a, p in NEIGHBORS.items() if wire.addr(a) == target), lab.MACS[port])
    rest = bytes([0x60, 0, 0, 0]) + target + bytes([2, 1]) + wire.mac(own)
    return wire.eth(frame[6:12], own, wire.ip6(target, asker, wire.ICMP6, wire.icmp6(
        target, asker, 136, 0, rest), hop_limit=255))


def next_packet(node, port):
    """The next frame that is no neighbour's business, which is attended to."""
    for _ in range(100):
        frame = node.receive(port)
        answer = answer_to(port, frame)
        if answer is None:
            return frame
        node.send(port, answer)
    raise AssertionError("the node goes on asking")


def is_wanted(want, mask, got):
    return len(got) == len(want) and all(
        (g ^ w) & m == 0 for g, w, m in zip(got, want, mask or b"\xff" * len(want)))


def test_first_packets_wait(node):
    """All of them wait at once; the order in which neighbours answer is theirs."""
    wanted, sids = {}, {}
    for port, packet in CASES.values():
        outcome = lab.MODEL.receive(port, lab.frame(port, packet))
        (out, want, mask), = outcome.frames
        wanted.setdefault(out, []).append((want, mask))
        for name, (n, _) in outcome.sids.items():
            sids[lab.prefix_of(name)] = sids.get(lab.prefix_of(name), 0) + n
        node.send(port, lab.frame(port, packet))
    for out, left in wanted.items():
        while left:
            got = next_packet(node, out)
            found = [w for w in left if is_wanted(*w, got)]
            assert found, f"out of {out}: {got.hex()}\nwanted: " + "\n".join(w.hex() for w, _ in left)
            left.remove(found[0])
    node.drain()
    assert node.drops() == {}
    assert {s["prefix"]: s["packets"] for s in node.get("/sids")["sids"] if s["packets"]} == sids
