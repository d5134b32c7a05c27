#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of an xDS update: this node beside Envoy, given the same resources by the same server, in one run.

Services are virtual hosts of one listener, with 4 routes and a cluster of 10 endpoints each. `full` is from nothing to
the last acknowledgement and quiet; `endpoint` is a response with one cluster, one of its endpoints another one, the
mean of 200. Counted are all threads, of the node without its idle worker. `ack` is from the response to its
acknowledgement, the median: Envoy's comes when the change is live, the node's when it is judged. Needs root and the
peers of tests/peers.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / name) for name in ("xds", "interop", "peers")]

# pylint: disable=wrong-import-position
from peers import envoy  # noqa: E402
from resources import address, ads, any_of, eds_cluster, endpoints  # noqa: E402
from server import SHORT, Server, core, extensions, listener, route  # noqa: E402

N_ENDPOINTS, N_UPDATES = 10, 200
QUIET_S = 0.3  # without CPU time: all is done
NODE = """
control_socket = "{home}/control.sock";
workers = {{ cores = [ {core} ]; idle = "backoff"; }};
ports = ( {{ name = "p0"; device = "net_null0"; addresses = [ "10.0.0.1/24" ]; }} );
vrfs = ( {{ name = "default"; sources = [ "10.0.0.9" ]; }} );
service_networks = ( {{ name = "shop"; vrfs = [ "default" ]; }} );
xds = {{ servers = ( {{ address = "127.0.0.1"; port = {port}; }} ); node = {{ id = "node"; cluster = "c"; }};
         service_network = "shop"; addresses = ( {{ from = "127.0.0.1"; to = [ "10.100.0.1" ]; }} ); }};
"""


def bootstrap(port):
    ads_source = {"ads": {}, "resource_api_version": "V3"}
    http2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}}}}
    return {
        "node": {"id": "envoy", "cluster": "c"},
        "dynamic_resources": {"lds_config": ads_source, "cds_config": ads_source, "ads_config": {
            "api_type": "GRPC", "transport_api_version": "V3",
            "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}},
        "static_resources": {"clusters": [{
            "name": "xds", "type": "STATIC", "typed_extension_protocol_options": http2,
            "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                "socket_address": {"address": "127.0.0.1", "port_value": port}}}}]}]}}]}}


def assignment(i, last=0):
    return endpoints(f"c{i}", *((f"10.{i >> 8}.{i & 255}.{n + 1 + (last if n == 0 else 0)}", 8080)
                                for n in range(N_ENDPOINTS)))


def made_routes(i):
    return [route.Route(match=match, route=route.RouteAction(cluster=f"c{i}")) for match in (
        route.RouteMatch(path=f"/exact/{i}"), route.RouteMatch(prefix=f"/v1/{i}/"), route.RouteMatch(prefix="/v2/"),
        route.RouteMatch(prefix="/"))]


def made_resources(n):
    manager = extensions.HttpConnectionManager(
        stat_prefix="web", rds=extensions.Rds(config_source=ads(), route_config_name="main"),
        http_filters=[extensions.HttpFilter(name="router", typed_config=any_of("http.router.v3.Router", core.Empty()))])
    web = listener.Listener(name="web", address=address("127.0.0.1", 10080), filter_chains=[listener.FilterChain(
        filters=[listener.Filter(name="http", typed_config=any_of(
            "network.http_connection_manager.v3.HttpConnectionManager", manager))])])
    return {
        "cds": [eds_cluster(f"c{i}") for i in range(n)],
        "eds": [assignment(i) for i in range(n)],
        "lds": [web],
        "rds": [route.RouteConfiguration(name="main", virtual_hosts=[
            route.VirtualHost(name=f"h{i}", domains=[f"s{i}.local"], routes=made_routes(i)) for i in range(n)])],
    }


class Peer:
    """A process that takes updates, on a core of its own."""

    def __init__(self, args, cpu, log):
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, args)], stdout=log, stderr=log)

    def cpu_ns(self):
        """Of all threads but packet workers."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if "worker-" not in (task / "comm").read_text():
                total += int((task / "schedstat").read_text().split()[0])
        return total

    def settle(self):
        """Until a while passes with next to no CPU time; what there was."""
        before = self.cpu_ns()
        while True:
            time.sleep(QUIET_S)
            now = self.cpu_ns()
            if now - before < QUIET_S * 1e9 / 50:
                return now
            before = now

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def serve(stream, resources):
    """Answers until all four types were acknowledged."""
    asked, accepted = {}, set()
    while accepted != set(resources):
        request = stream.next()
        short, names = SHORT[request.type_url], set(request.resource_names)
        if request.HasField("error_detail"):
            sys.exit(f"refused: {request.error_detail.message}")
        if request.response_nonce and asked.get(short) == names:
            accepted.add(short)
        if asked.get(short) != names and (names or short in ("cds", "lds")):
            asked[short] = names
            stream.answer(short, "1", [one for one in resources[short]
                                       if not names or (getattr(one, "name", "") or one.cluster_name) in names])


def update(stream, number):
    """Sends one cluster's endpoints; seconds until they are acknowledged."""
    start = time.monotonic()
    nonce = stream.answer("eds", str(number + 2), [assignment(0, last=1 + number % 200)])
    while (request := stream.next()).response_nonce != nonce or request.HasField("error_detail"):
        if request.HasField("error_detail"):
            sys.exit(f"refused: {request.error_detail.message}")
    return time.monotonic() - start


def measure(name, n, start, resources):
    server = Server()
    peer = start(server.port)
    try:
        stream = server.stream()
        idle, rss = peer.settle(), peer.rss_mib()
        serve(stream, resources)
        full = peer.settle() - idle
        row = {"peer": name, "services": n, "full_cpu_ms": full / 1e6, "rss_mib": peer.rss_mib() - rss}
        before = peer.settle()
        acks = [update(stream, number) for number in range(N_UPDATES)]
        row["endpoint_cpu_ms"] = (peer.settle() - before) / 1e6 / N_UPDATES
        row["ack_ms"] = statistics.median(acks) * 1e3
        return row
    finally:
        peer.stop()
        server.stop()


def starters(build, home, log):
    def node(port):
        path = home / "node.cfg"
        path.write_text(NODE.format(home=home, port=port, core=0))
        return Peer([build / "app" / "pergola", path], 1, log)

    def other(port):
        path = home / "envoy.json"
        path.write_text(json.dumps(bootstrap(port)))
        return Peer([envoy(), "-c", path, "--concurrency", "1", "--disable-hot-restart", "-l", "error"], 1, log)
    return {"node": node, "envoy": other}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default=os.environ.get("PERGOLA_BUILD", str(ROOT / "build")), type=pathlib.Path)
    parser.add_argument("--services", type=int, nargs="*", default=[1, 100, 1000, 5000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    os.sched_setaffinity(0, {0})
    home = pathlib.Path(tempfile.mkdtemp(prefix="pgupdate-"))
    rows = []
    try:
        with open(home / "log", "w", encoding="utf-8") as log:
            for n in args.services:
                resources = made_resources(n)
                for _ in range(args.rounds):
                    rows += [measure(name, n, start, resources) for name, start in starters(args.build, home, log).items()]
    finally:
        shutil.rmtree(home)
    print(f"{'peer':6} {'services':>8} {'full ms':>9} {'MiB':>7} {'endpoint ms':>12} {'ack ms':>7}")
    for row in rows:
        print(f"{row['peer']:6} {row['services']:8} {row['full_cpu_ms']:9.1f} {row['rss_mib']:7.1f} "
              f"{row['endpoint_cpu_ms']:12.3f} {row['ack_ms']:7.2f}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
