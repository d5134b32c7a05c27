# SPDX-License-Identifier: Apache-2.0
"""A laboratory of network namespaces: hosts, Linux SRv6 routers, and one Pergola node.

    host a --- k1 --- node --- k2 --- host b        k1, k2: Linux kernel, seg6 and seg6local

Everything has a name with the process id in it and goes away with the Lab; what earlier runs that were
killed left behind goes at the start. Hosts' addresses are routed inside tunnels only, so traffic that
arrives has been through SRv6.
"""

import ctypes
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("PERGOLA_BUILD", os.path.join(ROOT, "build")))
PAGE_SERVER = os.path.join(ROOT, "tests", "interop", "page_server.py")
PREFIX = "pgio"
NETNS_ETC = "/etc/netns"
WAIT_S = 30  # for whatever must happen; the machine may be busy
LOAD_S = int(os.environ.get("PERGOLA_LOAD_S", "2"))  # of a run of a load tool
PAGE_LEN = 300_000
TCP_BYTES = "1M"

UNDERLAY_MTU = 1800
HOST_MTU = 1500

# The host's side, the router's side, prefix length.
HOSTS = {"a": {4: ("10.0.1.2", "10.0.1.1", 24), 6: ("fd00:1::2", "fd00:1::1", 64)},
         "b": {4: ("10.0.2.2", "10.0.2.1", 24), 6: ("fd00:2::2", "fd00:2::1", 64)}}
NETS = {"a": {4: "10.0.1.0/24", 6: "fd00:1::/64"}, "b": {4: "10.0.2.0/24", 6: "fd00:2::/64"}}
# Each router's link to the node, and its locator.
ROUTERS = {"k1": ("2001:db8:1::2", "2001:db8:1::1"), "k2": ("2001:db8:2::2", "2001:db8:2::1")}
LOCATORS = {"k1": "2001:db8:a::", "k2": "2001:db8:b::", "node": "2001:db8:f::"}

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def die_with_us():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def command(*args, text_in=None):
    done = subprocess.run(args, input=text_in, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=4 * WAIT_S + LOAD_S, start_new_session=True)
    assert done.returncode == 0, f"{' '.join(args)}: {done.stdout}"
    return done.stdout


def until(check, what):
    end = time.monotonic() + WAIT_S
    while not check():
        assert time.monotonic() < end, f"{what}: not within {WAIT_S} s"
        time.sleep(0.05)


def sweep():
    """Removes the namespaces of runs that did not live to do it."""
    for path in glob.glob(f"/run/netns/{PREFIX}*-*"):
        name = os.path.basename(path)
        pid = name[len(PREFIX):].split("-")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)
    for path in glob.glob(f"{NETNS_ETC}/{PREFIX}*-*"):
        pid = os.path.basename(path)[len(PREFIX):].split("-")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(path, ignore_errors=True)


class Lab:
    def __init__(self):
        self.names = []
        self.processes = []
        self.underlay_mtu, self.host_mtu = UNDERLAY_MTU, HOST_MTU
        self.dir = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        self.log_path = os.path.join(self.dir, "node.log")
        self.socket = os.path.join(self.dir, "control.sock")
        with open(os.path.join(self.dir, "page"), "wb") as page:
            page.write(os.urandom(PAGE_LEN))

    def close(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", self.netns(name)], check=False)
            shutil.rmtree(os.path.join(NETNS_ETC, self.netns(name)), ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    # Namespaces and links

    def netns(self, name):
        return f"{PREFIX}{os.getpid()}-{name}"

    def run(self, name, *args, text_in=None):
        return command("ip", "netns", "exec", self.netns(name), *args, text_in=text_in)

    def ip(self, name, line):
        return command("ip", "-n", self.netns(name), *line.split())

    def start(self, name, *args, log=subprocess.DEVNULL):
        process = subprocess.Popen(["ip", "netns", "exec", self.netns(name), *args], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, preexec_fn=die_with_us, cwd=self.dir)
        self.processes.append(process)
        return process

    def sysctl(self, name, *settings):
        self.run(name, "sysctl", "-qw", *settings)

    def add(self, name):
        command("ip", "netns", "add", self.netns(name))
        self.names.append(name)
        if name == "node":
            # The interfaces are Pergola's: the kernel must not answer on them.
            self.sysctl(name, "net.ipv6.conf.default.disable_ipv6=1")
        else:
            self.sysctl(name, "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                        "net.ipv6.conf.default.accept_dad=0")
        self.ip(name, "link set lo up")

    def wire(self, name, iface, peer, peer_iface, mtu):
        self.ip(name, f"link add {iface} mtu {mtu} type veth peer name {peer_iface} mtu {mtu} "
                      f"netns {self.netns(peer)}")
        for end, port in ((name, iface), (peer, peer_iface)):
            self.run(end, "ethtool", "-K", port, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off")
            self.ip(end, f"link set {port} up")

    def name_server(self, name, address):
        """Programs that start there from now on ask this one and know no other names; see ip-netns(8)."""
        home = os.path.join(NETNS_ETC, self.netns(name))
        os.makedirs(home)
        for file_name, text in (("resolv.conf", f"nameserver {address}\n"), ("hosts", "")):
            with open(os.path.join(home, file_name), "w", encoding="utf-8") as file:
                file.write(text)

    # Roles

    def add_host(self, name, peer, peer_iface):
        """A host behind peer, its addresses and default routes."""
        self.add(name)
        self.wire(name, "eth0", peer, peer_iface, self.host_mtu)
        for own, gateway, length in HOSTS[name].values():
            self.ip(name, f"addr add {own}/{length} dev eth0")
            self.ip(name, f"route add default via {gateway}")

    def add_router(self, name, node_iface, host=None):
        """A Linux SRv6 router on the node's node_iface, and perhaps with a host behind it."""
        own, gateway = ROUTERS[name]
        self.add(name)
        self.sysctl(name, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                    "net.ipv6.conf.all.seg6_enabled=1", "net.ipv6.conf.default.seg6_enabled=1")
        self.wire(name, "core", "node", node_iface, self.underlay_mtu)
        self.ip(name, f"addr add {own}/64 dev core")
        self.ip(name, f"sr tunsrc set {own}")
        self.ip(name, f"-6 route add default via {gateway}")
        if host is not None:
            self.add_host(host, name, "edge")
            for _, address, length in HOSTS[host].values():
                self.ip(name, f"addr add {address}/{length} dev edge")

    def sid(self, router, sid, action):
        self.ip(router, f"-6 route add {sid} encap seg6local action {action} dev core")

    def encap(self, router, host, family, segments, mode="encap", extra=""):
        """The router's policy towards host: one route."""
        self.ip(router, f"-{family} route add {NETS[host][family]} "
                        f"encap seg6 mode {mode} segs {','.join(segments)} {extra} dev core")

    # The node

    def start_node(self, config, workers):
        path = os.path.join(self.dir, "node.cfg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'control_socket = "{self.socket}";\n'
                       'eal = { huge_pages = false; memory_mb = 256; };\n'
                       f'workers = {{ count = {workers}; idle = "backoff"; }};\n' + config)
        with open(self.log_path, "w", encoding="utf-8") as log:
            process = self.start("node", os.path.join(BUILD, "app", "pergola"), path, log=log)

        def ready():
            assert process.poll() is None, f"the node ended: {self.log()}"
            return os.path.exists(self.socket) and "start: ready" in self.log()
        until(ready, "the node's start")

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def ctl(self, *args):
        return command(os.path.join(BUILD, "app", "pergolactl"), "--socket", self.socket, *args)

    def drops(self):
        return {row["reason"]: row["packets"] for row in json.loads(self.ctl("--json", "drops"))["drops"]}

    def sid_packets(self, sid):
        rows = json.loads(self.ctl("--json", "sids"))["sids"]
        return sum(row["packets"] for row in rows if row["prefix"].split("/")[0] == sid)

    def policy_packets(self, name):
        rows = json.loads(self.ctl("--json", "policies"))["policies"]
        return sum(row["packets"] for row in rows if row["policy"] == name)

    # Traffic from host a to host b and back

    def is_reached(self, family):
        done = subprocess.run(["ip", "netns", "exec", self.netns("a"), "ping", "-c", "1", "-W", "1",
                               HOSTS["b"][family][0]], stdout=subprocess.DEVNULL, check=False)
        return done.returncode == 0

    def reach(self, family):
        """Until neighbours are known and the first answer has come."""
        until(lambda: self.is_reached(family), f"ping over IPv{family}")

    def ping(self, family, data_len=900):
        # All at once: ping waits one interval, or twice the longest round trip, for the answers that are late.
        output = self.run("a", "ping", "-q", "-c", "20", "-l", "20", "-i", str(WAIT_S), "-s", str(data_len),
                          "-M", "do", HOSTS["b"][family][0])
        assert " 0% packet loss" in output, output

    def tcp(self, family):
        """iperf3 in both directions; a count of bytes, not a time."""
        address = HOSTS["b"][family][0]
        for direction in ([], ["-R"]):
            log_path = os.path.join(self.dir, "iperf.log")
            with open(log_path, "w", encoding="utf-8") as log:
                server = self.start("b", "iperf3", "-s", "-1", "--forceflush", log=log)

            def listening():
                with open(log_path, encoding="utf-8") as log:
                    return "listening" in log.read()
            until(listening, "iperf3's server")
            result = json.loads(self.run("a", "iperf3", "-J", "-c", address, "-n", TCP_BYTES, *direction))
            assert "error" not in result, result["error"]
            assert result["end"]["sum_received"]["bytes"] > 0
            server.wait(WAIT_S)

    def http(self, family):
        """A page, byte for byte."""
        address, port = HOSTS["b"][family][0], 8000 + family
        log_path = os.path.join(self.dir, "http.log")
        with open(log_path, "w", encoding="utf-8") as log:
            server = self.start("b", "/usr/bin/python3", PAGE_SERVER, address, str(port), log=log)

        def serving():
            with open(log_path, encoding="utf-8") as log:
                return "serving" in log.read()
        until(serving, "the HTTP server")
        host = f"[{address}]" if family == 6 else address
        got = os.path.join(self.dir, "got")
        self.run("a", "curl", "-sS", "-g", "--max-time", str(WAIT_S), "-o", got, f"http://{host}:{port}/page")
        with open(got, "rb") as answer, open(os.path.join(self.dir, "page"), "rb") as page:
            assert answer.read() == page.read()
        server.terminate()
        server.wait(WAIT_S)

    def traffic(self, *families):
        for family in families:
            self.reach(family)
            self.ping(family)
            self.tcp(family)
            self.http(family)
        refused = {reason: n for reason, n in self.drops().items() if reason.startswith("srv6_")}
        assert not refused
