# SPDX-License-Identifier: Apache-2.0
"""The node and Envoy, given the same resources by the same server, route the same requests alike.

    red (requests) --- node --- blue (servers)
    envoy: requests, Envoy and servers in one namespace, with the same addresses
"""

import json
import os
import threading

import pytest

from peers import envoy
import hosts
import lab as laboratory
from http_lab import HOST, HttpLab, VIP
from lab import until
from routing_table import DIFFERENCES, LISTENERS, PORTS, REQUESTS, SAYS, SPREAD, made_resources
from server import SHORT, Server

XDS_PORT = 18000
CONFIG = f"""xds = {{
        servers = ( {{ address = "127.0.0.1"; port = {XDS_PORT}; }} );
        node = {{ id = "node"; cluster = "edge"; }};
        service_network = "shop";
    }};"""
ADS = {"ads": {}, "resource_api_version": "V3"}
HTTP2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    "explicit_http_config": {"http2_protocol_options": {}}}}
BOOTSTRAP = {
    "node": {"id": "envoy", "cluster": "edge"},
    # A header's repeated values are matched joined, as the node does it; Envoy from 1.39 on takes each unless told.
    "layered_runtime": {"layers": [{"name": "fixed", "static_layer": {
        "envoy.reloadable_features.match_headers_individually": False}}]},
    "dynamic_resources": {"lds_config": ADS, "cds_config": ADS, "ads_config": {
        "api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}},
    "static_resources": {"clusters": [{
        "name": "xds", "type": "STATIC", "typed_extension_protocol_options": HTTP2,
        "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": "127.0.0.1", "port_value": XDS_PORT}}}}]}]}}]},
}


class ControlPlane(threading.Thread):
    """Gives a client that runs in a namespace whatever it asks for, once."""

    def __init__(self, lab, name, resources):
        super().__init__(daemon=True)
        self.resources, self.refused, self.accepted = resources, [], set()
        with open(f"/run/netns/{lab.netns(name)}", "rb") as there:
            hosts.enter(there.fileno())
        try:
            self.server = Server(XDS_PORT)
        finally:
            hosts.enter(hosts.HOME)
        self.start()

    def run(self):
        stream, asked = self.server.stream(), {}
        while (request := stream.requests.get()) is not None:
            short, names = SHORT[request.type_url], set(request.resource_names)
            if request.HasField("error_detail"):
                self.refused.append(request.error_detail.message)
            elif request.response_nonce:
                self.accepted.add(short)
            if asked.get(short) != names:
                asked[short] = names
                stream.answer(short, "1", [one for one in self.resources[short]
                                           if not names or (getattr(one, "name", "") or one.cluster_name) in names])

    def is_done(self):
        assert not self.refused, self.refused
        return self.accepted == set(self.resources)


def serve(http, vpc):
    """A server for each name but "shut", which answers whatever it is asked."""
    http.serve(vpc, "".join(
        '} server { listen %d; location / { return 200 "%s"; } error_page 400 =200 /;' % (port, SAYS.get(name, name))
        for name, port in PORTS.items() if name != "shut"))


def start_envoy(lab, binary):
    path = os.path.join(lab.dir, "envoy.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(BOOTSTRAP, file)
    with open(os.path.join(lab.dir, "envoy.log"), "w", encoding="utf-8") as log:
        lab.start("envoy", binary, "-c", path, "--concurrency", "1", "--disable-hot-restart", log=log)


def set_up(http, workers):
    """Node, Envoy, servers; what gives both their resources."""
    lab, binary = http.lab, envoy()
    http.build(CONFIG, workers)
    lab.add("envoy")
    for address in (VIP[4], HOST[4]):
        lab.ip("envoy", f"addr add {address}/32 dev lo")
    serve(http, "blue")
    serve(http, "envoy")
    resources = made_resources()
    planes = [ControlPlane(lab, name, resources) for name in ("node", "envoy")]
    start_envoy(lab, binary)
    return planes


def logs(lab):
    with open(os.path.join(lab.dir, "envoy.log"), encoding="utf-8") as log:
        return lab.log() + "".join(line for line in log if "[info]" not in line)


@pytest.fixture(scope="module", name="lab", params=[1, 2], ids=["1-worker", "2-workers"])
def made_lab(request):
    lab, planes, is_live = laboratory.Lab(), [], False
    failed = request.session.testsfailed
    try:
        http = HttpLab(lab)
        planes = set_up(http, request.param)
        wait_live(http, planes)
        is_live = True
        yield lab
    finally:
        if planes and (not is_live or request.session.testsfailed != failed):
            print(logs(lab), lab.ctl("xds"), lab.ctl("drops"))
        lab.close()
        for plane in planes:
            plane.server.stop()


def wait_live(http, planes):
    for plane in planes:
        until(plane.is_done, "acceptance")
    until(lambda: len(http.view("services")["services"]) == len(LISTENERS), "the node's listeners")
    until(lambda: all(f"{VIP[4]}:{port} " in http.lab.run("envoy", "ss", "-Hltn") for port in LISTENERS),
          "Envoy's listeners")


def ask(lab, vpc, request):
    """Status and body."""
    port, method, target, host, lines, body = request
    client = hosts.connect(lab, port=port, vpc=vpc)
    try:
        client.send(f"{method} {target} HTTP/1.1\r\n{host}{lines}\r\n{body}".encode())
        if method == "HEAD":
            return int(client.head().split()[1]), ""
        status, said = client.answer()
        return status, said.decode()
    finally:
        client.close()


def in_words(answer, wanted):
    """As the table says it: what a proxy writes under a status of its own is its own affair."""
    status, body = answer
    if isinstance(wanted, tuple):
        return answer
    return body if status == 200 else status


def check(lab, vpc, rows):
    """Three times each: nothing here is left to chance."""
    wrong = []
    for request, wanted in rows:
        got = [in_words(ask(lab, vpc, request), wanted) for _ in range(3)]
        if got != [wanted] * 3:
            wrong.append((request, wanted, got))
    assert not wrong, "\n".join(map(str, wrong))


both = pytest.mark.parametrize("vpc", ["red", "envoy"], ids=["node", "envoy"])


@both
def test_each_request_goes_where_the_table_says(lab, vpc):
    check(lab, vpc, REQUESTS)


@both
def test_known_differences_are_as_the_table_says(lab, vpc):
    """Neither may change unseen."""
    check(lab, vpc, [(request, envoys if vpc == "envoy" else nodes) for request, nodes, envoys in DIFFERENCES])


@both
@pytest.mark.parametrize("request_, servers", SPREAD, ids=["endpoints", "clusters"])
def test_all_that_may_answer_do_and_no_others(lab, vpc, request_, servers):
    """That one of n is never drawn has a chance of less than 2 ** -32."""
    got = {ask(lab, vpc, request_) for _ in range(64)}
    assert got == {(200, name) for name in servers}
