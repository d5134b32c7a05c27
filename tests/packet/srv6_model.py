# SPDX-License-Identifier: Apache-2.0
"""What a node must do with a frame, worked out from the RFCs: the oracle of the SRv6 packet tests.

endpoint() is RFC 8986 section 4 with its flavors and RFC 9800 section 4.1, in the order of their
pseudocode; encapsulate() is RFC 8986 section 5. Model adds the little of a router that turns their
results into frames: longest-prefix match, hop limit, MTU, ICMP errors. Slow, plain, one packet at a time.
"""

import ipaddress
import struct
from dataclasses import dataclass, field

import srv6_wire as wire

MAX_EXT_HEADERS = 8  # a node may bound them, RFC 8504 section 5.3
MAX_SID_PASSES = 16
QUOTE6, QUOTE4 = 1280 - 48, 576 - 28

DECAPS = {"End.DX2": {wire.ETH}, "End.DX4": {wire.IP4}, "End.DX6": {wire.IP6}, "End.DT4": {wire.IP4},
          "End.DT6": {wire.IP6}, "End.DT46": {wire.IP4, wire.IP6}}
PARAM_PROBLEM, TIME_EXCEEDED, TOO_BIG, UNREACHABLE = 4, 3, 2, 1


class Stop(Exception):
    """Processing ends: a drop counter, and maybe an ICMP error (type, code, value)."""

    def __init__(self, drop, error=None):
        super().__init__(drop)
        self.drop = drop
        self.error = error


def dst_of(packet):
    return packet[24:40]


def with_hop(packet, by=-1):
    return packet[:7] + bytes([packet[7] + by]) + packet[8:]


def set_dst(packet, dst):
    return packet[:24] + wire.addr(dst) + packet[40:]


def tc_of(packet):
    return (packet[0] << 4 | packet[1] >> 4) & 0xFF


def expire(packet):
    if packet[7] <= 1:
        raise Stop("ip6_hop_limit", (TIME_EXCEEDED, 0, 0))


def cut_srh(packet, off, proto_off):
    """RFC 8986 section 4.16.1: S14.1 to S14.3."""
    n = 8 * (packet[off + 1] + 1)
    length = struct.unpack("!H", packet[4:6])[0] - n
    head = bytearray(packet[:off])
    head[proto_off] = packet[off]
    head[4:6] = struct.pack("!H", length)
    return bytes(head) + packet[off + n:]


def csid_shift(sid, packet):
    """RFC 9800 section 4.1.1; None when the argument is zero."""
    used = (sid["block_bits"] + sid["csid_bits"]) // 8
    block = sid["block_bits"] // 8
    dst = dst_of(packet)
    argument = dst[used:]
    if not any(argument):
        return None
    expire(packet)
    return with_hop(set_dst(packet, (dst[:block] + argument).ljust(16, b"\0")))


def follow(sid, packet, off, proto_off):
    """RFC 8986 section 4.1 S05 to S15, SL > 0."""
    if sid["behavior"] in DECAPS:
        raise Stop("srv6_bad_srh", (PARAM_PROBLEM, 0, off + 3))
    expire(packet)
    ext_len, left, last_entry = packet[off + 1], packet[off + 3], packet[off + 4]
    if last_entry > ext_len // 2 - 1 or left > last_entry + 1:
        raise Stop("srv6_bad_srh", (PARAM_PROBLEM, 0, off + 3))
    at = off + 8 + 16 * (left - 1)
    packet = with_hop(packet)
    packet = packet[:off + 3] + bytes([left - 1]) + packet[off + 4:]
    packet = set_dst(packet, packet[at:at + 16])
    if left == 1 and "PSP" in sid.get("flavors", ()):
        packet = cut_srh(packet, off, proto_off)
    return packet


def upper(sid, packet, off, proto):
    """RFC 8986 section 4.1.1 and its like for each behavior."""
    accepted = set(DECAPS.get(sid["behavior"], ()))
    if "USD" in sid.get("flavors", ()):
        accepted |= {wire.IP4, wire.IP6}
    if proto in accepted:
        return "decap", proto, packet[off:]
    if proto == wire.ICMP6:
        return "local", packet
    raise Stop("srv6_bad_upper", (PARAM_PROBLEM, 4, off))


def check_hmac(sid, keys, packet, header):
    """RFC 8754 section 2.1.2.1."""
    if not sid.get("require_hmac"):
        return
    at = 8 + 16 * (header[4] + 1)
    while at < len(header) and header[at] != wire.TLV_HMAC:
        at += 1 if header[at] == wire.TLV_PAD1 else 2 + header[at + 1]
    if at >= len(header):
        raise Stop("srv6_hmac_missing")
    key = keys.get(struct.unpack("!I", header[at + 4:at + 8])[0])
    if key is None or wire.digest(packet[8:24], header, *key) != header[at + 8:at + 40]:
        raise Stop("srv6_hmac_bad")


def endpoint(sid, packet, keys=()):
    """("forward", packet), ("decap", protocol, inner) or ("local", packet); raises Stop."""
    proto, off, proto_off, n = packet[6], 40, 6, 0
    if "NEXT-C-SID" in sid.get("flavors", ()):
        shifted = csid_shift(sid, packet)
        if shifted is not None:
            return "forward", shifted
    signed = not sid.get("require_hmac")
    while proto in (wire.HBH, wire.ROUTING, wire.FRAGMENT, wire.DSTOPTS):
        n += 1
        if n > MAX_EXT_HEADERS:
            raise Stop("srv6_ext_headers")
        if len(packet) < off + 8:
            raise Stop("srv6_truncated")
        length = 8 if proto == wire.FRAGMENT else 8 * (packet[off + 1] + 1)
        if len(packet) < off + length:
            raise Stop("srv6_truncated")
        if proto == wire.FRAGMENT and struct.unpack("!H", packet[off + 2:off + 4])[0] & 0xFFF9:
            raise Stop("srv6_fragment")
        if proto == wire.ROUTING and packet[off + 2] == 4:
            check_hmac(sid, keys, packet, packet[off:off + length])
            signed = True
            if packet[off + 3] > 0:
                return "forward", follow(sid, packet, off, proto_off)
        elif proto == wire.ROUTING and packet[off + 3] > 0:
            raise Stop("ip6_routing_header", (PARAM_PROBLEM, 0, off + 2))
        proto, proto_off, off = packet[off], off, off + length
    if not signed:
        raise Stop("srv6_hmac_missing")
    return upper(sid, packet, off, proto)


def ecn_decap(outer, inner):
    """RFC 6040 figure 4."""
    not_ect, ect1, ect0, ce = range(4)
    if outer == ce:
        if inner == not_ect:
            raise Stop("srv6_ecn")
        return ce
    return ect1 if (outer, inner) == (ect1, ect0) else inner


def set_ecn(packet, ecn):
    if packet[0] >> 4 == 6:
        return packet[:1] + bytes([packet[1] & 0xCF | ecn << 4]) + packet[2:]
    head = bytearray(packet[:4 * (packet[0] & 15)])
    head[1] = head[1] & 0xFC | ecn
    return fix_sum4(head) + packet[len(head):]


def fix_sum4(head):
    head[10:12] = b"\0\0"
    head[10:12] = struct.pack("!H", ~wire.sum16(bytes(head)) & 0xFFFF)
    return bytes(head)


def encapsulate(policy, segments, source, keys, proto, inner, inner_tc):
    """RFC 8986 sections 5.1 to 5.4; the flow label is left 0."""
    reduced = policy.get("headend", "H.Encaps").endswith(".Red") and len(segments) > 1
    entries = list(reversed(segments))[:-1 if reduced else None]
    key_id = policy.get("hmac_key_id")
    dscp = policy.get("dscp", "copy")
    tc = inner_tc if dscp == "copy" else dscp << 2 | inner_tc & 3
    source = policy.get("source", source)
    header = b""
    if key_id is not None:
        secret, algorithm = keys[key_id]
        text = wire.srh(proto, entries, len(segments) - 1, flags=8,
                        tlvs=wire.hmac_tlv(key_id, d_bit=int(reduced)))
        header = text[:-32] + wire.digest(source, text, secret, algorithm)
    elif len(segments) > 1 or policy.get("force_srh"):
        header = wire.srh(proto, entries, len(segments) - 1)
    return wire.ip6(source, segments[0], wire.ROUTING if header else proto, header + inner, tc=tc,
                    hop_limit=policy.get("hop_limit", 64))


@dataclass
class State:
    """What a router knows of a packet besides its bytes."""

    vrf: str
    port: str
    trusted: bool = False
    hop_taken: bool = False
    originated: bool = False
    passes: int = 0
    pushed: int = 0
    inner: tuple = ()  # of the last encapsulation: VRF
    label_at: list = field(default_factory=list)


@dataclass
class Outcome:
    frames: list = field(default_factory=list)  # (port, frame, mask)
    drops: dict = field(default_factory=dict)
    sids: dict = field(default_factory=dict)  # name: [packets, bytes]
    policies: dict = field(default_factory=dict)

    def count(self, table, name, n_bytes):
        row = getattr(self, table).setdefault(name, [0, 0])
        row[0] += 1
        row[1] += n_bytes


class Model:
    """ports: name to dict(vrf, trusted, mac, mtu, vlan, device, l2_policy, sources); routes: VRF to list of
    (prefix, action), an action being ("via", port, mac), ("local",), ("sid", name), ("policy", name),
    ("drop", counter[, error])."""

    def __init__(self, ports, routes, sids, policies, source, keys, icmp_sources):
        self.ports, self.sids, self.policies = ports, sids, policies
        self.source, self.keys, self.icmp_sources = source, keys, icmp_sources
        self.routes = {vrf: [(ipaddress.ip_network(p), a) for p, a in rows]
                       for vrf, rows in routes.items()}

    def lookup(self, vrf, dst):
        dst = ipaddress.ip_address(dst)
        rows = [r for r in self.routes[vrf] if r[0].version == dst.version and dst in r[0]]
        if not rows:
            return ("none",)
        return max(rows, key=lambda r: r[0].prefixlen)[1]

    def receive(self, port, frame):
        """What becomes of a frame that comes in on port (an interface's name)."""
        out = Outcome()
        given = self.ports[port]
        if "l2_policy" in given:
            inner = frame if given.get("vlan") is None else frame[:12] + frame[16:]
            state = State("default", port)
            self.encap(out, state, given["l2_policy"], wire.ETH, inner, 0)
            return out
        packet = frame[14 if given.get("vlan") is None else 18:]
        self.route(out, State(given["vrf"], port, trusted=given["trusted"]), packet)
        return out

    def route(self, out, state, packet):
        """A packet whose headers are to be checked and looked up."""
        if packet[0] >> 4 == 4:
            self.forward(out, state, packet[:struct.unpack("!H", packet[2:4])[0]], packet[16:20])
        else:
            end = 40 + struct.unpack("!H", packet[4:6])[0]
            if end == 40 and packet[6] == wire.HBH:  # a jumbogram, RFC 2675
                self.error(out, state, packet, Stop("ip6_malformed"))
                return
            self.forward(out, state, packet[:end], dst_of(packet))

    def forward(self, out, state, packet, dst):
        action = self.lookup(state.vrf, dst)
        kind = action[0]
        if kind == "via":
            self.output(out, state, packet, action[1], action[2])
        elif kind == "sid":
            self.at_sid(out, state, packet, action[1])
        elif kind == "policy":
            self.by_policy(out, state, packet, action[1])
        elif kind == "local":
            self.local(out, state, packet)
        elif kind == "drop":
            self.error(out, state, packet, Stop(action[1], action[2] if len(action) > 2 else None))
        else:
            self.error(out, state, packet, Stop(f"ip{packet[0] >> 4}_no_route", (UNREACHABLE, 0, 0)))

    def at_sid(self, out, state, packet, name):
        sid = self.sids[name]
        state.passes += 1
        if not state.trusted:
            return self.error(out, state, packet, Stop("srv6_untrusted"))
        if state.passes > MAX_SID_PASSES:
            return self.error(out, state, packet, Stop("srv6_loop"))
        try:
            verdict, *rest = endpoint(sid, packet, self.keys)
            self.apply(out, state, packet, name, verdict, rest)
        except Stop as stop:
            self.error(out, state, packet, stop)

    def apply(self, out, state, packet, name, verdict, rest):
        sid = self.sids[name]
        if verdict == "local":
            out.count("sids", name, len(packet))
            return self.local(out, state, rest[0])
        if verdict == "decap":
            return self.decapsulate(out, state, packet, name, *rest)
        out.count("sids", name, len(packet))
        state.hop_taken, state.pushed = True, 0
        if sid["behavior"].startswith("End.B6"):
            return self.encap(out, state, sid["policy"], wire.IP6, rest[0], tc_of(rest[0]))
        if sid["behavior"] == "End.X":
            return self.output(out, state, rest[0], *sid["adjacency"])
        state.vrf = sid.get("vrf", "default")
        return self.forward(out, state, rest[0], dst_of(rest[0]))

    def decapsulate(self, out, state, packet, name, proto, inner):
        sid = self.sids[name]
        if proto == wire.ETH:
            port = self.ports[sid["port"]]
            if len(inner) < 14:
                raise Stop("srv6_inner")
            if len(inner) > port["mtu"] + 14:
                raise Stop("l2_too_long")
            out.count("sids", name, len(packet))
            vlan = port.get("vlan")
            tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
            out.frames.append((port["device"], inner[:12] + tag + inner[12:], b""))
            return
        usd = sid["behavior"] not in DECAPS
        inner = self.checked(inner, proto, strict=True)
        inner = set_ecn(inner, ecn_decap(tc_of(packet) & 3, self.ecn_of(inner)))
        out.count("sids", name, len(packet))
        state.vrf, state.hop_taken, state.originated, state.pushed = (
            sid.get("vrf", "default"), False, False, 0)
        if "adjacency" in sid:
            state.vrf = self.ports[sid["adjacency"][0]]["vrf"]
        state.trusted = state.trusted and usd
        if "adjacency" in sid:
            self.output(out, state, inner, *sid["adjacency"])
        else:
            self.forward(out, state, inner, inner[16:20] if proto == wire.IP4 else dst_of(inner))

    @staticmethod
    def ecn_of(packet):
        return (packet[1] if packet[0] >> 4 == 4 else tc_of(packet)) & 3

    @staticmethod
    def checked(inner, proto, strict):
        """RFC 1812 section 5.2.2 and RFC 8200: an inner packet, trimmed to its own length."""
        try:
            if proto == wire.IP4:
                ihl = 4 * (inner[0] & 15)
                length = struct.unpack("!H", inner[2:4])[0]
                good = (inner[0] >> 4 == 4 and ihl >= 20 and ihl <= length <= len(inner)
                        and wire.sum16(inner[:ihl]) == 0xFFFF)
            else:
                length = 40 + struct.unpack("!H", inner[4:6])[0]
                good = inner[0] >> 4 == 6 and len(inner) >= length
                good = good and not (strict and (inner[24] == 0xFF or inner[24:26] == b"\xfe\x80"
                                                 or inner[8:10] == b"\xfe\x80"))
                good = good and inner[8] != 0xFF
        except (IndexError, struct.error):
            good = False
        if not good:
            raise Stop("srv6_inner")
        return inner[:length]

    def by_policy(self, out, state, packet, name):
        version = packet[0] >> 4
        if not state.hop_taken:
            try:
                packet = self.take_hop(packet)
            except Stop as stop:
                return self.error(out, state, packet, stop)
        tc = packet[1] if version == 4 else tc_of(packet)
        return self.encap(out, state, name, wire.IP4 if version == 4 else wire.IP6, packet, tc)

    def encap(self, out, state, name, proto, inner, tc):
        policy = self.policies[name]
        outer = encapsulate(policy, policy["segments"], self.source, self.keys, proto, inner, tc)
        out.count("policies", name, len(inner))
        state.inner, state.pushed = (state.vrf, proto), len(outer) - len(inner)
        state.label_at = [state.pushed + at for at in state.label_at] + [0]
        state.vrf, state.trusted, state.hop_taken, state.originated = "default", True, True, True
        self.forward(out, state, outer, dst_of(outer))

    @staticmethod
    def take_hop(packet):
        if packet[0] >> 4 == 6:
            expire(packet)
            return with_hop(packet)
        if packet[8] <= 1:
            raise Stop("ip4_ttl", (11, 0, 0))
        head = bytearray(packet[:4 * (packet[0] & 15)])
        head[8] -= 1
        return fix_sum4(head) + packet[len(head):]

    def output(self, out, state, packet, port, mac):
        try:
            taken = packet if state.hop_taken else self.take_hop(packet)
        except Stop as stop:
            return self.error(out, state, packet, stop)
        mtu = self.ports[port]["mtu"]
        if len(packet) > mtu:
            return self.too_big(out, state, packet, mtu)
        device = self.ports[port]
        frame = wire.eth(mac, device["mac"], taken, vlan=device.get("vlan"))
        mask = bytearray(b"\xff" * len(frame))
        for at in state.label_at:
            at += len(frame) - len(taken)
            mask[at + 1:at + 4] = b"\xf0\0\0"
        out.frames.append((device["device"], frame, bytes(mask) if state.label_at else b""))
        return None

    def too_big(self, out, state, packet, mtu):
        if state.pushed:
            packet, mtu = packet[state.pushed:], mtu - state.pushed
            state.vrf, state.originated = state.inner[0], False
            if state.inner[1] == wire.ETH:
                return self.error(out, state, packet, Stop("l2_too_long"))
        if packet[0] >> 4 == 6:
            return self.error(out, state, packet, Stop("ip6_too_big", (TOO_BIG, 0, mtu)))
        return self.error(out, state, packet, Stop("ip4_too_big", (3, 4, mtu)))

    def error(self, out, state, packet, stop):
        """A drop, and the ICMP error that RFC 4443 or RFC 1812 wants for it."""
        out.drops["drop_" + stop.drop] = out.drops.get("drop_" + stop.drop, 0) + 1
        if stop.error is None:
            return
        family = packet[0] >> 4
        src = packet[8:24] if family == 6 else packet[12:16]
        if state.originated or self.is_icmp_error(packet):
            out.drops["drop_icmp_unsuitable"] = out.drops.get("drop_icmp_unsuitable", 0) + 1
            return
        kind, code, value = stop.error
        if family == 4 and kind == UNREACHABLE:
            kind = 3
        rest = struct.pack("!I", value) + packet[:QUOTE6 if family == 6 else QUOTE4]
        source = wire.addr(self.icmp_source(state.vrf, src, family))
        if family == 6:
            reply = wire.ip6(source, src, wire.ICMP6, wire.icmp6(source, src, kind, code, rest))
        else:
            reply = wire.ip4(source, src, 1, wire.icmp4(kind, code, rest), tos=0xC0, ident=0)
        self.forward(out, State(state.vrf, state.port, hop_taken=True, originated=True), reply, src)

    @staticmethod
    def is_icmp_error(packet):
        if packet[0] >> 4 == 4:
            return packet[9] == 1 and packet[4 * (packet[0] & 15)] in (3, 4, 5, 11, 12)
        proto, off = packet[6], 40
        while proto in (wire.HBH, wire.ROUTING, wire.DSTOPTS) and len(packet) > off + 1:
            proto, off = packet[off], off + 8 * (packet[off + 1] + 1)
        return proto == wire.ICMP6 and (len(packet) <= off or packet[off] < 128)

    def icmp_source(self, vrf, dst, family):
        action = self.lookup(vrf, dst)
        if action[0] == "via":
            return self.ports[action[1]]["sources"][family]
        return self.icmp_sources[vrf][family]

    def local(self, out, state, packet):
        """Echo requests are answered; nothing else comes here in these tests."""
        proto, off = packet[6], 40
        while proto in (wire.HBH, wire.ROUTING, wire.DSTOPTS):
            proto, off = packet[off], off + 8 * (packet[off + 1] + 1)
        packet = packet[:6] + bytes([proto]) + packet[7:40] + packet[off:]
        assert proto == wire.ICMP6 and packet[40] == 128, "the model knows ping only"
        src, dst = packet[8:24], packet[24:40]
        message = wire.icmp6(dst, src, 129, 0, packet[44:])
        reply = wire.ip6(dst, src, wire.ICMP6, message, tc=tc_of(packet),
                         label=struct.unpack("!I", packet[:4])[0] & 0xFFFFF)
        self.forward(out, State("default", state.port, hop_taken=True, originated=True), reply, src)
