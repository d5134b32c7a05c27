# SPDX-License-Identifier: Apache-2.0
"""Resources as a control plane writes them, in the messages of server.py."""

from server import cluster, core, endpoint, extensions, listener, route

EXTENSIONS = "type.googleapis.com/envoy.extensions.filters."


def any_of(name, message):
    return core.Any(type_url=EXTENSIONS + name, value=message.SerializeToString())


def ads():
    return core.ConfigSource(ads=core.Empty())


def address(ip, port):
    return core.Address(socket_address=core.SocketAddress(address=ip, port_value=port))


def eds_cluster(name, **more):
    return cluster.Cluster(name=name, type=cluster.Cluster.EDS,
                           eds_cluster_config=cluster.EdsClusterConfig(eds_config=ads()), **more)


def endpoints(name, *targets):
    return endpoint.ClusterLoadAssignment(cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=[
        endpoint.LbEndpoint(endpoint=endpoint.Endpoint(address=address(*target))) for target in targets])])


def http_listener(name, ip, port, routes, **more):
    manager = extensions.HttpConnectionManager(
        stat_prefix=name, **more, rds=extensions.Rds(config_source=ads(), route_config_name=routes),
        http_filters=[extensions.HttpFilter(name="router", typed_config=any_of(
            "http.router.v3.Router", core.Empty()))])
    return listener.Listener(name=name, address=address(ip, port), filter_chains=[listener.FilterChain(filters=[
        listener.Filter(name="http", typed_config=any_of(
            "network.http_connection_manager.v3.HttpConnectionManager", manager))])])


def routes(name, to, domain="*"):
    return route.RouteConfiguration(name=name, virtual_hosts=[route.VirtualHost(
        name="all", domains=[domain], routes=[route.Route(
            match=route.RouteMatch(prefix="/"), route=route.RouteAction(cluster=to))])])
