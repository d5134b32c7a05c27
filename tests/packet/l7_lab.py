# SPDX-License-Identifier: Apache-2.0
"""TCP through the node by hand: a test is the client and the endpoint, segment by segment. One link; the client is
10.0.0.2, the endpoint 10.0.0.3."""

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from ipnet import host_neighbors, mac

VIP = {4: "10.0.0.100", 6: "fd00::100"}
CLIENT = {4: "10.0.0.2", 6: "fd00::2"}
ENDPOINT = {4: "10.0.0.3", 6: "fd00::3"}
SOURCES = {4: "10.0.0.16/30", 6: "fd00::10/126"}
OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("NOP", None), ("WScale", 7)]
SERVER_PORT = 8080
ISN = 1000  # of clients
SERVER_ISN = 5000
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"

AS_IS = dict(x_forwarded_for=False, x_forwarded_proto=False, x_forwarded_port=False, x_request_id=False)


def config(*listeners, **more):
    return dict(
        icmp=dict(errors_per_s=100000, burst=10000),
        ports=[dict(name="p0", addresses=["10.0.0.1/24", "fd00::1/64"])],
        neighbors=host_neighbors(0, hosts=(2, 3)),
        vrfs=[dict(name="default", sources=list(SOURCES.values()))],
        service_networks=[dict(name="net", vrfs=["default"])],
        listeners=[dict(dict(service_network="net", addresses=list(VIP.values()), port=80, window_scale=9), **listener)
                   for listener in listeners],
        clusters=[dict(name="c", endpoints=[dict(address=ENDPOINT[4], port=SERVER_PORT)])], **more)


# Each test has a port of its own, and what retransmissions of its segments come later are not the next one's.
next_port = iter(range(20000, 60000))


def ip(family, dst, src=None, **fields):
    src = src or CLIENT[family]
    return IP(src=src, dst=dst, **fields) if family == 4 else IPv6(src=src, dst=dst, **fields)


def to_node(node, packet, src_host=2):
    return Ether(src=mac(0, src_host), dst=node.mac("p0")) / packet


def syn(node, family, dport=80, **fields):
    tcp = TCP(**dict(dict(sport=next(next_port), dport=dport, flags="S", seq=ISN, options=OPTIONS), **fields))
    return to_node(node, ip(family, VIP[family]) / tcp)


def assert_sound(frame):
    """Checksums are as scapy computes them."""
    again = frame.copy()
    for layer, field in ((IP, "chksum"), (TCP, "chksum")):
        if layer in again:
            delattr(again[layer], field)
    assert bytes(again) == bytes(frame)


def data_of(frame):
    return bytes(frame[TCP].payload)[:tcp_len(frame) - 4 * frame[TCP].dataofs]


def tcp_len(frame):
    return frame[IP].len - 4 * frame[IP].ihl if IP in frame else frame[IPv6].plen


class Wire:
    """What comes out of the node's one port, sorted by connection."""

    def __init__(self, node):
        self.node = node
        self.ends = []

    def receive(self):
        return Ether(self.node.receive("p0"))

    def take(self):
        """The next frame goes to the end that it is for; a SYN to nobody's becomes a new end's first."""
        frame = self.receive()
        assert_sound(frame)
        for end in self.ends:
            if end.is_mine(frame):
                end.queue.append(frame)
                return
        assert TCP in frame and frame[TCP].flags == "S", frame.summary()
        family, packet = (4, frame[IP]) if IP in frame else (6, frame[IPv6])
        end = End(self, family, packet.dst, frame[TCP].dport, packet.src, frame[TCP].sport, 3, SERVER_ISN)
        end.queue.append(frame)

    def flush(self):
        """Sorts all that the node sent for what it was sent so far."""
        self.node.barrier()
        while self.node.peers["p0"].held:
            self.take()

    def close(self):
        """So that the node forgets all connections."""
        for end in self.ends:
            end.reset()

    def client(self, family=4, port=80):
        return End(self, family, CLIENT[family], next(next_port), VIP[family], port, 2, ISN)

    def accept(self):
        """The endpoint's end of a connection that the node opens; its SYN was taken."""
        while True:
            for end in self.ends:
                if end.host == 3 and not end.accepted:
                    end.accepted = True
                    end.opened_by(end.next("S"))
                    return end
            self.take()


class End:
    """One end of a connection. seq and ack are what a well-behaved host would say next."""

    def __init__(self, wire, family, address, port, peer, peer_port, host, isn):
        self.wire, self.family, self.host = wire, family, host
        self.address, self.port, self.peer, self.peer_port = address, port, peer, peer_port
        self.seq, self.ack, self.window = isn, 0, 1000
        self.queue, self.seen, self.accepted = [], [], False
        wire.ends.append(self)

    def is_mine(self, frame):
        packet = frame.getlayer(IP) or frame.getlayer(IPv6)
        return TCP in frame and (packet.dst, packet.src, frame[TCP].dport, frame[TCP].sport) == (
            self.address, self.peer, self.port, self.peer_port)

    def send(self, flags="A", data=b"", **fields):
        """With seq given, it is sent there and does not count as progress."""
        tcp = TCP(**dict(dict(sport=self.port, dport=self.peer_port, flags=flags, seq=self.seq, ack=self.ack,
                              window=self.window), **fields))
        frame = to_node(self.wire.node, ip(self.family, self.peer, self.address) / tcp / Raw(data), self.host)
        self.wire.node.send("p0", bytes(frame))
        if "seq" not in fields:
            self.seq += len(data) + sum(flag in flags for flag in "SF")

    def next(self, flags=None, data=None):
        """The next segment for this end that it has not seen yet; its ACK goes into what is sent from now on."""
        while True:
            while not self.queue:
                self.wire.take()
            frame = self.queue.pop(0)
            tcp = frame[TCP]
            said = (str(tcp.flags), tcp.seq, tcp.ack, tcp.window, data_of(frame))
            if said not in self.seen or (data_of(frame) == b"" and flags is not None and flags == said[0]):
                break
        self.seen.append(said)
        assert flags is None or str(tcp.flags) == flags, frame.show(dump=True)
        assert data is None or data_of(frame) == data, (data_of(frame), data)
        end = tcp.seq + len(data_of(frame)) + ("F" in tcp.flags) + ("S" in tcp.flags)
        if "R" not in tcp.flags and ("S" in tcp.flags or (end - self.ack) & 0xffffffff < 1 << 31):
            self.ack = end
        return tcp

    def read(self, is_whole):
        """Bytes in their order until it is whole, each segment acknowledged; what only acknowledges is passed over."""
        got, start = b"", self.ack
        while not is_whole(got):
            tcp = self.next()
            assert "R" not in tcp.flags, got
            off = start + len(got) - tcp.seq
            if 0 <= off < len(self.seen[-1][4]):
                got += self.seen[-1][4][off:]
                self.ack = start + len(got)
                self.send()
        return got

    def hear(self, data):
        got = self.read(lambda got: len(got) >= len(data))
        assert got == data

    def answer(self):
        """Status of a response with a Content-Length."""
        def is_whole(got):
            head, end, body = got.lower().partition(b"\r\n\r\n")
            return end and len(body) >= int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(self.read(is_whole).split()[1])

    def told(self, **fields):
        """Until a segment says this of ack and window."""
        while True:
            tcp = self.next()
            if all(getattr(tcp, name) == value for name, value in fields.items()):
                return tcp

    def silent(self):
        """Nothing new came for what was sent so far; repetitions are not new."""
        self.wire.flush()
        fresh = [frame for frame in self.queue if (str(frame[TCP].flags), frame[TCP].seq, frame[TCP].ack,
                                                   frame[TCP].window, data_of(frame)) not in self.seen]
        self.queue = []
        assert not fresh, "\n".join(frame.show(dump=True) for frame in fresh)

    def open(self, **fields):
        """The client's handshake."""
        self.send("S", options=OPTIONS, **fields)
        tcp = self.next("SA")
        self.send()
        return tcp

    def opened_by(self, tcp):
        self.their_options = dict(tcp.options)
        self.ack = tcp.seq + 1

    def answer_syn(self, **fields):
        """The endpoint's handshake, its last ACK included."""
        self.send("SA", options=OPTIONS, **fields)

    def reset(self):
        """So that the node forgets it."""
        self.send("R", seq=self.seq)


# ---- exchanges

def ask(client, request=REQUEST):
    """The request goes through; the endpoint's end, and nothing is in flight."""
    client.send("PA", request)
    return passed(client, request)


def passed(client, request=REQUEST):
    """What the client sent opens a connection to the endpoint and arrives."""
    server = client.wire.accept()
    server.answer_syn()
    server.hear(request)
    client.told(ack=client.seq)
    return server


def reply(server, client, answer=ANSWER):
    server.send("PA", answer)
    client.hear(answer)
    server.told(ack=server.seq)
