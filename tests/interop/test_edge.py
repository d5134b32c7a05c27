# SPDX-License-Identifier: Apache-2.0
"""The node as headend and as decapsulating end, Linux as the other one.

    a --- k1 ====SRv6==== node --- b (VRF red)
"""

import pytest
from lab import HOSTS, LOCATORS

NODE_SID = LOCATORS["node"] + "1"
OUT = {4: LOCATORS["k1"] + "4", 6: LOCATORS["k1"] + "6"}  # k1's SIDs that lead to host a


def config(sid, headend="H.Encaps", force_srh=False, hmac_key=None, mtus=(1800, 1500)):
    """Traffic to host a by one policy for each family; sid is the text behind the node's own SID."""
    more = (f'headend = "{headend}"; force_srh = {str(force_srh).lower()}; ' +
            (f"hmac_key_id = {hmac_key[0]}; " if hmac_key else ""))
    keys = f'hmac_keys = ( {{ id = {hmac_key[0]}; secret = "{hmac_key[1]}"; }} );' if hmac_key else ""
    return f"""
    ports = (
        {{ name = "p1"; device = "net_af_packet0,iface=p1"; mtu = {mtus[0]}; sr_trusted = true;
           addresses = [ "2001:db8:1::1/64" ]; dispatch = true; }},
        {{ name = "pb"; device = "net_af_packet1,iface=pb"; mtu = {mtus[1]}; vrf = "red"; dispatch = true;
           addresses = [ "10.0.2.1/24", "fd00:2::1/64" ]; }} );
    vrfs = (
        {{ name = "default"; routes = ( {{ prefix = "2001:db8:a::/48"; via = "2001:db8:1::2"; }} ); }},
        {{ name = "red"; routes = ( {{ prefix = "10.0.1.0/24"; policy = "to-a4"; }},
                                    {{ prefix = "fd00:1::/64"; policy = "to-a6"; }} ); }} );
    srv6 = {{
        source = "2001:db8:1::1";
        locators = [ "{LOCATORS['node']}/48" ];
        sids = ( {{ sid = "{NODE_SID}"; {sid} }} );
        policies = ( {{ name = "to-a4"; segments = [ "{OUT[4]}" ]; {more} }},
                     {{ name = "to-a6"; segments = [ "{OUT[6]}" ]; {more} }} );
        {keys}
    }};
    """


def build(lab, workers, text, decap4="End.DX4 nh4 10.0.1.2", decap6="End.DX6 nh6 fd00:1::2"):
    lab.add("node")
    lab.add_router("k1", "p1", host="a")
    lab.add_host("b", "node", "pb")
    lab.sid("k1", OUT[4], decap4)
    lab.sid("k1", OUT[6], decap6)
    lab.start_node(text, workers)


# The node's behavior, and the families that it takes.
DECAPS = {
    "End.DT4": ('behavior = "End.DT4"; vrf = "red";', [4]),
    "End.DT6": ('behavior = "End.DT6"; vrf = "red";', [6]),
    "End.DT46": ('behavior = "End.DT46"; vrf = "red";', [4, 6]),
    "End.DX4": ('behavior = "End.DX4"; port = "pb"; nexthop = "10.0.2.2";', [4]),
    "End.DX6": ('behavior = "End.DX6"; port = "pb"; nexthop = "fd00:2::2";', [6]),
}


@pytest.mark.parametrize("behavior", DECAPS)
def test_linux_encapsulates_node_decapsulates(lab, workers, behavior):
    sid, families = DECAPS[behavior]
    build(lab, workers, config(sid))
    for family in families:
        lab.encap("k1", "b", family, [NODE_SID])
    lab.traffic(*families)
    assert lab.sid_packets(NODE_SID) > 0


@pytest.mark.parametrize("force_srh", [False, True], ids=["plain", "srh"])
@pytest.mark.parametrize("headend", ["H.Encaps", "H.Encaps.Red"])
@pytest.mark.parametrize("decap6", ["End.DX6 nh6 fd00:1::2", "End.DT6 table main"], ids=["DX6", "DT6"])
def test_node_encapsulates_linux_decapsulates(lab, workers, decap6, headend, force_srh):
    build(lab, workers, config(DECAPS["End.DT46"][0], headend, force_srh), decap6=decap6)
    for family in (4, 6):
        lab.encap("k1", "b", family, [NODE_SID], mode="encap.red")
    lab.traffic(4, 6)
    assert lab.policy_packets("to-a4") > 0
    assert lab.policy_packets("to-a6") > 0


def test_packets_of_9000_bytes(lab, workers):
    """Full packets both ways; none may be fragmented on its way."""
    lab.underlay_mtu, lab.host_mtu = 9200, 9000
    build(lab, workers, config(DECAPS["End.DT46"][0], force_srh=True, mtus=(9200, 9000)))
    for family, headers_len in ((4, 28), (6, 48)):
        lab.encap("k1", "b", family, [NODE_SID])
        lab.reach(family)
        for packet_len in (2000, 8950, 9000):
            lab.ping(family, packet_len - headers_len)
    assert lab.sid_packets(NODE_SID) >= 2 * 3 * 20


# HMAC: both sides insert one and demand one.

KEY = (17, "a secret that both know")


def set_linux_key(lab, secret):
    # ip asks for it on the terminal, or, without one, reads it from standard input.
    lab.run("k1", "ip", "sr", "hmac", "set", str(KEY[0]), "sha256", text_in=secret + "\n")
    lab.sysctl("k1", "net.ipv6.conf.all.seg6_require_hmac=1", "net.ipv6.conf.core.seg6_require_hmac=1")


def test_hmac_both_ways(lab, workers):
    build(lab, workers, config(DECAPS["End.DT46"][0] + " require_hmac = true;", hmac_key=KEY))
    set_linux_key(lab, KEY[1])
    for family in (4, 6):
        lab.encap("k1", "b", family, [NODE_SID], extra=f"hmac {KEY[0]}")
    lab.traffic(4, 6)


def test_hmac_of_another_secret_is_refused_by_both(lab):
    build(lab, 1, config(DECAPS["End.DT46"][0] + " require_hmac = true;", hmac_key=KEY))
    set_linux_key(lab, "something else")
    lab.encap("k1", "b", 4, [NODE_SID], extra=f"hmac {KEY[0]}")
    until_dropped(lab, "a", "b", lambda: lab.drops().get("srv6_hmac_bad", 0) > 0)
    assert not lab.is_reached(4)


def test_hmac_missing_is_refused_by_the_node(lab):
    build(lab, 1, config(DECAPS["End.DT46"][0] + " require_hmac = true;", hmac_key=KEY))
    lab.encap("k1", "b", 4, [NODE_SID])
    until_dropped(lab, "a", "b", lambda: lab.drops().get("srv6_hmac_missing", 0) > 0)
    assert not lab.is_reached(4)


def until_dropped(lab, sender, receiver, dropped):
    """Pings until the node has counted the drop."""
    from lab import until

    def try_once():
        lab.start(sender, "ping", "-c", "1", "-W", "1", HOSTS[receiver][4][0]).wait()
        return dropped()
    until(try_once, "the drop")
