# SPDX-License-Identifier: Apache-2.0
"""The node in Envoy's place under go-control-plane's own programs, which run beside the node's control core.

Its test driver serves snapshots, calls every listener of them on 127.0.0.1 and wants the upstream's answer. Its
listeners and endpoints are on 127.0.0.1: the node's file says where those are in a VPC, and relays take its calls to
the client's VPC. Its example has a listener on 0.0.0.0 and one endpoint, a name of the Internet's: a name server of
the test's answers for it, and the file says where that address is.
"""

import os
import select
import socket
import struct
import threading

import pytest

from peers import go_program
import hosts
import lab as laboratory
from http_lab import HOST, HttpLab, policy, SERVER_PORT as WEB_PORT, VIP, address
from lab import WAIT_S, until

SERVER_PORT, UPSTREAM_PORT, FIRST_PORT = 18000, 18080, 9000
N_HTTP, N_TCP, N_UPDATES = 3, 2, 4
MESSAGE = "from the upstream"
RUN_S = 180
# internal/example's, and what its name is resolved to.
EXAMPLE_HOST, EXAMPLE_PORT, EXAMPLE_LISTENER_PORT = "www.envoyproxy.io", 80, 10000
EXAMPLE_ADDRESS = "192.0.2.80"


@pytest.fixture
def lab(request):
    made = laboratory.Lab()
    failed = request.session.testsfailed
    try:
        yield made
        if request.session.testsfailed != failed:
            print(made.log(), made.ctl("xds"))
    finally:
        made.close()


class Relay(threading.Thread):
    """Connections to 127.0.0.1 beside the node go to the virtual address, from the client's VPC."""

    def __init__(self, lab, port):
        super().__init__(daemon=True)
        self.lab, self.port = lab, port
        self.listening = hosts.socket_in(lab, "node", 4)
        self.listening.settimeout(None)
        self.listening.bind(("127.0.0.1", port))
        self.listening.listen(64)
        self.start()

    def run(self):
        while True:
            near = self.listening.accept()[0]
            try:
                far = hosts.connect(self.lab, 4, self.port).sock
            except OSError:
                near.close()
                continue
            threading.Thread(target=relay, args=(near, far), daemon=True).start()


def relay(near, far):
    """Bytes both ways, until either end has no more."""
    others = {near: far, far: near}
    try:
        while True:
            for end in select.select(list(others), [], [], WAIT_S)[0]:
                data = end.recv(1 << 16)
                if not data:
                    return
                others[end].sendall(data)
    except OSError:
        return
    finally:
        near.close()
        far.close()


def config(protocol):
    return f"""xds = {{
        servers = ( {{ address = "127.0.0.1"; port = {SERVER_PORT}; }} );
        node = {{ id = "test-id"; cluster = "test-cluster"; }};
        protocol = "{protocol}";
        service_network = "shop";
        addresses = ( {{ from = "127.0.0.1"; to = [ "{VIP[4]}" ]; }} );
        endpoint_addresses = ( {{ from = "127.0.0.1"; to = "{HOST[4]}"; vrf = "blue"; policy = "{policy('blue', 4)}"; }} );
    }};"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("mode, protocol", [("ads", "sotw"), ("delta-ads", "delta")])
def test_driver_passes(lab, mode, protocol, workers):
    driver, upstream = go_program("driver"), go_program("upstream")
    http = HttpLab(lab)
    http.build(config(protocol), workers)
    lab.start("blue", upstream, "--upstream", str(UPSTREAM_PORT), "--message", MESSAGE)
    until(lambda: f":{UPSTREAM_PORT}" in lab.run("blue", "ss", "-Hltn"), "the upstream")
    for i in range(N_HTTP + N_TCP):
        Relay(lab, FIRST_PORT + i)
    log_path = os.path.join(lab.dir, "driver.log")
    with open(log_path, "w", encoding="utf-8") as log:
        process = lab.start(
            "node", driver, "--xds", mode, "--port", str(SERVER_PORT), "--upstream", str(UPSTREAM_PORT),
            "--base", str(FIRST_PORT), "--message", MESSAGE, "--nodeID", "test-id", "-http", str(N_HTTP),
            "-tcp", str(N_TCP), "-scopedhttp", "0", "-vhdshttp", "0", "-extension", "0", "-runtimes", "0",
            "-u", str(N_UPDATES), log=log)
    code = process.wait(RUN_S)
    with open(log_path, encoding="utf-8") as log:
        text = log.read()
    assert code == 0 and f"Test for {mode} passed!" in text, text
    counts = http.view("services")
    assert sum(row["requests"] for row in counts["services"]) > 0, counts
    assert "srv6_" not in " ".join(http.drops())


class NameServer(threading.Thread):
    """Beside the node; every name is at EXAMPLE_ADDRESS."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.asked = set()
        with open(f"/run/netns/{lab.netns('node')}", "rb") as there:
            hosts.enter(there.fileno())
        try:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        finally:
            hosts.enter(hosts.HOME)
        self.sock.bind(("127.0.0.1", 53))
        self.start()

    def run(self):
        while True:
            query, client = self.sock.recvfrom(512)
            end = query.index(b"\0", 12) + 1
            self.asked.add((dotted(query[12:end - 1]), *struct.unpack("!H", query[end:end + 2])))
            self.sock.sendto(query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + query[12:end + 4] +
                             struct.pack("!3HIH", 0xc00c, 1, 1, 60, 4) + socket.inet_aton(EXAMPLE_ADDRESS), client)


def dotted(labels):
    """A name from its labels, in lower case: who asks may mix it."""
    parts = []
    while labels:
        parts.append(labels[1:1 + labels[0]].decode().lower())
        labels = labels[1 + labels[0]:]
    return ".".join(parts)


def example_config(protocol):
    return f"""xds = {{
        servers = ( {{ address = "127.0.0.1"; port = {SERVER_PORT}; }} );
        node = {{ id = "test-id"; cluster = "test-cluster"; }};
        protocol = "{protocol}";
        service_network = "shop";
        addresses = ( {{ from = "0.0.0.0"; to = [ "{VIP[4]}", "{VIP[6]}" ]; }} );
        endpoint_addresses = ( {{ from = "{EXAMPLE_ADDRESS}"; from_port = {EXAMPLE_PORT};
                                  to = "{HOST[4]}"; to_port = {WEB_PORT}; vrf = "blue"; policy = "{policy('blue', 4)}"; }} );
    }};"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("protocol", ["sotw", "delta"])
def test_example_is_served(lab, protocol, workers):
    """Its listener answers with what the endpoint says, which is told the host that the example's route names."""
    example = go_program("example")
    http = HttpLab(lab)
    lab.name_server("node", "127.0.0.1")
    http.build(example_config(protocol), workers)
    names = NameServer(lab)
    http.serve("blue", more='location / { return 200 "$http_host$request_uri"; }')
    with open(os.path.join(lab.dir, "example.log"), "w", encoding="utf-8") as log:
        lab.start("node", example, "-port", str(SERVER_PORT), "-nodeID", "test-id", log=log)
    until(lambda: http.view("services")["services"], "the example's listener")
    until(lambda: http.view("clusters")["clusters"], "the name's address")
    for family in (4, 6):
        answer = http.curl("-H", "Host: shop.local", f"http://{address(family)}:{EXAMPLE_LISTENER_PORT}/a?b")
        assert answer == EXAMPLE_HOST + "/a?b"
    assert names.asked == {(EXAMPLE_HOST, 1)}, names.asked
    assert not [row for row in http.view("xds")["types"] if row["refused"] or row["nacks"]]
