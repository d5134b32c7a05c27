# SPDX-License-Identifier: Apache-2.0
"""Message by message: what of HTTP/1 reaches the endpoint and the client, byte for byte, and what is refused
(RFC 9110, RFC 9112). Behind each message that passes, another shows that nobody lost its place."""

import re

import pytest
from hosts import shared_lab
from stage import IN_PLACE, WAYS, Stage, answer, set_up, stages, way_name

GET = b"GET / HTTP/1.1\r\nHost: HOST\r\n"
POST = b"POST / HTTP/1.1\r\nHost: HOST\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: HOST\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
END = b"0\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"\r\n"

# As it arrives; of a pair, the second is what arrives.
PASSED = {
    "unknown-method": b"FROB / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "lower-case-method": b"get / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "trace": b"TRACE / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "get-with-body": GET + b"Content-Length: 5\r\n\r\nhello",
    "get-with-chunks": GET + CHUNKED + b"5\r\nhello\r\n" + END,
    "post-without-length": POST + b"\r\n",
    "length-0": POST + b"Content-Length: 0\r\n\r\n",
    "length-leading-zeros": POST + b"Content-Length: 00005\r\n\r\nhello",
    "chunked-mixed-case": POST + b"tRANSFER-eNCODING: ChUnKeD\r\n\r\n" + END,
    "chunk-size-upper-case": POST + CHUNKED + b"A\r\n0123456789\r\na\r\n0123456789\r\n" + END,
    "chunk-size-leading-zeros": POST + CHUNKED + b"0000000005\r\nhello\r\n00000\r\n\r\n",
    "chunk-extensions": POST + CHUNKED + b'5;a=b;c="d;e"\r\nhello\r\n0;last\r\n\r\n',
    "chunk-that-looks-like-the-end": POST + CHUNKED + b"5\r\n0\r\n\r\n\r\n" + END,
    "trailers": POST + CHUNKED + b"0\r\nX-Sum: 1\r\nX-Empty:\r\n\r\n",
    "body-that-looks-like-a-request": POST + b"Content-Length: 37\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a12\r\n\r\n",
    "empty-line-in-front": (b"\r\n" + GET + b"\r\n", GET + b"\r\n"),
    "absolute-form": (b"GET http://HOST/a?b HTTP/1.1\r\nHost: other\r\nA: b\r\n\r\n",
                      b"GET http://HOST/a?b HTTP/1.1\r\nA: b\r\nhost: HOST\r\n\r\n"),
    "absolute-form-without-path": (b"GET http://HOST HTTP/1.1\r\nA: b\r\nHost: other\r\n\r\n",
                                   b"GET http://HOST HTTP/1.1\r\nA: b\r\nhost: HOST\r\n\r\n"),
    "host-without-space": b"GET / HTTP/1.1\r\nHost:HOST\r\n\r\n",
    "host-with-spaces": b"GET / HTTP/1.1\r\nHost: \t HOST \t\r\n\r\n",
    "empty-values": GET + b"A:\r\nB: \r\n\r\n",
    "high-bytes-in-a-value": GET + b"A: \xe9\xff\r\n\r\n",
    "tab-in-a-value": GET + b"A: b\tc\r\n\r\n",
    "te": GET + b"TE: trailers\r\nConnection: TE\r\n\r\n",
    "unknown-expectation": POST + b"Expect: a=b\r\nContent-Length: 0\r\n\r\n",
    "expectation-without-body": GET + b"Expect: 100-continue\r\n\r\n",
    "upgrade-that-is-declined": GET + UPGRADE + b"\r\n",
    "odd-paths": b"GET //a/../%2e%2e/b;c,d?e?f=[]|\"<>^`{}\\ HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "many-fields": GET + b"".join(b"A%d: b\r\n" % n for n in range(90)) + b"\r\n",
}

REFUSED = {
    "connect": (405, b"CONNECT HOST:80 HTTP/1.1\r\nHost: HOST:80\r\n\r\n"),
    "http-2-preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "version-0.9": (505, b"GET / HTTP/0.9\r\nHost: HOST\r\n\r\n"),
    "simple-request": (400, b"GET /\r\n"),
    "version-1.2": (400, b"GET / HTTP/1.2\r\nHost: HOST\r\n\r\n"),
    "asterisk": (400, b"GET * HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "fragment": (400, b"GET /#a HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "two-empty-lines": (400, b"\r\n\r\n" + GET + b"\r\n"),
    "host-empty": (400, b"GET / HTTP/1.1\r\nHost: \r\n\r\n"),
    "host-port": (400, b"GET / HTTP/1.1\r\nHost: HOST:65536\r\n\r\n"),
    "absolute-without-host": (400, b"GET http://HOST/ HTTP/1.1\r\n\r\n"),
    "absolute-user": (400, b"GET http://a@HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "length-twice-alike": (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "length-tab": (400, POST + b"Content-Length:\t5\r\n\r\nhello"),
    "length-0-and-chunked": (400, POST + b"Content-Length: 0\r\n" + CHUNKED + END),
    "chunked-parameter": (400, POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n" + END),
    "chunked-list-with-nothing": (400, POST + b"Transfer-Encoding: , chunked\r\n\r\n" + END),
    "chunked-late-second": (400, POST + b"Transfer-Encoding: chunked\r\nA: b\r\ntransfer-encoding: x\r\n\r\n" + END),
    "look-alike-without-hyphen": (400, POST + b"ContentLength: 5\r\n\r\nhello"),
    "connection-names-length": (400, POST + b"Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello"),
    "head-ends-in-lf": (400, GET + b"\n"),
    "head-ends-in-two-cr": (400, GET + b"\r\r\n"),
    "empty-name": (400, GET + b": b\r\n\r\n"),
    "colon-only-in-the-next-line": (400, GET + b"A\r\n: b\r\n\r\n"),
    "delete-in-a-value": (400, GET + b"A: \x7f\r\n\r\n"),
    "high-byte-in-a-name": (400, GET + b"\xe9: b\r\n\r\n"),
    "too-many-fields": (431, GET + b"A: b\r\n" * 101 + b"\r\n"),
}

# Request, what the endpoint answers, and what becomes of the client's connection.
ANSWERED = {
    "no-reason": (GET, b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "kept"),
    "empty-reason": (GET, b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "kept"),
    "high-bytes": (GET, b"HTTP/1.1 200 \xe9\r\nA: \xff\r\nContent-Length: 2\r\n\r\nok", "kept"),
    "chunks": (GET, OK + b"Transfer-Encoding: CHUNKED\r\n\r\n2;a=b\r\nok\r\n0\r\nA: b\r\n\r\n", "kept"),
    "head-chunked": (HEAD, OK + CHUNKED, "kept"),
    "head-length": (HEAD, OK + b"Content-Length: 1000\r\n\r\n", "kept"),
    "head-without-either": (HEAD, OK + b"\r\n", "kept"),
    "not-modified": (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", "kept"),
    "not-modified-chunked": (GET, b"HTTP/1.1 304 Not Modified\r\n" + CHUNKED, "kept"),
    "no-content": (GET, b"HTTP/1.1 204 No Content\r\n\r\n", "kept"),
    "no-content-length-0": (GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "kept"),
    "interim": (GET, b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" + answer(b"ok"), "kept"),
    "old-kept": (GET, b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "kept"),
    "old": (GET, b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "closed"),
    "close": (GET, OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", "closed"),
    "close-in-a-list": (GET, OK + b"Connection: a, close\r\nContent-Length: 2\r\n\r\nok", "closed"),
    "bad-chunk-size": (GET, OK + CHUNKED + b"x\r\n", "reset"),
    "chunk-size-too-large": (GET, OK + CHUNKED + b"fffffffffffffffff\r\n", "reset"),
    "chunk-too-long": (GET, OK + CHUNKED + b"2\r\nokay\r\n" + END, "reset"),
    "chunk-end-of-other-bytes": (GET, OK + CHUNKED + b"2\r\nokX\n" + END, "reset"),
    "trailer-with-length": (GET, OK + CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "reset"),
}

GARBAGE = {
    "length-and-chunks": OK + b"Content-Length: 2\r\n" + CHUNKED + END,
    "chunks-and-length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n" + END,
    "length-list": OK + b"Content-Length: 2, 2\r\n\r\nok",
    "length-signed": OK + b"Content-Length: +2\r\n\r\nok",
    "length-too-large": OK + b"Content-Length: 9223372036854775808\r\n\r\nok",
    "encoding-unknown": OK + b"Transfer-Encoding: gzip\r\n\r\nok",
    "encoding-twice": OK + b"Transfer-Encoding: chunked\r\n" + CHUNKED + END,
    "encoding-old": b"HTTP/1.0 200 OK\r\n" + CHUNKED + END,
    "encoding-look-alike": OK + b"Transfer_Encoding: chunked\r\n\r\n" + END,
    "length-of-interim": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok" + answer(),
    "chunks-of-no-content": b"HTTP/1.1 204 No Content\r\n" + CHUNKED + END,
    "fold": OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "nul": OK + b"A: \0\r\nContent-Length: 0\r\n\r\n",
    "bare-cr": OK + b"A: b\rC: d\r\nContent-Length: 0\r\n\r\n",
    "empty-line-in-front": b"\r\n" + answer(b"ok"),
    "status-099": b"HTTP/1.1 099 A\r\nContent-Length: 0\r\n\r\n",
    "status-600": b"HTTP/1.1 600 A\r\nContent-Length: 0\r\n\r\n",
    "status-long": b"HTTP/1.1 2000 A\r\nContent-Length: 0\r\n\r\n",
    "status-tab": b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
    "version-lower-case": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "icy": b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
    "request": GET + b"\r\n",
    "unasked-switch": SWITCH,
}


@pytest.fixture(scope="module", params=[1, 2], ids=["1-worker", "2-workers"])
def world(request):
    for http in shared_lab(request, stages(2 * (len(PASSED) + len(ANSWERED) + 20)), request.param):
        yield set_up(http)


@pytest.fixture(params=WAYS, ids=way_name)
def stage(world, request):
    made = Stage(world, *request.param)
    yield made
    made.close()


def arrived(stage, server, want):
    """The endpoint got these bytes; fields that the node adds are left out."""
    head, _, body = want.partition(b"\r\n\r\n")
    got = server.head().split(b"\r\n")
    if stage.port != IN_PLACE:
        got = [line for line in got if not line.lower().startswith((b"x-forwarded-", b"x-request-id:"))]
    assert b"\r\n".join(got) == head + b"\r\n\r\n"
    assert server.exactly(len(body)) == body


def without_id(data):
    """Edited answers have the request's number in their heads."""
    return re.sub(b"x-request-id: .*\r\n", b"", data)


def goes_on(stage, client, server):
    client.send(stage.head(b"GET /next HTTP/1.1"))
    assert server.head().startswith(b"GET /next ")
    server.send(answer(b"next"))
    assert client.answer() == (200, b"next")


@pytest.mark.parametrize("name", PASSED)
def test_what_is_right_arrives_as_it_is(stage, name):
    case = PASSED[name] if isinstance(PASSED[name], tuple) else (PASSED[name], PASSED[name])
    request, want = (text.replace(b"HOST", stage.host) for text in case)
    client = stage.client()
    client.send(request)
    server = stage.accept()
    arrived(stage, server, want)
    server.send(answer(b"ok"))
    assert client.answer() == (200, b"ok")
    goes_on(stage, client, server)


def test_what_is_wrong_is_refused(stage):
    for name, (status, request) in REFUSED.items():
        client = stage.client()
        client.send(request.replace(b"HOST", stage.host))
        assert client.answer()[0] == status, name
        client.finish()
        assert client.rest() == b"", name
    # Nothing of all that went to the endpoint: the first that it ever sees is this.
    client, server = stage.asked(b"GET /good HTTP/1.1")
    server.send(answer())
    assert client.answer() == (200, b"")


def test_an_error_in_the_middle_ends_a_pipeline_there(stage):
    client = stage.client()
    client.send(stage.head(b"GET /1 HTTP/1.1") + stage.head(b"GET /2 HTTP/1.1", b"A : b") +
                stage.head(b"GET /3 HTTP/1.1"))
    server = stage.accept()
    assert server.head().startswith(b"GET /1 ")
    server.send(answer(b"one"))
    assert client.answer() == (200, b"one")
    assert client.answer()[0] == 400
    client.finish()
    assert client.rest() == b""
    server.finish()
    assert server.rest() == b""


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_pass_as_they_are(stage, name):
    request, reply, then = ANSWERED[name]
    client = stage.client()
    client.send(request.replace(b"HOST", stage.host) + b"\r\n")
    server = stage.accept()
    server.head()
    server.send(reply)
    if then == "reset":
        with pytest.raises(ConnectionResetError):
            client.rest()
        # Without the last chunk: nobody takes that for whole.
        got = without_id(client.held)
        assert reply.startswith(got) and END not in got
        return
    while len(without_id(client.held)) < len(reply):
        assert client.more(), client.held
    assert without_id(client.held) == reply
    client.held = b""
    if then == "kept":
        goes_on(stage, client, server)
    else:
        assert client.rest() == b""


@pytest.mark.parametrize("request_head, reply", [(HEAD, OK + b"Content-Length: 4\r\n\r\n"),
                                                 (GET, b"HTTP/1.1 204 No Content\r\n\r\n"),
                                                 (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n")])
def test_bytes_behind_an_answer_without_body_are_nobodys(stage, request_head, reply):
    """They could be read as the next answer."""
    client = stage.client()
    client.send(request_head.replace(b"HOST", stage.host) + b"\r\n")
    server = stage.accept()
    server.head()
    server.send(reply + answer(b"evil"))
    assert client.head().startswith(reply.split(b"\r\n")[0])
    with pytest.raises(ConnectionResetError):
        server.rest()
    client.finish()
    assert client.rest() == b""


def test_garbage_is_a_bad_gateway(stage):
    for name, reply in GARBAGE.items():
        client = stage.client()
        client.send(stage.head(b"POST / HTTP/1.1", b"Content-Length: 0"))
        server = stage.accept()
        server.head()
        server.send(reply)
        assert client.answer() == (502, b""), name
        with pytest.raises(ConnectionResetError):
            server.rest()


@pytest.mark.parametrize("line, fields", [
    (b"GET / HTTP/1.1", [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"]),
    (b"GET / HTTP/1.1", [b"Connection: Upgrade", b"Upgrade: nebsocket"]),
    (b"GET / HTTP/1.1", [b"Upgrade: websocket"]), (b"GET / HTTP/1.0", [UPGRADE[:-2]]),
    (b"GET / HTTP/1.1", [b"Connection: Upgrade", b"Upgrade: websocket, h2c"])])
def test_only_websockets_become_tunnels(stage, line, fields):
    """What would carry requests that nobody routes, or that nobody asked for."""
    client, server = stage.asked(line, *fields)
    server.send(SWITCH)
    assert client.answer()[0] == 502
    with pytest.raises(ConnectionResetError):
        server.rest()


@pytest.mark.parametrize("line, fields", [(b"GET / HTTP/1.1", [b"Connection: close"]), (b"GET / HTTP/1.0", [])])
def test_connection_that_was_said_to_close_is_not_used_again(stage, line, fields):
    """The endpoint was told so, too, even if it does not close yet."""
    client, server = stage.asked(line, *fields)
    server.send(answer(b"one"))
    assert client.answer() == (200, b"one")
    assert client.rest() == b""
    assert server.rest() == b""
    other, new = stage.asked()
    new.send(answer(b"two"))
    assert other.answer() == (200, b"two")


def test_requests_behind_an_offered_tunnel_wait_for_the_answer(stage):
    client = stage.client()
    client.send(stage.head(b"GET /ws HTTP/1.1", UPGRADE[:-2]) + stage.head(b"GET /next HTTP/1.1"))
    server = stage.accept()
    assert server.head().startswith(b"GET /ws ")
    server.send(answer(b"no"))
    assert client.answer() == (200, b"no")
    assert server.head().startswith(b"GET /next ")
    server.send(answer(b"next"))
    assert client.answer() == (200, b"next")
