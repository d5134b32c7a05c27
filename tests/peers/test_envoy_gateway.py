# SPDX-License-Identifier: Apache-2.0
"""The node in Envoy's place under Envoy Gateway, which runs as it is, without a cluster: it reads Gateway API resources
from a directory and serves xDS over TLS beside the node's control core. Its listeners are on 0.0.0.0 and its endpoints
know nothing of VPCs: the node's file says where both are.
"""

import os
import threading

import pytest

from peers import envoy_gateway
import lab as laboratory
from http_lab import HOST, HttpLab, policy, SERVER_PORT as WEB_PORT, VIP, address
from lab import until

XDS_PORT, PORT = 18000, 8888
CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
# What Gateway API resources call the server in a VPC.
BACKENDS = {"blue": "192.0.2.2", "green": "192.0.2.3"}
# A listener for probes of Envoy itself, which answers by a filter; the node has none of it.
PROBE = "envoy-gateway-proxy-ready-0.0.0.0-19003"


def gateway_config(home, resources):
    return f"""
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {{controllerName: {CONTROLLER}}}
provider:
  type: Custom
  custom:
    resource: {{type: File, file: {{paths: ["{resources}"]}}}}
    infrastructure:
      type: Host
      host: {{configHome: "{home}", dataHome: "{home}/data", stateHome: "{home}/state", runtimeDir: "{home}/run"}}
extensionApis: {{enableBackend: true}}
"""


def backend(name):
    return f"""
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec: {{endpoints: [{{ip: {{address: {BACKENDS[name]}, port: 80}}}}]}}"""


def to(name, weight=1):
    return f"{{group: gateway.envoyproxy.io, kind: Backend, name: {name}, weight: {weight}}}"


def gateway_resources(blue, green):
    """A gateway and a route: a header chooses green, else weights choose."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: eg}}
spec: {{controllerName: {CONTROLLER}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: eg}}
spec: {{gatewayClassName: eg, listeners: [{{name: http, protocol: HTTP, port: {PORT}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop}}
spec:
  parentRefs: [{{name: eg}}]
  hostnames: [shop.local]
  rules:
  - matches: [{{path: {{type: Exact, value: /who}}, headers: [{{name: x-version, value: two}}]}}]
    backendRefs: [{to("green")}]
  - matches: [{{path: {{type: PathPrefix, value: /}}}}]
    backendRefs: [{to("blue", blue)}, {to("green", green)}]{backend("blue")}{backend("green")}
"""


def config(protocol, certificates):
    places = ", ".join(f'{{ from = "{BACKENDS[vpc]}"; from_port = 80; to = "{HOST[4]}"; to_port = {WEB_PORT}; '
                       f'vrf = "{vpc}"; policy = "{policy(vpc, 4)}"; }}' for vpc in BACKENDS)
    return f"""xds = {{
        servers = ( {{ address = "127.0.0.1"; port = {XDS_PORT}; tls = {{
            ca = "{certificates}/ca.crt"; certificate = "{certificates}/tls.crt"; key = "{certificates}/tls.key";
            server_name = "envoy-gateway"; }}; }} );
        node = {{ id = "node-1"; cluster = "envoy-gateway-system/eg"; }};
        protocol = "{protocol}";
        service_network = "shop";
        addresses = ( {{ from = "0.0.0.0"; to = [ "{VIP[4]}", "{VIP[6]}" ]; }} );
        endpoint_addresses = ( {places} );
    }};"""


class Gateway:
    """Envoy Gateway beside the node."""

    def __init__(self, lab):
        self.lab = lab
        self.program, self.home = envoy_gateway(), os.path.join(lab.dir, "gateway")
        self.resources, self.log_path = os.path.join(self.home, "resources"), os.path.join(lab.dir, "gateway.log")
        self.certificates = os.path.join(self.home, "certs", "envoy")
        os.makedirs(self.resources)
        laboratory.command(self.program, "certgen", "--local", "--config-home", self.home)

    def give(self, text):
        """At once, as editors do it."""
        path = os.path.join(self.resources, "shop.yaml")
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".part", path)

    def start(self):
        path = os.path.join(self.home, "gateway.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(gateway_config(self.home, self.resources))
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.lab.start("node", self.program, "server", "--config-path", path, log=log)

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8") as log:
            return "".join(line for line in log if "error" in line)


@pytest.fixture(name="lab")
def made_lab(request):
    lab, failed = laboratory.Lab(), request.session.testsfailed
    lab.gateway = None
    try:
        yield lab
        if request.session.testsfailed != failed:
            print(lab.log(), lab.gateway and lab.gateway.log(), lab.ctl("xds"))
    finally:
        lab.close()


def url(path, family=4):
    return f"http://{address(family)}:{PORT}{path}"


def ask(http, path, *args, family=4):
    return http.curl("--path-as-is", "-H", "Host: shop.local", *args, url(path, family))


def status(http, path, *args):
    return ask(http, path, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", *args)


class Load(threading.Thread):
    """One request after the other, until it is told to stop."""

    def __init__(self, http):
        super().__init__(daemon=True)
        self.http, self.got, self.stopped, self.failure = http, [], False, None
        self.start()

    def run(self):
        try:
            while not self.stopped:
                self.got.append(ask(self.http, "/who"))
        except AssertionError as failure:
            self.failure = failure

    def finish(self):
        self.stopped = True
        self.join()
        assert self.failure is None, self.failure
        return self.got


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("protocol", ["sotw", "delta"])
def test_gateway_is_followed(lab, protocol, workers):
    gateway = lab.gateway = Gateway(lab)
    http = HttpLab(lab)
    http.build(config(protocol, gateway.certificates), workers)
    for vpc in BACKENDS:
        http.serve(vpc)
    gateway.give(gateway_resources(blue=1, green=0))
    gateway.start()
    until(lambda: http.view("services")["services"], "the gateway's listener")
    until(lambda: http.view("clusters")["endpoints"], "its endpoints")
    for family in (4, 6):
        assert ask(http, "/who", family=family) == "blue"
    assert ask(http, "/who", "-H", "x-version: two") == "green"
    assert http.curl("-o", "/dev/null", "-w", "%{http_code}", url("/who")) == "404"  # another host
    # What it asks for always: paths in their normal form, no fields with underscores.
    assert ask(http, "/a/../who", "-H", "x-version: two") == "green"
    assert ask(http, "//wh%6f", "-H", "x-version: two") == "green"
    assert status(http, "/a%2f..%2fwho?b") == "307 " + url("/who?b")
    assert status(http, "/who", "-H", "a_b: c") == "400 "
    load = Load(http)
    until(lambda: len(load.got) > 10, "requests")
    gateway.give(gateway_resources(blue=0, green=1))
    until(lambda: load.failure or load.got[-1] == "green", "the new weights")
    got = load.finish()
    assert got == sorted(got), got  # blue until the change, green from then on
    rows = http.view("xds")["types"]
    assert sum(row["refused"] for row in rows) == 1 and not any(row["absent"] for row in rows), rows
    assert [row for row in http.view("config-dump")["xds"] if row["refused"]][0]["name"] == PROBE
    assert "srv6_" not in " ".join(http.drops())
