# SPDX-License-Identifier: Apache-2.0
"""Much of it: large bodies under loss and in tiny windows, thousands of connections, servers that close, crash and
come back, behind one node in VPCs that share their addresses."""

import filecmp
import os
import re

import pytest
from hosts import connect, lose, lost, shared_lab
from http_lab import VIP, address, cluster, endpoint, listener, services
from lab import HOSTS, WAIT_S, until

EDITED, IN_PLACE, BOTH, SHORT, OTHER = 80, 81, 82, 83, 84
SHORT_PORT = 8081
BIG_MB = 100
SMALL_MB = 4
LOSS_PERCENT = 1


def config():
    off = "x_forwarded_for = false; x_forwarded_proto = false; x_forwarded_port = false; x_request_id = false;"

    def to(name):
        return f'{{ prefix = "/"; cluster = "{name}"; timeout_ms = 0; }}'
    weighted = ('{ prefix = "/"; weighted_clusters = ( { cluster = "blue"; weight = 3; }, '
                '{ cluster = "green"; weight = 1; } ); }')
    return services(
        [listener(to("blue"), EDITED, "request_id_in_response = true;"), listener(to("blue6"), IN_PLACE, off),
         listener(weighted, BOTH), listener(to("short"), SHORT), listener(to("pair"), OTHER)],
        [cluster("blue", endpoint("blue", 4)), cluster("blue6", endpoint("blue", 6)),
         cluster("green", endpoint("green", 6)), cluster("short", endpoint("blue", 4, SHORT_PORT)),
         cluster("pair", endpoint("blue", 4), endpoint("green", 4))])


@pytest.fixture(scope="module", params=[1, 2], ids=["1-worker", "2-workers"])
def http(request):
    for made in shared_lab(request, config(), request.param):
        lab = made.lab
        made.files = {mb: os.path.join(lab.dir, f"random{mb}") for mb in (BIG_MB, SMALL_MB)}
        for mb, path in made.files.items():
            lab.run("red", "dd", "if=/dev/urandom", f"of={path}", "bs=1M", f"count={mb}", "status=none")
        made.serve("blue", more=f"""
            location /put {{ dav_methods PUT; create_full_put_path on; root {lab.dir}/up; }}
            location /chunked/ {{ alias {lab.dir}/; ssi on; ssi_types *; }}
            }} server {{ listen {SHORT_PORT}; keepalive_requests 3; keepalive_timeout 1s;
                location / {{ return 200 "$request_method"; }}""")
        made.serve("green")
        made.wait_up(4, 6)
        yield made


def transfer(http, mb, family, port):
    """A file up and down again, byte for byte."""
    lab, path = http.lab, http.files[mb]
    more = ["--max-time", str(3 * WAIT_S)]  # the machine may be busy
    got, url = os.path.join(lab.dir, "got"), f"http://{address(family)}:{port}"
    for args, down in (((), "/"), (("-H", "Transfer-Encoding: chunked"), "/chunked/")):
        stored = os.path.join(lab.dir, "up", "put", "file")
        if os.path.exists(stored):
            os.remove(stored)
        http.curl("-f", "-o", "/dev/null", *more, *args, "-T", path, f"{url}/put/file")
        assert filecmp.cmp(path, stored, shallow=False)
        head = http.curl("-f", "-D", "-", "-o", got, *more, f"{url}{down}{os.path.basename(path)}").lower()
        assert ("transfer-encoding: chunked" in head) == (down == "/chunked/")
        assert filecmp.cmp(path, got, shallow=False)


@pytest.mark.parametrize("family, port", [(4, EDITED), (4, IN_PLACE), (6, EDITED), (6, IN_PLACE)])
def test_transfers_survive_loss(http, family, port):
    for vpc in ("red", "blue"):
        lose(http.lab, vpc, LOSS_PERCENT)
    try:
        transfer(http, SMALL_MB, family, port)
    finally:
        dropped = [lost(http.lab, vpc) for vpc in ("red", "blue")]
    assert min(dropped) > 0


def test_large_transfers_are_whole(http):
    """Clean over one, with loss over the other: content lengths and chunks."""
    transfer(http, BIG_MB, 6, IN_PLACE)
    for vpc in ("red", "blue"):
        lose(http.lab, vpc, LOSS_PERCENT)
    try:
        transfer(http, BIG_MB, 4, EDITED)
    finally:
        dropped = [lost(http.lab, vpc) for vpc in ("red", "blue")]
    assert min(dropped) > 100


# What the client says of itself in its SYN holds for the endpoint too, whatever that one would send.
@pytest.mark.parametrize("metric", ["advmss 88", "advmss 216", "window 2000"])
def test_small_segments_and_windows(http, metric):
    lab = http.lab
    gateways = {family: HOSTS["red"][family][1] for family in (4, 6)}
    for family, gateway in gateways.items():
        lab.ip("red", f"-{family} route add {VIP[family]} via {gateway} {metric}")
    try:
        for family, port in ((4, EDITED), (6, IN_PLACE)):
            got = os.path.join(lab.dir, "got")
            http.curl("-f", "-o", got, f"http://{address(family)}:{port}/page")
            assert filecmp.cmp(os.path.join(lab.dir, "page"), got, shallow=False)
            http.curl("-f", "-o", "/dev/null", "-T", got, f"http://{address(family)}:{port}/put/page")
            assert filecmp.cmp(got, os.path.join(lab.dir, "up", "put", "page"), shallow=False)
    finally:
        for family in gateways:
            lab.ip("red", f"-{family} route del {VIP[family]}")


def wrk(http, port, *more):
    return http.lab.run("red", "wrk", "-t", "2", "--timeout", f"{WAIT_S}s", *more, f"http://{address(4)}:{port}/who")


def requests_of(vpc, http, port=8080):
    """How many requests a VPC's endpoint was sent."""
    rows = http.view("clusters")["endpoints"]
    return sum(row["requests"] for row in rows if row["vrf"] == vpc and row["endpoint"].endswith(f":{port}"))


def test_wrk_sees_no_failure(http):
    for more in (["-c", "64"], ["-c", "32", "-H", "Connection: close"]):
        before = [requests_of(vpc, http) for vpc in ("blue", "green")]
        out = wrk(http, BOTH, "-d", "2s", *more)
        assert "Non-2xx" not in out and "Socket errors" not in out, out
        sent = [requests_of(vpc, http) - n for vpc, n in zip(("blue", "green"), before)]
        assert sum(sent) >= int(re.search(r"(\d+) requests in", out)[1]) > 100
        assert abs(sent[0] - 3 * sent[1]) <= 0.05 * sum(sent), sent


def test_thousands_of_connections_live_side_by_side(http):
    """All open at once, and each used twice."""
    clients = [connect(http.lab, (4, 6)[n % 2], BOTH) for n in range(2000)]
    try:
        for n in range(2):
            for client in clients:
                client.send(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
            for client in clients:
                status, body = client.answer()
                assert status == 200 and body in (b"blue", b"green")
        assert http.view("flows", "phase=request", "--limit", "1")["in_use"] >= len(clients)
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_servers_that_close_after_few_requests_are_not_noticed(http, method):
    urls = [f"http://{address(4)}:{SHORT}/"] * 200
    assert http.curl("-f", "-X", method, *urls) == method * 200


def test_servers_that_close_idle_connections_are_not_noticed(http):
    """The endpoint's time-out runs out between two requests of one client."""
    def legs():
        rows = http.view("clusters")["endpoints"]
        return sum(row["idle_legs"] for row in rows if row["endpoint"].endswith(f":{SHORT_PORT}"))
    client = connect(http.lab, 6, SHORT)
    for method in (b"GET", b"POST"):
        client.send(method + b" / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        assert client.answer() == (200, method)
        until(lambda: legs() > 0, "an idle connection")
        until(lambda: legs() == 0, "the endpoint's time-out")
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    assert client.answer() == (200, b"POST")
    client.close()


def test_a_crash_under_load_costs_what_was_under_way(http):
    """A server is killed, the other one takes over, and the first comes back."""
    lab = http.lab
    log = os.path.join(lab.dir, "wrk.log")
    with open(log, "w", encoding="utf-8") as out:
        load = lab.start("red", "wrk", "-t", "1", "-c", "32", "-d", "4s", f"http://{address(4)}:{OTHER}/who", log=out)
    before = requests_of("green", http)
    until(lambda: requests_of("green", http) > before + 100, "load")
    crashed = http.servers.pop("green")
    lab.run("green", "sh", "-c", "kill -9 $(cat %s/green/pid) $(pgrep -P $(cat %s/green/pid))" % (lab.dir, lab.dir))
    crashed.wait(WAIT_S)
    before = requests_of("blue", http)
    until(lambda: requests_of("blue", http) > before + 100, "the other endpoint")
    assert {http.get(":%d/who" % OTHER, 4) for _ in range(10)} == {"blue"}
    http.serve("green")
    until(lambda: http.get(":%d/who" % OTHER, 4) == "green", "the crashed one")
    assert load.wait(WAIT_S) == 0
    out = open(log, encoding="utf-8").read()
    errors = int((re.search(r"Non-2xx or 3xx responses: (\d+)", out) or [0, 0])[1])
    total = int(re.search(r"(\d+) requests in", out)[1])
    assert total > 1000 and errors <= 32, out  # GETs are tried again
    for _ in range(20):
        assert http.get(":%d/who" % OTHER, 4) in ("blue", "green")
