# SPDX-License-Identifier: Apache-2.0
"""The node between two Linux ends, and Linux between two ends of the node.

    a --- k1 ====SRv6==== node ====SRv6==== k2 --- b        the node is a segment on the way
    a --- node (VRF red) ==== k1 ==== node (VRF blue) --- b  Linux is
"""

import pytest
from lab import LOCATORS, UNDERLAY_MTU

NODE = LOCATORS["node"] + "1"  # towards b
BACK = LOCATORS["node"] + "2"  # towards a
OUT = {"a": {4: LOCATORS["k1"] + "4", 6: LOCATORS["k1"] + "6"},
       "b": {4: LOCATORS["k2"] + "4", 6: LOCATORS["k2"] + "6"}}

UNDERLAY = """
    ports = (
        { name = "p1"; device = "net_af_packet0,iface=p1"; mtu = 1800; sr_trusted = true;
          addresses = [ "2001:db8:1::1/64" ]; },
        { name = "p2"; device = "net_af_packet1,iface=p2"; mtu = 1800; sr_trusted = true;
          addresses = [ "2001:db8:2::1/64" ]; } );
    vrfs = (
        { name = "default"; routes = ( { prefix = "2001:db8:a::/48"; via = "2001:db8:1::2"; },
                                       { prefix = "2001:db8:b::/48"; via = "2001:db8:2::2"; }%s ); } %s );
    """


def transit_config(node_sid, back_sid, policies="", routes="", vrfs=""):
    return UNDERLAY % (routes, vrfs) + f"""
    srv6 = {{
        source = "2001:db8:1::1";
        locators = [ "{LOCATORS['node']}/48" ];
        sids = ( {{ sid = "{NODE}"; {node_sid} }}, {{ sid = "{BACK}"; {back_sid} }} );
        policies = ( {policies} );
    }};
    """


def build_between(lab, workers, text, prepare=lambda lab, text: text):
    lab.add("node")
    lab.add_router("k1", "p1", host="a")
    lab.add_router("k2", "p2", host="b")
    for router, host, net4, net6 in (("k1", "a", "10.0.1.2", "fd00:1::2"), ("k2", "b", "10.0.2.2", "fd00:2::2")):
        lab.sid(router, OUT[host][4], f"End.DX4 nh4 {net4}")
        lab.sid(router, OUT[host][6], f"End.DX6 nh6 {net6}")
    lab.start_node(prepare(lab, text), workers)


def x(router_address, port, flavors=""):
    return f'behavior = "End.X"; nexthop = "{router_address}"; port = "{port}"; {flavors}'


PSP = 'flavors = [ "PSP" ];'
ALL = 'flavors = [ "PSP", "USP", "USD" ];'
END_T = 'behavior = "End.T"; vrf = "transit";'

# The SIDs towards b and back to a.
BEHAVIORS = {
    "End": ('behavior = "End";', 'behavior = "End";'),
    "End-PSP": (f'behavior = "End"; {PSP}', f'behavior = "End"; {PSP}'),
    "End-PSP-USP-USD": (f'behavior = "End"; {ALL}', f'behavior = "End"; {ALL}'),
    "End.X": (x("2001:db8:2::2", "p2"), x("2001:db8:1::2", "p1")),
    "End.X-PSP": (x("2001:db8:2::2", "p2", PSP), x("2001:db8:1::2", "p1", PSP)),
    "End.T": (END_T, END_T),
    "End.T-PSP": (END_T + PSP, END_T + PSP),
}
# End.T's table leads to the same routers by links of their own.
TRANSIT_VRF = """, { name = "transit"; routes = (
    { prefix = "2001:db8:a::/48"; via = "2001:db8:11::2"; },
    { prefix = "2001:db8:b::/48"; via = "2001:db8:12::2"; } ); }"""


def add_transit_links(lab, text):
    for n in ("1", "2"):
        lab.wire("k" + n, "core2", "node", "t" + n, UNDERLAY_MTU)
        lab.ip("k" + n, f"addr add 2001:db8:1{n}::2/64 dev core2")
        text = text.replace(f'{{ name = "p{n}";', f"""
            {{ name = "t{n}"; device = "net_af_packet{n}t,iface=t{n}"; mtu = {UNDERLAY_MTU}; vrf = "transit";
              addresses = [ "2001:db8:1{n}::1/64" ]; }},
            {{ name = "p{n}";""")
    return text


@pytest.mark.parametrize("mode", ["encap", "encap.red"])
@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_node_is_a_segment_between_linux(lab, workers, behavior, mode):
    there, back = BEHAVIORS[behavior]
    if behavior.startswith("End.T"):
        build_between(lab, workers, transit_config(there, back, vrfs=TRANSIT_VRF), add_transit_links)
    else:
        build_between(lab, workers, transit_config(there, back))
    for family in (4, 6):
        lab.encap("k1", "b", family, [NODE, OUT["b"][family]], mode)
        lab.encap("k2", "a", family, [BACK, OUT["a"][family]], mode)
    lab.traffic(4, 6)
    assert lab.sid_packets(NODE) > 0 and lab.sid_packets(BACK) > 0


@pytest.mark.parametrize("behavior", ["End.B6.Encaps", "End.B6.Encaps.Red"])
def test_node_binds_a_policy_between_linux(lab, workers, behavior):
    """The node puts a second outer header on; Linux takes it off (End.DT6), then the first (End.DX)."""
    wrap = {"k1": LOCATORS["k1"] + "e", "k2": LOCATORS["k2"] + "e"}
    via = {"k1": LOCATORS["k1"] + "f", "k2": LOCATORS["k2"] + "f"}
    headend = behavior.replace("End.B6", "H")
    policies = ", ".join(f'{{ name = "over-{k}"; headend = "{headend}"; segments = [ "{via[k]}", "{wrap[k]}" ]; }}'
                         for k in wrap)
    build_between(lab, workers, transit_config(f'behavior = "{behavior}"; policy = "over-k2";',
                                               f'behavior = "{behavior}"; policy = "over-k1";', policies))
    for router in wrap:
        lab.sid(router, via[router], "End")
        lab.sid(router, wrap[router], "End.DT6 table main")
    for family in (4, 6):
        lab.encap("k1", "b", family, [NODE, OUT["b"][family]])
        lab.encap("k2", "a", family, [BACK, OUT["a"][family]])
    lab.traffic(4, 6)
    assert lab.policy_packets("over-k1") > 0 and lab.policy_packets("over-k2") > 0


@pytest.mark.parametrize("family", [4, 6])
def test_node_end_with_usd_takes_the_last_header_off(lab, workers, family):
    """The node's End is the last segment (RFC 8986 section 4.16.3); the exposed packet goes by the table."""
    routes = """, { prefix = "10.0.1.0/24"; via = "192.0.2.1"; }, { prefix = "10.0.2.0/24"; via = "192.0.2.5"; },
                { prefix = "fd00:1::/64"; via = "2001:db8:1::2"; }, { prefix = "fd00:2::/64"; via = "2001:db8:2::2"; }"""
    text = transit_config('behavior = "End"; flavors = [ "USD" ];', 'behavior = "End"; flavors = [ "USD" ];',
                          routes=routes)
    for port, address in (("1", "192.0.2.2/30"), ("2", "192.0.2.6/30")):
        text = text.replace(f'"2001:db8:{port}::1/64"', f'"2001:db8:{port}::1/64", "{address}"')
    build_between(lab, workers, text)
    lab.ip("k1", "addr add 192.0.2.1/30 dev core")
    lab.ip("k2", "addr add 192.0.2.5/30 dev core")
    lab.encap("k1", "b", family, [NODE])
    lab.encap("k2", "a", family, [BACK])
    lab.traffic(family)
    assert lab.sid_packets(NODE) > 0 and lab.sid_packets(BACK) > 0


# Linux on the way. Both policies of the node lead over k1, to the node's own SIDs of the other VRF.

LINUX = {
    "End": "End",
    "End-PSP": "End flavors psp",
    "End.X": "End.X nh6 2001:db8:1::1",
    "End.T": "End.T table main",
}


def hairpin_config(headend):
    via = LOCATORS["k1"] + "1"
    return f"""
    ports = (
        {{ name = "p1"; device = "net_af_packet0,iface=p1"; mtu = 1800; sr_trusted = true;
           addresses = [ "2001:db8:1::1/64" ]; dispatch = true; }},
        {{ name = "pa"; device = "net_af_packet1,iface=pa"; vrf = "red";
           addresses = [ "10.0.1.1/24", "fd00:1::1/64" ]; }},
        {{ name = "pb"; device = "net_af_packet2,iface=pb"; vrf = "blue";
           addresses = [ "10.0.2.1/24", "fd00:2::1/64" ]; }} );
    vrfs = (
        {{ name = "default"; routes = ( {{ prefix = "2001:db8:a::/48"; via = "2001:db8:1::2"; }} ); }},
        {{ name = "red"; routes = ( {{ prefix = "10.0.2.0/24"; policy = "to-b"; }},
                                    {{ prefix = "fd00:2::/64"; policy = "to-b"; }} ); }},
        {{ name = "blue"; routes = ( {{ prefix = "10.0.1.0/24"; policy = "to-a"; }},
                                     {{ prefix = "fd00:1::/64"; policy = "to-a"; }} ); }} );
    srv6 = {{
        source = "2001:db8:1::1";
        locators = [ "{LOCATORS['node']}/48" ];
        sids = ( {{ sid = "{NODE}"; behavior = "End.DT46"; vrf = "blue"; }},
                 {{ sid = "{BACK}"; behavior = "End.DT46"; vrf = "red"; }} );
        policies = ( {{ name = "to-b"; headend = "{headend}"; segments = [ "{via}", "{NODE}" ]; }},
                     {{ name = "to-a"; headend = "{headend}"; segments = [ "{via}", "{BACK}" ]; }} );
    }};
    """


@pytest.mark.parametrize("headend", ["H.Encaps", "H.Encaps.Red"])
@pytest.mark.parametrize("action", LINUX)
def test_linux_is_a_segment_between_two_ends_of_the_node(lab, workers, action, headend):
    lab.add("node")
    lab.add_router("k1", "p1")
    lab.add_host("a", "node", "pa")
    lab.add_host("b", "node", "pb")
    lab.sid("k1", LOCATORS["k1"] + "1", LINUX[action])
    lab.start_node(hairpin_config(headend), workers)
    lab.traffic(4, 6)
    assert lab.sid_packets(NODE) > 0 and lab.sid_packets(BACK) > 0


# Compressed lists (RFC 9800): one address holds node and router, block 32 bits, C-SIDs 16.
#   2001:dbc:<node>:<router>:<decap>::

CSID = 'behavior = "End"; flavors = [ "NEXT-C-SID" ]; block_bits = 32; csid_bits = 16;'


def test_next_csid_mixed(lab, workers):
    routes = """, { prefix = "2001:dbc:a::/48"; via = "2001:db8:1::2"; },
                { prefix = "2001:dbc:b::/48"; via = "2001:db8:2::2"; }"""
    build_between(lab, workers,
                  transit_config(CSID, 'behavior = "End";', routes=routes).replace(f'"{NODE}"', '"2001:dbc:f::"'))
    for router, letter, host4, host6 in (("k1", "a", "10.0.1.2", "fd00:1::2"), ("k2", "b", "10.0.2.2", "fd00:2::2")):
        lab.sid(router, f"2001:dbc:{letter}::/48", "End flavors next-csid lblen 32 nflen 16")
        lab.sid(router, "2001:dbc:4::/48", f"End.DX4 nh4 {host4}")
        lab.sid(router, "2001:dbc:6::/48", f"End.DX6 nh6 {host6}")
    for family in (4, 6):
        lab.encap("k1", "b", family, [f"2001:dbc:f:b:{family}::"], "encap.red")
        lab.encap("k2", "a", family, [f"2001:dbc:f:a:{family}::"], "encap.red")
    lab.traffic(4, 6)
    assert lab.sid_packets("2001:dbc:f::") > 0


def test_next_csid_in_an_srh_with_classic_sids(lab, workers):
    """A container, then a classic SID: an empty argument falls back to the plain behavior."""
    routes = """, { prefix = "2001:dbc:a::/48"; via = "2001:db8:1::2"; },
                { prefix = "2001:dbc:b::/48"; via = "2001:db8:2::2"; }"""
    build_between(lab, workers,
                  transit_config(CSID, 'behavior = "End";', routes=routes).replace(f'"{NODE}"', '"2001:dbc:f::"'))
    lab.sid("k1", "2001:dbc:a::/48", "End flavors next-csid lblen 32 nflen 16")
    lab.sid("k2", "2001:dbc:b::/48", "End flavors next-csid lblen 32 nflen 16")
    for family in (4, 6):
        lab.encap("k1", "b", family, ["2001:dbc:f:b::", OUT["b"][family]])
        lab.encap("k2", "a", family, ["2001:dbc:f::", "2001:dbc:a::", OUT["a"][family]])
    lab.traffic(4, 6)
    assert lab.sid_packets("2001:dbc:f::") > 0
