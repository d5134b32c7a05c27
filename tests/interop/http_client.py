# SPDX-License-Identifier: Apache-2.0
"""One HTTP connection on command: http_client.py ADDRESS PORT OWN-PORT. Reads a path a line, and writes for each the status,
how many bytes came, their SHA-256 and, when they are few, themselves. The connection stays; when it breaks, so
does this."""

import hashlib
import http.client
import sys

connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=30,
                                        source_address=("", int(sys.argv[3])))
connection.connect()
connection.auto_open = 0
for line in sys.stdin:
    connection.request("GET", line.strip())
    answer = connection.getresponse()
    body = answer.read()
    shown = body.decode() if len(body) < 100 else ""
    print(answer.status, len(body), hashlib.sha256(body).hexdigest(), shown, flush=True)
