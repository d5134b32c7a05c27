# SPDX-License-Identifier: Apache-2.0
"""pergolactl against a server that answers what each case wants: arguments, tables, exit codes.

PERGOLACTL names the program."""

import http.server
import json
import os
import socketserver
import subprocess
import threading

import pytest

PERGOLACTL = os.environ["PERGOLACTL"]


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers each request with the next of answers; keeps "METHOD target" of each."""

    daemon_threads = True

    def __init__(self, path):
        super().__init__(path, Handler)
        self.answers = []
        self.requests = []


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.server.requests.append(f"{self.command} {self.path}")
        status, body = self.server.answers.pop(0)
        if status is None:
            self.wfile.write(b"what?\n")
            return
        self.send_response_only(status)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass

    def address_string(self):
        return "unix"


@pytest.fixture
def server(tmp_path):
    server = Server(str(tmp_path / "s"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(server, *args, **kwargs):
    return subprocess.run([PERGOLACTL, "--socket", server.server_address, *args],
                          capture_output=True, text=True, timeout=20, **kwargs)


def test_routes_table_is_aligned(server):
    server.answers = [(200, {"generation": 1, "routes": [
        {"vrf": "default", "prefix": "::/0", "to": "via fe80::1 port core0 (resolved)"},
        {"vrf": "red", "prefix": "192.168.100.0/24", "to": "policy p"}]})]
    result = run(server, "routes")
    assert result.returncode == 0
    assert result.stdout == (
        "VRF      PREFIX            TO\n"
        "default  ::/0              via fe80::1 port core0 (resolved)\n"
        "red      192.168.100.0/24  policy p\n")


def test_numbers_are_right_aligned(server):
    server.answers = [(200, {"drops": [
        {"reason": "blackhole", "packets": 7, "help": "a route"},
        {"reason": "no_mbuf", "packets": 123456789, "help": "memory"}]})]
    assert run(server, "drops").stdout == (
        "REASON       PACKETS  MEANING\n"
        "blackhole          7  a route\n"
        "no_mbuf    123456789  memory\n")


def test_policy_has_a_row_per_segment_list(server):
    server.answers = [(200, {"policies": [
        {"policy": "p", "headend": "H.Encaps", "packets": 5, "bytes": 600, "lists": [
            {"weight": 3, "segments": ["fd00::1", "fd00::2"], "to": "a"},
            {"weight": 1, "segments": ["fd00::3"], "to": "b"}]}]})]
    rows = [line.split() for line in run(server, "policies").stdout.splitlines()[1:]]
    assert rows == [["p", "H.Encaps", "5", "600", "3", "fd00::1,fd00::2", "a"],
                    ["1", "fd00::3", "b"]]


def counted(**more):
    """What every row about services has."""
    row = {"requests": 10, "status": {"1xx": 0, "2xx": 7, "3xx": 1, "4xx": 1, "5xx": 1}, "active": 2,
           "bytes_up": 300, "bytes_down": 4000, "retries": 0, "rebinds": 0, "connect_failures": 0,
           "own_replies": 0, "resets": 0}
    return {**row, **more}


def tables(text):
    """Each table of an output as rows of cells, by its first title."""
    parts = [[line.split() for line in part.splitlines()] for part in text.strip("\n").split("\n\n")]
    return {part[0][0]: part[1:] for part in parts}


LATENCY = {"count": 9, "p50": 100, "p90": 200, "p99": 300, "max": 400}
NO_LATENCY = {"count": 0, "p50": 0, "p90": 0, "p99": 0, "max": 0}


def test_services_are_tables_of_what_there_is(server):
    answer = {"services": [
        counted(listener="web", addresses=["10.0.0.1:80", "[fd00::1]:80"], vrfs=["red"], protocol="http",
                own_replies=3, own_replies_by_reason={"no_route": 2, "connect_failed": 1},
                resets=1, resets_by_reason={"drained": 1}, first_byte_us=LATENCY, response_us=LATENCY),
        counted(listener="db", addresses=["10.0.0.1:5"], vrfs=[], protocol="tcp",
                first_byte_us=NO_LATENCY, response_us=NO_LATENCY)],
        "virtual_hosts": [counted(virtual_host="web/cart", domains=["*"], first_byte_us=LATENCY,
                                  response_us=LATENCY)],
        "malformed": [{"reason": "bad_host", "heads": 4}],
        "events": [{"event": "stale", "count": 0, "help": "x"}, {"event": "syn_cookies", "count": 5, "help": "y"}]}
    server.answers = [(200, answer)]
    out = tables(run(server, "services").stdout)
    assert out["LISTENER"] == [
        ["web", "10.0.0.1:80,[fd00::1]:80", "red", "http", "2", "10", "0", "7", "1", "1", "1", "3", "1", "300", "4000"],
        ["db", "10.0.0.1:5", "-", "tcp", "2", "10", "0", "7", "1", "1", "1", "0", "0", "300", "4000"]]
    assert out["VIRTUAL"] == [["web/cart", "*", "2", "10", "0", "7", "1", "1", "1", "0", "0", "300", "4000"]]
    assert out["LATENCY"] == [["listener", "web", *2 * ["100", "200", "300", "400"]],
                              ["virtual", "host", "web/cart", *2 * ["100", "200", "300", "400"]]]
    assert out["BY"] == [["reply", "web", "no_route", "2"], ["reply", "web", "connect_failed", "1"],
                         ["reset", "web", "drained", "1"]]
    assert out["MALFORMED"] == [["bad_host", "4"]]
    assert out["EVENT"] == [["syn_cookies", "5", "y"]]
    server.answers = [(200, {"services": [], "virtual_hosts": [], "malformed": [], "events": []})]
    assert list(tables(run(server, "services").stdout)) == ["LISTENER"]


def test_http_routes_follow_those_of_ip(server):
    routes = [{"vrf": "default", "prefix": "::/0", "to": "no route"}]
    http = [counted(route="shop/cart/#0", match="/*", to="cluster a", first_byte_us=NO_LATENCY,
                    response_us=NO_LATENCY)]
    measured = [dict(http[0], first_byte_us=LATENCY, response_us=LATENCY)]
    server.answers = [(200, {"routes": routes, "http_routes": http}), (200, {"http_routes": http}),
                      (200, {"routes": routes, "http_routes": []}), (200, {"http_routes": measured})]
    assert list(tables(run(server, "routes").stdout)) == ["VRF", "HTTP"]
    out = tables(run(server, "routes", "--http").stdout)
    assert out == {"HTTP": [["shop/cart/#0", "/*", "cluster", "a", "2", "10", "0", "7", "1", "1", "1", "0", "0", "0",
                             "300", "4000"]]}
    assert list(tables(run(server, "routes").stdout)) == ["VRF"]
    out = tables(run(server, "routes", "--http").stdout)
    assert out["LATENCY"] == [["route", "shop/cart/#0", *2 * ["100", "200", "300", "400"]]]


def test_endpoints_stand_below_their_cluster(server):
    def endpoint(cluster, address, **more):
        return counted(cluster=cluster, endpoint=address, state="live", health="healthy", priority=0, locality="west/w1/",
                       vrf="red", policy=None, weight=1, idle_legs=5, **more)

    server.answers = [(200, {"clusters": [counted(cluster="a", lb_policy="LEAST_REQUEST", first_byte_us=LATENCY,
                                                  response_us=LATENCY),
                                          counted(cluster="b", lb_policy="ROUND_ROBIN", first_byte_us=NO_LATENCY,
                                                  response_us=NO_LATENCY)],
                             "endpoints": [endpoint("b", "10.0.0.3:80"),
                                           endpoint("a", "10.0.0.1:80", first_byte_us=LATENCY, response_us=LATENCY),
                                           endpoint(None, "10.0.0.9:80"), endpoint("a", "10.0.0.2:80")]})]
    out = tables(run(server, "clusters").stdout)
    assert [row[0] for row in out["CLUSTER"]] == ["a", "10.0.0.1:80", "10.0.0.2:80", "b", "10.0.0.3:80",
                                                  "(removed)", "10.0.0.9:80"]
    assert out["CLUSTER"][1][1:11] == ["live", "healthy", "0", "west/w1/", "red", "-", "1", "2", "5", "10"]
    assert out["CLUSTER"][0][1:5] == ["LEAST_REQUEST", "2", "10", "0"]
    assert [row[:2] for row in out["LATENCY"]] == [["cluster", "a"], ["endpoint", "10.0.0.1:80"]]


def test_flows_say_when_they_were_cut(server):
    flow = {"worker": 0, "vrf": "red", "client": "10.0.0.1:4000", "address": "10.9.0.1:80", "phase": "bound",
            "idle_ms": 3, "requests": 12, "virtual_host": "shop/cart", "route": "#0", "cluster": "a",
            "endpoint": "10.2.0.1:80", "source": "10.8.0.1:9000", "endpoint_vrf": "blue"}
    server.answers = [(200, {"flows": [flow], "in_use": 5000, "cut": True, "complete": True}),
                      (200, {"flows": [flow], "in_use": 1, "cut": False, "complete": False}),
                      (200, {"flows": [flow], "in_use": 1, "cut": False, "complete": True})]
    out = run(server, "flows", "--limit", "1").stdout
    assert tables(out)["WORKER"] == [["0", "red", "10.0.0.1:4000", "10.9.0.1:80", "bound", "3", "12", "shop/cart",
                                      "#0", "a", "10.2.0.1:80", "10.8.0.1:9000", "blue"]]
    assert "Only the first 1 that fit, of 5000 flows in all" in out
    assert "did not answer in time" in run(server, "flows").stdout
    assert len(run(server, "flows").stdout.splitlines()) == 2


def test_status_shows_memory_for_services_and_warns(server):
    memory = {"in_use": 60000, "limit": 65536}
    l7 = {"worker": 0, "idle_legs": 7, "lingering": 8, "bytes_per_flow": 300,
          **{key: memory for key in ("flows", "half_open", "legs", "small_buffers", "large_buffers", "held")}}
    warning = "worker 0: 60000 of 65536 flows in use: raise l7.flows"
    server.answers = [(200, {"workers": [], "mbufs": [], "listeners": 2, "l7": [l7], "warnings": [warning]}),
                      (200, {"workers": [], "mbufs": [], "listeners": 0, "l7": [l7], "warnings": []})]
    out = run(server, "status").stdout
    assert ["0", "60000/65536", "8", "60000/65536", "60000/65536", "7", *3 * ["60000/65536"]] in [
        line.split() for line in out.splitlines()]
    assert out.splitlines()[-1] == f"WARNING {warning}"
    out = run(server, "status").stdout
    assert "FLOWS" not in out and "WARNING" not in out


def test_json_is_passed_on_as_it_came(server):
    body = '{"generation":1,\n "sids":[]}\n'
    server.answers = [(200, body)]
    assert run(server, "--json", "sids").stdout == body


@pytest.mark.parametrize("args, request_line", [
    (["status"], "GET /status"),
    (["routes", "red"], "GET /routes?vrf=red"),
    (["routes", "2001:db8::1"], "GET /routes?address=2001:db8::1"),
    (["routes", "red", "10.0.0.1"], "GET /routes?vrf=red&address=10.0.0.1"),
    (["routes", "--http"], "GET /routes?http=1"),
    (["routes", "--http", "web"], "GET /routes?listener=web&http=1"),
    (["services"], "GET /services"),
    (["services", "shop/cart"], "GET /services?name=shop/cart"),
    (["clusters", "a b"], "GET /clusters?name=a%20b"),
    (["flows"], "GET /flows"),
    (["flows", "10.0.0.1", "cluster=a", "phase=bound", "--limit", "7"],
     "GET /flows?client=10.0.0.1&cluster=a&phase=bound&limit=7"),
    (["flows", "client=10.0.0.0/8", "virtual_host=shop/cart", "endpoint=[fd00::1]:80"],
     "GET /flows?client=10.0.0.0/8&virtual_host=shop/cart&endpoint=%5Bfd00::1%5D:80"),
    (["drops", "--all"], "GET /drops?all=1"),
    (["nodes", "--worker", "2"], "GET /nodes?worker=2"),
    (["reload"], "POST /reload"),
    (["trace", "5", "--timeout", "9"], "POST /trace?n=5&timeout=9"),
    (["capture", "/x/a b&c.pcapng", "--ports", "p0,p1", "--packets", "10"],
     "POST /capture?file=/x/a%20b%26c.pcapng&ports=p0,p1&packets=10"),
])
def test_request_says_what_the_arguments_say(server, args, request_line):
    server.answers = [(200, {})]
    assert run(server, *args).returncode == 0
    assert server.requests == [request_line]


def test_capture_file_is_relative_to_the_caller(server, tmp_path):
    server.answers = [(200, {})]
    run(server, "capture", "x.pcapng", cwd=tmp_path)
    assert server.requests == [f"POST /capture?file={tmp_path}/x.pcapng"]


def test_refusal_is_told_and_exits_1(server):
    server.answers = [(422, {"error": "node.cfg:7: vrf: there is no VRF \"x\""})]
    result = run(server, "reload")
    assert result.returncode == 1
    assert result.stderr == "pergolactl: node.cfg:7: vrf: there is no VRF \"x\"\n"
    assert result.stdout == ""


def test_answer_cut_by_a_reload_is_asked_for_again(server):
    cut = {"sids": [], "error": "the configuration changed meanwhile; ask again"}
    server.answers = [(200, cut), (200, {"sids": []})]
    assert run(server, "sids").returncode == 0
    server.answers = [(200, cut)] * 3
    result = run(server, "sids")
    assert result.returncode == 1
    assert "changed meanwhile" in result.stderr


def test_answer_that_is_no_json_exits_1(server):
    server.answers = [(200, '{"sids": [')]
    result = run(server, "sids")
    assert result.returncode == 1
    assert "cut short" in result.stderr


def test_server_that_is_no_pergola_exits_3(server):
    server.answers = [(None, None)]
    result = run(server, "sids")
    assert result.returncode == 3
    assert "no pergola" in result.stderr


def test_nobody_there_exits_3_and_says_what_to_do(tmp_path):
    result = subprocess.run([PERGOLACTL, "status"], capture_output=True, text=True, timeout=20,
                            env={"PERGOLA_SOCKET": str(tmp_path / "none")})
    assert result.returncode == 3
    assert str(tmp_path / "none") in result.stderr
    assert "is pergola running?" in result.stderr


@pytest.mark.parametrize("args", [
    [], ["bogus"], ["status", "extra"], ["capture"], ["--bogus"], ["status", "--all"],
    ["routes", "a", "b", "c"], ["capture", "x", "--ports"],
    ["routes", "--http", "a", "b"], ["flows", "hello"], ["flows", "color=red"], ["flows", "x&y=1"], ["services", "a", "b"],
    ["status", "--limit", "3"]])
def test_wrong_usage_exits_2(server, args):
    result = run(server, *args)
    assert result.returncode == 2
    assert "pergolactl --help" in result.stderr
    assert server.requests == []


def test_help_and_version_exit_0():
    for option, text in (("--help", "capture FILE"), ("--version", "pergolactl ")):
        result = subprocess.run([PERGOLACTL, option], capture_output=True, text=True, timeout=20)
        assert result.returncode == 0
        assert text in result.stdout
