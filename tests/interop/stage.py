# SPDX-License-Identifier: Apache-2.0
"""Where a test is client and endpoint itself: each host name leads to an endpoint of its own, so no case meets another
one's connections. Everything goes over IPv4 and IPv6 on either side, with edited heads and with heads that pass in
place."""

import itertools

from hosts import Listener, connect
from http_lab import cluster, endpoint, listener, services

EDITED, IN_PLACE = 80, 81
FIRST_PORT = {4: 10_000, 6: 11_000}
# The listener's port, the client's family, the endpoint's.
WAYS = [(EDITED, 4, 6), (IN_PLACE, 6, 4), (IN_PLACE, 4, 4), (EDITED, 6, 6)]
OFF = "x_forwarded_for = false; x_forwarded_proto = false; x_forwarded_port = false; x_request_id = false;"


def way_name(way):
    return f"{'edited' if way[0] == EDITED else 'in-place'}-{way[1]}-{way[2]}"


def stages(n_stages, more_routes="", more_listeners=(), more_clusters=()):
    """Configuration: n_stages host names a family, FAMILY-1 and so on; the rest goes to blue's nginx."""
    names = {f"{family}-{n}": endpoint("blue", family, FIRST_PORT[family] + n)
             for family in (4, 6) for n in range(n_stages)}
    routes = ", ".join(f'{{ prefix = "/"; headers = ( {{ name = ":authority"; exact = "{name}"; }} ); '
                       f'cluster = "{name}"; timeout_ms = 0; }}' for name in names)
    routes += more_routes + ', { prefix = "/"; cluster = "warm"; }'
    return services([listener(routes, EDITED, "request_id_in_response = true;"), listener(routes, IN_PLACE, OFF),
                     *more_listeners],
                    [cluster("warm", endpoint("blue", 4), endpoint("blue", 6)), *more_clusters,
                     *(cluster(name, where) for name, where in names.items())])


def set_up(http):
    """The lab of such a configuration."""
    http.free = {family: itertools.count(1) for family in (4, 6)}
    http.serve("blue")
    http.wait_up(4, 6)
    return http


class Stage:
    """A host name, the endpoint's listening socket, and clients."""

    def __init__(self, http, port, client, server):
        self.http, self.port, self.family = http, port, client
        n = next(http.free[server])
        self.host = f"{server}-{n}".encode()
        self.server = Listener(http.lab, "blue", FIRST_PORT[server] + n)
        self.opened = []

    def client(self, *options):
        self.opened.append(connect(self.http.lab, self.family, self.port, *options))
        return self.opened[-1]

    def accept(self):
        self.opened.append(self.server.accept())
        return self.opened[-1]

    def head(self, line=b"GET / HTTP/1.1", *fields):
        return b"\r\n".join([line, b"Host: " + self.host, *fields, b"", b""])

    def asked(self, line=b"GET / HTTP/1.1", *fields, body=b""):
        """Client and endpoint, with the request there."""
        client = self.client()
        client.send(self.head(line, *fields) + body)
        server = self.accept()
        assert server.head().startswith(line + b"\r\n")
        assert server.exactly(len(body)) == body
        return client, server

    def close(self):
        self.server.close()
        for peer in self.opened:
            peer.close()


def answer(body=b"", *fields, status=b"200 OK"):
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields, b"", b""]) + body
