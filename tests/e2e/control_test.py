# SPDX-License-Identifier: Apache-2.0
"""Start, stop, signals, reloads and the control socket of a real node: what must never take it down, and what
its operator is told.

PERGOLA_BUILD names the build directory."""

import errno
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from e2e_lab import TIMEOUT_S, binary, until

HOST = "02:00:00:00:00:0a"


def null_config(**more):
    """One port that is never heard from."""
    return dict(ports=[dict(name="p0", device="net_null0,no-rx=1", addresses=["10.0.0.1/24"])], **more)


def generation(node):
    return node.get("/status")["generation"]


# Command line and start


@pytest.mark.parametrize("args, status, words", [
    ([], 2, "no configuration file"),
    (["--check"], 2, ""),
    (["--check", "a", "b"], 2, "takes one file"),
    (["--nonsense"], 2, ""),
    (["a", "b"], 2, "one configuration file"),
    (["--check", "/nowhere"], 1, "No such file"),
    (["--check", ""], 1, "No such file"),
    (["--check", "/tmp"], 1, "Is a directory"),
    (["--check", "/dev/zero"], 1, "cannot be read"),
    (["--version"], 0, ""),
    (["--help"], 0, ""),
], ids=lambda v: " ".join(v) or "none" if isinstance(v, list) else "")
def test_command_line(args, status, words):
    done = subprocess.run([binary("pergola"), *args], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == status and words in done.stderr, done


@pytest.mark.parametrize("content, status", [
    (b"", 0), (b"\x00" * 100, 1), (b"\xef\xbb\xbfports = ();", 1), (b"{" * 100000, 1), (b"\xff\xfe\xfa", 1),
    (b'log_level = "loud";', 1), (b'control_socket = "";', 1), (b"ports = 1;", 1),
], ids=["empty", "zeros", "bom", "braces", "binary", "level", "socket", "type"])
def test_check_of_odd_files(tmp_path, content, status):
    path = tmp_path / "odd.cfg"
    path.write_bytes(content)
    done = subprocess.run([binary("pergola"), "--check", str(path)], capture_output=True, text=True,
                          timeout=TIMEOUT_S)
    assert done.returncode == status, done
    assert status == 0 or (done.stderr.startswith(str(path)) and done.stderr.count("\n") == 1), done


@pytest.mark.parametrize("arg", ["-l", "--lcores=0,1", "--main-lcore=1", "-c3"])
def test_cores_are_not_for_eal_args(lab, arg):
    node = lab.node(null_config())
    node.launch("--", arg)
    assert node.wait() == 1
    assert "workers.cores" in node.log().splitlines()[-1]


def test_eal_args_win(lab):
    """The configuration's memory is far too little."""
    node = lab.node(null_config(eal=dict(huge_pages=False, memory_mb=1)))
    node.launch()
    assert node.wait() == 1 and "eal.memory_mb" in node.log().splitlines()[-1]
    assert node.start("--", "-m", "192").stop() == 0


def test_control_socket_option_wins(lab):
    node = lab.node(null_config())
    given, node.socket_path = node.socket_path, lab.path("other.sock")
    node.start(options=["--control-socket", node.socket_path])
    assert generation(node) == 1 and not os.path.exists(given)
    assert stat.S_IMODE(os.stat(node.socket_path).st_mode) == 0o660
    assert node.stop() == 0 and not os.path.exists(node.socket_path)


@pytest.mark.parametrize("path, words", [
    ("/proc/x.sock", "No such file"), ("/nowhere/deep/x.sock", "No such file"), ("/etc/passwd", "File exists"),
    ("/" + "x" * 120, "107"),
], ids=["proc", "missing", "file", "long"])
def test_control_socket_that_cannot_be(lab, path, words):
    node = lab.node(null_config())
    node.launch(options=["--control-socket", path])
    assert node.wait() == 1
    last = node.log().splitlines()[-1]
    assert "control_socket" in last and words in last, last


def test_second_node_on_the_socket(lab):
    first = lab.node(null_config()).start()
    second = lab.node(null_config(control_socket=first.socket_path), "second")

    def refused():
        second.launch()
        assert second.wait() == 1
        assert "is another pergola running?" in second.log().splitlines()[-1]

    refused()
    assert generation(first) == 1
    # Nor when the first one is stuck and takes no more connections.
    first.process.send_signal(signal.SIGSTOP)
    clients = []
    try:
        for _ in range(1000):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.setblocking(False)
            clients.append(client)
            if client.connect_ex(first.socket_path) == errno.EAGAIN:
                break
        else:
            pytest.fail("the backlog has no end")
        refused()
    finally:
        first.process.send_signal(signal.SIGCONT)
        for client in clients:
            client.close()
    assert generation(first) == 1
    assert first.stop() == 0


def test_stale_socket_is_replaced(lab):
    node = lab.node(null_config()).start()
    node.stop(signal.SIGKILL)
    assert os.path.exists(node.socket_path)
    assert generation(node.start()) == 1
    assert node.stop() == 0


# Signals


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_stop_signal(lab, signum):
    node = lab.node(null_config()).start()
    assert node.stop(signum) == 0
    assert not os.path.exists(node.socket_path) and "stop: signal" in node.log()


def test_hangups_and_stop_during_reload(lab):
    node = lab.node(null_config()).start()
    for i in range(200):
        node.process.send_signal(signal.SIGHUP)
    until(lambda: generation(node) > 1, "a reload")
    node.write(null_config(vrfs=[dict(name=f"v{i}") for i in range(4000)]))
    node.process.send_signal(signal.SIGHUP)
    assert node.stop() == 0


def test_hangup_before_it_runs(lab):
    node = lab.node(null_config())
    node.launch()
    until(lambda: "eal: running" in node.log(), "the start of DPDK")
    node.process.send_signal(signal.SIGHUP)
    until(lambda: "start: ready" in node.log() or node.process.poll() is not None, "the start")
    assert node.stop() == 0


# Reload


def test_log_level(lab):
    node = lab.node(null_config()).start()

    def hangup_is_logged():
        before, at = node.log().count("reload: asked by SIGHUP"), generation(node)
        node.process.send_signal(signal.SIGHUP)
        until(lambda: generation(node) > at, "the reload")
        assert node.reload(dict(ports=1))[0] == 422  # an error: what came before is in the log, too
        return node.log().count("reload: asked by SIGHUP") > before

    def load(config):
        status, answer = node.reload(config)
        assert status == 200, answer
        node.write(config)

    assert hangup_is_logged()
    load(null_config(log_level="error"))
    assert not_logged(node, load, null_config(log_level="error"))
    # A refused file says nothing about the level, either.
    assert node.reload(null_config(log_level="debug", vrfs=1))[0] == 422
    assert not_logged(node, load, null_config(log_level="error"))
    load(null_config())
    load(null_config())
    at = generation(node)
    node.process.send_signal(signal.SIGHUP)
    until(lambda: generation(node) > at, "the reload")
    until(lambda: node.log().rstrip().splitlines()[-2:][0].endswith("asked by SIGHUP"), "the level of before")
    assert node.stop() == 0


def not_logged(node, load, config):
    load(config)
    at, before = generation(node), node.log()
    node.process.send_signal(signal.SIGHUP)
    until(lambda: generation(node) > at, "the reload")
    return "asked by SIGHUP" not in node.log()[len(before):]


def test_other_ports_need_a_restart(lab):
    node = lab.node(null_config()).start()
    config = null_config()
    other = [dict(name=f"q{i}", device=f"net_null{i + 1},no-rx=1", addresses=[f"10.1.{i}.1/24"]) for i in range(40)]
    changes = [config["ports"] + other, other[:1], [], [dict(config["ports"][0], mtu=1400)],
               [dict(config["ports"][0], device="net_null0")]]
    for ports in changes:
        status, answer = node.reload(dict(ports=ports))
        assert status == 422 and "only by a restart" in answer["error"], answer
        assert answer["error"] in node.log()
    assert generation(node) == 1 and node.get("/status")["reload"]["ok"] is False
    written_out = dict(config["ports"][0], mtu=1500, rx_descriptors=1024, tx_descriptors=1024)
    for ports in (config["ports"], [written_out]):
        status, answer = node.reload(dict(config, ports=ports))
        assert status == 200 and answer["restart"] == "", answer
    assert node.stop() == 0


def test_what_waits_for_a_restart_is_said_until_it_is_undone(lab):
    node = lab.node(null_config()).start()
    wanted = null_config(workers=dict(count=2, idle="backoff"), eal=dict(huge_pages=False, memory_mb=300))
    for _ in range(2):
        status, answer = node.reload(wanted)
        assert status == 200 and answer["restart"].startswith("workers, eal: ")
    assert "restart: workers, eal" in node.log()
    assert "workers, eal" in node.ctl("reload").stdout
    assert node.reload(null_config())[1]["restart"] == ""
    assert node.stop() == 0


def test_reloads_at_once(lab):
    node = lab.node(null_config()).start()
    node.write(null_config(vrfs=[dict(name="late")]))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(node.request("POST", "/reload"))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert [status for status, _ in answers] == [200] * 40
    last = generation(node)
    assert last <= 41 and max(answer["generation"] for _, answer in answers) == last
    assert node.get("/routes?vrf=late")["routes"] != []
    assert node.stop() == 0


def test_many_different_reloads_and_every_question(lab):
    """With sanitizers: nothing leaks, nothing is used after it is gone."""
    node = lab.node(null_config()).start()
    questions = [["status"], ["ports"], ["neighbors"], ["routes"], ["sids"], ["policies"], ["drops", "--all"],
                 ["nodes"], ["routes", "default", "10.0.0.9"]]
    for i in range(50):
        port = dict(null_config()["ports"][0], sr_trusted=True, vlans=[
            dict(id=100 + (i + k) % 7, vrf=f"v{(i + k) % 5}", addresses=[f"10.9.{k}.1/24"], mtu=1400 + i)
            for k in range(i % 5)])
        config = dict(
            ports=[port],
            vrfs=[dict(name=f"v{k}", routes=[dict(prefix="10.0.0.0/8", policy="to")]) for k in range(5)] +
                 [dict(name="default", routes=[dict(prefix="2001:db8::/32", via=f"fe80::{i + 1:x}", port="p0")])],
            neighbors=[dict(port="p0", address=f"10.0.0.{i + 2}", mac=HOST)],
            srv6=dict(source="2001:db8::1", locators=["fcbb::/32"],
                      sids=[dict(sid=f"fcbb:0:{i}:{k}::", behavior="End.DT46", vrf=f"v{k}") for k in range(5)],
                      policies=[dict(name="to", segments=[f"2001:db8::{i + 1:x}", "2001:db8::d"])],
                      hmac_keys=[dict(id=i + 1, secret="sesame")]))
        if i % 10 == 9:
            config["srv6"]["sids"][0]["vrf"] = "nowhere"
        status, answer = node.reload(config)
        assert status == (422 if i % 10 == 9 else 200), answer
        done = node.ctl(*questions[i % len(questions)])
        assert done.returncode == 0, done
    assert generation(node) == 46
    assert node.stop() == 0


def test_hostname_follows_the_file(lab):
    node = lab.node(null_config()).start()
    assert node.get("/status")["hostname"] == socket.gethostname()
    assert node.reload(null_config(hostname="node-7"))[0] == 200
    assert "node-7" in node.ctl("status").stdout
    assert node.stop() == 0


# Neighbours


def neighbors(node):
    return {(n["port"], n["address"]): n for n in node.get("/neighbors")["neighbors"]}


def test_permanent_neighbors_follow_the_file(lab):
    def config(*macs):
        return null_config(neighbors=[dict(port="p0", address=f"10.0.0.{i + 2}", mac=mac)
                                      for i, mac in enumerate(macs)])

    node = lab.node(config(HOST, HOST)).start()
    assert node.reload(config("02:00:00:00:00:0b"))[0] == 200
    assert {a: n["mac"] for a, n in neighbors(node).items()} == {("p0", "10.0.0.2"): "02:00:00:00:00:0b"}
    # Refused: the neighbour stays.
    assert node.reload(dict(config(HOST), vrfs=[dict(name="a"), dict(name="a")]))[0] == 422
    assert neighbors(node)["p0", "10.0.0.2"]["mac"] == "02:00:00:00:00:0b"
    # No longer permanent, but a gateway: it is asked for.
    gateway = null_config(vrfs=[dict(name="default", routes=[dict(prefix="10.5.0.0/16", via="10.0.0.2")])])
    assert node.reload(gateway)[0] == 200
    assert neighbors(node)["p0", "10.0.0.2"]["state"] in ("incomplete", "failed")
    assert node.stop() == 0


def test_interface_slot_is_not_reused_with_its_neighbors(lab):
    """Two reloads after another: one takes VLAN 100 away, the next gives its slot to VLAN 200, which has
    the same addresses in another VRF. None of so many neighbours may follow."""
    n = 20000

    def config(vlan, hosts):
        vlans = [] if vlan is None else [dict(id=vlan, vrf=f"v{vlan}", addresses=["10.8.0.1/16"])]
        port = dict(null_config()["ports"][0], vlans=vlans)
        return dict(ports=[port], vrfs=[dict(name="v100"), dict(name="v200")],
                    neighbors=[dict(port=f"p0.{vlan}", address=f"10.8.{i // 200}.{i % 200 + 2}", mac=HOST)
                               for i in range(hosts)])

    node = lab.node(config(100, n)).start()
    until(lambda: len(neighbors(node)) == n, "so many neighbours")
    assert node.reload(config(None, 0))[0] == 200
    assert node.reload(config(200, 0))[0] == 200
    assert neighbors(node) == {}
    assert node.stop() == 0


def lan(lab, **more):
    """A node with one real link, and its other end."""
    peer = lab.veth("lan")
    port = dict(name="p0", device="net_af_packet0,iface=lan", addresses=["10.0.0.1/24", "fd00::1/64"], **more)
    return peer, dict(ports=[port])


def test_routers_are_forgotten_with_accept_ra(lab):
    peer, config = lan(lab, accept_ra=True)
    node = lab.node(config).start()
    advert = bytes(Ether(src=HOST, dst="33:33:00:00:00:01") / IPv6(src="fe80::9", dst="ff02::1", hlim=255) /
                   ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=HOST))

    def default_route():
        return [r for r in node.get("/routes?vrf=default")["routes"] if r["prefix"] == "::/0"]

    def learned():
        peer.send(advert)
        return default_route()

    assert until(learned, "the default route")[0]["via"] == "fe80::9"
    assert node.reload(config)[0] == 200
    assert default_route() != []
    deaf = dict(ports=[dict(config["ports"][0], accept_ra=False)])
    assert node.reload(deaf)[0] == 200
    assert default_route() == []
    peer.send(advert)
    until(lambda: "routers: live generation=5" in node.log(), "the node's forgetting")
    assert node.reload(deaf)[0] == 200
    assert default_route() == []
    assert node.stop() == 0


def test_mtu_of_an_interface_follows_the_file(lab):
    peer = lab.veth("lan")

    def config(mtu):
        port = dict(name="p0", device="net_af_packet0,iface=lan", addresses=["10.0.0.1/24"],
                    vlans=[dict(id=7, addresses=["10.0.7.1/24"], mtu=mtu)])
        return dict(ports=[port], neighbors=[dict(port="p0", address="10.0.0.2", mac=HOST),
                                             dict(port="p0.7", address="10.0.7.2", mac=HOST)])

    node = lab.node(config(1500)).start()
    packet = bytes(Ether(src=HOST, dst=node.mac("p0")) / IP(src="10.0.0.2", dst="10.0.7.2", flags="DF") /
                   UDP(sport=1, dport=2) / (b"x" * 1400))

    def answer():
        peer.send(packet)
        frame = peer.receive(time.monotonic() + TIMEOUT_S)
        while frame is not None and IP not in Ether(frame):
            frame = peer.receive(time.monotonic() + TIMEOUT_S)
        return Ether(frame)

    assert answer()[Dot1Q].vlan == 7
    assert node.reload(config(1300))[0] == 200
    refused = answer()
    assert (refused[ICMP].type, refused[ICMP].code, refused[ICMP].nexthopmtu) == (3, 4, 1300)
    assert node.reload(config(1500))[0] == 200
    assert answer()[Dot1Q].vlan == 7
    assert node.stop() == 0


def test_arp_conflict_and_garbage_on_the_link(lab):
    peer, config = lan(lab)
    node = lab.node(config).start()
    mac = node.mac("p0")
    for n in range(60):
        peer.send(bytes(Ether(src=HOST, dst=mac, type=0x0806)) + os.urandom(n))
        peer.send(bytes(Ether(src=HOST, dst=mac, type=0x86DD) / IPv6(src="fe80::2", dst="fd00::1", hlim=255, nh=58)) +
                  bytes([135, 0]) + os.urandom(n))
    # Somebody has our address: that is nobody's neighbour.
    peer.send(bytes(Ether(src=HOST, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=HOST, psrc="10.0.0.1", pdst="10.0.0.1")))
    request = bytes(Ether(src=HOST, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=HOST, psrc="10.0.0.2", pdst="10.0.0.1"))

    def answered():
        peer.send(request)
        frame = peer.receive(time.monotonic() + 1)
        return frame is not None and ARP in Ether(frame) and Ether(frame)[ARP].op == 2

    until(answered, "an ARP reply")
    assert ("p0", "10.0.0.2") in neighbors(node) and ("p0", "10.0.0.1") not in neighbors(node)
    assert node.stop() == 0


# The control socket


GARBAGE = [
    b"", b"\n", b"\r\n\r\n", b"\x00" * 64, b"GET", b"GET /status", b"GET /status HTTP/9.9\r\n\r\n",
    b"FROB /status HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n",
    b"GET /status HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"GET http:// HTTP/1.1\r\n\r\n",
    b"CONNECT / HTTP/1.1\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"HEAD /status HTTP/1.1\r\n\r\n", b"GET ?vrf HTTP/1.1\r\n\r\n", b"GET /routes?vrf=%00 HTTP/1.0\r\n\r\n",
    b"GET /routes?=&&&=x HTTP/1.1\r\n\r\n", b"GET /routes?address=%zz HTTP/1.1\r\n\r\n",
    b"GET /nodes?worker=-1 HTTP/1.1\r\n\r\n", b"GET /nodes?worker=99999999999999999999 HTTP/1.1\r\n\r\n",
    b"POST /reload HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx",
    b"POST /reload HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /trace?n=0 HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"POST /capture?file=relative HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"POST /capture?file=/proc/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"POST /capture HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"GET /status HTTP/1.1\r\n\r\n" * 50, bytes(range(256)) * 40,
]


def connect(node):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(node.socket_path)
    client.settimeout(TIMEOUT_S)
    return client


def test_garbage_requests(lab):
    node = lab.node(null_config()).start()
    for garbage in GARBAGE:
        for half_close in (True, False):
            with connect(node) as client:
                try:
                    client.sendall(garbage)
                    if half_close:
                        client.shutdown(socket.SHUT_WR)
                        while client.recv(65536):
                            pass
                except (BrokenPipeError, ConnectionResetError):
                    pass
            assert generation(node) >= 1
    assert node.stop() == 0


def test_clients_that_leave_and_clients_that_stay(lab):
    routes = [dict(prefix=f"10.{i >> 8}.{i & 255}.0/24", blackhole=True) for i in range(1, 20000)]
    node = lab.node(null_config(vrfs=[dict(name="default", routes=routes)])).start()
    staying = [connect(node) for _ in range(100)]
    for client in staying[::2]:
        client.sendall(b"GET /routes HTTP/1.1\r\n")
    reading = connect(node)
    reading.sendall(b"GET /routes HTTP/1.1\r\n\r\n")
    reading.recv(10)
    for path in ("GET /routes", "POST /reload", "POST /trace?n=5&timeout=60",
                 "POST /capture?seconds=60&file=" + lab.path("c.pcapng")):
        for _ in range(5):
            with connect(node) as client:
                client.sendall(path.encode() + b" HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    before = time.monotonic()
    assert generation(node) >= 1
    assert time.monotonic() - before < 10
    # Nobody waits for these any more: they end, and others may begin.
    until(lambda: node.request("POST", "/trace?n=1&timeout=1")[0] == 200, "the end of the trace")
    until(lambda: node.request("POST", "/capture?seconds=1&file=" + lab.path("d.pcapng"))[0] != 409,
          "the end of the capture")
    # Stopped while answers are under way.
    for path in (b"GET /routes", b"POST /reload", b"POST /trace?n=5&timeout=60"):
        client = connect(node)
        staying.append(client)
        client.sendall(path + b" HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    assert node.stop() == 0


def test_more_connections_than_files(lab):
    node = lab.node(null_config()).start(prefix=["prlimit", "--nofile=64:64"])
    # More than it may open, fewer than wait in the backlog.
    clients = [connect(node) for _ in range(100)]
    until(lambda: "admin: cannot take a connection" in node.log(), "running out of files")
    time.sleep(1)  # a busy loop would fill the log meanwhile
    assert node.log().count("cannot take a connection") < 20 and node.log().count("\n") < 40
    for client in clients:
        client.close()
    assert until(lambda: generation(node), "an answer") == 1
    assert node.reload(null_config())[0] == 200
    assert node.stop() == 0
