#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Packets a second through the whole node, over memif: dpdk-testpmd on one core replays frames to the node on
another and takes back what it sends. Both the node and the generator copy each packet, so the generator may
be the slower one: busy_percent says how much of the node's time was used."""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
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
        args = [ "--file-prefix=pergola_io_{pid}", "--no-pci", "--no-telemetry" ]; }};
workers = {{ count = 1; cores = [ {core} ]; idle = "{idle}"; }};
ports = ( {{ name = "io"; sr_trusted = true; addresses = [ "2001:db8:e::1/64" ];
  device = "net_memif0,role=server,socket={folder}/memif.sock,socket-abstract=no,rsize=11";
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
N_FLOWS = 256
READY_S = 60  # patience, not an expectation
WARM_UP_PACKETS = 10000


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


class Node:
    """The node under test and its answers."""

    def __init__(self, arguments, folder):
        self.command = [arguments.pergolactl, "--socket", f"{folder}/control.sock", "--json"]
        self.log = open(folder / "pergola.log", "w+")
        text = CONFIG.format(
            folder=folder,
            core=arguments.node_core,
            pid=os.getpid(),
            huge="true" if arguments.huge else "false",
            idle="backoff" if arguments.smoke else "poll",
        )
        (folder / "node.cfg").write_text(text)
        self.process = subprocess.Popen(
            [arguments.pergola, str(folder / "node.cfg")], stdout=self.log, stderr=self.log
        )
        wait_for(lambda: self.ask("status") is not None, self, "the node did not start")

    def ask(self, what):
        if self.process.poll() is not None:
            raise SystemExit(f"io_bench: the node stopped:\n{read_log(self.log)}")
        run = subprocess.run([*self.command, what], capture_output=True, text=True, check=False)
        return json.loads(run.stdout) if run.returncode == 0 else None

    def port(self):
        return self.ask("ports")["ports"][0]

    def counts(self):
        stats = self.port()["stats"]
        return time.monotonic(), stats["rx_packets"], stats["tx_packets"]


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

    def __init__(self, arguments, folder, frames):
        wrpcap(str(folder / "frames.pcap"), frames)
        self.log = open(folder / "testpmd.log", "w+")
        core = arguments.generator_core
        memory = ["-m", "512"] if arguments.huge else ["--no-huge", "-m", "512"]
        command = ["dpdk-testpmd", "--lcores", f"0@{core},1@{core}", *memory]
        command += ["--no-pci", "--no-telemetry", f"--file-prefix=pergola_io_gen_{os.getpid()}"]
        memif = f"net_memif0,role=client,socket={folder}/memif.sock,socket-abstract=no,rsize=11"
        pcap = f"net_pcap0,rx_pcap={folder}/frames.pcap,infinite_rx=1"
        command += ["--vdev", memif, "--vdev", pcap, "--", "--forward-mode=io", "--no-mlockall"]
        command += ["--total-num-mbufs=16384", "--burst=64", "--auto-start", "--stats-period=3600"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )


def measure(node, seconds, rounds):
    """Medians over rounds; received, sent, busy percent."""
    received, sent, busy = [], [], []
    for _ in range(rounds):
        start_s, rx, tx = node.counts()
        time.sleep(seconds)
        end_s, rx_end, tx_end = node.counts()
        received.append((rx_end - rx) / (end_s - start_s))
        sent.append((tx_end - tx) / (end_s - start_s))
        busy.append(node.ask("status")["workers"][0]["busy_percent"])
    return statistics.median(received), statistics.median(sent), statistics.median(busy)


def run(name, arguments):
    make, what = SCENARIOS[name]
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pergola_io")))
        node = Node(arguments, folder)
        stack.callback(stop, node.process)
        eth = Ether(src="02:00:00:00:00:99", dst=node.port()["mac"])
        generator = Generator(arguments, folder, [eth / make(i) for i in range(N_FLOWS)])
        stack.callback(stop, generator.process)
        wait_for(
            lambda: generator.process.poll() is not None or node.counts()[2] > WARM_UP_PACKETS,
            generator,
            f"{name}: nothing comes through",
        )
        if generator.process.poll() is not None:
            raise SystemExit(f"io_bench: the generator stopped:\n{read_log(generator.log)}")
        received, sent, busy = measure(node, arguments.seconds, arguments.rounds)
        return {
            "scenario": name,
            "what": what,
            "frame_bytes": len(eth / make(0)),
            "received_per_s": received,
            "sent_per_s": sent,
            "busy_percent": busy,
            "huge_pages": arguments.huge,
        }


def has_huge_pages():
    free = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    return free.exists() and int(free.read_text()) >= 600


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pergola", required=True, help="the node's program")
    parser.add_argument("--pergolactl", required=True)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="default: all")
    parser.add_argument("--seconds", type=float, default=3, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--node-core", type=int, default=0)
    parser.add_argument("--generator-core", type=int, default=1)
    parser.add_argument("--no-huge", dest="huge", action="store_false", default=has_huge_pages())
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--smoke", action="store_true", help="only show that packets come through")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.seconds, arguments.rounds, arguments.huge = 0.2, 1, False
    return arguments


def main():
    arguments = parse_arguments()
    if shutil.which("dpdk-testpmd") is None:
        print("io_bench: dpdk-testpmd is not installed (Debian: dpdk-dev)", file=sys.stderr)
        return 77  # "skipped", for meson
    print(f"{'scenario':10} {'bytes':>5} {'received':>9} {'sent':>9} {'busy':>6}  Mpps; what")
    results = []
    for name in arguments.scenario or SCENARIOS:
        result = run(name, arguments)
        results.append(result)
        print(
            f"{name:10} {result['frame_bytes']:5} {result['received_per_s'] / 1e6:9.3f}"
            f" {result['sent_per_s'] / 1e6:9.3f} {result['busy_percent']:5.1f}%  {result['what']}",
            flush=True,
        )
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
