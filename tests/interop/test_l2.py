# SPDX-License-Identifier: Apache-2.0
"""Whole frames: the node and Linux as the two ends of a layer-2 tunnel.

    a --- k1 ====SRv6==== node --- b        b's port belongs to the tunnel

Linux encapsulates the frames that it would route (l2encap works by route), with the addresses that the host
wrote. So b has the MAC address of k1's port to a, and the ends know each other's address beforehand.
"""

import json

import pytest
from lab import HOSTS, LOCATORS

NODE_SID = LOCATORS["node"] + "2"
LINUX_SID = LOCATORS["k1"] + "2"


def config(headend):
    return f"""
    ports = (
        {{ name = "p1"; device = "net_af_packet0,iface=p1"; mtu = 1800; sr_trusted = true;
           addresses = [ "2001:db8:1::1/64" ]; }},
        {{ name = "pb"; device = "net_af_packet1,iface=pb"; l2_policy = "wire"; promiscuous = true; }} );
    vrfs = ( {{ name = "default"; routes = ( {{ prefix = "2001:db8:a::/48"; via = "2001:db8:1::2"; }} ); }} );
    srv6 = {{
        source = "2001:db8:1::1";
        sids = ( {{ sid = "{NODE_SID}"; behavior = "End.DX2"; port = "pb"; }} );
        policies = ( {{ name = "wire"; headend = "{headend}"; segments = [ "{LINUX_SID}" ]; }} );
    }};
    """


def mac(lab, name, iface):
    return json.loads(lab.ip(name, f"-j link show {iface}"))[0]["address"]


@pytest.mark.parametrize("headend", ["H.Encaps.L2", "H.Encaps.L2.Red"])
@pytest.mark.parametrize("mode", ["l2encap", "l2encap.red"])
def test_frames_both_ways(lab, workers, mode, headend):
    lab.add("node")
    lab.add_router("k1", "p1", host="a")
    lab.add_host("b", "node", "pb")
    lab.ip("b", f"link set eth0 address {mac(lab, 'k1', 'edge')}")
    for family in (4, 6):
        lab.ip("b", f"neigh replace {HOSTS['b'][family][1]} lladdr {mac(lab, 'a', 'eth0')} dev eth0 nud permanent")
        lab.encap("k1", "b", family, [NODE_SID], mode)
    lab.sid("k1", LINUX_SID, "End.DX2 oif edge")
    lab.start_node(config(headend), workers)
    lab.traffic(4, 6)
    assert lab.sid_packets(NODE_SID) > 0
    assert lab.policy_packets("wire") > 0
