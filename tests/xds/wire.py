# SPDX-License-Identifier: Apache-2.0
"""What is between the node and a server: a wire that passes bytes on, or holds, cuts, garbles or drips what the server
says, from any byte on. It notes how the node began to speak."""

import socket
import threading

DRIP_BYTES = 2000  # that come one by one; what follows them need not


class Wire:
    """Set mode and after before the node connects: what it does to a connection is settled when that begins."""

    def __init__(self, port=None):
        """port None: nobody is behind it, and what the node says stays without an answer."""
        self.target = port
        self.mode = "pass"
        self.after = 0
        self.first_bytes = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open = []
        self.lock = threading.Lock()
        self.is_stopped = False
        threading.Thread(target=self.accept, daemon=True).start()

    def set(self, mode, after=0):
        """Of connections that come; those that are there end."""
        with self.lock:
            self.mode, self.after = mode, after
            self.cut()

    def cut(self):
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # was at its end already
        self.open.clear()

    def accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                if self.is_stopped:
                    near.close()
                    return
                far = socket.create_connection(("127.0.0.1", self.target)) if self.target else None
                self.open += [near, far] if far else [near]
                todo = (self.mode, self.after)
            for end in (near, far):
                if end:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.up, args=(near, far), daemon=True).start()
            if far:
                threading.Thread(target=self.down, args=(far, near, *todo), daemon=True).start()

    def up(self, near, far):
        first = True
        try:
            while data := near.recv(65536):
                if first:
                    self.first_bytes.append(data)
                first = False
                if far:
                    far.sendall(data)
        except OSError:
            pass  # the other end is gone
        self.end(near, far)

    def down(self, far, near, mode, after):
        n_seen = 0
        try:
            while data := far.recv(65536):
                n_clean = len(data) if mode in ("pass", "drip") else max(0, min(len(data), after - n_seen))
                if mode == "drip":
                    n_slow = max(0, min(len(data), DRIP_BYTES - n_seen))
                    for i in range(n_slow):
                        near.sendall(data[i:i + 1])
                    near.sendall(data[n_slow:])
                else:
                    near.sendall(data[:n_clean])
                n_seen += len(data)
                if mode == "garble" and n_clean < len(data):
                    near.sendall(bytes(byte ^ 0xa5 for byte in data[n_clean:]))
                elif mode == "cut" and n_seen >= after:
                    break
        except OSError:
            pass  # likewise
        self.end(near, far)

    @staticmethod
    def end(*ends):
        for end in ends:
            try:
                if end:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # likewise

    def stop(self):
        with self.lock:
            self.is_stopped = True
            self.cut()
        self.socket.close()
