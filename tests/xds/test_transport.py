# SPDX-License-Identifier: Apache-2.0
"""What a connection can suffer, at each step of it: the node says why, goes on serving what it had, answers its
admin socket, and is back as soon as the server is."""

import socket

import grpc
import pytest

import server as control_plane
from certificates import DAY, Ca, put
from conftest import Node, at
from resources import eds_cluster, endpoints, http_listener, routes
from server import Raw, core, discovery, secret
from test_session import is_live
from wire import Wire

SPIFFE = "spiffe://pergola.test/plane"
WORLD = [("cds", eds_cluster("pay")), ("eds", endpoints("pay", ("10.9.0.1", 8080))),
         ("lds", http_listener("web", "0.0.0.0", 80, "main")), ("rds", routes("main", "pay"))]
# In bytes of what the server says: within frames' and records' headers, between them, within what they carry.
POINTS = [0, 1, 3, 9, 20, 40, 70, 100, 150, 200, 300, 500]
POINTS_TLS = POINTS + [800, 1000, 1200]
TIGHT = "connect_timeout_ms = 500; keepalive_ms = 500; keepalive_timeout_ms = 500;"


def give(stream, version):
    """All there is, one type after the other, as the node asks for it."""
    for short, message in WORLD:
        nonce = stream.answer(short, version, [message])
        while stream.next().response_nonce != nonce:
            pass


class Rig:
    """A node before a wire before a server."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.node = None
        self.server = None
        self.wire = None
        self.more = []
        self.version = 0

    def start(self, tls="", credentials=None, more="", protocol="sotw"):
        self.server = control_plane.Server(credentials=credentials)
        self.wire = Wire(self.server.port)
        self.run(at(self.wire.port, tls), more, protocol)
        return self.recover()

    def run(self, servers, more="", protocol="sotw"):
        self.node = Node(self.directory, servers, protocol, more)
        self.node.delta = protocol == "delta"

    def recover(self):
        """The stream is there again, or for the first time, and what comes on it counts."""
        stream = self.server.stream()
        self.version += 1
        give(stream, str(self.version))
        assert self.node.entry("cluster", "pay")["version"] == str(self.version)
        self.node.until(self.serves)
        return stream

    def serves(self):
        return is_live(self.node)

    def fails(self, *texts):
        """The node has said why, and serves on."""
        def said():
            assert self.serves()
            why = self.node.ctl("xds")["last_failure"]
            return why if why and all(text in why for text in texts) else None
        return self.node.until(said)

    def put(self, name, pem):
        return put(f"{self.directory}/{name}", pem)

    def stop(self):
        for thing in (self.wire, self.server, *self.more):
            if thing:
                thing.stop()
        if self.node:
            log = self.node.log()
            assert self.node.stop() == 0, log


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path)
    yield made
    made.stop()


class Tls:
    """A server's certificates, which may change between two connections, and the node's files."""

    def __init__(self, rig, client=None):
        self.rig = rig
        self.ca = Ca("plane-ca")
        self.client = client
        self.identity = self.ca.identity("plane", ip="127.0.0.1")
        self.text = f'ca = "{rig.put("ca.pem", self.ca.pem)}";'
        if client:
            key, certificate = self.ca.identity(client)
            self.text += f' certificate = "{rig.put("node.pem", certificate)}"; key = "{rig.put("node.key", key)}";'

    def configuration(self):
        return grpc.ssl_server_certificate_configuration([self.identity], self.ca.pem if self.client else None)

    def credentials(self):
        return grpc.dynamic_ssl_server_credentials(
            self.configuration(), self.configuration, require_client_authentication=self.client is not None)

    def begin(self, text="", **more):
        return self.rig.start(tls=f"{self.text} {text}", credentials=self.credentials(), **more)

    def never_plain(self):
        """All that the node ever said began with a TLS handshake."""
        assert self.rig.wire.first_bytes and all(first[:1] == b"\x16" for first in self.rig.wire.first_bytes)


# TLS


@pytest.mark.parametrize("wrong, why", [
    (lambda tls: Ca("another-ca").identity("plane", ip="127.0.0.1"), ["certificate is not trusted"]),
    (lambda tls: tls.ca.identity("plane", ip="127.0.0.1", since=-3 * DAY, until=-2 * DAY),
     ["certificate expired on"]),
    (lambda tls: tls.ca.identity("plane", ip="127.0.0.1", since=2 * DAY, until=3 * DAY),
     ["certificate is not valid before"]),
    (lambda tls: tls.ca.identity("plane", ip="127.0.0.2"), ["127.0.0.2", "not for 127.0.0.1"]),
    (lambda tls: tls.ca.identity("127.0.0.1"), ["for no name, not for 127.0.0.1"]),
], ids=["ca", "expired", "early", "name", "subject"])
def test_wrong_certificate_is_told_and_not_taken(rig, wrong, why):
    tls = Tls(rig)
    tls.begin()
    right, tls.identity = tls.identity, wrong(tls)
    rig.wire.cut()
    rig.fails(*why)
    tls.identity = right
    rig.recover()
    tls.never_plain()


def test_spiffe_id_stands_for_the_name(rig):
    tls = Tls(rig)
    tls.identity = right = tls.ca.identity("plane", uri=SPIFFE)
    tls.begin(f'spiffe_id = "{SPIFFE}";')
    tls.identity = tls.ca.identity("plane", ip="127.0.0.1", uri=SPIFFE + "/other")
    rig.wire.cut()
    rig.fails(f"{SPIFFE}/other", f"not for {SPIFFE}")
    tls.identity = right
    rig.recover()
    tls.never_plain()


def test_server_without_tls_is_told_and_never_asked(rig):
    tls = Tls(rig)
    tls.begin()
    plain = control_plane.Server()
    rig.more.append(plain)
    rig.wire.target, target = plain.port, rig.wire.target
    rig.wire.cut()
    rig.fails("the server does not speak TLS")
    assert plain.opened.empty()
    rig.wire.target = target
    rig.recover()
    tls.never_plain()


def test_certificates_are_rotated_by_their_files(rig):
    tls = Tls(rig, client="one")
    assert tls.begin().peer == "one"
    key, certificate = tls.ca.identity("two")
    rig.put("node.key", key)
    rig.put("node.pem", certificate)
    rig.wire.cut()
    assert rig.recover().peer == "two"
    # Another CA on both sides.
    tls.ca = Ca("next-ca")
    tls.identity = tls.ca.identity("plane", ip="127.0.0.1")
    rig.wire.cut()
    rig.fails("not trusted")
    key, certificate = tls.ca.identity("three")
    rig.put("node.key", key)
    rig.put("node.pem", certificate)
    rig.put("ca.pem", tls.ca.pem)
    assert rig.recover().peer == "three"
    tls.never_plain()


def test_client_certificate_that_the_server_refuses(rig):
    tls = Tls(rig, client="one")
    tls.begin()
    key, certificate = Ca("another-ca").identity("stranger")
    rig.put("node.key", key)
    rig.put("node.pem", certificate)
    rig.wire.cut()
    rig.fails()
    rig.node.until(lambda: rig.node.ctl("xds")["state"] != "up" and rig.node.ctl("xds")["last_failure"])
    key, certificate = tls.ca.identity("one")
    rig.put("node.key", key)
    rig.put("node.pem", certificate)
    assert rig.recover().peer == "one"
    tls.never_plain()


@pytest.mark.parametrize("ends", ["removed", "expired"])
def test_secret_of_the_server_is_used_until_it_is_gone(rig, ends):
    tls = Tls(rig, client="by-file")
    stream = tls.begin(more='certificate_secret = "own";', protocol="delta")
    assert stream.peer == "by-file"
    key, certificate = tls.ca.identity("by-secret")
    own = secret.Secret(name="own", tls_certificate=secret.TlsCertificate(
        certificate_chain=core.DataSource(inline_bytes=certificate), private_key=core.DataSource(inline_bytes=key)))
    nonce = stream.answer("sds", "1", [own])
    while stream.next().response_nonce != nonce:
        pass
    rig.wire.cut()
    stream = rig.recover()
    assert stream.peer == "by-secret"
    if ends == "removed":
        stream.answer("sds", "2", [], removed_resources=["own"])
    else:
        stream.send(discovery.DeltaDiscoveryResponse(type_url=control_plane.url("sds"), nonce="t", resources=[
            discovery.Resource(name="own", version="2", resource=control_plane.pack("sds", own),
                               ttl=core.Duration(nanos=1000000))]))
    rig.node.until(lambda: rig.node.entry("secret", "own")["state"] == "absent")
    rig.wire.cut()
    assert rig.recover().peer == "by-file"


# Stalls, breaks, garbage


@pytest.mark.parametrize("mode", ["hold", "cut", "garble"])
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
def test_server_is_lost_at_every_step(rig, mode, secured):
    """From the given byte of what the server says it is silent, gone, or says nonsense: in the TLS handshake, in the
    settings, the stream's opening, within a response. Each time the next connection is whole again."""
    if secured:
        Tls(rig).begin(more=TIGHT)
    else:
        rig.start(more=TIGHT)
    for after in POINTS_TLS if secured else POINTS:
        n_attempts = rig.node.ctl("xds")["attempts"]
        rig.wire.set(mode, after)
        rig.node.until(lambda n=n_attempts: rig.serves() and rig.node.ctl("xds")["attempts"] > n)
        n_failed = rig.node.ctl("xds")["attempts"]
        while not rig.server.opened.empty() or rig.node.ctl("xds")["attempts"] <= n_failed:
            assert rig.serves()
            # What the server would say, should it come so far.
            if not rig.server.opened.empty():
                stream = rig.server.stream()
                for short, message in WORLD:
                    stream.answer(short, "broken", [message])
        rig.wire.set("pass")
        drain(rig)


def drain(rig):
    """Streams that only began are passed by until one is whole."""
    while True:
        stream = rig.server.stream()
        try:
            give(stream, "whole")
            break
        except AssertionError:
            pass  # the node had ended that one; another follows
    rig.node.until(lambda: rig.serves() and rig.node.ctl("xds")["state"] == "up")


def test_half_a_large_response_changes_nothing(rig):
    rig.start()
    for after in (500, 2000, 16000, 16500, 40000, 60000):
        rig.wire.set("cut", after)
        stream = rig.server.stream()
        stream.answer("cds", "half", [eds_cluster(f"a-cluster-with-a-long-name-{i:04}") for i in range(1000)])
        stream.ended()
        assert rig.serves() and rig.node.type("cluster")["held"] == 1
        rig.wire.set("pass")
        drain(rig)


def test_nobody_answers_the_call(rig):
    rig.start(more=TIGHT)
    rig.wire.set("hold", 0)
    rig.fails("opening a stream took longer than 500 ms")
    rig.wire.set("pass")
    drain(rig)


def test_nobody_answers_the_handshake(rig):
    Tls(rig).begin(more=TIGHT)
    rig.wire.set("hold", 0)
    rig.fails("the TLS handshake took longer than 500 ms")
    rig.wire.set("pass")
    drain(rig)


def test_server_that_never_responds(rig):
    """The stream is open, pings are answered, and that is all."""
    rig.start(more=TIGHT)
    rig.wire.cut()
    stream = rig.server.stream()
    asked = [stream.next().type_url for _ in range(4)]
    assert len(set(asked)) == 4
    rig.node.until(lambda: rig.node.ctl("xds")["state"] == "up" and rig.serves())
    assert rig.node.ctl("xds")["answered"] is False
    give(stream, "late")
    assert rig.node.entry("cluster", "pay")["version"] == "late"


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
def test_slow_server_byte_by_byte(rig, secured):
    if secured:
        Tls(rig).begin()
    else:
        rig.start()
    rig.wire.set("drip")
    rig.recover()
    assert rig.node.ctl("xds")["state"] == "up"


def test_server_says_goaway(rig):
    """The stream goes on until the server ends it; then the next server is asked."""
    rig.server = control_plane.Server()
    second = control_plane.Server()
    rig.more.append(second)
    rig.run(f"{at(rig.server.port)}, {at(second.port)}")
    stream = rig.recover()
    leaving = rig.server.grpc.stop(control_plane.WAIT_S)
    give(stream, "after goaway")
    assert rig.node.entry("cluster", "pay")["version"] == "after goaway"
    stream.end()
    leaving.wait()
    stream = second.stream()
    assert rig.serves()
    give(stream, "second")
    rig.node.until(lambda: rig.node.ctl("xds")["server"].endswith(f":{second.port}"))


def test_servers_are_tried_in_order(rig):
    """One that is not there, one that says nothing, one that says nonsense, then the one."""
    nobody = socket.create_server(("127.0.0.1", 0))
    silent, noise = Wire(), Wire()
    rig.more += [silent, noise]
    rig.server = control_plane.Server()
    noise.target, noise.mode = rig.server.port, "garble"
    port = nobody.getsockname()[1]
    nobody.close()
    rig.run(", ".join(at(p) for p in (port, silent.port, noise.port, rig.server.port)), TIGHT)
    drain(rig)
    status = rig.node.ctl("xds")
    assert status["server"].endswith(f":{rig.server.port}") and status["attempts"] >= 4
    assert silent.first_bytes and noise.first_bytes
    order = [rig.node.log().index(f"server=127.0.0.1:{p} why") for p in (port, silent.port, noise.port)]
    assert order == sorted(order)


# What is said


@pytest.mark.parametrize("nonce", ["", "same", "n" * 4096], ids=["empty", "same", "long"])
def test_odd_nonces_are_sent_back(rig, nonce):
    stream = rig.start()
    for version in ("a", "b"):
        stream.answer("eds", version, [endpoints("pay", ("10.9.0.3", 8080))], nonce=nonce)
        answer = stream.next()
        assert (answer.version_info, answer.response_nonce) == (version, nonce)
    assert rig.serves() and rig.node.ctl("xds")["resets"] == 0


def test_nonce_beyond_reason_ends_the_stream(rig):
    stream = rig.start()
    stream.answer("eds", "2", [], nonce="n" * 4097)
    stream.ended()
    rig.fails("nonce or type is no text")
    rig.recover()


@pytest.mark.parametrize("n_bytes", [66000, 3000000], ids=["just", "far"])
def test_response_beyond_the_limit_ends_the_stream(rig, n_bytes):
    stream = rig.start(more="max_message_bytes = 65536;")
    stream.send(Raw(b"\x0a" + varint(n_bytes) + b"x" * n_bytes))
    stream.ended()
    rig.fails("RESOURCE_EXHAUSTED", "the limit is 65536")
    rig.recover()


def varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7f | 0x80]), value >> 7
    return out + bytes([value])


def test_admin_socket_answers_in_a_flood(rig):
    stream = rig.start()
    nonces = [stream.answer("eds", str(i), [endpoints("pay", ("10.9.0.1", 1 + i))]) for i in range(5000)]
    for i, nonce in enumerate(nonces):
        assert stream.next().response_nonce == nonce
        if i % 500 == 0:
            assert rig.serves()
    rig.node.until(lambda: rig.node.entry("endpoints", "pay")["version"] == "4999")
    assert rig.serves() and rig.node.ctl("xds")["resets"] == 0
