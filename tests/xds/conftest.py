# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a control plane that a test plays, and a real node that asks it. The node has one port that is never
heard from. PERGOLA_BUILD names the build directory."""

import json
import os
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import server as control_plane  # noqa: E402

BUILD = os.path.abspath(os.environ.get("PERGOLA_BUILD", os.path.join(control_plane.ROOT, "build")))
CONFIG = """
control_socket = "{socket}";
eal = {{ huge_pages = false; memory_mb = 192; }};
workers = {{ count = 1; idle = "backoff"; }};
ports = ( {{ name = "p0"; device = "net_null0,no-rx=1"; addresses = [ "10.0.0.1/24" ]; }} );
vrfs = ( {{ name = "red"; sources = [ "10.200.0.0/29" ]; routes = (
    {{ prefix = "10.9.0.0/16"; blackhole = true; }} ); }} );
service_networks = ( {{ name = "shop"; vrfs = [ "red" ]; }} );
xds = {{
    servers = ( {servers} );
    protocol = "{protocol}";
    node = {{ id = "node-1"; cluster = "edge"; metadata = {{ rack = "r7"; ports = ( 1, true ); deep = {{ a = 0.5; }}; }};
             locality = {{ region = "eu"; zone = "eu-1"; }}; }};
    service_network = "shop";
    addresses = ( {{ from = "0.0.0.0"; to = [ "10.100.0.1" ]; }} );
    {more}
}};
"""


def at(port, tls=""):
    """A server of the file; tls: what its group says."""
    return f'{{ address = "127.0.0.1"; port = {port}; {f"tls = {{ {tls} }};" if tls else ""} }}'


class Node:
    def __init__(self, directory, servers, protocol, more=""):
        self.socket = os.path.join(directory, "node.sock")
        self.config = os.path.join(directory, "node.cfg")
        self.log_path = os.path.join(directory, "node.log")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(socket=self.socket, servers=servers, protocol=protocol, more=more))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([os.path.join(BUILD, "app", "pergola"), self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ctl(self, *args):
        done = subprocess.run([os.path.join(BUILD, "app", "pergolactl"), "--socket", self.socket, "--json", *args],
                              capture_output=True, text=True, timeout=control_plane.WAIT_S, check=True)
        return json.loads(done.stdout)

    def until(self, condition):
        deadline = time.monotonic() + control_plane.WAIT_S
        while True:
            value = condition()
            if value:
                return value
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def type(self, word):
        return next(row for row in self.ctl("xds")["types"] if row["type"] == word)

    def entry(self, word, name):
        return next((row for row in self.ctl("config-dump")["xds"] if (row["type"], row["name"]) == (word, name)), None)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(control_plane.WAIT_S)


@pytest.fixture
def server():
    made = control_plane.Server()
    yield made
    made.stop()


@pytest.fixture(params=["sotw", "delta"])
def node(request, server, tmp_path):  # pylint: disable=redefined-outer-name
    made = Node(str(tmp_path), at(server.port), request.param)
    made.delta = request.param == "delta"
    yield made
    log = made.log()
    status = made.stop()
    assert status == 0, log
