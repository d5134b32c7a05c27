# SPDX-License-Identifier: Apache-2.0
"""A network namespace with the real node in it, its devices made by the test, for what happens around the
data path: devices, start and stop, the control socket."""

import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "packet"))

from netns import inside, netns_create, run  # noqa: E402
from node_config import to_text  # noqa: E402
from peer import Peer  # noqa: E402

SUPPRESSIONS = os.path.join(ROOT, "tests", "e2e", "lsan.supp")
PREFIX = "pge2e"
TIMEOUT_S = 60.0  # for whatever must happen; generous, the machine may be busy
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def binary(name):
    return os.path.join(os.path.abspath(os.environ.get("PERGOLA_BUILD", os.path.join(ROOT, "build"))), "app", name)


def until(condition, what="it"):
    """Returns what condition returned when it was true."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} does not happen"
        time.sleep(0.01)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("node", timeout=TIMEOUT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # With a time-out, Python would not wait for room in the backlog.
        self.sock.connect(self.path)
        self.sock.settimeout(self.timeout)


class Node:
    """A running pergola. start() waits until it is ready; stop() returns its exit status."""

    def __init__(self, lab, name, config):
        self.lab = lab
        self.config_path = os.path.join(lab.directory, name + ".cfg")
        self.socket_path = os.path.join(lab.directory, name + ".sock")
        self.log_path = os.path.join(lab.directory, name + ".log")
        self.process = None
        self.write(config)

    def complete(self, config):
        out = dict(control_socket=self.socket_path, eal=dict(huge_pages=False, memory_mb=192),
                   workers=dict(count=1, idle="backoff"))
        out.update(config)
        return out

    def write(self, config):
        with open(self.config_path, "w") as f:
            f.write(config if isinstance(config, str) else to_text(self.complete(config)))

    def launch(self, *args, options=(), prefix=()):
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.lab.netns, *prefix, binary("pergola"), *options,
                 self.config_path, *args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.lab.directory,
                env=dict(os.environ, LSAN_OPTIONS="print_suppressions=0:suppressions=" + SUPPRESSIONS),
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        return self

    def start(self, *args, **kwargs):
        self.launch(*args, **kwargs)
        until(lambda: "start: ready" in self.log() or self.process.poll() is not None, "the start")
        assert self.process.poll() is None, self.log()
        return self

    def stop(self, signum=signal.SIGTERM):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            status = self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process = None
        return status

    def wait(self):
        """Of a node that ends by itself."""
        status = self.process.wait(TIMEOUT_S)
        self.process = None
        return status

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def request(self, method, path):
        connection = UnixConnection(self.socket_path)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def get(self, path):
        status, answer = self.request("GET", path)
        assert status == 200, answer
        return answer

    def reload(self, config):
        """Status and answer."""
        self.write(config)
        return self.request("POST", "/reload")

    def ctl(self, *args):
        return subprocess.run([binary("pergolactl"), "--socket", self.socket_path, *args], capture_output=True,
                              text=True, timeout=TIMEOUT_S, cwd=self.lab.directory)

    def port(self, name):
        return next(p for p in self.get("/ports")["ports"] if p["port"] == name)

    def mac(self, name):
        return self.port(name)["mac"]


class Lab:
    def __init__(self, number):
        self.netns = f"{PREFIX}-{os.getpid()}-{number}"
        self.directory = tempfile.mkdtemp(prefix=self.netns + "-")
        self.nodes = []
        self.peers = []
        netns_create(self.netns)

    def veth(self, name, mtu=1500):
        """name is for the node; the returned peer is at the other end."""
        run("ip", "-n", self.netns, "link", "add", name, "mtu", str(mtu), "type", "veth", "peer", "name",
            "far-" + name, "mtu", str(mtu))
        for end in (name, "far-" + name):
            run("ip", "-n", self.netns, "link", "set", end, "up")
        return self.peer("far-" + name)

    def peer(self, interface):
        peer = Peer(self.netns, interface)
        self.peers.append(peer)
        return peer

    def node(self, config, name="node"):
        node = Node(self, name, config)
        self.nodes.append(node)
        return node

    def path(self, name):
        return os.path.join(self.directory, name)

    def close(self):
        for node in self.nodes:
            with contextlib.suppress(Exception):
                node.stop()
        for peer in self.peers:
            peer.close()
        subprocess.run(["ip", "netns", "delete", self.netns], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


__all__ = ["Lab", "Node", "TIMEOUT_S", "binary", "inside", "run", "until"]
