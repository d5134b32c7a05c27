# SPDX-License-Identifier: Apache-2.0
"""Load by tools that others wrote: h2load, wrk, iperf3 and a WebSocket library. Nothing fails, and afterwards the node
has nothing left in its hands. PERGOLA_LOAD_S makes each run so many seconds long."""

import json
import os
import re

import pytest
from hosts import shared_lab
from http_lab import VIP, address, cluster, endpoint, listener, services
from lab import LOAD_S, ROOT, until

RAW, TALK, LEAST, RANDOM = 81, 82, 83, 84
IPERF_PORT, TALK_PORT = 5201, 8083
N_MESSAGES = 200
SLOWLY = "limit_rate 200k;"  # a page takes about a second
PEER = os.path.join(ROOT, "tests", "interop", "websocket_peer.py")


def config():
    raw = ('{ name = "raw"; service_network = "shop"; protocol = "tcp"; addresses = [ "%s", "%s" ]; port = %d; '
           'cluster = "raw"; }' % (VIP[4], VIP[6], RAW))
    return services([listener('{ prefix = "/"; cluster = "both"; }'), raw,
                     listener('{ prefix = "/"; cluster = "talk"; }', TALK),
                     listener('{ prefix = "/"; cluster = "least"; }', LEAST),
                     listener('{ prefix = "/"; cluster = "random"; }', RANDOM)],
                    [cluster("both", endpoint("blue", 4), endpoint("green", 6)),
                     cluster("raw", endpoint("blue", 4, IPERF_PORT)), cluster("talk", endpoint("green", 6, TALK_PORT)),
                     *(cluster(name, endpoint("blue", 4), endpoint("green", 6),
                               more=f'lb_policy = "{policy}"; choice_count = 8;')
                       for name, policy in (("least", "LEAST_REQUEST"), ("random", "RANDOM")))])


def load_location(how):
    return f"location = /load {{ {how} try_files /page =404; }}"


@pytest.fixture(scope="module", params=[1, 2], ids=["1-worker", "2-workers"])
def http(request):
    for made in shared_lab(request, config(), request.param):
        made.serve("blue", load_location(""))
        made.serve("green", load_location(SLOWLY))
        made.wait_up(4, 6)
        yield made
        until(lambda: not any(made.left().values()), "everything's return")


# h2load puts the brackets of an IPv6 address into no Host field: it is given a name.
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("pipelined", [1, 8])
def test_h2load_sees_no_failure(http, family, pipelined):
    out = http.lab.run("red", "h2load", "--h1", "-c", "50", "-m", str(pipelined), "-D", str(LOAD_S),
                       "--connect-to", f"{address(family)}:80", "http://web.local/who")
    total, failed, errored, timeout = re.search(
        r"requests: (\d+) total, .* (\d+) failed, (\d+) errored, (\d+) timeout", out).groups()
    assert int(total) > 100 and (failed, errored, timeout) == ("0", "0", "0"), out
    assert re.search(r" 0 3xx, 0 4xx, 0 5xx", out), out


@pytest.mark.parametrize("more", [[], ["-H", "Connection: close"]], ids=["kept", "closed"])
def test_wrk_sees_no_failure(http, more):
    out = http.lab.run("red", "wrk", "-t", "2", "-c", "64", "-d", f"{LOAD_S}s", *more, f"http://{address(6)}/page")
    assert "Non-2xx" not in out and "Socket errors" not in out, out


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("direction", [[], ["-R"]], ids=["up", "down"])
def test_iperf3_through_a_tcp_listener(http, family, direction):
    log_path = os.path.join(http.lab.dir, "iperf.log")
    with open(log_path, "w", encoding="utf-8") as log:
        server = http.lab.start("blue", "iperf3", "-s", "-1", "--forceflush", log=log)
    until(lambda: "listening" in open(log_path, encoding="utf-8").read(), "iperf3's server")
    result = json.loads(http.lab.run("red", "iperf3", "-J", "-c", VIP[family], "-p", str(RAW), "-P", "4",
                                     "-t", str(LOAD_S), *direction))
    assert "error" not in result, result["error"]
    assert result["end"]["sum_received"]["bytes"] > 0
    assert server.wait() == 0


def test_websockets_talk(http):
    http.lab.start("green", "/usr/bin/python3", PEER, "serve", str(TALK_PORT))
    until(lambda: f":{TALK_PORT} " in http.lab.run("green", "ss", "-Hltn"), "the echo server")
    for family in (4, 6):
        url = f"ws://{address(family)}:{TALK}/chat"
        out = http.lab.run("red", "/usr/bin/python3", PEER, "ask", url, str(N_MESSAGES))
        assert out == f"{N_MESSAGES}\n"


def requests_of(http, name):
    return {row["vrf"]: row["requests"] for row in http.view("clusters", name)["endpoints"]}


# green sends slowly. By turns or by chance it would get half of all requests.
@pytest.mark.parametrize("name, port, n_clients, low, high",
                         [("least", LEAST, 8, 0, 0.3), ("random", RANDOM, 32, 0.3, 0.7)])
def test_a_slow_endpoint_gets_fewer_requests(http, name, port, n_clients, low, high):
    before = requests_of(http, name)
    out = http.lab.run("red", "h2load", "--h1", "-c", str(n_clients), "-n", "200",
                       "--connect-to", f"{address(6)}:{port}", "http://web.local/load")
    assert "200 succeeded, 0 failed, 0 errored" in out, out
    had = {vpc: n - before[vpc] for vpc, n in requests_of(http, name).items()}
    assert low < had["green"] / sum(had.values()) < high, had
