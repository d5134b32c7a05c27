# SPDX-License-Identifier: Apache-2.0
"""What the node tells of what the server sent: metrics, push to live, and the dump of what is live."""

import json
import re
import socket
import subprocess

from conftest import BUILD
from plane import Plane
from resources import address, eds_cluster, endpoints, http_listener, routes
from server import WAIT_S, listener

SAMPLE = re.compile(r'pergola_(\w+)(?:\{(\w+)="((?:[^"\\]|\\.)*)"\})? ([0-9.]+)')


def metrics(node):
    """By name and the one label's value; None: it has none."""
    done = subprocess.run([f"{BUILD}/app/pergolactl", "--socket", node.socket, "metrics"],
                          capture_output=True, text=True, timeout=WAIT_S, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "# EOF"
    matches = [SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(matches)
    found = {(match[1], match[3]): float(match[4]) for match in matches}
    assert len(found) == len(matches)
    return found


def serve(server, node):
    """One service, live."""
    stream = server.stream()
    stream.delta = node.delta
    plane = Plane(stream)
    plane.put("cds", eds_cluster("pay"))
    plane.until_asked("eds", "pay")
    plane.put("eds", endpoints("pay", ("10.9.0.1", 80)))
    plane.put("lds", http_listener("web", "0.0.0.0", 80, "shop"))
    plane.until_asked("rds", "shop")
    plane.put("rds", routes("shop", "pay", "pay.test"))
    node.until(lambda: node.ctl("services")["services"])
    return plane


def test_metrics_count_what_happened(server, node):
    serve(server, node)
    found = metrics(node)
    assert found["xds_up", f"127.0.0.1:{server.port}"] == 1
    assert found["xds_streams_total", None] == 1
    for word in ("listener", "route configuration", "cluster", "endpoints"):
        assert found["xds_responses_total", word] == found["xds_acks_total", word] >= 1
        assert (found["xds_nacks_total", word], found["xds_held", word]) == (0, 1)
    status = node.ctl("xds")
    assert found["xds_push_to_live_seconds_count", None] == status["push_to_live_count"] == status["layers"] >= 2
    assert found["xds_push_to_live_seconds_bucket", "+Inf"] == status["layers"]
    assert status["push_to_live_max_ms"] >= status["push_to_live_ms"] > 0
    assert found["listener_requests_total", "web"] == found["cluster_requests_total", "pay"] == 0
    assert ("port_rx_packets_total", "p0") in found and ("dropped_packets_total", "eth_truncated") in found


def test_metrics_buckets_only_grow(server, node):
    serve(server, node)
    counts = [count for (name, _), count in metrics(node).items() if name == "xds_push_to_live_seconds_bucket"]
    assert counts == sorted(counts) and counts[-1] >= 2


def test_dump_has_what_is_live_whole(server, node):
    serve(server, node)
    dump = node.ctl("config-dump")
    web, = dump["listeners"]
    assert (web["name"], web["source"], web["route_configuration"]) == ("web", "listener web", "shop")
    assert web["addresses"] == ["10.100.0.1:80"]
    host, = dump["virtual_hosts"]
    assert (host["route_configuration"], host["domains"]) == ("shop", ["pay.test"])
    assert (host["routes"][0]["prefix"], host["routes"][0]["clusters"]) == ("/", [{"cluster": "pay", "weight": 1}])
    pay, = dump["clusters"]
    assert pay["localities"][0]["endpoints"] == [
        {"address": "10.9.0.1:80", "health": "healthy", "weight": 1, "vrf": None, "policy": None}]


def test_dump_of_what_goes_meanwhile_says_so(server, node):
    """Refused names are in no snapshot: that they go is seen by nothing but the walk over them."""
    stream = server.stream()
    stream.delta = node.delta
    names = [f"{n:05}" + "x" * 400 for n in range(4000)]
    stream.answer("lds", "1", [listener.Listener(name=name, address=address("0.0.0.0", 80)) for name in names])
    node.until(lambda: node.type("listener")["refused"] == len(names))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(node.socket)
        client.sendall(b"GET /config-dump HTTP/1.0\r\n\r\n")
        client.settimeout(WAIT_S)
        answer = client.recv(1000)
        if node.delta:
            stream.answer("lds", "2", [], removed_resources=names)
        else:
            stream.answer("lds", "2", [])
        node.until(lambda: node.type("listener")["refused"] == 0)
        while piece := client.recv(1 << 16):
            answer += piece
    dump = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    assert "ask again" in dump["error"] and len(dump["xds"]) < len(names)
    assert node.ctl("config-dump")["xds"] == []
