# SPDX-License-Identifier: Apache-2.0
"""The swap under load: a control plane changes everything all the time while wrk and kept connections ask. Nobody
notices, nothing is left over and memory stays as it was. PERGOLA_SWAPS says how many snapshots, after the warm-up."""

import os
import random
import signal
import subprocess
import sys

import pytest

import server as control_plane
from plane import Plane
from resources import address, eds_cluster, http_listener
from server import cluster, core, endpoint, route

sys.path.insert(0, os.path.join(control_plane.ROOT, "tests", "interop"))
import hosts  # noqa: E402
import http_lab  # noqa: E402
import lab as laboratory  # noqa: E402
from lab import until  # noqa: E402

N_WARM = 500
N_SWAPS = int(os.environ.get("PERGOLA_SWAPS", "2000"))
LOOK_EVERY = 25  # changes
GROWTH_MIB = 4
MAX_LATE = 50  # segments, of a hundred thousand requests
SERVER_PORT = 18000
N_EXTRA = 5  # services that come and go
# As the control plane knows the hosts: all of them are 10.0.1.2 and fd00:1::2 in their VPCs.
TARGETS = {("blue", 4): "192.0.2.1", ("green", 4): "192.0.2.2", ("blue", 6): "2001:db8:99::1",
           ("green", 6): "2001:db8:99::2"}
DEAD_PORT = 9  # where nobody listens: only unhealthy endpoints are there
OF = {"any": list(TARGETS), "blue": [("blue", 4), ("blue", 6)], "green": [("green", 4), ("green", 6)]}


def config(protocol):
    hosts_of = ", ".join(f'{{ from = "{at}"; to = "{http_lab.HOST[family]}"; vrf = "{vpc}"; '
                         f'policy = "{http_lab.policy(vpc, family)}"; }}' for (vpc, family), at in TARGETS.items())
    return f"""xds = {{
        servers = ( {{ address = "127.0.0.1"; port = {SERVER_PORT}; }} );
        node = {{ id = "n"; }};
        protocol = "{protocol}";
        service_network = "shop";
        addresses = ( {{ from = "0.0.0.0"; to = [ "{http_lab.VIP[4]}", "{http_lab.VIP[6]}" ]; }} );
        endpoint_addresses = ( {hosts_of} );
    }};"""


# What is pushed


def a_cluster(name, connect_s=5):
    """Without panic: what is unhealthy gets nothing, however few others there are."""
    return eds_cluster(name, connect_timeout=core.Duration(seconds=connect_s),
                       common_lb_config=cluster.CommonLbConfig(healthy_panic_threshold=cluster.Percent(value=0)))


def lb_endpoint(at, port, health, weight):
    return endpoint.LbEndpoint(endpoint=endpoint.Endpoint(address=address(at, port)), health_status=health,
                               load_balancing_weight=core.UInt32Value(value=weight))


def assignment(name, chance):
    """Some of the cluster's hosts, others draining or absent, and now and then a dead one that is known to be."""
    among = OF.get(name, OF["any"])
    healthy = chance.sample(among, chance.randint(1, len(among)))
    rows = [lb_endpoint(TARGETS[target], http_lab.SERVER_PORT, endpoint.LbEndpoint.HEALTHY, chance.randint(1, 9))
            for target in healthy]
    rows += [lb_endpoint(TARGETS[target], http_lab.SERVER_PORT, chance.choice(
        (endpoint.LbEndpoint.DRAINING, endpoint.LbEndpoint.UNHEALTHY)), 5)
             for target in among if target not in healthy and chance.random() < 0.5]
    rows += [lb_endpoint(TARGETS[target], DEAD_PORT, endpoint.LbEndpoint.UNHEALTHY, 9)
             for target in among if chance.random() < 0.3]
    return endpoint.ClusterLoadAssignment(
        cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=rows)])


def a_route(prefix, to):
    return route.Route(match=route.RouteMatch(prefix=prefix), route=route.RouteAction(cluster=to))


def main_routes(chance):
    """/at/blue and /at/green lead to their VPC always, the rest to a mixture; and there are hosts that nobody asks."""
    shares = route.WeightedCluster(clusters=[
        route.ClusterWeight(name=name, weight=core.UInt32Value(value=chance.randint(1, 9))) for name in OF])
    table = [a_route("/at/blue", "blue"), a_route("/at/green", "green"),
             *(a_route(f"/never/{i}", chance.choice(list(OF))) for i in range(chance.randint(0, 20))),
             route.Route(match=route.RouteMatch(prefix="/"), route=route.RouteAction(weighted_clusters=shares))]
    others = [route.VirtualHost(name=f"h{i}", domains=[f"h{i}.test"], routes=[a_route("/", "blue")])
              for i in range(chance.randint(0, 9))]
    return route.RouteConfiguration(name="main", virtual_hosts=[
        route.VirtualHost(name="all", domains=["*"], routes=table), *others])


def a_listener(name, port, routes, idle_s=60):
    return http_listener(name, "0.0.0.0", port, routes, stream_idle_timeout=core.Duration(seconds=idle_s))


class Swapper:
    """The changes, each from the one random sequence of its seed."""

    def __init__(self, plane):
        self.plane = plane
        self.chance = random.Random(4)
        self.extra = set()

    def begin(self):
        self.plane.put("cds", *(a_cluster(name) for name in OF))
        for name in OF:
            self.plane.until_asked("eds", name)
            self.plane.put("eds", assignment(name, self.chance))
        self.plane.put("lds", a_listener("web", 80, "main"))
        self.plane.until_asked("rds", "main")
        self.plane.put("rds", main_routes(self.chance))

    def add(self, name):
        """A whole service, on a port of its own."""
        self.plane.put("cds", a_cluster(name))
        self.plane.until_asked("eds", name)
        self.plane.put("eds", assignment(name, self.chance))
        self.plane.put("lds", a_listener(name, 9000 + int(name[1:]), name))
        self.plane.until_asked("rds", name)
        self.plane.put("rds", route.RouteConfiguration(name=name, virtual_hosts=[
            route.VirtualHost(name="all", domains=["*"], routes=[a_route("/", name)])]))
        self.extra.add(name)

    def remove(self, name):
        self.plane.put("lds", gone=[name])
        self.plane.put("cds", gone=[name])
        self.plane.world["rds"].pop(name)
        self.plane.world["eds"].pop(name)
        self.extra.remove(name)

    def step(self):
        dice = self.chance.random()
        if dice < 0.6:
            self.plane.put("eds", assignment(self.chance.choice(list(OF)), self.chance))
        elif dice < 0.8:
            self.plane.put("rds", main_routes(self.chance))
        elif dice < 0.84:
            self.plane.put("lds", a_listener("web", 80, "main", self.chance.randint(60, 600)))
        elif dice < 0.9:
            self.plane.put("cds", a_cluster(self.chance.choice(list(OF)), self.chance.randint(5, 60)))
        else:
            name = f"x{self.chance.randrange(N_EXTRA)}"
            (self.remove if name in self.extra else self.add)(name)

    def end(self):
        """Nothing is left."""
        for name in sorted(self.extra):
            self.remove(name)
        self.plane.put("lds", gone=["web"])
        self.plane.put("cds", gone=list(OF))


# The lab


class Swap(http_lab.HttpLab):
    """The lab, its node and the control plane beside it."""

    server = None

    def start(self, protocol):
        # All have routes to their hosts: the node can tell an endpoint, too, that a connection is no more.
        self.build(config(protocol), workers=2, members=tuple(http_lab.VPCS))
        self.node = self.lab.processes[-1]
        for vpc in http_lab.VPCS:
            self.lab.sysctl(vpc, "net.ipv4.tcp_early_retrans=0")
        for vpc in ("blue", "green"):
            self.serve(vpc, f'location /at/ {{ return 200 "{vpc}"; }}')
        with open(f"/run/netns/{self.lab.netns('node')}", "rb") as there:
            hosts.enter(there.fileno())
        try:
            self.server = control_plane.Server(SERVER_PORT)
        finally:
            hosts.enter(hosts.HOME)
        stream = self.server.stream()
        stream.delta = protocol == "delta"
        self.swapper = Swapper(Plane(stream))
        self.swapper.begin()
        # What is acknowledged is live a little later: before that, a request would meet no route.
        until(lambda: self.view("services")["services"], "the listener")
        self.wait_up(4, 6)

    def generation(self):
        return self.view("status")["generation"]

    def rss_mib(self):
        with open(f"/proc/{self.node.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:")) / 1024

    def wrk(self, family, *more):
        """Runs until it is told to stop."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.lab.netns("red"), "wrk", "-t", "1", "-c", "16", "-d", "1h", "--timeout", "30s",
             *more, f"http://{http_lab.address(family)}/who"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=laboratory.die_with_us)


@pytest.fixture(params=["sotw", "delta"])
def swap(request):
    laboratory.sweep()
    lab = laboratory.Lab()
    failed = request.session.testsfailed
    made = Swap(lab)
    try:
        made.start(request.param)
        yield made
        if request.session.testsfailed != failed:
            print(lab.log())
        if request.session.testsfailed != failed and made.node.poll() is None:
            print(lab.ctl("drops"), lab.ctl("xds"), lab.ctl("clusters"))
    finally:
        lab.close()
        if made.server is not None:
            made.server.stop()


def change(swap, sessions, until_generation):
    """Changes until the node has gone through so many snapshots; kept connections ask meanwhile."""
    n_steps = 0
    while swap.generation() < until_generation:
        for _ in range(LOOK_EVERY):
            swap.swapper.step()
        for vpc in ("blue", "green"):
            for session in sessions:
                assert session.get(f"/at/{vpc}")[::3] == (200, vpc)
        n_steps += LOOK_EVERY
    return n_steps


def check_drops(swap):
    """None but what kernels tell IPv6 groups, and segments that came after their connection's end. Such are a FIN that
    its host repeats, when the node takes it only after the acknowledgement that ends the connection: hosts here
    repeat nothing early (no tail loss probes), and there are no more of them than hosts repeated segments."""
    drops = swap.drops()
    n_repeated = sum(swap.count(vpc, "TcpRetransSegs") for vpc in http_lab.VPCS)
    drops.pop("ip6_multicast", 0)
    assert drops.pop("l7_no_flow", 0) <= min(n_repeated, MAX_LATE) and not drops, (swap.drops(), n_repeated)


def finish(wrk):
    wrk.send_signal(signal.SIGINT)
    out = wrk.communicate(timeout=laboratory.WAIT_S)[0]
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    return int(next(line for line in out.split("\n") if "requests in" in line).split()[0])


def test_nobody_notices_and_nothing_is_left(swap):
    sessions = [swap.session(family) for family in (4, 6)]
    wrks = [swap.wrk(4), swap.wrk(6, "-H", "Connection: close")]
    change(swap, sessions, N_WARM)
    before_mib = swap.rss_mib()
    n_steps = change(swap, sessions, N_WARM + N_SWAPS)
    grown_mib = swap.rss_mib() - before_mib
    check_drops(swap)
    counts = [finish(wrk) for wrk in wrks]
    print(f"{n_steps} changes, {swap.generation()} snapshots, {counts} requests, {grown_mib:.1f} MiB more")
    assert min(counts) > 0
    assert grown_mib < GROWTH_MIB
    for session in sessions:
        session.process.stdin.close()
        session.process.wait(laboratory.WAIT_S)
    swap.swapper.end()
    until(lambda: not any(swap.left().values()), "everything's return")
    status = swap.view("xds")
    assert (status["state"], status["resets"]) == ("up", 0)
    assert all(row["nacks"] == 0 for row in status["types"])
    swap.node.terminate()
    assert swap.node.wait(laboratory.WAIT_S) == 0, swap.lab.log()
