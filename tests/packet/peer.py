# SPDX-License-Identifier: Apache-2.0
"""The other end of a port, and how frames are compared and shown."""

import select
import socket
import struct
import time

from scapy.layers.l2 import Ether
from scapy.utils import hexdump

from netns import inside

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
MAX_FRAME = 70000
WAKE_S = 0.3  # without a frame that is waited for


def show(frame):
    try:
        return Ether(frame).show(dump=True) + hexdump(frame, dump=True)
    except Exception as error:  # whatever scapy chokes on is still worth its bytes
        return f"(scapy: {error})\n" + hexdump(frame, dump=True)


def differences(want, got, mask):
    at = [i for i in range(max(len(want), len(got)))
          if i >= len(want) or i >= len(got) or (want[i] ^ got[i]) & (mask[i] if i < len(mask) else 0xFF)]
    lines = [f"lengths: wanted {len(want)}, got {len(got)}",
             f"{len(at)} bytes differ, first at offset {at[0]}" if at else "no difference"]
    for i in at[:16]:
        w = f"{want[i]:02x}" if i < len(want) else "--"
        g = f"{got[i]:02x}" if i < len(got) else "--"
        lines.append(f"  [{i:4}] wanted {w} got {g}")
    return "\n".join(lines)


def equal(want, got, mask=b""):
    if len(want) != len(got):
        return False
    if not mask:
        return want == got
    return all((w ^ g) & (mask[i] if i < len(mask) else 0xFF) == 0
               for i, (w, g) in enumerate(zip(want, got)))


class Peer:
    """The other end of a port: a raw socket that neither adds nor hides anything."""

    def __init__(self, netns, interface):
        with inside(netns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.bind((interface, ETH_P_ALL))
        self.sock.setblocking(False)
        self.held = []  # frames read while looking for a sentinel
        self.ignore = lambda frame: False  # frames that are no matter of the test
        self.wake = lambda: None  # called now and then while nothing comes

    def send(self, frame):
        self.sock.send(frame)

    def read(self):
        """The next frame that has arrived, or None."""
        try:
            data, anc, _, _ = self.sock.recvmsg(MAX_FRAME, 64)
        except BlockingIOError:
            return None
        for level, kind, aux in anc:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", aux[:20])
                if status & TP_STATUS_VLAN_VALID:
                    if not status & TP_STATUS_VLAN_TPID_VALID:
                        tpid = 0x8100
                    data = data[:12] + struct.pack(">HH", tpid, tci) + data[12:]
        return data

    def receive(self, deadline):
        """The next frame, or None when the deadline passes."""
        if self.held:
            return self.held.pop(0)
        while True:
            frame = self.read()
            if frame is not None and not self.ignore(frame):
                return frame
            if frame is not None:
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not select.select([self.sock], [], [], min(left, WAKE_S))[0]:
                self.wake()

    def close(self):
        self.sock.close()
