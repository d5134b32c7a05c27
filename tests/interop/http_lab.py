# SPDX-License-Identifier: Apache-2.0
"""Three VPCs with the same addresses: a client in one, nginx in the other two, the node between them.

    red (curl) --- k1 ====SRv6==== node ====SRv6==== k2 --- blue (nginx)
                                        ====SRv6==== k3 --- green (nginx)

Every host is 10.0.1.2 and fd00:1::2; only tunnels and VRFs tell them apart.
"""

import json
import os
import subprocess
import sys

import lab as laboratory
from lab import LOCATORS, UNDERLAY_MTU, WAIT_S, until

VPCS = {"red": "k1", "blue": "k2", "green": "k3"}
HOST = {4: "10.0.1.2", 6: "fd00:1::2"}
VIP = {4: "10.100.0.1", 6: "fd00:100::1"}
SOURCES = {4: "10.200.0.0/29", 6: "fd00:200::/125"}
SERVER_PORT = 8080
CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http_client.py")

laboratory.ROUTERS["k3"] = ("2001:db8:3::2", "2001:db8:3::1")
laboratory.LOCATORS["k3"] = "2001:db8:c::"
for vpc in VPCS:
    laboratory.HOSTS[vpc] = laboratory.HOSTS["a"]


def node_sid(vpc):
    """The node's SID that leads into its VRF of the VPC."""
    return f"{LOCATORS['node']}{1 + list(VPCS).index(vpc)}"


def out_sid(vpc, family):
    """The router's SID that leads to the VPC's host."""
    return f"{LOCATORS[VPCS[vpc]]}{family}"


def policy(vpc, family):
    return f"to-{vpc}{family}"


def address(family):
    return f"[{VIP[family]}]" if family == 6 else VIP[family]


def vrf_config(vpc, is_member):
    """A VRF whose host is behind policies. Members of the service network have a route back to it; to others only
    endpoints' policies lead."""
    routes = ", ".join(f'{{ prefix = "{prefix}"; policy = "{policy(vpc, family)}"; }}'
                       for family, prefix in ((4, "10.0.1.0/24"), (6, "fd00:1::/64")) if is_member)
    return f'{{ name = "{vpc}"; sources = [ "{SOURCES[4]}", "{SOURCES[6]}" ]; routes = ( {routes} ); }}'


def base_config(dispatch=True, mtu=UNDERLAY_MTU, members=("red",)):
    ports = ", ".join(
        f'{{ name = "p{i}"; device = "net_af_packet{i},iface=p{i}"; mtu = {mtu}; sr_trusted = true; '
        f'dispatch = {str(dispatch).lower()}; addresses = [ "2001:db8:{i}::1/64" ]; }}' for i in (1, 2, 3))
    routes = ", ".join(f'{{ prefix = "{LOCATORS[k]}/48"; via = "{laboratory.ROUTERS[k][0]}"; }}' for k in VPCS.values())
    policies = ", ".join(f'{{ name = "{policy(vpc, family)}"; segments = [ "{out_sid(vpc, family)}" ]; }}'
                         for vpc in VPCS for family in (4, 6))
    sids = ", ".join(f'{{ sid = "{node_sid(vpc)}"; behavior = "End.DT46"; vrf = "{vpc}"; }}' for vpc in VPCS)
    vrfs = ", ".join(vrf_config(vpc, vpc in members) for vpc in VPCS)
    network = ", ".join(f'"{vpc}"' for vpc in members)
    return f"""
    ports = ( {ports} );
    vrfs = ( {{ name = "default"; routes = ( {routes} ); }}, {vrfs} );
    srv6 = {{ source = "2001:db8:1::1"; locators = [ "{LOCATORS['node']}/48" ];
              sids = ( {sids} ); policies = ( {policies} ); }};
    service_networks = ( {{ name = "shop"; vrfs = [ {network} ]; }} );
    """


def endpoint(vpc, family, port=SERVER_PORT):
    return f'{{ address = "{HOST[family]}"; port = {port}; vrf = "{vpc}"; policy = "{policy(vpc, family)}"; }}'


def cluster(name, *endpoints, more=""):
    return f'{{ name = "{name}"; {more} endpoints = ( {", ".join(endpoints)} ); }}'


def listener(routes, port=80, more=""):
    """An HTTP listener on both virtual addresses; any host."""
    return (f'{{ name = "web{port}"; service_network = "shop"; addresses = [ "{VIP[4]}", "{VIP[6]}" ]; port = {port}; '
            f'{more} virtual_hosts = ( {{ name = "all"; domains = [ "*" ]; routes = ( {routes} ); }} ); }}')


def services(listeners, clusters):
    return f"listeners = ( {', '.join(listeners)} );\nclusters = ( {', '.join(clusters)} );\n"


class Session:
    """A connection that stays, in a VPC's host; see http_client.py."""

    def __init__(self, lab, family, vpc, own_port):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", lab.netns(vpc), sys.executable, CLIENT, VIP[family], "80", str(own_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=laboratory.die_with_us)
        lab.processes.append(self.process)

    def get(self, path):
        """Status, length, SHA-256 and, when short, the body."""
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        status, length, digest, body = self.process.stdout.readline().rstrip("\n").split(" ", 3)
        return int(status), int(length), digest, body


class HttpLab:
    """Builds on a Lab: topology, servers, requests."""

    def __init__(self, lab):
        self.lab = lab
        self.servers = {}

    def build(self, text, workers, **base):
        lab = self.lab
        lab.add("node")
        for i, (vpc, router) in enumerate(VPCS.items(), 1):
            lab.add_router(router, f"p{i}", host=vpc)
            lab.sid(router, out_sid(vpc, 4), f"End.DX4 nh4 {HOST[4]}")
            lab.sid(router, out_sid(vpc, 6), f"End.DX6 nh6 {HOST[6]}")
            for family, prefixes in ((4, (VIP[4] + "/32", SOURCES[4])), (6, (VIP[6] + "/128", SOURCES[6]))):
                for prefix in prefixes:
                    lab.ip(router, f"-{family} route add {prefix} encap seg6 mode encap segs {node_sid(vpc)} dev core")
        lab.start_node(base_config(**base) + text, workers)

    def reload(self, *changes):
        """Replaces texts of the live configuration by others."""
        path = os.path.join(self.lab.dir, "node.cfg")
        text = open(path, encoding="utf-8").read()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.lab.ctl("reload")

    def serve(self, vpc, more=""):
        """nginx on the VPC's host: /who says the VPC, /page is the lab's page, /echo the request's headers."""
        lab = self.lab
        home = os.path.join(lab.dir, vpc)
        os.makedirs(home, exist_ok=True)
        config = os.path.join(home, "nginx.conf")
        temps = "".join(f"{kind}_temp_path {home}/{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"""
                user root; daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
                events {{ worker_connections 4096; }}
                http {{
                    {temps} access_log off; client_max_body_size 0; keepalive_requests 1000000;
                    server {{
                        listen {SERVER_PORT}; listen [::]:{SERVER_PORT}; root {lab.dir};
                        location = /who {{ return 200 "{vpc}"; }}
                        location = /echo {{ return 200
                            "$http_x_forwarded_for $http_x_forwarded_proto $http_x_forwarded_port $http_x_request_id"; }}
                        location /upload {{ return 200 "$request_length"; }}
                        {more}
                    }}
                }}""")
        with open(os.path.join(home, "log"), "w", encoding="utf-8") as log:
            self.servers[vpc] = lab.start(vpc, "nginx", "-c", config, "-e", f"{home}/error.log", log=log)
        until(lambda: self.listens(vpc), f"nginx in {vpc}")

    def listens(self, vpc):
        return f":{SERVER_PORT}" in self.lab.run(vpc, "ss", "-Hltn")

    def stop(self, vpc):
        self.servers[vpc].terminate()
        self.servers.pop(vpc).wait(WAIT_S)

    def curl(self, *args, vpc="red"):
        return self.lab.run(vpc, "curl", "-sS", "-g", "--max-time", str(WAIT_S), *args)

    def get(self, path, family=4, *args):
        return self.curl(*args, f"http://{address(family)}{path}")

    def session(self, family, vpc="red", own_port=0):
        return Session(self.lab, family, vpc, own_port)

    def is_up(self, family):
        done = subprocess.run(["ip", "netns", "exec", self.lab.netns("red"), "curl", "-sfg", "-o", "/dev/null",
                               "--max-time", "2", f"http://{address(family)}/who"], check=False)
        return done.returncode == 0

    def wait_up(self, *families):
        """Until neighbours are known all along the way."""
        for family in families or (4, 6):
            until(lambda family=family: self.is_up(family), f"HTTP over IPv{family}")

    def lose(self, percent):
        """From now on hosts lose packets, both ways."""
        rules = "".join(f"chain {hook} {{ type filter hook {hook} priority 0; "
                        f"numgen random mod 100 < {percent} drop; }}\n" for hook in ("input", "output"))
        for vpc in VPCS:
            self.lab.run(vpc, "nft", "-f", "-", text_in=f"table inet loss {{ {rules} }}")

    def count(self, vpc, counter):
        """One of the kernel's counters in a VPC's host."""
        rows = self.lab.run(vpc, "nstat", "-asz", counter).split("\n")
        return int(next(row.split()[1] for row in rows if row.startswith(counter)))

    def node_packets(self, name):
        """Packets that went through a graph node of the node."""
        return sum(row["packets"] for row in self.view("nodes")["nodes"] if row["node"] == name)

    def drops(self):
        return self.lab.drops()

    def view(self, *args):
        return json.loads(self.lab.ctl("--json", *args))

    def left(self):
        """What is in use, where nothing should be."""
        status = self.view("status")
        found = {"mbufs": sum(pool["in_use"] for pool in status["mbufs"]),
                 "flows": self.view("flows", "--limit", "1")["in_use"]}
        found["requests"] = sum(row["active"] for row in self.view("clusters")["endpoints"])
        for worker in status["l7"]:
            for what in ("half_open", "small_buffers", "large_buffers", "held"):
                found[what] = found.get(what, 0) + worker[what]["in_use"]
        return found
