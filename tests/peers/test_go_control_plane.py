# SPDX-License-Identifier: Apache-2.0
"""The node in Envoy's place under go-control-plane's own test driver.

The driver serves snapshots, calls every listener of them on 127.0.0.1 and wants the upstream's answer; it runs beside
the node's control core. Its listeners and endpoints are on 127.0.0.1: the node's file says where those are in a VPC,
and relays take its calls to the client's VPC.
"""

import os
import select
import threading

import pytest

from peers import go_program
import hosts
import lab as laboratory
from http_lab import HOST, HttpLab, policy, VIP
from lab import WAIT_S, until

SERVER_PORT, UPSTREAM_PORT, FIRST_PORT = 18000, 18080, 9000
N_HTTP, N_TCP, N_UPDATES = 3, 2, 4
MESSAGE = "from the upstream"
RUN_S = 180


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
