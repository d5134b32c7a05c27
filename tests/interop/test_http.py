# SPDX-License-Identifier: Apache-2.0
"""HTTP through the node: curl in one VPC, nginx in two others, all with the same addresses, over SRv6."""

import hashlib
import os
import re

import pytest
from http_lab import HOST, HttpLab, SERVER_PORT, VIP, VPCS, address, cluster, endpoint, listener, out_sid, services
from lab import LOCATORS, WAIT_S, until


# Heads pass as they are.
PLAIN = "x_forwarded_for = false; x_forwarded_proto = false; x_forwarded_port = false; x_request_id = false;"


@pytest.fixture
def http(lab):
    return HttpLab(lab)


def by_header(green_family=4, route="", edits=""):
    """blue for everybody, green for those who ask for it."""
    return services(
        [listener('{ prefix = "/"; headers = ( { name = "x-vpc"; exact = "green"; } ); cluster = "green"; %s }, '
                  '{ prefix = "/"; cluster = "blue"; %s }' % (route, route), more=edits)],
        [cluster("blue", endpoint("blue", 4)), cluster("green", endpoint("green", green_family))])


@pytest.mark.parametrize("family", [4, 6])
def test_routed_by_header(http, workers, family):
    http.build(by_header(), workers)
    http.serve("blue")
    http.serve("green")
    http.wait_up(family)
    for _ in range(5):
        assert http.get("/who", family) == "blue"
        assert http.get("/who", family, "-H", "x-vpc: green") == "green"


# Which family the endpoint has; the client's is the test's own parameter.
@pytest.mark.parametrize("server_family", [4, 6])
def test_families_are_translated(http, workers, server_family):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; }')],
                        [cluster("blue", endpoint("blue", server_family))]), workers)
    http.serve("blue")
    http.wait_up(4, 6)
    page = open(os.path.join(http.lab.dir, "page"), "rb").read()
    for family in (4, 6):
        assert http.get("/who", family) == "blue"
        got = os.path.join(http.lab.dir, "got")
        http.get("/page", family, "-o", got)
        assert open(got, "rb").read() == page


def test_one_connection_changes_endpoint_with_every_request(http, workers):
    http.build(services([listener('{ prefix = "/"; weighted_clusters = ( { cluster = "both"; weight = 1; } ); }')],
                        [cluster("both", endpoint("blue", 4), endpoint("green", 6))]), workers)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4)
    urls = [f"http://{address(4)}/who"] * 20
    out = http.curl("-w", " %{num_connects}\n", *urls).split("\n")[:-1]
    names = [line.split()[0] for line in out]
    assert sum(int(line.split()[1]) for line in out) == 1  # curl kept its connection
    assert all(names[i] != names[i + 1] for i in range(len(names) - 1)), names


def test_heads_are_edited(http, workers):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; }', more="request_id_in_response = true;")],
                        [cluster("blue", endpoint("blue", 4))]), workers)
    http.serve("blue")
    http.wait_up(4, 6)
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    seen = set()
    for family in (4, 6):
        answer = http.get("/echo", family, "-D", "-")
        head, body = answer.replace("\r", "").split("\n\n", 1)
        client, proto, port, request_id = body.split()
        assert (client, proto, port) == (HOST[family], "http", "80")
        assert re.fullmatch(uuid, request_id)
        assert f"x-request-id: {request_id}" in head
        seen.add(request_id)
    assert len(seen) == 2
    answer = http.get("/echo", 4, "-i", "-H", "x-forwarded-for: 192.0.2.1", "-H", "x-request-id: mine",
                      "-H", "x-forwarded-proto: https")
    assert answer.endswith(f"192.0.2.1, {HOST[4]} http 80 mine"), answer
    assert "x-request-id: mine" in answer


@pytest.mark.parametrize("edits", ["", PLAIN], ids=["edited", "nothing-else"])
def test_host_is_rewritten(http, workers, edits):
    http.build(services([listener('{ prefix = "/as-is"; cluster = "blue"; }, '
                                  '{ prefix = "/"; cluster = "blue"; host_rewrite = "inner.example:81"; }', more=edits)],
                        [cluster("blue", endpoint("blue", 4))]), workers)
    http.serve("blue", more='location / { return 200 "$request|$http_host|$host|$http_x_forwarded_host"; }')
    http.wait_up(4, 6)
    for family in (4, 6):
        def told(path, *args, family=family):
            return http.get(path, family, "-H", "Host: outer.example", *args)
        assert told("/as-is") == "GET /as-is HTTP/1.1|outer.example|outer.example|"
        assert told("/a?b") == "GET /a?b HTTP/1.1|inner.example:81|inner.example|"
        assert told("/", "-d", "x") == "POST / HTTP/1.1|inner.example:81|inner.example|"
        # A server goes by the target's host where there is one.
        assert told("/", "--request-target", "http://outer.example/a?b") == \
            "GET http://inner.example:81/a?b HTTP/1.1|inner.example:81|inner.example|"


@pytest.mark.parametrize("edits", ["", PLAIN], ids=["edited", "in-place"])
def test_large_bodies_arrive_whole(http, workers, edits):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; timeout_ms = 0; }', more=edits)],
                        [cluster("blue", endpoint("blue", 4))]), workers)
    big = os.path.join(http.lab.dir, "big")
    http.lab.run("red", "dd", "if=/dev/urandom", f"of={big}", "bs=1M", "count=20", "status=none")
    http.serve("blue", more=f"location /put {{ dav_methods PUT; create_full_put_path on; root {http.lab.dir}/up; }}")
    http.wait_up(4)
    got = os.path.join(http.lab.dir, "got")
    http.get("/big", 4, "-o", got)
    http.lab.run("red", "cmp", big, got)
    http.get("/put/big", 4, "-T", big)
    http.lab.run("red", "cmp", big, os.path.join(http.lab.dir, "up", "put", "big"))


def test_what_nobody_serves_is_refused(http, workers):
    http.build(by_header(), workers)
    http.serve("blue")
    http.wait_up(4, 6)
    for family in (4, 6):
        done = http.lab.run("red", "sh", "-c",
                            f"curl -sg --max-time 20 http://{address(family)}:81/ || echo refused $?")
        assert "refused 7" in done  # at once: a RST, not a time-out
        out = http.lab.run("red", "ping", "-c", "2", "-i", "0.2", "-W", "5", VIP[family])
        assert " 0% packet loss" in out
    assert http.drops()["l7_no_listener"] == 2
    # green has no server: its host says so with a RST.
    assert http.get("/who", 4, "-o", "/dev/null", "-w", "%{http_code}", "-H", "x-vpc: green") == "503"


def test_tcp_listener_balances_connections(http, workers):
    http.build(services(['{ name = "raw"; service_network = "shop"; protocol = "tcp"; addresses = [ "%s", "%s" ]; '
                         'port = 80; cluster = "both"; }' % (VIP[4], VIP[6])],
                        [cluster("both", endpoint("blue", 4), endpoint("green", 6))]), workers)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4, 6)
    for family in (4, 6):
        assert {http.get("/who", family) for _ in range(8)} == {"blue", "green"}
        page = open(os.path.join(http.lab.dir, "page"), "rb").read()
        got = os.path.join(http.lab.dir, "got")
        http.get("/page", family, "-o", got)
        assert open(got, "rb").read() == page


def test_server_restart_costs_no_request(http, workers):
    http.build(services([listener('{ prefix = "/"; cluster = "both"; }')],
                        [cluster("both", endpoint("blue", 4), endpoint("green", 4))]), workers)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4)
    for vpc in ("blue", "green"):
        other = "green" if vpc == "blue" else "blue"
        http.stop(vpc)
        assert {http.get("/who", 4) for _ in range(6)} == {other}
        http.serve(vpc)
        assert {http.get("/who", 4) for _ in range(6)} == {"blue", "green"}


# Behind the node's back the way to the client becomes narrower than what the handshake promised: its router says
# so to the virtual address, and the node to nginx's host, in that connection's numbers and family.
@pytest.mark.parametrize("family", [4, 6])
def test_path_mtu_is_told_through_the_splice(http, workers, family):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; }')],
                        [cluster("blue", endpoint("blue", 10 - family))]), workers)
    http.serve("blue")
    http.wait_up(family)
    told = {4: "Icmp6InPktTooBigs", 6: "IcmpInDestUnreachs"}[family]
    assert http.count("blue", told) == 0
    http.lab.ip("k1", "link set edge mtu 1300")
    page = open(os.path.join(http.lab.dir, "page"), "rb").read()
    got = os.path.join(http.lab.dir, "got")
    http.get("/page", family, "-o", got)
    assert open(got, "rb").read() == page
    assert http.count("blue", told) > 0


# The policy to the client becomes longer than its connection knows: what the node sends does not fit any more, and
# the node hears of it from itself.
@pytest.mark.parametrize("family", [4, 6])
def test_own_packets_that_do_not_fit_are_heard_of(http, workers, family):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; }')],
                        [cluster("blue", endpoint("blue", 10 - family))]), workers, mtu=1540)
    http.serve("blue")
    http.wait_up(family)
    session = http.session(family)
    assert session.get("/who")[3] == "blue"
    through = LOCATORS["k1"] + "e"
    http.lab.sid("k1", through, "End")
    http.reload((f'segments = [ "{out_sid("red", family)}" ]', f'segments = [ "{through}", "{out_sid("red", family)}" ]'))
    status, length, digest, _ = session.get("/page")
    page = open(os.path.join(http.lab.dir, "page"), "rb").read()
    assert (status, length, digest) == (200, len(page), hashlib.sha256(page).hexdigest())
    told = {4: "Icmp6InPktTooBigs", 6: "IcmpInDestUnreachs"}[family]
    assert http.count("blue", told) > 0
    assert http.drops()[f"ip{family}_too_big"] > 0


def test_reload_moves_a_connection_to_the_new_endpoint(http, workers):
    http.build(services([listener('{ prefix = "/"; cluster = "one"; }')],
                        [cluster("one", endpoint("blue", 4))]), workers)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4, 6)
    sessions = [http.session(family) for family in (4, 6, 4, 6)]
    assert [session.get("/who")[3] for session in sessions] == ["blue"] * 4
    http.reload((endpoint("blue", 4), endpoint("green", 6)))
    assert [session.get("/who")[3] for session in sessions] == ["green"] * 4


# As many requests as the shares have turns: each share is met exactly.
def test_reload_that_fails_a_priority_moves_its_share(http):
    def at(priority, vpc, health="HEALTHY"):
        return (f'{{ priority = {priority}; region = "{vpc}"; endpoints = ( '
                f'{endpoint(vpc, 4)[:-1]} health = "{health}"; }}, {endpoint(vpc, 6)} ); }}')

    def answers(n):
        who = [http.get("/who", 4) for _ in range(n)]
        return {vpc: who.count(vpc) for vpc in set(who)}

    def localities(*all_of_them):
        return f'localities = ( {", ".join(all_of_them)} );'

    first = localities(at(0, "blue"), at(1, "green"))
    http.build(services([listener('{ prefix = "/"; cluster = "one"; }')], [f'{{ name = "one"; {first} }}']), 1)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4, 6)
    assert answers(10) == {"blue": 10}
    half = localities(at(0, "blue", "UNHEALTHY"), at(1, "green"))
    http.reload((first, half))
    assert answers(20) == {"blue": 14, "green": 6}  # 140 % of half of them
    rows = http.view("clusters")["endpoints"]
    assert sorted((row["health"], row["priority"], row["locality"]) for row in rows) == [
        ("healthy", 0, "blue//"), ("healthy", 1, "green//"), ("healthy", 1, "green//"), ("unhealthy", 0, "blue//")]
    http.reload((half, localities(at(0, "blue", "UNHEALTHY"), at(1, "green")).replace(
        endpoint("blue", 6), endpoint("blue", 6)[:-1] + 'health = "UNHEALTHY"; }')))
    assert answers(10) == {"green": 10}


# Not one request fails while weights, endpoints and routes change.
def test_reloads_under_load_cost_no_request(http, workers):
    http.build(services([listener('{ prefix = "/"; weighted_clusters = ( { cluster = "blue"; weight = 1; }, '
                                  '{ cluster = "green"; weight = 0; } ); }')],
                        [cluster("blue", endpoint("blue", 4)), cluster("green", endpoint("green", 6))]), workers)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4, 6)
    out = os.path.join(http.lab.dir, "load")
    with open(out, "w", encoding="utf-8") as log:
        load = http.lab.start("red", "curl", "-sS", "-Z", "--no-progress-meter", "--parallel-max", "20", "-w", "\n%{http_code}\n",
                              f"http://{address(4)}/who?[1-3000]", log=log)
    turns = [("weight = 1; }, { cluster = \"green\"; weight = 0;", "weight = 0; }, { cluster = \"green\"; weight = 1;"),
             (endpoint("green", 6), endpoint("green", 4)),
             (endpoint("green", 4), endpoint("blue", 6)),
             ("weight = 0; }, { cluster = \"green\"; weight = 1;", "weight = 3; }, { cluster = \"green\"; weight = 1;"),
             (endpoint("blue", 6), endpoint("green", 6))]
    for turn in turns:
        n_before = os.path.getsize(out)
        until(lambda n_before=n_before: os.path.getsize(out) > n_before or load.poll() is not None, "the load's progress")
        http.reload(turn)
    assert load.wait(4 * WAIT_S) == 0
    text = open(out, encoding="utf-8").read()
    # Parallel transfers' lines are not in order, but whole.
    assert text.count("blue") > 0 and text.count("green") > 0
    assert text.count("blue") + text.count("green") == 3000
    assert text.replace("blue", "").replace("green", "").split() == ["200"] * 3000


def test_who_owns_a_flow_is_found_without_dispatch(http):
    """Two workers, each polling some ports only: packets that come to the wrong one are handed over."""
    http.build(by_header(), 2, dispatch=False)
    http.serve("blue")
    http.serve("green")
    http.wait_up(4, 6)
    for _ in range(20):
        assert http.get("/who", 4) == "blue"
        assert http.get("/who", 6, "-H", "x-vpc: green") == "green"
    assert http.node_packets("dispatch") > 0


# Every host loses 2 % of what it sends and of what it receives; what arrives is what was sent.
@pytest.mark.parametrize("edits", ["", PLAIN], ids=["edited", "in-place"])
def test_loss_is_repaired_by_the_hosts(http, workers, edits):
    http.build(by_header(6, "timeout_ms = 0;", edits), workers)
    for vpc in ("blue", "green"):
        http.serve(vpc, more=f"location /put {{ dav_methods PUT; create_full_put_path on; root {http.lab.dir}/{vpc}; }}")
    http.wait_up(4, 6)
    big = os.path.join(http.lab.dir, "big")
    http.lab.run("red", "dd", "if=/dev/urandom", f"of={big}", "bs=1M", "count=5", "status=none")
    http.lose(2)
    got = os.path.join(http.lab.dir, "got")
    for family in (4, 6):
        for vpc in ("blue", "green"):
            http.get("/big", family, "-o", got, "-H", f"x-vpc: {vpc}")
            http.lab.run("red", "cmp", big, got)
            http.get(f"/put/{family}", family, "-T", big, "-H", f"x-vpc: {vpc}")
            http.lab.run("red", "cmp", big, os.path.join(http.lab.dir, vpc, "put", str(family)))
            for _ in range(10):
                assert http.get("/who", family, "-H", f"x-vpc: {vpc}") == vpc


# Segments of 200 bytes and a client that reads slowly: heads come in pieces, windows shut.
def test_small_segments_and_windows(http, workers):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; }')],
                        [cluster("blue", endpoint("blue", 4))]), workers)
    http.serve("blue")
    http.wait_up(4)
    for vpc in ("red", "blue"):
        http.lab.ip(vpc, "route replace default via 10.0.1.1 advmss 200 window 4096")
    page = open(os.path.join(http.lab.dir, "page"), "rb").read()
    got = os.path.join(http.lab.dir, "got")
    for _ in range(3):
        http.get("/page", 4, "-o", got, "-H", "x-long: " + "y" * 3000)
        assert open(got, "rb").read() == page


# The endpoint is whoever has the address in the client's own VPC, and legs that are kept for the next request must
# not cross over. The clients' connections have the same addresses and ports.
@pytest.mark.parametrize("family", [4, 6])
def test_endpoint_in_the_clients_vpc_is_not_another_vpcs(http, workers, family):
    local = f'{{ name = "local"; endpoints = ( {{ address = "{HOST[10 - family]}"; port = {SERVER_PORT}; }} ); }}'
    http.build(services([listener('{ prefix = "/"; cluster = "local"; }')], [local]), workers, members=tuple(VPCS))
    for vpc in VPCS:
        http.serve(vpc)
    http.wait_up(family)
    sessions = {vpc: http.session(family, vpc, 45678) for vpc in VPCS}
    for _ in range(5):
        for vpc in VPCS:
            assert sessions[vpc].get("/who")[3] == vpc
        for vpc in VPCS:
            assert http.curl(f"http://{address(family)}/who", vpc=vpc) == vpc


# SIGTERM: the idle connection is closed, the request under way gets all of its answer, nobody new comes in.
def test_stop_ends_what_is_under_way(http, workers):
    http.build(services([listener('{ prefix = "/"; cluster = "blue"; }')],
                        [cluster("blue", endpoint("blue", 4))]), workers)
    node = http.lab.processes[0]
    http.serve("blue", more=f"location = /slow {{ limit_rate 100k; alias {http.lab.dir}/page; }}")
    http.wait_up(4)
    idle = http.session(4)
    assert idle.get("/who")[3] == "blue"
    got = os.path.join(http.lab.dir, "got")
    slow = http.lab.start("red", "curl", "-sSg", "-o", got, f"http://{address(4)}/slow")
    until(lambda: os.path.exists(got) and os.path.getsize(got) > 0, "the answer's beginning")
    node.terminate()
    until(lambda: "CLOSE-WAIT" in http.lab.run("red", "ss", "-Htn"), "the idle connection's end")
    idle.process.kill()
    assert http.lab.run("red", "sh", "-c", f"curl -sg http://{address(4)}/who || echo refused $?") == "refused 7\n"
    assert slow.wait(WAIT_S) == 0
    page = open(os.path.join(http.lab.dir, "page"), "rb").read()
    assert open(got, "rb").read() == page
    assert node.wait(WAIT_S) == 0
    assert "stop: drained connections_left=0" in http.lab.log()
