# SPDX-License-Identifier: Apache-2.0
"""What an operator does to the node while packets flow: check, reload, look, trace, capture."""

import json
import os
import subprocess
import time

import pytest
from scapy.utils import RawPcapNgReader

import harness
from harness import Refused
from ipnet import CONFIG, from_node, hop, to_node, udp4, udp6

SRC4, SRC6 = "10.0.0.2", "fd00::2"


def forward(node, data=b"x", dst="10.0.1.2", out_idx=1):
    packet = udp4(SRC4, dst, data=data)
    want = from_node(node, out_idx, hop(packet))
    node.exchange("p0", to_node(node, 0, packet), f"p{out_idx}", want)
    return to_node(node, 0, packet), want


# --check


def check(tmp_path, text):
    path = tmp_path / "check.cfg"
    path.write_text(text)
    return path, subprocess.run([harness.binary("pergola"), "--check", str(path)], capture_output=True,
                                text=True, timeout=harness.TIMEOUT_S)


def test_check_accepts(tmp_path):
    path, done = check(tmp_path, harness.to_text(harness.complete(CONFIG, 1, "tap", str(tmp_path))))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: fine\n", "")


@pytest.mark.parametrize("text, where, what", [
    ("ports = (\n", ":", "syntax error"),
    ('ports = ( { name = "p0"; device = "net_tap0"; adresses = [ ]; } );\n', ":1: ports[0].adresses",
     'did you mean "addresses"'),
    ('vrfs = ( { name = "red";\n routes = ( { prefix = "10.0.0.5/24"; blackhole = true; } ); } );\n',
     ":2: vrfs[0].routes[0].prefix", "10.0.0.0/24"),
    ('vrfs = ( { name = "red"; routes = ( { prefix = "10.0.0.0/24"; policy = "none"; } ); } );\n', ":1: ",
     "none"),
], ids=["syntax", "unknown-key", "prefix", "unknown-policy"])
def test_check_refuses(tmp_path, text, where, what):
    path, done = check(tmp_path, text)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(str(path)) and where in done.stderr and what in done.stderr
    assert done.stderr.count("\n") == 1


def test_usage():
    for args in ([], ["--no-such-option"], ["a", "b"]):
        done = subprocess.run([harness.binary("pergola"), *args], capture_output=True, text=True,
                              timeout=harness.TIMEOUT_S)
        assert done.returncode == 2, args


def test_missing_file():
    done = subprocess.run([harness.binary("pergola"), "--check", "/nowhere.cfg"], capture_output=True,
                          text=True, timeout=harness.TIMEOUT_S)
    assert done.returncode == 1 and "/nowhere.cfg" in done.stderr


# Reload


def test_reload_moves_a_route(node):
    forward(node, dst="10.1.0.1")
    changed = dict(CONFIG, vrfs=[dict(CONFIG["vrfs"][0], routes=[
        dict(prefix="10.1.0.0/16", via="10.0.2.2")])] + CONFIG["vrfs"][1:])
    # The policy's way is by fd10::/16; it may lead nowhere.
    node.reload(changed)
    forward(node, dst="10.1.0.1", out_idx=2)
    node.reload(CONFIG)
    forward(node, dst="10.1.0.1")


def test_refused_reload_changes_nothing(node):
    generation = node.get("/status")["generation"]
    bad = dict(CONFIG, vrfs=CONFIG["vrfs"] + [dict(name="green", routes=[
        dict(prefix="10.0.0.5/24", blackhole=True)])])
    try:
        with node.counts():
            with pytest.raises(Refused, match=r"vrfs\[4\]|vrfs\[3\]"):
                node.reload(bad)
            forward(node)
            with pytest.raises(Refused, match="syntax"):
                node.reload("ports = (")
            forward(node)
        done = node.ctl("reload", check=False)
        assert done.returncode == 1 and "syntax" in done.stderr
        status = node.get("/status")
        assert status["generation"] == generation and status["reload"]["ok"] is False
    finally:
        node.reload(CONFIG)
    assert node.get("/status")["reload"]["ok"] is True


def test_reload_under_traffic_loses_nothing(node):
    n = 0
    with node.counts():
        for i in range(10):
            packets = [udp4(SRC4, "10.0.1.2", data=b"%d %d" % (i, k)) for k in range(20)]
            node.send("p0", *[to_node(node, 0, p) for p in packets])
            node.reload(CONFIG if i % 2 else dict(CONFIG, vrfs=CONFIG["vrfs"] + [dict(name=f"new{i}")]))
            for p in packets:
                node.expect("p1", from_node(node, 1, hop(p)))
                n += 1
    assert n == 200


# pergolactl


@pytest.mark.parametrize("args, key", [
    (["status"], "version"), (["ports"], "ports"), (["neighbors"], "neighbors"), (["routes"], "routes"),
    (["routes", "red"], "routes"), (["routes", "default", "10.1.2.3"], None), (["sids"], None),
    (["policies"], "policies"), (["drops"], "drops"), (["drops", "--all"], "drops"), (["nodes"], "nodes"),
    (["nodes", "--worker", "0"], "nodes"), (["reload"], "generation")],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_json_and_text(node, args, key):
    answer = json.loads(node.ctl("--json", *args))
    assert isinstance(answer, dict) and "error" not in answer
    assert key is None or key in answer
    assert node.ctl(*args).strip() != "" or args in (["drops"], ["sids"])


def test_counters_of_ports(node):
    before = {p["port"]: p["stats"] for p in node.get("/ports")["ports"]}
    for i in range(5):
        forward(node, b"%d" % i)
    deadline = time.monotonic() + harness.TIMEOUT_S
    while True:
        after = {p["port"]: p["stats"] for p in node.get("/ports")["ports"]}
        moved = (after["p0"]["rx_packets"] - before["p0"]["rx_packets"],
                 after["p1"]["tx_packets"] - before["p1"]["tx_packets"])
        if moved == (5, 5):
            break
        assert time.monotonic() < deadline, moved


def test_exit_codes(node):
    assert node.ctl("no-such-command", check=False).returncode == 2
    assert node.ctl("routes", "no-such-vrf", check=False).returncode == 1
    done = subprocess.run([harness.binary("pergolactl"), "--socket", "/nowhere.sock", "status"],
                          capture_output=True, text=True, timeout=harness.TIMEOUT_S)
    assert done.returncode == 3 and "/nowhere.sock" in done.stderr


# Trace and capture


class Session:
    """A pergolactl that runs beside the test."""

    def __init__(self, node, *args):
        self.process = subprocess.Popen(
            [harness.binary("pergolactl"), "--socket", node.socket_path, "--json", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        out, err = self.process.communicate(timeout=harness.TIMEOUT_S * 3)
        assert self.process.returncode == 0, err
        return json.loads(out)


def until(condition):
    deadline = time.monotonic() + harness.TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def sessions(node):
    running = []

    def start(*args):
        running.append(Session(node, *args))
        return running[-1]

    yield start
    for session in running:
        if session.process.poll() is None:
            session.process.kill()
        session.process.communicate()


def await_capture(node, path):
    until(lambda: os.path.exists(path))
    # Answered by the loop that made the file and, in the same breath, told the workers.
    node.get("/status")


def nodes_of(packet):
    return [e["node"] for e in packet["events"]]


def test_trace(node, sessions):
    session = sessions("trace", "3", "--timeout", "20")
    four, six, hole = udp4(SRC4, "10.0.1.2"), udp6(SRC6, "fd01::2"), udp4(SRC4, "10.2.0.1")
    # Until the worker has seen that it is wanted, packets go untraced: more of each than asked for.
    sent = 0
    while session.process.poll() is None and sent < 500:
        for p in (four, six, hole):
            node.send("p0", to_node(node, 0, p))
        node.expect_all("p1", [from_node(node, 1, hop(four)), from_node(node, 1, hop(six))])
        sent += 1
        time.sleep(0.005)
    packets = session.result()["packets"]
    assert len(packets) == 3
    for p in packets:
        assert p["complete"]
        names, first = nodes_of(p), p["events"][0]
        want = {"4500": "ip4_input", "6000": "ip6_input"}
        entry = [v for k, v in want.items() if first["bytes"].startswith(k) or k in first["bytes"][:36]]
        assert names[-1] in ("port_tx", "drop_blackhole"), names
        assert any(e in names for e in entry), (names, first)
        assert first["port"] == "p0" and first["vrf"] == "default"
    ends = [nodes_of(p)[-1] for p in packets]
    assert node.workers > 1 or sorted(ends) == ["drop_blackhole", "port_tx", "port_tx"]


def pcapng(path):
    return [bytes(data) for data, _ in RawPcapNgReader(path)]


def test_capture(node, sessions, tmp_path):
    path = str(tmp_path / "all.pcapng")
    n = 20
    session = sessions("capture", path, "--packets", str(2 * n), "--seconds", "30")
    await_capture(node, path)
    frames = []
    for i in range(n):
        frames += forward(node, b"captured %d" % i)
    answer = session.result()
    assert (answer["written"], answer["lost"]) == (2 * n, 0)
    got = pcapng(path)
    assert sorted(got) == sorted(frames)
    if node.workers == 1:
        assert got == frames


def test_capture_of_one_port(node, sessions, tmp_path):
    path = str(tmp_path / "p1.pcapng")
    n = 10
    session = sessions("capture", path, "--ports", "p1", "--packets", str(n), "--seconds", "30")
    await_capture(node, path)
    frames = []
    for i in range(n):
        forward(node, b"elsewhere", "10.1.2.1", 2)
        frames.append(forward(node, b"here %d" % i)[1])
    assert session.result()["written"] == n
    assert pcapng(path) == frames


def test_capture_of_a_port_that_is_not(node, tmp_path):
    done = node.ctl("capture", str(tmp_path / "x"), "--ports", "p9", check=False)
    assert done.returncode == 1 and "p9" in done.stderr


# Life


def test_stop_leaves_nothing(start_node):
    node = start_node(CONFIG)
    forward(node)
    path, socket_path = node.directory, node.socket_path
    assert node.stop() == 0
    assert not os.path.exists(socket_path) and not os.path.exists(path)
    assert not os.path.exists("/run/netns/" + node.name)


def test_start_with_a_device_that_is_not(start_node):
    with pytest.raises(AssertionError, match="ports.p0.device"):
        start_node(dict(ports=[dict(name="p0", device="net_af_packet0,iface=nowhere")]))
