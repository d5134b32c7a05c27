#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The third host's web server: names the VPC whose address was called.

Usage: web.py READY-FILE ADDRESS=VPC... Every line of an answer names the VPC, so that a piece of one in
the wrong VPC is seen; /bulk is about a megabyte of such lines.
"""

import http.server
import socket
import socketserver
import sys

VPCS = dict(argument.split("=") for argument in sys.argv[2:])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        called = self.connection.getsockname()[0].removeprefix("::ffff:")
        caller = self.client_address[0].removeprefix("::ffff:")
        line = f"{VPCS[called]}: hello {caller}, you called {called}\n"
        body = line.encode() * (20000 if self.path.startswith("/bulk") else 1)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


# Not http.server's own: that one asks the DNS for its name before it serves.
class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6  # and IPv4, mapped
    allow_reuse_address = True
    daemon_threads = True


server = Server(("::", 80), Handler)
open(sys.argv[1], "w", encoding="utf-8").close()
server.serve_forever()
