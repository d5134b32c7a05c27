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


def test_json_is_passed_on_as_it_came(server):
    body = '{"generation":1,\n "sids":[]}\n'
    server.answers = [(200, body)]
    assert run(server, "--json", "sids").stdout == body


@pytest.mark.parametrize("args, request_line", [
    (["status"], "GET /status"),
    (["routes", "red"], "GET /routes?vrf=red"),
    (["routes", "2001:db8::1"], "GET /routes?address=2001:db8::1"),
    (["routes", "red", "10.0.0.1"], "GET /routes?vrf=red&address=10.0.0.1"),
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
    ["routes", "a", "b", "c"], ["capture", "x", "--ports"]])
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
