# SPDX-License-Identifier: Apache-2.0
"""HTTP by hand: the test holds the client's and the endpoint's socket, and says who does what when."""

import os
import socket
import struct

import pytest
from hosts import Feeder, Listener, connect, shared_lab
from http_lab import cluster, endpoint
from stage import EDITED, WAYS, Stage, answer, set_up, stages, way_name

RAW = 82
RAW_PORT = 9000
BRIEF_PORT = 9001
BIG = os.urandom(1_000_000)


def config():
    brief = ', { prefix = "/"; headers = ( { name = ":authority"; exact = "brief"; } ); cluster = "brief"; }'
    raw = ('{ name = "raw"; service_network = "shop"; protocol = "tcp"; addresses = [ "10.100.0.1", "fd00:100::1" ]; '
           f'port = {RAW}; cluster = "raw"; }}')
    return stages(120, brief, [raw], [
        cluster("brief", endpoint("blue", 4, BRIEF_PORT), more="pool_timeout_ms = 1000;"),
        cluster("raw", endpoint("blue", 4, RAW_PORT), endpoint("blue", 6, RAW_PORT))])


@pytest.fixture(scope="module", params=[1, 2], ids=["1-worker", "2-workers"])
def world(request):
    for http in shared_lab(request, config(), request.param):
        yield set_up(http)


@pytest.fixture(params=WAYS, ids=way_name)
def stage(world, request):
    made = Stage(world, *request.param)
    yield made
    made.close()


def test_idle_connections_to_endpoints_are_kept_for_their_clusters_time(world):
    """A second instead of the minute that is the default, and longer than a socket of this test waits."""
    server = Listener(world.lab, "blue", BRIEF_PORT)
    client = connect(world.lab, 4, EDITED)
    client.send(b"GET / HTTP/1.1\r\nHost: brief\r\n\r\n")
    kept = server.accept()
    kept.head()
    kept.send(answer(b"one"))
    assert client.answer() == (200, b"one")
    assert kept.rest() == b""
    for peer in (client, kept, server):
        peer.close()


def test_answers_without_body_end_where_they_do(stage):
    client, server = stage.asked()
    server.send(answer(b"one"))
    assert client.answer() == (200, b"one")
    for line, reply in ((b"HEAD / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
                        (b"HEAD / HTTP/1.1", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                        (b"DELETE / HTTP/1.1", b"HTTP/1.1 204 No Content\r\n\r\n"),
                        (b"GET / HTTP/1.1", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
                        (b"GET /last HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")):
        client.send(stage.head(line))
        assert server.head().startswith(line)
        server.send(reply)
        assert client.head().startswith(reply[:-2])
        assert client.held == b""


def test_old_clients_are_answered_until_close(stage):
    client, server = stage.asked(b"GET / HTTP/1.0")
    fed = Feeder(server, b"HTTP/1.0 200 OK\r\n\r\n" + BIG, "close")
    assert client.head().startswith(b"HTTP/1.0 200 OK\r\n")
    assert client.rest() == BIG
    fed.join()


def test_old_clients_may_keep_the_connection(stage):
    client, server = stage.asked(b"GET / HTTP/1.0", b"Connection: keep-alive")
    for _ in range(3):
        server.send(answer(b"kept", b"Connection: keep-alive"))
        assert client.answer() == (200, b"kept")
        client.send(stage.head(b"GET / HTTP/1.0", b"Connection: keep-alive"))
        server.head()


def test_bodies_may_end_with_the_connection(stage):
    client, server = stage.asked()
    fed = Feeder(server, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BIG, "finish")
    assert client.head().startswith(b"HTTP/1.1 200 OK\r\n")
    assert client.rest() == BIG
    fed.join()
    client.close()
    assert server.rest() == b""


def test_pipelined_requests_are_answered_in_order(stage):
    client = stage.client()
    client.send(b"".join(stage.head(b"GET /%d HTTP/1.1" % n) for n in range(20)))
    server = stage.accept()
    for n in range(20):
        assert server.head().startswith(b"GET /%d " % n)
        server.send(answer(b"answer %d" % n))
    for n in range(20):
        assert client.answer() == (200, b"answer %d" % n)


def test_pipelined_requests_go_where_their_host_says(stage, world):
    other = Stage(world, stage.port, stage.family, 4)
    try:
        client = stage.client()
        client.send(b"".join(s.head(b"POST /%d HTTP/1.1" % n, b"Content-Length: 5") + b"%05d" % n
                             for n, s in enumerate([stage, other] * 5)))
        servers = []
        for n, s in enumerate([stage, other] * 5):
            if n < 2:
                servers.append(s.accept())
            assert servers[n % 2].head().startswith(b"POST /%d " % n)
            assert servers[n % 2].exactly(5) == b"%05d" % n
            servers[n % 2].send(answer(b"%d" % n))
        for n in range(10):
            assert client.answer() == (200, b"%d" % n)
        assert [server.held for server in servers] == [b"", b""]
    finally:
        other.close()


def test_heads_may_come_byte_by_byte(stage):
    client = stage.client()
    for byte in stage.head(b"POST /slow HTTP/1.1", b"Content-Length: 3") + b"abc":
        client.send(bytes([byte]))
    server = stage.accept()
    server.head()
    assert server.exactly(3) == b"abc"
    for byte in answer(b"xyz"):
        server.send(bytes([byte]))
    assert client.answer() == (200, b"xyz")


def test_half_closed_clients_get_their_answer(stage):
    client, server = stage.asked(b"POST / HTTP/1.1", b"Content-Length: 4", body=b"last")
    client.finish()
    fed = Feeder(server, answer(BIG))
    assert client.answer() == (200, BIG)
    assert client.rest() == b""
    fed.join()


def test_chunks_and_trailers_pass_both_ways(stage):
    body = b"5;ext=1\r\nhello\r\n" + b"%x\r\n" % len(BIG) + BIG + b"\r\n" + b"1\r\n!\r\n" * 500
    body += b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"
    client, server = stage.asked(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Trailer: x-sum")
    for part in (body[:3], body[3:1_000_500], body[1_000_500:]):
        fed = Feeder(client, part)
        assert server.exactly(len(part)) == part
        fed.join()
    fed = Feeder(server, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    client.head()
    assert client.exactly(len(body)) == body
    fed.join()
    client.send(stage.head(b"GET /next HTTP/1.1"))
    assert server.head().startswith(b"GET /next ")
    server.send(answer(b"next"))
    assert client.answer() == (200, b"next")


def test_interim_answers_pass(stage):
    client, server = stage.asked()
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    server.send(hints)
    assert client.head() == hints
    server.send(hints * 3 + answer(b"final"))
    for _ in range(3):
        assert client.head() == hints
    assert client.answer() == (200, b"final")


def test_expectations_are_answered_by_the_endpoint(stage):
    client, server = stage.asked(b"PUT / HTTP/1.1", b"Content-Length: %d" % len(BIG), b"Expect: 100-continue")
    server.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    fed = Feeder(client, BIG)
    assert server.exactly(len(BIG)) == BIG
    fed.join()
    server.send(answer(b"stored"))
    assert client.answer() == (200, b"stored")


def test_refused_expectations_end_the_connection(stage):
    client, server = stage.asked(b"PUT / HTTP/1.1", b"Content-Length: 1000000", b"Expect: 100-continue")
    server.send(answer(b"too big", status=b"413 Content Too Large"))
    assert client.answer() == (413, b"too big")
    assert client.rest() == b""


def test_early_refusals_reach_a_client_that_still_sends(stage):
    client, server = stage.asked(b"PUT / HTTP/1.1", b"Content-Length: 100000000")
    fed = Feeder(client, BIG)
    server.exactly(len(BIG))
    fed.join()
    server.send(answer(b"enough", b"Connection: close", status=b"413 Content Too Large"))
    assert client.answer() == (413, b"enough")


@pytest.mark.parametrize("framing", [b"Content-Length: 2000000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_broken_answers_end_in_a_reset(stage, framing, end):
    client, server = stage.asked()
    server.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n1000\r\n" + BIG[:3000])
    client.head()
    client.exactly(3006)
    getattr(server, end)()
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_an_endpoint_that_resets_a_post_is_a_bad_gateway(stage):
    client, server = stage.asked(b"POST / HTTP/1.1", b"Content-Length: 3", body=b"abc")
    server.reset()
    assert client.answer()[0] == 502


def test_resets_of_clients_reach_the_endpoint(stage):
    client, server = stage.asked(b"POST / HTTP/1.1", b"Content-Length: 1000000", body=BIG[:5000])
    client.reset()
    with pytest.raises(ConnectionResetError):
        server.rest()


@pytest.mark.parametrize("reply", [
    b"hello\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n"])
def test_garbage_is_a_bad_gateway(stage, reply):
    client, server = stage.asked(b"POST / HTTP/1.1", b"Content-Length: 0")
    server.send(reply)
    status, body = client.answer()
    assert status == 502
    assert b"Content-Length : 1" not in body


def test_what_follows_an_answer_unasked_is_not_taken_for_the_next(stage):
    client, server = stage.asked()
    server.send(answer(b"one") + answer(b"evil"))
    assert client.answer() == (200, b"one")
    with pytest.raises(ConnectionResetError):
        server.rest()
    client.finish()
    assert client.rest() == b""


def test_connections_that_endpoints_close_at_rest_are_not_missed(stage):
    client, server = stage.asked()
    for n in range(5):
        server.send(answer(b"%d" % n))
        server.close()
        assert client.answer() == (200, b"%d" % n)
        client.send(stage.head(b"POST / HTTP/1.1", b"Content-Length: 1") + b"x")
        server = stage.accept()
        server.head()
        assert server.exactly(1) == b"x"


def test_slow_readers_get_every_byte(stage):
    client = stage.client((socket.SOL_SOCKET, socket.SO_RCVBUF, 2048))
    client.send(stage.head())
    server = stage.accept()
    server.head()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
    fed = Feeder(server, BIG[:300_000])
    fed.wait_full()
    client.head()
    assert client.exactly(300_000) == BIG[:300_000]
    fed.join()


def test_websockets_are_tunnels(stage):
    client, server = stage.asked(b"GET /chat HTTP/1.1", b"Connection: Upgrade", b"Upgrade: websocket",
                                 b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    switch = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    server.send(switch + b"\x81\x05hello")
    assert client.head() == switch
    assert client.exactly(7) == b"\x81\x05hello"
    frame = b"\x82\xff" + struct.pack(">Q", len(BIG)) + bytes(4) + BIG
    for one, other in ((client, server), (server, client)):
        sent = Feeder(one, frame + stage.head(b"GET /not-a-request HTTP/1.1"))
        assert other.exactly(len(frame)) == frame
        assert other.head() == stage.head(b"GET /not-a-request HTTP/1.1")
        sent.join()
    client.send(b"\x88\x80\0\0\0\0")
    assert server.exactly(6) == b"\x88\x80\0\0\0\0"
    server.finish()
    assert client.rest() == b""
    client.finish()
    assert server.rest() == b""


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
POST = b"POST / HTTP/1.1\r\nHost: HOST\r\n"
REFUSED = {
    "cl-te": POST + b"Content-Length: 6\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "te-cl": POST + CHUNKED + b"Content-Length: 4\r\n\r\n5c\r\n" + SMUGGLED + b"0\r\n\r\n",
    "te-te": POST + CHUNKED + b"Transfer-Encoding: cow\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "te-identity": POST + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
    "te-twice": POST + CHUNKED * 2 + b"\r\n0\r\n\r\n",
    "te-list": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "te-quoted": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "te-vertical-tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "te-prefix": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "te-underscore": POST + b"Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
    "te-folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "te-old": b"POST / HTTP/1.0\r\nHost: HOST\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "te-space": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "cl-space": POST + b"Content-Length : 5\r\n\r\nhello",
    "cl-differs": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "cl-list": POST + b"Content-Length: 5, 6\r\n\r\nhello",
    "cl-signed": POST + b"Content-Length: +5\r\n\r\nhello",
    "cl-negative": POST + b"Content-Length: -5\r\n\r\nhello",
    "cl-hex": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "cl-empty": POST + b"Content-Length: \r\n\r\n",
    "cl-huge": POST + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "obs-fold": POST + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "first-line-folded": b"GET / HTTP/1.1\r\n Host: HOST\r\nHost: HOST\r\n\r\n",
    "bare-lf": b"GET / HTTP/1.1\nHost: HOST\n\n",
    "bare-lf-in-field": POST + b"A: b\nContent-Length: 0\r\n\r\n",
    "bare-cr": POST + b"A: b\rContent-Length: 5\r\n\r\n",
    "nul": POST + b"A: b\0c\r\n\r\n",
    "nul-in-name": POST + b"Content-Length\0: 5\r\n\r\n",
    "name-with-space": POST + b"Content Length: 5\r\n\r\n",
    "no-colon": POST + b"nonsense\r\n\r\n",
    "host-twice": b"GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
    "host-missing": b"GET / HTTP/1.1\r\n\r\n",
    "host-list": b"GET / HTTP/1.1\r\nHost: HOST, other\r\n\r\n",
    "host-userinfo": b"GET / HTTP/1.1\r\nHost: a@HOST\r\n\r\n",
    "two-spaces": b"GET  / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "target-space": b"GET /a b HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "lower-case-version": b"GET / http/1.1\r\nHost: HOST\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
}


def test_what_could_be_read_in_two_ways_is_refused(stage):
    for name, request in REFUSED.items():
        client = stage.client()
        client.send(request.replace(b"HOST", stage.host))
        assert client.answer()[0] == 400, name
        client.finish()
        assert client.rest() == b"", name
    # Nothing of all that went to the endpoint: the first that it ever sees is this.
    client, server = stage.asked(b"GET /good HTTP/1.1")
    server.send(answer(b"good"))
    assert client.answer() == (200, b"good")
    # Behind a good one, on its connection and on the endpoint's.
    client.send(stage.head(b"GET /again HTTP/1.1") + REFUSED["cl-te"].replace(b"HOST", stage.host))
    assert server.head().startswith(b"GET /again ")
    server.send(answer(b"again"))
    assert client.answer() == (200, b"again")
    assert client.answer()[0] == 400
    server.finish()
    assert server.rest() == b""


@pytest.mark.parametrize("body", [b"5\r\nhelloX\r\n", b"5;\0\r\nhello\r\n", b"-5\r\nhello", b"5 \nhello\r\n",
                                  b"fffffffffffffffff\r\nhello", b"0\r\nContent-Length: 5\r\n\r\n", b"\r\n5\r\n"])
def test_broken_chunks_go_no_further(stage, body):
    client = stage.client()
    client.send(stage.head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked"))
    server = stage.accept()
    server.head()
    client.send(body + SMUGGLED)
    arrived = b""
    with pytest.raises(ConnectionResetError):
        while server.more():
            arrived = server.held
    assert b"smuggled" not in arrived
    assert client.answer()[0] == 400


@pytest.mark.parametrize("fields, status", [
    ([b"A: " + b"x" * 20_000], 431), ([b"A%d: b" % n for n in range(200)], 431)])
def test_large_heads_are_refused_by_code(stage, fields, status):
    client = stage.client()
    client.send(stage.head(b"GET / HTTP/1.1", *fields))
    assert client.answer()[0] == status
    client = stage.client()
    client.send(stage.head(b"GET /" + b"x" * 9000 + b" HTTP/1.1"))
    assert client.answer()[0] == 414
    client = stage.client()
    client.send(stage.head(b"GET / HTTP/2.0"))
    assert client.answer()[0] == 505
    client, server = stage.asked(b"GET /" + b"x" * 8000 + b" HTTP/1.1")
    server.send(answer(b"long"))
    assert client.answer() == (200, b"long")


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_listeners_pass_bytes_of_any_kind(world, family):
    with_servers = Listener(world.lab, "blue", RAW_PORT)
    try:
        for _ in range(4):  # each endpoint twice
            client = connect(world.lab, family, RAW)
            client.send(b"first")
            server = with_servers.accept()
            assert server.exactly(5) == b"first"
            for one, other in ((client, server), (server, client)):
                sent = Feeder(one, BIG)
                assert other.exactly(len(BIG)) == BIG
                sent.join()
            client.finish()
            assert server.rest() == b""
            server.send(b"after")
            server.close()
            assert client.rest() == b"after"
            client.close()
        client = connect(world.lab, family, RAW)
        server = with_servers.accept()  # bound at the SYN: the server may speak first
        server.send(b"220 hello\r\n")
        assert client.until(b"\r\n") == b"220 hello\r\n"
        server.reset()
        with pytest.raises(ConnectionResetError):
            client.rest()
    finally:
        with_servers.close()
