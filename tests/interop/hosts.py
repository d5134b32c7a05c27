# SPDX-License-Identifier: Apache-2.0
"""Hosts that a test plays itself: sockets of this process that live in a VPC's namespace."""

import ctypes
import os
import socket
import struct
import threading

import lab as laboratory
from http_lab import HttpLab, VIP
from lab import WAIT_S, until

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
HOME = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter(namespace):
    assert libc.setns(namespace, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())


def socket_in(lab, vpc, family):
    """A TCP socket that stays in the VPC's namespace; only this thread goes there, and comes back."""
    with open(f"/run/netns/{lab.netns(vpc)}", "rb") as there:
        enter(there.fileno())
    try:
        made = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, socket.SOCK_STREAM)
    finally:
        enter(HOME)
    made.settimeout(WAIT_S)
    return made


class Peer:
    """One end of a connection, read by messages."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(WAIT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        data = self.sock.recv(1 << 18)
        self.held += data
        return data != b""

    def until(self, mark):
        """Everything up to and with mark."""
        while mark not in self.held:
            assert self.more(), f"closed after {self.held!r}"
        at = self.held.index(mark) + len(mark)
        taken, self.held = self.held[:at], self.held[at:]
        return taken

    def head(self):
        return self.until(b"\r\n\r\n")

    def exactly(self, n):
        parts = [self.held[:n]]
        self.held = self.held[n:]
        n -= len(parts[0])
        while n > 0:
            parts.append(self.sock.recv(min(n, 1 << 20)))
            assert parts[-1], f"closed {n} bytes too early"
            n -= len(parts[-1])
        return b"".join(parts)

    def rest(self):
        """What comes before the other end's FIN."""
        while self.more():
            pass
        taken, self.held = self.held, b""
        return taken

    def answer(self):
        """Status and body of a response with a Content-Length, 1xx ones left out."""
        head = self.head()
        while head.split()[1].startswith(b"1"):
            head = self.head()
        return int(head.split()[1]), self.exactly(length_of(head))

    def finish(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


def length_of(head):
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def connect(lab, family=4, port=80, *options, vpc="red", address=VIP):
    """A client's connection; options are (level, name, value) and count from the SYN on."""
    sock = socket_in(lab, vpc, family)
    for option in options:
        sock.setsockopt(*option)
    sock.connect((address[family], port))
    return Peer(sock)


class Listener:
    """A server's listening socket, of both families."""

    def __init__(self, lab, vpc, port, *options):
        self.sock = socket_in(lab, vpc, 6)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            self.sock.setsockopt(*option)
        self.sock.bind(("::", port))
        self.sock.listen(4096)

    def accept(self):
        return Peer(self.sock.accept()[0])

    def close(self):
        self.sock.close()


class Feeder(threading.Thread):
    """Sends data while the test does something else."""

    def __init__(self, peer, data, then=None):
        super().__init__(daemon=True)
        self.peer, self.data, self.then = peer, data, then
        self.start()

    def run(self):
        self.peer.send(self.data)
        if self.then is not None:
            getattr(self.peer, self.then)()

    def wait_full(self):
        """Until the other end's window is shut: nothing is in flight, and bytes are left."""
        def shut():
            info = self.peer.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            unacked, unsent = struct.unpack_from("I", info, 24)[0], struct.unpack_from("I", info, 144)[0]
            return unacked == 0 and unsent > 0
        until(shut, "a shut window")

    def join(self, timeout=WAIT_S):
        super().join(timeout)
        assert not self.is_alive(), "not all was taken"


def lose(lab, vpc, percent):
    """The host loses this share of what comes to it."""
    lab.run(vpc, "nft", "-f", "-", text_in=f"""
        table inet loss {{ chain input {{ type filter hook input priority 0;
            meta l4proto tcp meta random < {int(percent / 100 * (1 << 32))} counter drop; }}
        }}""")


def lost(lab, vpc):
    """How many packets it lost; and no more from now on."""
    words = lab.run(vpc, "nft", "list", "table", "inet", "loss").split()
    lab.run(vpc, "nft", "delete", "table", "inet", "loss")
    return int(words[words.index("packets") + 1])


def shared_lab(request, text, workers):
    """For fixtures: one lab for many tests, with nothing in it but the node, its routers and empty hosts."""
    lab = laboratory.Lab()
    try:
        http = HttpLab(lab)
        http.build(text, workers)
        failed = request.session.testsfailed
        yield http
        if request.session.testsfailed != failed:
            print(lab.log(), lab.ctl("drops"), lab.ctl("services"), lab.ctl("clusters"), lab.ctl("flows"))
    finally:
        lab.close()
