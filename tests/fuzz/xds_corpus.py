#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Writes the seed corpus of xds_decode_fuzz: a resource of each type and kind, as protoc encodes it."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "ctrl" / "xds" / "proto"
FILES = ["listener", "route", "cluster", "endpoint", "extensions", "secret"]
LISTENER, ROUTES, CLUSTER, ENDPOINTS, SECRET = range(5)
FILTERS = "envoy.extensions.filters."


def encode(message, text):
    command = ["protoc", f"--proto_path={PROTO}", f"--encode=xds.{message}"]
    files = [f"{name}.proto" for name in FILES]
    return subprocess.run(command + files, input=text.encode(), capture_output=True, check=True).stdout


def quote(value):
    return '"' + "".join(f"\\{byte:03o}" for byte in value) + '"'


def any_of(url, message, text):
    return f'type_url: "type.googleapis.com/{url}" value: {quote(encode(message, text))}'


def address(text, port=80):
    return f'address {{ socket_address {{ address: "{text}" port_value: {port} }} }}'


def metadata(fields):
    return f'metadata {{ filter_metadata {{ key: "pergola.srv6" value {{ {fields} }} }} }}'


def text_field(key, value):
    return f'fields {{ key: "{key}" value {{ string_value: "{value}" }} }}'


def list_field(key, values):
    items = " ".join(f'values {{ string_value: "{value}" }}' for value in values)
    return f'fields {{ key: "{key}" value {{ list_value: {quote(encode("ListValue", items))} }} }}'


def listener(filter_any, more=""):
    return (
        f'name: "web" {address("10.9.0.9")} {more} '
        f'filter_chains {{ filters {{ name: "f" typed_config {{ {filter_any} }} }} }}'
    )


ADS = "config_source { ads {} initial_fetch_timeout { seconds: 3 } }"
ROUTER = 'http_filters { name: "envoy.filters.http.router" }'
MATCH = (
    'match { prefix: "/" headers { name: ":method" string_match { exact: "GET" } } '
    'headers { name: "x-a" prefix_match: "b" invert_match: true } headers { name: "x-b" present_match: true } }'
)
WEIGHTED = (
    'route { weighted_clusters { clusters { name: "v1" weight { value: 90 } } '
    'clusters { name: "v2" weight { value: 10 } } } timeout { seconds: 1 nanos: 5 } }'
)
HOSTS = (
    f'virtual_hosts {{ name: "all" domains: "*" domains: "*.example" routes {{ name: "r" {MATCH} {WEIGHTED} }} '
    'routes { match { path: "/health" } direct_response { status: 200 body { inline_string: "ok" } } } }'
)
PARTS = (
    'headers { name: "x-a" string_match { suffix: "b" ignore_case: true } treat_missing_header_as_empty: true } '
    'headers { name: "x-b" contains_match: "c" } headers { name: "x-c" range_match { start: -1 end: 9 } }'
)
REWRITTEN = (
    f'virtual_hosts {{ name: "all" domains: "*" routes {{ match {{ prefix: "/" {PARTS} }} '
    'route { cluster: "c" host_rewrite_literal: "a.example:80" } } }'
)
ENDPOINT = f'lb_endpoints {{ endpoint {{ {address("10.2.0.1")} }} load_balancing_weight {{ value: 3 }} }}'
SEGMENTS = metadata(list_field("segments", ["2001:db8:a::1", "2001:db8:b::1"]) + text_field("vrf", "blue"))
FAR = f'lb_endpoints {{ endpoint {{ {address("2001:db8::2")} }} health_status: DEGRADED {SEGMENTS} }}'
LOCALITY = f'endpoints {{ locality {{ region: "eu" }} {ENDPOINT} {FAR} }} endpoints {{ priority: 1 {ENDPOINT} }}'
LB = "envoy.extensions.load_balancing_policies."


def seeds():
    routes = f'name: "main" {HOSTS}'
    rds = f'rds {{ {ADS} route_config_name: "main" }} {ROUTER}'
    own = f"route_config {{ {routes} }} {ROUTER} use_remote_address {{ value: true }}"
    manager = FILTERS + "network.http_connection_manager.v3.HttpConnectionManager"
    tcp = FILTERS + "network.tcp_proxy.v3.TcpProxy"
    robin = any_of(LB + "round_robin.v3.RoundRobin", "RoundRobin", "locality_lb_config {}")
    cluster = 'name: "c" type: EDS eds_cluster_config { eds_config { self {} } }'
    vrfs = metadata(list_field("vrfs", ["red", "blue"]))
    yield "listener_rds", LISTENER, "Listener", listener(any_of(manager, "HttpConnectionManager", rds))
    yield "listener_own", LISTENER, "Listener", listener(any_of(manager, "HttpConnectionManager", own), vrfs)
    yield "listener_tcp", LISTENER, "Listener", listener(any_of(tcp, "TcpProxy", 'cluster: "db"'))
    yield "routes", ROUTES, "RouteConfiguration", routes
    yield "routes_rewritten", ROUTES, "RouteConfiguration", f'name: "main" {REWRITTEN}'
    yield "cluster_eds", CLUSTER, "Cluster", cluster + metadata(text_field("policy", "west"))
    yield "cluster_lb", CLUSTER, "Cluster", (
        f"{cluster} load_balancing_policy {{ policies {{ typed_extension_config {{ typed_config {{ {robin} }} }} }} }}"
    )
    yield "cluster_static", CLUSTER, "Cluster", f'name: "c" load_assignment {{ cluster_name: "c" {LOCALITY} }}'
    yield "cluster_dns", CLUSTER, "Cluster", (
        f'name: "c" type: STRICT_DNS load_assignment {{ endpoints {{ lb_endpoints {{ endpoint {{ '
        f'{address("db.example")} }} }} }} }}'
    )
    yield "endpoints", ENDPOINTS, "ClusterLoadAssignment", f'cluster_name: "c" {LOCALITY}'
    yield "endpoints_refused", ENDPOINTS, "ClusterLoadAssignment", (
        'cluster_name: "c" endpoints { leds_cluster_locality_config {} }'
    )
    yield "secret", SECRET, "Secret", 'name: "ca" validation_context { trusted_ca { inline_string: "PEM" } }'


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus" / "xds_decode"
    out.mkdir(parents=True, exist_ok=True)
    for name, kind, message, text in seeds():
        (out / name).write_bytes(bytes([kind]) + encode(message, text))


if __name__ == "__main__":
    main()
