# SPDX-License-Identifier: Apache-2.0
"""Serves the files of the current directory: page_server.py ADDRESS PORT. Says so when it does."""

import http.server
import socket
import socketserver
import sys


# Not http.server's own: that one asks the DNS for its name before it serves.
class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    allow_reuse_address = True
    daemon_threads = True


with Server((sys.argv[1], int(sys.argv[2])), http.server.SimpleHTTPRequestHandler) as server:
    print("serving", flush=True)
    server.serve_forever()
