# SPDX-License-Identifier: Apache-2.0
"""Each key of services that says how long, how much or what is added: a listener of its own, with little, beside the
first one, which has the defaults. Where a default is shorter than a test waits, something with the default began
before, and must still be waiting when what has the key is over."""

import copy

import pytest
from scapy.layers.inet import TCP

import l7_lab
from l7_lab import ANSWER, AS_IS, OPTIONS, REQUEST, ask, reply

SHORT_MS = 300
OWN = dict(path="/own", direct_response=dict(status=200, body="own"))
NEVER = dict(timeout_ms=0)
ADDED = {
    "x_forwarded_for": b"x-forwarded-for: " + l7_lab.CLIENT[4].encode(),
    "x_forwarded_proto": b"x-forwarded-proto: http",
    "x_forwarded_port": b"x-forwarded-port: %d",
    "x_request_id": b"x-request-id: ",
}
ports = {}


def hosts(*routes, domain="*", cluster="c", **route):
    return [dict(name="h", domains=[domain], routes=[*routes, dict(dict(prefix="/", cluster=cluster), **route)])]


def web(name, routes=None, **keys):
    """A listener at a port of its own that adds nothing unless told."""
    ports[name] = 80 + len(ports)
    return dict(dict(name=name, port=ports[name], virtual_hosts=routes or hosts(), **AS_IS), **keys)


def raw(name, cluster="c", **keys):
    ports[name] = 80 + len(ports)
    return dict(name=name, port=ports[name], protocol="tcp", cluster=cluster, **keys)


CONFIG = l7_lab.config(
    web("default", hosts(OWN)),
    web("idle", idle_timeout_ms=SHORT_MS),
    raw("raw-idle", idle_timeout_ms=SHORT_MS),
    web("head", request_headers_timeout_ms=SHORT_MS),
    web("stream", hosts(**NEVER), stream_idle_timeout_ms=SHORT_MS),
    web("route-idle", hosts(idle_timeout_ms=SHORT_MS, **NEVER)),
    web("route", hosts(timeout_ms=SHORT_MS)),
    web("connect", hosts(cluster="slow")),
    raw("raw-connect", cluster="slow"),
    web("drain", hosts(cluster="leaving", **NEVER), drain_timeout_ms=SHORT_MS),
    web("line", request_line_bytes=1024),
    web("headers", request_headers_bytes=1024),
    web("port-kept", hosts(OWN, domain="x")),
    web("port-ignored", hosts(OWN, domain="x"), ignore_port_in_host=True),
    dict(name="by-name", port=79, route_configuration="named", **AS_IS),
    *(web(key, **{key: True}) for key in ADDED),
    web("response", request_id_in_response=True, x_forwarded_for=True),
    route_configurations=[dict(name="named", ignore_port_in_host=True, virtual_hosts=hosts(OWN, domain="x"))])
CONFIG["clusters"] += [
    dict(name="slow", connect_timeout_ms=SHORT_MS, endpoints=[dict(address=l7_lab.ENDPOINT[4], port=8081)]),
    dict(name="leaving", endpoints=[dict(address=l7_lab.ENDPOINT[4], port=port) for port in (8082, 8083)])]


def open_to(wire, name):
    client = wire.client(4, ports[name])
    client.open()
    return client


def await_flag(end, flag):
    while flag not in end.next().flags:
        pass


def has_heard_nothing(end):
    """But acknowledgements; of what the node had sent when it answered another end."""
    end.wire.flush()
    return all(frame[TCP].flags == "A" for frame in end.queue)


def test_idle_timeout_closes_between_requests(wire):
    client = open_to(wire, "idle")
    reply(ask(client), client)
    await_flag(client, "F")


def test_idle_timeout_of_tcp_resets_both_sides(wire):
    client = wire.client(4, ports["raw-idle"])
    client.send("S", options=OPTIONS)
    server = wire.accept()
    server.answer_syn()
    client.next("SA")
    client.send()
    await_flag(client, "R")
    await_flag(server, "R")


def test_request_headers_timeout_ends_a_slow_head(wire):
    before, client = open_to(wire, "default"), open_to(wire, "head")
    for end in (before, client):
        end.send("PA", REQUEST[:10])
    assert client.answer() == 408
    assert has_heard_nothing(before)


@pytest.mark.parametrize("name", ["stream", "route-idle"])
def test_stream_idle_timeout_answers_for_a_silent_endpoint(wire, name):
    client = open_to(wire, name)
    ask(client)
    assert client.answer() == 504


def test_route_timeout_answers_for_a_slow_endpoint(wire):
    before, client = open_to(wire, "default"), open_to(wire, "route")
    ask(before)
    ask(client)
    assert client.answer() == 504
    assert has_heard_nothing(before)


def test_connect_timeout_gives_up_an_endpoint(wire):
    before, client = open_to(wire, "default"), open_to(wire, "connect")
    for end in (before, client):
        end.send("PA", REQUEST)
        wire.accept()
    assert client.answer() == 503
    assert has_heard_nothing(before)


def test_connect_timeout_of_tcp_gives_up_an_endpoint(wire):
    before, client = open_to(wire, "default"), wire.client(4, ports["raw-connect"])
    before.send("PA", REQUEST)
    wire.accept()
    client.send("S", options=OPTIONS)
    wire.accept()
    await_flag(client, "R")
    assert has_heard_nothing(before)


def test_drain_timeout_ends_what_a_removed_endpoint_has(node, wire):
    client = open_to(wire, "drain")
    server = ask(client)
    without = copy.deepcopy(CONFIG)
    left = without["clusters"][2]["endpoints"]
    left[:] = [endpoint for endpoint in left if endpoint["port"] != server.port]
    assert len(left) == 1
    node.reload(without)
    await_flag(client, "R")
    await_flag(server, "R")
    node.reload(CONFIG)


@pytest.mark.parametrize("name,status", [("line", 414), ("headers", 431)])
def test_limits_of_a_head_are_the_listeners(wire, name, status):
    more = b"a" * 1024
    request = REQUEST.replace(b"/", b"/" + more, 1) if name == "line" else REQUEST[:-2] + b"y: " + more + b"\r\n\r\n"
    before, client = open_to(wire, "default"), open_to(wire, name)
    client.send("PA", request)
    assert client.answer() == status
    before.send("PA", request)
    server = wire.accept()
    server.window = 10000  # it takes the head at once; what does not fit a client sends again
    server.answer_syn()
    server.hear(request)


@pytest.mark.parametrize("name,status", [("port-kept", 404), ("port-ignored", 200), ("by-name", 200)])
def test_port_of_a_host_counts_unless_it_is_ignored(wire, name, status):
    for host, want in ((b"x", 200), (b"x:8080", status)):
        client = wire.client(4, ports.get(name, 79))
        client.open()
        client.send("PA", b"GET /own HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert client.answer() == want


def fields_of(end):
    head = end.read(lambda got: got.endswith(b"\r\n\r\n"))
    return head.split(b"\r\n")[1:-2]


@pytest.mark.parametrize("key", ADDED)
def test_each_header_is_added_alone(wire, key):
    client = open_to(wire, key)
    client.send("PA", REQUEST)
    server = wire.accept()
    server.answer_syn()
    host, added = fields_of(server)
    assert host == b"Host: x"
    if key == "x_request_id":
        assert added.startswith(ADDED[key]) and len(added) == len(ADDED[key]) + 36
    else:
        assert added == ADDED[key].replace(b"%d", b"%d" % ports[key])
    reply(server, client)


def test_request_id_is_in_the_response_alone(wire):
    client = open_to(wire, "response")
    client.send("PA", REQUEST)
    server = wire.accept()
    server.answer_syn()
    assert fields_of(server) == [b"Host: x", ADDED["x_forwarded_for"]]
    server.send("PA", ANSWER)
    got = client.read(lambda got: got.endswith(b"body"))
    added = [line for line in got.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert len(added) == 1 and len(added[0]) == len(b"x-request-id: ") + 36


# ---- memory: at their limits the second of two on one worker is refused

def test_flows_are_limited(start_node, workers):
    node = start_node(l7_lab.config(web("few"), l7=dict(flows=1)))
    wire = l7_lab.Wire(node)
    answers = []
    for client in [wire.client(4, ports["few"]) for _ in range(workers + 1)]:
        client.send("S", options=OPTIONS)
        answers.append(str(client.next().flags))
    assert "SA" in answers and "RA" in answers
    assert [row["flows"]["limit"] for row in node.get("/status")["l7"]] == [1] * workers
    wire.close()


def test_legs_are_limited(start_node, workers):
    node = start_node(l7_lab.config(web("few-legs"), l7=dict(legs=1)))
    wire = l7_lab.Wire(node)
    clients = [wire.client(4, ports["few-legs"]) for _ in range(workers + 1)]
    for client in clients:
        client.open()
        client.send("PA", REQUEST)
    refused = 0
    while not refused:
        wire.take()
        refused = sum(b" 503 " in l7_lab.data_of(frame) for client in clients for frame in client.queue)
    rows = node.get("/status")["l7"]
    assert [row["legs"]["limit"] for row in rows] == [1] * workers
    assert {row["flows"]["limit"] for row in rows} == {65536}
    wire.close()
