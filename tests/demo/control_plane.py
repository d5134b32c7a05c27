#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The control plane of demo_xds.sh: what demo-http.cfg says of services, as xDS resources, pushed to the node.

Usage: control_plane.py PORT. Each line that comes in is an order: "serve", "weigh BLUE GREEN" (shares of the two
versions of payments), "health HEALTHY|UNHEALTHY" (of payments' server in blue). For each, one line goes out, when the
node has accepted what was pushed: the number of resources.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "xds"))

from plane import Plane  # noqa: E402
from resources import address, eds_cluster, http_listener  # noqa: E402
from server import Server, core, endpoint, route  # noqa: E402

LISTENER = "web"
ROUTES = "lattice"
# VRF, policy, address and port of the servers.
BLUE = ("blue", "blue-servers4", "10.0.0.2", 8080)
GREEN = ("green", "green-servers4", "10.0.0.2", 8080)
ORDERS = ("green", "green-servers6", "fd00:1::2", 8081)
HEALTHY = endpoint.LbEndpoint.HEALTHY


def srv6(vrf, policy):
    """Metadata: where the endpoint's address is meant, and the SRv6 policy that leads there."""
    entries = [core.StructEntry(key=key, value=core.Value(string_value=value))
               for key, value in (("vrf", vrf), ("policy", policy))]
    return core.Metadata(filter_metadata=[core.MetadataEntry(key="pergola.srv6", value=core.Struct(fields=entries))])


def assignment(name, *servers):
    """Each server has a priority of its own: the next one serves when those before are unhealthy."""
    return endpoint.ClusterLoadAssignment(cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(
        priority=priority, lb_endpoints=[endpoint.LbEndpoint(
            endpoint=endpoint.Endpoint(address=address(*at)), metadata=srv6(vrf, policy), health_status=health)])
        for priority, ((vrf, policy, *at), health) in enumerate(servers)])


def payments_v1(health):
    return assignment("payments-v1", (BLUE, health), (GREEN, HEALTHY))


def a_route(name, action, prefix="/", **match):
    return route.Route(name=name, match=route.RouteMatch(prefix=prefix, **match), route=action)


def to_cluster(name):
    return route.RouteAction(cluster=name)


def to_both(blue, green):
    return route.RouteAction(weighted_clusters=route.WeightedCluster(clusters=[
        route.ClusterWeight(name=name, weight=core.UInt32Value(value=weight))
        for name, weight in (("payments-v1", blue), ("payments-v2", green))]))


def table(blue, green):
    health = route.Route(name="health", match=route.RouteMatch(path="/health"),
                         direct_response=route.DirectResponseAction(
                             status=200, body=core.DataSource(inline_string="fine, says the node\n")))
    version = route.HeaderMatcher(name="x-version", string_match=route.StringMatcher(exact="2"))
    payments = [health,
                a_route("preview", to_cluster("payments-v2"), headers=[version]),
                a_route("refunds", to_cluster("payments-v2"), "/refunds/"),
                a_route("shared", to_both(blue, green))]
    return route.RouteConfiguration(name=ROUTES, virtual_hosts=[
        route.VirtualHost(name="payments", domains=["payments.lattice.local"], routes=payments),
        route.VirtualHost(name="orders", domains=["orders.lattice.local"],
                          routes=[a_route("all", to_cluster("orders"))])])


def serve(plane):
    """Clusters and their endpoints first, then what refers to them: nothing is live before it is whole."""
    assignments = [payments_v1(HEALTHY), assignment("payments-v2", (GREEN, HEALTHY)),
                   assignment("orders", (ORDERS, HEALTHY))]
    plane.put("cds", *(eds_cluster(message.cluster_name) for message in assignments))
    for message in assignments:
        plane.until_asked("eds", message.cluster_name)
    plane.put("eds", *assignments)
    plane.put("lds", http_listener(LISTENER, "0.0.0.0", 80, ROUTES,
                                   use_remote_address=core.BoolValue(value=True)))
    plane.until_asked("rds", ROUTES)
    plane.put("rds", table(90, 10))


def obey(plane, order, *arguments):
    if order == "serve":
        serve(plane)
    elif order == "weigh":
        plane.put("rds", table(*map(int, arguments)))
    elif order == "health":
        plane.put("eds", payments_v1(endpoint.LbEndpoint.Health.Value(*arguments)))
    else:
        raise ValueError(f"no such order: {order}")


def main():
    server = Server(int(sys.argv[1]))
    stream = server.stream()
    stream.delta = True
    plane = Plane(stream)
    for line in sys.stdin:
        obey(plane, *line.split())
        print(f"accepted; the node holds {sum(map(len, plane.world.values()))} resources", flush=True)
    server.stop()


main()
