# SPDX-License-Identifier: Apache-2.0
"""Paths and heads that a listener changes before it routes them: what the endpoint gets, byte for byte, and what the
client is told."""

import pytest

import l7_lab
from l7_lab import ANSWER, AS_IS, reply

ROUTES = [dict(path="/secret", direct_response=dict(status=403)), dict(prefix="/", cluster="c")]
HOSTS = [dict(name="h", domains=["*"], routes=ROUTES)]
KEYS = {
    "as-is": {},
    "normal": dict(normalize_path=True),
    "merged": dict(merge_slashes=True),
    "forward": dict(path_with_escaped_slashes_action="unescape_and_forward", normalize_path=True),
    "redirect": dict(path_with_escaped_slashes_action="unescape_and_redirect", normalize_path=True, merge_slashes=True),
    "reject": dict(path_with_escaped_slashes_action="reject_request", headers_with_underscores_action="reject_request"),
    "drop": dict(headers_with_underscores_action="drop_header"),
}
PORTS = {name: 81 + n for n, name in enumerate(KEYS)}
CONFIG = l7_lab.config(*(dict(name=name, port=PORTS[name], virtual_hosts=HOSTS, **AS_IS, **keys)
                         for name, keys in KEYS.items()))


def request(path, fields=b""):
    return b"GET " + path + b" HTTP/1.1\r\n" + fields + b"Host: x\r\n\r\n"


def send(wire, name, data, family=4):
    client = wire.client(family, PORTS[name])
    client.open()
    client.send("PA", data)
    return client


PASSED = [
    ("as-is", b"/a/..//%62%2f\\", b"/a/..//%62%2f\\"),
    ("normal", b"/a/..//%62%2f\\", b"//b%2f/"),
    ("normal", b"/secret/x?/secret", b"/secret/x?/secret"),
    ("merged", b"/a/..//%62%2f//", b"/a/../%62%2f/"),
    ("forward", b"/a%2f..%5Cb", b"/b"),
    ("redirect", b"/a//b/..", b"/a/"),
    ("reject", b"/a_b/..//%62", b"/a_b/..//%62"),
]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("name,asked,got", PASSED)
def test_endpoint_gets_the_path_that_was_routed(wire, family, name, asked, got):
    client = send(wire, name, request(asked), family)
    server = wire.accept()
    server.answer_syn()
    server.hear(request(got))
    client.told(ack=client.seq)
    reply(server, client)


@pytest.mark.parametrize("name,path", [("normal", b"/a/../secret"), ("normal", b"/%73ecret"), ("merged", b"//secret"),
                                       ("forward", b"/.%2fsecret"), ("redirect", b"//./secret?a")])
def test_route_is_that_of_the_normal_path(wire, name, path):
    assert send(wire, name, request(path)).answer() == 403


@pytest.mark.parametrize("asked,location", [(b"/a%2fb?c=%2f", b"/a/b?c=%2f"), (b"/%2F%5cevil", b"/evil"),
                                            (b"/a/%2e%2e%5Csecret", b"/secret")])
def test_redirect_says_the_path_and_the_connection_goes_on(wire, asked, location):
    client = send(wire, "redirect", request(asked))
    client.hear(b"HTTP/1.1 307 Temporary Redirect\r\n" + date_of(client) +
                b"content-length: 0\r\nlocation: " + location + b"\r\n\r\n")
    client.send("PA", request(b"/secret"))
    assert client.answer() == 403


def date_of(client):
    """The reply's Date, whose second is nobody's business here; nothing is consumed."""
    while not any(l7_lab.data_of(frame) for frame in client.queue):
        client.wire.take()
    data = next(l7_lab.data_of(frame) for frame in client.queue if l7_lab.data_of(frame))
    line = data.split(b"\r\n")[1]
    return line + b"\r\n" if line.startswith(b"date: ") else b""


@pytest.mark.parametrize("name,head,reason", [
    ("normal", request(b"/a%00"), "bad_path"),
    ("reject", request(b"/a%2Fb"), "escaped_slash"),
    ("reject", request(b"/", b"a_b: c\r\n"), "underscore")])
def test_refusals_are_counted_and_the_connection_goes_on(node, wire, name, head, reason):
    def count():
        return sum(row["heads"] for row in node.get("/services")["malformed"] if row["reason"] == reason)
    before = count()
    client = send(wire, name, head)
    assert client.answer() == 400
    assert count() == before + 1
    client.send("PA", request(b"/secret"))
    assert client.answer() == 403


def test_fields_with_underscores_are_dropped(wire):
    client = send(wire, "drop", request(b"/a_b", b"a_b: c\r\nx: d_e\r\n_: f\r\n"))
    server = wire.accept()
    server.answer_syn()
    server.hear(request(b"/a_b", b"x: d_e\r\n"))
    client.told(ack=client.seq)
    reply(server, client)


def test_answers_are_left_alone(wire):
    client = send(wire, "drop", request(b"/"))
    server = wire.accept()
    server.answer_syn()
    server.hear(request(b"/"))
    client.told(ack=client.seq)
    reply(server, client, ANSWER.replace(b"\r\n", b"\r\na_b: c\r\n", 1))
