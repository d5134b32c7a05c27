# SPDX-License-Identifier: Apache-2.0
"""What pergolactl says of services while requests go through the node, against what clients and servers saw."""

import pytest
from http_lab import HOST, HttpLab, VIP, cluster, endpoint, listener, policy, services
from lab import until

N_REQUESTS = 12


@pytest.fixture
def http(lab, workers):
    """/who to blue, /dead to a port that nobody listens on, /stop answered by the node."""
    http = HttpLab(lab)
    http.build(services(
        [listener('{ name = "dead"; path = "/dead"; cluster = "dead"; }, '
                  '{ path = "/stop"; direct_response = { status = 418; }; }, { prefix = "/"; cluster = "blue"; }')],
        [cluster("blue", endpoint("blue", 4)), cluster("dead", endpoint("blue", 4, port=1))]), workers)
    http.serve("blue")
    http.wait_up(4)
    return http


def rows(http, command, name, *args):
    return http.view(command, *args)[name]


def wait_for(get, check, what):
    """What get returns, once check is content with it."""
    last = []

    def checked():
        last[:] = [get()]
        return check(last[0])

    until(checked, what)
    return last[0]


def row(http, command, name, **wanted):
    """The one row that has the wanted values."""
    found = [r for r in rows(http, command, name) if all(r[key] == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, found)
    return found[0]


def test_requests_are_counted_at_every_level(http):
    places = [("services", "services", dict(listener="web80")),
              ("services", "virtual_hosts", dict(virtual_host="web80/all")),
              ("routes", "http_routes", dict(route="web80/all/#2")),
              ("clusters", "clusters", dict(cluster="blue")),
              ("clusters", "endpoints", dict(cluster="blue"))]
    before = [row(http, command, name, **wanted) for command, name, wanted in places]
    session = http.session(4)
    for _ in range(N_REQUESTS):
        assert session.get("/who")[0] == 200
    assert session.get("/missing")[0] == 404
    for (command, name, wanted), old in zip(places, before):
        # The last acknowledgement of a response comes when it comes.
        least = old["bytes_down"] + 100 * N_REQUESTS
        new = wait_for(lambda: row(http, command, name, **wanted), lambda r: r["bytes_down"] > least, wanted)
        assert new["requests"] - old["requests"] == N_REQUESTS + 1, wanted
        assert new["status"]["2xx"] - old["status"]["2xx"] == N_REQUESTS, wanted
        assert new["status"]["4xx"] - old["status"]["4xx"] == 1, wanted
        assert new["bytes_up"] - old["bytes_up"] > 20 * N_REQUESTS, wanted
        for which in ("first_byte_us", "response_us"):
            assert new[which]["count"] - old[which]["count"] == N_REQUESTS + 1, wanted
            assert 0 < new[which]["p50"] <= new[which]["p99"] <= new[which]["max"], wanted


def test_what_the_node_answers_is_told_by_reason(http):
    assert http.get("/dead", 4, "-o", "/dev/null", "-w", "%{http_code}") == "503"
    assert http.get("/stop", 4, "-o", "/dev/null", "-w", "%{http_code}") == "418"
    reasons = row(http, "services", "services", listener="web80")["own_replies_by_reason"]
    assert reasons["connect_failed"] == 1 and reasons["direct_response"] == 1, reasons
    dead = row(http, "clusters", "endpoints", cluster="dead")
    assert dead["connect_failures"] >= 1 and dead["active"] == 0 and dead["idle_legs"] == 0
    assert dead["own_replies_by_reason"] == {"connect_failed": 1}
    assert row(http, "routes", "http_routes", route="web80/all/dead")["own_replies"] == 1
    # A good request and one without a host: the second is not of the first one's virtual host.
    out = http.lab.run("red", "bash", "-c", f"exec 3<>/dev/tcp/{VIP[4]}/80; cat <&3 & "
                       "printf 'GET /who HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET / HTTP/1.1\\r\\n\\r\\n' >&3; wait")
    assert "200 OK" in out and "400 Bad Request" in out
    malformed = rows(http, "services", "malformed")
    assert sum(r["heads"] for r in malformed) == 1, malformed
    assert row(http, "services", "services", listener="web80")["own_replies_by_reason"]["malformed_request"] == 1
    assert "malformed_request" not in row(http, "services", "virtual_hosts", virtual_host="web80/all")[
        "own_replies_by_reason"]


def test_flows_are_found_by_what_they_are(http):
    sessions = [http.session(4) for _ in range(3)]
    for n, session in enumerate(sessions):
        for _ in range(n + 1):
            session.get("/who")
    # Those of curl may still linger.
    found = wait_for(lambda: rows(http, "flows", "flows", "phase=request", f"client={HOST[4]}"),
                     lambda flows: len(flows) == 3, "three flows at rest")
    assert sorted(f["requests"] for f in found) == [1, 2, 3]
    for flow in found:
        assert (flow["vrf"], flow["listener"], flow["virtual_host"]) == ("red", "web80", "web80/all")
        assert (flow["cluster"], flow["endpoint"]) == ("blue", f"{HOST[4]}:8080")
        assert flow["address"] == f"{VIP[4]}:80"
    one = rows(http, "flows", "flows", f"client={found[0]['client']}")
    assert [f["client"] for f in one] == [found[0]["client"]]
    assert rows(http, "flows", "flows", "cluster=dead") == []
    assert rows(http, "flows", "flows", "phase=bound") == []
    cut = http.view("flows", "phase=request", "--limit", "2")
    assert len(cut["flows"]) == 2 and cut["cut"] and cut["in_use"] >= 3
    assert row(http, "services", "services", listener="web80")["active"] >= 3
    endpoints = row(http, "clusters", "endpoints", cluster="blue")
    assert endpoints["idle_legs"] >= 1 and endpoints["active"] == 0
    assert (endpoints["state"], endpoints["vrf"], endpoints["policy"]) == ("live", "blue", policy("blue", 4))


def test_tables_are_for_people(http):
    http.get("/who")
    session = http.session(4)
    session.get("/who")
    for command, *titles in (("services", "LISTENER", "VIRTUAL HOST", "LATENCY (US)"), ("routes", "HTTP ROUTE"),
                             ("clusters", "CLUSTER", "LATENCY (US)"), ("flows", "WORKER"),
                             ("status", "64 KIB BUFFERS")):
        out = http.lab.ctl(command)
        for title in titles:
            assert title in out, (command, out)
    assert "web80/all" in http.lab.ctl("services", "web80")
    assert http.lab.ctl("routes", "--http", "web80").startswith("HTTP ROUTE")
