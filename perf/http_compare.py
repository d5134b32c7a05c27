#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time a request: this node beside nginx and HAProxy as reverse proxies, in one run on one machine.

A client (wrk), what is compared, and a server (nginx) are in network namespaces of their own, joined by veth; all
three take the same requests in turn, round by round, on the same core, with the client and the server on another.
Each adds x-forwarded-for, keeps connections to the server and routes by host and path. Counted is what the worker
does while it has packets (this node) or all that the processes do (nginx, HAProxy), user and system. A round in
which somebody else had the core of this node's worker does not count. Needs root.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

VIP = "10.100.0.1"
HOST = "payments.lattice.local"
PATH = "/v1/pay"
BODY = "x" * 64
READY_S = 30  # patience, not an expectation
MAX_WAIT_SHARE = 0.02  # of a round, that the worker may have waited for its core
SAMPLE_S = 0.1

NGINX = """
user root; daemon off; worker_processes 1; pid {home}/{name}.pid; error_log {home}/{name}.log;
events {{ worker_connections 8192; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
    client_body_temp_path {home}/{name}1; proxy_temp_path {home}/{name}2; fastcgi_temp_path {home}/{name}3;
    uwsgi_temp_path {home}/{name}4; scgi_temp_path {home}/{name}5;
    {more}
}}
"""
SERVER = "server {{ listen 8080 backlog=4096; location / {{ return 200 \"{body}\"; }} }}"
NGINX_PROXY = """
    upstream payments {{ server 10.0.2.2:8080; keepalive 1024; keepalive_requests 1000000000; }}
    server {{ listen {vip}:80 default_server; return 404; }}
    server {{ listen {vip}:80; server_name {host};
        location /v1/ {{ proxy_pass http://payments; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_buffering on; }} }}
"""
HAPROXY = """
global
    nbthread 1
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    option forwardfor
    http-reuse always
frontend in
    bind {vip}:80
    acl payments hdr(host) -i {host}
    acl v1 path_beg /v1/
    use_backend payments if payments v1
backend payments
    server one 10.0.2.2:8080
"""
NODE = """
control_socket = "{home}/control.sock";
eal = {{ main_core = "{other}"; huge_pages = false; memory_mb = 256;
        args = [ "--file-prefix=pergola_cmp_{pid}", "--no-pci", "--no-telemetry" ]; }};
workers = {{ count = 1; cores = [ {core} ]; idle = "backoff"; }};
ports = ( {{ name = "p1"; device = "net_af_packet1,iface=p1"; vrf = "red"; addresses = [ "10.0.1.1/24" ]; }},
          {{ name = "p2"; device = "net_af_packet2,iface=p2"; vrf = "blue"; addresses = [ "10.0.2.1/24" ]; }} );
vrfs = ( {{ name = "default"; }}, {{ name = "red"; }}, {{ name = "blue"; sources = [ "10.0.3.0/29" ]; }} );
service_networks = ( {{ name = "shop"; vrfs = [ "red" ]; }} );
listeners = ( {{ name = "http"; service_network = "shop"; addresses = [ "{vip}" ]; port = 80; {edits}
    virtual_hosts = ( {{ name = "payments"; domains = [ "{host}" ];
                         routes = ( {{ prefix = "/v1/"; cluster = "payments"; }} ); }} ); }} );
clusters = ( {{ name = "payments"; vrf = "blue"; endpoints = ( {{ address = "10.0.2.2"; port = 8080; }} ); }} );
"""
ONLY_FOR = "x_forwarded_proto = false; x_forwarded_port = false; x_request_id = false;"
NO_EDITS = "x_forwarded_for = false; " + ONLY_FOR


def run(*args):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"http_compare: {' '.join(args)}:\n{done.stdout}")
    return done.stdout


def wait_for(condition, what, home):
    deadline = time.monotonic() + READY_S
    while not condition():
        if time.monotonic() > deadline:
            logs = "".join(path.read_text() for path in home.glob("*.out"))
            raise SystemExit(f"http_compare: {what} did not start:\n{logs}")
        time.sleep(0.05)


def stop(process):
    process.terminate()
    try:
        process.wait(READY_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Lab:
    """Three namespaces in a row."""

    def __init__(self, stack, arguments):
        self.stack = stack
        self.arguments = arguments
        self.home = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgcmp")))
        self.names = {role: f"pgcmp-{os.getpid()}-{role}" for role in ("client", "middle", "server")}
        for name in self.names.values():
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "delete", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.join("c0", "client", "p1", "middle")
        self.join("s0", "server", "p2", "middle")
        self.host("client", "c0", "10.0.1.2/24", "10.0.1.1")
        self.host("server", "s0", "10.0.2.2/24", "10.0.2.1")

    def join(self, a, a_role, b, b_role):
        run("ip", "link", "add", a, "netns", self.names[a_role], "type", "veth", "peer", "name", b,
            "netns", self.names[b_role])
        run("ip", "-n", self.names[a_role], "link", "set", a, "up")
        run("ip", "-n", self.names[b_role], "link", "set", b, "up")

    def host(self, role, device, address, gateway):
        """Whole checksums and single segments, as on a wire, whoever is in the middle."""
        run("ip", "-n", self.names[role], "address", "add", address, "dev", device)
        run("ip", "-n", self.names[role], "route", "add", "default", "via", gateway)
        run("ip", "netns", "exec", self.names[role], "ethtool", "-K", device, "tx", "off", "tso", "off",
            "gso", "off")

    @contextlib.contextmanager
    def kernel_addresses(self):
        """Of the middle, for proxies; the node brings its own."""
        name = self.names["middle"]
        owned = (("p1", "10.0.1.1/24"), ("p2", "10.0.2.1/24"), ("lo", VIP + "/32"))
        for device, address in owned:
            run("ip", "-n", name, "address", "add", address, "dev", device)
        yield
        for device, address in owned:
            run("ip", "-n", name, "address", "del", address, "dev", device)

    def start(self, role, core, *command):
        log = self.stack.enter_context(open(self.home / f"{os.path.basename(command[0])}.out", "a"))
        return subprocess.Popen(["ip", "netns", "exec", self.names[role], "taskset", "-c", str(core), *command],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def write(self, name, text):
        path = self.home / name
        path.write_text(text)
        return str(path)

    def answers(self):
        done = subprocess.run(["ip", "netns", "exec", self.names["client"], "curl", "-s", "--max-time", "2",
                               "-H", f"Host: {HOST}", f"http://{VIP}{PATH}"],
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout == BODY

    def load(self, seconds):
        """Requests a second; every one must have been answered well."""
        text = run("ip", "netns", "exec", self.names["client"], "taskset", "-c", str(self.arguments.other_core), "wrk",
                   "-t1", f"-c{self.arguments.connections}", f"-d{seconds}s", "-H", f"Host: {HOST}",
                   f"http://{VIP}{PATH}")
        if "Non-2xx" in text or "Socket errors" in text:
            raise SystemExit(f"http_compare: wrk:\n{text}")
        return int(re.search(r"(\d+) requests in", text)[1])


def process_tree(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [grandchild for child in children for grandchild in process_tree(int(child))]


def cpu_seconds(pid):
    """User and system, of a process and its children."""
    tick = os.sysconf("SC_CLK_TCK")
    total = [0.0, 0.0]
    for member in process_tree(pid):
        fields = pathlib.Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        total[0] += int(fields[11]) / tick
        total[1] += int(fields[12]) / tick
    return total


class Proxy:
    def __init__(self, name, command, config):
        self.name, self.command, self.config = name, command, config

    @contextlib.contextmanager
    def started(self, lab):
        path = lab.write(f"{self.name}.cfg", self.config.format(vip=VIP, host=HOST, home=lab.home, name=self.name))
        with lab.kernel_addresses():
            process = lab.start("middle", lab.arguments.core, *self.command(path, lab.home))
            try:
                wait_for(lab.answers, self.name, lab.home)
                yield process
            finally:
                stop(process)

    def round(self, lab):
        """Microseconds of CPU a request, what of them is the kernel's, requests a second."""
        with self.started(lab) as process:
            lab.load(1)
            before = cpu_seconds(process.pid)
            n_requests = lab.load(lab.arguments.seconds)
            user, system = (after - b for after, b in zip(cpu_seconds(process.pid), before))
        return {"cpu_us": (user + system) / n_requests * 1e6, "system_us": system / n_requests * 1e6,
                "requests_per_s": n_requests / lab.arguments.seconds}


class UnixConnection(http.client.HTTPConnection):
    """HTTP to the control core."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


class Node:
    def __init__(self, name, program, edits):
        self.name, self.program, self.edits = name, program, edits

    @contextlib.contextmanager
    def started(self, lab):
        config = lab.write("node.cfg", NODE.format(home=lab.home, vip=VIP, host=HOST, pid=os.getpid(), edits=self.edits,
                                                   core=lab.arguments.core, other=lab.arguments.other_core))
        process = lab.start("middle", f"{lab.arguments.core},{lab.arguments.other_core}", self.program, config)
        try:
            wait_for(lab.answers, self.name, lab.home)
            yield process
        finally:
            stop(process)

    def ask(self, lab, what):
        with contextlib.closing(UnixConnection(lab.home / "control.sock")) as connection:
            connection.request("GET", f"/{what}")
            return json.load(connection.getresponse())

    def clocks(self, lab):
        """TSC clocks of nodes that had packets: of the ports, and of all others."""
        ports = others = 0.0
        for row in self.ask(lab, "nodes")["nodes"]:
            if row["node"] in ("port_rx", "port_tx"):
                ports += row["cycles_per_packet"] * row["packets"]
            elif row["packets"] > 0:
                others += row["cycles_per_packet"] * row["packets"]
        return ports, others

    def worker(self, process):
        """The thread that ran most so far."""
        tasks = pathlib.Path(f"/proc/{process.pid}/task").iterdir()
        return max(tasks, key=lambda task: int((task / "schedstat").read_text().split()[0]))

    def round(self, lab):
        """As Proxy's; None when the worker did not have its core to itself. The kernel's share is not known: what
        sending costs there is in the ports' clocks."""
        with self.started(lab) as process:
            lab.load(1)
            worker = self.worker(process)
            # What others want of the core would count as the node's: its clocks go on while it waits.
            os.sched_setscheduler(int(worker.name), os.SCHED_FIFO, os.sched_param(1))
            waited = -int((worker / "schedstat").read_text().split()[1])
            ports, others = (-clocks for clocks in self.clocks(lab))
            start = time.monotonic()
            load = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--only-load", lab.names["client"],
                                     "--seconds", str(lab.arguments.seconds),
                                     "--connections", str(lab.arguments.connections),
                                     "--other-core", str(lab.arguments.other_core)], stdout=subprocess.PIPE, text=True)
            busy = self.sample(lab, load)
            elapsed = time.monotonic() - start
            n_requests = int(load.stdout.read())
            waited += int((worker / "schedstat").read_text().split()[1])
            ports, others = (c + d for c, d in zip((ports, others), self.clocks(lab)))
        if waited > MAX_WAIT_SHARE * elapsed * 1e9:
            return None
        rate = n_requests / lab.arguments.seconds
        return {"cpu_us": busy / 100 / rate * 1e6, "port_clocks": ports / n_requests,
                "other_clocks": others / n_requests, "requests_per_s": rate}

    def sample(self, lab, load):
        """Mean busy share while the load runs, without the first and last second, in which it may be half."""
        samples = []
        while load.poll() is None:
            samples.append((time.monotonic(), self.ask(lab, "status")["workers"][0]["busy_percent"]))
            time.sleep(SAMPLE_S)
        first, last = samples[0][0] + 1.2, samples[-1][0] - 0.2
        return statistics.mean(percent for at, percent in samples if first < at < last)


def print_table(results):
    print(f"{'':16} {'CPU us/request':>14} {'least':>7} {'requests/s':>11} {'rounds':>6}")
    for name, rows in results.items():
        if not rows:
            print(f"{name:16} never had its core to itself: measure again")
            continue
        cpu = [row["cpu_us"] for row in rows]
        rate = statistics.median(row["requests_per_s"] for row in rows)
        more = ""
        if "system_us" in rows[0]:
            more = f"of it in the kernel {statistics.median(row['system_us'] for row in rows):.2f} us"
        else:
            more = (f"{statistics.median(row['other_clocks'] for row in rows):.0f} clocks in nodes, "
                    f"{statistics.median(row['port_clocks'] for row in rows):.0f} in receiving and sending")
        print(f"{name:16} {statistics.median(cpu):14.2f} {min(cpu):7.2f} {rate:11.0f} {len(rows):6} {more}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pergola", help="the node's program")
    parser.add_argument("--seconds", type=int, default=4, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--core", type=int, default=1, help="of what is compared")
    parser.add_argument("--other-core", type=int, default=0, help="of wrk, the server and the control core")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--only-load", metavar="NETNS", help=argparse.SUPPRESS)
    return parser.parse_args()


def only_load(arguments):
    """wrk in a process of its own, so that the node can be looked at meanwhile."""
    lab = Lab.__new__(Lab)
    lab.arguments, lab.names = arguments, {"client": arguments.only_load}
    print(lab.load(arguments.seconds))


def main():
    arguments = parse_arguments()
    if arguments.only_load:
        only_load(arguments)
        return
    missing = [program for program in ("wrk", "nginx", "haproxy", "curl", "ethtool") if shutil.which(program) is None]
    if missing or arguments.pergola is None:
        sys.exit(f"http_compare: missing: {' '.join(missing) or '--pergola'}; see scripts/install_deps.sh bench")
    compared = [
        Node("node", arguments.pergola, ONLY_FOR),
        Node("node, unedited", arguments.pergola, NO_EDITS),
        Proxy("nginx", lambda config, home: ("nginx", "-c", config, "-e", f"{home}/nginx.err"),
              NGINX.replace("{more}", NGINX_PROXY)),
        Proxy("haproxy", lambda config, home: ("haproxy", "-db", "-f", config), HAPROXY),
    ]
    results = {one.name: [] for one in compared}
    with contextlib.ExitStack() as stack:
        lab = Lab(stack, arguments)
        config = lab.write("server.cfg", NGINX.format(home=lab.home, name="server", more=SERVER.format(body=BODY)))
        server = lab.start("server", arguments.other_core, "nginx", "-c", config, "-e", f"{lab.home}/server.err")
        stack.callback(stop, server)
        for _ in range(arguments.rounds):
            for one in compared:
                row = one.round(lab)
                if row is not None:
                    results[one.name].append(row)
    print_table(results)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
