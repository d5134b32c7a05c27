# SPDX-License-Identifier: Apache-2.0
"""The node under the SRv6 packet tests: its configuration, the same as tables of the model, and check(),
which sends frames and holds what comes out against the model.

Underlay ports: core (R1) and side (R2, R3), both SR-trusted, and open (R4), which is not.
Tenants red and blue have the same addresses. Port wire and its VLAN 300 are layer-2 links. Prefixes
2001:db8:a::/48 and :b::/48 lie behind R1 and R2.
"""

import itertools

import harness
import srv6_wire as wire
from srv6_model import Model

CORE, SIDE, OPEN = "2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"
R1, R2, R3, R4 = "2001:db8:0:1::2", "2001:db8:0:2::2", "2001:db8:0:2::3", "2001:db8:0:3::2"
SR_SOURCE = "2001:db8:a:99::1"  # another node of the SR domain, behind R1
SOURCE = "2001:db8:0:1::1"      # srv6.source of the node
HOST4, HOST6 = "10.0.0.2", "fd00:1::2"  # of either tenant, on the link
FAR4, FAR6 = "10.9.0.5", "fd00:9::5"    # of either tenant, behind HOST
MACS = {"core": "02:00:00:00:c0:01", "side": "02:00:00:00:c0:02", "side3": "02:00:00:00:c0:03",
        "open": "02:00:00:00:c0:04", "red": "02:00:00:00:c0:05", "blue": "02:00:00:00:c0:06",
        "wire": "02:00:00:00:c0:07"}
PORTS = ("core", "side", "open", "red", "blue", "wire")
LOCATOR = "2001:db8:f:1"
KEYS = {7: (b"change me", "sha256"), 8: (bytes(range(20)), "sha1"), 4000000000: (b"k" * 64, "sha256")}

FLAVOR_SETS = [tuple(f for i, f in enumerate(("PSP", "USP", "USD")) if bits >> i & 1)
               for bits in range(8)]


def sid(function):
    """The SID with that function in the classic locator."""
    return f"{LOCATOR}:{function:x}::"


def behavior_name(behavior, flavors, csid=False):
    return "+".join((behavior,) + flavors + (("NEXT-C-SID",) if csid else ()))


def _classic():
    """Name to (prefix, keys): each behavior with every set of flavors it takes."""
    out = {}
    for i, flavors in enumerate(FLAVOR_SETS):
        out[behavior_name("End", flavors)] = (sid(0x10 + i), dict(behavior="End", flavors=flavors))
        out[behavior_name("End.X", flavors)] = (
            sid(0x20 + i), dict(behavior="End.X", flavors=flavors, nexthop=R3, port="side"))
        out[behavior_name("End.T", flavors)] = (
            sid(0x30 + i), dict(behavior="End.T", flavors=flavors, vrf="blue"))
    decaps = [("End.DX2", dict(behavior="End.DX2", port="wire")),
              ("End.DX2 VLAN", dict(behavior="End.DX2", port="wire.300")),
              ("End.DX4", dict(behavior="End.DX4", nexthop=HOST4, port="red")),
              ("End.DX6", dict(behavior="End.DX6", nexthop=HOST6, port="red")),
              ("End.DT4", dict(behavior="End.DT4", vrf="red")),
              ("End.DT6", dict(behavior="End.DT6", vrf="red")),
              ("End.DT46", dict(behavior="End.DT46", vrf="red")),
              ("End.DT4 blue", dict(behavior="End.DT4", vrf="blue")),
              ("End.DT6 blue", dict(behavior="End.DT6", vrf="blue")),
              ("End.DT46 blue", dict(behavior="End.DT46", vrf="blue")),
              ("End.DT6 underlay", dict(behavior="End.DT6", vrf="default")),
              ("End.B6", dict(behavior="End.B6.Encaps", policy="b6")),
              ("End.B6.Red", dict(behavior="End.B6.Encaps.Red", policy="b6red")),
              ("End.B6 one", dict(behavior="End.B6.Encaps", policy="b6one"))]
    for i, (name, keys) in enumerate(decaps):
        out[name] = (sid(0x40 + i), keys)
    return out


def _signed():
    """SIDs that want an HMAC."""
    rows = [("End", {}), ("End.X", dict(nexthop=R3, port="side")), ("End.T", dict(vrf="blue")),
            ("End.DT46", dict(vrf="red")), ("End.DX2", dict(port="wire")),
            ("End.B6.Encaps", dict(policy="b6"))]
    return {f"{b} signed": (sid(0x60 + i), dict(behavior=b, require_hmac=True, **keys))
            for i, (b, keys) in enumerate(rows)}


def _compressed():
    """NEXT-C-SID: blocks 2001:db8::/32 with C-SIDs of 16 bits, 2001:db9::/32 with 32, 2001:dba:0::/48 with
    16, 3f00::/8 with 8."""
    out = {}
    for i, flavors in enumerate(FLAVOR_SETS):
        out[behavior_name("End", flavors, True)] = (f"2001:db8:c{i:x}::/48", dict(
            behavior="End", flavors=flavors + ("NEXT-C-SID",), block_bits=32, csid_bits=16))
        out[behavior_name("End.X", flavors, True)] = (f"2001:db8:d{i:x}::/48", dict(
            behavior="End.X", flavors=flavors + ("NEXT-C-SID",), block_bits=32, csid_bits=16,
            nexthop=R3, port="side"))
    out["End 32+32"] = ("2001:db9:c:c::/64", dict(
        behavior="End", flavors=("NEXT-C-SID",), block_bits=32, csid_bits=32))
    out["End 48+16"] = ("2001:dba:0:c::/64", dict(
        behavior="End", flavors=("NEXT-C-SID",), block_bits=48, csid_bits=16))
    out["End 8+8"] = ("3fcc::/16", dict(
        behavior="End", flavors=("NEXT-C-SID",), block_bits=8, csid_bits=8))
    out["End signed C-SID"] = ("2001:db8:e0::/48", dict(
        behavior="End", flavors=("NEXT-C-SID",), block_bits=32, csid_bits=16, require_hmac=True))
    return out


def _prefixes():
    return {"End /72": (f"{LOCATOR}:7000::/72", dict(behavior="End", flavors=("PSP",))),
            "End.DT4 /80": (f"{LOCATOR}:7001::/80", dict(behavior="End.DT4", vrf="red")),
            "End.X /128": (f"{LOCATOR}:7001::9", dict(behavior="End.X", nexthop=R3, port="side"))}


SIDS = {**_classic(), **_signed(), **_compressed(), **_prefixes()}


def address(name):
    """The SID's own address: its prefix with all arguments zero."""
    return SIDS[name][0].split("/")[0]


def hops(net, n):
    """n segments in 2001:db8:net::/48, in travel order."""
    return [f"2001:db8:{net}:{i + 1}::{0x100 + i:x}" for i in range(n)]


def _policies():
    out = {"b6": dict(segments=hops("b", 2)),
           "b6red": dict(segments=hops("b", 3), headend="H.Encaps.Red"),
           "b6one": dict(segments=hops("a", 1))}
    for headend, n in itertools.product(("H.Encaps", "H.Encaps.Red"), (1, 2, 3, 10, 16)):
        out[f"{headend} {n}".replace(" ", "-")] = dict(headend=headend, segments=hops("b", n))
    out["force"] = dict(segments=hops("a", 1), force_srh=True)
    out["force-red"] = dict(segments=hops("a", 1), force_srh=True, headend="H.Encaps.Red")
    out["hop7"] = dict(segments=hops("a", 2), hop_limit=7)
    out["hop255"] = dict(segments=hops("a", 1), hop_limit=255)
    out["dscp46"] = dict(segments=hops("a", 2), dscp=46)
    out["dscp0"] = dict(segments=hops("a", 1), dscp=0)
    out["source"] = dict(segments=hops("a", 2), source="2001:db8:0:2::77")
    out["sha256"] = dict(segments=hops("a", 3), hmac_key_id=7)
    out["sha256-red"] = dict(segments=hops("a", 3), hmac_key_id=7, headend="H.Encaps.Red")
    out["sha1"] = dict(segments=hops("b", 1), hmac_key_id=8)
    out["sha256-long"] = dict(segments=hops("b", 10), hmac_key_id=4000000000)
    out["to-self"] = dict(segments=[address("End"), hops("a", 1)[0]])
    out["to-self-dt"] = dict(segments=[address("End.DT46 blue")])
    out["to-self-twice"] = dict(segments=[address("End+PSP"), address("End.DT46 blue")])
    out["core1"] = dict(segments=hops("a", 1))
    out["core3"] = dict(segments=hops("a", 3))
    out["wire"] = dict(headend="H.Encaps.L2", segments=hops("b", 1))
    out["wire300"] = dict(headend="H.Encaps.L2.Red", segments=hops("b", 3))
    out["wire301"] = dict(headend="H.Encaps.L2", segments=hops("a", 2), dscp=12)
    return out


POLICIES = _policies()
# Tenant destinations of each policy: 172.16.i.0/24 and fd00:ff:i::/48. Layer-2 policies have none.
ROUTED = [name for name, p in POLICIES.items() if "L2" not in p.get("headend", "")]


def far4(policy, host=5):
    return f"172.16.{ROUTED.index(policy)}.{host}"


def far6(policy, host=5):
    return f"fd00:ff:{ROUTED.index(policy):x}::{host:x}"


def _tenant(name, extra=()):
    routes = [dict(prefix="10.9.0.0/16", via=HOST4), dict(prefix="fd00:9::/48", via=HOST6),
              dict(prefix="10.66.0.0/16", unreachable=True), dict(prefix="10.67.0.0/16", blackhole=True),
              dict(prefix="fd00:66::/32", unreachable=True), *extra]
    for i, policy in enumerate(ROUTED):
        routes += [dict(prefix=f"172.16.{i}.0/24", policy=policy),
                   dict(prefix=f"fd00:ff:{i:x}::/48", policy=policy)]
    return dict(name=name, icmp_source4="10.0.0.1", icmp_source6="fd00:1::1", routes=routes)


def _sid_entry(name):
    prefix, keys = SIDS[name]
    return dict(sid=prefix, **{k: list(v) if k == "flavors" else v for k, v in keys.items()
                               if not (k == "flavors" and not v)})


def _not_at_the_edges(policy):
    """Takes the first and the last address away from a policy's destinations: the search for policies that
    reach themselves goes by these two."""
    i = ROUTED.index(policy)
    edges = [f"172.16.{i}.0/32", f"172.16.{i}.255/32", f"fd00:ff:{i:x}::/128",
             f"fd00:ff:{i:x}:ffff:ffff:ffff:ffff:ffff/128"]
    return [dict(prefix=prefix, blackhole=True) for prefix in edges]


BLUE_ONLY = [dict(prefix="2001:db8:a::/48", via=HOST6),  # where End.T leads
             *_not_at_the_edges("to-self-dt"), *_not_at_the_edges("to-self-twice")]

CONFIG = dict(
    icmp=dict(errors_per_s=1000000, burst=1000000),
    ports=[
        dict(name="core", sr_trusted=True, addresses=[CORE + "/64"]),
        dict(name="side", sr_trusted=True, addresses=[SIDE + "/64"]),
        dict(name="open", addresses=[OPEN + "/64"]),
        dict(name="red", vrf="red", addresses=["10.0.0.1/24", "fd00:1::1/64"]),
        dict(name="blue", vrf="blue", addresses=["10.0.0.1/24", "fd00:1::1/64"]),
        dict(name="wire", l2_policy="wire",
             vlans=[dict(id=300, l2_policy="wire300"), dict(id=301, l2_policy="wire301")]),
    ],
    neighbors=[dict(port="core", address=R1, mac=MACS["core"]),
               dict(port="side", address=R2, mac=MACS["side"]),
               dict(port="side", address=R3, mac=MACS["side3"]),
               dict(port="open", address=R4, mac=MACS["open"])]
    + [dict(port=p, address=a, mac=MACS[p]) for p in ("red", "blue") for a in (HOST4, HOST6)],
    vrfs=[dict(name="default", routes=[
              dict(prefix="2001:db8:a::/48", via=R1), dict(prefix="2001:db8:b::/48", via=R2),
              dict(prefix="2001:db9:a::/48", via=R1), dict(prefix="2001:dba:0:a::/64", via=R1),
              dict(prefix="3f0a::/16", via=R1), dict(prefix="2001:db8:9::/48", via=R4),
              dict(prefix="2001:db8:dead::/48", blackhole=True)]),
          _tenant("red"), _tenant("blue", BLUE_ONLY)],
    srv6=dict(
        source=SOURCE, locators=[f"{LOCATOR}::/64"],
        sids=[_sid_entry(name) for name in SIDS],
        policies=[dict(name=name, **p) for name, p in POLICIES.items()],
        hmac_keys=[dict(id=i, algorithm=a, secret_hex=s.hex()) for i, (s, a) in KEYS.items()]),
)


def make_model(**mtus):
    """mtus: of ports, where they are not 1500."""
    ports = {}
    for i, name in enumerate(PORTS):
        ports[name] = dict(device=name, mac=harness.node_mac(i), mtu=mtus.get(name, 1500),
                           vrf={"red": "red", "blue": "blue"}.get(name, "default"),
                           trusted=name in ("core", "side"))
    for name, own in (("core", CORE), ("side", SIDE), ("open", OPEN)):
        ports[name]["sources"] = {6: own}
    for name in ("red", "blue"):
        ports[name]["sources"] = {4: "10.0.0.1", 6: "fd00:1::1"}
    ports["wire.300"] = dict(ports["wire"], vlan=300, l2_policy="wire300")
    ports["wire.301"] = dict(ports["wire"], vlan=301, l2_policy="wire301")
    ports["wire"]["l2_policy"] = "wire"

    via = {R1: ("via", "core", MACS["core"]), R2: ("via", "side", MACS["side"]),
           R3: ("via", "side", MACS["side3"]), R4: ("via", "open", MACS["open"])}
    routes = {"default": [(a + "/128", r) for a, r in via.items()]}
    routes["default"] += [(a + "/128", ("local",)) for a in (CORE, SIDE, OPEN)]
    for route in CONFIG["vrfs"][0]["routes"]:
        routes["default"].append((route["prefix"],
                                  via[route["via"]] if "via" in route else ("drop", "blackhole")))
    routes["default"] += [(prefix, ("sid", name)) for name, (prefix, _) in SIDS.items()]
    routes["default"].append((f"{LOCATOR}::/64", ("drop", "srv6_no_sid")))
    for vrf in CONFIG["vrfs"][1:]:
        name = vrf["name"]
        hop = ("via", name, MACS[name])
        rows = [(HOST4 + "/32", hop), (HOST6 + "/128", hop), ("fd00:1::1/128", ("local",))]
        for route in vrf["routes"]:
            family = 6 if ":" in route["prefix"] else 4
            error = (3, 1, 0) if family == 4 else (1, 0, 0)
            rows.append((route["prefix"], hop if "via" in route
                         else ("policy", route["policy"]) if "policy" in route
                         else ("drop", "blackhole") if route.get("blackhole")
                         else ("drop", f"ip{family}_unreachable", error)))
        routes[name] = rows

    adjacencies = {R3: ("side", MACS["side3"]), HOST4: ("red", MACS["red"]), HOST6: ("red", MACS["red"])}
    sids = {}
    for name, (_, keys) in SIDS.items():
        sids[name] = dict(keys)
        if "nexthop" in keys:
            sids[name]["adjacency"] = adjacencies[keys["nexthop"]]
    sources = {"default": {}, "red": {4: "10.0.0.1", 6: "fd00:1::1"},
               "blue": {4: "10.0.0.1", 6: "fd00:1::1"}}
    return Model(ports, routes, sids, POLICIES, SOURCE, KEYS, sources)


MODEL = make_model()


def frame(port, packet, vlan=None):
    """An IP packet as the neighbour on port sends it."""
    return wire.eth(harness.node_mac(PORTS.index(port)), MACS[port], packet, vlan=vlan)


def _counters(node):
    sids = {s["prefix"]: (s["packets"], s["bytes"]) for s in node.get("/sids")["sids"]}
    policies = {p["policy"]: (p["packets"], p["bytes"]) for p in node.get("/policies")["policies"]}
    return sids, policies


def _moved(before, now):
    return {k: [now[k][0] - before[k][0], now[k][1] - before[k][1]] for k in now
            if now[k] != before[k]}


def prefix_of(name):
    prefix = SIDS[name][0]
    return prefix if "/" in prefix else prefix + "/128"


def _add(total, part):
    for key, (packets, n_bytes) in part.items():
        row = total.setdefault(key, [0, 0])
        row[0] += packets
        row[1] += n_bytes


def check(node, cases, model=MODEL, **drops):
    """Sends each case, (what, interface, frame), holds the frames that come out against the model, and in
    the end the drop, SID and policy counters. drops: what the test itself says they must be; without,
    there must be none."""
    total = {}
    want_sids, want_policies = {}, {}
    before = _counters(node)
    outcomes = []
    for what, port, given in cases:
        outcome = model.receive(port, given)
        outcomes.append((what, port, given, outcome))
        for name, n in outcome.drops.items():
            total[name] = total.get(name, 0) + n
        _add(want_sids, {prefix_of(k): v for k, v in outcome.sids.items()})
        _add(want_policies, outcome.policies)
    assert total == drops, f"the test wants other drops than the model: {drops}, {total}"
    drops_before = node.drops()
    for what, port, given, outcome in outcomes:
        node.send(port.split(".")[0], given)
        for out_port, want, mask in outcome.frames:
            try:
                node.expect(out_port, want, mask)
            except AssertionError as error:
                raise AssertionError(f"case {what}: {error}") from None
    # Behind the frame that came of a packet its counters have moved; without one, ask.
    if not all(outcome.frames for _, _, _, outcome in outcomes):
        node.barrier()
    moved = {k: n - drops_before.get(k, 0) for k, n in node.drops().items()}
    moved = {k: n for k, n in moved.items() if n}
    assert moved == drops, f"drop counters moved: {moved}, wanted: {drops}"
    now = _counters(node)
    assert _moved(before[0], now[0]) == want_sids
    assert _moved(before[1], now[1]) == want_policies
    return [outcome for _, _, _, outcome in outcomes]
