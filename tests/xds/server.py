# SPDX-License-Identifier: Apache-2.0
"""An xDS server that does what a test says, no more: requests come out of a queue, responses go out as they are
given. Messages are the project's own .proto files, compiled when the tests start."""

import atexit
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from concurrent import futures

import grpc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTO = os.path.join(ROOT, "ctrl", "xds", "proto")
WAIT_S = 60
SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
URLS = {
    "lds": "envoy.config.listener.v3.Listener",
    "rds": "envoy.config.route.v3.RouteConfiguration",
    "cds": "envoy.config.cluster.v3.Cluster",
    "eds": "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "sds": "envoy.extensions.transport_sockets.tls.v3.Secret",
}
SHORT = {"type.googleapis.com/" + url: short for short, url in URLS.items()}


def url(short):
    return "type.googleapis.com/" + URLS[short]


def compile_protos():
    out = tempfile.mkdtemp(prefix="pgxds-proto-")
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    subprocess.run(["protoc", f"--proto_path={PROTO}", f"--python_out={out}",
                    *sorted(os.path.join(PROTO, name) for name in os.listdir(PROTO) if name.endswith(".proto"))],
                   check=True)
    sys.path.insert(0, out)


compile_protos()
import cluster_pb2 as cluster  # noqa: E402,F401
import core_pb2 as core  # noqa: E402
import discovery_pb2 as discovery  # noqa: E402
import endpoint_pb2 as endpoint  # noqa: E402,F401
import extensions_pb2 as extensions  # noqa: E402,F401
import listener_pb2 as listener  # noqa: E402,F401
import route_pb2 as route  # noqa: E402,F401
import secret_pb2 as secret  # noqa: E402,F401


def pack(short, message):
    return core.Any(type_url=url(short), value=message.SerializeToString())


class Raw(bytes):
    """Bytes that go out as they are."""


class Stream:
    """One ADS stream: next() is the node's next request, send() goes to the node, end() ends it. peer is the name in
    the node's certificate."""

    END = object()

    def __init__(self, delta, peer=None):
        self.delta = delta
        self.peer = peer
        self.requests = queue.Queue()
        self.responses = queue.Queue()
        self.n_sent = 0

    def read(self, iterator):
        try:
            for request in iterator:
                self.requests.put(request)
        except Exception:  # pylint: disable=broad-except
            pass  # the stream broke: the end, as told below
        self.requests.put(None)
        self.responses.put(self.END)

    def next(self):
        request = self.requests.get(timeout=WAIT_S)
        assert request is not None, "the node ended the stream"
        return request

    def ended(self):
        """Waits for the node to end the stream; what it still said."""
        said = []
        while True:
            request = self.requests.get(timeout=WAIT_S)
            if request is None:
                return said
            said.append(request)

    def quiet(self):
        return self.requests.empty()

    def send(self, message):
        self.responses.put(message)

    def end(self):
        self.responses.put(self.END)

    def answer(self, short, version, resources, nonce=None, **more):
        """A response with these messages, packed; its nonce."""
        self.n_sent += 1
        nonce = nonce if nonce is not None else f"n{self.n_sent}"
        if self.delta:
            self.send(discovery.DeltaDiscoveryResponse(type_url=url(short), nonce=nonce, resources=[
                discovery.Resource(name=getattr(m, "name", "") or m.cluster_name, version=version,
                                   resource=pack(short, m)) for m in resources], **more))
        else:
            self.send(discovery.DiscoveryResponse(type_url=url(short), version_info=version, nonce=nonce, resources=[
                pack(short, m) for m in resources], **more))
        return nonce


class Server:
    """Listens on a port of the machine's own choice; stream() waits for the node's next stream. credentials: TLS."""

    def __init__(self, port=0, credentials=None):
        self.opened = queue.Queue()
        self.grpc = grpc.server(futures.ThreadPoolExecutor(max_workers=16),
                                options=[("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1),
                                         ("grpc.max_receive_message_length", -1)])

        def handler(delta, reads):
            def handle(iterator, context):
                names = context.auth_context().get("x509_common_name", [])
                stream = Stream(delta, names[0].decode() if names else None)
                self.opened.put(stream)
                pool = futures.ThreadPoolExecutor(max_workers=1)
                pool.submit(stream.read, iterator)
                while True:
                    message = stream.responses.get()
                    if message is Stream.END:
                        return
                    yield message
            return grpc.stream_stream_rpc_method_handler(
                handle, reads.FromString,
                lambda message: bytes(message) if isinstance(message, bytes) else message.SerializeToString())

        self.grpc.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {
            "StreamAggregatedResources": handler(False, discovery.DiscoveryRequest),
            "DeltaAggregatedResources": handler(True, discovery.DeltaDiscoveryRequest)})])
        self.port = self.grpc.add_secure_port(f"127.0.0.1:{port}", credentials) if credentials else \
            self.grpc.add_insecure_port(f"127.0.0.1:{port}")
        self.grpc.start()

    def stream(self):
        return self.opened.get(timeout=WAIT_S)

    def stop(self):
        self.grpc.stop(None).wait()
