#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Packets a second through the whole node, over memif: dpdk-testpmd on one core replays frames to the node on
another and takes back what it sends. Sessions are short and go round over scenarios and ways to share memory, so
that a slow moment of the machine hits all of them. A session is cut into windows; one counts when both threads
had their cores to themselves. A walk of fewer than 256 packets says that the generator was the slower one."""

import argparse
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from scapy.config import conf
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Dot1Q, Ether
from scapy.utils import wrpcap

conf.verb = 0

# RFC 5737, RFC 3849; the tenant's link is VLAN 21 of the one port.
CONFIG = """
control_socket = "{folder}/control.sock";
eal = {{ main_core = "{core}"; huge_pages = {huge}; memory_mb = 512;
        args = [ "--file-prefix=pergola_io_{pid}", "--no-pci", "--no-telemetry"{eal} ]; }};
workers = {{ count = 1; cores = [ {core} ]; idle = "{idle}"; }};
ports = ( {{ name = "io"; sr_trusted = true; addresses = [ "2001:db8:e::1/64" ];
  device = "net_memif0,{memif},socket={folder}/memif.sock,socket-abstract=no,mac={mac}";
  vlans = ( {{ id = 21; vrf = "red"; addresses = [ "192.0.2.1/24" ]; }} ); }} );
neighbors = ( {{ port = "io"; address = "2001:db8:e::2"; mac = "02:00:00:00:00:99"; }},
              {{ port = "io.21"; address = "192.0.2.2"; mac = "02:00:00:00:00:99"; }} );
vrfs = ( {{ name = "default"; routes = ( {{ prefix = "2001:db8:a::/48"; via = "2001:db8:e::2"; }},
                                        {{ prefix = "198.51.100.0/24"; policy = "one"; }} ); }},
         {{ name = "red"; routes = ( {{ prefix = "198.51.100.0/24"; via = "192.0.2.2"; }} ); }} );
srv6 = {{ source = "2001:db8:e::1";
  sids = ( {{ sid = "2001:db8:1:1::"; behavior = "End"; }},
           {{ sid = "2001:db8:1:4::"; behavior = "End.DT4"; vrf = "red"; }} );
  policies = ( {{ name = "one"; segments = [ "2001:db8:a::1" ]; }} ); }};
"""
MAC = "02:00:00:00:00:01"
N_FLOWS = 256
READY_S = 60  # patience, not an expectation
WARM_UP_PACKETS = 10000
WINDOW_S = 0.1
QUIET_SHARE = 0.96  # of a window, that a thread must have run


@dataclasses.dataclass(frozen=True)
class Sharing:
    """Who brings the memory: the client's is used, and with zero-copy the server does all copying."""

    node: str
    generator: str
    eal: str = ""


WAYS = {
    "copy": Sharing("role=server", "role=client"),
    "zero-copy": Sharing("role=client,zero-copy=yes", "role=server", ', "--single-file-segments"'),
}


def inner(flow, length=64):
    header = IP(src="203.0.113.7", dst=f"198.51.100.{1 + flow % 250}", ttl=64)
    header /= UDP(sport=1024 + flow, dport=4789)
    return header / bytes(length - len(header))


def outer(sid):
    return IPv6(src="2001:db8:e::2", dst=sid, hlim=64)


def encaps(flow):
    return inner(flow)


def dt4(flow):
    return outer("2001:db8:1:4::") / inner(flow)


def end(flow):
    srh = IPv6ExtHdrSegmentRouting(
        addresses=["2001:db8:a::3", "2001:db8:a::2", "2001:db8:1:1::"], segleft=2, lastentry=2
    )
    return outer("2001:db8:1:1::") / srh / inner(flow)


# Name to frames and what they are.
SCENARIOS = {
    "encaps": (encaps, "H.Encaps of IPv4, 1 segment"),
    "dt4": (dt4, "End.DT4"),
    "end": (end, "End, SRH of 3 segments"),
}


class UnixConnection(http.client.HTTPConnection):
    """HTTP to the control core; starting pergolactl in a window would cost it a core."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def polling_thread(pid):
    """The thread that runs most: the one that moves packets."""
    before = {task: run_ns(task) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}
    time.sleep(WINDOW_S)
    return max(before, key=lambda task: run_ns(task) - before[task])


def run_ns(task):
    return int((task / "schedstat").read_text().split()[0])


class Node:
    """The node under test and its answers."""

    def __init__(self, arguments, folder, sharing):
        self.socket = f"{folder}/control.sock"
        self.log = open(folder / "pergola.log", "w+")
        text = CONFIG.format(
            folder=folder,
            core=arguments.node_core,
            pid=os.getpid(),
            huge="true" if arguments.huge else "false",
            idle="backoff" if arguments.smoke else "poll",
            memif=sharing.node,
            eal=sharing.eal,
            mac=MAC,
        )
        (folder / "node.cfg").write_text(text)
        self.process = subprocess.Popen(
            [arguments.pergola, str(folder / "node.cfg")], stdout=self.log, stderr=self.log
        )

    def is_up(self):
        if self.process.poll() is not None:
            raise SystemExit(f"io_bench: the node stopped:\n{read_log(self.log)}")
        with contextlib.suppress(OSError):
            return self.ask("status") is not None
        return False

    def ask(self, what):
        with contextlib.closing(UnixConnection(self.socket)) as connection:
            connection.request("GET", f"/{what}")
            return json.load(connection.getresponse())

    def counts(self):
        stats = self.ask("ports")["ports"][0]["stats"]
        return stats["rx_packets"], stats["tx_packets"]

    def sent(self):
        """Packets that left by port_tx, its calls, and the clocks of all nodes that had packets."""
        rows = [row for row in self.ask("nodes")["nodes"] if row["packets"] > 0]
        tx = next((row for row in rows if row["node"] == "port_tx"), None)
        clocks = sum(row["cycles_per_packet"] * row["packets"] for row in rows)
        return (0, 0, 0) if tx is None else (tx["packets"], tx["calls"], clocks)


def read_log(log):
    log.flush()
    log.seek(0)
    return log.read()


def wait_for(condition, owner, failure):
    deadline = time.monotonic() + READY_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"io_bench: {failure}:\n{read_log(owner.log)}")
        time.sleep(0.05)


def stop(process):
    process.terminate()
    try:
        process.wait(READY_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Generator:
    """dpdk-testpmd between a file that repeats for ever and the memif."""

    def __init__(self, arguments, folder, sharing, frames):
        wrpcap(str(folder / "frames.pcap"), frames)
        self.log = open(folder / "testpmd.log", "w+")
        core = arguments.generator_core
        memory = ["-m", "512"] if arguments.huge else ["--no-huge", "-m", "512"]
        command = ["dpdk-testpmd", "--lcores", f"0@{core},1@{core}", *memory]
        command += ["--no-pci", "--no-telemetry", f"--file-prefix=pergola_io_gen_{os.getpid()}"]
        memif = f"net_memif0,{sharing.generator},socket={folder}/memif.sock,socket-abstract=no"
        pcap = f"net_pcap0,rx_pcap={folder}/frames.pcap,infinite_rx=1"
        command += ["--vdev", memif, "--vdev", pcap, "--", "--forward-mode=io", "--no-mlockall"]
        command += ["--total-num-mbufs=16384", "--burst=64", "--auto-start", "--stats-period=3600"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )


@dataclasses.dataclass
class Window:
    received: float
    sent: float
    packets_per_walk: float
    clocks: float
    is_quiet: bool


def measure_window(node, threads, length_s):
    before = [run_ns(thread) for thread in threads]
    nodes, counts, start_s = node.sent(), node.counts(), time.monotonic()
    time.sleep(length_s)
    counts_end, end_s, nodes_end = node.counts(), time.monotonic(), node.sent()
    length_ns = (time.monotonic() - start_s) * 1e9
    shares = [(run_ns(thread) - ns) / length_ns for thread, ns in zip(threads, before)]
    received, sent = ((e - b) / (end_s - start_s) for b, e in zip(counts, counts_end))
    packets, calls, clocks = (e - b for b, e in zip(nodes, nodes_end))
    per_walk, per_packet = packets / max(calls, 1), clocks / max(packets, 1)
    return Window(received, sent, per_walk, per_packet, min(shares) >= QUIET_SHARE)


def start_pair(stack, arguments, name, sharing):
    """The server of the two starts first: a memif client connects when it starts, or not at all."""
    make, _ = SCENARIOS[name]
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pergola_io")))
    eth = Ether(src="02:00:00:00:00:99", dst=MAC)
    frames = [eth / make(i) for i in range(N_FLOWS)]

    def start_generator():
        generator = Generator(arguments, folder, sharing, frames)
        stack.callback(stop, generator.process)
        return generator

    def start_node():
        node = Node(arguments, folder, sharing)
        stack.callback(stop, node.process)
        wait_for(node.is_up, node, "the node did not start")
        return node

    if sharing.node.startswith("role=server"):
        node = start_node()
        return node, start_generator()
    generator = start_generator()
    wait_for(
        lambda: generator.process.poll() is not None or (folder / "memif.sock").exists(),
        generator,
        "the generator did not start",
    )
    return start_node(), generator


def run_session(name, way, arguments):
    with contextlib.ExitStack() as stack:
        node, generator = start_pair(stack, arguments, name, WAYS[way])
        wait_for(
            lambda: generator.process.poll() is not None or node.counts()[1] > WARM_UP_PACKETS,
            generator,
            f"{name}: nothing comes through",
        )
        if generator.process.poll() is not None:
            raise SystemExit(f"io_bench: the generator stopped:\n{read_log(generator.log)}")
        threads = [polling_thread(side.process.pid) for side in (node, generator)]
        n_windows = max(1, round(arguments.seconds / WINDOW_S))
        return [measure_window(node, threads, WINDOW_S) for _ in range(n_windows)]


def summarize(name, way, windows, arguments):
    make, what = SCENARIOS[name]
    quiet = [window for window in windows if window.is_quiet]
    counted = quiet or windows
    by_rate = sorted(window.sent for window in counted)
    return {
        "scenario": name,
        "memif": way,
        "what": what,
        "frame_bytes": len(Ether(dst=MAC) / make(0)),
        "received_per_s": statistics.median(window.received for window in counted),
        "sent_per_s": statistics.median(by_rate),
        "sent_per_s_best_tenth": by_rate[len(by_rate) * 9 // 10],
        "packets_per_walk": statistics.median(window.packets_per_walk for window in counted),
        "cycles_per_packet": statistics.median(window.clocks for window in counted),
        "quiet_windows": len(quiet),
        "windows": len(windows),
        "huge_pages": arguments.huge,
    }


def has_huge_pages():
    free = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    return free.exists() and int(free.read_text()) >= 600


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pergola", required=True, help="the node's program")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="default: all")
    parser.add_argument("--memif", choices=WAYS, action="append", help="default: all")
    parser.add_argument("--seconds", type=float, default=1, help="of a session")
    parser.add_argument("--rounds", type=int, default=5, help="sessions of each")
    parser.add_argument("--node-core", type=int, default=0)
    parser.add_argument("--generator-core", type=int, default=1)
    parser.add_argument("--no-huge", dest="huge", action="store_false", default=has_huge_pages())
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--smoke", action="store_true", help="only show that packets come through")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.seconds, arguments.rounds, arguments.huge = 0.2, 1, False
    return arguments


def print_table(results):
    print("scenario  memif      bytes  received      sent  best tenth  walk  clocks    quiet  Mpps; what")
    for r in results:
        print(
            f"{r['scenario']:9} {r['memif']:10} {r['frame_bytes']:5} {r['received_per_s'] / 1e6:9.3f}"
            f" {r['sent_per_s'] / 1e6:9.3f} {r['sent_per_s_best_tenth'] / 1e6:11.3f}"
            f" {r['packets_per_walk']:5.0f} {r['cycles_per_packet']:7.1f}"
            f" {r['quiet_windows']:4}/{r['windows']:<4} {r['what']}"
        )


def main():
    arguments = parse_arguments()
    if shutil.which("dpdk-testpmd") is None:
        print("io_bench: dpdk-testpmd is not installed (Debian: dpdk-dev)", file=sys.stderr)
        return 77  # "skipped", for meson
    names, ways = arguments.scenario or SCENARIOS, arguments.memif or WAYS
    windows = {(name, way): [] for name in names for way in ways}
    for _ in range(arguments.rounds):
        for (name, way), seen in windows.items():
            seen += run_session(name, way, arguments)
    results = [summarize(*key, seen, arguments) for key, seen in windows.items()]
    print_table(results)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
