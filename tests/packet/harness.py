# SPDX-License-Identifier: Apache-2.0
"""Runs a real node in a network namespace of its own and exchanges exact frames with it.

A configuration is a dict in the shape of the configuration file; complete() adds what every node here
needs: devices, EAL, workers, and a VLAN for sentinels. A sentinel is a frame sent behind a test's frames
that the node forwards from any port to any port; when it has come back, so has everything sent before
it. That is how "nothing was sent" is shown without waiting for time to pass.
"""

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether

from netns import PREFIX, enter, inside, libc, netns_create, run, sweep  # noqa: F401
from node_config import SENTINEL_VLAN, complete, node_mac, sentinel_mac, to_text
from peer import Peer, differences, equal, show

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_S = 20.0  # for whatever must happen; generous, the machine may be busy
COUNTS_TIMEOUT_S = 5.0  # for drop counters, once what they count is known to be done

SENTINEL_MARK = b"pergola-sentinel"

PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40


def build_dir():
    path = os.environ.get("PERGOLA_BUILD", os.path.join(ROOT, "build"))
    return os.path.abspath(path)


def binary(name):
    return os.path.join(build_dir(), "app", name)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("pergola", timeout=TIMEOUT_S * 3)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Refused(Exception):
    """The node answered a request with an error."""


class Node:
    """A running node. ports are called by their names; frames are bytes or scapy packets."""

    serial = 0

    def __init__(self, config, workers=1, device="tap"):
        Node.serial += 1
        self.workers = workers
        self.device = device
        self.name = f"{PREFIX}-{os.getpid()}-{Node.serial}"
        self.directory = os.path.join(tempfile.gettempdir(), self.name)
        self.config_path = os.path.join(self.directory, "pergola.cfg")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None
        self.peers = {}
        self.dirty = set()  # ports that were sent to since the last sentinel
        self.n_sentinels = 0
        self.sentinel_headers = {}
        os.mkdir(self.directory)
        try:
            self._start(config)
        except BaseException:
            self.stop()
            raise

    # Life

    def _start(self, config):
        netns_create(self.name)
        full = self.write_config(config)
        self.socket_path = full["control_socket"]
        self.port_names = [p["name"] for p in full["ports"]]
        if self.device == "af_packet":
            self._create_veths(full)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary("pergola"), self.config_path], cwd=self.directory, stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=self._enter)
        self._wait_ready()
        for i, name in enumerate(self.port_names):
            self._wait_interface(name)
            self.peers[name] = Peer(self.name, name)
            self.peers[name].wake = self._wake
        macs = {p["port"]: p["mac"] for p in self.get("/ports")["ports"]}
        self.macs = [macs[name] for name in self.port_names]

    def _enter(self):
        # Whatever becomes of the tests, the node does not outlive them.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        fd = os.open("/run/netns/" + self.name, os.O_RDONLY)
        enter(fd)
        os.close(fd)

    def _create_veths(self, full):
        for i, port in enumerate(full["ports"]):
            mtu = str(port.get("mtu", 1500) + 8)
            name = port["name"]
            run("ip", "-n", self.name, "link", "add", name, "mtu", mtu, "address",
                f"02:00:00:00:ee:{i + 1:02x}", "type", "veth", "peer", "name", "n-" + name,
                "mtu", mtu, "address", node_mac(i))
            for end in (name, "n-" + name):
                run("ip", "netns", "exec", self.name, "ethtool", "-K", end, "tx", "off", "rx",
                    "off", "tso", "off", "gso", "off", "gro", "off")
                run("ip", "-n", self.name, "link", "set", end, "up")

    def _wait_ready(self):
        deadline = time.monotonic() + TIMEOUT_S * 2
        while "start: ready" not in self.log():
            if self.process.poll() is not None:
                raise AssertionError(f"the node ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the node does not get ready:\n{self.log()}")
            time.sleep(0.01)

    def _wait_interface(self, name):
        deadline = time.monotonic() + TIMEOUT_S
        request = struct.pack("16sh14x", name.encode(), 0)
        with inside(self.name):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            while True:
                try:
                    flags = struct.unpack_from("h", fcntl.ioctl(sock, SIOCGIFFLAGS, request), 16)[0]
                    if flags & IFF_RUNNING:
                        return
                except OSError:
                    pass
                assert time.monotonic() < deadline, f"{name} does not come up:\n{self.log()}"
                time.sleep(0.01)

    def stop(self):
        """Ends the node; returns its exit status (None: it never ran)."""
        status = None
        for peer in self.peers.values():
            peer.close()
        self.peers = {}
        if self.process is not None:
            self.process.terminate()
            try:
                status = self.process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                status = self.process.wait()
            self.process = None
        subprocess.run(["ip", "netns", "delete", self.name], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)
        return status

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    # Control

    def write_config(self, config):
        """config: a dict, completed and written; or text, written as it is."""
        if isinstance(config, dict):
            config = complete(config, self.workers, self.device, self.directory)
        with open(self.config_path, "w") as f:
            f.write(config if isinstance(config, str) else to_text(config))
        return config

    def request(self, method, path):
        """Status and decoded JSON of a request to the control socket."""
        connection = UnixConnection(self.socket_path)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def get(self, path, method="GET"):
        status, answer = self.request(method, path)
        if status != 200:
            raise Refused(answer.get("error", str(status)))
        return answer

    def reload(self, config):
        """Loads another configuration; raises Refused with the node's words."""
        self.write_config(config)
        return self.get("/reload", "POST")

    def ctl(self, *args, check=True):
        """Runs pergolactl; the completed process, or its stdout when check."""
        done = subprocess.run([binary("pergolactl"), "--socket", self.socket_path, *args],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=self.directory, timeout=TIMEOUT_S * 3)
        if not check:
            return done
        assert done.returncode == 0, f"pergolactl {args}: {done.stderr}"
        return done.stdout

    def drops(self):
        """Drop counters by full name, "drop_x", those that are not zero."""
        return {"drop_" + d["reason"]: d["packets"] for d in self.get("/drops")["drops"]}

    @contextlib.contextmanager
    def counts(self, **want):
        """What is done inside moves exactly these drop counters by so much, and no other one."""
        before = self.drops()
        yield
        self.barrier()
        deadline = time.monotonic() + COUNTS_TIMEOUT_S
        while True:
            moved = self.moved(before)
            # Another one that moved already is not going to move back.
            done = all(moved.get(k, 0) >= v for k, v in want.items())
            if done or time.monotonic() > deadline:
                break
            time.sleep(0.002)
        assert moved == want, f"drop counters moved: {moved}, wanted: {want}"

    def moved(self, before):
        """The drop counters that differ from an earlier drops(), and by how much."""
        now = self.drops()
        return {k: n - before.get(k, 0) for k, n in now.items() if n != before.get(k, 0)}

    # Frames

    def mac(self, port):
        return self.macs[self.port_names.index(port)]

    def set_mtu(self, port, mtu):
        """Of our end: how long a frame may be that we send."""
        for end in [port] + (["n-" + port] if self.device == "af_packet" else []):
            run("ip", "-n", self.name, "link", "set", end, "mtu", str(mtu))

    def send(self, port, *frames):
        self.dirty.add(port)
        for frame in frames:
            self.peers[port].send(bytes(frame))

    def receive(self, port, timeout_s=TIMEOUT_S):
        """The next frame as bytes; fails when none comes."""
        frame = self.peers[port].receive(time.monotonic() + timeout_s)
        assert frame is not None, f"nothing came out of {port} in {timeout_s} s"
        return frame

    def expect(self, port, want, mask=b""):
        """The next frame out of port is this one, bit for bit where mask has ones (past its end, all)."""
        want = bytes(want)
        got = self.receive(port)
        if not equal(want, got, mask):
            raise AssertionError(f"wrong frame out of {port}\n{differences(want, got, mask)}\n"
                                 f"wanted:\n{show(want)}\ngot:\n{show(got)}")
        return got

    def expect_all(self, port, wants):
        """The next frames out of port are these, in any order."""
        left = [bytes(w) for w in wants]
        while left:
            got = self.receive(port)
            if got not in left:
                best = min(left, key=lambda w: sum(a != b for a, b in zip(w, got)))
                raise AssertionError(f"unexpected frame out of {port}, {len(left)} others wanted\n"
                                     f"{differences(best, got, b'')}\nclosest wanted:\n{show(best)}\n"
                                     f"got:\n{show(got)}")
            left.remove(got)

    def exchange(self, in_port, frame, out_port, want, mask=b""):
        self.send(in_port, frame)
        return self.expect(out_port, want, mask)

    def expect_none(self, *ports):
        """Nothing (more) comes out of these ports, or any, for what was sent so far."""
        self.barrier()
        for port in ports or self.port_names:
            held = self.peers[port].held
            if held:
                got, self.peers[port].held = held, []
                raise AssertionError(f"{len(got)} frames out of {port} that should not be there\n"
                                     + "\n".join(show(f) for f in got[:4]))

    def drain(self):
        """Forgets what came out and was not looked at."""
        self.barrier()
        for peer in self.peers.values():
            peer.held = []

    # Sentinels

    def barrier(self):
        """Returns when the workers and the control core are done with what was sent before; frames
        that came out meanwhile are held for receive()."""
        sources = sorted(self.dirty) or [self.port_names[0]]
        self.dirty.clear()
        # A sentinel may overtake what is in the same burst, not what is in the burst before: the second
        # round shows that the first one's bursts have ended.
        self._round(sources)
        self._round(sources)
        for source in sources:
            self._send_arp_sentinel(source)
        for source in sources:
            self._await_sentinels(source, {"arp"})
        # What the control core sent before its answers is with the workers by now.
        self._round(sources[:1])
        self._round(sources[:1])

    def _round(self, sources):
        awaited = {out: set() for out in self.port_names}
        for source in sources:
            for out in self.port_names:
                awaited[out] |= self._send_sentinels(source, out)
        for out, marks in awaited.items():
            self._await_sentinels(out, marks)

    def _send_sentinels(self, source, out):
        # Workers have no order between them, and which one takes a flow is theirs to say: many flows.
        n_flows = 1 if self.workers == 1 else 16
        marks = set()
        for flow in range(n_flows):
            self.n_sentinels += 1
            mark = SENTINEL_MARK + struct.pack(">I", self.n_sentinels)
            self.peers[source].send(self._sentinel_header(source, out, flow) + mark)
            marks.add(mark)
        return marks

    def _sentinel_header(self, source, out, flow):
        key = (source, out, flow)
        if key not in self.sentinel_headers:
            s, d = self.port_names.index(source), self.port_names.index(out)
            n = len(SENTINEL_MARK) + 4
            self.sentinel_headers[key] = bytes(
                Ether(src=sentinel_mac(s), dst=self.macs[s]) / Dot1Q(vlan=SENTINEL_VLAN) /
                IP(src=f"198.18.{s}.2", dst=f"198.18.{d}.2", ttl=64, len=28 + n) /
                UDP(sport=1024 + flow * 7, dport=9, len=8 + n, chksum=0))
        return self.sentinel_headers[key]

    def _wake(self):
        """DPDK's tap driver looks for frames when a signal has come, and two signals at once may count as
        one that is older than the frames: those then wait for the next frame. This one changes nothing."""
        frame = Ether(src=sentinel_mac(0), dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=SENTINEL_VLAN) / \
            ARP(op=2, hwsrc=sentinel_mac(0), psrc="198.18.0.2", hwdst="ff:ff:ff:ff:ff:ff",
                pdst="198.18.0.2")
        self.peers[self.port_names[0]].send(bytes(frame))

    def _send_arp_sentinel(self, source):
        s = self.port_names.index(source)
        frame = Ether(src=sentinel_mac(s), dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=SENTINEL_VLAN) / \
            ARP(op=1, hwsrc=sentinel_mac(s), psrc=f"198.18.{s}.2", pdst=f"198.18.{s}.1")
        self.peers[source].send(bytes(frame))

    def _await_sentinels(self, out, marks):
        peer = self.peers[out]
        deadline = time.monotonic() + TIMEOUT_S
        kept, peer.held = peer.held, []
        marks = set(marks)
        while marks:
            frame = peer.receive(deadline)
            assert frame is not None, f"{len(marks)} sentinels did not come out of {out}"
            mark = self._sentinel_of(frame)
            if mark is None:
                kept.append(frame)
            else:
                marks.discard(mark)
        peer.held = kept

    @staticmethod
    def _sentinel_of(frame):
        if frame[12:16] != struct.pack(">HH", 0x8100, SENTINEL_VLAN):
            return None
        if frame[16:18] == b"\x08\x06":
            return "arp"
        at = frame.find(SENTINEL_MARK)
        return frame[at:at + len(SENTINEL_MARK) + 4]
