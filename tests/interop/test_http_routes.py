# SPDX-License-Identifier: Apache-2.0
"""Which endpoint a request goes to: tables with known answers, as Envoy matches (source/common/router). Each cluster is
a server of its own that says its name."""

import pytest
from hosts import connect, shared_lab
from http_lab import cluster, endpoint, services, VIP

NO_ROUTE = 404
FIRST_PORT = 9101


def route(name, match='prefix = "/"', **headers):
    return name, f'{{ {match}; {headers.get("more", "")} cluster = "{name}"; }}'


def header(name, match):
    return f'{{ name = "{name}"; {match}; }}'


def when(*headers):
    return f'headers = ( {", ".join(headers)} );'


# Virtual host: domains, routes in their order.
HOSTS = {
    "exact": (["shop.local", "SHOP2.Local"], [route("exact")]),
    "port": (["shop.local:8080"], [route("port")]),
    "suffix": (["*.shop.local"], [route("suffix")]),
    "longer-suffix": (["*.eu.shop.local"], [route("longer-suffix")]),
    "dash-suffix": (["*-api.shop.local"], [route("dash-suffix")]),
    "prefix": (["shop.*"], [route("prefix")]),
    "longer-prefix": (["shop.example.*"], [route("longer-prefix")]),
    "paths": (["paths"], [route("path", 'path = "/a"'), route("deep", 'prefix = "/a/b/"'), route("a", 'prefix = "/a"'),
                          route("late", 'path = "/a/late"'), route("upper", 'prefix = "/A"')]),
    "headers": (["headers"], [
        route("method", more='method = "DELETE";'),
        route("both", more=when(header("X-One", 'exact = "1"'), header("x-two", 'prefix = "a"'))),
        route("list", more=when(header("x-one", 'exact = "1,2"'))),
        route("absent", 'prefix = "/absent"', more=when(header("x-one", "present = true; invert = true"))),
        route("not", 'prefix = "/not"', more=when(header("x-one", 'exact = "1"; invert = true'))),
        route("query", more=when(header(":path", 'exact = "/q?a=b"'))),
        route("verb", more=when(header(":method", 'prefix = "PO"'))),
        route("any", 'prefix = "/any"', more=when(header("x-any", "present = true")))]),
    "none": (["none"], []),
    "rest": (["*"], [route("rest")]),
}

# Host, path, further header lines, method, and who gets it.
REQUESTS = [
    ("shop.local", "/", "", "GET", "exact"), ("SHOP.local", "/", "", "GET", "exact"),
    ("shop2.local", "/", "", "GET", "exact"), ("shop.local:8080", "/", "", "GET", "port"),
    ("shop.local:80", "/", "", "GET", "prefix"),  # the port counts
    ("a.shop.local", "/", "", "GET", "suffix"), ("a.b.shop.local", "/", "", "GET", "suffix"),
    ("a.eu.shop.local", "/", "", "GET", "longer-suffix"), ("eu.shop.local", "/", "", "GET", "suffix"),
    ("x-api.shop.local", "/", "", "GET", "dash-suffix"), ("-api.shop.local", "/", "", "GET", "suffix"),
    (".shop.local", "/", "", "GET", "rest"),  # a wildcard stands for something
    ("shop.org", "/", "", "GET", "prefix"), ("shop.example.org", "/", "", "GET", "longer-prefix"),
    ("shop.example.", "/", "", "GET", "prefix"), ("shop.", "/", "", "GET", "rest"),
    ("shop.eu.shop.local", "/", "", "GET", "longer-suffix"),  # suffixes come before prefixes
    ("shop", "/", "", "GET", "rest"), ("xshop.local", "/", "", "GET", "rest"), ("127.0.0.1", "/", "", "GET", "rest"),
    ("[::1]:80", "/", "", "GET", "rest"), ("none", "/", "", "GET", NO_ROUTE),
    ("paths", "/a", "", "GET", "path"), ("paths", "/a?b", "", "GET", "path"), ("paths", "/a?/a/b/", "", "GET", "path"),
    ("paths", "/a/", "", "GET", "a"), ("paths", "/ab", "", "GET", "a"), ("paths", "/a/b", "", "GET", "a"),
    ("paths", "/a/b/", "", "GET", "deep"), ("paths", "/a/b/c", "", "GET", "deep"),
    ("paths", "/a/late", "", "GET", "a"),  # the first in order wins, not the closest
    ("paths", "/A", "", "GET", "upper"), ("paths", "/%61", "", "GET", NO_ROUTE), ("paths", "//a", "", "GET", NO_ROUTE),
    ("paths", "/", "", "GET", NO_ROUTE), ("paths", "/./a", "", "GET", NO_ROUTE),
    ("PATHS", "/a", "", "GET", "path"),
    ("headers", "/", "", "DELETE", "method"), ("headers", "/", "", "delete", NO_ROUTE),
    ("headers", "/", "x-one: 1\r\nX-TWO: abc\r\n", "GET", "both"), ("headers", "/", "x-one: 1\r\n", "GET", NO_ROUTE),
    ("headers", "/", "x-one: 1\r\nx-two: ba\r\n", "GET", NO_ROUTE),
    ("headers", "/", "x-one: 1\r\nx-one: 2\r\n", "GET", "list"), ("headers", "/", "x-one: 1,2\r\n", "GET", "list"),
    ("headers", "/", "x-one: 2\r\nx-one: 1\r\n", "GET", NO_ROUTE),
    ("headers", "/", "x-one: 1, 2\r\n", "GET", NO_ROUTE),
    ("headers", "/absent", "", "GET", "absent"), ("headers", "/absent", "x-one: 3\r\n", "GET", NO_ROUTE),
    ("headers", "/not", "", "GET", NO_ROUTE),  # a missing header matches nothing, not even inverted
    ("headers", "/not", "x-one: 3\r\n", "GET", "not"), ("headers", "/not", "x-one: 1\r\n", "GET", NO_ROUTE),
    ("headers", "/q?a=b", "", "GET", "query"), ("headers", "/q?a=c", "", "GET", NO_ROUTE),
    ("headers", "/", "Content-Length: 0\r\n", "POST", "verb"), ("headers", "/any", "x-any:\r\n", "GET", "any"),
    ("headers", "/any", "", "GET", NO_ROUTE),
]
CLUSTERS = [name for _, routes in HOSTS.values() for name, _ in routes]


def config():
    hosts = ", ".join('{ name = "%s"; domains = [ %s ]; routes = ( %s ); }' % (
        name, ", ".join(f'"{domain}"' for domain in domains), ", ".join(text for _, text in routes))
        for name, (domains, routes) in HOSTS.items())
    web = ('{ name = "web"; service_network = "shop"; addresses = [ "%s", "%s" ]; port = 80; virtual_hosts = ( %s ); }'
           % (VIP[4], VIP[6], hosts))
    return services([web], [cluster(name, endpoint(("blue", "green")[n % 2], (4, 6)[n // 2 % 2], FIRST_PORT + n))
                            for n, name in enumerate(CLUSTERS)])


@pytest.fixture(scope="module", params=[1, 2], ids=["1-worker", "2-workers"])
def http(request):
    for made in shared_lab(request, config(), request.param):
        for vpc in ("blue", "green"):
            made.serve(vpc, "".join(
                '} server { listen %d; listen [::]:%d; location / { return 200 "%s %s"; }' % (port, port, vpc, name)
                for port, name in enumerate(CLUSTERS, FIRST_PORT)))
        yield made


def ask(client, host, path, lines, method):
    client.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode())
    status, body = client.answer()
    return body.decode() if status == 200 else status


@pytest.mark.parametrize("family", [4, 6])
def test_each_request_goes_where_the_table_says(http, family):
    """All on one connection."""
    client = connect(http.lab, family)
    got = {request: ask(client, *request[:4]) for request in REQUESTS}
    client.close()
    where = {name: f"{('blue', 'green')[n % 2]} {name}" for n, name in enumerate(CLUSTERS)}
    assert got == {request: where.get(request[4], request[4]) for request in REQUESTS}
