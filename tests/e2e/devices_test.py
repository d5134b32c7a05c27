# SPDX-License-Identifier: Apache-2.0
"""Each kind of virtual device starts, and forwards a packet in and out.

The node stands between `far`, an af_packet port that is known to work, and `dut`, the device in question.

PERGOLA_BUILD names the build directory."""

import os
import time

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapReader, wrpcap

from e2e_lab import TIMEOUT_S, run, until

FAR_HOST, DUT_HOST = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def config(device, dut_host=DUT_HOST):
    return dict(
        ports=[dict(name="far", device="net_af_packet0,iface=far", addresses=["10.0.0.1/24"]),
               dict(name="dut", device=device, addresses=["10.0.1.1/24"])],
        neighbors=[dict(port="far", address="10.0.0.2", mac=FAR_HOST),
                   dict(port="dut", address="10.0.1.2", mac=dut_host)])


def frame(src, dst, ip_src, ip_dst, ttl=64, data=b"through the device"):
    return bytes(Ether(src=src, dst=dst) / IP(src=ip_src, dst=ip_dst, ttl=ttl) / UDP(sport=1, dport=2) / data)


def outward(node, ttl=64):
    """From far's host, and what must come out of dut."""
    return (frame(FAR_HOST, node.mac("far"), "10.0.0.2", "10.0.1.2", ttl),
            frame(node.mac("dut"), DUT_HOST, "10.0.0.2", "10.0.1.2", ttl - 1))


def inward(node):
    return (frame(DUT_HOST, node.mac("dut"), "10.0.1.2", "10.0.0.2"),
            frame(node.mac("far"), FAR_HOST, "10.0.1.2", "10.0.0.2", 63))


def expect(peer, want):
    deadline = time.monotonic() + TIMEOUT_S
    got = peer.receive(deadline)
    while got is not None and got != want:
        got = peer.receive(deadline)  # the kernel's own: its interfaces announce themselves
    assert got == want, "the frame does not come"


def exchange(node, far, dut):
    sent, want = outward(node)
    far.send(sent)
    expect(dut, want)
    sent, want = inward(node)
    dut.send(sent)
    expect(far, want)


@pytest.mark.parametrize("device", ["net_af_packet1,iface=dut", "net_af_xdp0,iface=dut", "net_pcap0,iface=dut"],
                         ids=["af_packet", "af_xdp", "pcap-iface"])
def test_kernel_interface(lab, device):
    far, dut = lab.veth("far"), lab.veth("dut")
    node = lab.node(config(device)).start()
    exchange(node, far, dut)
    assert node.stop() == 0


def test_tap(lab):
    far = lab.veth("far")
    node = lab.node(config("net_tap0,iface=dut")).start()
    run("ip", "-n", lab.netns, "link", "set", "dut", "up")
    exchange(node, far, lab.peer("dut"))
    assert node.stop() == 0


MEMIFS = {"copy": ("", []), "zero-copy": (",zero-copy=yes", ["--single-file-segments"])}


def memif_side(lab, role, number, mtu, more="", eal_args=()):
    """A node between an af_packet port and the memif."""
    name = f"far{number}"
    memif = f"net_memif0,role={role},socket={lab.path('memif.sock')},socket-abstract=no{more}"
    return dict(
        eal=dict(huge_pages=False, memory_mb=256, args=list(eal_args)),
        ports=[dict(name="far", device=f"net_af_packet0,iface={name}", mtu=mtu, addresses=[f"10.0.{number}.1/24"]),
               dict(name="memif", device=memif, mtu=mtu, addresses=[f"10.9.9.{number}/24"])],
        neighbors=[dict(port="far", address=f"10.0.{number}.2", mac=FAR_HOST)],
        vrfs=[dict(name="default", routes=[dict(prefix="10.0.0.0/16", via=f"10.9.9.{3 - number}")])])


@pytest.mark.parametrize("mtu", [1500, 9000])
@pytest.mark.parametrize("way", MEMIFS)
def test_memif(lab, way, mtu):
    """Two nodes, one behind the other; they find each other by ARP. Frames past 2 KiB are chains of buffers
    behind the memif."""
    more, eal_args = MEMIFS[way]
    ends = [lab.veth("far1", mtu), lab.veth("far2", mtu)]
    nodes = [lab.node(memif_side(lab, "server", 1, mtu), "server").start(),
             lab.node(memif_side(lab, "client", 2, mtu, more, eal_args), "client").start()]
    for node in nodes:
        until(lambda: [n for n in node.get("/neighbors")["neighbors"]
                       if n["port"] == "memif" and n["state"] == "reachable"], "ARP over memif")
    for here, there in ((0, 1), (1, 0)):
        src, dst = f"10.0.{here + 1}.2", f"10.0.{there + 1}.2"
        for size in (64, 1500, 2034, 2035, 4082, 8999, 9000):
            if size > mtu:
                continue
            data = bytes((i * 7 + (i >> 8)) & 0xff for i in range(size - 28))
            ends[here].send(frame(FAR_HOST, nodes[here].mac("far"), src, dst, data=data))
            expect(ends[there], frame(nodes[there].mac("far"), FAR_HOST, src, dst, 62, data))
    assert [node.stop() for node in nodes] == [0, 0]


def test_pcap_files(lab):
    far = lab.veth("far")
    source, sink, mac = lab.path("in.pcap"), lab.path("out.pcap"), "02:70:63:61:70:00"
    wrpcap(source, [Ether(frame(DUT_HOST, mac, "10.0.1.2", "10.0.0.2"))])
    node = lab.node(config(f"net_pcap0,rx_pcap={source},tx_pcap={sink}")).start()
    assert node.mac("dut") == mac
    expect(far, frame(node.mac("far"), FAR_HOST, "10.0.1.2", "10.0.0.2", 63))
    sent, want = outward(node)
    far.send(sent)
    until(lambda: node.port("dut")["stats"]["tx_packets"] == 1, "writing the file")
    assert node.stop() == 0
    assert [bytes(data) for data, _ in RawPcapReader(sink)] == [want]


def test_ring(lab):
    """What goes into a ring comes out of it: with its own address as the next hop, a packet goes round
    until its hops are used up."""
    far = lab.veth("far")
    node = lab.node(config("net_ring0")).start()
    assert node.reload(config("net_ring0", dut_host=node.mac("dut")))[0] == 200
    far.send(outward(node, ttl=5)[0])
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        got = far.receive(deadline)
        assert got is not None, "no ICMP error"
        if Ether(got).haslayer(ICMP):
            break
    assert (Ether(got)[ICMP].type, Ether(got)[IP].dst) == (11, "10.0.0.2")
    stats = node.port("dut")["stats"]
    assert (stats["rx_packets"], stats["tx_packets"]) == (4, 4)
    assert node.stop() == 0


def test_null(lab):
    far = lab.veth("far")
    node = lab.node(config("net_null0,no-rx=1")).start()
    far.send(outward(node)[0])
    until(lambda: node.port("dut")["stats"]["tx_packets"] == 1, "sending to null")
    assert node.stop() == 0


def test_null_that_never_runs_dry(lab):
    """Frames of zeros without end: the other port still gets its turn."""
    far = lab.veth("far")
    node = lab.node(config("net_null0")).start()
    far.send(outward(node)[0])
    until(lambda: node.port("dut")["stats"]["tx_packets"] == 1, "sending to null")
    assert node.port("dut")["stats"]["rx_packets"] > 0
    assert {d["reason"] for d in node.get("/drops")["drops"]} <= {"eth_not_for_us", "eth_unknown_type"}
    assert node.stop() == 0


def test_names_what_is_missing(lab):
    node = lab.node(config("net_af_packet1,iface=nowhere"))
    lab.veth("far")
    node.launch()
    assert node.wait() == 1
    last = node.log().splitlines()[-1]
    assert "ports.dut.device" in last and "kernel has no interface" in last, last


def test_device_without_queues(lab):
    lab.veth("far")
    node = lab.node(config(f"net_vhost0,iface={lab.path('vhost.sock')},queues=0"))
    node.launch()
    assert node.wait() == 1
    last = node.log().splitlines()[-1]
    assert "ports.dut.device" in last and "has 0 RX and 0 TX queues" in last, last


def test_mtu_beyond_the_kernels(lab):
    lab.veth("far", mtu=1600)
    wanted = config("net_null0")
    wanted["ports"][0]["mtu"] = 1601
    node = lab.node(wanted)
    node.launch()
    assert node.wait() == 1
    last = node.log().splitlines()[-1]
    assert "ports.far.mtu: 1601 is more" in last and last.endswith("its own MTU in net_af_packet0,iface=far is 1600"), last
    wanted["ports"][0]["mtu"] = 1600
    node.write(wanted)
    assert node.start().stop() == 0


def test_memif_client_without_server(lab):
    lab.veth("far")
    node = lab.node(config(f"net_memif0,role=client,socket={lab.path('memif.sock')},socket-abstract=no"))
    node.launch()
    assert node.wait() == 1
    last = node.log().splitlines()[-1]
    assert "ports.dut" in last and "server's side of a memif starts first" in last, last


def test_without_privilege(lab):
    os.chmod(lab.directory, 0o777)
    lab.veth("far")
    node = lab.node(config("net_null0"))
    os.chmod(node.config_path, 0o644)
    node.launch(prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert node.wait() == 1
    last = node.log().splitlines()[-1]
    assert "ports.far.device" in last and "CAP_NET_RAW" in last, last
